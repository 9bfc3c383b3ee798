"""Opening hours as admins write them, made into `core.calendar.Calendar`; what is wrong with them is told by `check_calendar`.

week = { mon-fri = "10:00-05:00", sat = "09:00-13:00, 14:00-18:00", sun = "closed" }
days = { "2026-12-31" = "10:00-18:00", "01-01" = "closed", "2027-01-02..2027-01-08" = "closed" }
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from ccserver.config import schema
from ccserver.config.errors import shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath
from ccserver.core.calendar import Calendar, Span
from ccserver.core.ids import CalendarName

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_LEAP_YEAR = 2028
"""In which every day of the year exists."""
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_DAYS_MAX = 366


def frozen_calendar(calendar: schema.Calendar) -> Calendar:
    """As the core sees it; of days that are wrong as many as make sense (`check_calendar` tells of the rest)."""
    week: list[tuple[Span, ...]] = [()] * 7
    for key, hours in calendar.week.items():
        for weekday in _weekdays(key):
            week[weekday] = spans(hours)
    days = {day: spans(hours) for key, hours in calendar.days.items() for day in _days(key) or ()}
    return Calendar(CalendarName(calendar.name), calendar.timezone, tuple(week), days)


def check_calendar(calendar: schema.Calendar, path: KeyPath, document: Document, found: Findings) -> None:
    """What the form of the fields does not show: days told twice or not at all, dates that are none, spans that overlap."""
    told: dict[int, str] = {}
    for key, hours in calendar.week.items():
        _check_hours(hours, (*path, "week", key), document, found)
        for weekday in _weekdays(key):
            if weekday in told:
                message = f"{WEEKDAYS[weekday]} is told already by {told[weekday]}"
                found.error(document, (*path, "week", key), message)
            told.setdefault(weekday, key)
    if missing := [name for number, name in enumerate(WEEKDAYS) if number not in told]:
        message = f'tells nothing of {", ".join(missing)}: write their hours, or "closed"'
        found.error(document, (*path, "week"), message)
    dates: dict[str, str] = {}
    for key, hours in calendar.days.items():
        _check_hours(hours, (*path, "days", key), document, found)
        days = _days(key)
        if days is None:
            found.error(
                document, (*path, "days", key), f"{shown(key)} is no day, or no row of at most {_DAYS_MAX} days"
            )
        for day in days or ():
            if day in dates:
                found.error(document, (*path, "days", key), f"{day} is told already by {shown(dates[day])}")
                break
            dates[day] = key


def spans(hours: str) -> tuple[Span, ...]:
    """`"09:00-13:00, 14:00-18:00"`; an end that is not after its beginning is of the next day."""
    return tuple(sorted(_span(match) for match in _SPAN.finditer(hours)))


def _span(match: re.Match[str]) -> Span:
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    return Span(start, end if end > start else end + _DAY_MINUTES)


def _check_hours(hours: str, path: KeyPath, document: Document, found: Findings) -> None:
    of_day = spans(hours)
    for one in of_day:
        if one.end - one.start == _DAY_MINUTES and one.start > 0:
            found.error(document, path, 'begins and ends at the same time: for the whole day write "00:00-24:00"')
    for earlier, later in pairwise(of_day):
        if later.start < earlier.end:
            found.error(document, path, f"the spans of {shown(hours)} overlap")


def _weekdays(key: str) -> Iterator[int]:
    first, _, last = key.partition("-")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    yield from (day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1))


def _days(key: str) -> tuple[str, ...] | None:
    """`2026-12-31`, `01-01`, or a row of either `…..…`; None: no such days."""
    first, _, last = key.partition("..")
    yearly = len(first) == len("01-01")
    try:
        begin, end = (date.fromisoformat(f"{_LEAP_YEAR}-{day}" if yearly else day) for day in (first, last or first))
    except ValueError:
        return None
    count = (end - begin).days + 1
    if not 1 <= count <= _DAYS_MAX:
        return None
    days = ((begin + timedelta(days=offset)).isoformat() for offset in range(count))
    return tuple(day[5:] if yearly else day for day in days)
