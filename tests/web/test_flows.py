"""The page of drawings: from the board by a link, one flow after the other, callers counted as they move, in both languages."""

import re
import shutil

import pytest
from playwright.async_api import expect

from ccserver.config.graph import NO_GRAPHVIZ
from tests.api_stage import Stage
from tests.web.conftest import Opened

pytestmark = pytest.mark.asyncio(loop_scope="session")
needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


@needs_graphviz
async def test_the_flows_are_drawn_and_callers_are_counted(board: Opened) -> None:
    stage = Stage()
    async with board(stage) as page:
        await page.click("#flows-link")
        drawing = page.locator("#paper svg")
        await expect(drawing).to_contain_text("greeting")
        await expect(page.locator("#names a[aria-current]")).to_have_text("nordlis")
        await expect(page.locator("#facts")).to_have_text("Линии: 88007707999 · Сейчас в меню и очередях: 0")
        stage.at_step(stage.arrive(), "menu")
        await expect(drawing).to_contain_text("● 1")
        await page.click("#names a:has-text('velmira')")
        await expect(drawing).to_contain_text("88007004666 Вельмира")
        await expect(page).to_have_url(re.compile(r"/flows#velmira$"))
        await page.click("#language")
        await expect(page.locator("h1")).to_have_text("Call flows")
        await page.click("header a")
        await page.wait_for_selector("body[data-link=live]")


async def test_who_is_not_admitted_is_asked_for_the_token(board: Opened) -> None:
    async with board(Stage()) as page:
        address = page.url
        await page.context.clear_cookies()
        await page.goto(f"{address}flows")
        await expect(page).to_have_url(f"{address}login")


async def test_without_graphviz_the_page_says_so(board: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    async with board(Stage()) as page:
        await page.goto(f"{page.url}flows")
        await expect(page.locator("#problem")).to_have_text(NO_GRAPHVIZ)
