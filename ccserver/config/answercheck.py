"""Whether callers are answered where they must be, and not before they may be refused. Called by `load`.

Everything here works in one network and fails in another, so all of it is warnings.
"""

from collections import deque
from collections.abc import Iterator, Mapping

from ccserver.config.findings import Findings
from ccserver.config.journeys import targets
from ccserver.config.source import Document
from ccserver.core.answering import NEEDED
from ccserver.core.ids import FlowName
from ccserver.core.plan import REFUSALS, Pickup, Plan
from ccserver.core.steps import (
    Answer,
    Call,
    Collect,
    Enqueue,
    Flow,
    GoTo,
    HangUp,
    Listen,
    Menu,
    Point,
    Rate,
    Step,
    reached,
)

UNANSWERED_MAX_S = 60.0
"""Networks end a call that nobody answers, the strictest after about a minute."""


def check_answers(plan: Plan, flow_documents: Mapping[str, Document], found: Findings) -> None:
    """Only for a configuration without errors; tells `found`."""
    met: dict[tuple[Point, Pickup], set[bool]] = {}
    for line in plan.lines.values():
        for begun in line.flows:
            for point, unanswered in _met(plan.flows, begun, line.answer):
                met.setdefault((point, line.answer), set()).add(unanswered)
    for flow in plan.flows.values():
        for name, step in flow.steps.items():
            states = {pickup: states for (point, pickup), states in met.items() if point == Point(flow.name, name)}
            for flaw in _flaws(step, states):
                found.warn(flow_documents[flow.name], ("steps", name), flaw)


def _met(flows: Mapping[FlowName, Flow], begun: FlowName, pickup: Pickup) -> Iterator[tuple[Point, bool]]:
    """Every step that a caller can come to, and whether he is unanswered when he does."""
    waiting = deque([(Point(begun, flows[begun].start), pickup != "at_once")])
    met = set(waiting)
    while waiting:
        point, unanswered = waiting.popleft()
        yield point, unanswered
        step = flows[point.flow].steps[point.step]
        for target, answers in _onward(flows, point, step, pickup):
            spot = target, unanswered and not answers
            if spot not in met:
                met.add(spot)
                waiting.append(spot)


def _onward(flows: Mapping[FlowName, Flow], point: Point, step: Step, pickup: Pickup) -> Iterator[tuple[Point, bool]]:
    """Where he may go from there, and whether he has been answered by then; after a flow that may answer: he has."""
    answers = isinstance(step, NEEDED[pickup])
    if isinstance(step, GoTo):
        yield Point(step.flow, step.step or flows[step.flow].start), answers
    if isinstance(step, Call):
        yield Point(step.flow, flows[step.flow].start), answers
        called = (each for name in reached(flows, [step.flow]) for each in flows[name].steps.values())
        answers = any(isinstance(each, NEEDED[pickup]) for each in called)
    for _, target in targets(step):
        yield Point(point.flow, target), answers


def _flaws(step: Step, states: Mapping[Pickup, set[bool]]) -> Iterator[str]:
    """`states`: for each way in which its lines answer, whether callers come unanswered, answered or both."""
    comes = set[bool]().union(*states.values())
    match step:
        case Menu() | Listen() | Rate() | Collect() if True in states.get("operator", ()):
            yield (
                'callers of a line with answer = "operator" are not answered here, and many networks carry no keys '
                'before: put an `answer` step before it, or let the line answer "when_needed"'
            )
        case Enqueue() if True in comes and (step.max_wait_s or UNANSWERED_MAX_S + 1) > UNANSWERED_MAX_S:
            yield (
                "callers may wait here unanswered, and networks end such a call after one to three minutes: put an "
                f"`answer` step before it, or max_wait_s = {UNANSWERED_MAX_S:g} at most"
            )
        case HangUp() if step.cause in REFUSALS and comes == {False}:
            yield f"everybody who comes here has been answered, and nobody is told {step.cause}: see `answer` of the line"
        case Answer() if comes == {False}:
            yield "everybody who comes here has been answered already"
