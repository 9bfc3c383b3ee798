"""A third party to a talk: called aside, joined, given the customer, let go; who hears whom; and what is refused."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import Command, HangUpLeg, OfferContact, SeatLegs, WithdrawOffer
from ccserver.core.consult import ConsultState
from ccserver.core.contact import ContactState, Transfer
from ccserver.core.events import (
    Accepted,
    Answer,
    BeginConsult,
    CommandFailed,
    HoldCustomer,
    LegHeld,
    Refused,
    SteerConsult,
    TransferContact,
)
from ccserver.core.ids import AgentId, ContactId, LegId
from tests.unit.core_case import Case, listed_agent, listed_caller, operator, plan, queue

C1 = ContactId("n1-c1")
CUSTOMER, AGENT, GUEST = LegId("c1"), LegId("n1-c1.1"), LegId("n1-c1.2")
HOUSE = plan(
    queues=[queue(music="jazz", wrap_up_s=60.0), queue("billing")],
    operators=[operator("1001"), operator("1002", "billing"), operator("1003", "billing")],
)
TOGETHER = (CUSTOMER, AGENT)


def talking() -> Case:
    """c1 talks with 1001."""
    told = Case(HOUSE)
    told.call()
    told.answers()
    told.wait(10)
    return told


def begin(told: Case, to: str = "1002", by: str | None = None) -> Answer:
    told.tell(BeginConsult(C1, to, AgentId(by) if by else None, at=told.now))
    (answer,) = told.router.answers
    return answer


def steer(told: Case, action: str) -> Answer:
    told.tell(SteerConsult(C1, action, at=told.now))  # type: ignore[arg-type]
    (answer,) = told.router.answers
    return answer


def consulting(state: ConsultState = ConsultState.PRIVATE) -> Case:
    """1001 consults 1002 since ten seconds."""
    told = talking()
    assert begin(told) == Accepted()
    told.rings(GUEST)
    if state is not ConsultState.CALLING:
        told.answers(GUEST)
    if state is ConsultState.JOINED:
        assert steer(told, "join") == Accepted()
    told.wait(10)
    assert told.contact().consult is not None and told.contact().consult.state is state  # type: ignore[union-attr]
    return told


def seated(told: Case) -> list[tuple[tuple[LegId, ...], tuple[LegId, ...], str]]:
    return [(each.together, each.aside, each.music) for each in told.commanded(SeatLegs)]


def hung_up(told: Case) -> list[LegId]:
    return [each.leg for each in told.commanded(HangUpLeg)]


def test_the_colleague_is_called_aside_while_the_customer_is_on_hold() -> None:
    told = talking()
    begin(told, by="1001")
    (offer,) = told.commanded(OfferContact)
    assert (offer.offer, offer.agent, offer.aside, offer.music, offer.recording) == (GUEST, "1002", AGENT, "jazz", None)
    assert told.contact().on_hold and told.contact().state is ContactState.TALKING
    assert told.agent("1002").state == "reserved" and told.agent("1002").contact == C1
    told.rings(GUEST)
    told.answers(GUEST)
    assert told.agent("1002").state == "talking" and not told.commands, "they hear each other already"


def test_completed_the_third_party_has_the_customer_and_the_agent_is_in_wrap_up() -> None:
    told = consulting()
    assert steer(told, "complete") == Accepted()
    assert seated(told) == [((CUSTOMER, GUEST), (), "")] and hung_up(told) == [AGENT]
    assert told.agent("1001").state == "wrap_up" and told.agent("1002").state == "talking"
    told.ended(AGENT)
    told.wait(5)
    told.ended(GUEST)
    assert hung_up(told) == [CUSTOMER]
    told.hang_up()
    talks = [each for each in told.segments() if each.kind == "talk"]
    assert [(each.agent, each.outcome, each.transfer, each.hold_s) for each in talks] == [
        ("1001", "transferred", Transfer.ATTENDED, 10),
        ("1002", "agent_left", None, 0),
    ]
    assert (told.contact().talk_s, told.contact().hold_s, told.contact().agent) == (15, 10, "1002")
    assert told.agent("1002").state == "wrap_up"


@pytest.mark.parametrize("state", [ConsultState.PRIVATE, ConsultState.JOINED])
def test_the_agent_who_hangs_up_leaves_the_customer_to_the_third_party(state: ConsultState) -> None:
    told = consulting(state)
    told.ended(AGENT)
    assert seated(told) == [((CUSTOMER, GUEST), (), "")] and not hung_up(told)
    assert told.contact().agent == "1002" and told.contact().consult is None


def test_before_the_third_party_has_answered_the_customer_waits_for_him_as_for_any_offer() -> None:
    told = consulting(ConsultState.CALLING)
    told.ended(AGENT)
    assert seated(told) == [((CUSTOMER, GUEST), (), "jazz")]
    assert told.contact().state is ContactState.OFFERED
    told.wait(2)
    told.ended(GUEST, 17, 486)
    assert told.contact().state is ContactState.WAITING, "back in a queue, in his old order"
    assert told.contact().place is not None and told.contact().place.order == 1000  # type: ignore[union-attr]


def test_called_off_both_are_back_and_the_colleague_who_helped_has_no_wrap_up() -> None:
    told = consulting()
    told.wish("1002", "not_ready", "lunch")
    assert steer(told, "cancel") == Accepted()
    assert hung_up(told) == [GUEST] and seated(told) == [(TOGETHER, (), "")]
    assert (told.agent("1002").state, told.agent("1002").reason) == ("not_ready", "lunch")
    assert not told.contact().on_hold
    told.ended(GUEST)
    assert told.contact().state is ContactState.TALKING


def test_called_off_while_it_rings_the_phone_stops() -> None:
    told = consulting(ConsultState.CALLING)
    steer(told, "cancel")
    assert told.commanded(WithdrawOffer)[0].offer == GUEST and seated(told) == [(TOGETHER, (), "")]
    assert told.offer(GUEST).outcome == "withdrawn" and told.agent("1002").state == "ready"


def test_all_three_talk_and_part_again() -> None:
    told = consulting()
    steer(told, "join")
    assert seated(told) == [((CUSTOMER, AGENT, GUEST), (), "")] and not told.contact().on_hold
    steer(told, "apart")
    assert seated(told) == [((CUSTOMER,), (AGENT, GUEST), "jazz")] and told.contact().on_hold


@pytest.mark.parametrize(
    ("failure", "outcome", "state"),
    [((17, 486), "busy", "not_ready"), ((21, 603), "refused", "not_ready"), ((19, 480), "rona", "not_ready")],
)
def test_a_colleague_who_cannot_be_reached_brings_the_agent_back(
    failure: tuple[int, int], outcome: str, state: str
) -> None:
    told = consulting(ConsultState.CALLING)
    told.ended(GUEST, *failure)
    assert told.offer(GUEST).outcome == outcome and told.agent("1002").state == state
    assert seated(told) == [(TOGETHER, (), "")] and told.contact().consult is None


def test_a_phone_that_rings_in_silence_is_given_up() -> None:
    told = consulting(ConsultState.CALLING)
    commands: list[Command] = told.wait(20)
    assert [type(each) for each in commands] == [WithdrawOffer, SeatLegs]
    assert told.offer(GUEST).outcome == "rona"


def test_a_phone_that_loses_its_registration_is_given_up() -> None:
    told = consulting(ConsultState.CALLING)
    told.phone("1002", reachable=False)
    assert told.offer(GUEST).outcome == "unreachable" and told.contact().consult is None


def test_a_leg_that_could_not_be_made_brings_the_agent_back() -> None:
    told = talking()
    begin(told)
    (offer,) = told.commanded(OfferContact)
    told.tell(CommandFailed(offer, "Allocation failed", "unavailable", at=told.now))
    assert seated(told) == [(TOGETHER, (), "")] and told.agent("1002").leg is None
    assert told.offer(GUEST).outcome == "unreachable"


@pytest.mark.parametrize("state", [ConsultState.CALLING, ConsultState.PRIVATE, ConsultState.JOINED])
def test_the_customer_who_hangs_up_ends_it_for_all(state: ConsultState) -> None:
    told = consulting(state)
    told.hang_up()
    told.ended(AGENT)
    told.ended(GUEST)
    assert told.contact().state is ContactState.CLOSED
    assert [told.agent(each).state for each in ("1001", "1002")] == ["wrap_up", "ready"]
    assert [told.agent(each).leg for each in ("1001", "1002")] == [None, None]


@pytest.mark.parametrize("state", [ConsultState.PRIVATE, ConsultState.JOINED])
def test_the_third_party_who_hangs_up_leaves_the_two(state: ConsultState) -> None:
    told = consulting(state)
    told.ended(GUEST)
    assert seated(told) == [(TOGETHER, (), "")] and told.contact().consult is None
    assert told.agent("1002").state == "ready"


def test_when_asterisk_dies_nobody_is_given_a_customer_who_is_gone() -> None:
    told = consulting()
    told.ended(AGENT, 0, lost=True)
    told.ended(GUEST, 0, lost=True)
    told.ended(CUSTOMER, 0, lost=True)
    assert [each.outcome for each in told.segments() if each.kind == "talk"] == ["failed"]
    assert told.contact().state is ContactState.CLOSED


REFUSED = {
    "1001": "1001 would consult himself",
    "billing": "billing is nobody who could be consulted: an operator or a number can",
    "nowhere": "nowhere is no operator, queue, line or public number",
}


@pytest.mark.parametrize("to", REFUSED)
def test_who_cannot_be_consulted_is_refused_with_the_reason(to: str) -> None:
    told = talking()
    assert begin(told, to) == Refused(REFUSED[to]) and not told.commands


def test_who_does_not_talk_with_the_customer_can_consult_nobody_about_him() -> None:
    assert begin(talking(), by="1003") == Refused("n1-c1 is not 1003's: 1001 talks with the customer")


def test_there_is_one_third_party_at_most_and_he_comes_before_all_else() -> None:
    told = consulting()
    busy = Refused("1002 is being consulted in n1-c1: that must be ended first")
    assert begin(told, "1003") == busy
    told.tell(TransferContact(C1, "1003", at=told.now), HoldCustomer(C1, hold=True, at=told.now))
    assert told.router.answers == (busy, busy)


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (ConsultState.CALLING, "join"),
        (ConsultState.CALLING, "apart"),
        (ConsultState.PRIVATE, "apart"),
        (ConsultState.JOINED, "join"),
    ],
)
def test_what_does_not_fit_how_they_stand_is_refused(state: ConsultState, action: str) -> None:
    told = consulting(state)
    assert steer(told, action) == Refused(f"1002 is {state}: {action} is not possible now")
    assert not told.commands


def test_without_a_third_party_there_is_nothing_to_steer() -> None:
    assert steer(talking(), "complete") == Refused("nobody is being consulted in n1-c1")


def test_hold_that_is_asked_for_parts_the_two_and_a_consult_takes_its_place() -> None:
    told = talking()
    told.tell(HoldCustomer(C1, hold=True, at=told.now))
    assert seated(told) == [((CUSTOMER,), (AGENT,), "jazz")]
    told.tell(HoldCustomer(C1, hold=True, at=told.now))
    assert told.router.answers == (Accepted(),) and not told.commands
    told.wait(5)
    begin(told)
    told.wait(4)
    steer(told, "cancel")
    assert seated(told) == [(TOGETHER, (), "")] and not told.contact().on_hold
    told.hang_up()
    assert (told.contact().hold_s, told.contact().holds) == (9, 1)


def test_hold_by_the_phone_within_a_consult_is_not_counted_twice() -> None:
    told = consulting()
    told.tell(LegHeld(AGENT, at=told.now))
    told.wait(10)
    steer(told, "complete")
    assert [(each.hold_s, each.holds) for each in told.segments() if each.agent == "1001"] == [(20, 1)]


LISTED_GUEST = listed_agent(GUEST, up=True, ringing=False)
LISTED = (listed_caller(), listed_agent(up=True, ringing=False))


@pytest.mark.parametrize(
    ("state", "seats"),
    [
        (ConsultState.PRIVATE, ((CUSTOMER,), (AGENT, GUEST), "jazz")),
        (ConsultState.JOINED, ((CUSTOMER, AGENT, GUEST), (), "")),
    ],
)
def test_after_a_restart_everybody_sits_where_he_sat(state: ConsultState, seats: object) -> None:
    told = consulting(state).restarted()
    told.connect(*LISTED, LISTED_GUEST)
    assert seated(told) == [seats] and not hung_up(told)


def test_an_answer_in_the_gap_is_learnt() -> None:
    told = consulting(ConsultState.CALLING).restarted()
    told.connect(*LISTED, LISTED_GUEST)
    assert told.contact().consult is not None
    assert told.contact().consult.state is ConsultState.PRIVATE  # type: ignore[union-attr]


def test_a_phone_that_was_never_dialled_is_given_up_and_its_agent_is_free() -> None:
    told = consulting(ConsultState.CALLING)
    told = told.restarted()
    told.connect(*LISTED, replace(LISTED_GUEST, up=False))
    assert told.commanded(WithdrawOffer) and seated(told) == [(TOGETHER, (), "")]
    assert told.agent("1002").contact is None


def test_all_that_ended_in_the_gap_ends_in_its_order() -> None:
    told = consulting().restarted()
    told.connect(listed_caller())
    assert told.contact().state is ContactState.CLOSING and hung_up(told)[-1] == CUSTOMER


def test_a_third_party_of_a_consult_that_is_over_is_hung_up() -> None:
    told = consulting()
    steer(told, "cancel")
    told = told.restarted()
    told.connect(*LISTED, LISTED_GUEST)
    assert hung_up(told) == [GUEST]
