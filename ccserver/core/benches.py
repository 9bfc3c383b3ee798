"""Agents by what they can do: who is idle, in whose turn, and who is logged in at all.

Agents with equal abilities sit on one bench, which keeps an order for each policy that asks for one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct
from sortedcontainers import SortedList

from ccserver.core.ids import AgentId, QueueName, Skill
from ccserver.core.plan import Operator, Pick


class Ability(Struct, frozen=True, order=True):
    """What an agent can do."""

    queues: tuple[QueueName, ...]
    skills: tuple[tuple[Skill, int], ...]
    ranks: tuple[tuple[QueueName, int], ...] = ()
    """Of the queues that stand behind his main work."""

    @classmethod
    def of(cls, operator: Operator) -> "Ability":
        """Of a configured operator, in canonical order."""
        ranks = ((queue, rank) for queue, rank in operator.ranks.items() if rank > 1)
        return cls(tuple(sorted(operator.queues)), tuple(sorted(operator.skills.items())), tuple(sorted(ranks)))


class Rest(Struct, frozen=True):
    """How an idle agent has fared: what the policies go by."""

    since: float
    """Since when he has had no contact while he wished one."""
    idle_from: float = 0.0
    """If all his idle time of today were one stretch up to now: when it would have begun."""
    contacts: int = 0
    """Today."""

    def turn(self, pick: Pick) -> tuple[float, float]:
        """Who has the least is next."""
        match pick:
            case "most_idle_today":
                return self.idle_from, self.since
            case "fewest_contacts":
                return self.contacts, self.since
            case _:
                return self.since, 0.0


class Seat(Struct, frozen=True):
    """The longest idle agent of a bench, and how many sit on it."""

    ability: Ability
    since: float
    agent: AgentId
    bench: int


class _Bench:
    """Agents who can the same, in an order for each policy that was asked for."""

    def __init__(self) -> None:
        self.members: dict[AgentId, Rest] = {}
        self._orders: dict[Pick, SortedList] = {"longest_idle": SortedList()}

    def add(self, agent: AgentId, rest: Rest) -> None:
        self.members[agent] = rest
        for pick, order in self._orders.items():
            order.add((*rest.turn(pick), agent))

    def remove(self, agent: AgentId) -> None:
        rest = self.members.pop(agent)
        for pick, order in self._orders.items():
            order.remove((*rest.turn(pick), agent))

    def first(self, pick: Pick) -> AgentId:
        order = self._orders.get(pick)
        if order is None:  # once, and kept from then on
            turns = ((*rest.turn(pick), agent) for agent, rest in self.members.items())
            order = self._orders[pick] = SortedList(turns)
        return order[0][-1]  # type: ignore[no-any-return]


class Idle:
    """Agents that may be offered a contact now."""

    def __init__(self) -> None:
        self._benches: dict[Ability, _Bench] = {}
        self._seats: dict[AgentId, tuple[Ability, Rest]] = {}
        self.moved: set[AgentId] = set()
        """Who has sat down since `Matcher.best` looked last."""

    def add(self, agent: AgentId, ability: Ability, rest: Rest) -> None:
        """Sit down; a change of what he can do or of how he has fared moves the seat."""
        if self._seats.get(agent) != (ability, rest):
            self.remove(agent)
            self.moved.add(agent)
            self._seats[agent] = (ability, rest)
            self._benches.setdefault(ability, _Bench()).add(agent, rest)

    def remove(self, agent: AgentId) -> None:
        """Get up; no harm when not seated."""
        seat = self._seats.pop(agent, None)
        if seat is not None:
            ability, _ = seat
            bench = self._benches[ability]
            bench.remove(agent)
            if not bench.members:
                del self._benches[ability]

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, agent: AgentId) -> bool:
        return agent in self._seats

    def benches(self) -> Iterator[Seat]:
        """The longest idle of each bench."""
        for ability, bench in self._benches.items():
            agent = bench.first("longest_idle")
            yield Seat(ability, bench.members[agent].since, agent, len(bench.members))

    def first(self, ability: Ability, pick: Pick) -> tuple[tuple[float, float], AgentId]:
        """Whose turn it is on that bench by that policy, and what makes it so."""
        agent = self._benches[ability].first(pick)
        return self._benches[ability].members[agent].turn(pick), agent


class Staff:
    """Agents who are logged in, whatever they are doing: how many of each ability."""

    def __init__(self) -> None:
        self._abilities: dict[AgentId, Ability] = {}
        self._counts: Counter[Ability] = Counter()
        self.changed = True
        """Somebody has come or gone since it was looked at last."""

    def add(self, agent: AgentId, ability: Ability) -> None:
        """He is logged in, and can do this."""
        if self._abilities.get(agent) != ability:
            self.remove(agent)
            self._abilities[agent] = ability
            self._counts[ability] += 1
            self.changed = True

    def remove(self, agent: AgentId) -> None:
        """He is not; no harm when he was not before."""
        ability = self._abilities.pop(agent, None)
        if ability is not None:
            self._counts[ability] -= 1
            if not self._counts[ability]:
                del self._counts[ability]
            self.changed = True

    def __contains__(self, agent: AgentId) -> bool:
        return agent in self._abilities

    def abilities(self) -> Iterable[Ability]:
        """Each that somebody has."""
        return self._counts.keys()
