"""The contact's time, counted truly: IVR, waiting with ringing in it, ringing, talk; its outcome; its one place."""

import pytest

from ccserver.core.commands import HangUpLeg, JoinLegs, KeepRecording, ReleaseContact
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentKind, SegmentOutcome, opened
from ccserver.core.events import ContactArrived, LegEnded, RecordingKept, RecordingLost, RecordingStarted
from ccserver.core.ids import ContactId, LegId, QueueName, RecordingName, StepName
from ccserver.core.records import ContactSaved, OfferSaved, RecordingSaved, SegmentSaved
from ccserver.core.steps import Enqueue, HangUp, Menu
from tests.unit.core_case import LINE, NODE, SUPPORT, Case, operator, plan, queue, straight_into

S = StepName
MENU = plan(
    {
        "ask": Menu(("ask",), {"1": S("wait")}, otherwise=S("bye")),
        "wait": Enqueue(SUPPORT, max_wait_s=60.0, otherwise=S("bye")),
        "bye": HangUp(("bye",)),
    },
    operators=[operator("1001"), operator("1002")],
)


def in_queue(*, ready: bool = True) -> Case:
    """Seven seconds in the menu, then the queue."""
    told = Case(MENU, ready=ready)
    told.call()
    told.wait(7.0)
    told.press("1")
    return told


def talking() -> Case:
    """7 s menu, 2 s until the phone rings, 4 s of ringing, answered."""
    told = in_queue()
    told.wait(2.0)
    told.rings()
    told.wait(4.0)
    told.answers()
    return told


def totals(told: Case) -> tuple[float, ...]:
    contact = told.contact()
    return tuple(round(each, 6) for each in (contact.ivr_s, contact.wait_s, contact.ring_s, contact.talk_s))


def outcomes(told: Case) -> list[tuple[str, str | None]]:
    return [(segment.kind, segment.outcome) for segment in told.segments()]


def test_an_answered_call_is_menu_wait_with_the_ringing_in_it_and_talk() -> None:
    told = talking()
    told.wait(50.0)
    told.ended("n1-c1.1")
    assert told.commands == [HangUpLeg(LegId("c1"), lane="n1-c1")]
    assert told.contact().state is ContactState.CLOSING
    told.wait(1.0)
    told.hang_up()
    assert totals(told) == (7.0, 6.0, 4.0, 50.0)
    assert outcomes(told) == [("flow", "queued"), ("queue", "answered"), ("talk", "agent_left")]
    contact = told.contact()
    assert (contact.outcome, contact.agent, contact.first_queue) == ("answered", "1001", SUPPORT)
    assert (contact.arrived_at, contact.ended_at) == (1000.0, 1064.0)
    talk = told.segments()[2]
    assert (talk.agent, talk.offer, talk.queue) == ("1001", "n1-c1.1", SUPPORT)


def test_the_caller_who_hangs_up_first_leaves_the_agent_to_be_hung_up() -> None:
    told = talking()
    assert told.contact().place is None, "the wait is over"
    told.wait(50.0)
    told.hang_up()
    assert HangUpLeg(LegId("n1-c1.1"), lane="n1-c1") in told.commands
    assert outcomes(told)[-1] == ("talk", "caller_left") and told.contact().talk_s == 50.0


def test_both_hanging_up_at_once_are_told_apart_by_who_was_first() -> None:
    told = talking()
    told.tell(LegEnded(LegId("n1-c1.1"), at=told.now), LegEnded(LegId("c1"), at=told.now))
    assert outcomes(told)[-1] == ("talk", "agent_left") and told.contact().state is ContactState.CLOSED


def test_a_call_that_is_closing_is_closed_by_its_callers_end_alone() -> None:
    told = talking()
    told.ended("n1-c1.1")
    before = told.contact()
    told.wait(100.0)
    assert told.contact() == before
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.ANSWERED


def test_the_ringing_of_all_offers_counts_and_the_wait_goes_on_through_them() -> None:
    told = in_queue()
    told.rings()
    told.wait(3.0)
    told.ended("n1-c1.1", 21, 603)
    told.wait(1.0)
    told.rings("n1-c1.2")
    told.wait(5.0)
    told.answers("n1-c1.2")
    told.hang_up()
    assert totals(told) == (7.0, 9.0, 8.0, 0.0)
    assert told.contact().agent == "1002"


@pytest.mark.parametrize(("waited_s", "outcome"), [(4.9, "short_abandoned"), (5.0, "abandoned"), (30.0, "abandoned")])
def test_who_leaves_the_queue_early_is_a_short_abandon(waited_s: float, outcome: str) -> None:
    told = in_queue(ready=False)
    told.wait(waited_s)
    told.hang_up()
    assert outcomes(told) == [("flow", "queued"), ("queue", outcome)]
    assert totals(told) == (7.0, waited_s, 0.0, 0.0)
    assert told.contact().outcome is ContactOutcome.ABANDONED


def test_who_leaves_while_the_phone_rings_has_waited_as_long() -> None:
    told = in_queue()
    told.wait(3.0)
    told.rings()
    told.wait(4.0)
    told.hang_up()
    assert totals(told) == (7.0, 7.0, 4.0, 0.0) and told.contact().outcome is ContactOutcome.ABANDONED
    assert told.contact().offer is None and told.contact().place is None


def test_who_hangs_up_in_the_menu_has_never_waited() -> None:
    told = Case(MENU)
    told.call()
    told.wait(3.0)
    told.hang_up()
    assert outcomes(told) == [("flow", "caller_left")]
    assert totals(told) == (3.0, 0.0, 0.0, 0.0) and told.contact().outcome is ContactOutcome.FLOW_ABANDONED


def test_an_overflow_ends_the_wait_and_the_rest_is_flow() -> None:
    told = in_queue(ready=False)
    told.wait(62.0)
    told.played()
    told.hang_up()
    assert totals(told) == (9.0, 60.0, 0.0, 0.0)
    assert outcomes(told) == [("flow", "queued"), ("queue", "overflowed"), ("flow", "completed")]
    assert told.contact().outcome is ContactOutcome.OVERFLOWED


def test_a_wait_that_ends_while_the_phone_rings_goes_on_until_the_offer_has_failed() -> None:
    told = Case(plan(straight_into(max_wait_s=10.0, otherwise=S("bye")) | {"bye": HangUp(("bye",))}))
    told.call()
    told.rings()
    told.wait(15.0)
    assert told.contact().state is ContactState.OFFERED
    told.ended("n1-c1.1", 21, 603)
    assert told.contact().state is ContactState.FLOW and outcomes(told)[1] == ("queue", "overflowed")


def test_a_wait_as_long_as_the_ringing_overflows_when_both_end_at_once() -> None:
    told = Case(plan(straight_into(max_wait_s=20.0, otherwise=S("bye")) | {"bye": HangUp(("bye",))}))
    told.call()
    told.rings()
    told.wait(20.0)
    assert told.contact().state is ContactState.FLOW
    assert told.offer().outcome == "rona"


@pytest.mark.parametrize(
    ("stage", "segment"),
    [("menu", "flow"), ("queue", "queue"), ("offered", "queue"), ("talk", "talk"), ("closing", "talk")],
)
def test_when_its_asterisk_dies_every_contact_is_closed_as_failed_unless_it_was_served(
    stage: str, segment: str
) -> None:
    told = Case(MENU) if stage == "menu" else talking() if stage in {"talk", "closing"} else in_queue()
    if stage == "menu":
        told.call()
    if stage == "queue":
        told.ended("n1-c1.1", 17, 486)
        told.ended("n1-c1.2", 17, 486)
    if stage == "closing":
        told.ended("n1-c1.1")
    told.ended("c1", 0, lost=True)
    contact = told.contact()
    assert contact.state is ContactState.CLOSED
    served = stage in {"talk", "closing"}
    assert contact.outcome == (ContactOutcome.ANSWERED if served else ContactOutcome.FAILED)
    assert outcomes(told)[-1] == (segment, "agent_left" if stage == "closing" else "failed")
    if stage == "offered":
        assert told.offer().outcome == "failed"
    told.ended("n1-c1.1", 0, lost=True)
    assert told.agent().leg is None and told.agent().contact is None


def test_what_is_told_late_leaves_neither_holes_nor_overlaps_in_its_time() -> None:
    told = talking()
    told.wait(10.0)
    told.ended("n1-c1.1")
    told.tell(LegEnded(LegId("c1"), at=told.now - 30.0))
    contact, segments = told.contact(), told.segments()
    assert contact.ended_at == segments[-1].ended_at == told.now
    assert [segment.started_at for segment in segments[1:]] == [segment.ended_at for segment in segments[:-1]]


def test_a_clock_that_is_ahead_of_ours_does_not_put_anything_into_the_future() -> None:
    told = talking()
    told.tell(LegEnded(LegId("c1"), at=told.now + 3600.0))
    assert told.contact().ended_at == told.now


def test_the_contact_is_told_to_be_released_and_its_recording_to_be_kept() -> None:
    told = talking()
    answered_at = told.now
    name = RecordingName("n1-c1")
    told.tell(RecordingStarted(ContactId("n1-c1"), name, at=1008.0))
    told.tell(RecordingStarted(ContactId("n1-c1"), name, at=1009.0))
    told.wait(50.0)
    told.hang_up()
    hang_up, release, keep = told.commands
    assert isinstance(hang_up, HangUpLeg) and release == ReleaseContact(ContactId("n1-c1"), lane="n1-c1")
    talks = ((answered_at, told.now),)
    assert keep == KeepRecording(ContactId("n1-c1"), name, LegId("c1"), talks, lane="n1-c1")
    told.tell(RecordingKept(ContactId("n1-c1"), name, "2026/11/22/n1-c1.opus", 50.0, at=told.now))
    told.tell(RecordingLost(ContactId("n1-c2"), RecordingName("n1-c2"), "disk full", at=told.now))
    kept = [(each.recording, each.path, each.lost) for each in told.kept(RecordingSaved)]
    assert kept == [("n1-c1", "2026/11/22/n1-c1.opus", ""), ("n1-c2", None, "disk full")]


def test_a_recording_confirmed_in_mid_talk_has_begun_when_it_says() -> None:
    told = talking()
    told.tell(RecordingStarted(ContactId("n1-c1"), RecordingName("n1-c1"), at=1008.5))
    recording = told.contact().recording
    assert recording is not None and recording.started_at == 1008.5


def test_of_a_call_that_nobody_answered_the_recording_is_told_to_go() -> None:
    told = in_queue()
    told.hang_up()
    (keep,) = told.commanded(KeepRecording)
    assert keep.talks == ()


def test_a_call_that_is_not_to_be_recorded_has_nothing_to_keep() -> None:
    told = Case(plan(queues=[queue(record=False)]))
    told.call()
    told.answers()
    told.hang_up()
    assert not told.commanded(KeepRecording) and told.commanded(ReleaseContact)


def test_a_call_through_the_fallback_arrived_when_it_truly_did() -> None:
    told = Case(MENU)
    told.now += 40.0
    told.tell(ContactArrived(ContactId("n1-c1"), LegId("c1"), NODE, LINE, "", 1000.0, at=told.now))
    told.hang_up()
    contact = told.contact()
    assert (contact.arrived_at, contact.entered_at, contact.ivr_s) == (1000.0, 1040.0, 0.0)


def test_a_contact_is_kept_in_every_step_that_changes_it_and_only_then() -> None:
    told = in_queue()
    changes = len(told.kept(ContactSaved))
    told.press("5")
    assert len(told.kept(ContactSaved)) == changes
    outcome = told.rings()
    assert [type(record) for record in outcome.records if not hasattr(record, "agent")] == [OfferSaved, ContactSaved]


def test_a_segment_is_kept_when_it_begins_and_when_it_ends() -> None:
    told = talking()
    told.hang_up()
    kept = [(each.segment.n, each.segment.outcome is not None) for each in told.kept(SegmentSaved)]
    assert kept == [(1, False), (1, True), (2, False), (2, True), (3, False), (3, True)]


def test_two_segments_at_once_are_our_own_mistake() -> None:
    contact = talking().contact()
    with pytest.raises(AssertionError, match="still open"):
        opened(contact, SegmentKind.FLOW, 1.0)


def test_the_first_queue_is_remembered_through_an_overflow_into_another() -> None:
    steps = {
        "first": Enqueue(SUPPORT, max_wait_s=10.0, otherwise=S("second")),
        "second": Enqueue(QueueName("sales"), priority_s=5.0),
    }
    told = Case(plan(steps, queues=[queue(), queue("sales")], operators=[operator("1001", "sales")]), ready=False)
    told.call()
    told.wait(10.0)
    place = told.contact().place
    assert place is not None and (place.queue, place.entered_at, place.order) == ("sales", 1010.0, 1005.0)
    told.phone("1001")
    told.wish("1001", "ready")
    told.answers()
    assert told.commanded(JoinLegs)
    told.hang_up()
    assert told.contact().first_queue == SUPPORT
    assert outcomes(told) == [
        (SegmentKind.FLOW, SegmentOutcome.QUEUED),
        (SegmentKind.QUEUE, SegmentOutcome.OVERFLOWED),
        (SegmentKind.FLOW, SegmentOutcome.QUEUED),
        (SegmentKind.QUEUE, SegmentOutcome.ANSWERED),
        (SegmentKind.TALK, SegmentOutcome.CALLER_LEFT),
    ]


def test_a_contact_says_how_late_anything_new_about_it_can_be() -> None:
    told = talking()
    assert told.contact().known_until == told.segments()[-1].started_at
    told.wait(3.0)
    told.ended("n1-c1.1")
    contact: Contact = told.contact()
    assert contact.segment is None and contact.known_until == pytest.approx(told.now)
