"""Listening to a recording on the page."""

from playwright.async_api import expect
from pytest import mark

from tests.api_stage import Stage
from tests.web.conftest import Complaints, Opened

pytestmark = mark.asyncio(loop_scope="session")


# Promises and not wait_for_function, which the page's content security policy forbids.
HEARD = "audio => new Promise(done => audio.addEventListener('timeupdate', () => audio.currentTime > 0.05 && done()))"
ENDED = "audio => audio.ended || new Promise(done => audio.addEventListener('ended', done, { once: true }))"


def with_a_talk() -> Stage:
    stage = Stage()
    contact = stage.arrive("+79161112233", ago_s=30)
    stage.enqueue(contact)
    stage.answer(contact, "1001", ago_s=10)
    stage.end(contact)
    return stage


async def test_it_plays_and_the_listener_can_jump_about(board: Opened, complaints: Complaints) -> None:
    stage = with_a_talk()
    async with board(stage) as page:
        await page.click(".listen")
        await expect(page.locator("#player-title")).to_contain_text("+7 916 111-22-33 · Анна Соколова")
        await page.eval_on_selector("audio", HEARD)
        assert abs(await page.eval_on_selector("audio", "audio => audio.duration") - 3.0) < 0.01
        await page.eval_on_selector("audio", "audio => { audio.currentTime = 2.5 }")
        await page.eval_on_selector("audio", ENDED)
        await page.click("#player-close")
        await expect(page.locator("#player")).to_be_hidden()
        await expect(page.locator(".listen")).to_be_focused()
    assert len(stage.sounds.written) == 1
    assert complaints == []


async def test_what_cannot_be_heard_is_explained_by_the_server(board: Opened) -> None:
    stage = with_a_talk()
    async with board(stage) as page:
        await expect(page.locator(".listen")).to_be_visible()
        (contact,) = stage.archive.kept
        del stage.archive.kept[contact]
        await page.click(".listen")
        await expect(page.locator("#player-problem")).to_contain_text("there is no contact")
