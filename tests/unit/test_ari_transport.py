"""What becomes of a request when the other side misbehaves in ways a real Asterisk cannot be made to on demand.

The other side is a small real HTTP server on loopback; what a real Asterisk does is in tests/contract.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from ccserver.ari.client import AriClient, check_event_source
from ccserver.ari.errors import AllocationFailed, AlreadyExists, AriAuthFailed, AriUnavailable, NotFound

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

CHANNEL = {"id": "c1", "name": "PJSIP/1001-1", "state": "Down"}
DEADLINE_S = 0.2


class Peer:
    """A server that answers as told and remembers the requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[tuple[str, str]] = []

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.raw_path))
        return await self._answer(request)


@asynccontextmanager
async def client_of(peer: Peer, **options: Any) -> AsyncIterator[AriClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.take)
    server = TestServer(app)
    await server.start_server()
    try:
        url = str(server.make_url("/ari"))
        async with AriClient(url, "u", "p", deadline_s=DEADLINE_S, **options) as client:
            yield client
    finally:
        await server.close()


def hang_up_on(request: web.Request) -> web.Response:
    """Drop the connection after the request was read, before an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def never() -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def create(client: AriClient) -> object:
    return await client.create_channel("c1", "PJSIP/1001", "ccserver")


async def test_a_create_whose_answer_never_came_succeeds_if_the_channel_is_there() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await never() if request.method == "POST" else web.json_response(CHANNEL)

    peer = Peer(answer)
    async with client_of(peer) as client:
        channel = await client.create_channel("c1", "PJSIP/1001", "ccserver")
        assert channel.id == "c1"
        assert client.counters.looked_up == 1
    assert peer.requests == [("POST", "/ari/channels/create"), ("GET", "/ari/channels/c1")]


async def test_a_create_whose_connection_broke_succeeds_if_the_channel_is_there_and_is_never_sent_twice() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return hang_up_on(request) if request.method == "POST" else web.json_response(CHANNEL)

    peer = Peer(answer)
    async with client_of(peer) as client:
        await create(client)
    assert [method for method, _ in peer.requests] == ["POST", "GET"]


async def test_a_create_without_answer_and_without_channel_is_reported_as_certain_failure() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return hang_up_on(request)
        return web.json_response({"message": "Channel not found"}, status=404)

    async with client_of(Peer(answer)) as client:
        with pytest.raises(AriUnavailable, match="not there") as caught:
            await create(client)
        assert not caught.value.ambiguous


async def test_a_create_about_which_nothing_could_be_learnt_is_ambiguous() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await never()

    async with client_of(Peer(answer)) as client:
        with pytest.raises(AriUnavailable, match="no answer when looking") as caught:
            await create(client)
        assert caught.value.ambiguous


async def test_prompts_bridges_and_recordings_are_looked_for_by_their_ids_too() -> None:
    found = {
        "/ari/playbacks/p%3A1": {"id": "p:1", "media_uri": "sound:x", "target_uri": "channel:c1", "state": "playing"},
        "/ari/bridges/b%2F1": {"id": "b/1"},
        "/ari/recordings/live/2026%2F11%2Fv": {
            "name": "2026/11/v",
            "format": "wav",
            "state": "recording",
            "target_uri": "channel:c1",
        },
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        return hang_up_on(request) if request.method == "POST" else web.json_response(found[request.raw_path])

    async with client_of(Peer(answer)) as client:
        assert (await client.play("c1", ["sound:x"], playback_id="p:1")).id == "p:1"
        assert (await client.create_bridge("b/1")).id == "b/1"
        assert (await client.record_channel("c1", "2026/11/v")).name == "2026/11/v"


async def test_a_conflict_is_believed_only_when_the_channel_is_really_there() -> None:
    there = False

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response({"message": "Channel with given unique ID already exists"}, status=409)
        return web.json_response(CHANNEL if there else {"message": "Channel not found"}, status=200 if there else 404)

    async with client_of(Peer(answer)) as client:
        with pytest.raises(AllocationFailed):
            await create(client)
        there = True
        with pytest.raises(AlreadyExists):
            await create(client)


async def test_the_look_after_a_conflict_uses_a_connection_of_its_own() -> None:
    peers: list[object] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        if request.method == "POST":
            return web.json_response({"message": "exists"}, status=409)
        return web.json_response(CHANNEL)

    async with client_of(Peer(answer)) as client:
        for _ in range(2):
            with pytest.raises(AlreadyExists):
                await create(client)
    first_post, first_get, second_post, second_get = peers
    assert first_post == second_post, "commands keep their connection alive"
    assert len({first_post, first_get, second_get}) == 3


async def test_every_request_has_a_deadline() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await never()

    answered: list[float] = []
    async with client_of(Peer(answer), answered=answered.append) as client, asyncio.timeout(5):
        with pytest.raises(AriUnavailable, match=r"no answer within 0\.2 s") as caught:
            await client.answer("c1")
        assert caught.value.ambiguous
        assert client.counters.unavailable == 1
        assert answered[0] >= DEADLINE_S


async def test_a_refused_connection_is_no_ambiguity() -> None:
    async with AriClient(f"http://127.0.0.1:{unused_port()}/ari", "u", "p") as client:
        with pytest.raises(AriUnavailable, match="no connection") as caught:
            await create(client)
        assert not caught.value.ambiguous
        assert client.counters.looked_up == 0


async def test_wrong_credentials_are_their_own_error() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "Unauthorized"}, status=401)

    async with client_of(Peer(answer)) as client:
        with pytest.raises(AriAuthFailed, match=r"401 Unauthorized: check user, password"):
            await client.ping()


@pytest.mark.parametrize("body", ["", "<html>", "[1]", '{"ping": 1}'])
async def test_an_answer_that_makes_no_sense_is_an_error_of_this_package(body: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body)

    async with client_of(Peer(answer)) as client:
        with pytest.raises(AriUnavailable, match="unreadable answer"):
            await client.ping()


@pytest.mark.parametrize(
    ("body", "text"), [("", "empty answer"), ("<h1>Gone</h1>", "Gone"), ('{"x": 1}', "no message")]
)
async def test_an_error_without_json_still_names_what_came(body: str, text: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=404)

    async with client_of(Peer(answer)) as client:
        with pytest.raises(NotFound, match=text):
            await client.get_channel("c1")


async def test_ids_with_any_character_stay_one_part_of_the_path() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    peer = Peer(answer)
    async with client_of(peer) as client:
        await client.stop_playback("a/b c?d#e%2F;1")
        await client.delete_stored_recording("2026/11/ф")
    assert [raw for _, raw in peer.requests] == [
        "/ari/playbacks/a%2Fb%20c%3Fd%23e%252F%3B1",
        "/ari/recordings/stored/2026%2F11%2F%D1%84",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "deviceState:",
        "deviceState",
        "channel:",
        "bridge:",
        "endpoint:",
        "endpoint:/",
        "",
        "everything:x",
        "devicestate:x",
    ],
)
async def test_what_would_subscribe_to_everything_is_refused_before_it_is_sent(source: str) -> None:
    with pytest.raises(ValueError, match="event source"):
        check_event_source(source)
    async with AriClient("http://127.0.0.1:1/ari", "u", "p") as client:
        with pytest.raises(ValueError, match="event source"):
            await client.subscribe("ccserver", source)
        assert client.counters.requests == 0
