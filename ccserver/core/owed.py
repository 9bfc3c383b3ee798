"""The customer to whom a call is owed: nobody is on the line, and his place in the queue is kept and moves.

He waits until his time comes (`SCHEDULED`), then like anybody else (`WAITING`): the operator who is free for him is offered
him, or he himself is called first (`calling_back`). He who calls again meanwhile is served as a caller, in the place of his
callback. Nothing of this lives in Asterisk, so neither its death nor ours takes it away.
"""

from msgspec.structs import replace

from ccserver.core import callback as callbacks
from ccserver.core import offer as offers
from ccserver.core import tolls
from ccserver.core.agent import Signal
from ccserver.core.attempt import AttemptOutcome
from ccserver.core.callback import Callback
from ccserver.core.closing import close, release
from ccserver.core.commands import WithdrawOffer
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Place, SegmentKind, SegmentOutcome
from ccserver.core.events import CallbackSource, Event
from ccserver.core.floor import Floor
from ccserver.core.ids import ContactId, QueueName
from ccserver.core.offer import OfferOutcome
from ccserver.core.records import OfferSaved
from ccserver.core.segments import close_segment, open_segment

UNTOUCHED = {ContactState.SCHEDULED, ContactState.WAITING, ContactState.OFFERED}
"""Nobody has been called yet: what is owed may still be changed, or taken back."""
KEPT = {ContactOutcome.ANSWERED, ContactOutcome.ABANDONED}
"""Whatever becomes of the callback, the call before it ended so."""


def part(floor: Floor, contact: Contact, at: float) -> None:
    """The last leg of the contact is gone: it ends, unless a call is owed."""
    callback = contact.callback
    if callback is None or callback.answered_at is not None:
        close(floor, contact, at)
        return
    release(floor, contact)
    assert contact.place is not None, "a call is owed in a place of a queue"
    contact = replace(
        contact,
        absent=True,
        away=False,
        unanswered=False,  # on the line come only those whom we call
        agent=None,
        recording=None,
        telling=None,
        callback=replace(callback, offer=None),
        place=_without_exits(contact.place),
    )
    if callback.given_up:
        outcome = contact.outcome or ContactOutcome.NO_ANSWER
        finish(floor, contact, SegmentOutcome.UNANSWERED, outcome, at)
    else:
        wait(floor, contact, at)


def _without_exits(place: Place) -> Place:
    """What would lead him elsewhere in his flow is over; what he asks of an agent, and less and less, stays."""
    return replace(
        place,
        play=None,
        tell_at=None,
        deadline=None,
        closes_at=None,
        keys={},
        full=None,
        too_long=None,
        ask_at=None,
        nobody=None,
        deserted_at=None,
        aside=None,
        aside_reason="",
    )


def wait(floor: Floor, contact: Contact, at: float) -> None:
    """Until its time comes, or in its place at once; or it is too late for ever."""
    assert contact.callback is not None
    plan = floor.plan_of(contact)
    callback = callbacks.on_the_clock(plan, plan.lines.get(contact.line), contact.callback, floor.now)
    if callback is None:
        finish(floor, contact, SegmentOutcome.EXPIRED, ContactOutcome.EXPIRED, at)
        return
    state = ContactState.WAITING if callback.due_at <= floor.now else ContactState.SCHEDULED
    floor.keep(replace(contact, state=state, callback=callback))


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """Its time has come, or the hours are over, or it is too late."""
    wait(floor, contact, event.at)


def tried(floor: Floor, contact: Contact, outcome: AttemptOutcome, told: ContactOutcome, at: float) -> Contact:
    """A try in vain, whose segment has just been closed: from here on the call is owed again, if there is to be another."""
    assert contact.callback is not None
    offer = contact.callback.offer
    callback = callbacks.retried(floor.plan_of(contact).callbacks, contact.callback, outcome, floor.now)
    contact = open_segment(floor, contact, SegmentKind.CALLBACK, at, queue=callback.queue)
    ended = contact.outcome if contact.outcome in KEPT else told
    # `offer` stays until the operator's leg is gone, too: `leg` is his.
    return replace(contact, callback=replace(callback, offer=offer), outcome=ended, tried=())


def missed(floor: Floor, contact: Contact, at: float) -> Contact:
    """He gave up waiting (or had been called, and gave up): his queue may want him called back."""
    place = contact.place
    assert place is not None
    if contact.is_owed:
        return tried(floor, contact, AttemptOutcome.NO_ANSWER, ContactOutcome.ABANDONED, at)
    if contact.callback is not None or contact.outcome is ContactOutcome.ANSWERED:
        return contact  # an agent has talked with him
    queue = floor.plan_of(contact).queues[place.queue]
    waited_s = at - place.entered_at
    if not queue.callback_missed or waited_s < queue.callback_missed_wait_s:
        return contact
    calls = sum(other.ani == contact.ani and not other.absent for other in floor.contacts.values())
    if calls > 1 or not may_be_owed(floor, contact.ani):
        return contact
    due_at = floor.now + queue.callback_missed_after_s
    callback = owing(floor, contact, CallbackSource.MISSED, contact.ani, place.queue, due_at)
    contact = open_segment(floor, contact, SegmentKind.CALLBACK, at, queue=place.queue)
    return replace(contact, callback=callback)


def may_be_owed(floor: Floor, number: str) -> bool:
    """A number that can be called, of somebody to whom no call is owed yet, and not too many are owed already."""
    full = len(floor.callbacks) >= floor.plan.callbacks.owed_max
    return number not in floor.callbacks and not full and tolls.number_refusal(floor.plan, number) is None


def owing(
    floor: Floor, contact: Contact, source: CallbackSource, number: str, queue: QueueName, due_at: float
) -> Callback:
    """What is promised to the contact's customer."""
    plan = floor.plan_of(contact)
    return Callback(
        number=number,
        source=source,
        queue=queue,
        first=plan.queues[queue].callback_first,
        asked_at=floor.now,
        due_at=due_at,
        expires_at=max(due_at, floor.now) + plan.callbacks.expire_after_s,
    )


def fulfilled(callback: Callback | None, at: float) -> Callback | None:
    """An operator and the customer talk."""
    return replace(callback, answered_at=at) if callback is not None else None


def absorb(floor: Floor, number: str, queue: QueueName, order: float, at: float, *, by: ContactId) -> float:
    """The customer himself is in the queue now: no call is owed any more, and of the two places he has the better one."""
    other = _owed_to(floor, number, by)
    if other is None:
        return order
    place = other.place
    merge(floor, other, at)
    return min(order, place.order) if place is not None and place.queue == queue else order


def called_again(floor: Floor, number: str, at: float, *, by: ContactId) -> None:
    """He calls: who only was to be called because he had given up needs it no more."""
    other = _owed_to(floor, number, by)
    if other is not None and other.callback is not None and other.callback.source is CallbackSource.MISSED:
        merge(floor, other, at)


def _owed_to(floor: Floor, number: str, by: ContactId) -> Contact | None:
    owed = floor.callbacks.get(number)
    other = floor.contacts.get(owed) if owed is not None and owed != by else None
    return other if other is not None and other.absent and other.state in UNTOUCHED else None


def is_called_now(floor: Floor, number: str) -> bool:
    """What is owed to him is under way, and no other contact of his can take its place any more."""
    known = floor.callbacks.get(number)
    other = floor.contacts[known] if known is not None else None
    return other is not None and not (other.absent and other.state in UNTOUCHED)


def merge(floor: Floor, contact: Contact, at: float) -> None:
    """Another contact of the customer's has taken its place."""
    at = max(at, contact.known_until)
    contact = drop_offer(floor, contact, at)
    finish(floor, contact, SegmentOutcome.MERGED, ContactOutcome.MERGED, at)


def drop_offer(floor: Floor, contact: Contact, at: float) -> Contact:
    """The operator whose phone rings for it is left in peace."""
    if contact.offer is None:
        return contact
    offer = offers.closed(contact.offer, OfferOutcome.WITHDRAWN, at)
    floor.command(WithdrawOffer(offer.id, lane=contact.id))
    floor.record(OfferSaved(offer))
    floor.signal(offer.agent, Signal.RELEASED, at, contact=None)
    return replace(contact, state=ContactState.WAITING, offer=None, ring_s=contact.ring_s + offer.ring_s)


def finish(floor: Floor, contact: Contact, ended: SegmentOutcome, outcome: ContactOutcome, at: float) -> None:
    """It is owed no more. Who was talked with before, or gave up waiting, has that as the outcome of the whole."""
    contact = close_segment(floor, contact, ended, at)
    close(floor, replace(contact, outcome=contact.outcome if contact.outcome in KEPT else outcome), at)
