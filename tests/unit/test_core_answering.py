"""When a caller is answered, and when that is known: what the owner of the line pays from."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import AnswerLeg, HangUpLeg, JoinLegs, PlayPrompts, RecordVoicemail, StartMusic, TakeLeg
from ccserver.core.contact import ContactOutcome, ContactState
from ccserver.core.events import LegAnswered, LegAway, LegReturned
from ccserver.core.ids import LegId
from ccserver.core.plan import Pickup, Plan
from ccserver.core.steps import Answer, Enqueue, HangUp, Menu, Say, Step, Voicemail
from tests.unit.core_case import LINE, SUPPORT, Case, listed_caller, plan
from tests.unit.core_flows import S
from tests.unit.core_gaps import history

C1 = LegId("c1")
GREETING = {"hello": Say(("hello",), next=S("next"))}


def answering(pickup: Pickup, steps: dict[str, Step]) -> Plan:
    whole = plan(steps)
    return replace(whole, lines={LINE: replace(whole.lines[LINE], answer=pickup, brand="Nord", source="banner")})


def kinds(told: Case) -> list[str]:
    return [type(command).__name__ for command in told.commands]


def test_a_line_answers_at_once_unless_told_otherwise() -> None:
    told = Case(answering("at_once", {**GREETING, "next": HangUp()}))
    told.call()
    assert kinds(told) == ["AnswerLeg", "PlayPrompts"]
    assert not told.contact().unanswered


@pytest.mark.parametrize(
    ("pickup", "step", "kind"),
    [
        ("when_needed", Menu(("choices",), {"1": S("hello")}, otherwise=S("hello")), PlayPrompts),
        ("when_needed", Voicemail((), next=S("hello")), RecordVoicemail),
        ("operator", Voicemail((), next=S("hello")), RecordVoicemail),
    ],
)
def test_a_step_that_needs_it_answers_before_it_does_anything(pickup: Pickup, step: Step, kind: type) -> None:
    told = Case(answering(pickup, {**GREETING, "next": step}))
    told.call()
    assert kinds(told) == ["TakeLeg", "PlayPrompts"]
    told.played()
    assert kinds(told) == ["AnswerLeg", kind.__name__]


def test_a_line_whose_operator_answers_offers_its_menu_unanswered() -> None:
    told = Case(
        answering("operator", {**GREETING, "next": Menu(("choices",), {"1": S("hello")}, otherwise=S("hello"))})
    )
    told.call()
    told.played()
    assert kinds(told) == ["PlayPrompts"] and told.contact().unanswered


def test_the_answer_step_answers_once() -> None:
    steps: dict[str, Step] = {
        **GREETING,
        "next": Answer(next=S("again")),
        "again": Answer(next=S("wait")),
        "wait": Enqueue(SUPPORT),
    }
    told = Case(answering("operator", steps), ready=False)
    told.call()
    told.played()
    assert kinds(told) == ["AnswerLeg", "StartMusic"]


def test_the_operator_who_picks_up_answers_who_has_not_been_answered() -> None:
    told = Case(answering("operator", {"next": Enqueue(SUPPORT)}))
    told.call()
    told.answers()
    assert told.commands == [AnswerLeg(C1, "ru", lane="n1-c1"), JoinLegs(C1, told.offer().id, lane="n1-c1")]  # type: ignore[arg-type]


def test_what_is_paid_from_is_the_time_of_the_answer_itself() -> None:
    told = Case(answering("at_once", {"next": Enqueue(SUPPORT)}), ready=False)
    told.call()
    at = told.now + 0.25
    told.now += 5.0
    told.tell(LegAnswered(C1, at=at))
    told.tell(LegAnswered(C1, at=told.now))
    assert told.contact().answered_at == at
    assert (told.contact().brand, told.contact().source) == ("Nord", "banner")


def test_an_answer_that_was_missed_is_told_by_cel_and_else_by_the_listing() -> None:
    told = Case(answering("at_once", {"next": Enqueue(SUPPORT)}), ready=False)
    told.call()
    told.call("c2")
    told.now += 5.0
    told.connect(listed_caller(), listed_caller("c2"), histories=(history(C1, 1001.0, None),))
    assert told.contact().answered_at == 1001.0
    assert told.contact("c2").answered_at == told.now


@pytest.mark.parametrize("pickup", ["at_once", "operator"])
def test_who_comes_back_from_the_fallback_or_was_caught_in_a_gap_is_taken_as_he_was(pickup: Pickup) -> None:
    told = Case(answering(pickup, {"next": Enqueue(SUPPORT)}), ready=False)
    told.call()
    kind = AnswerLeg if pickup == "at_once" else TakeLeg
    told.tell(LegAway(C1, at=told.now))
    told.now += 1.0
    told.tell(LegReturned(C1, at=told.now))
    assert isinstance(told.commands[0], kind)
    told.now += 1.0
    told.connect(listed_caller(up=False))
    assert isinstance(told.commands[0], kind) and told.commanded(StartMusic)


def test_busy_said_by_the_flow_refuses_who_was_not_answered_and_is_said_again_after_a_gap() -> None:
    told = Case(answering("when_needed", {"no": HangUp(cause="busy")}))
    told.call()
    assert told.commanded(HangUpLeg)[-1].cause == 17
    assert told.contact().state is ContactState.CLOSING
    told.now += 1.0
    told.connect(listed_caller(up=False))
    assert told.commanded(HangUpLeg)[-1].cause == 17
    told.hang_up()
    assert (told.contact().outcome, told.contact().answered_at) == (ContactOutcome.REFUSED, None)


def test_busy_said_to_who_was_answered_is_an_ordinary_end() -> None:
    told = Case(answering("at_once", {"no": HangUp(cause="busy")}))
    told.call()
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.FLOW_COMPLETED
