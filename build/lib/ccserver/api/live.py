"""`/api/live`: the web socket that keeps a page true. One picture is cut and encoded for all who watch, at most five times a
second however much happens; a watcher always gets the newest picture and never a queue of old ones, so a slow one costs
nothing but his own lateness, and one that does not read at all is dropped.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import msgspec
import structlog
from aiohttp import WSMsgType, web

from ccserver.api.errors import Overloaded
from ccserver.api.finished import Finished
from ccserver.api.messages import FinishedMessage, NoQuery, StatusMessage
from ccserver.api.operations import Answer, Operation, query_of
from ccserver.api.sources import ContactQueries, Health, LiveFeed
from ccserver.api.views import status_reply
from ccserver.ports import Desk
from ccserver.store.errors import StoreError

INTERVAL_S = 0.2
HEARTBEAT_S = 2.0
"""Links, alarms and stale pages: a picture is sent this often even when no record was made."""
SEND_WITHIN_S = 10.0
STORE_WITHIN_S = 5.0
GOODBYE_WITHIN_S = 1.0
"""For all of them together: a restart is not held up by a page that does not answer."""
PING_EVERY_S = 20.0
WATCHERS_MAX = 200
FINISHED_EVERY_S = 1.0
_HEARD_MAX = 1024

log = structlog.get_logger("ccserver.api")


class LiveRoutes:
    """The picture, and those who watch it."""

    def __init__(self, desk: Desk, store: ContactQueries, feed: LiveFeed, health: Health) -> None:
        self._desk = desk
        self._finished = Finished(store)
        self._feed = feed
        self._health = health
        self._frames: dict[str, bytes] = {}
        self._changed = asyncio.Event()
        self._seen = asyncio.Event()
        self._published = asyncio.Condition()
        self._watchers: set[web.WebSocketResponse] = set()
        self._store_away = False
        self.dropped = 0
        """Watchers that did not read."""

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/live",
                serve=self.watch,
                summary="Web socket: status messages on every change, finished messages when contacts end",
                answers={101: Answer("The web socket is open; each text message is one JSON LiveMessage")},
            ),
        )

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`: pictures are cut while the application lives. A bug in here ends the application, loudly."""
        async with asyncio.TaskGroup() as group:
            tasks = (
                group.create_task(self._listen(), name="api feed"),
                group.create_task(self._publish_status(), name="api live status"),
                group.create_task(self._publish_finished(), name="api live finished"),
            )
            yield
            for task in tasks:
                task.cancel()

    async def close(self, app: web.Application) -> None:
        """For `on_shutdown`: say goodbye, pages come back by themselves."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN_S), asyncio.TaskGroup() as group:
                for watcher in tuple(self._watchers):
                    group.create_task(watcher.close(code=1001, message=b"the daemon stops"), name="api goodbye")

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """Serve one watcher until he or we go."""
        query_of(request, NoQuery)
        if len(self._watchers) >= WATCHERS_MAX:
            raise Overloaded(f"{WATCHERS_MAX} pages watch already")
        opened = web.WebSocketResponse(heartbeat=PING_EVERY_S, max_msg_size=_HEARD_MAX)
        await opened.prepare(request)
        if not self._watchers:
            self._cut()
        self._watchers.add(opened)
        try:
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(self._send(opened, request), name="api watcher")
                async for _ in opened:
                    pass  # nothing is expected; reading is what notices pongs and the end
                sender.cancel()
        finally:
            self._watchers.discard(opened)
            if not self._watchers:
                self._finished.forget()
        return opened

    async def _send(self, watcher: web.WebSocketResponse, request: web.Request) -> None:
        sent: dict[str, bytes] = {}
        while not watcher.closed:
            for kind, frame in tuple(self._frames.items()):
                if sent.get(kind) is frame:
                    continue
                try:
                    async with asyncio.timeout(SEND_WITHIN_S):
                        await watcher.send_frame(frame, WSMsgType.TEXT)
                except TimeoutError:
                    self.dropped += 1
                    log.info("a live page does not read and is dropped", dropped=self.dropped)
                    _cut_off(request.transport)
                    return
                except ConnectionError:
                    return
                sent[kind] = frame
            async with self._published:
                await self._published.wait_for(lambda: any(sent.get(k) is not f for k, f in self._frames.items()))

    async def _listen(self) -> None:
        with self._feed.subscribe() as changes:
            async for _ in changes:
                self._changed.set()

    async def _publish_status(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), HEARTBEAT_S)
            self._changed.clear()
            if self._watchers:
                self._cut()
                await self._announce()
                await asyncio.sleep(INTERVAL_S)

    async def _publish_finished(self) -> None:
        """Apart from the status, which must not wait for a slow store."""
        while True:
            await self._seen.wait()
            self._seen.clear()
            try:
                async with asyncio.timeout(STORE_WITHIN_S):
                    message = FinishedMessage(contacts=await self._finished.newest())
            except (StoreError, TimeoutError) as error:
                if not self._store_away:
                    log.warning("finished contacts cannot be read", reason=str(error) or "no answer in time")
                self._store_away = True
            else:
                self._store_away = False
                frame = msgspec.json.encode(message)
                if frame != self._frames.get("finished"):
                    self._frames["finished"] = frame
                    await self._announce()
            await asyncio.sleep(FINISHED_EVERY_S)

    def _cut(self) -> None:
        status = self._desk.status()
        self._frames["status"] = msgspec.json.encode(StatusMessage(status=status_reply(status, self._health())))
        self._finished.see((contact.id for contact in status.contacts), status.at)
        self._seen.set()

    async def _announce(self) -> None:
        async with self._published:
            self._published.notify_all()


def _cut_off(transport: asyncio.Transport | None) -> None:
    if transport is None:
        return
    # Without lingering the kernel, too, forgets what it still holds for him; otherwise it would try for minutes.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
