"""Calls that operators make: what leaves and by which trunk, what he is told, what becomes of him. tests/golden says more."""

import pytest
from msgspec.structs import replace

from ccserver.core.agent import AgentState
from ccserver.core.commands import AnswerLeg, DialCustomer, HangUpLeg, ListNode, PlayPrompts, StopPlay
from ccserver.core.contact import ContactOutcome, ContactState
from ccserver.core.events import (
    CommandFailed,
    ContactArrived,
    LegAway,
    LegHistory,
    ListedLeg,
    ListedTrunk,
    NodeConnected,
)
from ccserver.core.ids import AgentId, ContactId, FlowName, Language, LegId, LineNumber, TrunkName
from ccserver.core.numbers import NumberFormat
from ccserver.core.plan import Line, Outbound, Plan, Tolls, Trunk
from ccserver.core.records import AttemptSaved, IntervalSaved
from ccserver.core.status import picture, toll_alarm
from tests.unit.core_case import LINE, NODE, Case, operator, plan

MTT, BEELINE = Trunk(TrunkName("mtt"), "MTT"), Trunk(TrunkName("beeline"), "Beeline", priority=2)
OTHER = LineNumber("88007004666")
CUSTOMER, OPERATOR = "n1-o1.1", "o1"


def house(*trunks: Trunk, **settings: object) -> Plan:
    return replace(
        plan(operators=[operator("1001"), operator("1002")]), trunks={trunk.name: trunk for trunk in trunks}, **settings
    )


def case(*trunks: Trunk, **settings: object) -> Case:
    """All of them usable."""
    told = Case(house(*trunks, **settings))
    for trunk in trunks:
        told.trunk(trunk.name)
    return told


def dialled_by(told: Case) -> list[tuple[str, str, str]]:
    """(trunk, number, number shown) of the calls just commanded."""
    return [(each.trunk, each.number, each.caller_id) for each in told.commanded(DialCustomer)]


def said(told: Case) -> list[str]:
    return [item for command in told.commanded(PlayPrompts) for item in command.items]


@pytest.mark.parametrize(
    ("style", "number", "shown"),
    [
        ("e164", "+79161234567", "+78007707999"),
        ("digits", "79161234567", "78007707999"),
        ("national", "89161234567", "88007707999"),
    ],
)
def test_each_trunk_gets_both_numbers_as_it_wants_them(style: NumberFormat, number: str, shown: str) -> None:
    told = case(replace(MTT, number_format=style))
    told.dials()
    assert dialled_by(told) == [("mtt", number, shown)]
    assert told.contact("o1").ani == "+79161234567", "the CDR has one form of it"


def test_the_number_shown_is_that_of_the_operators_line_else_of_the_first() -> None:
    first = plan().lines[LINE]
    other = Line(OTHER, "Other", FlowName("main"), Language("ru"), caller_id="+74950000000")
    settings = replace(
        house(MTT),
        lines={LINE: first, OTHER: other},
        operators={AgentId("1001"): replace(operator("1001"), line=OTHER), AgentId("1002"): operator("1002")},
    )
    told = Case(settings)
    told.trunk("mtt")
    told.dials()
    assert dialled_by(told) == [("mtt", "+79161234567", "+74950000000")]
    assert told.contact("o1").line == OTHER
    told.dials(agent="1002", leg="o2")
    assert dialled_by(told)[0][2] == "+78007707999"


def test_a_trunk_is_only_used_for_the_lines_whose_numbers_it_lets_us_show() -> None:
    told = case(replace(MTT, lines=(OTHER,)), BEELINE)
    told.dials()
    assert [trunk for trunk, _, _ in dialled_by(told)] == ["beeline"]
    (attempt,) = (record.attempt for record in told.kept(AttemptSaved))
    assert "mtt: does not let us show 88007707999" in attempt.why


def test_a_trunk_that_is_down_or_takes_no_calls_that_leave_is_not_tried() -> None:
    told = case(replace(MTT, outbound=False), BEELINE)
    told.trunk("beeline", usable=False, reason="not registered: 403")
    told.dials()
    assert not dialled_by(told) and said(told) == ["outbound-no-trunk"]
    reason = "mtt: takes no calls that leave; beeline: not registered: 403"
    assert (told.contact("o1").outcome, told.contact("o1").reason) == (ContactOutcome.NO_TRUNK, reason)


def test_calls_that_came_in_take_channels_too() -> None:
    told = case(replace(MTT, channels=1))
    told.tell(ContactArrived(ContactId("n1-c1"), LegId("c1"), NODE, LINE, "+7900", told.now, MTT.name, at=told.now))
    told.dials(agent="1002")
    assert told.contact("o1").reason == "mtt: all 1 channels taken"
    told.hang_up("c1")
    told.dials(agent="1002", leg="o2")
    told.ended("o1")
    told.dials(agent="1002", leg="o3")
    assert dialled_by(told), "the channel is free again"


def test_of_equal_trunks_the_one_that_carries_least_is_taken() -> None:
    told = case(replace(MTT, name=TrunkName("a")), replace(MTT, name=TrunkName("b")))
    told.dials()
    told.dials(agent="1002", leg="o2")
    assert [r.attempt.trunk for r in told.kept(AttemptSaved)] == ["a", "b"]


@pytest.mark.parametrize(("kind", "outcome"), [("unavailable", "refused"), ("failed", "failed")])
def test_a_leg_that_could_not_be_made_sends_the_call_to_the_next_trunk(kind: str, outcome: str) -> None:
    told = case(MTT, BEELINE)
    told.dials()
    (command,) = told.commanded(DialCustomer)
    told.tell(CommandFailed(command, "500", kind, at=told.now))  # type: ignore[arg-type]
    assert [trunk for trunk, _, _ in dialled_by(told)] == ["beeline"]
    assert told.contact("o1").reason == f"mtt: {outcome}"


def test_an_operator_whose_phone_is_gone_calls_nobody_any_more() -> None:
    told = case(MTT, BEELINE)
    told.dials()
    (command,) = told.commanded(DialCustomer)
    told.tell(CommandFailed(command, "404", "gone", at=told.now))
    assert not dialled_by(told) and told.contact("o1").state is ContactState.CLOSING
    told.ended(OPERATOR)
    assert told.contact("o1").outcome is ContactOutcome.CANCELLED
    assert told.agent().state is AgentState.READY


def test_the_next_trunk_is_tried_when_the_end_of_the_leg_before_is_a_fact() -> None:
    told = case(MTT, BEELINE)
    told.dials()
    assert [type(command) for command in told.wait(8.0)] == [HangUpLeg]
    told.wait(5.0)
    assert not dialled_by(told), "two legs would make the customer's phone ring twice"
    told.ended(CUSTOMER, 16, 487)
    assert [trunk for trunk, _, _ in dialled_by(told)] == ["beeline"]


def test_a_customer_who_answers_as_he_is_given_up_is_talked_with() -> None:
    told = case(MTT, BEELINE)
    told.dials()
    told.wait(8.0)
    told.answers(CUSTOMER)
    assert told.contact("o1").state is ContactState.TALKING and told.agent().state is AgentState.TALKING


def test_a_contact_is_over_when_both_legs_are() -> None:
    told = case(replace(MTT, channels=1))
    told.dials()
    told.answers(CUSTOMER)
    told.wait(10.0)
    told.ended(OPERATOR)
    assert told.contact("o1").state is ContactState.CLOSING and told.agent().state is AgentState.WRAP_UP
    told.dials(agent="1002", leg="o2")
    assert not dialled_by(told), "the customer's leg is still on the trunk"
    told.ended(CUSTOMER)
    contact = told.contact("o1")
    assert (contact.state, contact.outcome, contact.talk_s) == (ContactState.CLOSED, ContactOutcome.ANSWERED, 10.0)
    assert picture(told.router.floor, told.now).trunks[0].outbound == 0


def test_who_serves_a_contact_cannot_call_whom_he_may_not_consult() -> None:
    told = case(MTT)
    told.call("c1")
    told.answers("n1-c1.1")
    told.trunk("mtt", usable=False)
    told.dials()
    assert said(told) == ["outbound-engaged"] and told.contact("o1").outcome is ContactOutcome.BLOCKED
    assert told.agent().state is AgentState.TALKING and told.agent().contact == "n1-c1"
    told.ended(OPERATOR)
    assert told.agent().state is AgentState.TALKING
    assert told.router.floor.blocked == 1


def test_a_phone_that_is_no_operators_calls_nobody() -> None:
    told = case(MTT)
    told.dials(agent=None)
    assert said(told) == ["agent-not-an-operator"] and not dialled_by(told)
    told.ended(OPERATOR)
    assert told.contact("o1").outcome is ContactOutcome.BLOCKED


def test_he_is_afterwards_what_he_was_before() -> None:
    told = case(MTT)
    for wish in ("not_ready", "logged_out"):
        told.wish("1001", wish, "lunch")
        leg = f"o-{wish}"
        told.dials(leg=leg)
        assert told.agent().state is AgentState.DIALLING
        told.ended(f"n1-{leg}.1", 17, 486)
        told.ended(leg)
        assert told.agent().state == wish


def test_wrap_up_is_as_configured_and_follows_talks_only() -> None:
    told = case(MTT, outbound=Outbound(wrap_up_s=7.0))
    told.dials()
    told.answers(CUSTOMER)
    told.ended(CUSTOMER)
    assert told.agent().state is AgentState.TALKING, "until his phone is down"
    told.ended(OPERATOR)
    assert told.agent().state is AgentState.WRAP_UP
    told.wait(6.9)
    assert told.agent().state is AgentState.WRAP_UP
    told.wait(0.2)
    assert told.agent().state is AgentState.READY
    states = [(r.state.value, r.contact) for r in told.kept(IntervalSaved) if r.agent == "1001"]
    assert states[-3:] == [("dialling", "n1-o1"), ("talking", "n1-o1"), ("wrap_up", None)]


@pytest.mark.parametrize(("record", "name"), [(True, "n1-o1"), (False, None)])
def test_it_is_recorded_as_configured(record: bool, name: str | None) -> None:
    told = case(MTT, outbound=Outbound(record=record))
    told.dials()
    assert [command.recording for command in told.commanded(DialCustomer)] == [name]


def test_limits_count_what_left_within_the_hour_and_an_alarm_tells() -> None:
    told = case(MTT, tolls=Tolls(operator_calls_per_hour=2))
    for number in range(3):
        told.dials(leg=f"o{number}")
        told.ended(f"n1-o{number}.1", 17, 486)
        told.ended(f"o{number}")
    assert told.contact("o2").outcome is ContactOutcome.BLOCKED
    assert toll_alarm(told.router.floor, told.now).startswith("1001 called 2 times")
    told.dials("112", leg="o3")
    assert dialled_by(told), "an emergency is not counted"
    told.ended("n1-o3.1")
    told.ended("o3")
    again = told.restarted()
    again.connect(trunks=(ListedTrunk(MTT.name, usable=True),))
    again.dials(leg="o4")
    assert not dialled_by(again), "a restart forgets no call"
    again.now += 3600
    assert toll_alarm(again.router.floor, again.now) == ""


def test_after_a_restart_the_operator_is_told_once_more_why() -> None:
    told = case(MTT)
    told.dials("88091234567")
    told = told.restarted()
    told.now += 1.0
    leg = ListedLeg(LegId("o1"), "outbound", up=True, agent=AgentId("1001"), number="88091234567")
    told.connect(leg)
    assert [type(command) for command in told.commands] == [AnswerLeg, StopPlay, PlayPrompts]
    assert said(told) == ["outbound-not-allowed"]


def test_an_operator_whose_call_was_missed_is_served_by_the_listing() -> None:
    told = case(MTT)
    told.now += 5.0
    leg = ListedLeg(LegId("o1"), "outbound", up=False, arrived_at=1004.0, agent=AgentId("1001"), number="89161234567")
    told.connect(leg, trunks=(ListedTrunk(MTT.name, usable=True),))
    assert dialled_by(told) == [("mtt", "+79161234567", "+78007707999")]
    assert told.contact("o1").arrived_at == 1004.0


def test_his_phone_has_nothing_to_do_in_the_fallback_dialplan() -> None:
    told = case(MTT)
    told.dials()
    told.tell(LegAway(LegId("o1"), at=told.now))
    assert told.commanded(HangUpLeg) == [HangUpLeg(LegId("o1"), lane="n1-o1")]


def test_a_talk_of_no_length_leaves_no_recording_to_be_kept() -> None:
    told = case(MTT)
    told.dials()
    told.answers(CUSTOMER)
    told.now += 0.009
    told.ended(CUSTOMER)
    recording = told.contact("o1").recording
    assert recording is not None and recording.talks == (), "what was recorded is discarded"


def test_a_customer_who_answered_and_left_in_the_gap_was_talked_with() -> None:
    told = case(MTT)
    told.dials()
    told.wait(1.0)
    told = told.restarted()
    told.wait(9.0)
    told.tell(NodeConnected(NODE, 0.0, at=told.now))
    (asked,) = told.commanded(ListNode)
    assert set(asked.expected) == {"o1", CUSTOMER}, "else CEL would not be asked about them"
    gone = (LegHistory(LegId(CUSTOMER), 1003.0, 1008.0), LegHistory(LegId("o1"), 1000.0, 1008.5))
    told.lists(gap=True, histories=gone)
    contact = told.contact("o1")
    assert (contact.outcome, contact.dial_s, contact.talk_s) == (ContactOutcome.ANSWERED, 3.0, 5.0)


@pytest.mark.parametrize("agent", ["1001", None])
def test_an_emergency_call_leaves_beside_a_talk_and_from_any_phone(agent: str | None) -> None:
    told = case(MTT)
    told.call("c1")
    told.answers("n1-c1.1")
    told.dials("112", agent)
    assert [number for _, number, _ in dialled_by(told)] == ["112"]
    told.answers(CUSTOMER)
    told.ended(OPERATOR)
    told.ended(CUSTOMER)
    assert told.contact("o1").outcome is ContactOutcome.ANSWERED
    assert (told.agent().state, told.agent().contact) == (AgentState.TALKING, "n1-c1")


def test_an_emergency_call_needs_no_line() -> None:
    told = Case(replace(house(MTT), lines={}))
    told.trunk("mtt")
    told.dials("112")
    assert dialled_by(told) == [("mtt", "112", "")]
    told.dials("89161234567", "1002", leg="o2")
    assert said(told) == ["outbound-no-trunk"]
