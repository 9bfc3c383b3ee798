"""The agent picks up: he is told first what the call is about, where his line or queue has something to say, then they talk."""

from msgspec.structs import replace

from ccserver.core import offer as offers
from ccserver.core import owed
from ccserver.core.agent import Signal
from ccserver.core.answering import pick_up
from ccserver.core.commands import EndWhisper, JoinLegs, WhisperPrompts
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentKind, SegmentOutcome
from ccserver.core.customers import remember
from ccserver.core.events import CommandFailed, LegAnswered, PlayFinished
from ccserver.core.floor import Floor
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.queueing import leave
from ccserver.core.records import OfferSaved
from ccserver.core.segments import open_segment
from ccserver.core.showing import whispered

WHISPER_MAX_S = 30.0
"""However long a whisper is, and whatever became of it: then they are joined."""


def phone_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """Audio already flows, the wait is over; unless he is told first what it is about."""
    if _current(contact).state is OfferState.WHISPERING:
        floor.ignored += 1  # Dial ANSWER and state Up tell the same
        return
    offer = offers.advance(_current(contact), event)
    assert offer.state is OfferState.ACCEPTED and offer.answered_at is not None
    missed = floor.nodes[contact.node].lost_at is not None  # they have been talking since, and a whisper would cut in
    if not missed and (items := whispered(floor, contact)):
        _whisper(floor, contact, offer, items)
    else:
        _join(floor, contact, offer, offer.answered_at)


def _whisper(floor: Floor, contact: Contact, offer: Offer, items: tuple[str, ...]) -> None:
    """The caller goes on waiting under music; what he waits longer is wait, and no talk."""
    until = floor.now + WHISPER_MAX_S
    offer = replace(offer, state=OfferState.WHISPERING, outcome=None, whisper_deadline=until)
    operator = floor.plan.operators.get(offer.agent)
    language = operator.language if operator else contact.language
    floor.command(WhisperPrompts(offer.id, offer.whisper, items, language, lane=contact.id))
    floor.record(OfferSaved(offer))
    floor.keep(replace(contact, offer=offer))


def whisper_ended(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """He has heard it."""
    offer = _current(contact)
    if offer.state is OfferState.WHISPERING and event.play == offer.whisper:
        _join_whispered(floor, contact, event.at)
    else:
        floor.ignored += 1


def whisper_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """Nothing is said, and they talk; a leg that is gone is settled by its end."""
    if event.kind != "gone" and _current(contact).state is OfferState.WHISPERING:
        _join_whispered(floor, contact, event.at)
    else:
        floor.ignored += 1


def cut_short(floor: Floor, contact: Contact, at: float) -> None:
    """It lasts too long, or its end may have been missed: whatever is still being said to him ends, and they talk."""
    offer = _current(contact)
    floor.command(EndWhisper(offer.id, offer.whisper, lane=contact.id))
    _join_whispered(floor, contact, at)


def _join_whispered(floor: Floor, contact: Contact, at: float) -> None:
    offer = replace(_current(contact), state=OfferState.ACCEPTED, outcome=OfferOutcome.ACCEPTED)
    _join(floor, contact, offer, at)


def _join(floor: Floor, contact: Contact, offer: Offer, at: float) -> None:
    """The talk begins."""
    floor.record(OfferSaved(offer))
    floor.signal(offer.agent, Signal.ANSWERED, at, serving=offer.queue, serving_since=at, ronas=0)
    contact = pick_up(floor, contact)
    floor.command(JoinLegs(contact.leg, offer.id, lane=contact.id))
    remember(floor, contact, offer.agent, at)
    contact = leave(floor, contact, SegmentOutcome.ANSWERED, at)
    contact = open_segment(floor, contact, SegmentKind.TALK, at, queue=offer.queue, agent=offer.agent, offer=offer.id)
    floor.keep(
        replace(
            contact,
            state=ContactState.TALKING,
            offer=offer,
            place=None,
            last_place=contact.place,
            agent=offer.agent,
            ring_s=contact.ring_s + offer.ring_s,
            outcome=ContactOutcome.ANSWERED,
            callback=owed.fulfilled(contact.callback, at),
        )
    )


def _current(contact: Contact) -> Offer:
    assert contact.offer is not None
    return contact.offer
