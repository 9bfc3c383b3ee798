"""What a caller of a line gets before anybody pays: prompts and music unanswered, busy, a refusal; and when he is answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ccserver.sim.phones import Call, PhoneLibrary
from ccserver.sim.phones.tones import Sound, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row, contact_centre, segments

pytestmark = pytest.mark.asyncio(loop_scope="session")

MENU, FREE, SHUT, NIGHT, RECORDED = "88003000001", "88003000002", "88003000003", "88003000004", "88003000005"
CONFIGURED = f"""
[[calendars]]
name = "never"
week = {{ mon-sun = "closed" }}

[[lines]]
number = "{MENU}"
name = "Меню"
flow = "thrifty"
language = "ru"
answer = "when_needed"
brand = "Норд"
source = "баннер"

[[lines]]
number = "{FREE}"
name = "Бесплатно"
flow = "free"
language = "ru"
answer = "operator"

[[lines]]
number = "{SHUT}"
name = "Закрыто"
flow = "free"
language = "ru"
calendar = "never"
closed = "busy"

[[lines]]
number = "{NIGHT}"
name = "Ночь"
flow = "free"
language = "ru"
answer = "when_needed"
calendar = "never"
closed = "night"
"""
FLOWS = {
    "thrifty": """
start = "greeting"
[steps.greeting]
do = "say"
prompts = ["nordlis-greeting"]
next = "menu"
[steps.menu]
do = "menu"
prompts = ["nordlis-menu"]
keys = { 1 = "busy" }
otherwise = "busy"
[steps.busy]
do = "hangup"
cause = "busy"
""",
    "free": """
start = "wait"
[steps.wait]
do = "queue"
queue = "orders"
announce = ["recording-notice"]
max_wait_s = 60
otherwise = "busy"
[steps.busy]
do = "hangup"
cause = "busy"
""",
    "night": """
start = "sorry"
[steps.sorry]
do = "hangup"
prompts = ["line-closed"]
cause = "reject"
""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lines(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Centre]:
    """A centre with lines that answer late, or not at all."""
    place = tmp_path_factory.mktemp("lines")
    async with contact_centre(place, library, prompts_dir, flows=FLOWS, more=CONFIGURED) as centre:
        yield centre


@pytest_asyncio.fixture(loop_scope="session")
async def centre(lines: Centre) -> AsyncIterator[Centre]:
    """The same, tidied up after each test."""
    yield lines
    await lines.tidy()


def answered(call: Call) -> bool:
    """The phone has seen a 200."""
    return call.answered_at is not None


async def only(centre: Centre) -> Row:
    (contact,) = await centre.finished()
    return contact


def prompt(centre: Centre, name: str) -> Sound:
    return read_wav(centre.asterisk.instance.prompts_dir / "ru" / f"{name}.wav")[0]


async def test_a_greeting_is_heard_as_early_media_and_the_menu_answers(centre: Centre) -> None:
    call = await centre.dial(MENU)
    assert await call.wait_ringing() == 183
    await call.hears_prompt(prompt(centre, "nordlis-greeting"), 15)
    assert not answered(call), "the greeting costs nobody anything"
    await call.wait_up(20)
    await call.hears_prompt(prompt(centre, "nordlis-menu"), 20)
    await call.hangup()
    contact = await only(centre)
    assert contact["answered_at"] > contact["arrived_at"]
    assert (contact["brand"], contact["source"]) == ("Норд", "баннер")
    listed = await centre.get("/api/contacts?source=баннер&brand=Норд")
    assert [row["id"] for row in listed["contacts"]] == [contact["id"]]
    assert (await centre.get("/api/contacts?source=радио"))["contacts"] == []


async def test_who_hangs_up_in_the_greeting_was_never_answered(centre: Centre) -> None:
    call = await centre.dial(MENU)
    await call.hears_prompt(prompt(centre, "nordlis-greeting").between(1.0, 2.5), 15)
    assert (await call.hangup()).code == 487
    contact = await only(centre)
    assert (contact["outcome"], contact["answered_at"]) == ("flow_abandoned", None)


async def test_music_is_heard_unanswered_until_the_operator_picks_up(centre: Centre, tmp_path: Path) -> None:
    call = await centre.dial(FREE, tone_hz=CALLER_HZ)
    assert await call.wait_ringing() == 183
    await call.hears_prompt(prompt(centre, "recording-notice"), 15)
    await call.hears_music(15)
    assert not answered(call)
    phone = await centre.operator("1001")
    ringing = await phone.wait_call(20)
    await ringing.wait_up()
    await call.wait_up()
    await call.hears(OPERATOR_HZ["1001"])
    await ringing.hears(CALLER_HZ)
    await ringing.hears_for(1)
    await call.hangup()
    (contact,) = await centre.finished(recorded=True)
    assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
    talk = contact["segments"][-1]
    assert abs(_seconds(contact["answered_at"]) - _seconds(talk["started_at"])) < 0.5
    assert contact["recording"], "what is recorded begins with the talk"


async def test_a_closed_line_is_busy_and_costs_nothing(centre: Centre) -> None:
    call = await centre.dial(SHUT)
    ended = await call.wait_gone()
    assert ended.code == 486 and not answered(call)
    contact = await only(centre)
    assert (contact["outcome"], contact["answered_at"]) == ("refused", None)
    assert contact["reason"] == "the line is closed: never"
    assert contact["segments"] == []


async def test_a_closed_line_may_say_so_unanswered_and_reject(centre: Centre) -> None:
    call = await centre.dial(NIGHT)
    await call.hears_prompt(prompt(centre, "line-closed"), 15)
    ended = await call.wait_gone()
    assert ended.code == 603 and not answered(call)
    assert (await only(centre))["outcome"] == "refused"


async def test_a_caller_who_waits_unanswered_outlives_the_daemon(centre: Centre) -> None:
    call = await centre.dial(FREE, tone_hz=CALLER_HZ)
    await call.hears_music(20)
    await centre.kill()
    await call.hears_music()
    await centre.start()
    phone = await centre.operator("1002")
    ringing = await phone.wait_call(20)
    await ringing.wait_up()
    await call.wait_up()
    await ringing.hears(CALLER_HZ)
    await call.hears(OPERATOR_HZ["1002"])
    await call.hangup()
    assert (await only(centre))["outcome"] == "answered"


def _seconds(at: str) -> float:
    minutes, seconds = at.rstrip("Z").split(":")[1:]
    return int(minutes) * 60 + float(seconds)
