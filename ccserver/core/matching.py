"""Who gets whom: waiting contacts x idle agents x policy -> one pair at a time.

Contacts of one node with equal needs stand in one line (`Need`), agents with equal abilities on one bench (`Ability`); whether a
need and an ability go together is computed once. Order in a line is static, so an event costs the logarithm of the people plus
a walk over lines and benches, of which there are as many as the configuration has kinds, not as there are callers.

Who waits for one agent by name stands in that agent's own line, and nobody else's eye falls on it: he is looked for by his
name, and only where his line or his seat has just changed. (Between two steps no agent is idle while his own line has people
in it, or they would have been matched; unless their node is making as many offers as it may at once.)

The oldest contact (by `Place.order`) that any idle agent can serve goes first, across all queues; its queue's policy picks
the agent, of those to whose main work it is nearest. To an agent for whom its queue has a lower rank it is younger by so many
seconds, which are the same for a whole line, so the first of a line is first for everybody. Nothing here is decided by chance.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from msgspec import Struct
from sortedcontainers import SortedList

from ccserver.core.benches import Ability, Idle, Rest, Seat, Staff
from ccserver.core.contact import Place
from ccserver.core.ids import AgentId, ContactId, NodeName, QueueName
from ccserver.core.plan import Pick, Plan
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


def rank(need: Need, ability: Ability) -> int:
    """How far such contacts stand behind the main work of who may serve them; 1: not at all."""
    ranks = dict(ability.ranks)
    return min(ranks.get(queue, 1) for queue in (need.queue, *need.also) if queue in ability.queues)


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


class Line(Struct, frozen=True):
    """Who stand in one: the needs of all are equal, and so is their node, which may be busy."""

    need: Need
    node: NodeName


class Waiting:
    """Contacts that may be offered now."""

    def __init__(self) -> None:
        self._lines: dict[Line, SortedList] = {}
        self._own: dict[AgentId, dict[Line, SortedList]] = {}
        """The lines of those who are asked for by name."""
        self._places: dict[ContactId, tuple[Line, float]] = {}
        self.moved: set[AgentId] = set()
        """Whose own line has got somebody since `Matcher.best` looked last."""

    def add(self, contact: ContactId, need: Need, order: float, node: NodeName) -> None:
        """Stand in line; another place (an overflow from queue to queue) or another need moves him."""
        line = Line(need, node)
        if self._places.get(contact) != (line, order):
            self.remove(contact)
            self._places[contact] = (line, order)
            if need.agent is not None:
                self.moved.add(need.agent)
            self._lines_of(need.agent).setdefault(line, SortedList()).add((order, contact))

    def remove(self, contact: ContactId) -> None:
        """Leave the line; no harm when not in it."""
        place = self._places.pop(contact, None)
        if place is not None:
            line, order = place
            agent = line.need.agent
            lines = self._lines_of(agent)
            lines[line].remove((order, contact))
            if not lines[line]:
                del lines[line]
                if agent is not None and not lines:
                    del self._own[agent]

    def __contains__(self, contact: ContactId) -> bool:
        return contact in self._places

    def needs(self) -> Collection[Need]:
        """Of every line in which somebody stands."""
        return {line.need for line in self._lines}

    def before(
        self, order: float, contact: str, headstart_s: Callable[[Need], float] = lambda need: 0.0
    ) -> list[tuple[Need, int]]:
        """How many of each line are served before one with this order, when a line has that much of a start before it."""
        return [
            (line.need, count)
            for lines in (self._lines, *self._own.values())
            for line, people in lines.items()
            if (count := people.bisect_left((order + headstart_s(line.need), contact)))
        ]

    def heads(self, full: Collection[NodeName] = ()) -> Iterator[Head]:
        """The first of each line in which nobody is asked for by name, oldest first; on these nodes nobody can be offered now."""
        yield from sorted(_open_heads(self._lines, full))

    def head_of(self, agent: AgentId, full: Collection[NodeName] = ()) -> Head | None:
        """The oldest of those who wait for this agent alone."""
        return min(_open_heads(self._own.get(agent, {}), full), default=None)

    def _lines_of(self, agent: AgentId | None) -> dict[Line, SortedList]:
        return self._lines if agent is None else self._own.setdefault(agent, {})


def _open_heads(lines: Mapping[Line, SortedList], full: Collection[NodeName]) -> Iterator[Head]:
    return (Head.of(line.need, people) for line, people in lines.items() if line.node not in full)


class Matcher:
    """The policy applied; remembers which needs and abilities go together for one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._able: dict[tuple[Need, Ability], bool] = {}
        self._handicaps: dict[tuple[Need, Ability], float | None] = {}

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

    def handicap_s(self, need: Need, ability: Ability) -> float | None:
        """How much younger such a contact is to such an agent than it is, because of its rank; None: he may not serve it."""
        if (need, ability) not in self._handicaps:
            behind = (rank(need, ability) - 1) * self._plan.rules.rank_s if self.able(need, ability) else None
            self._handicaps[need, ability] = behind
        return self._handicaps[need, ability]

    def best(self, waiting: Waiting, idle: Idle, full: Collection[NodeName] = ()) -> Pair | None:
        """The pair that must be made next; None: no idle agent may serve anyone who waits on a node that is not `full`."""
        if not len(idle):
            return None
        named, found = self._named(waiting, idle, full), self._oldest(waiting, idle, full)
        if named is not None and named.need.agent is not None and (found is None or named < found.head):
            return Pair(named.contact, named.need.agent, "asked for by name")
        return self._pick(found, idle) if found is not None else None

    def _oldest(self, waiting: Waiting, idle: Idle, full: Collection[NodeName]) -> "_Match | None":
        """The oldest to those who may serve it, and they; a rank makes nobody older, so the search soon ends."""
        found: _Match | None = None
        seats = tuple(idle.benches())
        for head in waiting.heads(full):
            if found is not None and found.head.order < head.order:
                break
            behind = [
                (behind_s, seat) for seat in seats if (behind_s := self.handicap_s(head.need, seat.ability)) is not None
            ]
            if behind:
                least_s = min(behind_s for behind_s, _ in behind)
                seen = Head(head.order + least_s, head.contact, head.need)
                if found is None or seen < found.head:
                    found = _Match(seen, tuple(seat for behind_s, seat in behind if behind_s == least_s), least_s > 0)
        return found

    def _named(self, waiting: Waiting, idle: Idle, full: Collection[NodeName]) -> Head | None:
        """The oldest contact that waits for an idle agent by name; whoever cannot be one of its pair is looked at only once."""
        moved = waiting.moved | idle.moved
        moved = {agent for agent in moved if agent in idle and waiting.head_of(agent) is not None}
        waiting.moved, idle.moved = moved, set()
        heads = (head for agent in moved if (head := waiting.head_of(agent, full)) is not None)
        return min(heads, default=None)

    def _pick(self, found: "_Match", idle: Idle) -> Pair:
        contact, need, fitting = found.head.contact, found.head.need, found.fitting
        queue = self._plan.queues.get(need.queue)
        pick: Pick = queue.pick if queue is not None else "longest_idle"
        able = sum(seat.bench for seat in fitting)
        if pick == "most_skilled":
            agent = min(fitting, key=lambda seat: (-proficiency(need, seat.ability), seat.since, seat.agent)).agent
        else:
            _, agent = min(idle.first(seat.ability, pick) for seat in fitting)
        why = f"{WORDS[pick]} of {able} able to take it"
        return Pair(
            contact, agent, f"{why}, in a queue of rank {rank(need, fitting[0].ability)}" if found.ranked else why
        )


class _Match(Struct, frozen=True):
    """A contact with the order that it has to those of its best rank, and the first of each of their benches."""

    head: Head
    fitting: tuple[Seat, ...]
    ranked: bool
    """It is none of their main work."""


WORDS: Mapping[Pick, str] = {
    "longest_idle": "longest idle",
    "most_skilled": "most skilled",
    "most_idle_today": "most idle today",
    "fewest_contacts": "fewest contacts today",
}
"""Why him, of several."""


__all__ = ["Ability", "Head", "Idle", "Matcher", "Need", "Pair", "Rest", "Seat", "Staff", "Waiting"]
