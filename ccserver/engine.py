"""The loop: inbox -> router.step -> journal -> perform. No decision and no domain word beyond the nouns.

Connectors put facts into the inbox, the API asks requests; one turn takes what is there, and the router decides it at once, so
nothing can interleave. Records are journalled before commands go out; the answer to a request is given after both. Between
turns the engine sleeps until a fact comes or the router's one deadline is reached.
"""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ccserver.core.commands import Command
from ccserver.core.events import Answer, AnyEvent, Fact, Request
from ccserver.core.router import Router
from ccserver.core.status import Status, picture
from ccserver.ports import Clock, Connector, Effort, Feed, Journal, Observer, Turn

BATCH_MAX = 500
"""Events in one turn: bounds how long the loop is away from everything else."""

_Letter = tuple[AnyEvent, asyncio.Future[Answer] | None, float]
"""What came, who waits for an answer, and when it came (monotonic seconds)."""


class Limits(Struct, frozen=True):
    """How much of something is too much."""

    inbox_events: int = 10_000
    """Events waiting for the router: beyond that their producers wait."""


class Engine:
    """Implements `ports.Inbox` and `ports.Desk`."""

    def __init__(
        self,
        router: Router,
        journal: Journal,
        feed: Feed,
        clock: Clock,
        limits: Limits,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._router = router
        self._journal = journal
        self._feed = feed
        self._clock = clock
        self._inbox_max = limits.inbox_events
        self._observers = observers
        self._inbox: deque[_Letter] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._connectors: Mapping[type[Command], Connector] = {}

    def connect(self, connectors: Mapping[type[Command], Connector]) -> None:
        """Who performs which command."""
        self._connectors = connectors

    # --- inbox and desk -----------------------------------------------------------------------------------------

    def put(self, fact: Fact) -> None:
        """Never drops: whoever can produce without bound waits for `room` first."""
        self._inbox.append((fact, None, time.monotonic()))
        if len(self._inbox) >= self._inbox_max:
            self._room.clear()
        self._wake.set()

    async def room(self) -> None:
        """Wait until the inbox is below its bound."""
        await self._room.wait()

    @property
    def waiting(self) -> int:
        """Events in the inbox."""
        return len(self._inbox)

    @property
    def lag_s(self) -> float:
        """How long the oldest event in the inbox has waited, seconds; an engine that hangs lets this grow."""
        return time.monotonic() - self._inbox[0][2] if self._inbox else 0.0

    def status(self) -> Status:
        """The picture of this moment."""
        return picture(self._router.floor, self._clock.now())

    async def request(self, request: Request) -> Answer:
        """Put the request through the core; the answer is on disk before it is told."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._inbox.append((request, answer, time.monotonic()))
        self._wake.set()
        decided = await answer
        await asyncio.to_thread(self._journal.sync)
        return decided

    # --- the loop -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Turn until `stop`; then take what is in the inbox and end."""
        gc.freeze()  # what was loaded to get here stays: walking it stopped the loop for 0.3 s in mid-load
        while not (self._stopping and not self._inbox):
            await self._until_due()
            self.turn()
            await asyncio.sleep(0)  # a storm of facts must not starve the sockets

    def stop(self) -> None:
        """End after the facts that are here."""
        self._stopping = True
        self._wake.set()

    async def _until_due(self) -> None:
        deadline = self._router.deadline()
        delay_s = None if deadline is None else max(0.0, deadline - self._clock.now())
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    def turn(self) -> None:
        """One step of the router, kept and performed."""
        batch = [self._inbox.popleft() for _ in range(min(len(self._inbox), BATCH_MAX))]
        if not self._inbox and not self._stopping:
            self._wake.clear()
        if len(self._inbox) < self._inbox_max:
            self._room.set()
        events = tuple(event for event, _, _ in batch)
        begun, now = time.monotonic(), self._clock.now()
        outcome = self._router.step(events, now)
        decided = time.monotonic()
        if not (events or outcome.records or outcome.commands):
            return  # woken by a deadline that was overtaken
        turn = Turn(self._journal.next_seq, now, events, outcome.records, outcome.commands)
        self._journal.commit(turn)
        committed = time.monotonic()
        for command in outcome.commands:
            self._connectors[type(command)].perform(command)
        if outcome.records:
            self._feed.publish(outcome.records)
        waiting = [answer for _, answer, _ in batch if answer is not None]
        for answer, decision in zip(waiting, self._router.answers, strict=True):
            if not answer.cancelled():
                answer.set_result(decision)
        effort = Effort(begun - batch[0][2] if batch else 0.0, decided - begun, committed - decided)
        for observer in self._observers:
            observer.turned(turn, effort)
