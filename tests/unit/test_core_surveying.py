"""After the talk the caller is asked how it was: who is asked, what is kept, and what becomes of the operator meanwhile."""

import pytest
from msgspec.structs import replace

from ccserver.core.agent import AgentState
from ccserver.core.commands import HangUpLeg, KeepRecording, PlayPrompts, RecordVoicemail
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentKind, SegmentOutcome
from ccserver.core.events import ConfigReplaced, LegAway, VoicemailRecorded
from ccserver.core.ids import FlowName, LegId, PromptName, RecordingName
from ccserver.core.plan import Plan
from ccserver.core.records import RecordingSaved, SurveySaved
from ccserver.core.steps import Flow, HangUp, Rate, Step, Voicemail
from ccserver.core.survey import Survey
from tests.unit.core_case import LINE, SUPPORT, Case, plan, queue
from tests.unit.core_flows import S, said

ASK = FlowName("ask")
STEPS: dict[str, Step] = {
    "rate": Rate(
        ("rate",), next=S("comment"), otherwise=S("thanks"), invalid=PromptName("wrong"), silence=PromptName("well")
    ),
    "comment": Voicemail((), next=S("thanks")),
    "thanks": HangUp(("thanks",)),
}


def surveyed(*, by_line: bool = False, asked: bool = True) -> Plan:
    """The queue has a survey, or the line."""
    flow = Flow(ASK, S("rate"), {S(name): step for name, step in STEPS.items()})
    made = plan(queues=[queue(survey=ASK if asked and not by_line else None)])
    lines = {LINE: replace(made.lines[LINE], survey=ASK if by_line else None)}
    return replace(made, flows={**made.flows, ASK: flow}, lines=lines)


def talked(configured: Plan | None = None, seconds: float = 60.0) -> Case:
    """An agent has answered and hangs up after so long."""
    told = Case(configured or surveyed())
    told.call()
    told.answers()
    told.wait(seconds)
    told.ended("n1-c1.1")
    return told


def survey(told: Case) -> Survey:
    kept = told.contact().survey
    assert kept is not None
    return kept


def test_the_caller_stays_when_the_operator_hangs_up_and_hears_the_question() -> None:
    told = talked()
    assert said(told) == [("rate",)] and not told.commanded(HangUpLeg)
    contact = told.contact()
    assert contact.state is ContactState.FLOW and contact.segment is not None
    assert contact.segment.kind is SegmentKind.SURVEY
    assert [segment.outcome for segment in told.segments()][2] is SegmentOutcome.AGENT_LEFT
    asked = survey(told)
    assert (asked.agent, asked.queue, asked.talk, asked.line, asked.scores) == ("1001", SUPPORT, 3, LINE, {})


def test_who_was_taken_out_of_his_talk_by_the_dialplan_is_not_asked() -> None:
    told = Case(surveyed())
    told.call()
    told.answers()
    told.tell(LegAway(LegId("c1"), at=told.now))
    told.ended("n1-c1.1")
    assert told.commanded(HangUpLeg) == [HangUpLeg(LegId("c1"), lane="n1-c1")] and told.contact().survey is None


def test_the_operator_is_in_wrap_up_meanwhile_and_takes_the_next() -> None:
    told = talked()
    assert told.agent().state is AgentState.WRAP_UP
    told.call("c2")
    told.wait(15.0)
    assert told.agent().state is AgentState.RESERVED and told.contact().state is ContactState.FLOW


def test_a_mark_is_kept_at_once_and_the_contact_was_answered_all_the_same() -> None:
    told = talked()
    told.press("4")
    assert survey(told).scores == {"score": 4} and survey(told).ended_at is None
    told.wait(2.0)
    told.hang_up()
    contact = told.contact()
    assert contact.state is ContactState.CLOSED and contact.outcome is ContactOutcome.ANSWERED
    assert survey(told).ended_at == told.now and told.kept(SurveySaved)[-1].survey == survey(told)
    assert contact.survey_s == 2.0 and contact.talk_s == 60.0


@pytest.mark.parametrize("key", ["0", "6", "9", "*", "#"])
def test_a_key_that_is_no_mark_is_told_and_asked_again_but_not_for_ever(key: str) -> None:
    told = talked()
    told.press(key)
    assert said(told) == [("wrong", "rate")]
    told.press(key)
    told.press(key)
    assert said(told) == [("thanks",)] and survey(told).scores == {}


def test_silence_is_told_and_ends_in_a_hangup() -> None:
    told = talked()
    told.played()
    told.wait(5.0)
    assert said(told) == [("well", "rate")]
    for _ in range(2):
        told.played()
        told.wait(5.0)
    told.played()
    assert told.commanded(HangUpLeg) and survey(told).ended_at == told.now


def test_a_comment_is_a_recording_of_its_own_kind_and_no_voicemail() -> None:
    told = talked()
    told.press("1")
    (record,) = told.commanded(RecordVoicemail)
    assert record.recording.startswith("n1-c1-comment")
    told.tell(VoicemailRecorded(told.contact().id, LegId("c1"), record.recording, "comment/x.wav", 9.0, at=told.now))
    assert told.kept(RecordingSaved)[-1].kind == "comment"
    assert said(told) == [("thanks",)] and told.contact().outcome is ContactOutcome.ANSWERED


def test_a_comment_that_comes_after_the_caller_has_hung_up_is_kept_too() -> None:
    told = talked()
    told.press("1")
    recording = told.commanded(RecordVoicemail)[0].recording
    contact: Contact = told.contact()
    told.hang_up()
    told.tell(VoicemailRecorded(contact.id, LegId("c1"), RecordingName(recording), "comment/x.wav", 3.0, at=told.now))
    assert told.kept(RecordingSaved)[-1].kind == "comment"


def test_the_recording_of_the_talk_ends_with_the_talk() -> None:
    told = talked()
    ended_at = told.now
    told.press("5")
    told.wait(5.0)
    told.hang_up()
    (keep,) = told.commanded(KeepRecording)
    assert [end for _, end in keep.talks] == [ended_at]


def test_a_line_asks_for_queues_that_do_not() -> None:
    assert said(talked(surveyed(by_line=True))) == [("rate",)]


def test_without_a_survey_the_caller_is_hung_up_on() -> None:
    told = talked(surveyed(asked=False))
    assert told.commanded(HangUpLeg) and not told.kept(SurveySaved)


def test_nobody_is_asked_who_hung_up_first_or_whose_asterisk_died() -> None:
    for lost in (False, True):
        told = Case(surveyed())
        told.call()
        told.answers()
        told.ended("n1-c1.1" if lost else "c1", lost=lost)
        assert not told.kept(SurveySaved) and not told.commanded(PlayPrompts)


def test_a_reload_that_removes_the_survey_lets_who_is_asked_finish() -> None:
    told = talked()
    told.tell(ConfigReplaced(plan(name="after"), at=told.now))
    told.press("3")
    assert survey(told).scores == {"score": 3}
