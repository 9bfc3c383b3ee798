"""What a service manager hears from the real daemon, over a real notify socket."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.centre import Centre, contact_centre

LIMIT_S = 4.0
"""WatchdogSec: less than the journal waits for a lock (5 s), so that a locked journal is a daemon that hangs."""
WITHIN_S = 40.0


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.heard: list[str] = []
        """Every assignment, in the order in which they came."""

    def close(self) -> None:
        self._socket.close()

    async def hears(self, wanted: str, within_s: float = WITHIN_S) -> str:
        """The next assignment that begins so; `TimeoutError` when there is none."""
        async with asyncio.timeout(within_s):
            while True:
                told = (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode().split("\n")
                self.heard += told
                for state in told:
                    if state.startswith(wanted):
                        return state

    async def hears_nothing(self, wanted: str, for_s: float) -> None:
        """Wait until for so long nothing has come that begins so."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    await self.hears(wanted, for_s)
                except TimeoutError:
                    return


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    return Manager(tmp_path / "notify")


@asynccontextmanager
async def managed(
    manager: Manager, tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Centre]:
    """A centre whose daemon, once spawned, speaks to the manager."""
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        monkeypatch.setenv("NOTIFY_SOCKET", str(manager.path))
        monkeypatch.setenv("WATCHDOG_USEC", str(int(LIMIT_S * 1e6)))
        yield centre
    manager.close()


async def test_from_its_start_to_its_end_the_daemon_says_what_it_does(
    manager: Manager, tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(manager, tmp_path, library, prompts_dir, monkeypatch) as centre:
        await centre.spawn()
        await manager.hears("READY=1")
        assert manager.heard[:2] == ["STATUS=reads the journal", "EXTEND_TIMEOUT_USEC=60000000"]
        assert (await centre.get("/api/status"))["asterisk"]["connected"], "READY means that calls are served"

        for _ in range(3):
            await manager.hears("WATCHDOG=1", LIMIT_S)
        caller = await centre.waiting()
        assert await manager.hears("STATUS=1 call: 0 talking, 1 waiting")
        await caller.hangup()
        assert await manager.hears("STATUS=0 calls")

        assert await centre.stop() == 0
        assert await manager.hears("STOPPING=1")
        assert manager.heard.count("READY=1") == 1


async def test_a_daemon_that_hangs_does_not_feed_the_watchdog_and_one_that_goes_on_does(
    manager: Manager, tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(manager, tmp_path, library, prompts_dir, monkeypatch) as centre:
        await centre.start()
        await manager.hears("WATCHDOG=1")

        # Another program keeps the journal to itself: the engine's next turn waits for it, and with it everything.
        intruder = sqlite3.connect(centre.state_dir / "journal.sqlite", isolation_level=None)
        intruder.execute("begin immediate")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(centre.set_state("1001", "not_ready", "lunch"))
            await manager.hears_nothing("WATCHDOG=1", LIMIT_S)
            intruder.rollback()
            await manager.hears("WATCHDOG=1")
        intruder.close()
        await centre.agent("1001", "unreachable")

        assert centre.daemon is not None
        os.kill(centre.daemon.pid, signal.SIGSTOP)
        await manager.hears_nothing("WATCHDOG=1", LIMIT_S)
        os.kill(centre.daemon.pid, signal.SIGCONT)
        await manager.hears("WATCHDOG=1")


async def test_without_an_asterisk_the_daemon_is_ready_all_the_same_and_says_that_it_waits(
    manager: Manager, tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(manager, tmp_path, library, prompts_dir, monkeypatch) as centre:
        await centre.asterisk.stop()
        await centre.spawn()
        await manager.hears("READY=1")
        assert "STATUS=0 calls: 0 talking, 0 waiting; waits for Asterisk" in manager.heard
        await centre.asterisk.start()
        await manager.hears("STATUS=0 calls: 0 talking, 0 waiting")
        await centre.serving()
