"""Customers whom an operator called, handed over and discussed with a colleague: real phones, and a carrier's switch."""

import pytest

from ccserver.sim.phones import Call, Phone
from tests.e2e.centre import OPERATOR_HZ, Row, segments
from tests.e2e.switch import SWITCH_HZ, Taken
from tests.e2e.test_outbound import PATIENCE_S, Network, net, network
from tests.e2e.test_transfers import post, steer

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["net", "network"]


async def calling(net: Network) -> tuple[Row, Call, Phone, Taken]:
    """1001 has called a customer, and they hear each other; 1002 is ready."""
    phone = await net.centre.operator("1001")
    call = await net.operator_calls(phone)
    call.say_tone(OPERATOR_HZ["1001"])
    taken = await net.first.taken()
    await call.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1001"])
    return await net.centre.contact("talking", agent="1001"), call, await net.centre.operator("1002"), taken


async def test_a_customer_whom_an_operator_called_is_handed_to_a_colleague(net: Network) -> None:
    site = net.centre
    contact, call, colleague, taken = await calling(net)
    status, body = await post(site, f"{contact['id']}/transfer", to="1002", by="1001")
    assert status == 200, body
    await call.wait_gone()
    second = await colleague.wait_call(PATIENCE_S)
    await second.wait_up()
    await second.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1002"])
    await second.hears_for(1)
    await site.contact("talking", agent="1002")
    await second.hangup()
    await taken.ended()
    (over,) = await site.finished(recorded=True)
    assert segments(over) == [
        ("dial", "answered"),
        ("talk", "transferred"),
        ("queue", "answered"),
        ("talk", "agent_left"),
    ]


async def test_with_the_phones_own_key_too(net: Network) -> None:
    site = net.centre
    _contact, call, colleague, taken = await calling(net)
    assert await call.transfer("1002") == 200
    await call.wait_gone()
    second = await colleague.wait_call(PATIENCE_S)
    await second.wait_up()
    await second.hears(SWITCH_HZ, PATIENCE_S)
    await taken.audio.hears(OPERATOR_HZ["1002"])
    await second.hangup()
    await taken.ended()
    (over,) = await site.finished()
    assert segments(over)[1] == ("talk", "transferred")


async def test_a_colleague_is_consulted_joined_and_gets_the_customer(net: Network) -> None:
    site = net.centre
    contact, call, colleague, taken = await calling(net)
    assert (await post(site, f"{contact['id']}/consult", to="1002"))[0] == 200
    second = await colleague.wait_call(PATIENCE_S)
    await second.wait_up()
    await call.hears(OPERATOR_HZ["1002"])
    await second.hears(OPERATOR_HZ["1001"])
    await steer(site, contact, "join")
    for operator in (call, second):
        await operator.hears(SWITCH_HZ, min_share=0.1)
    await site.kill()
    await second.hears(SWITCH_HZ, min_share=0.1)
    await site.start()
    await site.contact("talking", agent="1001")
    await call.hangup()
    await site.contact("talking", agent="1002", consult=None)
    await second.hears(SWITCH_HZ)
    await taken.audio.hears(OPERATOR_HZ["1002"])
    await second.hangup()
    await taken.ended()
    (over,) = await site.finished()
    assert segments(over)[1:] == [("talk", "transferred"), ("talk", "agent_left")]
