"""Moments of a call, and gaps in which nothing is heard of its node."""

from ccserver.core.events import (
    LegHistory,
    NodeLost,
)
from ccserver.core.ids import LegId, StepName
from ccserver.core.steps import HangUp, Menu
from tests.unit.core_case import NODE, Case, plan

BYE = StepName("bye")
MENU = plan({"ask": Menu(("ask",), {"1": BYE}, otherwise=BYE), "bye": HangUp(("bye",))})
C1, AGENT_LEG = LegId("c1"), LegId("n1-c1.1")


def offered() -> Case:
    """Called at 1000, offered to 1001 at once, and 2 s have passed."""
    told = Case()
    told.call()
    told.wait(2.0)
    return told


def ringing() -> Case:
    told = offered()
    told.rings()
    told.wait(2.0)
    return told


def talking() -> Case:
    told = ringing()
    told.answers()
    told.wait(2.0)
    return told


def history(leg: LegId, answered_at: float | None = None, ended_at: float | None = None, cause: int = 16) -> LegHistory:
    return LegHistory(leg, answered_at, ended_at, cause)


def gap(told: Case, seconds: float = 10.0) -> None:
    """Nothing is heard of the node for a while."""
    told.tell(NodeLost(NODE, at=told.now))
    told.wait(seconds)
