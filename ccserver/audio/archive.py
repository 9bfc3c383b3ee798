"""The archive of recordings: performs the core's `KeepRecording`, and gives files back to listeners as WAV.

What MixMonitor left is trimmed, merged and encoded here; nothing of it is lost by a crash or a full disk, because the raw
files stay until the kept one is on the disk, and the journal remembers which recordings are still awaited.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import structlog

from ccserver.audio import recordings
from ccserver.audio.closing import wait_closed
from ccserver.audio.errors import AudioError, DiskFull, RecordingMissing, RecordingOpen, ToolMissing
from ccserver.audio.recordings import RawRecording
from ccserver.core.commands import Command, KeepRecording
from ccserver.core.events import Fact, RecordingKept, RecordingLost

AT_ONCE = 2
"""Encoders side by side: the rest of the machine belongs to the calls."""
RETRY_S = 30.0
FREE_BYTES_MIN = 1 << 30
ORPHAN_AGE_S = 24 * 3600.0
SIDES = ("-in.wav", "-out.wav")
"""How the names of the raw legs end: the caller's voice, and what he hears."""
BYTES_PER_S = 16_000
"""Of a raw leg: 8 kHz, 16 bit, mono."""

log = structlog.get_logger("ccserver.audio")


class Archive:
    """A connector for recordings; `run()` serves until cancelled."""

    def __init__(self, directory: Path, raw_dir: Path, report: Callable[[Fact], None]) -> None:
        self._directory = directory
        self._raw_dir = raw_dir
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
        try:
            if command.talks:
                await self._keep(command)
            else:
                await self._discard(command)
        except (DiskFull, RecordingOpen, ToolMissing) as error:
            self.alarm = str(error)
            log.error("recording not kept yet", contact=command.contact, reason=self.alarm)
            return False
        except AudioError as error:
            log.error("recording lost", contact=command.contact, reason=str(error))
            self._report(RecordingLost(command.contact, command.recording, str(error), at=time.time()))
        self.alarm = ""
        return True

    async def _keep(self, command: KeepRecording) -> None:
        caller, operator = self._legs(command)
        path = Path(time.strftime("%Y/%m/%d", time.gmtime(command.talks[0][0]))) / f"{command.recording}.opus"
        target = self._directory / path
        if not target.is_file():  # else a crash came between keeping it and telling so, and the legs may be gone
            for leg in (caller, operator):
                await wait_closed(leg)
        # Timed by the file's end, not by when MixMonitor was told to begin: it writes nothing before the first sound comes,
        # half a second later on a busy machine, and as much of the first words would be cut off.
        raw = RawRecording(caller, operator, _begun(caller))
        kept = await recordings.finish(raw, command.talks, target, command.gaps)
        if kept.missing_s:
            log.warning("recording incomplete", contact=command.contact, missing_s=kept.missing_s)
        gaps = recordings.within(command.talks, command.gaps)
        told = RecordingKept(command.contact, command.recording, str(path), kept.duration_s, gaps, at=time.time())
        self._report(told)

    async def _discard(self, command: KeepRecording) -> None:
        """Nobody talked: ringing and music are not kept."""
        for leg in self._legs(command):
            with suppress(RecordingMissing):  # MixMonitor never began
                await wait_closed(leg)
            leg.unlink(missing_ok=True)

    def _legs(self, command: KeepRecording) -> tuple[Path, Path]:
        return self._raw_dir / f"{command.recording}{SIDES[0]}", self._raw_dir / f"{command.recording}{SIDES[1]}"

    def sweep(self, keep: Collection[str]) -> int:
        """Remove the raw files of recordings that nobody asks for any more; returns how many. Call at start.

        `keep`: recordings of live contacts and those still awaited. A crash between the end of a contact and the
        discarding of its ringing leaves such files. What is younger than a day stays: should the journal have been
        lost, a person can still rescue what it knew of.
        """
        old = time.time() - ORPHAN_AGE_S
        orphans = [
            leg
            for side in SIDES
            for leg in self._raw_dir.glob(f"*{side}")
            if leg.name.removesuffix(side) not in keep and leg.stat().st_mtime < old
        ]
        for leg in orphans:
            leg.unlink(missing_ok=True)
        if orphans:
            log.info("raw recordings of nobody removed", files=len(orphans))
        return len(orphans)

    def space_alarm(self) -> str:
        """When the disk runs full, how much is left; empty while there is enough."""
        try:
            free = recordings.free_space(self._directory).free_bytes
        except OSError as error:
            return f"{self._directory}: {error.strerror}"
        return f"{free >> 20} MiB left for recordings" if free < FREE_BYTES_MIN else ""

    async def write_wav(self, path: str, wav: Path) -> None:
        """Write the recording kept under `path` as WAV for a listener; raises `RecordingMissing`, `RecordingBroken`."""
        kept = self._directory / path
        if not kept.resolve().is_relative_to(self._directory.resolve()):
            raise RecordingMissing(kept)
        await recordings.to_wav(kept, wav)


def _begun(leg: Path) -> float:
    """The time of the first sample, from the file alone: it is written in real time, so its end less its length."""
    try:
        seen = leg.stat()
    except FileNotFoundError:
        return 0.0  # kept already: the time is of no use any more
    return seen.st_mtime - seen.st_size / BYTES_PER_S
