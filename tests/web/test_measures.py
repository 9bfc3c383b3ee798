"""Announcements, closed lines and blocked numbers, taken and lifted on the live page, in a real browser."""

from datetime import UTC, datetime

from playwright.async_api import Page, expect
from pytest import mark

from ccserver.core.events import LiftMeasure, TakeMeasure
from ccserver.core.measure import Announcement, Block, Closure, Measure
from tests.api_stage import NORDLIS, Stage
from tests.web.conftest import Complaints, Opened

pytestmark = mark.asyncio(loop_scope="session")


def taken(stage: Stage) -> list[Measure]:
    return [one.measure for one in stage.asked if isinstance(one, TakeMeasure)]


async def take(page: Page, kind: str) -> None:
    await page.check(f"#measure-form [value={kind}]")
    await page.fill("#measure-form [data-asker]", "Ирина")


async def test_something_is_said_to_every_caller_until_it_is_lifted(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    async with board(stage) as page:
        await page.click("#measures-open")
        await expect(page.locator("#measures-empty")).to_be_visible()
        await take(page, "announcement")
        await page.fill("#measure-prompts", "line-closed, recording-notice")
        await page.fill("#measure-until", "2099-12-31T23:50")
        await page.click("#measure-form [type=submit]")
        measure = page.locator("#measures .measure")
        await expect(measure).to_contain_text("Объявление: line-closed, recording-notice")
        await expect(measure).to_contain_text("Все линии · Ирина")
        await expect(page.locator("#measures-open")).to_have_text("Меры: 1")
        await measure.locator("button").click()
        await expect(measure).to_have_count(0)
        await expect(page.locator("#measures-open")).to_have_text("Меры")
        offset_s = await page.evaluate("new Date('2099-12-31T23:50').getTimezoneOffset() * 60")
    (said,) = taken(stage)
    assert isinstance(said, Announcement) and said.prompts == ("line-closed", "recording-notice")
    assert said.until == datetime(2099, 12, 31, 23, 50, tzinfo=UTC).timestamp() + offset_s
    assert [(one.measure, one.by) for one in stage.asked if isinstance(one, LiftMeasure)] == [(said.id, "Ирина")]
    assert complaints == []


async def test_a_line_is_closed_and_stands_closed_among_the_lines(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    async with board(stage) as page:
        await page.click("#measures-open")
        await take(page, "closure")
        await page.select_option("#measure-line", NORDLIS)
        await page.select_option("#measure-form [name=queued]", "close")
        await page.click("#measure-form [type=submit]")
        await expect(page.locator("#lines .line").first).to_contain_text("закрыта (Ирина)")
        await expect(page.locator("#lines .line").last).not_to_contain_text("закрыта")
    (shut,) = taken(stage)
    assert isinstance(shut, Closure) and (shut.line, shut.queued, shut.treatment) == (NORDLIS, "close", None)
    assert complaints == []


async def test_a_number_is_kept_out_and_a_mistake_is_named(board: Opened) -> None:
    stage = Stage()
    async with board(stage) as page:
        await page.click("#measures-open")
        await take(page, "block")
        await page.fill("#measure-number", "12")
        await page.click("#measure-form [type=submit]")
        await expect(page.locator("#measures-problem")).to_contain_text("is no public number")
        await page.fill("#measure-number", "8 916 123-45-67")
        await page.fill("#measure-reason", "молчит")
        await page.click("#measure-form [type=submit]")
        await expect(page.locator("#measures .measure")).to_contain_text("Номер не пускать: +7 916 123-45-67, сброс")
        await expect(page.locator("#measures-problem")).to_be_hidden()
    (kept,) = taken(stage)
    assert isinstance(kept, Block) and (kept.number, kept.treatment, kept.reason) == (
        "+79161234567",
        "reject",
        "молчит",
    )


async def test_who_asks_is_remembered_and_everything_fits_a_telephone(board: Opened, complaints: Complaints) -> None:
    async with board(Stage(), width=390, height=844) as page:
        await page.click("#measures-open")
        await take(page, "closure")
        await page.reload()
        await page.wait_for_selector("body[data-link=live]")
        await page.click("#measures-open")
        await expect(page.locator("#measure-form [data-asker]")).to_have_value("Ирина")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
