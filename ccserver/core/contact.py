"""One service episode of a customer: the Contact, its Segments, and the table of its states.

    FLOW --queue--> WAITING <--> OFFERED --answer--> TALKING --end--> CLOSING --caller's leg gone--> CLOSED
     ^---------------- the agent hung up, and there is a survey -------/
      \\____________________ the caller hangs up in any of them _______________________________________/

    SUMMONING --his phone answers--> DIALLING                                      a program has an operator call a customer
    DIALLING --answer--> TALKING --end--> CLOSING --both legs gone--> CLOSED       an operator calls a customer
        \\--nobody reached, or the call may not leave--> TELLING --said--> CLOSING

    FLOW --a callback is promised, he hangs up--> SCHEDULED <--its time--> WAITING <--> OFFERED     nobody is on the line
        OFFERED --an operator answers--> BRIEFING --said--> DIALLING, as above; in vain: SCHEDULED, as often as it may be tried
        WAITING --the customer is called first--> DIALLING --answer--> WAITING, as who called
    TALKING --transfer to a number--> FORWARDING --answer--> TALKING without an agent, or back to WAITING

A Contact is a value: the router replaces it and writes it whole to the journal, so that the last one written is all that
a restart needs. A place in a queue (`Place`) once taken is kept until the contact is answered, leaves or is gone.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.attempt import Attempt
from ccserver.core.callback import Callback
from ccserver.core.consult import Consult
from ccserver.core.ids import (
    AgentId,
    ContactId,
    FlowName,
    InquiryId,
    Language,
    LegId,
    LineNumber,
    NodeName,
    OfferId,
    PlanHash,
    PlayId,
    PromptName,
    QueueName,
    RecordingName,
    StepName,
    TrunkName,
)
from ccserver.core.inquiry import Inquiry
from ccserver.core.offer import Offer
from ccserver.core.plan import Treatment
from ccserver.core.steps import Key, Point, SkillNeed, Stage
from ccserver.core.supervision import Supervision
from ccserver.core.survey import Survey

NORMAL_CLEARING = 16
"""Q.850."""


class Direction(StrEnum):
    """Who began the contact."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    """An operator called a colleague: `agent` is he, `ani` the extension that he dialled, `offer` the colleague's leg."""


class ContactState(StrEnum):
    """What the contact is doing."""

    FLOW = "flow"
    SCHEDULED = "scheduled"
    """A call is owed to the customer, and its time has not come."""
    WAITING = "waiting"
    OFFERED = "offered"
    BRIEFING = "briefing"
    """The operator hears that a customer is to be called back."""
    SUMMONING = "summoning"
    """An operator's own phone rings, so that he may call a customer."""
    DIALLING = "dialling"
    """The customer is being reached."""
    FORWARDING = "forwarding"
    """Somebody outside is being called for the customer, and no agent is with him."""
    TELLING = "telling"
    """The operator hears why his call came to nothing."""
    TALKING = "talking"
    CLOSING = "closing"
    """Served; what legs there are are being hung up."""
    CLOSED = "closed"


REACHING = frozenset({ContactState.DIALLING, ContactState.FORWARDING})
"""Somebody outside is being called."""


class ContactOutcome(StrEnum):
    """How the whole contact ended."""

    ANSWERED = "answered"
    """An agent talked with the customer."""
    ABANDONED = "abandoned"
    """The customer left a queue unanswered."""
    OVERFLOWED = "overflowed"
    """Nobody came in time, and the flow ended it without a message."""
    LEFT_BY_KEY = "left_by_key"
    """The customer left a queue by a key, and nobody talked with him."""
    VOICEMAIL = "voicemail"
    FLOW_COMPLETED = "flow_completed"
    """The flow served the customer and hung up by itself."""
    FLOW_ABANDONED = "flow_abandoned"
    """The customer hung up in the flow, before any queue."""
    FORWARDED = "forwarded"
    """Somebody outside talked with the customer, to whom the flow had led him."""
    REFUSED = "refused"
    """Busy or rejected: by the line, which was closed, or by its flow."""
    FAILED = "failed"
    """Our side failed: Asterisk died, or the flow could not go on."""
    MERGED = "merged"
    """A callback was owed, and the customer called again before: that contact took its place."""
    EXPIRED = "expired"
    """A callback was owed, and nobody came to it in time."""
    # Of a call that an operator made, or a callback, besides `answered` and `failed` (`blocked` also of one that came):
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    NO_SUCH_NUMBER = "no_such_number"
    NO_TRUNK = "no_trunk"
    """No trunk took it: `reason` tells of each."""
    BLOCKED = "blocked"
    """It was not let out, or not let in: `reason` names the rule."""
    CANCELLED = "cancelled"
    """The operator hung up before the customer answered; or a callback was called off."""


class SegmentKind(StrEnum):
    """What a stretch of a contact was."""

    FLOW = "flow"
    QUEUE = "queue"
    DIAL = "dial"
    """The customer was being called, until he answered or it was given up."""
    TALK = "talk"
    CALLBACK = "callback"
    """A call was owed to the customer, and nobody was on the line."""
    SURVEY = "survey"
    """After the talk the customer is asked how it was."""


class SegmentOutcome(StrEnum):
    """How a stretch ended; the first seven are the outcomes of a queue segment, each of which has exactly one."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    OVERFLOWED = "overflowed"
    CLOSED_OUT = "closed_out"
    """The queue's hours ended."""
    LEFT_BY_KEY = "left_by_key"
    """The caller pressed a key that leads elsewhere."""
    CALLBACK_TAKEN = "callback_taken"
    """He will be called back, instead of waiting on the line."""
    FAILED = "failed"
    QUEUED = "queued"
    """Of a flow: it led into a queue."""
    COMPLETED = "completed"
    """Of a flow: it served the customer itself."""
    VOICEMAIL = "voicemail"
    CALLER_LEFT = "caller_left"
    AGENT_LEFT = "agent_left"
    CUSTOMER_LEFT = "customer_left"
    OUTSIDE_LEFT = "outside_left"
    """Of a talk: who hung up first; who was called is no caller."""
    TAKEN_OVER = "taken_over"
    """Of a talk: a supervisor went on with it."""
    TRANSFERRED = "transferred"
    """Of a talk: the customer was handed over. Of a flow: it led to somebody outside."""
    UNANSWERED = "unanswered"
    CANCELLED = "cancelled"
    """Of dialling: the customer was not reached, or the operator hung up first. Of a callback: for good; called off."""
    DIALLED = "dialled"
    MERGED = "merged"
    EXPIRED = "expired"
    """Of a callback: an operator took it, or the customer was called; he called himself; its time ran out."""


class Transfer(StrEnum):
    """How the customer was handed over."""

    BLIND = "blind"
    ATTENDED = "attended"
    """The agent spoke with the next one before."""


class Overflow(StrEnum):
    """Why nobody came in time: the `reason` of an `overflowed` segment."""

    MAX_WAIT = "max_wait"
    FULL = "full"
    """Too many waited already."""
    TOO_LONG = "too_long"
    """The wait was likely to be longer than the flow wants it."""
    NOBODY = "nobody"
    """Nobody who could have taken it was logged in."""
    MOVED = "moved"
    """A supervisor moved it into another queue."""


class Segment(Struct, frozen=True, kw_only=True):
    """A stretch of a contact; `n` counts from 1 within it."""

    contact: ContactId
    n: int
    kind: SegmentKind
    started_at: float
    ended_at: float | None = None
    outcome: SegmentOutcome | None = None
    flow: FlowName | None = None
    queue: QueueName | None = None
    agent: AgentId | None = None
    offer: OfferId | None = None
    reason: str = ""
    """More of the outcome: an `Overflow`, the key that was pressed."""
    hold_s: float = 0.0
    """Of a talk: how long the customer heard music in it, and how many times."""
    holds: int = 0
    held_since: float | None = None
    """He hears it now, since then."""
    transfer: Transfer | None = None
    """Of a talk that ended with one."""


class FlowPosition(Struct, frozen=True, kw_only=True):
    """Where the interpreter stands, all of it: a flow survives a restart by this record alone."""

    flow: FlowName
    step: StepName
    play: PlayId | None = None
    """The running playback; None: nothing is being said."""
    attempt: int = 0
    """Wrong keys and silences at this step so far."""
    ahead: str = ""
    """Keys typed ahead, not consumed yet."""
    digits: str = ""
    """Gathered by `collect` so far."""
    typing: bool = False
    """Of `callback`: another number is being typed."""
    recording: RecordingName | None = None
    inquiry: InquiryId | None = None
    """What is being asked outside."""
    deadline: float | None = None
    """When silence is over, or an answer from outside comes too late."""
    stack: tuple[Point, ...] = ()
    """Where the flows that called this one go on, the outermost first."""
    entered: int = 0
    """Steps entered so far: who goes round for ever is stopped by it."""


class Forward(Struct, frozen=True, kw_only=True):
    """With whom outside the customer is being connected, and on whose account."""

    number: str
    by: AgentId | None
    """None: the flow's, which goes on at `otherwise` when he is not reached."""
    otherwise: StepName | None = None
    ring_s: float | None = None
    """How long his phone rings; None: as long as for any call that leaves."""


class Place(Struct, frozen=True, kw_only=True):
    """A place in a queue; `order` is entry time less all credits, and changes only when a supervisor asks for it."""

    queue: QueueName
    needs: tuple[SkillNeed, ...]
    entered_at: float
    order: float
    also: tuple[QueueName, ...] = ()
    """Whose operators may take it, too."""
    stages: tuple[Stage, ...] = ()
    """What it will ask less when it has waited longer,"""
    relax_at: float | None = None
    """and when the first of them is reached."""
    eased: str = ""
    """What it asks less than at first, for people."""
    raised_s: float = 0.0
    """Of the credit in `order`: what a supervisor gave,"""
    raised: str = ""
    """and who did, for people."""
    agent: AgentId | None = None
    """Only he may take it, whatever he can do,"""
    only_until: float | None = None
    """until then: afterwards everybody who has what it needs; None: nobody else ever."""
    because: str = ""
    """Why him, for people."""
    play: PlayId | None = None
    """The announcement that is being said."""
    deadline: float | None = None
    """When the caller's patience as the flow sees it ends (overflow)."""
    otherwise: StepName | None = None
    closes_at: float | None = None
    """When the queue's hours end; the flow goes on at `closed` then."""
    closed: StepName | None = None
    keys: Mapping[Key, StepName] = {}
    """Where a key leads."""
    max_waiting: int | None = None
    full: StepName | None = None
    """Where to go at once who finds so many before him."""
    max_expected_s: float | None = None
    too_long: StepName | None = None
    """Where to go when more than that is expected,"""
    ask_at: float | None = None
    """and when it is estimated next."""
    nobody: StepName | None = None
    nobody_after_s: float = 0.0
    """Where to go when nobody who could take it has been logged in for so long,"""
    deserted_at: float | None = None
    """which will be then; None: somebody is."""
    shut: Treatment | None = None
    """The line was closed by hand: what becomes of him where the flow does not say."""
    estimate_s: float | None = None
    """What was expected when it began to wait; None: nobody asked, or nobody was at work."""
    tell_at: float | None = None
    """When it is told next how it stands."""
    tellings: int = 0
    said_s: float | None = None
    """The bound that it was told last: none that it is told later is above."""
    aside: SegmentOutcome | None = None
    aside_reason: str = ""
    """He is being asked whether he wants to be called back: how his wait ends, and why, if he does not, nor goes on with it."""

    @property
    def ends_at(self) -> float | None:
        """When the wait ends, whether or not somebody comes."""
        return min((at for at in (self.deadline, self.closes_at) if at is not None), default=None)

    @property
    def due_at(self) -> float | None:
        """When something is to be done about it, at the latest."""
        return min(
            (
                at
                for at in (self.ends_at, self.deserted_at, self.only_until, self.relax_at, self.ask_at, self.tell_at)
                if at is not None
            ),
            default=None,
        )


class Recording(Struct, frozen=True, kw_only=True):
    """The contact's recording under way; `started_at` None until MixMonitor confirmed."""

    name: RecordingName
    started_at: float | None = None
    talks: tuple[tuple[float, float], ...] = ()
    """What is kept of the talks that are over."""
    off: bool = False
    """Nothing of the talk under way, or the next, is kept."""
    begun_at: float = 0.0
    """The talk under way is kept from here on, where that is not its beginning."""
    gaps: tuple[tuple[float, float], ...] = ()
    """Where it is silent, because it was paused."""
    paused_at: float | None = None
    resume_at: float | None = None
    """When a pause ends by itself."""
    leg: LegId | None = None
    """Of the operator who called, on which it runs, and ends when he goes; None: on that of the contact."""
    voices: int = 0
    """How many talks have begun since it runs: of each but the first somebody else is heard."""


class Contact(Struct, frozen=True, kw_only=True):
    """Immutable; the CDR row is made of it."""

    id: ContactId
    node: NodeName
    leg: LegId
    """Of who called; in a callback that an operator took, his."""
    line: LineNumber
    ani: str
    """The customer's number: E.164, or as it came where that makes no sense (an extension, `anonymous`)."""
    language: Language
    plan: PlanHash
    arrived_at: float
    entered_at: float
    """When the leg reached us."""
    direction: Direction = Direction.INBOUND
    trunk: TrunkName | None = None
    """By which the customer is connected."""
    brand: str = ""
    source: str = ""
    """Whose number he dialled and what it stands for (call tracking), as the line said when he called."""
    unanswered: bool = False
    """His leg is not to be answered yet: what he hears he hears free of charge."""
    announcing: PlayId | None = None
    """What every caller hears first is being said to him; the flow begins when he has heard it."""
    answered_at: float | None = None
    """When the customer's leg was answered, whoever called: from then on somebody pays."""
    cause: int = NORMAL_CLEARING
    """With which his leg is hung up."""
    state: ContactState = ContactState.FLOW
    away: bool = False
    """The leg is in the fallback dialplan: keeps its place, gets no offer; taken out of a talk, it comes back into it."""
    flow: FlowPosition | None = None
    variables: Mapping[str, str] = {}
    place: Place | None = None
    offer: Offer | None = None
    segment: Segment | None = None
    recording: Recording | None = None
    recorded: tuple[Recording, ...] = ()
    """Those that ended before the contact, with the legs of operators who had called."""
    supervision: Supervision | None = None
    """Who listens to the talk under way."""
    segments: int = 0
    offers: int = 0
    supervisions: int = 0
    plays: int = 0
    inquiries: int = 0
    inquiry: Inquiry | None = None
    """What the flow asks outside now."""
    first_queue: QueueName | None = None
    last_place: Place | None = None
    """From which he was answered last: handed over, he takes its order along."""
    agent: AgentId | None = None
    """The last agent who talked."""
    ivr_s: float = 0.0
    wait_s: float = 0.0
    """Queue entry to answer (or to leaving), ringing included."""
    ring_s: float = 0.0
    talk_s: float = 0.0
    """Without hold."""
    hold_s: float = 0.0
    holds: int = 0
    held: bool = False
    """The agent's phone holds the customer."""
    parked: bool = False
    """The agent asked for hold, and is aside."""
    consult: Consult | None = None
    """The third party of the talk."""
    typed: str = ""
    """What the agent has begun to press of a code of a talk,"""
    typed_until: float | None = None
    """and when he has given it up."""
    forward: Forward | None = None
    transfer_refused_at: float | None = None
    """When the transfer key of the agent's phone last came to nothing: a phone may take it for done, and hang up."""
    outcome: ContactOutcome | None = None
    """What it would be if the contact ended now; final with `ended_at`."""
    ended_at: float | None = None
    survey: Survey | None = None
    """Begun after the talk; it is over when it has an `ended_at`."""
    survey_s: float = 0.0
    # --- of a call that an operator made: `leg` is his, `agent` is he from the beginning ---
    attempt: Attempt | None = None
    """Under way: its leg lives, or is being made."""
    summons: int = 0
    """How often his own phone was called first; 0: he dialled himself."""
    attempts: int = 0
    tried: tuple[TrunkName, ...] = ()
    """Trunks that will not be tried again."""
    telling: PlayId | None = None
    said: PromptName = PromptName("")
    """What he is being told, and by which playback."""
    turned: bool = False
    """The operator who called is an agent like any other: `leg` is the customer's (`core.turning`)."""
    absent: bool = False
    """`leg` is gone, and the contact goes on: a callback is owed, or the customer's leg is still on its trunk."""
    dial_s: float = 0.0
    """Dialled to answered, or given up."""
    reason: str = ""
    """Why it was not let in or out, or what became of each trunk; for people."""
    # --- of one that is called back ---
    callback: Callback | None = None
    callback_s: float = 0.0
    """Owed, with nobody on the line."""
    leg_since: float = 0.0
    """Since when `leg` is one that we made; 0: it is that of who called."""

    @property
    def is_owed(self) -> bool:
        """A call is owed to the customer: no operator has talked with him yet."""
        return self.callback is not None and self.callback.answered_at is None

    @property
    def is_ringing(self) -> bool:
        """It is being offered, and the agent has not picked up: it may still go to somebody else."""
        return self.state is ContactState.OFFERED and self.offer is not None and self.offer.answered_at is None

    @property
    def number(self) -> str:
        """Where the customer is reached."""
        return self.callback.number if self.callback else self.ani

    @property
    def led_by_operator(self) -> bool:
        """`leg` is an operator's, who calls the customer; else it is, or was, the customer's."""
        called = self.callback is not None and self.callback.offer is not None
        return not self.turned and (called or self.direction is not Direction.INBOUND)

    @property
    def called(self) -> Offer | Attempt | None:
        """Who is called, or was and talks: the other side of `leg`."""
        if self.offer is not None:
            return self.offer
        return self.attempt if self.attempt and self.attempt.leg != self.leg else None

    @property
    def made(self) -> int:
        """How many legs were made for it: an offer's and an attempt's id count on from here."""
        return self.offers + self.attempts + self.summons

    @property
    def on_trunks(self) -> tuple[tuple[TrunkName, LegId, Direction], ...]:
        """The trunks that it occupies now, each by which of its legs."""
        outside = (self.attempt, self.consult.attempt if self.consult else None)
        called = tuple((each.trunk, each.leg, Direction.OUTBOUND) for each in outside if each is not None)
        gone = self.absent or self.led_by_operator or self.state is ContactState.CLOSED
        if self.trunk is None or gone or (self.attempt is not None and self.attempt.leg == self.leg):
            return called
        return ((self.trunk, self.leg, Direction.INBOUND), *called)

    @property
    def known_until(self) -> float:
        """The latest time that its segments tell of: what is learnt of it afterwards did not happen before."""
        return self.segment.started_at if self.segment else self.entered_at + self._told_s

    @property
    def _told_s(self) -> float:
        return self.ivr_s + self.wait_s + self.dial_s + self.talk_s + self.survey_s + self.hold_s + self.callback_s

    @property
    def agent_leg(self) -> LegId | None:
        """The leg of the agent who talks, is rung, or called; None: nobody is."""
        if self.led_by_operator:
            return None if self.absent else self.leg
        return self.offer.leg if self.offer else None

    @property
    def on_hold(self) -> bool:
        """The customer hears music in a talk."""
        return self.segment is not None and self.segment.held_since is not None

    @property
    def is_lent(self) -> bool:
        """It stands still as long as the fallback dialplan has its leg; what others do for it, or with it, goes on."""
        return self.away and self.state in {ContactState.FLOW, ContactState.WAITING}

    @property
    def deadline(self) -> float | None:
        """The soonest time at which silence becomes a fact for this contact."""
        if self.is_lent:
            return None
        owed = self.callback if self.absent else None
        times = [
            owed.due_at if owed and self.state is ContactState.SCHEDULED else None,
            owed.until if owed and self.state is ContactState.WAITING else None,
            self.flow.deadline if self.flow and self.state is ContactState.FLOW else None,
            self.place.due_at if self.place and self.state is ContactState.WAITING else None,
            self.offer.deadline if self.offer else None,
            self.consult.deadline if self.consult else None,
            self.attempt.deadline if self.attempt and self.state in REACHING else None,
            self.recording.resume_at if self.recording and self.state is ContactState.TALKING else None,
            self.typed_until,
        ]
        return min((at for at in times if at is not None), default=None)


def opened(contact: Contact, kind: SegmentKind, at: float, **about: object) -> Contact:
    """A new segment begins (the one before must be closed)."""
    assert contact.segment is None, f"{contact.id}: segment {contact.segments} is still open"
    n = contact.segments + 1
    segment = Segment(contact=contact.id, n=n, kind=kind, started_at=at, **about)  # type: ignore[arg-type]
    return replace(contact, segment=segment, segments=n)


def closed_segment(contact: Contact, outcome: SegmentOutcome, at: float) -> tuple[Contact, Segment]:
    """The open segment ends, its time goes into the contact's totals."""
    assert contact.segment is not None, f"{contact.id}: no segment is open"
    ended_at = max(at, contact.segment.started_at)
    segment = replace(unheld(contact.segment, ended_at), ended_at=ended_at, outcome=outcome)
    lasted_s = ended_at - segment.started_at - segment.hold_s
    totals = {
        SegmentKind.FLOW: {"ivr_s": contact.ivr_s + lasted_s},
        SegmentKind.QUEUE: {"wait_s": contact.wait_s + lasted_s},
        SegmentKind.DIAL: {"dial_s": contact.dial_s + lasted_s},
        SegmentKind.SURVEY: {"survey_s": contact.survey_s + lasted_s},
        SegmentKind.TALK: {"talk_s": contact.talk_s + lasted_s},
        SegmentKind.CALLBACK: {"callback_s": contact.callback_s + lasted_s},
    }[segment.kind]
    held = {"hold_s": contact.hold_s + segment.hold_s, "holds": contact.holds + segment.holds}
    return replace(
        contact, segment=None, held=False, parked=False, typed="", typed_until=None, **totals, **held
    ), segment


def held(segment: Segment, at: float) -> Segment:
    """From now on the customer hears music; told twice it is one hold."""
    if segment.held_since is not None:
        return segment
    return replace(segment, held_since=max(at, segment.started_at), holds=segment.holds + 1)


def unheld(segment: Segment, at: float) -> Segment:
    """He hears the agent again."""
    if segment.held_since is None:
        return segment
    return replace(segment, held_since=None, hold_s=segment.hold_s + max(0.0, at - segment.held_since))
