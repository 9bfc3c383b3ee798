"""The picture of this moment: what the status API and the live page show, cut out of the router's state."""

from msgspec import Struct

from ccserver.core.agent import AgentState
from ccserver.core.contact import ContactState
from ccserver.core.ids import AgentId, ContactId, Language, LineNumber, NodeName, QueueName


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


class QueueStatus(Struct, frozen=True, kw_only=True):
    """A queue now."""

    name: QueueName
    title: str
    waiting: int
    """Waiting and offered contacts."""
    longest_wait_s: float
    talking: int
    agents_logged_in: int
    agents_ready: int


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


class ContactStatus(Struct, frozen=True, kw_only=True):
    """A live contact now."""

    id: ContactId
    line: LineNumber
    ani: str
    state: ContactState
    step: str
    """The flow's step, while it is in the flow."""
    queue: QueueName | None
    position: int | None
    """From 1 in its queue, while it waits."""
    agent: AgentId | None
    """Offered to, or talking with."""
    language: Language
    arrived_at: float
    since: float
    """Since when it is in this state (segment)."""


class Status(Struct, frozen=True, kw_only=True):
    """Everything, at `at` (UTC epoch seconds)."""

    at: float
    nodes: tuple[NodeStatus, ...]
    lines: tuple[LineStatus, ...]
    queues: tuple[QueueStatus, ...]
    agents: tuple[AgentStatus, ...]
    contacts: tuple[ContactStatus, ...]
    ignored: int
    """Facts that found no state waiting for them, since start."""
