"""The customer handed over, on real phones: who hears whom, what the CDR says, and what is in the one recording."""

from pathlib import Path

from ccserver.sim.phones import Call, Phone
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, OTHER_LINE, Centre, Row, offers, segments


async def post(centre: Centre, path: str, **body: object) -> tuple[int, Row]:
    """To the API; the status and the body."""
    async with centre.http.post(f"{centre.url}/api/contacts/{path}", json=body) as response:
        return response.status, await response.json()


async def talking(centre: Centre) -> tuple[Row, Call, Phone, Call]:
    """A customer and the operator 1001, who hear each other."""
    phone = await centre.operator("1001")
    caller = await centre.waiting("1")
    call = await phone.wait_call(20)
    await call.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await call.hears_for(1)
    return await centre.contact("talking", agent="1001"), caller, phone, call


async def answered(phone: Phone, caller: Call) -> Call:
    """The phone rings, is answered, and the customer hears who it is."""
    call = await phone.wait_call(20)
    await call.wait_up()
    await caller.hears(OPERATOR_HZ[phone.user])
    await call.hears(CALLER_HZ)
    return call


async def talks_heard(centre: Centre, contact: Row, place: Path, *agents: str) -> None:
    """In the one recording the customer is on the left, and on the right one operator after the other, as long as they talked."""
    left, right = read_wav(await centre.recording(contact, place / "talk.wav"))
    assert carries(left, CALLER_HZ)
    from_s = 0.0
    for agent, talk in zip(agents, [each for each in contact["segments"] if each["kind"] == "talk"], strict=True):
        assert talk["agent"] == agent
        talked = right.between(from_s + 0.3, from_s + talk["duration_s"] - talk["hold_s"] - 0.3)
        assert carries(talked, OPERATOR_HZ[agent]), f"{agent} is not heard where he talked, before he held"
        from_s += talk["duration_s"]
    assert abs(left.duration_s - from_s) < 0.5


async def test_an_operator_hands_his_customer_to_a_colleague(site: Centre, tmp_path: Path) -> None:
    contact, caller, _phone, call = await talking(site)
    colleague = await site.operator("1002")
    status, told = await post(site, f"{contact['id']}/transfer", to="1002", by="1001")
    assert status == 200 and told["state"] in {"offered", "talking"}
    await call.wait_gone()
    second = await answered(colleague, caller)
    await second.hears_for(1)
    await caller.hangup()
    (over,) = await site.finished(recorded=True)
    assert segments(over) == [
        ("flow", "queued"),
        ("queue", "answered"),
        ("talk", "transferred"),
        ("queue", "answered"),
        ("talk", "caller_left"),
    ]
    assert over["segments"][2]["transfer"] == "blind" and over["agent"] == "1002"
    await talks_heard(site, over, tmp_path, "1001", "1002")


async def test_handed_to_a_queue_the_customer_hears_music_until_somebody_of_it_is_free(site: Centre) -> None:
    contact, caller, _phone, call = await talking(site)
    await site.set_state("1001", "not_ready", "break")  # after this talk
    status, _ = await post(site, f"{contact['id']}/transfer", to="service")
    assert status == 200
    await call.wait_gone()
    await caller.hears_music()
    await site.contact("waiting", queue="service")
    colleague = await site.operator("1002")
    await answered(colleague, caller)
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("queue", "answered"), ("talk", "caller_left")]


async def test_handed_to_a_line_the_customer_hears_its_menu(site: Centre) -> None:
    contact, caller, _phone, call = await talking(site)
    status, _ = await post(site, f"{contact['id']}/transfer", to=OTHER_LINE)
    assert status == 200
    await call.wait_gone()
    await site.contact("flow")
    await caller.hears_music()
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("flow", "caller_left")]


async def test_what_cannot_be_is_refused_and_the_talk_goes_on(site: Centre) -> None:
    contact, caller, _phone, call = await talking(site)
    for to, why in (("1001", "himself"), ("1002", "logged out"), ("nowhere", "no operator")):
        status, body = await post(site, f"{contact['id']}/transfer", to=to)
        assert status == 409 and why in body["error"]["message"]
    await call.hears(CALLER_HZ)
    await caller.hears(OPERATOR_HZ["1001"])
    assert (await post(site, "cc1-0/transfer", to="1002"))[0] == 404
    assert (await post(site, f"{contact['id']}/transfer"))[0] == 400


async def test_killed_in_mid_transfer_the_customer_gets_to_the_colleague(centre: Centre) -> None:
    contact, caller, _phone, call = await talking(centre)
    colleague = await centre.operator("1002", answer="ring")
    await post(centre, f"{contact['id']}/transfer", to="1002")
    ringing = await colleague.wait_call(20)
    await centre.kill()
    await ringing.answer()
    await caller.hears(OPERATOR_HZ["1002"], min_share=0.1)
    await centre.start()
    await caller.hears(OPERATOR_HZ["1002"])
    await call.wait_gone()
    await centre.contact("talking", agent="1002")
    await caller.hangup()
    (over,) = await centre.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("queue", "answered"), ("talk", "caller_left")]


# --- a third party ------------------------------------------------------------------------------------------------------


async def hear_nothing_of(call: Call, *tones_hz: int) -> None:
    """In what comes now."""
    sound = await call.hears_for(2.0)  # a single note of the music may be anybody's tone
    for hz in tones_hz:
        assert not carries(sound, hz), f"{call!r} hears {hz} Hz"


async def consulting(centre: Centre) -> tuple[Row, Call, Call, Call]:
    """1001 talks with 1002 aside, and the customer hears music."""
    contact, caller, _phone, call = await talking(centre)
    colleague = await centre.operator("1002", answer="ring")
    assert (await post(centre, f"{contact['id']}/consult", to="1002", by="1001"))[0] == 200
    ringing = await colleague.wait_call(20)
    await caller.hears_music()
    await ringing.answer()
    await ringing.wait_up()
    await call.hears(OPERATOR_HZ["1002"])
    await ringing.hears(OPERATOR_HZ["1001"])
    await caller.hears_music()
    await centre.until(
        lambda status: any((each["consult"] or {}).get("state") == "private" for each in status["contacts"])
    )
    for apart in (call, ringing):
        await hear_nothing_of(apart, CALLER_HZ)
    await hear_nothing_of(caller, OPERATOR_HZ["1001"], OPERATOR_HZ["1002"])
    return contact, caller, call, ringing


async def steer(centre: Centre, contact: Row, action: str) -> None:
    status, body = await post(centre, f"{contact['id']}/consult/steer", action=action)
    assert status == 200, body


async def test_the_colleague_who_was_consulted_gets_the_customer(site: Centre, tmp_path: Path) -> None:
    contact, caller, call, second = await consulting(site)
    await steer(site, contact, "complete")
    await call.wait_gone()
    await caller.hears(OPERATOR_HZ["1002"])
    await second.hears(CALLER_HZ)
    await second.hears_for(1.5)
    await caller.hangup()
    await second.wait_gone()
    (over,) = await site.finished(recorded=True)
    assert segments(over)[2:] == [("talk", "transferred"), ("talk", "caller_left")]
    assert over["segments"][2]["transfer"] == "attended" and over["segments"][2]["hold_s"] > 1
    assert offers(over) == [("1001", "accepted"), ("1002", "accepted")]
    await talks_heard(site, over, tmp_path, "1001", "1002")


async def test_the_consult_is_called_off_and_the_customer_is_back_with_his_operator(site: Centre) -> None:
    contact, caller, call, second = await consulting(site)
    await steer(site, contact, "cancel")
    await second.wait_gone()
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await site.agent("1002", "ready")
    await call.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "agent_left")]


async def test_all_three_talk_and_part_again_and_the_last_two_go_on(site: Centre) -> None:
    contact, caller, call, second = await consulting(site)
    await steer(site, contact, "join")
    for who, others in ((caller, ("1001", "1002")), (call, ("1002",)), (second, ("1001",))):
        for other in others:
            await who.hears(OPERATOR_HZ[other], min_share=0.1)
    for operator in (call, second):
        await operator.hears(CALLER_HZ, min_share=0.1)
    await steer(site, contact, "apart")
    await caller.hears_music()
    await call.hears(OPERATOR_HZ["1002"])
    await hear_nothing_of(second, CALLER_HZ)
    await steer(site, contact, "join")
    await caller.hears(OPERATOR_HZ["1002"], min_share=0.1)
    await call.hangup()
    await caller.hears(OPERATOR_HZ["1002"])
    await second.hears(CALLER_HZ)
    await site.contact("talking", agent="1002", consult=None)
    await second.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("talk", "agent_left")]


async def test_the_customer_who_hangs_up_while_the_two_talk_aside_ends_it_all(site: Centre) -> None:
    _contact, caller, call, second = await consulting(site)
    await caller.hangup()
    await call.wait_gone()
    await second.wait_gone()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "caller_left")]


async def test_a_colleague_who_does_not_want_to_be_consulted_brings_the_operator_back(site: Centre) -> None:
    contact, caller, _phone, call = await talking(site)
    colleague = await site.operator("1002", answer="ring")
    await post(site, f"{contact['id']}/consult", to="1002")
    ringing = await colleague.wait_call(20)
    await caller.hears_music()
    await ringing.reject(486)
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await site.finished()
    assert offers(over) == [("1001", "accepted"), ("1002", "busy")]


async def test_who_hangs_up_while_the_colleague_rings_leaves_him_the_customer(site: Centre) -> None:
    contact, caller, _phone, call = await talking(site)
    colleague = await site.operator("1002", answer="ring")
    await post(site, f"{contact['id']}/consult", to="1002")
    ringing = await colleague.wait_call(20)
    await site.agent("1002", "ringing")
    await call.hangup()
    await caller.hears_music()
    await ringing.answer()
    await caller.hears(OPERATOR_HZ["1002"])
    await ringing.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await site.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("queue", "answered"), ("talk", "caller_left")]


async def test_hold_that_was_asked_for_is_hold(site: Centre) -> None:
    contact, caller, _phone, call = await talking(site)
    assert (await post(site, f"{contact['id']}/hold", hold=True))[1]["on_hold"] is True
    await caller.hears_music()
    await call.hears_silence()
    assert (await post(site, f"{contact['id']}/hold", hold=False))[1]["on_hold"] is False
    await caller.hears(OPERATOR_HZ["1001"])
    await call.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await site.finished()
    assert over["holds"] == 1 and over["hold_s"] > 0.5


async def test_killed_while_the_two_talk_aside_the_consult_goes_on_and_is_completed(centre: Centre) -> None:
    contact, caller, call, second = await consulting(centre)
    await centre.kill()
    await call.hears(OPERATOR_HZ["1002"])
    await caller.hears_music()
    await centre.start()
    await centre.contact("talking", agent="1001", on_hold=True)
    await second.hears(OPERATOR_HZ["1001"])
    await steer(centre, contact, "join")
    await caller.hears(OPERATOR_HZ["1001"], min_share=0.1)
    await caller.hears(OPERATOR_HZ["1002"], min_share=0.1)
    await centre.kill()
    await caller.hears(OPERATOR_HZ["1002"], min_share=0.1)
    await call.hangup()
    await centre.start()
    await centre.contact("talking", agent="1002", consult=None)
    await caller.hears(OPERATOR_HZ["1002"])
    await second.hears(CALLER_HZ)
    await caller.hangup()
    (over,) = await centre.finished()
    assert segments(over)[2:] == [("talk", "transferred"), ("talk", "caller_left")]
