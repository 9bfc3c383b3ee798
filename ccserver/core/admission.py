"""Whether a call that came in is let in, and what becomes of one that is not: its line may be closed."""

from msgspec import Struct

from ccserver.core.calendar import hours_at
from ccserver.core.contact import ContactOutcome
from ccserver.core.floor import Floor
from ccserver.core.plan import REFUSALS, Line, Treatment


class TurnedAway(Struct, frozen=True):
    """Not served as the line serves others."""

    treatment: Treatment
    reason: str
    outcome: ContactOutcome | None
    """None: the flow that he is sent to tells."""


def turned_away(floor: Floor, line: Line) -> TurnedAway | None:
    """None: he is let in."""
    if line.calendar is None or line.closed is None:
        return None
    hours = hours_at(floor.plan.calendars[line.calendar], floor.now)
    if hours == "open":
        return None
    reason = f"the line is closed: {line.calendar}{' has a holiday' if hours == 'holiday' else ''}"
    return TurnedAway(line.closed, reason, ContactOutcome.REFUSED if line.closed in REFUSALS else None)
