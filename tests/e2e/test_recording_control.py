"""Recordings that are paused, resumed and begun in mid-talk: what the files hold, measured."""

import time
from pathlib import Path

from ccserver.sim.phones import Call, PhoneLibrary
from ccserver.sim.phones.tones import Sound, carries, is_silent, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row, contact_centre

ANNA, BORIS = "1001", "1002"
EDGE_S = 0.5
"""Around the beginning and the end of a gap, by the clocks of two processes on a busy machine."""


async def talking(centre: Centre, extension: str) -> tuple[Call, Call, str]:
    """The caller's call, the operator's, and the contact."""
    phone = await centre.operator(extension)
    caller = await centre.waiting()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await caller.hears(OPERATOR_HZ[extension])
    await answered.hears(CALLER_HZ)
    contact = await centre.contact("talking", agent=extension)
    return caller, answered, str(contact["id"])


async def steer(centre: Centre, contact: str, action: str, status: int = 200) -> Row:
    """Over the API."""
    url = f"{centre.url}/api/contacts/{contact}/recording"
    async with centre.http.post(url, json={"action": action}) as response:
        body = await response.json()
        assert response.status == status, body
        return dict(body)


def held(centre: Centre, contact: str, folder: Path) -> list[Path]:
    """Names of our own for what MixMonitor writes, the caller's side and what he hears: the archive removes only its own."""
    raw = centre.asterisk.instance.raw_recordings_dir
    files = [folder / f"raw{side}.wav" for side in ("-in", "-out")]
    for file, side in zip(files, ("-in", "-out"), strict=True):
        file.hardlink_to(raw / f"{contact}{side}.wav")
    return files


def check_gap(left: Sound, right: Sound, extension: str, first_s: float, last_s: float) -> None:
    """Both heard before and after it, nobody within."""
    for side, hz in ((left, CALLER_HZ), (right, OPERATOR_HZ[extension])):
        assert carries(side.between(first_s - EDGE_S - 0.5, first_s - EDGE_S), hz)
        assert is_silent(side.between(first_s + 0.1, last_s - 0.1))
        assert carries(side.between(last_s + EDGE_S, last_s + EDGE_S + 0.5), hz)


async def test_a_pause_is_silence_as_long_as_the_gap_and_survives_a_killed_daemon(
    centre: Centre, tmp_path: Path
) -> None:
    caller, answered, contact = await talking(centre, ANNA)
    await answered.hears_for(1.5)
    assert (await steer(centre, contact, "pause"))["recording"] == "paused"
    paused_at = time.time()
    await answered.hears_for(0.5)
    await centre.kill()
    await answered.hears_for(1.0)
    await centre.start()
    assert (await centre.contact("talking", agent=ANNA))["recording"] == "paused"
    await answered.hears_for(1.5)
    assert (await steer(centre, contact, "resume"))["recording"] == "on"
    lasted_s = time.time() - paused_at
    raw = held(centre, contact, tmp_path)
    await answered.hears_for(2.0)
    await caller.hangup()

    (row,) = await centre.finished(recorded=True)
    (recording,) = row["recordings"]
    (gap,) = recording["gaps"]
    assert abs(gap["to_s"] - gap["from_s"] - lasted_s) < EDGE_S
    left, right = read_wav(await centre.recording(row, tmp_path / "talk.wav"))
    assert abs(left.duration_s - row["talk_s"]) < 0.3, "the time of the pause is kept"
    check_gap(left, right, ANNA, gap["from_s"], gap["to_s"])
    # Not only the archive silences it: nothing of it was ever on the disk. Both files end with the talk.
    check_gap(*(read_wav(file)[0].last(left.duration_s) for file in raw), ANNA, gap["from_s"], gap["to_s"])


async def test_on_demand_nothing_is_kept_until_the_operator_asks(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    below = {f'extension = "{BORIS}"': 'record = "on_demand"'}
    async with contact_centre(tmp_path, library, prompts_dir, below=below) as centre:
        caller, answered, contact = await talking(centre, BORIS)
        assert (await centre.contact("talking"))["recording"] == "off"
        refused = await steer(centre, contact, "pause", 409)
        assert refused["error"]["message"] == "it is not being recorded"
        assert (await steer(centre, contact, "start"))["recording"] == "on"
        await answered.hears_for(2.0)
        await caller.hangup()
        (row,) = await centre.finished(recorded=True)
        left, right = read_wav(await centre.recording(row, tmp_path / "talk.wav"))
        assert 1.5 < left.duration_s < row["talk_s"]
        assert carries(left, CALLER_HZ) and carries(right, OPERATOR_HZ[BORIS])


async def test_a_caller_is_told_that_he_may_be_recorded_before_an_operator_is_rung(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    (notice,) = read_wav(prompts_dir / "ru" / "recording-notice.wav")
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        await centre.configure('[recordings]\nannouncement = "recording-notice"\n')
        await centre.start()
        phone = await centre.operator(ANNA)
        caller = await centre.waiting()
        heard = await caller.hears_prompt(notice, 20)
        answered = await phone.wait_call(20)
        assert caller.ear.duration_s >= heard.offset_s + notice.duration_s - EDGE_S, "he heard it to its end"
        await answered.wait_up()
        await caller.hears(OPERATOR_HZ[ANNA])
        await caller.hangup()
        (row,) = await centre.finished(recorded=True)
        assert row["outcome"] == "answered" and row["recording"] is not None
