"""One HTTP request to Asterisk, and what became of it: deadline, error tree, counters, the look after an ambiguous create.

`AriClient` puts names and types on top of this; `EventStream` borrows the address and the credentials.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from ccserver.ari.counters import Counters
from ccserver.ari.errors import (
    AllocationFailed,
    AlreadyExists,
    AriError,
    AriUnavailable,
    Conflict,
    NotFound,
    from_status,
)
from ccserver.ari.objects import parse_special

DEADLINE_S = 10.0
CONNECTIONS_MAX = 8
"""Asterisk listens with a backlog of 10: of more connections opened at once some are dropped and tried again a second later."""
# Asterisk closes an idle connection after 15 s (session_keep_alive); a POST sent into that moment is lost.
KEEPALIVE_S = 10.0

T = TypeVar("T")
JSON = Mapping[str, object]


class _ErrorBody(msgspec.Struct):
    """Asterisk's two shapes of an error: {"message": …} and {"error": …}."""

    message: str = ""
    error: str = ""


def path(*parts: str) -> str:
    """Return a request path of parts that may hold any character: a recording's name has slashes, a device's colons."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


class Transport:
    """The connections to one Asterisk; an async context manager, to be entered inside the running loop.

    `url` is that of ARI, for example `http://127.0.0.1:8088/ari`.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        deadline_s: float = DEADLINE_S,
        answered: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """`answered` is told how long each request took, answered or not, seconds."""
        self.url = url.rstrip("/")
        self.deadline_s = deadline_s
        self._answered = answered
        self.counters = Counters()
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._pool: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        limits = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEPALIVE_S)
        self._pool = aiohttp.ClientSession(connector=limits, headers=self._headers)
        # The web socket would occupy a slot of the pool for ever, and a look-up must not meet a poisoned connection.
        unshared = aiohttp.TCPConnector(limit=0, force_close=True)
        self._fresh = aiohttp.ClientSession(connector=unshared, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self._pool, self._fresh):
            if session is not None:
                await session.close()

    @property
    def unshared(self) -> aiohttp.ClientSession:
        """The session that opens a new connection each time; the web socket is opened with it."""
        assert self._fresh is not None, "use `async with` on the client first"
        return self._fresh

    async def fetch(self, type_: type[T], where: str, query: JSON | None = None, *, fresh: bool = False) -> T:
        """GET an object; NotFound is how a hung-up channel looks."""
        if query:
            where = f"{where}?{urlencode(query)}"
        raw = await self._request("GET", where, None, fresh=fresh)
        return self._decode("GET", where, raw, type_)

    async def send(self, method: str, where: str, body: JSON | None = None) -> None:
        """Send a command whose answer carries nothing; None values of `body` are left out."""
        await self._request(method, where, body)

    async def create(self, type_: type[T], where: str, body: JSON, look_at: str) -> T:
        """POST something whose id the caller chose; `look_at` is the path at which it can then be seen.

        A POST is never sent twice. When no answer comes, the object is looked for: found is success, and only then is
        the failure raised.
        """
        try:
            return self._decode("POST", where, await self._request("POST", where, body), type_)
        except AriUnavailable as failure:
            if not failure.ambiguous:
                raise
            found = await self._look(type_, look_at, failure)
            if found is None:
                raise AriUnavailable("POST", where, f"{failure.message}, not there", ambiguous=False) from failure
            return found

    async def create_unique(self, type_: type[T], where: str, body: JSON, look_at: str) -> T:
        """As `create`, where a 409 claims that the id is taken.

        It is believed only after a look over a new connection. After a genuine 409 Asterisk 22.10 repeats it for every
        later failed create on the same connection, whatever the true reason; and it compares only as many characters
        as the new id has, so that an id with which a living channel's id begins is "taken", too.
        """
        try:
            return await self.create(type_, where, body, look_at)
        except Conflict as conflict:
            if await self._look(type_, look_at, conflict) is None:
                message = (
                    f"not made (409: {conflict.message}): unavailable, or another channel's id begins with this one"
                )
                raise AllocationFailed("POST", where, message) from conflict
            raise AlreadyExists("POST", where, conflict.status, conflict.message) from conflict

    async def _look(self, type_: type[T], look_at: str, because: AriError) -> T | None:
        self.counters.looked_up += 1
        try:
            return await self.fetch(type_, look_at, fresh=True)
        except NotFound:
            return None
        except AriError:
            message = f"{because.message}, and no answer when looking for it"
            raise AriUnavailable(because.method, because.path, message, ambiguous=True) from because

    async def _request(self, method: str, where: str, body: JSON | None, *, fresh: bool = False) -> bytes:
        """Send one request, return the body of the answer or raise what the status means."""
        session = self._fresh if fresh else self._pool
        assert session is not None, "use `async with` on the client first"
        data, headers = None, None
        if body is not None:
            data = msgspec.json.encode({key: value for key, value in body.items() if value is not None})
            headers = {"Content-Type": "application/json"}
        self.counters.requests += 1
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.deadline_s):
                url = URL(self.url + where, encoded=True)
                async with session.request(method, url, data=data, headers=headers) as answer:
                    status, raw = answer.status, await answer.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self.counters.unavailable += 1
            raise self.no_answer(method, where, error) from error
        finally:
            self._answered(time.monotonic() - begun)
        if status < 300:
            return raw
        failure = from_status(method, where, status, _error_text(raw))
        if isinstance(failure, AriUnavailable):
            self.counters.unavailable += 1
        else:
            self.counters.rejected += 1
        raise failure

    def no_answer(self, method: str, where: str, error: Exception) -> AriUnavailable:
        """Return what a failed exchange means; refused is the one failure that leaves no doubt."""
        if isinstance(error, aiohttp.ClientConnectorError):
            return AriUnavailable(method, where, f"no connection to {self.url} ({error.strerror})", ambiguous=False)
        if isinstance(error, TimeoutError):
            return AriUnavailable(method, where, f"no answer within {self.deadline_s:g} s", ambiguous=True)
        return AriUnavailable(method, where, f"connection lost ({error or type(error).__name__})", ambiguous=True)

    def _decode(self, method: str, where: str, raw: bytes, type_: type[T]) -> T:
        try:
            return msgspec.json.decode(raw, type=type_, dec_hook=parse_special)
        except ValueError as error:
            self.counters.unavailable += 1
            raise AriUnavailable(method, where, f"unreadable answer: {error}", ambiguous=True) from error


def _error_text(raw: bytes) -> str:
    try:
        body = msgspec.json.decode(raw, type=_ErrorBody)
    except ValueError:
        return raw[:200].decode(errors="replace").strip() or "(empty answer)"
    return body.message or body.error or "(no message)"
