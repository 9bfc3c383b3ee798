"""Calls that have left within the hour, by operators and by flows: what the limits of `[tolls]` go by.

Those of operators stand in the agents, those of flows apart; both are in the journal, so that a restart doubles no limit.
"""

from collections.abc import Mapping

from msgspec import Struct

from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId
from ccserver.core.numbers import is_emergency
from ccserver.core.records import FlowCallsCounted
from ccserver.core.tolls import recent


class CallsLeft(Struct, frozen=True):
    """How many."""

    by_agent: Mapping[AgentId, int]
    by_flows: int

    @property
    def in_all(self) -> int:
        """Of everybody."""
        return sum(self.by_agent.values()) + self.by_flows


def counted(floor: Floor, now: float) -> CallsLeft:
    """Within the hour before."""
    by_agent = {agent.id: len(recent(agent.dialled, now)) for agent in floor.agents.values()}
    return CallsLeft(by_agent, len(recent(floor.flow_calls, now)))


def count(floor: Floor, by: AgentId | None, number: str) -> None:
    """One more leaves, on his account or (None) on that of flows; an emergency call is nobody's."""
    if is_emergency(number, floor.rules.region):
        return
    second = float(int(floor.now))
    if by is not None:
        floor.note(floor.note_values(by, dialled=(*recent(floor.agents[by].dialled, floor.now), second)))
    else:
        floor.flow_calls = (*recent(floor.flow_calls, floor.now), second)
        floor.record(FlowCallsCounted(floor.flow_calls))
