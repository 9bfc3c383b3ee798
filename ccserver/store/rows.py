"""What goes into the store's tables and what comes out: records become rows here, rows become the Structs of the API here."""

from collections.abc import Iterable, Iterator
from typing import assert_never

import msgspec
from msgspec import Struct
from sqlalchemy import Table

from ccserver.core.agent import AgentState
from ccserver.core.attempt import AttemptOutcome
from ccserver.core.callback import Callback
from ccserver.core.contact import ContactOutcome, ContactState, Direction, SegmentKind, SegmentOutcome, Transfer
from ccserver.core.events import CallbackSource
from ccserver.core.ids import (
    AgentId,
    AttemptId,
    ContactId,
    FlowName,
    Language,
    LineNumber,
    OfferId,
    QueueName,
    RecordingName,
    TrunkName,
)
from ccserver.core.measure import Measure
from ccserver.core.offer import OfferOutcome
from ccserver.core.records import (
    AgentSaved,
    AttemptSaved,
    ContactSaved,
    DecisionSaved,
    DispositionForgotten,
    DispositionSaved,
    FlowCallsCounted,
    InquirySaved,
    IntervalSaved,
    LearntSaved,
    MeasureLifted,
    MeasureSaved,
    OfferSaved,
    PlanAdopted,
    PreservationSaved,
    RecordingSaved,
    SegmentSaved,
    ShortageSaved,
    SupervisionSaved,
    SurveySaved,
    TalkRemembered,
)
from ccserver.store import tables
from ccserver.store.journal_file import TurnRecords

_Alone = (
    ContactSaved
    | SegmentSaved
    | OfferSaved
    | AttemptSaved
    | IntervalSaved
    | DispositionSaved
    | RecordingSaved
    | PreservationSaved
    | SupervisionSaved
    | PlanAdopted
    | DecisionSaved
    | ShortageSaved
    | InquirySaved
    | MeasureSaved
    | MeasureLifted
)
_Tabled = _Alone | SurveySaved
Value = str | float | int | None
Values = dict[str, Value]
"""One row by column, as SQLAlchemy wants it."""


class ContactRow(Struct, frozen=True, kw_only=True):
    """One line of the list of contacts. Times are UTC epoch seconds, durations seconds, both to the millisecond."""

    id: ContactId
    line: LineNumber
    ani: str
    direction: Direction
    trunk: TrunkName | None
    language: Language
    state: ContactState
    queue: QueueName | None
    """The first queue."""
    outcome: ContactOutcome | None
    """None: it is still going on."""
    agent: AgentId | None
    """The last agent who talked."""
    arrived_at: float
    ended_at: float | None
    ivr_s: float
    wait_s: float
    ring_s: float
    talk_s: float
    """Without hold."""
    hold_s: float = 0.0
    holds: int = 0
    dial_s: float
    reason: str
    """Why a call was not let in or out, or what became of each trunk."""
    brand: str
    source: str
    """Of the line as it was then: whose number, and what it stands for."""
    answered_at: float | None
    """When the customer's leg was answered: from then on somebody pays."""
    recording: str | None
    """Relative to the recordings directory; of several the talk's."""
    callback: CallbackSource | None = None
    """How a call came to be owed to him; None: none was."""
    callback_number: str = ""
    callback_tries: int = 0
    """In vain."""
    callback_answered_at: float | None = None
    """When an operator talked with him after all."""
    callback_s: float = 0.0
    """How long it was owed, with nobody on the line."""


class SegmentRow(Struct, frozen=True, kw_only=True):
    """A stretch of a contact."""

    n: int
    kind: SegmentKind
    flow: FlowName | None
    queue: QueueName | None
    agent: AgentId | None
    offer: OfferId | None
    started_at: float
    ended_at: float | None
    outcome: SegmentOutcome | None
    reason: str = ""
    """More of the outcome: why it overflowed, or the key that led elsewhere; empty where there is nothing more to say."""
    hold_s: float = 0.0
    holds: int = 0
    transfer: Transfer | None = None


class OfferRow(Struct, frozen=True, kw_only=True):
    """One agent who was offered the contact."""

    id: OfferId
    agent: AgentId
    queue: QueueName
    made_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    ring_s: float
    outcome: OfferOutcome | None
    why: str
    consult: bool = False


class AttemptRow(Struct, frozen=True, kw_only=True):
    """One try to reach the customer, by one trunk."""

    id: AttemptId
    trunk: TrunkName
    number: str
    made_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    ring_s: float
    outcome: AttemptOutcome | None
    cause: int | None
    sip_status: int | None
    why: str


class DispositionRow(Struct, frozen=True, kw_only=True):
    """What a talk was about, as it was said at some time; `n` 0: it is owed."""

    segment: int
    n: int
    agent: AgentId
    queue: QueueName | None
    codes: str
    """With commas between them, and `topics` with line breaks."""
    topics: str
    order_value_cents: int | None
    currency: str
    note: str
    by: str
    given_at: float | None


class RecordingRow(Struct, frozen=True, kw_only=True):
    """What was recorded; `path` None: `lost` says why there is nothing."""

    recording: RecordingName
    kind: str
    path: str | None
    duration_s: float
    lost: str
    gaps: str
    """JSON: (from, to) of each pause, seconds from the file's beginning."""
    purged_at: float | None
    purged_by: str
    """When the file was removed, and by which rule."""


class PreservationRow(Struct, frozen=True, kw_only=True):
    """Why the contact's recordings must not be removed, and since when."""

    reason: str
    at: float


class SurveyRow(Struct, frozen=True, kw_only=True):
    """What the customer was asked after the talk of segment `talk`."""

    flow: FlowName
    queue: QueueName
    agent: AgentId
    talk: int
    begun_at: float
    ended_at: float | None


class ScoreRow(Struct, frozen=True, kw_only=True):
    """What he answered."""

    question: str
    score: int


class SatisfactionRow(Struct, frozen=True, kw_only=True):
    """The surveys of one queue, agent or line: how many were begun and answered, and the sums that a report divides."""

    of: str
    asked: int
    answered: int
    total: int
    """Of all marks."""
    good: int
    """Marks of 4 and 5."""


class SupervisionRow(Struct, frozen=True, kw_only=True):
    """A supervisor who listened to a talk of the contact."""

    supervisor: AgentId
    agent: AgentId
    made_at: float
    answered_at: float | None
    ended_at: float | None
    modes: str
    """JSON: (since when, mode)."""


class ContactDetail(ContactRow, frozen=True, kw_only=True):
    """All that the store knows of a contact."""

    segments: tuple[SegmentRow, ...]
    offers: tuple[OfferRow, ...]
    attempts: tuple[AttemptRow, ...]
    dispositions: tuple[DispositionRow, ...]
    """Every value of each, oldest first."""
    recordings: tuple[RecordingRow, ...]
    supervisions: tuple[SupervisionRow, ...] = ()
    preservation: PreservationRow | None = None
    survey: SurveyRow | None = None
    scores: tuple[ScoreRow, ...]


class IntervalRow(Struct, frozen=True, kw_only=True):
    """A stretch of an agent's time."""

    agent: AgentId
    state: AgentState
    reason: str
    started_at: float
    ended_at: float
    contact: ContactId | None
    by: str


def rows(turns: Iterable[TurnRecords], journal: str) -> dict[Table, list[Values]]:
    """The rows that the turns leave behind, by table; what changed several times is there once, as it was last."""
    found: dict[Table, dict[tuple[Value, ...], Values]] = {}
    for turn in turns:
        for record in turn.records:
            if isinstance(record, AgentSaved | LearntSaved | TalkRemembered | FlowCallsCounted | DispositionForgotten):
                continue  # his intervals tell; and the others serve the next second, not tomorrow
            for table, values in _rows(record, turn.now, journal):
                of_table = found.setdefault(table, {})
                key = tuple(values[column.name] for column in table.primary_key)
                if table is not tables.plan or key not in of_table:
                    of_table[key] = {name: _stored(value) for name, value in values.items()}
    return {table: list(by_key.values()) for table, by_key in found.items()}


def _stored(value: Value) -> Value:
    match value:
        case float():
            return round(value, 3)
        case str():
            return value.replace("\0", "\ufffd")  # PostgreSQL refuses it, and a phone may have sent it
        case _:
            return value


def _rows(record: _Tabled, now: float, journal: str) -> Iterator[tuple[Table, Values]]:
    if isinstance(record, SurveySaved):
        survey = record.survey
        yield tables.survey, _named(survey, tables.survey)
        for question, score in survey.scores.items():
            yield tables.survey_score, {"contact": survey.contact, "question": question, "score": score}
    else:
        yield _row(record, now, journal)


def _row(record: _Alone, now: float, journal: str) -> tuple[Table, Values]:
    match record:
        case ContactSaved(contact=contact):
            # While it goes on, the core's outcome is only what it would be if it ended now.
            outcome = contact.outcome if contact.ended_at is not None else None
            return tables.contact, _named(contact, tables.contact, outcome=outcome, **_owed(contact.callback))
        case SegmentSaved(segment=segment):
            return tables.segment, _named(segment, tables.segment)
        case OfferSaved(offer=offer):
            return tables.offer, _named(offer, tables.offer)
        case AttemptSaved(attempt=attempt):
            return tables.attempt, _named(attempt, tables.attempt)
        case IntervalSaved():
            return tables.agent_interval, _named(record, tables.agent_interval, journal=journal)
        case DispositionSaved(disposition=disposition):
            lists = {"codes": ",".join(disposition.codes), "topics": "\n".join(disposition.topics)}
            return tables.disposition, _named(disposition, tables.disposition, **lists)
        case RecordingSaved():
            return tables.recording, _named(record, tables.recording, gaps=msgspec.json.encode(record.gaps).decode())
        case PreservationSaved():
            return tables.preservation, _named(record, tables.preservation, preserved=int(record.preserved))
        case SupervisionSaved(supervision=supervision):
            modes = msgspec.json.encode(supervision.modes).decode()
            return tables.supervision, _named(supervision, tables.supervision, modes=modes)
        case PlanAdopted(plan=plan):
            body = msgspec.json.encode(plan).decode()
            return tables.plan, {"hash": plan.hash, "body": body, "adopted_at": now}
        case DecisionSaved(decision=decision):
            return tables.decision, _named(
                decision, tables.decision, **_as_json(decision, "needs", "also", "able", "others")
            )
        case ShortageSaved(shortage=shortage):
            return tables.shortage, _named(shortage, tables.shortage, **_as_json(shortage, "needs", "also", "able"))
        case InquirySaved(inquiry=inquiry):
            return tables.inquiry, _named(inquiry, tables.inquiry, cached=int(inquiry.cached))
        case MeasureSaved(measure=measure):
            return tables.measure, _measure(measure)
        case MeasureLifted(measure=measure):
            return tables.measure, _measure(measure, lifted_at=record.at, lifted_by=record.by)
        case _:
            assert_never(record)


def _as_json(value: object, *names: str) -> Values:
    return {name: msgspec.json.encode(getattr(value, name)).decode() for name in names}


def _owed(callback: Callback | None) -> Values:
    return {
        "callback": callback.source if callback else None,
        "callback_number": callback.number if callback else "",
        "callback_tries": callback.tries if callback else 0,
        "callback_answered_at": callback.answered_at if callback else None,
    }


def _measure(measure: Measure, *, lifted_at: float | None = None, lifted_by: str | None = None) -> Values:
    return {
        "id": measure.id,
        "kind": str(measure.__struct_config__.tag),
        "line": measure.line,
        "taken_by": measure.by,
        "since": measure.since,
        "until": measure.until,
        "body": msgspec.json.encode(measure).decode(),
        "lifted_at": lifted_at,
        "lifted_by": lifted_by,
    }


def _named(value: object, table: Table, **more: Value) -> Values:
    """The columns of the table by the attributes of the same name."""
    return {
        column.name: more[column.name] if column.name in more else getattr(value, column.name) for column in table.c
    }
