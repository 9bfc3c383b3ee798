"""Every JSON body of the API as a type; `docs/reference/api.md` and the OpenAPI document say the same.

Instants are ISO-8601 in UTC with milliseconds (`2026-01-31T09:15:00.250Z`), durations are seconds with at most three
decimals. What is not known yet is null: a live contact has no outcome, no end and no durations.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ccserver.core.agent import AgentState
from ccserver.core.attempt import AttemptOutcome
from ccserver.core.consult import ConsultState
from ccserver.core.contact import ContactOutcome, ContactState, Direction, SegmentKind, SegmentOutcome, Transfer
from ccserver.core.events import CallbackSource, ConsultAction, RecordingAction
from ccserver.core.offer import OfferOutcome
from ccserver.core.recording import RecordingState
from ccserver.core.status import LineStatus, QueueStatus
from ccserver.core.steps import CallFirst
from ccserver.core.supervision import SupervisionMode

Instant = Annotated[str, Meta(description="ISO-8601, UTC, milliseconds", extra_json_schema={"format": "date-time"})]
Seconds = Annotated[float, Meta(ge=0, description="Seconds, to the millisecond")]

LIMIT_MAX = 1000
REASON_MAX = 64


def instant(at: float) -> Instant:
    """UTC epoch seconds as the API writes them."""
    return datetime.fromtimestamp(round(at, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(duration_s: float) -> Seconds:
    """A duration as the API writes it."""
    return round(max(0.0, duration_s), 3)


class Problem(Struct, frozen=True):
    """What went wrong, for people; `field` names the query parameter or the field of the body."""

    message: str
    field: str | UnsetType = UNSET


class ErrorReply(Struct, frozen=True):
    """The body of every answer from 400 on."""

    error: Problem


class ConfigProblemReply(Struct, frozen=True):
    """A mistake in the files, or what keeps them from being taken up; `line` is 0 where none can be named."""

    file: str
    line: int
    field: str
    message: str


class ReloadRefusedReply(Struct, frozen=True):
    """Nothing has changed; `problems` says why, all of it."""

    error: Problem
    problems: tuple[ConfigProblemReply, ...]


class ChangeReply(Struct, frozen=True):
    """What is different now."""

    field: str
    what: str


class ReloadReply(Struct, frozen=True):
    """`changes` is empty when the files say what runs already; `warnings` are of the files as they are now."""

    configuration: str
    changes: tuple[ChangeReply, ...]
    warnings: tuple[ConfigProblemReply, ...]


class FlowReply(Struct, frozen=True, kw_only=True):
    """A flow in force: its steps, the lines that run it, and how many callers are in it now."""

    name: str
    steps: int
    lines: tuple[str, ...]
    callers: int


class FlowsReply(Struct, frozen=True):
    """All of them, by name."""

    flows: tuple[FlowReply, ...]


class HealthReply(Struct, frozen=True):
    """Whether the daemon does its work; `reasons` is empty when it does."""

    status: Literal["ok", "failing"]
    version: str
    reasons: tuple[str, ...]


class AlarmReply(Struct, frozen=True):
    """Something that a person has to look at; `critical` when `/healthz` fails by it."""

    name: str
    message: str
    since: Instant
    critical: bool


class NodeReply(Struct, frozen=True):
    """The link to one Asterisk; `connected` = events flow and offers are made."""

    node: str
    connected: bool
    since: Instant


class AsteriskReply(Struct, frozen=True):
    """All links; `connected` = every node is."""

    connected: bool
    nodes: tuple[NodeReply, ...]


class AgentReply(Struct, frozen=True):
    """An operator now; `then` is what he will be when his work, or his phone's trouble, is over.

    `on_hold`: the customer with whom he talks hears music. `by`: who wished the state, he himself (his extension) or who
    overruled him; empty: it came by itself.
    """

    extension: str
    name: str
    state: AgentState
    reason: str
    since: Instant
    contact: str | None
    queues: tuple[str, ...]
    phone_registered: bool
    supervises: bool
    then: AgentState
    then_reason: str
    on_hold: bool
    by: str


class TrunkReply(Struct, frozen=True):
    """A trunk now; `usable` = calls can leave by it, else `reason` says why not; `channels` is the most it takes at once.

    Of the calls that it brought `refused` were too many, and `misdialled` for a number that is none of ours.
    """

    name: str
    title: str
    usable: bool
    reason: str
    since: Instant
    inbound: int
    outbound: int
    channels: int
    refused: int
    misdialled: int


class ConsultReply(Struct, frozen=True):
    """Whom the agent consults, as it was asked for; and whether he is called, talks aside, or with the customer."""

    to: str
    state: ConsultState
    since: Instant


class LiveContactReply(Struct, frozen=True):
    """A contact that goes on; `absent` = nobody is on the line, a call is owed to the customer.

    `position` counts from 1 in its queue, `since` is when its present state began."""

    id: str
    line: str
    ani: str
    customer: str
    credit_s: Seconds
    raised_s: Seconds
    direction: Direction
    trunk: str | None
    state: ContactState
    flow: str | None
    step: str
    queue: str | None
    position: int | None
    agent: str | None
    language: str
    recording: RecordingState
    supervisor: str | None
    supervision: SupervisionMode | None
    arrived_at: Instant
    since: Instant
    on_hold: bool
    consult: ConsultReply | None
    absent: bool = False


class MeasureReply(Struct, frozen=True, kw_only=True):
    """What a supervisor has put in force; `line` null: every line, `until` null: until it is lifted.

    `prompts` are those of an announcement; `queued` and `treatment` (null: as the line has it) those of a closed line;
    `number`, `treatment` and `reason` those of a blocked number.
    """

    id: str
    kind: Literal["announcement", "closure", "block"]
    line: str | None
    by: str
    since: Instant
    until: Instant | None
    prompts: tuple[str, ...]
    queued: Literal["stay", "close"] | None
    treatment: str | None
    number: str | None
    reason: str


class MeasuresReply(Struct, frozen=True):
    """All that are in force, in the order in which they were taken."""

    measures: tuple[MeasureReply, ...]


class StatusReply(Struct, frozen=True):
    """The whole picture at one moment; `ignored` counts facts that found no state waiting for them, since start."""

    at: Instant
    asterisk: AsteriskReply
    alarms: tuple[AlarmReply, ...]
    lines: tuple[LineStatus, ...]
    queues: tuple[QueueStatus, ...]
    agents: tuple[AgentReply, ...]
    trunks: tuple[TrunkReply, ...]
    contacts: tuple[LiveContactReply, ...]
    measures: tuple[MeasureReply, ...]
    not_ready_reasons: tuple[str, ...]
    ignored: int


class ContactReply(Struct, frozen=True):
    """The CDR row of a contact; `queue` is its first queue, `agent` the last who talked, `recording` where to hear it.

    Of one to whom a call was owed `callback` says how that came, `callback_tries` how often he was tried in vain,
    `callback_answered_at` when an operator talked with him after all, and `callback_s` how long it was owed.
    `brand` and `source` are those of its line then; `answered_at` is when the customer's leg was answered, so what is paid from.
    Of a call that an operator made `agent` is he, `dial_s` the time until the answer, or until it was given up, and `reason` says
    why it was not let out or what became of each trunk; of one that came in, why it was not let in.
    """

    id: str
    line: str
    ani: str
    direction: Direction
    trunk: str | None
    queue: str | None
    outcome: ContactOutcome | None
    agent: str | None
    arrived_at: Instant
    ended_at: Instant | None
    ivr_s: Seconds | None
    wait_s: Seconds | None
    ring_s: Seconds | None
    talk_s: Seconds | None
    hold_s: Seconds | None
    holds: int
    dial_s: Seconds | None
    reason: str
    brand: str
    source: str
    answered_at: Instant | None
    recording: str | None
    callback: CallbackSource | None
    callback_number: str
    callback_tries: int
    callback_answered_at: Instant | None
    callback_s: Seconds | None


class ContactsReply(Struct, frozen=True):
    """Contacts, the newest arrival first."""

    contacts: tuple[ContactReply, ...]


class SegmentReply(Struct, frozen=True):
    """A stretch of a contact; `n` counts from 1."""

    n: int
    kind: SegmentKind
    started_at: Instant
    ended_at: Instant | None
    duration_s: Seconds | None
    outcome: SegmentOutcome | None
    reason: str
    flow: str | None
    queue: str | None
    agent: str | None
    offer: str | None
    hold_s: Seconds
    holds: int
    transfer: Transfer | None


class OfferReply(Struct, frozen=True):
    """One offer of the contact to one agent, and why him; `consult`: as the third party of a talk."""

    id: str
    agent: str
    queue: str
    why: str
    made_at: Instant
    ringing_at: Instant | None
    answered_at: Instant | None
    ended_at: Instant | None
    ring_s: Seconds
    outcome: OfferOutcome | None
    consult: bool


class AttemptReply(Struct, frozen=True):
    """One try to reach the customer, by one trunk: `why` this one, and as what the number was sent to it."""

    id: str
    trunk: str
    number: str
    why: str
    made_at: Instant
    ringing_at: Instant | None
    answered_at: Instant | None
    ended_at: Instant | None
    ring_s: Seconds
    outcome: AttemptOutcome | None
    cause: int | None
    sip_status: int | None


class GapReply(Struct, frozen=True):
    """Where a recording is silent because it was paused, seconds from its beginning."""

    from_s: Seconds
    to_s: Seconds


class DispositionReply(Struct, frozen=True):
    """What the talk `segment` was about, as it was said at some time; `n` 0: nothing was said yet, and it is owed.

    The last `n` of a segment counts. `topics` are what the codes meant then, each with what stands above it.
    """

    segment: int
    n: int
    agent: str
    queue: str | None
    codes: tuple[str, ...]
    topics: tuple[str, ...]
    order_value: float | None
    currency: str
    note: str
    by: str
    given_at: Instant | None


class RecordingReply(Struct, frozen=True):
    """What became of a recording; `url` is null when it is lost, and `lost` then says why.

    It is null, too, when the recording had been kept as long as the rule `purged_by` says, and was removed at `purged_at`.
    """

    name: str
    kind: str
    duration_s: Seconds
    url: str | None
    lost: str
    gaps: tuple[GapReply, ...]
    purged_at: Instant | None
    purged_by: str


class PreservationReply(Struct, frozen=True):
    """Why the contact's recordings must not be removed, and since when."""

    reason: str
    at: Instant


class SurveyReply(Struct, frozen=True):
    """What the customer was asked after the talk of segment `talk`, about `agent`; `scores` (1 to 5) by question."""

    flow: str
    queue: str
    agent: str
    talk: int
    begun_at: Instant
    ended_at: Instant | None
    scores: dict[str, int]


class ModeReply(Struct, frozen=True):
    """What a supervisor did from then on."""

    at: Instant
    mode: SupervisionMode


class SupervisionReply(Struct, frozen=True):
    """A supervisor who listened to the agent's talk; without `answered_at` he heard nothing."""

    supervisor: str
    agent: str
    made_at: Instant
    answered_at: Instant | None
    ended_at: Instant | None
    modes: tuple[ModeReply, ...]


class ContactDetailReply(ContactReply, frozen=True):
    """One contact with all that happened to it, in order."""

    language: str
    segments: tuple[SegmentReply, ...]
    offers: tuple[OfferReply, ...]
    attempts: tuple[AttemptReply, ...]
    dispositions: tuple[DispositionReply, ...]
    recordings: tuple[RecordingReply, ...]
    supervisions: tuple[SupervisionReply, ...]
    preservation: PreservationReply | None
    survey: SurveyReply | None


class SatisfactionOf(Struct, frozen=True):
    """The answers of one group; `mean` and `good_share` (marks of 4 and 5) are null without any, all shares are 0 to 1."""

    of: str
    asked: int
    answered: int
    response_rate: float
    mean: float | None
    good_share: float | None


class SatisfactionReply(Struct, frozen=True):
    """CSAT of the customers who were asked in this time, by the groups that were asked for, and of all of them."""

    since: Instant
    until: Instant
    question: str
    by: Literal["queue", "agent", "line"]
    groups: tuple[SatisfactionOf, ...]
    all: SatisfactionOf


class SatisfactionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `GET /api/reports/satisfaction`: times are ISO 8601 with their zone; `until` is now unless given."""

    since: Annotated[str, Meta(min_length=1, max_length=40)]
    until: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET
    by: Literal["queue", "agent", "line"] = "queue"
    question: Annotated[str, Meta(min_length=1, max_length=40)] = "score"


class TopicCountReply(Struct, frozen=True):
    """Talks about a topic, those about what stands below it among them."""

    code: str
    topic: str
    talks: int


class OrdersReply(Struct, frozen=True):
    """Revenue: talks with an order, and its value."""

    currency: str
    orders: int
    value: float


class TopicsRowReply(Struct, frozen=True):
    """Talks that began in an interval (`at`: its beginning) of one group; of `given` a topic was said."""

    at: Instant
    queue: str | None
    line: str | None
    agent: str | None
    talks: int
    given: int
    topics: tuple[TopicCountReply, ...]
    orders: tuple[OrdersReply, ...]


class TopicsReply(Struct, frozen=True):
    """Interval by interval; null in a row is what was not asked to be told apart, or no queue."""

    rows: tuple[TopicsRowReply, ...]


class OfferCountReply(Struct, frozen=True, kw_only=True):
    """Offers made in an interval to one group; `rona_rate`: of those neither withdrawn nor failed."""

    at: Instant
    queue: str | None
    agent: str | None
    offered: int
    accepted: int
    refused: int
    busy: int
    unreachable: int
    rona: int
    withdrawn: int
    failed: int
    rona_rate: float | None


class OffersReply(Struct, frozen=True):
    """Interval by interval."""

    rows: tuple[OfferCountReply, ...]


class StateTimeReply(Struct, frozen=True):
    """How often an agent was in a state for a reason, and how long in all."""

    agent: str
    state: AgentState
    reason: str
    times: int
    lasted_s: Seconds


class StatesReply(Struct, frozen=True):
    """Agent by agent."""

    rows: tuple[StateTimeReply, ...]


class CallbackWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/callbacks`; `number` in any form, `line` whose customer he is, `queue` whose operators call.

    `wanted_at`: not before; without a zone by the clock where the customer is.
    """

    number: Annotated[str, Meta(min_length=1, max_length=32)]
    line: Annotated[str, Meta(min_length=1, max_length=32)] | UnsetType = UNSET
    queue: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET
    wanted_at: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=100)] = ""
    comment: Annotated[str, Meta(max_length=1000)] = ""


class CallbackTime(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/callbacks/{id}/reschedule`; as in `CallbackWish`."""

    wanted_at: Annotated[str, Meta(min_length=1, max_length=40)]


class CallbackTakenReply(Struct, frozen=True):
    """`id` is the contact's; `changed`: one was owed to this number already, and is that."""

    id: str
    changed: bool


class CallbackReply(Struct, frozen=True):
    """A callback; `due_at` is when it may be made next, `last` how the last try ended, `agent` who calls or is offered it."""

    id: str
    number: str
    line: str
    queue: str
    source: CallbackSource
    first: CallFirst
    state: ContactState
    agent: str | None
    asked_at: Instant
    due_at: Instant
    expires_at: Instant
    tries: int
    last: AttemptOutcome | None
    name: str
    comment: str


class CallbacksReply(Struct, frozen=True):
    """The next first."""

    callbacks: tuple[CallbackReply, ...]


class StatusMessage(Struct, frozen=True, tag_field="kind", tag="status"):
    """Over the web socket, on every change."""

    status: StatusReply


class FinishedMessage(Struct, frozen=True, tag_field="kind", tag="finished"):
    """Over the web socket: the last contacts that ended, the newest end first."""

    contacts: tuple[ContactReply, ...]


LiveMessage = StatusMessage | FinishedMessage


class ContactsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `GET /api/contacts`; `before` is the id of the last contact of the page before.

    `line` and `ani` are numbers in any form: `88007707999`, `+7 800 770-79-99`; `brand` and `source` are as the lines have them.
    """

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = 50
    before: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    line: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    ani: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    brand: Annotated[str, Meta(min_length=1, max_length=80)] | UnsetType = UNSET
    source: Annotated[str, Meta(min_length=1, max_length=80)] | UnsetType = UNSET


class ReportQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every report is asked: from `since` until before `until`, instants with their zone."""

    since: Annotated[str, Meta(min_length=1, max_length=40)]
    until: Annotated[str, Meta(min_length=1, max_length=40)]


class TopicsQuery(ReportQuery, frozen=True, kw_only=True):
    """Of `GET /api/reports/topics`; `per`: any of queue, line, agent, with commas between them."""

    per: Annotated[str, Meta(max_length=64)] = "queue"
    interval_s: Annotated[float, Meta(ge=60)] | UnsetType = UNSET


class OffersQuery(ReportQuery, frozen=True, kw_only=True):
    """Of `GET /api/reports/offers`; `per`: any of queue, agent, with commas between them."""

    per: Annotated[str, Meta(max_length=64)] = "agent"
    interval_s: Annotated[float, Meta(ge=60)] | UnsetType = UNSET


class StatesQuery(ReportQuery, frozen=True, kw_only=True):
    """Of `GET /api/reports/states`."""


class ExplainQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `GET /api/agents/{extension}/explain`; without `since`: the last hour."""

    since: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET


class MomentReply(Struct, frozen=True):
    """Something that happened, or was decided."""

    at: Instant
    text: str


class ContactExplainedReply(Struct, frozen=True, kw_only=True):
    """Why it waited, or did not: `summary` in one sentence, `timeline` what it rests on."""

    contact: str
    summary: str
    timeline: tuple[MomentReply, ...]


class AgentExplainedReply(Struct, frozen=True, kw_only=True):
    """Why he got the contacts that he got since then, or none."""

    agent: str
    since: Instant
    summary: str
    timeline: tuple[MomentReply, ...]


class RecordingQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `GET /api/contacts/{id}/recording`; `name` as in the contact's `recordings`, for one that is not the talk."""

    name: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of every route that takes no parameters."""


class HoldWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/hold`; `by` as in a transfer."""

    hold: bool
    by: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class ConsultWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/consult`: whom to call; `by` as in a transfer."""

    to: Annotated[str, Meta(min_length=1, max_length=64)]
    by: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class ConsultSteer(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/consult/steer`: what is to become of the three; `by` as in a transfer."""

    action: ConsultAction
    by: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class MoveWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/move`; `by` says who wants it, for people."""

    queue: Annotated[str, Meta(min_length=1, max_length=64)]
    by: Annotated[str, Meta(max_length=64)] = ""


class PriorityWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/priority`: seconds as if which he had waited longer; 0 takes it back."""

    priority_s: Annotated[float, Meta(ge=0, le=86400)]
    by: Annotated[str, Meta(max_length=64)] = ""


class TransferWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/transfer`; `to` is an operator's extension, a queue's name, a line's number or a public number.

    `by` is the agent who talks with the customer; without it a supervisor asks, and whoever talks is meant.
    """

    to: Annotated[str, Meta(min_length=1, max_length=64)]
    by: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class RecordingWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/recording`."""

    action: RecordingAction


class SupervisionWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/supervise`; `supervisor` is the extension whose phone is rung."""

    mode: SupervisionMode
    supervisor: Annotated[str, Meta(min_length=1, max_length=64)]


class PreservationWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/preservation`."""

    preserved: bool
    reason: Annotated[str, Meta(max_length=REASON_MAX)] = ""


class MeasureWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/measures`; `prompts` goes with an announcement, `queued` and `treatment` with a closure, `number`,
    `treatment` and `reason` with a block. Without `line` every line is meant, without `until` it lasts until it is lifted.
    """

    kind: Literal["announcement", "closure", "block"]
    by: Annotated[str, Meta(min_length=1, max_length=64)]
    line: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    until: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    prompts: Annotated[tuple[str, ...], Meta(min_length=1, max_length=10)] | UnsetType = UNSET
    queued: Literal["stay", "close"] | UnsetType = UNSET
    treatment: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET
    number: Annotated[str, Meta(min_length=1, max_length=32)] | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=80)] | UnsetType = UNSET


class LiftQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `DELETE /api/measures/{id}`."""

    by: Annotated[str, Meta(min_length=1, max_length=64)]


class AgentStateWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/agents/{extension}/state`; `reason` goes with `not_ready`."""

    state: Literal["ready", "not_ready", "logged_out"]
    reason: Annotated[str, Meta(max_length=REASON_MAX)] = ""
    by: Annotated[str, Meta(min_length=1, max_length=REASON_MAX)] = "supervisor"
    """Who asks: the agent's own extension, or who overrules him."""


class WrapUpWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/agents/{extension}/wrap-up`: so much longer."""

    seconds: Annotated[float, Meta(gt=0, le=3600)]


class CallWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/calls`: the agent's own phone rings, then the customer's. `line`: whose number is shown, else his own."""

    agent: Annotated[str, Meta(min_length=1, max_length=64)]
    number: Annotated[str, Meta(min_length=1, max_length=64)]
    line: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")] | UnsetType = UNSET
    """The caller's own name for it, for all time: asked twice, it is made once. The header `Idempotency-Key` says the same."""


class CallReply(Struct, frozen=True):
    """The contact that the call is."""

    contact: str


class DispositionWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `POST /api/contacts/{id}/disposition`; what is not given stays as it was.

    `agent`: who talked, and says what about; without it a supervisor does, of the last talk or of `segment`.
    """

    codes: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=8)], ...], Meta(max_length=10)] | UnsetType = (
        UNSET
    )
    order_value: Annotated[float, Meta(ge=0, le=1e10, description="At most two decimals")] | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=1000)] | UnsetType = UNSET
    agent: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    segment: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
