"""What the engine needs of the world, and what the world may use of the engine: Protocols, nothing else."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ccserver.core.commands import Command
from ccserver.core.events import Answer, AnyEvent, Fact, Request
from ccserver.core.records import Record
from ccserver.core.status import Status


class Clock(Protocol):
    """Time as the daemon sees it."""

    def now(self) -> float:
        """UTC epoch seconds; never goes back."""
        ...


class Inbox(Protocol):
    """Where connectors put facts."""

    def put(self, fact: Fact) -> None:
        """Never blocks, never drops."""
        ...

    async def room(self) -> None:
        """Wait while the inbox is full; whoever can produce facts without bound waits here before the next."""
        ...


class Connector(Protocol):
    """Performs commands for one medium and reports facts to the inbox."""

    def perform(self, command: Command) -> None:
        """Take the command and return at once; the result comes as an event."""
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...


class Turn(Struct, frozen=True):
    """One step of the router as the journal keeps it."""

    seq: int
    """From 1, without gaps."""
    now: float
    events: tuple[AnyEvent, ...]
    records: tuple[Record, ...]
    commands: tuple[Command, ...]


class Effort(Struct, frozen=True):
    """What a turn cost, seconds."""

    waited_s: float
    """The longest time that one of its events had waited in the inbox."""
    decided_s: float
    committed_s: float


class Observer(Protocol):
    """Looks on: is told of every turn when all about it is done."""

    def turned(self, turn: Turn, effort: Effort) -> None:
        """Must not block, and has no say."""
        ...


class Journal(Protocol):
    """What you would miss in the next second; synchronous, local, a fraction of a millisecond a turn."""

    @property
    def next_seq(self) -> int:
        """The number that the next turn must have."""
        ...

    def commit(self, turn: Turn) -> None:
        """Write the turn and the live state it leaves; returns when another process would find it after kill -9."""
        ...

    def sync(self) -> None:
        """Force all committed turns to the disk (before something is promised outside)."""
        ...


class Feed(Protocol):
    """Tells whoever watches that something has changed."""

    def publish(self, records: Sequence[Record]) -> None:
        """Called after the turn is journalled; must not block."""
        ...


class Desk(Protocol):
    """What the API may ask of the engine."""

    def status(self) -> Status:
        """The picture of this moment."""
        ...

    async def request(self, request: Request) -> Answer:
        """Put the request through the core; returns when the decision is journalled."""
        ...
