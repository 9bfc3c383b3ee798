"""The contact leaves its queue unanswered, and its flow goes on: it has waited long enough, too many wait, nobody is there, the
queue closes, or the caller pressed a key.

Whether somebody may wait at all is asked when he must, and not before: whoever is served at once finds no queue full. Hence
`settle` comes after the matching of a step, and the matching again after it, for who is sent elsewhere may be served there. Who
waits for nothing but his node, which is making as many offers as it may at once, is asked about in the next step.
"""

from msgspec.structs import replace

from ccserver.core import conversation, needing, owed, promising, prospects, queueing, routing
from ccserver.core.commands import StopPlay
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Overflow, Place, SegmentOutcome
from ccserver.core.events import Event, KeyPressed
from ccserver.core.floor import Floor
from ccserver.core.ids import StepName
from ccserver.core.matching import Need
from ccserver.core.offer import OfferOutcome
from ccserver.core.steps import Forward, Step

SOON_S = 0.1
"""At once, but not in the step that has looked for what is due already."""
ASK_EVERY_S = 30.0
"""How often the wait that is left is estimated anew: an estimate looks at every operator at work."""


def settle(floor: Floor) -> bool:
    """Whoever began to wait in this step and got nobody is sent elsewhere or told so; True: somebody waits elsewhere now."""
    begun = [floor.contacts[contact_id] for contact_id in floor.unsettled if contact_id in floor.contacts]
    floor.held = {contact_id: None for contact_id in floor.held if contact_id not in floor.unsettled}
    floor.unsettled.clear()
    waiting = [contact for contact in begun if contact.state is ContactState.WAITING and not contact.away]
    staying = []
    full = floor.full
    for contact in reversed(waiting):  # of those who came at once the last finds the queue full
        if contact.node in full and _somebody_is_free(floor, contact):
            floor.held[contact.id] = None
        elif (elsewhere := _turned_away(floor, contact)) is not None:
            _give_up(floor, contact, SegmentOutcome.OVERFLOWED, *elsewhere, floor.now)
        else:
            staying.append(contact)
    for contact in reversed(staying):
        queueing.begin(floor, _asked_later(floor, contact))
    return bool(floor.unsettled)


def watch_staff(floor: Floor) -> None:
    """Somebody has logged in or out: who waits for nobody at all will not do so for ever."""
    if not floor.staff.changed:
        return
    floor.staff.changed = False
    for contact in list(floor.contacts.values()):
        place = contact.place
        if place is None or place.nobody is None:
            continue
        deserted_at = None
        if not prospects.anybody(floor, place):
            deserted_at = place.deserted_at or floor.now + max(place.nobody_after_s, SOON_S)
        if deserted_at != place.deserted_at:
            floor.keep(replace(contact, place=replace(place, deserted_at=deserted_at)))


def waited(floor: Floor, contact: Contact, event: Event) -> None:
    """Something is due of who waits: the first of these; what else is due comes right after it."""
    place = _place(contact)
    if _due(floor, place.closes_at) and place.closed is not None:
        _give_up(floor, contact, SegmentOutcome.CLOSED_OUT, "", place.closed, event.at)
    elif _due(floor, place.closes_at) and place.shut is not None:
        _hush(floor, contact)
        contact = queueing.leave(floor, contact, SegmentOutcome.CLOSED_OUT, event.at)
        conversation.shut_out(floor, contact, place.shut, event.at)
    elif _due(floor, place.deadline) and place.otherwise is not None:
        _give_up(floor, contact, SegmentOutcome.OVERFLOWED, Overflow.MAX_WAIT, place.otherwise, event.at)
    elif _due(floor, place.deserted_at) and place.nobody is not None:
        _give_up(floor, contact, SegmentOutcome.OVERFLOWED, Overflow.NOBODY, place.nobody, event.at)
    elif _due(floor, place.only_until):
        queueing.ask_anybody(floor, contact)
    elif _due(floor, place.relax_at):
        needing.relax(floor, contact)
    elif contact.absent:
        owed.time_up(floor, contact, event)
    elif _due(floor, place.ask_at) and place.too_long is not None:
        if _too_long(floor, contact):
            _give_up(floor, contact, SegmentOutcome.OVERFLOWED, Overflow.TOO_LONG, place.too_long, event.at)
        else:
            _asked_later(floor, contact)
    else:
        queueing.tell(floor, contact)


def key_pressed(floor: Floor, contact: Contact, event: KeyPressed) -> None:
    """A key, while he waits or a phone rings for him: it leads elsewhere, or means nothing."""
    step = _place(contact).keys.get(event.key)
    if step is None:
        floor.ignored += 1
        return
    if contact.offer is not None:
        contact = routing.take_back(floor, contact, OfferOutcome.WITHDRAWN, event.at)
    if contact.outcome is not ContactOutcome.ANSWERED:  # handed over, he has been talked with
        contact = replace(contact, outcome=ContactOutcome.LEFT_BY_KEY)
    _give_up(floor, contact, SegmentOutcome.LEFT_BY_KEY, event.key, step, event.at)


def _give_up(floor: Floor, contact: Contact, outcome: SegmentOutcome, reason: str, step: StepName, at: float) -> None:
    _hush(floor, contact)
    if promising.asks(floor, contact, step):
        conversation.ask_aside(floor, promising.step_aside(contact, outcome, reason), step, at)
        return
    place, contact = contact.place, queueing.leave(floor, contact, outcome, at, reason)
    if isinstance(_step(floor, contact, step), Forward):  # not reached, he may come back: in his old order
        contact = replace(contact, last_place=place)
    conversation.go_on(floor, contact, step, at)


def _step(floor: Floor, contact: Contact, name: StepName) -> Step | None:
    return floor.plan_of(contact).flows[contact.flow.flow].steps[name] if contact.flow is not None else None


def _hush(floor: Floor, contact: Contact) -> None:
    """Whatever was being said to him ends with the wait."""
    place = _place(contact)
    if place.play is not None:
        floor.command(StopPlay(contact.leg, place.play, lane=contact.id))


def _turned_away(floor: Floor, contact: Contact) -> tuple[Overflow, StepName] | None:
    """Why and where to, when he may not wait here at all."""
    place = _place(contact)
    if place.nobody is not None and not prospects.anybody(floor, place):
        return Overflow.NOBODY, place.nobody
    limit = place.max_waiting
    if place.full is not None and limit is not None and len(floor.queued[place.queue]) > limit:
        return Overflow.FULL, place.full
    if place.too_long is not None and _too_long(floor, contact):
        return Overflow.TOO_LONG, place.too_long
    return None


def _somebody_is_free(floor: Floor, contact: Contact) -> bool:
    """He would be offered if his node were not making as many offers as it may."""
    place = _place(contact)
    if place.agent is not None:
        return place.agent in floor.idle
    need = Need.of(place)
    return any(floor.matcher.able(need, seat.ability) for seat in floor.idle.benches())


def _too_long(floor: Floor, contact: Contact) -> bool:
    """What nobody can estimate, because nobody is at work, is not too long: that has an exit of its own."""
    limit_s, expected_s = _place(contact).max_expected_s, prospects.expected_wait_s(floor, contact)
    return limit_s is not None and expected_s is not None and expected_s > limit_s


def _asked_later(floor: Floor, contact: Contact) -> Contact:
    place = _place(contact)
    if place.too_long is None:
        return contact
    return floor.keep(replace(contact, place=replace(place, ask_at=floor.now + ASK_EVERY_S)))


def _due(floor: Floor, at: float | None) -> bool:
    return at is not None and at <= floor.now


def _place(contact: Contact) -> Place:
    assert contact.place is not None
    return contact.place
