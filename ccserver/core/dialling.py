"""The calls that operators make: whether one may leave, by which trunk, what becomes of each attempt, and how it ends.

The operator's phone is answered at once and stands in the contact's bridge before the customer is dialled, so that he hears
the network's tones, the ringing and the answer even if we are dead by then. Each attempt's leg lives on one trunk; the next
trunk is tried when the end of that leg is a fact, never before: two legs would make the customer's phone ring twice.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ccserver.core import attempt as attempts
from ccserver.core import attempting, beside, recording, tolls
from ccserver.core.agent import Signal
from ccserver.core.attempt import TRUNKS_FAULT, Attempt, AttemptOutcome
from ccserver.core.commands import AnswerLeg, DialCustomer, HangUpLeg, StopPlay
from ccserver.core.contact import (
    Contact,
    ContactOutcome,
    ContactState,
    Direction,
    SegmentKind,
    SegmentOutcome,
)
from ccserver.core.counting import count, counted
from ccserver.core.events import (
    CommandFailed,
    LegAnswered,
    LegEnded,
    ListedLeg,
    OutboundDialled,
)
from ccserver.core.floor import Floor
from ccserver.core.ids import AttemptId, Language, LegId, LineNumber, PromptName
from ccserver.core.numbers import canonical, is_emergency, written
from ccserver.core.offer import OfferOutcome
from ccserver.core.owed import fulfilled
from ccserver.core.parting import cancelled, hang_up_operator, in_vain, tell
from ccserver.core.plan import Operator, Plan, Trunk
from ccserver.core.records import AttemptSaved
from ccserver.core.routing import GONE_LIST_S, RING_GRACE_S, withdraw
from ccserver.core.segments import close_segment, open_segment
from ccserver.core.tolls import Refusal
from ccserver.core.trunking import choose

ATTEMPTS_MAX = 20
"""More than any number of trunks calls for: whatever goes wrong, a call ends."""
_PROMPTS = {
    AttemptOutcome.BUSY: PromptName("outbound-busy"),
    AttemptOutcome.NO_ANSWER: PromptName("outbound-no-answer"),
    AttemptOutcome.DECLINED: PromptName("outbound-declined"),
    AttemptOutcome.NO_SUCH_NUMBER: PromptName("outbound-no-such-number"),
}
_NO_TRUNK = PromptName("outbound-no-trunk")


# --- may it leave ---------------------------------------------------------------------------------------------------------


def dialled(floor: Floor, event: OutboundDialled) -> None:
    """An operator called: pick up, and reach the customer or say why not. Beside a customer whom he serves he consults."""
    if beside.begun(floor, event):
        return
    operator = floor.plan.operators.get(event.agent) if event.agent else None
    contact = Contact(
        id=event.contact,
        node=event.node,
        leg=event.leg,
        line=line_of(floor.plan, operator),
        ani=canonical(event.number, floor.rules.region),
        language=operator.language if operator else Language("ru"),
        plan=floor.plan.hash,
        arrived_at=event.dialled_at,
        entered_at=event.at,
        direction=Direction.OUTBOUND,
        state=ContactState.DIALLING,
        agent=operator.extension if operator else None,
    )
    floor.command(AnswerLeg(contact.leg, contact.language, lane=contact.id))
    flaw = refusal(floor, operator, contact)
    if operator is not None:
        occupy(floor, operator, contact, event.at)
    if flaw is not None:
        floor.blocked += 1
        tell(floor, replace(contact, reason=flaw.why), ContactOutcome.BLOCKED, flaw.prompt)
        return
    begin(floor, open_segment(floor, contact, SegmentKind.DIAL, event.at, agent=contact.agent))


def begin(floor: Floor, contact: Contact) -> None:
    """It may leave, and counts for the limits: now by which trunk."""
    if contact.agent is not None:
        count(floor, contact.agent, contact.ani)
    dial_next(floor, recording.prepared(floor, contact, None, contact.agent))


def line_of(plan: Plan, operator: Operator | None) -> LineNumber:
    """For which line he calls; empty when there is none at all."""
    if operator is not None and operator.line is not None and operator.line in plan.lines:
        return operator.line
    return next(iter(plan.lines), LineNumber(""))


def refusal(floor: Floor, operator: Operator | None, contact: Contact) -> Refusal | None:
    """An emergency call leaves from every phone, and beside a contact that he serves."""
    if is_emergency(contact.ani, floor.rules.region):
        return None
    if operator is None:
        return Refusal(PromptName("agent-not-an-operator"), "the phone belongs to no operator")
    serves = floor.agents[operator.extension].contact
    if serves not in (None, contact.id) and not floor.contacts[serves].is_ringing:
        return Refusal(PromptName("outbound-engaged"), f"{operator.extension} serves {serves}")
    if not contact.line:
        return Refusal(_NO_TRUNK, "there is no line whose number could be shown")
    calls = counted(floor, floor.now)
    by_him = calls.by_agent[operator.extension]
    return tolls.refusal(floor.plan, operator, contact.ani, by_him=by_him, by_all=calls.in_all)


def occupy(floor: Floor, operator: Operator, contact: Contact, at: float) -> None:
    """He is at work with this; a contact that is being offered to him goes to somebody else."""
    serves = floor.agents[operator.extension].contact
    if serves is not None:
        other = floor.contacts[serves]
        if not other.is_ringing:
            return
        withdraw(floor, other, OfferOutcome.BUSY, at, released=True)
    floor.signal(operator.extension, Signal.DIALLED, at, contact=contact.id)


# --- by which trunk -------------------------------------------------------------------------------------------------------


def dial_next(floor: Floor, contact: Contact) -> None:
    """The next attempt, or the end of all of them."""
    choice = choose(floor, contact)
    before = contact.callback.attempts if contact.callback else 0
    if choice.trunk is not None and contact.attempts - before < ATTEMPTS_MAX:
        _make(floor, contact, choice.trunk, choice.why)
        return
    contact = close_segment(floor, contact, SegmentOutcome.UNANSWERED, floor.now)
    reason = "; ".join((*_so_far(contact), *choice.flaws)) or "there is no trunk"
    contact = replace(contact, reason=reason)
    in_vain(floor, contact, AttemptOutcome.REFUSED, ContactOutcome.NO_TRUNK, _NO_TRUNK, floor.now)


def _make(floor: Floor, contact: Contact, trunk: Trunk, why: str) -> None:
    plan, region = floor.plan_of(contact), floor.rules.region
    line = plan.lines.get(contact.line)
    shown = canonical(line.caller_id or line.number, region) if line else ""
    settings = plan.outbound
    attempt = Attempt(
        id=AttemptId(f"{contact.id}.{contact.made + 1}"),
        contact=contact.id,
        trunk=trunk.name,
        number=written(contact.number, trunk.number_format, region),
        made_at=floor.now,
        why=why,
        reach_deadline=floor.now + trunk.reach_timeout_s,
        ring_deadline=floor.now + settings.ring_timeout_s,
    )
    floor.command(
        DialCustomer(
            attempt.id,
            None if contact.absent else contact.leg,
            trunk.name,
            attempt.number,
            written(shown, trunk.number_format, region),
            trunk.reach_timeout_s + settings.ring_timeout_s + RING_GRACE_S,
            recording.begun_before(contact),
            lane=contact.id,
        )
    )
    floor.record(AttemptSaved(attempt))
    floor.keep(replace(contact, attempt=attempt, attempts=contact.attempts + 1, trunk=trunk.name))


def _so_far(contact: Contact) -> list[str]:
    return [contact.reason] if contact.reason else []


# --- what becomes of it ---------------------------------------------------------------------------------------------------


def customer_answered(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """They hear each other already."""
    attempt = attempts.advance(attempting.current(contact), event)
    assert attempt.answered_at is not None
    at = attempt.answered_at
    callback = contact.callback
    queue, offer = (callback.queue, callback.offer) if callback else (None, None)
    if contact.agent is not None and floor.agents[contact.agent].contact == contact.id:
        since = at if queue else None
        floor.signal(contact.agent, Signal.ANSWERED, at, serving=queue, serving_since=since)
    contact = close_segment(floor, contact, SegmentOutcome.ANSWERED, at)
    contact = open_segment(floor, contact, SegmentKind.TALK, at, queue=queue, agent=contact.agent, offer=offer)
    contact = replace(
        contact,
        state=ContactState.TALKING,
        answered_at=contact.answered_at or at,
        outcome=ContactOutcome.ANSWERED,
        ring_s=contact.ring_s + attempt.ring_s,
        callback=fulfilled(callback, at),
        place=None,
    )
    attempting.keep(floor, contact, attempt)


def customer_failed(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """The customer's leg ended before an answer: another trunk, or the operator is told."""
    attempt = attempts.advance(attempting.current(contact), event)
    _attempt_over(floor, replace(contact, ring_s=contact.ring_s + attempt.ring_s), attempt)


def _attempt_over(floor: Floor, contact: Contact, attempt: Attempt) -> None:
    floor.record(AttemptSaved(attempt))
    contact = replace(contact, attempt=None, reason="; ".join([*_so_far(contact), attempt.told]))
    if attempt.outcome in TRUNKS_FAULT:
        contact = replace(contact, tried=(*contact.tried, attempt.trunk))
    if attempt.outcome in TRUNKS_FAULT or attempt.outcome is AttemptOutcome.FAILED:
        # Ours is no fault of the trunk's: a leg that a crash kept from being made is made anew, by the same one.
        dial_next(floor, floor.keep(contact))
        return
    assert attempt.outcome is not None and attempt.ended_at is not None
    contact = close_segment(floor, contact, SegmentOutcome.UNANSWERED, attempt.ended_at)
    told = ContactOutcome(attempt.outcome.value)
    in_vain(floor, contact, attempt.outcome, told, _PROMPTS[attempt.outcome], attempt.ended_at)


def command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """The customer's leg could not be made; the connector has left nothing of it."""
    attempt = contact.attempt
    if attempt is None or not isinstance(event.command, DialCustomer) or event.command.attempt != attempt.id:
        floor.ignored += 1
        return
    if event.kind == "gone" and not contact.absent:
        # The operator's leg is not there: he has hung up, and a listing will say so should nobody else.
        floor.list_again(contact.node, floor.now + GONE_LIST_S)
        floor.record(AttemptSaved(attempts.closed(attempt, AttemptOutcome.CANCELLED, event.at)))
        contact = close_segment(floor, contact, SegmentOutcome.CANCELLED, event.at)
        contact = replace(contact, attempt=None)
        hang_up_operator(floor, cancelled(floor, contact, AttemptOutcome.CANCELLED, event.at))
        return
    outcome = AttemptOutcome.REFUSED if event.kind == "unavailable" else AttemptOutcome.FAILED
    attempt = attempts.closed(attempt, outcome, event.at)
    _attempt_over(floor, replace(contact, tried=(*contact.tried, attempt.trunk)), attempt)


def take_up(floor: Floor, contact: Contact, legs: Mapping[LegId, ListedLeg]) -> None:
    """After a gap, or while something is being hung up: what its state calls for, once more."""
    if contact.state is not ContactState.DIALLING:
        take_up_telling(floor, contact)
        return
    if not contact.absent:
        floor.command(AnswerLeg(contact.leg, contact.language, lane=contact.id))
    attempting.take_up(floor, contact, legs)


def take_up_telling(floor: Floor, contact: Contact) -> None:
    """As `take_up`, of one whose dialling is over."""
    match contact.state:
        case ContactState.TELLING if contact.telling and contact.outcome:
            floor.command(AnswerLeg(contact.leg, contact.language, lane=contact.id))
            floor.command(StopPlay(contact.leg, contact.telling, lane=contact.id))
            tell(floor, contact, contact.outcome, contact.said)
        case ContactState.CLOSING:
            if not contact.absent:
                floor.command(HangUpLeg(contact.leg, lane=contact.id))
            if contact.attempt is not None:
                floor.command(HangUpLeg(contact.attempt.leg, lane=contact.id))
        case _:
            pass
