"""What was missed in a gap becomes facts with the best times known; nobody is lost and nobody is doubled."""

from collections.abc import Callable

import pytest

from ccserver.core.agent import AgentState
from ccserver.core.commands import (
    AnswerLeg,
    Command,
    HangUpLeg,
    JoinLegs,
    ListNode,
    SeatLegs,
    StartMusic,
    WithdrawOffer,
)
from ccserver.core.contact import ContactState
from ccserver.core.events import (
    CodeDialled,
    CommandFailed,
    ContactArrived,
    LegAway,
    LegEnded,
    LegReturned,
    ListedLeg,
    NodeConnected,
    NodeListed,
    NodeLost,
)
from ccserver.core.ids import AgentId, ContactId, LegId, NodeName
from ccserver.core.offer import OfferOutcome, OfferState
from tests.unit.core_case import LINE, NODE, Case, listed_agent, listed_caller
from tests.unit.core_gaps import AGENT_LEG, C1, MENU, gap, history, offered, ringing, talking

# --- missing legs -----------------------------------------------------------------------------------------------------


def test_a_caller_who_hung_up_in_the_gap_left_when_cel_says() -> None:
    told = offered()
    gap(told)
    told.connect(listed_agent(), histories=(history(C1, ended_at=1006.0),))
    contact = told.contact()
    assert (contact.state, contact.outcome, contact.wait_s) == (ContactState.CLOSED, "abandoned", 6.0)
    assert WithdrawOffer(told.offer().id, lane="n1-c1") in told.commands


def test_without_cel_he_left_before_we_asked() -> None:
    told = talking()
    gap(told)
    told.connect(listed_agent(up=True, ringing=False))
    contact = told.contact()
    assert contact.ended_at == told.now and contact.segments == 3
    assert told.segments()[-1].outcome == "caller_left"


def test_an_agent_who_hung_up_in_the_gap_has_hung_up_even_if_cel_does_not_say() -> None:
    told = talking()
    gap(told)
    told.connect(listed_caller())
    assert told.segments()[-1].outcome == "agent_left" and told.contact().state is ContactState.CLOSING


def test_a_phone_that_stopped_ringing_in_the_gap_without_a_trace_is_not_blamed_on_the_agent() -> None:
    told = ringing()
    gap(told)
    told.connect(listed_caller())
    assert told.offer().outcome is OfferOutcome.FAILED and told.offered() == [("c1", "1001")]


def test_the_gap_of_one_node_says_nothing_of_the_calls_of_another() -> None:
    told = ringing()
    told.call("c2")
    other = NodeName("n2")
    told.tell(NodeConnected(other, 0.0, at=told.now))
    told.wait(1.0)
    before = told.router.state()
    told.tell(NodeListed(other, told.now, True, at=told.now))
    told.tell(NodeLost(other, at=told.now))
    assert told.router.state() == before and told.router.floor.linked(NODE)
    told.answers()
    told.ended("n1-c1.1")
    told.wait(15.0)
    assert told.offered() == [("c2", "1001")]


def test_a_whole_call_in_the_gap_is_told_truly_by_cel() -> None:
    told = ringing()
    gap(told, 60.0)
    histories = (history(AGENT_LEG, 1010.0, 1030.0), history(C1, 1000.0, 1031.0))
    told.connect(histories=histories)
    contact = told.contact()
    assert (contact.state, contact.outcome, contact.agent) == (ContactState.CLOSED, "answered", "1001")
    assert (contact.wait_s, contact.ring_s, contact.talk_s, contact.ended_at) == (10.0, 8.0, 20.0, 1031.0)
    assert told.segments()[-1].outcome == "agent_left"
    assert told.agent().leg is None


def test_who_hung_up_first_in_the_gap_is_told_by_the_times_of_cel() -> None:
    told = talking()
    gap(told, 60.0)
    told.connect(histories=(history(AGENT_LEG, 1004.0, 1031.0), history(C1, 1000.0, 1030.0)))
    assert told.segments()[-1].outcome == "caller_left" and told.contact().talk_s == 26.0


def test_a_phone_that_refused_in_the_gap_refused() -> None:
    told = ringing()
    gap(told)
    told.connect(listed_caller(), histories=(history(AGENT_LEG, ended_at=1008.0, cause=21),))
    assert told.offer().outcome is OfferOutcome.REFUSED and told.agent().reason == "refused"
    assert told.commanded(StartMusic)


def test_an_offer_whose_command_was_lost_with_us_failed_and_is_made_anew() -> None:
    told = offered().restarted()
    told.connect(listed_caller())
    assert told.offer().outcome is OfferOutcome.FAILED
    assert told.offered() == [("c1", "1001")], "it was not the agent's fault"
    assert told.offer("n1-c1.2").state is OfferState.MAKING


def test_a_leg_that_was_made_and_never_dialled_is_taken_back_and_the_agent_is_free_only_after_its_end() -> None:
    told = offered().restarted()
    told.connect(listed_caller(), listed_agent(ringing=False))
    assert WithdrawOffer(told.offer().id, lane="n1-c1") in told.commands
    assert told.agent().state is AgentState.READY and not told.offered()
    told.ended("n1-c1.1")
    assert told.offered() == [("c1", "1001")]


def test_between_gaps_a_leg_that_does_not_ring_yet_is_left_alone() -> None:
    told = offered()
    told.lists(listed_caller(), listed_agent(ringing=False))
    assert told.contact().state is ContactState.OFFERED and not told.commanded(WithdrawOffer)


def test_a_leg_that_is_being_made_is_not_missing() -> None:
    for missing in (False, True):
        told = offered()
        gap(told, 0.5)
        told.connect(listed_caller(), listed_agent(ringing=False, pending=missing or True))
        assert told.contact().state is ContactState.OFFERED and told.offer().state is OfferState.MAKING


def test_what_was_made_after_the_listing_was_asked_for_is_exempt() -> None:
    told = Case()
    told.now += 5.0
    told.call()
    told.lists(asked_at=1004.0)
    assert told.contact().state is ContactState.OFFERED, "neither the caller nor his offer is missing"
    told.rings()
    told.wait(20.0)
    told.lists(listed_caller(), asked_at=1004.0)
    assert told.agent().leg == AGENT_LEG, "an offer taken back meanwhile is not ended either"
    told.wait(1.0)
    told.lists(listed_caller(), histories=(history(AGENT_LEG, ended_at=told.now),))
    assert told.agent().leg is None


def test_the_end_of_a_withdrawn_leg_that_was_missed_frees_the_agent() -> None:
    told = ringing()
    told.wait(20.0)
    told.wish("1001", "ready")
    assert told.agent().leg == AGENT_LEG
    told.wait(1.0)
    told.lists(listed_caller(), histories=(history(AGENT_LEG, ended_at=told.now),))
    assert told.offered() == [("c1", "1001")]


def test_between_gaps_the_end_of_a_leg_that_has_just_gone_is_told_by_its_own_event_and_its_own_time() -> None:
    told = ringing()
    told.wait(1.0)
    told.lists(listed_agent(), asked_at=told.now - 0.01)
    assert told.contact().state is ContactState.OFFERED
    told.tell(LegEnded(C1, at=told.now - 0.03))
    assert told.contact().ended_at == told.now - 0.03


def test_a_leg_that_is_missing_once_more_has_ended_though_nothing_tells_of_it() -> None:
    told = ringing()
    told.wait(0.5)
    told.lists(listed_agent())
    told.wait(1.0)
    assert told.commanded(ListNode), "soon"
    told.lists(listed_agent())
    assert told.contact().state is ContactState.CLOSED


def waiting() -> Case:
    told = Case(ready=False)
    told.call()
    return told


def unanswered(command: Command, told: Case) -> CommandFailed:
    return CommandFailed(command, "no answer within 10 s", "unanswered", at=told.now)


@pytest.mark.parametrize(("situation", "again"), [(talking, SeatLegs), (waiting, StartMusic)])
def test_what_asterisk_did_not_answer_is_commanded_again_when_it_answers(
    situation: Callable[[], Case], again: type[Command]
) -> None:
    told = situation()
    legs = (listed_caller(), listed_agent(up=True)) if again is SeatLegs else (listed_caller(),)
    asked_at = told.now
    told.tell(unanswered(StartMusic(C1, "default", lane="n1-c1"), told))
    told.lists(*legs, asked_at=asked_at - 0.1)
    assert not told.commands, "asked before"
    told.wait(1.0)
    assert told.commanded(ListNode), "soon"
    told.lists(*legs)
    assert told.commanded(again)
    told.wait(1.0)
    told.lists(*legs)
    assert not told.commanded(again), "once"


def test_of_a_contact_that_is_gone_nothing_is_doubted() -> None:
    told = waiting()
    told.hang_up()
    told.tell(unanswered(StartMusic(C1, "default", lane="n1-c1"), told))
    told.wait(1.0)
    assert not told.commanded(ListNode)


def test_a_leg_that_is_there_again_was_never_missing() -> None:
    told = ringing()
    for listed in ((listed_agent(),), (listed_caller(), listed_agent()), (listed_agent(),)):
        told.wait(0.5)
        told.lists(*listed)
        assert told.contact().state is ContactState.OFFERED


# --- answered and ringing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rang", [False, True])
def test_an_agent_who_answered_in_the_gap_is_talking(rang: bool) -> None:
    told = (ringing() if rang else offered()).restarted()
    told.wait(30.0)
    legs = (listed_caller(), listed_agent(up=True, ringing=False))
    told.connect(*legs, histories=(history(AGENT_LEG, 1010.0),))
    contact = told.contact()
    assert contact.state is ContactState.TALKING and contact.wait_s == 10.0
    assert told.commanded(JoinLegs) and not told.commanded(HangUpLeg) and not told.commanded(WithdrawOffer)
    assert told.agent().state is AgentState.TALKING and told.agent().since == 1010.0


def test_without_cel_the_answer_counts_from_the_listing() -> None:
    told = ringing()
    gap(told)
    told.connect(listed_caller(), listed_agent(up=True, ringing=False))
    assert told.segments()[-1].started_at == told.now


def test_a_phone_that_began_to_ring_in_the_gap_rings_its_whole_time_from_when_we_know() -> None:
    told = offered()
    gap(told)
    told.connect(listed_caller(), listed_agent())
    assert told.offer().state is OfferState.RINGING
    told.wait(19.9)
    assert told.offer().state is OfferState.RINGING
    told.wait(0.2)
    assert told.offer().outcome is OfferOutcome.RONA


def test_while_nothing_is_heard_silence_means_nothing() -> None:
    told = ringing()
    told.tell(NodeLost(NODE, at=told.now))
    assert not told.wait(100.0)
    assert told.contact().state is ContactState.OFFERED
    told.connect(listed_caller(), listed_agent())
    assert told.offer().outcome is OfferOutcome.RONA, "now it means that he did not answer"


def test_while_nothing_is_heard_nobody_is_offered_and_a_wish_is_obeyed_all_the_same() -> None:
    told = Case(ready=False)
    told.call()
    told.phone("1001")
    gap(told)
    told.wish("1001", "ready")
    assert told.agent().state is AgentState.READY and not told.offered()
    told.connect(listed_caller())
    assert told.offered() == [("c1", "1001")]


# --- strangers ----------------------------------------------------------------------------------------------------------


def test_a_leg_that_should_have_been_hung_up_and_was_not_is_hung_up() -> None:
    told = ringing()
    told.wait(20.0)
    told = told.restarted()
    told.connect(listed_caller(), listed_agent())
    assert HangUpLeg(AGENT_LEG, lane="n1-c1") in told.commands, "withdrawn, and the command was lost"


def test_an_agents_leg_whose_caller_left_in_the_gap_is_hung_up() -> None:
    told = talking()
    told.hang_up()
    told = told.restarted()
    told.connect(listed_agent(up=True, ringing=False))
    assert HangUpLeg(AGENT_LEG, lane="n1-c1") in told.commands
    assert told.agent().leg == AGENT_LEG
    told.ended("n1-c1.1")
    assert told.agent().leg is None


def test_a_leg_of_ours_that_nobody_knows_is_hung_up_and_one_being_made_is_not() -> None:
    told = Case()
    told.lists(listed_agent("n1-c9.1"), listed_agent("n1-c9.2", ringing=False, pending=True))
    assert told.commands == [HangUpLeg(LegId("n1-c9.1"), lane="n1-c9")]


def test_a_feature_code_whose_confirmation_was_missed_is_hung_up_after_the_gap() -> None:
    told = Case()
    code = LegId("code1")
    told.tell(CodeDialled(AgentId("1001"), code, NODE, "*12", at=told.now))
    told.wait(1.0)
    told.lists(ListedLeg(code, "code", up=True))
    assert not told.commands, "it is being said"
    gap(told)
    told.connect(ListedLeg(code, "code", up=True), ListedLeg(LegId("code0"), "code", up=True))
    assert told.commands == [HangUpLeg(code, lane="code1"), HangUpLeg(LegId("code0"), lane="code0")]
    told.wait(1.0)
    told.lists(histories=(history(code, ended_at=told.now),))
    assert not told.router.floor.codes


def test_a_feature_code_dialled_after_the_listing_was_asked_for_is_not_gone() -> None:
    told = Case()
    told.now += 5.0
    told.tell(CodeDialled(AgentId("1001"), LegId("code1"), NODE, "*11", at=told.now))
    told.lists(asked_at=1004.0)
    assert told.router.floor.codes


def test_callers_whose_arrival_was_missed_are_served_by_their_true_arrival() -> None:
    told = Case()
    gap(told)
    elsewhere = ListedLeg(LegId("c3"), "caller", up=True)
    told.connect(listed_caller(arrived_at=1003.0, up=False), listed_caller("c2", away=True), elsewhere)
    assert [type(command).__name__ for command in told.commands] == ["AnswerLeg", "OfferContact"]
    assert (told.contact().arrived_at, told.contact().entered_at) == (1003.0, told.now)
    assert len(told.router.floor.contacts) == 1, "who is in the fallback will come by himself"


def test_nobody_who_has_hung_up_comes_back_by_a_late_listing_or_a_late_arrival() -> None:
    told = Case(MENU)
    told.call()
    told.wait(1.0)
    told.hang_up()
    told.lists(listed_caller(), asked_at=told.now - 0.5)
    told.tell(ContactArrived(ContactId("n1-c1"), C1, NODE, LINE, "", 1000.0, at=told.now))
    assert not told.router.floor.contacts and not told.commanded(AnswerLeg)
    told.wait(30.0)
    told.lists()
    told.wait(30.0)
    told.lists()
    assert not told.router.floor.departed, "and he is forgotten in time"


# --- away ---------------------------------------------------------------------------------------------------------------


def test_who_went_into_the_fallback_unnoticed_keeps_his_place_until_he_is_back() -> None:
    told = Case(ready=False)
    told.call()
    gap(told)
    told.connect(listed_caller(away=True))
    assert told.contact().away and not told.commands
    told.phone("1001")
    told.wish("1001", "ready")
    assert not told.offered()
    told.wait(1.0)
    told.lists(listed_caller())
    assert told.offered() == [("c1", "1001")]


def test_what_was_told_by_its_own_event_is_not_told_again_by_the_listing() -> None:
    told = Case(MENU)
    told.call()
    told.wait(1.0)
    told.tell(LegAway(C1, at=told.now))
    told.wait(1.0)
    told.lists(listed_caller(away=True))
    assert not told.commands
    told.tell(LegReturned(C1, at=told.now))
    told.lists(listed_caller())
    assert not told.commands


def test_who_is_being_hung_up_may_go_wherever_he_likes() -> None:
    told = talking()
    told.ended("n1-c1.1")
    told.wait(1.0)
    told.lists(listed_caller(away=True))
    assert told.contact().state is ContactState.CLOSING and not told.contact().away


# --- a lost Asterisk ----------------------------------------------------------------------------------------------------


def test_an_asterisk_that_died_ends_its_calls_when_it_was_lost() -> None:
    told = talking()
    told.call("c2")
    lost_at = told.now
    gap(told, 8.0)
    told.connect(started_at=told.now - 3.0)
    assert {told.contact(caller).ended_at for caller in ("c1", "c2")} == {lost_at}
    assert told.segments()[-1].outcome == told.segments("c2")[-1].outcome == "failed"
    assert (told.contact().outcome, told.contact("c2").outcome) == ("answered", "failed")
    assert told.contact().talk_s == 2.0 and told.agent().leg is None
    told.wait(15.0)
    told.call("c3")
    assert told.offered() == [("c3", "1001")], "the next call is served"


def test_when_we_were_away_too_its_calls_ended_before_it_started_anew() -> None:
    told = talking().restarted()
    told.now += 60.0
    told.connect(started_at=1030.0)
    assert told.contact().ended_at == 1030.0


def test_what_cel_tells_last_was_still_alive() -> None:
    told = ringing()
    gap(told, 30.0)
    told.connect(started_at=1030.0, histories=(history(AGENT_LEG, answered_at=1012.0),))
    contact = told.contact()
    assert (contact.outcome, contact.wait_s, contact.talk_s) == ("answered", 12.0, 0.0)
    assert told.segments()[-1].outcome == "failed"


def test_a_call_that_came_after_the_restart_is_not_taken_for_one_that_died() -> None:
    told = Case(MENU)
    told.call()
    gap(told)
    told.connect(started_at=900.0)
    assert told.contact().outcome == "flow_abandoned" and told.contact().ended_at == told.now
