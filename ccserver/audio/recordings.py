"""From MixMonitor's two legs to the recording that is kept: stereo, trimmed to the talk, Ogg/Opus; and back to WAV.

The voice connector calls `finish` once `closing.wait_closed` has seen both legs closed; the API calls `to_wav`. Nothing
is read whole into memory: hours of talk cost ffmpeg some seconds of one core, at low priority.

MixMonitor runs on the *caller's* channel. `r(file)` takes what Asterisk receives from that channel, the caller's own
voice; `t(file)` takes what it transmits to it, the operator's voice (and the music before). Both begin with the
MixMonitor and run in step, sample by sample.
"""

from __future__ import annotations

import asyncio
import errno
import math
import os
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ccserver.audio import ffmpeg, ogg
from ccserver.audio.errors import DiskFull, RecordingBroken, RecordingMissing

BITRATE = "24k"
"""For both sides together. At 16k Opus makes mono of them; at 24k each is at least 30 dB below the other's side."""
EFFORT = "5"
"""Of 10. An hour of talk costs 18 s of a core; 10 costs 33 s, and the sides are no further apart."""
STEP_S = 0.01
"""Cuts fall on this grid."""
TOLERANCE_S = 0.1
"""A finished file that differs more than this from the talk is no good."""
_STEPS_PER_S = round(1 / STEP_S)
_HEADER_BYTES = 4096
_PCM = 1


@dataclass(frozen=True, slots=True)
class RawRecording:
    """What MixMonitor leaves behind for one recording."""

    caller: Path
    """The file given as `r()`."""
    operator: Path
    """The file given as `t()`."""
    started_at: float
    """When the MixMonitor began, UTC epoch seconds: the first sample of both legs."""
    mix: Path | None = None
    """MixMonitor's own mono mixture, if it was told to write one; not used, and removed with the legs."""

    def files(self) -> tuple[Path, ...]:
        """Everything that goes once the recording is kept."""
        return (self.caller, self.operator) if self.mix is None else (self.caller, self.operator, self.mix)


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording that is kept."""

    path: Path
    duration_s: float
    size_bytes: int
    missing_s: float = 0.0
    """Talk that the raw files do not hold: they end early when Asterisk was killed or its disk was full."""


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """Room on the file system of the recordings; feeds the alarm."""

    free_bytes: int
    total_bytes: int

    @property
    def fraction(self) -> float:
        """Free part, 0 to 1."""
        return self.free_bytes / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class _Leg:
    """What the file of one leg really holds, whatever its header says."""

    path: Path
    sample_rate: int
    sound_at: int
    """Bytes before the first sample."""
    samples: int

    def url(self) -> str:
        """The samples alone, for ffmpeg."""
        return f"subfile,,start,{self.sound_at},end,{self.sound_at + 2 * self.samples},,:{self.path.absolute()}"


Spans = Sequence[tuple[float, float]]
"""(from, to), UTC epoch seconds."""


async def finish(raw: RawRecording, talks: Spans, target: Path, gaps: Spans = ()) -> Finished:
    """Keep the talks, one after the other, as stereo Opus in `target`: left the caller, right the operator.

    Overlaps of `talks` count once, what lies outside the recording is `missing_s`. In the `gaps` it is silent, whatever the
    raw files hold.
    `target` appears whole or not at all; its folder is made. The raw files are deleted only after it is on the disk
    and has the length it must have; whatever is raised, they stay. Can be repeated after a crash: where `target` is
    already there and a leg is gone, it is the result. Raises `RecordingMissing`, `RecordingBroken`, `DiskFull`.
    """
    if target.is_file() and not (raw.caller.is_file() and raw.operator.is_file()):
        kept = _finished(target)
    else:
        caller, operator = _leg(raw.caller), _leg(raw.operator)
        if caller.sample_rate != operator.sample_rate:
            raise RecordingBroken(raw.operator, f"{operator.sample_rate} Hz, the caller's leg {caller.sample_rate} Hz")
        samples = max(caller.samples, operator.samples)
        cuts = _cuts(raw, talks, samples / caller.sample_rate)
        kept = await _encode((caller, operator), cuts, target, _silences(raw, gaps))
        kept = replace(kept, missing_s=_missing_s(talks, kept.duration_s))
    _remove(raw.files())
    return kept


async def finish_voicemail(raw: Path, target: Path) -> Finished:
    """Keep a message that a caller left, one mono WAV, as Opus in `target`; the promises are those of `finish`."""
    if target.is_file() and not raw.is_file():
        return _finished(target)
    leg = _leg(raw)
    kept = await _encode((leg,), ((0, _steps(leg.samples / leg.sample_rate)),), target)
    _remove((raw,))
    return kept


async def to_wav(opus: Path, wav: Path) -> Path:
    """Write a kept recording as 8 kHz 16-bit WAV for a listener, 32 kB a second for stereo; returns `wav`.

    The caller of this removes it after use. Raises `RecordingMissing`, `RecordingBroken`, `DiskFull`.
    """
    if not opus.is_file():
        raise RecordingMissing(opus)
    unfinished = _unfinished(wav)
    await ffmpeg.write(
        opus, ["-i", str(opus), "-ar", "8000", "-c:a", "pcm_s16le", "-bitexact", "-f", "wav"], unfinished
    )
    unfinished.replace(wav)
    return wav


def within(talks: Spans, gaps: Spans) -> tuple[tuple[float, float], ...]:
    """Where the gaps lie in the kept file, seconds from its beginning: the talks follow each other there."""
    found: list[tuple[float, float]] = []
    before_s, reached = 0.0, -math.inf
    for begin, end in sorted(talks):
        begin = max(begin, reached)
        if end <= begin:
            continue
        for first, last in sorted(gaps):
            if min(last, end) > max(first, begin):
                found.append((before_s + max(first, begin) - begin, before_s + min(last, end) - begin))
        before_s, reached = before_s + end - begin, end
    return tuple((round(first, 2), round(last, 2)) for first, last in found)


def free_space(folder: Path) -> FreeSpace:
    """Room left for an unprivileged process where `folder` lies."""
    found = os.statvfs(folder)
    return FreeSpace(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


async def _encode(
    legs: Sequence[_Leg],
    cuts: Sequence[tuple[int, int]],
    target: Path,
    silences: Sequence[tuple[int, int]] = (),
) -> Finished:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(target, error) from None
    unfinished = _unfinished(target)
    await ffmpeg.write(legs[0].path, [*_inputs(legs), *_filters(legs, cuts, silences), *_opus()], unfinished)
    wanted_s = sum(last - first for first, last in cuts) * STEP_S
    try:
        found_s = ogg.duration_s(unfinished)
        if abs(found_s - wanted_s) > TOLERANCE_S:
            raise RecordingBroken(legs[0].path, f"gave {found_s:.2f} s of sound where {wanted_s:.2f} s were expected")
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    await asyncio.to_thread(_sync_folder, target.parent)
    return Finished(target, round(wanted_s, 2), target.stat().st_size)


def _inputs(legs: Sequence[_Leg]) -> list[str]:
    """The samples that are there: Asterisk writes the header's lengths at the end, after a crash they are 0."""
    return [word for leg in legs for word in ("-f", "s16le", "-ar", str(leg.sample_rate), "-ac", "1", "-i", leg.url())]


def _filters(legs: Sequence[_Leg], cuts: Sequence[tuple[int, int]], silences: Sequence[tuple[int, int]]) -> list[str]:
    """One pass over any number of cuts, with a few frames in memory: slice on the grid, choose slices, number them anew."""
    samples = max(leg.samples for leg in legs)
    step = legs[0].sample_rate // _STEPS_PER_S
    padded = [f"[{i}:a]apad=whole_len={samples}[leg{i}]" for i in range(len(legs))]
    heads = "".join(f"[leg{i}]" for i in range(len(legs)))
    joined = f"{heads}join=inputs=2:channel_layout=stereo," if len(legs) == 2 else heads
    muted = f"volume=volume=0:precision=fixed:enable='{_slices(silences)}'," if silences else ""
    sliced = f"{joined}asetnsamples=n={step}:p=0,{muted}aselect='{_slices(cuts)}',asetpts=N/SR/TB"
    return ["-filter_complex", ";".join([*padded, sliced])]


def _slices(spans: Sequence[tuple[int, int]]) -> str:
    """True of the slices that lie in one of the spans."""
    return "+".join(f"between(n,{first},{last - 1})" for first, last in spans)


def _opus() -> list[str]:
    coding = ["-c:a", "libopus", "-b:a", BITRATE, "-application", "voip", "-compression_level", EFFORT]
    return [*coding, "-map_metadata", "-1", "-f", "ogg"]


def _cuts(raw: RawRecording, talks: Sequence[tuple[float, float]], recorded_s: float) -> tuple[tuple[int, int], ...]:
    """The talks as (first step, step after the last), in order, without overlaps, within what was recorded."""
    cuts: list[tuple[int, int]] = []
    for begin, end in sorted(talks):
        first = max(_steps(begin - raw.started_at), 0)
        last = min(_steps(end - raw.started_at), _steps(recorded_s))
        if cuts and first <= cuts[-1][1]:
            first, last = cuts[-1][0], max(cuts.pop()[1], last)
        if last > first:
            cuts.append((first, last))
    if not cuts:
        raise RecordingBroken(raw.caller, f"holds {recorded_s:.2f} s of sound and nothing of the talk")
    return tuple(cuts)


def _silences(raw: RawRecording, gaps: Spans) -> tuple[tuple[int, int], ...]:
    """The gaps as (first step, step after the last), rather too long than too short."""
    steps = (
        (math.floor((first - raw.started_at) / STEP_S), math.ceil((last - raw.started_at) / STEP_S))
        for first, last in gaps
    )
    return tuple((max(first, 0), last) for first, last in steps if last > max(first, 0))


def _missing_s(talks: Spans, kept_s: float) -> float:
    wanted_s, reached = 0.0, -math.inf
    for begin, end in sorted(talks):
        wanted_s += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    missing_s = wanted_s - kept_s
    return round(missing_s, 2) if missing_s > TOLERANCE_S else 0.0


def _steps(seconds: float) -> int:
    return round(seconds * _STEPS_PER_S)


def _leg(path: Path) -> _Leg:
    """Look at a WAV that may never have been closed properly; raises `RecordingMissing`, `RecordingBroken`."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise RecordingMissing(path) from None
    except OSError as error:
        raise RecordingBroken(path, f"cannot be read: {error.strerror}") from None
    if not head:
        raise RecordingBroken(path, "is empty")
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise RecordingBroken(path, "is no WAV file")
    sample_rate, sound_at = _format(path, head)
    samples = (size - sound_at) // 2
    if samples <= 0:
        raise RecordingBroken(path, "has no sound in it")
    return _Leg(path, sample_rate, sound_at, samples)


def _format(path: Path, head: bytes) -> tuple[int, int]:
    """Sample rate and where the samples begin, from the chunks of a WAV."""
    sample_rate, at = 0, 12
    while at + 8 <= len(head):
        chunk, length = struct.unpack_from("<4sI", head, at)
        at += 8
        if chunk == b"data" and sample_rate:
            return sample_rate, at
        if chunk == b"fmt " and at + 16 <= len(head):
            coding, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
            if (coding, channels, bits) != (_PCM, 1, 16) or not sample_rate or sample_rate % _STEPS_PER_S:
                raise RecordingBroken(path, f"expected 16-bit mono PCM, found coding {coding}, {channels}×{bits} bit")
        at += length + length % 2
    raise RecordingBroken(path, "has no sound in it")


def _finished(path: Path) -> Finished:
    return Finished(path, round(ogg.duration_s(path), 2), path.stat().st_size)


def _unwritable(path: Path, error: OSError) -> DiskFull | RecordingBroken:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path)
    return RecordingBroken(path, f"cannot be written: {error.strerror}")


def _unfinished(target: Path) -> Path:
    """Beside the target, so that the rename is atomic; one of its own for each attempt."""
    return target.with_name(f".{target.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk when this returns."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(files: Sequence[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
