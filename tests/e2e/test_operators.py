"""Operators: feature codes with their spoken answers, the same over the API, their phones, wrap-up."""

import asyncio
from datetime import datetime, timedelta

import pytest

from ccserver.sim.phones import Phone
from tests.e2e.centre import CALLER_HZ, Centre
from tests.e2e.hearing import Hearing


async def dial_code(site: Centre, phone: Phone, code: str, *prompts: str) -> None:
    """The prompts are heard one after the other, then the call ends by itself."""
    call = await phone.dial(code)
    await call.wait_up()
    hearing = Hearing(site, call)
    for prompt in prompts:
        await hearing.hears(prompt)
    await call.wait_gone()


async def test_operators_say_by_feature_codes_that_they_are_ready_not_ready_or_gone_and_hear_that_it_is_so(
    site: Centre,
) -> None:
    said = {
        "1001": ("*11", ["agent-ready"]),
        "1002": ("*12", ["agent-not-ready"]),
        "1003": ("*122", ["agent-not-ready", "reason-2"]),
        "1004": ("*13", ["agent-logged-out"]),
    }
    phones = [await site.phone("1001"), *await site.operators("1002", "1003", "1004")]
    await asyncio.gather(*(dial_code(site, phone, said[phone.user][0], *said[phone.user][1]) for phone in phones))
    await site.agent("1001", "ready")
    await site.agent("1002", "not_ready", "")
    await site.agent("1003", "not_ready", "lunch")
    await site.agent("1004", "logged_out")


async def test_a_code_that_does_not_exist_is_said_to_be_unknown_and_changes_nothing(site: Centre) -> None:
    phone = await site.operator("1001")
    await dial_code(site, phone, "*129", "agent-unknown-code")
    await site.agent("1001", "ready")


async def test_who_dials_a_code_is_known_by_his_phone_whatever_number_it_claims(site: Centre) -> None:
    phone = await site.phone("1001")
    await site.phone("1002")
    claims = {"P-Asserted-Identity": "<sip:1002@127.0.0.1>", "Remote-Party-ID": "<sip:1002@127.0.0.1>;party=calling"}
    call = await phone.dial("*11", headers=claims)
    await call.wait_gone(15)
    await site.agent("1001", "ready")
    agents = {agent["extension"]: agent["state"] for agent in (await site.get("/api/status"))["agents"]}
    assert agents["1002"] == "logged_out"


async def test_a_customer_cannot_dial_a_feature_code(site: Centre) -> None:
    call = await site.dial("*11")
    assert (await call.wait_gone()).code == 404


async def test_the_same_over_the_api(site: Centre) -> None:
    await site.phone("1001")
    await site.set_state("1001", "ready")
    await site.agent("1001", "ready")
    await site.set_state("1001", "not_ready", "lunch")
    await site.agent("1001", "not_ready", "lunch")
    await site.set_state("1001", "logged_out")
    await site.agent("1001", "logged_out")


@pytest.mark.parametrize(
    ("extension", "body", "status", "field"),
    [
        ("1999", {"state": "ready"}, 404, None),
        ("1001", {"state": "asleep"}, 400, "state"),
        ("1001", {}, 400, "state"),
        ("1001", {"state": "ready", "until": 5}, 400, "until"),
        ("1001", {"state": "not_ready", "reason": "x" * 100}, 400, "reason"),
    ],
    ids=["nobody has that extension", "no such state", "no state", "an unknown field", "a reason too long"],
)
async def test_a_wish_that_makes_no_sense_is_refused_and_says_why(
    site: Centre, extension: str, body: dict[str, object], status: int, field: str | None
) -> None:
    async with site.http.post(f"{site.url}/api/agents/{extension}/state", json=body) as response:
        answer = await response.json()
        assert response.status == status, answer
        assert answer["error"]["message"]
        assert answer["error"].get("field") == field
    await site.agent("1001", "logged_out")


async def test_without_the_token_nobody_sets_a_state(site: Centre) -> None:
    headers = {"Authorization": "Bearer wrong"}
    url = f"{site.url}/api/agents/1001/state"
    async with site.http.post(url, json={"state": "ready"}, headers=headers) as response:
        assert response.status == 401
    await site.agent("1001", "logged_out")


async def test_an_operator_whose_registration_ends_is_unreachable_and_resumes_what_he_was(site: Centre) -> None:
    phone = await site.operator("1001")
    await phone.unregister()
    await site.agent("1001", "unreachable")
    caller = await site.waiting()
    await site.contact("waiting")
    await phone.register()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await site.contact("talking", agent="1001")
    await caller.hangup()
    await site.set_state("1001", "not_ready", "lunch")
    await site.agent("1001", "not_ready", "lunch")
    await phone.unregister()
    await site.agent("1001", "unreachable")
    await phone.register()
    await site.agent("1001", "not_ready", "lunch")


async def test_an_operator_ready_without_a_phone_is_unreachable_until_it_registers(site: Centre) -> None:
    await site.set_state("1001", "ready")
    await site.agent("1001", "unreachable")
    await site.phone("1001")
    await site.agent("1001", "ready")


async def test_an_operator_whose_registration_ends_while_he_talks_talks_on_and_is_unreachable_afterwards(
    site: Centre,
) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await site.agent("1001", "talking")
    await phone.unregister()
    await caller.hears_for(0.5)
    await answered.hears(CALLER_HZ)
    await site.agent("1001", "talking")
    await caller.hangup()
    await site.agent("1001", "unreachable")
    await phone.register()
    await site.agent("1001", "ready")


async def test_who_asks_for_a_break_while_talking_gets_it_after_the_call(site: Centre) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await site.agent("1001", "talking")
    await site.set_state("1001", "not_ready", "break")
    await answered.hears_for(0.5)
    await site.agent("1001", "talking")
    assert not answered.is_gone
    await caller.hangup()
    await site.agent("1001", "not_ready", "break")


async def test_wrap_up_comes_between_two_callers(site: Centre) -> None:
    phone = await site.operator("1001")
    first = await site.waiting(tone_hz=440)
    answered = await phone.wait_call(20)
    await answered.wait_up()
    second = await site.waiting(tone_hz=520)
    await site.contact("waiting", position=1)
    await first.hangup()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await second.hangup()
    one, two = await site.finished(2)
    ended_at, offered_at = one["segments"][-1]["ended_at"], two["offers"][0]["made_at"]
    assert datetime.fromisoformat(offered_at) - datetime.fromisoformat(ended_at) >= timedelta(seconds=1)
