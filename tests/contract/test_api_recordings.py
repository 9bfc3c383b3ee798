"""Recordings over HTTP: whole, in ranges, and why there is none."""

import io
import wave

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from ccserver.core.events import SteerRecording
from ccserver.core.ids import ContactId, RecordingName
from tests.api_stage import Stage, admitted


def answered(stage: Stage, *, recorded: bool = True) -> ContactId:
    contact = stage.arrive(ago_s=40)
    stage.enqueue(contact)
    stage.answer(contact, "1001", ago_s=10)
    stage.end(contact, recorded=recorded)
    return contact


async def whole(client: ClientSession, contact: ContactId) -> bytes:
    async with client.get(f"/api/contacts/{contact}/recording") as answer:
        assert answer.status == 200
        assert answer.content_type == "audio/wav"
        assert answer.headers["Accept-Ranges"] == "bytes"
        return await answer.read()


async def why_none(client: ClientSession, contact: str, query: str = "") -> str:
    async with client.get(f"/api/contacts/{contact}/recording{query}") as answer:
        assert answer.status == 404
        assert answer.content_type == "application/json"
        return str((await answer.json())["error"]["message"])


async def test_the_recording_comes_as_a_stereo_wav() -> None:
    stage = Stage()
    contact = answered(stage)
    async with admitted(stage) as client:
        with wave.open(io.BytesIO(await whole(client, contact))) as sound:
            assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (2, 8000, 24_000)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=96000-", 96_000, 96_043),
        ("bytes=-44", 96_000, 96_043),
    ],
)
async def test_a_browser_may_jump_about_in_it(asked: str, first: int, last: int) -> None:
    stage = Stage()
    contact = answered(stage)
    async with admitted(stage) as client:
        all_of_it = await whole(client, contact)
        async with client.get(f"/api/contacts/{contact}/recording", headers={"Range": asked}) as answer:
            assert answer.status == 206
            assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(all_of_it)}"
            assert await answer.read() == all_of_it[first : last + 1]
    assert len(stage.sounds.written) == 1


async def test_a_range_outside_the_file_is_416() -> None:
    stage = Stage()
    contact = answered(stage)
    far = {"Range": "bytes=9999999-"}
    async with admitted(stage) as client, client.get(f"/api/contacts/{contact}/recording", headers=far) as answer:
        assert answer.status == 416
        assert answer.headers["Content-Range"] == "bytes */96044"


async def test_an_unchanged_recording_is_not_sent_twice() -> None:
    stage = Stage()
    contact = answered(stage)
    async with admitted(stage) as client:
        async with client.get(f"/api/contacts/{contact}/recording") as answer:
            etag = answer.headers["ETag"]
        async with client.get(f"/api/contacts/{contact}/recording", headers={"If-None-Match": etag}) as answer:
            assert answer.status == 304


async def test_head_tells_the_length() -> None:
    stage = Stage()
    contact = answered(stage)
    async with admitted(stage) as client, client.head(f"/api/contacts/{contact}/recording") as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "96044")


async def test_a_contact_that_does_not_exist() -> None:
    async with admitted(Stage()) as client:
        assert await why_none(client, "cc1-1.1") == "there is no contact cc1-1.1"


async def test_a_contact_that_is_still_going_on() -> None:
    stage = Stage()
    contact = answered(stage, recorded=False)
    stage.archive.kept[contact] = replace(stage.archive.kept[contact], outcome=None, ended_at=None)
    async with admitted(stage) as client:
        assert "still going on" in await why_none(client, contact)


async def test_a_contact_whose_recording_is_not_there_yet() -> None:
    stage = Stage()
    contact = answered(stage, recorded=False)
    async with admitted(stage) as client:
        assert "not finished yet" in await why_none(client, contact)


async def test_a_contact_in_which_nobody_talked() -> None:
    stage = Stage()
    contact = stage.arrive()
    stage.end(contact)
    async with admitted(stage) as client:
        assert "nobody talked" in await why_none(client, contact)


async def test_a_lost_recording_says_why() -> None:
    stage = Stage()
    contact = answered(stage)
    (row,) = stage.archive.kept[contact].recordings
    row = replace(row, path=None, duration_s=0.0, lost="the disk was full")
    stage.archive.kept[contact] = replace(stage.archive.kept[contact], recordings=(row,))
    async with admitted(stage) as client:
        assert "the disk was full" in await why_none(client, contact)


async def test_a_file_that_is_gone_from_the_archive() -> None:
    stage = Stage()
    contact = answered(stage)
    row = replace(stage.archive.kept[contact].recordings[0], path="gone-1.opus")
    stage.archive.kept[contact] = replace(stage.archive.kept[contact], recordings=(row,))
    async with admitted(stage) as client:
        assert "not in the archive" in await why_none(client, contact)


async def test_of_several_the_talk_is_heard_and_each_by_its_name() -> None:
    stage = Stage()
    contact = answered(stage)
    talk = stage.archive.kept[contact].recordings[0]
    voicemail = replace(talk, recording=RecordingName("vm"), kind="voicemail", path="2026/01/31/vm-1.opus")
    stage.archive.kept[contact] = replace(stage.archive.kept[contact], recordings=(voicemail, talk))
    async with admitted(stage) as client:
        assert len(await whole(client, contact)) == 96_044
        async with client.get(f"/api/contacts/{contact}/recording?name=vm") as answer:
            assert len(await answer.read()) == 32_044
        assert await why_none(client, contact, "?name=other") == f"contact {contact} has no recording other"


async def test_a_recording_under_way_is_paused_and_resumed() -> None:
    stage = Stage()
    contact = stage.arrive()
    stage.answer(contact, "1001")
    async with admitted(stage) as client:
        for action, state in (("pause", "paused"), ("resume", "on"), ("stop", "off"), ("start", "on")):
            async with client.post(f"/api/contacts/{contact}/recording", json={"action": action}) as answer:
                assert answer.status == 200
                assert (await answer.json())["recording"] == state
    asked = [request for request in stage.asked if isinstance(request, SteerRecording)]
    assert [(each.contact, each.action) for each in asked] == [
        (contact, action) for action in ("pause", "resume", "stop", "start")
    ]


@pytest.mark.parametrize(
    ("contact", "body", "status"),
    [
        ("cc1-0", {"action": "pause"}, 404),
        (None, {"action": "erase"}, 400),
        (None, {}, 400),
        (None, {"action": "pause", "for_s": 5}, 400),
    ],
)
async def test_a_wish_about_a_recording_that_makes_no_sense_changes_nothing(
    contact: str | None, body: dict[str, object], status: int
) -> None:
    stage = Stage()
    contact = contact or stage.arrive()
    async with admitted(stage) as client, client.post(f"/api/contacts/{contact}/recording", json=body) as answer:
        assert answer.status == status
    assert not stage.asked


async def test_a_refused_wish_about_a_recording_says_why() -> None:
    stage = Stage()
    contact = stage.arrive()
    stage.refuse = "it is not being recorded"
    wish = {"action": "pause"}
    async with admitted(stage) as client, client.post(f"/api/contacts/{contact}/recording", json=wish) as answer:
        assert answer.status == 409
        assert (await answer.json())["error"]["message"] == "it is not being recorded"


async def test_where_a_recording_is_silent_because_it_was_paused_is_told() -> None:
    stage = Stage()
    contact = answered(stage)
    (row,) = stage.archive.kept[contact].recordings
    row = replace(row, gaps="[[1.5,2.25]]")
    stage.archive.kept[contact] = replace(stage.archive.kept[contact], recordings=(row,))
    async with admitted(stage) as client, client.get(f"/api/contacts/{contact}") as answer:
        (recording,) = (await answer.json())["recordings"]
    assert recording["gaps"] == [{"from_s": 1.5, "to_s": 2.25}]


async def test_of_a_recording_that_was_kept_long_enough_the_rule_is_told() -> None:
    stage = Stage()
    contact = answered(stage)
    (row,) = stage.archive.kept[contact].recordings
    row = replace(row, path=None, purged_at=stage.now(), purged_by="recordings.talk_days = 90")
    stage.archive.kept[contact] = replace(stage.archive.kept[contact], recordings=(row,))
    async with admitted(stage) as client:
        told = await why_none(client, contact)
        assert (
            told
            == f"the recording of {contact} was kept as long as recordings.talk_days = 90 says, and has been removed"
        )


async def test_a_contact_that_is_over_is_preserved_and_let_go_again() -> None:
    stage = Stage()
    contact = answered(stage)
    async with admitted(stage) as client:
        for preserved in (True, False):
            wish = {"preserved": preserved, "reason": "claim 17"}
            async with client.post(f"/api/contacts/{contact}/preservation", json=wish) as answer:
                assert (answer.status, await answer.json()) == (200, wish)
            async with client.get(f"/api/contacts/{contact}") as answer:
                preservation = (await answer.json())["preservation"]
                assert (preservation and preservation["reason"]) == ("claim 17" if preserved else None)
        async with client.post("/api/contacts/cc1-0/preservation", json={"preserved": True}) as answer:
            assert answer.status == 404
