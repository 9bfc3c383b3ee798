"""A flow asks a function of the admin's own: what it is told, and where it may lead."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import RunFunction
from ccserver.core.events import InquiryAnswered
from ccserver.core.ids import ContactId, InquiryId
from ccserver.core.steps import HangUp, Menu, Python
from tests.unit.core_case import Case, listed_caller, plan
from tests.unit.core_flows import NUMBER, S, said

ASK = Python("own.level", next=S("bye"), failed=S("sorry"), ways={"gold": S("vip")}, take=("level",), timeout_s=2.0)


def asking() -> Case:
    """The caller typed 12#, and the function is asked."""
    steps = {
        "number": NUMBER,
        "told": ASK,
        "bye": HangUp(("bye",)),
        "vip": Menu(("vip",), {"1": S("bye")}, otherwise=S("bye")),
        "sorry": HangUp(("sorry",)),
    }
    told = Case(plan(steps), ready=False)
    told.call()
    told.press("12#")
    return told


def answer(told: Case, verdict: str, n: int = 1, **values: str) -> None:
    inquiry = InquiryId(f"n1-c1.ask{n}")
    told.tell(InquiryAnswered(ContactId("n1-c1"), inquiry, "own.level", verdict, values, at=told.now))


def test_it_is_told_all_variables_and_which_plan_it_belongs_to() -> None:
    told = asking()
    (asked,) = told.commanded(RunFunction)
    assert (asked.function, asked.plan, asked.ways, asked.take) == ("own.level", "plan", ("gold",), ("level",))
    assert asked.variables == {"line": "88007707999", "ani": "+7900", "language": "ru", "order": "12"}


@pytest.mark.parametrize(
    ("verdict", "prompt"), [("next", "bye"), ("gold", "vip"), ("failed", "sorry"), ("tin", "sorry")]
)
def test_each_answer_has_its_step_and_sets_what_the_step_takes(verdict: str, prompt: str) -> None:
    told = asking()
    answer(told, verdict, level="9", other="x")
    assert said(told) == [(prompt,)]
    assert told.contact().variables["level"] == "9" and "other" not in told.contact().variables


def test_nobody_waits_longer_than_its_step_says() -> None:
    told = asking()
    told.wait(2.0)
    assert said(told) == [("sorry",)]
    answer(told, "gold")
    assert not told.commands


def test_after_a_restart_it_is_asked_again_and_keys_pressed_meanwhile_count() -> None:
    told = asking()
    told.now += 1.0
    told.connect(listed_caller(up=True))
    assert [command.inquiry for command in told.commanded(RunFunction)] == ["n1-c1.ask2"]
    told.press("1")
    answer(told, "gold", n=2)
    assert said(told) == [("bye",)]


def test_a_plan_before_there_were_functions_has_none() -> None:
    assert replace(plan()).functions == {}
