"""A colleague calls a colleague: who may, whose phone rings, what becomes of both, and what is not theirs."""

import pytest

from ccserver.core.commands import AnswerLeg, HangUpLeg, LetDialplanDial, OfferContact, PlayPrompts, ReleaseContact
from ccserver.core.contact import Direction
from ccserver.core.events import CommandFailed, InternalDialled, LegAway, PlayFinished, TransferContact
from ccserver.core.ids import AgentId, ContactId, LegId
from ccserver.core.plan import Dispositions
from ccserver.core.records import DispositionSaved, OfferSaved
from tests.unit.core_case import NODE, Case, operator, plan, queue

TWO = plan(operators=[operator("1001"), operator("1002")])


def calls(told: Case, number: str = "1002", agent: str | None = "1001", *, leg: str = "i1") -> None:
    who, contact = AgentId(agent) if agent else None, ContactId(f"{NODE}-{leg}")
    told.tell(InternalDialled(contact, LegId(leg), NODE, who, number, told.now, at=told.now))


def heard(told: Case) -> tuple[str, ...]:
    (play,) = told.commanded(PlayPrompts)
    return play.items


def states(told: Case) -> tuple[str, str]:
    return told.agent("1001").state, told.agent("1002").state


def test_the_callers_phone_is_answered_and_the_colleagues_rings_without_music_or_recording() -> None:
    told = Case(TWO)
    calls(told)
    (answer,) = told.commanded(AnswerLeg)
    (ring,) = told.commanded(OfferContact)
    assert answer.leg == "i1"
    assert (ring.offer, ring.leg, ring.agent, ring.ani) == ("n1-i1.1", "i1", "1002", "1001")
    assert (ring.music, ring.recording) == ("", None)
    assert states(told) == ("dialling", "reserved")
    contact = told.contact("i1")
    assert (contact.direction, contact.agent, contact.ani, contact.line) == (Direction.INTERNAL, "1001", "1002", "")


def test_a_talk_is_a_contact_with_its_own_segments_and_counts_as_no_offer() -> None:
    told = Case(TWO)
    calls(told)
    told.now += 2
    told.rings("n1-i1.1")
    told.now += 3
    told.answers("n1-i1.1")
    assert states(told) == ("talking", "talking")
    told.now += 10
    told.ended("i1")
    contact = told.contact("i1")
    assert [(s.kind, s.outcome) for s in told.segments("i1")] == [("dial", "answered"), ("talk", "agent_left")]
    assert (contact.outcome, contact.dial_s, contact.ring_s, contact.talk_s) == ("answered", 5.0, 3.0, 10.0)
    assert states(told) == ("ready", "ready") and not told.kept(OfferSaved)
    assert HangUpLeg(LegId("n1-i1.1"), lane="n1-i1") in told.commands


def test_nobody_of_the_two_is_offered_a_customer_meanwhile_nor_before_his_phone_is_down() -> None:
    told = Case(TWO)
    calls(told)
    told.answers("n1-i1.1")
    told.call()
    assert not told.offered()
    told.ended("n1-i1.1")
    assert told.offered() == [("c1", "1002")] and told.agent("1001").state == "talking"


def test_a_customer_who_was_being_offered_to_the_caller_goes_to_somebody_else() -> None:
    told = Case(TWO)
    told.call()
    assert told.offered() == [("c1", "1001")]
    calls(told, "1002")
    assert told.agent("1001").contact == "n1-i1"


@pytest.mark.parametrize(("state", "reason"), [("not_ready", "lunch"), ("logged_out", "")])
def test_a_colleague_who_is_not_ready_is_called_all_the_same_and_is_afterwards_what_he_was(
    state: str, reason: str
) -> None:
    told = Case(TWO)
    told.wish("1002", state, reason)
    calls(told)
    told.answers("n1-i1.1")
    told.ended("n1-i1.1")
    told.ended("i1")
    assert (told.agent("1002").state, told.agent("1002").reason) == (state, reason)


@pytest.mark.parametrize(
    ("agent", "number", "prompt", "outcome", "why"),
    [
        (None, "1002", "agent-not-an-operator", "blocked", "the phone belongs to no operator"),
        ("1001", "1999", "outbound-no-such-number", "no_such_number", "no operator has the extension 1999"),
        ("1001", "1001", "outbound-busy", "busy", "1001 called himself"),
    ],
)
def test_who_cannot_be_called_is_said_to_be_so(
    agent: str | None, number: str, prompt: str, outcome: str, why: str
) -> None:
    told = Case(TWO)
    calls(told, number, agent)
    assert heard(told) == (prompt,)
    told.ended("i1")
    assert (told.contact("i1").outcome, told.contact("i1").reason) == (outcome, why)
    assert states(told) == ("ready", "ready")


def test_one_who_talks_is_busy_and_one_without_a_phone_is_out_of_reach() -> None:
    told = Case(TWO)
    told.call()
    told.answers()
    calls(told, "1001", "1002")
    assert heard(told) == ("outbound-busy",)
    told.ended("i1")
    told.phone("1002", reachable=False)
    told.hang_up()
    told.ended("n1-c1.1")
    calls(told, leg="i2")
    assert heard(told) == ("internal-unreachable",)


@pytest.mark.parametrize(
    ("cause", "sip_status", "prompt"),
    [(17, 486, "outbound-busy"), (21, 603, "outbound-declined"), (3, 503, "internal-unreachable")],
)
def test_what_the_colleagues_phone_said_is_told(cause: int, sip_status: int, prompt: str) -> None:
    told = Case(TWO)
    calls(told)
    told.ended("n1-i1.1", cause, sip_status)
    assert heard(told) == (prompt,)
    assert states(told) == ("dialling", "ready")
    play = told.contact("i1").telling
    assert play is not None
    told.tell(PlayFinished(LegId("i1"), play, at=told.now))
    assert told.commands == [HangUpLeg(LegId("i1"), lane="n1-i1")]


def test_a_phone_that_rings_in_silence_is_given_up_and_costs_the_colleague_nothing() -> None:
    told = Case(TWO)
    calls(told)
    told.rings("n1-i1.1")
    told.wait(30.0)
    assert heard(told) == ("outbound-no-answer",)
    assert told.agent("1002").state == "ready" and told.agent("1002").ronas == 0


def test_a_leg_that_cannot_be_made_is_told() -> None:
    told = Case(TWO)
    calls(told)
    (ring,) = told.commanded(OfferContact)
    told.tell(CommandFailed(ring, "500", "unavailable", at=told.now))
    assert heard(told) == ("internal-unreachable",) and told.agent("1002").leg is None


def test_a_caller_who_hangs_up_stops_the_ringing() -> None:
    told = Case(TWO)
    calls(told)
    told.rings("n1-i1.1")
    told.now += 4
    told.ended("i1")
    assert HangUpLeg(LegId("n1-i1.1"), lane="n1-i1") in told.commands
    contact = told.contact("i1")
    assert (contact.outcome, contact.ring_s) == ("cancelled", 4.0) and states(told) == ("ready", "ready")


def test_who_serves_a_customer_calls_a_colleague_on_a_break_by_the_dialplan_alone() -> None:
    told = Case(TWO)
    told.call()
    told.answers()
    told.wish("1002", "not_ready", "lunch")
    calls(told)
    assert told.commands == [
        LetDialplanDial(LegId("i1"), "1002", lane="n1-i1"),
        ReleaseContact(ContactId("n1-i1"), lane="n1-i1"),
    ]
    assert told.agent("1001").contact == "n1-c1" and told.agent("1002").state == "not_ready"


def test_his_phone_out_of_our_hands_is_hung_up() -> None:
    told = Case(TWO)
    calls(told)
    told.tell(LegAway(LegId("i1"), at=told.now))
    assert told.commands == [HangUpLeg(LegId("i1"), lane="n1-i1")]


def test_there_is_no_customer_to_be_handed_over_and_nothing_to_be_said_of_it() -> None:
    asking = queue(dispositions=Dispositions({"1": "Goods"}))
    told = Case(plan(queues=[asking], operators=[operator("1001"), operator("1002")]))
    calls(told)
    told.answers("n1-i1.1")
    told.tell(TransferContact(ContactId("n1-i1"), "support", at=told.now))
    (refused,) = told.router.answers
    assert "n1-i1 is a call to a colleague" in str(refused)
    assert not told.kept(DispositionSaved)


def test_a_call_that_the_dialplan_connects_is_none_of_ours_however_often_it_is_told() -> None:
    told = Case(TWO)
    told.call()
    told.answers()
    told.wish("1002", "not_ready", "lunch")
    calls(told)
    told.ended("n1-c1.1")
    calls(told)
    assert not told.commands and "n1-i1" not in told.router.floor.contacts
