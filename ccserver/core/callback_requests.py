"""Callbacks asked for from outside: a web form, a partner's system, what the fallback dialplan took down; changed and called off.

One customer is owed one call: who asks a second time changes the first.
"""

from msgspec.structs import replace

from ccserver.core import owed, tolls
from ccserver.core.callback import Callback, moment_there
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Place, SegmentKind, SegmentOutcome
from ccserver.core.events import Accepted, Answer, CancelCallback, Refused, RequestCallback, RescheduleCallback
from ccserver.core.floor import Floor, NodeLink
from ccserver.core.ids import ContactId, LegId, LineNumber, QueueName
from ccserver.core.needing import asking
from ccserver.core.numbers import canonical
from ccserver.core.plan import Line, Plan
from ccserver.core.segments import open_segment
from ccserver.core.steps import AskCallback, Enqueue

AHEAD_MAX_S = 30 * 86400.0
"""Nobody may wish to be called later than this."""
CALLED_NOW = "the customer is being called at this moment, or is talking"


def request(floor: Floor, event: RequestCallback) -> Answer:
    """A customer wants to be called."""
    if event.contact in floor.contacts:
        return Accepted(event.contact)  # told twice: a spooled request whose file outlived us
    plan = floor.plan
    line = _line(plan, event.line)
    if line is None:
        return Refused(f"there is no line {event.line}", "line")
    queue = event.queue or queue_of(plan, line)
    if queue is None or queue not in plan.queues:
        return Refused(f"there is no queue {queue}" if queue else f"line {line.number} leads to no queue", "queue")
    number = canonical(event.number, plan.rules.region)
    if refusal := tolls.number_refusal(plan, number):
        return Refused(refusal.why, "number")
    wanted_at = _moment(number, line, event)
    if wanted_at is not None and wanted_at > floor.now + AHEAD_MAX_S:
        return Refused("that is more than 30 days ahead", "wanted_at")
    event = replace(event, wanted_at=wanted_at)
    known = floor.callbacks.get(number)
    if known is not None:
        return _change(floor, floor.contacts[known], event)
    if len(floor.callbacks) >= plan.callbacks.owed_max:
        return Refused(f"{plan.callbacks.owed_max} callbacks are owed already (callbacks.owed_max)")
    return _open(floor, event, line, queue, number)


def reschedule(floor: Floor, event: RescheduleCallback) -> Answer:
    """Not before another time; what was tried so far still counts."""
    contact = _owed(floor, event.contact)
    if isinstance(contact, Refused):
        return contact
    wanted_at = _moment(contact.number, floor.plan_of(contact).lines.get(contact.line), event) or floor.now
    if wanted_at > floor.now + AHEAD_MAX_S:
        return Refused("that is more than 30 days ahead", "wanted_at")
    _due(floor, contact, wanted_at)
    return Accepted(event.contact, changed=True)


def cancel(floor: Floor, event: CancelCallback) -> Answer:
    """He is not to be called any more."""
    contact = _owed(floor, event.contact)
    if isinstance(contact, Refused):
        return contact
    contact = owed.drop_offer(floor, contact, floor.now)
    owed.finish(floor, contact, SegmentOutcome.CANCELLED, ContactOutcome.CANCELLED, floor.now)
    return Accepted(event.contact, changed=True)


def queue_of(plan: Plan, line: Line) -> QueueName | None:
    """Where the line's flow leads first, as it is written; what it asks about callbacks counts before that."""
    steps = plan.flows[line.flow].steps.values()
    for kind in (AskCallback, Enqueue):
        for step in steps:
            if isinstance(step, kind):
                return step.queue
    return None


def _moment(number: str, line: Line | None, event: RequestCallback | RescheduleCallback) -> float | None:
    return moment_there(number, line, event.wanted_there) if event.wanted_there else event.wanted_at


def _line(plan: Plan, number: LineNumber | None) -> Line | None:
    if number is None:
        return next(iter(plan.lines.values()), None)
    wanted, region = canonical(number, plan.rules.region), plan.rules.region
    return next((line for line in plan.lines.values() if canonical(line.number, region) == wanted), None)


def _open(floor: Floor, event: RequestCallback, line: Line, queue: QueueName, number: str) -> Answer:
    plan, rules = floor.plan, floor.plan.queues[queue]
    due_at = max(event.wanted_at or event.at, event.at)
    floor.nodes.setdefault(event.node, NodeLink(since=floor.now))
    contact = Contact(
        id=event.contact,
        node=event.node,
        leg=LegId(event.contact.removeprefix(f"{event.node}-")),
        line=line.number,
        ani=number,
        language=line.language,
        plan=plan.hash,
        arrived_at=event.at,
        entered_at=event.at,
        state=ContactState.SCHEDULED,
        absent=True,
        first_queue=queue,
        place=Place(
            queue=queue,
            **asking(plan, rules, line.language, due_at),
            entered_at=event.at,
            order=due_at - rules.priority_s,
        ),
    )
    callback = owed.owing(floor, contact, event.source, number, queue, due_at)
    contact = open_segment(floor, contact, SegmentKind.CALLBACK, event.at, queue=queue)
    contact = floor.keep(replace(contact, callback=_with_words(callback, event)))
    owed.wait(floor, contact, floor.now)
    return Accepted(event.contact)


def _change(floor: Floor, contact: Contact, event: RequestCallback) -> Answer:
    """He asked before: what he says now counts, and his place stays."""
    assert contact.callback is not None
    contact = floor.keep(replace(contact, callback=_with_words(contact.callback, event)))
    if event.wanted_at is not None and contact.absent and contact.state in owed.UNTOUCHED:
        _due(floor, contact, event.wanted_at)
    return Accepted(contact.id, changed=True)


def _with_words(callback: Callback, event: RequestCallback) -> Callback:
    return replace(callback, name=event.name or callback.name, comment=event.comment or callback.comment)


def _owed(floor: Floor, contact_id: ContactId) -> Contact | Refused:
    contact = floor.contacts.get(contact_id)
    if contact is None or contact.callback is None:
        return Refused(f"no callback {contact_id} is owed", "id", unknown=True)
    if not contact.absent or contact.state not in owed.UNTOUCHED:
        return Refused(CALLED_NOW)
    return contact


def _due(floor: Floor, contact: Contact, wanted_at: float) -> None:
    contact = owed.drop_offer(floor, contact, floor.now)
    callback = contact.callback
    assert callback is not None
    due_at = max(wanted_at, floor.now)
    lasts_s = floor.plan_of(contact).callbacks.expire_after_s
    owed.wait(
        floor, replace(contact, callback=replace(callback, due_at=due_at, expires_at=due_at + lasts_s)), floor.now
    )
