"""`ccserver check --call NUMBER --at TIME --keys 1,0`: one journey, walked by the interpreter that serves real callers.

He listens to the end, then presses: what stands between two commas at each question, and nothing once all is pressed. How long
something is said is estimated by its text; pauses are those of the flow. No lookup asks anybody, and nobody goes to the dialplan:
what they bring stands in their place among the keys (`failed`, `not_found`, `status=sent`); nothing means that all is well.
Nobody answers either, unless `talk` stands there: then what follows is pressed in the survey.
"""

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import assert_never, get_args

from ccserver.config.called import AskedCall, calendar_state, call_of, opening
from ccserver.config.errors import QuestionError, listed, shown
from ccserver.config.explain import (
    KEY_NAMES,
    asking_function,
    connecting,
    lent,
    looking_up,
    quoted,
    survey_of,
    waiting,
)
from ccserver.config.journeys import Spot
from ccserver.config.load import Config
from ccserver.core import flow, recording
from ccserver.core.admission import ANONYMOUS
from ccserver.core.answering import NEEDED
from ccserver.core.calendar import hours_at, zone
from ccserver.core.contact import FlowPosition
from ccserver.core.flow import (
    Finish,
    FlowTurn,
    ForwardTo,
    Hush,
    Inquire,
    JoinQueue,
    PickUp,
    PromiseCallback,
    Rated,
    Record,
    Scene,
    Speak,
    SpeakLanguage,
)
from ccserver.core.ids import FlowName, PlayId, RecordingName
from ccserver.core.lookup import FieldKind
from ccserver.core.numbers import e164
from ccserver.core.steps import (
    MARKS,
    AskCallback,
    Branch,
    Call,
    Collect,
    Dialplan,
    Enqueue,
    GoTo,
    Key,
    Listen,
    LookUp,
    Menu,
    Point,
    Python,
    Question,
    Rate,
    Return,
    Set,
    Step,
    Voicemail,
)
from ccserver.core.tolls import number_refusal

PRESS_S = 1.0
"""After the question, and between two keys."""
LETTERS_PER_S = 13.0
"""Of a voice that takes its time."""
TURNS_MAX = 500
_KEYS = frozenset(get_args(Key))
TALK = "talk"
"""Among the keys, where he waits: somebody answers, and when they have talked he is asked how it was."""
_ANSWERS = frozenset({"failed", "not_found", "found", "returned", "next"})
_VALUE = re.compile(r"[a-z][a-z0-9_]*=[^,]*")
"""What stands among the keys for who is asked outside, besides the ways of a function."""
EXAMPLES: dict[FieldKind, str] = {
    "text": "text",
    "number": "2",
    "money": "1250.00",
    "date": "2026-12-31",
    "time": "14:30",
    "digits": "123456",
    "phone": "+79161234567",
    "flag": "yes",
}
"""What a lookup brings that nobody is asked for."""


def walk_call(config: Config, number: str, at: str | None, keys: str, caller: str | None = None) -> str:
    """The story of that journey in lines; raises `QuestionError` for keys that are none, and as `call_of` does.

    `keys`: groups of keys with commas between them, `1,12345#`; empty: he presses nothing.
    """
    call = call_of(config, number, at, caller)
    if call.entered is None:
        return "\n".join(opening(config, call))
    groups = _groups(keys, _answers(config))
    journey = _Journey(config, call, call.entered, groups)
    pressed = f"He presses {', then '.join(groups)}." if groups else "He presses nothing."
    return "\n".join([*opening(config, call), pressed, "", *journey.told()])


def _answers(config: Config) -> frozenset[str]:
    """Words that may stand among the keys for who is asked outside: a function has its own."""
    steps = [step for each in config.plan.flows.values() for step in each.steps.values() if isinstance(step, Python)]
    return _ANSWERS.union(*(step.ways for step in steps))


def _groups(keys: str, answers: frozenset[str]) -> list[str]:
    groups = [group.strip() for group in keys.split(",")] if keys.strip() else []
    for group in groups:
        if not group or not (set(group) <= _KEYS or group == TALK or group in answers or _VALUE.fullmatch(group)):
            got = shown(group) if group else "nothing between two commas"
            message = (
                f"expected keys like 1,0 or 1,12345# (0 to 9, * and #; for a lookup: failed, status=sent), got {got}"
            )
            raise QuestionError(message)
    return groups


def _in_number(step: Collect, key: str) -> str:
    if key == step.terminator:
        return "which ends the number"
    return f"a digit of {step.variable}" if key.isdigit() else "which is no digit"


def _answer(step: Listen | Rate, key: str) -> str:
    if isinstance(step, Rate):
        return f"a mark, as {step.variable}" if key in MARKS else "no mark from 1 to 5"
    return next((name for name, choice in step.choices.items() if choice.key == key), "which is no choice")


def _is_answer(step: LookUp | Dialplan | Python, group: str) -> bool:
    ways = step.ways if isinstance(step, Python) else ()
    return group in _ANSWERS or group in ways or _VALUE.fullmatch(group) is not None


class _Journey:
    def __init__(self, config: Config, call: AskedCall, entered: FlowName, groups: list[str]) -> None:
        self._config = config
        self._line = line = call.line
        self._answered = line.answer == "at_once"
        self._answering = NEEDED[line.answer]
        self._flows = config.plan.flows
        self._began = self._now = call.at.timestamp()
        self._groups = deque(groups)
        self._position = FlowPosition(flow=entered, step=self._flows[entered].start)
        self._variables = {"line": str(line.number), "ani": call.ani or ANONYMOUS}
        self._language = call.language
        self._line_flow = entered
        self._ended = False

    def told(self) -> Iterator[str]:
        """Line by line."""
        yield from self._follow(flow.begin(self._scene()))
        for _ in range(TURNS_MAX):
            if self._ended:
                break
            yield from self._go_on()
        else:
            yield f"{self._clock()}  and so on: he has not come to an end after {TURNS_MAX} turns"
        if self._groups:
            yield f"{' ' * 7}Nobody asked for the rest of his keys: {', then '.join(self._groups)}."

    def _go_on(self) -> Iterator[str]:
        """What happens next where the flow waits: the end of what is said, a key, silence, the end of a message."""
        position = self._position
        step = self._at
        if position.play is not None:
            yield from self._follow(flow.play_finished(self._scene()))
        elif isinstance(step, LookUp | Dialplan | Python):
            yield from self._asked_outside(step)
        elif (
            isinstance(step, Question | Collect | AskCallback)
            and self._groups
            and not (position.digits and position.deadline)
        ):
            yield from self._press(self._groups.popleft(), step)
        elif position.deadline is not None:
            quiet_s = position.deadline - self._now
            self._now = position.deadline
            yield f"{self._clock()}  presses nothing {'more ' if position.digits else ''}for {quiet_s:g} s"
            yield from self._follow(flow.time_up(self._scene()))
        elif isinstance(step, Voicemail):
            self._now += step.max_s
            ends = f"# or {step.silence_s} s of silence would have ended it"
            yield f"{self._clock()}  has spoken for {step.max_s} s, the most there is; {ends}"
            yield from self._follow(flow.recorded(self._scene()))
        else:  # nothing that could still happen: the plan was checked, so this is the end of a journey
            self._ended = True

    def _asked_outside(self, step: LookUp | Dialplan | Python) -> Iterator[str]:
        """What he says it brings; without a word, what its fields are for."""
        told = self._groups.popleft() if self._groups and _is_answer(step, self._groups[0]) else ""
        usual = {LookUp: "found", Dialplan: "returned"}.get(type(step), "next")
        verdict = usual if not told or "=" in told else told
        values = {} if verdict in ("failed", "not_found") else self._brought(step)
        while "=" in told:
            name, _, value = told.partition("=")
            if name not in values:
                raise QuestionError(
                    f"step {self._position.step} has no field {name}; it has {listed(values) or 'none'}"
                )
            values[name] = value
            told = self._groups.popleft() if self._groups and "=" in self._groups[0] else ""
        brought = listed(f"{name} = {shown(value)}" for name, value in values.items())
        supposed = f"supposed: {verdict.replace('_', ' ')}{f', with {brought}' if brought else ''}"
        yield f"{self._clock()}  {self._position.step}: {supposed}"
        yield from self._follow(flow.answered(self._scene(), verdict, values))

    def _brought(self, step: LookUp | Dialplan | Python) -> dict[str, str]:
        if isinstance(step, Dialplan | Python):
            return dict.fromkeys(step.take, "")
        return {name: EXAMPLES[field.kind] for name, field in self._config.plan.lookups[step.lookup].fields.items()}

    def _question(self, step: LookUp | Dialplan | Python) -> str:
        match step:
            case LookUp():
                return next(looking_up(self._config, step))
            case Dialplan():
                return next(lent(step))
            case Python():
                return next(asking_function(step))

    def _press(self, group: str, question: Question | Collect | AskCallback) -> Iterator[str]:
        for number, key in enumerate(group):
            self._now += PRESS_S
            step = self._at
            name = f"{key} ({KEY_NAMES[key]})" if key in KEY_NAMES else key
            if isinstance(step, Menu):
                leads = "" if key in step.keys else f", which leads nowhere: the menu has {listed(step.keys)}"
                yield f"{self._clock()}  presses {name}{leads}"
            elif isinstance(step, Listen | Rate):
                yield f"{self._clock()}  presses {name}: {_answer(step, key)}"
            elif isinstance(step, Collect):
                yield f"{self._clock()}  presses {name}, {_in_number(step, key)}"
            else:
                yield f"{self._clock()}  presses {name} at step {self._name(Point(self._position.flow, self._position.step))}"
            turn = flow.key_pressed(self._scene(), key)  # type: ignore[arg-type]
            yield from self._follow(turn)
            if self._ended:
                if rest := group[number + 1 :]:
                    self._groups.appendleft(rest)
                return

    def _follow(self, turn: FlowTurn) -> Iterator[str]:
        """Where the turn led, and what the caller notices of it."""
        for point in turn.path:
            name, step = self._name(point), self._flows[point.flow].steps[point.step]
            match step:
                case Branch():
                    yield f"{self._clock()}  {name}: {self._asked(step, turn)}"
                case Set() if step.variables:
                    values = listed(f"{variable} = {shown(value)}" for variable, value in step.variables.items())
                    yield f"{self._clock()}  {name}: {values}"
                case Enqueue() if step.closed is not None and step.calendar is not None and turn.path[-1] != point:
                    yield f"{self._clock()}  {name}: {self._state(step.calendar)}"
                case Call() | GoTo():
                    yield f"{self._clock()}  {name}: on to the flow {step.flow}"
                case Return():
                    yield f"{self._clock()}  {name}: back"
        self._position = turn.position
        self._variables, self._language = dict(turn.variables), turn.language
        here = self._name(Point(turn.position.flow, turn.position.step))
        for effect in turn.effects:
            match effect:
                case Speak():
                    yield from self._picked_up(isinstance(self._scene().step, self._answering))
                    heading = f"{self._clock()}  {here}: " if turn.path else f"{self._clock()}  "
                    for item in effect.items:
                        yield f"{heading}hears {self._quoted(item)}"
                        heading = " " * len(heading)
                        self._now += max(1.0, len(self._config.prompts.text(item, self._language)) / LETTERS_PER_S)
                case SpeakLanguage():
                    yield f"{' ' * 7}is spoken to in {effect.language} from here on"
                case PickUp():
                    yield from self._picked_up(True)
                case Record():
                    yield from self._picked_up(True)
                    yield f"{self._clock()}  {here}: hears a beep and speaks"
                case JoinQueue():
                    yield from self._queued(effect.step)
                case Inquire():
                    yield f"{self._clock()}  {here}: {self._question(effect.step)}"
                case ForwardTo():
                    heading = f"{self._clock()}  {here}: "
                    for sentence in connecting(effect.step):
                        yield f"{heading}{sentence}"
                        heading = " " * 7
                    self._ended = True
                case PromiseCallback():
                    yield f"{self._clock()}  is promised to be called back at {effect.number}, in queue {effect.step.queue}"
                case Finish():
                    told = effect.flaw or ("" if effect.cause == "normal" else effect.cause)
                    why = f" ({told})" if told else ""
                    unpaid = "" if self._answered else " Nobody was answered, nobody pays."
                    yield f"{self._clock()}  {here}: is hung up on{why}. The end.{unpaid}"
                    self._ended = True
                case Hush() | Rated():
                    pass
                case _:
                    assert_never(effect)

    def _picked_up(self, needed: bool) -> Iterator[str]:
        if needed and not self._answered:
            self._answered = True
            yield f"{self._clock()}  is answered: from here on the line's owner pays"

    def _queued(self, step: Enqueue) -> Iterator[str]:
        spot = Spot(flow=self._position.flow, step=self._position.step, language=self._language)
        heading = f"{self._clock()}  {self._name(Point(spot.flow, spot.step))}: "
        for sentence in waiting(self._config, self._line, spot, step):
            yield f"{heading}{sentence}"
            heading = " " * 7
        if self._groups and (target := step.keys.get(self._groups[0][0])) is not None:  # type: ignore[call-overload]
            group = self._groups.popleft()
            if rest := group[1:]:
                self._groups.appendleft(rest)
            self._now += PRESS_S
            yield f"{self._clock()}  presses {group[0]} and gives up his place"
            self._ended = False
            yield from self._follow(flow.go(self._scene(), target))
        elif self._groups and self._groups[0] == TALK:
            self._groups.popleft()
            yield from self._talked(survey_of(self._config.plan.queues[step.queue], self._line))
        else:
            self._ended = True

    def _talked(self, survey: FlowName | None) -> Iterator[str]:
        """Somebody has answered him, and hung up after the talk."""
        yield from self._picked_up(True)
        yield f"{self._clock()}  talks with an operator, who hangs up"
        if survey is None:
            yield f"{self._clock()}  is hung up on: nobody asks how it was. The end."
            self._ended = True
            return
        self._position = FlowPosition(flow=survey, step=self._flows[survey].start)
        yield from self._follow(flow.begin(self._scene()))

    @property
    def _at(self) -> Step:
        return self._flows[self._position.flow].steps[self._position.step]

    def _name(self, point: Point) -> str:
        """Of a step in the line's own flow, its name alone."""
        return point.step if point.flow == self._line_flow else f"{point.flow}.{point.step}"

    def _quoted(self, item: str) -> str:
        return quoted(self._config, self._language, item)

    def _asked(self, step: Branch, turn: FlowTurn) -> str:
        if step.calendar is not None:
            return self._state(step.calendar)
        value = turn.language if step.variable == "language" else turn.variables.get(step.variable or "", "")
        return f"{step.variable} is {shown(value)}"

    def _state(self, calendar: str) -> str:
        """Open or not at this moment."""
        found = self._config.plan.calendars[calendar]  # type: ignore[index]
        there = datetime.fromtimestamp(self._now, zone(found.timezone))
        return f"the calendar {calendar} is {hours_at(found, self._now)} ({calendar_state(found, there)})"

    def _scene(self) -> Scene:
        return Scene(
            flows=self._flows,
            position=self._position,
            variables=self._variables,
            language=self._language,
            calendars=self._config.plan.calendars,
            now=self._now,
            next_play=PlayId("play"),
            next_recording=RecordingName("voicemail"),
            lookups=self._config.plan.lookups,
            notice=partial(recording.notice, self._config.plan, self._line.number),
            callable=self._callable,
        )

    def _callable(self, number: str) -> str | None:
        """As `core.promising` has it."""
        public = e164(number, self._config.plan.rules.region)
        if public is not None and (refusal := number_refusal(self._config.plan, public)):
            raise ValueError(refusal.why)
        return public

    def _clock(self) -> str:
        """Since the call began."""
        minutes, seconds = divmod(int(self._now - self._began), 60)
        return f"{minutes:2}:{seconds:02}"
