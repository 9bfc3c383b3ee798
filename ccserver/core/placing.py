"""A supervisor changes the place of who waits: into another queue, or further to the front. Nothing else ever changes an order.

Who is moved takes the time that he has waited along: only the credit of his queue is another one. His ways out stay those of the
step that led him into a queue, but for "full": whoever moves him has decided that there is room.
"""

from msgspec.structs import replace

from ccserver.core import queueing
from ccserver.core.contact import Contact, ContactState, Overflow, SegmentKind, SegmentOutcome
from ccserver.core.events import Accepted, Answer, MoveContact, Refused, SetPriority
from ccserver.core.floor import Floor
from ccserver.core.ids import ContactId
from ccserver.core.segments import open_segment

PRIORITY_MAX_S = 86400.0


def move(floor: Floor, request: MoveContact) -> Answer:
    """Into another queue."""
    contact = _waiting(floor, request.contact)
    if isinstance(contact, Refused):
        return contact
    assert contact.place is not None
    queues, before = floor.plan_of(contact).queues, contact.place
    queue = queues.get(request.queue)
    if queue is None:
        return Refused(f"there is no queue {request.queue}")
    if queue.name == before.queue:
        return Refused(f"{contact.id} waits in {queue.name} already")
    if contact.state is ContactState.OFFERED and contact.offer is not None:
        return Refused(f"{contact.id} is being offered to {contact.offer.agent}")
    at = max(request.at, contact.known_until)
    contact = queueing.leave(floor, contact, SegmentOutcome.OVERFLOWED, at, _signed(Overflow.MOVED, request.by))
    contact = open_segment(floor, contact, SegmentKind.QUEUE, at, queue=queue.name)
    place = replace(
        before,
        queue=queue.name,
        entered_at=at,
        order=before.order + queues[before.queue].priority_s - queue.priority_s,
        also=(),
        eased="",
        agent=None,
        only_until=None,
        because="",
        max_waiting=None,
        full=None,
        estimate_s=None,
        **queueing.asked_in(floor, contact, queue),
    )
    floor.keep(replace(contact, place=place))
    floor.staff.changed = True  # whether somebody of this queue is logged in nobody has asked yet
    return Accepted()


def set_priority(floor: Floor, request: SetPriority) -> Answer:
    """Further to the front, or back to where he would be without."""
    contact = _waiting(floor, request.contact)
    if isinstance(contact, Refused):
        return contact
    assert contact.place is not None
    if not 0.0 <= request.priority_s <= PRIORITY_MAX_S:
        return Refused(f"expected seconds from 0 to {PRIORITY_MAX_S:g}, got {request.priority_s:g}")
    place = contact.place
    told = _signed(f"raised by {request.priority_s:g} s", request.by) if request.priority_s else ""
    order = place.order + place.raised_s - request.priority_s
    place = replace(place, order=order, raised_s=request.priority_s, raised=told)
    floor.keep(replace(contact, place=place))
    return Accepted()


def _waiting(floor: Floor, contact_id: ContactId) -> Contact | Refused:
    contact = floor.contacts.get(contact_id)
    if contact is None:
        return Refused(f"no contact {contact_id} goes on")
    if contact.state not in {ContactState.WAITING, ContactState.OFFERED}:
        return Refused(f"{contact_id} is {contact.state}: only who waits has a place")
    return contact


def _signed(what: str, by: str) -> str:
    return f"{what}, {by}" if by else what
