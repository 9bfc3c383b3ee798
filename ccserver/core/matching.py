"""Who gets whom: waiting contacts x idle agents x policy -> one pair at a time.

Contacts with equal needs stand in one line (`Need`), agents with equal abilities on one bench (`Ability`); whether a need
and an ability go together is computed once. Order in a line is static, so an event costs the logarithm of the people plus
a walk over lines and benches, of which there are as many as the configuration has kinds, not as there are callers.

Who waits for one agent by name stands in that agent's own line, and nobody else's eye falls on it: he is looked for by his
name, and only where his line or his seat has just changed. (Between two steps no agent is idle while his own line has people
in it, or they would have been matched.)

The oldest contact (by `Place.order`) that any idle agent can serve goes first, across all queues; its queue's policy picks
the agent. Nothing here is decided by chance.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct
from sortedcontainers import SortedList

from ccserver.core.contact import Place
from ccserver.core.ids import AgentId, ContactId, QueueName, Skill
from ccserver.core.plan import Operator, Plan
from ccserver.core.steps import SkillNeed


class Need(Struct, frozen=True, order=True):
    """What a contact asks of an agent."""

    queue: QueueName
    skills: tuple[SkillNeed, ...]
    also: tuple[QueueName, ...] = ()
    """Whose agents may take it besides those of its queue."""
    agent: AgentId | None = None
    """Only he may take it, and whoever asked for him by name does not ask what he can do."""

    @classmethod
    def of(cls, place: Place) -> "Need":
        """As the place is now."""
        return cls(place.queue, place.needs, place.also, place.agent)


class Ability(Struct, frozen=True, order=True):
    """What an agent can do."""

    queues: tuple[QueueName, ...]
    skills: tuple[tuple[Skill, int], ...]

    @classmethod
    def of(cls, operator: Operator) -> "Ability":
        """Of a configured operator, in canonical order."""
        return cls(tuple(sorted(operator.queues)), tuple(sorted(operator.skills.items())))


class Pair(Struct, frozen=True):
    """This contact to this agent, and why."""

    contact: ContactId
    agent: AgentId
    why: str


def able(need: Need, ability: Ability) -> bool:
    """May an agent with this ability serve a contact with this need, when it asks for nobody by name?"""
    levels = dict(ability.skills)
    member = any(queue in ability.queues for queue in (need.queue, *need.also))
    return member and all(levels.get(want.skill, 0) >= want.level for want in need.skills)


def proficiency(need: Need, ability: Ability) -> int:
    """Sum of the agent's levels in the needed skills: the order of `most_skilled`."""
    levels = dict(ability.skills)
    return sum(levels.get(want.skill, 0) for want in need.skills)


class Seat(Struct, frozen=True):
    """The longest idle agent of a bench, and how many sit on it."""

    ability: Ability
    since: float
    agent: AgentId
    bench: int


class Head(Struct, frozen=True, order=True):
    """The first of a line."""

    order: float
    contact: ContactId
    need: Need

    @classmethod
    def of(cls, need: Need, line: SortedList) -> "Head":
        """Of a line that is not empty."""
        order, contact = line[0]
        return cls(order, contact, need)


class Waiting:
    """Contacts that may be offered now."""

    def __init__(self) -> None:
        self._lines: dict[Need, SortedList] = {}
        self._own: dict[AgentId, dict[Need, SortedList]] = {}
        """The lines of those who are asked for by name."""
        self._places: dict[ContactId, tuple[Need, float]] = {}
        self.moved: set[AgentId] = set()
        """Whose own line has got somebody since `Matcher.best` looked last."""

    def add(self, contact: ContactId, need: Need, order: float) -> None:
        """Stand in line; another place (an overflow from queue to queue) or another need moves him."""
        if self._places.get(contact) != (need, order):
            self.remove(contact)
            self._places[contact] = (need, order)
            if need.agent is not None:
                self.moved.add(need.agent)
            self._lines_of(need.agent).setdefault(need, SortedList()).add((order, contact))

    def remove(self, contact: ContactId) -> None:
        """Leave the line; no harm when not in it."""
        place = self._places.pop(contact, None)
        if place is not None:
            need, order = place
            lines = self._lines_of(need.agent)
            lines[need].remove((order, contact))
            if not lines[need]:
                del lines[need]
                if need.agent is not None and not lines:
                    del self._own[need.agent]

    def __contains__(self, contact: ContactId) -> bool:
        return contact in self._places

    def needs(self) -> Collection[Need]:
        """Of every line in which somebody stands."""
        return self._lines.keys()

    def before(self, order: float, contact: str) -> list[tuple[Need, int]]:
        """How many of each line are served before one with this order."""
        return [
            (need, count)
            for lines in (self._lines, *self._own.values())
            for need, line in lines.items()
            if (count := line.bisect_left((order, contact)))
        ]

    def heads(self) -> Iterator[Head]:
        """The first of each line in which nobody is asked for by name, oldest first."""
        yield from sorted(Head.of(need, line) for need, line in self._lines.items())

    def head_of(self, agent: AgentId) -> Head | None:
        """The oldest of those who wait for this agent alone."""
        lines = self._own.get(agent)
        return min(Head.of(need, line) for need, line in lines.items()) if lines else None

    def waiting_for(self, agent: AgentId) -> list[ContactId]:
        """Everybody who waits for this agent alone."""
        return [contact for line in self._own.get(agent, {}).values() for _order, contact in line]

    def _lines_of(self, agent: AgentId | None) -> dict[Need, SortedList]:
        return self._lines if agent is None else self._own.setdefault(agent, {})


class Idle:
    """Agents that may be offered a contact now."""

    def __init__(self) -> None:
        self._benches: dict[Ability, SortedList] = {}
        self._seats: dict[AgentId, tuple[Ability, float]] = {}
        self.moved: set[AgentId] = set()
        """Who has sat down since `Matcher.best` looked last."""

    def add(self, agent: AgentId, ability: Ability, since: float) -> None:
        """Sit down, idle `since`; a change of either moves the seat."""
        if self._seats.get(agent) != (ability, since):
            self.remove(agent)
            self.moved.add(agent)
            self._seats[agent] = (ability, since)
            self._benches.setdefault(ability, SortedList()).add((since, agent))

    def remove(self, agent: AgentId) -> None:
        """Get up; no harm when not seated."""
        seat = self._seats.pop(agent, None)
        if seat is not None:
            ability, since = seat
            self._benches[ability].remove((since, agent))
            if not self._benches[ability]:
                del self._benches[ability]

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, agent: AgentId) -> bool:
        return agent in self._seats

    def benches(self) -> Iterator[Seat]:
        """The longest idle of each bench."""
        for ability, bench in self._benches.items():
            since, agent = bench[0]
            yield Seat(ability, since, agent, len(bench))


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


class Matcher:
    """The policy applied; remembers which needs and abilities go together for one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._able: dict[tuple[Need, Ability], bool] = {}

    def able(self, need: Need, ability: Ability) -> bool:
        """As `able`, remembered."""
        known = self._able.get((need, ability))
        if known is None:
            known = self._able[need, ability] = able(need, ability)
        return known

    def served(self, need: Need, staff: Staff) -> bool:
        """Whether somebody is logged in who may take it."""
        if need.agent is not None:
            return need.agent in staff
        return any(self.able(need, ability) for ability in staff.abilities())

    def best(self, waiting: Waiting, idle: Idle) -> Pair | None:
        """The pair that must be made next; None: no idle agent may serve anyone who waits."""
        if not len(idle):
            return None
        named = self._named(waiting, idle)
        for head in waiting.heads():
            if named is not None and named < head:
                break
            fitting = [seat for seat in idle.benches() if self.able(head.need, seat.ability)]
            if fitting:
                return self._pick(head.contact, head.need, fitting)
        if named is None or named.need.agent is None:
            return None
        return Pair(named.contact, named.need.agent, "asked for by name")

    def _named(self, waiting: Waiting, idle: Idle) -> Head | None:
        """The oldest contact that waits for an idle agent by name; whoever cannot be one of its pair is looked at only once."""
        moved = waiting.moved | idle.moved
        heads = {agent: head for agent in moved if agent in idle and (head := waiting.head_of(agent)) is not None}
        waiting.moved, idle.moved = set(heads), set()
        return min(heads.values(), default=None)

    def _pick(self, contact: ContactId, need: Need, fitting: list[Seat]) -> Pair:
        queue = self._plan.queues.get(need.queue)
        able = sum(seat.bench for seat in fitting)
        if queue is not None and queue.pick == "most_skilled":
            seat = min(fitting, key=lambda seat: (-proficiency(need, seat.ability), seat.since, seat.agent))
            return Pair(contact, seat.agent, f"most skilled of {able} idle agents able to take it")
        seat = min(fitting, key=lambda seat: (seat.since, seat.agent))
        return Pair(contact, seat.agent, f"longest idle of {able} able to take it")
