"""What an operator did today: counted where a queue picks by it, in his own time zone."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from ccserver.core.agent import Today
from ccserver.core.calendar import day_ends_at
from ccserver.core.plan import Operator, Rules
from tests.unit.core_case import Case, operator, plan, queue

DAY_S = 86400.0


def house(pick: str, *operators: Operator, **rules: object) -> Case:
    told = Rules(reconcile_every_s=10 * DAY_S, **rules)  # type: ignore[arg-type]
    return Case(plan(queues=[queue(pick=pick, wrap_up_s=0.0)], operators=operators, rules=told), ready=False)


def joins(told: Case, agent: str) -> None:
    told.phone(agent)
    told.wish(agent, "ready")


def talk(told: Case, caller: str, seconds: float = 10.0) -> str:
    """A call is answered and ends; returns who got it."""
    told.call(caller)
    ((_, agent),) = told.offered()
    offer = f"n1-{caller}.1"
    told.answers(offer)
    told.wait(seconds)
    told.hang_up(caller)
    told.ended(offer)
    return agent


def test_who_has_talked_least_today_is_next_and_of_those_the_longest_idle() -> None:
    told = house("fewest_contacts", operator("1001"), operator("1002"))
    joins(told, "1001")
    told.wait(5.0)
    joins(told, "1002")
    assert [talk(told, f"c{n}") for n in range(4)] == ["1001", "1002", "1001", "1002"]
    assert told.agent("1001").today.contacts == 2


def test_who_has_been_ready_the_longest_in_all_is_next() -> None:
    told = house("most_idle_today", operator("1001"), operator("1002"))
    joins(told, "1001")
    told.wait(100.0)
    told.wish("1001", "not_ready")
    told.wait(10.0)
    joins(told, "1002")
    told.wait(50.0)
    told.wish("1001", "ready")
    assert talk(told, "c1") == "1001", "100 s in two pieces, against 50 s"
    assert told.agent("1001").today.idle_s == 100.0
    told.wait(200.0)
    assert talk(told, "c2") == "1001", "300 s against 260 s"
    told.wish("1001", "not_ready")
    told.wait(60.0)
    told.wish("1001", "ready")
    assert talk(told, "c3") == "1002"


def test_a_day_ends_in_the_operators_own_zone_and_nothing_of_it_counts_for_the_next() -> None:
    east = replace(operator("1001"), timezone="Asia/Vladivostok")
    told = house("fewest_contacts", east, replace(operator("1002"), timezone="UTC"))
    joins(told, "1001")
    joins(told, "1002")
    for caller in ("c1", "c2"):
        talk(told, caller)
    ends_at = told.agent("1001").today.ends_at
    assert ends_at == datetime(1970, 1, 1, 14, tzinfo=UTC).timestamp(), "midnight in Vladivostok"
    told.wait(ends_at - told.now)
    assert told.agent("1001").today == Today(ends_at, ends_at + DAY_S)
    assert told.agent("1002").today.contacts == 1
    talk(told, "c3")
    assert (told.agent("1001").today.contacts, told.agent("1002").today.contacts) == (1, 1)


def test_idle_time_before_midnight_does_not_count_after_it() -> None:
    told = house(
        "most_idle_today", replace(operator("1001"), timezone="UTC"), replace(operator("1002"), timezone="UTC")
    )
    joins(told, "1001")
    told.wait(DAY_S + 100.0 - told.now)
    joins(told, "1002")
    told.wish("1001", "not_ready")
    assert told.agent("1001").today.idle_s == 100.0
    told.wait(200.0)
    told.wish("1001", "ready")
    assert talk(told, "c1") == "1002"


def test_a_day_goes_on_after_a_restart() -> None:
    told = house("fewest_contacts", operator("1001"), operator("1002"))
    joins(told, "1001")
    talk(told, "c1")
    again = told.restarted()
    again.connect()
    joins(again, "1002")
    assert talk(again, "c2") == "1002"
    assert again.agent("1001").today == told.agent("1001").today


def test_where_no_queue_asks_nothing_is_counted_and_no_timer_runs() -> None:
    told = house("longest_idle", operator("1001"))
    joins(told, "1001")
    talk(told, "c1")
    assert told.agent("1001").today == Today()
    assert told.router.deadline() is not None and told.router.deadline() > 9 * DAY_S  # type: ignore[operator]


@pytest.mark.parametrize(
    ("zone", "starts", "now", "ends"),
    [
        ("UTC", "00:00", "2026-06-01T23:59:59+00:00", "2026-06-02T00:00:00+00:00"),
        ("UTC", "06:00", "2026-06-02T06:00:00+00:00", "2026-06-03T06:00:00+00:00"),
        ("UTC", "06:00", "2026-06-02T05:59:59+00:00", "2026-06-02T06:00:00+00:00"),
        ("Europe/Moscow", "05:00", "2026-06-02T01:00:00+00:00", "2026-06-02T02:00:00+00:00"),
        ("Europe/Berlin", "00:00", "2026-03-29T12:00:00+02:00", "2026-03-30T00:00:00+02:00"),
        ("Europe/Berlin", "02:30", "2026-03-28T12:00:00+01:00", "2026-03-29T03:30:00+02:00"),
    ],
)
def test_a_day_ends_when_the_next_begins(zone: str, starts: str, now: str, ends: str) -> None:
    told = day_ends_at(zone, starts, datetime.fromisoformat(now).timestamp())
    assert told == datetime.fromisoformat(ends).timestamp()
