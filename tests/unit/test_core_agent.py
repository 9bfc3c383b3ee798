"""The agent's state table: every state meets every signal, and his wish and his phone outlive his work."""

from itertools import product

import pytest
from msgspec.structs import replace

from ccserver.core.agent import TRANSITIONS, Agent, AgentState, Signal, advance
from ccserver.core.events import PhoneChanged
from ccserver.core.ids import AgentId
from ccserver.core.records import IntervalSaved
from tests.unit.core_case import Case, operator, plan, queue

READY, NOT_READY, LOGGED_OUT = AgentState.READY, AgentState.NOT_READY, AgentState.LOGGED_OUT
BUSY, UNREACHABLE, DIALLING = AgentState.BUSY, AgentState.UNREACHABLE, AgentState.DIALLING

HARMLESS: dict[Signal, tuple[str, set[AgentState]]] = {
    Signal.WISHED: (
        "at work it is kept for afterwards",
        {AgentState.RESERVED, AgentState.RINGING, DIALLING, AgentState.TALKING},
    ),
    Signal.DIALLED: (
        "who serves another is told so",
        {DIALLING, AgentState.TALKING},
    ),
    Signal.CALLED: (
        "who is at work is busy",
        {AgentState.RESERVED, AgentState.RINGING, DIALLING, AgentState.TALKING},
    ),
    Signal.RESERVED: ("only who is ready is offered anything", set(AgentState) - {READY}),
    Signal.RANG: ("a ring that the answer overtook", set(AgentState) - {AgentState.RESERVED}),
    Signal.ANSWERED: ("told twice", set(AgentState) - {AgentState.RESERVED, AgentState.RINGING, DIALLING}),
    Signal.RELEASED: (
        "he holds no contact",
        set(AgentState) - {AgentState.RESERVED, AgentState.RINGING, DIALLING, AgentState.TALKING},
    ),
    Signal.PAUSED: ("no offer of his", set(AgentState) - {AgentState.RESERVED, AgentState.RINGING}),
    Signal.UNREACHED: ("no offer of his", set(AgentState) - {AgentState.RESERVED, AgentState.RINGING}),
    Signal.TOOK_OVER: (
        "he is at work himself, and may take over nothing",
        {AgentState.RESERVED, AgentState.RINGING, DIALLING, AgentState.TALKING},
    ),
    Signal.TALK_ENDED: ("he does not talk", set(AgentState) - {AgentState.TALKING}),
    Signal.PHONE_LOST: (
        "noted for afterwards, or nothing new",
        {LOGGED_OUT, UNREACHABLE, AgentState.RESERVED, AgentState.RINGING, DIALLING, AgentState.TALKING},
    ),
    Signal.PHONE_BACK: ("it did not keep him from anything", set(AgentState) - {UNREACHABLE}),
    Signal.PHONE_TAKEN: (
        "noted for afterwards, or nothing new",
        {
            *(LOGGED_OUT, BUSY, UNREACHABLE, DIALLING),
            *(AgentState.RESERVED, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP),
        },
    ),
    Signal.PHONE_FREED: ("it did not keep him from anything", set(AgentState) - {BUSY}),
    Signal.TIME_UP: ("nothing was to end", set(AgentState) - {AgentState.WRAP_UP, NOT_READY, UNREACHABLE}),
}


def agent(state: AgentState, **fields: object) -> Agent:
    return replace(Agent(id=AgentId("1001"), state=state, since=10.0, then=READY, reachable=True), **fields)


@pytest.mark.parametrize(("state", "signal"), list(product(AgentState, Signal)))
def test_every_state_meets_every_signal_in_the_table_or_harmlessly(state: AgentState, signal: Signal) -> None:
    _why, harmless = HARMLESS[signal]
    assert ((state, signal) in TRANSITIONS) != (state in harmless), "in exactly one of the two"
    before = agent(state)
    after = advance(before, signal, 20.0)
    assert (after is before) or (state, signal) in TRANSITIONS


@pytest.mark.parametrize("state", AgentState)
def test_whatever_happens_a_logged_out_wish_is_obeyed_when_work_allows(state: AgentState) -> None:
    for signal in Signal:
        after = advance(agent(state, then=LOGGED_OUT, reachable=False), signal, 20.0)
        assert after.state not in {READY, NOT_READY} or after.state is state


def test_work_ends_in_the_state_he_wished_as_far_as_his_phone_allows() -> None:
    wrapped_up = agent(AgentState.WRAP_UP, then_reason="lunch")
    ends = {
        (READY, True, False): READY,
        (NOT_READY, True, False): NOT_READY,
        (LOGGED_OUT, True, False): LOGGED_OUT,
        (READY, False, False): UNREACHABLE,
        (READY, True, True): BUSY,
        (NOT_READY, False, True): UNREACHABLE,
        (LOGGED_OUT, False, True): LOGGED_OUT,
    }
    for (then, reachable, in_use), state in ends.items():
        after = advance(replace(wrapped_up, then=then, reachable=reachable, in_use=in_use), Signal.TIME_UP, 20.0)
        assert (after.state, after.since) == (state, 20.0)
        assert after.reason == ("lunch" if state is NOT_READY else "")


def test_a_change_ends_whatever_was_to_end_by_itself() -> None:
    paused = agent(NOT_READY, reason="refused", deadline=30.0)
    assert advance(paused, Signal.PHONE_LOST, 20.0).deadline is None
    assert advance(paused, Signal.PHONE_BACK, 20.0).deadline == 30.0


def test_what_is_told_late_does_not_make_his_time_run_backwards() -> None:
    after = advance(agent(AgentState.RINGING), Signal.ANSWERED, 5.0)
    assert after.since == 10.0


# --- in the house -------------------------------------------------------------------------------------------------------


def test_a_wish_during_a_talk_counts_after_the_wrap_up() -> None:
    told = Case()
    told.call()
    told.answers()
    told.wish("1001", "not_ready", "lunch")
    assert told.agent().state is AgentState.TALKING
    told.ended("n1-c1.1")
    assert told.agent().state is AgentState.WRAP_UP
    told.wait(15.0)
    assert (told.agent().state, told.agent().reason) == (NOT_READY, "lunch")


def test_a_wish_in_wrap_up_ends_it() -> None:
    told = Case()
    told.call()
    told.answers()
    told.ended("n1-c1.1")
    told.wait(1.0)
    told.wish("1001", "ready")
    assert told.agent().state is READY and told.agent().deadline is None


def test_without_wrap_up_he_is_ready_at_once() -> None:
    told = Case(plan(queues=[queue(wrap_up_s=0.0)]))
    told.call()
    told.answers()
    told.ended("n1-c1.1")
    assert told.agent().state is READY
    assert [each.state for each in told.kept(IntervalSaved)][-2:] == [AgentState.TALKING, AgentState.WRAP_UP]


def test_a_phone_lost_in_mid_talk_is_remembered_and_the_talk_goes_on() -> None:
    told = Case()
    told.call()
    told.answers()
    told.phone("1001", reachable=False)
    assert told.agent().state is AgentState.TALKING and not told.commands
    told.ended("n1-c1.1")
    told.wait(15.0)
    assert told.agent().state is UNREACHABLE
    told.phone("1001")
    assert told.agent().state is READY


@pytest.mark.parametrize(("state", "reason"), [("ready", ""), ("not_ready", "lunch"), ("logged_out", "")])
def test_who_lost_his_registration_resumes_the_state_he_had(state: str, reason: str) -> None:
    told = Case()
    told.wish("1001", state, reason)
    told.phone("1001", reachable=False)
    assert told.agent().state == (UNREACHABLE if state != "logged_out" else LOGGED_OUT)
    told.phone("1001")
    assert (told.agent().state, told.agent().reason) == (state, reason)


def test_a_phone_that_comes_back_counts_at_once_even_when_it_was_to_be_tried_later() -> None:
    told = Case()
    told.call()
    told.wait(5.0)
    told.ended("n1-c1.1")
    assert told.agent().state is UNREACHABLE and told.agent().deadline is not None
    told.phone("1001", reachable=True)
    assert told.agent().state is UNREACHABLE, "it was registered all the time, and does not answer"
    told.phone("1001", reachable=False)
    told.phone("1001", reachable=True)
    assert told.offered() == [("c1", "1001")]


def test_a_phone_that_registers_anew_is_tried_at_once() -> None:
    told = Case()
    told.call()
    told.wait(5.0)
    told.ended("n1-c1.1")
    assert told.agent().state is UNREACHABLE
    told.tell(PhoneChanged(AgentId("1001"), reachable=True, in_use=False, anew=True, at=told.now))
    assert told.offered() == [("c1", "1001")]


def test_a_phone_in_a_call_of_its_own_is_busy_and_ready_again_afterwards() -> None:
    told = Case()
    told.phone("1001", in_use=True)
    told.call()
    assert told.agent().state is BUSY and not told.offered()
    told.phone("1001")
    assert told.offered() == [("c1", "1001")]


def test_a_call_of_his_own_during_ours_counts_afterwards() -> None:
    told = Case(plan(queues=[queue(wrap_up_s=0.0)]))
    told.call()
    told.answers()
    told.phone("1001", in_use=True)
    assert told.agent().state is AgentState.TALKING
    told.ended("n1-c1.1")
    assert told.agent().state is BUSY


def test_idle_time_begins_with_the_end_of_work_and_survives_ringing_in_vain_and_own_calls() -> None:
    told = Case(plan(queues=[queue(wrap_up_s=10.0)]))
    told.wait(5.0)
    told.phone("1001", in_use=True)
    told.phone("1001")
    told.phone("1001", reachable=False)
    told.phone("1001")
    assert told.agent().idle_since == 1000.0
    told.call()
    told.rings()
    told.hang_up()
    told.ended("n1-c1.1")
    assert told.agent().idle_since == 1000.0
    told.call("c2")
    told.answers("n1-c2.1")
    told.wait(60.0)
    told.ended("n1-c2.1")
    told.wait(10.0)
    assert told.agent().idle_since == 1075.0


def test_a_call_of_his_own_in_wrap_up_does_not_give_him_back_the_idle_time_from_before_the_talk() -> None:
    told = Case()
    told.call()
    told.answers()
    told.wait(60.0)
    told.ended("n1-c1.1")
    told.phone("1001", in_use=True)
    told.wait(5.0)
    told.phone("1001")
    assert told.agent().idle_since == 1060.0


def test_who_becomes_ready_before_his_phone_is_registered_is_not_the_longest_idle_of_all() -> None:
    told = Case(plan(operators=[operator("1001"), operator("1002")]), ready=False)
    told.phone("1001")
    told.wish("1001", "ready")
    told.wait(60.0)
    told.wish("1002", "ready")
    told.phone("1002")
    assert told.agent("1002").idle_since == 1060.0
    told.call()
    assert told.offered() == [("c1", "1001")]


def test_who_was_at_lunch_with_his_phone_off_has_not_been_idle_meanwhile() -> None:
    told = Case()
    told.wish("1001", "not_ready", "lunch")
    told.phone("1001", reachable=False)
    told.wait(60.0)
    told.wish("1001", "ready")
    told.wait(10.0)
    told.phone("1001")
    assert told.agent().idle_since == 1060.0
    told.wish("1001", "ready")
    assert told.agent().idle_since == 1060.0


def test_every_stretch_of_his_time_is_kept_without_gap() -> None:
    told = Case()
    told.wait(10.0)
    told.call()
    told.wait(1.0)
    told.rings()
    told.wait(2.0)
    told.answers()
    told.wait(30.0)
    told.ended("n1-c1.1")
    told.wait(15.0)
    told.wish("1001", "not_ready", "lunch")
    told.wait(1.0)
    told.wish("1001", "not_ready", "training")
    kept = [(each.n, each.state, each.reason, each.ended_at - each.started_at) for each in told.kept(IntervalSaved)]
    assert kept == [
        (1, "logged_out", "", 0.0),
        (2, "ready", "", 10.0),
        (3, "reserved", "", 1.0),
        (4, "ringing", "", 2.0),
        (5, "talking", "", 30.0),
        (6, "wrap_up", "", 15.0),
        (7, "ready", "", 0.0),
        (8, "not_ready", "lunch", 1.0),
    ]
    contacts = {each.state for each in told.kept(IntervalSaved) if each.contact is not None}
    assert contacts == {AgentState.RESERVED, AgentState.RINGING, AgentState.TALKING}


def test_the_same_wish_again_begins_nothing_new() -> None:
    told = Case()
    told.wait(5.0)
    told.wish("1001", "ready")
    assert told.agent().since == 1000.0 and told.agent().idle_since == 1000.0
