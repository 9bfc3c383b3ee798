"""A colleague calls a colleague: two legs in one bridge, without a queue, a trunk or a recording.

The caller's phone is answered at once, as when he calls a customer, and he hears the other one ring. Whoever of the two is in a
call of ours is offered nothing meanwhile; afterwards each goes on with what he did. One who serves a customer and calls a
colleague beside it consults him (`beside`); where he cannot be consulted, the dialplan connects the two by itself.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core import beside
from ccserver.core import offer as offers
from ccserver.core.agent import AgentState, Signal
from ccserver.core.closing import close
from ccserver.core.commands import AnswerLeg, HangUpLeg, LetDialplanDial, OfferContact, ReleaseContact, WithdrawOffer
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Direction, SegmentKind, SegmentOutcome
from ccserver.core.dialling import occupy, take_up_telling
from ccserver.core.events import CommandFailed, Event, InternalDialled, LegAnswered, LegEnded, LegRinging, ListedLeg
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, Language, LegId, LineNumber, OfferId, PromptName, QueueName
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.parting import hang_up_operator, tell
from ccserver.core.routing import RING_GRACE_S
from ccserver.core.segments import close_segment, open_segment

REACH_TIMEOUT_S = 8.0
RING_TIMEOUT_S = 30.0
_NO_QUEUE = QueueName("")
_NO_MUSIC = ""
"""He hears the ringing instead, which Asterisk makes itself."""


class Failure(Struct, frozen=True):
    """Why there is no talk: for the CDR, for the caller's ear, for people."""

    outcome: ContactOutcome
    prompt: PromptName
    why: str


_O = ContactOutcome
_BY_OFFER = {
    OfferOutcome.BUSY: (_O.BUSY, PromptName("outbound-busy")),
    OfferOutcome.REFUSED: (_O.DECLINED, PromptName("outbound-declined")),
    OfferOutcome.RONA: (_O.NO_ANSWER, PromptName("outbound-no-answer")),
}
_UNREACHABLE = (_O.NO_ANSWER, PromptName("internal-unreachable"))


def dialled(floor: Floor, event: InternalDialled) -> None:
    """A colleague's extension was dialled: let his phone ring, or say why not."""
    if beside.begun(floor, event):
        return
    caller = floor.plan.operators.get(event.agent) if event.agent else None
    contact = Contact(
        id=event.contact,
        node=event.node,
        leg=event.leg,
        line=LineNumber(""),
        ani=event.number,
        language=caller.language if caller else Language("ru"),
        plan=floor.plan.hash,
        arrived_at=event.dialled_at,
        entered_at=event.at,
        direction=Direction.INTERNAL,
        state=ContactState.DIALLING,
        agent=caller.extension if caller else None,
    )
    if caller is not None and _serves(floor, caller.extension):
        floor.command(LetDialplanDial(contact.leg, event.number, lane=contact.id))
        floor.command(ReleaseContact(contact.id, lane=contact.id))
        floor.departed[contact.leg] = floor.now  # told once more, by a listing and by a buffer, it is none of ours
        return
    floor.command(AnswerLeg(contact.leg, contact.language, lane=contact.id))
    failure = _failure(floor, contact)
    if caller is not None:
        occupy(floor, caller, contact, event.at)
    if failure is not None:
        tell(floor, replace(contact, reason=failure.why), failure.outcome, failure.prompt)
    else:
        _ring(
            floor, open_segment(floor, contact, SegmentKind.DIAL, event.at, agent=contact.agent), AgentId(event.number)
        )


def _serves(floor: Floor, agent: AgentId) -> bool:
    serves = floor.agents[agent].contact
    return serves is not None and not floor.contacts[serves].is_ringing


def _failure(floor: Floor, contact: Contact) -> Failure | None:
    """Why the colleague's phone cannot ring; whether he is ready is no matter."""
    colleague = floor.agents.get(AgentId(contact.ani)) if contact.ani in floor.plan.operators else None
    if contact.agent is None:
        return Failure(_O.BLOCKED, PromptName("agent-not-an-operator"), "the phone belongs to no operator")
    if colleague is None:
        return Failure(
            _O.NO_SUCH_NUMBER, PromptName("outbound-no-such-number"), f"no operator has the extension {contact.ani}"
        )
    if colleague.id == contact.agent:
        return Failure(_O.BUSY, PromptName("outbound-busy"), f"{colleague.id} called himself")
    if colleague.contact is not None or colleague.leg is not None:
        return Failure(_O.BUSY, PromptName("outbound-busy"), f"{colleague.id} is {colleague.state}")
    if not colleague.reachable:
        return Failure(*_UNREACHABLE, f"the phone of {colleague.id} is not registered")
    return None


def _ring(floor: Floor, contact: Contact, colleague: AgentId) -> None:
    offer = Offer(
        id=OfferId(f"{contact.id}.1"),
        contact=contact.id,
        agent=colleague,
        queue=_NO_QUEUE,
        made_at=floor.now,
        why=f"called by {contact.agent}",
        reach_deadline=floor.now + REACH_TIMEOUT_S,
        ring_deadline=floor.now + RING_TIMEOUT_S,
    )
    limit_s = REACH_TIMEOUT_S + RING_TIMEOUT_S + RING_GRACE_S
    floor.command(
        OfferContact(offer.id, contact.leg, colleague, contact.agent or "", _NO_MUSIC, limit_s, None, lane=contact.id)
    )
    floor.signal(colleague, Signal.CALLED, floor.now, contact=contact.id, leg=offer.leg)
    floor.keep(replace(contact, offer=offer))


# --- what becomes of it ---------------------------------------------------------------------------------------------------


def colleague_rang(floor: Floor, contact: Contact, event: LegRinging) -> None:
    """The colleague's phone rings."""
    offer = _current(contact)
    advanced = offers.advance(offer, event)
    if advanced is not offer:
        floor.signal(offer.agent, Signal.RANG, event.at)
        floor.keep(replace(contact, offer=replace(advanced, ring_deadline=floor.now + RING_TIMEOUT_S)))


def colleague_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """They hear each other already."""
    offer = offers.advance(_current(contact), event)
    assert offer.answered_at is not None
    at = offer.answered_at
    for agent in (offer.agent, contact.agent):
        if agent is not None and floor.agents[agent].contact == contact.id:
            floor.signal(agent, Signal.ANSWERED, at)
    contact = close_segment(floor, contact, SegmentOutcome.ANSWERED, at)
    contact = open_segment(floor, contact, SegmentKind.TALK, at, agent=contact.agent, offer=offer.id)
    ring_s = contact.ring_s + offer.ring_s
    floor.keep(
        replace(contact, state=ContactState.TALKING, offer=offer, ring_s=ring_s, outcome=ContactOutcome.ANSWERED)
    )


def colleague_failed(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """His leg ended before an answer."""
    offer = offers.advance(_current(contact), event)
    _in_vain(floor, contact, replace(offer, outcome=OfferOutcome.FAILED) if event.lost else offer)


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """His phone did not ring, or rang in silence, for too long."""
    offer = _current(contact)
    silent = offer.state is OfferState.RINGING
    _give_up(floor, contact, OfferOutcome.RONA if silent else OfferOutcome.UNREACHABLE, event.at)


def command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """His leg could not be made; the connector has left nothing of it."""
    offer = contact.offer
    if offer is None or not isinstance(event.command, OfferContact) or event.command.offer != offer.id:
        floor.ignored += 1
        return
    floor.note(floor.note_values(offer.agent, leg=None))
    outcome = OfferOutcome.UNREACHABLE if event.kind == "unavailable" else OfferOutcome.FAILED
    _in_vain(floor, contact, offers.closed(offer, outcome, event.at))


def _give_up(floor: Floor, contact: Contact, outcome: OfferOutcome, at: float) -> None:
    offer = _current(contact)
    floor.command(WithdrawOffer(offer.id, lane=contact.id))
    _in_vain(floor, contact, offers.closed(offer, outcome, at))


def _in_vain(floor: Floor, contact: Contact, offer: Offer) -> None:
    """The caller is told why; the colleague goes on with what he did."""
    assert offer.ended_at is not None and offer.outcome is not None
    _release(floor, contact, offer.agent, offer.ended_at)
    contact = close_segment(floor, contact, SegmentOutcome.UNANSWERED, offer.ended_at)
    outcome, prompt = _BY_OFFER.get(offer.outcome, _UNREACHABLE)
    reason = f"{offer.agent}: {offer.outcome}"
    tell(floor, replace(contact, offer=None, reason=reason, ring_s=contact.ring_s + offer.ring_s), outcome, prompt)


# --- how it ends ----------------------------------------------------------------------------------------------------------


def colleague_hung_up(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The talk is over by the colleague's leg."""
    offer = _current(contact)
    contact = close_segment(floor, contact, _ended(event, SegmentOutcome.CUSTOMER_LEFT), event.at)
    _release(floor, contact, offer.agent, event.at)
    hang_up_operator(floor, replace(contact, offer=None))


def caller_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The caller hung up: whatever the call was doing, it is over."""
    offer, at = contact.offer, event.at
    if contact.state is ContactState.DIALLING:
        contact = close_segment(floor, contact, _ended(event, SegmentOutcome.CANCELLED), at)
        contact = replace(contact, outcome=_O.FAILED if event.lost else _O.CANCELLED)
    elif contact.state is ContactState.TALKING:
        contact = close_segment(floor, contact, _ended(event, SegmentOutcome.AGENT_LEFT), at)
    if offer is not None:
        floor.command(HangUpLeg(offer.leg, lane=contact.id))
        _release(floor, contact, offer.agent, at)
        rang_s = (
            offer.ring_s if offer.answered_at is not None else offers.closed(offer, OfferOutcome.WITHDRAWN, at).ring_s
        )
        contact = replace(contact, ring_s=max(contact.ring_s, rang_s))
    if contact.agent is not None:
        _release(floor, contact, contact.agent, at)
    close(floor, replace(contact, offer=None, telling=None), at)


def _ended(event: LegEnded, outcome: SegmentOutcome) -> SegmentOutcome:
    return SegmentOutcome.FAILED if event.lost else outcome


def _release(floor: Floor, contact: Contact, agent_id: AgentId, at: float) -> None:
    """He goes on with what he did before; there are no notes to make."""
    agent = floor.agents[agent_id]
    if agent.contact != contact.id:
        return
    if agent.state is AgentState.TALKING:
        floor.wrap_up(agent_id, 0.0, at)
    else:
        floor.signal(agent_id, Signal.RELEASED, at, contact=None)


def take_up(floor: Floor, contact: Contact, legs: Mapping[LegId, ListedLeg]) -> None:
    """After a gap, or while something is being hung up: what its state calls for, once more."""
    if contact.state is ContactState.DIALLING and contact.offer is not None:
        floor.command(AnswerLeg(contact.leg, contact.language, lane=contact.id))
        leg = legs.get(contact.offer.leg)
        if leg is not None and not (leg.up or leg.ringing or leg.pending):
            # Made, and perhaps never dialled: we died between the two.
            _give_up(floor, contact, OfferOutcome.FAILED, floor.now)
    else:
        take_up_telling(floor, contact)


def _current(contact: Contact) -> Offer:
    assert contact.offer is not None
    return contact.offer
