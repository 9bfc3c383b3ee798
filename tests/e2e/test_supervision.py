"""A supervisor in a talk, on real phones: who hears whom, measured; and that nothing of it touches the talk."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row, contact_centre, segments

ANNA, VERA = "1001", "1003"
ANNA_HZ, VERA_HZ = OPERATOR_HZ[ANNA], OPERATOR_HZ[VERA]
BUSY_HZ = 425
"""asterisk-conf/indications.conf, [ru]."""
AMONG_OTHERS = 0.12
"""Share of a tone that is heard together with one or two others."""


@pytest.fixture
async def watched(tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A contact centre whose operator 1003 is a supervisor."""
    below = {f'extension = "{VERA}"': 'role = "supervisor"'}
    async with contact_centre(tmp_path, library, prompts_dir, below=below) as centre:
        yield centre


async def supervise(centre: Centre, contact: str, mode: str, status: int = 200, supervisor: str = VERA) -> Row:
    """Over the API."""
    url = f"{centre.url}/api/contacts/{contact}/supervise"
    async with centre.http.post(url, json={"mode": mode, "supervisor": supervisor}) as response:
        body = await response.json()
        assert response.status == status, body
        return dict(body)


async def listening(centre: Centre, mode: str = "listen") -> tuple[Call, Call, Call, Phone, str]:
    """The caller's call, the operator's, the supervisor's who has answered; his phone, and the contact."""
    anna, vera = await centre.operator(ANNA), await centre.phone(VERA)
    caller = await centre.waiting()
    talk = await anna.wait_call(20)
    await talk.wait_up()
    await talk.hears(CALLER_HZ)
    contact = str((await centre.contact("talking", agent=ANNA))["id"])
    assert (await supervise(centre, contact, mode))["supervisor"] == VERA
    aside = await vera.wait_call(20)
    await aside.wait_up()
    return caller, talk, aside, vera, contact


async def hear(call: Call, *wanted_hz: int, seconds: float = 1.0, tries: int = 10) -> None:
    """Those tones and no other of the three, for some time; a moment passes until it is so."""
    others = {CALLER_HZ, ANNA_HZ, VERA_HZ} - set(wanted_hz)
    found: set[int] = set()
    for _ in range(tries):
        await call.hears_for(seconds)
        sound = call.heard().last(seconds * 0.7)
        found = {hz for hz in (*wanted_hz, *others) if carries(sound, hz, min_share=AMONG_OTHERS)}
        if found == set(wanted_hz):
            return
    raise AssertionError(f"{call!r} hears {found} and not {wanted_hz}")


async def hears_that_it_is_over(aside: Call) -> None:
    """The tone of a line that was hung up, and then he is hung up himself."""
    began = time.monotonic()
    await aside.wait_gone()
    assert carries(aside.heard().since(began), BUSY_HZ), f"{aside!r} hears no busy tone"


async def test_a_supervisor_listens_whispers_and_barges_in_and_each_is_heard_by_whom_he_means(
    watched: Centre, tmp_path: Path
) -> None:
    caller, talk, aside, _, contact = await listening(watched)
    await hear(aside, CALLER_HZ, ANNA_HZ)
    await hear(talk, CALLER_HZ)
    await hear(caller, ANNA_HZ)
    await watched.agent(VERA, "logged_out")
    await watched.contact("talking", supervisor=VERA, supervision="listen")

    await aside.send_dtmf("5")
    await watched.contact("talking", supervision="whisper")
    await hear(talk, CALLER_HZ, VERA_HZ)
    await hear(caller, ANNA_HZ)
    await hear(aside, CALLER_HZ, ANNA_HZ)

    await supervise(watched, contact, "barge")
    await hear(caller, ANNA_HZ, VERA_HZ)
    await hear(talk, CALLER_HZ, VERA_HZ)

    await supervise(watched, contact, "listen")
    await hear(caller, ANNA_HZ)
    await hear(talk, CALLER_HZ)
    await caller.hangup()
    await hears_that_it_is_over(aside)

    (row,) = await watched.finished(recorded=True)
    (supervision,) = row["supervisions"]
    assert (supervision["supervisor"], supervision["agent"]) == (VERA, ANNA)
    assert [each["mode"] for each in supervision["modes"]] == ["listen", "whisper", "barge", "listen"]
    assert supervision["answered_at"] < supervision["ended_at"]
    assert segments(row)[-1] == ("talk", "caller_left")
    left, right = read_wav(await watched.recording(row, tmp_path / "talk.wav"))
    assert carries(left, CALLER_HZ) and not carries(left, VERA_HZ, min_share=0.02)
    assert carries(right, ANNA_HZ)
    await watched.nothing_left()


async def test_a_supervisor_who_hangs_up_leaves_the_talk_as_it_was_and_may_come_again(watched: Centre) -> None:
    caller, talk, aside, vera, contact = await listening(watched, "whisper")
    await hear(talk, CALLER_HZ, VERA_HZ)
    await aside.hangup()
    await watched.contact("talking", supervisor=None)
    await hear(talk, CALLER_HZ)
    await hear(caller, ANNA_HZ)
    await supervise(watched, contact, "listen")
    again = await vera.wait_call(20)
    await again.wait_up()
    await hear(again, CALLER_HZ, ANNA_HZ)
    await talk.hangup()
    await again.wait_gone()
    (row,) = await watched.finished()
    assert len(row["supervisions"]) == 2
    await watched.nothing_left()


async def test_a_supervisor_takes_over_and_the_operator_is_free(watched: Centre, tmp_path: Path) -> None:
    caller, talk, aside, _, contact = await listening(watched)
    await hear(aside, CALLER_HZ, ANNA_HZ)
    await supervise(watched, contact, "take_over")
    await talk.wait_gone()
    await watched.contact("talking", agent=VERA, supervisor=None)
    await hear(caller, VERA_HZ)
    await hear(aside, CALLER_HZ)
    (bridge,) = [each for each in await watched.ari("bridges") if each["id"] == f"{contact}.mixed"]
    assert (bridge["technology"], len(bridge["channels"])) == ("softmix", 2), (
        "else he may be missing from the recording"
    )
    await watched.agent(VERA, "talking")
    await watched.agent(ANNA, "ready")
    await aside.hangup()
    await caller.wait_gone()
    (row,) = await watched.finished(recorded=True)
    assert segments(row)[-2:] == [("talk", "taken_over"), ("talk", "agent_left")]
    assert (row["agent"], row["outcome"]) == (VERA, "answered")
    _, right = read_wav(await watched.recording(row, tmp_path / "talk.wav"))
    assert carries(right.between(0.2, 0.8), ANNA_HZ) and carries(right, VERA_HZ, min_share=AMONG_OTHERS)
    await watched.nothing_left()


async def test_the_daemon_dies_and_the_supervisor_goes_on_listening(watched: Centre) -> None:
    caller, talk, aside, _, contact = await listening(watched, "whisper")
    await hear(talk, CALLER_HZ, VERA_HZ)
    await watched.kill()
    await hear(aside, CALLER_HZ, ANNA_HZ)
    await hear(talk, CALLER_HZ, VERA_HZ)
    await watched.start()
    await watched.contact("talking", agent=ANNA, supervisor=VERA, supervision="whisper")
    await hear(talk, CALLER_HZ, VERA_HZ)
    await supervise(watched, contact, "listen")
    await hear(talk, CALLER_HZ)
    await hear(caller, ANNA_HZ)
    await watched.kill()
    await aside.hangup()
    await watched.start()
    await watched.contact("talking", agent=ANNA, supervisor=None)
    await hear(talk, CALLER_HZ)
    await talk.hangup()
    await watched.finished()
    await watched.nothing_left()


async def test_who_does_not_supervise_is_refused(watched: Centre) -> None:
    anna = await watched.operator(ANNA)
    await watched.phone("1002")
    await watched.waiting()
    await (await anna.wait_call(20)).wait_up()
    contact = str((await watched.contact("talking", agent=ANNA))["id"])
    refused = await supervise(watched, contact, "listen", 409, "1002")
    assert refused["error"]["message"] == "1002 does not supervise orders"
    refused = await supervise(watched, contact, "listen", 409)
    assert refused["error"]["message"] == "1003's phone is not registered"
    assert (await watched.contact("talking"))["supervisor"] is None
