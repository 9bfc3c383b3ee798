"""Calls as customers and operators live them, with audio, and what the CDR and the recording say of each."""

import asyncio
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, Phone
from ccserver.sim.phones.tones import read_wav
from tests.e2e.centre import CALLER_HZ, CALLERS_HZ, OPERATOR_HZ, Centre, offers, segments
from tests.e2e.hearing import check_recording


async def talk(caller: Call, phone: Phone, hz: int = CALLER_HZ) -> Call:
    """The operator's phone answers by itself; each hears the other's tone."""
    ringing = await phone.wait_call(20)
    await ringing.wait_up()
    await caller.hears(OPERATOR_HZ[phone.user])
    await ringing.hears(hz)
    return ringing


async def test_a_caller_who_presses_1_talks_with_an_operator_and_all_of_it_is_kept(
    site: Centre, tmp_path: Path
) -> None:
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


async def test_what_prometheus_scrapes_tells_of_the_talk_and_of_the_work_it_was(site: Centre) -> None:
    phone = await site.operator("1001")
    before = await site.metrics()
    caller = await site.waiting("1")
    await talk(caller, phone)
    during = await site.metrics()
    assert during["ccserver_agents", "talking"] == 1
    assert during["ccserver_contacts_live", "88007707999", "talking"] == 1
    await caller.hangup()
    await site.finished(recorded=True)
    after = await site.metrics()
    ended = ("ccserver_contacts_total", "inbound", "88007707999", "answered")
    assert after[ended] == before.get(ended, 0) + 1
    kept = ("ccserver_recordings_total", "talk", "kept")
    assert after[kept] == before.get(kept, 0) + 1
    for worked in ("ari_request_seconds", "journal_commit_seconds", "engine_lag_seconds"):
        assert after[f"ccserver_{worked}_count",] > before[f"ccserver_{worked}_count",]
    assert after["ccserver_node_connected", "cc1"] == 1


async def test_when_the_operator_hangs_up_the_caller_is_hung_up_too(site: Centre, tmp_path: Path) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting("1")
    answered = await talk(caller, phone)
    await answered.hears_for(1)
    await answered.hangup()
    await caller.wait_gone()

    (contact,) = await site.finished(recorded=True)
    assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "agent_left")]
    await check_recording(site, contact, tmp_path)
    await site.agent("1001", "ready")


async def test_keys_and_hold_end_no_talk_and_hold_is_counted_apart_from_it(site: Centre, tmp_path: Path) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting("1")
    answered = await talk(caller, phone)
    await caller.send_dtmf("3*0#")
    await answered.wait_digit()
    await answered.hold()
    await caller.hears_music()
    await site.contact("talking", agent="1001", on_hold=True)
    await answered.unhold()
    await caller.hears(OPERATOR_HZ["1001"])
    await answered.hears(CALLER_HZ)
    await site.contact("talking", agent="1001", on_hold=False)
    await answered.hangup()
    (contact,) = await site.finished(recorded=True)
    assert contact["holds"] == 1 and 0.5 < contact["hold_s"] < 10 and contact["talk_s"] > 0
    assert contact["segments"][-1]["hold_s"] == contact["hold_s"]
    assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "agent_left")]
    await check_recording(site, contact, tmp_path)


async def test_a_very_short_talk_is_recorded_too(site: Centre, tmp_path: Path) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting("1")
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await answered.hears_for(0.2)
    await answered.hangup()
    await caller.wait_gone()
    (contact,) = await site.finished(recorded=True)
    assert contact["outcome"] == "answered"
    assert contact["recording"], (contact["talk_s"], contact["recordings"])
    left, right = read_wav(await site.recording(contact, tmp_path / "talk.wav"))
    assert left.duration_s == right.duration_s > 0


async def test_five_calls_at_once_are_five_talks_that_do_not_hear_each_other(site: Centre, tmp_path: Path) -> None:
    phones = await site.operators("1001", "1002", "1003", "1004", "1005")
    numbers = [f"+7495000000{n}" for n in range(5)]

    async def call(number: str, hz: int) -> tuple[Call, str]:
        caller = await site.dial(number=number, tone_hz=hz)
        await caller.wait_up()
        await caller.send_dtmf("1")
        return caller, (await site.contact("talking", ani=number))["agent"]

    calls = await asyncio.gather(*(call(number, hz) for number, hz in zip(numbers, CALLERS_HZ, strict=True)))
    assert {agent for _, agent in calls} == {phone.user for phone in phones}
    for (caller, agent), hz in zip(calls, CALLERS_HZ, strict=True):
        (answered,) = next(phone for phone in phones if phone.user == agent).incoming
        await caller.hears(OPERATOR_HZ[agent], min_share=0.9)
        await answered.hears(hz, min_share=0.9)
    await asyncio.gather(*(caller.hears_for(1) for caller, _ in calls))
    await asyncio.gather(*(caller.hangup() for caller, _ in calls))

    contacts = await site.finished(5, recorded=True)
    hz_of = dict(zip(numbers, CALLERS_HZ, strict=True))
    assert {(contact["ani"], contact["agent"]) for contact in contacts} == {
        (number, agent) for number, (_, agent) in zip(numbers, calls, strict=True)
    }
    for contact in contacts:
        await check_recording(site, contact, tmp_path, hz_of[contact["ani"]])


async def test_the_operator_sees_the_callers_number_and_the_cdr_keeps_it(site: Centre) -> None:
    phone = await site.operator("1001", answer="ring")
    caller = await site.dial(number="+79161234567")
    await caller.wait_up()
    await caller.send_dtmf("1")
    ringing = await phone.wait_call(20)
    assert "+79161234567" in (ringing.header("From") or "")
    await caller.hangup()
    (contact,) = await site.finished()
    assert contact["ani"] == "+79161234567"


@pytest.mark.parametrize("number", ["88009999999", "84951234567"])
async def test_a_number_that_is_not_ours_is_refused_as_unknown(site: Centre, number: str) -> None:
    call = await site.dial(number)
    ended = await call.wait_gone()
    assert ended.code == 404
    assert call.answered_at is None
    assert (await site.get("/api/status"))["contacts"] == []
    assert await site.contacts() == []
