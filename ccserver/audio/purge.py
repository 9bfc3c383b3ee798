"""Recordings that were kept long enough are removed: piece by piece, each told to the core, which notes when and by which rule.

The file goes first, then the core is told: after a crash between the two the row is found again, and a file that is not there
any more is no error. What is asked of the store is asked when it has all that the journal has, so that nothing goes that was
preserved a moment ago.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from ccserver.core.events import RecordingPurged
from ccserver.core.plan import Plan
from ccserver.core.retention import Rule, rules
from ccserver.ports import Inbox
from ccserver.store.errors import StoreError
from ccserver.store.retention import DueRecording, due_recordings
from ccserver.store.sql import SqlStore

EVERY_S = 3600.0
PIECE = 200
"""Files at once."""
PAUSE_S = 0.5
"""Between two pieces: the disk belongs to the calls."""

log = structlog.get_logger("ccserver.audio")


class Purge:
    """`run()` purges every hour until cancelled."""

    def __init__(
        self,
        directory: Path,
        store: SqlStore,
        plan: Callable[[], Plan],
        caught_up: Callable[[], Awaitable[None]],
        inbox: Inbox,
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        """`plan`: in force now; `caught_up` waits until the store has what the journal has."""
        self._directory = directory
        self._store = store
        self._plan = plan
        self._caught_up = caught_up
        self._inbox = inbox
        self._pause_s = pause_s
        self.alarm = ""
        """What keeps recordings from being removed, for people; empty when nothing does."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.round()
            except StoreError as error:  # it has an alarm of its own, and nothing is lost by waiting
                log.warning("recordings not purged", reason=str(error))
            await asyncio.sleep(EVERY_S)

    async def round(self) -> int:
        """Everything that is due now; returns how many recordings went."""
        self.alarm, gone = "", 0
        for rule in rules(self._plan()):
            after: DueRecording | None = None
            while True:
                await self._caught_up()
                due = await due_recordings(self._store.database, rule, time.time(), PIECE, after)
                if not due:
                    break
                gone += await self._remove(rule, due)
                after = due[-1]
                await asyncio.sleep(self._pause_s)
        return gone

    async def _remove(self, rule: Rule, due: list[DueRecording]) -> int:
        removed = await asyncio.to_thread(self._unlink, due)
        await self._inbox.room()
        for recording in removed:
            log.info(
                "recording purged",
                contact=recording.contact,
                path=recording.path,
                rule=rule.name,
                days=rule.days,
            )
            self._inbox.put(
                RecordingPurged(
                    recording.contact,
                    recording.recording,
                    recording.kind,
                    recording.duration_s,
                    recording.spans,
                    f"{rule.name} = {rule.days}",
                    at=time.time(),
                )
            )
        return len(removed)

    def _unlink(self, due: list[DueRecording]) -> list[DueRecording]:
        """Those that are no more; in a thread, for a disk may take its time."""
        removed = []
        for recording in due:
            file = self._directory / recording.path
            try:
                if file.resolve().is_relative_to(self._directory.resolve()):
                    file.unlink(missing_ok=True)
            except OSError as error:
                self.alarm = f"{file}: cannot be removed: {error.strerror}"
                log.error("recording not purged", contact=recording.contact, reason=self.alarm)
            else:
                removed.append(recording)
        return removed
