"""An offer and its one outcome; what each outcome means for the agent and for the contact."""

from itertools import product

import pytest
from msgspec.structs import replace

from ccserver.core import offer as offers
from ccserver.core.agent import AgentState
from ccserver.core.commands import HangUpLeg, JoinLegs, ListNode, OfferContact, StartMusic, WithdrawOffer
from ccserver.core.contact import ContactState
from ccserver.core.events import CommandFailed, LegAnswered, LegDialled, LegEnded, LegRinging
from ccserver.core.ids import AgentId, ContactId, LegId, OfferId
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.plan import Rules
from tests.unit.core_case import SUPPORT, Case, operator, plan, queue

OFFER = Offer(
    id=OfferId("n1-c1.1"),
    contact=ContactId("n1-c1"),
    agent=AgentId("1001"),
    queue=SUPPORT,
    made_at=10.0,
    why="",
    reach_deadline=15.0,
    ring_deadline=30.0,
)
MADE = replace(OFFER, state=OfferState.MAKING)
DIALLED = LegDialled(OFFER.leg, at=10.5)
RINGING = LegRinging(OFFER.leg, at=11.0)
ANSWERED = LegAnswered(OFFER.leg, at=14.0)
BUSY = LegEnded(OFFER.leg, 17, 486, at=12.0)

TWO = plan(operators=[operator("1001"), operator("1002")])


def ended(cause: int, sip_status: int | None) -> LegEnded:
    return LegEnded(OFFER.leg, cause, sip_status, at=12.0)


@pytest.mark.parametrize(
    ("cause", "sip_status", "rang", "outcome"),
    [
        (17, 486, False, "busy"),
        (17, 486, True, "busy"),
        (34, 600, True, "busy"),
        (17, None, False, "busy"),
        (21, 603, True, "refused"),
        (21, 603, False, "refused"),
        (0, 403, False, "refused"),
        (0, 607, True, "refused"),
        (21, None, True, "refused"),
        (19, 480, True, "rona"),
        (19, 480, False, "unreachable"),
        (18, 408, True, "rona"),
        (18, 408, False, "unreachable"),
        (0, 487, True, "rona"),
        (19, None, True, "rona"),
        (19, None, False, "unreachable"),
        (16, None, True, "rona"),
        (16, None, False, "unreachable"),
        (1, 404, False, "unreachable"),
        (38, 503, False, "unreachable"),
        (3, None, True, "unreachable"),
        (20, None, False, "unreachable"),
    ],
)
def test_the_cause_tells_busy_refusal_silence_and_unreachable_apart(
    cause: int, sip_status: int | None, rang: bool, outcome: str
) -> None:
    assert offers.failure(ended(cause, sip_status), rang=rang) == outcome
    offer = offers.advance(OFFER, RINGING) if rang else OFFER
    offer = offers.advance(offer, ended(cause, sip_status))
    assert (offer.state, offer.outcome, offer.ended_at) == (OfferState.CLOSED, outcome, 12.0)


def test_an_offer_rings_and_is_answered() -> None:
    assert offers.advance(MADE, DIALLED) == OFFER
    ringing = offers.advance(OFFER, RINGING)
    assert (ringing.state, ringing.ringing_at, ringing.outcome) == (OfferState.RINGING, 11.0, None)
    answered = offers.advance(ringing, ANSWERED)
    assert (answered.state, answered.answered_at) == (OfferState.ACCEPTED, 14.0)
    assert (answered.outcome, answered.ring_s) == (OfferOutcome.ACCEPTED, 3.0)


def test_an_answer_may_come_without_a_ring() -> None:
    for offer in (MADE, OFFER):
        answered = offers.advance(offer, ANSWERED)
        assert (answered.outcome, answered.ring_s) == (OfferOutcome.ACCEPTED, 0.0)


def test_what_is_not_in_the_table_changes_nothing() -> None:
    states = {
        OfferState.MAKING: MADE,
        OfferState.DIALLING: OFFER,
        OfferState.RINGING: offers.advance(OFFER, RINGING),
        OfferState.ACCEPTED: offers.advance(OFFER, ANSWERED),
        OfferState.CLOSED: offers.advance(OFFER, BUSY),
    }
    for (state, offer), event in product(states.items(), (DIALLED, RINGING, ANSWERED, BUSY)):
        changed = offers.advance(offer, event) is not offer
        assert changed == ((state, type(event)) in offers.TRANSITIONS)
    closed = states[OfferState.CLOSED]
    assert offers.closed(closed, OfferOutcome.RONA, 99.0) is closed, "an outcome is for ever"


def test_silence_has_a_time_only_before_the_answer() -> None:
    assert MADE.deadline == OFFER.deadline == OFFER.reach_deadline
    ringing = offers.advance(OFFER, RINGING)
    assert ringing.deadline == OFFER.ring_deadline and ringing.ring_s == 0.0
    assert offers.advance(ringing, ANSWERED).deadline is None


def test_times_that_run_backwards_never_make_a_negative_ringing() -> None:
    early = offers.advance(OFFER, LegRinging(OFFER.leg, at=1.0))
    assert early.ringing_at == OFFER.made_at
    ringing = offers.advance(OFFER, RINGING)
    assert offers.closed(ringing, OfferOutcome.RONA, 5.0).ring_s == 0.0
    assert offers.advance(ringing, LegAnswered(OFFER.leg, at=5.0)).ring_s == 0.0


# --- at work ------------------------------------------------------------------------------------------------------------


def offered(case: Case | None = None) -> Case:
    """One caller, offered to 1001 of two operators."""
    told = case or Case(TWO)
    told.call()
    assert told.offered() == [("c1", "1001")]
    return told


def test_the_offer_tells_the_connector_all_it_needs() -> None:
    (command,) = offered().commanded(OfferContact)
    assert command == OfferContact(
        OfferId("n1-c1.1"),
        LegId("c1"),
        AgentId("1001"),
        "+7900",
        "default",
        40.0,
        "n1-c1",
        shown="Line · Support",
        lane="n1-c1",
    )
    assert not offered(Case(plan(queues=[queue(record=False)]))).commanded(OfferContact)[0].recording


def test_rona_sends_the_call_to_the_next_agent_and_this_one_out_of_ready() -> None:
    told = offered()
    told.rings()
    told.wait(20.0)
    withdraw, _music, offer = told.commands
    assert withdraw == WithdrawOffer(OfferId("n1-c1.1"), lane="n1-c1")
    assert isinstance(offer, OfferContact) and (offer.offer, offer.agent) == ("n1-c1.2", "1002")
    assert told.offer().outcome is OfferOutcome.RONA and told.offer().ring_s == 20.0
    agent = told.agent()
    assert (agent.state, agent.reason, agent.deadline) == (AgentState.NOT_READY, "rona", None)


def patient(**fields: float) -> Case:
    """One operator, and a house that does not lose patience at the first silence."""
    rules = Rules(reconcile_every_s=86400.0, rona_limit=2, rona_pause_s=7.0, **fields)  # type: ignore[arg-type]
    return offered(Case(plan(rules=rules)))


def let_ring(told: Case, offer: str) -> None:
    told.rings(offer)
    told.wait(20.0)
    told.ended(offer, 26)


def test_below_the_limit_a_rona_is_a_pause_with_its_reason() -> None:
    told = patient()
    let_ring(told, "n1-c1.1")
    assert (told.agent().state, told.agent().reason, told.agent().ronas) == (AgentState.NOT_READY, "rona", 1)
    told.wait(7.0)
    assert told.offered() == [("c1", "1001")]
    let_ring(told, "n1-c1.2")
    assert (told.agent().state, told.agent().deadline) == (AgentState.NOT_READY, None)
    told.wait(3600.0)
    assert told.agent().state is AgentState.NOT_READY


def test_an_answer_between_two_silences_makes_the_first_forgotten() -> None:
    told = patient()
    let_ring(told, "n1-c1.1")
    told.wait(7.0)
    told.answers("n1-c1.2")
    assert told.agent().ronas == 0


def test_who_missed_too_many_comes_back_by_himself_where_the_house_says_so() -> None:
    told = patient(rona_return_s=60.0)
    let_ring(told, "n1-c1.1")
    told.wait(7.0)
    let_ring(told, "n1-c1.2")
    told.wait(59.0)
    assert (told.agent().state, told.agent().reason) == (AgentState.NOT_READY, "rona")
    told.wait(1.0)
    assert told.offered() == [("c1", "1001")]


def test_a_wish_during_the_pause_after_a_rona_counts_at_once() -> None:
    told = patient()
    let_ring(told, "n1-c1.1")
    told.wish("1001", "ready")
    assert told.offered() == [("c1", "1001")] and told.agent().ronas == 1


def test_after_rona_and_a_new_wish_the_agent_waits_for_the_end_of_his_old_leg() -> None:
    told = offered(Case())
    told.rings()
    told.wait(20.0)
    told.wish("1001", "ready")
    assert told.agent().state is AgentState.READY and not told.offered(), "his phone may still ring"
    told.ended("n1-c1.1", 26)
    assert told.offered() == [("c1", "1001")]


def test_a_phone_that_does_not_even_ring_is_unreachable_and_tried_again_later() -> None:
    told = offered()
    told.wait(20.0)
    assert told.offer().state is OfferState.MAKING, "Asterisk is slow: that is not the phone's fault"
    told.dialled()
    told.wait(5.0)
    assert told.offer().outcome is OfferOutcome.UNREACHABLE
    assert told.agent().state is AgentState.UNREACHABLE
    told.ended("n1-c1.1", 16)
    told.answers("n1-c1.2")
    told.wait(29.9)
    assert told.agent().state is AgentState.UNREACHABLE
    told.wait(0.2)
    assert told.agent().state is AgentState.READY


@pytest.mark.parametrize(("cause", "sip_status", "reason"), [(17, 486, "phone_busy"), (21, 603, "refused")])
def test_a_busy_phone_and_a_refusal_leave_the_agent_in_peace_for_a_while(
    cause: int, sip_status: int, reason: str
) -> None:
    told = offered()
    told.rings()
    told.ended("n1-c1.1", cause, sip_status)
    assert told.offered() == [("c1", "1002")]
    assert (told.agent().state, told.agent().reason) == (AgentState.NOT_READY, reason)
    told.answers("n1-c1.2")
    told.wait(10.0)
    assert (told.agent().state, told.agent().reason) == (AgentState.READY, "")


def test_between_two_offers_the_caller_is_told_to_hear_music() -> None:
    told = offered(Case())
    told.ended("n1-c1.1", 17, 486)
    assert told.commands == [StartMusic(LegId("c1"), "default", lane="n1-c1")]
    assert told.contact().state is ContactState.WAITING and told.contact().ring_s == 0.0


def test_a_leg_that_died_with_its_asterisk_is_nobodys_fault() -> None:
    told = offered(Case())
    told.rings()
    told.ended("n1-c1.1", 0, lost=True)
    assert told.offer().outcome is OfferOutcome.FAILED
    assert told.offered() == [("c1", "1001")], "he is offered the next at once"


@pytest.mark.parametrize(
    ("kind", "outcome", "state", "reason"),
    [("unavailable", "unreachable", "unreachable", ""), ("failed", "failed", "not_ready", "failed")],
)
def test_an_offer_that_could_not_be_made_frees_the_agent_after_a_while(
    kind: str, outcome: str, state: str, reason: str
) -> None:
    told = offered()
    (command,) = told.commanded(OfferContact)
    told.tell(CommandFailed(command, "500", kind, at=told.now))  # type: ignore[arg-type]
    assert told.offer().outcome == outcome
    assert (told.agent().state, told.agent().reason, told.agent().leg) == (state, reason, None)
    assert told.offered() == [("c1", "1002")]
    told.answers("n1-c1.2")
    told.wait(30.0)
    assert told.agent().state is AgentState.READY


@pytest.mark.parametrize("kind", ["failed", "unavailable", "gone"])
def test_an_asterisk_that_refuses_every_offer_is_not_asked_without_end(kind: str) -> None:
    told = Case(plan(operators=[operator(str(1001 + n)) for n in range(3)]))
    told.call()
    asked = 0
    for _ in range(60):
        while offers_now := told.commanded(OfferContact):
            asked += len(offers_now)
            assert asked < 100
            told.tell(*[CommandFailed(each, "500", kind, at=told.now) for each in offers_now])  # type: ignore[arg-type]
        told.wait(1.0)
    assert asked <= 3 * 60 / 10 + 3


def test_a_pause_of_nothing_does_not_make_the_router_spin() -> None:
    told = Case()
    rules = type(told.router.floor.rules)(refused_pause_s=0.0, unreachable_retry_s=0.0)
    told = Case(plan(rules=rules))
    told.call()
    for kind in ("failed", "unavailable"):
        (command,) = told.commanded(OfferContact)
        told.tell(CommandFailed(command, "500", kind, at=told.now))  # type: ignore[arg-type]
        assert not told.offered()
        told.wait(1.0)
        assert told.offered() == [("c1", "1001")]


def test_without_the_callers_leg_nobody_else_is_troubled_until_it_is_known_where_he_is() -> None:
    told = offered()
    (command,) = told.commanded(OfferContact)
    told.tell(CommandFailed(command, "404", "gone", at=told.now))
    assert not told.offered() and told.agent().state is AgentState.READY
    assert told.offer().outcome is OfferOutcome.WITHDRAWN and not told.commanded(ListNode)
    told.wait(1.0)
    assert told.commanded(ListNode), "where he is, a listing tells"
    told.hang_up()
    assert told.contact().state is ContactState.CLOSED and told.segments()[-1].outcome == "short_abandoned"


def test_another_failed_command_does_not_end_the_offer() -> None:
    told = offered()
    told.tell(CommandFailed(StartMusic(LegId("c1"), "default", lane="n1-c1"), "500", at=told.now))
    assert told.contact().state is ContactState.OFFERED


def test_the_caller_leaves_while_the_phone_rings_and_the_agent_is_ready_again() -> None:
    told = offered(Case())
    idle_since = told.agent().idle_since
    told.rings()
    told.wait(4.0)
    told.hang_up()
    assert told.commanded(WithdrawOffer) and told.offer().outcome is OfferOutcome.WITHDRAWN
    assert told.agent().state is AgentState.READY and told.agent().idle_since == idle_since, "it was not his call"
    told.call("c2")
    assert not told.offered(), "his phone still rings"
    told.ended("n1-c1.1", 26)
    assert told.offered() == [("c2", "1001")]


def test_an_answer_at_the_instant_of_the_withdrawal_changes_nothing() -> None:
    told = offered(Case())
    told.rings()
    told.wait(20.0)
    told.answers()
    assert not told.commands and told.contact().state is ContactState.WAITING
    told.ended("n1-c1.1")
    assert told.agent().leg is None


def test_an_answer_in_the_step_of_the_deadline_is_in_time() -> None:
    told = offered(Case())
    told.rings()
    told.now += 20.0
    told.answers()
    assert told.contact().state is ContactState.TALKING and told.commanded(JoinLegs)


def test_an_answer_told_twice_is_one_talk() -> None:
    told = offered(Case())
    told.answers()
    told.rings()
    told.answers()
    assert not told.commands and len(told.segments()) == 3


def test_the_end_of_an_agents_leg_told_twice_ends_nothing_else() -> None:
    told = offered(Case())
    told.answers()
    told.ended("n1-c1.1")
    told.hang_up()
    before = told.router.state()
    for leg in ("n1-c1.1", "c1"):
        told.ended(leg)
    assert told.router.state() == before and not told.commands


def test_the_agents_leg_ends_after_the_contact_is_closed_and_only_then_is_he_free() -> None:
    told = offered(Case(plan(queues=[queue(wrap_up_s=0.0)])))
    told.answers()
    told.hang_up()
    assert HangUpLeg(LegId("n1-c1.1"), lane="n1-c1") in told.commands
    assert told.contact().state is ContactState.CLOSED and told.agent().state is AgentState.READY
    told.call("c2")
    assert not told.offered()
    told.ended("n1-c1.1")
    assert told.offered() == [("c2", "1001")]


def test_a_phone_lost_while_reserved_or_ringing_ends_the_offer_until_it_is_back() -> None:
    for ring in (False, True):
        told = offered()
        if ring:
            told.rings()
        told.phone("1001", reachable=False)
        assert told.commanded(WithdrawOffer) and told.offered() == [("c1", "1002")]
        assert told.offer().outcome is OfferOutcome.UNREACHABLE
        told.ended("n1-c1.1")
        told.answers("n1-c1.2")
        told.wait(60.0)
        assert told.agent().state is AgentState.UNREACHABLE, "no timer brings a phone back"
        told.phone("1001")
        assert told.agent().state is AgentState.READY


def test_a_wish_made_while_the_phone_rings_counts_after_the_offer() -> None:
    for state in ("not_ready", "logged_out"):
        for end in (17, 19):
            told = offered()
            told.rings()
            told.wish("1001", state, "lunch")
            assert told.agent().state is AgentState.RINGING
            told.ended("n1-c1.1", end)
            assert told.agent().state == state
            assert told.agent().reason == ("lunch" if state == "not_ready" else "")
            assert told.agent().deadline is None, "his own wish has no end"
