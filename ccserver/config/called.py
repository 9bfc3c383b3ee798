"""The call that `ccserver check --call` is asked about: to which line, when and from whom; and whether it is let in.

Answered by the configuration alone: what a supervisor has put in force at run time is not known here.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from ccserver.config.errors import QuestionError, did_you_mean, listed, shown
from ccserver.config.load import Config
from ccserver.core.admission import ANONYMOUS, TurnedAway, turned_away_by_plan
from ccserver.core.calendar import Calendar, closes_at, hours_at, opens_at, zone
from ccserver.core.contact import ContactOutcome
from ccserver.core.ids import FlowName, Language
from ccserver.core.numbers import canonical
from ccserver.core.plan import REFUSALS, Customer, Line, Pickup

PICKUPS: dict[Pickup, str] = {
    "at_once": "It is answered at once.",
    "when_needed": "It is answered at the first menu, collect, voicemail or answer step, or by the operator; nobody pays before.",
    "operator": "It is answered by the operator, or at a voicemail or answer step; nobody pays before.",
}


class AskedCall(Struct, frozen=True):
    """One call, as it would come."""

    line: Line
    at: datetime
    """In the line's zone."""
    ani: str | None
    """None: nobody says from whom, so nobody is known, and nobody is blocked."""
    customer: Customer | None
    turned: TurnedAway | None
    """None: it is let in."""

    @property
    def entered(self) -> FlowName | None:
        """The flow that serves it; None: it is refused."""
        if self.turned is None:
            return self.line.flow
        return None if self.turned.treatment in REFUSALS else FlowName(self.turned.treatment)

    @property
    def language(self) -> Language:
        """In which its flow begins."""
        return (self.customer.language if self.customer else None) or self.line.language


def call_of(config: Config, number: str, at: str | None, caller: str | None) -> AskedCall:
    """The call; raises `QuestionError` for a number that is no line, a time or a caller that is none.

    `at` is ISO 8601, means the line's own zone unless it says another, and is now when it is not given; numbers may be
    written in any form, as trunks may bring them. `caller`: a number, or `anonymous`.
    """
    line = line_called(config, number)
    when = moment(at, line) if at is not None else datetime.now(zone(line.timezone))
    ani = _caller(config, caller) if caller is not None else None
    customer = config.plan.customer(ani) if ani is not None else None
    return AskedCall(line, when, ani, customer, turned_away_by_plan(config.plan, line, ani, when.timestamp()))


def _caller(config: Config, text: str) -> str:
    ani = canonical(text.strip(), config.plan.rules.region)
    if ani != ANONYMOUS and not re.fullmatch(r"\+?[0-9]{1,20}", ani):
        raise QuestionError(f"expected a caller's number, or {ANONYMOUS}, got {shown(text)}")
    return ani


def opening(config: Config, call: AskedCall) -> Iterator[str]:
    """Which call this is, and who serves it."""
    line, at = call.line, call.at
    by = "" if call.ani is None else f" from {call.ani}"
    yield f"A call{by} to {line.number} ({line.name}) on {at:%A}, {at.day} {at:%B %Y, %H:%M}, {line.timezone}."
    yield f"The reports count it to {reporting_day(at, line).isoformat()} (the day of this line starts at {line.day_starts_at})."
    if line.brand or line.source:
        yield f"{listed([*_named('brand', line.brand), *_named('source', line.source)])}."
    if call.customer is not None:
        credit_s = call.customer.priority_s
        credit = f", and is served as if waiting {credit_s:g} s longer than he is" if credit_s else ""
        yield f"He is known as {call.customer.name}{credit}."
    if line.calendar is not None:
        yield calendar_state(config.plan.calendars[line.calendar], at)
    turned, entered = call.turned, call.entered
    blocked = turned is not None and turned.outcome is ContactOutcome.BLOCKED
    why = f"{turned.reason[:1].upper()}{turned.reason[1:]}" if turned and blocked else "The line is closed then"
    if turned is not None and entered is None:
        yield f"{why}: the call is refused ({turned.treatment}) unanswered, and nobody pays."
        return
    assert entered is not None
    begins = "The" if turned is None else f"{why}; the" if blocked else f"{why}, and the"
    start = config.plan.flows[entered].start
    yield f"{begins} flow {entered} ({entered}.toml) serves it in language {call.language}, from step {start}."
    yield PICKUPS[line.answer]


def _named(what: str, value: str) -> tuple[str, ...]:
    return (f"{what} {value}",) if value else ()


def moment(at: str, line: Line) -> datetime:
    """The time in the line's zone; raises `QuestionError`."""
    there = zone(line.timezone)
    try:
        given = datetime.fromisoformat(at.strip())
        if given.tzinfo is not None:
            return given.astimezone(there)
        moment_there = given.replace(tzinfo=there).astimezone(UTC).astimezone(there)
    except (ValueError, OverflowError):
        raise QuestionError(f"expected a time like 2026-12-31T23:50, got {shown(at)}") from None
    if moment_there.replace(tzinfo=None) != given:
        raise QuestionError(f"{shown(at)} does not exist in {line.timezone}: the clocks are put forward then")
    return moment_there


def reporting_day(at: datetime, line: Line) -> date:
    """The day to which the line's reports count a moment of its own zone."""
    hours, minutes = map(int, line.day_starts_at.split(":"))
    try:
        return (at.replace(tzinfo=None) - timedelta(hours=hours, minutes=minutes)).date()
    except OverflowError:
        raise QuestionError(f"the year {at.year} is too far away") from None


def line_called(config: Config, number: str) -> Line:
    """The line of that number; raises `QuestionError`."""
    digits = re.sub(r"[\s()-]", "", number)
    lines, region = config.plan.lines, config.plan.rules.region
    for line in lines.values():
        if line.number == digits or canonical(line.number, region) == canonical(digits, region):
            return line
    near = did_you_mean(digits, lines) or f"; there are {listed(lines) or 'none'}"
    raise QuestionError(f"there is no line {shown(number)}{near}")


def calendar_state(calendar: Calendar, when: datetime) -> str:
    """Open or not, and what comes next."""
    hours, there = hours_at(calendar, when.timestamp()), zone(calendar.timezone)
    change = closes_at if hours == "open" else opens_at
    at = change(calendar, when.timestamp())
    next_ = f"{datetime.fromtimestamp(at, there):%A %H:%M}, {calendar.timezone}" if at is not None else ""
    state = "closed for a holiday" if hours == "holiday" else hours
    if not next_:
        return f"The calendar {calendar.name} is {state} then, round the clock."
    return f"The calendar {calendar.name} is {state} then; it {'closes' if hours == 'open' else 'opens'} on {next_}."
