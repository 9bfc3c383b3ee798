"""The transfer key of an operator's phone (REFER): the customer is handed over, or it is undone and the talk goes on."""

import signal
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, Phone
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row, offers, segments
from tests.e2e.test_transfers import answered, hear_nothing_of, talking, talks_heard

HANDED_OVER = [("talk", "transferred"), ("queue", "answered"), ("talk", "caller_left")]


async def back(phone: Phone, call: Call, code: int) -> Call:
    """The operator's call after a transfer that was refused: if his phone took it for done, it has been rung again."""
    if code // 100 != 2:
        return call
    await call.wait_gone()
    again = await phone.wait_call(20)
    await again.wait_up()
    return again


async def test_by_his_phones_key_an_operator_hands_his_customer_to_a_colleague(site: Centre, tmp_path: Path) -> None:
    _contact, caller, _phone, call = await talking(site)
    colleague = await site.operator("1002")
    assert await call.transfer("1002") == 200
    await call.wait_gone()
    second = await answered(colleague, caller)
    await second.hears_for(1)
    await caller.hangup()
    (over,) = await site.finished(recorded=True)
    assert segments(over)[2:] == HANDED_OVER and over["segments"][2]["transfer"] == "blind"
    await talks_heard(site, over, tmp_path, "1001", "1002")


@pytest.mark.parametrize(
    ("to", "why"),
    [("1002", "1002 is logged out"), ("the-shop", "the-shop is no operator, queue, line"), ("88091234567", "+7809")],
)
async def test_what_may_not_be_is_undone_and_the_talk_goes_on(site: Centre, to: str, why: str) -> None:
    _contact, caller, phone, call = await talking(site)
    call = await back(phone, call, await call.transfer(to))
    await call.hears(CALLER_HZ)
    await caller.hears(OPERATOR_HZ["1001"])
    await site.contact("talking", agent="1001")
    await caller.hangup()
    (over,) = await site.finished()
    assert {each["agent"] for each in over["segments"] if each["kind"] == "talk"} == {"1001"}
    assert any("transfer refused" in line and why in line for line in site.log().splitlines())


async def test_to_what_is_no_number_at_all_asterisk_says_no_and_nothing_happens(site: Centre) -> None:
    _contact, caller, _phone, call = await talking(site)
    assert await call.transfer("77") == 404
    await call.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]


async def test_a_call_to_a_colleague_cannot_be_handed_over(site: Centre) -> None:
    phone, other = await site.operators("1001", "1002")
    call = await phone.dial("1002")
    await call.wait_up()
    theirs = await other.wait_call(20)
    await theirs.wait_up()
    await call.hears(OPERATOR_HZ["1002"])
    if await call.transfer("1003") // 100 == 2:
        await theirs.wait_gone()  # his phone took it for done, and nobody is left to talk with
    else:
        await theirs.hears(OPERATOR_HZ["1001"])
        await call.hangup()
    await site.finished()


async def beside(site: Centre) -> tuple[Row, Call, Call, Call, Call]:
    """1001 holds his customer and talks with 1002 on a second call of his phone."""
    contact, caller, phone, call = await talking(site)
    colleague = await site.operator("1002")
    await call.hold()
    await caller.hears_music()
    second = await phone.dial("1002")
    await second.wait_up()
    theirs = await colleague.wait_call(20)
    await theirs.wait_up()
    await second.hears(OPERATOR_HZ["1002"])
    await theirs.hears(OPERATOR_HZ["1001"])
    await site.contact("talking", agent="1001", on_hold=True)
    await hear_nothing_of(theirs, CALLER_HZ)
    return contact, caller, call, second, theirs


async def test_by_the_key_the_colleague_who_was_called_beside_gets_the_customer(site: Centre, tmp_path: Path) -> None:
    _contact, caller, call, second, theirs = await beside(site)
    assert await call.transfer_to(second) == 200
    await call.wait_gone()
    await second.wait_gone()
    await caller.hears(OPERATOR_HZ["1002"])
    await theirs.hears(CALLER_HZ)
    await theirs.hears_for(1.5)
    await site.contact("talking", agent="1002", consult=None)
    await caller.hangup()
    await theirs.wait_gone()
    (over,) = await site.finished(recorded=True)
    assert segments(over)[2:] == [("talk", "transferred"), ("talk", "caller_left")]
    assert over["segments"][2]["transfer"] == "attended" and over["segments"][2]["hold_s"] > 1
    assert offers(over) == [("1001", "accepted"), ("1002", "accepted")]
    await talks_heard(site, over, tmp_path, "1001", "1002")


async def test_the_second_call_hung_up_the_operator_takes_his_customer_back(site: Centre) -> None:
    _contact, caller, call, second, theirs = await beside(site)
    await second.hangup()
    await theirs.wait_gone()
    await call.unhold()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await site.agent("1002", "ready")
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]


async def test_with_the_daemon_dead_the_phone_is_told_no_and_the_talk_goes_on(centre: Centre) -> None:
    _contact, caller, call, second, theirs = await beside(centre)
    await centre.kill()
    assert await call.transfer_to(second) >= 400
    await second.hears(OPERATOR_HZ["1002"])
    await theirs.hears(OPERATOR_HZ["1001"])
    await second.hangup()
    await call.unhold()
    assert await call.transfer("1002") >= 400
    await centre.start()
    await theirs.wait_gone()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await centre.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]
    await centre.nothing_left()


async def test_killed_in_mid_transfer_the_customer_gets_to_the_colleague_all_the_same(centre: Centre) -> None:
    """The daemon is stopped as the key is pressed, and killed when the phone has been told that it is done."""
    _contact, caller, _phone, call = await talking(centre)
    colleague = await centre.operator("1002")
    assert centre.daemon is not None
    centre.daemon.send_signal(signal.SIGSTOP)
    assert await call.transfer("1002") == 200
    await call.wait_gone()
    await centre.kill()
    await centre.start()
    await answered(colleague, caller)
    await caller.hangup()
    (over,) = await centre.finished()
    assert segments(over)[2:] == HANDED_OVER
    await centre.nothing_left()


async def test_killed_while_his_two_calls_are_joined_the_customer_is_the_colleagues(centre: Centre) -> None:
    _contact, caller, call, second, theirs = await beside(centre)
    assert centre.daemon is not None
    centre.daemon.send_signal(signal.SIGSTOP)
    assert await call.transfer_to(second) == 200
    await second.wait_gone()
    await caller.hears(OPERATOR_HZ["1002"])
    await centre.kill()
    await centre.start()
    await centre.contact("talking", agent="1002", consult=None)
    await caller.hears(OPERATOR_HZ["1002"])
    await theirs.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await centre.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("talk", "caller_left")]
    await centre.nothing_left()
