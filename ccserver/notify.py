"""Word to systemd (Type=notify): starting, serving, what it is doing, still alive, stopping. See `systemd/ccserver.service`.

READY is said when calls are served: the journal is restored, the API listens, and every Asterisk has been listed. When no
Asterisk can be found it is said all the same, a little later: the daemon waits for it, and restarting would not help.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import structlog

from ccserver.api.sources import Alarm
from ccserver.core.contact import ContactState
from ccserver.core.status import QUEUED, Status
from ccserver.ports import Effort, Turn

RESTORE_S = 60
"""That much longer a start may take while a large journal is read."""
ASTERISK_WITHIN_S = 10.0
"""So long READY waits for an Asterisk."""
TELLS_EVERY_S = 5.0
STATUS_MAX = 200

log = structlog.get_logger("ccserver.notify")


def notify(*states: str) -> None:
    """Send states, for example `READY=1`, as sd_notify(3) does; nobody listens: nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock, suppress(OSError):
        sock.sendto("\n".join(states).encode(), "\0" + address[1:] if address.startswith("@") else address)


class Watchdog:
    """Whether the engine works. Pure: whoever asks says what time it is (monotonic seconds).

    That the event loop turns is proved by the asking. That the engine turns, too, is proved by its turns: it hangs when an
    event has waited for half of systemd's limit, and in all that time there was not one turn. A long queue of events
    that moves is load, and no reason to be killed.
    """

    def __init__(self, limit_s: float) -> None:
        """`limit_s`: WatchdogSec."""
        self._patience_s = limit_s / 2
        self._turned_at: float | None = None

    def turned(self, at: float) -> None:
        """The engine has taken a turn."""
        self._turned_at = at

    def content(self, at: float, waiting_s: float) -> bool:
        """All is well, as far as the oldest event, which has waited for so long, can tell."""
        still_s = waiting_s if self._turned_at is None else min(waiting_s, at - self._turned_at)
        return still_s < self._patience_s


class EngineSeen(Protocol):
    """What is looked at of the engine."""

    @property
    def lag_s(self) -> float:
        """How long the oldest event in the inbox has waited, seconds."""
        ...

    def status(self) -> Status:
        """The picture of this moment."""
        ...


class Herald:
    """Tells systemd. An observer of the engine, and a task of the daemon."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._listened_to = bool(environ.get("NOTIFY_SOCKET"))
        self._limit_s = _watchdog_s(environ)
        self._watchdog = Watchdog(self._limit_s or TELLS_EVERY_S)
        self._serves = asyncio.Event()
        self._engine: EngineSeen | None = None
        self._alarms: Callable[[], Sequence[Alarm]] = tuple
        self._told = ""
        self._hangs = False

    def restoring(self) -> None:
        """A start begins."""
        notify("STATUS=reads the journal", f"EXTEND_TIMEOUT_USEC={RESTORE_S * 1_000_000}")

    def watch(self, engine: EngineSeen, alarms: Callable[[], Sequence[Alarm]]) -> None:
        """Whom to ask; once, before `run`."""
        self._engine, self._alarms = engine, alarms

    def turned(self, turn: Turn, effort: Effort) -> None:
        """As `ports.Observer`."""
        self._watchdog.turned(time.monotonic())
        if self._listened_to and not self._serves.is_set() and self._engine and _connected(self._engine.status()):
            self._serves.set()

    async def run(self) -> None:
        """Until cancelled: READY once, then alive and busy, twice per WatchdogSec at least."""
        if not self._listened_to or self._engine is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._get_ready(self._engine), name="ready")
            while True:
                self._tick(self._engine)
                await asyncio.sleep(min(TELLS_EVERY_S, (self._limit_s or TELLS_EVERY_S * 2) / 2))

    def stopping(self) -> None:
        """The daemon ends."""
        notify("STOPPING=1", "STATUS=stops; calls go on")

    async def _get_ready(self, engine: EngineSeen) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ASTERISK_WITHIN_S):
                await self._serves.wait()
        self._tick(engine)
        notify("READY=1")

    def _tick(self, engine: EngineSeen) -> None:
        waiting_s = engine.lag_s
        content = self._watchdog.content(time.monotonic(), waiting_s)
        states = ["WATCHDOG=1"] if self._limit_s and content else []
        said = summary(engine.status(), self._alarms()) if content else f"hangs: no turn for {waiting_s:.0f} s"
        if said != self._told:
            self._told = said
            states.append(f"STATUS={said}")
        if states:
            notify(*states)
        if content is self._hangs:
            self._hangs = not content
            (log.error if self._hangs else log.info)(
                "engine hangs" if self._hangs else "engine turns", waiting_s=waiting_s
            )


def summary(status: Status, alarms: Sequence[Alarm]) -> str:
    """One line for `systemctl status`."""
    states = [contact.state for contact in status.contacts]
    talking = states.count(ContactState.TALKING)
    waiting = sum(state in QUEUED for state in states)
    parts = [f"{len(states)} call{'' if len(states) == 1 else 's'}: {talking} talking, {waiting} waiting"]
    if not _connected(status):
        parts.append("waits for Asterisk")
    parts += [f"{alarm.name} since {datetime.fromtimestamp(alarm.since, UTC):%H:%M:%S} UTC" for alarm in alarms]
    return "; ".join(parts)[:STATUS_MAX]


def _connected(status: Status) -> bool:
    return bool(status.nodes) and all(node.connected for node in status.nodes)


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """As sd_watchdog_enabled(3): 0 when it is off, or meant for another process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    text = environ.get("WATCHDOG_USEC", "0")
    return int(text) / 1e6 if text.isdecimal() else 0.0
