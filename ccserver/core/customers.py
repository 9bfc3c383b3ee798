"""The customer, known: by the configuration, which may give him credit, a language and an agent of his own; and by his last talk.

The last talks are kept for as long as a queue asks for them, and no more than `REMEMBERED` of them: whoever called longest ago is
forgotten first.
"""

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.agent import AT_WORK
from ccserver.core.contact import Contact, Place
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId
from ccserver.core.needing import outlook
from ccserver.core.plan import Customer, Queue
from ccserver.core.records import TalkRemembered
from ccserver.core.steps import Enqueue

REMEMBERED = 50_000
PRIORITY_MAX_S = 86400.0
DAY_S = 86400.0


class _Wanted(Struct, frozen=True):
    agent: AgentId
    because: str


def customer_of(floor: Floor, contact: Contact) -> Customer | None:
    """What the plan that the contact began with knows of him."""
    return floor.plan_of(contact).customer(contact.ani)


def credit_s(floor: Floor, contact: Contact, step: Enqueue | None) -> float:
    """Besides the queue's: of his line, of himself, of the step that led him here."""
    plan, customer = floor.plan_of(contact), customer_of(floor, contact)
    line = plan.lines.get(contact.line)
    own_s = (line.priority_s if line else 0.0) + (customer.priority_s if customer else 0.0)
    if step is None:
        return own_s
    told = contact.variables.get(step.priority_from, "") if step.priority_from else ""
    return own_s + step.priority_s + _seconds(told)


def remember(floor: Floor, contact: Contact, agent: AgentId, at: float) -> None:
    """They talk."""
    if not contact.ani.startswith("+") or not any(queue.sticky_days for queue in floor.plan.queues.values()):
        return
    floor.last_talks.pop(contact.ani, None)
    floor.last_talks[contact.ani] = (agent, at)
    floor.record(TalkRemembered(contact.ani, agent, at))
    while len(floor.last_talks) > REMEMBERED:
        oldest = next(iter(floor.last_talks))
        del floor.last_talks[oldest]
        floor.record(TalkRemembered(oldest, None, at))


def preferring(floor: Floor, contact: Contact, queue: Queue, place: Place) -> Place:
    """A new place, which asks at first for the agent whom this customer should have, if he is at work."""
    wanted = _wanted(floor, contact, queue, place)
    if wanted is None or queue.sticky_wait_s <= 0 or floor.agents[wanted.agent].state not in AT_WORK:
        return place
    return replace(place, agent=wanted.agent, only_until=floor.now + queue.sticky_wait_s, because=wanted.because)


def _wanted(floor: Floor, contact: Contact, queue: Queue, place: Place) -> _Wanted | None:
    customer = customer_of(floor, contact)
    if customer is not None and customer.agent in floor.abilities:
        return _Wanted(customer.agent, "the customer's own")
    agent, at = floor.last_talks.get(contact.ani, (None, 0.0))
    ability = floor.abilities.get(agent) if agent is not None else None
    if agent is None or ability is None or floor.now - at > queue.sticky_days * DAY_S:
        return None
    able = any(floor.matcher.able(need, ability) for _, need in outlook(place, floor.now))
    return _Wanted(agent, "talked with the customer last") if able else None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return min(seconds, PRIORITY_MAX_S) if seconds > 0 else 0.0
