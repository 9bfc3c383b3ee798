"""Who gets whom: skills and levels, credit, longest idle, most skilled, fairness; and what a match costs."""

from collections.abc import Callable
from itertools import permutations
from math import log2

import pytest

from ccserver.core import prospects, queueing
from ccserver.core.ids import AgentId, ContactId, QueueName, StepName
from ccserver.core.matching import Ability, Head, Idle, Matcher, Need, Rest, Waiting, able, proficiency
from ccserver.core.plan import Queue
from ccserver.core.steps import Branch, Enqueue, Menu
from tests.unit.core_case import (
    NODE,
    SUPPORT,
    Case,
    listed_agent,
    listed_caller,
    needs,
    operator,
    plan,
    queue,
    straight_into,
)

S = StepName
SALES = QueueName("sales")


def need(name: str = SUPPORT, **skills: int) -> Need:
    return Need(QueueName(name), needs(**skills))


@pytest.mark.parametrize(
    ("asked", "agent", "fits"),
    [
        (need(), operator("1"), True),
        (need(), operator("1", "sales"), False),
        (need("sales"), operator("1", "support", "sales"), True),
        (need(ru=1), operator("1", ru=1), True),
        (need(ru=1), operator("1"), False),
        (need(ru=5), operator("1", ru=4), False),
        (need(ru=5), operator("1", ru=10), True),
        (need(ru=1, en=3), operator("1", ru=9, en=2), False),
        (need(ru=1, en=3), operator("1", ru=1, en=3), True),
    ],
)
def test_an_agent_serves_the_queues_and_skill_levels_he_has(asked: Need, agent: object, fits: bool) -> None:
    ability = Ability.of(agent)  # type: ignore[arg-type]
    assert able(asked, ability) is fits
    matcher = Matcher(plan())
    assert [matcher.able(asked, ability) for _ in range(2)] == [fits, fits], "as remembered, too"


def test_proficiency_is_the_sum_of_the_levels_that_are_needed() -> None:
    assert proficiency(need(ru=1, en=1), Ability.of(operator("1", ru=5, en=3, fr=9))) == 8


def test_a_caller_waits_for_an_agent_of_the_level_he_needs_and_others_do_not_wait_for_him() -> None:
    told = Case(
        plan(
            {
                "ask": Menu(("ask",), {"1": S("easy"), "2": S("hard")}, otherwise=S("easy")),
                "easy": Enqueue(SUPPORT),
                "hard": Enqueue(SUPPORT, skills=needs(ru=7)),
            },
            operators=[operator("1001", ru=6), operator("1002", ru=7)],
        ),
        ready=False,
    )
    told.call()
    told.press("2")
    told.call("c2")
    told.press("1", "c2")
    told.phone("1001")
    told.wish("1001", "ready")
    assert told.offered() == [("c2", "1001")], "the older caller needs more"
    told.phone("1002")
    told.wish("1002", "ready")
    assert told.offered() == [("c1", "1002")]


def waits(told: Case, *callers: str) -> None:
    for caller in callers:
        told.call(caller)
        told.wait(1.0)


def serve(told: Case, agent: str, count: int) -> list[str]:
    """The callers that the agent gets one after another."""
    told.phone(agent)
    told.wish(agent, "ready")
    served = []
    for _ in range(count):
        ((caller, _agent),) = told.offered()
        served.append(caller)
        offer = f"n1-{caller}.1"
        told.answers(offer)
        told.ended(offer)
        told.hang_up(caller)
        told.wait(15.0)
    return served


def test_callers_are_served_in_the_order_in_which_they_came_to_the_queue() -> None:
    told = Case(ready=False)
    waits(told, "c3", "c1", "c2")
    assert serve(told, "1001", 3) == ["c3", "c1", "c2"]


def test_at_the_same_instant_the_order_is_that_of_their_ids() -> None:
    told = Case(ready=False)
    for caller in ("c2", "c1"):
        told.call(caller)
    assert serve(told, "1001", 2) == ["c1", "c2"]


def test_priority_is_seconds_of_credit_and_no_more() -> None:
    vip = Branch("ani", {"+7VIP": S("vip")}, otherwise=S("wait"))
    told = Case(plan({"vip?": vip, "vip": Enqueue(SUPPORT, priority_s=10.0), "wait": Enqueue(SUPPORT)}), ready=False)
    told.call("old")
    told.wait(11.0)
    told.call("young")
    told.wait(5.0)
    told.call("vip", ani="+7VIP")
    assert serve(told, "1001", 3) == ["old", "vip", "young"], "16 s behind and 10 s of credit; 5 s behind"


def two_queues(*, sales_credit_s: float = 0.0) -> Case:
    """Callers from `+7S` want sales, the others support."""
    steps = {
        "which": Branch("ani", {"+7S": S("sales")}, otherwise=S("support")),
        "sales": Enqueue(SALES),
        "support": Enqueue(SUPPORT),
    }
    queues = [queue("sales", priority_s=sales_credit_s), queue()]
    operators = [operator("1001", "sales", "support"), operator("1002", "support")]
    return Case(plan(steps, queues=queues, operators=operators), ready=False)


def test_an_agent_of_several_queues_takes_the_oldest_of_all_of_them() -> None:
    told = two_queues()
    for caller, ani in (("c1", "+7"), ("c2", "+7S"), ("c3", "+7S"), ("c4", "+7")):
        told.call(caller, ani=ani)
        told.wait(1.0)
    assert serve(told, "1001", 4) == ["c1", "c2", "c3", "c4"]


def test_a_queue_with_credit_goes_first_by_that_much() -> None:
    told = two_queues(sales_credit_s=1.5)
    for caller, ani in (("c1", "+7"), ("c2", "+7"), ("c3", "+7S"), ("c4", "+7")):
        told.call(caller, ani=ani)
        told.wait(1.0)
    assert serve(told, "1001", 4) == ["c1", "c3", "c2", "c4"]


def test_the_longest_idle_of_those_able_is_chosen_whatever_bench_he_sits_on() -> None:
    told = Case(plan(operators=[operator("1001", ru=1), operator("1002", ru=9), operator("1003")]), ready=False)
    for agent in ("1002", "1003", "1001"):
        told.phone(agent)
        told.wish(agent, "ready")
        told.wait(1.0)
    order = []
    for caller in ("c1", "c2", "c3"):
        told.call(caller)
        order += [agent for _caller, agent in told.offered()]
    assert order == ["1002", "1003", "1001"]
    assert told.offer("n1-c1.1").why == "longest idle of 3 able to take it"


def test_the_most_skilled_is_chosen_where_the_queue_wants_it_and_among_equals_the_longest_idle() -> None:
    told = Case(
        plan(
            queues=[Queue(SUPPORT, "Support", needs(ru=1), pick="most_skilled")],
            operators=[operator("1001", ru=3), operator("1002", ru=9, en=1), operator("1003", ru=9), operator("1004")],
        ),
        ready=False,
    )
    for agent in ("1001", "1003", "1004", "1002"):
        told.phone(agent)
        told.wish(agent, "ready")
        told.wait(1.0)
    order = []
    for caller in ("c1", "c2", "c3", "c4"):
        told.call(caller)
        order += [agent for _caller, agent in told.offered()]
    assert order == ["1003", "1002", "1001"], "and who lacks the skill gets nothing"
    assert told.offer("n1-c1.1").why == "most skilled of 3 able to take it"


def test_all_who_can_be_matched_are_matched_in_one_step() -> None:
    told = Case(plan(operators=[operator(str(1001 + n)) for n in range(3)]), linked=False)
    callers = ("c4", "c3", "c2", "c1")
    waits(told, *callers)
    assert not told.offered(), "nothing is heard of the node"
    told.connect(*map(listed_caller, callers))
    assert told.offered() == [("c4", "1001"), ("c3", "1002"), ("c2", "1003")]


@pytest.mark.parametrize("order", list(permutations(("c1", "c2", "c3"))))
def test_a_place_survives_every_offer_that_fails(order: tuple[str, ...]) -> None:
    told = Case(ready=False)
    waits(told, *order)
    told.phone("1001")
    told.wish("1001", "ready")
    for attempt in range(1, 4):
        assert told.offered() == [(order[0], "1001")]
        told.ended(f"n1-{order[0]}.{attempt}", 17, 486)
        told.wait(10.0)


def test_a_seat_moves_with_its_idle_time_and_its_skills() -> None:
    idle = Idle()
    low, high = Ability.of(operator("1", ru=1)), Ability.of(operator("1", ru=9))
    idle.add(AgentId("1"), low, Rest(5.0))
    idle.add(AgentId("2"), low, Rest(3.0))
    assert [(seat.agent, seat.bench) for seat in idle.benches()] == [("2", 2)]
    idle.add(AgentId("2"), low, Rest(7.0))
    assert [seat.agent for seat in idle.benches()] == ["1"]
    idle.add(AgentId("1"), high, Rest(5.0))
    assert len(idle) == 2 and {(seat.ability, seat.agent) for seat in idle.benches()} == {(low, "2"), (high, "1")}
    for agent in ("1", "1", "2"):
        idle.remove(AgentId(agent))
    assert len(idle) == 0 and not list(idle.benches())


def test_a_place_is_taken_once_can_be_changed_and_left_twice() -> None:
    waiting = Waiting()
    for _ in range(2):
        waiting.add(ContactId("a"), need(), 5.0, NODE)
    waiting.add(ContactId("b"), need("sales"), 2.0, NODE)
    assert list(waiting.heads()) == [Head(2.0, ContactId("b"), need("sales")), Head(5.0, ContactId("a"), need())]
    waiting.add(ContactId("a"), need("sales"), 1.0, NODE)
    assert list(waiting.heads()) == [Head(1.0, ContactId("a"), need("sales"))]
    waiting.add(ContactId("a"), need(), 5.0, NODE)
    for contact in ("a", "a"):
        waiting.remove(ContactId(contact))
    assert ContactId("a") not in waiting and ContactId("b") in waiting


# --- somebody who is asked for by name ---------------------------------------------------------------------------------


def named(agent: str, name: str = SUPPORT) -> Need:
    return Need(QueueName(name), (), agent=AgentId(agent))


def asks_for(told: Case, agent: str, *, seconds: float | None = None, caller: str = "c1") -> None:
    until = None if seconds is None else told.now + seconds
    queueing.ask_for(told.router.floor, told.contact(caller), AgentId(agent), until)
    told.tell()


def hall(*ready: str) -> Case:
    """1001, 1002 and 1003 in support, these of them ready; 1009 works in sales."""
    support = [operator(extension) for extension in ("1001", "1002", "1003")]
    told = Case(plan(queues=[queue(), queue("sales")], operators=[*support, operator("1009", "sales")]), ready=False)
    for agent in ready:
        joins(told, agent)
    return told


def joins(told: Case, agent: str) -> None:
    told.phone(agent)
    told.wish(agent, "ready")


def test_who_is_asked_for_by_name_gets_the_contact_and_nobody_else_does() -> None:
    told = hall()
    told.call()
    asks_for(told, "1002")
    joins(told, "1001")
    assert not told.offered(), "another one is idle"
    joins(told, "1002")
    assert told.offered() == [("c1", "1002")]
    assert told.offer().why == "asked for by name"


def test_who_is_asked_for_by_name_need_not_have_what_the_queue_asks() -> None:
    told = hall()
    told.call()
    asks_for(told, "1009")
    joins(told, "1009")
    assert told.offered() == [("c1", "1009")]


def test_who_is_asked_for_by_name_serves_the_oldest_first_whoever_asks_for_whom() -> None:
    told = hall()
    waits(told, "c1", "c2", "c3")
    asks_for(told, "1001", caller="c2")
    assert serve(told, "1001", 3) == ["c1", "c2", "c3"]


def test_those_who_ask_for_the_same_agent_are_served_in_their_order() -> None:
    told = hall()
    waits(told, "c3", "c1", "c2")
    for caller in ("c2", "c1", "c3"):
        asks_for(told, "1001", caller=caller)
    assert serve(told, "1001", 3) == ["c3", "c1", "c2"]


def test_after_its_time_the_contact_is_anybodys_who_has_what_it_needs() -> None:
    told = hall()
    told.call()
    joins(told, "1009")
    asks_for(told, "1002", seconds=20.0)
    joins(told, "1001")
    told.wait(19.0)
    assert not told.offered()
    told.wait(1.0)
    assert told.offered() == [("c1", "1001")]


@pytest.mark.parametrize("seconds", [20.0, None])
def test_only_who_wants_him_alone_goes_on_waiting_for_somebody_who_has_gone(seconds: float | None) -> None:
    told = hall("1002")
    told.call("c0")
    told.answers("n1-c0.1")
    told.call()
    asks_for(told, "1002", seconds=seconds)
    joins(told, "1001")
    assert not told.offered()
    told.wish("1002", "logged_out")
    assert not told.offered(), "he still talks"
    told.hang_up("c0")
    told.ended("n1-c0.1")
    told.wait(15.0)
    assert told.offered() == ([("c1", "1001")] if seconds else []), "after his wrap-up he is gone"


def test_when_he_does_not_pick_up_others_may() -> None:
    told = hall()
    told.call()
    asks_for(told, "1002", seconds=100.0)
    joins(told, "1001")
    joins(told, "1002")
    told.rings()
    told.wait(20.0)
    assert told.offer().outcome == "rona"
    assert told.offered() == [("c1", "1001")]


def test_who_asks_for_somebody_by_name_is_told_of_his_wait_alone() -> None:
    told = hall("1001", "1002")
    told.call("c0")
    told.answers("n1-c0.1")
    floor = told.router.floor
    talker = told.offer("n1-c0.1").agent
    told.call()
    told.rings()
    told.call("c2")
    queueing.ask_for(floor, told.contact("c2"), AgentId("1003"), None)
    assert prospects.expected_wait_s(floor, floor.contacts[told.contact("c2").id]) is None, "he is not there"
    queueing.ask_for(floor, floor.contacts[told.contact("c2").id], talker, None)
    alone_s = prospects.expected_wait_s(floor, floor.contacts[told.contact("c2").id])
    queueing.ask_for(floor, floor.contacts[told.contact("c2").id], AgentId("1003"), told.now + 7.0)
    with_others_s = prospects.expected_wait_s(floor, floor.contacts[told.contact("c2").id])
    assert alone_s is not None and with_others_s is not None
    assert 7.0 <= with_others_s < alone_s


def test_a_name_survives_a_restart() -> None:
    told = hall("1001")
    told.call("c0")
    told.answers("n1-c0.1")
    told.call()
    asks_for(told, "1002", seconds=20.0)
    again = told.restarted()
    again.connect(*map(listed_caller, ("c0", "c1")), listed_agent("n1-c0.1", up=True))
    joins(again, "1003")
    assert not again.offered()
    joins(again, "1002")
    assert again.offered() == [("c1", "1002")]


# --- cost -------------------------------------------------------------------------------------------------------------


class Counted(float):
    """A time that counts how often it is compared."""

    compared = 0

    def _counting(compare: Callable[[float, float], bool]) -> Callable[["Counted", float], bool]:  # type: ignore[misc]
        def counted(self: "Counted", other: float) -> bool:
            Counted.compared += 1
            return compare(self, other)

        return counted

    __lt__ = _counting(float.__lt__)  # type: ignore[assignment]
    __le__ = _counting(float.__le__)  # type: ignore[assignment]
    __gt__ = _counting(float.__gt__)  # type: ignore[assignment]
    __ge__ = _counting(float.__ge__)  # type: ignore[assignment]
    __eq__ = _counting(float.__eq__)  # type: ignore[assignment]
    __hash__ = float.__hash__


def comparisons_of_one_event(people: int) -> int:
    """With so many waiting and so many idle who may not serve them: one caller comes, is matched, and one agent leaves."""
    waiting, idle, matcher = Waiting(), Idle(), Matcher(plan())
    kinds = [need(), need("sales"), need("sales", ru=5)]
    for number in range(people):
        waiting.add(ContactId(f"c{number}"), kinds[number % 3], Counted(number * 7919 % people), NODE)
        waiting.add(ContactId(f"n{number}"), named(f"b{number}"), Counted(number * 7919 % people), NODE)
        idle.add(AgentId(f"a{number}"), Ability.of(operator("x", "other", ru=number % 3)), Rest(Counted(number)))
    Counted.compared = 0
    assert matcher.best(waiting, idle) is None
    idle.add(AgentId("new"), Ability.of(operator("x", "sales")), Rest(Counted(0.5)))
    pair = matcher.best(waiting, idle)
    assert pair is not None and pair.agent == "new"
    waiting.remove(pair.contact)
    idle.remove(pair.agent)
    waiting.add(ContactId("own"), named(f"a{people // 2}"), Counted(people), NODE)
    pair = matcher.best(waiting, idle)
    assert pair is not None and pair.contact == "own", "found by his name"
    waiting.remove(pair.contact)
    idle.remove(pair.agent)
    waiting.add(ContactId("new"), kinds[0], Counted(people / 2), NODE)
    return Counted.compared


def test_an_event_costs_no_more_than_the_logarithm_of_all_who_wait_and_idle() -> None:
    costs = {people: comparisons_of_one_event(people) for people in (10, 100, 1_000, 10_000)}
    for people, cost in costs.items():
        assert cost <= 40 * log2(people), costs
    assert costs[10_000] <= costs[10] * log2(10_000) / log2(10), costs


def test_the_walk_over_lines_and_benches_is_as_long_as_the_configuration_has_kinds() -> None:
    operators = [operator(str(1001 + n), en=n % 2) for n in range(50)]
    told = Case(plan(operators=operators, queues=[queue(skills=needs(ru=1))]))
    for number in range(200):
        told.call(f"c{number}")
    floor = told.router.floor
    assert len(floor.idle) == 50 and len(list(floor.idle.benches())) == 2
    assert len(list(floor.waiting.heads())) == 1


def test_the_deadlines_of_a_thousand_callers_are_found_by_asking_for_the_first() -> None:
    told = Case(plan(straight_into(max_wait_s=600.0, otherwise=S("wait"))), ready=False)
    for number in range(1_000):
        told.call(f"c{number}")
        told.wait(0.001)
    assert told.router.deadline() == pytest.approx(1600.0)
    asked = 0
    deadline = type(told.contact("c0")).deadline.fget

    def counted(contact: object) -> float | None:
        nonlocal asked
        asked += 1
        return deadline(contact)  # type: ignore[misc, no-any-return]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(told.contact("c0")), "deadline", property(counted))
        told.hang_up("c0")
        told.call("c1000")
        assert told.router.deadline() == pytest.approx(1600.001)
    assert asked < 20
