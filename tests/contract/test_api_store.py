"""The API on the real store of either kind, feed and sound: a whole call as the engine leaves it, read over HTTP."""

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import ClientSession

from ccserver.api.messages import ContactDetailReply, ContactsReply
from ccserver.api.server import build, listening
from ccserver.api.sources import RecordingUnavailable
from ccserver.audio import ffmpeg
from ccserver.audio.errors import AudioError
from ccserver.audio.recordings import to_wav
from ccserver.store.journal_file import TurnRecords
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from tests.api_stage import TOKEN, Stage
from tests.store_databases import postgres, store_url
from tests.store_turns import NODE, Script

__all__ = ["postgres", "store_url"]


class Kept:
    """The kept recordings in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def write_wav(self, path: str, wav: Path) -> None:
        try:
            await to_wav(self.folder / path, wav)
        except AudioError as error:
            raise RecordingUnavailable(str(error)) from error


@asynccontextmanager
async def on_real_parts(folder: Path, url: str, turns: int) -> AsyncIterator[ClientSession]:
    """One call of ten turns, of which the store knows the first `turns`."""
    await migrate(url)
    store = await SqlStore.opened(url)
    try:
        claim = await store.claim(NODE, "journal-a")
        await store.project(claim, [TurnRecords(turn.seq, turn.now, turn.records) for turn in Script().call()[:turns]])
        stage = Stage()
        app = build(stage, store, stage.feed, Kept(folder), TOKEN, lambda: (), bytes, stage.configured)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            listening(app, "127.0.0.1", 0) as port,
            ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client,
        ):
            yield client
    finally:
        await store.close()


async def test_a_whole_call_reads_as_it_happened(tmp_path: Path, store_url: str) -> None:
    async with on_real_parts(tmp_path, store_url, 10) as client:
        async with client.get("/api/contacts?limit=5") as answer:
            (row,) = msgspec.json.decode(await answer.read(), type=ContactsReply).contacts
        async with client.get(f"/api/contacts/{row.id}") as answer:
            detail = msgspec.json.decode(await answer.read(), type=ContactDetailReply)
    assert (row.line, row.ani, row.queue, row.agent, row.outcome) == (
        "88007707999",
        "79161234567",
        "orders",
        "1001",
        "answered",
    )
    assert row.arrived_at == "2026-05-28T20:26:40.000Z"
    assert (row.ivr_s, row.wait_s, row.ring_s, row.talk_s) == (5.2, 11.7, 3.4, 75.0)
    assert row.recording == f"/api/contacts/{row.id}/recording"
    assert [(segment.kind, segment.outcome, segment.duration_s) for segment in detail.segments] == [
        ("flow", "queued", 5.2),
        ("queue", "answered", 11.7),
        ("talk", "agent_left", 75.0),
    ]
    assert [(offer.agent, offer.outcome, offer.ring_s) for offer in detail.offers] == [("1001", "accepted", 3.4)]


async def test_while_it_goes_on_its_end_is_null(tmp_path: Path, store_url: str) -> None:
    async with on_real_parts(tmp_path, store_url, 5) as client:
        async with client.get("/api/contacts") as answer:
            (row,) = msgspec.json.decode(await answer.read(), type=ContactsReply).contacts
        async with client.get(f"/api/contacts/{row.id}/recording") as answer:
            assert answer.status == 404
            assert "still going on" in (await answer.json())["error"]["message"]
    assert (row.outcome, row.ended_at, row.ivr_s, row.talk_s, row.recording) == (None, None, None, None, None)


async def test_the_kept_opus_is_heard_as_wav(tmp_path: Path, store_url: str) -> None:
    async with on_real_parts(tmp_path, store_url, 10) as client:
        async with client.get("/api/contacts") as answer:
            (row,) = msgspec.json.decode(await answer.read(), type=ContactsReply).contacts
        assert row.recording is not None
        async with client.get(row.recording) as answer:
            assert answer.status == 404
            assert "cannot be heard" in (await answer.json())["error"]["message"]
        kept = tmp_path / "2026" / "05" / "28" / f"{row.id}.opus"
        kept.parent.mkdir(parents=True)
        tones = ["-f", "lavfi", "-i", "sine=440:d=2:r=8000", "-f", "lavfi", "-i", "sine=880:d=2:r=8000"]
        joined = ["-filter_complex", "[0:a][1:a]join=inputs=2:channel_layout=stereo", "-c:a", "libopus", "-f", "ogg"]
        await ffmpeg.write(kept, [*tones, *joined], kept)
        async with client.get(row.recording) as answer:
            assert answer.status == 200
            body = await answer.read()
    with wave.open(io.BytesIO(body)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
        assert abs(sound.getnframes() / 8000 - 2.0) < 0.05


async def test_before_and_limit_page_through_the_store(tmp_path: Path, store_url: str) -> None:
    async with on_real_parts(tmp_path, store_url, 10) as client:
        async with client.get("/api/contacts") as answer:
            (row,) = msgspec.json.decode(await answer.read(), type=ContactsReply).contacts
        async with client.get(f"/api/contacts?before={row.id}") as answer:
            assert await answer.json() == {"contacts": []}
        async with client.get("/api/contacts?before=nobody") as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]["field"] == "before"
        async with client.get("/api/contacts/nobody") as answer:
            assert answer.status == 404
