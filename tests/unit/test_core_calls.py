"""Flows that call one another: there and back, for good, too deep, round for ever, and through a restart."""

from msgspec.structs import replace

from ccserver.core.commands import HangUpLeg, PlayPrompts
from ccserver.core.contact import ContactOutcome, ContactState, SegmentOutcome
from ccserver.core.flow import STEPS_MAX
from ccserver.core.ids import FlowName
from ccserver.core.plan import Plan
from ccserver.core.status import FLOW_ALARM_S, flow_alarm
from ccserver.core.steps import Branch, Call, Collect, Flow, GoTo, HangUp, Point, Return, Say, Set, Step
from tests.unit.core_case import Case, listed_caller, plan
from tests.unit.core_flows import S, said

MAIN = FlowName("main")


def flows(main: dict[str, Step], **others: dict[str, Step]) -> Plan:
    """The line's flow and others, each beginning with its first step."""
    made = {
        FlowName(name): Flow(FlowName(name), S(next(iter(steps))), {S(step): what for step, what in steps.items()})
        for name, steps in others.items()
    }
    begun = plan(main)
    return replace(begun, flows={**begun.flows, **made})


def called(main: dict[str, Step], **others: dict[str, Step]) -> Case:
    told = Case(flows(main, **others), ready=False)
    told.call()
    return told


ASK = Collect(("number",), "order", next=S("back"), otherwise=S("back"), max_digits=2)
IDENTIFY: dict[str, Step] = {"ask": ASK, "back": Return()}
MAIN_STEPS: dict[str, Step] = {
    "identify": Call(FlowName("identify"), next=S("tell")),
    "tell": HangUp(("digits:{order}",)),
}


def test_a_called_flow_comes_back_with_its_variables() -> None:
    told = called(MAIN_STEPS, identify=IDENTIFY)
    assert said(told) == [("number",)]
    told.press("42")
    assert said(told) == [("digits:42",)]
    position = told.contact().flow
    assert position is not None and (position.flow, position.step, position.stack) == (MAIN, "tell", ())


def test_a_restart_in_a_called_flow_forgets_neither_its_step_nor_the_way_back() -> None:
    told = called(MAIN_STEPS, identify=IDENTIFY)
    position = told.contact().flow
    assert position is not None and position.stack == (Point(MAIN, S("tell")),)
    told.wait(1.0)
    again = told.restarted()
    again.connect(listed_caller())
    assert said(again) == [("number",)], "the step begins again"
    again.press("42")
    assert said(again) == [("digits:42",)]


def test_goto_leads_into_another_flow_for_good_and_return_there_to_whoever_called_this_one() -> None:
    told = called(
        {"outer": Call(FlowName("middle"), next=S("after")), "after": HangUp(("after",))},
        middle={"on": GoTo(FlowName("last"), S("second"))},
        last={"first": HangUp(("never",)), "second": Say(("second",), next=S("back")), "back": Return()},
    )
    assert said(told) == [("second",)]
    told.played()
    assert said(told) == [("after",)]


def test_keys_typed_ahead_are_kept_across_a_call() -> None:
    told = called({"hello": Say(("hello",), next=S("identify")), **MAIN_STEPS}, identify=IDENTIFY)
    told.press("4")
    told.press("2")
    assert said(told) == [("digits:42",)]


def test_a_language_and_variables_set_in_a_called_flow_hold_afterwards() -> None:
    told = called(
        {
            "set": Call(FlowName("vip"), next=S("which")),
            "which": Branch("rank", {"gold": S("gold")}, S("none")),
            "gold": HangUp(("gold",)),
            "none": HangUp(("none",)),
        },
        vip={"rank": Set(next=S("back"), variables={"rank": "gold"}), "back": Return()},
    )
    assert said(told) == [("gold",)]


def test_return_hangs_up_where_no_flow_called() -> None:
    told = called({"hello": Say(("hello",), next=S("back")), "back": Return()})
    told.played()
    assert told.commanded(HangUpLeg) and told.contact().state is ContactState.CLOSING
    assert told.contact().outcome is ContactOutcome.FLOW_COMPLETED


def test_a_flow_that_goes_round_for_ever_ends_as_failed_and_says_where() -> None:
    told = called({"one": Say(("one",), next=S("two")), "two": Say(("two",), next=S("one"))})
    for _ in range(STEPS_MAX):
        told.played()
        if not told.commanded(PlayPrompts):
            break
    contact = told.contact()
    assert contact.state is ContactState.CLOSING and contact.outcome is ContactOutcome.FAILED
    assert contact.reason.startswith("flow main, step ") and contact.reason.endswith("it goes round for ever")
    assert told.segments()[-1].outcome is SegmentOutcome.FAILED
    assert contact.reason in flow_alarm(told.router.floor, told.now)
    assert flow_alarm(told.router.floor, told.now + FLOW_ALARM_S + 1) == ""


def test_flows_of_an_old_plan_that_call_themselves_end_as_failed() -> None:
    told = called({"again": Call(MAIN, next=S("never")), "never": HangUp()})
    assert told.contact().outcome is ContactOutcome.FAILED
    assert told.contact().reason == "flow main, step again: flows call each other too deeply"


def test_a_circle_of_calls_that_wait_for_nobody_ends_at_once() -> None:
    told = called({"again": Call(FlowName("empty"), next=S("back")), "back": GoTo(MAIN)}, empty={"back": Return()})
    assert told.contact().outcome is ContactOutcome.FAILED
    assert "it goes round for ever" in told.contact().reason
