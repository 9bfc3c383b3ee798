"""The contact and its agent: offers made, rung, answered, failed; talks ended; legs gone, in every order."""

from msgspec.structs import replace

from ccserver.core import accepting, conversation, owed, recording, surveying
from ccserver.core import attempt as attempts
from ccserver.core import offer as offers
from ccserver.core.agent import AgentState, Signal
from ccserver.core.commands import (
    HangUpLeg,
    OfferContact,
    StopPlay,
    WhisperPrompts,
    WithdrawOffer,
)
from ccserver.core.contact import (
    Contact,
    ContactOutcome,
    ContactState,
    Place,
    SegmentKind,
    SegmentOutcome,
)
from ccserver.core.events import CommandFailed, Event, LegDialled, LegEnded, LegRinging
from ccserver.core.floor import Floor
from ccserver.core.ids import OfferId
from ccserver.core.matching import Pair
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.plan import Queue
from ccserver.core.queueing import leave, music, play_music
from ccserver.core.records import AttemptSaved, OfferSaved
from ccserver.core.segments import close_segment, open_segment
from ccserver.core.showing import shown
from ccserver.core.steps import Dialplan

RING_GRACE_S = 15.0
"""Asterisk stops the ringing by itself this much later than we would: only when we are away."""

MADE_WITHIN_S = 60.0
"""That his leg was made or could not be made has been told long before, however slow Asterisk is; this is in case it never is."""
PAUSE_MIN_S = 1.0
"""Whatever is configured: an offer that fails at once must not be repeated at once."""
GONE_LIST_S = 1.0
"""The node is listed so soon after a caller's leg was not found; not at once, or a leg that is never found would spin us."""


def make_offer(floor: Floor, pair: Pair) -> None:
    """This contact to this agent."""
    contact = floor.contacts[pair.contact]
    place = _place(contact)
    queue = floor.plan_of(contact).queues[place.queue]
    offer = Offer(
        id=OfferId(f"{contact.id}.{contact.made + 1}"),
        contact=contact.id,
        agent=pair.agent,
        queue=place.queue,
        made_at=floor.now,
        why="; ".join(told for told in (pair.why, place.because, place.eased, place.raised) if told),
        reach_deadline=floor.now + MADE_WITHIN_S,
        ring_deadline=floor.now + queue.ring_timeout_s,
        state=OfferState.MAKING,
    )
    if not contact.absent:  # who is called back is recorded on the operator's leg, when there is one
        contact = recording.prepared(floor, contact, queue.name, pair.agent)
    if place.play is not None:
        floor.command(StopPlay(contact.leg, place.play, lane=contact.id))
    floor.command(
        OfferContact(
            offer.id,
            None if contact.absent else contact.leg,
            pair.agent,
            contact.number,
            music(floor, contact),
            queue.reach_timeout_s + queue.ring_timeout_s + RING_GRACE_S,
            recording.begun_before(contact),
            shown=shown(floor, contact, queue),
            auto_answer=floor.plan.operators[pair.agent].auto_answer,
            mixed=recording.must_mix(contact, 1),
            lane=contact.id,
        )
    )
    floor.record(OfferSaved(offer))
    floor.signal(pair.agent, Signal.RESERVED, floor.now, contact=contact.id, leg=offer.leg)
    floor.keep(
        replace(
            contact,
            state=ContactState.OFFERED,
            offer=offer,
            offers=contact.offers + 1,
            place=replace(place, play=None),
        )
    )


def phone_dialled(floor: Floor, contact: Contact, event: LegDialled) -> None:
    """The leg is made and his phone called: from now on it must ring within its time, and the next offer may be made."""
    offer = _current(contact)
    advanced = offers.advance(offer, event)
    if advanced is not offer:
        advanced = replace(advanced, reach_deadline=floor.now + _queue(floor, contact).reach_timeout_s)
        floor.keep(replace(contact, offer=advanced))


def phone_rang(floor: Floor, contact: Contact, event: LegRinging) -> None:
    """The agent's phone rings."""
    offer = _current(contact)
    advanced = offers.advance(offer, event)
    if advanced is not offer:
        # However long the phone took until it rang, it rings its whole time.
        advanced = replace(advanced, ring_deadline=floor.now + _queue(floor, contact).ring_timeout_s)
        floor.record(OfferSaved(advanced))
        floor.signal(offer.agent, Signal.RANG, event.at)
        floor.keep(replace(contact, offer=advanced))


def phone_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The agent's leg ended before an answer: busy, refused, silent or out of reach."""
    offer = offers.advance(_current(contact), event)
    if event.lost:
        offer = replace(offer, outcome=OfferOutcome.FAILED)
    _offer_failed(floor, contact, offer, event.at, released=event.lost)


def offer_time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """The phone did not ring, or rang in silence, for too long."""
    offer = _current(contact)
    if offer.state is OfferState.WHISPERING:
        accepting.cut_short(floor, contact, event.at)
        return
    outcome = OfferOutcome.RONA if offer.state is OfferState.RINGING else OfferOutcome.UNREACHABLE
    withdraw(floor, contact, outcome, event.at)


def withdraw(floor: Floor, contact: Contact, outcome: OfferOutcome, at: float, *, released: bool = False) -> None:
    """End the offer from our side; the contact goes on waiting in its place. `released`: through no fault of the agent's."""
    offer = _current(contact)
    floor.command(WithdrawOffer(offer.id, lane=contact.id))
    _offer_failed(floor, contact, offers.closed(offer, outcome, at), at, released=released)


def offer_command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """The leg could not be made; the connector has left nothing of it."""
    if isinstance(event.command, WhisperPrompts):
        accepting.whisper_failed(floor, contact, event)
        return
    if not (isinstance(event.command, OfferContact) and event.command.offer == _current(contact).id):
        floor.ignored += 1
        return
    gone = event.kind == "gone" and not contact.absent
    if gone:
        # Without the caller's leg no agent can be offered anything: he waits apart until a listing tells where he is.
        contact = replace(contact, away=True)
        floor.list_again(contact.node, floor.now + GONE_LIST_S)
    unreachable = event.kind == "unavailable"
    outcome = OfferOutcome.UNREACHABLE if unreachable else OfferOutcome.WITHDRAWN if gone else OfferOutcome.FAILED
    offer = offers.closed(_current(contact), outcome, event.at)
    floor.note(floor.note_values(offer.agent, leg=None))
    _offer_failed(floor, contact, offer, event.at)


def _offer_failed(floor: Floor, contact: Contact, offer: Offer, at: float, *, released: bool = False) -> None:
    """The contact keeps its place and waits on; what becomes of the agent depends on whose fault it was."""
    floor.record(OfferSaved(offer))
    if released:
        floor.signal(offer.agent, Signal.RELEASED, at, contact=None)
    else:
        release_agent(floor, offer, at)
    contact = floor.keep(replace(contact, state=ContactState.WAITING, offer=None, ring_s=contact.ring_s + offer.ring_s))
    play_music(floor, contact)


def release_agent(floor: Floor, offer: Offer, at: float) -> None:
    """After an offer that came to nothing."""
    rules = floor.rules
    match offer.outcome:
        case OfferOutcome.RONA:
            _missed(floor, offer, at)
        case OfferOutcome.BUSY | OfferOutcome.REFUSED | OfferOutcome.FAILED:
            # After a failure of ours, too: the next command would fail as fast, and the one after it.
            reason = {OfferOutcome.BUSY: "phone_busy", OfferOutcome.REFUSED: "refused"}.get(offer.outcome, "failed")
            _pause(floor, offer, at, reason, rules.refused_pause_s)
        case OfferOutcome.UNREACHABLE:
            agent = floor.signal(offer.agent, Signal.UNREACHED, at, contact=None)
            if agent.state is AgentState.UNREACHABLE:
                floor.note(replace(agent, deadline=floor.now + max(rules.unreachable_retry_s, PAUSE_MIN_S)))
        case _:
            floor.signal(offer.agent, Signal.RELEASED, at, contact=None)


def _missed(floor: Floor, offer: Offer, at: float) -> None:
    """A phone that nobody touched: at first a pause, in case he was just out of reach of it; then he must be seen to."""
    rules = floor.rules
    ronas = floor.agents[offer.agent].ronas + 1
    if ronas < rules.rona_limit:
        _pause(floor, offer, at, "rona", rules.rona_pause_s, ronas=ronas)
    elif rules.rona_return_s > 0:
        _pause(floor, offer, at, "rona", rules.rona_return_s, ronas=0)
    else:
        # He does not come back by himself: somebody must see that he left his desk.
        wish = {"then": AgentState.NOT_READY, "then_reason": "rona", "then_by": ""}
        notes = wish if floor.agents[offer.agent].then is AgentState.READY else {}
        floor.signal(offer.agent, Signal.PAUSED, at, contact=None, ronas=0, **notes)


def _pause(floor: Floor, offer: Offer, at: float, reason: str, pause_s: float, **notes: object) -> None:
    """He comes back by himself, unless he wished something else meanwhile."""
    agent = floor.signal(offer.agent, Signal.PAUSED, at, reason=reason, contact=None, **notes)
    if agent.reason == reason and agent.then is AgentState.READY:
        floor.note(replace(agent, deadline=floor.now + max(pause_s, PAUSE_MIN_S)))


def agent_hung_up(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The talk is over by the agent's leg: the caller is asked how it was, or is hung up too."""
    outcome, talk = SegmentOutcome.FAILED if event.lost else SegmentOutcome.AGENT_LEFT, contact.segment
    contact = end_talk(floor, contact, outcome, event.at)
    here = not (event.lost or contact.away)
    survey = surveying.flow_after(floor, contact, talk) if talk and here else None
    if talk is not None and survey is not None:
        conversation.survey(floor, contact, talk, survey, event.at)
        return
    floor.command(HangUpLeg(contact.leg, lane=contact.id))
    floor.keep(replace(contact, state=ContactState.CLOSING))


def caller_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The caller's leg is gone: whatever the contact was doing, it is over."""
    at = event.at
    if contact.attempt is not None and contact.attempt.leg == contact.leg:  # we had called him
        floor.record(AttemptSaved(attempts.advance(contact.attempt, event)))
        contact = replace(contact, attempt=None)
    match contact.state:
        case ContactState.FLOW if contact.callback is not None and contact.is_owed:
            queue = contact.callback.queue
            contact = close_segment(floor, contact, SegmentOutcome.COMPLETED, at)
            contact = open_segment(floor, contact, SegmentKind.CALLBACK, at, queue=queue)
        case ContactState.FLOW if contact.place is not None:
            contact = _leave_queue(floor, contact, event)
        case ContactState.FLOW:
            outcome = SegmentOutcome.FAILED if event.lost else SegmentOutcome.CALLER_LEFT
            contact = surveying.ended(floor, close_segment(floor, contact, outcome, at), at)
            left = contact.outcome or _left_outcome(contact, event)
            contact = replace(contact, outcome=left, reason=contact.reason or _where(floor, contact))
        case ContactState.WAITING | ContactState.OFFERED:
            contact = _leave_queue(floor, contact, event)
        case ContactState.TALKING if contact.offer is not None:
            floor.command(HangUpLeg(contact.offer.leg, lane=contact.id))
            outcome = SegmentOutcome.FAILED if event.lost else SegmentOutcome.CALLER_LEFT
            contact = end_talk(floor, contact, outcome, at)
        case _:
            pass
    if contact.attempt is not None:  # somebody outside is still on his trunk, and counts
        floor.keep(replace(contact, state=ContactState.CLOSING, absent=True))
    else:
        owed.part(floor, contact, at)


def _left_outcome(contact: Contact, event: LegEnded) -> ContactOutcome:
    if event.lost:
        return ContactOutcome.FAILED
    return ContactOutcome.FLOW_ABANDONED if contact.first_queue is None else ContactOutcome.ABANDONED


def _where(floor: Floor, contact: Contact) -> str:
    """Who is out in the admin's dialplan left there, or was hung up by it: nobody can tell the one from the other."""
    position = contact.flow
    step = floor.plan_of(contact).flows[position.flow].steps[position.step] if position and contact.away else None
    return f"the call ended in the dialplan, context {step.context}" if isinstance(step, Dialplan) else ""


def _leave_queue(floor: Floor, contact: Contact, event: LegEnded) -> Contact:
    entered_at, short_s = _place(contact).entered_at, _queue(floor, contact).short_abandon_s
    if contact.offer is not None:
        outcome = OfferOutcome.FAILED if event.lost else OfferOutcome.WITHDRAWN
        contact = take_back(floor, contact, outcome, event.at)
    short = event.at - entered_at < short_s
    left = SegmentOutcome.SHORT_ABANDONED if short else SegmentOutcome.ABANDONED
    contact = leave(floor, contact, SegmentOutcome.FAILED if event.lost else left, event.at)
    if contact.outcome is not ContactOutcome.ANSWERED:  # else he was handed over, and an agent has talked with him
        contact = replace(contact, outcome=ContactOutcome.FAILED if event.lost else ContactOutcome.ABANDONED)
    return owed.missed(floor, contact, event.at)


def take_back(floor: Floor, contact: Contact, outcome: OfferOutcome, at: float) -> Contact:
    """The contact leaves the queue while a phone rings for it, through no fault of the agent's; not kept yet."""
    offer = offers.closed(_current(contact), outcome, at)
    floor.command(WithdrawOffer(offer.id, lane=contact.id))
    floor.record(OfferSaved(offer))
    floor.signal(offer.agent, Signal.RELEASED, at, contact=None)
    return replace(contact, offer=None, ring_s=contact.ring_s + offer.ring_s)


def end_talk(floor: Floor, contact: Contact, outcome: SegmentOutcome, at: float) -> Contact:
    """The agent notes what was said; what becomes of the legs is the caller's to say. Not kept yet."""
    offer = contact.offer
    assert offer is not None
    contact = recording.agent_gone(close_segment(floor, contact, outcome, at), offer.leg)
    queue = floor.plan_of(contact).queues[offer.queue]
    floor.wrap_up(offer.agent, queue.wrap_up_s, at)
    return replace(contact, offer=None)


def _current(contact: Contact) -> Offer:
    assert contact.offer is not None
    return contact.offer


def _queue(floor: Floor, contact: Contact) -> Queue:
    return floor.plan_of(contact).queues[_place(contact).queue]


def _place(contact: Contact) -> Place:
    assert contact.place is not None
    return contact.place
