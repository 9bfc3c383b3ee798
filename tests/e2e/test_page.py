"""The live page in a real browser while a real call goes by."""

from playwright.async_api import Page, expect

from tests.e2e.centre import Centre


async def test_a_call_is_seen_going_by(site: Centre, page: Page) -> None:
    phone = await site.operator("1001", answer="ring")
    await page.goto(f"{site.url}/?token={site.asterisk.secrets.api_token}")
    await page.wait_for_selector("body[data-link=live]")
    caller = await site.dial(number="+79161112233")
    row = page.locator("#contacts .row", has_text="+7 916 111-22-33")
    await expect(row).to_contain_text("В меню")
    await caller.wait_up()
    await caller.send_dtmf("1")
    ringing = await phone.wait_call(20)
    await expect(row).to_contain_text("Звонит · Анна Соколова")
    await ringing.answer()
    await expect(row).to_contain_text("Говорит · Анна Соколова")
    await ringing.hears_for(1)
    await caller.hangup()
    await expect(row).to_have_count(0)
    ended = page.locator("#finished .row", has_text="+7 916 111-22-33")
    await expect(ended).to_contain_text("Отвечен · Анна Соколова")
    await expect(ended.locator(".listen")).to_be_visible()
