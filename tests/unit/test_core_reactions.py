"""The contact's state table: complete, and nothing that is said to be ignored does anything."""

from itertools import product

import pytest
from msgspec.structs import replace

from ccserver.core.commands import HangUpLeg, PlayPrompts, StartMusic
from ccserver.core.contact import Contact, ContactState
from ccserver.core.events import (
    BeginConsult,
    CallCustomer,
    CommandFailed,
    Event,
    InquiryAnswered,
    KeyPressed,
    LegAnswered,
    LegAway,
    LegDialled,
    LegEnded,
    LegHeld,
    LegReturned,
    LegRinging,
    LegUnheld,
    PlayFinished,
    RecordingStarted,
    TransferContact,
    VoicemailRecorded,
)
from ccserver.core.ids import AgentId, ContactId, InquiryId, LegId, PlayId, RecordingName, StepName, TrunkName
from ccserver.core.plan import Trunk
from ccserver.core.reactions import IGNORED, REACTIONS, Happening, react
from ccserver.core.router import TimeUp
from ccserver.core.steps import HangUp, Menu
from tests.unit.core_case import Case, operator, plan, queue, straight_into

PAIRS = [pair for pair in product(ContactState, Happening) if pair[0] is not ContactState.CLOSED]
C1, AGENT_LEG, GUEST_LEG, AT = LegId("c1"), LegId("n1-c1.1"), LegId("n1-c1.2"), 1000.0
BYE = StepName("bye")
MENU = plan({"ask": Menu(("ask",), {"1": BYE}, otherwise=BYE), "bye": HangUp(("bye",))})
QUEUE = plan(
    straight_into(max_wait_s=600.0, otherwise=BYE) | {"bye": HangUp(("bye",))},
    operators=[operator("1001"), operator("1002", "billing")],
    queues=[queue(), queue("billing")],
)
MTT = Trunk(TrunkName("mtt"), "MTT")
MUSIC = StartMusic(C1, "default", lane="n1-c1")

EVENTS: dict[Happening, Event] = {
    Happening.KEY: KeyPressed(C1, "1", at=AT),
    Happening.AGENT_KEY: KeyPressed(AGENT_LEG, "*", at=AT),
    Happening.PLAYED: PlayFinished(C1, PlayId("n1-c1.play9"), at=AT),
    Happening.VOICEMAIL: VoicemailRecorded(ContactId("n1-c1"), C1, RecordingName("other"), "p", 0.0, at=AT),
    Happening.INQUIRY: InquiryAnswered(ContactId("n1-c1"), InquiryId("n1-c1.ask9"), "shop", "found", at=AT),
    Happening.RECORDING: RecordingStarted(ContactId("n1-c1"), RecordingName("n1-c1"), at=AT),
    Happening.CALLER_ANSWERED: LegAnswered(C1, at=AT),
    Happening.CALLER_ENDED: LegEnded(C1, at=AT),
    Happening.CALLER_AWAY: LegAway(C1, at=AT),
    Happening.CALLER_RETURNED: LegReturned(C1, at=AT),
    Happening.PHONE_DIALLED: LegDialled(AGENT_LEG, at=AT),
    Happening.PHONE_RANG: LegRinging(AGENT_LEG, at=AT),
    Happening.PHONE_ANSWERED: LegAnswered(AGENT_LEG, at=AT),
    Happening.PHONE_ENDED: LegEnded(AGENT_LEG, at=AT),
    Happening.WHISPERED: PlayFinished(AGENT_LEG, PlayId("n1-c1.1.whisper"), at=AT),
    Happening.GUEST_RANG: LegRinging(GUEST_LEG, at=AT),
    Happening.GUEST_ANSWERED: LegAnswered(GUEST_LEG, at=AT),
    Happening.GUEST_ENDED: LegEnded(GUEST_LEG, at=AT),
    Happening.SECOND_ENDED: LegEnded(LegId("i9"), at=AT),
    Happening.HELD: LegHeld(AGENT_LEG, at=AT),
    Happening.UNHELD: LegUnheld(AGENT_LEG, at=AT),
    Happening.COMMAND_FAILED: CommandFailed(MUSIC, "500", at=AT),
    Happening.TIME_UP: TimeUp(at=AT),
}


CONSULTING = {
    Happening.GUEST_RANG,
    Happening.GUEST_ANSWERED,
    Happening.GUEST_ENDED,
    Happening.SECOND_ENDED,
    Happening.TIME_UP,
}
"""What can happen in a talk only while a third party is called, or more is under way."""


def in_state(state: ContactState) -> tuple[Case, Contact]:
    if state is ContactState.FORWARDING:
        return forwarding()
    if state in {ContactState.DIALLING, ContactState.TELLING}:
        return dialled("89161234567" if state is ContactState.DIALLING else "88091234567")
    if state in {ContactState.SCHEDULED, ContactState.BRIEFING}:
        return owed(in_an_hour=state is ContactState.SCHEDULED)
    if state is ContactState.SUMMONING:
        return summoned()
    told = Case(MENU if state is ContactState.FLOW else QUEUE)
    if state is ContactState.WAITING:
        told.wish("1001", "not_ready")
    told.call()
    if state in {ContactState.TALKING, ContactState.CLOSING}:
        told.answers()
    if state is ContactState.CLOSING:
        told.ended("n1-c1.1")
    assert told.contact().state is state
    return told, told.contact()


def owed(*, in_an_hour: bool) -> tuple[Case, Contact]:
    """A callback was asked for: for later, or the operator has just answered it."""
    told = Case(replace(QUEUE, trunks={MTT.name: MTT}))
    told.trunk(MTT.name)
    told.asks_for_callback(wanted_at=told.now + 3600.0 if in_an_hour else None)
    if not in_an_hour:
        told.answers()
    return told, told.router.floor.contacts[ContactId("n1-c1")]


def summoned() -> tuple[Case, Contact]:
    """A program has an operator call: his phone is being called; he is `c1` here."""
    told = Case(replace(QUEUE, trunks={MTT.name: MTT}))
    told.tell(CallCustomer(ContactId("n1-c1"), AgentId("1001"), "89161234567", at=told.now))
    contact = told.router.floor.contacts[ContactId("n1-c1")]
    assert contact.state is ContactState.SUMMONING
    return told, contact


def forwarding() -> tuple[Case, Contact]:
    """Handed to a number outside."""
    told = Case(replace(QUEUE, trunks={MTT.name: MTT}))
    told.trunk(MTT.name)
    told.call()
    told.answers()
    told.tell(TransferContact(told.contact().id, "89161234567", at=AT))
    return told, told.contact()


def dialled(number: str) -> tuple[Case, Contact]:
    """An operator calls: the customer is being reached, or it is not allowed."""
    told = Case(replace(QUEUE, trunks={MTT.name: MTT}))
    told.trunk(MTT.name)
    told.dials(number, leg=C1)
    return told, told.contact()


@pytest.mark.parametrize(("state", "happening"), PAIRS)
def test_every_pair_is_either_reacted_to_or_ignored_with_a_reason(state: ContactState, happening: Happening) -> None:
    assert ((state, happening) in REACTIONS) != ((state, happening) in IGNORED)


def test_no_pair_of_a_closed_contact_is_in_the_tables() -> None:
    assert {state for state, _ in (*REACTIONS, *IGNORED)} == set(ContactState) - {ContactState.CLOSED}
    assert all(IGNORED.values())


@pytest.mark.parametrize(("state", "happening"), PAIRS)
def test_no_fact_is_ever_illegal(state: ContactState, happening: Happening) -> None:
    told, contact = in_state(state)
    if state is ContactState.TALKING and happening in CONSULTING:
        told.phone("1002")
        told.wish("1002", "ready")
        told.tell(BeginConsult(contact.id, "1002", at=AT))
        contact = told.contact()
    ignored = told.router.floor.ignored
    react(told.router.floor, contact, happening, EVENTS[happening])
    told.tell()
    if (state, happening) in IGNORED:
        assert told.router.floor.ignored == ignored + 1
        assert told.router.floor.contacts[contact.id] is contact and not told.commands


def test_keys_for_a_contact_or_leg_that_is_gone_are_counted_and_ignored() -> None:
    told, _contact = in_state(ContactState.FLOW)
    told.hang_up()
    ignored = told.router.floor.ignored
    for happening in set(Happening) - {Happening.TIME_UP, Happening.VOICEMAIL}:
        told.tell(EVENTS[happening])  # type: ignore[arg-type]
        assert not told.commands
    assert told.router.floor.ignored == ignored + len(Happening) - 2


def test_who_is_away_keeps_his_place_and_gets_no_offer_until_he_is_back() -> None:
    told, _contact = in_state(ContactState.WAITING)
    place = told.contact().place
    told.tell(LegAway(C1, at=AT))
    told.wish("1001", "ready")
    assert not told.offered()
    told.call("c2")
    assert told.offered() == [("c2", "1001")]
    told.ended("n1-c2.1", 17, 486)
    told.now += 10
    told.tell()
    told.tell(LegReturned(C1, at=told.now))
    kept = told.contact().place
    assert place is not None and kept is not None and kept.order == place.order


def test_who_goes_away_while_the_phone_rings_takes_his_offer_back() -> None:
    told, _contact = in_state(ContactState.OFFERED)
    told.tell(LegAway(C1, at=AT))
    assert told.contact().state is ContactState.WAITING and told.contact().away
    assert told.offer().outcome == "withdrawn" and not told.offered()


def test_who_was_away_unnoticed_while_the_phone_rang_is_offered_anew() -> None:
    told, _contact = in_state(ContactState.OFFERED)
    told.wait(3.0)
    told.tell(LegReturned(C1, at=told.now))
    assert told.offer().outcome == "withdrawn", "he is in no bridge any more: the agent would hear nobody"
    told.ended("n1-c1.1", 26)
    assert told.offered() == [("c1", "1001")]


def test_a_return_told_twice_does_not_take_the_new_offer_back() -> None:
    told, _contact = in_state(ContactState.WAITING)
    told.tell(LegAway(C1, at=AT))
    told.wish("1001", "ready")
    told.now += 5.0
    told.tell(LegReturned(C1, at=told.now))
    assert told.offered() == [("c1", "1001")]
    told.tell(LegReturned(C1, at=told.now))
    assert told.contact().state is ContactState.OFFERED


@pytest.mark.parametrize("state", [ContactState.FLOW, ContactState.WAITING])
def test_who_comes_back_is_picked_up_anew_and_hears_his_step_or_his_music(state: ContactState) -> None:
    told, _contact = in_state(state)
    told.tell(LegAway(C1, at=AT))
    assert told.router.floor.contacts[ContactId("n1-c1")].deadline is None, "nobody can press keys there"
    told.tell(LegReturned(C1, at=AT))
    kinds = [type(command).__name__ for command in told.commands]
    expected = ["AnswerLeg", "StopPlay", "PlayPrompts"] if state is ContactState.FLOW else ["AnswerLeg", "StartMusic"]
    assert kinds == expected, "the dialplan has armed its dead-man's timeout again"


def test_the_same_caller_arriving_again_is_a_return() -> None:
    told, _contact = in_state(ContactState.WAITING)
    told.tell(LegAway(C1, at=AT))
    told.call()
    assert len(told.router.floor.contacts) == 1 and not told.contact().away


@pytest.mark.parametrize("state", [ContactState.TALKING, ContactState.CLOSING])
def test_a_hangup_or_music_that_failed_is_settled_later(state: ContactState) -> None:
    told, _contact = in_state(state)
    told.tell(CommandFailed(HangUpLeg(C1, lane="n1-c1"), "500", at=AT))
    assert not told.commands


def test_music_that_failed_in_the_queue_is_not_tried_without_end() -> None:
    told, _contact = in_state(ContactState.WAITING)
    told.tell(CommandFailed(MUSIC, "500", at=AT))
    assert not told.commands


def test_a_prompt_of_before_that_failed_does_not_move_the_flow() -> None:
    told, contact = in_state(ContactState.FLOW)
    old = PlayPrompts(C1, PlayId("n1-c1.play0"), ("old",), contact.language, lane="n1-c1")
    told.tell(CommandFailed(old, "500", at=AT))
    assert not told.commands
