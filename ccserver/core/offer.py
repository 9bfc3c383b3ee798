"""One contact offered to one agent: the state table of an Offer.

    MAKING --LegDialled--> DIALLING --LegRinging--> RINGING --LegAnswered--> ACCEPTED
        \\___________________|________________________|___> CLOSED (busy, refused, unreachable, rona, withdrawn, failed)

Accepted by way of WHISPERING, where he is told something first. Only so many offers of a node are being made at once
(`Rules.offers_at_once`): an offer costs Asterisk a channel, a bridge and some ten requests, and of too many at once it does none.

RONA is silence only: a phone that rang and nobody touched. A phone that says busy, declines, or cannot be reached has
outcomes of its own, because each calls for another treatment of the agent.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.events import LegAnswered, LegDialled, LegEnded, LegRinging
from ccserver.core.ids import AgentId, ContactId, LegId, OfferId, PlayId, QueueName, leg_of_offer


class OfferState(StrEnum):
    """Where an offer stands."""

    MAKING = "making"
    """His leg is asked for: Asterisk is not calling his phone yet."""
    DIALLING = "dialling"
    RINGING = "ringing"
    WHISPERING = "whispering"
    """He has picked up, and hears what the call is about before he hears the caller."""
    ACCEPTED = "accepted"
    CLOSED = "closed"


class OfferOutcome(StrEnum):
    """How an offer ended; each has exactly one."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    RONA = "rona"
    WITHDRAWN = "withdrawn"
    """The contact left, or no longer needed this agent."""
    FAILED = "failed"
    """Our side could not make or keep the leg (Asterisk refused, or died)."""


class Offer(Struct, frozen=True, kw_only=True):
    """Immutable; every change is a new value, written to the journal with its contact."""

    id: OfferId
    contact: ContactId
    agent: AgentId
    queue: QueueName
    made_at: float
    why: str
    """Why this agent, in words."""
    reach_deadline: float
    ring_deadline: float
    state: OfferState = OfferState.DIALLING
    ringing_at: float | None = None
    answered_at: float | None = None
    whisper_deadline: float | None = None
    """When he is joined with the caller, whether or not the whisper's end was told."""
    ended_at: float | None = None
    outcome: OfferOutcome | None = None
    consult: bool = False
    """He was asked to help, as a third party: whether he talked with the customer then the segments tell."""

    @property
    def leg(self) -> LegId:
        """The agent's leg."""
        return leg_of_offer(self.id)

    @property
    def deadline(self) -> float | None:
        """When silence becomes an outcome."""
        if self.state in {OfferState.MAKING, OfferState.DIALLING}:
            return self.reach_deadline
        if self.state is OfferState.WHISPERING:
            return self.whisper_deadline
        return self.ring_deadline if self.state is OfferState.RINGING else None

    @property
    def whisper(self) -> PlayId:
        """Of what is whispered to him."""
        return PlayId(f"{self.id}.whisper")

    @property
    def ring_s(self) -> float:
        """How long the phone rang, seconds."""
        if self.ringing_at is None:
            return 0.0
        end = self.answered_at if self.answered_at is not None else self.ended_at
        return max(0.0, end - self.ringing_at) if end is not None else 0.0


def closed(offer: Offer, outcome: OfferOutcome, at: float) -> Offer:
    """The offer with its one outcome; a closed offer stays as it is."""
    if offer.state is OfferState.CLOSED:
        return offer
    return replace(offer, state=OfferState.CLOSED, outcome=outcome, ended_at=max(at, offer.made_at))


def _dial(offer: Offer, _event: LegDialled) -> Offer:
    return replace(offer, state=OfferState.DIALLING)


def _ring(offer: Offer, event: LegRinging) -> Offer:
    return replace(offer, state=OfferState.RINGING, ringing_at=max(event.at, offer.made_at))


def _answer(offer: Offer, event: LegAnswered) -> Offer:
    at = max(event.at, offer.ringing_at or offer.made_at)
    return replace(offer, state=OfferState.ACCEPTED, outcome=OfferOutcome.ACCEPTED, answered_at=at)


def _leave(offer: Offer, event: LegEnded) -> Offer:
    """He picked up, heard what it is about, and hung up."""
    return closed(offer, OfferOutcome.REFUSED, event.at)


def _fail(offer: Offer, event: LegEnded) -> Offer:
    return closed(offer, failure(event, rang=offer.state is OfferState.RINGING), event.at)


TRANSITIONS = {
    (OfferState.MAKING, LegDialled): _dial,
    (OfferState.MAKING, LegRinging): _ring,
    (OfferState.MAKING, LegAnswered): _answer,
    (OfferState.MAKING, LegEnded): _fail,
    (OfferState.DIALLING, LegRinging): _ring,
    (OfferState.DIALLING, LegAnswered): _answer,
    (OfferState.DIALLING, LegEnded): _fail,
    (OfferState.RINGING, LegAnswered): _answer,
    (OfferState.RINGING, LegEnded): _fail,
    (OfferState.WHISPERING, LegEnded): _leave,
}
"""What is not here changes nothing: the end of an accepted leg is the contact's matter, a closed offer is history."""


def advance(offer: Offer, event: LegDialled | LegRinging | LegAnswered | LegEnded) -> Offer:
    """The offer after a fact about its leg."""
    transition = TRANSITIONS.get((offer.state, type(event)))
    return transition(offer, event) if transition else offer  # type: ignore[operator]


_BUSY_SIP = {486, 600}
_REFUSED_SIP = {403, 603, 607}
_SILENCE_SIP = {408, 480, 487}
_BUSY_CAUSE = 17
_REFUSED_CAUSE = 21
_SILENCE_CAUSES = {18, 19, 16, 0}
"""16 and 0: Asterisk's own dial limit ended the leg while we were away."""


def failure(event: LegEnded, *, rang: bool) -> OfferOutcome:
    """Why a leg ended before an answer, from the SIP status first and Q.850 second (`asterisk` says 19 for two things)."""
    if event.sip_status in _BUSY_SIP or (event.sip_status is None and event.cause == _BUSY_CAUSE):
        return OfferOutcome.BUSY
    if event.sip_status in _REFUSED_SIP or (event.sip_status is None and event.cause == _REFUSED_CAUSE):
        return OfferOutcome.REFUSED
    if rang and (event.sip_status in _SILENCE_SIP or event.cause in _SILENCE_CAUSES):
        return OfferOutcome.RONA
    return OfferOutcome.UNREACHABLE
