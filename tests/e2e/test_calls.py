"""Calls as customers and operators live them, with audio, and what the CDR and the recording say of each."""

from pathlib import Path

import pytest

from tests.e2e.centre import CALLER_HZ, CALLERS_HZ, OPERATOR_HZ, Centre, Row, offers, segments
from tests.e2e.hearing import Hearing
from tests.phones import Call, CallFailed, Phone
from tests.phones.tones import carries, read_wav, timeline

AUDIBLE_RMS = 60.0


async def talk(caller: Call, phone: Phone, hz: int = CALLER_HZ) -> Call:
    """The operator's phone answers by itself; each hears the other's tone."""
    ringing = await phone.wait_call(10)
    await ringing.wait_up()
    await caller.hears(OPERATOR_HZ[phone.user])
    await ringing.hears(hz)
    return ringing


async def check_recording(site: Centre, contact: Row, place: Path, caller_hz: int = CALLER_HZ) -> None:
    """Left the caller and nobody else, right the operator and nobody else, as long as the talk."""
    operator_hz = OPERATOR_HZ[contact["agent"]]
    left, right = read_wav(await site.recording(contact, place / f"{contact['id']}.wav"))
    assert carries(left, caller_hz) and not carries(left, operator_hz)
    assert carries(right, operator_hz) and not carries(right, caller_hz)
    assert abs(left.duration_s - contact["talk_s"]) < 0.3


async def test_a_caller_who_presses_1_talks_with_an_operator_and_all_of_it_is_kept(site: Centre, tmp_path: Path) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting("1")
    answered = await talk(caller, phone)
    await site.contact("talking", agent="1001", queue="orders")
    await answered.hears_for(2)
    await caller.hangup()
    await answered.wait_gone()

    (contact,) = await site.finished(recorded=True)
    assert contact["outcome"] == "answered"
    assert (contact["line"], contact["queue"], contact["agent"]) == ("88007707999", "orders", "1001")
    assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
    assert offers(contact) == [("1001", "accepted")]
    assert contact["talk_s"] >= 2
    await check_recording(site, contact, tmp_path)
    await site.agent("1001", "ready")


async def test_when_the_operator_hangs_up_the_caller_is_hung_up_too(site: Centre, tmp_path: Path) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting("1")
    answered = await talk(caller, phone)
    await answered.hears_for(1)
    await answered.hangup()
    await caller.wait_gone()
    await site.agent("1001", "wrap_up")

    (contact,) = await site.finished(recorded=True)
    assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "agent_left")]
    await check_recording(site, contact, tmp_path)
    await site.agent("1001", "ready")


async def test_the_greeting_is_heard_from_its_first_syllable(site: Centre) -> None:
    caller = await site.dial()
    await caller.wait_up()
    hearing = Hearing(site, caller)
    print(await hearing.hears("nordlis-greeting"))
    await caller.hangup()
    (contact,) = await site.finished()
    assert contact["outcome"] == "flow_abandoned"
    assert segments(contact) == [("flow", "caller_left")]
    assert (contact["queue"], contact["agent"], contact["recording"]) == (None, None, None)
