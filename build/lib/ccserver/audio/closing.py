"""Knowing when Asterisk has finished writing a file: a leg of a recording is whole only when nobody has it open for writing.

`wait_closed` is awaited by the voice connector after the caller's leg is gone and before `recordings.finish`. It works
across chroots and mount namespaces, since both inotify and leases belong to the file itself and not to its path.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import signal
from pathlib import Path

from asyncinotify import Inotify, Mask

from ccserver.audio.errors import RecordingBroken, RecordingMissing, RecordingOpen

QUIET_S = 2.0
"""Where the system will not tell who has the file open: no write for this long is an end too (MixMonitor writes all the time)."""


async def wait_closed(path: Path, timeout_s: float = 10.0) -> None:
    """Return once no process has the file open for writing.

    Raises `RecordingMissing` when it is not there, `RecordingOpen` when it is still being written after `timeout_s`.
    """
    if is_open_for_writing(path) is False:
        return
    with Inotify() as inotify:
        try:  # watch first, look again second: a close in between is then seen by one of the two
            inotify.add_watch(path, Mask.CLOSE_WRITE | Mask.MODIFY)
        except FileNotFoundError:
            raise RecordingMissing(path) from None
        try:
            async with asyncio.timeout(timeout_s):
                await _until_closed(path, inotify)
        except TimeoutError:
            raise RecordingOpen(path, f"still open for writing after {timeout_s:g} s") from None


async def _until_closed(path: Path, inotify: Inotify) -> None:
    while (is_open := is_open_for_writing(path)) is not False:
        try:
            async with asyncio.timeout(QUIET_S if is_open is None else None):
                event = await inotify.get()
        except TimeoutError:
            return
        if is_open is None and event.mask & Mask.CLOSE_WRITE:
            return


def is_open_for_writing(path: Path) -> bool | None:
    """Whether any process has the file open for writing; None when the system will not say (somebody else's file).

    A read lease is granted only when nobody does, and is given back at once. Raises `RecordingMissing`.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise RecordingMissing(path) from None
    except OSError as error:
        raise RecordingBroken(path, f"cannot be read: {error.strerror}") from None
    try:
        # Should somebody open it while we hold the lease, the kernel signals us; the usual SIGIO would end the process.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    finally:
        os.close(fd)
    return False
