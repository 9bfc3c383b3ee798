"""A call that an operator made, or a callback that he took, turned round: it is the customer's contact now, as if he had called.

As long as the two just talk, the contact stands on the operator's leg. To hand the customer over, or to put the operator aside,
it must stand on the customer's: then all that is done with a customer who called can be done with him, too. The operator is the
agent of an offer that he accepted; a queue of his is the one in which the customer waits, should he have to.
"""

from msgspec.structs import replace

from ccserver.core.contact import Contact, Direction, Place
from ccserver.core.events import Refused
from ccserver.core.floor import Floor
from ccserver.core.ids import OfferId
from ccserver.core.offer import Offer, OfferOutcome, OfferState


def turned(floor: Floor, contact: Contact) -> Contact | Refused:
    """Not kept yet; or why it stays as it is. Of a talk."""
    attempt, agent, plan = contact.attempt, contact.agent, floor.plan_of(contact)
    if not contact.led_by_operator or contact.direction is Direction.INTERNAL or attempt is None or agent is None:
        return Refused(f"in {contact.id} no operator is with the customer: that cannot be handed over")
    holder = floor.agents.get(agent)
    if holder is None or holder.contact != contact.id:  # an emergency call beside his contact
        return Refused(f"{contact.id} is a call beside the one that {agent} is in: it cannot be handed over")
    operator = floor.plan.operators.get(agent)
    own = [queue for queue in (operator.queues if operator else ()) if queue in plan.queues]
    queue = contact.callback.queue if contact.callback else own[0] if own else None
    if queue is None:
        return Refused(f"{agent} is in no queue: there is none in which the customer could wait")
    began_at = contact.leg_since or contact.entered_at
    offer = Offer(
        id=OfferId(contact.leg),
        contact=contact.id,
        agent=agent,
        queue=queue,
        made_at=began_at,
        why="called the customer",
        reach_deadline=began_at,
        ring_deadline=began_at,
        state=OfferState.ACCEPTED,
        answered_at=attempt.answered_at,
        outcome=OfferOutcome.ACCEPTED,
    )
    at, recording = contact.known_until, contact.recording
    return replace(
        contact,
        turned=True,
        leg=attempt.leg,
        leg_since=attempt.made_at,
        offer=offer,
        last_place=Place(queue=queue, needs=(), entered_at=at, order=at),
        recording=replace(recording, leg=contact.leg) if recording else None,
    )
