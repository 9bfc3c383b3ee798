"""The live state is what the records leave: compared with the simplest thing that could be true, over random histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ccserver.core.agent import Agent, AgentState
from ccserver.core.contact import Contact, ContactState, Recording
from ccserver.core.ids import AgentId, ContactId, LegId, PlanHash, RecordingName
from ccserver.core.records import AgentSaved, ContactSaved, PlanAdopted, Record, RecordingSaved
from ccserver.store.live import Restored, changes, restored
from tests.store_turns import Script, plan

NAMES = st.sampled_from(["1", "2", "3"])
TIMES = st.floats(min_value=0, max_value=4e9, allow_nan=False)
BASE = Script().arrived()[0]

contacts = st.builds(
    lambda name, state, plan_name, ani, talks, at: replace(
        BASE,
        id=ContactId(f"a1-{name}"),
        leg=LegId(name),
        state=state,
        plan=PlanHash(f"plan-{plan_name}"),
        ani=ani,
        arrived_at=at,
        recording=None if talks is None else Recording(name=RecordingName(f"rec-{name}"), talks=talks),
    ),
    NAMES,
    st.sampled_from(ContactState),
    NAMES,
    st.text(max_size=20),
    st.none() | st.lists(st.tuples(TIMES, TIMES), max_size=2).map(tuple),
    TIMES,
)
agents = st.builds(Agent, id=NAMES.map(AgentId), state=st.sampled_from(AgentState), since=TIMES, reason=st.text())
recorded = st.builds(
    lambda name: RecordingSaved(
        contact=ContactId(f"a1-{name}"), recording=RecordingName(f"rec-{name}"), kind="talk", path=None, duration_s=0
    ),
    NAMES,
)
records: st.SearchStrategy[Record] = st.one_of(
    contacts.map(ContactSaved), agents.map(AgentSaved), recorded, NAMES.map(plan).map(PlanAdopted)
)


def kept(turns: list[list[Record]]) -> Restored:
    """The live state through `changes` and `restored`, as the journal keeps it."""
    rows: dict[tuple[str, str], bytes] = {}
    for turn in turns:
        for key, value in changes(turn).items():
            rows.pop(key, None)
            if value is not None:
                rows[key] = value
    return restored([(*key, value) for key, value in rows.items()], 7, 1.5)


@given(st.lists(st.lists(records, max_size=4), max_size=12))
def test_what_is_restored_is_what_the_records_say(turns: list[list[Record]]) -> None:
    live: dict[str, Contact] = {}
    pending: dict[str, Contact] = {}
    agents_now: dict[str, Agent] = {}
    adopted = [record.plan for turn in turns for record in turn if isinstance(record, PlanAdopted)]
    for turn in turns:
        for record in turn:
            match record:
                case ContactSaved(contact=contact) if contact.state is ContactState.CLOSED:
                    live.pop(contact.id, None)
                    if contact.recording and contact.recording.talks:
                        pending[contact.recording.name] = contact
                case ContactSaved(contact=contact):
                    live[contact.id] = contact
                case AgentSaved(agent=agent):
                    agents_now[agent.id] = agent
        for record in turn:
            if isinstance(record, RecordingSaved):
                pending.pop(record.recording, None)
    used = {contact.plan for contact in (*live.values(), *pending.values())}
    plans = {plan.hash: plan for plan in adopted if plan.hash in used or plan is adopted[-1]}
    expected = Restored(
        seq=7,
        now=1.5,
        plan=adopted[-1] if adopted else None,
        plans=tuple(plans[name] for name in sorted(plans)),
        contacts=tuple(live[name] for name in sorted(live)),
        agents=tuple(agents_now[name] for name in sorted(agents_now)),
        pending_recordings=tuple(pending[name] for name in sorted(pending)),
    )
    assert kept(turns) == expected


def test_a_closed_contact_is_awaited_until_its_recording_is_told() -> None:
    script = Script()
    *before, closed, told = script.call()
    awaited = kept([list(turn.records) for turn in (*before, closed)])
    assert [contact.state for contact in awaited.pending_recordings] == [ContactState.CLOSED]
    assert awaited.contacts == ()
    assert kept([list(turn.records) for turn in (*before, closed, told)]).pending_recordings == ()


def test_a_row_of_an_unknown_kind_is_refused_rather_than_forgotten() -> None:
    with pytest.raises(KeyError):
        restored([("callback", "1", b"{}")], 1, 1.0)
