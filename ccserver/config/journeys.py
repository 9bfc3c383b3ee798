"""Every way a caller can go through a flow, without a caller: what the checks and `ccserver check --call` walk along.

A `Spot` is a step as a caller can come to it: in a language, with what is known of the variables that branches ask for. What
a caller types is not known, so a branch on it goes every way; what the flow sets is, so a branch on it goes one.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from ccserver.config.source import KeyPath
from ccserver.core.calendar import Hours
from ccserver.core.ids import CalendarName, FlowName, Language, LineNumber, StepName
from ccserver.core.steps import (
    Answer,
    AskCallback,
    Branch,
    Call,
    Collect,
    Dialplan,
    Enqueue,
    Flow,
    Forward,
    GoTo,
    HangUp,
    Listen,
    LookUp,
    Menu,
    Point,
    Python,
    Question,
    Rate,
    Return,
    Say,
    Set,
    Step,
    Voicemail,
    reached,
)

BUILT_IN = ("line", "ani", "language")
"""Variables that are set before the flow begins."""

ANY_TIME: Mapping[CalendarName, Hours] = MappingProxyType({})

EXITS = ("otherwise", "closed", "full", "too_long", "nobody")
"""Ways out of a queue besides its keys, as its step's fields name them."""
AT_ENTRY = ("closed", "full", "too_long", "nobody")
"""Of these, the ones that may be taken without having waited at all."""

MAX_SPOTS = 20_000
"""A flow with more of them is walked only so far."""


class Spot(Struct, frozen=True):
    """A step, and all that decides how it goes on from there."""

    flow: FlowName
    step: StepName
    language: Language
    known: tuple[tuple[str, str | None], ...] = ()
    """Variables that some branch asks for, sorted; None: could be anything."""
    stack: tuple[Point, ...] = ()
    """Where the flows that called this one go on."""


class Way(Struct, frozen=True):
    """From one spot to another; in another flow, when one calls the other or returns."""

    why: str
    """As the step's field names it: `next`, `keys.1`, `otherwise`, `cases.en`."""
    to: Spot
    silent: bool
    """A caller who does nothing at all goes this way, and nobody who could help him is waited for on it."""


class Journeys(Struct, frozen=True):
    """All spots in the order in which a caller may first come to them, with the ways out of each."""

    ways: Mapping[Spot, tuple[Way, ...]]
    complete: bool

    def languages_at(self, flow: FlowName, step: StepName) -> tuple[Language, ...]:
        """In which languages callers come to the step; empty: nobody comes."""
        return tuple(dict.fromkeys(spot.language for spot in self.ways if (spot.flow, spot.step) == (flow, step)))


def targets(step: Step) -> Iterator[tuple[KeyPath, StepName]]:
    """Every step of its own flow that this one names, with the path of the name within it."""
    match step:
        case Menu():
            yield from ((("keys", key), target) for key, target in step.keys.items())
            yield ("otherwise",), step.otherwise
        case Branch():
            yield from ((("cases", value), target) for value, target in step.cases.items())
            yield ("otherwise",), step.otherwise
        case Listen():
            yield from ((("choices", name, "next"), choice.next) for name, choice in step.choices.items())
            yield ("otherwise",), step.otherwise
        case Collect() | Rate():
            yield ("next",), step.next
            yield ("otherwise",), step.otherwise
        case Enqueue():
            yield from ((("keys", key), target) for key, target in step.keys.items())
            for field in EXITS:
                if (target := getattr(step, field)) is not None:
                    yield (field,), target
        case AskCallback():
            yield ("next",), step.next
            yield ("refused",), step.refused
            yield ("otherwise",), step.otherwise
        case LookUp():
            yield ("found",), step.found
            yield ("not_found",), step.not_found
            yield ("failed",), step.failed
        case Dialplan():
            yield ("next",), step.next
            yield ("failed",), step.failed
        case Forward():
            yield ("otherwise",), step.otherwise
        case Python():
            yield ("next",), step.next
            yield from ((("ways", name), target) for name, target in step.ways.items())
            yield ("failed",), step.failed
        case Say() | Answer() | Set() | Voicemail() | Call():
            yield ("next",), step.next
        case HangUp() | GoTo() | Return():
            pass


def variables_set(step: Step) -> tuple[str, ...]:
    """The variables that have a value after the step."""
    match step:
        case Collect() | Rate():
            return (step.variable,)
        case Listen():
            return (step.variable,) if step.variable else ()
        case Set():
            return tuple(step.variables)
        case LookUp():
            return step.brings
        case Dialplan() | Python():
            return step.take
        case _:
            return ()


def spoken(step: Step) -> Iterator[tuple[KeyPath, str]]:
    """Every item that the step may say, with its path within the step."""
    match step:
        case Answer() | Set() | Branch() | LookUp() | Dialplan() | Python() | Forward() | Call() | GoTo() | Return():
            return
        case Enqueue():
            field, items = "announce", step.announce
        case Say() | Menu() | Listen() | Rate() | Collect() | Voicemail() | AskCallback() | HangUp():
            field, items = "prompts", step.prompts
    yield from (((field, position), item) for position, item in enumerate(items))
    if isinstance(step, AskCallback):
        yield from ((("number_prompts", position), item) for position, item in enumerate(step.number_prompts))
    if isinstance(step, Question | Collect | AskCallback):
        yield from (
            ((name,), item) for name, item in (("invalid", step.invalid), ("silence", step.silence)) if item is not None
        )


def journeys(
    flows: Mapping[FlowName, Flow],
    callers: Iterable[tuple[FlowName, LineNumber, Language]],
    hours: Mapping[CalendarName, Hours] = ANY_TIME,
) -> Journeys:
    """All journeys of callers who begin in these flows, by these lines, in these languages; every name must exist.

    `hours`: whether the calendars are open; of those not given both is possible. No flow may call itself.
    """
    callers = tuple(callers)
    met = [step for name in reached(flows, (flow for flow, _, _ in callers)) for step in flows[name].steps.values()]
    asked = sorted({step.variable for step in met if isinstance(step, Branch) and step.variable} - {"language"})
    ways: dict[Spot, tuple[Way, ...]] = {}
    waiting: deque[Spot] = deque()
    for flow, line, language in callers:
        first = {"line": line, "ani": None}
        known = tuple((name, first.get(name, "")) for name in asked)
        waiting.append(Spot(flow=flow, step=flows[flow].start, language=language, known=known))
    while waiting and len(ways) < MAX_SPOTS:
        spot = waiting.popleft()
        if spot not in ways:
            ways[spot] = tuple(_ways(spot, flows, hours))
            waiting.extend(way.to for way in ways[spot])
    return Journeys(ways=ways, complete=not waiting)


def _ways(spot: Spot, flows: Mapping[FlowName, Flow], hours: Mapping[CalendarName, Hours]) -> Iterator[Way]:
    step = flows[spot.flow].steps[spot.step]
    match step:
        case Branch():
            known = hours.get(step.calendar) if step.calendar is not None else _known(spot, step)
            yield from _branches(spot, step, known)
        case Call():
            stack = (*spot.stack, Point(spot.flow, step.next))
            yield Way("flow", replace(spot, flow=step.flow, step=flows[step.flow].start, stack=stack), silent=True)
        case GoTo():
            to = step.step or flows[step.flow].start
            spot = spot if step.line is None else _with(spot, {"line": step.line}, None)
            yield Way("flow", replace(spot, flow=step.flow, step=to), silent=True)
        case Return():
            if spot.stack:
                back = spot.stack[-1]
                yield Way("return", replace(spot, flow=back.flow, step=back.step, stack=spot.stack[:-1]), silent=True)
        case _:
            yield from _plain_ways(spot, step)


def _plain_ways(spot: Spot, step: Step) -> Iterator[Way]:
    if isinstance(step, Set):
        spot = _with(spot, dict(step.variables), step.language)
    for path, target in targets(step):
        to = replace(spot, step=target)
        if isinstance(step, Listen) and step.variable and path[0] == "choices":
            to = _with(to, {step.variable: str(path[1])}, None)
        if isinstance(step, LookUp) and path == ("found",):
            to = _with(to, dict.fromkeys(step.brings), None)
        if isinstance(step, Dialplan | Python) and path != ("failed",):
            to = _with(to, dict.fromkeys(step.take), None)
        answered = isinstance(step, Collect | Rate) and path == ("next",)
        if isinstance(step, Collect | Rate) and answered:
            to = _with(to, {step.variable: None}, None)
        typed = isinstance(step, Collect | AskCallback) and path != ("otherwise",)
        chosen = path[0] in ("keys", "choices") or answered or typed
        yield Way(why=".".join(map(str, path)), to=to, silent=not chosen and not isinstance(step, Enqueue))


def _known(spot: Spot, step: Branch) -> str | None:
    """The value of the variable that a branch asks for; None: could be anything."""
    return spot.language if step.variable == "language" else dict(spot.known)[step.variable or ""]


def _branches(spot: Spot, step: Branch, value: str | None) -> Iterator[Way]:
    if value is not None:
        why = f"cases.{value}" if value in step.cases else "otherwise"
        yield Way(why=why, to=replace(spot, step=step.cases.get(value, step.otherwise)), silent=True)
        return
    for case, target in step.cases.items():
        to = replace(spot, step=target)
        to = to if step.variable is None else _with(to, {step.variable: case}, None)
        yield Way(why=f"cases.{case}", to=to, silent=True)
    if step.calendar is None or len(step.cases) < len(get_args(Hours)):
        yield Way(why="otherwise", to=replace(spot, step=step.otherwise), silent=True)


def _with(spot: Spot, values: Mapping[str, str | None], language: Language | None) -> Spot:
    known = tuple((name, values.get(name, old)) for name, old in spot.known)
    return replace(spot, known=known, language=language or spot.language)
