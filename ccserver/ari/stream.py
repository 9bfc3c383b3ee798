"""The events of one Asterisk over one inbound web socket, put back by itself for as long as it is wanted.

    connect -> buffer -> Connected -> (the consumer lists channels and bridges) -> events -> Disconnected -> …

The caller runs `run()` as a task of its own TaskGroup and iterates over the stream:

    async with AriClient(url, user, password) as ari, asyncio.TaskGroup() as tasks:
        stream = EventStream(ari, [StasisApp("calls"), StasisApp("phones", allowed=("DeviceStateChanged",))])
        tasks.create_task(stream.run(), name="ari events")
        async for notice in stream:
            match notice:
                case Connected() | Overflowed():
                    channels = await ari.list_channels()   # events keep being buffered meanwhile
                case StasisStart(): …

On every connect, before `Connected` is told, filters and subscriptions are put back: Asterisk forgets both as soon as
nothing of the application is alive. Web sockets opened by Asterisk itself are not offered: they crash it (22.10.1).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import structlog
from yarl import URL

from ccserver.ari.backoff import STABLE_S, backoff
from ccserver.ari.buffer import Connected, Disconnected, Notice, NoticeBuffer, Replaced
from ccserver.ari.client import AriClient, check_event_source
from ccserver.ari.errors import AriError, AriRejected, AriUnavailable, NotFound, from_status, is_retryable
from ccserver.ari.messages import ApplicationReplaced, Event, Unreadable, decode_event

# Types that cost half of all bytes of a call and that nobody here reads. ChannelStateChange must never join them: it is
# the only sign of an answer when Dial's ANSWER gets lost.
NOISE = ("ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId")

HEARTBEAT_S = 5.0
EVENTS_MAX = 20_000
CANCELLED = "cancelled"
SOURCES_PER_REQUEST = 200  # Asterisk refuses bodies above 40 960 bytes

log = structlog.get_logger("ccserver.ari")

Socket = aiohttp.ClientWebSocketResponse[bool]


@dataclass(frozen=True, slots=True)
class StasisApp:
    """An application name to be served, with its event filter; an empty `allowed` means all types."""

    name: str
    allowed: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = NOISE


class EventStream:
    """Iterate over it for `Notice`s; the iteration ends when `run()` ends. One consumer."""

    def __init__(
        self,
        client: AriClient,
        apps: Sequence[StasisApp],
        *,
        events_max: int = EVENTS_MAX,
        heartbeat_s: float = HEARTBEAT_S,
        delays: Callable[[], Iterator[float]] = backoff,
        stable_s: float = STABLE_S,
    ) -> None:
        self._client = client
        self._apps = {app.name: app for app in apps}
        self._heartbeat_s = heartbeat_s
        self._delays = delays
        self._stable_s = stable_s
        self._events_max = events_max
        self._buffer = NoticeBuffer(events_max)
        self._held: list[Event] | None = None
        """Events that came before `Connected` could be told; None once it was."""
        self._sources: dict[str, dict[str, None]] = {name: {} for name in self._apps}
        self._subscribing = asyncio.Lock()
        self._startup_time: float | None = None
        self._connected = False
        self._connected_since = 0.0
        self._replaced = False
        self._outrun = False
        self._given_up = False
        """An attempt to connect got no answer in time: an Asterisk that hung may still take it up, in place of the next one."""
        self._logged: set[tuple[bool, str]] = set()

    @property
    def connected(self) -> bool:
        """Tell whether events flow."""
        return self._connected

    @property
    def backlog(self) -> int:
        """Return how many notices wait for the consumer."""
        return len(self._buffer)

    async def __aiter__(self) -> AsyncIterator[Notice]:
        while (notice := await self._buffer.get()) is not None:
            yield notice

    async def subscribe(self, app: str, sources: Iterable[str]) -> None:
        """Send `app` the events of `endpoint:<tech>/<name>` or `deviceState:<device>`, also after every reconnect.

        Idempotent. While disconnected they are only remembered. A source that Asterisk refuses (422: it has no such
        endpoint) is not remembered; after any other failure they are, and the error tells that they do not count yet.
        Raises ValueError for anything without a name and for channels and bridges, which die by themselves: use
        `AriClient.subscribe` for those.
        """
        wanted = dict.fromkeys(check_event_source(source) for source in sources)
        for source in wanted:
            if not source.startswith(("endpoint:", "deviceState:")):
                raise ValueError(f"event source {source!r} ends by itself: subscribe with AriClient.subscribe")
        async with self._subscribing:
            remembered = self._sources[app]
            new = [source for source in wanted if source not in remembered]
            remembered.update(wanted)
            if not self._connected:
                return
            try:
                await self._add_sources(app, list(wanted))
            except NotFound:  # the application is gone: the socket is being lost, its successor puts them back
                raise
            except AriRejected:
                for source in new:
                    del remembered[source]
                raise

    async def unsubscribe(self, app: str, sources: Iterable[str]) -> None:
        """Forget sources, and end them if connected."""
        async with self._subscribing:
            gone = [source for source in sources if source in self._sources[app]]
            for source in gone:
                del self._sources[app][source]
            if gone and self._connected:
                await self._client.unsubscribe(app, *gone)

    async def run(self) -> None:
        """Stay connected until cancelled, replaced, or refused for good (raises the fatal error, see `is_retryable`)."""
        try:
            delays = self._delays()
            failures = 0
            while not self._replaced:
                try:
                    await self._one_connection()
                    failures = 0
                    if time.monotonic() - self._connected_since > self._stable_s:
                        delays, self._given_up = self._delays(), False
                except AriError as error:
                    if not is_retryable(error):
                        raise
                    self._client.counters.failed_connects += 1
                    failures += 1
                    (log.warning if failures == 1 else log.debug)("ari not connected", reason=str(error))
                if self._replaced:
                    return
                await asyncio.sleep(next(delays))
        finally:
            self._buffer.close()

    async def _one_connection(self) -> None:
        """Connect, set up, read until the socket is lost; raises only what happens before `Connected`."""
        self._held, self._outrun = [], False
        ws = await self._open()
        reason = CANCELLED
        try:
            reason = await self._read_while_setting_up(ws)
        finally:
            # No await between the loss and these lines: `subscribe` must not believe in a dead connection.
            told, self._connected = self._connected, False
            if told:
                self._client.counters.disconnects += 1
                self._buffer.put_notice(Disconnected(reason))
                (log.info if reason == CANCELLED else log.warning)("ari disconnected", reason=reason)
            await ws.close()

    async def _read_while_setting_up(self, ws: Socket) -> str:
        """Return why the socket was lost. The reader starts at once, for Asterisk cuts off a client that is slow."""
        reason = ""
        failure: AriError | None = None

        async def read() -> None:
            nonlocal reason
            reason = await self._read(ws)
            setting_up.cancel()

        async def set_up() -> None:
            nonlocal failure
            try:
                await self._set_up()
            except AriError as error:
                failure = error
                await ws.close()

        async with asyncio.TaskGroup() as tasks:
            setting_up = tasks.create_task(set_up(), name="ari set-up")
            tasks.create_task(read(), name="ari reader")
        if failure is not None:
            raise failure
        if not self._connected and not self._replaced:
            raise AriUnavailable("GET", "/events", f"lost while setting up: {reason}", ambiguous=False)
        return reason

    async def _open(self) -> Socket:
        """Open the web socket; several names in one, so that no event of one application overtakes another's."""
        where = "/events?" + urlencode({"app": ",".join(self._apps)})
        try:
            async with asyncio.timeout(self._client.deadline_s):
                return await self._client.unshared.ws_connect(
                    URL(self._client.url + where, encoded=True),
                    heartbeat=self._heartbeat_s,
                    max_msg_size=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                    decode_text=False,  # a broken character is then one malformed event, not a lost connection
                )
        except aiohttp.WSServerHandshakeError as error:
            raise from_status("GET", where, error.status, error.message) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            failure = self._client.no_answer("GET", where, error)
            self._given_up = self._given_up or failure.ambiguous
            raise failure from error

    @property
    def _young(self) -> bool:
        """The connection is being set up, or has just been."""
        return not self._connected or time.monotonic() - self._connected_since < self._stable_s

    async def _set_up(self) -> None:
        """Put filters and subscriptions back, learn whether Asterisk was restarted, and only then tell `Connected`."""
        for app in self._apps.values():
            # `allowed` filters even the word that we were replaced, without which two processes would take turns.
            allowed = (*app.allowed, ApplicationReplaced.__name__) if app.allowed else ()
            await self._client.set_event_filter(app.name, allowed, app.disallowed)
        async with self._subscribing:
            refused: list[str] = []
            for name, sources in self._sources.items():
                refused += await self._put_back(name, list(sources))
            startup_time = (await self._client.info()).status.startup_time
            restarted = self._startup_time is not None and startup_time != self._startup_time
            self._startup_time = startup_time
            self._connected, self._connected_since = True, time.monotonic()
        self._client.counters.connects += 1
        log.info("ari connected", restarted=restarted, refused_sources=len(refused))
        self._buffer.put_notice(Connected(startup_time, restarted, tuple(refused)))
        held, self._held = self._held, None
        for event in held or ():
            self._deliver(event)

    async def _put_back(self, app: str, sources: list[str]) -> list[str]:
        """Return the sources that Asterisk refuses; one unknown endpoint must not cost the others."""
        try:
            await self._add_sources(app, sources)
            return []
        except AriRejected:
            refused = []
            for source in sources:
                try:
                    await self._add_sources(app, [source])
                except AriRejected as error:
                    refused.append(source)
                    log.warning("ari event source refused", source=source, reason=str(error))
            return refused

    async def _add_sources(self, app: str, sources: list[str]) -> None:
        """Subscribe to what is not yet subscribed: Asterisk counts subscriptions and never forgets a doubled one."""
        if not sources:
            return
        there = (await self._client.get_application(app)).event_sources
        missing = [source for source in sources if source not in there]
        for start in range(0, len(missing), SOURCES_PER_REQUEST):
            await self._client.subscribe(app, *missing[start : start + SOURCES_PER_REQUEST])

    async def _read(self, ws: Socket) -> str:
        """Read until the end and say why it ended; decodes and stores, nothing else."""
        while True:
            message = await ws.receive()
            match message.type:
                case aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
                    if self._outrun:
                        return "an attempt of our own that had been given up was taken up late"
                case aiohttp.WSMsgType.CLOSE | aiohttp.WSMsgType.CLOSING | aiohttp.WSMsgType.CLOSED:
                    if ws.close_code in (None, aiohttp.WSCloseCode.ABNORMAL_CLOSURE):
                        return "connection lost"
                    return f"closed by Asterisk with code {ws.close_code}"
                case aiohttp.WSMsgType.ERROR:
                    return f"connection lost ({message.data or ws.exception()})"
                case _:
                    self._count_unreadable(Unreadable("binary message", known_type=True, reason=message.type.name))

    def _take(self, raw: bytes | str) -> None:
        event = decode_event(raw)
        if isinstance(event, Unreadable):
            self._count_unreadable(event)
            return
        self._client.counters.events += 1
        if isinstance(event, ApplicationReplaced) and self._given_up and self._young:
            self._outrun = True
        elif isinstance(event, ApplicationReplaced):
            self._replaced = True
            log.warning("ari application replaced", application=event.application)
            self._buffer.put_notice(Replaced(event.application))
        elif self._held is None:
            self._deliver(event)
        elif len(self._held) < self._events_max:
            self._held.append(event)
        else:  # no `Overflowed`: the consumer lists at `Connected` anyway, which is yet to come
            self._client.counters.overflowed_events += 1

    def _deliver(self, event: Event) -> None:
        if not self._buffer.put_event(event):
            self._client.counters.overflowed_events += 1

    def _count_unreadable(self, what: Unreadable) -> None:
        counters = self._client.counters
        if what.kind in NOISE:  # before the filter of a new connection counts
            return
        if what.known_type:
            counters.malformed_events += 1
        else:
            counters.unknown_events += 1
        key = (what.known_type, what.kind)
        if key not in self._logged and len(self._logged) < 1000:
            self._logged.add(key)
            known = "malformed" if what.known_type else "unknown"
            log.warning("ari event unreadable", event_type=what.kind, problem=known, reason=what.reason)
