"""The archive of recordings: performs the core's `KeepRecording`, and gives files back to listeners as WAV.

What MixMonitor left is trimmed, merged and encoded here; nothing of it is lost by a crash or a full disk, because the raw
files stay until the kept one is on the disk, and the journal remembers which recordings are still awaited.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from ccserver.audio import recordings
from ccserver.audio.closing import wait_closed
from ccserver.audio.errors import AudioError, DiskFull, RecordingMissing, RecordingOpen
from ccserver.audio.recordings import RawRecording
from ccserver.core.commands import Command, KeepRecording
from ccserver.core.events import Fact, RecordingKept, RecordingLost

AT_ONCE = 2
"""Encoders side by side: the rest of the machine belongs to the calls."""
RETRY_S = 30.0
FREE_BYTES_MIN = 1 << 30
BYTES_PER_S = 16_000
"""Of a raw leg: 8 kHz, 16 bit, mono."""

log = structlog.get_logger("ccserver.audio")


class Archive:
    """A connector for recordings; `run()` serves until cancelled."""

    def __init__(self, directory: Path, report: Callable[[Fact], None]) -> None:
        self._directory = directory
        self._report = report
        self._queue: asyncio.Queue[KeepRecording] = asyncio.Queue()
        self.alarm = ""
        """What keeps recordings from being kept, for people; empty when nothing does."""

    def perform(self, command: Command) -> None:
        """Take the recording in hand; `RecordingKept` or `RecordingLost` tells its end."""
        assert isinstance(command, KeepRecording)
        self._queue.put_nowait(command)

    async def run(self) -> None:
        """Serve."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(AT_ONCE):
                tasks.create_task(self._work(), name=f"archive {number}")

    async def _work(self) -> None:
        while True:
            command = await self._queue.get()
            if not await self._done(command):
                asyncio.get_running_loop().call_later(RETRY_S, self._queue.put_nowait, command)

    async def _done(self, command: KeepRecording) -> bool:
        """False: try again later, the raw files are where they were."""
        raw_dir = self._directory / "raw"
        caller, operator = (raw_dir / f"{command.recording}-{side}.wav" for side in ("in", "out"))
        try:
            for leg in (caller, operator):
                await wait_closed(leg)
            if not command.talks:
                for leg in (caller, operator):
                    leg.unlink(missing_ok=True)
                return True
            started_at = command.started_at if command.started_at is not None else _begun(caller)
            day = time.strftime("%Y/%m/%d", time.gmtime(command.talks[0][0]))
            path = Path(day) / f"{command.recording}.opus"
            kept = await recordings.finish(
                RawRecording(caller, operator, started_at), command.talks, self._directory / path
            )
        except (DiskFull, RecordingOpen) as error:
            self.alarm = str(error)
            log.error("recording not kept yet", contact=command.contact, reason=self.alarm)
            return False
        except AudioError as error:
            if command.talks:
                log.error("recording lost", contact=command.contact, reason=str(error))
                self._report(RecordingLost(command.contact, command.recording, str(error), at=time.time()))
            return True
        self.alarm = ""
        self._report(RecordingKept(command.contact, command.recording, str(path), kept.duration_s, at=time.time()))
        return True

    def space_alarm(self) -> str:
        """When the disk runs full, how much is left; empty while there is enough."""
        free = recordings.free_space(self._directory).free_bytes
        return f"{free >> 20} MiB left for recordings" if free < FREE_BYTES_MIN else ""

    async def write_wav(self, path: str, wav: Path) -> None:
        """Write the recording kept under `path` as WAV for a listener; raises `RecordingMissing`, `RecordingBroken`."""
        kept = self._directory / path
        if not kept.resolve().is_relative_to(self._directory.resolve()):
            raise RecordingMissing(kept)
        await recordings.to_wav(kept, wav)


def _begun(leg: Path) -> float:
    """When MixMonitor began, from the file alone: it is written in real time, so its end less its length."""
    seen = leg.stat()
    return seen.st_mtime - seen.st_size / BYTES_PER_S
