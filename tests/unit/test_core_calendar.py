"""Opening hours: nights, holidays, the clock that is put forward, and what comes next."""

from datetime import datetime

import pytest

from ccserver.core.calendar import Calendar, Hours, Span, closes_at, hours_at, opens_at, zone
from ccserver.core.ids import CalendarName

NIGHT = (Span(10 * 60, 29 * 60),)
"""10:00 to 05:00 of the next day."""
OFFICE = (Span(9 * 60, 13 * 60), Span(14 * 60, 18 * 60))


def calendar(
    week: tuple[tuple[Span, ...], ...] = (NIGHT,) * 7, timezone: str = "Europe/Moscow", **days: tuple[Span, ...]
) -> Calendar:
    return Calendar(
        CalendarName("shop"), timezone, week, {day.strip("d").replace("_", "-"): spans for day, spans in days.items()}
    )


def at(text: str, timezone: str = "Europe/Moscow") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone(timezone)).timestamp()


def wall(moment: float | None, timezone: str = "Europe/Moscow") -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, zone(timezone)).strftime("%Y-%m-%d %H:%M")


WEEK = (OFFICE,) * 5 + ((), ())


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("2026-11-22 09:59:59", "closed"),
        ("2026-11-22 10:00", "open"),
        ("2026-11-22 23:59:59", "open"),
        ("2026-11-23 00:00", "open"),
        ("2026-11-23 04:59:59", "open"),
        ("2026-11-23 05:00", "closed"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, hours: Hours) -> None:
    assert hours_at(calendar(), at(moment)) == hours


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("2026-11-20 12:59", "open"),
        ("2026-11-20 13:30", "closed"),
        ("2026-11-20 14:00", "open"),
        ("2026-11-21 12:00", "closed"),
    ],
)
def test_a_day_may_have_several_spans_or_none(moment: str, hours: Hours) -> None:
    assert hours_at(calendar(WEEK), at(moment)) == hours


def test_a_holiday_replaces_its_weekday_and_is_told_apart_from_the_usual_night() -> None:
    shop = calendar(WEEK, d2026_11_04=(), d2026_12_31=(Span(540, 720),))
    assert hours_at(shop, at("2026-11-04 12:00")) == "holiday"
    assert hours_at(shop, at("2026-11-04 20:00")) == "closed"
    assert hours_at(shop, at("2026-12-31 11:59")) == "open"
    assert hours_at(shop, at("2026-12-31 15:00")) == "holiday"


def test_a_day_of_every_year_counts_unless_the_date_itself_is_written() -> None:
    shop = calendar((OFFICE,) * 7, d01_01=(), d2027_01_01=OFFICE)
    assert hours_at(shop, at("2026-01-01 12:00")) == "holiday"
    assert hours_at(shop, at("2027-01-01 12:00")) == "open"


def test_a_holiday_does_not_end_the_night_before_it() -> None:
    shop = calendar(d2027_01_01=())
    assert hours_at(shop, at("2027-01-01 04:00")) == "open"
    assert hours_at(shop, at("2027-01-01 10:00")) == "holiday"
    assert hours_at(shop, at("2027-01-02 03:00")) == "holiday"
    assert wall(opens_at(shop, at("2027-01-01 06:00"))) == "2027-01-02 10:00"


def test_it_closes_at_the_end_of_spans_that_touch() -> None:
    assert wall(closes_at(calendar(), at("2026-11-22 12:00"))) == "2026-11-23 05:00"
    assert wall(closes_at(calendar(WEEK), at("2026-11-20 10:00"))) == "2026-11-20 13:00"
    whole = calendar(((Span(0, 1440),),) * 5 + ((), ()))
    assert wall(closes_at(whole, at("2026-11-18 12:00"))) == "2026-11-21 00:00"
    assert closes_at(calendar(WEEK), at("2026-11-21 10:00")) is None


def test_round_the_clock_never_closes() -> None:
    assert closes_at(calendar(((Span(0, 1440),),) * 7), at("2026-11-18 12:00")) is None


def test_it_opens_after_the_weekend_and_never_when_no_hours_are_written() -> None:
    assert wall(opens_at(calendar(WEEK), at("2026-11-20 19:00"))) == "2026-11-23 09:00"
    assert opens_at(calendar(WEEK), at("2026-11-20 10:00")) is None
    assert opens_at(calendar(((),) * 7), at("2026-11-20 10:00")) is None


def test_hours_are_those_of_the_clock_on_the_wall_also_when_it_is_put_forward() -> None:
    berlin = calendar(((Span(480, 1200),),) * 7, "Europe/Berlin")
    assert hours_at(berlin, at("2026-03-29 08:00", "Europe/Berlin")) == "open"
    assert closes_at(berlin, at("2026-03-29 08:00", "Europe/Berlin")) == at("2026-03-29 20:00", "Europe/Berlin")
    night = calendar(((Span(22 * 60, 30 * 60),),) * 7, "Europe/Berlin")
    opened, closed = at("2026-03-28 22:00", "Europe/Berlin"), closes_at(night, at("2026-03-28 23:00", "Europe/Berlin"))
    assert closed is not None and (closed - opened) / 3600 == 7.0


def test_a_zone_that_is_none_is_a_key_error() -> None:
    for name in ("Europe/Atlantis", "../../etc/passwd", "Europe", ""):
        with pytest.raises(KeyError):
            zone(name)
