"""The projector: writes the journal into the store, turn by turn, at its own pace.

The engine wakes it after a commit and never waits for it. With the database away the journal simply grows and an alarm tells;
when it is back everything follows, each turn once.
"""

import asyncio
from collections.abc import Callable, Iterator

import structlog

from ccserver.core.ids import NodeName
from ccserver.ports import Clock, Effort, Turn
from ccserver.store.alarm import Alarm
from ccserver.store.errors import StaleWriter, StoreError
from ccserver.store.journal_file import JournalReader, TurnRecords
from ccserver.store.sql import Claim, SqlStore

_log = structlog.get_logger()


class Projector:
    """`await projector.run()` in a task; `wake()` after each commit. The reader is its own and closed by who made it."""

    def __init__(
        self,
        reader: JournalReader,
        store: SqlStore,
        node: NodeName,
        clock: Clock,
        *,
        linger_s: float = 0.1,
        batch_turns: int = 100,
        retry_first_s: float = 0.5,
        retry_max_s: float = 10.0,
    ) -> None:
        """`linger_s`: how long turns are gathered into one transaction while nobody waits for them in `caught_up`.

        `batch_turns` bounds what one transaction costs the event loop (about 1 ms a hundred).
        """
        self.alarm: Alarm | None = None
        self._reader = reader
        self._store = store
        self._node = node
        self._clock = clock
        self._linger_s = linger_s
        self._batch_turns = batch_turns
        self._retry = (retry_first_s, retry_max_s)
        self._claim: Claim | None = None
        self._seq = 0
        self._newest = 0
        """The newest turn that we were told of."""
        self._behind_since: float | None = None
        """About the clock of the oldest turn that the store has not got; None: it has all."""
        self._woken = asyncio.Event()
        self._wanted = asyncio.Event()
        self._moved = asyncio.Condition()
        self._waiting = 0

    @property
    def projected(self) -> int:
        """The last turn that the store has; 0 as long as the store was not reached."""
        return self._seq

    @property
    def lag_s(self) -> float:
        """How old the oldest turn is that the store has not got, seconds; 0: it has all."""
        return max(0.0, self._clock.now() - self._behind_since) if self._behind_since is not None else 0.0

    def turned(self, turn: Turn, _effort: Effort) -> None:
        """There is a new turn in the journal (`ports.Observer`)."""
        self._newest = turn.seq
        if self._behind_since is None:
            self._behind_since = turn.now
        self.wake()

    def wake(self) -> None:
        """As `turned`, of a turn that another process wrote."""
        self._woken.set()

    async def caught_up(self, seq: int) -> None:
        """Return when the store has turn `seq` (and make haste); with the database away this may take long."""
        self._waiting += 1
        self._wanted.set()
        try:
            await self.until(lambda: self._seq >= seq)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._wanted.clear()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; looked at after every batch and every change of the alarm."""
        async with self._moved:
            await self._moved.wait_for(condition)

    async def run(self) -> None:
        """Project until cancelled. Raises `StaleWriter`: another daemon writes for this node, so this one must stop."""
        delays, loop = _delays(*self._retry), asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                more = await self._project()
            except StaleWriter:
                raise
            except StoreError as error:
                self._raise_alarm(error)
                await self._tell()
                await asyncio.sleep(next(delays))
                continue
            if self.alarm:
                _log.info("store_serves_again", projected=self._seq)
                self.alarm = None
                await self._tell()
                delays = _delays(*self._retry)
            if more:
                await asyncio.sleep(loop.time() - began)  # calls first: a backlog gets half of the loop, not all of it
            else:
                await self._linger()

    async def _project(self) -> bool:
        """One batch; True: it was full, so there may be more."""
        self._woken.clear()
        if self._claim is None:
            self._claim = await self._claimed()
        turns = await asyncio.to_thread(self._reader.records_after, self._seq, self._batch_turns)
        if turns:
            self._tell_gap(turns)
            await self._reached(await self._store.project(self._claim, turns), turns[-1].now)
        return len(turns) == self._batch_turns

    async def _claimed(self) -> Claim:
        """A power cut takes the journal's last moments, a restored backup more, and what comes then has the same numbers.

        So unless the journal holds the very turn that the store had last, it is projected anew: records are whole
        values, so what is there already comes to no harm.
        """
        claim = await self._store.claim(self._node, self._reader.journal)
        seq = claim.seq
        if seq and await asyncio.to_thread(self._reader.clock_at, seq) != claim.now:
            _log.warning("journal_projected_anew", projected=seq, reason="it does not hold the turn the store had last")
            await self._store.rewind(claim)
            seq = 0
        await self._reached(seq, claim.now)
        return claim

    async def _reached(self, seq: int, at: float) -> None:
        self._seq = seq
        if self._behind_since is not None:
            self._behind_since = max(self._behind_since, at) if seq < self._newest else None
        await self._tell()

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def _linger(self) -> None:
        await self._woken.wait()
        if self._linger_s:
            try:
                await asyncio.wait_for(self._wanted.wait(), self._linger_s)
            except TimeoutError:
                return

    def _tell_gap(self, turns: list[TurnRecords]) -> None:
        if self._seq and turns[0].seq != self._seq + 1:
            _log.error(
                "journal_lacks_turns", first=self._seq + 1, last=turns[0].seq - 1, reason="pruned before projected"
            )

    def _raise_alarm(self, error: StoreError) -> None:
        if self.alarm is None or self.alarm.text != str(error):
            _log.warning("store_unavailable", reason=str(error), projected=self._seq)
        since = self.alarm.since if self.alarm else self._clock.now()
        self.alarm = Alarm(str(error), since)


def _delays(first_s: float, max_s: float) -> Iterator[float]:
    delay = first_s
    while True:
        yield delay
        delay = min(max_s, delay * 2)
