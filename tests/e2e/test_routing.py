"""Rules of routing, as callers and operators hear them: ways out of a queue, help from another one, who is asked first."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.centre import OPERATOR_HZ, Centre, Row, contact_centre
from tests.e2e.hearing import Hearing

EXITS_LINE = "88001002031"
FLOW = """
start = "wait"

[steps.wait]
do = "queue"
queue = "service"
announce = ["reason-1"]
keys = { 1 = "left" }
max_waiting = 1
full = "full"
nobody = "nobody"

[steps.left]
do = "hangup"
prompts = ["reason-2"]

[steps.full]
do = "hangup"
prompts = ["reason-3"]

[steps.nobody]
do = "hangup"
prompts = ["reason-4"]
"""
LINE = f"""
[[lines]]
number = "{EXITS_LINE}"
name = "Exits"
flow = "exits"
language = "ru"
"""

HELPED_LINE = "88001002032"
HELPED_FLOW = """
start = "wait"

[steps.wait]
do = "queue"
queue = "helped"
announce = ["reason-1"]
"""
HELPED = f"""
[[lines]]
number = "{HELPED_LINE}"
name = "Helped"
flow = "helped"
language = "ru"

[[queues]]
name = "helped"
title = "Helped"
sticky_days = 1
wrap_up_s = 0

[[queues.relax]]
after_s = 3
queues = ["service"]
"""
"""Nobody is in this queue: after three seconds the operators of another one help out."""
NUMBER = "89161234567"


@pytest.fixture
async def exits(tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A centre with a line that leads straight into a queue with every way out."""
    flows = {"exits": FLOW, "helped": HELPED_FLOW}
    async with contact_centre(tmp_path, library, prompts_dir, flows=flows, more=LINE + HELPED) as centre:
        yield centre


def left(contact: Row) -> tuple[str, str]:
    """How the contact's queue ended, and more of it."""
    (queue,) = (segment for segment in contact["segments"] if segment["kind"] == "queue")
    return queue["outcome"], queue["reason"]


async def test_who_cannot_or_does_not_want_to_wait_hears_the_step_that_he_is_led_to(exits: Centre) -> None:
    vain = await exits.dial(EXITS_LINE)
    await vain.wait_up()
    await Hearing(exits, vain).hears("reason-4")
    await vain.wait_gone()
    assert left((await exits.finished())[0]) == ("overflowed", "nobody")

    phone = await exits.phone("1001", answer="ring")
    await exits.set_state("1001", "not_ready")
    first = await exits.dial(EXITS_LINE)
    await first.wait_up()
    await Hearing(exits, first).hears("reason-1")
    second = await exits.dial(EXITS_LINE)
    await second.wait_up()
    await Hearing(exits, second).hears("reason-3")
    await second.wait_gone()
    await first.hears_music()
    await first.send_dtmf("7")
    await first.send_dtmf("1")
    await Hearing(exits, first).hears("reason-2")
    await first.wait_gone()
    contacts = await exits.finished(3)
    assert [left(contact) for contact in contacts[1:]] == [("left_by_key", "1"), ("overflowed", "full")]
    assert [contact["outcome"] for contact in contacts[1:]] == ["left_by_key", "overflowed"]

    await exits.set_state("1001", "ready")
    third = await exits.dial(EXITS_LINE)
    ringing = await phone.wait_call(20)
    await third.wait_up()
    await exits.agent("1001", "ringing")
    await third.send_dtmf("1")
    await Hearing(exits, third).hears("reason-2")
    await ringing.wait_gone()
    await exits.agent("1001", "ready")
    await third.wait_gone()
    (*_, contact) = await exits.finished(4)
    assert left(contact) == ("left_by_key", "1")
    assert [offer["outcome"] for offer in contact["offers"]] == ["withdrawn"]
    await exits.nothing_left()


async def test_help_comes_after_a_while_then_who_is_known_is_asked_first_and_a_supervisor_may_put_somebody_forward(
    exits: Centre,
) -> None:
    await exits.operator("1001")
    first = await exits.dial(HELPED_LINE, number=NUMBER)
    await first.wait_up()
    await Hearing(exits, first).hears("reason-1")
    await first.hears(OPERATOR_HZ["1001"])
    await first.hangup()
    await exits.agent("1001", "ready")
    (contact,) = await exits.finished()
    (offer,) = contact["offers"]
    assert contact["wait_s"] >= 3.0
    assert offer["why"].endswith("after 3 s operators of service, too")

    await exits.operator("1002")
    again = await exits.dial(HELPED_LINE, number=NUMBER)
    await again.hears(OPERATOR_HZ["1001"])
    await again.hangup()
    await exits.agent("1001", "ready")
    (*_, contact) = await exits.finished(2)
    (offer,) = contact["offers"]
    assert (offer["agent"], offer["why"]) == ("1001", "asked for by name; talked with the customer last")

    for agent in ("1001", "1002"):
        await exits.set_state(agent, "not_ready")
    older = await exits.dial(HELPED_LINE)
    await older.hears_music()
    younger = await exits.dial(HELPED_LINE)
    await younger.hears_music()
    second = await exits.contact("waiting", position=2)
    wish = {"priority_s": 600, "by": "irina"}
    async with exits.http.post(f"{exits.url}/api/contacts/{second['id']}/priority", json=wish) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["position"] == 1
    await younger.hears_for(4)  # until then nobody may take him, and the older one would be first
    await exits.set_state("1001", "ready")
    await younger.hears(OPERATOR_HZ["1001"])
    move = {"queue": "orders", "by": "irina"}
    async with exits.http.post(f"{exits.url}/api/contacts/{second['id']}/move", json=move) as response:
        assert response.status == 409, "he talks"
    await younger.hangup()
    await older.hears(OPERATOR_HZ["1001"])
    await older.hangup()
    contacts = await exits.finished(4)
    assert left(contacts[3]) == ("answered", "raised by 600 s, irina")
    await exits.nothing_left()
