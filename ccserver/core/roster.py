"""How many agents who could serve a need do what: counted whenever an agent changes, never by walking over them.

A crew is everybody able to serve one `Need`, by what each of them does. Agents of one `Ability` belong to the same crews, so a
change of one agent costs a count in each of these, of which there are as many as the configuration has kinds of needs.
"""

from collections.abc import Callable

from ccserver.core.agent import AgentState
from ccserver.core.decision import Lack
from ccserver.core.ids import AgentId
from ccserver.core.matching import Ability, Need

Tally = dict[AgentState, int]
"""Every state is there, mostly with 0."""


class Crew:
    """All who are able to serve the need."""

    def __init__(self, need: Need) -> None:
        self.need = need
        self.doing: Tally = dict.fromkeys(AgentState, 0)
        self.told: Lack | None = None
        """Why nobody takes such contacts, as those who wait were told; None: nobody waits."""

    @property
    def tally(self) -> dict[AgentState, int]:
        """How many do what, as it is at this moment."""
        return {state: count for state, count in self.doing.items() if count}


class _Kind:
    """All agents of one ability, and the crews that they belong to."""

    def __init__(self, crews: list[Crew]) -> None:
        self.doing: Tally = dict.fromkeys(AgentState, 0)
        self.crews = crews


class Roster:
    """Of one plan: whoever adopts another begins a new one, and puts everybody into it."""

    def __init__(self, able: Callable[[Need, Ability], bool]) -> None:
        self._able = able
        self._kinds: dict[Ability, _Kind] = {}
        self._crews: dict[Need, Crew] = {}
        self._places: dict[AgentId, tuple[Ability, AgentState, _Kind]] = {}
        self.changed: dict[Need, Crew] = {}
        """Crews of which somebody does another thing than before; emptied by whoever looked at them."""

    def put(self, agent: AgentId, ability: Ability, state: AgentState) -> None:
        """What the agent can do and does."""
        place = self._places.get(agent)
        if place is not None and place[0] == ability:
            if place[1] is state:
                return
            kind = place[2]
        else:
            self.drop(agent)
            place, kind = None, self._kind(ability)
        self._places[agent] = (ability, state, kind)
        for doing in (kind.doing, *(crew.doing for crew in kind.crews)):
            doing[state] += 1
            if place is not None:
                doing[place[1]] -= 1
        for crew in kind.crews:
            self.changed[crew.need] = crew

    def drop(self, agent: AgentId) -> None:
        """He serves nobody any more; no harm when he never did."""
        place = self._places.pop(agent, None)
        if place is not None:
            _, state, kind = place
            kind.doing[state] -= 1
            for crew in kind.crews:
                crew.doing[state] -= 1
                self.changed[crew.need] = crew

    def crew(self, need: Need) -> Crew:
        """Who could serve it; counted once, and kept from then on."""
        crew = self._crews.get(need)
        if crew is None:
            crew = self._crews[need] = Crew(need)
            for ability, kind in self._kinds.items():
                if self._able(need, ability):
                    kind.crews.append(crew)
                    for state, count in kind.doing.items():
                        crew.doing[state] += count
        return crew

    def _kind(self, ability: Ability) -> _Kind:
        kind = self._kinds.get(ability)
        if kind is None:
            crews = [crew for need, crew in self._crews.items() if self._able(need, ability)]
            kind = self._kinds[ability] = _Kind(crews)
        return kind
