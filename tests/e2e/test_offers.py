"""Offers that come to nothing: what becomes of the operator, that the caller goes on to the next, and what the CDR says."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from ccserver.sim.phones import Answer, Call, CallFailed, Phone, PhoneLibrary, Reject
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row, contact_centre, offers, segments
from tests.e2e.hearing import Hearing, check_recording

ANSWERED_BY_THE_NEXT = [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]


async def two_operators(site: Centre, first: Answer) -> tuple[Phone, Phone]:
    """The first has been idle longer, so he is asked first; the second answers."""
    return await site.operator("1001", answer=first), await site.operator("1002")


async def served_by_the_next(site: Centre, caller: Call, second: Phone, outcome: str, place: Path) -> Row:
    """The caller talks with the second operator; the first offer ended as it should."""
    answered = await second.wait_call(20)
    await answered.wait_up()
    await caller.hears(OPERATOR_HZ[second.user])
    await answered.hears(CALLER_HZ)
    await answered.hears_for(0.5)
    await caller.hangup()
    (contact,) = await site.finished(recorded=True)
    assert segments(contact) == ANSWERED_BY_THE_NEXT
    assert offers(contact) == [("1001", outcome), (second.user, "accepted")]
    assert contact["agent"] == second.user
    await check_recording(site, contact, place)
    return contact


@pytest.mark.parametrize(
    ("code", "outcome", "reason"), [(486, "busy", "phone_busy"), (603, "refused", "refused")], ids=["busy", "declines"]
)
async def test_an_operator_whose_phone_says_no_is_left_in_peace_for_a_while_and_the_next_one_is_asked(
    site: Centre, code: int, outcome: str, reason: str, tmp_path: Path
) -> None:
    _, second = await two_operators(site, Reject(code))
    caller = await site.waiting()
    await site.agent("1001", "not_ready", reason)
    await served_by_the_next(site, caller, second, outcome, tmp_path)
    await site.agent("1001", "ready")


async def test_an_operator_who_lets_it_ring_is_not_ready_until_he_says_so_and_the_next_one_is_asked(
    site: Centre, tmp_path: Path
) -> None:
    first, second = await two_operators(site, "ring")
    caller = await site.waiting()
    ringing = await first.wait_call(20)
    await caller.hears_music()
    ended = await ringing.wait_gone()
    assert ended.code == 487
    await site.agent("1001", "not_ready", "rona")
    contact = await served_by_the_next(site, caller, second, "rona", tmp_path)
    assert contact["offers"][0]["ring_s"] > 3.9
    await site.agent("1002", "ready")
    await site.agent("1001", "not_ready", "rona")
    await site.set_state("1001", "ready")
    await site.agent("1001", "ready")


async def test_a_phone_that_does_not_even_ring_is_unreachable_for_a_while_and_the_next_one_is_asked(
    site: Centre, tmp_path: Path
) -> None:
    _, second = await two_operators(site, "silent")
    caller = await site.waiting()
    await site.agent("1001", "unreachable")
    contact = await served_by_the_next(site, caller, second, "unreachable", tmp_path)
    assert contact["offers"][0]["ringing_at"] is None
    await site.agent("1001", "ready")


async def test_a_phone_that_has_lost_its_power_is_unreachable_and_the_next_one_is_asked(
    site: Centre, tmp_path: Path
) -> None:
    first, second = await two_operators(site, "ring")
    await first.vanish()
    caller = await site.waiting()
    await site.agent("1001", "unreachable")
    await served_by_the_next(site, caller, second, "unreachable", tmp_path)
    await site.phone("1001")
    await site.agent("1001", "ready")


async def test_a_phone_that_loses_its_power_while_it_rings_has_not_been_answered(site: Centre, tmp_path: Path) -> None:
    first, second = await two_operators(site, "ring")
    caller = await site.waiting()
    await first.wait_call(20)
    await site.agent("1001", "ringing")
    await first.vanish()
    await served_by_the_next(site, caller, second, "rona", tmp_path)
    await site.agent("1001", "not_ready", "rona")
    await site.phone("1001")


async def test_an_operator_who_unregisters_while_his_phone_rings_is_unreachable_and_the_next_one_is_asked(
    site: Centre, tmp_path: Path
) -> None:
    first, second = await two_operators(site, "ring")
    caller = await site.waiting()
    ringing = await first.wait_call(20)
    await site.agent("1001", "ringing")
    await first.unregister()
    await ringing.wait_gone()
    await site.agent("1001", "unreachable")
    await served_by_the_next(site, caller, second, "unreachable", tmp_path)
    await first.register()
    await site.agent("1001", "ready")


async def test_an_operator_who_talks_with_a_colleague_gets_the_waiting_caller_when_he_hangs_up(
    site: Centre,
) -> None:
    phone, colleague = await site.operator("1001"), await site.phone("1002")
    await site.until(
        lambda status: "1002" in [each["extension"] for each in status["agents"] if each["phone_registered"]]
    )
    private = await phone.dial("1002")
    await private.wait_up()
    await private.hears(OPERATOR_HZ["1002"])
    await site.agent("1001", "talking")
    caller = await site.waiting()
    await site.contact("waiting")
    await caller.hears_for(1)
    assert phone.incoming == []
    await private.hangup()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await caller.hangup()
    among_us, contact = await site.finished(2)
    assert segments(among_us) == [("dial", "answered"), ("talk", "agent_left")]
    assert offers(contact) == [("1001", "accepted")]
    assert contact["wait_s"] >= 1
    assert colleague.incoming[0].is_gone


async def test_colleagues_hear_each_other_and_are_at_work_with_it(site: Centre) -> None:
    phone = await site.operator("1001")
    colleague = await site.operator("1002", answer="ring")
    private = await colleague.dial("1001")
    answered = await phone.wait_call(20)
    await answered.wait_up()
    private.say_tone(OPERATOR_HZ["1002"])
    await private.hears(OPERATOR_HZ["1001"])
    await answered.hears(OPERATOR_HZ["1002"])
    assert "1002" in (answered.header("From") or "")
    await site.contact("talking", direction="internal", agent="1002", ani="1001", queue=None)
    await site.agent("1001", "talking")
    await site.agent("1002", "talking")
    await answered.hangup()
    await private.wait_gone(20)
    await site.agent("1001", "ready")
    await site.agent("1002", "ready")
    (contact,) = await site.finished()
    assert (contact["direction"], contact["outcome"], contact["recording"]) == ("internal", "answered", None)
    assert segments(contact) == [("dial", "answered"), ("talk", "customer_left")]


async def test_colleagues_who_talk_outlive_the_daemon_and_a_phone_that_talks_is_busy(site: Centre) -> None:
    first, _ = await site.operators("1001", "1002")
    third = await site.operator("1003")
    private = await first.dial("1002")
    await private.wait_up()
    await private.hears(OPERATOR_HZ["1002"])
    await site.agent("1002", "talking")
    refused = await third.dial("1002")
    await refused.wait_up(20)
    await Hearing(site, refused).hears("outbound-busy")
    await refused.wait_gone(20)
    await site.kill()
    await private.hears_for(0.5)
    await site.start()
    await site.agent("1001", "talking")
    await private.hears(OPERATOR_HZ["1002"])
    await private.hangup()
    await site.agent("1001", "ready")
    await site.agent("1002", "ready")


async def test_while_the_daemon_is_away_colleagues_can_call_each_other_all_the_same(site: Centre) -> None:
    first, _ = await site.operators("1001", "1002")
    await site.kill()
    private = await first.dial("1002")
    await private.wait_up(20)
    await private.hears(OPERATOR_HZ["1002"])
    await private.hangup()
    await site.start()


async def test_when_everybody_refuses_the_caller_keeps_his_place_and_is_asked_about_again(site: Centre) -> None:
    phones = [await site.operator(extension, answer=Reject(603)) for extension in ("1001", "1002")]
    first = await site.waiting(tone_hz=CALLER_HZ)
    for extension in ("1001", "1002"):
        await site.agent(extension, "not_ready", "refused")
    second = await site.waiting(tone_hz=520)
    await site.until(lambda status: len(status["contacts"]) == 2 and status["contacts"][1]["state"] == "waiting")
    phones[0].answer = "auto"
    answered = None
    while answered is None:
        call = await phones[0].wait_call(20)
        with suppress(CallFailed):  # one that he refused before
            await call.wait_up()
            answered = call
    await answered.hears(CALLER_HZ)
    await asyncio.gather(first.hangup(), second.hangup())
    served, left = await site.finished(2)
    assert (served["outcome"], left["outcome"]) == ("answered", "abandoned")
    assert offers(served)[-1] == ("1001", "accepted")


async def test_a_caller_who_hangs_up_while_it_rings_stops_the_ringing_and_the_operator_is_ready_again(
    site: Centre,
) -> None:
    phone = await site.operator("1001", answer="ring")
    caller = await site.waiting()
    ringing = await phone.wait_call(20)
    await site.agent("1001", "ringing")
    await caller.hears_music()
    await caller.hangup()
    assert (await ringing.wait_gone()).code == 487
    await site.agent("1001", "ready")
    (contact,) = await site.finished()
    assert contact["outcome"] == "abandoned"
    assert segments(contact) == [("flow", "queued"), ("queue", "abandoned")]
    assert offers(contact) == [("1001", "withdrawn")]
    assert contact["ring_s"] > 0 and contact["agent"] is None
    await nothing_is_recorded(site, contact)


async def nothing_is_recorded(site: Centre, contact: Row) -> None:
    """Not in the CDR, and nothing stays on the disk."""
    assert (contact["recording"], contact["recordings"]) == (None, [])
    raw: Path = site.asterisk.instance.raw_recordings_dir
    await site.until(lambda _: not list(raw.glob(f"{contact['id']}*")))


async def test_a_phone_that_comes_back_from_a_power_cut_is_tried_again_at_once(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, {"unreachable_retry_s": "600"}) as centre:
        phone = await centre.operator("1001")
        await phone.vanish()
        caller = await centre.waiting()
        await centre.agent("1001", "unreachable")
        phone = await centre.phone("1001")  # Asterisk has taken it for registered all the time
        answered = await phone.wait_call(20)
        await answered.wait_up()
        await caller.hears(OPERATOR_HZ["1001"])
