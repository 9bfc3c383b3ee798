"""Customers who are known: credit, language, an operator of their own, and who talked with them last."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from ccserver.core import customers
from ccserver.core.commands import AnswerLeg
from ccserver.core.events import ConfigReplaced, LegAway, LegReturned
from ccserver.core.ids import AgentId, LegId, PlanHash, StepName
from ccserver.core.plan import Customer
from ccserver.core.records import TalkRemembered
from ccserver.core.steps import Enqueue, Set
from tests.unit.core_case import EN, SUPPORT, Case, operator, plan, queue

S = StepName
DAY_S = 86400.0
KNOWN, OTHER = "+79161234567", "+79167654321"


def house(known: Mapping[str, Customer] = {}, *, steps: dict[str, object] | None = None, **fields: object) -> Case:
    """Two operators of support, who need no wrap-up; 1001 is ready."""
    fields = {"sticky_days": 2, "wrap_up_s": 0.0, **fields}
    operators = [operator("1001"), operator("1002")]
    configured = plan(steps, queues=[queue(**fields)], operators=operators)  # type: ignore[arg-type]
    told = Case(replace(configured, customers=known), ready=False)
    logs_in(told, "1001")
    return told


def logs_in(told: Case, agent: str) -> None:
    told.phone(agent)
    told.wish(agent, "ready")


def talks(told: Case, caller: str, ani: str = KNOWN) -> str:
    """He is answered and hangs up; returns by whom."""
    told.call(caller, ani=ani)
    ((_, agent),) = told.offered()
    told.answers(f"n1-{caller}.1")
    told.hang_up(caller)
    told.ended(f"n1-{caller}.1")
    return agent


def order(told: Case, caller: str = "c1") -> float:
    place = told.contact(caller).place
    assert place is not None
    return place.order


# --- who talked with him last ---------------------------------------------------------------------------------------------


def test_who_talked_with_the_customer_last_is_asked_first() -> None:
    told = house()
    assert talks(told, "c1") == "1001"
    told.wait(10.0)
    logs_in(told, "1002")
    told.wait(DAY_S)
    assert talks(told, "x1", OTHER) == "1001", "he is the longest idle"
    assert talks(told, "c2") == "1001", "he is not, but he is known"
    assert told.offer("n1-c2.1").why == "asked for by name; talked with the customer last"


def test_after_so_many_days_he_is_forgotten() -> None:
    told = house()
    talks(told, "c1")
    told.wait(2 * DAY_S + 1.0)
    logs_in(told, "1002")
    told.wish("1001", "not_ready")
    assert talks(told, "c2") == "1002"


def test_he_is_waited_for_while_he_is_at_work_and_no_longer_than_the_queue_says() -> None:
    told = house(sticky_wait_s=20.0)
    talks(told, "c1")
    told.call("x1", ani=OTHER)
    told.answers("n1-x1.1")
    logs_in(told, "1002")
    told.call("c2", ani=KNOWN)
    told.wait(19.0)
    assert not told.offered()
    told.wait(1.0)
    assert told.offered() == [("c2", "1002")]


@pytest.mark.parametrize("state", ["not_ready", "logged_out"])
def test_he_is_not_waited_for_when_he_is_not_at_work(state: str) -> None:
    told = house()
    talks(told, "c1")
    logs_in(told, "1002")
    told.wish("1001", state)
    assert talks(told, "c2") == "1002"


def test_who_stands_in_the_fallback_dialplan_meanwhile_does_not_wait_for_somebody_who_has_gone_either() -> None:
    told = house(sticky_wait_s=20.0)
    talks(told, "c1")
    told.call("x1", ani=OTHER)
    told.answers("n1-x1.1")
    logs_in(told, "1002")
    told.call("c2", ani=KNOWN)
    told.tell(LegAway(LegId("c2"), at=told.now))
    told.wish("1001", "not_ready")
    told.ended("n1-x1.1")
    told.tell(LegReturned(LegId("c2"), at=told.now))
    assert told.offered() == [("c2", "1002")]


def test_without_days_nobody_is_remembered() -> None:
    told = house(sticky_days=0)
    talks(told, "c1")
    assert not told.kept(TalkRemembered) and not told.router.floor.last_talks


def test_a_number_that_is_withheld_is_nobodys() -> None:
    told = house()
    talks(told, "c1", "anonymous")
    assert not told.router.floor.last_talks


def test_the_memory_survives_a_restart_and_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "REMEMBERED", 2)
    told = house()
    for number in (1, 2, 3):
        talks(told, f"c{number}", f"+7916000000{number}")
        told.wait(1.0)
    assert list(told.restarted().router.floor.last_talks) == ["+79160000002", "+79160000003"]
    forgotten = [record.ani for record in told.kept(TalkRemembered) if record.agent is None]
    assert forgotten == ["+79160000001"]


# --- who is known -----------------------------------------------------------------------------------------------------------


def test_a_customers_own_operator_is_asked_first_whether_or_not_talks_are_remembered() -> None:
    told = house({KNOWN: Customer("Sever", agent=AgentId("1002"))}, sticky_days=0)
    logs_in(told, "1002")
    assert talks(told, "c1") == "1002"
    assert told.offer("n1-c1.1").why == "asked for by name; the customer's own"


def test_his_flow_begins_in_his_language() -> None:
    told = house({KNOWN: Customer("Sever", language=EN)})
    told.call(ani=KNOWN)
    assert told.contact().language == EN
    assert told.commanded(AnswerLeg)[0].language == EN


def test_all_credit_adds_up() -> None:
    steps: dict[str, object] = {
        "looked-up": Set(next=S("wait"), variables={"vip": "40"}),
        "wait": Enqueue(SUPPORT, priority_s=10.0, priority_from="vip"),
    }
    told = house({KNOWN: Customer("Sever", 300.0)}, steps=steps, priority_s=1.0)
    told.wish("1001", "not_ready")
    told.call(ani=KNOWN)
    told.call("c2", ani=OTHER)
    assert (order(told), order(told, "c2")) == (1000.0 - 351.0, 1000.0 - 51.0)


@pytest.mark.parametrize(
    ("value", "credit_s"), [("", 0), ("gold", 0), ("-5", 0), ("nan", 0), ("12.5", 12.5), ("1e9", 86400)]
)
def test_a_credit_that_is_no_number_of_seconds_counts_as_nothing(value: str, credit_s: float) -> None:
    steps: dict[str, object] = {
        "looked-up": Set(next=S("wait"), variables={"vip": value}),
        "wait": Enqueue(SUPPORT, priority_from="vip"),
    }
    told = house(steps=steps)
    told.wish("1001", "not_ready")
    told.call()
    assert order(told) == 1000.0 - credit_s


def test_a_reload_takes_up_customers_for_the_calls_that_come_then() -> None:
    told = house()
    told.wish("1001", "not_ready")
    told.call(ani=KNOWN)
    known = replace(told.router.floor.plan, customers={KNOWN: Customer("Sever", 300.0)}, hash=PlanHash("known"))
    told.tell(ConfigReplaced(known, at=told.now))
    told.call("c2", ani=KNOWN)
    assert (order(told), order(told, "c2")) == (1000.0, 700.0)
