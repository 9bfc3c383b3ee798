"""Asks other computers for callers who wait. Whatever they do, each question has its answer in time, and the log its cause.

Not followed: redirections, which could go on for ever or carry the secret elsewhere. Not read: more than `max_bytes`.
"""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import structlog
from msgspec.structs import replace
from yarl import URL

from ccserver import __version__
from ccserver.connectors.lookups.answer import Told, failed, told_by, told_by_status
from ccserver.connectors.lookups.desk import Desk
from ccserver.core.commands import AskLookup, Command
from ccserver.core.events import Fact, InquiryAnswered
from ccserver.core.ids import ContactId, LookupName
from ccserver.core.lookup import Lookup

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"ccserver/{__version__}"}
CHUNK_BYTES = 16384

log = structlog.get_logger("ccserver.lookups")


class Lookups:
    """A connector; `run()` serves until cancelled."""

    def __init__(
        self,
        report: Callable[[Fact], None],
        secret_of: Callable[[Lookup], str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secret_of` reads what a lookup must show; it may raise OSError or ValueError."""
        self._now = now
        self._report = report
        self._secret_of = secret_of
        self._questions: asyncio.Queue[AskLookup] = asyncio.Queue()
        self._desks: dict[LookupName, Desk] = {}

    def perform(self, command: Command) -> None:
        """Ask; `InquiryAnswered` tells what came of it."""
        assert isinstance(command, AskLookup)
        self._questions.put_nowait(command)

    async def run(self) -> None:
        """Serve."""
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                headers=HEADERS,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            ) as session,
            asyncio.TaskGroup() as tasks,
        ):
            while True:
                command = await self._questions.get()
                tasks.create_task(self._serve(session, command), name=f"lookup {command.inquiry}")

    def alarm(self) -> str:
        """Which lookups are not asked, and why; empty when all are."""
        now = self._now()
        return "; ".join(f"{name}: {told}" for name, desk in self._desks.items() if (told := desk.alarm(now)))

    def _desk(self, lookup: Lookup) -> Desk:
        """A lookup that was configured anew begins anew: what it failed by may have been mended."""
        desk = self._desks.get(lookup.name)
        if desk is None or desk.lookup != lookup:
            desk = self._desks[lookup.name] = Desk(lookup)
        return desk

    async def _serve(self, session: aiohttp.ClientSession, command: AskLookup) -> None:
        begun, lookup = time.monotonic(), command.lookup
        told = await self._told(session, command, self._desk(lookup))
        if told.verdict == "failed":
            log.warning("lookup failed", lookup=lookup.name, contact=command.lane, reason=told.reason)
        self._report(
            InquiryAnswered(
                ContactId(command.lane),
                command.inquiry,
                lookup.name,
                told.verdict,
                told.values,
                told.reason,
                time.monotonic() - begun,
                told.cached,
                at=time.time(),
            )
        )

    async def _told(self, session: aiohttp.ClientSession, command: AskLookup, desk: Desk) -> Told:
        lookup, url = command.lookup, command.url
        if (known := desk.known(url, self._now())) is not None:
            return replace(known, cached=True)
        if reason := desk.why_not(self._now()):
            return failed(reason)
        told = failed("the server stopped")
        try:
            async with asyncio.timeout(lookup.timeout_s), desk.places:
                told = await self._ask(session, lookup, url)
        except TimeoutError:
            told = failed(f"no answer within {lookup.timeout_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            told = failed(f"{type(error).__name__}: {_without(url, str(error))}")
        finally:
            desk.heard(url, told, self._now())
        return told

    async def _ask(self, session: aiohttp.ClientSession, lookup: Lookup, url: str) -> Told:
        secret = await asyncio.to_thread(self._secret_of, lookup)
        shown = {lookup.secret_header: secret} if secret else {}
        async with session.get(
            URL(url, encoded=True), headers={**lookup.headers, **shown}, allow_redirects=False
        ) as response:
            told = told_by_status(response.status)
            if told is not None:
                return told
            body = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > lookup.max_bytes:
                    return failed(f"the answer is longer than {lookup.max_bytes} bytes")
        return told_by(bytes(body), lookup)


def _without(url: str, text: str) -> str:
    """What a caller typed is not for the log."""
    return text.replace(url, "…")
