"""A real browser, Debian's Chromium, at the real server; one browser for all tests, a fresh profile for each."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.api_stage import TOKEN, Stage, open_api

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

Opened = Callable[..., AbstractAsyncContextManager[Page]]


def _chromium() -> str:
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        subprocess.run(
            install, capture_output=True, timeout=600, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is not installed and could not be (Debian: apt-get install chromium)")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, headless."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        yield running
        await running.close()


class Complaints(list[str]):
    """What the browser's console held against the page."""

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(f"exception: {error}"))
        page.on("console", lambda said: self.append(f"{said.type}: {said.text}") if said.type in BAD else None)
        page.on("request", lambda request: self._only_ours(request.url, page))

    def _only_ours(self, url: str, page: Page) -> None:
        home = page.url.split("/")[2] if page.url.startswith("http") else None
        if home and url.split("/")[2] != home:
            self.append(f"foreign request: {url}")


BAD = {"error", "warning"}


@pytest.fixture
def complaints() -> Complaints:
    """Empty, when all is well."""
    return Complaints()


@pytest_asyncio.fixture(loop_scope="session")
async def profile(browser: Browser, complaints: Complaints) -> AsyncIterator[Callable[..., Any]]:
    """Opens a page of a fresh profile: `await profile(width=…, height=…, color_scheme=…)`."""
    contexts = []

    async def fresh(width: int = 1366, height: int = 768, **options: Any) -> Page:
        context = await browser.new_context(viewport={"width": width, "height": height}, locale="ru-RU", **options)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        complaints.watch(page)
        return page

    yield fresh
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def board(profile: Callable[..., Any]) -> Opened:
    """`async with board(stage) as page:` the live page, admitted and alive."""

    @asynccontextmanager
    async def opened(stage: Stage, **options: Any) -> AsyncIterator[Page]:
        async with open_api(stage) as address:
            page = await profile(**options)
            await page.goto(f"{address}/?token={TOKEN}")
            await page.wait_for_selector("body[data-link=live]")
            yield page
            await page.goto("about:blank")

    return opened
