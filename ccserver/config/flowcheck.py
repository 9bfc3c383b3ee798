"""What must fit together in a flow: its steps with each other, with the prompts, the queues and those who serve them.

`check_steps` needs nothing but the flow; `check_journeys` needs everything else to be in order. Called by `load`.
"""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar, get_args

from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.exits import check_exits, check_keys, waits_for_ever
from ccserver.config.findings import Findings
from ccserver.config.journeys import AT_ENTRY, BUILT_IN, Journeys, Spot, journeys, spoken, targets
from ccserver.config.prompts import Catalogue, check_language
from ccserver.config.relaxcheck import check_queues, check_stages, languages_asked
from ccserver.config.serving import nobody
from ccserver.config.source import Document, KeyPath
from ccserver.core.calendar import Hours
from ccserver.core.ids import Language, LineNumber, StepName
from ccserver.core.plan import Branch, Collect, Enqueue, Flow, HangUp, Plan, Set, Step

_REFERENCE = re.compile(r"\{([^{}]*)\}")
HOURS = get_args(Hours)
T = TypeVar("T")


def check_steps(flow: Flow, document: Document, found: Findings) -> None:
    """What can be wrong with the steps among themselves; tells `found`."""
    steps = flow.steps
    if flow.start not in steps:
        found.error(document, ("start",), _no_step(flow.start, steps))
    for name, step in steps.items():
        for path, target in targets(step):
            if target not in steps:
                found.error(document, ("steps", name, *path), _no_step(target, steps))
        _check_fields(step, ("steps", name), document, found)
    _check_variables(flow, document, found)
    instant = {name: _instant_targets(step) for name, step in steps.items()}
    for circle in circles(instant):
        message = f"steps that wait for nobody lead to each other for ever: {_arrows(circle)}"
        found.error(document, ("steps", circle[0]), message)


def check_journeys(flow: Flow, document: Document, plan: Plan, catalogue: Catalogue, found: Findings) -> None:
    """What callers would meet on their way; only for flows without errors of their own."""
    callers: list[tuple[LineNumber, Language]] = [
        (line.number, line.language) for line in plan.lines.values() if line.flow == flow.name
    ]
    if not callers:
        found.warn(document, (), f"no line uses the flow {flow.name}")
        callers = [(LineNumber(""), Language(language)) for language in catalogue.languages]
    ways = journeys(flow, callers)
    if not ways.complete:
        found.warn(document, ("start",), "the flow has too many branches to be checked in full")
    for name, step in flow.steps.items():
        languages = ways.languages_at(name)
        if not languages and ways.complete:
            found.warn(document, ("steps", name), "no caller can ever come to this step")
        _check_spoken(step, ("steps", name), languages or (callers[0][1],), catalogue, document, found)
        _check_names(step, ("steps", name), plan, catalogue, document, found)
    _check_silence(ways, document, found)
    _check_dead_ends(flow, document, plan, found)


def circles(graph: Mapping[T, tuple[T, ...]]) -> Iterator[tuple[T, ...]]:
    """Circles of a graph of successors, each as its way round from its first node; circles that touch are told as one."""
    left = dict(graph)
    while True:
        try:
            TopologicalSorter({node: [to for to in ways if to in left] for node, ways in left.items()}).prepare()
        except CycleError as error:
            # graphlib was given successors as predecessors: its circle runs backwards, its end repeats its beginning.
            circle = list(reversed(error.args[1]))[:-1]
            first = min(range(len(circle)), key=lambda position: list(graph).index(circle[position]))
            yield tuple(circle[first:] + circle[:first])
            for node in circle:
                del left[node]
        else:
            return


def _no_step(name: str, steps: Mapping[StepName, Step]) -> str:
    return f"there is no step {shown(name)}{did_you_mean(name, steps) or f'; the flow has {listed(steps)}'}"


def _instant_targets(step: Step) -> tuple[StepName, ...]:
    """Where it may lead without anybody having said or done anything."""
    if isinstance(step, Set | Branch):
        return tuple(target for _, target in targets(step))
    if isinstance(step, Enqueue):
        return tuple(target for path, target in targets(step) if path[0] in AT_ENTRY)
    return ()


def _arrows(circle: tuple[str, ...]) -> str:
    return " → ".join([*circle[:12], "…" if len(circle) > 12 else circle[0]])


def _check_fields(step: Step, path: KeyPath, document: Document, found: Findings) -> None:
    match step:
        case Collect() if step.min_digits > step.max_digits:
            message = f"expected at most max_digits ({step.max_digits}), got {step.min_digits}"
            found.error(document, (*path, "min_digits"), message)
        case Enqueue():
            check_exits(step, path, document, found)
        case Branch() if (step.variable is None) == (step.calendar is None):
            found.error(document, path, "expected either `variable` or `calendar`")
        case Branch(calendar=str()):
            for value in step.cases:
                if value not in HOURS:
                    near = did_you_mean(value, HOURS) or f"; of a calendar there are {listed(HOURS)}"
                    found.error(document, (*path, "cases", value), f"{shown(value)} is no state of a calendar{near}")
        case Set() if not step.variables and step.language is None:
            found.warn(document, path, "sets neither variables nor a language")


def _check_variables(flow: Flow, document: Document, found: Findings) -> None:
    steps = flow.steps.items()
    collected = {step.variable for _, step in steps if isinstance(step, Collect)}
    secret = {step.variable for _, step in steps if isinstance(step, Collect) and step.secret}
    known = {*BUILT_IN, *collected, *(name for _, step in steps if isinstance(step, Set) for name in step.variables)}

    def check_known(path: KeyPath, variable: str) -> bool:
        if variable not in known:
            near = did_you_mean(variable, known)
            found.error(document, path, f"variable {variable} is set nowhere in the flow{near}")
        return variable in known

    for name, step in steps:
        path: KeyPath = ("steps", name)
        if isinstance(step, Branch) and step.variable is not None:
            check_known((*path, "variable"), step.variable)
        if isinstance(step, Collect) and step.variable in BUILT_IN:
            found.error(document, (*path, "variable"), f"{step.variable} is the server's own: choose another name")
        if isinstance(step, Set):
            _check_set(step, path, document, found)
        for inner, item in spoken(step):
            for variable in _REFERENCE.findall(item):
                if check_known((*path, *inner), variable) and variable in secret:
                    found.error(document, (*path, *inner), f"variable {variable} is secret: it must not be spoken")


def _check_set(step: Set, path: KeyPath, document: Document, found: Findings) -> None:
    for variable, value in step.variables.items():
        if variable in BUILT_IN:
            hint = "; set `language` of the step instead" if variable == "language" else ": choose another name"
            found.error(document, (*path, "variables", variable), f"{variable} is the server's own{hint}")
        if _REFERENCE.search(value):
            message = f"expected a plain text, got {shown(value)}: variables are filled in only where something is said"
            found.error(document, (*path, "variables", variable), message)


def _check_spoken(
    step: Step,
    path: KeyPath,
    languages: tuple[Language, ...],
    catalogue: Catalogue,
    document: Document,
    found: Findings,
) -> None:
    for inner, item in spoken(step):
        # A language that is none is told where it is chosen.
        for language in (known for known in languages if known in catalogue.languages):
            if flaw := catalogue.flaw(item, language):
                found.error(document, (*path, *inner), flaw)


def _check_names(
    step: Step, path: KeyPath, plan: Plan, catalogue: Catalogue, document: Document, found: Findings
) -> None:
    """Names of queues, calendars, languages and lines."""
    if isinstance(step, Branch | Enqueue) and step.calendar is not None and step.calendar not in plan.calendars:
        near = did_you_mean(step.calendar, plan.calendars) or f"; there are {listed(plan.calendars) or 'none'}"
        found.error(document, (*path, "calendar"), f"there is no calendar {shown(step.calendar)}{near}")
    match step:
        case Enqueue() if step.queue not in plan.queues:
            near = did_you_mean(step.queue, plan.queues) or f"; there are {listed(plan.queues) or 'none'}"
            found.error(document, (*path, "queue"), f"there is no queue {shown(step.queue)}{near}")
        case Enqueue():
            queue = plan.queues[step.queue]
            # A queue that nobody serves in any case is told once, where the queue is.
            if nobody(plan, queue) is None and (flaw := nobody(plan, queue, step.skills, step.relax)):
                found.error(document, (*path, "skills"), flaw)
            asked = (*queue.skills, *step.skills, *languages_asked(plan, queue))
            check_queues(step.relax, plan, (*path, "relax"), document, found)
            check_stages(step.relax, queue, asked, (*path, "relax"), document, found)
        case Set() if step.language is not None and (flaw := check_language(catalogue, step.language)):
            found.error(document, (*path, "language"), flaw)
        case Branch(variable="language"):
            for value in step.cases:
                if flaw := check_language(catalogue, value):
                    found.error(document, (*path, "cases", value), flaw)
        case Branch(variable="line"):
            for value in step.cases:
                if value not in plan.lines:
                    near = did_you_mean(value, plan.lines)
                    found.error(document, (*path, "cases", value), f"there is no line {shown(value)}{near}")


def _check_dead_ends(flow: Flow, document: Document, plan: Plan, found: Findings) -> None:
    """Ends that nobody explains to the caller, crossroads that are none, and queues that only lead to each other."""
    for circle in circles(waits_for_ever(flow.steps)):
        message = f"who waits in vain goes from queue to queue for ever, each time to its end: {_arrows(circle)}"
        found.warn(document, ("steps", circle[0], "otherwise"), message)
    for name, step in flow.steps.items():
        ways = {target for _, target in targets(step)}
        if isinstance(step, Branch) and len(ways) == 1:
            found.warn(document, ("steps", name), f"decides nothing: every way leads to {ways.pop()}")
        if isinstance(step, Enqueue):
            check_keys(name, step, plan, document, found)
            for path, target in targets(step):
                end = flow.steps[target]
                if isinstance(end, HangUp) and not end.prompts:
                    message = "whoever waited in vain is hung up on without a word"
                    found.warn(document, ("steps", name, *path), message)


def _check_silence(ways: Journeys, document: Document, found: Findings) -> None:
    """The owner of an 8-800 number pays for whoever puts the phone down beside it."""
    silent: dict[Spot, tuple[Spot, ...]] = {
        spot: tuple(way.to for way in out if way.silent) for spot, out in ways.ways.items()
    }
    told: set[frozenset[str]] = set()
    for circle in circles(silent):
        steps = tuple(spot.step for spot in circle)
        if frozenset(steps) not in told:
            told.add(frozenset(steps))
            message = (
                f"a caller who presses nothing goes round for ever: {_arrows(steps)}; "
                "one way out of it must lead to a queue or a hangup"
            )
            found.error(document, ("steps", steps[0]), message)
