"""The flow as a caller walks through it: each kind of step, keys in time, ahead of time, wrong and never."""

import pytest

from ccserver.core.commands import (
    AnswerLeg,
    HangUpLeg,
    PlayPrompts,
    SetLanguage,
    StopPlay,
)
from ccserver.core.contact import ContactOutcome, ContactState, FlowPosition, SegmentOutcome
from ccserver.core.flow import AHEAD_MAX, Finish, Scene, begin, key_pressed, play_finished, recorded, time_up
from ccserver.core.ids import FlowName, LegId, PlayId, RecordingName
from ccserver.core.steps import Branch, Collect, Flow, HangUp, Menu, Say, Set
from tests.unit.core_case import EN, RU
from tests.unit.core_flows import NUMBER, STEPS, S, case, said


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


def test_facts_that_no_step_waits_for_leave_the_interpreter_where_it_is() -> None:
    flow = Flow(FlowName("main"), S("hello"), {S(name): step for name, step in STEPS.items()})
    position = FlowPosition(flow=flow.name, step=S("orders"))
    scene = Scene(
        flows={flow.name: flow},
        position=position,
        variables={},
        language=RU,
        calendars={},
        now=1.0,
        next_play=PlayId("p"),
        next_recording=RecordingName("r"),
    )
    for turn in (play_finished(scene), time_up(scene), recorded(scene), key_pressed(scene, "1")):
        assert turn.position == position and turn.effects == ()
    assert not any(isinstance(effect, Finish) and effect.flaw for effect in begin(scene).effects)
