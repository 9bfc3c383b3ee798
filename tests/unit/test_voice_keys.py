"""A key that Asterisk tells twice is one key; one that is pressed twice is two."""

import pytest

from ccserver.connectors.voice.calls import KEY_PASSES_S, LastKey

HELD_S = 0.2


@pytest.mark.parametrize(("key", "after_s", "again"), [("*", 0.02, True), ("*", 0.24, False), ("3", 0.02, False)])
def test_the_same_key_told_sooner_than_it_can_be_pressed_again_is_none(key: str, after_s: float, again: bool) -> None:
    last = LastKey()
    assert not last.again("*", 1000.0, HELD_S)
    assert last.again(key, 1000.0 + after_s, HELD_S) is again


def test_of_a_key_told_twice_the_next_press_counts() -> None:
    last = LastKey()
    told = [last.again("*", at, HELD_S) for at in (1000.0, 1000.03, 1000.24, 1000.27, 1000.48)]
    assert told == [False, True, False, True, False]


def test_a_key_has_passed_when_the_others_have_heard_it_as_long_as_it_was_held() -> None:
    assert LastKey().passes_at(50.0, HELD_S) == 50.0 + HELD_S + KEY_PASSES_S


def test_a_short_key_after_a_long_one_does_not_overtake_it() -> None:
    last = LastKey()
    long, short = last.passes_at(50.0, 2.0), last.passes_at(50.3, 0.1)
    assert short > long
