"""Calls that operators make: real phones, a real Asterisk, and a carrier's switches at the other end."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import LINE, OPERATOR_HZ, OTHER_LINE, Centre, Row, Status, contact_centre, segments
from tests.e2e.hearing import Hearing
from tests.e2e.switch import SWITCH_HZ, Does, Switch

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRASHING = str(Path(__file__).with_name("crashing_daemon.py"))
CUSTOMER = "89161234567"
E164 = "+79161234567"
RINGING_HZ = 425
PATIENCE_S = 20.0


@dataclass
class Network:
    """A centre with two trunks, and the switches at their other ends."""

    centre: Centre
    first: Switch
    """Tried first; one channel."""
    second: Switch
    """Wants numbers as they are dialled at home."""

    def attempts(self, contact: Row) -> list[tuple[str, str]]:
        """Trunk and outcome of each."""
        return [(attempt["trunk"], attempt["outcome"]) for attempt in contact["attempts"]]

    async def operator_calls(self, phone: Phone, number: str = CUSTOMER) -> Call:
        """He dials; his phone is answered at once."""
        call = await phone.dial(number)
        await call.wait_up(PATIENCE_S)
        return call


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Network]:
    """One Asterisk and one daemon for all tests of this file."""
    directory = tmp_path_factory.mktemp("outbound")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Switch("127.0.0.41"))
        second = await stack.enter_async_context(Switch("127.0.0.42"))
        below = {'extension = "1002"': f'line = "{OTHER_LINE}"\nmay_dial = ["+7916"]'}
        made = contact_centre(directory, library, prompts_dir, below=below, more=trunks(first, second))
        centre = await stack.enter_async_context(made)
        first.server = second.server = ("127.0.0.1", centre.asterisk.instance.sip_port)
        yield Network(centre, first, second)


def trunks(first: Switch, second: Switch) -> str:
    return f"""
[[trunks]]
name = "first"
title = "First"
host = "{first.host}"
port = {first.port}
channels = 1
reach_timeout_s = 2
send_identity = true
qualify_s = 1

[[trunks]]
name = "second"
title = "Second"
host = "{second.host}"
port = {second.port}
priority = 2
number_format = "national"
qualify_s = 1

[outbound]
wrap_up_s = 1
"""


@pytest_asyncio.fixture(loop_scope="module")
async def net(network: Network) -> AsyncIterator[Network]:
    """The same, tidied up after each test."""
    for switch in (network.first, network.second):
        switch.begin_anew()

    def usable(status: Status) -> bool:
        return all(trunk["usable"] for trunk in status["trunks"])

    await network.centre.until(usable)
    yield network
    await network.centre.tidy()


async def test_an_operator_and_the_customer_whom_he_calls_hear_each_other_and_are_recorded(
    net: Network, tmp_path: Path
) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    net.first.does = "ring"
    call = await phone.dial(CUSTOMER)
    await call.wait_up(PATIENCE_S)
    taken = await net.first.taken()
    assert (taken.number, taken.shown) == (E164, "+78007707999")
    assert "+78007707999" in taken.invite["P-Asserted-Identity"]
    live = await site.contact("dialling", direction="outbound", agent="1001", trunk="first", ani=E164, line=LINE)
    await site.agent("1001", "dialling")
    await call.hears(RINGING_HZ, PATIENCE_S)  # the ringing, which Asterisk makes itself
    taken.does("answer")
    call.say_tone(OPERATOR_HZ["1001"])
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await site.contact("talking", id=live["id"])
    await site.agent("1001", "talking")
    await call.hears_for(1)
    taken.hang_up()
    await call.wait_gone(PATIENCE_S)
    await site.agent("1001", "wrap_up")

    (contact,) = await site.finished(recorded=True)
    assert (contact["outcome"], contact["agent"], contact["direction"]) == ("answered", "1001", "outbound")
    assert segments(contact) == [("dial", "answered"), ("talk", "customer_left")]
    assert net.attempts(contact) == [("first", "answered")]
    left, right = read_wav(await site.recording(contact, tmp_path / "talk.wav"))
    assert carries(left, SWITCH_HZ) and not carries(left, OPERATOR_HZ["1001"])
    assert carries(right, OPERATOR_HZ["1001"]) and not carries(right, SWITCH_HZ)
    assert abs(left.duration_s - contact["talk_s"]) < 0.3
    await site.agent("1001", "ready")


async def test_a_program_has_an_operator_call_a_customer_who_hear_each_other_and_are_recorded(
    net: Network, tmp_path: Path
) -> None:
    site, phone = net.centre, await net.centre.operator("1001", answer="ring")
    wish, key = {"agent": "1001", "number": CUSTOMER}, {"Idempotency-Key": "crm-1"}
    async with site.http.post(f"{site.url}/api/calls", json=wish, headers=key) as response:
        assert response.status == 201, await response.text()
        asked = (await response.json())["contact"]
    own = await phone.wait_call(PATIENCE_S)
    assert E164 in (own.header("From") or "") + (own.header("P-Asserted-Identity") or "")
    await site.contact("summoning", id=asked, agent="1001", direction="outbound")
    async with site.http.post(f"{site.url}/api/calls", json=wish, headers=key) as response:
        assert (response.status, (await response.json())["contact"]) == (200, asked)
    async with site.http.post(f"{site.url}/api/calls", json=wish) as response:
        assert response.status == 409
        assert "his phone is not free" in (await response.json())["error"]["message"]
    await own.answer()
    taken = await net.first.taken()
    assert (taken.number, taken.shown) == (E164, "+78007707999")
    own.say_tone(OPERATOR_HZ["1001"])
    await own.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await site.contact("talking", id=asked)
    await site.kill()
    await own.hears_for(0.5)
    await site.start()
    await site.contact("talking", id=asked)
    await own.hears(SWITCH_HZ, PATIENCE_S)
    await own.hangup()
    await taken.ended()
    (contact,) = await site.finished(recorded=True)
    assert (contact["id"], contact["outcome"], contact["agent"]) == (asked, "answered", "1001")
    assert segments(contact) == [("dial", "answered"), ("talk", "agent_left")]
    left, right = read_wav(await site.recording(contact, tmp_path / "click.wav"))
    assert carries(left, SWITCH_HZ) and not carries(left, OPERATOR_HZ["1001"])
    assert carries(right, OPERATOR_HZ["1001"]) and not carries(right, SWITCH_HZ)
    async with site.http.post(f"{site.url}/api/calls", json=wish, headers=key) as response:
        assert response.status == 200


async def test_a_program_cannot_call_what_an_operator_may_not_dial(net: Network) -> None:
    site = net.centre
    await site.operator("1001")
    async with site.http.post(f"{site.url}/api/calls", json={"agent": "1001", "number": "88091234567"}) as response:
        assert response.status == 409
        assert "tolls.deny" in (await response.json())["error"]["message"]
    assert await site.contacts() == []


async def test_the_number_shown_is_that_of_the_operators_line_and_as_each_trunk_wants_it(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1002")
    call = await net.operator_calls(phone)
    taken = await net.first.taken()
    assert (taken.number, taken.shown) == (E164, "+78007004666")
    other = await net.operator_calls(await site.operator("1001"))  # the first trunk has one channel, and it is taken
    overflowed = await net.second.taken()
    assert (overflowed.number, overflowed.shown) == (CUSTOMER, "88007707999")
    assert not overflowed.invite["P-Asserted-Identity"], "this carrier takes the number from From alone"
    refused = await net.first.call(E164, LINE)
    assert (await refused.answer()).status == 503, "a call that leaves counts for those that come in, too"
    await call.hangup()
    await taken.ended()
    await other.hangup()
    await overflowed.ended()
    mine, full = await site.finished(2)
    assert (mine["line"], net.attempts(mine)) == (OTHER_LINE, [("first", "answered")])
    assert net.attempts(full) == [("second", "answered")]
    assert "first: all 1 channels taken" in full["attempts"][0]["why"]
    assert segments(mine) == [("dial", "answered"), ("talk", "agent_left")]


@pytest.mark.parametrize(("does", "outcome"), [(503, "refused"), ("silent", "silent")])
async def test_a_trunk_that_does_not_take_the_call_is_followed_by_the_next(
    net: Network, does: Does, outcome: str
) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    net.first.does = does
    call = await net.operator_calls(phone)
    taken = await net.second.taken()
    call.say_tone(OPERATOR_HZ["1001"])
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    taken.hang_up()
    await call.wait_gone(PATIENCE_S)
    (contact,) = await site.finished()
    assert (contact["outcome"], contact["trunk"]) == ("answered", "second")
    assert net.attempts(contact) == [("first", outcome), ("second", "answered")]
    assert contact["reason"].startswith(f"first: {outcome}")
    assert "answered" not in contact["attempts"][0]["why"]


async def test_a_customer_who_is_busy_is_not_called_by_another_trunk_and_the_operator_hears_it(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    net.first.does = 486
    call = await net.operator_calls(phone)
    await Hearing(site, call).hears("outbound-busy")
    await call.wait_gone(PATIENCE_S)
    (contact,) = await site.finished()
    assert (contact["outcome"], net.attempts(contact)) == ("busy", [("first", "busy")])
    assert contact["attempts"][0]["sip_status"] == 486
    assert not net.second.untaken
    await site.agent("1001", "ready")


async def test_when_no_trunk_takes_it_the_operator_is_told_and_the_cdr_says_why(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    net.first.does, net.second.does = 503, 500
    call = await net.operator_calls(phone)
    await Hearing(site, call).hears("outbound-no-trunk")
    await call.hangup()
    (contact,) = await site.finished()
    assert contact["outcome"] == "no_trunk"
    assert contact["reason"] == "first: refused (SIP 503); second: refused (SIP 500)"


async def test_a_call_that_may_not_leave_is_refused_by_voice_and_reaches_no_trunk(net: Network) -> None:
    site = net.centre
    numbers = {"88091234567": "outbound-not-allowed", "84951234567": "outbound-not-allowed", LINE: "outbound-own-line"}
    phone = await site.operator("1002")
    for number, prompt in numbers.items():
        call = await net.operator_calls(phone, number)
        await Hearing(site, call).hears(prompt)
        await call.hangup()
        await site.agent("1002", "ready")
    contacts = await site.finished(len(numbers))
    assert [contact["outcome"] for contact in contacts] == ["blocked"] * 3
    assert [contact["attempts"] for contact in contacts] == [[]] * 3
    assert [contact["reason"] for contact in contacts] == [
        "+78091234567 begins with +7809, which tolls.deny names",
        "+74951234567 begins with none of what 1002 may dial",
        "+78007707999 is a line of our own",
    ]
    assert not net.first.untaken and not net.second.untaken


async def test_what_the_customers_network_plays_is_heard_before_he_answers(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    net.first.does = "early"
    call = await net.operator_calls(phone)
    taken = await net.first.taken()
    await call.hears(SWITCH_HZ, PATIENCE_S)
    live = await site.contact("dialling")
    await call.hangup()
    await taken.given_up()
    (contact,) = await site.finished()
    assert (contact["id"], contact["outcome"]) == (live["id"], "cancelled")
    assert segments(contact) == [("dial", "cancelled")]
    assert net.attempts(contact) == [("first", "cancelled")]
    await site.agent("1001", "ready")


async def test_killed_while_the_customers_phone_rings_the_call_is_answered_all_the_same(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    net.first.does = "ring"
    call = await net.operator_calls(phone)
    taken = await net.first.taken()
    await call.hears(RINGING_HZ, PATIENCE_S)
    await site.contact("dialling")
    await site.kill()
    taken.does("answer")
    call.say_tone(OPERATOR_HZ["1001"])
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await site.start()
    await site.contact("talking", agent="1001", trunk="first")
    await call.hangup()
    await taken.ended()
    (contact,) = await site.finished(recorded=True)
    assert segments(contact) == [("dial", "answered"), ("talk", "agent_left")]
    assert contact["recording"], contact["recordings"]


async def test_killed_while_they_talk_the_talk_goes_on_and_its_end_is_known(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    call = await net.operator_calls(phone)
    taken = await net.first.taken()
    await site.contact("talking")
    await site.kill()
    call.say_tone(OPERATOR_HZ["1001"])
    await taken.audio.hears(OPERATOR_HZ["1001"])
    other = await phone.dial(CUSTOMER)  # while nobody decides, nothing leaves
    await other.wait_gone(PATIENCE_S)
    taken.hang_up()
    await site.start()
    await call.wait_gone(PATIENCE_S)
    (contact,) = await site.finished()
    assert segments(contact) == [("dial", "answered"), ("talk", "customer_left")]
    assert contact["attempts"][0]["ended_at"] is not None
    assert not net.first.untaken and not net.second.untaken
    await site.agent("1001", "ready")


async def test_killed_before_the_customer_was_dialled_he_is_called_after_all_and_once(net: Network) -> None:
    site = net.centre
    await site.stop()
    await site.start("DialCustomer", "after", program=(CRASHING,))
    phone = await site.operator("1001")
    call = await phone.dial(CUSTOMER)
    assert await site.ended(30) == -signal.SIGKILL, site.log()
    await site.start()
    taken = await net.first.taken()
    call.say_tone(OPERATOR_HZ["1001"])
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    await site.contact("talking", agent="1001")
    await call.hangup()
    await taken.ended()
    (contact,) = await site.finished()
    assert (contact["outcome"], segments(contact)[-1]) == ("answered", ("talk", "agent_left"))
    assert not net.first.untaken and not net.second.untaken


async def test_asterisk_dies_under_a_call_which_has_then_failed_and_the_next_one_leaves(net: Network) -> None:
    site, phone = net.centre, await net.centre.operator("1001")
    await net.operator_calls(phone)
    await net.first.taken()
    await site.contact("talking")
    await site.asterisk.kill()
    await site.until(lambda status: not status["asterisk"]["connected"])
    await site.asterisk.start()
    (contact,) = await site.finished(timeout_s=40)
    assert (contact["outcome"], segments(contact)[-1]) == ("answered", ("talk", "failed"))
    assert net.attempts(contact) == [("first", "answered")]
    await phone.close()
    phone = await site.phone("1001")
    await site.agent("1001", "ready", timeout_s=30)
    await site.until(lambda status: all(trunk["usable"] for trunk in status["trunks"]), timeout_s=30)
    call = await net.operator_calls(phone)
    taken = await net.first.taken()
    await site.contact("talking", agent="1001")
    taken.hang_up()
    await call.wait_gone(PATIENCE_S)
