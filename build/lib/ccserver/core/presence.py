"""The agent apart from his contacts: requests, feature codes, and what is known of his phone."""

from msgspec.structs import replace

from ccserver.core.agent import Agent, AgentState, Signal
from ccserver.core.commands import AnswerLeg, HangUpLeg, PlayPrompts
from ccserver.core.contact import ContactState
from ccserver.core.events import Accepted, Answer, CodeDialled, PhoneChanged, PlayFinished, Refused, SetAgentState
from ccserver.core.floor import CodeCall, Floor
from ccserver.core.ids import AgentId, Language, LegId, PlayId
from ccserver.core.offer import OfferOutcome
from ccserver.core.routing import withdraw

CODES = {"*11": AgentState.READY, "*12": AgentState.NOT_READY, "*13": AgentState.LOGGED_OUT}
"""Feature codes; *12 may carry the digit of a reason."""


def employ(floor: Floor) -> None:
    """After a new plan: new operators begin logged out, those who left it are logged out for good."""
    for agent_id in floor.plan.operators:
        if agent_id not in floor.agents:
            floor.note(Agent(id=agent_id, since=floor.now))
        else:
            floor.seat(floor.agents[agent_id])  # his skills may have changed
    for agent in list(floor.agents.values()):
        if agent.id not in floor.plan.operators and agent.then is not AgentState.LOGGED_OUT:
            _wish(floor, agent.id, AgentState.LOGGED_OUT, "", floor.now)


def set_state(floor: Floor, request: SetAgentState) -> Answer:
    """A wish, over the API."""
    if request.agent not in floor.plan.operators:
        return Refused(f"no operator has the extension {request.agent}")
    reason = request.reason if request.state == "not_ready" else ""
    _wish(floor, request.agent, AgentState(request.state), reason, request.at)
    return Accepted()


def _wish(floor: Floor, agent_id: AgentId, state: AgentState, reason: str, at: float) -> None:
    agent = floor.agents[agent_id]
    from_now_on = state is AgentState.READY and agent.then is not AgentState.READY
    idle_since = at if from_now_on else agent.idle_since
    floor.signal(agent_id, Signal.WISHED, at, then=state, then_reason=reason, idle_since=idle_since)


def phone_changed(floor: Floor, event: PhoneChanged) -> None:
    """Registered or not, in a call of its own or not."""
    before = floor.agents.get(event.agent)
    if before is None:
        floor.ignored += 1
        return
    agent = floor.note(replace(before, reachable=event.reachable, in_use=event.in_use))
    if not event.reachable:
        contact = floor.contacts.get(agent.contact) if agent.contact else None
        if contact is not None and contact.state is ContactState.OFFERED:
            withdraw(floor, contact, OfferOutcome.UNREACHABLE, event.at)
            floor.note(replace(floor.agents[agent.id], deadline=None))  # his registration will tell, not a timer
            return
        floor.signal(agent.id, Signal.PHONE_LOST, event.at)
        return
    if event.anew or not before.reachable:
        floor.signal(agent.id, Signal.PHONE_BACK, event.at)
    floor.signal(agent.id, Signal.PHONE_TAKEN if event.in_use else Signal.PHONE_FREED, event.at)


def time_up(floor: Floor, agent_id: AgentId) -> None:
    """Wrap-up or a pause is over."""
    floor.signal(agent_id, Signal.TIME_UP, floor.now, deadline=None)


def code_dialled(floor: Floor, event: CodeDialled) -> None:
    """An operator dialled a feature code: do it, and say by voice what was done."""
    operator = floor.plan.operators.get(event.agent) if event.agent else None
    language = operator.language if operator else Language("ru")
    lane = str(event.leg)
    play = PlayId(f"{event.leg}.code")
    floor.codes[event.leg] = CodeCall(event.agent, play, event.at)
    floor.command(AnswerLeg(event.leg, language, lane=lane))
    items = ("agent-not-an-operator",) if operator is None else _obey(floor, operator.extension, event)
    floor.command(PlayPrompts(event.leg, play, items, language, lane=lane))


def _obey(floor: Floor, agent_id: AgentId, event: CodeDialled) -> tuple[str, ...]:
    """Carry the code out; returns what to say."""
    state, digit = CODES.get(event.code[:3]), event.code[3:]
    if state is None or (digit and state is not AgentState.NOT_READY):
        return ("agent-unknown-code",)
    reason = floor.rules.not_ready_reasons.get(digit) if digit else ""
    if reason is None:
        return ("agent-unknown-code",)
    _wish(floor, agent_id, state, reason, event.at)
    said = {
        AgentState.READY: "agent-ready",
        AgentState.NOT_READY: "agent-not-ready",
        AgentState.LOGGED_OUT: "agent-logged-out",
    }
    return (said[state], f"reason-{digit}") if digit else (said[state],)


def code_confirmed(floor: Floor, event: PlayFinished) -> None:
    """The confirmation was said: hang up."""
    if floor.codes[event.leg].play == event.play:
        floor.command(HangUpLeg(event.leg, lane=str(event.leg)))


def code_ended(floor: Floor, leg: LegId) -> None:
    """The operator's phone is free of us again."""
    del floor.codes[leg]
