"""What operators' phones may not do yet must do no harm."""

from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre


async def test_a_transfer_by_the_phone_is_refused_and_the_talk_goes_on(centre: Centre) -> None:
    operator = await centre.operator("1001")
    await centre.phone("1002")
    caller = await centre.waiting()
    talk = await operator.wait_call()
    await talk.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    assert await talk.transfer("1002") >= 400
    await talk.hears(CALLER_HZ)
    await caller.hears(OPERATOR_HZ["1001"])
    await centre.contact("talking", agent="1001")
