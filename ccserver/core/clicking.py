"""Click-to-call: a program has an operator call a customer. His own phone rings first; when he answers, all goes on as if he had
dialled the number himself (`dialling`, `parting`), for `Contact.leg` is his from the beginning.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ccserver.core import dialling
from ccserver.core import offer as offers
from ccserver.core.agent import Signal
from ccserver.core.closing import close
from ccserver.core.commands import OfferContact, WithdrawOffer
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Direction, SegmentKind, SegmentOutcome
from ccserver.core.events import (
    Accepted,
    Answer,
    CallCustomer,
    CommandFailed,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    ListedLeg,
    Refused,
)
from ccserver.core.floor import Floor
from ccserver.core.ids import LegId, OfferId, QueueName, leg_of_offer
from ccserver.core.internal import REACH_TIMEOUT_S, RING_TIMEOUT_S
from ccserver.core.numbers import canonical
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.parting import tell
from ccserver.core.plan import Operator
from ccserver.core.routing import RING_GRACE_S
from ccserver.core.segments import close_segment, open_segment

_NO_QUEUE = QueueName("")


def requested(floor: Floor, request: CallCustomer) -> Answer:
    """Ring the operator's phone; one and the same call that is asked for twice is made once."""
    offer_id = OfferId(f"{request.contact}.1")
    if request.contact in floor.contacts or leg_of_offer(offer_id) in floor.departed:
        return Accepted()
    operator = floor.plan.operators.get(request.agent)
    if operator is None:
        return Refused(f"no operator has the extension {request.agent}")
    contact = Contact(
        id=request.contact,
        node=floor.plan.node,
        leg=leg_of_offer(offer_id),
        line=request.line or dialling.line_of(floor.plan, operator),
        ani=canonical(request.number, floor.rules.region),
        language=operator.language,
        plan=floor.plan.hash,
        arrived_at=floor.now,
        entered_at=floor.now,
        direction=Direction.OUTBOUND,
        state=ContactState.SUMMONING,
        agent=operator.extension,
        summons=1,
    )
    if why := _flaw(floor, operator, contact):
        return Refused(why)
    _ring(floor, open_segment(floor, contact, SegmentKind.DIAL, floor.now, agent=contact.agent), offer_id)
    return Accepted()


def _flaw(floor: Floor, operator: Operator, contact: Contact) -> str:
    """Why it cannot be; empty: it can."""
    agent = floor.agents[operator.extension]
    if contact.line not in floor.plan.lines:
        return f"there is no line {contact.line}"
    if not floor.linked(contact.node):
        return f"nothing is heard of {contact.node} just now"
    if agent.contact is not None or agent.leg is not None or agent.in_use:
        return f"{agent.id} is {agent.state}: his phone is not free"
    if not agent.reachable:
        return f"the phone of {agent.id} is not registered"
    refusal = dialling.refusal(floor, operator, contact)
    return refusal.why if refusal else ""


def _ring(floor: Floor, contact: Contact, offer_id: OfferId) -> None:
    assert contact.agent is not None
    offer = Offer(
        id=offer_id,
        contact=contact.id,
        agent=contact.agent,
        queue=_NO_QUEUE,
        made_at=floor.now,
        why="to call a customer",
        reach_deadline=floor.now + REACH_TIMEOUT_S,
        ring_deadline=floor.now + RING_TIMEOUT_S,
    )
    limit_s = REACH_TIMEOUT_S + RING_TIMEOUT_S + RING_GRACE_S
    floor.command(OfferContact(offer.id, None, offer.agent, contact.ani, "", limit_s, None, lane=contact.id))
    floor.signal(offer.agent, Signal.CALLED, floor.now, contact=contact.id, leg=offer.leg)
    floor.keep(replace(contact, offer=offer))


# --- what becomes of it ---------------------------------------------------------------------------------------------------


def phone_rang(floor: Floor, contact: Contact, event: LegRinging) -> None:
    """His phone rings."""
    offer = _current(contact)
    advanced = offers.advance(offer, event)
    if advanced is not offer:
        floor.signal(offer.agent, Signal.RANG, event.at)
        floor.keep(replace(contact, offer=replace(advanced, ring_deadline=floor.now + RING_TIMEOUT_S)))


def phone_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """He is there: now the customer. The tolls are asked once more: others have called meanwhile."""
    offer = offers.advance(_current(contact), event)
    assert offer.answered_at is not None
    floor.signal(offer.agent, Signal.DIALLED, offer.answered_at)
    contact = replace(contact, state=ContactState.DIALLING, offer=None)
    flaw = dialling.refusal(floor, floor.plan.operators.get(offer.agent), contact)
    if flaw is None:
        dialling.begin(floor, contact)
        return
    floor.blocked += 1
    contact = close_segment(floor, contact, SegmentOutcome.UNANSWERED, offer.answered_at)
    tell(floor, replace(contact, reason=flaw.why), ContactOutcome.BLOCKED, flaw.prompt)


def phone_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """He did not answer, or his leg was never made."""
    if event.lost and contact.summons == 1 and floor.linked(contact.node):
        # A crash of ours kept it from being made: made anew, once.
        offer_id = OfferId(f"{contact.id}.2")
        floor.signal(_current(contact).agent, Signal.RELEASED, event.at, contact=None)
        _ring(floor, floor.keep(replace(contact, leg=leg_of_offer(offer_id), summons=2, offer=None)), offer_id)
        return
    _over(floor, contact, offers.advance(_current(contact), event))


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """His phone did not ring, or rang in silence, for too long."""
    give_up(floor, contact, event.at)


def give_up(floor: Floor, contact: Contact, at: float) -> None:
    """His phone need not ring any more."""
    offer = _current(contact)
    outcome = OfferOutcome.RONA if offer.state is OfferState.RINGING else OfferOutcome.UNREACHABLE
    floor.command(WithdrawOffer(offer.id, lane=contact.id))
    _over(floor, contact, offers.closed(offer, outcome, at))


def command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """His leg could not be made; the connector has left nothing of it."""
    offer = _current(contact)
    if not (isinstance(event.command, OfferContact) and event.command.offer == offer.id):
        floor.ignored += 1
        return
    floor.note(floor.note_values(offer.agent, leg=None))
    outcome = OfferOutcome.UNREACHABLE if event.kind == "unavailable" else OfferOutcome.FAILED
    _over(floor, contact, offers.closed(offer, outcome, event.at))


def take_up(floor: Floor, contact: Contact, legs: Mapping[LegId, ListedLeg]) -> None:
    """After a gap: a leg that was made, and perhaps never dialled, for we died between the two."""
    leg = legs.get(contact.leg)
    if leg is not None and not (leg.up or leg.ringing or leg.pending):
        give_up(floor, contact, floor.now)


def _over(floor: Floor, contact: Contact, offer: Offer) -> None:
    assert offer.ended_at is not None
    floor.signal(offer.agent, Signal.RELEASED, offer.ended_at, contact=None)
    contact = close_segment(floor, contact, SegmentOutcome.CANCELLED, offer.ended_at)
    outcome = ContactOutcome.FAILED if offer.outcome is OfferOutcome.FAILED else ContactOutcome.CANCELLED
    reason = f"the phone of {offer.agent}: {offer.outcome}"
    close(floor, replace(contact, offer=None, outcome=outcome, reason=reason), offer.ended_at)


def _current(contact: Contact) -> Offer:
    assert contact.offer is not None
    return contact.offer
