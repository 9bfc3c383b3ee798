"""Nobody comes in time: the caller may leave a message, and it can be heard."""

from pathlib import Path

import pytest

from ccserver.sim.phones import Call
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import CALLER_HZ, Centre, Row, segments
from tests.e2e.centre_config import BRISK_LINE
from tests.e2e.hearing import Hearing


async def after_the_beep(site: Centre) -> Call:
    """A caller whose patience in the queue is over, and who may speak now."""
    caller = await site.dial(BRISK_LINE)
    await caller.wait_up()
    await caller.send_dtmf("2")
    await site.contact("waiting", queue="service")
    await site.contact("flow", step="voicemail")
    await Hearing(site, caller).hears("reason-3")
    await caller.hears_silence(for_s=0.5)  # the beep is over
    return caller


async def message(site: Centre, contact: Row, place: Path) -> float:
    """It holds the caller's tone; how long it is."""
    assert contact["outcome"] == "voicemail"
    assert segments(contact)[:2] == [("flow", "queued"), ("queue", "overflowed")]
    (kept,) = contact["recordings"]
    assert kept["kind"] == "voicemail"
    (sound,) = read_wav(await site.recording(contact, place / "message.wav"))
    assert carries(sound, CALLER_HZ)
    return sound.duration_s


@pytest.mark.parametrize("ending", ["hash", "hanging up"])
async def test_a_message_is_kept_and_can_be_heard(site: Centre, tmp_path: Path, ending: str) -> None:
    caller = await after_the_beep(site)
    caller.say_tone(CALLER_HZ)
    await caller.hears_for(2)
    if ending == "hash":
        await caller.send_dtmf("#")
        await Hearing(site, caller).hears("goodbye")
        await caller.wait_gone()
    else:
        await caller.hangup()
    (contact,) = await site.finished()
    assert await message(site, contact, tmp_path) > 1.5
    if ending == "hash":
        assert segments(contact)[2:] == [("flow", "voicemail")]


async def test_who_says_nothing_after_the_beep_has_left_no_message(site: Centre) -> None:
    caller = await after_the_beep(site)
    await caller.wait_gone(15)
    (contact,) = await site.finished()
    assert contact["outcome"] == "overflowed"
    assert (contact["recording"], contact["recordings"]) == (None, [])
