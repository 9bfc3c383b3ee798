"""The contact in its flow: messages, announcements, overflow, and what cannot be said or recorded."""

import pytest

from ccserver.core.commands import (
    AnswerLeg,
    HangUpLeg,
    OfferContact,
    PlayPrompts,
    RecordVoicemail,
    ReleaseContact,
    StartMusic,
    StopPlay,
)
from ccserver.core.contact import ContactOutcome, ContactState, SegmentOutcome
from ccserver.core.events import CommandFailed, LegAway, LegReturned, NodeLost, PlayFinished, VoicemailRecorded
from ccserver.core.ids import ContactId, LegId, LineNumber, PlayId, RecordingName
from ccserver.core.records import RecordingSaved
from ccserver.core.steps import Enqueue, Say, Voicemail
from tests.unit.core_case import NODE, SUPPORT, Case, listed_caller, plan
from tests.unit.core_flows import NUMBER, S, case, said


def test_the_end_of_a_prompt_that_was_stopped_is_of_no_interest() -> None:
    told = case()
    stopped = told.contact().flow
    told.press("2")
    position = told.contact().flow
    assert stopped is not None and stopped.play is not None
    told.tell(PlayFinished(LegId("c1"), stopped.play, at=told.now))
    assert told.contact().flow == position and not told.commands


def test_keys_pressed_during_a_prompt_that_cannot_be_interrupted_all_count_afterwards() -> None:
    told = case(
        notice=Say(("notice",), next=S("number"), barge_in=False),
        number=NUMBER,
        told=Say(("digits:{order}",), next=S("choose")),
    )
    told.press("12#2")
    assert not told.commands, "the notice is heard to its end"
    told.played()
    assert said(told) == [("hours",)], "the number, its end and the choice in the menu were all typed ahead"
    assert told.contact().variables["order"] == "12"


def test_a_message_is_recorded_after_its_prompt_and_the_flow_goes_on() -> None:
    told = case(message=Voicemail(("message",), next=S("bye"), max_s=60, silence_s=4))
    told.played()
    recording = RecordingName("n1-c1-voicemail2")
    assert told.commands == [RecordVoicemail(LegId("c1"), recording, 60, 4, lane="n1-c1")]
    told.tell(_recorded(recording, 7.5, told.now))
    assert said(told) == [("bye",)]
    (kept,) = told.kept(RecordingSaved)
    assert (kept.kind, kept.path, kept.duration_s) == ("voicemail", "v.wav", 7.5)
    told.played()
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.VOICEMAIL
    assert told.segments()[-1].outcome is SegmentOutcome.VOICEMAIL


def test_a_key_skips_the_prompt_of_the_message() -> None:
    told = case(message=Voicemail(("message",), next=S("bye")))
    told.press("1")
    stop, record = told.commands
    assert isinstance(stop, StopPlay) and isinstance(record, RecordVoicemail)
    told.press("5")
    assert not told.commands, "while he speaks, keys are Asterisk's business"


@pytest.mark.parametrize("failed", [False, True])
def test_an_empty_message_and_one_that_could_not_be_recorded_leave_no_trace(failed: bool) -> None:
    told = case(message=Voicemail((), next=S("bye")))
    (record,) = told.commanded(RecordVoicemail)
    if failed:
        told.tell(CommandFailed(record, "500", at=told.now))
    else:
        told.tell(_recorded(record.recording, 0.0, told.now))
    assert said(told) == [("bye",)]
    told.played()
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.FLOW_COMPLETED and not told.kept(RecordingSaved)


def test_the_caller_who_hangs_up_as_he_finishes_his_message_has_left_it() -> None:
    told = case(message=Voicemail((), next=S("bye")))
    (record,) = told.commanded(RecordVoicemail)
    told.tell(_recorded(record.recording, 3.0, told.now))
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.VOICEMAIL


def test_a_message_told_after_its_caller_has_gone_is_kept_all_the_same() -> None:
    told = case(message=Voicemail((), next=S("bye")))
    (record,) = told.commanded(RecordVoicemail)
    told.hang_up()
    told.tell(_recorded(record.recording, 3.0, told.now))
    assert [kept.recording for kept in told.kept(RecordingSaved)] == [record.recording]


def test_a_message_told_when_the_flow_is_elsewhere_is_kept_and_changes_nothing() -> None:
    told = case(orders=Enqueue(SUPPORT))
    told.tell(_recorded(RecordingName("n1-c1-voicemail9"), 3.0, told.now))
    assert told.kept(RecordingSaved) and told.contact().state is ContactState.WAITING


def test_a_prompt_that_cannot_be_played_counts_as_said() -> None:
    told = case()
    (play,) = told.commanded(PlayPrompts)
    told.tell(CommandFailed(play, "500", at=told.now))
    assert said(told) == [("choices",)]


def test_a_prompt_that_fails_because_the_caller_is_gone_waits_for_his_end() -> None:
    told = case()
    (play,) = told.commanded(PlayPrompts)
    told.tell(CommandFailed(play, "404", "gone", at=told.now))
    assert not told.commands


def test_a_prompt_that_fails_while_the_node_is_lost_does_not_run_through_the_flow_unheard() -> None:
    told = case()
    (play,) = told.commanded(PlayPrompts)
    told.tell(NodeLost(NODE, at=told.now))
    told.tell(CommandFailed(play, "timeout", at=told.now))
    assert not told.commands
    told.now += 1.0
    told.connect(listed_caller())
    assert said(told) == [("hello",)]


def test_a_prompt_that_the_caller_left_for_the_fallback_is_said_again_when_he_is_back() -> None:
    told = case()
    told.tell(LegAway(LegId("c1"), at=told.now))
    told.played(ok=False)
    assert not told.commands
    told.tell(LegReturned(LegId("c1"), at=told.now))
    assert said(told) == [("hello",)]


def test_a_failed_command_that_nobody_waits_for_changes_nothing() -> None:
    told = case()
    (answer,) = told.commanded(AnswerLeg)
    told.tell(CommandFailed(answer, "500", at=told.now))
    assert not told.commands and told.contact().state is ContactState.FLOW


def test_who_must_wait_hears_the_announcement_filled_in_and_then_the_music() -> None:
    told = case(number=NUMBER, told=Enqueue(SUPPORT, announce=("wait", "digits:{order}")))
    told.press("12#")
    assert said(told) == [("wait", "digits:12")] and not told.commanded(StartMusic)
    told.played()
    assert told.commands == [StartMusic(LegId("c1"), "default", lane="n1-c1")]


def test_an_announcement_that_cannot_be_played_gives_way_to_the_music() -> None:
    told = case(orders=Enqueue(SUPPORT, announce=("wait",)))
    (play,) = told.commanded(PlayPrompts)
    told.tell(CommandFailed(play, "500", at=told.now))
    assert told.commanded(StartMusic)


def test_who_gets_an_agent_at_once_hears_no_announcement() -> None:
    told = Case(plan({"orders": Enqueue(SUPPORT, announce=("wait",))}))
    told.call()
    assert told.commanded(OfferContact) and not told.commanded(PlayPrompts) and not told.commanded(StartMusic)


def test_the_announcement_stops_when_an_agent_comes() -> None:
    told = case(orders=Enqueue(SUPPORT, announce=("wait",)))
    told.phone("1001")
    told.wish("1001", "ready")
    stop, offer = told.commands
    assert stop == StopPlay(LegId("c1"), PlayId("n1-c1.play1"), lane="n1-c1")
    assert isinstance(offer, OfferContact)


def test_the_end_of_the_announcement_that_an_offer_stopped_is_of_no_interest() -> None:
    told = case(orders=Enqueue(SUPPORT, announce=("wait",)))
    (play,) = told.commanded(PlayPrompts)
    told.phone("1001")
    told.wish("1001", "ready")
    told.ended("n1-c1.1", 17, 486)
    assert told.commanded(StartMusic)
    told.tell(PlayFinished(LegId("c1"), play.play, at=told.now))
    assert not told.commands


def test_nobody_came_in_time_and_the_flow_goes_on() -> None:
    told = case(orders=Enqueue(SUPPORT, max_wait_s=30.0, otherwise=S("bye"), announce=("wait",)))
    told.wait(30.0)
    stop, play = told.commands
    assert isinstance(stop, StopPlay) and isinstance(play, PlayPrompts) and play.items == ("bye",)
    told.played()
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.OVERFLOWED
    outcomes = [segment.outcome for segment in told.segments()]
    assert outcomes == [SegmentOutcome.QUEUED, SegmentOutcome.OVERFLOWED, SegmentOutcome.COMPLETED]


def test_who_hangs_up_in_the_flow_after_a_queue_gave_him_up_has_abandoned() -> None:
    told = case(orders=Enqueue(SUPPORT, max_wait_s=30.0, otherwise=S("bye")))
    told.wait(30.0)
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.ABANDONED


def test_keys_in_the_queue_are_ignored() -> None:
    told = case(orders=Enqueue(SUPPORT))
    before, ignored = told.contact(), told.router.floor.ignored
    told.press("1")
    assert told.contact() is before and told.router.floor.ignored == ignored + 1


def test_a_number_nobody_has_is_hung_up_as_unallocated() -> None:
    told = Case()
    told.call(line=LineNumber("88000000000"))
    reason = "88000000000, dialled on a phone, is none of our lines"
    assert told.commands == [
        HangUpLeg(LegId("c1"), 1, reason, lane="c1"),
        ReleaseContact(ContactId("n1-c1"), lane="c1"),
    ]
    assert not told.router.floor.contacts


def test_a_step_whose_prompt_was_heard_already_begins_again_without_stopping_anything() -> None:
    told = case()
    told.played()
    told.played()
    told.now += 1.0
    told.connect(listed_caller())
    assert said(told) == [("choices",)] and not told.commanded(StopPlay)


def test_a_message_under_way_in_a_gap_is_asked_for_again_and_both_are_kept() -> None:
    told = case(message=Voicemail(("message",), next=S("bye")))
    told.played()
    told.now += 1.0
    told.connect(listed_caller())
    assert said(told) == [("message",)]
    told.tell(_recorded(RecordingName("n1-c1-voicemail2"), 4.0, told.now))
    told.played()
    (record,) = told.commanded(RecordVoicemail)
    assert record.recording == "n1-c1-voicemail4"
    told.tell(_recorded(record.recording, 5.0, told.now))
    assert [kept.recording for kept in told.kept(RecordingSaved)] == ["n1-c1-voicemail2", record.recording]
    assert said(told) == [("bye",)]


def _recorded(recording: RecordingName, seconds: float, at: float) -> VoicemailRecorded:
    return VoicemailRecorded(ContactId("n1-c1"), LegId("c1"), recording, "v.wav", seconds, at=at)
