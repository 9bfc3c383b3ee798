"""A caller asks for his order: another computer is asked, and he hears the sum in words; when it fails, an operator helps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ccserver.audio import prompts, synthesis
from ccserver.sim.phones import Call, PhoneLibrary
from ccserver.sim.phones.tones import find, read_wav
from tests.e2e.centre import Centre, contact_centre
from tests.e2e.centre_config import BRISK_LINE, CHECKOUT
from tests.e2e.hearing import SAME_SCORE, Hearing
from tests.e2e.shop import Shop, shop_open

FLOW = """
start = "ask"
[steps.ask]
do = "collect"
prompts = ["reason-1"]
variable = "order"
max_digits = 2
next = "look"
otherwise = "operator"
[steps.look]
do = "lookup"
lookup = "shop"
found = "state"
not_found = "unknown"
failed = "operator"
music = "default"
[steps.state]
do = "branch"
variable = "state"
cases = { sent = "sum" }
otherwise = "operator"
[steps.sum]
do = "hangup"
prompts = ["money:{total} RUB", "goodbye"]
[steps.unknown]
do = "say"
prompts = ["reason-3"]
next = "ask"
[steps.operator]
do = "queue"
queue = "orders"
"""
LOOKUP = """
[[lookups]]
name = "shop"
url = "{url}{{order}}"
timeout_s = 4
failures = 2
[lookups.fields]
state = {{ at = "order.state" }}
total = {{ at = "order.total", kind = "money" }}
"""
SUM = ("word-12", "word-rub-many")
"""12.00: twelve roubles."""


@asynccontextmanager
async def beside_the_shop(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[tuple[Centre, Shop]]:
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(shop_open())
        shop.orders["47"] = {"order": {"state": "sent", "total": 12}}
        asking = LOOKUP.format(url=shop.url)
        made = contact_centre(tmp_path, library, prompts_dir, run=False, flows={"brisk": FLOW}, more=asking)
        centre = await stack.enter_async_context(made)
        book = prompts.load(CHECKOUT / "ivr-prompts" / "prompts.toml").with_words(["money"])
        await asyncio.to_thread(synthesis.build, book, CHECKOUT / "ivr-prompts", centre.asterisk.instance.prompts_dir)
        await centre.start()
        yield centre, shop


async def typed(centre: Centre, order: str) -> Call:
    """A caller who has typed the number of his order."""
    caller = await centre.dial(BRISK_LINE)
    await caller.wait_up()
    await Hearing(centre, caller).hears("reason-1")
    await caller.send_dtmf(order)
    return caller


async def hears_the_sum(centre: Centre, caller: Call) -> None:
    await Hearing(centre, caller).hears("goodbye")
    heard, found = caller.heard(), []
    for word in SUM:
        (clip,) = read_wav(centre.asterisk.instance.prompts_dir / "ru" / f"{word}.wav")
        match = find(clip.between(0.1, 0.35), heard)
        assert match.score >= SAME_SCORE, f"{word} is not heard: {match}"
        found.append(match.offset_s)
    assert found == sorted(found)


async def test_a_caller_hears_the_sum_of_his_order_and_one_who_mistyped_is_asked_again(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with beside_the_shop(tmp_path, library, prompts_dir) as (centre, shop):
        caller = await typed(centre, "48")
        hearing = Hearing(centre, caller)
        await hearing.hears("reason-3")
        await hearing.hears("reason-1")
        await caller.send_dtmf("47")
        await hears_the_sum(centre, caller)
        assert [await shop.asked.get() for _ in range(2)] == ["48", "47"]
        (contact,) = await centre.finished()
        assert contact["outcome"] == "flow_completed"
        metrics = await centre.metrics()
        assert metrics["ccserver_lookup_seconds_count", "shop", "found"] == 1
        assert metrics["ccserver_lookup_seconds_count", "shop", "not_found"] == 1


async def test_whoever_asks_a_shop_that_fails_gets_an_operator_and_then_nobody_waits_for_it(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with beside_the_shop(tmp_path, library, prompts_dir) as (centre, shop):
        shop.status = 500
        first = await typed(centre, "47")
        await centre.contact("waiting")
        await first.hangup()
        await centre.finished()
        shop.open.clear()  # and now it hangs
        second = await typed(centre, "47")
        await centre.contact("waiting", timeout_s=15)
        await second.hangup()
        await centre.finished()
        third = await typed(centre, "47")
        await centre.contact("waiting", timeout_s=3)
        await third.hangup()
        await centre.finished()
        assert shop.asked.qsize() == 2
        reasons = [line for line in centre.log().splitlines() if "lookup failed" in line]
        assert len(reasons) == 3
        assert "HTTP 500" in reasons[0] and "no answer within 4 s" in reasons[1] and "left in peace" in reasons[2]
        alarms = (await centre.get("/api/status"))["alarms"]
        assert any(alarm["name"] == "lookups" and "no answer within 4 s" in alarm["message"] for alarm in alarms)


async def test_killed_while_the_shop_is_asked_the_daemon_asks_again(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with beside_the_shop(tmp_path, library, prompts_dir) as (centre, shop):
        shop.open.clear()
        caller = await typed(centre, "47")
        await shop.asked.get()
        await centre.kill()
        shop.open.set()
        await centre.start()
        assert await shop.asked.get() == "47"
        await hears_the_sum(centre, caller)
        (contact,) = await centre.finished()
        assert contact["outcome"] == "flow_completed"
