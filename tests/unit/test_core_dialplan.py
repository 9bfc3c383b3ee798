"""The caller in the admin's own dialplan: how he goes there, how he comes back, and what a crash makes of it."""

from typing import Any

import pytest
from msgspec.structs import replace

from ccserver.core.commands import AnswerLeg, HangUpLeg, LendLeg
from ccserver.core.contact import ContactOutcome, ContactState, SegmentOutcome
from ccserver.core.events import CommandFailed, ContactArrived, InquiryAnswered, LegAway, LegReturned
from ccserver.core.ids import ContactId, FlowName, InquiryId, LegId, LineNumber
from ccserver.core.status import flow_alarm
from ccserver.core.steps import Dialplan, Flow, HangUp, Menu
from tests.unit.core_case import LINE, NODE, Case, listed_caller, plan
from tests.unit.core_flows import NUMBER, S, said

LEND = Dialplan("own", next=S("back"), failed=S("sorry"), extension="100", send=("order", "language"), take=("level",))


def lent(step: Dialplan = LEND) -> Case:
    """The caller typed 12#, and is handed over."""
    steps = {
        "number": replace(NUMBER, next=S("lend")),
        "lend": step,
        "back": Menu(("back",), {"1": S("lend")}, otherwise=S("sorry")),
        "sorry": HangUp(("sorry",)),
    }
    told = Case(plan(steps), ready=False)
    told.call()
    told.press("12#")
    return told


def comes_back(told: Case, n: int = 1, verdict: str = "returned", **values: str) -> None:
    """As the connector tells of it: what he brings, then that he is here."""
    told.tell(_brought(told, n, verdict, **values))
    first = list(told.commands)
    told.call()
    told.commands = first + told.commands


def _brought(told: Case, n: int, verdict: str, **values: str) -> InquiryAnswered:
    inquiry = InquiryId(f"n1-c1.ask{n}")
    return InquiryAnswered(ContactId("n1-c1"), inquiry, "dialplan", verdict, values, at=told.now)


def test_he_goes_with_the_variables_that_are_named_and_no_others() -> None:
    told = lent()
    (lend,) = told.commanded(LendLeg)
    assert (lend.context, lend.extension, lend.take) == ("own", "100", ("level",))
    assert lend.variables == {"order": "12", "language": "ru"}
    told.tell(LegAway(LegId("c1"), at=told.now))
    assert told.wait(3600.0) == [], "nobody hurries him there"
    told.press("1")
    assert not told.commands, "keys are the dialplan's matter"


def test_he_comes_back_at_the_next_step_with_what_the_dialplan_set() -> None:
    told = lent()
    told.tell(LegAway(LegId("c1"), at=told.now))
    comes_back(told, level="gold")
    assert said(told) == [("back",)] and told.commanded(AnswerLeg), "the dead-man's timeout is disarmed"
    assert told.contact().variables["level"] == "gold" and not told.contact().away


def test_he_may_go_there_again_and_what_he_brought_before_counts_no_more() -> None:
    told = lent()
    comes_back(told, level="gold")
    told.press("1")
    assert [command.inquiry for command in told.commanded(LendLeg)] == ["n1-c1.ask2"]
    told.tell(_brought(told, 1, "returned", level="old"))
    assert not told.commands and told.contact().variables["level"] == "gold"
    comes_back(told, n=2, level="none")
    assert told.contact().variables["level"] == "none"


def test_a_place_that_is_none_and_a_command_that_failed_lead_elsewhere() -> None:
    told = lent()
    comes_back(told, verdict="failed")
    assert said(told) == [("sorry",)]
    told = lent()
    (lend,) = told.commanded(LendLeg)
    told.tell(CommandFailed(lend, "500", at=told.now))
    assert said(told) == [("sorry",)]


def test_who_ends_there_is_counted_with_the_place() -> None:
    told = lent()
    told.tell(LegAway(LegId("c1"), at=told.now))
    told.hang_up()
    contact = told.contact()
    assert (contact.state, contact.outcome) == (ContactState.CLOSED, ContactOutcome.FLOW_ABANDONED)
    assert contact.reason == "the call ended in the dialplan, context own"
    assert told.segments()[-1].outcome is SegmentOutcome.CALLER_LEFT


def test_killed_while_he_is_there_nothing_is_done_and_his_return_is_read_from_the_listing() -> None:
    told = lent()
    told.now += 5.0
    told.connect(listed_caller(away=True))
    assert not told.commands
    told.now += 5.0
    told.connect(listed_caller(back=_brought(told, 1, "returned", level="gold")))
    assert said(told)[0] == ("back",) and told.contact().variables["level"] == "gold"
    assert not told.commanded(LendLeg)


@pytest.mark.parametrize("brings", [False, True])
def test_killed_before_he_was_sent_he_is_sent_again(brings: bool) -> None:
    told = lent()
    comes_back(told, level="gold")
    told.press("1")
    told.now += 5.0
    before = _brought(told, 1, "returned", level="old") if brings else None
    told.connect(listed_caller(back=before))
    assert [command.inquiry for command in told.commanded(LendLeg)] == ["n1-c1.ask3"]
    assert told.contact().away and told.contact().variables["level"] == "gold"


def test_who_was_sent_to_the_fallback_meanwhile_is_sent_again_when_he_is_back() -> None:
    told = lent()
    told.tell(LegAway(LegId("c1"), at=told.now))
    told.tell(LegReturned(LegId("c1"), at=told.now))
    assert [command.inquiry for command in told.commanded(LendLeg)] == ["n1-c1.ask2"]


def arrives(told: Case, flow: str, line: str = LINE) -> None:
    contact, leg = ContactId(f"{NODE}-c1"), LegId("c1")
    told.tell(
        ContactArrived(contact, leg, NODE, LineNumber(line), "+7900", told.now, None, FlowName(flow), at=told.now)
    )


def two_flows() -> Any:
    own = Flow(FlowName("own"), S("hi"), {S("hi"): HangUp(("own",))})
    configured = plan({"hello": HangUp(("hello",))})
    return replace(configured, flows={**configured.flows, own.name: own})


@pytest.mark.parametrize("line", [LINE, "", "7000"])
def test_the_dialplan_sends_him_to_a_flow_and_without_a_line_he_is_a_caller_of_the_first(line: str) -> None:
    told = Case(two_flows(), ready=False)
    arrives(told, "own", line)
    assert said(told) == [("own",)] and told.contact().line == LINE


def test_a_flow_that_is_none_is_the_lines_own_and_an_alarm_tells() -> None:
    told = Case(two_flows(), ready=False)
    arrives(told, "owm")
    assert said(told) == [("hello",)] and not told.commanded(HangUpLeg)
    assert "the flow owm, which does not exist" in flow_alarm(told.router.floor, told.now)
