"""The customer connected with somebody outside, or consulted about: trunks tried, the way back, and every crash in between."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import DialCustomer, HangUpLeg, SeatLegs, StartMusic
from ccserver.core.contact import ContactState, Direction
from ccserver.core.events import Accepted, Answer, BeginConsult, CommandFailed, Refused, SteerConsult, TransferContact
from ccserver.core.ids import ContactId, LegId, TrunkName
from ccserver.core.plan import Tolls, Trunk
from ccserver.core.records import AttemptSaved
from tests.unit.core_case import Case, listed_agent, listed_caller, operator, plan, queue

C1, CUSTOMER, AGENT, OUTSIDE = ContactId("n1-c1"), LegId("c1"), LegId("n1-c1.1"), LegId("n1-c1.2")
MOBILE = "89161234567"
TRUNKS = {TrunkName(name): Trunk(TrunkName(name), name, priority=n) for n, name in enumerate(("mtt", "mango"), 1)}
HOUSE = replace(
    plan(queues=[queue(wrap_up_s=0.0)], operators=[operator("1001"), operator("1002")]),
    trunks=TRUNKS,
    tolls=Tolls(operator_calls_per_hour=2),
)


def talking(*usable: str) -> Case:
    """c1 talks with 1001; 1002 is on a break."""
    told = Case(HOUSE)
    told.wish("1002", "not_ready")
    for trunk in usable or TRUNKS:
        told.trunk(trunk)
    told.call()
    told.answers()
    told.wait(10)
    return told


def ask(told: Case, request: object) -> Answer:
    told.tell(request)  # type: ignore[arg-type]
    (answer,) = told.router.answers
    return answer


def hand(told: Case, number: str = MOBILE) -> Answer:
    return ask(told, TransferContact(C1, number, at=told.now))


def forwarding() -> Case:
    """1001 has handed him to the number, which is being called."""
    told = talking()
    assert hand(told) == Accepted()
    assert told.contact().state is ContactState.FORWARDING
    told.ended(AGENT)
    return told


def consulting() -> Case:
    told = talking()
    assert ask(told, BeginConsult(C1, MOBILE, at=told.now)) == Accepted()
    return told


def attempts(told: Case) -> dict[str, str | None]:
    """Trunk and outcome of each, as it was last kept."""
    return {record.attempt.trunk: record.attempt.outcome for record in told.kept(AttemptSaved)}


def outside(**fields: object) -> object:
    return replace(listed_agent(OUTSIDE, role="customer", ringing=False), **fields)


def test_he_is_called_by_the_best_trunk_and_charged_to_the_operator() -> None:
    told = talking()
    hand(told)
    (dial,) = told.commanded(DialCustomer)
    assert (dial.attempt, dial.leg, dial.trunk, dial.number, dial.aside) == (
        OUTSIDE,
        CUSTOMER,
        "mtt",
        "+79161234567",
        None,
    )
    assert len(told.agent("1001").dialled) == 1
    carried = told.router.floor.carried[TrunkName("mtt")]
    assert carried == {OUTSIDE: Direction.OUTBOUND}


def test_the_two_talk_without_an_agent_and_either_may_hang_up() -> None:
    told = forwarding()
    told.answers(OUTSIDE)
    assert told.contact().state is ContactState.TALKING
    assert told.commanded(SeatLegs) == [SeatLegs(CUSTOMER, (CUSTOMER, OUTSIDE), mixed=True, lane=C1)], "the music ends"
    told.wait(30)
    told.ended(OUTSIDE)
    assert told.commanded(HangUpLeg) == [HangUpLeg(CUSTOMER, lane=C1)]
    told.hang_up()
    assert [(each.kind, each.agent, each.outcome) for each in told.segments()][2:] == [
        ("talk", "1001", "transferred"),
        ("dial", None, "answered"),
        ("talk", None, "outside_left"),
    ]
    assert (told.contact().talk_s, told.contact().agent) == (40, "1001")


@pytest.mark.parametrize("answered", [False, True])
def test_when_the_customer_hangs_up_the_trunk_is_occupied_until_the_other_leg_is_gone(answered: bool) -> None:
    told = forwarding()
    if answered:
        told.answers(OUTSIDE)
    told.hang_up()
    assert told.commanded(HangUpLeg) == [HangUpLeg(OUTSIDE, lane=C1)]
    assert told.contact().state is ContactState.CLOSING
    assert told.router.floor.carried[TrunkName("mtt")]
    told.ended(OUTSIDE)
    assert told.contact().state is ContactState.CLOSED and not told.router.floor.carried[TrunkName("mtt")]
    assert attempts(told) == {"mtt": "answered" if answered else "cancelled"}


def test_unreached_he_is_back_with_the_operator_if_he_is_free() -> None:
    told = forwarding()
    told.ended(OUTSIDE, 17, 486)
    assert told.offered() == [("c1", "1001")]
    assert told.contact().reason == "mtt: busy (SIP 486)"


def test_unreached_he_waits_in_the_queue_when_the_operator_is_not_free() -> None:
    told = forwarding()
    told.wish("1001", "not_ready")
    told.ended(OUTSIDE, 17, 486)
    place = told.contact().place
    assert place is not None and (place.agent, place.order) == (None, 1000) and told.commanded(StartMusic)


def test_a_trunk_that_does_not_take_it_is_followed_by_the_next_and_then_there_is_none() -> None:
    told = forwarding()
    told.ended(OUTSIDE, 34, 503)
    (dial,) = told.commanded(DialCustomer)
    assert (dial.trunk, dial.attempt) == ("mango", "n1-c1.3")
    told.tell(CommandFailed(dial, "Allocation failed", "unavailable", at=told.now))
    assert told.offered() == [("c1", "1001")]
    assert attempts(told) == {"mtt": "refused", "mango": "refused"}


def test_a_phone_that_rings_too_long_is_given_up() -> None:
    told = forwarding()
    told.rings(OUTSIDE)
    told.wait(60)
    assert told.commanded(HangUpLeg) == [HangUpLeg(OUTSIDE, lane=C1)]
    told.ended(OUTSIDE, 16)
    assert attempts(told) == {"mtt": "no_answer"} and told.offered() == [("c1", "1001")]


def test_without_a_trunk_or_against_the_rules_it_is_refused_and_the_talk_goes_on() -> None:
    told = talking("mtt")
    told.trunk("mtt", usable=False, reason="no answer to OPTIONS")
    assert hand(told) == Refused("mtt: no answer to OPTIONS; mango: is not usable")
    told.trunk("mtt")
    assert hand(told, "88091234567") == Refused("+78091234567 begins with +7809, which tolls.deny names")
    told.router.floor.note(told.router.floor.note_values(told.agent().id, dialled=(told.now, told.now)))
    refused = hand(told)
    assert isinstance(refused, Refused) and "tolls.operator_calls_per_hour" in refused.reason
    assert told.contact().state is ContactState.TALKING and not told.commands


def test_consulted_he_is_called_aside_and_gets_the_customer() -> None:
    told = consulting()
    (dial,) = told.commanded(DialCustomer)
    assert (dial.aside, dial.music) == (AGENT, "default")
    told.answers(OUTSIDE)
    ask(told, SteerConsult(C1, "complete", at=told.now))
    assert told.commanded(SeatLegs)[0].together == (CUSTOMER, OUTSIDE)
    assert told.contact().offer is None and told.contact().state is ContactState.TALKING


def test_handed_over_while_he_rings_the_customer_hears_it_and_comes_back_when_he_does_not_answer() -> None:
    told = consulting()
    told.rings(OUTSIDE)
    told.wait(2)
    told.ended(AGENT)
    assert told.contact().state is ContactState.FORWARDING
    assert told.commanded(SeatLegs)[0] == SeatLegs(CUSTOMER, (CUSTOMER, OUTSIDE), mixed=True, lane=C1)
    told.ended(OUTSIDE, 17, 486)
    assert told.offered() == [("c1", "1001")]


def test_called_off_he_leaves_and_until_then_nobody_else_can_be_consulted() -> None:
    told = consulting()
    ask(told, SteerConsult(C1, "cancel", at=told.now))
    assert told.commanded(HangUpLeg) == [HangUpLeg(OUTSIDE, lane=C1)]
    assert told.commanded(SeatLegs)[0].together == (CUSTOMER, AGENT) and not told.contact().on_hold
    assert isinstance(ask(told, BeginConsult(C1, MOBILE, at=told.now)), Refused)
    told.ended(OUTSIDE, 16)
    assert told.contact().consult is None and attempts(told) == {"mtt": "cancelled"}
    assert not told.router.floor.carried[TrunkName("mtt")]


def test_a_silent_trunk_is_followed_by_the_next_for_a_consult_too() -> None:
    told = consulting()
    told.wait(8)
    assert told.commanded(HangUpLeg) == [HangUpLeg(OUTSIDE, lane=C1)]
    told.ended(OUTSIDE, 16)
    (dial,) = told.commanded(DialCustomer)
    assert (dial.trunk, dial.aside) == ("mango", AGENT)
    told.ended("n1-c1.3", 17, 486)
    assert told.contact().consult is None and told.commanded(SeatLegs)[0].together == (CUSTOMER, AGENT)


def test_when_the_customer_leaves_a_consult_the_trunk_is_waited_for() -> None:
    told = consulting()
    told.hang_up()
    told.ended(AGENT)
    assert told.contact().state is ContactState.CLOSING
    told.ended(OUTSIDE, 16)
    assert told.contact().state is ContactState.CLOSED and attempts(told) == {"mtt": "cancelled"}


def test_a_leg_that_was_never_dialled_before_a_crash_is_given_up_and_made_anew() -> None:
    told = forwarding().restarted()
    told.trunk("mtt")
    told.connect(listed_caller(), outside(up=False))  # type: ignore[arg-type]
    assert told.commanded(HangUpLeg) == [HangUpLeg(OUTSIDE, lane=C1)]
    told.trunk("mtt")
    told.ended(OUTSIDE, 16)
    (dial,) = told.commanded(DialCustomer)
    assert dial.attempt == "n1-c1.3"


def test_after_a_crash_the_two_are_seated_once_more() -> None:
    told = forwarding()
    told.answers(OUTSIDE)
    told = told.restarted()
    told.connect(listed_caller(), outside(up=True))  # type: ignore[arg-type]
    assert told.commanded(SeatLegs) == [SeatLegs(CUSTOMER, (CUSTOMER, OUTSIDE), mixed=True, lane=C1)]


def test_who_was_being_hung_up_at_a_crash_is_hung_up_again() -> None:
    told = consulting()
    ask(told, SteerConsult(C1, "cancel", at=told.now))
    told = told.restarted()
    told.connect(listed_caller(), listed_agent(up=True, ringing=False), outside(ringing=True))  # type: ignore[arg-type]
    assert told.commanded(HangUpLeg) == [HangUpLeg(OUTSIDE, lane=C1)]
