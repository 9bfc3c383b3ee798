"""The live page in a real browser: what a supervisor sees and can do."""

import re

from playwright.async_api import Page, expect
from pytest import mark

from ccserver.api.sources import Alarm
from ccserver.core.agent import AgentState
from ccserver.core.contact import ContactOutcome
from ccserver.core.events import SetAgentState
from ccserver.core.ids import LineNumber, TrunkName
from ccserver.core.status import TrunkStatus
from tests.api_stage import SERVICE, Stage
from tests.web.conftest import Complaints, Opened

pytestmark = mark.asyncio(loop_scope="session")


LOADED = (
    "audio => audio.duration || new Promise(done => audio.addEventListener('loadedmetadata', done, { once: true }))"
)


def tile(page: Page, extension: str) -> str:
    return f"button.agent[data-extension='{extension}']"


async def test_every_state_of_an_operator_has_its_word_and_its_colour(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    words = {
        "ready": "Готов",
        "reserved": "Вызываем",
        "ringing": "Звонит",
        "dialling": "Дозванивается",
        "talking": "Говорит",
        "wrap_up": "Обработка",
        "not_ready": "Не готов · обед",
        "busy": "Свой разговор",
        "unreachable": "Нет связи",
    }
    extensions = dict(zip(words, stage.agents, strict=False))
    for state, extension in extensions.items():
        stage.set_agent(extension, AgentState(state), "lunch" if state == "not_ready" else "")
    async with board(stage) as page:
        for state, extension in extensions.items():
            await expect(page.locator(f"{tile(page, extension)} .agent-what")).to_have_text(words[state])
            shown = "ringing" if state == "reserved" else state
            await expect(page.locator(tile(page, extension))).to_have_attribute("data-state", shown)
        assert await page.locator("#agents-in .agent").count() == 9
        assert await page.locator("#agents-out .agent").count() == 1
        colours = await page.eval_on_selector_all(
            "#agents-in .agent > .i", "icons => icons.map(icon => getComputedStyle(icon).color)"
        )
        assert len(set(colours)) == 8, "reserved and ringing share one, all others differ"
    assert complaints == []


async def test_a_call_that_an_operator_makes_is_watched_going_by(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    stage.trunks.append(trunk("mtt", "МТТ", outbound=1))
    async with board(stage) as page:
        contact = stage.dial("1003", "+79161112233", TrunkName("mtt"))
        row = page.locator("#contacts .row")
        await expect(row).to_contain_text("+7 916 111-22-33")
        await expect(row).to_contain_text("Дозвон · Екатерина Морозова · исходящий · МТТ")
        await expect(row).to_have_attribute("data-direction", "outbound")
        await expect(page.locator(f"{tile(page, '1003')} .agent-what")).to_have_text("Дозванивается")
        await expect(page.locator(f"{tile(page, '1003')} .agent-with")).to_have_text("+7 916 111-22-33")
        await expect(page.locator("#lines .line-count.dialling b").first).to_have_text("1")
        stage.answer(contact, "1003")
        await expect(row).to_contain_text("Говорит · Екатерина Морозова · исходящий · МТТ")
        stage.end(contact)
        other = stage.dial("1004", "+78091234567", None)
        stage.fail(other, ContactOutcome.BLOCKED, "+78091234567 begins with +7809, which tolls.deny names")
        ended = page.locator("#finished .row")
        await expect(ended).to_have_count(2)
        await expect(ended.first).to_contain_text("Звонок не разрешён · Иван Лебедев · исходящий")
        await expect(ended.first.locator(".row-what")).to_have_attribute("title", re.compile("tolls.deny"))
        await expect(ended.last).to_contain_text("дозвон 0:06")
    assert complaints == []


async def test_a_call_is_watched_going_by(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    stage.set_agent("1003", AgentState.READY)
    async with board(stage) as page:
        await expect(page.locator("#contacts-empty")).to_contain_text("770")
        contact = stage.arrive("+79161112233")
        row = page.locator("#contacts .row")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("+7 916 111-22-33")
        await expect(row).to_contain_text("В меню · main")
        await expect(row).to_contain_text("Нордлис")
        stage.enqueue(contact, SERVICE)
        await expect(row).to_contain_text("Ждёт · Сервисный центр · № 1")
        await expect(page.locator("#queues .queue").nth(1).locator(".waiting")).to_have_text("1")
        await expect(page).to_have_title("(1) Контакт-центр")
        stage.offer(contact, "1003")
        await expect(row).to_contain_text("Звонит · Екатерина Морозова")
        await expect(page.locator(f"{tile(page, '1003')} .agent-what")).to_have_text("Звонит")
        stage.answer(contact, "1003")
        await expect(row).to_contain_text("Говорит · Екатерина Морозова")
        await expect(page.locator(f"{tile(page, '1003')} .agent-with")).to_have_text("+7 916 111-22-33")
        await expect(page.locator(".figure.talking .figure-value")).to_have_text("1")
        stage.end(contact)
        await expect(row).to_have_count(0)
        ended = page.locator("#finished .row")
        await expect(ended).to_have_count(1)
        await expect(ended).to_contain_text("Отвечен · Екатерина Морозова · Сервисный центр")
        await expect(ended.locator(".listen")).to_be_visible()
        await expect(page).to_have_title("Контакт-центр")
    assert complaints == []


async def test_timers_run_between_pictures_and_by_the_servers_clock(board: Opened) -> None:
    stage = Stage()
    stage.set_agent("1001", AgentState.TALKING, since=stage.now() - 3725)
    async with board(stage) as page:
        timer = page.locator(f"{tile(page, '1001')} .agent-timer")
        first = await timer.text_content()
        assert first is not None
        assert first.startswith("1:02:0")
        await expect(timer).not_to_have_text(first)


async def test_the_longest_wait_is_on_top_and_grows_red(board: Opened) -> None:
    stage = Stage()
    stage.arrive("+79160000001")
    for ani, ago_s in (("+79160000002", 5), ("+79160000003", 90), ("+79160000004", 30)):
        contact = stage.arrive(ani, ago_s=ago_s + 10)
        stage.enqueue(contact, ago_s=ago_s)
    async with board(stage) as page:
        rows = page.locator("#contacts .row")
        numbers = [text.strip() for text in await rows.locator(".row-caller").all_text_contents()]
        assert [number[-2:] for number in numbers] == ["03", "04", "02", "01"]
        assert [await rows.nth(n).get_attribute("data-late") for n in range(4)] == ["very", "some", None, None]


async def test_an_empty_centre_says_what_to_do_next(board: Opened, complaints: Complaints) -> None:
    async with board(Stage()) as page:
        await expect(page.locator("#agents-empty")).to_contain_text("*11")
        await expect(page.locator("#contacts-empty")).to_contain_text("Позвоните на 8\u00a0800\u00a0770")
        await expect(page.locator("#finished-empty")).to_be_visible()
        await expect(page.locator("#queues .queue").first).to_contain_text("никто не вошёл")
    stage = Stage(agents=0)
    stage.lines, stage.queues = {}, {}
    async with board(stage) as page:
        for place in ("agents", "queues", "lines"):
            await expect(page.locator(f"#{place}-empty")).to_contain_text("ccserver.toml")
    assert complaints == []


async def test_a_lost_asterisk_and_alarms_are_told_plainly_and_go_away(board: Opened) -> None:
    stage = Stage()
    async with board(stage) as page:
        await expect(page.locator("#asterisk")).to_have_text("Asterisk на связи")
        stage.link(connected=False)
        stage.alarms.append(Alarm(name="disk", message="the disk is 97 % full", since=stage.now()))
        await expect(page.locator("#asterisk")).to_have_text("Нет связи с Asterisk")
        await expect(page.locator("#alarms")).to_contain_text("разговоры продолжаются")
        await expect(page.locator("#alarms")).to_contain_text("the disk is 97 % full")
        stage.alarms.clear()
        stage.link(connected=True)
        await expect(page.locator("#alarms li")).to_have_count(0)
        await expect(page.locator("#asterisk")).to_have_text("Asterisk на связи")


async def test_a_supervisor_makes_an_operator_ready_and_not_ready(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    async with board(stage) as page:
        await page.click(tile(page, "1002"))
        await expect(page.locator("#agent-dialog")).to_be_visible()
        await expect(page.locator("#agent-name")).to_have_text("Дмитрий Кузнецов")
        await page.click("#agent-dialog [data-wish=ready]")
        await expect(page.locator("#agent-dialog")).to_be_hidden()
        await expect(page.locator(tile(page, "1002"))).to_have_attribute("data-state", "ready")
        await page.click(tile(page, "1002"))
        await page.click("#agent-dialog [data-reason=lunch]")
        await expect(page.locator(f"{tile(page, '1002')} .agent-what")).to_have_text("Не готов · обед (супервизор)")
        await page.click(tile(page, "1002"))
        await page.fill("#agent-reason", "Планёрка")
        await page.press("#agent-reason", "Enter")
        await expect(page.locator(f"{tile(page, '1002')} .agent-what")).to_have_text("Не готов · Планёрка (супервизор)")
        await page.click(tile(page, "1002"))
        await page.click("#agent-dialog [data-wish=logged_out]")
        await expect(page.locator(f"#agents-out {tile(page, '1002')}")).to_be_visible()
    asked = [(one.state, one.reason) for one in stage.asked if isinstance(one, SetAgentState)]
    assert asked == [("ready", ""), ("not_ready", "lunch"), ("not_ready", "Планёрка"), ("logged_out", "")]
    assert complaints == []


async def test_a_refusal_is_shown_where_the_supervisor_looks(board: Opened) -> None:
    stage = Stage()
    stage.refuse = "the operator left the plan"
    async with board(stage) as page:
        await page.click(tile(page, "1002"))
        await page.click("#agent-dialog [data-wish=ready]")
        await expect(page.locator("#agent-problem")).to_have_text("Отказано: the operator left the plan")
        await expect(page.locator("#agent-dialog [data-wish=ready]")).to_be_enabled()
        stage.refuse = None
        await page.click("#agent-dialog [data-wish=ready]")
        await expect(page.locator("#agent-dialog")).to_be_hidden()


async def test_an_open_dialog_follows_the_operator(board: Opened) -> None:
    stage = Stage()
    stage.set_agent("1002", AgentState.READY)
    async with board(stage) as page:
        await page.click(tile(page, "1002"))
        await expect(page.locator("#agent-state")).to_contain_text("Готов")
        contact = stage.arrive("+79161112233")
        stage.enqueue(contact)
        stage.answer(contact, "1002")
        await expect(page.locator("#agent-state")).to_contain_text("Говорит")
        await expect(page.locator("#agent-facts")).to_contain_text("+7 916 111-22-33")
        await expect(page.locator("#agent-note")).to_contain_text("наступит после него")


async def test_all_works_by_keyboard_and_focus_comes_back(board: Opened) -> None:
    stage = Stage()
    async with board(stage) as page:
        await page.focus(tile(page, "1004"))
        stage.set_agent("1009", AgentState.READY)
        await expect(page.locator(tile(page, "1009"))).to_have_attribute("data-state", "ready")
        await expect(page.locator(tile(page, "1004"))).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#agent-dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#agent-dialog")).to_be_hidden()
        await expect(page.locator(tile(page, "1004"))).to_be_focused()


async def test_a_state_in_the_legend_shows_only_those_in_it(board: Opened) -> None:
    stage = Stage()
    for n, extension in enumerate(stage.agents):
        stage.set_agent(extension, AgentState.READY if n < 3 else AgentState.NOT_READY)
    async with board(stage) as page:
        ready = page.locator(".legend-count[data-state=ready]")
        await expect(ready).to_have_text("Готовы3")
        await ready.click()
        await expect(page.locator("#agents-in .agent")).to_have_count(3)
        await expect(ready).to_have_attribute("aria-pressed", "true")
        await ready.click()
        await expect(page.locator("#agents-in .agent")).to_have_count(10)


def trunk(name: str, title: str, *, reason: str = "", **fields: int) -> TrunkStatus:
    numbers = {"inbound": 0, "outbound": 0, "channels": 30, "refused": 0, "misdialled": 0} | fields
    return TrunkStatus(name=TrunkName(name), title=title, usable=not reason, reason=reason, since=0.0, **numbers)


async def test_trunks_show_their_calls_and_what_is_wrong_with_them(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    async with board(stage) as page:
        await expect(page.locator("#trunks-card")).to_be_hidden()
        refused = "is not registered: answered 403, user, password or our address is refused"
        stage.trunks = [
            trunk("north", "Северный Телеком", inbound=7, outbound=2),
            trunk("south", "Южный Телеком", reason=refused, refused=12, misdialled=3),
        ]
        stage.changed()
        north, south = page.locator(".trunk").nth(0), page.locator(".trunk").nth(1)
        await expect(north).to_contain_text("Северный Телеком")
        await expect(north).to_contain_text("в работе")
        await expect(north.locator("b")).to_have_text("9")
        await expect(south).to_contain_text(refused)
        await expect(south).to_contain_text("отказано, все каналы заняты: 12 · на чужие номера: 3")
        await expect(south).to_have_attribute("data-usable", "no")
        await page.click("#language")
        await expect(north).to_contain_text("in use")
    assert complaints == []


async def test_names_and_numbers_from_outside_are_never_markup(board: Opened, complaints: Complaints) -> None:
    stage = Stage()
    hostile = "<img src=x onerror=alert(1)>"
    stage.lines[LineNumber("88007707999")] = hostile
    stage.set_agent("1001", AgentState.NOT_READY, hostile)
    stage.end(stage.arrive(hostile))
    stage.arrive(hostile)
    stage.alarms.append(Alarm(name="x", message=hostile, since=0.0))
    async with board(stage) as page:
        await expect(page.locator("#contacts .row-caller")).to_have_text(hostile)
        await expect(page.locator("#finished .row-caller")).to_have_text(hostile)
        assert await page.locator("img").count() == 1, "our own mark"
    assert complaints == []


async def test_callers_numbers_are_never_in_an_address(board: Opened) -> None:
    stage = Stage()
    urls: list[str] = []
    async with board(stage) as page:
        page.on("request", lambda request: urls.append(request.url))
        contact = stage.arrive("+79161112233")
        stage.enqueue(contact)
        stage.answer(contact, "1001")
        stage.end(contact)
        await page.click(".listen")
        await page.eval_on_selector("audio", LOADED)
    assert any("/recording" in url for url in urls)
    assert not any("9161112233" in url or "token" in url for url in urls)
