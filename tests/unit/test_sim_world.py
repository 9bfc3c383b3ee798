"""The simulated world is made of numbers that a seed decides, and everything that can happen in a centre happens in it."""

import statistics
from collections import Counter
from itertools import islice, pairwise

import pytest

from ccserver.sim import conversations
from ccserver.sim.world import (
    Breaks,
    Caller,
    IsReady,
    Load,
    LosesPhone,
    MenuChoice,
    Misses,
    Operator,
    PicksUp,
    Refuses,
    WrapsUp,
    callers,
)

LINES = ("88007707999", "88007004666")
MANY = 3000


def world(seed: int = 1, **load: float) -> list[Caller]:
    return list(islice(callers(Load(seed=seed, **load), LINES), MANY))  # type: ignore[arg-type]


def test_the_same_seed_is_the_same_world_and_another_seed_another() -> None:
    assert world(7) == world(7)
    assert world(7) != world(8)
    first, again = (Operator.of(Load(seed=3), "1004") for _ in range(2))
    assert [first.offered() for _ in range(50)] == [again.offered() for _ in range(50)]


def test_what_a_caller_does_does_not_depend_on_how_many_others_call() -> None:
    few, many = world(calls_per_minute=1), world(calls_per_minute=100)
    assert [(caller.number, caller.presses, caller.patience_s) for caller in few] == [
        (caller.number, caller.presses, caller.patience_s) for caller in many
    ]


@pytest.mark.parametrize("rate", [2.0, 60.0])
def test_calls_come_at_the_rate_that_was_asked_for_and_not_by_the_clock(rate: float) -> None:
    arrivals = [caller.at_s for caller in world(calls_per_minute=rate)]
    gaps = [later - earlier for earlier, later in pairwise(arrivals[10:])]
    assert statistics.mean(gaps) == pytest.approx(60 / rate, rel=0.1)
    assert statistics.stdev(gaps) == pytest.approx(60 / rate, rel=0.15), "a Poisson process: as wide as its mean"


def test_the_first_callers_come_within_seconds_even_when_few_are_wanted() -> None:
    arrivals = [caller.at_s for caller in world(operators=8, calls_per_minute=0.1)]
    assert arrivals[3] <= 6
    assert arrivals[4] - arrivals[3] > 1


def test_without_a_rate_there_are_as_many_calls_as_the_operators_can_just_serve() -> None:
    assert Load(operators=8).rate == 4 * Load(operators=2).rate
    busy_s = statistics.mean(caller.talk_s for caller in world() if caller.leaves_after_s is None) + 15
    assert 0.7 < Load(operators=8).rate * busy_s / 60 / 8 < 1.0, "with ringing and wrap-up"


def test_callers_do_everything_that_callers_do() -> None:
    everybody = world()
    choices = Counter(caller.choice for caller in everybody)
    assert choices.keys() == set(MenuChoice)
    assert choices[MenuChoice.KNOWS] / MANY == pytest.approx(0.6, abs=0.05)
    assert {caller.line for caller in everybody} == set(LINES)
    assert {press.key for caller in everybody for press in caller.presses} >= set("0123*789")
    assert {caller.says_goodbye_first for caller in everybody} == {True, False}
    for caller in everybody:
        assert caller.number.startswith("+79") and len(caller.number) == 12
        assert (caller.language == "en") == (caller.choice is MenuChoice.ENGLISH)
        assert (caller.leaves_after_s is not None) == (caller.choice in (MenuChoice.LEAVES, MenuChoice.ASKS_HOURS))
        assert caller.patience_s > 0 and caller.talk_s >= 10 and all(press.after_s > 0 for press in caller.presses)


def test_talks_are_log_normal_most_are_short_and_some_are_long() -> None:
    talks = [caller.talk_s for caller in world()]
    assert statistics.median(talks) == pytest.approx(34, rel=0.1)
    assert statistics.mean(talks) > statistics.median(talks)
    assert max(talks) > 2.5 * statistics.median(talks)


def test_operators_do_everything_that_operators_do() -> None:
    operator = Operator.of(Load(), "1003")
    offers = Counter(type(operator.offered()) for _ in range(MANY))
    assert offers.keys() == {PicksUp, Refuses, Misses}
    assert offers[PicksUp] / MANY > 0.9
    assert {type(operator.after_talk()) for _ in range(MANY)} == {Breaks, IsReady, WrapsUp}
    deeds = [operator.idle() for _ in range(MANY)]
    assert {type(deed) for deed in deeds} >= {Breaks, LosesPhone}
    assert {deed.digit for deed in deeds if isinstance(deed, Breaks)} == set("12345")
    assert operator.comes_after_s() < 10 <= operator.comes_after_s(), (
        "the first shift begins at once, the next after a rest"
    )


def test_everybody_has_something_to_say_and_a_voice_to_say_it() -> None:
    said = conversations.load()
    for caller in world()[:200]:
        asks = said.caller(caller.whim, caller.language, caller.about)
        answers = said.operator(caller.whim, "Анна Соколова", caller.language, caller.about)
        assert len(asks.lines) == len(answers.lines) >= 5, "they take turns"
        assert asks.goodbye and answers.first and answers.goodbye
        assert asks.voice.who == "caller" and answers.voice.who == "operator"
        assert asks.voice.language == answers.voice.language == caller.language
    assert len({said.caller(caller.whim, "ru", "orders").lines for caller in world()[:200]}) > 10
    assert said.voice_of("Анна Соколова", "ru") != said.voice_of("Иван Лебедев", "ru")
    for who in ("caller", "operator"):
        assert said.colleague(who, "Иван Лебедев").lines
