"""What an agent can press in a talk, for phones that have no keys for it: two stars and a digit, one row of `TALK_CODES` each.

Only the agent's leg is listened to: whatever a customer presses in a talk means nothing. A code that takes a number ends with
`#`; who does not go on typing for a while has typed nothing. Each is the same request as over the API, and is refused for the
same reasons; refused, he alone hears so. The customer hears the tones of the keys.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core import consulting, recording, transferring
from ccserver.core.commands import TellLeg
from ccserver.core.consult import ConsultState
from ccserver.core.contact import Contact
from ccserver.core.events import (
    Answer,
    BeginConsult,
    Event,
    KeyPressed,
    RecordingAction,
    Refused,
    SteerConsult,
    SteerRecording,
    TransferContact,
)
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, PromptName

BETWEEN_KEYS_S = 5.0
"""Who presses nothing for so long has given it up."""
NUMBER_MAX = 20
"""Digits; no number is longer."""
BEGIN = "**"
REFUSED = PromptName("talk-key-refused")


class TalkCode(Struct, frozen=True):
    """One row of the table."""

    digit: str
    """After the two stars."""
    obey: Callable[[Floor, Contact, AgentId, str, float], Answer]
    """(floor, the talk, who, the number that he typed, when)."""
    number: bool = False
    """A number comes after it, and `#`."""
    says: PromptName | None = None
    """When it is done and he would not hear that anyway."""


def _hand_over(floor: Floor, contact: Contact, agent: AgentId, number: str, at: float) -> Answer:
    return transferring.requested(floor, TransferContact(contact.id, number, agent, at=at))


def _consult(floor: Floor, contact: Contact, agent: AgentId, number: str, at: float) -> Answer:
    return consulting.begin_requested(floor, BeginConsult(contact.id, number, agent, at=at))


def _all_three(floor: Floor, contact: Contact, agent: AgentId, _number: str, at: float) -> Answer:
    """They talk; pressed again, the two are apart from the customer again."""
    joined = contact.consult is not None and contact.consult.state is ConsultState.JOINED
    return consulting.steer_requested(floor, SteerConsult(contact.id, "apart" if joined else "join", agent, at=at))


def _back(floor: Floor, contact: Contact, agent: AgentId, _number: str, at: float) -> Answer:
    return consulting.steer_requested(floor, SteerConsult(contact.id, "cancel", agent, at=at))


def _record(action: RecordingAction) -> Callable[[Floor, Contact, AgentId, str, float], Answer]:
    def obey(floor: Floor, contact: Contact, _agent: AgentId, _number: str, at: float) -> Answer:
        return recording.steer(floor, SteerRecording(contact.id, action, at=at))

    return obey


TALK_CODES = (
    TalkCode("1", _hand_over, number=True),
    TalkCode("2", _consult, number=True),
    TalkCode("3", _all_three),
    TalkCode("0", _back),
    TalkCode("4", _record("pause"), says=PromptName("recording-paused")),
    TalkCode("5", _record("resume"), says=PromptName("recording-resumed")),
)
PROMPTS = (REFUSED, *(code.says for code in TALK_CODES if code.says))
"""All that is said to who presses one."""
_BY_DIGIT = {code.digit: code for code in TALK_CODES}


def pressed(floor: Floor, contact: Contact, event: KeyPressed) -> None:
    """One key of the agent's phone."""
    typed = _typed(contact.typed, event.key)
    floor.keep(replace(contact, typed=typed, typed_until=floor.now + BETWEEN_KEYS_S if typed else None))
    digit, number = typed[len(BEGIN) : len(BEGIN) + 1], typed[len(BEGIN) + 1 :]
    code = _BY_DIGIT.get(digit)
    if not digit or (code is not None and code.number and not number.endswith("#")):
        return
    contact = floor.keep(replace(contact, typed="", typed_until=None))
    agent = contact.agent
    if code is None or agent is None:
        _tell(floor, contact, REFUSED, f"{typed} is no code of a talk")
        return
    answer = code.obey(floor, contact, agent, number.removesuffix("#"), event.at)
    if isinstance(answer, Refused):
        _tell(floor, contact, REFUSED, answer.reason)
    elif code.says is not None:
        _tell(floor, floor.contacts[contact.id], code.says)


def _typed(before: str, key: str) -> str:
    """A star in the middle begins anew; what begins with no star is none of ours."""
    if len(before) < len(BEGIN):
        return before + key if key == "*" else ""
    if key == "*" or len(before) > len(BEGIN) + NUMBER_MAX:
        return key if key == "*" else ""
    return before + key


def time_up(floor: Floor, contact: Contact, _event: Event) -> None:
    """He has given it up."""
    if contact.typed_until is not None and contact.typed_until <= floor.now:
        floor.keep(replace(contact, typed="", typed_until=None))


def _tell(floor: Floor, contact: Contact, prompt: PromptName, why: str = "") -> None:
    """To him alone."""
    if (leg := contact.agent_leg) is None:
        return
    operator = floor.plan.operators.get(contact.agent) if contact.agent else None
    language = operator.language if operator else contact.language
    play = floor.next_play(contact)
    floor.command(TellLeg(leg, play, (prompt,), language, why, lane=contact.id))
    floor.keep(replace(contact, plays=contact.plays + 1))
