"""`ccserver check --call NUMBER --at TIME`: what would happen to a call, in words, by the configuration alone.

Lists every step that the caller could come to, in the order in which he could, with what he would hear and who could
answer him. Nobody is called and nothing runs.
"""

from collections.abc import Iterator
from typing import assert_never

from ccserver import spoken
from ccserver.config.called import calendar_state, call_of, opening
from ccserver.config.errors import listed, shown
from ccserver.config.exits import exit_sentences
from ccserver.config.journeys import Journeys, Spot, journeys
from ccserver.config.load import Config
from ccserver.config.serving import able, all_needs
from ccserver.core.calendar import hours_at
from ccserver.core.ids import FlowName
from ccserver.core.matching import Ability, Need
from ccserver.core.matching import able as may_serve
from ccserver.core.needing import asking, eased, speaking
from ccserver.core.plan import Line, Queue
from ccserver.core.steps import (
    Answer,
    AskCallback,
    Branch,
    Call,
    Choice,
    Collect,
    Dialplan,
    Ending,
    Enqueue,
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
    SkillNeed,
    Step,
    Voicemail,
    reached,
)

KEY_NAMES = {"*": "star", "#": "hash"}
ENDINGS: dict[Ending, str] = {
    "normal": "Hangs up.",
    "busy": "Hangs up; who has not been answered gets the busy tone, and nobody pays.",
    "reject": "Hangs up; who has not been answered is rejected, and nobody pays.",
}
HOW_SAID = {
    "digits": "digit by digit",
    "number": "as a number",
    "money": "as an amount",
    "date": "as a date",
    "time": "as a time of day",
    "phone": "as a telephone number",
}
"""Variables that are spoken."""


def explain_call(config: Config, number: str, at: str | None = None, caller: str | None = None) -> str:
    """The story of a call in lines; raises `QuestionError` as `call_of` does, which tells what may be given."""
    call = call_of(config, number, at, caller)
    flows, entered = config.plan.flows, call.entered
    if entered is None:
        return "\n".join(opening(config, call))
    hours = {name: hours_at(calendar, call.at.timestamp()) for name, calendar in config.plan.calendars.items()}
    first = (entered, call.line.number, call.language)
    ways = journeys(flows, [first], hours)
    asked_after = dict.fromkeys((survey, spot.language) for spot, survey in _surveys(config, call.line, ways))
    if asked_after:
        ways = journeys(flows, [first, *((name, call.line.number, language) for name, language in asked_after)], hours)
    asked = dict.fromkeys(
        step.calendar
        for name in reached(flows, [entered])
        for step in flows[name].steps.values()
        if isinstance(step, Branch | Enqueue) and step.calendar is not None
    )
    story = [*opening(config, call), *(calendar_state(config.plan.calendars[name], call.at) for name in asked)]
    for language in dict.fromkeys(spot.language for spot in ways.ways):
        # What is known of variables makes spots of one step; a reader wants the step once.
        spots = {Point(spot.flow, spot.step): spot for spot in ways.ways if spot.language == language}
        for spot in spots.values():
            elsewhere = f" of {spot.flow}" if spot.flow != entered else ""
            story += ["", f"{spot.step}{elsewhere}, in {language}:"]
            step = flows[spot.flow].steps[spot.step]
            story += (f"    {sentence}" for sentence in _step(config, call.line, spot, step, ways))
    return "\n".join(story)


def _surveys(config: Config, line: Line, ways: Journeys) -> Iterator[tuple[Spot, FlowName]]:
    """Where he may come to talk with somebody, and what asks him afterwards how it was."""
    for spot in ways.ways:
        step = config.plan.flows[spot.flow].steps[spot.step]
        if isinstance(step, Enqueue) and (survey := survey_of(config.plan.queues[step.queue], line)) is not None:
            yield spot, survey


def survey_of(queue: Queue, line: Line) -> FlowName | None:
    """As `core.surveying` has it: the queue's, or the line's."""
    return queue.survey or line.survey


def _step(config: Config, line: Line, spot: Spot, step: Step, ways: Journeys) -> Iterator[str]:
    match step:
        case Say():
            yield from _says(config, spot, step.prompts)
            keys = "A key cuts it short and counts for the next menu." if step.barge_in else "Keys do not cut it short."
            yield f"{keys} Then: {step.next}."
        case Menu():
            yield from _says(config, spot, step.prompts)
            yield from (
                f"{key} ({KEY_NAMES[key]}): {to}" if key in KEY_NAMES else f"{key}: {to}"
                for key, to in step.keys.items()
            )
            yield from _again(config, spot, step)
        case Listen():
            yield from _says(config, spot, step.prompts)
            yield from (_choice(name, choice) for name, choice in step.choices.items())
            yield from _again(config, spot, step)
        case Rate():
            yield from _says(config, spot, step.prompts)
            yield f"Takes a mark from 1 to 5 as {step.variable}. Then: {step.next}."
            yield from _again(config, spot, step)
        case Collect():
            yield from _says(config, spot, step.prompts)
            yield _collecting(step)
            yield from _again(config, spot, step)
        case Set():
            values = [f"{name} = {shown(value)}" for name, value in step.variables.items()]
            language = [f"the language {step.language}"] if step.language else []
            yield f"Sets {listed([*values, *language]) or 'nothing'}. Then: {step.next}."
        case Branch():
            yield from _branching(spot, step, ways)
        case Enqueue():
            yield from waiting(config, line, spot, step)
        case AskCallback():
            yield from _asking(config, spot, step)
        case LookUp():
            yield from looking_up(config, step)
        case Dialplan():
            yield from lent(step)
        case Forward():
            yield from connecting(step)
        case Python():
            yield from asking_function(step)
        case Voicemail():
            yield from _says(config, spot, step.prompts)
            yield f"Records a message until #, {step.silence_s} s of silence or {step.max_s} s. Then: {step.next}."
        case HangUp():
            yield from _says(config, spot, step.prompts)
            yield ENDINGS[step.cause]
        case Answer():
            yield f"Answers, if nobody has. Then: {step.next}."
        case Call():
            yield f"Runs the flow {step.flow}. Then: {step.next}."
        case GoTo():
            yield f"Goes on in the flow {step.flow}" + (f", at {step.step}." if step.step else ".")
        case Return():
            ends = {f"{spot.stack[-1].step} of {spot.stack[-1].flow}" for spot in _spots(spot, ways) if spot.stack}
            yield f"Back to {listed(sorted(ends))}." if ends else "No flow has called this one: hangs up."
        case _:
            assert_never(step)


def _says(config: Config, spot: Spot, items: tuple[str, ...]) -> Iterator[str]:
    yield from (f"Says {quoted(config, spot.language, item)}" for item in items)


def quoted(config: Config, language: str, item: str) -> str:
    """What is said, with the prompt's name."""
    kind, _, text = item.partition(":")
    if kind in HOW_SAID and ("{" in item or kind in spoken.ASTERISKS_OWN):
        return f"{text} {HOW_SAID[kind]}."
    return f"“{config.prompts.text(item, language)}” ({item})"


def _asking(config: Config, spot: Spot, step: AskCallback) -> Iterator[str]:
    yield from _says(config, spot, step.prompts)
    yield f"1: called back at the number he calls from, in his place in queue {step.queue}: {step.next}."
    yield "2, or when that number cannot be called: he types another, and #."
    yield from _says(config, spot, step.number_prompts)
    yield f"A number that tolls do not let out: {step.refused}."
    yield f"0: {step.otherwise}."
    yield from _again(config, spot, step)
    first = step.first or config.plan.queues[step.queue].callback_first
    who = "an operator is called first, then the customer" if first == "agent" else "the customer is called first"
    yield f"When it is his turn, {who}."


def looking_up(config: Config, step: LookUp) -> Iterator[str]:
    """Who is asked, how long he is waited for, and what comes of it."""
    lookup = config.plan.lookups[step.lookup]
    heard = f"music ({step.music})" if step.music else "silence"
    yield f"Asks {lookup.name} ({lookup.url}); the caller hears {heard}, {lookup.timeout_s:g} s at most."
    brought = f", with {listed(step.brings)}" if step.brings else ""
    yield f"Found{brought}: {step.found}."
    yield f"Not found: {step.not_found}."
    yield f"No answer in time, or none that makes sense: {step.failed}."


def lent(step: Dialplan) -> Iterator[str]:
    """Where he goes in the dialplan, and what comes of it."""
    told = f", which is told {listed(step.send)}" if step.send else ""
    yield f"Goes to extension {step.extension} of the dialplan's context {step.context}{told}; what he hears there is its matter."
    yield f"Where it returns{f', with {listed(step.take)}' if step.take else ''}: {step.next}."
    yield f"There is no such place: {step.failed}."


def asking_function(step: Python) -> Iterator[str]:
    """Which function decides, and where it may lead."""
    taken = f", which may set {listed(step.take)}" if step.take else ""
    yield f"Asks the function {step.function}{taken}, for {step.timeout_s:g} s at most."
    yield from (f"It says {name}: {to}." for name, to in step.ways.items())
    yield f"It says nothing else: {step.next}."
    yield f"It fails, or takes longer: {step.failed}."


def connecting(step: Forward) -> Iterator[str]:
    """Who is called for him, and what if he is not reached."""
    yield f"Calls {step.number}, by the trunks and within the tolls; the caller hears music, and talks with him when he answers."
    yield f"Not let out, busy, or no answer within {step.ring_s:g} s of ringing: {step.otherwise}."


def _again(config: Config, spot: Spot, step: Question | Collect | AskCallback) -> Iterator[str]:
    for what, prompt in (("A wrong key", step.invalid), (f"{step.timeout_s:g} s without a key", step.silence)):
        remark = (
            f"says {quoted(config, spot.language, prompt)} and asks again" if prompt and step.retries else "asks again"
        )
        if step.retries:
            yield f"{what}: {remark}."
    times = {0: "A wrong key or silence", 1: "The second time"}.get(
        step.retries, f"After {step.retries + 1} such failures"
    )
    yield f"{times}: {step.otherwise}."


def _choice(name: str, choice: Choice) -> str:
    key = f"{choice.key} ({KEY_NAMES[choice.key]})" if choice.key in KEY_NAMES else choice.key
    return f"{key or 'no key'}, {name}: {choice.next}"


def _collecting(step: Collect) -> str:
    if step.min_digits == step.max_digits:
        count = f"{step.max_digits} digit{'s' if step.max_digits > 1 else ''}"
    else:
        count = f"{step.min_digits} to {step.max_digits} digits"
    end = f"; {step.terminator} or" if step.terminator else ";"
    secret = " They are secret and never logged." if step.secret else ""
    pause = f"{step.interdigit_timeout_s:g} s without another ends them."
    return f"Takes {count} as {step.variable}{end} {pause}{secret} Then: {step.next}."


def _branching(spot: Spot, step: Branch, ways: Journeys) -> Iterator[str]:
    choices = {way.why: way.to.step for other in _spots(spot, ways) for way in ways.ways[other]}
    for why, to in choices.items():
        subject = f"the calendar {step.calendar}" if step.calendar is not None else step.variable
        condition = f"{subject} is {shown(why.removeprefix('cases.'))}" if why.startswith("cases.") else "otherwise"
        yield f"If {condition}: {to}." if condition != "otherwise" else f"Otherwise: {to}."


def _spots(spot: Spot, ways: Journeys) -> Iterator[Spot]:
    """All of the same step in the same language."""
    same = (spot.flow, spot.step, spot.language)
    return (other for other in ways.ways if (other.flow, other.step, other.language) == same)


def waiting(config: Config, line: Line, spot: Spot, step: Enqueue) -> Iterator[str]:
    """What happens in the queue, and who could answer."""
    queue = config.plan.queues[step.queue]
    yield f"Waits in queue {queue.name} ({queue.title}) for an operator{_skilled(queue, step.skills)}."
    if credit_s := queue.priority_s + step.priority_s:
        yield f"Is served as if waiting {credit_s:g} s longer than it is."
    operators = able(config.plan, queue, step.skills)
    if step.agent is not None:
        operators = tuple(each for each in config.plan.operators.values() if each.extension == step.agent)
    names = listed((f"{operator.extension} {operator.name}" for operator in operators), 30)
    yield f"{len(operators)} could take it when ready: {names}."
    yield from _relaxing(config, queue, step, spot)
    yield f"A phone rings {queue.ring_timeout_s:g} s at most; {_recorded(queue)}."
    yield from (f"Who must wait hears {quoted(config, spot.language, item)}" for item in step.announce)
    yield from exit_sentences(step)
    if (survey := survey_of(queue, line)) is not None:
        yield f"When the operator has hung up, the flow {survey} asks how it was."


def _recorded(queue: Queue) -> str:
    told = {"never": "the talk is not recorded", "on_demand": "the talk is recorded when the operator asks for it"}
    return told.get(str(queue.record), "the talk is recorded")


def _relaxing(config: Config, queue: Queue, step: Enqueue, spot: Spot) -> Iterator[str]:
    """What is asked of the operators besides, and what is not any more when he has waited longer."""
    plan = config.plan
    if (spoken := speaking(plan, queue, spot.language)) is not None:
        wish = f"at most {queue.language_wait_s:g} s long" if queue.language == "preferred" else "however long it takes"
        yield f"One with {spoken.skill} at {spoken.level} or better is waited for, {wish}."
    asked = asking(plan, queue, spot.language, 0.0, skills=step.skills, relax=step.relax)
    need = Need(queue.name, asked["needs"])
    for stage in asked["stages"]:
        need = eased(need, stage)
        able_then = sum(may_serve(need, Ability.of(operator)) for operator in plan.operators.values())
        yield f"After {stage.after_s:g} s {able_then} could take it."


def _skilled(queue: Queue, extra: tuple[SkillNeed, ...]) -> str:
    needs = [f"{need.skill} at {need.level} or better" for need in all_needs(queue, extra)]
    return f" with {' and '.join(needs)}" if needs else ""
