"""The daemon dies at every step of a call; the caller and the operator must hardly notice, and the CDR must be true."""

import signal
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row, contact_centre

CRASHING = str(Path(__file__).with_name("crashing_daemon.py"))
SLACK_S = 1.0
"""Between a phone's hang-up as the test sees it and as Asterisk writes it, on a busy machine."""


@pytest.fixture
async def idle(tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A contact centre whose daemon does not run yet."""
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        yield centre


async def crash_at(centre: Centre, what: str, when: str) -> None:
    """Serve with a daemon that will die there."""
    await centre.start(what, when, program=(CRASHING,))


async def died(centre: Centre) -> None:
    """The daemon has reached the point of its death."""
    assert await centre.ended(30) == -signal.SIGKILL, centre.log()


async def talk(centre: Centre, caller: Call, phone: Phone, hz: int) -> Call:
    """Whatever stage the call has reached: see it through to a talk with sound in both directions."""

    def look(status: Row) -> str | None:
        return next((contact["state"] for contact in status["contacts"]), None)

    await caller.wait_up(20)
    if await centre.until(look, 15) == "flow":
        await caller.send_dtmf("1")
    await centre.contact("talking", 20, agent=phone.user)
    answered = phone.incoming[-1]
    await answered.wait_up()
    caller.say_tone(CALLER_HZ)
    await caller.hears(hz, 10)
    await answered.hears(CALLER_HZ, 10)
    return answered


def outcomes(contact: Row) -> list[tuple[str, str]]:
    """Kind and outcome of each segment."""
    return [(segment["kind"], segment["outcome"]) for segment in contact["segments"]]


STEPS = [
    ("ContactArrived", "before"),
    ("ContactArrived", "after"),
    ("PlayPrompts", "after"),
    ("KeyPressed", "before"),
    ("KeyPressed", "after"),
    ("OfferContact", "before"),
    ("OfferContact", "after"),
    ("RecordingStarted", "before"),
    ("RecordingStarted", "after"),
    ("LegDialled", "after"),
    ("LegRinging", "before"),
    ("LegRinging", "after"),
    ("LegAnswered", "before"),
    ("LegAnswered", "after"),
]


@pytest.mark.parametrize(("what", "when"), STEPS, ids=[f"{when}-{what}" for what, when in STEPS])
async def test_killed_on_the_way_to_an_operator_the_call_still_gets_there(
    idle: Centre, tmp_path: Path, what: str, when: str
) -> None:
    await crash_at(idle, what, when)
    phone = await idle.operator("1001")
    caller = await idle.dial()
    if what not in ("ContactArrived", "PlayPrompts"):
        await caller.wait_up(20)
        await caller.send_dtmf("1")
    await died(idle)
    assert not caller.is_gone
    await idle.start()
    answered = await talk(idle, caller, phone, OPERATOR_HZ["1001"])
    await answered.hears_for(1)
    await caller.hangup()
    await answered.wait_gone()

    (contact,) = await idle.finished(recorded=True)
    assert outcomes(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
    assert (contact["outcome"], contact["agent"]) == ("answered", "1001")
    left, right = read_wav(await idle.recording(contact, tmp_path / "talk.wav"))
    assert carries(left, CALLER_HZ) and carries(right, OPERATOR_HZ["1001"])
    await idle.agent("1001", "ready")


ENDS = [(what, when) for what in ("LegEnded", "ReleaseContact", "RecordingKept") for when in ("before", "after")]


@pytest.mark.parametrize(("what", "when"), ENDS, ids=[f"{when}-{what}" for what, when in ENDS])
async def test_killed_while_a_talk_ends_nothing_of_it_is_lost(
    idle: Centre, tmp_path: Path, what: str, when: str
) -> None:
    await crash_at(idle, what, when)
    phone = await idle.operator("1001")
    caller = await idle.dial()
    await caller.wait_up()
    await caller.send_dtmf("1")
    answered = await talk(idle, caller, phone, OPERATOR_HZ["1001"])
    await answered.hears_for(1)
    ended_at = time.time()
    await answered.hangup()
    await died(idle)
    await idle.start()
    await caller.wait_gone()

    (contact,) = await idle.finished(recorded=True)
    assert outcomes(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "agent_left")]
    talked_s = ended_at - answered_at(contact)
    assert abs(contact["talk_s"] - talked_s) < SLACK_S
    left, right = read_wav(await idle.recording(contact, tmp_path / "talk.wav"))
    assert carries(left, CALLER_HZ) and carries(right, OPERATOR_HZ["1001"])
    await idle.agent("1001", "ready")


def answered_at(contact: Row) -> float:
    """When the talk began, epoch seconds."""
    (began,) = (segment["started_at"] for segment in contact["segments"] if segment["kind"] == "talk")
    return time_of(began)


async def test_an_operator_who_answers_while_the_daemon_is_dead_is_talking(idle: Centre) -> None:
    await idle.start()
    phone = await idle.operator("1001", answer="ring")
    caller = await idle.waiting()
    ringing = await phone.wait_call()
    await idle.agent("1001", "ringing")
    await idle.kill()
    await ringing.answer()
    picked_up_at = time.time()
    await ringing.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await ringing.hears(CALLER_HZ)
    await idle.start()
    await idle.contact("talking", agent="1001")
    await ringing.hangup()
    await caller.wait_gone()
    (contact,) = await idle.finished()
    assert abs(answered_at(contact) - picked_up_at) < SLACK_S
    assert outcomes(contact)[1:] == [("queue", "answered"), ("talk", "agent_left")]


async def test_a_caller_who_leaves_the_queue_while_the_daemon_is_dead_has_left_at_that_time(idle: Centre) -> None:
    await idle.start()
    caller = await idle.waiting()
    await idle.contact("waiting")
    await idle.kill()
    await caller.hears_for(2)  # the music goes on
    hung_up_at = time.time()
    await caller.hangup()
    await idle.start()
    (contact,) = await idle.finished()
    assert contact["outcome"] == "abandoned"
    ended_at = time_of(contact["ended_at"])
    assert abs(ended_at - hung_up_at) < SLACK_S


def time_of(text: str) -> float:
    """ISO 8601 -> epoch seconds."""
    return datetime.fromisoformat(text).timestamp()


async def test_a_caller_who_hangs_up_during_a_talk_while_the_daemon_is_dead(idle: Centre) -> None:
    await idle.start()
    phone = await idle.operator("1001")
    caller = await idle.waiting()
    answered = await talk(idle, caller, phone, OPERATOR_HZ["1001"])
    await idle.kill()
    hung_up_at = time.time()
    await caller.hangup()
    await idle.start()
    await answered.wait_gone()
    (contact,) = await idle.finished()
    assert outcomes(contact)[-1] == ("talk", "caller_left")
    assert abs(time_of(contact["ended_at"]) - hung_up_at) < SLACK_S
    await idle.agent("1001", "ready")


async def test_places_in_the_queue_survive_the_daemon(idle: Centre) -> None:
    await idle.start()
    callers = []
    for _ in range(3):
        callers.append(await idle.waiting())
        await idle.until(lambda status: sum(c["state"] == "waiting" for c in status["contacts"]) == len(callers))
    await idle.kill()
    await idle.start()
    phone = await idle.phone("1001")
    await idle.set_state("1001", "ready")
    for caller in callers:
        answered = await phone.wait_call(10)
        await answered.wait_up()
        await caller.hears(OPERATOR_HZ["1001"])
        await answered.hangup()
        await caller.wait_gone()
    contacts = await idle.finished(3)
    assert [contact["outcome"] for contact in contacts] == ["answered"] * 3


async def test_a_call_that_comes_while_the_daemon_is_dead_waits_in_the_fallback_and_is_served(idle: Centre) -> None:
    await idle.start()
    phone = await idle.operator("1001")
    await idle.kill()
    caller = await idle.dial()
    await caller.wait_ringing()
    await idle.start()
    answered = await talk(idle, caller, phone, OPERATOR_HZ["1001"])
    await answered.hangup()
    (contact,) = await idle.finished()
    assert contact["outcome"] == "answered"


async def test_a_new_daemon_takes_over_and_no_event_is_lost(idle: Centre) -> None:
    await idle.start()
    phone = await idle.operator("1001")
    talking = await idle.waiting()
    answered = await talk(idle, talking, phone, OPERATOR_HZ["1001"])
    waiting = await idle.waiting()
    await idle.contact("waiting")
    old = idle.daemon
    assert old is not None
    await idle.start("--takeover")
    assert await old.wait() == 0
    await answered.hangup()
    await talking.wait_gone()
    second = await phone.wait_call(10)
    await second.wait_up()
    await waiting.hears(OPERATOR_HZ["1001"])
    await waiting.hangup()
    contacts = await idle.finished(2)
    assert [contact["outcome"] for contact in contacts] == ["answered", "answered"]


async def test_a_second_daemon_says_who_holds_the_journal_and_leaves(idle: Centre) -> None:
    await idle.start()
    first = idle.daemon
    assert first is not None
    await idle.spawn()
    assert await idle.ended() == 75
    assert f"in use by process {first.pid}" in idle.log()
    assert first.returncode is None


async def test_asterisk_dies_every_contact_is_closed_truthfully_and_the_next_call_is_served(idle: Centre) -> None:
    await idle.start()
    phone = await idle.operator("1001")
    talking = await idle.waiting()
    await talk(idle, talking, phone, OPERATOR_HZ["1001"])
    await idle.waiting()
    await idle.contact("waiting")
    died_at = time.time()
    await idle.asterisk.kill()
    await idle.until(lambda status: not status["asterisk"]["connected"])
    await idle.asterisk.start()
    contacts = await idle.finished(2, timeout_s=40)
    assert [contact["outcome"] for contact in contacts] == ["answered", "failed"]
    assert [outcomes(contact)[-1] for contact in contacts] == [("talk", "failed"), ("queue", "failed")]
    for contact in contacts:
        assert abs(time_of(contact["ended_at"]) - died_at) < 6  # a dead socket is noticed within the heartbeat
    await phone.close()
    phone = await idle.phone("1001")
    await idle.agent("1001", "ready", timeout_s=20)
    caller = await idle.waiting()
    await talk(idle, caller, phone, OPERATOR_HZ["1001"])
    await caller.hangup()
    assert len(await idle.finished(3)) == 3
