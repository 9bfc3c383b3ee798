"""The phones of the tests against a real Asterisk: what they do is what a phone on a desk does, and they hear well.

Every other e2e test trusts them, so whatever it relies on is shown here first.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from asterisk_instance import AsteriskInstance

from ccserver.config.places import CHECKOUT
from ccserver.sim.phones import CallFailed, Phone, PhoneError, PhoneLibrary, PhoneTimeout, Reject, RingThenAnswer
from ccserver.sim.phones.tones import carries, find_opening, is_silent, onset, read_wav, share_of
from tests.e2e.desk import HZ, PROMPT, Desk, asterisk_for_phones


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(tmp_path_factory: pytest.TempPathFactory, prompts_dir: Path) -> AsyncIterator[AsteriskInstance]:
    async with asterisk_for_phones(tmp_path_factory.mktemp("phones"), prompts_dir) as running:
        yield running


@pytest.fixture
async def desk(asterisk: AsteriskInstance, library: PhoneLibrary) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        yield Desk(asterisk, library, stack)


# --- audio ------------------------------------------------------------------------------------------------------


async def test_two_phones_hear_one_another_and_nobody_hears_himself(desk: Desk) -> None:
    call, answered = await desk.talking()
    at_caller, at_callee = await asyncio.gather(call.hears(HZ["1002"]), answered.hears(HZ["1001"]))
    assert share_of(at_caller, HZ["1001"]) < 0.01
    assert share_of(at_callee, HZ["1002"]) < 0.01
    before = await call.stats()
    await call.hears_for(0.5)
    after = await call.stats()
    assert (after.codec, after.lost) == ("PCMA", 0)
    assert after.sent - before.sent == pytest.approx(25, abs=5)
    assert after.received - before.received == pytest.approx(25, abs=5)


async def test_what_was_heard_has_true_times_even_across_a_hold(desk: Desk) -> None:
    call, answered = await desk.talking()
    await answered.hears_for(0.5)
    await answered.hold()
    held_at = time.monotonic()
    await answered.hears_for(0.6)
    await answered.unhold()
    back_at = time.monotonic()
    await answered.hears_for(0.5)
    heard = answered.heard()
    now = time.monotonic()
    assert heard.began_at + heard.duration_s == pytest.approx(now, abs=0.15)
    assert is_silent(heard.since(held_at + 0.1).between(0.0, back_at - held_at - 0.2))
    assert carries(heard.last(0.2), HZ["1001"])
    assert not call.is_gone


async def test_a_prompt_is_heard_from_its_first_syllable(desk: Desk, prompts_dir: Path) -> None:
    phone = await desk.phone("1001")
    call = await phone.dial("701")
    await call.wait_up()
    (prompt,) = read_wav(prompts_dir / PROMPT.with_suffix(".wav"))
    began = await call.hears_prompt(prompt)
    begins_s = onset(prompt)
    assert begins_s is not None
    assert began.offset_s >= begins_s - 0.001  # what lies before the syllable came too: not a packet is missing
    # A packet or two less of the very same, and it would not have passed.
    swallowed = call.received().between(began.offset_s + 0.04)
    assert find_opening(prompt, swallowed).score < 0.5


async def test_a_prompt_that_is_not_played_is_not_heard(desk: Desk, prompts_dir: Path) -> None:
    phone = await desk.phone("1001")
    call = await phone.dial("702")
    (prompt,) = read_wav(prompts_dir / PROMPT.with_suffix(".wav"))
    await call.hears_music()
    with pytest.raises(PhoneTimeout, match="hears no such prompt"):
        await call.hears_prompt(prompt, 1.0)


async def test_hold_music_is_heard_as_music_and_ends_with_the_hold(desk: Desk) -> None:
    call, answered = await desk.talking()
    await call.hears(HZ["1002"])
    await answered.hold()
    await call.hears_music()
    await answered.hears_silence()
    await answered.unhold()
    await asyncio.gather(call.hears(HZ["1002"]), answered.hears(HZ["1001"]))


async def test_a_tone_is_neither_music_nor_silence_nor_another_tone(desk: Desk) -> None:
    call, _ = await desk.talking()
    await call.hears(HZ["1002"])
    with pytest.raises(PhoneTimeout, match="hears no music, but 800 Hz"):
        await call.hears_music(1.2)
    with pytest.raises(PhoneTimeout, match=r"hears no silence of 0\.3 s, but 800 Hz"):
        await call.hears_silence(0.4)
    with pytest.raises(PhoneTimeout, match="hears no tone of 1100 Hz, but 800 Hz"):
        await call.hears(HZ["1003"], 0.4)


async def test_a_phone_says_a_wav_once_and_is_silent_then(desk: Desk, prompts_dir: Path) -> None:
    call, answered = await desk.talking()
    answered.say_tone(None)
    path = prompts_dir / PROMPT.with_suffix(".wav")
    (spoken,) = read_wav(path)
    began_at = time.monotonic()
    answered.say_wav(path)
    await call.hears_prompt(spoken)
    await answered.wait_said()
    assert time.monotonic() - began_at == pytest.approx(spoken.duration_s, abs=0.3)
    await call.hears_silence()


async def test_a_recorded_call_is_a_wav_of_what_was_heard_from_then_on(desk: Desk, tmp_path: Path) -> None:
    call, _ = await desk.talking()
    await call.hears(HZ["1002"])
    call.record(tmp_path / "heard.wav")
    await call.hears_for(0.5)
    await call.hangup()
    kept = call.stop_record()
    (written,) = read_wav(tmp_path / "heard.wav")
    assert carries(written, HZ["1002"], min_share=0.95)
    assert written.duration_s == kept.duration_s == pytest.approx(0.5, abs=0.15)


# --- keys -------------------------------------------------------------------------------------------------------


async def test_keys_reach_the_other_phone_in_order(desk: Desk) -> None:
    call, answered = await desk.talking()
    await call.send_dtmf("159#")
    assert [await answered.wait_digit() for _ in range(4)] == ["1", "5", "9", "#"]
    assert answered.digits == "159#"


async def test_keys_reach_asterisk_and_come_back(desk: Desk) -> None:
    phone = await desk.phone("1001")
    call = await phone.dial("703")
    await call.wait_up()
    await call.send_dtmf("4711")
    assert [await call.wait_digit() for _ in range(4)] == ["4", "7", "1", "1"]


# --- answering, refusing, hanging up ----------------------------------------------------------------------------


async def test_a_phone_that_rings_is_heard_ringing_and_answers_when_told_to(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer="ring")
    call = await caller.dial("1002")
    ringing = await callee.wait_call()
    assert await call.wait_ringing() == 180
    assert call.answered_at is None
    await ringing.answer()
    await call.wait_up()
    await call.hears(HZ["1002"])


async def test_a_phone_answers_by_itself_after_the_time_it_was_told(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer=RingThenAnswer(0.4))
    call = await caller.dial("1002")
    ringing = await callee.wait_call()
    rang_at = time.monotonic()
    await call.wait_up()
    await ringing.wait_up()
    assert ringing.answered_at is not None
    assert ringing.answered_at - rang_at == pytest.approx(0.4, abs=0.2)


async def test_a_silent_phone_does_not_even_ring_until_it_is_told_to(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer="silent")
    call = await caller.dial("1002")
    offered = await callee.wait_call()
    with pytest.raises(PhoneTimeout):
        await call.wait_ringing(0.5)
    await offered.ring()
    assert await call.wait_ringing() == 180
    await offered.answer()
    await call.wait_up()


async def test_a_busy_phone_refuses_and_the_caller_is_told(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer=Reject(486))
    call = await caller.dial("1002")
    with pytest.raises(CallFailed, match="486"):
        await call.wait_up()
    assert (await (await callee.wait_call()).wait_gone()).code == 486
    assert (await call.wait_gone()).code == 486


async def test_a_ringing_call_is_refused_by_hand(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer="ring")
    call = await caller.dial("1002")
    ringing = await callee.wait_call()
    await call.wait_ringing()
    await ringing.reject(480)
    assert (await ringing.wait_gone()).code == 480
    assert (await call.wait_gone()).code >= 400


async def test_a_caller_who_gives_up_stops_the_ringing(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer="ring")
    call = await caller.dial("1002")
    ringing = await callee.wait_call()
    await call.wait_ringing()
    assert (await call.hangup()).code == 487
    assert (await ringing.wait_gone()).code == 487


async def test_either_side_ends_a_call_and_hanging_up_twice_is_no_error(desk: Desk) -> None:
    call, answered = await desk.talking()
    await answered.hangup()
    ended = await call.wait_gone()
    assert ended.code == 200
    assert await call.hangup() == ended
    with pytest.raises(PhoneError, match="has ended"):
        await call.send_dtmf("1")
    with pytest.raises(CallFailed, match="it ended"):
        await call.hears(9999)


async def test_the_incoming_invite_can_be_read(desk: Desk) -> None:
    _, answered = await desk.talking()
    assert "1001" in (answered.header("From") or "")
    assert answered.header("CSEQ") is not None
    assert answered.header("X-Nothing") is None


# --- transfer ---------------------------------------------------------------------------------------------------


async def test_a_blind_transfer_connects_the_caller_with_the_third_and_frees_the_second(desk: Desk) -> None:
    third = await desk.phone("1003")
    call, answered = await desk.talking()
    await asyncio.gather(call.hears(HZ["1002"]), answered.hears(HZ["1001"]))
    assert await answered.transfer("1003") == 200
    await answered.wait_gone()
    taken = await third.wait_call()
    await asyncio.gather(call.hears(HZ["1003"]), taken.hears(HZ["1001"]))


async def test_an_attended_transfer_connects_the_other_two(desk: Desk) -> None:
    third = await desk.phone("1003")
    call, answered = await desk.talking()
    await call.hears(HZ["1002"])
    await answered.hold()
    consulted = await answered.phone.dial("1003")
    await consulted.wait_up()
    await consulted.hears(HZ["1003"])
    assert await answered.transfer_to(consulted) == 200
    taken = await third.wait_call()
    await asyncio.gather(call.hears(HZ["1003"]), taken.hears(HZ["1001"]))
    await asyncio.gather(answered.wait_gone(), consulted.wait_gone())


# --- registration and the loss of it ----------------------------------------------------------------------------


async def test_a_wrong_password_is_refused_and_told(desk: Desk) -> None:
    phone = Phone(desk.library, "1001", "guessed", port=desk.asterisk.instance.sip_port)
    with pytest.raises(PhoneError, match="registration refused: 401"):
        await phone.register()
    assert not phone.is_registered
    await phone.close()


async def test_an_unregistered_phone_is_not_called_and_one_that_returns_is(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002")
    await callee.unregister()
    call = await caller.dial("1002")
    assert (await call.wait_gone()).code >= 400
    assert callee.incoming == []
    await callee.register()
    again = await caller.dial("1002")
    await again.wait_up()


async def test_of_two_phones_of_one_operator_only_the_one_that_asterisk_calls_rings(desk: Desk) -> None:
    older, newer, caller = await desk.phone("1002"), await desk.phone("1002"), await desk.phone("1001")
    call = await caller.dial("1002")
    await call.wait_up()
    await (await newer.wait_call()).hears(HZ["1001"])
    assert older.incoming == []


async def test_a_phone_that_lost_power_is_still_called_and_never_answers(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002")
    await callee.vanish()
    assert "1002/sip" in await desk.asterisk.cli("pjsip show contacts")
    call = await caller.dial("1002")
    with pytest.raises(PhoneTimeout):
        await call.wait_ringing(1.0)
    assert not call.is_gone
    assert callee.incoming == []
    await call.hangup()
    await callee.close()
    await callee.register()
    again = await caller.dial("1002")
    await again.wait_up()


async def test_a_phone_that_loses_power_in_a_call_falls_silent_without_a_good_bye(desk: Desk) -> None:
    call, answered = await desk.talking()
    await asyncio.gather(call.hears(HZ["1002"]), answered.hears(HZ["1001"]))
    await answered.phone.vanish()
    await answered.wait_gone()
    await call.hears_silence()
    before = await call.stats()
    await call.hears_for(0.5)
    after = await call.stats()
    assert after.received == before.received
    assert after.sent > before.sent
    assert not call.is_gone


async def test_a_phone_that_loses_power_while_ringing_sends_nothing_more(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002", answer="ring")
    call = await caller.dial("1002")
    await callee.wait_call()
    await call.wait_ringing()
    await callee.vanish()
    with pytest.raises(PhoneTimeout):
        await call.wait_gone(0.7)


async def test_closing_a_phone_hangs_up_and_unregisters(desk: Desk) -> None:
    call, answered = await desk.talking()
    await answered.phone.close()
    assert (await call.wait_gone()).code == 200
    contacts = await desk.asterisk.cli("pjsip show contacts")
    assert "1001/sip" in contacts
    assert "1002/sip" not in contacts


# --- the library ------------------------------------------------------------------------------------------------


async def test_a_process_has_one_library(library: PhoneLibrary) -> None:
    with pytest.raises(PhoneError, match="one PhoneLibrary per process"):
        PhoneLibrary()


async def test_many_calls_at_once_are_all_heard_while_the_test_is_busy(desk: Desk) -> None:
    caller, callee = await desk.phone("1001"), await desk.phone("1002")
    calls = [await caller.dial("1002") for _ in range(8)]
    answered = [await callee.wait_call() for _ in calls]
    everybody = [*calls, *answered]
    await asyncio.gather(*(call.wait_up() for call in everybody))
    await asyncio.gather(*(call.hears(HZ["1002"]) for call in calls), *(call.hears(HZ["1001"]) for call in answered))
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        sum(range(1000))
    heard = [call.heard().last(1.0) for call in everybody]
    for sound, hz in zip(heard, [HZ["1002"]] * len(calls) + [HZ["1001"]] * len(answered), strict=True):
        assert carries(sound, hz, min_share=0.9)


LEAVES_IN_A_HURRY = """
import asyncio, sys
from ccserver.sim.phones import Phone, PhoneLibrary
async def main():
    library = PhoneLibrary()
    phone = Phone(library, "1001", sys.argv[1], port=int(sys.argv[2]), tone_hz=500)
    await phone.register()
    call = await phone.dial("702")
    await call.hears_music()
asyncio.run(main())
"""


async def test_a_process_that_ends_in_the_middle_of_a_call_ends_quietly(desk: Desk) -> None:
    arguments = [desk.asterisk.secrets.operators["1001"], str(desk.asterisk.instance.sip_port)]
    command = [sys.executable, "-c", LEAVES_IN_A_HURRY, *arguments]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
