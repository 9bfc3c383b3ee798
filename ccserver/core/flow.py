"""The interpreter of declarative flows: pure, its whole position is a `FlowPosition`.

Each function takes the scene as it is and one thing that happened, and returns the `FlowTurn`: the position after it and
the effects that the contact must carry out. Steps that need nobody's answer (`set`, `branch`) run through at once; the turn
ends at the first step that waits for a key, a playback, a recording or an agent.

Type-ahead: a key pressed before its menu speaks is kept in `ahead`, and what would have been said meanwhile is skipped.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.calendar import Calendar, Hours, hours_at
from ccserver.core.contact import FlowPosition
from ccserver.core.ids import (
    CalendarName,
    FlowName,
    InquiryId,
    Language,
    LookupName,
    PlayId,
    PromptName,
    QueueName,
    RecordingName,
    StepName,
)
from ccserver.core.lookup import Lookup
from ccserver.core.steps import (
    MARKS,
    Answer,
    AskCallback,
    Branch,
    Call,
    Collect,
    Dialplan,
    Ending,
    Enqueue,
    Flow,
    Forward,
    GoTo,
    HangUp,
    Key,
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
)

AHEAD_MAX = 32
"""Keys kept ahead: nobody types more of them, a fax machine does."""
NUMBER_MAX = 20
"""Digits of a number to be called back, its prefix abroad included."""
NOTICE, TOLD = "recording_notice", "told"
"""The variable that says whether he knows that he may be recorded; a flow that says so itself sets it."""
DEPTH_MAX = 8
"""Flows that called one another; `ccserver check` knows it, too."""
STEPS_MAX = 2000
"""Steps entered in one call: no human walks through so many, a flow that goes round for ever does."""


class Speak(Struct, frozen=True):
    """Play the items as `position.play`."""

    items: tuple[str, ...]


class Hush(Struct, frozen=True):
    """Stop a playback."""

    play: PlayId


class SpeakLanguage(Struct, frozen=True):
    """From here on in this language."""

    language: Language


class JoinQueue(Struct, frozen=True):
    """The flow ends here, the wait begins."""

    step: Enqueue


class PromiseCallback(Struct, frozen=True):
    """He will be called back at this number (E.164); the flow goes on, with or without him."""

    step: AskCallback
    number: str


class Record(Struct, frozen=True):
    """Record the caller as `position.recording`."""

    step: Voicemail


class Inquire(Struct, frozen=True):
    """Ask outside, as `position.inquiry`."""

    step: LookUp | Dialplan | Python


class ForwardTo(Struct, frozen=True):
    """Somebody outside is to be called; the flow ends here if he is reached."""

    step: Forward


class Rated(Struct, frozen=True):
    """The caller gave a mark."""

    question: str
    score: int


class PickUp(Struct, frozen=True):
    """Answer the caller, if he has not been."""


class Finish(Struct, frozen=True):
    """The flow served the caller: hang up. `flaw`: or it cannot go on, for this reason."""

    flaw: str = ""
    cause: Ending = "normal"


_Stop = Say | Question | Collect | Enqueue | Voicemail | AskCallback | LookUp | Dialplan | Python | Forward | HangUp
"""Steps that wait for something."""
Effect = (
    Speak | Hush | SpeakLanguage | PickUp | JoinQueue | PromiseCallback | Record | Inquire | ForwardTo | Rated | Finish
)


def _nobody(_number: str) -> str | None:
    return None


def _nothing(_queue: QueueName) -> PromptName | None:
    return None


class Scene(Struct, frozen=True, kw_only=True):
    """All that the interpreter may know."""

    flows: Mapping[FlowName, Flow]
    position: FlowPosition
    variables: Mapping[str, str]
    language: Language
    calendars: Mapping[CalendarName, Calendar]
    now: float
    next_play: PlayId
    next_recording: RecordingName
    next_inquiry: InquiryId = InquiryId("")
    lookups: Mapping[LookupName, Lookup] = {}
    lendable: bool = True
    """He came by the dialplan, and may be handed to it."""
    notice: Callable[[QueueName], PromptName | None] = _nothing
    """What must be said, once in a call, to who is about to wait in this queue."""
    callable: Callable[[str], str | None] = _nobody
    """The number in E.164, if it may be called; `ValueError`: it is a number, and may not."""

    @property
    def flow(self) -> Flow:
        """The one it stands in."""
        return self.flows[self.position.flow]

    @property
    def step(self) -> Step:
        """The one it stands at."""
        return self.flow.steps[self.position.step]


class FlowTurn(Struct, frozen=True, kw_only=True):
    """What one thing that happened led to."""

    position: FlowPosition
    variables: Mapping[str, str]
    language: Language
    effects: tuple[Effect, ...] = ()
    path: tuple[Point, ...] = ()
    """Steps that were entered, also those that nobody notices; who explains a journey wants to know. Empty: none was."""


def begin(scene: Scene) -> FlowTurn:
    """The flow starts."""
    return _enter(scene, scene.flow.start)


def resume(scene: Scene) -> FlowTurn:
    """Something was missed (a restart): the current step starts again, the attempts already made still count."""
    turn = _enter(scene, scene.position.step, attempt=scene.position.attempt, typing=scene.position.typing)
    if scene.position.play is None:
        return turn
    return replace(turn, effects=(Hush(scene.position.play), *turn.effects))


def go(scene: Scene, step: StepName) -> FlowTurn:
    """The flow goes on at a step of its own (after a queue gave up)."""
    return _enter(scene, step)


def key_pressed(scene: Scene, key: Key) -> FlowTurn:
    """The caller pressed a key."""
    position = scene.position
    step = scene.step
    hush: tuple[Effect, ...] = (Hush(position.play),) if position.play else ()
    match step:
        case Say(barge_in=True):
            turn = _enter(scene, step.next, ahead=position.ahead + key)
        case Say() | LookUp() | Python():
            return _still(scene, replace(position, ahead=(position.ahead + key)[:AHEAD_MAX]))
        case Menu() | Listen() | Rate():
            turn = _choose(scene, step, key, position.ahead)
        case Collect():
            turn = _gather(scene, step, position.digits, key)
        case AskCallback():
            turn = _answered(scene, step, key, position.ahead)
        case Voicemail() if position.play:
            turn = _record(scene, step)
        case _:
            return _still(scene, position)
    return replace(turn, effects=hush + turn.effects)


def play_finished(scene: Scene) -> FlowTurn:
    """The current playback came to its end (callers check that it is the current one)."""
    step = scene.step
    quiet = replace(scene.position, play=None)
    match step:
        case Say():
            return _enter(scene, step.next, ahead=quiet.ahead)
        case Menu() | Listen() | Rate() | Collect() | AskCallback():
            return _still(scene, replace(quiet, deadline=scene.now + step.timeout_s))
        case Voicemail():
            return _record(scene, step)
        case HangUp():
            return _still(scene, quiet, Finish(cause=step.cause))
        case Enqueue() if scene.position.play is not None:
            told = replace(scene, variables={**scene.variables, NOTICE: TOLD})
            return _still(told, quiet, JoinQueue(step))
        case _:
            return _still(scene, quiet)


def time_up(scene: Scene) -> FlowTurn:
    """Nobody pressed anything in time."""
    step = scene.step
    match step:
        case Menu() | Listen() | Rate():
            return _once_more(scene, step, step.silence)
        case Collect() if scene.position.digits:
            return _gathered(scene, step, scene.position.digits)
        case AskCallback() if scene.position.digits:
            return _number_typed(scene, step, scene.position.digits)
        case Collect() | AskCallback():
            return _once_more(scene, step, step.silence)
        case LookUp() | Python():
            return answered(scene, "failed", {})
        case _:
            return _still(scene, replace(scene.position, deadline=None))


def recorded(scene: Scene) -> FlowTurn:
    """The voicemail is recorded, or could not be."""
    step = scene.step
    if not isinstance(step, Voicemail):
        return _still(scene, scene.position)
    return _enter(scene, step.next)


def answered(scene: Scene, verdict: str, values: Mapping[str, str]) -> FlowTurn:
    """What was asked outside has its answer, or will have none (callers check that it is the current question)."""
    match step := scene.step:
        case LookUp():
            target = {"found": step.found, "not_found": step.not_found}.get(verdict, step.failed)
        case Dialplan():
            target = step.next if verdict == "returned" else step.failed
            values = {name: value for name, value in values.items() if name in step.take}
        case Python():
            target = step.next if verdict == "next" else step.ways.get(verdict, step.failed)
            values = {name: value for name, value in values.items() if name in step.take}
        case _:
            return _still(scene, scene.position)
    scene = replace(scene, variables={**scene.variables, **values})
    return _enter(scene, target, ahead=scene.position.ahead)


def _still(scene: Scene, position: FlowPosition, *effects: Effect) -> FlowTurn:
    return FlowTurn(position=position, variables=scene.variables, language=scene.language, effects=effects)


def _enter(
    scene: Scene,
    name: StepName,
    *,
    ahead: str = "",
    attempt: int = 0,
    complaint: str | None = None,
    typing: bool = False,
) -> FlowTurn:
    """Run instant steps until one must wait; `complaint` is said before the step's own prompts."""
    before: list[Effect] = []
    path: list[Point] = []
    position: FlowPosition | None = _fresh(scene.position, Point(scene.position.flow, name))
    while position is not None:
        scene = replace(scene, position=position)
        path.append(Point(position.flow, position.step))
        if position.entered > STEPS_MAX or len(position.stack) > DEPTH_MAX:
            return _ended(scene, before, path, _too_far(position))
        step = scene.step
        if isinstance(step, Set):
            scene = replace(scene, variables={**scene.variables, **step.variables})
            if step.language is not None:
                scene = replace(scene, language=step.language)
                before.append(SpeakLanguage(step.language))
        if isinstance(step, GoTo) and step.line is not None:
            scene = replace(scene, variables={**scene.variables, "line": step.line})
        if isinstance(step, Answer):
            before.append(PickUp())
        if isinstance(step, Answer | Set | Branch | Call | GoTo | Return) or _passes(scene, step, ahead):
            position = _onward(scene, step)
            continue
        scene = replace(scene, position=replace(position, ahead=ahead, attempt=attempt, typing=typing))
        turn = _arrive(scene, step, (complaint,) if complaint else ())
        return replace(turn, effects=(*before, *turn.effects), path=(*path, *turn.path))
    return _ended(scene, before, path)  # it returns, and no flow called it


def _ended(scene: Scene, before: list[Effect], path: list[Point], flaw: str = "") -> FlowTurn:
    return replace(_still(scene, scene.position, *before, Finish(flaw)), path=tuple(path))


def _passes(scene: Scene, step: Step, ahead: str) -> bool:
    """Nobody stops here: the hours are over, or what would be said was interrupted before it began."""
    if isinstance(step, Enqueue):
        return bool(step.closed) and _hours(scene, step.calendar) != "open"
    return isinstance(step, Say) and bool(ahead) and step.barge_in


def _onward(scene: Scene, step: Step) -> FlowPosition | None:
    """Where a step that waits for nobody leads; None: out of all flows."""
    position = scene.position
    match step:
        case Branch():
            return _beside(position, step.cases.get(_asked(scene, step), step.otherwise))
        case Enqueue(closed=str() as closed):
            return _beside(position, closed)
        case Answer() | Set() | Say():
            return _beside(position, step.next)
        case Call():
            back = Point(position.flow, step.next)
            called = replace(position, stack=(*position.stack, back))
            return _fresh(called, Point(step.flow, scene.flows[step.flow].start))
        case GoTo():
            return _fresh(position, Point(step.flow, step.step or scene.flows[step.flow].start))
        case Return() if position.stack:
            return _fresh(replace(position, stack=position.stack[:-1]), position.stack[-1])
        case _:
            return None


def _beside(position: FlowPosition, step: StepName) -> FlowPosition:
    return _fresh(position, Point(position.flow, step))


def _fresh(position: FlowPosition, point: Point) -> FlowPosition:
    """At the beginning of a step."""
    return FlowPosition(flow=point.flow, step=point.step, stack=position.stack, entered=position.entered + 1)


def _too_far(position: FlowPosition) -> str:
    why = "flows call each other too deeply" if len(position.stack) > DEPTH_MAX else "it goes round for ever"
    return f"flow {position.flow}, step {position.step}: {why}"


def _arrive(scene: Scene, step: _Stop, first: tuple[str, ...]) -> FlowTurn:
    ahead = scene.position.ahead
    match step:
        case Menu() | Listen() | Rate() if ahead and not first:
            return _choose(scene, step, ahead[0], ahead[1:])
        case Collect() if ahead and not first:
            return _gather(scene, step, "", ahead)
        case AskCallback() if ahead and not first:
            return _answered(scene, step, ahead[0], ahead[1:])
        case AskCallback():
            return _ask(scene, step, first)
        case Enqueue() if (notice := scene.notice(step.queue)) and scene.variables.get(NOTICE) != TOLD:
            return _still(scene, replace(scene.position, play=scene.next_play), Speak((notice,)))
        case Enqueue():
            return _still(scene, scene.position, JoinQueue(step))
        case Voicemail() if not step.prompts:
            return _record(scene, step)
        case LookUp() | Python():
            limit_s = step.timeout_s if isinstance(step, Python) else scene.lookups[step.lookup].timeout_s
            deadline = scene.now + limit_s
            asked = replace(scene.position, inquiry=scene.next_inquiry, deadline=deadline)
            return _still(scene, asked, Inquire(step))
        case Dialplan() if not scene.lendable:
            return _enter(scene, step.failed, ahead=ahead)
        case Dialplan():
            return _still(scene, replace(scene.position, inquiry=scene.next_inquiry), Inquire(step))
        case Forward():
            return _still(scene, scene.position, ForwardTo(step))
        case HangUp() if not step.prompts:
            return _still(scene, scene.position, Finish(cause=step.cause))
        case Say() | Menu() | Listen() | Rate() | Collect() | Voicemail() | HangUp():
            items = first + filled(scene.variables, step.prompts)
            return _still(scene, replace(scene.position, play=scene.next_play), Speak(items))
        case _:
            assert_never(step)


def _choose(scene: Scene, question: Question, key: str, ahead: str) -> FlowTurn:
    match question:
        case Menu():
            target, variables = question.keys.get(key), {}  # type: ignore[call-overload]
        case Listen():
            name = next((name for name, choice in question.choices.items() if choice.key == key), None)
            target = question.choices[name].next if name is not None else None
            variables = {question.variable: name} if question.variable else {}
        case Rate():
            target = question.next if key in MARKS else None
            variables = {question.variable: key}
    if target is None:
        return _once_more(scene, question, question.invalid)
    turn = _enter(replace(scene, variables={**scene.variables, **variables}), target, ahead=ahead)
    if isinstance(question, Rate):
        return replace(turn, effects=(Rated(question.variable, int(key)), *turn.effects))
    return turn


def _gather(scene: Scene, step: Collect, digits: str, keys: str) -> FlowTurn:
    for position, key in enumerate(keys):
        if key == step.terminator:
            return _gathered(scene, step, digits, ahead=keys[position + 1 :])
        if not key.isdigit():
            return _once_more(scene, step, step.invalid)
        digits += key
        if len(digits) == step.max_digits:
            return _gathered(scene, step, digits, ahead=keys[position + 1 :])
    waiting = replace(
        scene.position, play=None, digits=digits, ahead="", deadline=scene.now + step.interdigit_timeout_s
    )
    return _still(scene, waiting)


def _gathered(scene: Scene, step: Collect, digits: str, ahead: str = "") -> FlowTurn:
    if len(digits) < step.min_digits:
        return _once_more(scene, step, step.invalid)
    variables = {**scene.variables, step.variable: digits}
    return _enter(replace(scene, variables=variables), step.next, ahead=ahead)


def _ask(scene: Scene, step: AskCallback, first: tuple[str, ...] = ()) -> FlowTurn:
    """Whether the number he calls from is the one; where it can be none, which one."""
    typing = scene.position.typing or _callable(scene, scene.variables.get("ani", "")) is None
    items = first + filled(scene.variables, step.number_prompts if typing else step.prompts)
    return _still(scene, replace(scene.position, typing=typing, play=scene.next_play), Speak(items))


def _answered(scene: Scene, step: AskCallback, key: str, ahead: str) -> FlowTurn:
    """A key while he is asked: his choice, or a digit of the number."""
    scene = replace(scene, position=replace(scene.position, ahead=""))
    own = _callable(scene, scene.variables.get("ani", ""))
    if scene.position.typing or own is None:
        return _type(scene, step, scene.position.digits, key + ahead)
    match key:
        case "1":
            return _promise(scene, step, own, ahead)
        case "2":
            scene = replace(scene, position=replace(scene.position, typing=True, attempt=0))
            return _type(scene, step, "", ahead) if ahead else _ask(scene, step)
        case "0":
            return _enter(scene, step.otherwise, ahead=ahead)
        case _:
            return _once_more(scene, step, step.invalid)


def _type(scene: Scene, step: AskCallback, digits: str, keys: str) -> FlowTurn:
    for position, key in enumerate(keys):
        if key == "#":
            return _number_typed(scene, step, digits, keys[position + 1 :])
        if not key.isdigit() or len(digits) == NUMBER_MAX:
            return _once_more(replace(scene, position=replace(scene.position, typing=True)), step, step.invalid)
        digits += key
    deadline = scene.now + step.interdigit_timeout_s
    return _still(scene, replace(scene.position, typing=True, play=None, digits=digits, deadline=deadline))


def _number_typed(scene: Scene, step: AskCallback, digits: str, ahead: str = "") -> FlowTurn:
    try:
        number = scene.callable(digits)
    except ValueError:
        return _enter(scene, step.refused, ahead=ahead)
    return _once_more(scene, step, step.invalid) if number is None else _promise(scene, step, number, ahead)


def _promise(scene: Scene, step: AskCallback, number: str, ahead: str) -> FlowTurn:
    turn = _enter(scene, step.next, ahead=ahead)
    return replace(turn, effects=(PromiseCallback(step, number), *turn.effects))


def _callable(scene: Scene, number: str) -> str | None:
    try:
        return scene.callable(number)
    except ValueError:
        return None


def _once_more(scene: Scene, step: Question | Collect | AskCallback, complaint: PromptName | None) -> FlowTurn:
    """A wrong key or silence: what was typed ahead was meant for another conversation, so it is dropped."""
    attempt = scene.position.attempt + 1
    if attempt > step.retries:
        return _enter(scene, step.otherwise)
    typing = scene.position.typing
    return _enter(scene, scene.position.step, attempt=attempt, complaint=complaint, typing=typing)


def _record(scene: Scene, step: Voicemail) -> FlowTurn:
    position = replace(scene.position, play=None, ahead="", recording=scene.next_recording)
    return _still(scene, position, Record(step))


def _asked(scene: Scene, step: Branch) -> str:
    """What a branch goes by."""
    if step.calendar is not None:
        return _hours(scene, step.calendar)
    return scene.language if step.variable == "language" else scene.variables.get(step.variable or "", "")


def _hours(scene: Scene, calendar: CalendarName | None) -> Hours:
    return hours_at(scene.calendars[calendar], scene.now) if calendar is not None else "open"


def filled(variables: Mapping[str, str], items: tuple[str, ...]) -> tuple[str, ...]:
    """`digits:{order}` with the caller's own digits; a prompt's name stays as it is."""
    return tuple(_filled(variables, item) for item in items)


def _filled(variables: Mapping[str, str], item: str) -> str:
    kind, colon, text = item.partition(":")
    if not colon:
        return item
    for name, value in variables.items():
        text = text.replace(f"{{{name}}}", value)
    return f"{kind}:{text}"
