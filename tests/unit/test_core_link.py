"""The link to a node: when it is listed, which listings count, and what is commanded again after a gap."""

import pytest
from msgspec.structs import replace

from ccserver.core.agent import AgentState
from ccserver.core.commands import (
    AnswerLeg,
    HangUpLeg,
    ListNode,
    PlayPrompts,
    SeatLegs,
    StartMusic,
    StopPlay,
    WithdrawOffer,
)
from ccserver.core.contact import ContactState
from ccserver.core.events import (
    CommandFailed,
    LegAnswered,
    LegEnded,
    NodeConnected,
    NodeListed,
    NodeLost,
    RecordingStarted,
)
from ccserver.core.ids import ContactId, LegId, RecordingName
from ccserver.core.plan import Rules
from tests.unit.core_case import NODE, Case, listed_agent, listed_caller, listed_phones, operator, plan, queue
from tests.unit.core_gaps import AGENT_LEG, C1, MENU, gap, history, offered, ringing, talking

# --- take-up ------------------------------------------------------------------------------------------------------------


def test_a_step_that_was_cut_off_begins_again_with_the_attempts_already_made() -> None:
    told = Case(MENU)
    told.call()
    told.press("9")
    before = told.contact().flow
    gap(told)
    told.connect(listed_caller())
    stop, answer, play = told.commands
    assert isinstance(answer, AnswerLeg), "he may have been in the fallback meanwhile, which arms its timeout"
    assert before is not None and stop == StopPlay(C1, before.play, lane="n1-c1")  # type: ignore[arg-type]
    assert isinstance(play, PlayPrompts) and play.items == ("ask",)
    after = told.contact().flow
    assert after is not None and after.attempt == before.attempt == 1


def test_who_was_never_picked_up_is_picked_up_now() -> None:
    told = Case(MENU)
    told.call()
    told.wait(1.0)
    told = told.restarted()
    told.connect(listed_caller(up=False))
    assert [type(command) for command in told.commands] == [StopPlay, AnswerLeg, PlayPrompts]


def test_who_waits_is_given_his_music_again_and_keeps_his_place() -> None:
    told = Case(ready=False)
    told.call()
    told.wait(1.0)
    place = told.contact().place
    told = told.restarted()
    told.connect(listed_caller())
    assert told.commands == [StartMusic(C1, "default", lane="n1-c1")]
    assert told.router.floor.contacts[ContactId("n1-c1")].place == place


def test_of_a_talk_it_is_only_told_who_hears_whom() -> None:
    told = talking()
    told.tell(RecordingStarted(ContactId("n1-c1"), RecordingName("n1-c1"), at=told.now))
    told = told.restarted()
    told.connect(listed_caller(), listed_agent(up=True, ringing=False))
    assert told.commands == [SeatLegs(C1, (C1, LegId("n1-c1.1")), lane="n1-c1")]


@pytest.mark.parametrize("in_gap", [False, True])
def test_who_is_served_is_hung_up_again_by_every_listing(in_gap: bool) -> None:
    told = talking()
    told.ended("n1-c1.1")
    told.wait(1.0)
    told.lists(listed_caller(), gap=in_gap)
    assert told.commands == [HangUpLeg(C1, lane="n1-c1")]


def test_a_listing_between_gaps_commands_nothing_that_is_under_way() -> None:
    for told, legs in ((Case(MENU), ()), (offered(), (listed_agent(),)), (ringing(), (listed_agent(),))):
        if not legs:
            told.call()
            told.wait(1.0)
        before = told.contact()
        told.lists(listed_caller(), *legs)
        assert not [command for command in told.commands if not isinstance(command, ListNode)]
        assert told.contact().segment == before.segment


# --- the link -----------------------------------------------------------------------------------------------------------


def test_a_node_that_connects_is_listed_with_all_that_is_expected_of_it() -> None:
    told = ringing()
    told.call("c2")
    told.tell(NodeConnected(NODE, 0.0, at=told.now))
    (command,) = told.commanded(ListNode)
    assert command == ListNode(NODE, True, (C1, LegId("c2"), AGENT_LEG), 1000.0, lane="node:n1")
    assert not told.router.floor.linked(NODE)


def test_a_linked_node_is_listed_every_thirty_seconds() -> None:
    told = Case(plan(rules=Rules(reconcile_every_s=30.0)))
    told.wait(29.0)
    assert not told.commands
    told.wait(2.0)
    (command,) = told.commanded(ListNode)
    assert not command.gap
    told.wait(300.0)
    assert not told.commands, "not before that one has come"
    told.lists()
    told.wait(30.0)
    assert told.commanded(ListNode)


@pytest.mark.parametrize("linked", [False, True])
def test_a_listing_that_failed_is_tried_again_soon(linked: bool) -> None:
    told = Case(plan(rules=Rules(reconcile_every_s=30.0)))
    if linked:
        told.wait(30.0)
    else:
        told.tell(NodeConnected(NODE, 0.0, at=told.now))
    (command,) = told.commanded(ListNode)
    told.tell(CommandFailed(command, "timeout", at=told.now))
    assert not told.commands
    told.wait(5.0)
    assert [each.gap for each in told.commanded(ListNode)] == [not linked]


def test_a_listing_of_a_connection_that_is_gone_tells_nothing() -> None:
    told = ringing()
    gap(told)
    told.lists(listed_caller(), listed_agent(), gap=True, asked_at=told.now - 10.5)
    assert not told.router.floor.linked(NODE)
    told.tell(NodeListed(NODE, told.now, True, (listed_caller(), listed_agent()), at=told.now))
    assert not told.router.floor.linked(NODE), "it answers, but its events are not heard"
    told.tell(NodeConnected(NODE, 0.0, at=told.now))
    told.lists(listed_caller(), gap=True, asked_at=told.now - 1.0)
    assert not told.router.floor.linked(NODE) and told.contact().state is ContactState.OFFERED
    told.lists(listed_caller(), listed_agent(), gap=True)
    assert told.router.floor.linked(NODE)


def test_a_listing_that_was_meant_for_no_gap_fills_one_all_the_same() -> None:
    told = offered().restarted()
    told.tell(NodeConnected(NODE, 0.0, at=told.now))
    told.lists(listed_caller(), listed_agent(ringing=False), gap=False)
    assert told.commanded(WithdrawOffer) and told.router.floor.linked(NODE)


def test_a_node_lost_twice_was_lost_the_first_time() -> None:
    told = offered()
    told.tell(NodeLost(NODE, at=told.now))
    told.wait(5.0)
    told.tell(NodeConnected(NODE, 0.0, at=told.now))
    told.tell(NodeLost(NODE, at=told.now))
    told.wait(5.0)
    told.connect(started_at=1011.0)
    assert told.contact().ended_at == 1002.0


def test_the_phones_of_a_listing_count_after_all_that_was_missed() -> None:
    told = Case(plan(queues=[queue(wrap_up_s=0.0)], operators=[operator("1001"), operator("1002")]))
    told.call()
    told.wait(1.0)
    gap(told)
    told.connect(listed_caller(), phones=listed_phones(a1001=False, a1002=True, a9999=True))
    assert told.agent().state is AgentState.UNREACHABLE
    assert told.offered() == [("c1", "1002")]


def test_a_listing_that_tells_nothing_new_keeps_nothing() -> None:
    told = talking()
    told.tell(LegAnswered(C1, at=told.now))
    legs = (listed_caller(), listed_agent(up=True, ringing=False))
    outcome = told.lists(*legs, phones=listed_phones(a1001=True))
    assert outcome.records == () and outcome.commands == ()


def test_facts_of_a_gap_are_taken_in_the_order_of_their_times() -> None:
    told = talking()
    told.call("c2")
    told.wait(1.0)
    gap(told, 60.0)
    told.connect(
        histories=(history(AGENT_LEG, 1004.0, 1030.0), history(C1, None, 1031.0), history(LegId("c2"), None, 1020.0))
    )
    ended = [
        record.contact.id
        for record in told.records
        if type(record).__name__ == "ContactSaved" and record.contact.ended_at
    ]  # type: ignore[attr-defined]
    assert ended == ["n1-c2", "n1-c1"]


def test_an_end_told_by_the_listing_and_then_by_its_event_is_one_end() -> None:
    told = talking()
    gap(told)
    told.connect()
    before = told.router.state()
    told.tell(LegEnded(C1, at=told.now), LegEnded(AGENT_LEG, at=told.now))
    assert told.router.state() == before


def test_a_leg_is_never_listed_as_gone_because_it_is_listed_twice() -> None:
    told = offered()
    told.lists(listed_caller(), replace(listed_caller(), ani="+7"), listed_agent(), listed_agent())
    assert told.contact().state is ContactState.OFFERED and len(told.router.floor.contacts) == 1
