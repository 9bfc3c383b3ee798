"""Listening to talks and pausing their recordings from the live page, in a real browser."""

from msgspec.structs import replace
from playwright.async_api import expect
from pytest import mark

from ccserver.core.events import SteerRecording, SuperviseContact
from ccserver.core.ids import AgentId
from tests.api_stage import Stage
from tests.web.conftest import Complaints, Opened

pytestmark = mark.asyncio(loop_scope="session")

VERA = AgentId("1005")


def talking(*supervisors: str) -> Stage:
    stage = Stage()
    for extension in supervisors:
        agent = stage.agents[AgentId(extension)]
        stage.agents[agent.extension] = replace(agent, supervises=True, phone_registered=True)
    contact = stage.arrive("+79161112233")
    stage.enqueue(contact)
    stage.answer(contact, "1002")
    stage.move(contact, recording="on")
    return stage


async def test_a_supervisor_listens_and_goes_from_one_mode_to_another(board: Opened, complaints: Complaints) -> None:
    stage = talking(VERA)
    async with board(stage) as page:
        await page.click("button.agent[data-extension='1002']")
        await expect(page.locator("#talk-supervisor")).to_have_value(VERA)
        for mode, told in (("listen", "слушает"), ("whisper", "подсказывает"), ("barge", "говорит с обоими")):
            await page.click(f"#agent-talk [data-mode={mode}]")
            await expect(page.locator("#talk-heard")).to_contain_text(told)
            await expect(page.locator(f"#agent-talk [data-mode={mode}]")).to_have_attribute("aria-pressed", "true")
    asked = [(one.supervisor, one.mode) for one in stage.asked if isinstance(one, SuperviseContact)]
    assert asked == [(VERA, "listen"), (VERA, "whisper"), (VERA, "barge")]
    assert complaints == []


async def test_a_recording_is_paused_and_goes_on(board: Opened, complaints: Complaints) -> None:
    stage = talking()
    async with board(stage) as page:
        await page.click("button.agent[data-extension='1002']")
        await expect(page.locator("#talk-listening")).to_be_hidden()
        await expect(page.locator("#talk-recorded")).to_have_text("Разговор записывается.")
        await page.click("#talk-recording")
        await expect(page.locator("#talk-recorded")).to_have_text("Запись на паузе.")
        await page.click("#talk-recording")
        await expect(page.locator("#talk-recorded")).to_have_text("Разговор записывается.")
    assert [one.action for one in stage.asked if isinstance(one, SteerRecording)] == ["pause", "resume"]
    assert complaints == []


async def test_who_may_not_is_told_why_and_who_does_not_talk_cannot_be_heard(board: Opened) -> None:
    stage = talking(VERA)
    stage.refuse = "1005 does not supervise orders"
    async with board(stage) as page:
        await page.click("button.agent[data-extension='1002']")
        await page.click("#agent-talk [data-mode=listen]")
        await expect(page.locator("#agent-problem")).to_have_text("Отказано: 1005 does not supervise orders")
        await page.click("#agent-close")
        await page.click("button.agent[data-extension='1003']")
        await expect(page.locator("#agent-talk")).to_be_hidden()
