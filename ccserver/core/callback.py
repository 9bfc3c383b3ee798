"""A call that is owed to a customer: what was promised, and when it may be made. Pure values.

It may be made when the operators' calendar and the customer's hours, read in his own zone, are both open. How soon it is tried
again after a try in vain depends on whose "no" it was; in the end it is over for good: too many tries, no such number, too late.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.attempt import AttemptOutcome
from ccserver.core.calendar import Calendar, closes_at, hours_at, opens_at, zone
from ccserver.core.events import CallbackSource
from ccserver.core.ids import OfferId, QueueName
from ccserver.core.numbers import zones
from ccserver.core.plan import Callbacks, Line, Plan
from ccserver.core.steps import CallFirst

CUSTOMERS_NO = frozenset(
    {AttemptOutcome.BUSY, AttemptOutcome.NO_ANSWER, AttemptOutcome.DECLINED, AttemptOutcome.NO_SUCH_NUMBER}
)
_CHANGES_MAX = 1000
"""Of calendars that never open together: so many openings are looked at."""


class Callback(Struct, frozen=True, kw_only=True):
    """Immutable, part of its contact; `due_at` is the next time that counts, and moves."""

    number: str
    """E.164."""
    source: CallbackSource
    queue: QueueName
    first: CallFirst
    """Who is called first."""
    asked_at: float
    due_at: float
    """Not before: wished by the customer, after a try in vain, or when the hours begin."""
    expires_at: float
    """Whoever has not been reached by then is not called any more."""
    until: float | None = None
    """While it may be made: when that must be looked at again."""
    tries: int = 0
    """In vain so far."""
    last: AttemptOutcome | None = None
    """How the last one ended."""
    given_up: bool = False
    """No other try is made."""
    attempts: int = 0
    """Made before the present try."""
    offer: OfferId | None = None
    """Accepted by the operator who is calling the customer now, or talked with him."""
    answered_at: float | None = None
    """When he and an operator came together: it is owed no more."""
    name: str = ""
    comment: str = ""
    """What he wrote; for people."""


def on_the_clock(plan: Plan, line: Line | None, callback: Callback, now: float) -> Callback | None:
    """The callback with the times that count from now on (`due_at` not after `now`: it may be made); None: it is too late."""
    window = _window(_calendars(plan, line, callback), max(callback.due_at, now))
    if window is None or window[0] >= callback.expires_at:
        return None
    begins, ends = window
    return replace(callback, due_at=begins, until=min(callback.expires_at, ends or callback.expires_at))


def zone_of(number: str, line: Line | None) -> str:
    """Where the customer is: by his number if that tells, else where the line is."""
    known = zones(number)
    if len(known) == 1:
        return known[0]
    # A Russian mobile may be anywhere from Kaliningrad to Kamchatka: then the line's customers are where the line is.
    return line.timezone if line is not None else "Europe/Moscow"


def moment_there(number: str, line: Line | None, there: str) -> float:
    """A time by the clock where the customer is, ISO 8601."""
    return datetime.fromisoformat(there).replace(tzinfo=zone(zone_of(number, line))).timestamp()


def retried(settings: Callbacks, callback: Callback, outcome: AttemptOutcome, now: float) -> Callback:
    """After a try in vain; only the customer's own "no" counts: no trunk, a crash, an operator who hangs up are not his doing."""
    tries = callback.tries + (outcome in CUSTOMERS_NO)
    slow = outcome in {AttemptOutcome.NO_ANSWER, AttemptOutcome.DECLINED}
    return replace(
        callback,
        tries=tries,
        last=outcome,
        offer=None,
        until=None,
        due_at=now + (settings.no_answer_retry_s if slow else settings.busy_retry_s),
        given_up=outcome is AttemptOutcome.NO_SUCH_NUMBER or tries >= settings.tries,
    )


def _calendars(plan: Plan, line: Line | None, callback: Callback) -> tuple[Calendar, ...]:
    settings, found = plan.callbacks, []
    if settings.calendar is not None:
        found.append(plan.calendars[settings.calendar])
    if settings.customer_calendar is not None:
        there = zone_of(callback.number, line)
        found.append(replace(plan.calendars[settings.customer_calendar], timezone=there))
    return tuple(found)


def _window(calendars: Iterable[Calendar], at: float) -> tuple[float, float | None] | None:
    """From when until when all are open next, at `at` or later; None: never."""
    calendars = tuple(calendars)
    for _ in range(_CHANGES_MAX):
        closed = [calendar for calendar in calendars if hours_at(calendar, at) != "open"]
        if not closed:
            ends = [end for calendar in calendars if (end := closes_at(calendar, at)) is not None]
            return at, min(ends, default=None)
        openings = [opens_at(calendar, at) for calendar in closed]
        if None in openings:
            return None
        at = max(opening for opening in openings if opening is not None)
    return None
