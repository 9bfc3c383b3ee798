"""The agent apart from his contacts: what he or a supervisor wishes him to be, and what is known of his phone."""

from typing import Any

from msgspec.structs import replace

from ccserver.core import consulting
from ccserver.core.agent import Agent, AgentState, Signal, Today
from ccserver.core.calendar import day_ends_at
from ccserver.core.events import Accepted, Answer, PhoneChanged, Refused, SetAgentState
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, PromptName
from ccserver.core.offer import OfferOutcome
from ccserver.core.plan import TODAY
from ccserver.core.routing import withdraw
from ccserver.core.wrapup import Objection, owing


def employ(floor: Floor) -> None:
    """After a new plan: new operators begin logged out, those who left it are logged out for good."""
    for agent_id in floor.plan.operators:
        if agent_id not in floor.agents:
            floor.note(Agent(id=agent_id, since=floor.now))
        else:
            floor.seat(floor.agents[agent_id])  # his skills may have changed
    for agent in list(floor.agents.values()):
        _count_day(floor, agent)
    for agent in list(floor.agents.values()):
        if agent.id not in floor.plan.operators and agent.then is not AgentState.LOGGED_OUT:
            wish(floor, agent.id, AgentState.LOGGED_OUT, "", floor.now, by="configuration")


def _count_day(floor: Floor, agent: Agent) -> None:
    """His day is counted exactly when a queue picks by it; a day that has begun goes on, and ends when the new plan says."""
    ends_at = _day_ends_at(floor, agent.id)
    if agent.today.ends_at is None and ends_at is not None:
        begin_day(floor, agent)
    elif agent.today.ends_at != ends_at:
        floor.note(replace(agent, today=replace(agent.today, ends_at=ends_at) if ends_at else Today()))


def begin_day(floor: Floor, agent: Agent) -> None:
    """Nothing has been done yet."""
    floor.note(replace(agent, today=Today(began_at=floor.now, ends_at=_day_ends_at(floor, agent.id))))


def _day_ends_at(floor: Floor, agent_id: AgentId) -> float | None:
    operator = floor.plan.operators.get(agent_id)
    if operator is None or not any(queue.pick in TODAY for queue in floor.plan.queues.values()):
        return None
    return day_ends_at(operator.timezone, floor.rules.day_starts_at, floor.now)


def set_state(floor: Floor, request: SetAgentState) -> Answer:
    """A wish, over the API."""
    if request.agent not in floor.plan.operators:
        return Refused(f"no operator has the extension {request.agent}")
    state = AgentState(request.state)
    reason = request.reason if state is AgentState.NOT_READY else ""
    if request.by == request.agent and (objection := hindrance(floor, request.agent, state, reason)):
        return Refused(objection.why)
    wish(floor, request.agent, state, reason, request.at, by=request.by)
    return Accepted()


def hindrance(floor: Floor, agent_id: AgentId, state: AgentState, reason: str) -> Objection | None:
    """Why the agent himself may not have this state now; a supervisor may give it to him all the same."""
    if state is AgentState.LOGGED_OUT:
        return None
    if state is AgentState.NOT_READY and not reason and floor.rules.not_ready_reason_required:
        reasons = ", ".join(floor.rules.not_ready_reasons.values())
        return Objection(PromptName("agent-reason-first"), f"not_ready needs a reason: {reasons}")
    return owing(floor, floor.agents[agent_id])


def wish(floor: Floor, agent_id: AgentId, state: AgentState, reason: str, at: float, *, by: str) -> None:
    """It counts at once, or after the work that keeps him from it."""
    agent = floor.agents[agent_id]
    from_now_on = state is AgentState.READY and agent.then is not AgentState.READY
    notes: dict[str, Any] = {"idle_since": at, "ronas": 0} if from_now_on else {}
    floor.signal(agent_id, Signal.WISHED, at, then=state, then_reason=reason, then_by=by, **notes)


def phone_changed(floor: Floor, event: PhoneChanged) -> None:
    """Registered or not, in a call of its own or not."""
    before = floor.agents.get(event.agent)
    if before is None:
        floor.ignored += 1
        return
    agent = floor.note(replace(before, reachable=event.reachable, in_use=event.in_use))
    if not event.reachable:
        contact = floor.contacts.get(agent.contact) if agent.contact else None
        if contact is not None and contact.is_ringing:
            withdraw(floor, contact, OfferOutcome.UNREACHABLE, event.at)
            floor.note(replace(floor.agents[agent.id], deadline=None))  # his registration will tell, not a timer
            return
        if contact is not None and consulting.is_called(contact, agent.id):
            consulting.give_up(floor, contact, OfferOutcome.UNREACHABLE, event.at)
            floor.note(replace(floor.agents[agent.id], deadline=None))
            return
        floor.signal(agent.id, Signal.PHONE_LOST, event.at)
        return
    if event.anew or not before.reachable:
        floor.signal(agent.id, Signal.PHONE_BACK, event.at)
    floor.signal(agent.id, Signal.PHONE_TAKEN if event.in_use else Signal.PHONE_FREED, event.at)


def time_up(floor: Floor, agent_id: AgentId) -> None:
    """Wrap-up or a pause is over."""
    floor.signal(agent_id, Signal.TIME_UP, floor.now, deadline=None)
