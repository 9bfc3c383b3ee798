"""A flow as a drawing: Graphviz's DOT text, made here, and SVG where `dot` is installed.

Each step is a card: its name, what it does, what is said (cut short); arrows are keys and what happens without one. Where callers
are now, the card wears their number.
"""

import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from html import escape
from typing import assert_never

from msgspec import Struct

from ccserver.config.errors import QuestionError, did_you_mean, listed
from ccserver.config.exits import exit_reason
from ccserver.config.journeys import journeys, spoken, targets
from ccserver.config.prompts import Catalogue
from ccserver.core.ids import FlowName, Language, LineNumber, StepName
from ccserver.core.plan import Plan
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
    Python,
    Rate,
    Return,
    Say,
    Set,
    Step,
    Voicemail,
    reached,
)

WIDTH = 38
"""Characters on a line of a card."""
LINES_MAX = 3
"""Of one prompt."""
DRAWN_WITHIN_S = 20.0
NO_GRAPHVIZ = (
    "cannot be drawn: Graphviz is not installed here (apt-get install graphviz); its DOT text can be had without"
)


class Look(Struct, frozen=True):
    """Of a kind of step: border, paper, and its word."""

    ink: str
    paper: str
    word: str


LOOKS: Mapping[type[Step], Look] = {
    Say: Look("#3b6ea5", "#eef4fb", "says"),
    Menu: Look("#6d4aa8", "#f4effb", "menu"),
    Listen: Look("#6d4aa8", "#f4effb", "listens"),
    Rate: Look("#6d4aa8", "#f4effb", "asks for a mark"),
    Collect: Look("#6d4aa8", "#f4effb", "asks for digits"),
    Answer: Look("#7a7f87", "#f5f6f7", "answers"),
    Set: Look("#7a7f87", "#f5f6f7", "sets"),
    Branch: Look("#a86b12", "#fdf5e6", "branch"),
    Enqueue: Look("#1f7a4d", "#e9f6ef", "queue"),
    Voicemail: Look("#b0522d", "#fcf0ea", "voicemail"),
    AskCallback: Look("#1f7a4d", "#e9f6ef", "callback"),
    LookUp: Look("#1d6fa3", "#e8f3fa", "looks up"),
    Dialplan: Look("#7a5c1e", "#faf4e6", "dialplan"),
    Python: Look("#7a7f87", "#f5f6f7", "asks"),
    Forward: Look("#1f7a4d", "#e9f6ef", "connects with"),
    HangUp: Look("#5d636b", "#eceef0", "hangs up"),
    Call: Look("#2b7f86", "#e8f5f6", "calls"),
    GoTo: Look("#2b7f86", "#e8f5f6", "goes on in"),
    Return: Look("#2b7f86", "#e8f5f6", "returns"),
}
_START = "(start)"
_FONT = "Helvetica,Arial,sans-serif"
_TEXT = "#22262b"
_BUSY = "#c0392b"


def flow_named(plan: Plan, name: str) -> Flow:
    """The flow; raises `QuestionError` with the nearest name."""
    found = plan.flows.get(FlowName(name))
    if found is None:
        near = did_you_mean(name, plan.flows) or f"; there are {listed(plan.flows) or 'none'}"
        raise QuestionError(f"there is no flow {name}{near}")
    return found


def dot_text(flow: Flow, plan: Plan, catalogue: Catalogue, callers: Mapping[StepName, int]) -> str:
    """The whole graph; `callers` by step, where there are some."""
    lines = [line for line in plan.lines.values() if flow.name in line.flows]
    leading = [line for line in plan.lines.values() if flow.name in reached(plan.flows, line.flows)]
    arriving = [(name, line.number, line.language) for line in leading for name in line.flows]
    ways = journeys(plan.flows, arriving or [(flow.name, LineNumber(""), Language(catalogue.languages[0]))])
    calling = [f"from {name}" for name, other in plan.flows.items() if _leads(other, flow.name)]
    names = [*(f"{line.number} {line.name}" for line in lines), *calling]
    numbers = "<BR/>".join(map(escape, names)) or "no line uses it"
    parts = [
        f'digraph "{flow.name}" {{',
        f'  graph [rankdir=TB, nodesep=0.35, ranksep=0.5, bgcolor="white", pad=0.3, fontname="{_FONT}"];',
        f'  node [shape=plain, fontname="{_FONT}", fontsize=11];',
        f'  edge [fontname="{_FONT}", fontsize=11, color="#8a9099", fontcolor="{_TEXT}", arrowsize=0.7];',
        f'  "{_START}" [shape=box, style="rounded,filled", fillcolor="#22262b", fontcolor=white, label=<{numbers}>];',
        f'  "{_START}" -> "{flow.start}";',
    ]
    for name, step in flow.steps.items():
        language = next(iter(ways.languages_at(flow.name, name)), catalogue.languages[0])
        parts.append(f'  "{name}" [label=<{_card(name, step, catalogue, language, callers.get(name, 0))}>];')
        parts += (f"  {arrow}" for arrow in _arrows(name, step))
    return "\n".join([*parts, "}", ""])


def svg(dot: str) -> bytes:
    """Drawn by Graphviz, some tenths of a second; raises `QuestionError` where it is not installed or fails."""
    program = shutil.which("dot")
    if program is None:
        raise QuestionError(NO_GRAPHVIZ)
    try:
        drawn = subprocess.run(
            [program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=DRAWN_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QuestionError(f"cannot be drawn: {error}") from None
    if drawn.returncode:
        raise QuestionError(f"cannot be drawn: {drawn.stderr.decode(errors='replace').strip()}")
    return drawn.stdout


def _leads(flow: Flow, to: FlowName) -> bool:
    return any(isinstance(step, Call | GoTo) and step.flow == to for step in flow.steps.values())


def _card(name: StepName, step: Step, catalogue: Catalogue, language: str, callers: int) -> str:
    look = LOOKS[type(step)]
    head = f'<B><FONT COLOR="{look.ink}">{escape(name)}</FONT></B>'
    if look.word != name:
        head += f'  <FONT COLOR="#6b7178" POINT-SIZE="9">{look.word}</FONT>'
    if callers:
        head += f'   <FONT COLOR="{_BUSY}"><B>● {callers}</B></FONT>'
    rows = [f'<TR><TD ALIGN="LEFT">{head}</TD></TR>']
    rows += (
        f'<TR><TD ALIGN="LEFT" BALIGN="LEFT"><FONT POINT-SIZE="10" COLOR="{_TEXT}">{text}</FONT></TD></TR>'
        for text in _body(step, catalogue, language)
    )
    style = f'STYLE="ROUNDED" COLOR="{look.ink}" BGCOLOR="{look.paper}"'
    return f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" {style}>{"".join(rows)}</TABLE>'


def _body(step: Step, catalogue: Catalogue, language: str) -> Iterator[str]:
    """What stands on the card."""
    match step:
        case Branch():
            yield escape(f"by the calendar {step.calendar}" if step.calendar else f"by {step.variable}")
        case Set():
            values = [f"{name} = {value}" for name, value in step.variables.items()]
            yield _wrapped(", ".join([*values, *([f"language {step.language}"] if step.language else [])]))
        case Enqueue() | AskCallback():
            skills = ", ".join(f"{need.skill} from {need.level}" for need in step.skills)
            agent = f", {step.agent} alone" if isinstance(step, Enqueue) and step.agent else ""
            yield _wrapped(f"{step.queue}{f' ({skills})' if skills else ''}{agent}")
        case Collect():
            yield escape(f"as {step.variable}")
        case Call() | GoTo():
            yield escape(f"{step.flow}, {step.step}" if isinstance(step, GoTo) and step.step else step.flow)
        case HangUp() if step.cause != "normal":
            yield escape(step.cause)
        case LookUp():
            yield escape(step.lookup)
        case Forward():
            yield escape(step.number)
        case Python():
            yield escape(step.function)
        case Dialplan():
            yield escape(f"{step.extension} of [{step.context}]")
        case Rate():
            yield escape(f"from 1 to 5 as {step.variable}")
        case Say() | Menu() | Answer() | Listen() | Voicemail() | HangUp() | Return():
            pass
        case _:
            assert_never(step)
    for (field, *_), item in spoken(step):
        if field in ("prompts", "announce"):
            yield _wrapped(f"“{catalogue.text(item, language)}”")


def _wrapped(text: str) -> str:
    lines = textwrap.wrap(text, WIDTH)
    if len(lines) > LINES_MAX:
        lines = [*lines[: LINES_MAX - 1], f"{lines[LINES_MAX - 1][: WIDTH - 1].rstrip(' .,')}…"]
    return "<BR/>".join(map(escape, lines))


def _arrows(name: StepName, step: Step) -> Iterator[str]:
    """One for each step that this one leads to, with all the reasons."""
    reasons: dict[StepName, list[str]] = {}
    chosen: set[StepName] = set()
    for path, target in targets(step):
        field = str(path[0])
        reason = _reason(step, field, str(path[1]) if len(path) > 1 else "")
        reasons.setdefault(target, [])
        reasons[target] += [reason] if reason else []
        if field in ("keys", "choices", "next", "cases", "found", "ways"):
            chosen.add(target)
    for target, why in reasons.items():
        style = "" if target in chosen else ', style=dashed, fontcolor="#6b7178"'
        label = f" <B>{escape(', '.join(why))}</B> " if target in chosen else f" {escape(', '.join(why))} "
        yield f'"{name}" -> "{target}" [label=<{label}>{style}];' if why else f'"{name}" -> "{target}";'


def _reason(step: Step, field: str, key: str) -> str:
    match step:
        case Menu() | Listen() | Rate() | Collect() | AskCallback() if field == "otherwise":
            return f"{step.retries + 1}× nothing or wrong" if step.retries else "nothing or wrong"
        case Enqueue() if field != "keys":
            return exit_reason(step, field)
        case AskCallback() if field == "next":
            return "promised"
        case Listen() if field == "choices":
            dialled = step.choices[key].key
            return f"{key} ({dialled})" if dialled else key
        case _:
            return key or ("" if field == "next" else field.replace("_", " "))
