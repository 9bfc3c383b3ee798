"""The operator hangs up and the caller stays: he presses a key, says a word, and the contact tells of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, PhoneLibrary
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments
from tests.e2e.hearing import Hearing

FLOW = """
start = "rate"
[steps.rate]
do = "rate"
prompts = ["reason-1"]
invalid = "reason-2"
next = "how"
otherwise = "thanks"
[steps.how]
do = "branch"
variable = "score"
cases = { 5 = "thanks" }
otherwise = "comment"
[steps.comment]
do = "voicemail"
prompts = ["reason-3"]
next = "thanks"
[steps.thanks]
do = "hangup"
prompts = ["goodbye"]
"""


@pytest.fixture
async def asking(tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A centre whose queue orders has a survey."""
    survey = {'name = "orders"': 'survey = "satisfaction"'}
    async with contact_centre(tmp_path, library, prompts_dir, flows={"satisfaction": FLOW}, below=survey) as centre:
        yield centre


async def talked(centre: Centre) -> Call:
    """The operator has hung up."""
    phone = await centre.operator("1001")
    caller = await centre.waiting("1")
    call = await phone.wait_call(20)
    await call.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await call.hears_for(1)
    await call.hangup()
    return caller


async def test_a_mark_and_a_comment_come_into_the_contact_and_the_report(asking: Centre, tmp_path: Path) -> None:
    caller = await talked(asking)
    await Hearing(asking, caller).hears("reason-1")
    await caller.send_dtmf("8")
    await Hearing(asking, caller).hears("reason-2")
    await caller.send_dtmf("2")
    await Hearing(asking, caller).hears("reason-3")
    await caller.hears_silence(for_s=0.5)
    caller.say_tone(CALLER_HZ)
    await caller.hears_for(2)
    await caller.hangup()
    (contact,) = await asking.finished(recorded=True)
    assert contact["outcome"] == "answered"
    assert segments(contact) == [
        ("flow", "queued"),
        ("queue", "answered"),
        ("talk", "agent_left"),
        ("survey", "caller_left"),
    ]
    survey = contact["survey"]
    assert (survey["agent"], survey["queue"], survey["talk"], survey["scores"]) == ("1001", "orders", 3, {"score": 2})
    assert sorted(each["kind"] for each in contact["recordings"]) == ["comment", "talk"]
    left, _right = read_wav(await asking.recording(contact, tmp_path / "talk.wav"))
    talk = contact["segments"][2]
    assert carries(left, CALLER_HZ) and abs(left.duration_s - talk["duration_s"]) < 0.5
    query = {"since": "2020-01-01T00:00:00Z", "by": "agent"}
    async with asking.http.get(f"{asking.url}/api/reports/satisfaction", params=query) as response:
        report = await response.json()
    assert report["all"] == {
        "of": "",
        "asked": 1,
        "answered": 1,
        "response_rate": 1.0,
        "mean": 2.0,
        "good_share": 0.0,
    }


async def test_a_survey_survives_the_death_of_the_daemon(asking: Centre) -> None:
    caller = await talked(asking)
    await Hearing(asking, caller).hears("reason-1")
    await asking.kill()
    await asking.start()
    await Hearing(asking, caller).hears("reason-1")
    await caller.send_dtmf("5")
    await Hearing(asking, caller).hears("goodbye")
    await caller.wait_gone()
    (contact,) = await asking.finished(recorded=True)
    assert contact["survey"]["scores"] == {"score": 5}
    assert segments(contact)[-1] == ("survey", "completed")
