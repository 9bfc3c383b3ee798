"""What a decision costs, and how that grows: steps of the router with few and with many agents and waiting contacts.

    python -m bench.router              # the tables for docs/benchmarks.md, a minute
    python -m bench.router --short      # small halls: does it still run?

In each round a contact arrives and queues (or, where nobody waits, is offered at once), an agent becomes free and gets the
oldest, his phone is called, he picks up. Agents have 20 kinds of abilities in 6 queues, however many they are. Two things are
told: steps a second, which belong to the machine, and *counted operations* a step, which do not: bytecodes executed, and
comparisons of times within SortedList and heapq (their loops run in C or in a library, and times are what they are sorted
by). Operations should grow like the logarithm of what waits. tests/unit/test_core_cost.py holds them to that.
"""

import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

from bench.page import Page, arguments, table
from ccserver.core.commands import OfferContact
from ccserver.core.events import (
    AnyEvent,
    ConfigReplaced,
    ContactArrived,
    LegAnswered,
    LegDialled,
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
    leg_of_offer,
)
from ccserver.core.plan import Line, Operator, Plan, Queue
from ccserver.core.router import Router
from ccserver.core.steps import Enqueue, Flow, SkillNeed

NODE, QUEUES, ABILITIES = NodeName("n"), 6, 20
AGENTS = (10, 100, 1_000)
HALLS = (0, 10, 1_000, 10_000)
ROUNDS = 400
COUNTED_ROUNDS = 20


class Moment(float):
    """A time that counts how often it is compared; what is reckoned from it is one, too."""

    compared = 0
    __hash__ = float.__hash__

    def __add__(self, other: float) -> "Moment":
        return Moment(float(self) + other)

    def __sub__(self, other: float) -> "Moment":
        return Moment(float(self) - other)

    def __lt__(self, other: float) -> bool:
        Moment.compared += 1
        return float.__lt__(self, other)

    def __gt__(self, other: float) -> bool:
        Moment.compared += 1
        return float.__gt__(self, other)

    def __le__(self, other: float) -> bool:
        Moment.compared += 1
        return float.__le__(self, other)

    def __ge__(self, other: float) -> bool:
        Moment.compared += 1
        return float.__ge__(self, other)

    def __eq__(self, other: object) -> bool:
        Moment.compared += 1
        return float.__eq__(self, other)  # type: ignore[arg-type]


def counted(work: Callable[[], object]) -> int:
    """Operations that the work took: the same every time."""
    done = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal done
        if frame.f_globals.get("__name__") == __name__:
            return None  # the counting itself
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        done += event == "opcode"
        return trace

    before, compared = sys.gettrace(), Moment.compared
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return done + Moment.compared - compared


def plan(agents: int) -> Plan:
    """A retailer's: every operator in three queues, with one of 20 sets of skills."""
    queues = {
        QueueName(f"q{n}"): Queue(QueueName(f"q{n}"), f"Queue {n}", skills=(SkillNeed(Skill(f"s{n}"), 1),), wrap_up_s=0)
        for n in range(QUEUES)
    }
    operators = {}
    for n in range(agents):
        kind = n % ABILITIES
        mine = tuple(QueueName(f"q{(kind + k) % QUEUES}") for k in range(3))
        skills = {Skill(f"s{(kind + k) % QUEUES}"): 1 + kind // QUEUES for k in range(3)}
        operators[AgentId(f"{10000 + n}")] = Operator(AgentId(f"{10000 + n}"), f"Operator {n}", skills, mine)
    flows = {
        FlowName(name): Flow(FlowName(name), StepName("wait"), {StepName("wait"): Enqueue(name)}) for name in queues
    }
    lines = {
        LineNumber(str(n)): Line(LineNumber(str(n)), f"Line {n}", FlowName(f"q{n}"), Language("ru"))
        for n in range(QUEUES)
    }
    return Plan(NODE, lines, queues, operators, flows, hash=PlanHash("bench"))


class Hall:
    """A router with so many agents and so many contacts waiting: every agent talks; where nobody waits all but one are idle."""

    def __init__(self, agents: int, waiting: int) -> None:
        self.router = Router()
        self.now = Moment(0.0)
        self._numbers = count(1)
        self._made: list[LegId] = []
        """Agents' legs that were asked for,"""
        self._called: list[LegId] = []
        """and those that ring."""
        self._talks: deque[LegId] = deque()
        """Agents' legs, the longest talk first."""
        self.step(ConfigReplaced(plan=plan(agents), at=0.0), NodeConnected(NODE, 0.0, at=0.0))
        everybody = list(self.router.floor.plan.operators)
        phones = tuple(ListedPhone(agent, True, False) for agent in everybody)
        self.step(NodeListed(NODE, 0.0, True, phones=phones, at=0.0))
        for agent in everybody:
            self.step(SetAgentState(agent, "ready", at=self.now))
        for _ in range(agents if waiting else 1):
            self.arrive()
            self.call()
        self.answer()
        for _ in range(waiting):
            self.arrive()
            self.call()
        self.answer()

    def step(self, *events: AnyEvent) -> float:
        """One step; returns how long it took, seconds."""
        self.now += 0.001
        began = time.perf_counter()
        outcome = self.router.step(events, self.now)
        self.router.deadline()  # as the engine asks after each
        took = time.perf_counter() - began
        self._made += [leg_of_offer(command.offer) for command in outcome.commands if isinstance(command, OfferContact)]
        return took

    def arrive(self) -> float:
        """A customer calls and queues."""
        n = next(self._numbers)
        leg, line = LegId(f"{n}.0"), LineNumber(str(n % QUEUES))
        return self.step(ContactArrived(ContactId(f"n-{leg}"), leg, NODE, line, "+7900", self.now, at=self.now))

    def call(self) -> list[float]:
        """The phone of every agent to whom somebody was offered is called."""
        legs, self._made = self._made, []
        self._called += legs
        return [self.step(LegDialled(leg, at=self.now)) for leg in legs]

    def answer(self) -> list[float]:
        """Every agent whose phone is called picks up."""
        legs, self._called = self._called, []
        self._talks += legs
        return [self.step(LegAnswered(leg, at=self.now)) for leg in legs]

    def finish(self) -> float:
        """The longest talk ends, and its agent is offered the next contact if somebody waits whom he can serve."""
        leg = self._talks.popleft()
        contact = self.router.floor.agents[self.router.floor.agent_legs[leg]].contact
        assert contact is not None
        return self.step(LegEnded(self.router.floor.contacts[contact].leg, at=self.now), LegEnded(leg, at=self.now))

    def round(self) -> list[float]:
        """Somebody comes, somebody's talk ends, a phone is called, somebody picks up: seconds of each step."""
        return [self.arrive(), self.finish(), *self.call(), *self.answer()]


def seconds(agents: int, waiting: int, rounds: int = ROUNDS) -> list[float]:
    """Of each step of the rounds."""
    hall = Hall(agents, waiting)
    return [took for _ in range(rounds) for took in hall.round()]


def operations(agents: int, waiting: int, rounds: int = COUNTED_ROUNDS) -> float:
    """Of a step, on average."""
    hall = Hall(agents, waiting)
    steps = 0

    def work() -> None:
        nonlocal steps
        for _ in range(rounds):
            steps += len(hall.round())

    return counted(work) / steps


def logarithm(small: int, large: int) -> float:
    """How much more that may cost; of nobody the logarithm is taken as of two."""
    return math.log(max(2, large)) / math.log(max(2, small))


def _table(agents: tuple[int, ...], halls: tuple[int, ...], cell: Callable[[int, int], str]) -> str:
    rows = [[n, *(cell(n, waiting) for waiting in halls)] for n in agents]
    return table([r"agents \ waiting", *map(str, halls)], rows)


def main() -> int:
    """Print the tables; 1 when operations grow faster than the logarithm."""
    told = arguments(__doc__)
    given = told.parse_args()
    agents, halls, rounds = ((10, 50), (0, 10, 200), 40) if given.short else (AGENTS, HALLS, ROUNDS)

    def speed(n: int, waiting: int) -> str:
        took = sorted(seconds(n, waiting, rounds))
        p50, p99 = statistics.median(took) * 1e6, took[int(len(took) * 0.99)] * 1e6
        return f"{len(took) / sum(took):.0f} ({p50:.0f}, {p99:.0f})"

    found: dict[tuple[int, int], float] = {}

    def cost(n: int, waiting: int) -> str:
        found[n, waiting] = operations(n, waiting)
        return f"{found[n, waiting]:.0f}"

    page = Page("router", given.into)
    speeds, costs = _table(agents, halls, speed), _table(agents, halls, cost)
    some = [waiting for waiting in halls if waiting]
    steepest = [
        max((found[n, some[-1]] / found[n, some[0]], f"{some[0]} to {some[-1]} waiting, {n} agents") for n in agents),
        max(
            (found[agents[-1], w] / found[agents[0], w], f"{agents[0]} to {agents[-1]} agents, {w} waiting")
            for w in halls
        ),
    ]
    allowed = [logarithm(some[0], some[-1]), logarithm(agents[0], agents[-1])]
    verdicts = [
        f"- {where}: operations × {ratio:.2f}; the logarithm × {most:.2f}: {'met' if ratio <= most else 'MISSED'}"
        for (ratio, where), most in zip(steepest, allowed, strict=True)
    ]
    page.write(
        f"Steps a second (microseconds of a step at p50, p99):\n\n{speeds}\n\nCounted operations a step:\n\n{costs}\n\n"
        + "\n".join(verdicts)
    )
    return 0 if all(ratio <= most for (ratio, _), most in zip(steepest, allowed, strict=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
