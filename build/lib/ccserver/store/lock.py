"""One writer: the lock beside the journal, held by the daemon for as long as it lives.

It is the kernel's (flock), so it falls with its holder however that dies. The file holds the holder's process id, which is
believed only while the lock is held.
"""

import asyncio
import fcntl
import os
from pathlib import Path

from ccserver.store.errors import JournalLocked, JournalUnreadable

_POLL_S = 0.01


class JournalLock:
    """The right to write one journal."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.path = journal.with_suffix(".lock")
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Held by this object."""
        return self._fd is not None

    def acquire(self) -> None:
        """Take the lock at once, or raise `JournalLocked`; `JournalUnreadable` where no file can be written."""
        assert self._fd is None, f"{self.path} is already held by this process"
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalUnreadable(self.journal, f"{self.path.name} beside it: {error.strerror}") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _pid_in(fd)
            os.close(fd)
            raise JournalLocked(self.journal, pid) from None
        self._fd = fd
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)

    async def acquire_within(self, wait_s: float) -> None:
        """Take the lock as soon as its holder lets go (take-over); `JournalLocked` after `wait_s`.

        flock can wait, but not with a deadline and not cancelled; so it is tried a hundred times a second.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait_s
        while True:
            try:
                return self.acquire()
            except JournalLocked:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(_POLL_S)

    def release(self) -> None:
        """Let go; harmless when the lock is not held."""
        if self._fd is None:
            return
        os.ftruncate(self._fd, 0)
        os.close(self._fd)
        self._fd = None

    def __enter__(self) -> "JournalLock":
        if not self.held:
            self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _pid_in(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else None
