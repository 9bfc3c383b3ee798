"""A customer is called back: an operator answers first, hears it and calls him; or the customer is called, and waits no more.

Once an operator has accepted, `Contact.leg` is his, and all goes on as if he had called the customer himself (`dialling`,
`parting`). A customer who was called first is a caller from his answer on: his leg is `Contact.leg`, at the head of his place.
"""

from msgspec.structs import replace

from ccserver.core import attempt as attempts
from ccserver.core import offer as offers
from ccserver.core import recording, tolls
from ccserver.core.agent import Signal
from ccserver.core.attempt import AttemptOutcome
from ccserver.core.commands import PlayPrompts, StopPlay
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentKind, SegmentOutcome
from ccserver.core.dialling import dial_next
from ccserver.core.events import CommandFailed, LegAnswered, PlayFinished
from ccserver.core.floor import Floor
from ccserver.core.ids import ContactId, PromptName
from ccserver.core.parting import in_vain, speech_of_operator
from ccserver.core.records import AttemptSaved, OfferSaved
from ccserver.core.segments import close_segment, open_segment

BRIEFING = PromptName("callback-briefing")
"""Tells the operator that a customer is being called back; his phone shows the number."""


# --- an operator first ----------------------------------------------------------------------------------------------------


def accepted(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """The operator's phone answered: he hears what is to come, and has the customer called by it."""
    callback = contact.callback
    assert contact.offer is not None and callback is not None
    offer = offers.advance(contact.offer, event)
    assert offer.answered_at is not None
    at = offer.answered_at
    floor.record(OfferSaved(offer))
    floor.signal(offer.agent, Signal.DIALLED, at)
    contact = close_segment(floor, contact, SegmentOutcome.DIALLED, at)
    contact = open_segment(floor, contact, SegmentKind.DIAL, at, queue=offer.queue, agent=offer.agent, offer=offer.id)
    contact = replace(
        contact,
        leg=offer.leg,
        leg_since=offer.made_at,
        absent=False,
        offer=None,
        agent=offer.agent,
        tried=(),
        reason="",
        ring_s=contact.ring_s + offer.ring_s,
        callback=replace(callback, offer=offer.id, attempts=contact.attempts, until=None),
    )
    brief(floor, recording.prepared(floor, contact, offer.queue, offer.agent))


def brief(floor: Floor, contact: Contact) -> None:
    """Tell him; also once more, when he may not have heard it."""
    if contact.telling is not None:
        floor.command(StopPlay(contact.leg, contact.telling, lane=contact.id))
    play = floor.next_play(contact)
    language = speech_of_operator(floor, contact)
    floor.command(PlayPrompts(contact.leg, play, (BRIEFING,), language, lane=contact.id))
    floor.keep(
        replace(contact, state=ContactState.BRIEFING, telling=play, said=BRIEFING, plays=contact.plays + 1),
    )


def briefed(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """He knows: now the customer."""
    if contact.telling == event.play:
        _dial(floor, contact)


def briefing_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """His phone shows the number, too; but one whose leg is gone has hung up, as its end will tell."""
    if isinstance(event.command, PlayPrompts) and event.kind != "gone" and floor.linked(contact.node):
        _dial(floor, contact)


def _dial(floor: Floor, contact: Contact) -> None:
    """The tolls are asked once more: they may have been tightened since it was promised."""
    contact = replace(contact, state=ContactState.DIALLING, telling=None)
    refusal = tolls.number_refusal(floor.plan, contact.number)
    if refusal is None:
        dial_next(floor, contact)
        return
    floor.blocked += 1
    contact = close_segment(floor, contact, SegmentOutcome.UNANSWERED, floor.now)
    contact = replace(contact, reason=refusal.why)
    in_vain(floor, contact, AttemptOutcome.NO_SUCH_NUMBER, ContactOutcome.BLOCKED, refusal.prompt, floor.now)


# --- the customer first ---------------------------------------------------------------------------------------------------


def call_customers(floor: Floor) -> None:
    """As many as there are operators who would be idle without them: who is idle now has nobody else to serve."""
    while (contact_id := _next(floor)) is not None:
        contact = floor.contacts[contact_id]
        callback = contact.callback
        assert callback is not None
        contact = close_segment(floor, contact, SegmentOutcome.DIALLED, floor.now)
        contact = open_segment(floor, contact, SegmentKind.DIAL, floor.now, queue=callback.queue)
        callback = replace(callback, attempts=contact.attempts, until=None)
        _dial(floor, replace(contact, tried=(), reason="", callback=callback))


def _next(floor: Floor) -> ContactId | None:
    for head in floor.callable.heads(floor.full):
        idle = sum(seat.bench for seat in floor.idle.benches() if floor.matcher.able(head.need, seat.ability))
        if idle > sum(other.queue == head.need.queue for other in floor.calling.values()):
            return head.contact
    return None


def customer_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """He who was called first is in the queue from now on, at the place that he has always had."""
    place = contact.place
    assert contact.attempt is not None and place is not None
    attempt = attempts.advance(contact.attempt, event)
    assert attempt.answered_at is not None
    at = attempt.answered_at
    floor.record(AttemptSaved(attempt))
    contact = close_segment(floor, contact, SegmentOutcome.ANSWERED, at)
    contact = open_segment(floor, contact, SegmentKind.QUEUE, at, queue=place.queue)
    floor.unsettled[contact.id] = None
    floor.keep(
        replace(
            contact,
            state=ContactState.WAITING,
            leg=attempt.leg,
            leg_since=attempt.made_at,
            absent=False,
            attempt=attempt,
            ring_s=contact.ring_s + attempt.ring_s,
            place=replace(place, entered_at=at, tellings=0, said_s=None, estimate_s=None),
        )
    )
