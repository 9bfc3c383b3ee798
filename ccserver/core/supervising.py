"""Supervisors in talks: who may, the phone that is rung, the modes and keys, taking over, and the end.

A supervision belongs to one talk and ends with it: when the next begins he is not in it. It lives in the contact, so that it
survives us; what its state calls for is commanded again after a gap, and a leg that serves none any more is hung up.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ccserver.core.agent import Signal
from ccserver.core.commands import CallSupervisor, EndSupervision, HangUpLeg, SpyOn
from ccserver.core.contact import Contact, ContactState, Direction, SegmentKind, SegmentOutcome
from ccserver.core.events import (
    Accepted,
    Answer,
    CommandFailed,
    KeyPressed,
    LegAnswered,
    LegEnded,
    ListedLeg,
    Refused,
    SuperviseContact,
)
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, ContactId, LegId, OfferId, QueueName, leg_of_supervision
from ccserver.core.listening import over, supervised
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.plan import Operator, Plan
from ccserver.core.records import OfferSaved, SupervisionSaved
from ccserver.core.routing import end_talk
from ccserver.core.seating import seat
from ccserver.core.segments import open_segment
from ccserver.core.supervision import KEYS, Listening, Supervision, SupervisionMode

RING_S = 30.0
"""A supervisor's phone rings so long; Asterisk sees to it."""


# --- requests -------------------------------------------------------------------------------------------------------------


def requested(floor: Floor, request: SuperviseContact) -> Answer:
    """Over the API, or by a feature code."""
    if why := objection(floor, request):
        return Refused(why)
    contact = floor.contacts[request.contact]
    if contact.supervision is not None:
        _switch(floor, contact, contact.supervision, request.mode, request.at)
    else:
        _ring(floor, contact, request.supervisor, request.mode, request.at)
    return Accepted()


def objection(floor: Floor, request: SuperviseContact) -> str:
    """Why he may not, or cannot; empty: he can."""
    contact = floor.contacts.get(request.contact)
    if contact is None:
        return f"contact {request.contact} does not go on"
    if why := _flaw(floor, contact, request.supervisor):
        return why
    return _stays(floor, contact, request.supervisor) if request.mode == "take_over" else ""


def _stays(floor: Floor, contact: Contact, supervisor: AgentId) -> str:
    """Why the talk stays with who has it; empty: it can be taken over."""
    if contact.offer is None:
        return "the customer was called by the operator: his talk cannot be taken over"
    if contact.parked or contact.consult is not None:
        return "the customer is on hold, or a third party is in the talk"
    return f"{supervisor} is in a call of his own" if floor.agents[supervisor].contact is not None else ""


def _flaw(floor: Floor, contact: Contact, supervisor: AgentId) -> str:
    operator, talk = floor.plan.operators.get(supervisor), contact.segment
    if operator is None:
        return f"no operator has the extension {supervisor}"
    if contact.state is not ContactState.TALKING or talk is None or talk.kind is not SegmentKind.TALK or not talk.agent:
        return "nobody talks in it now"
    if contact.direction is Direction.INTERNAL:
        return "it is a call among colleagues"
    if not floor.linked(contact.node):
        return f"nothing is heard of {contact.node} just now"
    if not may_supervise(floor.plan, operator, talk.queue, talk.agent):
        return f"{supervisor} does not supervise {talk.queue or talk.agent}"
    if contact.supervision is not None:
        same = contact.supervision.supervisor == supervisor
        return "" if same else f"{contact.supervision.supervisor} is in this talk already"
    him = floor.agents[supervisor]
    if talk.agent == supervisor:
        return f"it is {supervisor}'s own talk"
    if him.contact is not None or him.leg is not None:
        return f"{supervisor} is in a call himself"
    return "" if him.reachable else f"{supervisor}'s phone is not registered"


def may_supervise(plan: Plan, operator: Operator, queue: QueueName | None, agent: AgentId) -> bool:
    """Everybody's talks, those of his queues, or calls that operators of his queues make."""
    if operator.role == "supervisor":
        return True
    talker = plan.operators.get(agent)
    queues = (queue,) if queue is not None else talker.queues if talker else ()
    return any(each in operator.supervises for each in queues)


def _ring(floor: Floor, contact: Contact, supervisor: AgentId, mode: SupervisionMode, at: float) -> None:
    talk = contact.segment
    spied = contact.agent_leg
    assert talk is not None and talk.agent is not None and spied is not None
    supervision = Supervision(
        leg=leg_of_supervision(contact.id, contact.supervisions + 1),
        contact=contact.id,
        supervisor=supervisor,
        agent=talk.agent,
        spied=spied,
        made_at=floor.now,
        modes=((max(at, talk.started_at), mode),),
    )
    floor.command(CallSupervisor(supervision.leg, supervisor, talk.agent, spied, _heard(mode), RING_S, lane=contact.id))
    floor.note(floor.note_values(supervisor, leg=supervision.leg))
    _keep(floor, replace(contact, supervisions=contact.supervisions + 1), supervision)


def _heard(mode: SupervisionMode) -> Listening:
    """Who takes over listens until he is in the talk."""
    return "listen" if mode == "take_over" else mode


def _keep(floor: Floor, contact: Contact, supervision: Supervision) -> None:
    floor.record(SupervisionSaved(supervision))
    floor.keep(replace(contact, supervision=supervision))


def _switch(floor: Floor, contact: Contact, supervision: Supervision, mode: SupervisionMode, at: float) -> None:
    if mode != supervision.mode:
        supervision = replace(supervision, modes=(*supervision.modes, (max(at, supervision.modes[-1][0]), mode)))
        _keep(floor, contact, supervision)
    if supervision.answered_at is not None:
        _do(floor, floor.contacts[contact.id], supervision, at)


def _do(floor: Floor, contact: Contact, supervision: Supervision, at: float) -> None:
    """He is on the line: what he wants begins."""
    if supervision.mode == "take_over" and not _stays(floor, contact, supervision.supervisor):
        _take_over(floor, contact, supervision, max(at, contact.known_until))
    else:
        floor.command(SpyOn(supervision.leg, supervision.spied, _heard(supervision.mode), lane=contact.id))


# --- his leg --------------------------------------------------------------------------------------------------------------


def answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """He hears the talk already."""
    supervision = contact.supervision
    if supervision is None or supervision.answered_at is not None:
        return
    supervision = replace(supervision, answered_at=max(event.at, supervision.made_at))
    _keep(floor, contact, supervision)
    if supervision.mode != _heard(supervision.modes[0][1]):
        _do(floor, floor.contacts[contact.id], supervision, event.at)


def ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """He hung up, or did not answer."""
    assert contact.supervision is not None
    floor.command(EndSupervision(contact.supervision.leg, lane=contact.id))
    floor.keep(over(floor, contact, event.at))


def command_failed(floor: Floor, event: CommandFailed) -> None:
    """His leg could not be made; or it was, and can hear nothing."""
    command = event.command
    assert isinstance(command, CallSupervisor | SpyOn)
    contact = supervised(floor, command.leg)
    if isinstance(command, CallSupervisor) and contact is not None:
        floor.note(floor.note_values(command.supervisor, leg=None))
        floor.keep(over(floor, contact, event.at))
    elif event.kind != "gone":
        floor.command(EndSupervision(command.leg, told=True, lane=command.lane))
    else:
        floor.ignored += 1


def key_pressed(floor: Floor, contact: Contact, event: KeyPressed) -> None:
    """He goes from one mode to another."""
    mode, supervision = KEYS.get(event.key), contact.supervision
    if mode is None or supervision is None:
        floor.ignored += 1
    else:
        _switch(floor, contact, supervision, mode, event.at)


def _take_over(floor: Floor, contact: Contact, supervision: Supervision, at: float) -> None:
    """He becomes the agent: his leg joins the customer's, the agent goes to his notes, and a new talk begins."""
    before = contact.offer
    assert before is not None
    contact = end_talk(floor, over(floor, contact, at), SegmentOutcome.TAKEN_OVER, at)
    offer = Offer(
        id=OfferId(supervision.leg),
        contact=contact.id,
        agent=supervision.supervisor,
        queue=before.queue,
        made_at=supervision.made_at,
        why=f"took the talk over from {before.agent}",
        reach_deadline=supervision.made_at,
        ring_deadline=supervision.made_at,
        state=OfferState.ACCEPTED,
        answered_at=supervision.answered_at,
        outcome=OfferOutcome.ACCEPTED,
    )
    floor.record(OfferSaved(offer))
    floor.signal(offer.agent, Signal.TOOK_OVER, at, contact=contact.id, serving=offer.queue, serving_since=at)
    contact = open_segment(floor, contact, SegmentKind.TALK, at, queue=offer.queue, agent=offer.agent, offer=offer.id)
    contact = floor.keep(replace(contact, offer=offer, agent=offer.agent, offers=contact.offers + 1))
    seat(floor, contact)
    floor.command(EndSupervision(offer.leg, stays=True, lane=contact.id))
    floor.command(HangUpLeg(before.leg, lane=contact.id))


# --- after a gap ----------------------------------------------------------------------------------------------------------


def take_up(floor: Floor, contact_id: ContactId, legs: Mapping[LegId, ListedLeg]) -> None:
    """What the supervision calls for, once more."""
    contact = floor.contacts.get(contact_id)
    supervision = contact.supervision if contact else None
    if contact is None or supervision is None or (leg := legs.get(supervision.leg)) is None:
        return
    if supervision.answered_at is not None:
        _do(floor, contact, supervision, floor.now)
    elif not (leg.up or leg.ringing or leg.pending):
        floor.command(HangUpLeg(supervision.leg, lane=contact.id))  # made, and never dialled: we died between the two
