"""Which contacts a new plan would leave in a queue where nobody comes any more."""

from ccserver.core.plan import Plan
from ccserver.core.steps import HangUp, Menu
from ccserver.core.succession import stranded
from tests.unit.core_case import Case, operator, plan, queue, straight_into

SALES = queue("sales")
BOTH = [operator("1001", "support", "sales")]


def only(name: str) -> Plan:
    """A plan whose one operator serves that queue."""
    return plan(queues=[queue(), SALES], operators=[operator("1001", name)], name="new")


def test_who_waits_where_nobody_will_come_is_counted_by_queue() -> None:
    told = Case(plan(queues=[queue(), SALES], operators=BOTH), ready=False)
    told.call("c1")
    told.call("c2")
    assert stranded(told.router.floor, only("sales")) == {"support": 2}
    assert stranded(told.router.floor, only("support")) == {}


def test_who_may_yet_come_to_such_a_queue_is_counted_too() -> None:
    steps = {"menu": Menu(("m",), {"1": "wait", "2": "bye"}, "bye"), **straight_into(), "bye": HangUp()}
    told = Case(plan(steps, queues=[queue(), SALES], operators=BOTH))
    told.call()
    assert stranded(told.router.floor, only("sales")) == {"support": 1}
    told.press("2")
    told.hang_up()
    assert stranded(told.router.floor, only("sales")) == {}


def test_a_skill_that_nobody_has_any_more_counts_and_one_that_nobody_ever_had_does_not() -> None:
    told = Case(plan(operators=[operator("1001", chess=5)], steps=straight_into(skills=())), ready=False)
    told.call()
    weaker = plan(operators=[operator("1001", chess=1)], name="new")
    assert stranded(told.router.floor, weaker) == {}
    nobody = Case(plan(operators=[operator("1001", "sales")]))
    nobody.call()
    assert stranded(nobody.router.floor, plan(operators=[operator("1001", "other")], name="new")) == {}


def test_who_talks_is_in_no_queue() -> None:
    told = Case(plan(queues=[queue(), SALES], operators=BOTH))
    told.call()
    told.answers()
    assert stranded(told.router.floor, only("sales")) == {}
