"""Whether a call that came in is let in, and what becomes of one that is not: blocked, or its line is closed.

Blocked numbers stand in the configuration or were blocked at run time (`core.measure`); a line is closed by hand or by its hours.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ccserver.core.calendar import hours_at
from ccserver.core.contact import ContactOutcome
from ccserver.core.floor import Floor
from ccserver.core.ids import FlowName, LineNumber, PromptName
from ccserver.core.measure import Announcement, Block, Closure
from ccserver.core.plan import REFUSALS, Line, Plan, Treatment

ANONYMOUS = "anonymous"
"""Among blocked numbers: whoever shows none."""


class TurnedAway(Struct, frozen=True):
    """Not served as the line serves others."""

    treatment: Treatment
    reason: str
    outcome: ContactOutcome | None
    """None: the flow that he is sent to tells."""


class _Barred(Struct, frozen=True):
    number: str
    treatment: Treatment
    reason: str


def turned_away(floor: Floor, line: Line, ani: str) -> TurnedAway | None:
    """None: he is let in."""
    blocked = _fitting([*_barred_by_hand(floor, line.number), *_barred_by_rule(floor.plan, line.number)], ani)
    if blocked is not None:
        return TurnedAway(_known(floor, blocked.treatment), blocked.reason, ContactOutcome.BLOCKED)
    closure = closed_by_hand(floor, line.number)
    if closure is not None:
        return _shut(treatment(floor, closure, line.number), f"the line was closed by {closure.by}")
    return _out_of_hours(floor.plan, line, floor.now)


def turned_away_by_plan(plan: Plan, line: Line, ani: str | None, at: float) -> TurnedAway | None:
    """As if nobody had taken a measure; None: he is let in. Of whom no `ani` is given, no number is blocked."""
    blocked = _fitting(_barred_by_rule(plan, line.number), ani) if ani is not None else None
    if blocked is not None:
        return TurnedAway(blocked.treatment, blocked.reason, ContactOutcome.BLOCKED)
    return _out_of_hours(plan, line, at)


def _out_of_hours(plan: Plan, line: Line, at: float) -> TurnedAway | None:
    if line.calendar is None or line.closed is None:
        return None
    hours = hours_at(plan.calendars[line.calendar], at)
    if hours == "open":
        return None
    return _shut(line.closed, f"the line is closed: {line.calendar}{' has a holiday' if hours == 'holiday' else ''}")


def announced(floor: Floor, line: LineNumber) -> tuple[PromptName, ...]:
    """What every caller of the line hears first: what is for all lines before what is for his."""
    mine = [each for each in floor.measures.values() if isinstance(each, Announcement) and each.line in (None, line)]
    mine.sort(key=lambda each: (each.line is not None, each.since))
    return tuple(prompt for each in mine for prompt in each.prompts)


def closed_by_hand(floor: Floor, line: LineNumber) -> Closure | None:
    """The closure of the line itself, or of all."""
    closures = [each for each in floor.measures.values() if isinstance(each, Closure) and each.line in (None, line)]
    return max(closures, key=lambda each: each.line is not None, default=None)


def treatment(floor: Floor, closure: Closure, number: LineNumber) -> Treatment:
    """Of calls to that line while it is closed by hand."""
    line = floor.plan.lines.get(number)
    return _known(floor, closure.treatment or (line.closed if line else None) or "busy")


def _shut(how: Treatment, reason: str) -> TurnedAway:
    return TurnedAway(how, reason, ContactOutcome.REFUSED if how in REFUSALS else None)


def _known(floor: Floor, how: Treatment) -> Treatment:
    """A reload may have taken the flow away that somebody chose before."""
    return how if how in REFUSALS or FlowName(how) in floor.plan.flows else "busy"


def _fitting(barred: Iterable[_Barred], ani: str) -> _Barred | None:
    """By the longest number that fits: it says the most of him."""
    return max((each for each in barred if fits(each.number, ani)), key=lambda each: len(each.number), default=None)


def fits(number: str, ani: str) -> bool:
    """Whether a blocked number is his."""
    if number == ANONYMOUS:
        return not any(map(str.isdigit, ani))
    return ani.startswith(number)


def _barred_by_hand(floor: Floor, line: LineNumber) -> Iterator[_Barred]:
    for measure in floor.measures.values():
        if isinstance(measure, Block) and measure.line in (None, line):
            why = f"{measure.number} was blocked by {measure.by}"
            yield _Barred(measure.number, measure.treatment, _because(why, measure.reason))


def _barred_by_rule(plan: Plan, line: LineNumber) -> Iterator[_Barred]:
    for rule in plan.blocked:
        if _counts_on(rule.lines, line):
            for number in rule.numbers:
                yield _Barred(number, rule.treatment, _because(f"{number} is blocked", rule.reason))


def _counts_on(lines: Iterable[LineNumber], line: LineNumber) -> bool:
    named = tuple(lines)
    return not named or line in named


def _because(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what
