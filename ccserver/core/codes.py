"""Feature codes: what an operator can dial on his own phone to tell us something, one row of `CODES` each.

`dialplans/operators.conf` hands over whatever begins with `*` and two digits; what it means stands here, and for people in
docs/reference/feature-codes.md, which a test compares. Each code is carried out at once and confirmed by voice.
"""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core import presence, recording, supervising, wrapup
from ccserver.core.agent import AgentState
from ccserver.core.commands import AnswerLeg, HangUpLeg, PlayPrompts
from ccserver.core.events import Accepted, CodeDialled, PlayFinished, RecordingAction, SteerRecording, SuperviseContact
from ccserver.core.floor import CodeCall, Floor
from ccserver.core.ids import AgentId, Language, LegId, PlayId, PromptName
from ccserver.core.supervision import SupervisionMode

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
    return _become(floor, agent, AgentState.READY, "", at) or ("agent-ready",)


def _not_ready(floor: Floor, agent: AgentId, digit: str, at: float) -> Said | None:
    reason = floor.rules.not_ready_reasons.get(digit) if digit else ""
    if reason is None:
        return None
    said = ("agent-not-ready", f"reason-{digit}") if digit else ("agent-not-ready",)
    return _become(floor, agent, AgentState.NOT_READY, reason, at) or said


def _log_out(floor: Floor, agent: AgentId, _more: str, at: float) -> Said:
    return _become(floor, agent, AgentState.LOGGED_OUT, "", at) or ("agent-logged-out",)


def _become(floor: Floor, agent: AgentId, state: AgentState, reason: str, at: float) -> Said:
    """He is that from now on; else why not."""
    if objection := presence.hindrance(floor, agent, state, reason):
        return (objection.prompt,)
    presence.wish(floor, agent, state, reason, at, by=agent)
    return ()


def _topics(floor: Floor, agent: AgentId, codes: str, _at: float) -> Said:
    """Of the talk under way, else of his last one."""
    return _dispose(floor, agent, codes=tuple(codes.split("*"))) or (
        "agent-topic-noted",
        *(f"digits:{code}" for code in codes.split("*")),
    )


def _order_value(floor: Floor, agent: AgentId, amount: str, _at: float) -> Said:
    whole, _, hundredths = amount.partition("*")
    cents = int(whole) * 100 + int(hundredths.ljust(2, "0") or 0)
    return _dispose(floor, agent, order_value_cents=cents) or ("agent-value-noted", f"number:{int(whole)}")


def _dispose(floor: Floor, agent: AgentId, **said: Any) -> Said:
    talk = floor.agents[agent].talk
    disposition = floor.dispositions.get(talk) if talk else None
    if disposition is None:
        return (wrapup.NO_TALK,)
    objection = wrapup.change(floor, disposition, by=agent, **said)
    return (objection.prompt,) if objection else ()


def _extend(floor: Floor, agent: AgentId, _more: str, _at: float) -> Said:
    objection = wrapup.lengthen(floor, agent, floor.rules.wrap_up_extension_s)
    return (objection.prompt,) if objection else ("agent-wrap-up-extended",)


def _listen_in(mode: SupervisionMode) -> Callable[[Floor, AgentId, str, float], Said | None]:
    """His phone is rung when it is free of this call: it could not take two."""

    def obey(floor: Floor, supervisor: AgentId, extension: str, at: float) -> Said | None:
        agent = floor.agents.get(AgentId(extension))
        if agent is None or agent.contact is None:
            return ("supervise-nobody-talks",)
        wish = SuperviseContact(agent.contact, supervisor, mode, at=at)
        if supervising.objection(floor, wish):
            return ("supervise-not-allowed",)
        floor.called_back[supervisor] = wish
        return ("supervise-hang-up",)

    return obey


def _steer_recording(action: RecordingAction, done: str) -> Callable[[Floor, AgentId, str, float], Said | None]:
    """Of the talk that he has on hold to dial this."""

    def obey(floor: Floor, agent: AgentId, _more: str, at: float) -> Said | None:
        contact = floor.agents[agent].contact
        answer = recording.steer(floor, SteerRecording(contact, action, at=at)) if contact else None
        return (done,) if isinstance(answer, Accepted) else ("recording-not-so",)

    return obey


def _says(*prompts: str) -> tuple[PromptName, ...]:
    return tuple(map(PromptName, prompts))


LISTENING_IN: dict[str, SupervisionMode] = {"*33": "listen", "*34": "whisper", "*35": "barge", "*36": "take_over"}
CODES = (
    FeatureCode("*11", _ready, _says("agent-ready", "agent-disposition-first")),
    FeatureCode(
        "*12", _not_ready, _says("agent-not-ready", "agent-reason-first", "agent-disposition-first"), more="[1-9]?"
    ),
    FeatureCode("*13", _log_out, _says("agent-logged-out")),
    FeatureCode(
        "*14",
        _topics,
        _says("agent-topic-noted", "agent-topic-unknown", "agent-no-talk"),
        more=r"[0-9]{1,8}(\*[0-9]{1,8}){0,9}",
    ),
    FeatureCode("*15", _order_value, _says("agent-value-noted", "agent-no-talk"), more=r"[0-9]{1,9}(\*[0-9]{1,2})?"),
    FeatureCode("*16", _extend, _says("agent-wrap-up-extended", "agent-no-wrap-up")),
    *(
        FeatureCode(
            prefix,
            _listen_in(mode),
            _says("supervise-hang-up", "supervise-nobody-talks", "supervise-not-allowed"),
            more="[0-9]{3,6}",
        )
        for prefix, mode in LISTENING_IN.items()
    ),
    FeatureCode("*40", _steer_recording("pause", "recording-paused"), _says("recording-paused", "recording-not-so")),
    FeatureCode("*41", _steer_recording("resume", "recording-resumed"), _says("recording-resumed", "recording-not-so")),
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
    """The operator's phone is free of us again: who wanted to listen to a talk is rung now, if he still may."""
    call = floor.codes.pop(leg)
    wish = floor.called_back.pop(call.agent, None) if call.agent else None
    if wish is not None:
        supervising.requested(floor, replace(wish, at=floor.now))
