"""The live state: what a restart needs, kept in the journal beside the turns and changed in the same transaction.

A row is (kind, key) -> JSON:

    plan       hash         every plan that came into force and may still be used by a live contact
    current    plan         the hash of the one in force
    contact    contact id   the contact, until it is CLOSED
    recording  recording    the closed contact whose recording is still awaited, until a `RecordingSaved` tells its end
    agent      agent id     the agent, for ever
    disposition  talk       what the talk was about, until its day is over
    measure    measure id   the measure, until it is lifted
    learnt     queue        what the queue has learnt of its waits, for ever
    talked     number       who talked with the customer last, and when, until it is forgotten
    dialled    flows        when flows had somebody outside called within the last hour

`changes` makes rows of a turn's records; `restored` makes the nouns of rows.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.agent import Agent
from ccserver.core.contact import Contact, ContactState
from ccserver.core.disposition import Disposition
from ccserver.core.ewt import Learnt
from ccserver.core.ids import AgentId, QueueName
from ccserver.core.measure import Measure
from ccserver.core.plan import Plan
from ccserver.core.records import (
    AgentSaved,
    ContactSaved,
    DispositionForgotten,
    DispositionSaved,
    FlowCallsCounted,
    LearntSaved,
    MeasureLifted,
    MeasureSaved,
    PlanAdopted,
    Record,
    RecordingSaved,
    TalkRemembered,
)

KINDS = ("plan", "current", "contact", "recording", "agent", "learnt", "talked", "dialled", "disposition", "measure")
Row = tuple[str, str, bytes]
"""kind, key, value."""

_encode = msgspec.json.Encoder().encode
_plan = msgspec.json.Decoder(Plan).decode
_contact = msgspec.json.Decoder(Contact).decode
_agent = msgspec.json.Decoder(Agent).decode
_disposition = msgspec.json.Decoder(Disposition).decode
_talked = msgspec.json.Decoder(tuple[AgentId, float]).decode
_times = msgspec.json.Decoder(tuple[float, ...]).decode
_measure = msgspec.json.Decoder(Measure).decode
_learnt = msgspec.json.Decoder(Learnt).decode


class Restored(Struct, frozen=True, kw_only=True):
    """What a router begins with after a restart, or `ccserver replay` at a snapshot. All in the order of their ids."""

    seq: int
    """Of the last turn it contains; 0: there was none."""
    now: float
    """The router's clock at that turn: a new one must not begin before it."""
    plan: Plan | None
    """The plan in force."""
    plans: tuple[Plan, ...]
    """`plan` and whatever else a live contact still uses."""
    contacts: tuple[Contact, ...]
    """Neither is CLOSED."""
    agents: tuple[Agent, ...]
    pending_recordings: tuple[Contact, ...]
    """CLOSED contacts whose recording was asked for (`KeepRecording`) and of which nothing was heard since."""
    learnt: Mapping[QueueName, Learnt] = {}
    """Of each queue."""
    last_talks: Mapping[str, tuple[AgentId, float]] = {}
    """By the customer's number."""
    flow_calls: tuple[float, ...] = ()
    dispositions: tuple[Disposition, ...] = ()
    """Of talks whose day is not over, the oldest first."""
    measures: tuple[Measure, ...] = ()


def changes(records: Iterable[Record]) -> dict[tuple[str, str], bytes | None]:
    """The rows to put, or (None) to delete; only the last value of each."""
    rows: dict[tuple[str, str], bytes | None] = {}
    ended: list[str] = []
    for record in records:
        match record:
            case AgentSaved(agent=agent):
                rows["agent", agent.id] = _encode(agent)
            case ContactSaved(contact=contact):
                live = contact.state is not ContactState.CLOSED
                rows["contact", contact.id] = _encode(contact) if live else None
                for each in () if live else (*contact.recorded, contact.recording):
                    if each is not None and each.talks:
                        rows["recording", each.name] = _encode(replace(contact, recording=each))
            case RecordingSaved(recording=recording):
                ended.append(recording)
            case LearntSaved(queue=queue, learnt=learnt):
                rows["learnt", queue] = _encode(learnt)
            case TalkRemembered(ani=ani, agent=agent_id, at=at):
                rows["talked", ani] = _encode((agent_id, at)) if agent_id is not None else None
            case FlowCallsCounted(times=times):
                rows["dialled", "flows"] = _encode(times)
            case DispositionSaved(disposition=disposition):
                rows["disposition", disposition.talk] = _encode(disposition)
            case DispositionForgotten(talk=talk):
                rows["disposition", talk] = None
            case MeasureSaved(measure=measure):
                rows["measure", measure.id] = _encode(measure)
            case MeasureLifted(measure=measure):
                rows["measure", measure.id] = None
            case PlanAdopted(plan=plan):
                rows["plan", plan.hash] = _encode(plan)
                rows["current", "plan"] = plan.hash.encode()
    # After the rest: within one turn nobody promises that a recording ends after the contact that it belongs to.
    rows.update({("recording", recording): None for recording in ended})
    return rows


def restored(rows: Iterable[Row], seq: int, now: float) -> Restored:
    """The nouns; raises `msgspec.MsgspecError` on a row that is none of ours."""
    of: dict[str, dict[str, bytes]] = {kind: {} for kind in KINDS}
    for kind, key, value in sorted(rows):
        of[kind][key] = value
    contacts = tuple(map(_contact, of["contact"].values()))
    pending = tuple(map(_contact, of["recording"].values()))
    current = of["current"].get("plan", b"").decode()
    used = {current, *(contact.plan for contact in (*contacts, *pending))}
    plans = {key: _plan(value) for key, value in of["plan"].items() if key in used}
    return Restored(
        seq=seq,
        now=now,
        plan=plans.get(current),
        plans=tuple(plans.values()),
        contacts=contacts,
        agents=tuple(map(_agent, of["agent"].values())),
        pending_recordings=pending,
        dispositions=tuple(sorted(map(_disposition, of["disposition"].values()), key=lambda each: each.talked_at)),
        last_talks={ani: _talked(value) for ani, value in of["talked"].items()},
        flow_calls=_times(of["dialled"].get("flows", b"[]")),
        learnt={QueueName(queue): _learnt(value) for queue, value in of["learnt"].items()},
        measures=tuple(map(_measure, of["measure"].values())),
    )
