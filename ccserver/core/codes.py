"""Feature codes: what an operator can dial on his own phone to tell us something, one row of `CODES` each.

`dialplans/operators.conf` hands over whatever begins with `*` and two digits; what it means stands here, and for people in
docs/reference/feature-codes.md, which a test compares. Each code is carried out at once and confirmed by voice.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from ccserver.core import presence
from ccserver.core.agent import AgentState
from ccserver.core.commands import AnswerLeg, HangUpLeg, PlayPrompts
from ccserver.core.events import CodeDialled, PlayFinished
from ccserver.core.floor import CodeCall, Floor
from ccserver.core.ids import AgentId, Language, LegId, PlayId, PromptName

Said = tuple[str, ...]
"""Items of `PlayPrompts`."""
UNKNOWN = PromptName("agent-unknown-code")
NOBODY = PromptName("agent-not-an-operator")


class FeatureCode(Struct, frozen=True):
    """One row of the table."""

    prefix: str
    obey: Callable[[Floor, AgentId, str, float], Said | None]
    """(floor, who, what he dialled after the prefix, when) -> what to say; None: there is no such code after all."""
    says: tuple[PromptName, ...]
    """All that it may say, besides the prompts of not-ready reasons."""
    more: str = ""
    """What may be dialled after the prefix: a regular expression for all of it."""


def _ready(floor: Floor, agent: AgentId, _more: str, at: float) -> Said:
    presence.wish(floor, agent, AgentState.READY, "", at)
    return ("agent-ready",)


def _not_ready(floor: Floor, agent: AgentId, digit: str, at: float) -> Said | None:
    reason = floor.rules.not_ready_reasons.get(digit) if digit else ""
    if reason is None:
        return None
    presence.wish(floor, agent, AgentState.NOT_READY, reason, at)
    return ("agent-not-ready", f"reason-{digit}") if digit else ("agent-not-ready",)


def _log_out(floor: Floor, agent: AgentId, _more: str, at: float) -> Said:
    presence.wish(floor, agent, AgentState.LOGGED_OUT, "", at)
    return ("agent-logged-out",)


CODES = (
    FeatureCode("*11", _ready, says=(PromptName("agent-ready"),)),
    FeatureCode("*12", _not_ready, says=(PromptName("agent-not-ready"),), more="[1-9]?"),
    FeatureCode("*13", _log_out, says=(PromptName("agent-logged-out"),)),
)
"""No prefix begins with another."""
PROMPTS = (UNKNOWN, NOBODY, *(name for code in CODES for name in code.says))
"""All that is said to who dials a code, besides the prompts of not-ready reasons."""


def code_dialled(floor: Floor, event: CodeDialled) -> None:
    """An operator dialled a feature code: do it, and say by voice what was done."""
    operator = floor.plan.operators.get(event.agent) if event.agent else None
    language = operator.language if operator else Language("ru")
    lane = str(event.leg)
    play = PlayId(f"{event.leg}.code")
    floor.codes[event.leg] = CodeCall(event.agent, play, event.at)
    floor.command(AnswerLeg(event.leg, language, lane=lane))
    said = (NOBODY,) if operator is None else _obey(floor, operator.extension, event)
    floor.command(PlayPrompts(event.leg, play, said, language, lane=lane))


def _obey(floor: Floor, agent: AgentId, event: CodeDialled) -> Said:
    """Carry the code out; returns what to say."""
    for code in CODES:
        more = event.code.removeprefix(code.prefix)
        if event.code.startswith(code.prefix) and re.fullmatch(code.more, more, re.ASCII):
            return code.obey(floor, agent, more, event.at) or (UNKNOWN,)
    return (UNKNOWN,)


def code_confirmed(floor: Floor, event: PlayFinished) -> None:
    """The confirmation was said: hang up."""
    if floor.codes[event.leg].play == event.play:
        floor.command(HangUpLeg(event.leg, lane=str(event.leg)))


def code_ended(floor: Floor, leg: LegId) -> None:
    """The operator's phone is free of us again."""
    del floor.codes[leg]
