"""The agent apart from his contacts: wishes that are carried out or refused, a new plan."""

from ccserver.core.agent import AgentState
from ccserver.core.events import (
    Accepted,
    ConfigReplaced,
    PhoneChanged,
    Refused,
    SetAgentState,
)
from ccserver.core.ids import AgentId
from ccserver.core.records import PlanAdopted
from tests.unit.core_case import Case, operator, plan


def state(told: Case, agent: str = "1001") -> tuple[str, str]:
    return told.agent(agent).state, told.agent(agent).reason


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
