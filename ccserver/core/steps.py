"""What a flow is made of: its steps as data, by name. What they do is in `flow`.

Steps are a tagged union on `do`, as in the flow's own file.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from ccserver.core.ids import (
    AgentId,
    CalendarName,
    FlowName,
    Language,
    LineNumber,
    LookupName,
    PromptName,
    QueueName,
    Skill,
    StepName,
)

Ending = Literal["normal", "busy", "reject"]
Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
CallFirst = Literal["agent", "customer"]
"""Of a callback: who is called first, an operator or the customer."""


class Say(Struct, frozen=True, tag_field="do", tag="say"):
    """Speak, then go on; a key interrupts when `barge_in` and is kept for the next menu."""

    prompts: tuple[str, ...]
    """Each a prompt's name, or `digits:<text>` / `number:<text>`; `{name}` in the text stands for a variable."""
    next: StepName
    barge_in: bool = True


class Menu(Struct, frozen=True, tag_field="do", tag="menu"):
    """Speak and wait for one key."""

    prompts: tuple[str, ...]
    keys: Mapping[Key, StepName]
    otherwise: StepName
    """Where to go after `retries` wrong keys or silences."""
    timeout_s: float = 5.0
    retries: int = 2
    invalid: PromptName | None = None
    silence: PromptName | None = None


class Collect(Struct, frozen=True, tag_field="do", tag="collect"):
    """Speak and gather digits into `variable`."""

    prompts: tuple[str, ...]
    variable: str
    next: StepName
    otherwise: StepName
    min_digits: int = 1
    max_digits: int = 20
    terminator: Literal["#", "*", ""] = "#"
    timeout_s: float = 5.0
    interdigit_timeout_s: float = 3.0
    retries: int = 2
    invalid: PromptName | None = None
    silence: PromptName | None = None
    secret: bool = False
    """The digits never reach a log or the journal's explanation."""


class Choice(Struct, frozen=True):
    """One answer that `listen` understands."""

    next: StepName
    key: Key | None = None
    words: Mapping[Language, tuple[str, ...]] = {}
    """Any of them, said in that language, is this choice, too: for whoever recognises speech."""


class Listen(Struct, frozen=True, tag_field="do", tag="listen"):
    """Speak and wait for one of the choices: by its key, and by what the caller says as soon as speech is recognised."""

    prompts: tuple[str, ...]
    choices: Mapping[str, Choice]
    otherwise: StepName
    variable: str | None = None
    """Takes the name of the choice."""
    timeout_s: float = 5.0
    retries: int = 2
    invalid: PromptName | None = None
    silence: PromptName | None = None


class Rate(Struct, frozen=True, tag_field="do", tag="rate"):
    """Speak and wait for a mark from 1 to 5: of a survey."""

    prompts: tuple[str, ...]
    next: StepName
    otherwise: StepName
    variable: str = "score"
    """Names the question, and takes the mark."""
    timeout_s: float = 5.0
    retries: int = 2
    invalid: PromptName | None = None
    silence: PromptName | None = None


class Answer(Struct, frozen=True, tag_field="do", tag="answer"):
    """Pick up, where that was put off; from here on the line's owner pays."""

    next: StepName


class Set(Struct, frozen=True, tag_field="do", tag="set"):
    """Set variables, and the contact's language when given."""

    next: StepName
    variables: Mapping[str, str] = {}
    language: Language | None = None


class Branch(Struct, frozen=True, tag_field="do", tag="branch"):
    """Go by the value of a variable (`line`, `ani` and `language` are always set), or by opening hours: one of the two."""

    variable: str | None
    cases: Mapping[str, StepName]
    """Of a calendar: `open`, `closed`, `holiday`."""
    otherwise: StepName
    calendar: CalendarName | None = None


class SkillNeed(Struct, frozen=True, order=True):
    """An agent must have `skill` at `level` or better (1 to 10)."""

    skill: Skill
    level: int = 1


class Stage(Struct, frozen=True):
    """After a wait of so long a contact asks for less."""

    after_s: float
    skills: tuple[SkillNeed, ...] = ()
    """Lowered to this level, where it asked for more; 0: not asked any more."""
    queues: tuple[QueueName, ...] = ()
    """Whose operators may take it, too."""


class Enqueue(Struct, frozen=True, tag_field="do", tag="queue"):
    """Wait for an agent; the flow ends here unless nobody comes within `max_wait_s`."""

    queue: QueueName
    skills: tuple[SkillNeed, ...] = ()
    """Needed besides the queue's own."""
    priority_s: float = 0.0
    """Seconds of credit on the time of queue entry."""
    priority_from: str | None = None
    """A variable with more of them; what is no number counts as nothing."""
    announce: tuple[str, ...] = ()
    """Said to who must wait; never delays an offer."""
    max_wait_s: float | None = None
    otherwise: StepName | None = None
    calendar: CalendarName | None = None
    closed: StepName | None = None
    """Where to go when the calendar closes, or is closed already; without: who waits at closing time is still served."""
    agent: AgentId | None = None
    """Nobody else may take him."""
    relax: tuple[Stage, ...] = ()
    """In place of the queue's own."""
    keys: Mapping[Key, StepName] = {}
    """Where a key leads who waits; his place is given up."""
    max_waiting: int | None = None
    full: StepName | None = None
    """Where to go who must wait and finds so many before him."""
    max_expected_s: float | None = None
    too_long: StepName | None = None
    """Where to go when the wait that is left is likely to be longer; asked when it begins, and now and then."""
    nobody: StepName | None = None
    nobody_after_s: float = 60.0
    """Where to go who must wait when nobody who could ever take him is logged in, and when the last of them has been gone so
    long."""


class Voicemail(Struct, frozen=True, tag_field="do", tag="voicemail"):
    """Speak, beep, record until `#`, silence or `max_s`."""

    prompts: tuple[str, ...]
    next: StepName
    max_s: int = 120
    silence_s: int = 5


class AskCallback(Struct, frozen=True, tag_field="do", tag="callback"):
    """Ask whether he wants to be called back, and at which number: `1` the one he calls from, `2` another, `0` not at all.

    Who comes here from a queue keeps his place in it; who comes from elsewhere takes one.
    """

    queue: QueueName
    prompts: tuple[str, ...]
    """`1` and `2` are explained by them; passed over when the number he calls from cannot be called."""
    number_prompts: tuple[str, ...]
    """He is to type a number and `#`."""
    next: StepName
    """It is promised; who hangs up from here on is called."""
    refused: StepName
    """The number that he typed may not be called."""
    otherwise: StepName
    """He does not want to, or gives no number; the place that he came from is still his if this leads back to it."""
    skills: tuple[SkillNeed, ...] = ()
    priority_s: float = 0.0
    first: CallFirst | None = None
    """None: as the queue has it."""
    timeout_s: float = 5.0
    interdigit_timeout_s: float = 4.0
    retries: int = 2
    invalid: PromptName | None = None
    silence: PromptName | None = None


class LookUp(Struct, frozen=True, tag_field="do", tag="lookup"):
    """Ask another computer; the caller hears `music` meanwhile, or silence, and his keys count afterwards."""

    lookup: LookupName
    found: StepName
    """With the fields of the answer in their variables."""
    not_found: StepName
    failed: StepName
    """No answer in time, or none that makes sense."""
    music: str = ""
    asks: tuple[str, ...] = ()
    """Variables that the question is made with,"""
    brings: tuple[str, ...] = ()
    """and those that the answer has: as the lookup says."""


class Dialplan(Struct, frozen=True, tag_field="do", tag="dialplan"):
    """Hand the caller to the admin's own dialplan, and take him back where it returns."""

    context: str
    next: StepName
    failed: StepName
    """There is no such place in the dialplan."""
    extension: str = "s"
    send: tuple[str, ...] = ()
    """Variables that the dialplan is told,"""
    take: tuple[str, ...] = ()
    """and those that it may set; no others."""


class Python(Struct, frozen=True, tag_field="do", tag="python"):
    """Ask a function of the admin's own."""

    function: str
    """`loyalty.level`: the function `level` of loyalty.py."""
    next: StepName
    failed: StepName
    """It raised something, returned nonsense, or took too long."""
    ways: Mapping[str, StepName] = {}
    """Where it may lead instead, by the name that it returns."""
    take: tuple[str, ...] = ()
    """Variables that it may set."""
    timeout_s: float = 2.0


class Forward(Struct, frozen=True, tag_field="do", tag="transfer"):
    """Connect the caller with somebody outside; nobody of ours is with them."""

    number: str
    """E.164."""
    otherwise: StepName
    """He is not reached, or may not be called."""
    ring_s: float = 30.0


class HangUp(Struct, frozen=True, tag_field="do", tag="hangup"):
    """Speak, then hang up: the caller was served by the flow alone."""

    prompts: tuple[str, ...] = ()
    cause: Ending = "normal"
    """What the network is told of a caller who has not been answered."""


class Call(Struct, frozen=True, tag_field="do", tag="call"):
    """Run another flow; where it says `return`, this one goes on at `next` with the variables as they are then."""

    flow: FlowName
    next: StepName


class GoTo(Struct, frozen=True, tag_field="do", tag="goto"):
    """Go on in another flow, and do not come back here: it returns to whoever called this one."""

    flow: FlowName
    step: StepName | None = None
    """None: where it starts."""
    line: LineNumber | None = None
    """He is that line's caller from here on, for the variable `line`."""


class Return(Struct, frozen=True, tag_field="do", tag="return"):
    """Back to the flow that called this one; where none did, hang up."""


Step = (
    Say
    | Menu
    | Listen
    | Rate
    | Collect
    | Answer
    | Set
    | Branch
    | Enqueue
    | Voicemail
    | AskCallback
    | LookUp
    | Dialplan
    | Python
    | Forward
    | HangUp
    | Call
    | GoTo
    | Return
)
Question = Menu | Listen | Rate
"""One key answers it."""
MARKS = "12345"
"""The keys that answer `rate`, the best last."""


class Flow(Struct, frozen=True):
    """A conversation as data: steps by name, beginning at `start`."""

    name: FlowName
    start: StepName
    steps: Mapping[StepName, Step]


class Point(Struct, frozen=True):
    """A step of a flow, among all flows."""

    flow: FlowName
    step: StepName


def reached(flows: Mapping[FlowName, Flow], begun: Iterable[FlowName]) -> tuple[FlowName, ...]:
    """The flows a caller may come to from these, themselves included; what does not exist is left out."""
    found: dict[FlowName, None] = {}
    waiting = [name for name in begun if name in flows]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            steps = flows[name].steps.values()
            waiting += [step.flow for step in steps if isinstance(step, Call | GoTo) and step.flow in flows]
    return tuple(found)


def related(flows: Mapping[FlowName, Flow], name: FlowName) -> tuple[Flow, ...]:
    """The flows that share a call with this one, itself included: those it leads to, those that lead to it, and theirs."""
    beginnings = [each for each in flows if name in reached(flows, [each])]
    return tuple(flows[each] for each in reached(flows, beginnings))
