"""The flow that the tests of flow and conversation walk through, and what its caller hears."""

from ccserver.core.commands import (
    PlayPrompts,
)
from ccserver.core.ids import PromptName, StepName
from ccserver.core.steps import Collect, Enqueue, HangUp, Menu, Say, Set, Step
from tests.unit.core_case import EN, SUPPORT, Case, plan

S = StepName
CHOOSE = Menu(
    ("choices",),
    {"1": S("orders"), "2": S("hours"), "*": S("english")},
    otherwise=S("bye"),
    invalid=PromptName("wrong"),
    silence=PromptName("well"),
)
NUMBER = Collect(
    ("number",),
    "order",
    next=S("told"),
    otherwise=S("bye"),
    min_digits=2,
    max_digits=4,
    invalid=PromptName("wrong"),
    silence=PromptName("well"),
)
STEPS: dict[str, Step] = {
    "hello": Say(("hello",), next=S("choose")),
    "choose": CHOOSE,
    "hours": Say(("hours",), next=S("choose")),
    "english": Set(next=S("choose"), language=EN),
    "orders": Enqueue(SUPPORT),
    "told": Say(("digits:{order}", "number:{order}", "thanks"), next=S("bye")),
    "bye": HangUp(("bye",)),
}


def case(**steps: Step) -> Case:
    """These steps before the common ones; nobody is ready, the caller has been picked up."""
    told = Case(plan({**steps, **{name: step for name, step in STEPS.items() if name not in steps}}), ready=False)
    told.call()
    return told


def said(told: Case) -> list[tuple[str, ...]]:
    return [command.items for command in told.commanded(PlayPrompts)]
