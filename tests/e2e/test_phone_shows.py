"""What an operator's phone shows, how it is asked to pick up, and what is whispered to him before he hears the caller."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ccserver.sim.phones import PhoneLibrary
from ccserver.sim.phones.tones import Sound, carries, find, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments

pytestmark = pytest.mark.asyncio(loop_scope="session")

AROUND_S = 0.3
"""Around the whisper, by the clocks of two phones on a busy machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def equipped(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Centre]:
    """A centre that whispers in one queue, and an operator whose phone picks up by itself."""
    place = tmp_path_factory.mktemp("equipped")
    below = {'extension = "1002"': "auto_answer = true", 'name = "service"': 'whisper = ["recording-notice"]'}
    async with contact_centre(place, library, prompts_dir, below=below) as centre:
        yield centre


@pytest_asyncio.fixture(loop_scope="session")
async def centre(equipped: Centre) -> AsyncIterator[Centre]:
    """The same, tidied up after each test."""
    yield equipped
    await equipped.tidy()


async def test_the_phone_shows_brand_and_queue_and_the_callers_number(centre: Centre) -> None:
    phone = await centre.operator("1001")
    call = await centre.dial(number="89161234567")
    await call.wait_up()
    await call.send_dtmf("1")
    ringing = await phone.wait_call(20)
    shown = ringing.header("From") or ""
    assert '"Нордлис · Заказы"' in shown and "sip:+79161234567@" in shown
    assert ringing.header("Call-Info") is None and ringing.header("Alert-Info") is None
    await ringing.wait_up()
    await call.hangup()
    await centre.finished()


async def test_a_name_that_a_caller_chose_is_not_shown(centre: Centre) -> None:
    phone = await centre.operator("1001")
    call = await centre.dial(number='"><script>')
    await call.wait_up()
    await call.send_dtmf("1")
    ringing = await phone.wait_call(20)
    assert '"Нордлис · Заказы"' in (ringing.header("From") or "") and "script" not in ringing.invite
    await call.hangup()
    await centre.finished()


async def test_a_phone_that_is_to_pick_up_by_itself_is_told_so(centre: Centre) -> None:
    phone = await centre.operator("1002")
    call = await centre.waiting("1")
    ringing = await phone.wait_call(20)
    assert "answer-after=0" in (ringing.header("Call-Info") or "")
    assert "info=alert-autoanswer" in (ringing.header("Alert-Info") or "")
    await ringing.wait_up()
    await call.hears(OPERATOR_HZ["1002"])
    await call.hangup()
    await centre.finished()


async def test_a_whisper_is_heard_by_the_operator_alone_and_then_they_talk(centre: Centre) -> None:
    phone = await centre.operator("1001")
    call = await centre.waiting("2")
    ringing = await phone.wait_call(20)
    await ringing.wait_up()
    whisper = whispered(centre)
    await ringing.hears_prompt(whisper, 15)
    await call.hears(OPERATOR_HZ["1001"], 20)
    await ringing.hears(CALLER_HZ)
    operators, callers = ringing.heard(), call.heard()
    began_s = operators.began_at + find(whisper, operators).offset_s - callers.began_at
    meanwhile = callers.between(began_s + AROUND_S, began_s + whisper.duration_s - AROUND_S)
    assert meanwhile.duration_s > 0.5
    assert not carries(meanwhile, OPERATOR_HZ["1001"]), "the caller hears music, not the operator"
    await call.hangup()
    contact = (await centre.finished())[0]
    assert segments(contact)[-2:] == [("queue", "answered"), ("talk", "caller_left")]
    assert contact["wait_s"] > whisper.duration_s - 1, "the whisper is wait, and no talk"


async def test_who_is_whispered_to_when_the_daemon_dies_is_joined_all_the_same(centre: Centre) -> None:
    phone = await centre.operator("1001")
    call = await centre.waiting("2")
    ringing = await phone.wait_call(20)
    await ringing.hears_prompt(whispered(centre).between(0.0, 1.0), 15)
    await centre.kill()
    await call.hears(OPERATOR_HZ["1001"], 20, min_share=0.05)  # under the music, which nobody stops
    await centre.start()
    await ringing.hears(CALLER_HZ)
    await call.hears(OPERATOR_HZ["1001"])
    await call.hangup()
    contact = (await centre.finished())[0]
    assert [offer["outcome"] for offer in contact["offers"]] == ["accepted"]


async def test_a_daemon_that_is_back_while_it_is_said_lets_them_talk(centre: Centre) -> None:
    phone = await centre.operator("1001")
    call = await centre.waiting("2")
    ringing = await phone.wait_call(20)
    await ringing.hears_prompt(whispered(centre).between(0.0, 1.0), 15)
    await centre.kill()
    await centre.start()
    await centre.contact("talking", queue="service")
    await call.hears(OPERATOR_HZ["1001"])
    await ringing.hears(CALLER_HZ)
    await call.hangup()
    contact = (await centre.finished())[0]
    assert contact["outcome"] == "answered" and [offer["outcome"] for offer in contact["offers"]] == ["accepted"]


def whispered(centre: Centre) -> Sound:
    return read_wav(centre.asterisk.instance.prompts_dir / "ru" / "recording-notice.wav")[0]
