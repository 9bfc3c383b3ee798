"""The customer is connected with somebody outside, and nobody of ours is with them: a transfer to a number.

    FLOW, TALKING --> FORWARDING --he answers--> TALKING (without an agent) --either hangs up--> CLOSING
         \\--nobody reached--> WAITING: back with the agent who wanted it if he is free, else in the queue, in his old order

Each attempt's leg is in the bridge with the customer before it is dialled, so that he hears the network's tones.
"""

from msgspec.structs import replace

from ccserver.core import attempt as attempts
from ccserver.core import attempting, conversation, outside, queueing, surveying
from ccserver.core.answering import pick_up
from ccserver.core.attempt import TRUNKS_FAULT, Attempt, AttemptOutcome
from ccserver.core.commands import DialCustomer, HangUpLeg
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Forward, SegmentKind, SegmentOutcome
from ccserver.core.counting import count
from ccserver.core.events import CommandFailed, LegAnswered, LegEnded
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId
from ccserver.core.records import AttemptSaved
from ccserver.core.routing import GONE_LIST_S
from ccserver.core.seating import hold_music, seat
from ccserver.core.segments import close_segment, open_segment


def begin(floor: Floor, contact: Contact, number: str, by: AgentId, at: float) -> None:
    """The agent has gone, the number is called."""
    count(floor, by, number)
    contact = wait_for(floor, contact, Forward(number=number, by=by), at)
    _call(floor, replace(contact, tried=()))


def settle(floor: Floor) -> None:
    """Whoever a flow led to somebody outside is connected with him; or his flow goes on, perhaps to the next."""
    while floor.forwarding:
        contact_id, step = next(iter(floor.forwarding.items()))
        del floor.forwarding[contact_id]
        contact = floor.contacts.get(contact_id)
        if contact is not None and contact.state is ContactState.FLOW and not contact.away:
            forward = Forward(number=step.number, by=None, otherwise=step.otherwise, ring_s=step.ring_s)
            _begin_for_flow(floor, contact, forward)


def _begin_for_flow(floor: Floor, contact: Contact, forward: Forward) -> None:
    """The flow has led him to a number, which is called if it may be; else the flow goes on at once."""
    at = contact.known_until
    why = outside.not_let_out(floor, contact, None, forward.number)
    if contact.is_owed or surveying.under_way(contact):
        why = "he is not to be connected with anybody outside now"
    if why:
        _go_on(floor, replace(contact, forward=forward), why, max(at, floor.now))
        return
    count(floor, None, forward.number)
    contact = close_segment(floor, contact, SegmentOutcome.TRANSFERRED, max(at, floor.now))
    _call(floor, replace(wait_for(floor, contact, forward, contact.known_until), tried=()))


def _go_on(floor: Floor, contact: Contact, why: str, at: float) -> None:
    """In the flow, at the step for that."""
    assert contact.forward is not None and contact.forward.otherwise is not None
    step, told = contact.forward.otherwise, _told(contact, why)
    contact = replace(contact, forward=None, reason=told, state=ContactState.FLOW)
    if contact.segment is None:
        conversation.go_on(floor, contact, step, at)
    else:
        conversation.go_to(floor, contact, step, at)


def _told(contact: Contact, more: str) -> str:
    return contact.reason if more in contact.reason else "; ".join(each for each in (contact.reason, more) if each)


def wait_for(floor: Floor, contact: Contact, forward: Forward, at: float) -> Contact:
    """From now on the customer waits for him. Not kept yet."""
    contact = open_segment(floor, contact, SegmentKind.DIAL, at)
    return replace(contact, state=ContactState.FORWARDING, forward=forward)


def _call(floor: Floor, contact: Contact) -> None:
    assert contact.forward is not None
    attempt = outside.call(floor, contact, contact.forward.number, contact.tried, hold_music(floor, contact))
    if isinstance(attempt, str):
        _come_back(floor, contact, attempt, floor.now)
    else:
        floor.keep(replace(contact, attempt=attempt, attempts=contact.attempts + 1))


def _come_back(floor: Floor, contact: Contact, reason: str, at: float) -> None:
    forward, last = contact.forward, contact.last_place
    assert forward is not None
    contact = close_segment(floor, contact, SegmentOutcome.UNANSWERED, at)
    if forward.by is None:
        _go_on(floor, contact, reason, contact.known_until)
        return
    assert last is not None
    contact = replace(contact, forward=None, reason=_told(contact, reason))
    contact = queueing.rejoin(floor, contact, last.queue, contact.known_until)
    agent = floor.agents.get(forward.by)
    if agent is not None and agent.offerable:
        queueing.ask_for(floor, contact, agent.id, floor.now + floor.rules.transfer_wait_s)
    else:
        floor.keep(contact)


def answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """The two hear each other already; the music ends."""
    attempt = attempts.advance(attempting.current(contact), event)
    assert attempt.answered_at is not None
    contact = close_segment(floor, contact, SegmentOutcome.ANSWERED, attempt.answered_at)
    contact = open_segment(floor, contact, SegmentKind.TALK, contact.known_until)
    ring_s = contact.ring_s + attempt.ring_s
    contact = pick_up(floor, replace(contact, state=ContactState.TALKING, forward=None, ring_s=ring_s))
    if contact.outcome is not ContactOutcome.ANSWERED:
        contact = replace(contact, outcome=ContactOutcome.FORWARDED)
    attempting.keep(floor, contact, attempt)
    seat(floor, floor.contacts[contact.id])


def failed(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """He was not reached: by another trunk, or the customer comes back."""
    attempt = attempts.advance(attempting.current(contact), event)
    _over(floor, replace(contact, ring_s=contact.ring_s + attempt.ring_s), attempt, event.at)


def _over(floor: Floor, contact: Contact, attempt: Attempt, at: float) -> None:
    floor.record(AttemptSaved(attempt))
    contact = replace(contact, attempt=None)
    if attempt.outcome in TRUNKS_FAULT:
        contact = replace(contact, tried=(*contact.tried, attempt.trunk))
    if attempt.outcome in TRUNKS_FAULT or attempt.outcome is AttemptOutcome.FAILED:
        _call(floor, contact)
    else:
        _come_back(floor, contact, attempt.told, at)


def command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """The leg could not be made; the connector has left nothing of it."""
    attempt, command = contact.attempt, event.command
    if attempt is None or not isinstance(command, DialCustomer) or command.attempt != attempt.id:
        floor.ignored += 1
        return
    if (
        event.kind == "gone"
    ):  # the customer's leg is not there: he has hung up, and a listing will say so should nobody else
        floor.list_again(contact.node, floor.now + GONE_LIST_S)
    outcome = AttemptOutcome.REFUSED if event.kind == "unavailable" else AttemptOutcome.FAILED
    attempt = attempts.closed(attempt, outcome, event.at)
    _over(floor, replace(contact, tried=(*contact.tried, attempt.trunk)), attempt, event.at)


def outside_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """Who was outside hung up on the customer."""
    floor.record(AttemptSaved(attempts.advance(attempting.current(contact), event)))
    contact = _end_talk(floor, contact, SegmentOutcome.OUTSIDE_LEFT, event)
    floor.command(HangUpLeg(contact.leg, lane=contact.id))
    floor.keep(replace(contact, state=ContactState.CLOSING, attempt=None))


def caller_ended(floor: Floor, contact: Contact, event: LegEnded) -> Contact:
    """The customer hung up: who is outside is hung up, and counts on his trunk until his end is a fact. Not kept yet."""
    if contact.state is ContactState.TALKING:
        contact = _end_talk(floor, contact, SegmentOutcome.CALLER_LEFT, event)
    elif contact.state is ContactState.FORWARDING:
        outcome = SegmentOutcome.FAILED if event.lost else SegmentOutcome.CALLER_LEFT
        attempt = attempting.current(contact)
        rang_s = 0.0 if attempt.ringing_at is None else max(0.0, event.at - attempt.ringing_at)
        contact = close_segment(floor, contact, outcome, event.at)
        contact = replace(contact, forward=None, ring_s=contact.ring_s + rang_s, outcome=_left(contact, event))
    return replace(contact, attempt=let_go(floor, contact, attempting.current(contact), lost=event.lost))


def _left(contact: Contact, event: LegEnded) -> ContactOutcome:
    """Who hung up while somebody was being called for him: served by an agent before, or by nobody yet."""
    assert contact.forward is not None
    if contact.forward.by is not None or contact.outcome is ContactOutcome.ANSWERED:
        return ContactOutcome.ANSWERED
    if event.lost:
        return ContactOutcome.FAILED
    return ContactOutcome.FLOW_ABANDONED if contact.first_queue is None else ContactOutcome.ABANDONED


def let_go(floor: Floor, contact: Contact, attempt: Attempt, *, lost: bool = False) -> Attempt:
    """His leg is hung up; the attempt as it is until that is a fact."""
    floor.command(HangUpLeg(attempt.leg, lane=contact.id))
    if attempt.answered_at is not None:
        return attempt
    return replace(attempt, giving_up=AttemptOutcome.FAILED if lost else AttemptOutcome.CANCELLED)


def _end_talk(floor: Floor, contact: Contact, outcome: SegmentOutcome, event: LegEnded) -> Contact:
    return close_segment(floor, contact, SegmentOutcome.FAILED if event.lost else outcome, event.at)
