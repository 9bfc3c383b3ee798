"""What a supervisor has put in force at run time, until he lifts it or its time is over: a Measure.

An announcement that every caller hears, a line that takes no calls, a number that is not let in. Each is kept in the journal and
survives a restart; `core.measures` takes and lifts them, what they do to a call that comes in says `core.admission`.
"""

from typing import Literal

from msgspec import Struct

from ccserver.core.ids import LineNumber, MeasureId, PromptName
from ccserver.core.plan import Treatment


class _Measure(Struct, frozen=True, kw_only=True, tag_field="kind"):
    id: MeasureId
    by: str
    """Who took it, for people."""
    since: float
    until: float | None = None
    """When it ends by itself."""
    line: LineNumber | None = None
    """None: every line."""


class Announcement(_Measure, frozen=True, tag="announcement"):
    """Said at the beginning of every call, and once to those who wait."""

    prompts: tuple[PromptName, ...]


class Closure(_Measure, frozen=True, tag="closure"):
    """The line is closed now, whatever its hours."""

    queued: Literal["stay", "close"] = "stay"
    """Who waits already is still served, or treated like who calls now."""
    treatment: Treatment | None = None
    """Of its calls; None: as the line treats them when it is closed, or else busy."""


class Block(_Measure, frozen=True, tag="block"):
    """A number, or all that begin so, is not let in."""

    number: str
    """The beginning of an E.164 number, or `anonymous`."""
    treatment: Treatment = "reject"
    reason: str = ""


Measure = Announcement | Closure | Block
