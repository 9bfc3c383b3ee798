"""The index of who waits and who is idle against a search of everybody with everybody, whatever comes and goes."""

from random import Random

import pytest

from ccserver.core.ids import AgentId, ContactId, NodeName, QueueName, Skill
from ccserver.core.matching import Ability, Idle, Matcher, Need, Rest, Waiting, able
from ccserver.core.plan import Rules
from ccserver.core.steps import SkillNeed
from tests.unit.core_case import plan, queue

QUEUES = tuple(QueueName(name) for name in ("orders", "service", "sales"))
SKILLS = tuple(Skill(name) for name in ("english", "returns"))
AGENTS = tuple(AgentId(str(1001 + n)) for n in range(8))
CONTACTS = tuple(ContactId(f"c{n}") for n in range(12))
NODES = {contact: NodeName(f"n{n % 2}") for n, contact in enumerate(CONTACTS)}
CHANGES = 400
PICKS = ("most_idle_today", "fewest_contacts", "most_skilled")
HOUSE = plan(
    queues=[queue(name, pick=pick) for name, pick in zip(QUEUES, PICKS, strict=True)], rules=Rules(rank_s=10.0)
)


class Hall:
    """Who waits and who is idle, twice: as the core keeps it, and as plain lists."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.waiting, self.idle, self.matcher = Waiting(), Idle(), Matcher(HOUSE)
        self.contacts: dict[ContactId, tuple[Need, float]] = {}
        self.agents: dict[AgentId, tuple[Ability, Rest]] = {}
        self.full: set[NodeName] = set()
        """Nodes on which nobody can be offered now."""

    def change(self, at: float) -> None:
        """Somebody comes, changes or goes."""
        contact, agent = self.chance.choice(CONTACTS), self.chance.choice(AGENTS)
        match self.chance.randrange(6):
            case 0 | 1:
                _, order = self.contacts.get(contact, (None, at - self.chance.randrange(20)))
                self.contacts[contact] = (self.need(), order)
                self.waiting.add(contact, *self.contacts[contact], NODES[contact])
            case 2:
                self.contacts.pop(contact, None)
                self.waiting.remove(contact)
            case 3 | 4:
                rest = Rest(at, at - self.chance.randrange(50), self.chance.randrange(4))
                self.agents[agent] = self.ability(), rest
                self.idle.add(agent, *self.agents[agent])
            case _:
                self.agents.pop(agent, None)
                self.idle.remove(agent)

    def need(self) -> Need:
        skills = tuple(SkillNeed(skill, self.chance.randrange(1, 4)) for skill in SKILLS if self.chance.random() < 0.3)
        agent = self.chance.choice(AGENTS) if self.chance.random() < 0.3 else None
        also = tuple(queue for queue in QUEUES if self.chance.random() < 0.2)
        return Need(self.chance.choice(QUEUES), skills, also, agent)

    def ability(self) -> Ability:
        queues = tuple(queue for queue in QUEUES if self.chance.random() < 0.5)
        ranks = tuple((queue, self.chance.choice((2, 3))) for queue in queues if self.chance.random() < 0.4)
        return Ability(queues, tuple((skill, self.chance.randrange(4)) for skill in SKILLS), ranks)

    def pairs(self) -> list[tuple[float, ContactId, AgentId]]:
        """Everybody with everybody, by brute force; the order is that which the contact has to the agent."""
        return [
            (
                order if need.agent is not None else order + HOUSE.rules.rank_s * (self.rank(need, ability) - 1),
                contact,
                agent,
            )
            for contact, (need, order) in self.contacts.items()
            for agent, (ability, _) in self.agents.items()
            if NODES[contact] not in self.full
            if (need.agent == agent if need.agent is not None else able(need, ability))
        ]

    def rank(self, need: Need, ability: Ability) -> int:
        return min(dict(ability.ranks).get(queue, 1) for queue in {need.queue, *need.also} & {*ability.queues})

    def turn(self, contact: ContactId, agent: AgentId) -> tuple[float, ...]:
        """Whose turn it is, told once more."""
        need, (ability, rest) = self.contacts[contact][0], self.agents[agent]
        match HOUSE.queues[need.queue].pick:
            case "most_skilled":
                levels = dict(ability.skills)
                return (-sum(levels.get(want.skill, 0) for want in need.skills), rest.since)
            case "most_idle_today":
                return (rest.idle_from, rest.since)
            case "fewest_contacts":
                return (rest.contacts, rest.since)
            case _:
                return (rest.since,)

    def match(self) -> None:
        """Everybody who can be: each time the oldest contact that an idle agent may serve."""
        while (pair := self.matcher.best(self.waiting, self.idle, self.full)) is not None:
            possible = self.pairs()
            assert (pair.contact, pair.agent) in {(contact, agent) for _, contact, agent in possible}
            first = min(possible)
            assert pair.contact == first[1], "out of turn"
            rivals = [agent for order, contact, agent in possible if (order, contact) == first[:2]]
            if self.contacts[pair.contact][0].agent is None:
                turns = {agent: self.turn(pair.contact, agent) for agent in rivals}
                assert pair.agent in rivals and turns[pair.agent] == min(turns.values()), "not his turn"
            del self.contacts[pair.contact], self.agents[pair.agent]
            self.waiting.remove(pair.contact)
            self.idle.remove(pair.agent)
            if self.chance.random() < 0.2:
                self.full.add(NODES[pair.contact])
        assert not self.pairs(), "they stay unmatched"


@pytest.mark.parametrize("seed", range(40))
def test_no_pair_that_the_policy_permits_stays_unmatched_and_none_is_made_out_of_turn(seed: int) -> None:
    hall = Hall(seed)
    for step in range(CHANGES):
        for _ in range(hall.chance.choice((1, 1, 1, 4))):
            hall.change(float(step))
        hall.full = {node for node in ("n0", "n1") if hall.chance.random() < 0.2}
        hall.match()
