"""What a caller hears and what his keys do, before any operator: greeting, menu, opening hours, mistakes, languages."""

import asyncio

import pytest

from ccserver.sim.phones import Call
from tests.e2e.centre import LINE, OTHER_LINE, Centre, segments
from tests.e2e.centre_config import BRISK_LINE, ENGLISH_OPERATOR
from tests.e2e.hearing import Hearing


async def in_flow(site: Centre, line: str = LINE) -> Call:
    """A caller whose flow has picked up."""
    caller = await site.dial(line)
    await caller.wait_up()
    return caller


async def test_the_greeting_is_heard_from_its_first_syllable_on_both_lines(site: Centre) -> None:
    async def greeted(line: str, greeting: str) -> None:
        caller = await in_flow(site, line)
        await Hearing(site, caller).hears_whole(greeting)
        await caller.hangup()

    await asyncio.gather(greeted(LINE, "nordlis-greeting"), greeted(OTHER_LINE, "velmira-greeting"))
    contacts = await site.finished(2)
    assert {contact["line"] for contact in contacts} == {LINE, OTHER_LINE}
    for contact in contacts:
        assert contact["outcome"] == "flow_abandoned"
        assert segments(contact) == [("flow", "caller_left")]
        assert (contact["queue"], contact["agent"], contact["recording"]) == (None, None, None)
        assert (contact["wait_s"], contact["ring_s"], contact["talk_s"]) == (0, 0, 0)


@pytest.mark.parametrize(("key", "queue"), [("1", "orders"), ("2", "service"), ("0", "orders")])
async def test_a_key_leads_to_its_queue(site: Centre, key: str, queue: str) -> None:
    caller = await site.waiting(key)
    await site.contact("waiting", queue=queue)
    await caller.hangup()
    (contact,) = await site.finished()
    assert contact["queue"] == queue
    assert segments(contact)[0] == ("flow", "queued")


async def test_key_3_tells_the_opening_hours_and_then_the_menu_again(site: Centre) -> None:
    caller = await in_flow(site)
    hearing = Hearing(site, caller)
    await hearing.hears("nordlis-greeting")
    await caller.send_dtmf("3")
    await hearing.hears("opening-hours")
    await hearing.hears("nordlis-menu")
    await caller.send_dtmf("2")
    await site.contact("waiting", queue="service")


async def test_a_wrong_key_is_named_as_such_and_asked_again_and_the_next_one_leads_to_an_operator(site: Centre) -> None:
    caller = await in_flow(site, BRISK_LINE)
    hearing = Hearing(site, caller)
    await hearing.hears("english-offer")
    await caller.send_dtmf("7")
    await hearing.hears("invalid-key")
    await hearing.hears("english-offer")
    await caller.send_dtmf("#")
    await site.contact("waiting", queue="orders")


async def test_silence_hears_everything_in_turn_is_asked_again_and_then_led_to_an_operator(site: Centre) -> None:
    caller = await in_flow(site, BRISK_LINE)
    hearing = Hearing(site, caller)
    for prompt in ("reason-2", "reason-5", "english-offer", "no-input", "english-offer"):
        await hearing.hears(prompt)
    await site.contact("waiting", queue="orders")


async def test_keys_typed_ahead_are_obeyed_one_after_the_other(site: Centre) -> None:
    """3 tells the hours, 1 leads to the orders: both pressed while the greeting is being said."""
    caller = await in_flow(site)
    await caller.send_dtmf("31")
    await site.contact("waiting", queue="orders")
    await caller.hangup()
    (contact,) = await site.finished()
    assert segments(contact) == [("flow", "queued"), ("queue", "abandoned")]


async def test_star_turns_to_english(site: Centre) -> None:
    caller = await in_flow(site)
    await caller.send_dtmf("*")
    hearing = Hearing(site, caller, "en")
    await hearing.hears("nordlis-menu")
    await caller.send_dtmf("3")
    await hearing.hears("opening-hours")
    await hearing.hears("nordlis-menu")
    await caller.send_dtmf("1")
    waiting = await site.contact("waiting", queue="orders")
    assert waiting["language"] == "en"
    await caller.hangup()
    (contact,) = await site.finished()
    assert contact["language"] == "en"


async def test_an_english_caller_gets_only_an_operator_who_speaks_english(site: Centre) -> None:
    (phone,) = await site.operators("1001")
    english = await site.waiting("*1", line=BRISK_LINE)
    await site.contact("waiting", language="en")
    russian = await site.waiting("1", line=BRISK_LINE)
    answered = await phone.wait_call(20)
    await site.contact("talking", agent="1001", language="ru")
    await russian.hangup()
    await answered.wait_gone()
    await site.agent("1001", "ready")
    await site.contact("waiting", language="en")
    await site.operator(ENGLISH_OPERATOR)
    await site.contact("talking", agent=ENGLISH_OPERATOR, language="en")
    await english.hangup()
    contacts = await site.finished(2)
    assert [(contact["language"], contact["agent"]) for contact in contacts] == [
        ("en", ENGLISH_OPERATOR),
        ("ru", "1001"),
    ]
