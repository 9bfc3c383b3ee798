"""The page on screens of every size, with few and with very many operators; readable in light and dark."""

import re
from typing import Any

from playwright.async_api import Page, expect
from pytest import mark

import ccserver.api.page
from ccserver.core.agent import AgentState
from tests.api_stage import Stage
from tests.web.conftest import Complaints, Opened

pytestmark = mark.asyncio(loop_scope="session")

INSIDE = """selector => {
  const box = document.querySelector("#agents").getBoundingClientRect();
  return [...document.querySelectorAll(selector)].filter(one => one.getBoundingClientRect().bottom <= box.bottom + 1).length;
}"""


def full_house(agents: int) -> Stage:
    stage = Stage(agents)
    states = [AgentState.READY, AgentState.TALKING, AgentState.WRAP_UP, AgentState.NOT_READY, AgentState.UNREACHABLE]
    for n, extension in enumerate(stage.agents):
        stage.set_agent(extension, states[n % len(states)])
    for n in range(agents // 5):
        contact = stage.arrive(f"+7916{n:07}", ago_s=n)
        stage.enqueue(contact, ago_s=n)
    return stage


async def nothing_sticks_out(page: Page) -> bool:
    found: bool = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return found


@mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (3840, 2160), (1160, 700), (1024, 768), (390, 844)])
async def test_nothing_sticks_out_sideways(board: Opened, complaints: Complaints, width: int, height: int) -> None:
    async with board(full_house(60), width=width, height=height) as page:
        assert await page.locator("#agents-in .agent").count() == 60
        assert await nothing_sticks_out(page)
    assert complaints == []


async def test_a_wall_screen_shows_all_of_150_operators_without_scrolling(board: Opened) -> None:
    async with board(full_house(150), width=1920, height=1080) as page:
        await expect(page.locator("#agents-in .agent")).to_have_count(150)
        assert await page.evaluate(INSIDE, "#agents-in .agent") == 150
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")


async def test_tiles_are_as_roomy_as_the_screen_allows(board: Opened) -> None:
    few, many = full_house(10), full_house(120)
    async with board(few) as page:
        await expect(page.locator("#agents")).to_have_attribute("data-density", "roomy")
    async with board(many) as page:
        await expect(page.locator("#agents")).to_have_attribute("data-density", "tight")
        await page.set_viewport_size({"width": 3840, "height": 2160})
        await expect(page.locator("#agents")).not_to_have_attribute("data-density", "tight")


async def test_a_busy_centre_does_not_tire_the_browser(board: Opened) -> None:
    stage = full_house(150)
    async with board(stage, width=1920, height=1080) as page:
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        for n in range(20):
            before = await script_s(session)
            stage.set_agent("1001", AgentState.NOT_READY, f"reason {n}")
            await expect(page.locator("[data-extension='1001']")).to_have_attribute("title", re.compile(f"reason {n}$"))
        assert await script_s(session) - before < 0.2


async def script_s(session: Any) -> float:
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


async def test_the_colours_follow_the_viewers_wish(board: Opened) -> None:
    seen = []
    for scheme in ("light", "dark"):
        async with board(Stage(), color_scheme=scheme) as page:
            seen.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(243, 244, 247)", "rgb(14, 18, 24)"]


STATES = ("ready", "ringing", "dialling", "talking", "wrap_up", "not_ready", "busy", "unreachable")


@mark.parametrize("theme", [0, 1], ids=["light", "dark"])
async def test_every_word_can_be_read(theme: int) -> None:
    css = (ccserver.api.page.WEB / "base.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\n\s*\}", css, re.DOTALL)[theme]
    colour = {name: tuple(bytes.fromhex(value)) for name, value in re.findall(r"--([\w-]+): #(\w{6});", block)}
    tint = float(re.findall(r"--tint: (\d+)%", block)[0]) / 100
    for ground in ("card", "bg", "sunken"):
        for word in ("ink", "dim"):
            assert contrast(colour[word], colour[ground]) >= 4.5, (word, ground)
    for word in (*STATES, "warn", "bad", "accent", "logged_out"):
        assert contrast(colour[word], colour["card"]) >= 4.5, word
    for state in STATES:
        tinted = tuple(a * tint + b * (1 - tint) for a, b in zip(colour[state], colour["card"], strict=True))
        assert contrast(colour[state], tinted) >= 4.5, f"{state} on its tile"


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """As WCAG defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
