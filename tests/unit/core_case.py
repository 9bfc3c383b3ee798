"""A router at its desk, for the core's unit tests: told facts in short words, asked what it kept and commanded.

The node is `n1` and linked; caller `c1` is the contact `n1-c1`, its first offer `n1-c1.1`; operators are 1001, 1002 and 1003,
reachable and ready unless a test says otherwise. Time begins at 1000 and stands still until `wait`.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec.structs import replace

from ccserver.core.agent import Agent
from ccserver.core.commands import Command, OfferContact
from ccserver.core.contact import Contact, Segment
from ccserver.core.events import (
    Answer,
    AnyEvent,
    CallbackSource,
    ConfigReplaced,
    ContactArrived,
    KeyPressed,
    LegAnswered,
    LegDialled,
    LegEnded,
    LegRinging,
    ListedLeg,
    ListedPhone,
    NodeConnected,
    NodeListed,
    OutboundDialled,
    PhoneChanged,
    PlayFinished,
    RequestCallback,
    SetAgentState,
    TrunkChanged,
)
from ccserver.core.floor import Outcome
from ccserver.core.ids import (
    AgentId,
    ContactId,
    FlowName,
    Language,
    LegId,
    LineNumber,
    NodeName,
    PlanHash,
    QueueName,
    Skill,
    StepName,
    TrunkName,
)
from ccserver.core.offer import Offer
from ccserver.core.plan import Line, Operator, Plan, Queue, Rules
from ccserver.core.records import (
    AgentSaved,
    ContactSaved,
    IntervalSaved,
    OfferSaved,
    Record,
    RecordingSaved,
    SegmentSaved,
)
from ccserver.core.router import Router
from ccserver.core.steps import Enqueue, Flow, SkillNeed, Step
from ccserver.replay import router_state
from ccserver.store.live import changes, restored

T = TypeVar("T")
NODE = NodeName("n1")
LINE = LineNumber("88007707999")
SUPPORT = QueueName("support")
RU, EN = Language("ru"), Language("en")


def needs(**skills: int) -> tuple[SkillNeed, ...]:
    """What a queue or a step asks: skill=level."""
    return tuple(SkillNeed(Skill(skill), level) for skill, level in skills.items())


def queue(name: str = SUPPORT, **fields: Any) -> Queue:
    """A queue, as the plan has it."""
    return Queue(QueueName(name), name.title(), **fields)


def operator(extension: str, *queues: str, **skills: int) -> Operator:
    """An operator of `support`, or of the queues given."""
    named = tuple(QueueName(each) for each in queues or (SUPPORT,))
    return Operator(AgentId(extension), extension, {Skill(skill): level for skill, level in skills.items()}, named)


def straight_into(name: str = SUPPORT, **fields: Any) -> dict[str, Step]:
    """A flow that begins with the queue."""
    return {"wait": Enqueue(QueueName(name), **fields)}


def plan(
    steps: dict[str, Step] | None = None,
    *,
    queues: Iterable[Queue] = (),
    operators: Iterable[Operator] = (),
    rules: Rules | None = None,
    name: str = "plan",
) -> Plan:
    """One line whose flow has these steps, the first of them at its start."""
    steps = steps or straight_into()
    flow = Flow(FlowName("main"), StepName(next(iter(steps))), {StepName(step): what for step, what in steps.items()})
    queues, operators = tuple(queues) or (queue(),), tuple(operators) or (operator("1001"),)
    return Plan(
        node=NODE,
        lines={LINE: Line(LINE, "Line", flow.name, RU)},
        queues={each.name: each for each in queues},
        operators={each.extension: each for each in operators},
        flows={flow.name: flow},
        rules=rules or Rules(reconcile_every_s=86400.0, not_ready_reasons={"1": "lunch"}),
        hash=PlanHash(name),
    )


class Case:
    """See the module."""

    def __init__(self, configured: Plan | None = None, *, linked: bool = True, ready: bool = True) -> None:
        self.router = Router()
        self.now = 1000.0
        self.records: list[Record] = []
        self.commands: list[Command] = []
        """Of the last `tell` or `wait`."""
        configured = configured or plan()
        self.tell(ConfigReplaced(configured, at=self.now))
        if linked:
            self.connect()
        for agent in configured.operators if ready else ():
            self.phone(agent)
            self.wish(agent, "ready")

    # --- tell -----------------------------------------------------------------------------------------------------

    def tell(self, *events: AnyEvent) -> Outcome:
        """One step."""
        outcome = self.router.step(events, self.now)
        self.records += outcome.records
        self.commands = list(outcome.commands)
        return outcome

    def wait(self, seconds: float) -> list[Command]:
        """Time passes; the router wakes when it wanted to. Returns all it commanded meanwhile."""
        until, commands = self.now + seconds, []
        while (deadline := self.router.deadline()) is not None and deadline <= until:
            self.now = deadline
            commands += self.tell().commands
        self.now = until
        self.commands = [*commands, *self.tell().commands]
        return self.commands

    def connect(self, *legs: ListedLeg, **about: Any) -> Outcome:
        """The node is heard, and lists these legs."""
        self.tell(NodeConnected(NODE, about.pop("started_at", 0.0), at=self.now))
        return self.lists(*legs, gap=True, **about)

    def lists(self, *legs: ListedLeg, gap: bool = False, asked_at: float | None = None, **about: Any) -> Outcome:
        """The node lists these legs; phones are as before unless given."""
        asked_at = self.now if asked_at is None else asked_at
        return self.tell(NodeListed(NODE, asked_at, gap, legs, at=self.now, **about))

    def call(self, caller: str = "c1", *, line: LineNumber = LINE, ani: str = "+7900") -> Outcome:
        """A customer dials."""
        contact, leg = ContactId(f"{NODE}-{caller}"), LegId(caller)
        return self.tell(ContactArrived(contact, leg, NODE, line, ani, self.now, at=self.now))

    def dials(self, number: str = "89161234567", agent: str | None = "1001", *, leg: str = "o1") -> Outcome:
        """An operator (None: a phone that is none's) calls a number outside."""
        who, contact = AgentId(agent) if agent else None, ContactId(f"{NODE}-{leg}")
        return self.tell(OutboundDialled(contact, LegId(leg), NODE, who, number, self.now, at=self.now))

    def asks_for_callback(self, number: str = "89161234567", name: str = "c1", **about: Any) -> Answer:
        """By the web form; returns the answer."""
        about = {"source": CallbackSource.FORM, **about}
        self.tell(RequestCallback(ContactId(f"{NODE}-{name}"), NODE, number=number, at=self.now, **about))
        return self.router.answers[0]

    def trunk(self, name: str, *, usable: bool = True, reason: str = "") -> Outcome:
        """What is known of it."""
        return self.tell(TrunkChanged(NODE, TrunkName(name), usable, reason, at=self.now))

    def press(self, keys: str, caller: str = "c1") -> list[Command]:
        """Key after key, each in a step of its own; returns all commands."""
        commands: list[Command] = []
        for key in keys:
            commands += self.tell(KeyPressed(LegId(caller), key, at=self.now)).commands  # type: ignore[arg-type]
        self.commands = commands
        return commands

    def played(self, caller: str = "c1", *, ok: bool = True) -> Outcome:
        """What is being said to the caller comes to its end."""
        contact = self.contact(caller)
        play = contact.place.play if contact.place else contact.flow.play if contact.flow else None
        play = play or contact.announcing
        assert play is not None, "nothing is being said"
        return self.tell(PlayFinished(LegId(caller), play, ok, at=self.now))

    def hang_up(self, caller: str = "c1") -> Outcome:
        """The caller does."""
        return self.ended(caller)

    def dialled(self, offer: str = "n1-c1.1") -> Outcome:
        """The agent's phone is being called."""
        return self.tell(LegDialled(LegId(offer), at=self.now))

    def rings(self, offer: str = "n1-c1.1") -> Outcome:
        """The agent's phone."""
        return self.tell(LegRinging(LegId(offer), at=self.now))

    def answers(self, offer: str = "n1-c1.1") -> Outcome:
        """The agent."""
        return self.tell(LegAnswered(LegId(offer), at=self.now))

    def ended(self, leg: str, cause: int = 16, sip_status: int | None = None, *, lost: bool = False) -> Outcome:
        """Any leg."""
        return self.tell(LegEnded(LegId(leg), cause, sip_status, lost, at=self.now))

    def wish(self, agent: str, state: str, reason: str = "") -> Outcome:
        """Over the API."""
        return self.tell(SetAgentState(AgentId(agent), state, reason, at=self.now))  # type: ignore[arg-type]

    def phone(self, agent: str, *, reachable: bool = True, in_use: bool = False) -> Outcome:
        """What is known of it."""
        return self.tell(PhoneChanged(AgentId(agent), reachable, in_use, at=self.now))

    # --- ask ------------------------------------------------------------------------------------------------------

    def contact(self, caller: str = "c1") -> Contact:
        """Live, or as it was last kept."""
        contact = f"{NODE}-{caller}"
        mine = [r.contact for r in self.records if isinstance(r, ContactSaved) and r.contact.id == contact]
        return mine[-1]

    def agent(self, agent: str = "1001") -> Agent:
        """As he is now."""
        return self.router.floor.agents[AgentId(agent)]

    def offer(self, offer: str = "n1-c1.1") -> Offer:
        """As it was last kept."""
        return [r.offer for r in self.records if isinstance(r, OfferSaved) and r.offer.id == offer][-1]

    def segments(self, caller: str = "c1") -> list[Segment]:
        """Of a contact, by number; the last value of each."""
        kept = {r.segment.n: r.segment for r in self.kept(SegmentSaved) if r.segment.contact == f"{NODE}-{caller}"}
        return [kept[n] for n in sorted(kept)]

    def kept(self, kind: type[T]) -> list[T]:
        """All records of a kind."""
        return [record for record in self.records if isinstance(record, kind)]

    def commanded(self, kind: type[T]) -> list[T]:
        """Commands of a kind, of the last `tell`, `press` or `wait`."""
        return [command for command in self.commands if isinstance(command, kind)]

    def offered(self) -> list[tuple[str, str]]:
        """(caller, agent) of the offers just commanded."""
        return [(command.leg, command.agent) for command in self.commanded(OfferContact)]

    def restarted(self) -> "Case":
        """Another process, with what the journal holds."""
        other = Case.__new__(Case)
        other.router, other.now = Router(), self.now
        other.records, other.commands = list(self.records), []
        kept = [(*key, value) for key, value in changes(self.records).items() if value is not None]
        other.router.restore(router_state(restored(kept, 1, self.now)), self.now)
        return other


def listed_caller(caller: str = "c1", **fields: Any) -> ListedLeg:
    """A caller's leg as the node lists it: answered, in our hands."""
    told = ListedLeg(LegId(caller), "caller", up=True, line=LINE, ani="+7900", arrived_at=1000.0)
    return replace(told, **fields)


def listed_agent(offer: str = "n1-c1.1", **fields: Any) -> ListedLeg:
    """An agent's leg as the node lists it: ringing."""
    return replace(ListedLeg(LegId(offer), "agent", up=False, ringing=True), **fields)


def listed_phones(**reachable: bool) -> tuple[ListedPhone, ...]:
    """a1001=True: registered and free."""
    return tuple(ListedPhone(AgentId(name[1:]), told, in_use=False) for name, told in reachable.items())


__all__ = [
    "AgentSaved",
    "Case",
    "IntervalSaved",
    "RecordingSaved",
    "listed_agent",
    "listed_caller",
    "listed_phones",
    "needs",
    "operator",
    "plan",
    "queue",
    "straight_into",
]
