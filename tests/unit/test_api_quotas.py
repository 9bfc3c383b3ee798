"""How often is too often."""

import pytest

from ccserver.api import quotas
from ccserver.api.errors import TooOften
from ccserver.api.quotas import Quota


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_are_let_through_and_one_more_is_told_when_to_come_again() -> None:
    clock = Clock()
    quota = Quota(2, 60.0, clock)
    quota.take("a", "for this number")
    clock.now = 10.0
    quota.take("a", "for this number")
    with pytest.raises(TooOften, match="for this number") as refused:
        quota.take("a", "for this number")
    assert refused.value.headers == {"Retry-After": "50"}
    quota.take("b", "for this number")
    clock.now = 60.0
    quota.take("a", "for this number")


def test_a_quota_of_none_lets_none_through() -> None:
    with pytest.raises(TooOften):
        Quota(0, 60.0, Clock()).take("a", "in all")


def test_a_flood_of_names_is_forgotten_from_its_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "NAMES_MAX", 10)
    quota = Quota(1, 60.0, Clock())
    for name in range(100):
        quota.take(str(name), "from this address")
    with pytest.raises(TooOften):
        quota.take("99", "from this address")
    quota.take("0", "from this address")
