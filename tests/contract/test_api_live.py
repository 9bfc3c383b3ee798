"""`/api/live`: pushed at once, never more often than is useful, and nobody holds up anybody."""

import asyncio
import base64
import os
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import msgspec
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from ccserver.api import live
from ccserver.api.messages import FinishedMessage, LiveMessage, StatusMessage
from ccserver.core.agent import AgentState
from ccserver.core.contact import ContactState
from tests.api_stage import TOKEN, Stage, admitted, open_api

WITHIN_S = 5.0


class Watcher:
    """A page's end of the web socket."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[StatusMessage | FinishedMessage] = []

    async def hear(self) -> StatusMessage | FinishedMessage:
        message = await self.socket.receive(WITHIN_S)
        assert message.type is WSMsgType.TEXT, message
        self.heard.append(msgspec.json.decode(message.data, type=LiveMessage))
        return self.heard[-1]

    async def status(self) -> StatusMessage:
        while not isinstance(message := await self.hear(), StatusMessage):
            pass
        return message

    async def finished(self) -> FinishedMessage:
        while not isinstance(message := await self.hear(), FinishedMessage):
            pass
        return message


@asynccontextmanager
async def watching(client: ClientSession) -> AsyncIterator[Watcher]:
    async with client.ws_connect("/api/live") as opened:
        yield Watcher(opened)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat within a test: what comes, comes because something happened."""
    monkeypatch.setattr(live, "HEARTBEAT_S", 3600.0)


async def test_the_first_picture_comes_at_once(quiet: None) -> None:
    async with admitted(Stage()) as client, watching(client) as page:
        assert len((await page.status()).status.agents) == 10


async def test_a_call_is_seen_going_by(quiet: None) -> None:
    stage = Stage()
    async with admitted(stage) as client, watching(client) as page:
        await page.status()
        contact = stage.arrive("+79161112233")
        seen = []
        for step in (
            lambda: stage.enqueue(contact),
            lambda: stage.offer(contact, "1004"),
            lambda: stage.answer(contact, "1004"),
            lambda: stage.end(contact),
        ):
            while [one.state for one in (await page.status()).status.contacts] in ([], seen[-1:]):
                pass
            seen.append(page.heard[-1].status.contacts[0].state)  # type: ignore[union-attr]
            step()
        while (await page.status()).status.contacts:
            pass
        assert seen == [ContactState.FLOW, ContactState.WAITING, ContactState.OFFERED, ContactState.TALKING]
        while not (finished := await page.finished()).contacts:
            pass
        assert [(one.id, one.agent, one.outcome) for one in finished.contacts] == [(contact, "1004", "answered")]


async def test_a_thousand_changes_make_a_few_pictures_and_the_last_one_is_true(quiet: None) -> None:
    stage = Stage()
    async with admitted(stage) as client, watching(client) as page:
        await page.status()
        page.heard.clear()
        for n in range(1000):
            stage.set_agent("1001", AgentState.NOT_READY, f"reason {n}")
        while (await page.status()).status.agents[0].reason != "reason 999":
            pass
        assert sum(isinstance(message, StatusMessage) for message in page.heard) <= 2


async def test_pictures_are_at_least_the_interval_apart(quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "INTERVAL_S", 0.1)
    stage = Stage()
    async with admitted(stage) as client, watching(client) as page:
        await page.status()
        times = []
        for n in range(6):
            stage.set_agent("1001", AgentState.NOT_READY, f"reason {n}")
            while (await page.status()).status.agents[0].reason != f"reason {n}":
                pass
            times.append(asyncio.get_running_loop().time())
        assert all(later - earlier > 0.08 for earlier, later in pairwise(times[1:]))


async def test_what_no_record_tells_comes_with_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    stage = Stage()
    async with admitted(stage) as client, watching(client) as page:
        assert (await page.status()).status.asterisk.connected
        stage.nodes = ()
        while (await page.status()).status.asterisk.connected:
            pass


async def test_all_who_watch_get_the_same_pictures(quiet: None) -> None:
    stage = Stage()
    async with admitted(stage) as client, watching(client) as one, watching(client) as other:
        await asyncio.gather(one.status(), other.status())
        stage.set_agent("1001", AgentState.NOT_READY, "lunch")
        pictures = await asyncio.gather(one.status(), other.status())
        while pictures[0].status.agents[0].reason != "lunch" or pictures[0].status.at != pictures[1].status.at:
            pictures = await asyncio.gather(one.status(), other.status())
        assert pictures[0] == pictures[1]


async def test_a_store_that_hangs_or_is_away_does_not_hold_up_the_status(
    quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage()

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(stage.archive, "contacts", hang)
    async with admitted(stage) as client, watching(client) as page:
        await page.status()
        stage.set_agent("1001", AgentState.NOT_READY, "lunch")
        while (await page.status()).status.agents[0].reason != "lunch":
            pass


async def test_finished_contacts_come_when_the_store_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(live, "FINISHED_EVERY_S", 0.02)
    stage = Stage()
    stage.archive.away = "stopped"
    contact = stage.arrive()
    stage.end(contact)
    async with admitted(stage) as client, watching(client) as page:
        await page.status()
        await page.status()
        assert not any(isinstance(message, FinishedMessage) for message in page.heard)
        stage.archive.away = None
        assert [one.id for one in (await page.finished()).contacts] == [contact]


async def test_one_who_does_not_read_is_dropped_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SEND_WITHIN_S", 0.2)
    monkeypatch.setattr(live, "INTERVAL_S", 0.01)
    stage = Stage(agents=150)
    async with (
        open_api(stage) as address,
        ClientSession(address, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        deaf = await deaf_watcher(address)
        with deaf:
            async with watching(client) as page:
                async with asyncio.TaskGroup() as tasks:
                    gone = tasks.create_task(asyncio.to_thread(gone_within, deaf, 20.0))
                    while not gone.done():
                        stage.changed()
                        await page.status()
                assert gone.result(), "the deaf watcher is still connected"
                stage.set_agent("1001", AgentState.NOT_READY, "lunch")
                while (await page.status()).status.agents[0].reason != "lunch":
                    pass


async def deaf_watcher(address: str) -> socket.socket:
    """Opens the web socket by hand and never reads a byte of it; a small buffer fills soon."""
    host, port = address.removeprefix("http://").split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.to_thread(deaf.connect, (host, int(port)))
    key = base64.b64encode(os.urandom(16)).decode()
    deaf.sendall(
        f"GET /api/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    return deaf


def gone_within(watched: socket.socket, timeout_s: float) -> bool:
    """Whether the other end cut the connection."""
    poll = select.poll()
    poll.register(watched, 0)  # POLLHUP and POLLERR are always reported
    return bool(poll.poll(timeout_s * 1000))


async def test_too_many_pages_are_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WATCHERS_MAX", 1)
    async with admitted(Stage()) as client:
        async with watching(client) as page:
            await page.status()
            async with client.get("/api/live") as answer:
                assert answer.status == 503
                assert "watch" in (await answer.json())["error"]["message"]
        while True:  # the place is free again as soon as the server has seen the goodbye
            async with client.get("/api/live") as answer:
                if answer.status != 503:
                    break


async def test_a_page_that_sends_a_flood_is_dropped() -> None:
    async with admitted(Stage()) as client, client.ws_connect("/api/live") as opened:
        await opened.send_str("x" * 100_000)
        while (message := await opened.receive(WITHIN_S)).type is WSMsgType.TEXT:
            pass
        assert message.type is WSMsgType.CLOSE
        assert message.data == 1009


async def test_words_from_a_page_do_no_harm(quiet: None) -> None:
    stage = Stage()
    async with admitted(stage) as client, watching(client) as page:
        await page.status()
        await page.socket.send_str("{")
        await page.socket.send_bytes(b"\xff")
        stage.set_agent("1001", AgentState.NOT_READY, "lunch")
        while (await page.status()).status.agents[0].reason != "lunch":
            pass


async def test_a_plain_request_is_told_that_this_is_a_web_socket() -> None:
    async with admitted(Stage()) as client, client.get("/api/live") as answer:
        assert answer.status == 426 or answer.status == 400
        assert (await answer.json())["error"]["message"]


async def test_pages_that_do_not_answer_do_not_hold_up_a_restart() -> None:
    began = asyncio.get_running_loop().time()
    async with open_api(Stage()) as address:
        deaf = [await deaf_watcher(address) for _ in range(5)]
        for one in deaf:
            assert (await asyncio.to_thread(one.recv, 12)) == b"HTTP/1.1 101"
    assert asyncio.get_running_loop().time() - began < 4.5
    for one in deaf:
        one.close()


async def test_when_the_daemon_stops_pages_are_told() -> None:
    stage = Stage()
    async with ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        async with open_api(stage) as address:
            opened = await client.ws_connect(f"{address}/api/live")
            await Watcher(opened).status()
        while (message := await opened.receive(WITHIN_S)).type is WSMsgType.TEXT:
            pass
        assert message.type is WSMsgType.CLOSE
        assert message.data == 1001
        assert stage.feed.watchers == 0
