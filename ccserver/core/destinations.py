"""Where a customer can be handed to: what was asked for, as one text, and who or what it means; or why it cannot be.

In this order: an operator's extension, a queue's name, a line's number however it is written, a public number outside.
"""

from msgspec import Struct

from ccserver.core.agent import Agent, AgentState
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, QueueName
from ccserver.core.numbers import canonical, e164, is_emergency
from ccserver.core.plan import Line, Plan


class ToAgent(Struct, frozen=True):
    """A colleague."""

    agent: AgentId


class ToQueue(Struct, frozen=True):
    """Whoever of a queue is free first."""

    queue: QueueName


class ToLine(Struct, frozen=True):
    """The flow of a line, from its start."""

    line: Line


class ToNumber(Struct, frozen=True):
    """Somebody outside, E.164 (an emergency number: as dialled)."""

    number: str


class Nowhere(Struct, frozen=True):
    """It cannot be, and why, for people."""

    why: str


Destination = ToAgent | ToQueue | ToLine | ToNumber


def destination(floor: Floor, plan: Plan, text: str) -> Destination | Nowhere:
    """What the text means; operators are those of the plan in force, all else is the contact's own plan's."""
    if text in floor.plan.operators:
        return ToAgent(AgentId(text))
    if text in plan.queues:
        return ToQueue(QueueName(text))
    region = plan.rules.region
    number = e164(text, region)
    for line in plan.lines.values():
        if text == line.number or (number is not None and number == canonical(line.number, region)):
            return ToLine(line)
    if is_emergency(text, region):
        return ToNumber(text)
    return ToNumber(number) if number else Nowhere(f"{text} is no operator, queue, line or public number")


WORDS = {
    AgentState.LOGGED_OUT: "is logged out",
    AgentState.UNREACHABLE: "cannot be reached: the phone is not registered",
    AgentState.BUSY: "is in a call of his own",
    AgentState.DIALLING: "is calling somebody",
    AgentState.TALKING: "is in another talk",
    AgentState.RESERVED: "is being offered another contact",
    AgentState.RINGING: "is being offered another contact",
    AgentState.WRAP_UP: "is in wrap-up",
}


def unable(agent: Agent, *, soon: bool) -> str:
    """Why the agent cannot take a customer by name, for people; empty: he can. `soon`: when his wrap-up is over will do."""
    if agent.offerable or (soon and agent.state is AgentState.WRAP_UP and agent.then is AgentState.READY):
        return ""
    if agent.state is AgentState.NOT_READY:
        return f"{agent.id} is not ready ({agent.reason})" if agent.reason else f"{agent.id} is not ready"
    return f"{agent.id} {WORDS.get(agent.state, 'is still in his last call')}"
