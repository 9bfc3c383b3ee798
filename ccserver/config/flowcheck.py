"""What must fit together in a flow: its steps with each other, with the prompts, the queues and those who serve them.

`check_steps` needs nothing but the flows; `check_journeys` needs everything else to be in order. Called by `load`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar, get_args

from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.exits import check_exits, check_keys, waits_for_ever
from ccserver.config.findings import Findings
from ccserver.config.journeys import AT_ENTRY, BUILT_IN, Journeys, Spot, journeys, spoken, targets, variables_set
from ccserver.config.prompts import Catalogue, check_language
from ccserver.config.relaxcheck import check_queues, check_stages, languages_asked
from ccserver.config.serving import nobody
from ccserver.config.source import Document, KeyPath
from ccserver.config.surveycheck import surveys
from ccserver.core.calendar import Hours
from ccserver.core.ids import FlowName, Language, LineNumber, StepName
from ccserver.core.plan import Plan
from ccserver.core.steps import (
    Answer,
    AskCallback,
    Branch,
    Collect,
    Dialplan,
    Enqueue,
    Flow,
    HangUp,
    Listen,
    LookUp,
    Point,
    Python,
    Rate,
    Set,
    Step,
    reached,
    related,
)

_REFERENCE = re.compile(r"\{([^{}]*)\}")
HOURS = get_args(Hours)
T = TypeVar("T")


def check_steps(flow: Flow, document: Document, flows: Mapping[FlowName, Flow], found: Findings) -> None:
    """What can be wrong with the steps among themselves; tells `found`. `flows`: all that could be read."""
    steps = flow.steps
    if flow.start not in steps:
        found.error(document, ("start",), _no_step(flow.start, steps))
    for name, step in steps.items():
        for path, target in targets(step):
            if target not in steps:
                found.error(document, ("steps", name, *path), _no_step(target, steps))
        _check_fields(step, ("steps", name), document, found)
    _check_variables(flow, related(flows, flow.name), document, found)
    instant = {name: _instant_targets(step) for name, step in steps.items()}
    for circle in circles(instant):
        message = f"steps that wait for nobody lead to each other for ever: {_arrows(circle)}"
        found.error(document, ("steps", circle[0]), message)


def check_journeys(
    plan: Plan,
    documents: Mapping[str, Document],
    catalogue: Catalogue,
    found: Findings,
    sent_to: Iterable[FlowName] = (),
) -> None:
    """What callers would meet on their way; only for flows without errors of their own, none of which calls itself.

    `sent_to`: flows to which the dialplan sends callers, whichever line they dialled.
    """
    walks = _walks(plan, catalogue, documents, found, sent_to)
    for flow in plan.flows.values():
        document = documents[flow.name]
        mine = [ways for begun, ways in walks.items() if flow.name in reached(plan.flows, [begun])]
        complete = all(ways.complete for ways in mine)
        if flow.name in walks and not complete:
            found.warn(document, ("start",), "the flow has too many branches to be checked in full")
        for name, step in flow.steps.items():
            languages = tuple(dict.fromkeys(told for ways in mine for told in ways.languages_at(flow.name, name)))
            if not languages and complete:
                found.warn(document, ("steps", name), "no caller can ever come to this step")
            languages = languages or (Language(catalogue.languages[0]),)
            _check_spoken(step, ("steps", name), languages, catalogue, document, found)
            _check_names(step, ("steps", name), plan, catalogue, document, found)
        _check_dead_ends(flow, document, plan, found)
    _check_silence(walks.values(), documents, found)


def _walks(
    plan: Plan, catalogue: Catalogue, documents: Mapping[str, Document], found: Findings, sent_to: Iterable[FlowName]
) -> Mapping[FlowName, Journeys]:
    """The journeys through each flow in which callers begin; a flow that nobody comes to is walked all the same."""
    begun: dict[FlowName, list[tuple[FlowName, LineNumber, Language]]] = {}
    for line in plan.lines.values():
        for name in (each for each in line.flows if each in plan.flows):
            begun.setdefault(name, []).append((name, line.number, line.language))
    for name in (each for each in sent_to if each in plan.flows):
        begun.setdefault(name, []).extend((name, line.number, line.language) for line in plan.lines.values())
    for survey in surveys(plan):
        # Whoever talked may have chosen any language by then.
        begun[survey] = [(survey, LineNumber(""), Language(language)) for language in catalogue.languages]
    instead = [FlowName(rule.treatment) for rule in plan.blocked if rule.treatment in plan.flows]
    for name in (each for each in instead if each not in begun):
        begun[name] = [(name, line.number, line.language) for line in plan.lines.values()]
    come_to = set(reached(plan.flows, begun))
    for name in plan.flows:
        if name not in come_to:
            found.warn(documents[name], (), f"no line uses the flow {name}")
            begun[name] = [(name, LineNumber(""), Language(language)) for language in catalogue.languages]
            come_to |= set(reached(plan.flows, [name]))
    return {name: journeys(plan.flows, callers) for name, callers in begun.items()}


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
    if isinstance(step, Answer | Set | Branch):
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
        case Listen():
            _check_choices(step, path, document, found)
        case Set() if not step.variables and step.language is None:
            found.warn(document, path, "sets neither variables nor a language")


def _check_choices(step: Listen, path: KeyPath, document: Document, found: Findings) -> None:
    taken: dict[str, str] = {}
    for name, choice in step.choices.items():
        if choice.key is None and not choice.words:
            found.error(document, (*path, "choices", name), "expected a key, words, or both: nobody could choose it")
        elif choice.key is None:
            message = "has no key: as long as speech is not recognised, nobody can choose it"
            found.warn(document, (*path, "choices", name), message)
        elif choice.key in taken:
            message = f"key {choice.key} is {taken[choice.key]} already"
            found.error(document, (*path, "choices", name, "key"), message)
        taken.setdefault(choice.key or "", name)


def _check_variables(flow: Flow, family: Iterable[Flow], document: Document, found: Findings) -> None:
    """`family`: flows that share their variables with this one, itself included."""
    steps = flow.steps.items()
    setting = [step for each in family for step in each.steps.values()]
    secret = {step.variable for step in setting if isinstance(step, Collect) and step.secret}
    known = {*BUILT_IN, *(variable for step in setting for variable in variables_set(step))}

    def check_known(path: KeyPath, variable: str) -> bool:
        if variable not in known:
            near = did_you_mean(variable, known)
            found.error(document, path, f"variable {variable} is set nowhere in the flow{near}")
        return variable in known

    for name, step in steps:
        path: KeyPath = ("steps", name)
        if isinstance(step, Branch) and step.variable is not None:
            check_known((*path, "variable"), step.variable)
        if isinstance(step, Enqueue) and step.priority_from is not None:
            check_known((*path, "priority_from"), step.priority_from)
        for variable in step.asks if isinstance(step, LookUp) else ():
            check_known((*path, "lookup"), variable)
        for position, variable in enumerate(step.send) if isinstance(step, Dialplan) else ():
            if check_known((*path, "send", position), variable) and variable in secret:
                message = f"variable {variable} is secret: it must not stand in Asterisk's log"
                found.error(document, (*path, "send", position), message)
        for position, variable in enumerate(step.take) if isinstance(step, Dialplan | Python) else ():
            if variable in BUILT_IN:
                found.error(document, (*path, "take", position), f"{variable} is the server's own: choose another name")
        if isinstance(step, Collect | Listen | Rate) and step.variable in BUILT_IN:
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
        case Enqueue() | AskCallback() if step.queue not in plan.queues:
            near = did_you_mean(step.queue, plan.queues) or f"; there are {listed(plan.queues) or 'none'}"
            found.error(document, (*path, "queue"), f"there is no queue {shown(step.queue)}{near}")
        case Enqueue() | AskCallback():
            queue, relax = plan.queues[step.queue], step.relax if isinstance(step, Enqueue) else ()
            # A queue that nobody serves in any case is told once, where the queue is.
            if nobody(plan, queue) is None and (flaw := nobody(plan, queue, step.skills, relax)):
                found.error(document, (*path, "skills"), flaw)
            asked = (*queue.skills, *step.skills, *languages_asked(plan, queue))
            check_queues(relax, plan, (*path, "relax"), document, found)
            check_stages(relax, queue, asked, (*path, "relax"), document, found)
        case Set() if step.language is not None and (flaw := check_language(catalogue, step.language)):
            found.error(document, (*path, "language"), flaw)
        case LookUp() if step.lookup not in plan.lookups:
            near = did_you_mean(step.lookup, plan.lookups) or f"; there are {listed(plan.lookups) or 'none'}"
            found.error(document, (*path, "lookup"), f"there is no lookup {shown(step.lookup)}{near}")
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


def _check_silence(walks: Iterable[Journeys], documents: Mapping[str, Document], found: Findings) -> None:
    """The owner of an 8-800 number pays for whoever puts the phone down beside it."""
    told: set[frozenset[Point]] = set()
    for ways in walks:
        silent: dict[Spot, tuple[Spot, ...]] = {
            spot: tuple(way.to for way in out if way.silent) for spot, out in ways.ways.items()
        }
        for circle in circles(silent):
            points = tuple(Point(spot.flow, spot.step) for spot in circle)
            if frozenset(points) not in told:
                told.add(frozenset(points))
                flow = points[0].flow
                steps = tuple(each.step if each.flow == flow else f"{each.flow}.{each.step}" for each in points)
                message = (
                    f"a caller who presses nothing goes round for ever: {_arrows(steps)}; "
                    "one way out of it must lead to a queue or a hangup"
                )
                found.error(documents[flow], ("steps", points[0].step), message)
