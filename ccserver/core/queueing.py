"""The contact in a queue: its place, what it hears while it waits, and what is learnt from its wait."""

from msgspec.structs import replace

from ccserver.core import flow, owed
from ccserver.core.calendar import closes_at
from ccserver.core.commands import PlayPrompts, StartMusic
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Place, SegmentKind, SegmentOutcome
from ccserver.core.customers import credit_s, preferring
from ccserver.core.events import PlayFinished
from ccserver.core.ewt import SPOKEN_S, spoken_bound_s
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, QueueName, is_chosen
from ccserver.core.matching import Need
from ccserver.core.needing import Asking, asking
from ccserver.core.plan import Queue
from ccserver.core.prospects import expected_wait_s, position
from ccserver.core.segments import close_segment, open_segment
from ccserver.core.steps import Enqueue, SkillNeed, Stage

POSITIONS_SAID = 10
"""Beyond it a caller is told that there are more than so many before him."""
CALLED_BACK = "callback-connecting"
"""Said to a customer who was called first and must wait all the same."""
ABANDONED = {SegmentOutcome.ABANDONED, SegmentOutcome.SHORT_ABANDONED}


def join(floor: Floor, contact: Contact, step: Enqueue, at: float) -> Contact:
    """A place in the queue: its order is fixed here and never changes."""
    plan = floor.plan_of(contact)
    queue = plan.queues[step.queue]
    if contact.place is not None and contact.place.aside is not None:
        floor.unsettled[contact.id] = None  # back from a question: the place was his all the time
        place = replace(contact.place, aside=None, aside_reason="")
        outcome = None if contact.outcome is ContactOutcome.LEFT_BY_KEY else contact.outcome
        return replace(contact, state=ContactState.WAITING, place=place, outcome=outcome)
    order = _order(contact, at - queue.priority_s - credit_s(floor, contact, step))
    if contact.is_owed and contact.place is not None:
        order = min(order, contact.place.order)  # promised to be called back, he waits all the same
    order = owed.absorb(floor, contact.ani, step.queue, order, at, by=contact.id)
    contact = close_segment(floor, contact, SegmentOutcome.QUEUED, at)
    contact = open_segment(floor, contact, SegmentKind.QUEUE, at, queue=step.queue)
    place = Place(
        queue=step.queue,
        **_asking(floor, contact, queue, skills=step.skills, relax=step.relax),
        entered_at=at,
        order=order,
        deadline=None if step.max_wait_s is None else floor.now + step.max_wait_s,
        otherwise=step.otherwise,
        closes_at=closes_at(plan.calendars[step.calendar], floor.now) if step.calendar and step.closed else None,
        closed=step.closed,
        keys=step.keys,
        max_waiting=step.max_waiting,
        full=step.full,
        max_expected_s=step.max_expected_s,
        too_long=step.too_long,
        nobody=step.nobody,
        nobody_after_s=step.nobody_after_s,
    )
    if step.agent is not None:
        place = replace(place, agent=step.agent, because="the flow asks for him")
    else:
        place = preferring(floor, contact, queue, place)
    floor.unsettled[contact.id] = None
    if contact.outcome is ContactOutcome.LEFT_BY_KEY:
        contact = replace(contact, outcome=None)  # only into another queue
    first_queue = contact.first_queue or step.queue
    # Who asked for a call and waits all the same needs none; who was called, and waits once more, was called.
    was_called = is_chosen(contact.node, contact.leg)
    callback = None if contact.is_owed and not was_called else contact.callback
    return replace(contact, state=ContactState.WAITING, place=place, first_queue=first_queue, callback=callback)


def rejoin(floor: Floor, contact: Contact, name: QueueName, at: float) -> Contact:
    """A place in a queue for who was served already: of honour, for his order is the one that he had. Not kept yet."""
    last, queue = contact.last_place, floor.plan_of(contact).queues[name]
    assert last is not None
    contact = open_segment(floor, contact, SegmentKind.QUEUE, at, queue=name)
    place = Place(
        queue=name,
        **_asking(floor, contact, queue, skills=last.needs if last.queue == name else ()),
        entered_at=at,
        order=_order(contact, at - queue.priority_s - credit_s(floor, contact, None)),
    )
    floor.unsettled[contact.id] = None
    return replace(contact, state=ContactState.WAITING, place=place)


def asked_in(floor: Floor, contact: Contact, queue: Queue) -> Asking:
    """What it asks in another queue than its step led to: the step's skills as well as the queue's, and in the queue's stages."""
    step = _step(floor, contact)
    return _asking(floor, contact, queue, skills=step.skills if step is not None else ())


def _asking(
    floor: Floor, contact: Contact, queue: Queue, *, skills: tuple[SkillNeed, ...], relax: tuple[Stage, ...] = ()
) -> Asking:
    """What it asks; nobody waits for a language that none speaks who is logged in, if it is only preferred."""
    plan = floor.plan_of(contact)
    asked = asking(plan, queue, contact.language, floor.now, skills=skills, relax=relax)
    if queue.language == "preferred" and not floor.matcher.served(Need(queue.name, asked["needs"]), floor.staff):
        queue = replace(queue, language="any")
        asked = asking(plan, queue, contact.language, floor.now, skills=skills, relax=relax)
    return asked


def _order(contact: Contact, order: float) -> float:
    """Whoever has waited once does not stand at the end again."""
    return order if contact.last_place is None else min(order, contact.last_place.order)


def leave(floor: Floor, contact: Contact, outcome: SegmentOutcome, at: float, reason: str = "") -> Contact:
    """The wait is over, one way or the other; the queue learns from it."""
    assert contact.place is not None
    place = contact.place
    waited_s = max(0.0, at - place.entered_at)
    learnt = floor.learnt_of(place.queue).with_wait(waited_s, abandoned=outcome in ABANDONED)
    if outcome is SegmentOutcome.ANSWERED and place.estimate_s is not None:
        learnt = learnt.with_error(place.estimate_s, waited_s)
    floor.learn(place.queue, learnt)
    if contact.segment is not None:
        contact = replace(contact, segment=replace(contact.segment, reason=reason or place.raised))
    return close_segment(floor, contact, outcome, at)


def ask_for(floor: Floor, contact: Contact, agent: AgentId, only_until: float | None) -> Contact:
    """From now on only he may take the contact, in its place; after `only_until` (None: never) whoever has what it needs."""
    assert contact.place is not None
    return floor.keep(replace(contact, place=replace(contact.place, agent=agent, only_until=only_until)))


def ask_anybody(floor: Floor, contact: Contact) -> Contact:
    """It has waited long enough for the one whom it asked for, or he has gone."""
    assert contact.place is not None
    return floor.keep(replace(contact, place=replace(contact.place, agent=None, only_until=None, because="")))


def let_go(floor: Floor) -> None:
    """Nobody waits out his time for somebody who has ceased to be at work, also when he stands apart from the line just now (his
    leg is away, or nothing is heard of its node); who wants him alone stays."""
    if not floor.gone:
        return
    for contact in list(floor.contacts.values()):
        place = contact.place
        if place is not None and place.agent in floor.gone and place.only_until is not None:
            ask_anybody(floor, contact)
    floor.gone.clear()


def begin(floor: Floor, contact: Contact) -> None:
    """He must wait: he hears the announcement, and how he stands, then music."""
    said = (CALLED_BACK,) if contact.is_owed else flow.filled(contact.variables, _announcement(floor, contact))
    _say(floor, contact, said)


def announce(floor: Floor, contact: Contact, prompts: tuple[str, ...]) -> None:
    """Something that everybody must hear now, who waits as well."""
    _say(floor, contact, prompts)


def tell(floor: Floor, contact: Contact) -> None:
    """It is time to tell him again how he stands; an agent who becomes ready meanwhile cuts it short."""
    _say(floor, contact, ())


def announced(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """The announcement is over: music."""
    if contact.place and contact.place.play == event.play:
        contact = floor.keep(replace(contact, place=replace(contact.place, play=None)))
        play_music(floor, contact)


def play_music(floor: Floor, contact: Contact) -> None:
    """Hold music of the contact's queue, for who is on the line."""
    if contact.absent:
        return
    floor.command(StartMusic(contact.leg, music(floor, contact), lane=contact.id))


def music(floor: Floor, contact: Contact) -> str:
    """The hold music of the contact's queue."""
    return _queue(floor, contact).music


def prompts_told(queue: Queue) -> tuple[str, ...]:
    """Everything that may be said to who waits in the queue, besides what the flow announces."""
    if queue.tell_every_s <= 0:
        return ()
    names = (
        [*(f"position-{n}" for n in range(1, POSITIONS_SAID + 1)), "position-more"] if "position" in queue.tell else []
    )
    names += [_wait_prompt(bound_s) for bound_s in SPOKEN_S] if "wait" in queue.tell else []
    return (*names, *queue.messages)


def _wait_prompt(bound_s: float) -> str:
    return f"wait-{bound_s // 60:.0f}"


def _say(floor: Floor, contact: Contact, first: tuple[str, ...]) -> None:
    """`first`, then how he stands and the queue's next message; the next time is set whatever there was to say."""
    assert contact.place is not None
    queue = _queue(floor, contact)
    items, place = _standing(floor, contact, queue)
    # Moved here from a queue that tells, he may have been due to be told: in one that does not, never again.
    place = replace(place, tell_at=floor.now + queue.tell_every_s if queue.tell_every_s > 0 else None)
    items = (*first, *items)
    if not items:
        play_music(floor, floor.keep(replace(contact, place=place)))
        return
    play = floor.next_play(contact)
    floor.command(PlayPrompts(contact.leg, play, items, contact.language, lane=contact.id))
    floor.keep(replace(contact, plays=contact.plays + 1, place=replace(place, play=play)))


def _standing(floor: Floor, contact: Contact, queue: Queue) -> tuple[tuple[str, ...], Place]:
    """What he is told, and his place with what he will have been told."""
    assert contact.place is not None
    place = contact.place
    if queue.tell_every_s <= 0:
        return (), place
    items: list[str] = []
    if "position" in queue.tell:
        number = position(floor, contact)
        items.append(f"position-{number}" if number <= POSITIONS_SAID else "position-more")
    if "wait" in queue.tell and (estimate_s := expected_wait_s(floor, contact)) is not None:
        # Asked for only where it is told: an estimate looks at every operator at work.
        place = place if place.tellings else replace(place, estimate_s=estimate_s)
        bound_s = spoken_bound_s(floor.learnt_of(place.queue).bound_s(estimate_s), place.said_s)
        if bound_s is not None:
            items.append(_wait_prompt(bound_s))
            place = replace(place, said_s=bound_s)
    if queue.messages and place.tellings:
        items.append(queue.messages[(place.tellings - 1) % len(queue.messages)])
    return tuple(items), replace(place, tellings=place.tellings + 1)


def _queue(floor: Floor, contact: Contact) -> Queue:
    assert contact.place is not None
    return floor.plan_of(contact).queues[contact.place.queue]


def _announcement(floor: Floor, contact: Contact) -> tuple[str, ...]:
    """What the step says that led into the queue; nothing when it was not the flow that did."""
    step = _step(floor, contact)
    return step.announce if step is not None else ()


def _step(floor: Floor, contact: Contact) -> Enqueue | None:
    """The step that led into the queue, if one did."""
    if contact.flow is None:
        return None
    step = floor.plan_of(contact).flows[contact.flow.flow].steps[contact.flow.step]
    return step if isinstance(step, Enqueue) else None
