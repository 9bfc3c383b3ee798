"""What is worth keeping: written to the journal before any command goes out, then projected to the store.

A record holds the whole new value of a noun, so that applying one twice does no harm and the last one is the truth.
"""

from msgspec import Struct

from ccserver.core.agent import Agent, AgentState
from ccserver.core.attempt import Attempt
from ccserver.core.contact import Contact, Segment
from ccserver.core.decision import Decision, Shortage
from ccserver.core.disposition import Disposition
from ccserver.core.ewt import Learnt
from ccserver.core.ids import AgentId, ContactId, QueueName, RecordingName, TalkId
from ccserver.core.inquiry import Inquiry
from ccserver.core.measure import Measure
from ccserver.core.offer import Offer
from ccserver.core.plan import Plan
from ccserver.core.supervision import Supervision
from ccserver.core.survey import Survey


class _Record(Struct, frozen=True, tag=True):
    pass


class PlanAdopted(_Record, frozen=True):
    """A plan came into force."""

    plan: Plan


class ContactSaved(_Record, frozen=True):
    """The contact as it is now; final when its state is CLOSED."""

    contact: Contact


class SegmentSaved(_Record, frozen=True):
    """A segment began (no `ended_at`) or ended."""

    segment: Segment


class OfferSaved(_Record, frozen=True):
    """An offer was made or changed."""

    offer: Offer


class AttemptSaved(_Record, frozen=True):
    """An attempt to reach a customer was made or changed."""

    attempt: Attempt


class AgentSaved(_Record, frozen=True):
    """The agent as he is now."""

    agent: Agent


class IntervalSaved(_Record, frozen=True, kw_only=True):
    """A stretch of an agent's time in one state; `n` counts from 1 for each agent."""

    agent: AgentId
    n: int
    state: AgentState
    reason: str
    started_at: float
    ended_at: float
    contact: ContactId | None
    by: str = ""
    """Who wished it; empty: it came by itself."""


class RecordingSaved(_Record, frozen=True, kw_only=True):
    """What became of a recording; `path` is relative to the recordings directory, `lost` a reason when there is none."""

    contact: ContactId
    recording: RecordingName
    kind: str
    """`talk`, `voicemail`, or the `comment` of a survey."""
    path: str | None
    duration_s: float
    lost: str = ""
    gaps: tuple[tuple[float, float], ...] = ()
    """(from, to) of each pause, seconds from the file's beginning: it is silent there."""
    purged_at: float | None = None
    """When the file was removed, because it had been kept long enough,"""
    purged_by: str = ""
    """and by which rule."""


class PreservationSaved(_Record, frozen=True):
    """Whether the contact's recordings outlive every rule."""

    contact: ContactId
    preserved: bool
    reason: str
    at: float


class DispositionSaved(_Record, frozen=True):
    """A talk owes its disposition (`n` 0), or it was given, or its day is known."""

    disposition: Disposition


class DispositionForgotten(_Record, frozen=True):
    """Its day is over: nothing changes it any more, and what was given stays as it is."""

    talk: TalkId


class SurveySaved(_Record, frozen=True):
    """A survey began, took a mark, or ended."""

    survey: Survey


class TalkRemembered(_Record, frozen=True):
    """Who talked with the customer of this number last; `agent` None: it is forgotten."""

    ani: str
    agent: AgentId | None
    at: float


class FlowCallsCounted(_Record, frozen=True):
    """When flows had somebody outside called within the last hour."""

    times: tuple[float, ...]


class SupervisionSaved(_Record, frozen=True):
    """A supervisor began to listen, or changed to another mode, or ended."""

    supervision: Supervision


class LearntSaved(_Record, frozen=True):
    """What a queue has learnt of its waits."""

    queue: QueueName
    learnt: Learnt


class DecisionSaved(_Record, frozen=True):
    """Why a contact was offered to somebody, or to nobody."""

    decision: Decision


class ShortageSaved(_Record, frozen=True):
    """Why nobody takes contacts of one need, from now on."""

    shortage: Shortage


class InquirySaved(_Record, frozen=True):
    """A flow asked something outside, or had its answer."""

    inquiry: Inquiry


class MeasureSaved(_Record, frozen=True):
    """A measure is in force."""

    measure: Measure


class MeasureLifted(_Record, frozen=True):
    """It is no more; `by`: who lifted it, or `time`."""

    measure: Measure
    by: str
    at: float


Record = (
    PlanAdopted
    | ContactSaved
    | SegmentSaved
    | OfferSaved
    | AttemptSaved
    | AgentSaved
    | IntervalSaved
    | RecordingSaved
    | PreservationSaved
    | SurveySaved
    | SupervisionSaved
    | LearntSaved
    | TalkRemembered
    | FlowCallsCounted
    | DispositionSaved
    | DispositionForgotten
    | DecisionSaved
    | ShortageSaved
    | InquirySaved
    | MeasureSaved
    | MeasureLifted
)
