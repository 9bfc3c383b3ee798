"""The agent consults: the customer hears music while he calls a third party aside; then it is one of these.

    complete    the third party gets the customer, the agent goes (attended transfer); also when he just hangs up
    join        all three talk; `apart` parts them again
    cancel      the third party goes, the agent is back with the customer

What becomes of the media needs nobody of us: the third party is in the bridge with the agent before he is dialled.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ccserver.core import attempt as attempts
from ccserver.core import forwarding, holding, outside, queueing, routing, second_call
from ccserver.core import offer as offers
from ccserver.core.agent import Signal
from ccserver.core.attempt import TRUNKS_FAULT, Attempt, AttemptOutcome, AttemptState
from ccserver.core.commands import DialCustomer, HangUpLeg, OfferContact, WithdrawOffer
from ccserver.core.consult import Consult, ConsultState
from ccserver.core.contact import Contact, ContactState, Forward, SegmentKind, Transfer
from ccserver.core.counting import count
from ccserver.core.destinations import Nowhere, ToAgent, ToNumber, destination, unable
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
from ccserver.core.records import AttemptSaved, OfferSaved
from ccserver.core.routing import RING_GRACE_S, release_agent
from ccserver.core.seating import hold_music, seat
from ccserver.core.segments import open_segment
from ccserver.core.transferring import hang_up_agent, let_agent_go, served, taken_for_done

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
            call_colleague(floor, contact, agent, request.to, request.at)
            return Accepted()
        case ToNumber(number):
            if why := outside.not_let_out(floor, contact, contact.offer.agent, number):
                return Refused(why)
            call_number(floor, contact, number, request.at)
            return Accepted()
        case _:
            return Refused(f"{request.to} is nobody who could be consulted: an operator or a number can")


def steer_requested(floor: Floor, request: SteerConsult) -> Answer:
    """What is to become of the three."""
    contact = served(floor, request.contact, request.by, consulting=True)
    if isinstance(contact, Refused):
        return contact
    consult = contact.consult
    if consult is None or consult.state is ConsultState.LEAVING:
        return Refused(f"nobody is being consulted in {contact.id}")
    match request.action, consult.state:
        case "complete", ConsultState.CALLING if consult.attempt and consult.attempt.giving_up:
            return Refused(f"{consult.to} is being hung up")
        case "join" | "apart", _ if consult.by is not None:
            return Refused(f"{consult.to} was called by a second call of the phone: only the phone can join the two")
        case "complete", _:
            complete(floor, contact, request.at)
        case "cancel", _:
            give_up(floor, contact, OfferOutcome.WITHDRAWN, request.at)
        case "join", ConsultState.PRIVATE:
            _reseat(floor, contact, replace(consult, state=ConsultState.JOINED), request.at)
        case "apart", ConsultState.JOINED:
            _reseat(floor, contact, replace(consult, state=ConsultState.PRIVATE), request.at)
        case _:
            return Refused(f"{consult.to} is {consult.state}: {request.action} is not possible now")
    return Accepted()


def call_colleague(
    floor: Floor, contact: Contact, agent: AgentId, to: str, at: float, *, by: LegId | None = None
) -> None:
    """He is to be consulted. `by`: by this call of the agent's phone, which holds the customer on the other."""
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
            "" if by else hold_music(floor, contact),
            queue.reach_timeout_s + queue.ring_timeout_s + RING_GRACE_S,
            None,
            aside=by or contact.offer.leg,
            lane=contact.id,
        )
    )
    floor.record(OfferSaved(offer))
    floor.signal(agent, Signal.RESERVED, floor.now, contact=contact.id, leg=offer.leg)
    consult = Consult(to=to, begun_at=floor.now, offer=offer, by=by)
    holding.settle(floor, replace(contact, parked=False, offers=contact.offers + 1, consult=consult), at)


def call_number(floor: Floor, contact: Contact, number: str, at: float, *, by: LegId | None = None) -> None:
    """Somebody outside is; `by` as above."""
    assert contact.offer is not None
    count(floor, contact.offer.agent, number)
    consult = Consult(to=number, begun_at=floor.now, by=by)
    _call_outside(floor, replace(contact, parked=False, consult=consult), at)


def _call_outside(floor: Floor, contact: Contact, at: float) -> None:
    """By the next trunk; when there is none the agent is back with the customer."""
    consult, agent = contact.consult, contact.agent_leg
    assert consult is not None
    music = "" if consult.by else hold_music(floor, contact)
    attempt = outside.call(floor, contact, consult.to, consult.tried, music, aside=consult.by or agent)
    if isinstance(attempt, str):
        _reseat(floor, contact, None, at)
    else:
        contact = replace(contact, attempts=contact.attempts + 1, consult=replace(consult, attempt=attempt))
        holding.settle(floor, contact, at)


def _reseat(floor: Floor, contact: Contact, consult: Consult | None, at: float) -> Contact:
    if consult is None or consult.by is None:
        second_call.hang_up(floor, contact)
    contact = holding.settle(floor, replace(contact, consult=consult), at)
    seat(floor, contact)
    return contact


# --- told -------------------------------------------------------------------------------------------------------------


def guest_rang(floor: Floor, contact: Contact, event: LegRinging) -> None:
    """The third party's phone rings; however long it took until it did, it rings its whole time."""
    consult, plan = _current(contact), floor.plan_of(contact)
    if consult.offer is not None:
        offer = offers.advance(consult.offer, event)
        if offer is not consult.offer:
            ring_timeout_s = plan.queues[offer.queue].ring_timeout_s
            _keep(floor, contact, replace(consult, offer=replace(offer, ring_deadline=floor.now + ring_timeout_s)))
            floor.signal(offer.agent, Signal.RANG, event.at)
    elif consult.attempt is not None:
        attempt = attempts.advance(consult.attempt, event)
        if attempt is not consult.attempt:
            ring_deadline = floor.now + plan.outbound.ring_timeout_s
            _keep(floor, contact, replace(consult, attempt=replace(attempt, ring_deadline=ring_deadline)))


def guest_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """He hears the agent already."""
    consult = _current(contact)
    if consult.called.answered_at is not None:
        return  # told twice
    if consult.offer is not None:
        offer = offers.advance(consult.offer, event)
        floor.signal(offer.agent, Signal.ANSWERED, event.at, serving=offer.queue, serving_since=event.at)
        consult = replace(consult, offer=offer)
    elif consult.attempt is not None:
        consult = replace(consult, attempt=attempts.advance(consult.attempt, event))
    leaving = consult.state is ConsultState.LEAVING  # he was faster, and is being hung up all the same
    _keep(floor, contact, consult if leaving else replace(consult, state=ConsultState.PRIVATE))


def guest_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """He did not answer, or has hung up: the agent is back with the customer, or the next trunk is tried."""
    consult = _current(contact)
    if consult.offer is not None:
        offer = offers.advance(consult.offer, event)
        if event.lost and offer is not consult.offer:
            offer = replace(offer, outcome=OfferOutcome.FAILED)
        _colleague_gone(floor, consult, offer, event.at, released=event.lost)
        _reseat(floor, contact, None, event.at)
    elif consult.attempt is not None:
        _outside_gone(floor, contact, attempts.advance(consult.attempt, event), event.at)


def _outside_gone(floor: Floor, contact: Contact, attempt: Attempt, at: float) -> None:
    consult = _current(contact)
    floor.record(AttemptSaved(attempt))
    if consult.state is ConsultState.LEAVING:
        floor.keep(replace(contact, consult=None))
        return
    again = attempt.outcome in TRUNKS_FAULT or attempt.outcome is AttemptOutcome.FAILED
    if consult.state is ConsultState.CALLING and again:
        tried = (*consult.tried, attempt.trunk) if attempt.outcome in TRUNKS_FAULT else consult.tried
        _call_outside(floor, replace(contact, consult=replace(consult, attempt=None, tried=tried)), at)
        return
    told = "; ".join(each for each in (contact.reason, attempt.told) if each)
    reason = told if consult.state is ConsultState.CALLING else contact.reason
    _reseat(floor, replace(contact, reason=reason), None, at)


def give_up(floor: Floor, contact: Contact, outcome: OfferOutcome, at: float, *, released: bool = False) -> None:
    """He is not called any longer, or sent away. `released`: through no fault of his."""
    consult = _current(contact)
    if consult.offer is not None:
        _dismiss_colleague(floor, contact, outcome, at, released=released)
        _reseat(floor, contact, None, at)
    elif consult.attempt is not None:
        attempt = forwarding.let_go(floor, contact, consult.attempt)
        floor.record(AttemptSaved(attempt))
        _reseat(floor, contact, replace(consult, attempt=attempt, state=ConsultState.LEAVING, by=None), at)


def is_called(contact: Contact | None, agent: AgentId) -> bool:
    """Whether the contact is calling this agent as its third party."""
    consult = contact.consult if contact else None
    return consult is not None and consult.agent == agent and consult.state is ConsultState.CALLING


def command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """His leg could not be made; all else the legs' ends, or the next listing, settle."""
    command, consult = event.command, contact.consult
    unavailable = event.kind == "unavailable"
    if consult and consult.offer and isinstance(command, OfferContact) and command.offer == consult.offer.id:
        floor.note(floor.note_values(consult.offer.agent, leg=None))
        outcome = OfferOutcome.UNREACHABLE if unavailable else OfferOutcome.FAILED
        _colleague_gone(floor, consult, offers.closed(consult.offer, outcome, event.at), event.at)
        _reseat(floor, contact, None, event.at)
    elif consult and consult.attempt and isinstance(command, DialCustomer) and command.attempt == consult.attempt.id:
        # A trunk by which not even a leg can be made is not tried twice.
        contact = replace(contact, consult=replace(consult, tried=(*consult.tried, consult.attempt.trunk)))
        failed = consult.attempt.giving_up or (AttemptOutcome.REFUSED if unavailable else AttemptOutcome.FAILED)
        _outside_gone(floor, contact, attempts.closed(consult.attempt, failed, event.at), event.at)
    else:
        floor.ignored += 1


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """His phone did not ring, or rang in silence, for too long."""
    consult = contact.consult
    if consult is None or consult.deadline is None or consult.deadline > floor.now:
        return
    if consult.offer is not None:
        rang = consult.offer.state is OfferState.RINGING
        give_up(floor, contact, OfferOutcome.RONA if rang else OfferOutcome.UNREACHABLE, event.at)
    elif consult.attempt is not None:
        # What comes next begins with the end of his leg: the next trunk, if this one was silent.
        rang = consult.attempt.state is AttemptState.RINGING
        floor.command(HangUpLeg(consult.attempt.leg, lane=contact.id))
        giving_up = AttemptOutcome.NO_ANSWER if rang else AttemptOutcome.SILENT
        _keep(floor, contact, replace(consult, attempt=replace(consult.attempt, giving_up=giving_up)))


def _keep(floor: Floor, contact: Contact, consult: Consult) -> None:
    if consult.offer is not None:
        floor.record(OfferSaved(consult.offer))
    elif consult.attempt is not None:
        floor.record(AttemptSaved(consult.attempt))
    floor.keep(replace(contact, consult=consult))


def agent_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The agent hung up: whom he consulted gets the customer, and without one the talk is over."""
    if contact.offer is None:
        forwarding.outside_ended(floor, contact, event)
    elif taken_for_done(floor, contact, event):
        return
    elif contact.consult is not None and contact.consult.state is not ConsultState.LEAVING and not event.lost:
        complete(floor, contact, event.at, hung_up=True)
    else:
        routing.agent_hung_up(floor, dismiss(floor, contact, event), event)


def caller_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The customer hung up: nobody is left to talk about."""
    if contact.attempt is not None and contact.attempt.leg != contact.leg and not contact.absent:
        contact = forwarding.caller_ended(floor, contact, event)
    routing.caller_ended(floor, dismiss(floor, contact, event), event)


# --- how it ends ------------------------------------------------------------------------------------------------------


def complete(floor: Floor, contact: Contact, at: float, *, hung_up: bool = False, joined: bool = False) -> None:
    """The third party gets the customer. While his phone still rings the customer waits for him, as for any offer.

    `hung_up`: the agent's leg has ended already; `joined`: his phone wanted it so, and hangs up when it is told.
    """
    consult, leg, agent = _current(contact), contact.agent_leg, contact.agent
    talks = consult.state is not ConsultState.CALLING
    second_call.hang_up(floor, contact, joined=joined)
    # A customer who was called himself is on the line by the attempt that the contact has.
    attempt = consult.attempt or contact.attempt
    contact = replace(let_agent_go(floor, contact, at, Transfer.ATTENDED), consult=None, attempt=attempt)
    at = contact.known_until
    if talks and consult.offer is not None:
        offer = consult.offer
        contact = open_segment(
            floor, contact, SegmentKind.TALK, at, queue=offer.queue, agent=offer.agent, offer=offer.id
        )
        contact = replace(contact, offer=offer, agent=offer.agent)
    elif talks:
        contact = open_segment(floor, contact, SegmentKind.TALK, at)
    elif consult.offer is not None:
        # It rings for the customer from now on: that he waits is counted from here, too.
        offer = replace(consult.offer, ringing_at=None if consult.offer.ringing_at is None else at)
        contact = queueing.rejoin(floor, contact, offer.queue, at)
        contact = replace(contact, state=ContactState.OFFERED, offer=offer)
    elif consult.attempt is not None and agent is not None:
        attempt = consult.attempt
        forward = Forward(number=consult.to, by=agent)
        attempt = replace(attempt, ringing_at=None if attempt.ringing_at is None else at)
        contact = replace(forwarding.wait_for(floor, contact, forward, at), attempt=attempt, tried=consult.tried)
    floor.keep(contact)
    seat(floor, contact)
    if leg is not None and not hung_up:
        hang_up_agent(floor, contact, leg, by_phone=joined)


def dismiss(floor: Floor, contact: Contact, event: LegEnded) -> Contact:
    """The customer has gone, or all of it is lost: so does the third party. Not kept yet."""
    consult = contact.consult
    if consult is None:
        return contact
    second_call.hang_up(floor, contact)
    if consult.attempt is not None:
        attempt = forwarding.let_go(floor, contact, consult.attempt, lost=event.lost)
        return replace(contact, consult=None, attempt=attempt)
    _dismiss_colleague(floor, contact, OfferOutcome.WITHDRAWN, event.at)
    return replace(contact, consult=None)


def _dismiss_colleague(
    floor: Floor, contact: Contact, outcome: OfferOutcome, at: float, *, released: bool = False
) -> None:
    consult = _current(contact)
    assert consult.offer is not None
    if consult.state is ConsultState.CALLING:
        floor.command(WithdrawOffer(consult.offer.id, lane=contact.id))
        _colleague_gone(floor, consult, offers.closed(consult.offer, outcome, at), at, released=released)
    else:
        floor.command(HangUpLeg(consult.leg, lane=contact.id))
        _colleague_gone(floor, consult, consult.offer, at)


def _colleague_gone(floor: Floor, consult: Consult, offer: Offer, at: float, *, released: bool = False) -> None:
    """A colleague who helped goes back to what he did before; how he did not answer says what becomes of him."""
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
    leg = legs.get(consult.leg) if consult else None
    called = consult is not None and consult.state is ConsultState.CALLING
    never_dialled = called and leg is not None and not (leg.up or leg.ringing or leg.pending)
    if consult is not None and consult.offer is not None and never_dialled:
        give_up(floor, contact, OfferOutcome.FAILED, floor.now, released=True)
        return
    second_call.take_up(floor, contact)
    seat(floor, contact, legs)
    attempt = consult.attempt if consult else None
    if consult is None or attempt is None or leg is None:
        return
    unmade = never_dialled and attempt.state is AttemptState.DIALLING
    if consult.state is ConsultState.LEAVING or attempt.giving_up is not None or unmade:
        floor.command(HangUpLeg(attempt.leg, lane=contact.id))
        if attempt.answered_at is None:
            failed = replace(attempt, giving_up=attempt.giving_up or AttemptOutcome.FAILED)
            _keep(floor, contact, replace(consult, attempt=failed))


def _current(contact: Contact) -> Consult:
    assert contact.consult is not None
    return contact.consult
