"""The floor: all contacts, agents and legs of this moment, and the draft of the step under way.

The router's working memory. Every change of a contact or an agent goes through `keep` and `signal`, which hold the indexes
(who waits, who is idle, whose leg is this, what time is it due) in step with the values; nobody else touches them. At the
end of a step the draft becomes the `Outcome`: each changed noun once, as it is in the end.
"""

import heapq
from collections.abc import Collection
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from ccserver.core import agent as agents
from ccserver.core import steps
from ccserver.core.agent import AT_WORK, Agent, AgentState, Signal
from ccserver.core.commands import Command
from ccserver.core.contact import Contact, ContactState, Direction
from ccserver.core.disposition import Disposition, asked
from ccserver.core.events import CommandFailed, SuperviseContact
from ccserver.core.ewt import Learnt
from ccserver.core.ids import (
    AgentId,
    ContactId,
    LegId,
    LineNumber,
    MeasureId,
    NodeName,
    PlanHash,
    PlayId,
    QueueName,
    TalkId,
    TrunkName,
    contact_of_made_leg,
)
from ccserver.core.matching import Ability, Idle, Matcher, Need, Rest, Staff, Waiting
from ccserver.core.measure import Measure
from ccserver.core.numbers import canonical
from ccserver.core.offer import OfferState
from ccserver.core.plan import Line, Plan, Rules
from ccserver.core.records import (
    AgentSaved,
    ContactSaved,
    DispositionForgotten,
    DispositionSaved,
    IntervalSaved,
    LearntSaved,
    Record,
)
from ccserver.core.roster import Roster


class Outcome(Struct, frozen=True):
    """What a step decided: to be journalled, then performed, in this order."""

    records: tuple[Record, ...]
    commands: tuple[Command, ...]


class NodeLink(Struct):
    """What is known of the way to a node."""

    since: float
    connected: bool = False
    """Events flow and the node was listed after the last gap."""
    started_at: float = 0.0
    """When its Asterisk started."""
    lost_at: float | None = None
    """When events ceased, until the node is listed again."""
    heard_since: float = 0.0
    """When the present connection was made; infinite while there is none. A listing asked for earlier tells nothing now."""
    list_at: float | None = None
    """When to list it next; None: a listing is under way."""
    doubtful: dict[ContactId, tuple[CommandFailed, ...]] = field(default_factory=dict)
    """Commands that Asterisk did not answer, until it is listed, by contact."""
    missing: set[LegId] = field(default_factory=set)
    """Legs that the last listing did not show, and of whose end nothing else had told."""


class TrunkLink(Struct, frozen=True):
    """Whether calls can leave by a trunk, and why not."""

    since: float
    usable: bool = False
    reason: str = "not seen yet"
    refused: int = 0
    """Calls refused because all its channels were in use, since Asterisk started."""


class CodeCall(Struct, frozen=True):
    """An operator's phone that dialled a feature code and is being answered by voice."""

    agent: AgentId | None
    play: PlayId
    dialled_at: float


EMPTY_PLAN = Plan(node=NodeName(""), lines={}, queues={}, operators={}, flows={})
NOTHING_LEARNT = Learnt()
SERVING = {AgentState.TALKING, AgentState.WRAP_UP}
"""States in which an agent's contact still costs him time."""
Due = tuple[float, str, str]
"""(when, kind of noun, its id)."""


class Floor:
    """See the module."""

    def __init__(self) -> None:
        self.now = 0.0
        self.plan = EMPTY_PLAN
        self.plans: dict[PlanHash, Plan] = {}
        self.matcher = Matcher(EMPTY_PLAN)
        self.roster = Roster(self.matcher.able)
        self.contacts: dict[ContactId, Contact] = {}
        self.abilities: dict[AgentId, Ability] = {}
        """Of everybody whom the plan employs."""
        self.agents: dict[AgentId, Agent] = {}
        self.caller_legs: dict[LegId, ContactId] = {}
        self.agent_legs: dict[LegId, AgentId] = {}
        self.second_calls: dict[LegId, ContactId] = {}
        """By which agents consult."""
        self.turned_legs: dict[LegId, ContactId] = {}
        """Of operators who called, and whose contacts stand on the customer's leg since."""
        self.codes: dict[LegId, CodeCall] = {}
        self.called_back: dict[AgentId, SuperviseContact] = {}
        """Supervisors who dialled a feature code, and whose phones are rung when they are free of it."""
        self.departed: dict[LegId, float] = {}
        """Callers' legs that ended lately, and when we learnt it: what is told late must not bring them back."""
        self.nodes: dict[NodeName, NodeLink] = {}
        self.trunks: dict[TrunkName, TrunkLink] = {}
        """As the nodes tell: nothing of it is kept, for every listing tells it anew."""
        self.carried: dict[TrunkName, dict[LegId, Direction]] = {}
        """Legs on each trunk now."""
        self.misdialled: dict[TrunkName, int] = {}
        """Calls that each trunk brought for a number that is none of ours, since start."""
        self.learnt: dict[QueueName, Learnt] = {}
        """What each queue's past tells of its waits."""
        self.dispositions: dict[TalkId, Disposition] = {}
        """Of talks whose day is not over, the oldest first."""
        self.last_talks: dict[str, tuple[AgentId, float]] = {}
        """By the customer's number: who talked with him last, and when; in the order of these times."""
        self.measures: dict[MeasureId, Measure] = {}
        """What supervisors have put in force."""
        self.lines_by_number: dict[str, Line] = {}
        self.callbacks: dict[str, ContactId] = {}
        """By number, who is owed a call, or is being called back."""
        self.waiting = Waiting()
        self.callable = Waiting()
        """Those of them who are called before an operator is, and may be called now."""
        self.calling: dict[ContactId, Need] = {}
        """Those who are being called so, and may not answer."""
        self.idle = Idle()
        self.queued: dict[QueueName, dict[ContactId, None]] = {}
        """Who waits in each queue."""
        self.making: dict[NodeName, dict[ContactId, None]] = {}
        """Whose offers each node is making now."""
        self.staff = Staff()
        self.unsettled: dict[ContactId, None] = {}
        """Contacts that began to wait in this step: those still unmatched at its end are told so."""
        self.held: dict[ContactId, None] = {}
        """Those of them who wait for nothing but their node: they will be served in a moment, and are told nothing till then."""
        self.forwarding: dict[ContactId, steps.Forward] = {}
        """Contacts whose flows led to somebody outside in this step, and where to: called at its end."""
        self.gone: dict[AgentId, None] = {}
        """Who ceased to be at work in this step: whoever waits for him by name may not have to go on."""
        self.ignored = 0
        self.flow_flaw: tuple[float, str] | None = None
        """When a flow could not go on for the last time, and why."""
        self.flow_calls: tuple[float, ...] = ()
        """When flows had somebody outside called within the last hour; `counting` keeps them."""
        self.blocked = 0
        """Calls of operators that were not let out, since start."""
        self._dues: list[Due] = []
        self._armed: set[Due] = set()
        """What is in `_dues`."""
        self._records: list[Record] = []
        self._commands: list[Command] = []
        self._touched: dict[tuple[str, str], None] = {}

    @property
    def rules(self) -> Rules:
        """Of the plan in force."""
        return self.plan.rules

    def adopt(self, plan: Plan) -> None:
        """The plan comes into force; contacts under way keep theirs."""
        used = {contact.plan for contact in self.contacts.values()}
        self.plan = plan
        self.lines_by_number = {canonical(line.number, plan.rules.region): line for line in plan.lines.values()}
        self.plans = {each.hash: each for each in self.plans.values() if each.hash in used} | {plan.hash: plan}
        self.matcher = Matcher(plan)
        self.roster = Roster(self.matcher.able)
        for need in self.waiting.needs():
            self.roster.crew(need)
        self.abilities = {operator.extension: Ability.of(operator) for operator in plan.operators.values()}

    def plan_of(self, contact: Contact) -> Plan:
        """The plan that the contact started with."""
        return self.plans[contact.plan]

    def line_called(self, dnis: str) -> Line | None:
        """The line that somebody dialled, however his trunk writes its number; None: it is none of ours."""
        return self.plan.lines.get(LineNumber(dnis)) or self.lines_by_number.get(canonical(dnis, self.rules.region))

    # --- contacts -----------------------------------------------------------------------------------------------

    def keep(self, contact: Contact) -> Contact:
        """The contact as it is from now on."""
        before = self.contacts.get(contact.id)
        for trunk, leg, _ in before.on_trunks if before is not None else ():
            self.carried[trunk].pop(leg, None)
        if before is not None and before.state is ContactState.WAITING and before.place is not None:
            self.queued[before.place.queue].pop(contact.id, None)
        making = self.making.setdefault(contact.node, {})
        if contact.offer is not None and contact.offer.state is OfferState.MAKING:
            making[contact.id] = None
        else:
            making.pop(contact.id, None)
        if contact.state is ContactState.WAITING and contact.place is not None:
            self.queued.setdefault(contact.place.queue, {})[contact.id] = None
        for trunk, leg, direction in contact.on_trunks:
            self.carried.setdefault(trunk, {})[leg] = direction
        if before is not None and (before.leg != contact.leg or contact.absent) and not before.absent:
            self.caller_legs.pop(before.leg, None)
            self.departed[before.leg] = self.now
        if contact.state is ContactState.CLOSED:
            self.contacts.pop(contact.id, None)
            self.caller_legs.pop(contact.leg, None)
            self.departed[contact.leg] = self.now
        else:
            self.contacts[contact.id] = contact
            if not contact.absent:
                self.caller_legs[contact.leg] = contact.id
        self._second_call(before, contact)
        self._turned_leg(before, contact)
        self._owe(contact)
        self._touched["contact", contact.id] = None
        if contact.state is ContactState.CLOSED:
            self._records.append(ContactSaved(contact))
            self._touched.pop(("contact", contact.id))
        self.index(contact)
        self.rearm(contact)
        return contact

    def _second_call(self, before: Contact | None, contact: Contact) -> None:
        old = before.consult.by if before is not None and before.consult is not None else None
        new = contact.consult.by if contact.consult is not None else None
        if old is not None and old != new:
            self.second_calls.pop(old, None)
            self.departed[old] = self.now
        if new is not None:
            self.second_calls[new] = contact.id

    def _turned_leg(self, before: Contact | None, contact: Contact) -> None:
        if before is not None and before.turned and before.offer is not None:
            self.turned_legs.pop(before.offer.leg, None)
        if contact.turned and contact.offer is not None and contact.state is not ContactState.CLOSED:
            self.turned_legs[contact.offer.leg] = contact.id

    def contact_of(self, leg: LegId) -> Contact | None:
        """In which the leg is, whoever's."""
        known = self.second_calls.get(leg) or self.caller_legs.get(leg) or self.turned_legs.get(leg)
        return self.contacts.get(known or contact_of_made_leg(leg))

    def _owe(self, contact: Contact) -> None:
        if contact.is_owed and contact.state is not ContactState.CLOSED:
            self.callbacks[contact.number] = contact.id
        elif self.callbacks.get(contact.number) == contact.id:
            del self.callbacks[contact.number]

    def index(self, contact: Contact) -> None:
        """In line exactly when it may be offered, or its customer may be called."""
        place, callback = contact.place, contact.callback
        waits = contact.state is ContactState.WAITING and not contact.away and self.linked(contact.node)
        # Who asks for one by name is offered to him, whoever is to be called first.
        first = contact.absent and callback is not None and callback.first == "customer"
        line = self.callable if first and place is not None and place.agent is None else self.waiting
        for each in (self.waiting, self.callable):
            if waits and place is not None and each is line:
                need = Need.of(place)
                each.add(contact.id, need, place.order, contact.node)
                if need.agent is None:
                    self.roster.crew(need)
            else:
                each.remove(contact.id)
        if contact.absent and contact.state is ContactState.DIALLING and place is not None:
            self.calling[contact.id] = Need.of(place)
        else:
            self.calling.pop(contact.id, None)

    def linked(self, node: NodeName) -> bool:
        """Events of the node flow: what it is told it will do, and we shall hear of it."""
        link = self.nodes.get(node)
        return link is not None and link.connected

    @property
    def full(self) -> Collection[NodeName]:
        """The nodes that are making as many offers as they may at once."""
        return {node for node, offers in self.making.items() if len(offers) >= self.rules.offers_at_once}

    def next_play(self, contact: Contact) -> PlayId:
        """The id that the contact's next playback will have."""
        return PlayId(f"{contact.id}.play{contact.plays + 1}")

    # --- agents -------------------------------------------------------------------------------------------------

    def signal(self, agent_id: AgentId, signal: Signal, at: float, *, reason: str = "", **notes: object) -> Agent:
        """Something happened to the agent; `notes` are his fields that change with it."""
        return self.note(agents.advance(self.note_values(agent_id, **notes), signal, at, reason))

    def note_values(self, agent_id: AgentId, **notes: object) -> Agent:
        """His value with the notes, not kept yet."""
        return replace(self.agents[agent_id], **notes)

    def note(self, agent: Agent) -> Agent:
        """The agent as he is from now on; a change of state closes the interval before it."""
        before = self.agents.get(agent.id)
        if agent == before:
            return agent  # every listing tells of every phone, and mostly nothing new
        if agent.serving is not None and agent.state not in SERVING:
            handled_s = max(0.0, agent.since - (agent.serving_since or agent.since))
            self.learn(agent.serving, self.learnt_of(agent.serving).with_handled(handled_s))
            agent = replace(agent, serving=None, serving_since=None)
        if before is not None:
            agent = agents.counted(before, agent)
        if before is not None and (before.state, before.reason) != (agent.state, agent.reason):
            agent = replace(agent, intervals=before.intervals + 1)
            self._records.append(
                IntervalSaved(
                    agent=agent.id,
                    n=agent.intervals,
                    state=before.state,
                    reason=before.reason,
                    started_at=before.since,
                    ended_at=max(agent.since, before.since),
                    contact=before.contact,
                    by=before.by,
                )
            )
        if before is not None and before.state in AT_WORK and agent.state not in AT_WORK:
            self.gone[agent.id] = None
        self.agents[agent.id] = agent
        self._touched["agent", agent.id] = None
        self.seat(agent)
        if agent.leg is not None:
            self.agent_legs[agent.leg] = agent.id
        if before is not None and before.leg is not None and before.leg != agent.leg:
            self.agent_legs.pop(before.leg, None)
        if agent.deadline is not None:
            self._due(agent.deadline, "agent", agent.id)
        if agent.today.ends_at is not None:
            self._due(agent.today.ends_at, "day", agent.id)
        return agent

    def seat(self, agent: Agent) -> None:
        """On the bench exactly when he may be offered a contact; of the staff exactly when he is logged in."""
        ability = self.abilities.get(agent.id)
        if ability is not None and agent.state is not AgentState.LOGGED_OUT:
            self.staff.add(agent.id, ability)
        else:
            self.staff.remove(agent.id)
        if ability is not None and agent.offerable:
            idle_from = max(agent.since, agent.today.began_at) - agent.today.idle_s
            self.idle.add(agent.id, ability, Rest(agent.idle_since, idle_from, agent.today.contacts))
        else:
            self.idle.remove(agent.id)
        if ability is None:
            self.roster.drop(agent.id)
        else:
            # Ready and yet with a leg of ours: it is about to end, and until then he is as good as reserved.
            ending = agent.state is AgentState.READY and not agent.offerable
            self.roster.put(agent.id, ability, AgentState.RESERVED if ending else agent.state)

    def wrap_up(self, agent_id: AgentId, seconds: float, at: float) -> None:
        """His talk is over."""
        agent = self.signal(agent_id, Signal.TALK_ENDED, at, contact=None)
        if agent.state is not AgentState.WRAP_UP:
            return
        until = self.now + seconds
        if self.owes(agent):
            deadline = max(until, self.now + self.rules.wrap_up_max_s)
            self.note(replace(agent, wrap_up_until=until, deadline=deadline))
        elif seconds <= 0:
            self.signal(agent_id, Signal.TIME_UP, at)
        else:
            self.note(replace(agent, wrap_up_until=until, deadline=until))

    # --- dispositions -------------------------------------------------------------------------------------------

    def keep_disposition(self, disposition: Disposition) -> None:
        """As it is from now on; each value is a record of its own."""
        self.dispositions[disposition.talk] = disposition
        self._records.append(DispositionSaved(disposition))

    def dispositions_of(self, contact: ContactId) -> list[Disposition]:
        """Of the contact's talks, in their order."""
        found = [each for each in self.dispositions.values() if each.contact == contact]
        return sorted(found, key=lambda each: each.segment)

    def forget_dispositions(self) -> None:
        """Those whose day is over, oldest first: two for each that comes, so that there are never more than a day's."""
        for talk, disposition in list(islice(self.dispositions.items(), 2)):
            if disposition.until < self.now and disposition.contact not in self.contacts:
                del self.dispositions[talk]
                self._records.append(DispositionForgotten(talk))

    def owes(self, agent: Agent) -> bool:
        """His last talk has no topic yet and must have one."""
        owed = self.dispositions.get(agent.talk) if agent.talk else None
        return owed is not None and not owed.codes and asked(self.plan, owed.queue).required

    # --- queues -------------------------------------------------------------------------------------------------

    def learnt_of(self, queue: QueueName) -> Learnt:
        """What the queue's past tells."""
        return self.learnt.get(queue) or NOTHING_LEARNT

    def learn(self, queue: QueueName, learnt: Learnt) -> None:
        """It tells more now."""
        self.learnt[queue] = learnt
        self._touched["queue", queue] = None

    # --- measures -----------------------------------------------------------------------------------------------

    def enforce(self, measure: Measure) -> None:
        """In force from now on."""
        self.measures[measure.id] = measure
        if measure.until is not None:
            self._due(measure.until, "measure", measure.id)

    def lift(self, measure: MeasureId) -> None:
        """In force no more."""
        del self.measures[measure]

    # --- time ---------------------------------------------------------------------------------------------------

    def _due(self, when: float, kind: str, name: str) -> None:
        if (due := (when, kind, name)) not in self._armed:
            self._armed.add(due)
            heapq.heappush(self._dues, due)

    def _pop_due(self) -> Due:
        due = heapq.heappop(self._dues)
        self._armed.remove(due)
        return due

    def list_again(self, node: NodeName, when: float) -> None:
        """The node is to be listed at that time."""
        self.nodes[node].list_at = when
        self._due(when, "node", node)

    def next_due(self) -> float | None:
        """The one time to wake at; entries that were overtaken are dropped on the way."""
        while self._dues and not self._is_due(self._dues[0]):
            self._pop_due()
        return self._dues[0][0] if self._dues else None

    def pop_due(self) -> tuple[str, str] | None:
        """The next noun whose time is up."""
        when = self.next_due()
        if when is None or when > self.now:
            return None
        _when, kind, name = self._pop_due()
        return kind, name

    def forget_departed(self, before: float) -> None:
        """Nothing older than a listing asked for then can come any more."""
        self.departed = {leg: at for leg, at in self.departed.items() if at >= before}

    def rearm(self, contact: Contact) -> None:
        """Its deadline counts, from now on or (its node is heard again) anew."""
        if contact.deadline is not None:
            self._due(contact.deadline, "contact", contact.id)

    def _is_due(self, due: Due) -> bool:
        when, kind, name = due
        if kind == "contact":
            contact = self.contacts.get(ContactId(name))
            # While nothing is heard of a node, silence means nothing; `rearm` puts the deadline back.
            return contact is not None and contact.deadline == when and self.linked(contact.node)
        if kind == "agent":
            agent = self.agents.get(AgentId(name))
            return agent is not None and agent.deadline == when
        if kind == "day":
            agent = self.agents.get(AgentId(name))
            return agent is not None and agent.today.ends_at == when
        if kind == "measure":
            measure = self.measures.get(MeasureId(name))
            return measure is not None and measure.until == when
        return self.nodes[NodeName(name)].list_at == when

    # --- the draft ----------------------------------------------------------------------------------------------

    def record(self, record: Record) -> None:
        """Worth keeping, besides the contacts and agents themselves."""
        self._records.append(record)

    def command(self, command: Command) -> None:
        """To be performed after the journal has the step."""
        self._commands.append(command)

    def draft(self) -> Outcome:
        """Close the step: everything it kept and commands, each changed noun once."""
        for kind, name in self._touched:
            if kind == "contact":
                self._records.append(ContactSaved(self.contacts[ContactId(name)]))
            elif kind == "agent":
                self._records.append(AgentSaved(self.agents[AgentId(name)]))
            else:
                self._records.append(LearntSaved(QueueName(name), self.learnt[QueueName(name)]))
        outcome = Outcome(tuple(self._records), tuple(self._commands))
        self._records, self._commands, self._touched = [], [], {}
        return outcome
