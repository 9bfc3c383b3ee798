"""Customers who are called back, on real phones: who hears whom, what is recorded, and what a crash leaves of it."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import OPERATOR_HZ, OTHER_LINE, Centre, Row, Status, contact_centre, segments
from tests.e2e.switch import SWITCH_HZ, Switch, Taken

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUSTOMER, E164 = "89161234567", "+79161234567"
OPERATOR_FIRST, CUSTOMER_FIRST = "1", "2"
PATIENCE_S = 20.0
FLOW = """
start = "choose"

[steps.choose]
do = "menu"
prompts = ["reason-4"]
keys = { 1 = "offer", 2 = "offer-first", 3 = "wait" }
otherwise = "wait"

[steps.offer-first]
do = "callback"
queue = "orders"
first = "customer"
prompts = ["reason-1"]
number_prompts = ["reason-2"]
next = "promised"
refused = "promised"
otherwise = "wait"

[steps.offer]
do = "callback"
queue = "orders"
prompts = ["reason-1"]
number_prompts = ["reason-2"]
next = "promised"
refused = "promised"
otherwise = "wait"

[steps.promised]
do = "hangup"
prompts = ["reason-3"]

[steps.wait]
do = "queue"
queue = "orders"
"""
"""Short prompts: only that they are said is of interest."""
MORE = """
[[trunks]]
name = "carrier"
title = "Carrier"
host = "{host}"
port = {port}
qualify_s = 1

[callbacks]
busy_retry_s = 2
"""


@dataclass
class Stage:
    """A centre whose other line asks at once whether the caller wants to be called back, and the carrier who reaches him then."""

    centre: Centre
    carrier: Switch

    async def promised(self, kind: str = OPERATOR_FIRST) -> Row:
        """A customer takes a callback and hangs up; the contact as it waits."""
        call = await self.centre.dial(OTHER_LINE, number=CUSTOMER)
        await call.wait_up(PATIENCE_S)
        await call.send_dtmf(kind + "1")
        await self.centre.contact("flow", step="promised")
        await call.hangup()
        return await self.centre.contact("waiting")

    async def operator_answers(self, phone: Phone) -> tuple[Call, Taken]:
        """He is told of the callback, and the customer's phone rings."""
        call = await phone.wait_call(PATIENCE_S)
        await call.wait_up(PATIENCE_S)
        call.say_tone(OPERATOR_HZ[phone.user])
        return call, await self.carrier.taken()


async def talk(site: Centre, operators: Call) -> None:
    """For a second at least: what is heard may be early media, and a moment's talk is not kept."""
    await operators.hears(SWITCH_HZ, PATIENCE_S)
    await site.contact("talking")
    await operators.hears_for(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole_stage(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Stage]:
    """One Asterisk and one daemon for all tests of this file."""
    directory = tmp_path_factory.mktemp("callbacks")
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Switch("127.0.0.51"))
        missed = "callback_missed = true\ncallback_missed_after_s = 0\ncallback_missed_wait_s = 0"
        made = contact_centre(
            directory,
            library,
            prompts_dir,
            flows={"velmira": FLOW},
            below={'name = "orders"': missed},
            more=MORE.format(host=carrier.host, port=carrier.port),
        )
        centre = await stack.enter_async_context(made)
        carrier.server = ("127.0.0.1", centre.asterisk.instance.sip_port)
        yield Stage(centre, carrier)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole_stage: Stage) -> AsyncIterator[Stage]:
    """The same, tidied up after each test."""
    whole_stage.carrier.begin_anew()

    def usable(status: Status) -> bool:
        return all(trunk["usable"] for trunk in status["trunks"])

    await whole_stage.centre.until(usable)
    yield whole_stage
    await whole_stage.centre.tidy()


async def test_who_takes_a_callback_is_called_by_the_operator_and_their_talk_is_recorded(
    stage: Stage, tmp_path: Path
) -> None:
    site = stage.centre
    waiting = await stage.promised()
    stage.carrier.does = "ring"
    call, taken = await stage.operator_answers(await site.operator("1001"))
    assert taken.number == E164
    await site.contact("dialling", id=waiting["id"], agent="1001")
    taken.does("answer")
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await site.contact("talking", id=waiting["id"])
    await call.hears_for(1)
    taken.hang_up()
    await call.wait_gone(PATIENCE_S)

    (contact,) = await site.finished(recorded=True)
    assert (contact["id"], contact["outcome"], contact["agent"]) == (waiting["id"], "answered", "1001")
    assert segments(contact) == [
        ("flow", "queued"),
        ("queue", "callback_taken"),
        ("flow", "completed"),
        ("callback", "dialled"),
        ("dial", "answered"),
        ("talk", "customer_left"),
    ]
    left, right = read_wav(await site.recording(contact, tmp_path / "talk.wav"))
    assert carries(left, SWITCH_HZ) and not carries(left, OPERATOR_HZ["1001"])
    assert carries(right, OPERATOR_HZ["1001"]) and not carries(right, SWITCH_HZ)
    await site.agent("1001", "ready")


async def test_a_customer_who_was_called_back_is_handed_to_a_colleague(stage: Stage) -> None:
    site = stage.centre
    waiting = await stage.promised()
    call, taken = await stage.operator_answers(await site.operator("1001"))
    await talk(site, call)
    colleague = await site.operator("1002")
    url = f"{site.url}/api/contacts/{waiting['id']}/transfer"
    async with site.http.post(url, json={"to": "1002"}) as response:
        assert response.status == 200, await response.text()
    await call.wait_gone()
    second = await colleague.wait_call(PATIENCE_S)
    await second.wait_up()
    await second.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1002"])
    await second.hangup()
    await taken.ended()
    (contact,) = await site.finished()
    assert segments(contact)[-3:] == [("talk", "transferred"), ("queue", "answered"), ("talk", "agent_left")]


async def test_a_busy_customer_is_tried_again(stage: Stage) -> None:
    site = stage.centre
    stage.carrier.does = 486
    await stage.promised()
    phone = await site.operator("1001")
    first = await phone.wait_call(PATIENCE_S)
    await first.wait_gone(PATIENCE_S)
    stage.carrier.begin_anew()
    call, taken = await stage.operator_answers(phone)
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await call.hangup()
    (contact,) = await site.finished(recorded=True)
    assert [(attempt["trunk"], attempt["outcome"]) for attempt in contact["attempts"]] == [
        ("carrier", "busy"),
        ("carrier", "answered"),
    ]
    assert contact["outcome"] == "answered"


async def test_a_daemon_killed_while_a_callback_waits_calls_back_when_it_is_there_again(stage: Stage) -> None:
    site = stage.centre
    waiting = await stage.promised()
    await site.kill()
    await site.start()
    await site.contact("waiting", id=waiting["id"])
    call, taken = await stage.operator_answers(await site.operator("1001"))
    await talk(site, call)
    taken.hang_up()
    (contact,) = await site.finished(recorded=True)
    assert contact["outcome"] == "answered"


async def test_a_daemon_killed_while_the_customers_phone_rings_takes_nobody_from_anybody(
    stage: Stage, tmp_path: Path
) -> None:
    site = stage.centre
    await stage.promised()
    stage.carrier.does = "ring"
    call, taken = await stage.operator_answers(await site.operator("1001"))
    await site.contact("dialling")
    await site.kill()
    taken.does("answer")
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await site.start()
    await site.contact("talking", agent="1001")
    await call.hears_for(1)
    await call.hangup()
    await taken.ended()
    (contact,) = await site.finished(recorded=True)
    assert segments(contact)[-2:] == [("dial", "answered"), ("talk", "agent_left")]
    left, right = read_wav(await site.recording(contact, tmp_path / "talk.wav"))
    assert carries(left, SWITCH_HZ) and carries(right, OPERATOR_HZ["1001"])


async def test_a_customer_who_is_called_first_is_offered_as_soon_as_he_answers(stage: Stage, tmp_path: Path) -> None:
    site = stage.centre
    await stage.promised(CUSTOMER_FIRST)
    stage.carrier.does = "ring"
    phone = await site.operator("1001")
    taken = await stage.carrier.taken()
    assert not phone.incoming, "the customer is called first"
    taken.does("answer")
    call = await phone.wait_call(PATIENCE_S)
    await call.wait_up(PATIENCE_S)
    call.say_tone(OPERATOR_HZ["1001"])
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await call.hears_for(1)
    await call.hangup()
    await taken.ended()
    (contact,) = await site.finished(recorded=True)
    assert segments(contact)[-4:] == [
        ("callback", "dialled"),
        ("dial", "answered"),
        ("queue", "answered"),
        ("talk", "agent_left"),
    ]
    left, right = read_wav(await site.recording(contact, tmp_path / "talk.wav"))
    assert carries(left, SWITCH_HZ) and carries(right, OPERATOR_HZ["1001"])


async def test_what_a_web_form_asks_for_becomes_a_talk(stage: Stage) -> None:
    site = stage.centre
    wish = {"number": "8 916 123-45-67", "queue": "orders", "name": "Анна"}
    async with site.http.post(f"{site.url}/api/callbacks", json=wish) as answer:
        assert answer.status == 201, await answer.text()
        asked = await answer.json()
    (owed,) = (await site.get("/api/callbacks"))["callbacks"]
    assert (owed["id"], owed["number"], owed["state"]) == (asked["id"], E164, "waiting")
    call, taken = await stage.operator_answers(await site.operator("1001"))
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await call.hangup()
    (contact,) = await site.finished(recorded=True)
    assert (contact["outcome"], contact["callback"], contact["callback_tries"]) == ("answered", "form", 0)
    assert contact["callback_answered_at"] is not None
    assert not (await site.get("/api/callbacks"))["callbacks"]


async def test_a_request_that_the_fallback_spooled_is_read_at_the_next_start_and_served(stage: Stage) -> None:
    site = stage.centre
    await site.kill()
    spooled = site.asterisk.instance.callbacks_dir / "1796050873-1.json"
    told = {"ani": CUSTOMER, "dnis": OTHER_LINE, "number": CUSTOMER, "at": time.time(), "language": "ru"}
    spooled.write_text(json.dumps(told), encoding="utf-8")
    await site.start()
    await site.contact("waiting", absent=True, ani=E164)
    assert not spooled.exists()
    call, taken = await stage.operator_answers(await site.operator("1001"))
    await talk(site, call)
    taken.hang_up()
    (contact,) = await site.finished(recorded=True)
    assert (contact["outcome"], contact["callback"]) == ("answered", "fallback")


async def test_who_gave_up_waiting_is_called_back(stage: Stage) -> None:
    site = stage.centre
    call = await site.dial(OTHER_LINE, number=CUSTOMER)
    await call.wait_up(PATIENCE_S)
    await call.send_dtmf("3")
    await site.contact("waiting", absent=False)
    await call.hangup()
    await site.contact("waiting", absent=True)
    call, taken = await stage.operator_answers(await site.operator("1001"))
    await talk(site, call)
    taken.hang_up()
    (contact,) = await site.finished(recorded=True)
    assert (contact["outcome"], contact["callback"]) == ("answered", "missed")
    assert segments(contact)[1:4] == [("queue", "abandoned"), ("callback", "dialled"), ("dial", "answered")]
