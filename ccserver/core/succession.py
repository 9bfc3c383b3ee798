"""What a new plan would do to the contacts under way: they keep the plan they began with, but its operators are the new one's."""

from collections.abc import Iterator, Mapping

from ccserver.core.contact import Contact, ContactState
from ccserver.core.floor import Floor
from ccserver.core.ids import QueueName
from ccserver.core.matching import Ability, Need, able
from ccserver.core.plan import Enqueue, Plan


def stranded(floor: Floor, plan: Plan) -> Mapping[QueueName, int]:
    """Queues that somebody could serve and nobody could under `plan`, with the contacts that wait there or may yet come."""
    before = {Ability.of(operator) for operator in floor.plan.operators.values()}
    after = {Ability.of(operator) for operator in plan.operators.values()}
    left: dict[QueueName, int] = {}
    for contact in floor.contacts.values():
        for queue in {
            need.queue for need in _needs(floor, contact) if _served(need, before) and not _served(need, after)
        }:
            left[queue] = left.get(queue, 0) + 1
    return left


def _served(need: Need, abilities: set[Ability]) -> bool:
    return any(able(need, ability) for ability in abilities)


def _needs(floor: Floor, contact: Contact) -> Iterator[Need]:
    """What the contact asks of an operator, or may ask when its flow has come so far."""
    if contact.state in (ContactState.WAITING, ContactState.OFFERED) and contact.place is not None:
        yield Need(contact.place.queue, contact.place.needs)
    elif contact.state is ContactState.FLOW and contact.flow is not None:
        plan = floor.plan_of(contact)
        for step in plan.flows[contact.flow.flow].steps.values():
            if isinstance(step, Enqueue):
                yield Need(step.queue, (*plan.queues[step.queue].skills, *step.skills))
