"""The agent consults: the customer hears music while he calls a third party aside; then it is one of these.

    complete    the third party gets the customer, the agent goes (attended transfer); also when he just hangs up
    join        all three talk; `apart` parts them again
    cancel      the third party goes, the agent is back with the customer

What becomes of the media needs nobody of us: the third party is in the bridge with the agent before he is dialled.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ccserver.core import holding, queueing, routing
from ccserver.core import offer as offers
from ccserver.core.agent import Signal
from ccserver.core.commands import HangUpLeg, OfferContact, WithdrawOffer
from ccserver.core.consult import Consult, ConsultState
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentKind, Transfer
from ccserver.core.destinations import Nowhere, ToAgent, destination, unable
from ccserver.core.events import (
    Accepted,
    Answer,
    BeginConsult,
    CommandFailed,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    ListedLeg,
    Refused,
    SteerConsult,
)
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, LegId, OfferId
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.records import OfferSaved
from ccserver.core.routing import RING_GRACE_S, release_agent
from ccserver.core.seating import hold_music, seat
from ccserver.core.segments import open_segment
from ccserver.core.transferring import hang_up_agent, let_agent_go, served

# --- asked for --------------------------------------------------------------------------------------------------------


def begin_requested(floor: Floor, request: BeginConsult) -> Answer:
    """A third party is to be called."""
    contact = served(floor, request.contact, request.by)
    if isinstance(contact, Refused):
        return contact
    assert contact.offer is not None
    to = destination(floor, floor.plan_of(contact), request.to)
    match to:
        case Nowhere(why):
            return Refused(why)
        case ToAgent(agent) if agent == contact.offer.agent:
            return Refused(f"{agent} would consult himself")
        case ToAgent(agent):
            if why := unable(floor.agents[agent], soon=False):
                return Refused(why)
            _call_colleague(floor, contact, agent, request)
            return Accepted()
        case _:
            return Refused(f"{request.to} is nobody who could be consulted: only an operator can")


def steer_requested(floor: Floor, request: SteerConsult) -> Answer:
    """What is to become of the three."""
    contact = served(floor, request.contact, request.by, consulting=True)
    if isinstance(contact, Refused):
        return contact
    consult = contact.consult
    if consult is None or consult.state is ConsultState.LEAVING:
        return Refused(f"nobody is being consulted in {contact.id}")
    match request.action, consult.state:
        case "complete", _:
            complete(floor, contact, request.at)
        case "cancel", _:
            cancel(floor, contact, request.at)
        case "join", ConsultState.PRIVATE:
            _reseat(floor, contact, replace(consult, state=ConsultState.JOINED), request.at)
        case "apart", ConsultState.JOINED:
            _reseat(floor, contact, replace(consult, state=ConsultState.PRIVATE), request.at)
        case _:
            return Refused(f"{consult.to} is {consult.state}: {request.action} is not possible now")
    return Accepted()


def _call_colleague(floor: Floor, contact: Contact, agent: AgentId, request: BeginConsult) -> None:
    assert contact.offer is not None
    queue = floor.plan_of(contact).queues[contact.offer.queue]
    offer = Offer(
        id=OfferId(f"{contact.id}.{contact.made + 1}"),
        contact=contact.id,
        agent=agent,
        queue=queue.name,
        made_at=floor.now,
        why=f"consulted by {contact.offer.agent}",
        reach_deadline=floor.now + queue.reach_timeout_s,
        ring_deadline=floor.now + queue.ring_timeout_s,
        consult=True,
    )
    floor.command(
        OfferContact(
            offer.id,
            contact.leg,
            agent,
            contact.ani,
            hold_music(floor, contact),
            queue.reach_timeout_s + queue.ring_timeout_s + RING_GRACE_S,
            None,
            aside=contact.offer.leg,
            lane=contact.id,
        )
    )
    floor.record(OfferSaved(offer))
    floor.signal(agent, Signal.RESERVED, floor.now, contact=contact.id, leg=offer.leg)
    consult = Consult(to=request.to, begun_at=floor.now, offer=offer)
    holding.settle(floor, replace(contact, parked=False, offers=contact.offers + 1, consult=consult), request.at)


def _reseat(floor: Floor, contact: Contact, consult: Consult | None, at: float) -> Contact:
    contact = holding.settle(floor, replace(contact, consult=consult), at)
    seat(floor, contact)
    return contact


# --- told -------------------------------------------------------------------------------------------------------------


def guest_rang(floor: Floor, contact: Contact, event: LegRinging) -> None:
    """The third party's phone rings."""
    consult, offer = _current(contact)
    advanced = offers.advance(offer, event)
    if advanced is offer:
        return
    ring_timeout_s = floor.plan_of(contact).queues[offer.queue].ring_timeout_s
    advanced = replace(advanced, ring_deadline=floor.now + ring_timeout_s)
    floor.record(OfferSaved(advanced))
    floor.signal(offer.agent, Signal.RANG, event.at)
    floor.keep(replace(contact, consult=replace(consult, offer=advanced)))


def guest_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """He hears the agent already."""
    consult, offer = _current(contact)
    advanced = offers.advance(offer, event)
    if advanced is offer:
        return  # told twice
    floor.record(OfferSaved(advanced))
    floor.signal(offer.agent, Signal.ANSWERED, event.at, serving=offer.queue, serving_since=event.at)
    floor.keep(replace(contact, consult=replace(consult, offer=advanced, state=ConsultState.PRIVATE)))


def guest_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """He did not answer, or has hung up: the agent is back with the customer."""
    _consult, offer = _current(contact)
    advanced = offers.advance(offer, event)
    if event.lost and advanced is not offer:
        advanced = replace(advanced, outcome=OfferOutcome.FAILED)
    _guest_gone(floor, contact, advanced, event.at, released=event.lost)
    _reseat(floor, contact, None, event.at)


def give_up(floor: Floor, contact: Contact, outcome: OfferOutcome, at: float, *, released: bool = False) -> None:
    """He is not called any longer. `released`: through no fault of his."""
    _dismiss(floor, contact, outcome, at, released=released)
    _reseat(floor, contact, None, at)


def is_called(contact: Contact | None, agent: AgentId) -> bool:
    """Whether the contact is calling this agent as its third party."""
    consult = contact.consult if contact else None
    return consult is not None and consult.agent == agent and consult.state is ConsultState.CALLING


def command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """His leg could not be made; all else the legs' ends, or the next listing, settle."""
    command, consult = event.command, contact.consult
    if consult is None or consult.offer is None or not isinstance(command, OfferContact):
        floor.ignored += 1
        return
    if command.offer != consult.offer.id:
        floor.ignored += 1
        return
    floor.note(floor.note_values(consult.offer.agent, leg=None))
    outcome = OfferOutcome.UNREACHABLE if event.kind == "unavailable" else OfferOutcome.FAILED
    _guest_gone(floor, contact, offers.closed(consult.offer, outcome, event.at), event.at)
    _reseat(floor, contact, None, event.at)


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """His phone did not ring, or rang in silence, for too long."""
    if contact.consult is None or contact.consult.deadline is None or contact.consult.deadline > floor.now:
        return
    _consult, offer = _current(contact)
    give_up(
        floor, contact, OfferOutcome.RONA if offer.state is OfferState.RINGING else OfferOutcome.UNREACHABLE, event.at
    )


def agent_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The agent hung up: whom he consulted gets the customer, and without one the talk is over."""
    if contact.consult is not None and not event.lost:
        complete(floor, contact, event.at, hung_up=True)
    else:
        routing.agent_hung_up(floor, dismiss(floor, contact, event.at), event)


def caller_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The customer hung up: nobody is left to talk about."""
    routing.caller_ended(floor, dismiss(floor, contact, event.at), event)


# --- how it ends ------------------------------------------------------------------------------------------------------


def cancel(floor: Floor, contact: Contact, at: float) -> None:
    """The third party goes."""
    give_up(floor, contact, OfferOutcome.WITHDRAWN, at)


def complete(floor: Floor, contact: Contact, at: float, *, hung_up: bool = False) -> None:
    """The third party gets the customer. While his phone still rings the customer waits for him, as for any offer.

    `hung_up`: the agent's leg has ended already.
    """
    consult, offer = _current(contact)
    answered = consult.state is not ConsultState.CALLING
    leg = contact.agent_leg
    contact = replace(let_agent_go(floor, contact, at, Transfer.ATTENDED), consult=None)
    at = contact.known_until
    if answered:
        contact = open_segment(
            floor, contact, SegmentKind.TALK, at, queue=offer.queue, agent=offer.agent, offer=offer.id
        )
        contact = floor.keep(replace(contact, offer=offer, agent=offer.agent, outcome=ContactOutcome.ANSWERED))
    else:
        contact = queueing.rejoin(floor, contact, offer.queue, at)
        # It rings for the customer from now on: that he waits is counted from here, too.
        offer = replace(offer, ringing_at=None if offer.ringing_at is None else at)
        contact = floor.keep(replace(contact, state=ContactState.OFFERED, offer=offer))
    seat(floor, contact)
    if leg is not None and not hung_up:
        hang_up_agent(floor, contact, leg)


def dismiss(floor: Floor, contact: Contact, at: float) -> Contact:
    """The customer has gone, or all of it is lost: so does the third party. Not kept yet."""
    if contact.consult is None:
        return contact
    _dismiss(floor, contact, OfferOutcome.WITHDRAWN, at)
    return replace(contact, consult=None)


def _dismiss(floor: Floor, contact: Contact, outcome: OfferOutcome, at: float, *, released: bool = False) -> None:
    consult, offer = _current(contact)
    if consult.state is ConsultState.CALLING:
        floor.command(WithdrawOffer(offer.id, lane=contact.id))
        _guest_gone(floor, contact, offers.closed(offer, outcome, at), at, released=released)
    else:
        floor.command(HangUpLeg(offer.leg, lane=contact.id))
        _guest_gone(floor, contact, offer, at)


def _guest_gone(floor: Floor, contact: Contact, offer: Offer, at: float, *, released: bool = False) -> None:
    """A colleague who helped goes back to what he did before; how he did not answer says what becomes of him."""
    consult = contact.consult
    assert consult is not None
    called = consult.state is ConsultState.CALLING
    if called:
        floor.record(OfferSaved(offer))
    if called and not released:
        release_agent(floor, offer, at)
    else:
        floor.signal(offer.agent, Signal.RELEASED, at, contact=None)


def take_up(floor: Floor, contact: Contact, legs: Mapping[LegId, ListedLeg]) -> None:
    """After a gap: who hears whom, once more."""
    consult = contact.consult
    calls = consult is not None and consult.state is ConsultState.CALLING
    leg = legs.get(consult.leg) if consult and calls else None
    if leg is not None and not (leg.up or leg.ringing or leg.pending):
        give_up(floor, contact, OfferOutcome.FAILED, floor.now, released=True)  # made, and never dialled
    else:
        seat(floor, contact, legs)


def _current(contact: Contact) -> tuple[Consult, Offer]:
    assert contact.consult is not None and contact.consult.offer is not None
    return contact.consult, contact.consult.offer
