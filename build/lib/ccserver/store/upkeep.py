"""Keeps the journal small and quick: checkpoints in a thread, hourly snapshots, and the removal of what nobody needs any more.

Beside the projector, not in it: with the database away the journal grows, and needs this the more.
"""

import asyncio
from collections.abc import Callable

import structlog

from ccserver.ports import Clock
from ccserver.store.alarm import Alarm
from ccserver.store.errors import StoreError
from ccserver.store.journal import SqliteJournal

_log = structlog.get_logger()


class Upkeep:
    """`await upkeep.run()` in a task, in the event loop of the journal."""

    def __init__(
        self,
        journal: SqliteJournal,
        projected: Callable[[], int],
        clock: Clock,
        *,
        checkpoint_every_s: float = 10.0,
        snapshot_every_s: float = 3600.0,
        keep_s: float = 24 * 3600.0,
    ) -> None:
        """`projected` tells the last turn that the store has; `keep_s`: how much can be replayed at least.

        A call leaves 20 to 50 kB in the journal, so a day of 10 000 calls is less than 500 MB. A checkpoint makes the
        next commit one fsync longer, hence not every second.
        """
        self.alarm: Alarm | None = None
        self._journal = journal
        self._projected = projected
        self._clock = clock
        self._checkpoint_every_s = checkpoint_every_s
        self._snapshot_every_s = snapshot_every_s
        self._keep_s = keep_s
        self._snapshot_at = clock.now() + snapshot_every_s

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._checkpoint_every_s)
            await self.round()

    async def round(self) -> None:
        """Do what is due; what fails (disk full) raises the alarm and is tried again."""
        try:
            self._journal.flush()
            await asyncio.to_thread(self._journal.checkpoint)
            if self._clock.now() >= self._snapshot_at:
                await self.prune()
                self._snapshot_at = self._clock.now() + self._snapshot_every_s
        except StoreError as error:
            self._raise_alarm(error)
        else:
            self.alarm = None

    async def prune(self) -> int:
        """Take a snapshot, and remove what is projected and older than `keep_s`; returns how many turns went."""
        now = self._clock.now()
        self._journal.snapshot("hourly", now)
        removed = 0
        while some := self._journal.prune(projected=self._projected(), before=now - self._keep_s):
            removed += some
            await asyncio.sleep(0)
        return removed

    def _raise_alarm(self, error: StoreError) -> None:
        if self.alarm is None:
            _log.warning("journal_upkeep_failed", reason=str(error))
        self.alarm = Alarm(str(error), self.alarm.since if self.alarm else self._clock.now())
