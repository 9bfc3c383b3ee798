"""The caller who is asked whether he wants to be called back: his place is kept meanwhile, and the segment of his wait goes on.

He comes from the queue (a key, too long a wait, closing time) or from anywhere in the flow. What is promised to him is `owed`
from the moment that he hangs up.
"""

from msgspec.structs import replace

from ccserver.core import owed, queueing, tolls
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Overflow, Place, SegmentKind, SegmentOutcome
from ccserver.core.customers import credit_s
from ccserver.core.events import CallbackSource
from ccserver.core.floor import Floor
from ccserver.core.flow import Finish, FlowTurn, JoinQueue, PromiseCallback, Record
from ccserver.core.ids import StepName
from ccserver.core.needing import asking
from ccserver.core.numbers import e164
from ccserver.core.segments import close_segment, open_segment
from ccserver.core.steps import AskCallback


def asks(floor: Floor, contact: Contact, step: StepName) -> bool:
    """Whether that step of his flow asks about a callback."""
    assert contact.flow is not None
    return isinstance(floor.plan_of(contact).flows[contact.flow.flow].steps[step], AskCallback)


def step_aside(contact: Contact, outcome: SegmentOutcome, reason: str) -> Contact:
    """From the queue to the question: `outcome` is how his wait ends should he want something else altogether."""
    place = contact.place
    assert place is not None
    place = replace(
        place,
        aside=outcome,
        aside_reason=reason,
        play=None,
        tell_at=None,
        # What took him out of the queue once must not do so again as soon as he is back.
        full=None,
        too_long=None,
        ask_at=None,
        deadline=None if reason == Overflow.MAX_WAIT else place.deadline,
        nobody=None if reason == Overflow.NOBODY else place.nobody,
        deserted_at=None if reason == Overflow.NOBODY else place.deserted_at,
        closes_at=None if outcome is SegmentOutcome.CLOSED_OUT else place.closes_at,
    )
    return replace(contact, state=ContactState.FLOW, place=place)


def decided(floor: Floor, contact: Contact, turn: FlowTurn, at: float) -> Contact:
    """Who goes on to something else than his wait, and is not called back either, gives up his place then."""
    place = contact.place
    if place is None or place.aside is None:
        return contact
    for effect in turn.effects:
        match effect:
            case PromiseCallback():
                return contact
            case JoinQueue(step) if step.queue == place.queue:
                return contact
            case JoinQueue() | Record() | Finish():
                break
    else:
        return contact  # he is still being asked, or told why that number will not do
    contact = queueing.leave(floor, contact, place.aside, at, place.aside_reason)
    contact = open_segment(floor, contact, SegmentKind.FLOW, at, flow=turn.position.flow)
    return replace(contact, place=None)


def promise(floor: Floor, contact: Contact, promised: PromiseCallback, at: float) -> Contact:
    """He will be called back, in the place that he has, or takes now."""
    plan, step = floor.plan_of(contact), promised.step
    queue = plan.queues[step.queue]
    if contact.place is None:
        contact = close_segment(floor, contact, SegmentOutcome.QUEUED, at)
        contact = open_segment(floor, contact, SegmentKind.QUEUE, at, queue=step.queue)
        order = at - queue.priority_s - step.priority_s - credit_s(floor, contact, None)
        contact = close_segment(floor, contact, SegmentOutcome.CALLBACK_TAKEN, at)
    else:
        order = contact.place.order
        contact = queueing.leave(floor, contact, SegmentOutcome.CALLBACK_TAKEN, at)
    order = owed.absorb(floor, promised.number, step.queue, order, at, by=contact.id)
    place = contact.place
    if place is None or place.queue != step.queue:
        asked = asking(plan, queue, contact.language, floor.now, skills=step.skills)
        place = Place(queue=step.queue, **asked, entered_at=at, order=order)
    callback = owed.owing(floor, contact, CallbackSource.QUEUE, promised.number, step.queue, floor.now)
    return replace(
        open_segment(floor, contact, SegmentKind.FLOW, at, flow=contact.flow.flow if contact.flow else None),
        callback=replace(callback, first=step.first or callback.first),
        place=replace(place, order=order, aside=None, aside_reason=""),
        outcome=None if contact.outcome is ContactOutcome.LEFT_BY_KEY else contact.outcome,
        first_queue=contact.first_queue or step.queue,
    )


def callable_number(floor: Floor, text: str) -> str | None:
    """What he typed, or calls from, as a number that he can be called at; raises ValueError when it may not be called."""
    number = e164(text, floor.rules.region)
    if number is None:
        return None
    if owed.is_called_now(floor, number):
        raise ValueError(f"{number} is being called back at this moment")
    if number not in floor.callbacks and len(floor.callbacks) >= floor.plan.callbacks.owed_max:
        raise ValueError("too many are owed already")
    if refusal := tolls.number_refusal(floor.plan, number):
        raise ValueError(refusal.why)
    return number
