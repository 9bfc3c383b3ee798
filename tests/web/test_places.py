"""Moving who waits, and letting him be served earlier, from the live page, in a real browser."""

from playwright.async_api import expect
from pytest import mark

from ccserver.core.events import MoveContact, SetPriority
from tests.api_stage import ORDERS, SERVICE, Stage
from tests.web.conftest import Complaints, Opened

pytestmark = mark.asyncio(loop_scope="session")

OPEN = "#contacts .row .place"


async def test_who_waits_is_moved_into_another_queue(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    contact = stage.arrive("+79161112233")
    stage.enqueue(contact)
    async with board(stage) as page:
        await page.click(OPEN)
        await expect(page.locator("#place-caller")).to_have_text("+7 916 111-22-33")
        await expect(page.locator("#place-queue")).to_have_value(ORDERS)
        await page.fill("#place-dialog [data-asker]", "Ирина")
        await page.select_option("#place-queue", SERVICE)
        await page.click("#place-move button")
        await expect(page.locator("#place-what")).to_have_text("Ждёт · Сервисный центр · № 1")
        await page.click("#place-close")
        await expect(page.locator("#contacts .row")).to_contain_text("Сервисный центр")
    assert [(one.contact, one.queue, one.by) for one in stage.asked if isinstance(one, MoveContact)] == [
        (contact, SERVICE, "Ирина")
    ]
    assert complaints == []


async def test_who_waits_is_served_as_if_he_had_waited_longer_and_no_more(
    board: Opened, complaints: Complaints
) -> None:
    stage = Stage()
    stage.enqueue(stage.arrive("+79161112233"))
    async with board(stage) as page:
        await page.click(OPEN)
        for credit in ("300", "0"):
            await page.click(f"#place-credits [data-credit='{credit}']")
            pressed = page.locator("#place-credits [aria-pressed=true]")
            await expect(pressed).to_have_attribute("data-credit", credit)
    assert [one.priority_s for one in stage.asked if isinstance(one, SetPriority)] == [300.0, 0.0]
    assert complaints == []


async def test_a_refusal_is_shown_and_who_waits_no_more_has_no_place_to_change(board: Opened) -> None:
    stage = Stage()
    contact = stage.arrive("+79161112233")
    async with board(stage) as page:
        await expect(page.locator("#contacts .row")).to_have_count(1)
        await expect(page.locator(OPEN)).to_be_hidden()
        stage.enqueue(contact)
        await page.click(OPEN)
        stage.refuse = "a phone is ringing for it"
        await page.click("#place-move button")
        await expect(page.locator("#place-problem")).to_have_text("Отказано: a phone is ringing for it")
        stage.answer(contact, "1001")
        await expect(page.locator("#place-gone")).to_be_visible()
        await expect(page.locator("#place-waits")).to_be_hidden()
