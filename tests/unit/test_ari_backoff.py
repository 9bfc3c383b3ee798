"""The waits between two connects: pure, so no clock is needed."""

from itertools import islice

from ccserver.ari.backoff import backoff


def test_delays_double_up_to_the_cap_when_chance_gives_the_whole() -> None:
    assert list(islice(backoff(first_s=1, cap_s=5, rand=lambda: 1.0), 5)) == [1, 2, 4, 5, 5]


def test_chance_takes_away_at_most_a_half() -> None:
    assert list(islice(backoff(first_s=1, cap_s=5, rand=lambda: 0.0), 4)) == [0.5, 1, 2, 2.5]


def test_two_clients_that_lost_the_same_asterisk_do_not_come_back_in_step() -> None:
    assert list(islice(backoff(), 10)) != list(islice(backoff(), 10))
