"""The second way to Asterisk, AMI: for what ARI cannot do. One connection, kept by panoramisk, which reconnects by itself."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import panoramisk

ACTION_S = 3.0
"""panoramisk never completes an action that was under way when the connection broke: wait no longer than this."""
RETRY_S = 2.0
PATIENCE_S = 5.0
"""Being away for less is a start or a reload, and no alarm."""


class Ami:
    """`run()` keeps the connection until cancelled."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._config = {"host": "127.0.0.1", "port": port, "username": user, "secret": password}
        self._manager: Any = None
        self._listeners: list[tuple[str, Callable[[], None]]] = []
        self._connected = False
        self._away_since = time.monotonic()
        self.logged_in = asyncio.Event()
        """Set by the first login."""

    @property
    def lost(self) -> bool:
        """Away for longer than a restart takes."""
        return not self._connected and time.monotonic() - self._away_since > PATIENCE_S

    def listen(self, event: str, heard: Callable[[], None]) -> None:
        """Be told of each event of that name; to be called before `run`."""
        self._listeners.append((event, heard))

    async def send(self, action: dict[str, str]) -> Any:
        """The answer (a list where there is one), or None when there is none in time."""
        if self._manager is None or not self._manager.authenticated:
            return None
        try:
            async with asyncio.timeout(ACTION_S):
                return await self._manager.send_action(action)
        except (TimeoutError, OSError):
            return None

    async def run(self) -> None:
        """Stay connected."""
        self._manager = panoramisk.Manager(
            **self._config,
            events="system" if self._listeners else "off",
            loop=asyncio.get_running_loop(),
            reconnect_timeout=RETRY_S,
            on_login=lambda _: self._logged_in(),
            on_disconnect=lambda *_: self._disconnected(),
        )
        for event, heard in self._listeners:
            self._manager.register_event(event, lambda *_, tell=heard: tell())
        self._manager.connect()
        try:
            await asyncio.Event().wait()
        finally:
            self._manager.close()

    def _logged_in(self) -> None:
        self._connected = True
        self.logged_in.set()

    def _disconnected(self) -> None:
        """Also after a login that was refused: Asterisk hangs up then."""
        if self._connected:
            self._connected, self._away_since = False, time.monotonic()
