"""Opening hours: a week of spans, the days that are different, and what time it is where the line is.

A span belongs to the day on which it begins and may reach past midnight, 10:00 to 05:00: an exception of the next day does not
cut it short. A day that is different (a holiday, a short day) replaces its whole weekday. Pure: zones come from the pinned
tzdata package and not from the machine, so that a replay of the journal decides as it was decided.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from ccserver.core.ids import CalendarName

Hours = Literal["open", "closed", "holiday"]
"""`holiday`: closed, and on another day of that weekday it would be open."""
_FOREVER = timedelta(days=14)
"""Open this long without a break is open round the clock."""


class Span(Struct, frozen=True, order=True):
    """From a minute of the day until another; above 1440: of the next day."""

    start: int
    end: int


class Calendar(Struct, frozen=True):
    """When somebody is there."""

    name: CalendarName
    timezone: str
    week: tuple[tuple[Span, ...], ...]
    """Monday first, seven of them."""
    days: Mapping[str, tuple[Span, ...]] = {}
    """By date (`2026-12-31`), or by day of every year (`01-01`): what counts instead of the weekday's; empty: closed all day."""

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """What counts on that day; a date is stronger than a day of every year."""
        iso = day.isoformat()
        return self.days.get(iso, self.days.get(iso[5:], self.week[day.weekday()]))


def hours_at(calendar: Calendar, at: float) -> Hours:
    """Open or not at a time (UTC epoch seconds)."""
    local = _local(calendar, at)
    if any(True for _ in _ends(local, calendar.spans_of)):
        return "open"
    usual = any(True for _ in _ends(local, lambda day: calendar.week[day.weekday()]))
    return "holiday" if usual else "closed"


def closes_at(calendar: Calendar, at: float) -> float | None:
    """When it closes, if it is open at that time; None: it is closed, or never closes. Spans that touch are one."""
    local = end = _local(calendar, at)
    while (later := max(_ends(end, calendar.spans_of), default=end)) > end:
        if later - local > _FOREVER:
            return None
        end = later
    return _epoch(calendar, end) if end > local else None


def opens_at(calendar: Calendar, at: float) -> float | None:
    """When it opens next, if it is closed at that time; None: it is open, or stays closed for a year."""
    local = _local(calendar, at)
    if any(True for _ in _ends(local, calendar.spans_of)):
        return None
    for offset in range(367):
        day = local.date() + timedelta(days=offset)
        begins = [start for start, _ in _moments(day, calendar.spans_of(day)) if start > local]
        if begins:
            return _epoch(calendar, min(begins))
    return None


def _ends(local: datetime, spans_of: Callable[[date], tuple[Span, ...]]) -> Iterator[datetime]:
    """Ends of the spans in which the moment lies: of its day, and of the day before when they reach into it."""
    for day in (local.date() - timedelta(days=1), local.date()):
        yield from (end for start, end in _moments(day, spans_of(day)) if start <= local < end)


def _moments(day: date, spans: tuple[Span, ...]) -> Iterator[tuple[datetime, datetime]]:
    midnight = datetime.combine(day, time.min)
    for span in spans:
        yield midnight + timedelta(minutes=span.start), midnight + timedelta(minutes=span.end)


def _local(calendar: Calendar, at: float) -> datetime:
    """Wall-clock time there, without its zone: hours are written for the clock on the wall."""
    return datetime.fromtimestamp(at, zone(calendar.timezone)).replace(tzinfo=None)


def _epoch(calendar: Calendar, local: datetime) -> float:
    return local.replace(tzinfo=zone(calendar.timezone)).timestamp()


@lru_cache
def zone(name: str) -> ZoneInfo:
    """The zone as the pinned tzdata package knows it; raises KeyError for a name that it does not."""
    source = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    try:
        with source.open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        raise KeyError(name) from None


def day_ends_at(timezone: str, day_starts_at: str, now: float) -> float:
    """When the day ends that goes on in the zone, if a day begins at that time (HH:MM)."""
    local = datetime.fromtimestamp(now, zone(timezone))
    hours, minutes = map(int, day_starts_at.split(":"))
    begins = local.replace(hour=hours, minute=minutes, second=0, microsecond=0, fold=0)
    while begins.timestamp() <= now:
        begins += timedelta(days=1)
    return begins.timestamp()
