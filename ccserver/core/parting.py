"""How a call that an operator made ends: he is told why it came to nothing, or one of the two hangs up.

It closes when both legs are gone: until then the customer's is on its trunk, and counts.
"""

from msgspec.structs import replace

from ccserver.core import attempt as attempts
from ccserver.core import owed
from ccserver.core.agent import AgentState, Signal
from ccserver.core.attempt import Attempt, AttemptOutcome
from ccserver.core.commands import DialCustomer, HangUpLeg, PlayPrompts
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentOutcome
from ccserver.core.events import CommandFailed, Event, LegEnded, PlayFinished
from ccserver.core.floor import Floor
from ccserver.core.ids import Language, PromptName
from ccserver.core.records import AttemptSaved
from ccserver.core.segments import close_segment


def in_vain(
    floor: Floor, contact: Contact, outcome: AttemptOutcome, told: ContactOutcome, prompt: PromptName, at: float
) -> None:
    """The customer was not reached, and no trunk is left: the operator, if there is one, hears why."""
    if contact.callback is not None:
        contact = owed.tried(floor, contact, outcome, told, at)
    if contact.absent:
        owed.part(floor, contact, at)
    else:
        tell(floor, contact, told, prompt)


def cancelled(floor: Floor, contact: Contact, outcome: AttemptOutcome, at: float) -> Contact:
    """The operator is gone (or we failed him) before the customer was reached."""
    told = ContactOutcome.FAILED if outcome is AttemptOutcome.FAILED else ContactOutcome.CANCELLED
    if contact.callback is not None:
        return owed.tried(floor, contact, outcome, told, at)
    return replace(contact, outcome=told)


def speech_of_operator(floor: Floor, contact: Contact) -> Language:
    """What is said to the operator is said in his language, not in the customer's."""
    operator = floor.plan.operators.get(contact.agent) if contact.agent else None
    return operator.language if operator else contact.language


def tell(floor: Floor, contact: Contact, outcome: ContactOutcome, prompt: PromptName) -> None:
    """Say it to the operator, then hang up."""
    play = floor.next_play(contact)
    floor.command(PlayPrompts(contact.leg, play, (prompt,), speech_of_operator(floor, contact), lane=contact.id))
    floor.keep(
        replace(
            contact,
            state=ContactState.TELLING,
            outcome=contact.outcome if contact.callback else outcome,
            telling=play,
            said=prompt,
            plays=contact.plays + 1,
        )
    )


def told(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """He has heard it."""
    if contact.telling == event.play:
        hang_up_operator(floor, contact)


def telling_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """It cannot be said; one whose leg is gone has hung up."""
    if isinstance(event.command, PlayPrompts) and event.kind != "gone" and floor.linked(contact.node):
        hang_up_operator(floor, contact)


def operator_away(floor: Floor, contact: Contact, _event: Event) -> None:
    """His phone left our hands, and nothing waits for it in the dialplan."""
    floor.command(HangUpLeg(contact.leg, lane=contact.id))


def hang_up_operator(floor: Floor, contact: Contact) -> None:
    """Nothing more is to be said to him."""
    floor.command(HangUpLeg(contact.leg, lane=contact.id))
    floor.keep(replace(contact, state=ContactState.CLOSING, telling=None))


def customer_hung_up(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The talk is over by the customer's leg."""
    assert contact.attempt is not None
    floor.record(AttemptSaved(attempts.advance(contact.attempt, event)))
    contact = _end_talk(floor, contact, SegmentOutcome.CUSTOMER_LEFT, event)
    hang_up_operator(floor, replace(contact, attempt=None))


def operator_ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The operator hung up: whatever the call was doing, it is over as soon as the customer's leg is gone, too."""
    if contact.absent:
        floor.ignored += 1
        return
    match contact.state:
        case ContactState.BRIEFING | ContactState.DIALLING:
            contact = _cancel(floor, contact, event)
        case ContactState.TALKING:
            contact = _end_talk(floor, contact, SegmentOutcome.AGENT_LEFT, event)
        case _:
            pass
    _release(floor, contact, event.at)
    if contact.attempt is None:
        owed.part(floor, contact, event.at)
    else:
        floor.command(HangUpLeg(contact.attempt.leg, lane=contact.id))
        floor.keep(replace(contact, state=ContactState.CLOSING, telling=None, absent=True))


def _cancel(floor: Floor, contact: Contact, event: LegEnded) -> Contact:
    attempt, outcome = contact.attempt, AttemptOutcome.FAILED if event.lost else AttemptOutcome.CANCELLED
    ended = SegmentOutcome.FAILED if event.lost else SegmentOutcome.CANCELLED
    contact = close_segment(floor, contact, ended, event.at)
    if attempt is not None:
        rang_s = 0.0 if attempt.ringing_at is None else max(0.0, event.at - attempt.ringing_at)
        contact = replace(contact, ring_s=contact.ring_s + rang_s, attempt=replace(attempt, giving_up=outcome))
    return cancelled(floor, contact, outcome, event.at)


def customer_gone(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The customer's leg has left its trunk."""
    if contact.attempt is None:
        floor.ignored += 1
        return
    _off_the_trunk(floor, contact, attempts.advance(contact.attempt, event), event.at)


def customer_not_made(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """He hung up so soon that the customer's leg could not be made any more; the failure of a hang-up its end settles."""
    attempt, command = contact.attempt, event.command
    if attempt is None or not isinstance(command, DialCustomer) or command.attempt != attempt.id:
        floor.ignored += 1
        return
    outcome = attempt.giving_up or AttemptOutcome.CANCELLED
    _off_the_trunk(floor, contact, attempts.closed(attempt, outcome, event.at), event.at)


def _off_the_trunk(floor: Floor, contact: Contact, attempt: Attempt, at: float) -> None:
    floor.record(AttemptSaved(attempt))
    contact = replace(contact, attempt=None)
    if contact.absent:
        owed.part(floor, contact, at)
    else:
        floor.keep(contact)


def _release(floor: Floor, contact: Contact, at: float) -> None:
    """His phone is down: he notes what was said, or goes on with what he did before."""
    if contact.agent is None or floor.agents[contact.agent].contact != contact.id:
        return
    if floor.agents[contact.agent].state is AgentState.TALKING:
        plan = floor.plan_of(contact)
        rules = plan.queues[contact.callback.queue] if contact.callback else plan.outbound
        floor.wrap_up(contact.agent, rules.wrap_up_s, at)
    else:
        floor.signal(contact.agent, Signal.RELEASED, at, contact=None)


def _end_talk(floor: Floor, contact: Contact, outcome: SegmentOutcome, event: LegEnded) -> Contact:
    return close_segment(floor, contact, SegmentOutcome.FAILED if event.lost else outcome, event.at)
