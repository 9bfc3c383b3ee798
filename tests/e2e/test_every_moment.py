"""Callers who hang up at every possible moment, many of them at once: each is counted once, and nothing is left behind."""

import asyncio
from collections.abc import Awaitable, Callable

from ccserver.sim.phones import Call, RingThenAnswer
from tests.e2e.centre import Centre, Status

Moment = Callable[[Centre, Call, str], Awaitable[None]]


async def _at_once(site: Centre, call: Call, number: str) -> None:
    pass


async def _answered(site: Centre, call: Call, number: str) -> None:
    await call.wait_up()


async def _greeted(site: Centre, call: Call, number: str) -> None:
    await call.wait_up()
    await call.hears_for(0.5)


async def _pressed(site: Centre, call: Call, number: str) -> None:
    await call.wait_up()
    await call.send_dtmf("1")


async def _left_the_menu(site: Centre, call: Call, number: str) -> None:
    await _pressed(site, call, number)

    def look(status: Status) -> bool:
        return any(contact["ani"] == number and contact["state"] != "flow" for contact in status["contacts"])

    await site.until(look, 20)


async def _talks(site: Centre, call: Call, number: str) -> None:
    await _pressed(site, call, number)
    await site.contact("talking", 20, ani=number)


MOMENTS: tuple[Moment, ...] = (_at_once, _answered, _greeted, _pressed, _left_the_menu, _talks)
CALLS = 3 * len(MOMENTS)


async def test_callers_who_hang_up_at_every_moment_leave_nothing_behind_and_each_is_counted(site: Centre) -> None:
    await site.operators("1001", "1003")
    await site.operator("1002", answer=RingThenAnswer(0.3))

    async def call(n: int) -> None:
        number = f"+74950001{n:03}"
        caller = await site.dial(number=number, tone_hz=440)
        await MOMENTS[n % len(MOMENTS)](site, caller, number)
        await caller.hangup()

    await asyncio.gather(*(call(n) for n in range(CALLS)))
    await site.until(lambda status: not status["contacts"])
    for extension in ("1001", "1002", "1003"):
        await site.agent(extension, "ready")
    await site.nothing_left()
    # Who hangs up at once may never have reached us: the others have.
    contacts = await site.finished(CALLS - CALLS // len(MOMENTS))
    numbers = [contact["ani"] for contact in contacts]
    assert len(set(numbers)) == len(numbers)
    for contact in contacts:
        assert [s["n"] for s in contact["segments"]] == list(range(1, len(contact["segments"]) + 1))
        assert all(s["ended_at"] and s["outcome"] for s in contact["segments"])
        assert all(offer["outcome"] for offer in contact["offers"])
        times = [moment for s in contact["segments"] for moment in (s["started_at"], s["ended_at"])]
        assert times == sorted(times)
        assert (contact["outcome"] == "answered") == any(s["kind"] == "talk" for s in contact["segments"])
