"""What the ARI contract tests need beside a real Asterisk: an ear, a wire that can be cut, and calls to talk about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from ccserver.ari import (
    AriClient,
    Channel,
    ChannelStateChange,
    Connected,
    EventStream,
    Notice,
    Playback,
    StasisApp,
    StasisStart,
)

TEST_DIALPLAN = """
[ari-test]
; appNAME: a call that comes in and enters the application NAME
exten => _app.,1,Stasis(${EXTEN:3},line,100)
 same => n,Hangup()
; left: where the application may send a call
exten => left,1,Wait(60)
; answer: a phone that answers; keys: one that then presses keys; silent: one that never answers
exten => answer,1,Answer()
 same => n,Wait(60)
exten => keys,1,Answer()
 same => n,SendDTMF(1#,100)
 same => n,Wait(60)
exten => silent,1,Wait(60)
"""

PATIENCE_S = 20.0
N = TypeVar("N")


class Heard:
    """Everything a stream told so far, in order, and a way to wait for something in it."""

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.notices: list[Notice] = []
        self.ended = asyncio.Event()
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        async for notice in self.stream:
            async with self._news:
                self.notices.append(notice)
                self._news.notify_all()
        self.ended.set()

    def all(self, type_: type[N], where: Callable[[N], bool] = lambda _: True) -> list[N]:
        """What was told of this type so far."""
        return [notice for notice in self.notices if isinstance(notice, type_) and where(notice)]

    async def first(self, type_: type[N], where: Callable[[N], bool] = lambda _: True, *, after: int = 0) -> N:
        """The first such notice, told already or yet to come; `after` leaves out that many from the beginning."""
        found: list[N] = []

        def is_there() -> bool:
            found[:] = [notice for notice in self.notices[after:] if isinstance(notice, type_) and where(notice)]
            return bool(found)

        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                await self._news.wait_for(is_there)
        except TimeoutError:
            raise AssertionError(f"no {type_.__name__} among {len(self.notices)}: {self.notices[-5:]}") from None
        return found[0]


class _OfChannel(Protocol):
    @property
    def channel(self) -> Channel: ...


class _OfPlayback(Protocol):
    @property
    def playback(self) -> Playback: ...


def of(channel_id: str) -> Callable[[_OfChannel], bool]:
    """An event of this channel."""
    return lambda event: event.channel.id == channel_id


def up(channel_id: str | None = None) -> Callable[[_OfChannel], bool]:
    """The channel, or any, is answered."""
    return lambda event: event.channel.is_up and channel_id in (None, event.channel.id)


def playing(playback_id: str) -> Callable[[_OfPlayback], bool]:
    """An event of this playback."""
    return lambda event: event.playback.id == playback_id


def quickly() -> Iterator[float]:
    """Delays between connects, for tests."""
    while True:
        yield 0.01


@asynccontextmanager
async def listening(
    ari: AriClient, apps: Sequence[StasisApp | str], *, heartbeat_s: float = 5.0
) -> AsyncIterator[Heard]:
    """A running, connected stream."""
    setup = [StasisApp(app) if isinstance(app, str) else app for app in apps]
    stream = EventStream(ari, setup, delays=quickly, heartbeat_s=heartbeat_s)
    heard = Heard(stream)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stream.run(), name="ari events")
        tasks.create_task(heard.listen(), name="ari consumer")
        await heard.first(Connected)
        yield heard
        running.cancel()


class Wire:
    """A TCP relay to Asterisk that can be cut and mended, as a cable can."""

    def __init__(self, port: int) -> None:
        self._to_port = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._near: set[asyncio.StreamWriter] = set()
        self._muted: set[asyncio.StreamWriter] = set()
        self._deaf = False
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ari"

    async def cut(self) -> None:
        """Abort every connection and accept no new one."""
        assert self._server is not None
        self._server.close()
        self.drop()
        await self._server.wait_closed()

    async def mend(self) -> None:
        """Accept connections again."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)

    def drop(self) -> None:
        """Abort every connection; new ones are accepted."""
        for end in self._ends:
            end.transport.abort()

    def swallow_answers(self, *, also_of_new: bool = False) -> None:
        """Let requests pass on the connections there are (or come), but nothing come back."""
        self._muted |= self._near
        self._deaf = also_of_new

    def pass_answers(self) -> None:
        """On new connections; those there are, are dropped."""
        self._deaf = False
        self.drop()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        ends = {writer, far_writer}
        self._ends |= ends
        self._near.add(writer)
        if self._deaf:
            self._muted.add(writer)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, far_writer), name="to asterisk")
                tasks.create_task(self._pump(far_reader, writer), name="from asterisk")
        finally:
            self._ends -= ends
            self._near.discard(writer)
            self._muted.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if writer not in self._muted:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


async def phone_call(ari: AriClient, heard: Heard, app: str, channel_id: str, exten: str = "answer") -> None:
    """A leg that we made, dialled, and that was answered."""
    await ari.create_channel(channel_id, f"Local/{exten}@ari-test", app)
    await heard.first(StasisStart, of(channel_id))
    await ari.dial(channel_id, timeout_s=30)
    await heard.first(ChannelStateChange, up(channel_id))


async def incoming_call(ari: AriClient, heard: Heard, app: str) -> str:
    """A call that came in through the dialplan, as a customer's does, not answered yet; returns its channel id."""
    before = len(heard.notices)
    outside = {
        "endpoint": f"Local/app{app}@ari-test",
        "context": "ari-test",
        "extension": "left",
        "priority": 1,
        "channelId": f"outside-{app}-{before}",
    }
    await ari.send("POST", "/channels", outside)
    start = await heard.first(StasisStart, lambda event: event.args == ("line", "100"), after=before)
    return start.channel.id
