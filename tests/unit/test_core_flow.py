"""The flow as a caller hears it: each kind of step, keys in time, ahead of time, wrong and never."""

import pytest

from ccserver.core.commands import (
    AnswerLeg,
    HangUpLeg,
    OfferContact,
    PlayPrompts,
    RecordVoicemail,
    ReleaseContact,
    SetLanguage,
    StartMusic,
    StopPlay,
)
from ccserver.core.contact import ContactOutcome, ContactState, FlowPosition, SegmentOutcome
from ccserver.core.events import CommandFailed, LegAway, LegReturned, NodeLost, PlayFinished, VoicemailRecorded
from ccserver.core.flow import AHEAD_MAX, Finish, Scene, begin, key_pressed, play_finished, recorded, time_up
from ccserver.core.ids import ContactId, FlowName, LegId, LineNumber, PlayId, PromptName, RecordingName, StepName
from ccserver.core.plan import Branch, Collect, Enqueue, Flow, HangUp, Menu, Say, Set, Step, Voicemail
from ccserver.core.records import RecordingSaved
from tests.unit.core_case import EN, NODE, RU, SUPPORT, Case, listed_caller, plan

S = StepName
CHOOSE = Menu(
    ("choices",),
    {"1": S("orders"), "2": S("hours"), "*": S("english")},
    otherwise=S("bye"),
    invalid=PromptName("wrong"),
    silence=PromptName("well"),
)
NUMBER = Collect(
    ("number",),
    "order",
    next=S("told"),
    otherwise=S("bye"),
    min_digits=2,
    max_digits=4,
    invalid=PromptName("wrong"),
    silence=PromptName("well"),
)
STEPS: dict[str, Step] = {
    "hello": Say(("hello",), next=S("choose")),
    "choose": CHOOSE,
    "hours": Say(("hours",), next=S("choose")),
    "english": Set(next=S("choose"), language=EN),
    "orders": Enqueue(SUPPORT),
    "told": Say(("digits:{order}", "number:{order}", "thanks"), next=S("bye")),
    "bye": HangUp(("bye",)),
}


def case(**steps: Step) -> Case:
    """These steps before the common ones; nobody is ready, the caller has been picked up."""
    told = Case(plan({**steps, **{name: step for name, step in STEPS.items() if name not in steps}}), ready=False)
    told.call()
    return told


def said(told: Case) -> list[tuple[str, ...]]:
    return [command.items for command in told.commanded(PlayPrompts)]


def test_the_caller_is_picked_up_in_the_language_of_the_line_and_hears_the_first_step() -> None:
    told = case()
    answer, play = told.commands
    assert answer == AnswerLeg(LegId("c1"), RU, lane="n1-c1")
    assert play == PlayPrompts(LegId("c1"), PlayId("n1-c1.play1"), ("hello",), RU, lane="n1-c1")


def test_what_is_said_to_its_end_leads_to_the_next_step() -> None:
    told = case()
    told.played()
    assert said(told) == [("choices",)]


def test_a_key_in_the_menu_stops_the_prompt_and_leads_where_it_leads() -> None:
    told = case()
    told.played()
    told.press("2")
    stop, play = told.commands
    assert stop == StopPlay(LegId("c1"), PlayId("n1-c1.play2"), lane="n1-c1")
    assert isinstance(play, PlayPrompts) and play.items == ("hours",)


def test_the_end_of_a_prompt_that_was_stopped_is_of_no_interest() -> None:
    told = case()
    stopped = told.contact().flow
    told.press("2")
    position = told.contact().flow
    assert stopped is not None and stopped.play is not None
    told.tell(PlayFinished(LegId("c1"), stopped.play, at=told.now))
    assert told.contact().flow == position and not told.commands


def test_a_key_before_the_menu_speaks_is_kept_for_it() -> None:
    told = case()
    told.press("2")
    assert said(told) == [("hours",)], "neither the rest of the greeting nor the menu is said"


def test_keys_typed_ahead_cross_a_say_two_menus_and_a_collect() -> None:
    first = Menu(("first",), {"7": S("speech")}, otherwise=S("bye"))
    told = case(
        greeting=Say(("greeting",), next=S("first")),
        first=first,
        speech=Say(("speech",), next=S("second")),
        second=Menu(("second",), {"8": S("number")}, otherwise=S("bye")),
        number=NUMBER,
    )
    told.press("7")
    assert said(told) == [("speech",)], "the key was the menu's"
    told.press("8")
    assert said(told) == [("number",)]
    told.press("1")
    told.press("2#")
    assert said(told) == [("digits:12", "number:12", "thanks")]


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


def test_a_fax_that_types_without_end_is_kept_within_bounds() -> None:
    told = case(
        notice=Say(("notice",), next=S("menu"), barge_in=False),
        menu=Menu(("menu",), {"1": S("again")}, otherwise=S("bye")),
        again=Say(("again",), next=S("menu")),
    )
    told.press("1" * 1000)
    position = told.contact().flow
    assert position is not None and len(position.ahead) == AHEAD_MAX
    told.played()
    assert said(told) == [("again",)], "each of them was the menu's"


@pytest.mark.parametrize("mistake", ["9", ""])
def test_a_wrong_key_and_silence_are_told_before_the_menu_is_said_again(mistake: str) -> None:
    told = case()
    told.played()
    if mistake:
        told.press(mistake)
    else:
        told.played()
        told.wait(5.0)
    assert said(told) == [("wrong" if mistake else "well", "choices")]


def test_after_the_last_attempt_the_flow_goes_elsewhere() -> None:
    told = case()
    told.played()
    told.press("99")
    assert said(told) == [("wrong", "choices"), ("wrong", "choices")]
    told.press("9")
    assert said(told) == [("bye",)]


def test_wrong_keys_and_silences_are_counted_together() -> None:
    told = case()
    told.played()
    told.press("9")
    told.played()
    told.wait(5.0)
    told.played()
    told.wait(5.0)
    assert said(told) == [("bye",)]


def test_a_way_back_to_the_menu_begins_its_attempts_anew() -> None:
    told = case()
    told.played()
    told.press("992")
    told.played()
    told.press("99")
    assert said(told)[-1] == ("wrong", "choices")


def test_silence_begins_when_the_prompt_has_ended() -> None:
    told = case()
    told.played()
    told.wait(60.0)
    assert not told.commands
    told.played()
    told.wait(4.9)
    assert not told.commands
    told.wait(0.2)
    assert said(told) == [("well", "choices")]


def test_a_key_typed_before_a_wrong_one_does_not_answer_the_repeated_menu() -> None:
    told = case(
        notice=Say(("notice",), next=S("choose"), barge_in=False),
    )
    told.press("92")
    told.played()
    assert said(told) == [("wrong", "choices")]
    assert told.contact().flow is not None and told.contact().flow.ahead == ""


def test_the_first_digit_stops_the_prompt_and_the_terminator_ends_the_number() -> None:
    told = case(number=NUMBER)
    told.press("1")
    assert told.commands == [StopPlay(LegId("c1"), PlayId("n1-c1.play1"), lane="n1-c1")]
    told.press("23")
    assert not told.commands
    told.press("#")
    assert said(told) == [("digits:123", "number:123", "thanks")]


def test_the_longest_number_needs_no_terminator() -> None:
    told = case(number=NUMBER)
    told.press("1234")
    assert said(told) == [("digits:1234", "number:1234", "thanks")]


def test_a_number_ends_when_no_further_digit_comes() -> None:
    told = case(number=NUMBER)
    told.press("12")
    told.wait(2.9)
    assert not told.commands
    told.press("3")
    told.wait(2.9)
    assert not told.commands, "each digit gives time for the next"
    told.wait(0.2)
    assert said(told) == [("digits:123", "number:123", "thanks")]


def test_a_number_may_end_by_pause_alone() -> None:
    told = case(number=Collect(("number",), "order", next=S("told"), otherwise=S("bye"), terminator="", max_digits=3))
    told.press("1")
    told.wait(3.0)
    assert said(told) == [("digits:1", "number:1", "thanks")]


@pytest.mark.parametrize("keys", ["1#", "1", "#", "*", "1*"])
def test_a_number_too_short_or_broken_is_asked_for_again(keys: str) -> None:
    told = case(number=NUMBER)
    told.press(keys)
    if keys == "1":
        told.wait(3.0)
    assert said(told)[-1] == ("wrong", "number")
    told.press("12#")
    assert said(told)[-1] == ("digits:12", "number:12", "thanks"), "and nothing of the first attempt is left"


def test_who_types_no_number_at_all_is_sent_elsewhere_in_the_end() -> None:
    told = case(number=NUMBER)
    for _ in range(2):
        told.played()
        told.wait(5.0)
        assert said(told) == [("well", "number")]
    told.played()
    told.wait(5.0)
    assert said(told) == [("bye",)]


def test_a_secret_number_is_gathered_like_any_other_and_never_said() -> None:
    told = case(
        pin=Collect(("pin",), "pin", next=S("bye"), otherwise=S("bye"), min_digits=4, max_digits=4, secret=True)
    )
    told.press("1234")
    assert said(told) == [("bye",)]
    assert told.contact().variables["pin"] == "1234"


def test_the_language_changes_for_everything_said_from_there_on() -> None:
    told = case()
    told.press("*")
    _stop, change, play = told.commands
    assert change == SetLanguage(LegId("c1"), EN, lane="n1-c1")
    assert isinstance(play, PlayPrompts) and (play.items, play.language) == (("choices",), EN)
    assert told.contact().language == EN


def test_a_branch_goes_by_variable_line_ani_and_language() -> None:
    def way(variable: str, value: str) -> list[tuple[str, ...]]:
        told = case(
            set=Set(next=S("branch"), variables={"tier": "gold"}),
            branch=Branch(variable, {value: S("hours")}, otherwise=S("bye")),
        )
        return said(told)

    for variable, value in {"tier": "gold", "line": "88007707999", "ani": "+7900", "language": "ru"}.items():
        assert way(variable, value) == [("hours",)]
        assert way(variable, "something else") == [("bye",)]
    assert way("never set", "gold") == [("bye",)]


def test_a_later_set_wins_and_a_prompt_is_filled_with_what_is_set_then() -> None:
    told = case(
        first=Set(next=S("second"), variables={"order": "1", "other": "2"}),
        second=Set(next=S("told"), variables={"order": "3"}),
        told=Say(("digits:{order}{other}", "digits:{unknown}", "{order}"), next=S("bye")),
    )
    assert said(told) == [("digits:32", "digits:{unknown}", "{order}")], "only what is spelt out is filled in"


def test_a_circle_of_instant_steps_ends_the_call_as_our_failure() -> None:
    told = case(one=Set(next=S("two"), variables={"a": "1"}), two=Branch("a", {}, otherwise=S("one")))
    assert told.commanded(HangUpLeg)
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.FAILED
    assert [segment.outcome for segment in told.segments()] == [SegmentOutcome.FAILED]


def test_a_hangup_is_said_before_it_is_done() -> None:
    told = case(end=HangUp(("bye", "thanks")))
    assert said(told) == [("bye", "thanks")] and not told.commanded(HangUpLeg)
    told.press("1")
    assert not told.commands, "there is nothing left to choose"
    told.played()
    assert told.commands == [HangUpLeg(LegId("c1"), lane="n1-c1")]
    assert told.contact().state is ContactState.CLOSING
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.FLOW_COMPLETED


def test_a_hangup_without_words_is_done_at_once() -> None:
    assert case(end=HangUp()).commanded(HangUpLeg)


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
    assert told.commands == [HangUpLeg(LegId("c1"), 1, lane="c1"), ReleaseContact(ContactId("n1-c1"), lane="c1")]
    assert not told.router.floor.contacts


def test_facts_that_no_step_waits_for_leave_the_interpreter_where_it_is() -> None:
    flow = Flow(FlowName("main"), S("hello"), {S(name): step for name, step in STEPS.items()})
    position = FlowPosition(flow=flow.name, step=S("orders"))
    scene = Scene(
        flow=flow,
        position=position,
        variables={},
        language=RU,
        now=1.0,
        next_play=PlayId("p"),
        next_recording=RecordingName("r"),
    )
    for turn in (play_finished(scene), time_up(scene), recorded(scene), key_pressed(scene, "1")):
        assert turn.position == position and turn.effects == ()
    assert Finish(failed=True) not in begin(scene).effects


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
