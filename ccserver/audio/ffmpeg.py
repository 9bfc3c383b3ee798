"""Running ffmpeg: typed errors, no orphans, gentle to live calls. Used inside this package only."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ccserver.audio.errors import DiskFull, RecordingBroken, ToolMissing

_NO_ROOM = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_QUIET = ("-nostdin", "-hide_banner", "-v", "error")
_GENTLE = ("nice", "-n", "10")
"""Archiving may wait; the calls on the same machine may not."""


def pcm(arguments: Sequence[str], *, stdin: bytes | None = None) -> bytes:
    """Run ffmpeg to the end, return what it wrote to its standard output (`-` or `pipe:1`); raises `ValueError`.

    Blocks; for prompts, which are short and made by a command line or in a thread.
    """
    try:
        done = subprocess.run(
            ["ffmpeg", "-hide_banner", "-v", "error", *arguments], input=stdin or b"", capture_output=True, timeout=60
        )
    except FileNotFoundError:
        raise ToolMissing("ffmpeg", "prompts and recordings") from None
    except subprocess.TimeoutExpired:
        raise ValueError("ffmpeg did not finish within 60 s") from None
    if done.returncode:
        raise ValueError(_last_line(done.stderr))
    return done.stdout


async def write(source: Path, arguments: Sequence[str], written: Path) -> None:
    """Run ffmpeg to the end, writing the file `written`, which is removed again if anything goes wrong.

    `source` is the file to blame when ffmpeg cannot make sense of its input.
    """
    complaint = ""
    try:
        code, stderr = await _run([*_QUIET, "-y", *arguments, str(written)])
        # ffmpeg may end with 0 after a failed write, having said so: a silent run is the only good one.
        complaint = _last_line(stderr) or (f"ffmpeg ended with {code}" if code else "")
        if any(no_room.encode() in stderr for no_room in _NO_ROOM):
            raise DiskFull(written)
        if complaint:
            raise RecordingBroken(source, complaint)
        await asyncio.to_thread(_sync, written)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


async def _run(arguments: Sequence[str]) -> tuple[int, bytes]:
    """Exit code, and what it complained of."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_GENTLE,
            "ffmpeg",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError:
        raise ToolMissing("nice", "recordings") from None
    try:
        _, stderr = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode == 127:  # nice's own answer when there is no such program
        raise ToolMissing("ffmpeg", "recordings")
    assert process.returncode is not None
    return process.returncode, stderr


def _sync(path: Path) -> None:
    """The bytes are on the disk when this returns: only then may the raw files go."""
    try:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path) from None
        raise


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
