"""How long a contact will wait, seen from the floor: who is before it, who can take it, and what they are doing."""

from collections.abc import Callable

from ccserver.core import ewt
from ccserver.core.agent import AT_WORK, Agent
from ccserver.core.contact import Contact, Place
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId
from ccserver.core.matching import Ability, Need
from ccserver.core.needing import outlook


def position(floor: Floor, contact: Contact) -> int:
    """From 1: how many of its queue are served first, and itself."""
    assert contact.place is not None
    place = contact.place
    return 1 + sum(count for need, count in _before(floor, contact) if need.queue == place.queue)


def expected_wait_s(floor: Floor, contact: Contact) -> float | None:
    """From now on, as likely more as less; None: nobody who could take it is at work."""
    assert contact.place is not None
    people = _at_work(floor)
    expected = (
        (after_s, _expected(floor, contact, need, people)) for after_s, need in outlook(contact.place, floor.now)
    )
    return min((max(after_s, wait_s) for after_s, wait_s in expected if wait_s is not None), default=None)


def anybody(floor: Floor, place: Place) -> bool:
    """Whether somebody is logged in who could take it now, or will be able to when it has waited longer."""
    return any(floor.matcher.served(need, floor.staff) for _, need in outlook(place, floor.now))


def _before(
    floor: Floor, contact: Contact, headstart_s: Callable[[Need], float] = lambda need: 0.0
) -> list[tuple[Need, int]]:
    """Also those who will be called first: they are served in their turn."""
    assert contact.place is not None
    lines = (floor.waiting, floor.callable)
    return [ahead for line in lines for ahead in line.before(contact.place.order, contact.id, headstart_s)]


def _expected(floor: Floor, contact: Contact, need: Need, people: list[tuple[Agent, Ability]]) -> float | None:
    mine = set(_able(floor, need, people))
    own = [ability for agent, ability in people if agent.id in mine]
    before = _before(floor, contact, lambda other: _headstart_s(floor, need, other, own))
    ahead = sum(count * _share(floor, other, people, mine) for other, count in before)
    ready = sum(agent.offerable for agent, _ in people if agent.id in mine)
    busy_s = [_busy_s(agent, floor.now) for agent, _ in people if agent.id in mine and not agent.offerable]
    if mine and ahead < ready:
        return 0.0
    return ewt.expected_wait_s(ahead - ready, busy_s, floor.learnt_of(need.queue))


def _headstart_s(floor: Floor, need: Need, other: Need, abilities: list[Ability]) -> float:
    """By how much others may come later and yet are first, being nearer to the main work of those who serve both."""
    if other == need or not any(ability.ranks for ability in abilities):
        return 0.0
    starts = []
    for ability in abilities:
        mine_s, theirs_s = floor.matcher.handicap_s(need, ability), floor.matcher.handicap_s(other, ability)
        if mine_s is not None and theirs_s is not None:
            starts.append(mine_s - theirs_s)
    return sum(starts) / len(starts) if starts else 0.0


def _at_work(floor: Floor) -> list[tuple[Agent, Ability]]:
    operators = floor.plan.operators
    return [
        (agent, Ability.of(operators[agent.id]))
        for agent in floor.agents.values()
        if agent.state in AT_WORK and agent.id in operators
    ]


def _able(floor: Floor, need: Need, people: list[tuple[Agent, Ability]]) -> list[AgentId]:
    """Who of them may take such a contact."""
    if need.agent is not None:
        return [agent.id for agent, _ in people if agent.id == need.agent]
    return [agent.id for agent, ability in people if floor.matcher.able(need, ability)]


def _share(floor: Floor, need: Need, people: list[tuple[Agent, Ability]], mine: set[AgentId]) -> float:
    """Of those who can take such a contact, how many could take mine: only they keep me waiting by it."""
    able = _able(floor, need, people)
    return sum(agent in mine for agent in able) / len(able) if able else 0.0


def _busy_s(agent: Agent, now: float) -> float:
    return max(0.0, now - (agent.serving_since or agent.since))
