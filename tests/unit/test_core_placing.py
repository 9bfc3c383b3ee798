"""A supervisor moves who waits, or puts him forward: his time goes with him, and it is kept who did it."""

import pytest

from ccserver.core.contact import ContactState, SegmentKind, SegmentOutcome
from ccserver.core.events import Accepted, MoveContact, Refused, SetPriority
from ccserver.core.ids import ContactId, QueueName, StepName
from ccserver.core.steps import Enqueue, HangUp
from tests.unit.core_case import SUPPORT, Case, listed_caller, needs, operator, plan, queue

SALES = QueueName("sales")


def house(**step: object) -> Case:
    """1001 in support, 1002 in sales, who speaks English at 5; nobody is ready."""
    steps = {"wait": Enqueue(SUPPORT, **step), "bye": HangUp(("bye",))}  # type: ignore[arg-type]
    queues = [queue(priority_s=10.0), queue("sales", priority_s=2.0)]
    return Case(plan(steps, queues=queues, operators=[operator("1001"), operator("1002", "sales", en=5)]), ready=False)


def moves(told: Case, caller: str = "c1", to: str = "sales", by: str = "irina") -> Accepted | Refused:
    told.tell(MoveContact(ContactId(f"n1-{caller}"), QueueName(to), by, at=told.now))
    (answer,) = told.router.answers
    return answer


def raises(told: Case, seconds: float, caller: str = "c1", by: str = "irina") -> Accepted | Refused:
    told.tell(SetPriority(ContactId(f"n1-{caller}"), seconds, by, at=told.now))
    (answer,) = told.router.answers
    return answer


def order(told: Case, caller: str = "c1") -> float:
    place = told.contact(caller).place
    assert place is not None
    return place.order


def logs_in(told: Case, agent: str) -> None:
    told.phone(agent)
    told.wish(agent, "ready")


def test_who_is_moved_is_served_there_at_once_and_has_waited_all_his_time() -> None:
    told = house()
    logs_in(told, "1002")
    told.call()
    told.wait(40.0)
    assert moves(told) == Accepted()
    assert told.offered() == [("c1", "1002")]
    assert order(told) == 1000.0 - 2.0, "his time, with the credit of the other queue"
    queued = [segment for segment in told.segments() if segment.kind is SegmentKind.QUEUE]
    assert [(each.queue, each.outcome, each.reason) for each in queued] == [
        (SUPPORT, SegmentOutcome.OVERFLOWED, "moved, irina"),
        (SALES, None, ""),
    ]


def test_what_his_step_asked_is_asked_in_the_other_queue_too_and_its_ways_out_stay() -> None:
    told = house(skills=needs(en=9), max_wait_s=60.0, otherwise=StepName("bye"))
    logs_in(told, "1002")
    told.call()
    told.wait(40.0)
    moves(told)
    assert not told.offered(), "1002 speaks English at 5"
    told.wait(20.0)
    assert told.contact().state is ContactState.FLOW


def test_who_is_raised_passes_those_who_came_less_than_that_before_him() -> None:
    told = house()
    for caller in ("c1", "c2", "c3"):
        told.call(caller)
        told.wait(10.0)
    assert raises(told, 15.0, "c3") == Accepted()
    assert order(told, "c1") < order(told, "c3") < order(told, "c2")
    raises(told, 25.0, "c3")
    assert order(told, "c3") == order(told, "c1") - 5.0, "no more than that in all"
    raises(told, 0.0, "c3")
    assert order(told, "c3") == order(told, "c1") + 20.0
    raises(told, 100.0, "c2")
    logs_in(told, "1001")
    assert told.offered() == [("c2", "1001")]
    assert told.offer("n1-c2.1").why.endswith("; raised by 100 s, irina")


def test_the_segment_says_who_raised_him_when_nothing_else_is_to_be_said() -> None:
    told = house()
    told.call()
    raises(told, 30.0)
    told.wait(10.0)
    told.hang_up()
    assert told.segments()[-1].reason == "raised by 30 s, irina"


def test_what_was_decided_survives_a_restart() -> None:
    told = house()
    told.call()
    told.call("c2")
    raises(told, 30.0, "c2")
    moves(told, "c2")
    again = told.restarted()
    again.connect(listed_caller(), listed_caller("c2"))
    logs_in(again, "1002")
    assert again.offered() == [("c2", "1002")]


@pytest.mark.parametrize(
    ("to", "why"),
    [("orders", "there is no queue orders"), ("support", "n1-c1 waits in support already")],
)
def test_a_move_to_nowhere_is_refused(to: str, why: str) -> None:
    told = house()
    told.call()
    assert moves(told, to=to) == Refused(why)
    assert told.contact().place is not None and told.contact().segments == 2, "nothing has changed"


def test_only_who_waits_has_a_place() -> None:
    told = house()
    assert moves(told) == Refused("no contact n1-c1 goes on") == raises(told, 5.0)
    logs_in(told, "1001")
    told.call()
    assert moves(told) == Refused("n1-c1 is being offered to 1001")
    assert raises(told, 5.0) == Accepted(), "should the offer fail, he waits with it"
    told.answers()
    assert moves(told) == Refused("n1-c1 is talking: only who waits has a place") == raises(told, 5.0)


def test_seconds_that_are_none_are_refused() -> None:
    told = house()
    told.call()
    for seconds in (-1.0, 90000.0, float("nan")):
        assert isinstance(raises(told, seconds), Refused)


def test_who_is_moved_into_a_queue_that_tells_nothing_is_told_nothing_and_nothing_is_due_for_ever() -> None:
    steps = {"wait": Enqueue(SUPPORT)}
    told = Case(plan(steps, queues=[queue(tell_every_s=20.0), queue("sales", tell_every_s=0.0)]), ready=False)
    told.call()
    assert moves(told) == Accepted()
    told.wait(30.0)
    place = told.contact().place
    assert place is not None and place.tell_at is None
