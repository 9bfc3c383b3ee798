"""The agent apart from his contacts: feature codes and what is said back, requests that are refused, a new plan."""

import pytest
from msgspec.structs import replace

from ccserver.core.agent import AgentState
from ccserver.core.commands import AnswerLeg, HangUpLeg, PlayPrompts
from ccserver.core.events import (
    Accepted,
    CodeDialled,
    CommandFailed,
    ConfigReplaced,
    LegEnded,
    PhoneChanged,
    PlayFinished,
    Refused,
    SetAgentState,
)
from ccserver.core.ids import AgentId, Language, LegId, PlayId
from ccserver.core.records import PlanAdopted
from tests.unit.core_case import NODE, RU, Case, operator, plan

CODE = LegId("code1")


def dialled(told: Case, code: str, agent: str | None = "1001") -> tuple[str, ...]:
    """What the operator hears."""
    told.tell(CodeDialled(AgentId(agent) if agent else None, CODE, NODE, code, at=told.now))
    (play,) = told.commanded(PlayPrompts)
    return play.items


def state(told: Case, agent: str = "1001") -> tuple[str, str]:
    return told.agent(agent).state, told.agent(agent).reason


@pytest.mark.parametrize(
    ("code", "said", "now"),
    [
        ("*11", ("agent-ready",), ("ready", "")),
        ("*12", ("agent-not-ready",), ("not_ready", "")),
        ("*121", ("agent-not-ready", "reason-1"), ("not_ready", "lunch")),
        ("*13", ("agent-logged-out",), ("logged_out", "")),
    ],
)
def test_a_feature_code_is_obeyed_and_confirmed_by_voice(
    code: str, said: tuple[str, ...], now: tuple[str, str]
) -> None:
    told = Case()
    if code == "*11":
        told.wish("1001", "logged_out")
    assert dialled(told, code) == said
    assert state(told) == now


@pytest.mark.parametrize("code", ["*129", "*10", "*111", "*131", "*1", "", "*", "123", "*12*"])
def test_a_code_that_is_none_changes_nothing_and_says_so(code: str) -> None:
    told = Case()
    assert dialled(told, code) == ("agent-unknown-code",)
    assert state(told) == ("ready", "")


@pytest.mark.parametrize("agent", [None, "9999"])
def test_who_is_no_operator_is_told_so(agent: str | None) -> None:
    told = Case()
    assert dialled(told, "*13", agent) == ("agent-not-an-operator",)
    assert state(told) == ("ready", "")


def test_the_confirmation_is_in_the_operators_language_and_its_end_hangs_up() -> None:
    configured = plan(operators=[replace(operator("1001"), language=Language("en"))])
    told = Case(configured)
    dialled(told, "*12")
    answer, play = told.commands
    assert answer == AnswerLeg(CODE, Language("en"), lane="code1")
    assert isinstance(play, PlayPrompts) and (play.leg, play.language) == (CODE, "en")
    told.tell(PlayFinished(CODE, PlayId("other"), at=told.now))
    assert not told.commands
    told.tell(PlayFinished(CODE, play.play, at=told.now))
    assert told.commands == [HangUpLeg(CODE, lane="code1")]
    told.tell(LegEnded(CODE, at=told.now))
    assert not told.router.floor.codes


def test_a_stranger_hears_russian() -> None:
    told = Case()
    dialled(told, "*11", None)
    assert told.commanded(AnswerLeg) == [AnswerLeg(CODE, RU, lane="code1")]


def test_a_confirmation_that_cannot_be_played_hangs_up_and_a_hangup_that_fails_is_not_repeated() -> None:
    told = Case()
    dialled(told, "*12")
    (play,) = told.commanded(PlayPrompts)
    told.tell(CommandFailed(play, "500", at=told.now))
    (hang_up,) = told.commands
    assert hang_up == HangUpLeg(CODE, lane="code1")
    told.tell(CommandFailed(hang_up, "500", at=told.now))
    assert not told.commands


def test_an_operator_may_hang_up_before_he_has_heard_it() -> None:
    told = Case()
    dialled(told, "*12")
    told.tell(LegEnded(CODE, at=told.now))
    assert state(told) == ("not_ready", "") and not told.router.floor.codes


def test_a_wish_for_nobody_is_refused_and_changes_nothing() -> None:
    told = Case()
    before = told.router.state()
    told.wish("9999", "ready")
    assert told.router.answers == (Refused("no operator has the extension 9999"),)
    assert told.router.state() == before


def test_answers_come_in_the_order_of_the_requests_and_for_this_step_alone() -> None:
    told = Case()
    wishes = [SetAgentState(AgentId(agent), "not_ready", "lunch", at=told.now) for agent in ("9999", "1001", "9998")]
    told.tell(*wishes)
    assert [type(answer) for answer in told.router.answers] == [Refused, Accepted, Refused]
    told.tell()
    assert told.router.answers == ()


def test_a_reason_belongs_to_not_ready_alone() -> None:
    told = Case()
    told.wish("1001", "not_ready", "lunch")
    assert state(told) == ("not_ready", "lunch")
    told.wish("1001", "ready", "lunch")
    assert state(told) == ("ready", "") and told.agent().then_reason == ""


def test_a_phone_of_nobody_is_counted_and_ignored() -> None:
    told = Case()
    ignored = told.router.floor.ignored
    told.tell(PhoneChanged(AgentId("9999"), reachable=True, in_use=False, at=told.now))
    assert told.router.floor.ignored == ignored + 1


def test_a_new_operator_begins_logged_out() -> None:
    told = Case()
    told.wait(5.0)
    told.tell(ConfigReplaced(plan(operators=[operator("1001"), operator("1002")], name="more"), at=told.now))
    assert state(told) == ("ready", "") and state(told, "1002") == ("logged_out", "")
    assert told.agent("1002").since == 1005.0
    assert [record.plan.hash for record in told.kept(PlanAdopted)] == ["plan", "more"]


def test_an_operator_who_left_the_plan_is_logged_out_and_finishes_his_talk_first() -> None:
    told = Case(plan(operators=[operator("1001"), operator("1002")]))
    told.call()
    told.answers()
    told.tell(ConfigReplaced(plan(operators=[operator("1003")], name="less"), at=told.now))
    assert state(told, "1002") == ("logged_out", "") and told.agent().state is AgentState.TALKING
    told.call("c2")
    assert not told.offered()
    told.ended("n1-c1.1")
    told.wait(15.0)
    assert state(told) == ("logged_out", "")
    told.wish("1001", "ready")
    assert told.router.answers == (Refused("no operator has the extension 1001"),)


def test_a_new_plan_moves_an_idle_operator_to_what_he_can_do_now() -> None:
    told = Case(plan(operators=[operator("1001", "sales")]))
    told.call()
    assert not told.offered()
    told.tell(ConfigReplaced(plan(name="new"), at=told.now))
    assert told.offered() == [("c1", "1001")]


def test_an_operator_who_comes_back_to_the_plan_is_there_as_he_was_left() -> None:
    told = Case()
    told.tell(ConfigReplaced(plan(operators=[operator("1002")], name="less"), at=told.now))
    told.tell(ConfigReplaced(plan(name="again"), at=told.now))
    assert state(told) == ("logged_out", "")
    told.wish("1001", "ready")
    assert state(told) == ("ready", ""), "his phone was known all the time"
