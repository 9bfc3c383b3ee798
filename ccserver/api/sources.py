"""What the API asks of the rest of the daemon, as Protocols; `ccserver.app` brings the real ones.

The desk is `ports.Desk`, the store's values are `store.rows`, its errors `store.errors`.
"""

from collections.abc import AsyncIterable, Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from ccserver.config.diff import Change
from ccserver.config.errors import Problem as ConfigProblem
from ccserver.config.load import Config
from ccserver.core.ids import AgentId, ContactId
from ccserver.store.decisions import AgentLog, ContactLog
from ccserver.store.reports import OffersRow, StatesRow, Stretch, TopicsRow
from ccserver.store.rows import ContactDetail, ContactRow, SatisfactionRow


class Alarm(Struct, frozen=True, kw_only=True):
    """Something that a person has to look at."""

    name: str
    """Stable, for programs: `journal`, `store`, `disk` ..."""
    message: str
    """For people, one line, no personal data: `/healthz` shows it to everybody."""
    since: float
    """UTC epoch seconds."""
    critical: bool = False
    """The daemon cannot do its work by it: `/healthz` answers 503."""


Health = Callable[[], Sequence[Alarm]]
"""The alarms of this moment, at once and without waiting. Links to Asterisk need none: the status tells of them."""


class ReportQueries(Protocol):
    """Sums of what was: `store.reports`."""

    async def topics(self, stretch: Stretch, per: Collection[str]) -> Sequence[TopicsRow]:
        """What talks were about."""
        ...

    async def offers(self, stretch: Stretch, per: Collection[str]) -> Sequence[OffersRow]:
        """What became of offers."""
        ...

    async def states(self, stretch: Stretch) -> Sequence[StatesRow]:
        """How agents spent their time."""
        ...


class ContactQueries(Protocol):
    """What was: the store, or a copy of it. Any of them raises `StoreUnavailable` while the database is away."""

    @property
    def reports(self) -> ReportQueries:
        """The same, summed up."""
        ...

    async def contacts(
        self,
        limit: int,
        before: ContactId | None = None,
        *,
        lines: Collection[str] = (),
        anis: Collection[str] = (),
        brands: Collection[str] = (),
        sources: Collection[str] = (),
    ) -> Sequence[ContactRow]:
        """The newest arrivals first, live ones among them; `before`: only those after this one in the list.

        `lines`, `anis`, `brands` and `sources`: only those on one of these lines, of one of these callers … where any are given.
        Raises `NoSuchContact` when `before` is none.
        """
        ...

    async def contact(self, contact: ContactId) -> ContactDetail | None:
        """Everything of one; None: unknown."""
        ...

    async def why(self, contact: ContactId) -> ContactLog:
        """What was decided about it."""
        ...

    async def why_agent(self, agent: AgentId, since: float) -> AgentLog:
        """What was decided since then, and what he did."""
        ...

    async def satisfaction(
        self, by: Literal["queue", "agent", "line"], question: str, since: float, until: float
    ) -> Sequence[SatisfactionRow]:
        """What customers who were asked in this time answered to the question, for each queue, agent or line."""
        ...


class LiveFeed(Protocol):
    """Something has changed: `store.feed.LiveFeed`."""

    def subscribe(self) -> AbstractContextManager[AsyncIterable[object]]:
        """A wake-up at once and after each change; several changes may share one."""
        ...


class Reloaded(Struct, frozen=True, kw_only=True):
    """What a reload did."""

    configuration: str
    """`ccserver.toml`, as the daemon names it."""
    changes: tuple[Change, ...]
    """Empty: the files say what runs already, nothing was done."""
    warnings: tuple[ConfigProblem, ...]


class Configuration(Protocol):
    """What is configured, and how it becomes something else: `ccserver.reload`."""

    @property
    def in_force(self) -> Config:
        """What runs."""
        ...

    async def reload(self) -> Reloaded:
        """Take up what the files say now; raises `config.errors.ConfigErrors`, and then nothing has changed."""
        ...


class RecordingUnavailable(Exception):
    """The file cannot be had; the text is for people."""


class RecordingFiles(Protocol):
    """The archive of recordings."""

    async def write_wav(self, path: str, wav: Path) -> None:
        """Write the recording kept under `path` (relative to the archive) as WAV; raises `RecordingUnavailable`."""
        ...
