"""What a talk was about, as its agent says it: topics out of his queue's tree, and what was ordered.

    owed when the talk begins --given--> given --given again--> given        until the day of the line is over

Each talk of a contact has its own, so a contact that was transferred has one of each agent. Every value is a row for ever;
the last one counts.
"""

from collections.abc import Iterable

from msgspec import Struct

from ccserver.core.ids import AgentId, ContactId, LineNumber, QueueName, TalkId
from ccserver.core.plan import Dispositions, Plan

CODES_MAX = 10
"""Topics of one talk."""
VALUE_MAX_CENTS = 10**12
NOTE_MAX = 1000


class Disposition(Struct, frozen=True, kw_only=True):
    """Immutable; every change is a new value with the next `n`."""

    contact: ContactId
    segment: int
    """Number of the talk within the contact."""
    agent: AgentId
    line: LineNumber
    queue: QueueName | None
    """None: the agent had called the customer."""
    talked_at: float
    """When the talk began."""
    currency: str
    until: float
    """It may be changed until then."""
    n: int = 0
    """How often it was given; 0: it is owed."""
    codes: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """What the codes meant when they were given, each with what stands above it."""
    order_value_cents: int | None = None
    """Hundredths of the currency; None: nothing was said of an order."""
    note: str = ""
    by: str = ""
    """Who gave it: the agent, or the supervisor."""
    given_at: float | None = None

    @property
    def talk(self) -> TalkId:
        """Whose it is."""
        return talk_id(self.contact, self.segment)


def talk_id(contact: ContactId, segment: int) -> TalkId:
    """The name of a talk."""
    return TalkId(f"{contact}/{segment}")


def asked(plan: Plan, queue: QueueName | None) -> Dispositions:
    """What is asked after a talk of the queue, or (None) with a customer whom an agent called."""
    if queue is None:
        return plan.outbound.dispositions
    return plan.queues[queue].dispositions if queue in plan.queues else Dispositions()


def titled(rules: Dispositions, code: str) -> str:
    """The topic with all that stands above it: `Goods > Availability`."""
    above = (code[:length] for length in range(1, len(code) + 1))
    return " > ".join(rules.codes[each] for each in above if each in rules.codes)


def flaw(rules: Dispositions, codes: Iterable[str], queue: QueueName | None) -> str:
    """Why these are no topics of the queue; empty when they are."""
    where = queue or "a call to a customer"
    for code in codes:
        if code not in rules.codes:
            return f"{where} has no topic {code}; it has {', '.join(rules.codes) or 'none'}"
    return ""
