"""Everything that can come in: facts, past tense, and requests, which alone may be refused.

`at` is when it happened by the clock of who saw it (UTC epoch seconds; Asterisk's event time for voice). Durations are
differences of `at`; deadlines are set from the router's `now`. Whoever reads this file and `commands.py` knows all that
crosses the border of the core.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from ccserver.core.commands import Command
from ccserver.core.ids import (
    AgentId,
    ContactId,
    FlowName,
    InquiryId,
    LegId,
    LineNumber,
    MeasureId,
    NodeName,
    PlayId,
    QueueName,
    RecordingName,
    TrunkName,
)
from ccserver.core.measure import Measure
from ccserver.core.plan import Plan
from ccserver.core.steps import Key
from ccserver.core.supervision import SupervisionMode

ConsultAction = Literal["complete", "cancel", "join", "apart"]
LegRole = Literal["caller", "agent", "code", "outbound", "internal", "customer"]
"""A customer on a line; an agent's leg of an offer; an operator's phone that dialled a feature code, a number outside, or a
colleague; the customer's leg of an attempt to reach him."""


RecordingAction = Literal["pause", "resume", "start", "stop"]


class CallbackSource(StrEnum):
    """How it came to be owed."""

    QUEUE = "queue"
    """A caller took it instead of waiting."""
    FORM = "form"
    """Asked for over the API: a web form, a partner's system."""
    MISSED = "missed"
    """He gave up waiting, and the queue calls such customers back."""
    FALLBACK = "fallback"
    """The dialplan took it down while the daemon was away."""


class Event(Struct, frozen=True, tag=True, kw_only=True):
    """A fact; never illegal: what a state does not list is counted and ignored."""

    at: float


class ConfigReplaced(Event, frozen=True):
    """A whole new plan, already cross-checked."""

    plan: Plan


class ContactArrived(Event, frozen=True):
    """A customer dialled a line; `arrived_at` is the true arrival, `at` when the leg reached us (after the fallback: later).

    `line` and `ani` are as the trunk wrote them: the core knows what they mean.
    """

    contact: ContactId
    leg: LegId
    node: NodeName
    line: LineNumber
    ani: str
    arrived_at: float
    trunk: TrunkName | None = None
    """By which it came; None: from a phone of ours."""
    flow: FlowName | None = None
    """That the dialplan sends him to; None: the line's own."""


class OutboundDialled(Event, frozen=True):
    """An operator dialled a number outside; the endpoint says who he is, as in `CodeDialled`. `number` is as he dialled it."""

    contact: ContactId
    leg: LegId
    node: NodeName
    agent: AgentId | None
    number: str
    dialled_at: float


class InternalDialled(OutboundDialled, frozen=True):
    """An operator dialled a colleague's extension, `number`."""


class LegDialled(Event, frozen=True):
    """The phone of an offer is being called, and its leg has been made: what comes next is the phone's."""

    leg: LegId


class LegRinging(Event, frozen=True):
    """The phone that we call rings (180), or its network lets us hear something (183)."""

    leg: LegId


class LegAnswered(Event, frozen=True):
    """Somebody picked up: Dial ANSWER or channel state Up, whichever came first."""

    leg: LegId


class LegEnded(Event, frozen=True):
    """The leg is no more. `cause` is Q.850, `sip_status` the final SIP code where there was one."""

    leg: LegId
    cause: int = 16
    sip_status: int | None = None
    lost: bool = False
    """Its node died under it."""


class LegHeld(Event, frozen=True):
    """Who is at the other end put us on hold with his phone: whoever talks with him hears music."""

    leg: LegId


class LegUnheld(Event, frozen=True):
    """He took us back."""

    leg: LegId


class TransferRequested(Event, frozen=True):
    """Somebody pressed the transfer key of his phone (REFER); `to` is what he dialled then, as it came.

    Asterisk has begun it by itself, and whatever is said to it, his leg leaves its bridge: `LegUnseated` tells when.
    """

    leg: LegId
    to: str
    second: LegId | None = None
    """Another call of the same phone, which does not say which is which: the two at their other ends are to have each other."""


class LegUnseated(Event, frozen=True):
    """Asterisk has taken a leg out of its bridge, as it does with that of whoever transfers."""

    leg: LegId


class LegAway(Event, frozen=True):
    """The leg lives but is out of our hands (fallback dialplan)."""

    leg: LegId


class LegReturned(Event, frozen=True):
    """The leg is back in our hands."""

    leg: LegId


class KeyPressed(Event, frozen=True):
    """A DTMF key, or in text media a typed reply of one character."""

    leg: LegId
    key: Key


class PlayFinished(Event, frozen=True):
    """The whole list was played, or was stopped, or could not be played (`ok` false)."""

    leg: LegId
    play: PlayId
    ok: bool = True


class RecordingStarted(Event, frozen=True):
    """MixMonitor runs on the caller's leg since `at`."""

    contact: ContactId
    recording: RecordingName


class RecordingKept(Event, frozen=True):
    """The finished file lies in the archive; `path` is relative to the recordings directory."""

    contact: ContactId
    recording: RecordingName
    path: str
    duration_s: float
    gaps: tuple[tuple[float, float], ...] = ()
    """(from, to) of each silence, seconds from the file's beginning."""


class RecordingLost(Event, frozen=True):
    """There is no usable recording; the reason is for people."""

    contact: ContactId
    recording: RecordingName
    reason: str


class RecordingPurged(Event, frozen=True):
    """It was kept long enough, and its file has been removed; the rest is what its row says of it."""

    contact: ContactId
    recording: RecordingName
    kind: str
    duration_s: float
    gaps: tuple[tuple[float, float], ...]
    rule: str
    """By which, as the admin would look for it: `queues.orders.keep_days = 90`."""


class VoicemailRecorded(Event, frozen=True):
    """The caller finished his message (`duration_s` 0: he said nothing)."""

    contact: ContactId
    leg: LegId
    recording: RecordingName
    path: str
    duration_s: float


class InquiryAnswered(Event, frozen=True):
    """What a flow asked outside is answered, or failed; told late it is of no interest."""

    contact: ContactId
    inquiry: InquiryId
    about: str
    """The lookup's name, the function's, or `dialplan`."""
    verdict: str
    """Of a lookup `found` or `not_found`, of the dialplan `returned`, of a function `next` or a way; of all `failed`."""
    values: Mapping[str, str] = {}
    """For the flow's variables."""
    reason: str = ""
    """Why it failed, for people."""
    took_s: float = 0.0
    cached: bool = False
    """An answer to the same question was still good: nobody was asked."""


class PhoneChanged(Event, frozen=True):
    """What is known of an agent's phone: `reachable` = registered, `in_use` = in a call that we did not make."""

    agent: AgentId
    reachable: bool
    in_use: bool
    anew: bool = False
    """It has just registered: what kept calls from reaching it may be over."""


class TrunkChanged(Event, frozen=True):
    """Whether calls can leave by the trunk (registered, and it answers), as far as Asterisk knows."""

    node: NodeName
    trunk: TrunkName
    usable: bool
    reason: str = ""
    """Why not, for people."""
    refused: int = 0
    """Calls refused because all its channels were in use, since Asterisk started."""


class CodeDialled(Event, frozen=True):
    """An operator dialled a feature code; the endpoint, not the caller id, says who he is (None: no operator of ours)."""

    agent: AgentId | None
    leg: LegId
    node: NodeName
    code: str


class CommandFailed(Event, frozen=True):
    """A command could not be performed; `gone` = its leg does not exist any more, `unavailable` = the phone cannot be reached,
    `unanswered` = Asterisk said nothing, and whether it was done nobody knows.
    """

    command: Command
    reason: str
    kind: Literal["gone", "unavailable", "unanswered", "failed"] = "failed"


class NodeConnected(Event, frozen=True):
    """Events of the node flow again; what happened before must be listed.

    `started_at` is when Asterisk itself started: no leg older than that can live.
    """

    node: NodeName
    started_at: float


class NodeLost(Event, frozen=True):
    """No events of the node reach us; its calls may well go on."""

    node: NodeName


class ListedLeg(Struct, frozen=True):
    """One leg as the node lists it."""

    leg: LegId
    role: LegRole
    up: bool
    ringing: bool = False
    pending: bool = False
    """We are still making it: not listed by the node and yet not missing."""
    away: bool = False
    """It lives, but in the dialplan and not in our hands."""
    line: LineNumber | None = None
    ani: str = ""
    arrived_at: float = 0.0
    trunk: TrunkName | None = None
    flow: FlowName | None = None
    back: InquiryAnswered | None = None
    """With what the dialplan gave it back to us last."""
    agent: AgentId | None = None
    """Whose phone dialled out."""
    number: str = ""
    """What he dialled."""
    held: bool | None = None
    """The phone at its other end holds us; None: nobody asked, for no event was missed."""


class LegHistory(Struct, frozen=True):
    """What CEL tells of a leg that is missing (None: CEL does not say)."""

    leg: LegId
    answered_at: float | None = None
    ended_at: float | None = None
    cause: int = 16


class ListedPhone(Struct, frozen=True):
    """One agent's phone as the node lists it; see `PhoneChanged`."""

    agent: AgentId
    reachable: bool
    in_use: bool


class ListedTrunk(Struct, frozen=True):
    """One trunk as the node lists it; see `TrunkChanged`."""

    trunk: TrunkName
    usable: bool
    reason: str = ""
    refused: int = 0


class ListedTransfer(Struct, frozen=True):
    """A phone's transfer that was begun while nobody listened: the customer of this contact is to go there."""

    contact: ContactId
    to: str


class NodeListed(Event, frozen=True):
    """The whole truth of a node, asked at `asked_at`; `gap`: events may have been missed before it."""

    node: NodeName
    asked_at: float
    gap: bool
    legs: tuple[ListedLeg, ...] = ()
    histories: tuple[LegHistory, ...] = ()
    phones: tuple[ListedPhone, ...] = ()
    trunks: tuple[ListedTrunk, ...] = ()
    transfers: tuple[ListedTransfer, ...] = ()


class SetAgentState(Event, frozen=True):
    """A request: an operator or supervisor wants this state; answered by `Accepted` or `Refused`."""

    agent: AgentId
    state: Literal["ready", "not_ready", "logged_out"]
    reason: str = ""
    by: str = "supervisor"
    """Who asks: the agent himself (his extension), or whoever may overrule him."""


class GiveDisposition(Event, frozen=True, kw_only=True):
    """A request: what a talk was about. What is None stays as it was."""

    contact: ContactId
    agent: AgentId | None = None
    """Who gives it, of his own talk; None: a supervisor, of the last talk or of `segment`."""
    segment: int | None = None
    codes: tuple[str, ...] | None = None
    order_value_cents: int | None = None
    note: str | None = None


class ExtendWrapUp(Event, frozen=True):
    """A request: the agent needs longer for his notes."""

    agent: AgentId
    seconds: float


class HoldCustomer(Event, frozen=True):
    """A request: the customer is to hear music, or the agent again."""

    contact: ContactId
    hold: bool
    by: AgentId | None = None


class BeginConsult(Event, frozen=True):
    """A request: the customer hears music while the agent calls a third party; `to` as in `core.destinations`."""

    contact: ContactId
    to: str
    by: AgentId | None = None


class SteerConsult(Event, frozen=True):
    """A request: the third party gets the customer, goes, joins the two, or leaves them for the agent alone."""

    contact: ContactId
    action: ConsultAction
    by: AgentId | None = None


class MoveContact(Event, frozen=True):
    """A request: who waits is to wait in another queue; `by` says who wants it, for people."""

    contact: ContactId
    queue: QueueName
    by: str = ""


class SetPriority(Event, frozen=True):
    """A request: who waits is to be served as if he had waited so much longer, besides all other credit; 0: no more than that."""

    contact: ContactId
    priority_s: float
    by: str = ""


class TransferContact(Event, frozen=True):
    """A request: the customer is to be handed over without a word. `to` as in `core.destinations`."""

    contact: ContactId
    to: str
    by: AgentId | None = None
    """The agent who talks with him; None: somebody else wants it."""


class SteerRecording(Event, frozen=True):
    """A request: the recording of a talk under way is paused (nothing is kept of what is said now) or goes on; or it is begun,
    or ended, where that is left to the operator."""

    contact: ContactId
    action: RecordingAction


class SuperviseContact(Event, frozen=True):
    """A request: a supervisor wants to hear the talk, to be heard by the agent, or by both, or to go on with it himself."""

    contact: ContactId
    supervisor: AgentId
    mode: SupervisionMode


class PreserveContact(Event, frozen=True):
    """A request: what was recorded of the contact must not be removed, however long it is kept; or may be again."""

    contact: ContactId
    preserved: bool
    reason: str = ""


class RequestCallback(Event, frozen=True):
    """A request: this customer wants to be called. Whoever is owed a callback already gets no second one."""

    contact: ContactId
    """Its id, if it becomes a contact of its own."""
    node: NodeName
    source: CallbackSource
    number: str
    """In any form."""
    line: LineNumber | None = None
    """Which number he has to do with; None: the first."""
    queue: QueueName | None = None
    """None: where the line's flow leads first."""
    wanted_at: float | None = None
    """Not before."""
    wanted_there: str = ""
    """The same by the clock where the customer is, in place of it: ISO 8601 without a zone."""
    name: str = ""
    comment: str = ""


class RescheduleCallback(Event, frozen=True):
    """A request: not before another time."""

    contact: ContactId
    wanted_at: float | None
    wanted_there: str = ""
    """As in `RequestCallback`."""


class CancelCallback(Event, frozen=True):
    """A request: he is not to be called any more."""

    contact: ContactId


class CallCustomer(Event, frozen=True):
    """A request: the operator's own phone is to ring, and then the customer's. `contact` is the id that the call will have."""

    contact: ContactId
    agent: AgentId
    number: str
    line: LineNumber | None = None
    """Whose number is shown; None: the operator's."""


class TakeMeasure(Event, frozen=True):
    """A request: an announcement, a closed line, a blocked number, from now on."""

    measure: Measure


class LiftMeasure(Event, frozen=True):
    """A request: it is over."""

    measure: MeasureId
    by: str


class Accepted(Struct, frozen=True, tag=True):
    """The request was carried out."""

    contact: ContactId | None = None
    """Which it became, or which it changed."""
    changed: bool = False
    """There was one already."""


class Refused(Struct, frozen=True, tag=True):
    """The request was not carried out, and nothing has changed."""

    reason: str
    field: str = ""
    """Of the request, that is to blame."""
    unknown: bool = False
    """What it is about does not exist."""


Request = (
    CallCustomer
    | SetAgentState
    | GiveDisposition
    | ExtendWrapUp
    | TransferContact
    | HoldCustomer
    | BeginConsult
    | SteerConsult
    | SteerRecording
    | PreserveContact
    | RequestCallback
    | RescheduleCallback
    | CancelCallback
    | MoveContact
    | SetPriority
    | SuperviseContact
    | TakeMeasure
    | LiftMeasure
)
Answer = Accepted | Refused

Fact = (
    ConfigReplaced
    | ContactArrived
    | OutboundDialled
    | InternalDialled
    | LegDialled
    | LegRinging
    | LegAnswered
    | LegEnded
    | LegHeld
    | LegUnheld
    | TransferRequested
    | LegUnseated
    | LegAway
    | LegReturned
    | KeyPressed
    | PlayFinished
    | RecordingStarted
    | RecordingKept
    | RecordingLost
    | RecordingPurged
    | VoicemailRecorded
    | InquiryAnswered
    | PhoneChanged
    | TrunkChanged
    | CodeDialled
    | CommandFailed
    | NodeConnected
    | NodeLost
    | NodeListed
)
AnyEvent = Fact | Request
"""What the inbox carries and the journal stores."""
