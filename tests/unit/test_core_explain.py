"""The decision log: what is written down of each decision, that it stays small, and what the roster counts."""

from collections import Counter

import pytest

from ccserver.core.agent import AgentState
from ccserver.core.decision import Decision, Lack, Shortage
from ccserver.core.explain import NAMED, lack_of, lacking
from ccserver.core.ids import AgentId, QueueName, StepName
from ccserver.core.matching import Ability, Need, able
from ccserver.core.records import DecisionSaved, ShortageSaved
from ccserver.core.roster import Roster
from ccserver.core.steps import Enqueue, Menu, Step
from tests.unit.core_case import SUPPORT, Case, listed_caller, needs, operator, plan, straight_into

S = StepName
WAITS = straight_into()
THREE = [operator("1001", en=5), operator("1002"), operator("1003")]


def logged_out(*extensions: str, steps: dict[str, Step] = WAITS) -> Case:
    """Phones are registered, and nobody has logged in."""
    people = [each for each in THREE if each.extension in extensions]
    case = Case(plan(steps, operators=people), ready=False)
    for extension in extensions:
        case.phone(extension)
    return case


def decided(case: Case) -> list[Decision]:
    return [record.decision for record in case.kept(DecisionSaved)]


def short(case: Case) -> list[Shortage]:
    return [record.shortage for record in case.kept(ShortageSaved)]


def test_an_offer_says_who_was_chosen_why_and_who_else_was_there() -> None:
    case = Case(plan(WAITS, operators=THREE))
    case.wait(30)
    case.call()
    (first,) = decided(case)
    assert (first.contact, first.offer, first.agent, first.lack) == ("n1-c1", 1, "1001", None)
    assert (first.why, first.idle, first.ahead) == ("longest idle of 3 able to take it", 3, 0)
    assert first.at - (first.idle_since or 0.0) == 30.0
    assert dict(first.able) == {AgentState.READY: 3}
    assert [(other.agent, other.lacks) for other in first.others] == [("1002", "")], "the first of each other bench"


def test_idle_agents_who_may_not_take_it_are_named_with_what_they_lack() -> None:
    steps = {"wait": Enqueue(SUPPORT, skills=needs(en=3))}
    case = Case(plan(steps, operators=[*THREE, operator("1004", en=2), operator("1005", "sales", en=9)]))
    case.call()
    (first,) = decided(case)
    assert first.agent == "1001" and first.able == {AgentState.READY: 1}
    assert {other.agent: other.lacks for other in first.others} == {
        "1002": "needs en at 3, has not the skill",
        "1004": "needs en at 3, has level 2",
        "1005": "not in queue support",
    }


def test_who_begins_to_wait_is_told_once_why_and_how_many_are_before_him() -> None:
    case = Case(plan(WAITS, operators=[operator("1001")]))
    for caller in ("c1", "c2", "c3"):
        case.call(caller)
    assert [(each.contact, each.offer, each.lack, each.ahead) for each in decided(case)] == [
        ("n1-c1", 1, None, 0),
        ("n1-c2", 0, Lack.AT_WORK, 0),
        ("n1-c3", 0, Lack.AT_WORK, 1),
    ]
    case.rings()
    case.answers()
    case.wait(600)
    assert len(decided(case)) == 3 and short(case) == [], "waiting long writes nothing"


def test_why_nobody_takes_them_is_written_once_for_all_who_wait_and_only_when_it_changes() -> None:
    case = logged_out("1001", "1002")
    for n in range(20):
        case.call(f"c{n}")
    assert {each.lack for each in decided(case)} == {Lack.NOBODY_LOGGED_IN}
    case.wish("1001", "not_ready", "lunch")
    case.wish("1002", "not_ready", "break")
    case.wish("1002", "not_ready", "lunch")
    case.phone("1001", reachable=False)
    case.wish("1001", "logged_out")
    case.wish("1002", "logged_out")
    assert [each.lack for each in short(case)] == [Lack.BREAKS, Lack.PHONES_AWAY, Lack.BREAKS, Lack.NOBODY_LOGGED_IN]
    assert dict(short(case)[1].able) == {AgentState.NOT_READY: 1, AgentState.UNREACHABLE: 1}


def test_while_nobody_waits_nothing_is_written() -> None:
    case = logged_out("1001", "1002", "1003")
    case.wish("1001", "not_ready")
    case.wish("1001", "logged_out")
    assert not short(case) and not decided(case)


def test_every_need_has_a_reason_of_its_own() -> None:
    steps = {
        "ask": Menu(("ask",), {"1": S("easy"), "2": S("hard")}, otherwise=S("easy")),
        "easy": Enqueue(SUPPORT),
        "hard": Enqueue(SUPPORT, skills=needs(en=3)),
    }
    case = logged_out("1001", "1002", steps=steps)
    for caller, key in (("c1", "1"), ("c2", "2")):
        case.call(caller)
        case.press(key, caller)
    case.wish("1002", "not_ready")
    assert [(each.needs, each.lack) for each in short(case)] == [((), Lack.BREAKS)]
    case.wish("1001", "not_ready")
    assert [(each.needs, each.lack) for each in short(case)][1:] == [(needs(en=3), Lack.BREAKS)]


def test_an_offer_that_came_to_nothing_and_the_next_one_are_two_decisions() -> None:
    case = Case(plan(WAITS, operators=[operator("1001"), operator("1002")]))
    case.call()
    case.ended("n1-c1.1", 17, 486)
    assert [(each.segment, each.offer, each.agent) for each in decided(case)] == [(2, 1, "1001"), (2, 2, "1002")]


def test_the_named_are_bounded_however_many_kinds_of_agents_are_idle() -> None:
    many = [operator(str(1000 + n), **{f"s{n}": 1}) for n in range(40)]
    case = Case(plan(WAITS, operators=many))
    case.call()
    (first,) = decided(case)
    assert len(first.others) == NAMED and first.idle == 40


def test_a_restart_forgets_no_reason_of_who_waits() -> None:
    case = logged_out("1001")
    case.call()
    again = case.restarted()
    again.connect(listed_caller("c1"))
    again.phone("1001")
    again.wish("1001", "not_ready")
    assert [each.lack for each in short(again)][-1] is Lack.BREAKS


@pytest.mark.parametrize(
    ("doing", "lack"),
    [
        ({}, Lack.NOBODY_ABLE),
        ({AgentState.LOGGED_OUT: 3}, Lack.NOBODY_LOGGED_IN),
        ({AgentState.LOGGED_OUT: 3, AgentState.NOT_READY: 1}, Lack.BREAKS),
        ({AgentState.UNREACHABLE: 1, AgentState.NOT_READY: 1}, Lack.PHONES_AWAY),
        ({AgentState.UNREACHABLE: 5, AgentState.WRAP_UP: 1}, Lack.AT_WORK),
        ({AgentState.RESERVED: 1}, Lack.AT_WORK),
    ],
)
def test_why_nobody_takes_it_is_what_is_nearest_to_serving_it(doing: dict[AgentState, int], lack: Lack) -> None:
    assert lack_of(doing) is lack


def test_what_an_agent_lacks_is_said_of_the_queue_first() -> None:
    need = Need(QueueName("sales"), needs(en=2))
    assert lacking(need, Ability.of(operator("1", "support", en=9))) == "not in queue sales"
    assert lacking(need, Ability.of(operator("1", "sales", en=1))) == "needs en at 2, has level 1"
    assert lacking(need, Ability.of(operator("1", "sales", en=2))) == ""


def test_the_roster_counts_as_if_it_walked_over_everybody() -> None:
    """Whatever the order of changes, of new needs and of agents who come and go."""
    people = {AgentId(str(n)): operator(str(n), **({"en": n} if n % 2 else {})) for n in range(1, 9)}
    asked = [Need(QueueName(SUPPORT), ()), Need(QueueName(SUPPORT), needs(en=4)), Need(QueueName("sales"), ())]
    states = list(AgentState)
    roster, doing = Roster(able), dict[AgentId, AgentState]()
    for turn in range(200):
        agent = AgentId(str(1 + turn * 7 % 8))
        if turn % 13 == 12:
            roster.drop(agent)
            doing.pop(agent, None)
        else:
            doing[agent] = states[turn * 5 % len(states)]
            roster.put(agent, Ability.of(people[agent]), doing[agent])
        for need in asked[: 1 + turn // 50]:
            counted = Counter(doing[each] for each in doing if able(need, Ability.of(people[each])))
            assert roster.crew(need).tally == dict(counted)
