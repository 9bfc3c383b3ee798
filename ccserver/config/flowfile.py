"""What may be written in a flow's file: its steps as types, with the bounds and words of each field.

As in `schema`: the types say what one field expects; what must fit together is in `flowcheck`. A field has the name and default
of its counterpart in `core.steps`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ccserver.config.schema import LanguageCode, Name, Prompt, Seconds, Skills, Stage, Timeout, Variable
from ccserver.core.steps import CallFirst, Ending, Key
from ccserver.spoken.items import CURRENCIES

_VALUE = r"\{[a-z][a-z0-9_]*\}"
_ITEM = (
    rf"\A(?:[a-z0-9]+(?:-[a-z0-9]+)*|digits:(?:[0-9*#]|{_VALUE})+|number:-?(?:[0-9]|{_VALUE})+"
    rf"|money:-?(?:[0-9.,]|{_VALUE})+(?: (?:{'|'.join(CURRENCIES)}|{_VALUE}))?|date:(?:[0-9-]|{_VALUE})+"
    rf"|time:(?:[0-9:]|{_VALUE})+|phone:(?:[+0-9]|{_VALUE})+)\Z"
)

Item = Annotated[
    str,
    Meta(
        pattern=_ITEM,
        max_length=200,
        description="the name of a prompt, or digits:, number:, money:, date:, time: or phone: with a value or {variables}",
    ),
]
NAME_OR_NONE = r"\A(?:|[A-Za-z][A-Za-z0-9_-]{0,39})\Z"
Items = tuple[Item, ...]
SomeItems = Annotated[tuple[Item, ...], Meta(min_length=1, description="an array of at least one prompt")]
Value = Annotated[
    str, Meta(max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z", description="a text of at most 200 characters")
]
Place = Annotated[
    str,
    Meta(
        pattern=r"\A[A-Za-z0-9_+*#-]{1,79}\Z",
        description="a context or an extension of the dialplan: Latin letters, digits, _, +, *, # or -",
    ),
]
Word = Annotated[
    str,
    Meta(
        min_length=1, max_length=100, pattern=r"\A[^\x00-\x1f\x7f]+\Z", description="a word, or a few, as one says them"
    ),
]
KeyTimeout = Annotated[float, Meta(gt=0, le=120, description="seconds above 0, at most 120")]
Retries = Annotated[int, Meta(ge=0, le=20, description="a whole number from 0 to 20")]
DigitCount = Annotated[int, Meta(ge=1, le=64, description="a whole number from 1 to 64")]
KeyName = Annotated[Key, Meta(description="a key of the phone: 0 to 9, * or #")]


class _Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="do"):
    pass


class Say(_Step, frozen=True, tag="say"):
    """Speak, then go on."""

    prompts: SomeItems
    next: Name
    barge_in: bool = True


class Menu(_Step, frozen=True, tag="menu"):
    """Speak and wait for one key."""

    prompts: SomeItems
    keys: Annotated[dict[KeyName, Name], Meta(min_length=1, description="a table of at least one key and its step")]
    otherwise: Name
    timeout_s: KeyTimeout = 5.0
    retries: Retries = 2
    invalid: Prompt | None = None
    silence: Prompt | None = None


class Collect(_Step, frozen=True, tag="collect"):
    """Speak and gather digits."""

    prompts: SomeItems
    variable: Variable
    next: Name
    otherwise: Name
    min_digits: DigitCount = 1
    max_digits: DigitCount = 20
    terminator: Literal["#", "*", ""] = "#"
    timeout_s: KeyTimeout = 5.0
    interdigit_timeout_s: KeyTimeout = 3.0
    retries: Retries = 2
    invalid: Prompt | None = None
    silence: Prompt | None = None
    secret: bool = False


class Choice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[steps.<name>.choices.<choice>]`: one answer that is understood."""

    next: Name
    key: KeyName | None = None
    words: dict[LanguageCode, tuple[Word, ...]] = {}


class Listen(_Step, frozen=True, tag="listen"):
    """Speak and wait for one of the choices."""

    prompts: SomeItems
    choices: Annotated[dict[Name, Choice], Meta(min_length=1, description="a table of at least one choice")]
    otherwise: Name
    variable: Variable | None = None
    timeout_s: KeyTimeout = 5.0
    retries: Retries = 2
    invalid: Prompt | None = None
    silence: Prompt | None = None


class Rate(_Step, frozen=True, tag="rate"):
    """Speak and wait for a mark from 1 to 5."""

    prompts: SomeItems
    next: Name
    otherwise: Name
    variable: Variable = "score"
    timeout_s: KeyTimeout = 5.0
    retries: Retries = 2
    invalid: Prompt | None = None
    silence: Prompt | None = None


class Answer(_Step, frozen=True, tag="answer"):
    """Pick up, where the line puts that off."""

    next: Name


class Set(_Step, frozen=True, tag="set"):
    """Set variables and the language."""

    next: Name
    variables: dict[Variable, Value] = {}
    language: LanguageCode | None = None


class Branch(_Step, frozen=True, tag="branch"):
    """Go by the value of a variable, or by opening hours."""

    cases: Annotated[dict[Value, Name], Meta(min_length=1, description="a table of at least one value and its step")]
    otherwise: Name
    variable: Variable | None = None
    calendar: Name | None = None


class Enqueue(_Step, frozen=True, tag="queue"):
    """Wait for an operator."""

    queue: Name
    skills: Skills = {}
    priority_s: Seconds = 0.0
    priority_from: Variable | None = None
    announce: Items = ()
    max_wait_s: Timeout | None = None
    otherwise: Name | None = None
    calendar: Name | None = None
    closed: Name | None = None
    relax: tuple[Stage, ...] = ()
    keys: dict[KeyName, Name] = {}
    max_waiting: Annotated[int, Meta(ge=1, le=100_000, description="a whole number from 1 to 100000")] | None = None
    full: Name | None = None
    max_expected_s: Timeout | None = None
    too_long: Name | None = None
    nobody: Name | None = None
    nobody_after_s: Seconds = 60.0


class Voicemail(_Step, frozen=True, tag="voicemail"):
    """Speak, beep, record."""

    next: Name
    prompts: Items = ()
    max_s: Annotated[int, Meta(ge=1, le=3600, description="whole seconds from 1 to 3600")] = 120
    silence_s: Annotated[int, Meta(ge=1, le=60, description="whole seconds from 1 to 60")] = 5


class AskCallback(_Step, frozen=True, tag="callback"):
    """Ask whether he wants to be called back, and at which number."""

    queue: Name
    prompts: SomeItems
    number_prompts: SomeItems
    next: Name
    refused: Name
    otherwise: Name
    skills: Skills = {}
    priority_s: Seconds = 0.0
    first: CallFirst | None = None
    timeout_s: KeyTimeout = 5.0
    interdigit_timeout_s: KeyTimeout = 4.0
    retries: Retries = 2
    invalid: Prompt | None = None
    silence: Prompt | None = None


class LookUp(_Step, frozen=True, tag="lookup"):
    """Ask another computer."""

    lookup: Name
    found: Name
    not_found: Name
    failed: Name
    music: Annotated[str, Meta(pattern=NAME_OR_NONE, description="a class of musiconhold.conf")] = ""


class Dialplan(_Step, frozen=True, tag="dialplan"):
    """Hand the caller to the admin's own dialplan."""

    context: Place
    next: Name
    failed: Name
    extension: Place = "s"
    send: tuple[Variable, ...] = ()
    take: tuple[Variable, ...] = ()


class Python(_Step, frozen=True, tag="python"):
    """Ask a function of the admin's own."""

    function: Annotated[
        str,
        Meta(
            pattern=r"\A[a-z][a-z0-9_]{0,39}\.[A-Za-z_][A-Za-z0-9_]{0,79}\Z",
            description='a function in quotes, like "loyalty.level": the function level of loyalty.py',
        ),
    ]
    next: Name
    failed: Name
    ways: dict[Name, Name] = {}
    take: tuple[Variable, ...] = ()
    timeout_s: Annotated[float, Meta(ge=0.1, le=30, description="seconds from 0.1 to 30")] = 2.0


class Transfer(_Step, frozen=True, tag="transfer"):
    """Hand the caller on: to an operator, a queue, a line's flow, or a number outside."""

    to: Annotated[
        str,
        Meta(
            pattern=r"\A\+?[A-Za-z0-9_-]{1,40}\Z",
            description="an operator's extension, a queue, a line's number or a public number, in quotes",
        ),
    ]
    otherwise: Name
    wait_s: Timeout = 30.0


class HangUp(_Step, frozen=True, tag="hangup"):
    """Speak, then hang up."""

    prompts: Items = ()
    cause: Ending = "normal"


class Call(_Step, frozen=True, tag="call"):
    """Run another flow and come back."""

    flow: Name
    next: Name


class GoTo(_Step, frozen=True, tag="goto"):
    """Go on in another flow."""

    flow: Name
    step: Name | None = None


class Return(_Step, frozen=True, tag="return"):
    """Back to the flow that called this one."""


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
    | Transfer
    | HangUp
    | Call
    | GoTo
    | Return
)


class FlowFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of a flow's file; the flow's name is the file's."""

    start: Name
    steps: Annotated[dict[Name, Step], Meta(min_length=1, description="a table of at least one step")]
