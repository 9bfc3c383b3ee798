"""Whether opening hours are asked for, are ever kept, and fit the lines and queues that go by them. Called by `load`.

Everything here works and is probably not meant, so all of it is warnings.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from ccserver.config import schema
from ccserver.config.calendars import WEEKDAYS
from ccserver.config.findings import Findings
from ccserver.config.source import Document
from ccserver.core.calendar import Calendar, closes_at, hours_at, zone
from ccserver.core.ids import CalendarName, FlowName
from ccserver.core.plan import Line, Plan
from ccserver.core.steps import Branch, Enqueue, Flow, reached

_A_MONDAY = date(2026, 6, 1)
"""Of a week without changes of the clock."""


def check_schedules(
    main: schema.Main, plan: Plan, document: Document, flow_documents: Mapping[str, Document], found: Findings
) -> None:
    """Only for a configuration without errors; tells `found`."""
    asked = {name: frozenset(_asked(plan.flows, name)) for name in plan.flows}
    by_line = {line.number: frozenset(_kept(line, asked)) for line in plan.lines.values()}
    used = frozenset[CalendarName]().union(*by_line.values())
    for position, calendar in enumerate(main.calendars):
        of_callbacks = {plan.callbacks.calendar, plan.callbacks.customer_calendar}
        if calendar.name not in used | of_callbacks:
            found.warn(document, ("calendars", position), f"no line goes by the calendar {calendar.name}")
        _check_calendar(plan.calendars[CalendarName(calendar.name)], position, document, found)
    for position, line in enumerate(plan.lines.values()):
        flow = plan.flows[line.flow]
        if used and not by_line[line.number] and any(isinstance(step, Enqueue) for step in flow.steps.values()):
            message = f"its flow {flow.name} asks no calendar, as those of other lines do: callers wait at any hour"
            found.warn(document, ("lines", position, "flow"), message)
        for name in sorted(by_line[line.number]):
            if night := _torn_night(plan.calendars[name], line):
                message = f"the day begins at {line.day_starts_at}, {night}: the reports count that night to two days"
                found.warn(document, ("lines", position, "day_starts_at"), message)
    for flow in plan.flows.values():
        for at, step in flow.steps.items() if asked[flow.name] else ():
            if isinstance(step, Enqueue) and step.calendar is None and step.max_wait_s is None:
                hours = ", ".join(sorted(asked[flow.name]))
                ends = "`calendar` and `closed`, or `max_wait_s`, end it"
                message = f"who still waits when {hours} closes may wait for ever: {ends}"
                found.warn(flow_documents[flow.name], ("steps", at), message)


def _kept(line: Line, asked: Mapping[FlowName, frozenset[CalendarName]]) -> Iterator[CalendarName]:
    """The hours that the line goes by: its own and those of its flows."""
    if line.calendar is not None:
        yield line.calendar
    for flow in line.flows:
        yield from asked[flow]


def _asked(flows: Mapping[FlowName, Flow], begun: FlowName) -> Iterator[CalendarName]:
    """On the way from its beginning, in whatever flow."""
    for step in (step for name in reached(flows, [begun]) for step in flows[name].steps.values()):
        if isinstance(step, Branch | Enqueue) and step.calendar is not None:
            yield step.calendar


def _check_calendar(calendar: Calendar, position: int, document: Document, found: Findings) -> None:
    if not any(calendar.week) and not any(calendar.days.values()):
        found.warn(document, ("calendars", position, "week"), f"the calendar {calendar.name} is never open")
    today = datetime.now(zone(calendar.timezone)).date().isoformat()
    dated = sorted(day for day in calendar.days if len(day) == len(today))
    if dated and dated[-1] < today:
        message = f"all its dates are past, the last was {dated[-1]}: are this year's holidays missing?"
        found.warn(document, ("calendars", position, "days"), message)


def _torn_night(calendar: Calendar, line: Line) -> str:
    """When the line's day begins in the middle of opening hours; empty when it does not, or they have no end."""
    usual = replace(calendar, days={})
    hours, minutes = map(int, line.day_starts_at.split(":"))
    for offset in range(7):
        day = _A_MONDAY + timedelta(days=offset)
        begins = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=zone(line.timezone)).timestamp()
        if hours_at(usual, begins) == hours_at(usual, begins - 60) == "open":
            closes = closes_at(usual, begins)
            if closes is None:
                return ""  # round the clock, some minute must be the first of the day
            at = datetime.fromtimestamp(closes, zone(line.timezone))
            return f"when {calendar.name} is open (on {WEEKDAYS[day.weekday()]} until {at:%H:%M})"
    return ""
