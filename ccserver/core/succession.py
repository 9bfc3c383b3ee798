"""What a new plan would do to the contacts under way: they keep the plan they began with, but its operators are the new one's."""

from collections.abc import Iterator, Mapping
from functools import reduce

from msgspec import Struct

from ccserver.core.contact import Contact, ContactState
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, QueueName
from ccserver.core.matching import Ability, Need, able
from ccserver.core.needing import asking, eased, outlook
from ccserver.core.plan import Plan
from ccserver.core.steps import Enqueue, reached


def stranded(floor: Floor, plan: Plan) -> Mapping[QueueName, int]:
    """Queues that somebody could serve and nobody could under `plan`, with the contacts that wait there or may yet come."""
    before, after = _Staff.of(floor.plan), _Staff.of(plan)
    left: dict[QueueName, int] = {}
    for contact in floor.contacts.values():
        for queue in {need.queue for need in _needs(floor, contact) if before.serves(need) and not after.serves(need)}:
            left[queue] = left.get(queue, 0) + 1
    return left


class _Staff(Struct, frozen=True):
    """Who works under a plan, and what they can do."""

    agents: frozenset[AgentId]
    abilities: frozenset[Ability]

    @classmethod
    def of(cls, plan: Plan) -> "_Staff":
        return cls(frozenset(plan.operators), frozenset(map(Ability.of, plan.operators.values())))

    def serves(self, need: Need) -> bool:
        if need.agent is not None:
            return need.agent in self.agents
        return any(able(need, ability) for ability in self.abilities)


def _needs(floor: Floor, contact: Contact) -> Iterator[Need]:
    """What the contact asks of an operator, or may ask when its flow has come so far."""
    if contact.state in (ContactState.WAITING, ContactState.OFFERED) and contact.place is not None:
        *_, (_, least) = outlook(contact.place, floor.now)
        yield least  # what it will be content with when it has waited long enough
    elif contact.state is ContactState.FLOW and contact.flow is not None:
        plan = floor.plan_of(contact)
        for name in reached(plan.flows, (contact.flow.flow, *(point.flow for point in contact.flow.stack))):
            for step in plan.flows[name].steps.values():
                if isinstance(step, Enqueue):
                    queue = plan.queues[step.queue]
                    asked = asking(plan, queue, contact.language, floor.now, skills=step.skills, relax=step.relax)
                    yield reduce(eased, asked["stages"], Need(step.queue, asked["needs"]))
