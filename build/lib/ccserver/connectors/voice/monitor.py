"""Conversations recorded by MixMonitor, started over AMI: ARI cannot start it, and it survives every change of bridges.

The caller's and the operator's voice go to two files that are equal to the sample; nothing is mixed. MixMonitor ends with
the caller's channel. Losing AMI costs recordings, never calls: every failure is an alarm and the call goes on.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import panoramisk
import structlog

from ccserver.core.ids import RecordingName

ACTION_S = 3.0
"""panoramisk never completes an action that was under way when the connection broke: wait no longer than this."""
RETRY_S = 2.0
PATIENCE_S = 5.0
"""Being away for less is a start or a reload, and no alarm."""
BYTES_PER_S = 16_000
"""Of a leg's file: 8 kHz, 16 bit, mono."""

log = structlog.get_logger("ccserver.voice")


class MonitorError(Exception):
    """The recording could not be started; the text is for the alarm."""


class Monitor:
    """MixMonitor of one Asterisk; `run()` keeps the AMI connection."""

    def __init__(self, port: int, user: str, password: str, raw_dir: Path) -> None:
        self._manager: Any = None
        self._config = {"host": "127.0.0.1", "port": port, "username": user, "secret": password}
        self._raw_dir = raw_dir
        self._connected = False
        self._away_since = time.monotonic()
        self._failure = ""

    @property
    def alarm(self) -> str:
        """What is wrong with recording, for people; empty when nothing is."""
        if not self._connected and time.monotonic() - self._away_since > PATIENCE_S:
            return "AMI does not answer or refuses the password: talks are not recorded"
        return self._failure

    async def start(self, channel_name: str, recording: RecordingName) -> float:
        """Record the channel into `<recording>-in.wav` (the caller's voice) and `-out.wav` (what he hears).

        Returns when it began, UTC epoch seconds. Where the file is there already an earlier offer began it, perhaps
        before a restart of ours: MixMonitor runs as long as the channel, and a second one would cut off the first.
        """
        caller = self._raw_dir / f"{recording}-in.wav"
        agent = self._raw_dir / f"{recording}-out.wav"
        try:
            seen = caller.stat()
            return seen.st_mtime - seen.st_size / BYTES_PER_S
        except FileNotFoundError:
            pass
        action = {"Action": "MixMonitor", "Channel": channel_name, "File": "", "Options": f"r({caller})t({agent})"}
        response = await self._send(action)
        if response is None or not response.success:
            self._failure = f"MixMonitor: {'no answer over AMI' if response is None else response.message}"
            raise MonitorError(self._failure)
        self._failure = ""
        return time.time()

    async def ping(self) -> bool:
        """AMI answers."""
        response = await self._send({"Action": "Ping"})
        return response is not None and bool(response.success)

    async def _send(self, action: dict[str, str]) -> Any:
        if self._manager is None or not self._manager.authenticated:
            return None
        try:
            async with asyncio.timeout(ACTION_S):
                return await self._manager.send_action(action)
        except (TimeoutError, OSError):
            return None

    def _logged_in(self) -> None:
        self._connected = True
        self._failure = ""

    def _lost(self) -> None:
        """Also after a login that was refused: Asterisk hangs up then."""
        if self._connected:
            self._connected, self._away_since = False, time.monotonic()

    async def run(self) -> None:
        """Stay connected until cancelled; panoramisk reconnects by itself."""
        self._manager = panoramisk.Manager(
            **self._config,
            events="off",
            loop=asyncio.get_running_loop(),
            reconnect_timeout=RETRY_S,
            on_login=lambda _: self._logged_in(),
            on_disconnect=lambda *_: self._lost(),
        )
        self._manager.connect()
        try:
            await asyncio.Event().wait()
        finally:
            self._manager.close()
