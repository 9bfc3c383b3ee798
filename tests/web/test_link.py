"""The page and a server that goes away, comes back, or does not know the page any more."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, expect
from pytest import mark

from ccserver.api.server import build, listening
from ccserver.core.agent import AgentState
from tests.api_stage import TOKEN, Stage, open_api

pytestmark = mark.asyncio(loop_scope="session")


async def admitted_page(profile: Callable[..., Any], port: int) -> Page:
    page: Page = await profile()
    await page.goto(f"http://127.0.0.1:{port}/?token={TOKEN}")
    await page.wait_for_selector("body[data-link=live]")
    return page


def application(stage: Stage, token: str = TOKEN) -> Any:
    return build(stage, stage.archive, stage.feed, stage.sounds, token, lambda: stage.alarms, bytes, stage.configured)


async def test_stale_data_are_called_stale_and_the_page_comes_back_by_itself(profile: Callable[..., Any]) -> None:
    stage = Stage()
    stage.set_agent("1001", AgentState.TALKING)
    async with listening(application(stage), "127.0.0.1", 0) as port:
        page = await admitted_page(profile, port)
        await expect(page.locator("#stale")).to_be_hidden()
    await expect(page.locator("#stale")).to_contain_text("Данные устарели: нет связи с сервером с ")
    await expect(page.locator("#asterisk")).to_have_text("Asterisk: нет данных")
    timer = page.locator("button.agent[data-extension='1001'] .agent-timer")
    frozen = await timer.text_content()
    clock = await page.locator("#clock").text_content()
    assert frozen is not None
    assert clock is not None
    await expect(page.locator("#clock")).not_to_have_text(clock)
    await expect(timer).to_have_text(frozen)

    stage.set_agent("1001", AgentState.NOT_READY, "lunch")
    async with listening(application(stage), "127.0.0.1", port):
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("#stale")).to_be_hidden()
        await expect(page.locator("button.agent[data-extension='1001'] .agent-what")).to_have_text("Не готов · обед")
        await page.goto("about:blank")


async def test_a_wish_that_could_not_be_sent_says_so(profile: Callable[..., Any]) -> None:
    stage = Stage()
    async with listening(application(stage), "127.0.0.1", 0) as port:
        page = await admitted_page(profile, port)
        await page.click("button.agent[data-extension='1001']")
    await page.click("#agent-dialog [data-wish=ready]")
    await expect(page.locator("#agent-problem")).to_have_text("Не отправлено: нет связи с сервером.")


async def test_when_the_token_was_changed_the_page_asks_for_the_new_one(profile: Callable[..., Any]) -> None:
    stage = Stage()
    async with listening(application(stage), "127.0.0.1", 0) as port:
        page = await admitted_page(profile, port)
    async with listening(application(stage, TOKEN[::-1]), "127.0.0.1", port):
        await expect(page.locator("#token")).to_be_visible()
        await page.fill("#token", TOKEN)
        await page.click("button[type=submit]")
        await expect(page.locator("#problem")).to_contain_text("Такого ключа нет")
        await page.fill("#token", TOKEN[::-1])
        await page.keyboard.press("Enter")
        await page.wait_for_selector("body[data-link=live]")
        await page.goto("about:blank")


async def test_logging_out_closes_the_page(profile: Callable[..., Any]) -> None:
    async with open_api(Stage()) as address:
        page: Page = await profile()
        await page.goto(f"{address}/?token={TOKEN}")
        await page.wait_for_selector("body[data-link=live]")
        assert page.url == f"{address}/", "the token has left the address"
        await page.click("text=Выйти")
        await expect(page.locator("#token")).to_be_visible()
        await page.goto(f"{address}/")
        await expect(page.locator("#token")).to_be_visible()
