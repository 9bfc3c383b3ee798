"""What a decision costs, and how that grows: one step of the router with few and with many waiting contacts.

    python -m bench.router

150 agents of 20 abilities, 6 queues; in each round a contact arrives and queues, an agent becomes free and gets the oldest, the
talk ends. Prints microseconds an event and the ratio to the smallest hall: it should grow like the logarithm, not the number.
"""

import statistics
import time
from itertools import count

from ccserver.core.events import (
    AnyEvent,
    ConfigReplaced,
    ContactArrived,
    LegAnswered,
    LegEnded,
    ListedPhone,
    NodeConnected,
    NodeListed,
    SetAgentState,
)
from ccserver.core.ids import (
    AgentId,
    ContactId,
    FlowName,
    Language,
    LegId,
    LineNumber,
    NodeName,
    PlanHash,
    QueueName,
    Skill,
    StepName,
)
from ccserver.core.plan import Enqueue, Flow, Line, Operator, Plan, Queue, SkillNeed
from ccserver.core.router import Router

NODE, AGENTS, QUEUES, ABILITIES = NodeName("n"), 150, 6, 20
HALLS = (50, 500, 5_000, 50_000)
ROUNDS = 400


def plan() -> Plan:
    """A retailer's: every operator in three queues, with one of 20 sets of skills."""
    queues = {
        QueueName(f"q{n}"): Queue(QueueName(f"q{n}"), f"Queue {n}", skills=(SkillNeed(Skill(f"s{n}"), 1),), wrap_up_s=0)
        for n in range(QUEUES)
    }
    operators = {}
    for n in range(AGENTS):
        mine = tuple(QueueName(f"q{(n + k) % QUEUES}") for k in range(3))
        skills = {Skill(f"s{(n + k) % QUEUES}"): 1 + n % (ABILITIES // 6 + 1) for k in range(3)}
        operators[AgentId(f"{1000 + n}")] = Operator(AgentId(f"{1000 + n}"), f"Operator {n}", skills, mine)
    flows = {
        FlowName(name): Flow(FlowName(name), StepName("wait"), {StepName("wait"): Enqueue(name)}) for name in queues
    }
    lines = {
        LineNumber(str(n)): Line(LineNumber(str(n)), f"Line {n}", FlowName(f"q{n}"), Language("ru"))
        for n in range(QUEUES)
    }
    return Plan(NODE, lines, queues, operators, flows, hash=PlanHash("bench"))


class Hall:
    """A router with so many contacts waiting and every agent talking."""

    def __init__(self, waiting: int) -> None:
        self.router = Router()
        self.now = 0.0
        self._numbers = count(1)
        self.step(ConfigReplaced(plan=plan(), at=0.0), NodeConnected(NODE, 0.0, at=0.0))
        phones = tuple(ListedPhone(agent, True, False) for agent in self.router.floor.plan.operators)
        self.step(NodeListed(NODE, 0.0, True, phones=phones, at=0.0))
        for _ in range(waiting + AGENTS):
            self.arrive()
        for agent in self.router.floor.plan.operators:
            self.step(SetAgentState(agent, "ready", at=self.now))
            self.answer(agent)

    def step(self, *events: AnyEvent) -> float:
        """One step; returns how long it took, seconds."""
        self.now += 0.001
        began = time.perf_counter()
        self.router.step(events, self.now)
        return time.perf_counter() - began

    def arrive(self) -> float:
        """A customer calls and queues."""
        n = next(self._numbers)
        leg, line = LegId(f"{n}.0"), LineNumber(str(n % QUEUES))
        return self.step(ContactArrived(ContactId(f"n-{leg}"), leg, NODE, line, "+7900", self.now, at=self.now))

    def answer(self, agent: AgentId) -> float:
        """The agent picks up what is offered to him."""
        leg = self.router.floor.agents[agent].leg
        assert leg is not None, f"{agent} has no offer"
        return self.step(LegAnswered(leg, at=self.now))

    def finish(self, agent: AgentId) -> float:
        """His talk ends, and he is offered the next."""
        contact = self.router.floor.agents[agent].contact
        leg = self.router.floor.agents[agent].leg
        assert contact is not None and leg is not None
        caller = self.router.floor.contacts[contact].leg
        return self.step(LegEnded(caller, at=self.now), LegEnded(leg, at=self.now))


def measure(waiting: int) -> list[float]:
    """Seconds of each step of the rounds."""
    hall = Hall(waiting)
    agents = list(hall.router.floor.plan.operators)
    took = []
    for n in range(ROUNDS):
        agent = agents[n % AGENTS]
        took += [hall.arrive(), hall.finish(agent), hall.answer(agent)]
    return took


def main() -> None:
    """Print the table."""
    print(f"{AGENTS} agents, {QUEUES} queues, {ROUNDS} rounds\n")
    print("| waiting | p50 µs | p99 µs | ratio of p50 |\n| --- | --- | --- | --- |")
    first = 0.0
    for waiting in HALLS:
        took = sorted(measure(waiting))
        p50, p99 = statistics.median(took) * 1e6, took[int(len(took) * 0.99)] * 1e6
        first = first or p50
        print(f"| {waiting} | {p50:.0f} | {p99:.0f} | {p50 / first:.2f} |")


if __name__ == "__main__":
    main()
