"""Waiting: the place in the queue, what is heard meanwhile, leaving it."""

import asyncio

from ccserver.sim.phones import Phone, PhoneTimeout
from ccserver.sim.phones.tones import SILENCE_RMS, timeline
from tests.e2e.centre import CALLER_HZ, CALLERS_HZ, OPERATOR_HZ, Centre, offers, segments
from tests.e2e.centre_config import BRISK_LINE
from tests.e2e.hearing import Hearing

SILENCE_NEVER_S = 1.0


async def test_who_waits_hears_that_all_are_busy_then_music_also_while_it_rings_and_never_silence(site: Centre) -> None:
    caller = await site.dial(BRISK_LINE)
    await caller.wait_up()
    await caller.send_dtmf("1")
    hearing = Hearing(site, caller)
    announced_s = await hearing.hears("reason-1")
    await caller.hears_for(3)
    phone = await site.operator("1001", answer="ring")
    ringing = await phone.wait_call(20)
    await caller.hears_for(1)
    await ringing.answer()
    heard = caller.heard().between(announced_s)
    await caller.hears(OPERATOR_HZ["1001"])
    quiet = [step.at_s for step in timeline(heard, SILENCE_NEVER_S) if step.tone.rms < SILENCE_RMS]
    assert quiet == []


async def test_an_english_caller_is_told_in_english_that_all_are_busy(site: Centre) -> None:
    caller = await site.waiting("*1", line=BRISK_LINE)
    await site.contact("waiting", language="en")
    await Hearing(site, caller, "en").hears("reason-1")


async def test_the_music_stops_when_the_operator_answers(site: Centre) -> None:
    caller = await site.waiting()
    await caller.hears_music()
    await site.operator("1001")
    await caller.hears(OPERATOR_HZ["1001"], min_share=0.95)


async def test_a_caller_who_leaves_the_queue_has_abandoned_it(site: Centre) -> None:
    caller = await site.waiting("1")
    await site.contact("waiting", queue="orders")
    await caller.hangup()
    (contact,) = await site.finished()
    assert contact["outcome"] == "abandoned"
    assert segments(contact) == [("flow", "queued"), ("queue", "abandoned")]
    assert (contact["agent"], contact["recording"], contact["recordings"], offers(contact)) == (None, None, [], [])


async def test_a_caller_who_leaves_at_once_counts_as_a_short_abandon(site: Centre) -> None:
    caller = await site.waiting("2")
    await site.contact("waiting", queue="service")
    await caller.hangup()
    (contact,) = await site.finished()
    assert contact["outcome"] == "abandoned"
    assert segments(contact) == [("flow", "queued"), ("queue", "short_abandoned")]


async def test_five_callers_are_served_by_two_operators_in_the_order_of_their_arrival(site: Centre) -> None:
    callers = []
    for position, hz in enumerate(CALLERS_HZ, 1):
        callers.append(await site.waiting(tone_hz=hz))
        await site.contact("waiting", position=position)

    async def serve(phone: Phone) -> None:
        while not all(caller.is_gone for caller in callers):
            try:
                call = await phone.wait_call(3)
            except PhoneTimeout:
                continue
            await call.wait_up()
            await call.hears_for(0.5)
            await call.hangup()

    phones = await site.operators("1001", "1002")
    await asyncio.gather(*(serve(phone) for phone in phones))
    contacts = await site.finished(5, recorded=True)
    assert [contact["outcome"] for contact in contacts] == ["answered"] * 5
    assert [len(contact["offers"]) for contact in contacts] == [1] * 5
    offered_at = [contact["offers"][0]["made_at"] for contact in contacts]
    assert offered_at == sorted(offered_at)
    assert {contact["agent"] for contact in contacts} == {"1001", "1002"}
    assert all(contact["recording"] for contact in contacts)


async def test_the_second_of_two_waiting_moves_up_when_the_first_leaves(site: Centre) -> None:
    first = await site.waiting(tone_hz=CALLERS_HZ[1])
    await site.contact("waiting", position=1)
    second = await site.waiting(tone_hz=CALLER_HZ)
    await site.contact("waiting", position=2)
    await first.hangup()
    (left,) = await site.finished()
    (staying,) = (await site.get("/api/status"))["contacts"]
    assert staying["position"] == 1 and staying["id"] != left["id"]
    phone = await site.operator("1001")
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await answered.hears(CALLER_HZ)
    await second.hangup()
