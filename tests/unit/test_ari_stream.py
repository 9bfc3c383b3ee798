"""The event stream against a peer that misbehaves in ways a real Asterisk cannot be made to on demand.

The peer is a small real web socket server on loopback; what a real Asterisk does is in tests/contract.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer, unused_port
from structlog.testing import capture_logs

from ccserver.ari.buffer import Connected, Disconnected, Notice, Overflowed
from ccserver.ari.client import AriClient
from ccserver.ari.errors import AriAuthFailed
from ccserver.ari.messages import BridgeDestroyed
from ccserver.ari.stream import EventStream, StasisApp

INFO = {
    "system": {"version": "22.10.1", "entity_id": "x"},
    "status": {"startup_time": "2026-11-22T10:00:00.000+0000", "last_reload_time": "2026-11-22T10:00:00.000+0000"},
}
Connection = Callable[[web.WebSocketResponse], Awaitable[None]]


def destroyed(bridge: str) -> str:
    return (
        '{"type":"BridgeDestroyed","timestamp":"2026-11-22T10:04:50.687+0000","application":"a","bridge":{"id":"'
        + bridge
        + '"}}'
    )


class Peer:
    """An Asterisk of which only the parts needed to get as far as `Connected` exist."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sockets = 0
        self.filter_status = 204
        self.url = ""

    async def events(self, request: web.Request) -> web.StreamResponse:
        self.sockets += 1
        ws = web.WebSocketResponse(timeout=0.1, autoping=False)
        await ws.prepare(request)
        await self._connection(ws)
        return ws

    async def other(self, request: web.Request) -> web.Response:
        if request.path.endswith("/eventFilter"):
            return web.Response(status=self.filter_status)
        return web.json_response(INFO)


@asynccontextmanager
async def serving(peer: Peer) -> AsyncIterator[Peer]:
    app = web.Application()
    app.router.add_get("/ari/events", peer.events)
    app.router.add_route("*", "/{path:.*}", peer.other)
    server = TestServer(app)
    await server.start_server()
    peer.url = str(server.make_url("/ari"))
    try:
        yield peer
    finally:
        await server.close()


@asynccontextmanager
async def running(
    url: str,
    *,
    events_max: int = 100,
    deadline_s: float = 5.0,
    stable_s: float = 10.0,
    waits: asyncio.Queue[float] | None = None,
) -> AsyncIterator[tuple[AriClient, EventStream]]:
    """A running stream that records the delays it would wait; all of them are in truth nothing."""

    def delays() -> Iterator[float]:
        delay_s = 1.0
        while True:
            if waits is not None:
                waits.put_nowait(delay_s)
            yield 0.0
            delay_s *= 2

    async with AriClient(url, "u", "p", deadline_s=deadline_s) as client, asyncio.timeout(20):
        stream = EventStream(client, [StasisApp("a")], events_max=events_max, delays=delays, stable_s=stable_s)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(stream.run(), name="ari events")
            yield client, stream
            task.cancel()


async def until(stream: EventStream, wanted: Callable[[Notice], bool]) -> list[Notice]:
    """Consume up to and including the wanted notice."""
    notices = []
    async for notice in stream:
        notices.append(notice)
        if wanted(notice):
            return notices
    raise AssertionError(f"the stream ended with {notices}")


def is_destroyed(bridge: str) -> Callable[[Notice], bool]:
    return lambda notice: isinstance(notice, BridgeDestroyed) and notice.bridge.id == bridge


async def test_malformed_and_unknown_events_are_counted_logged_once_a_kind_and_never_fatal() -> None:
    async def connection(ws: web.WebSocketResponse) -> None:
        for _ in range(3):
            await ws.send_str("{broken")
            await ws.send_str('{"type":"ChannelLevitated"}')
            await ws.send_str('{"type":"StasisStart"}')
            await ws.send_bytes(b"\x00")
            await ws.send_frame(b'{"type":"\xff"}', WSMsgType.TEXT)
        await ws.send_str(destroyed("last"))
        await ws.receive()

    async with serving(Peer(connection)) as peer:
        with capture_logs() as logs:
            async with running(peer.url) as (client, stream):
                notices = await until(stream, is_destroyed("last"))
        assert [type(notice) for notice in notices] == [Connected, BridgeDestroyed]
        assert (client.counters.unknown_events, client.counters.events) == (3, 1)
        assert client.counters.malformed_events == 12
        kinds = [entry["event_type"] for entry in logs if entry["event"] == "ari event unreadable"]
        assert sorted(kinds) == ["ChannelLevitated", "StasisStart", "binary message", "no event"]


async def test_events_that_come_before_the_set_up_is_done_are_told_after_connected() -> None:
    early = asyncio.Event()

    async def connection(ws: web.WebSocketResponse) -> None:
        await ws.send_str(destroyed("early"))
        early.set()
        await ws.receive()

    class Slow(Peer):
        async def other(self, request: web.Request) -> web.Response:
            await early.wait()
            return await super().other(request)

    async with serving(Slow(connection)) as peer, running(peer.url) as (_, stream):
        notices = await until(stream, is_destroyed("early"))
        assert [type(notice) for notice in notices] == [Connected, BridgeDestroyed]


async def test_a_consumer_that_is_too_slow_is_told_where_events_are_missing() -> None:
    connected, read = asyncio.Event(), asyncio.Event()

    async def connection(ws: web.WebSocketResponse) -> None:
        await connected.wait()
        for number in range(50):
            await ws.send_str(destroyed(str(number)))
        await ws.ping()  # answered only when everything before it was read
        assert (await ws.receive()).type is WSMsgType.PONG
        read.set()
        await ws.receive()

    async with serving(Peer(connection)) as peer, running(peer.url, events_max=10) as (client, stream):
        await until(stream, lambda notice: isinstance(notice, Connected))
        connected.set()
        await read.wait()  # nobody consumes meanwhile
        notices = await until(stream, lambda notice: isinstance(notice, Overflowed))
        assert [notice.bridge.id for notice in notices[:-1] if isinstance(notice, BridgeDestroyed)] == list(
            "0123456789"
        )
        assert notices[-1] == Overflowed(40)
        assert client.counters.overflowed_events == 40


async def test_a_peer_that_accepts_and_closes_at_once_does_not_reset_the_back_off() -> None:
    async def connection(ws: web.WebSocketResponse) -> None:
        await ws.receive()  # closed by the test below

    waits: asyncio.Queue[float] = asyncio.Queue()

    class Rude(Peer):
        async def other(self, request: web.Request) -> web.Response:
            answer = await super().other(request)
            if request.path.endswith("/info") and self.current is not None:
                asyncio.get_running_loop().call_later(0.01, self.current.abort)
            return answer

        current: asyncio.Transport | None = None

        async def events(self, request: web.Request) -> web.StreamResponse:
            assert isinstance(request.transport, asyncio.Transport)
            self.current = request.transport
            return await super().events(request)

    async with serving(Rude(connection)) as peer:
        async with running(peer.url, waits=waits) as (client, stream):
            for _ in range(4):
                await until(stream, lambda notice: isinstance(notice, Disconnected))
        assert [await waits.get() for _ in range(4)] == [1.0, 2.0, 4.0, 8.0]
        assert client.counters.connects >= 4

        waits = asyncio.Queue()
        async with running(peer.url, waits=waits, stable_s=0.0) as (client, stream):
            for _ in range(4):
                await until(stream, lambda notice: isinstance(notice, Disconnected))
        assert [await waits.get() for _ in range(3)] == [1.0, 1.0, 1.0], "a connection that lived long enough resets it"


async def test_a_peer_that_never_answers_the_upgrade_is_given_up_at_the_deadline() -> None:
    attempts: list[int] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.append(1)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    waits: asyncio.Queue[float] = asyncio.Queue()
    with capture_logs() as logs:
        async with server, running(f"http://127.0.0.1:{port}/ari", deadline_s=0.05, waits=waits):
            assert [await waits.get() for _ in range(3)] == [1.0, 2.0, 4.0]
    assert len(attempts) >= 3
    failures = [entry for entry in logs if entry["event"] == "ari not connected"]
    assert failures[0]["reason"] == "GET /events?app=a: no answer within 0.05 s"
    assert [entry["log_level"] for entry in failures[:3]] == ["warning", "debug", "debug"]


async def test_nobody_listening_is_tried_again_and_is_no_disconnect() -> None:
    waits: asyncio.Queue[float] = asyncio.Queue()
    async with running(f"http://127.0.0.1:{unused_port()}/ari", waits=waits) as (client, stream):
        assert [await waits.get() for _ in range(3)] == [1.0, 2.0, 4.0]
        assert client.counters.failed_connects >= 3
        assert not stream.connected
        assert stream.backlog == 0
        assert client.counters.disconnects == 0


@pytest.mark.parametrize("status", [404, 503])
async def test_an_asterisk_that_is_starting_is_tried_again_until_it_serves(status: int) -> None:
    async def connection(ws: web.WebSocketResponse) -> None:
        await ws.receive()

    class Starting(Peer):
        async def events(self, request: web.Request) -> web.StreamResponse:
            if self.sockets < 3:
                self.sockets += 1
                return web.Response(status=status)
            return await super().events(request)

    async with serving(Starting(connection)) as peer, running(peer.url) as (client, stream):
        notices = await until(stream, lambda notice: isinstance(notice, Connected))
        assert [type(notice) for notice in notices] == [Connected]
        assert client.counters.failed_connects == 3


async def test_a_socket_lost_during_the_set_up_is_tried_again_without_telling_the_consumer() -> None:
    async def connection(ws: web.WebSocketResponse) -> None:
        if peer.sockets == 1:
            await ws.close()
        else:
            await ws.receive()

    class Slow(Peer):
        async def other(self, request: web.Request) -> web.Response:
            if self.sockets == 1:
                await asyncio.Event().wait()
            return await super().other(request)

    async with serving(Slow(connection)) as peer, running(peer.url) as (client, stream):
        notices = await until(stream, lambda notice: isinstance(notice, Connected))
        assert [type(notice) for notice in notices] == [Connected]
        assert (client.counters.failed_connects, client.counters.connects) == (1, 1)


async def test_wrong_credentials_end_the_stream_with_the_error_that_names_them() -> None:
    class Locked(Peer):
        async def events(self, request: web.Request) -> web.StreamResponse:
            return web.Response(status=401)

    async def connection(ws: web.WebSocketResponse) -> None: ...

    async with serving(Locked(connection)) as peer, AriClient(peer.url, "u", "p") as client:
        stream = EventStream(client, [StasisApp("a")])
        with pytest.raises(AriAuthFailed, match=r"ari\.conf"):
            await stream.run()
        assert [notice async for notice in stream] == [], "the iteration ends with the stream"


async def test_only_what_outlives_a_call_can_be_remembered() -> None:
    async with AriClient("http://127.0.0.1:1/ari", "u", "p") as client:
        stream = EventStream(client, [StasisApp("a")])
        with pytest.raises(ValueError, match="ends by itself"):
            await stream.subscribe("a", ["channel:1"])
        with pytest.raises(ValueError, match="event source"):
            await stream.subscribe("a", ["deviceState:"])
        await stream.subscribe("a", ["endpoint:PJSIP/1001", "deviceState:PJSIP/1001"])
        assert client.counters.requests == 0, "not connected: only remembered"
