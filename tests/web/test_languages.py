"""Russian by default, English by one press; every word exists in both."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect
from pytest import mark

import ccserver.api.page
from ccserver.core.agent import AgentState
from ccserver.core.contact import ContactOutcome, ContactState
from tests.api_stage import Stage, open_api
from tests.web.conftest import Opened

pytestmark = mark.asyncio(loop_scope="session")
WEB = ccserver.api.page.WEB
SAY = "async key => (await import('/web/texts.js')).t(key, { n: 2 })"


def used() -> set[str]:
    """Every key that the pages name, and those they make of the server's words."""
    keys: set[str] = set()
    for path in (*WEB.glob("*.js"), *WEB.glob("*.html")):
        text = Path(path).read_text(encoding="utf-8")
        keys |= set(re.findall(r'\bt\("([\w.]+)"', text))
        keys |= set(re.findall(r'data-(?:t|label|aria|placeholder)="([\w.]+)"', text))
    keys |= {f"state.{state}" for state in AgentState}
    keys |= {f"states.{state}" for state in AgentState if state not in ("logged_out", "reserved")}
    keys |= {f"contact_{state}" for state in ContactState if state is not ContactState.CLOSED}
    keys |= {f"outcome.{outcome}" for outcome in ContactOutcome}
    keys |= {f"reason.{reason}" for reason in ("rona", "refused", "phone_busy", "break", "lunch")}
    keys |= {f"figure_{name}" for name in ("waiting", "longest", "flow", "talking", "ready")}
    return keys


async def test_every_key_has_a_text_in_both_languages(board: Opened) -> None:
    assert len(used()) > 80
    async with board(Stage()) as page:
        russian = {key: await page.evaluate(SAY, key) for key in used()}
        await page.click("#language")
        english = {key: await page.evaluate(SAY, key) for key in used()}
    assert [key for key, text in (russian | english).items() if text == key] == []
    assert [text for text in english.values() if re.search("[а-яА-Я]", text)] == []
    assert [key for key, text in russian.items() if text == english[key]] == []


async def test_the_choice_is_kept_and_nothing_russian_is_left_but_names(board: Opened) -> None:
    stage = Stage()
    stage.set_agent("1001", AgentState.NOT_READY, "lunch")
    stage.lines = dict.fromkeys(stage.lines, "Line")
    stage.queues = {name: name.title() for name in stage.queues}
    for extension, agent in list(stage.agents.items()):
        stage.agents[extension] = type(agent)(**{**_fields(agent), "name": f"Agent {extension}"})
    contact = stage.arrive("")
    stage.enqueue(contact)
    stage.end(stage.arrive())
    async with board(stage) as page:
        await page.click("#language")
        await page.reload()
        await page.wait_for_selector("body[data-link=live]")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.locator("#asterisk")).to_have_text("Asterisk connected")
        await page.wait_for_selector("#finished .row")
        seen = await page.evaluate("document.body.innerText")
        labels = await page.eval_on_selector_all("[aria-label]", "all => all.map(one => one.ariaLabel).join()")
        assert re.findall("[а-яА-Я]+", (seen + labels).replace("Русский", "")) == []


def _fields(agent: Any) -> dict[str, Any]:
    return {name: getattr(agent, name) for name in agent.__struct_fields__}


async def test_the_form_speaks_both_too(profile: Callable[..., Any]) -> None:
    async with open_api(Stage()) as address:
        page: Page = await profile()
        await page.goto(f"{address}/")
        await expect(page.locator("h1")).to_have_text("Контакт-центр")
        await page.click("#language")
        await expect(page.locator("h1")).to_have_text("Contact centre")
