"""Announcements, lines closed by hand and blocked numbers, taken and lifted while calls go on; kept when the daemon is killed."""

from typing import Any

from ccserver.sim.phones.tones import Sound, read_wav
from tests.e2e.centre import CALLER_HZ, LINE, OPERATOR_HZ, Centre

BY = "Ирина"


async def take(centre: Centre, **wish: Any) -> dict[str, Any]:
    async with centre.http.post(f"{centre.url}/api/measures", json={"by": BY, **wish}) as answer:
        body: dict[str, Any] = await answer.json()
        assert answer.status == 200, body
        return body


async def lift(centre: Centre, measure: dict[str, Any]) -> None:
    async with centre.http.delete(f"{centre.url}/api/measures/{measure['id']}", params={"by": BY}) as answer:
        assert answer.status == 200, await answer.text()


def prompt(centre: Centre, name: str) -> Sound:
    return read_wav(centre.asterisk.instance.prompts_dir / "ru" / f"{name}.wav")[0]


async def test_an_announcement_is_heard_by_who_waits_and_first_by_who_calls_also_after_a_crash(centre: Centre) -> None:
    waiting = await centre.waiting("1")
    await centre.contact("waiting", queue="orders")
    await waiting.hears_music(20)
    measure = await take(centre, kind="announcement", prompts=["line-closed"])
    await waiting.hears_prompt(prompt(centre, "line-closed"), 15)
    await waiting.hears_music(15)
    await centre.kill()
    await centre.start()
    status = await centre.get("/api/status")
    assert [(each["id"], each["by"]) for each in status["measures"]] == [(measure["id"], BY)]
    assert "announcement" in [alarm["name"] for alarm in status["alarms"]]
    calling = await centre.dial()
    await calling.hears_prompt(prompt(centre, "line-closed"), 15)
    await calling.hears_prompt(prompt(centre, "nordlis-greeting"), 20)
    await lift(centre, measure)
    again = await centre.dial()
    await again.hears_prompt(prompt(centre, "nordlis-greeting"), 15)
    for call in (waiting, calling, again):
        await call.hangup()
    await centre.finished(3)


async def test_a_line_closed_by_hand_is_busy_and_who_talks_talks_on(centre: Centre) -> None:
    phone = await centre.operator("1001")
    talking = await centre.waiting("1")
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await talking.hears(OPERATOR_HZ["1001"])
    queued = await centre.waiting("1")
    await centre.contact("waiting", queue="orders")
    measure = await take(centre, kind="closure", line=LINE, queued="close", treatment="busy")
    await queued.wait_gone()
    refused = await centre.dial()
    ended = await refused.wait_gone()
    assert (ended.code, refused.answered_at) == (486, None)
    await answered.hears(CALLER_HZ)
    await lift(centre, measure)
    open_again = await centre.dial()
    await open_again.wait_up()
    await open_again.hangup()
    await talking.hangup()
    contacts = await centre.finished(4)
    assert sorted(contact["outcome"] for contact in contacts) == ["answered", "flow_abandoned", "overflowed", "refused"]


async def test_a_blocked_number_is_rejected_however_the_network_writes_it(centre: Centre) -> None:
    measure = await take(centre, kind="block", number="8 916 123-45-67", reason="nuisance")
    call = await centre.dial(number="89161234567")
    ended = await call.wait_gone()
    assert (ended.code, call.answered_at) == (603, None)
    (contact,) = await centre.finished()
    assert (contact["outcome"], contact["ani"]) == ("blocked", "+79161234567")
    assert contact["reason"] == f"+79161234567 was blocked by {BY}: nuisance"
    assert (await centre.metrics())["ccserver_contacts_total", "inbound", LINE, "blocked"] == 1
    await lift(centre, measure)
    let_in = await centre.dial(number="89161234567")
    await let_in.wait_up()
    await let_in.hangup()
    await centre.finished(2)
