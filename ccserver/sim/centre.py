"""What everybody in the simulated world knows of the centre: how to reach it, and the picture on the supervisors' wall.

Operators look at their state on it, callers' drivers see that an operator has come (a real caller would hear it). The
daemon may be killed at any moment: the picture then stands still until there is a daemon again.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import aiohttp
import msgspec
import structlog

from ccserver.sim.phones import Phone, PhoneLibrary

T = TypeVar("T")

AGAIN_AFTER_S = 1.0
STILL_AFTER_S = 10.0
"""A picture comes every two seconds; without one for so long the link is broken."""
ASKS_WITHIN_S = 3.0

log = structlog.get_logger("ccserver.sim")


class Account(msgspec.Struct, frozen=True):
    """A SIP user."""

    user: str
    password: str
    encrypted: bool = False
    """His sound must be."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to connect; from access.json."""

    host: str
    port: int
    lines: tuple[str, ...]
    operators: tuple[Account, ...]
    caller: Account
    url: str
    token: str

    def phone(self, library: PhoneLibrary, account: Account) -> Phone:
        """A phone that tells the server to forget it soon when it is gone, and rings until somebody decides."""
        return Phone(
            library,
            account.user,
            account.password,
            host=self.host,
            port=self.port,
            answer="ring",
            sound="encrypted" if account.encrypted else "plain",
            mortal=True,
            remembers_s=2.0,
        )


class AgentSeen(msgspec.Struct, frozen=True):
    """An operator on the wall."""

    extension: str
    name: str
    state: str
    reason: str
    phone_registered: bool


class ContactSeen(msgspec.Struct, frozen=True):
    """A caller on the wall."""

    ani: str
    state: str


class StatusSeen(msgspec.Struct, frozen=True):
    """The picture, as far as we care."""

    agents: tuple[AgentSeen, ...]
    contacts: tuple[ContactSeen, ...]


class _Message(msgspec.Struct, frozen=True):
    status: StatusSeen | None = None


class Wall:
    """The live picture; `run` keeps it true."""

    def __init__(self, access: Access) -> None:
        self._url = access.url
        self._headers = {"Authorization": f"Bearer {access.token}"}
        self._status: StatusSeen | None = None
        self._changed = asyncio.Event()
        self.linked = False

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(headers=self._headers) as http:
            while True:
                try:
                    await self._watch(http)
                    reason = "closed"
                except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
                    reason = str(error) or type(error).__name__
                if self.linked:
                    self.linked = False
                    log.warning("demo: the centre is away, phones go on", reason=reason)
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _watch(self, http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(f"{self._url}/api/live", receive_timeout=STILL_AFTER_S) as socket:
            async for message in socket:
                status = msgspec.json.decode(message.data, type=_Message).status
                if status is None:
                    continue
                if not self.linked:
                    self.linked = True
                    log.info("demo: sees the centre", agents=len(status.agents), contacts=len(status.contacts))
                self._status = status
                self._changed.set()
                self._changed = asyncio.Event()

    def agent(self, extension: str) -> AgentSeen | None:
        """As last seen."""
        agents = self._status.agents if self._status else ()
        return next((agent for agent in agents if agent.extension == extension), None)

    def is_talking(self, number: str) -> bool:
        """Whether a caller with this number talks to an operator; numbers may be written in several ways."""
        contacts = self._status.contacts if self._status else ()
        return any(contact.state == "talking" and contact.ani[-10:] == number[-10:] for contact in contacts)

    async def until(self, look: Callable[[], T | None], within_s: float) -> T | None:
        """Look now and at each change until `look` gives something; None when it did not in time."""
        try:
            async with asyncio.timeout(within_s):
                while (found := look()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            return None

    async def send_home(self, extensions: tuple[str, ...]) -> None:
        """Log operators out, as their supervisor does at night; a centre that is away is left alone."""
        timeout = aiohttp.ClientTimeout(total=ASKS_WITHIN_S)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as http:
            await asyncio.gather(*(self._log_out(http, extension) for extension in extensions))

    async def _log_out(self, http: aiohttp.ClientSession, extension: str) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.post(f"{self._url}/api/agents/{extension}/state", json={"state": "logged_out"}):
                pass
