"""Codes pressed in a talk by real phones (RFC 4733): consult, conference, back, transfer, and the recording paused."""

from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, segments
from tests.e2e.test_transfers import answered, hear_nothing_of, talking


async def test_the_customer_is_handed_over_by_keys(site: Centre) -> None:
    _contact, caller, _phone, call = await talking(site)
    colleague = await site.operator("1002")
    await call.send_dtmf("**11002#")
    await call.wait_gone()
    await answered(colleague, caller)
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("queue", "answered"), ("talk", "caller_left")]


async def test_a_colleague_is_consulted_joined_and_let_go_by_keys(site: Centre) -> None:
    _contact, caller, _phone, call = await talking(site)
    colleague = await site.operator("1002")
    await call.send_dtmf("**21002#")
    second = await colleague.wait_call(20)
    await second.wait_up()
    await call.hears(OPERATOR_HZ["1002"])
    await caller.hears_music()
    await hear_nothing_of(second, CALLER_HZ)
    await call.send_dtmf("**3")
    await caller.hears(OPERATOR_HZ["1002"], min_share=0.1)
    await second.hears(CALLER_HZ, min_share=0.1)
    await call.send_dtmf("**0")
    await second.wait_gone()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]


async def test_the_recording_is_paused_and_resumed_by_keys(site: Centre) -> None:
    _contact, caller, _phone, call = await talking(site)
    await call.send_dtmf("**4")
    await site.contact("talking", recording="paused")
    await caller.hears(OPERATOR_HZ["1001"])
    await call.send_dtmf("**5")
    await site.contact("talking", recording="on")
    await caller.hangup()
    await site.finished()


async def test_what_cannot_be_the_operator_alone_hears_and_the_talk_goes_on(site: Centre) -> None:
    _contact, caller, _phone, call = await talking(site)
    await caller.send_dtmf("12")
    await call.events.wait("digit", 10, digit="2")
    await call.hears(CALLER_HZ)
    await call.send_dtmf("**3")
    await call.hears_music()  # or speech: that it cannot be
    await call.hears(CALLER_HZ)
    await caller.hears(OPERATOR_HZ["1001"])
    assert any("key refused" in line and "nobody is being consulted" in line for line in site.log().splitlines())
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]


async def test_what_the_customer_presses_means_nothing(site: Centre) -> None:
    _contact, caller, _phone, call = await talking(site)
    await site.operator("1002")
    await caller.send_dtmf("**11002#")
    await call.events.wait("digit", 10, digit="#")
    await call.hears(CALLER_HZ)
    await site.contact("talking", agent="1001")
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]
