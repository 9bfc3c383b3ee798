"""What who waits is told: his number, a bound of his wait, the queue's messages; and what the queue learns from each wait."""

from typing import Any

from ccserver.core.commands import OfferContact, PlayPrompts, StartMusic, StopPlay
from ccserver.core.contact import ContactState
from ccserver.core.steps import Enqueue
from tests.unit.core_case import SUPPORT, Case, operator, plan, queue
from tests.unit.core_flows import said


def case(operators: int = 1, **fields: Any) -> Case:
    """So many operators, all talking; a queue that tells."""
    people = [operator(str(1001 + number)) for number in range(operators)]
    told = Case(plan({"wait": Enqueue(SUPPORT, announce=("busy",))}, queues=[queue(**fields)], operators=people))
    for number in range(operators):
        told.call(f"b{number}")
        told.answers(f"n1-b{number}.1")
    return told


TELLS: dict[str, Any] = {"tell_every_s": 60.0}


def test_who_must_wait_is_told_his_number_and_how_long_it_takes_at_most() -> None:
    told = case(**TELLS)
    told.call("c1")
    assert said(told) == [("busy", "position-1", "wait-10")]
    told.call("c2")
    assert said(told)[0][:2] == ("busy", "position-2")


def test_a_queue_that_tells_nothing_plays_the_announcement_then_music() -> None:
    told = case()
    told.call("c1")
    assert said(told) == [("busy",)]
    told.played("c1")
    assert told.commanded(StartMusic)
    assert not [command for command in told.wait(600.0) if isinstance(command, PlayPrompts)]


def test_he_is_told_again_every_minute_with_the_messages_in_turn() -> None:
    told = case(**TELLS, tell=("position",), messages=("website", "patience"))
    told.call("c1")
    told.played("c1")
    heard = []
    for _ in range(3):
        heard += [command.items for command in told.wait(60.0) if isinstance(command, PlayPrompts)]
        told.played("c1")
    assert heard == [("position-1", "website"), ("position-1", "patience"), ("position-1", "website")]


def test_the_bound_never_rises_and_nothing_is_said_when_it_would() -> None:
    told = case(**TELLS)
    told.call("c1")
    told.played("c1")
    bounds = []
    for _ in range(12):  # the talk lasts far longer than any before
        for command in told.wait(60.0):
            if isinstance(command, PlayPrompts):
                bounds += [int(item.removeprefix("wait-")) for item in command.items if item.startswith("wait-")]
        told.played("c1")
    assert bounds == sorted(bounds, reverse=True)


def test_an_operator_who_becomes_free_cuts_the_telling_short() -> None:
    told = case(**TELLS)
    told.call("c1")
    told.ended("n1-b0.1")
    told.ended("b0")
    told.wait(15.0)
    assert told.contact("c1").state is ContactState.OFFERED
    told = case(**TELLS)
    told.call("c1")
    told.ended("n1-b0.1")
    commands = told.wait(15.0)
    assert [type(command) for command in commands if isinstance(command, StopPlay | OfferContact)] == [
        StopPlay,
        OfferContact,
    ]


def test_after_an_offer_that_failed_he_is_told_when_it_is_time() -> None:
    told = case(**TELLS)
    told.call("c1")
    told.played("c1")
    told.ended("n1-b0.1")
    told.wait(15.0)
    told.ended("n1-c1.1", 17, 486)
    assert told.contact("c1").state is ContactState.WAITING
    told.wait(10.0)
    told.dialled("n1-c1.2")
    assert any(isinstance(command, PlayPrompts) for command in told.wait(50.0))


def test_nobody_at_work_means_no_promise() -> None:
    told = case(**TELLS)
    told.wish("1001", "logged_out")
    told.ended("n1-b0.1")
    told.wait(15.0)
    told.call("c1")
    assert said(told) == [("busy", "position-1")]


def test_more_than_ten_before_him_are_not_counted_aloud() -> None:
    told = case(**TELLS, tell=("position",))
    for number in range(11):
        told.wait(1.0)
        told.call(f"c{number}")
    assert said(told) == [("busy", "position-more")]


def test_a_queue_learns_how_long_its_contacts_take_and_how_long_people_wait() -> None:
    told = case(**TELLS)
    before = told.router.floor.learnt_of(SUPPORT)
    told.wait(285.0)
    told.ended("n1-b0.1")
    told.wait(15.0)
    learnt = told.router.floor.learnt_of(SUPPORT)
    assert learnt.handled == before.handled.with_sample(300.0)
    told.wish("1001", "not_ready", "lunch")
    told.call("c1")
    told.wait(40.0)
    told.hang_up("c1")
    assert told.router.floor.learnt_of(SUPPORT) == learnt.with_wait(40.0, abandoned=True)


def test_what_was_learnt_survives_a_restart() -> None:
    told = case(**TELLS)
    told.wait(100.0)
    told.ended("n1-b0.1")
    told.wait(20.0)
    again = told.restarted()
    assert again.router.floor.learnt_of(SUPPORT) == told.router.floor.learnt_of(SUPPORT)


def test_a_promise_is_held_against_what_became_of_it() -> None:
    told = case(**TELLS)
    told.call("c1")
    estimate_s = told.contact("c1").place.estimate_s  # type: ignore[union-attr]
    assert estimate_s is not None and estimate_s > 0
    told.wait(30.0)
    told.ended("n1-b0.1")
    told.wait(15.0)
    before = told.router.floor.learnt_of(SUPPORT)
    told.answers("n1-c1.1")
    assert told.router.floor.learnt_of(SUPPORT) == before.with_wait(45.0, abandoned=False).with_error(estimate_s, 45.0)


def test_two_operators_halve_the_wait() -> None:
    alone, together = case(1, **TELLS), case(2, **TELLS)
    for told in (alone, together):
        told.call("c1")
    one, two = alone.contact("c1").place, together.contact("c1").place
    assert one is not None and two is not None and one.estimate_s is not None and two.estimate_s is not None
    assert 0.3 < two.estimate_s / one.estimate_s < 0.7


def test_operators_of_another_queue_do_not_count() -> None:
    people = [operator("1001"), operator("1002", "sales")]
    steps = {"wait": Enqueue(SUPPORT)}
    told = Case(plan(steps, queues=[queue(**TELLS), queue("sales")], operators=people))
    told.call("b0")
    told.answers("n1-b0.1")
    told.call("c1")
    shared = told.contact("c1")
    alone = case(1, **TELLS)
    alone.call("c1")
    assert shared.place is not None and alone.contact("c1").place is not None
    assert shared.place.estimate_s == alone.contact("c1").place.estimate_s  # type: ignore[union-attr]
