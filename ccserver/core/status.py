"""The picture of this moment: what the status API and the live page show, cut out of the floor."""

from collections.abc import Container

from msgspec import Struct

from ccserver.core import tolls
from ccserver.core.agent import Agent, AgentState
from ccserver.core.attempt import AttemptOutcome
from ccserver.core.callback import Callback
from ccserver.core.consult import Consult
from ccserver.core.contact import REACHING, Contact, ContactState, Direction
from ccserver.core.counting import counted
from ccserver.core.events import CallbackSource
from ccserver.core.floor import Floor, TrunkLink
from ccserver.core.ids import AgentId, ContactId, FlowName, Language, LineNumber, NodeName, QueueName, TrunkName
from ccserver.core.measure import Announcement, Closure, Measure
from ccserver.core.plan import Trunk
from ccserver.core.recording import RecordingState, state_of
from ccserver.core.steps import CallFirst
from ccserver.core.supervision import SupervisionMode

FLOW_ALARM_S = 3600.0
"""So long the alarm tells of a flow that could not go on."""


class NodeStatus(Struct, frozen=True, kw_only=True):
    """The link to one Asterisk."""

    node: NodeName
    connected: bool
    """Events flow and the node has been listed: offers are made."""
    since: float


class LineStatus(Struct, frozen=True, kw_only=True):
    """A number and the contacts on it now."""

    number: LineNumber
    name: str
    in_flow: int
    waiting: int
    talking: int
    dialling: int
    """Calls that operators make for it, until the customer answers; and customers for whom somebody outside is called."""


class QueueStatus(Struct, frozen=True, kw_only=True):
    """A queue now."""

    name: QueueName
    title: str
    target_s: float
    """A wait longer than this misses the service level."""
    waiting: int
    """Waiting and offered contacts, those among them who are to be called back."""
    longest_wait_s: float
    """Of those who are on the line."""
    talking: int
    agents_logged_in: int
    agents_ready: int
    absent: int = 0
    """Of those who wait: who is not on the line, for he is called back when it is his turn."""


class AgentStatus(Struct, frozen=True, kw_only=True):
    """An operator now."""

    extension: AgentId
    name: str
    state: AgentState
    reason: str
    since: float
    contact: ContactId | None
    queues: tuple[QueueName, ...]
    phone_registered: bool
    supervises: bool
    """He may listen to talks: of all, or of some queues."""
    then: AgentState
    """What he will be when his work, or his phone's trouble, is over."""
    then_reason: str
    on_hold: bool = False
    """He talks, and the customer hears music."""
    by: str = ""
    """Who wished the state: he himself (his extension), or who overruled him; empty: it came by itself."""


class TrunkStatus(Struct, frozen=True, kw_only=True):
    """A trunk now."""

    name: TrunkName
    title: str
    usable: bool
    """Registered, and it answers: calls can leave by it."""
    reason: str
    """Why not."""
    since: float
    inbound: int
    """Calls on it now."""
    outbound: int
    channels: int
    """How many it takes, both directions together."""
    refused: int
    """Calls refused because it was full, since Asterisk started."""
    misdialled: int
    """Calls refused because they were for a number that is none of ours, since start."""


class ContactStatus(Struct, frozen=True, kw_only=True):
    """A live contact now."""

    id: ContactId
    line: LineNumber
    ani: str
    customer: str = ""
    """His name, where the configuration knows him,"""
    credit_s: float = 0.0
    """and by how much he is served as if he had waited longer,"""
    raised_s: float = 0.0
    """and by how much more, because a supervisor wants it."""
    direction: Direction
    trunk: TrunkName | None
    state: ContactState
    flow: FlowName | None = None
    """In which it is, or which led into the queue where it waits; and the step:"""
    step: str
    """The flow's step, while it is in the flow; the step that led into the queue, while it waits."""
    queue: QueueName | None
    position: int | None
    """From 1 in its queue, while it waits."""
    agent: AgentId | None
    """Offered to, or talking with, or calling."""
    language: Language
    recording: RecordingState
    """Of the talk under way."""
    supervisor: AgentId | None
    """Who listens to it, and how."""
    supervision: SupervisionMode | None
    arrived_at: float
    since: float
    """Since when it is in this state (segment)."""
    on_hold: bool = False
    consult: Consult | None = None
    """The third party."""
    absent: bool = False
    """Nobody is on the line: a call is owed to the customer."""


class CallbackStatus(Struct, frozen=True, kw_only=True):
    """A call that is owed to a customer, or is being made."""

    id: ContactId
    number: str
    line: LineNumber
    queue: QueueName
    source: CallbackSource
    first: CallFirst
    state: ContactState
    agent: AgentId | None
    asked_at: float
    due_at: float
    expires_at: float
    tries: int
    last: AttemptOutcome | None
    name: str
    comment: str


class Status(Struct, frozen=True, kw_only=True):
    """Everything, at `at` (UTC epoch seconds)."""

    at: float
    nodes: tuple[NodeStatus, ...]
    lines: tuple[LineStatus, ...]
    queues: tuple[QueueStatus, ...]
    agents: tuple[AgentStatus, ...]
    trunks: tuple[TrunkStatus, ...]
    contacts: tuple[ContactStatus, ...]
    measures: tuple[Measure, ...] = ()
    """In force, in the order in which they were taken."""
    callbacks: tuple[CallbackStatus, ...] = ()
    """Those of them to whom a call is owed."""
    not_ready_reasons: tuple[str, ...]
    """As configured, in the order of their digits."""
    ignored: int
    """Facts that found no state waiting for them, since start."""


QUEUED = {ContactState.WAITING, ContactState.OFFERED}


def picture(floor: Floor, now: float) -> Status:
    """Everything, in the order of the configuration; contacts in the order of arrival."""
    contacts = sorted(floor.contacts.values(), key=lambda contact: (contact.arrived_at, contact.id))
    positions = _positions(contacts)
    return Status(
        at=now,
        nodes=tuple(
            NodeStatus(node=node, connected=link.connected, since=link.since) for node, link in floor.nodes.items()
        ),
        lines=tuple(
            LineStatus(
                number=line.number,
                name=line.name,
                in_flow=_count(contacts, line.number, {ContactState.FLOW}),
                waiting=_count(contacts, line.number, QUEUED),
                talking=_count(contacts, line.number, {ContactState.TALKING}),
                dialling=_count(contacts, line.number, {ContactState.SUMMONING, *REACHING}),
            )
            for line in floor.plan.lines.values()
        ),
        queues=tuple(_queue(floor, name, contacts, now) for name in floor.plan.queues),
        agents=tuple(_agent(floor, floor.agents[agent]) for agent in floor.plan.operators if agent in floor.agents),
        trunks=tuple(_trunk(floor, trunk, now) for trunk in floor.plan.trunks.values()),
        contacts=tuple(_contact(floor, contact, positions) for contact in contacts),
        callbacks=tuple(
            _callback(contact, contact.callback) for contact in contacts if contact.is_owed and contact.callback
        ),
        measures=tuple(sorted(floor.measures.values(), key=lambda measure: (measure.since, measure.id))),
        not_ready_reasons=tuple(reason for _, reason in sorted(floor.rules.not_ready_reasons.items())),
        ignored=floor.ignored,
    )


def _count(contacts: list[Contact], line: str, states: Container[ContactState]) -> int:
    return sum(1 for contact in contacts if contact.line == line and contact.state in states)


def _positions(contacts: list[Contact]) -> dict[ContactId, int]:
    """Place of each waiting contact in its queue, from 1."""
    queued = [contact for contact in contacts if contact.state in QUEUED and contact.place]
    queued.sort(key=lambda contact: (contact.place.order if contact.place else 0.0, contact.id))
    lengths: dict[QueueName, int] = {}
    positions = {}
    for contact in queued:
        assert contact.place is not None
        lengths[contact.place.queue] = positions[contact.id] = lengths.get(contact.place.queue, 0) + 1
    return positions


def _queue(floor: Floor, name: QueueName, contacts: list[Contact], now: float) -> QueueStatus:
    waiting = [c for c in contacts if c.state in QUEUED and c.place and c.place.queue == name]
    entries = [c.place.entered_at for c in waiting if c.place and not c.absent]
    mine = [floor.agents[agent] for agent, operator in floor.plan.operators.items() if name in operator.queues]
    talking = [c for c in contacts if c.state is ContactState.TALKING and c.offer and c.offer.queue == name]
    return QueueStatus(
        name=name,
        title=floor.plan.queues[name].title,
        target_s=floor.plan.queues[name].target_s,
        waiting=len(waiting),
        absent=len(waiting) - len(entries),
        longest_wait_s=max((now - entered_at for entered_at in entries), default=0.0),
        talking=len(talking),
        agents_logged_in=sum(1 for agent in mine if agent.state is not AgentState.LOGGED_OUT),
        agents_ready=sum(1 for agent in mine if agent.offerable),
    )


def _agent(floor: Floor, agent: Agent) -> AgentStatus:
    operator = floor.plan.operators[agent.id]
    return AgentStatus(
        extension=agent.id,
        name=operator.name,
        state=agent.state,
        reason=agent.reason,
        since=agent.since,
        contact=agent.contact,
        queues=operator.queues,
        phone_registered=agent.reachable,
        supervises=operator.role == "supervisor" or bool(operator.supervises),
        then=agent.then,
        then_reason=agent.then_reason,
        on_hold=agent.contact is not None and floor.contacts[agent.contact].on_hold,
        by=agent.by,
    )


def _trunk(floor: Floor, trunk: Trunk, now: float) -> TrunkStatus:
    link = floor.trunks.get(trunk.name) or TrunkLink(now)
    carried = list(floor.carried.get(trunk.name, {}).values())
    return TrunkStatus(
        name=trunk.name,
        title=trunk.title,
        usable=link.usable,
        reason=link.reason,
        since=link.since,
        inbound=carried.count(Direction.INBOUND),
        outbound=carried.count(Direction.OUTBOUND),
        channels=trunk.channels,
        refused=link.refused,
        misdialled=floor.misdialled.get(trunk.name, 0),
    )


def announcing(floor: Floor) -> str:
    """For people: what every caller hears now; empty when there is nothing."""
    said = [each for each in floor.measures.values() if isinstance(each, Announcement)]
    return "; ".join(f"callers of {_where(each)} hear {', '.join(each.prompts)} ({each.by})" for each in said)


def closures(floor: Floor) -> str:
    """For people: which lines are closed by hand; empty when none is."""
    shut = [each for each in floor.measures.values() if isinstance(each, Closure)]
    return "; ".join(f"{_where(each)} closed by {each.by}" for each in shut)


def _where(measure: Measure) -> str:
    return f"line {measure.line}" if measure.line is not None else "all lines"


def toll_alarm(floor: Floor, now: float) -> str:
    """For people: who has called so often that he may not any more; empty when nobody has."""
    calls = counted(floor, now)
    return tolls.limits_reached(floor.plan, calls.by_agent.items(), by_flows=calls.by_flows)


def flow_alarm(floor: Floor, now: float) -> str:
    """For people: which flow could not go on within the last hour; empty when all do."""
    if floor.flow_flaw is None or now - floor.flow_flaw[0] > FLOW_ALARM_S:
        return ""
    return f"a caller was hung up on: {floor.flow_flaw[1]}"


def _caller(contact: Contact) -> AgentId | None:
    return contact.agent if contact.led_by_operator and not contact.absent else None


def _callback(contact: Contact, callback: Callback) -> CallbackStatus:
    return CallbackStatus(
        id=contact.id,
        number=callback.number,
        line=contact.line,
        queue=callback.queue,
        source=callback.source,
        first=callback.first,
        state=contact.state,
        agent=contact.offer.agent if contact.offer else contact.agent,
        asked_at=callback.asked_at,
        due_at=callback.due_at,
        expires_at=callback.expires_at,
        tries=callback.tries,
        last=callback.last,
        name=callback.name,
        comment=callback.comment,
    )


def _contact(floor: Floor, contact: Contact, positions: dict[ContactId, int]) -> ContactStatus:
    customer = floor.plan_of(contact).customer(contact.ani)
    position = contact.flow if contact.state in {ContactState.FLOW, *QUEUED} else None
    return ContactStatus(
        id=contact.id,
        line=contact.line,
        ani=contact.ani,
        customer=customer.name if customer else "",
        credit_s=customer.priority_s if customer else 0.0,
        raised_s=contact.place.raised_s if contact.place else 0.0,
        direction=contact.direction,
        trunk=contact.trunk,
        state=contact.state,
        flow=position.flow if position else None,
        step=position.step if position else "",
        queue=contact.place.queue if contact.place else (contact.offer.queue or None) if contact.offer else None,
        position=positions.get(contact.id),
        agent=_caller(contact) or (contact.offer.agent if contact.offer else None),
        language=contact.language,
        recording=state_of(contact),
        supervisor=contact.supervision.supervisor if contact.supervision else None,
        supervision=contact.supervision.mode if contact.supervision else None,
        arrived_at=contact.arrived_at,
        since=contact.segment.started_at if contact.segment else contact.arrived_at,
        on_hold=contact.on_hold,
        consult=contact.consult,
        absent=contact.absent and contact.callback is not None,
    )
