"""Customers handed to, or discussed with, somebody outside: real phones, a real Asterisk, and a carrier's switches."""

import pytest

from ccserver.sim.phones import Call
from ccserver.sim.phones.tones import carries
from tests.e2e.centre import OPERATOR_HZ, Row, segments
from tests.e2e.switch import SWITCH_HZ
from tests.e2e.test_outbound import CUSTOMER, E164, PATIENCE_S, RINGING_HZ, Network, net, network
from tests.e2e.test_transfers import post, steer

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["net", "network"]

HERE_HZ = 680


async def talking(net: Network) -> tuple[Row, Call, Call]:
    """A customer and the operator 1001, who hear each other."""
    phone = await net.centre.operator("1001")
    caller = await net.centre.waiting("1", tone_hz=HERE_HZ)
    call = await phone.wait_call(20)
    await call.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(HERE_HZ)
    return await net.centre.contact("talking", agent="1001"), caller, call


async def test_the_customer_is_handed_to_a_number_and_the_operator_is_free(net: Network) -> None:
    site = net.centre
    contact, caller, call = await talking(net)
    net.first.does = "ring"
    assert (await post(site, f"{contact['id']}/transfer", to=CUSTOMER))[0] == 200
    await call.wait_gone()
    taken = await net.first.taken()
    assert (taken.number, taken.shown) == (E164, "+78007707999")
    await site.contact("forwarding")
    await caller.hears_music()
    taken.does("answer")
    await caller.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(HERE_HZ)
    await site.agent("1001", "ready")
    await site.contact("talking", agent=None)
    await caller.hangup()
    await taken.ended()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("dial", "answered"), ("talk", "caller_left")]
    assert net.attempts(over) == [("first", "answered")]


async def test_who_cannot_be_reached_outside_brings_the_customer_back(net: Network) -> None:
    site = net.centre
    contact, caller, call = await talking(net)
    net.first.does, net.second.does = 503, 486
    await post(site, f"{contact['id']}/transfer", to=CUSTOMER)
    await call.wait_gone()
    await site.contact("talking", agent="1001", timeout_s=PATIENCE_S)
    await caller.hears(OPERATOR_HZ["1001"])
    await caller.hangup()
    (over,) = await site.finished()
    kinds = [("talk", "transferred"), ("dial", "unanswered"), ("queue", "answered"), ("talk", "caller_left")]
    assert segments(over)[2:] == kinds
    assert net.attempts(over) == [("first", "refused"), ("second", "busy")]


async def test_a_number_that_may_not_be_called_is_refused(net: Network) -> None:
    contact, caller, call = await talking(net)
    status, body = await post(net.centre, f"{contact['id']}/transfer", to="88091234567")
    assert status == 409 and "+7809" in body["error"]["message"]
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(HERE_HZ)
    await caller.hangup()
    await net.centre.finished()


async def test_somebody_outside_is_consulted_joins_the_two_and_gets_the_customer(net: Network) -> None:
    site = net.centre
    contact, caller, call = await talking(net)
    net.first.does = "ring"
    assert (await post(site, f"{contact['id']}/consult", to=CUSTOMER))[0] == 200
    taken = await net.first.taken()
    await caller.hears_music()
    await call.hears(RINGING_HZ, PATIENCE_S)
    taken.does("answer")
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    heard = await caller.hears_for(2.0)  # a single note of the music may be anybody's tone
    assert not carries(heard, SWITCH_HZ) and not carries(heard, OPERATOR_HZ["1001"])
    await steer(site, contact, "join")
    await caller.hears(SWITCH_HZ, min_share=0.1)
    await caller.hears(OPERATOR_HZ["1001"], min_share=0.1)
    await steer(site, contact, "complete")
    await call.wait_gone()
    await caller.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(HERE_HZ)
    taken.hang_up()
    await caller.wait_gone()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("talk", "outside_left")]


async def test_a_consult_outside_that_is_called_off_leaves_the_trunk(net: Network) -> None:
    site = net.centre
    contact, caller, call = await talking(net)
    net.first.does = "ring"
    await post(site, f"{contact['id']}/consult", to=CUSTOMER)
    taken = await net.first.taken()
    await caller.hears_music()
    await steer(site, contact, "cancel")
    await taken.given_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(HERE_HZ)
    await site.contact("talking", agent="1001", consult=None)
    await site.until(lambda status: all(not trunk["outbound"] for trunk in status["trunks"]))
    await caller.hangup()
    (over,) = await site.finished()
    assert net.attempts(over) == [("first", "cancelled")]
