"""After a talk: what is owed of it, how long the agent has for it, and what he or a supervisor says.

A talk whose queue asks for topics owes a disposition from its first moment. Where it is `required` the wrap-up lasts until it
is given, but never longer than `rules.wrap_up_max_s`: a phone that nobody comes back to must not keep an agent at work for ever.
"""

from datetime import UTC, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.agent import Agent, AgentState
from ccserver.core.calendar import zone
from ccserver.core.contact import Contact, Direction, Segment
from ccserver.core.disposition import CODES_MAX, NOTE_MAX, VALUE_MAX_CENTS, Disposition, asked, flaw, talk_id, titled
from ccserver.core.events import Accepted, Answer, ExtendWrapUp, GiveDisposition, Refused
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, LineNumber, PromptName

GRACE_S = 3600.0
"""Of a talk that ended just before the day did, so long may still be said what it was about."""
SUPERVISOR = "supervisor"


class Objection(Struct, frozen=True):
    """Why something is not done: what the operator hears, and what the API answers."""

    prompt: PromptName
    why: str


NO_TALK = PromptName("agent-no-talk")
UNKNOWN_TOPIC = PromptName("agent-topic-unknown")
NO_WRAP_UP = PromptName("agent-no-wrap-up")


# --- the talk ---------------------------------------------------------------------------------------------------------


def talk_began(floor: Floor, contact: Contact, talk: Segment) -> None:
    """From here on it is known what his last talk was, and what of it is owed."""
    if talk.agent is None or talk.agent not in floor.agents or contact.direction is Direction.INTERNAL:
        return
    rules = asked(floor.plan_of(contact), talk.queue)
    owed = Disposition(
        contact=contact.id,
        segment=talk.n,
        agent=talk.agent,
        line=contact.line,
        queue=talk.queue,
        talked_at=talk.started_at,
        currency=rules.currency,
        until=_until(floor, contact.line),
    )
    floor.note(floor.note_values(talk.agent, talk=owed.talk))
    if rules.codes:
        floor.forget_dispositions()
        floor.keep_disposition(owed)


def talk_ended(floor: Floor, contact: Contact, talk: Segment) -> None:
    """Of a talk that went on into the next day, or nearly, somebody has longer to say what it was about."""
    disposition = floor.dispositions.get(talk_id(contact.id, talk.n))
    if disposition is not None and (until := _until(floor, contact.line)) > disposition.until:
        floor.keep_disposition(replace(disposition, until=until))


def _until(floor: Floor, number: LineNumber) -> float:
    """When the line's day ends, and not before somebody had an hour."""
    line = floor.plan.lines.get(number)
    there = zone(line.timezone) if line else UTC
    hours, minutes = map(int, (line.day_starts_at if line else "00:00").split(":"))
    now = datetime.fromtimestamp(floor.now, there)
    begins = datetime.combine(now.date(), time(hours, minutes), there)
    while begins <= now:
        begins = datetime.combine(begins.date() + timedelta(days=1), time(hours, minutes), there)
    return max(begins.timestamp(), floor.now + GRACE_S)


# --- what is said of it -----------------------------------------------------------------------------------------------


def give(floor: Floor, request: GiveDisposition) -> Answer:
    """A request: of the agent who talked (of his last talk in the contact), or of a supervisor."""
    found = floor.dispositions_of(request.contact)
    if not found:
        return Refused(f"{request.contact} has no talk of which topics are asked, or its day is over")
    if request.segment is not None:
        found = [each for each in found if each.segment == request.segment]
        if not found:
            return Refused(f"segment {request.segment} of {request.contact} is no talk of which topics are asked")
    if request.agent is not None:
        found = [each for each in found if each.agent == request.agent]
        if not found:
            return Refused(f"{request.agent} has not talked in {request.contact}, or nothing is asked of that talk")
    objection = change(
        floor,
        found[-1],
        by=request.agent or SUPERVISOR,
        codes=request.codes,
        order_value_cents=request.order_value_cents,
        note=request.note,
    )
    return Refused(objection.why) if objection else Accepted()


def change(
    floor: Floor,
    disposition: Disposition,
    *,
    by: str,
    codes: tuple[str, ...] | None = None,
    order_value_cents: int | None = None,
    note: str | None = None,
) -> Objection | None:
    """What is None stays as it is; what is said goes into force at once, and what was before stays on record."""
    rules = asked(floor.plan, disposition.queue)
    objection = _objection(floor, disposition, codes, order_value_cents, note)
    if objection is not None:
        return objection
    given = disposition.codes if codes is None else tuple(dict.fromkeys(codes))
    topics = disposition.topics if codes is None else tuple(titled(rules, code) for code in given)
    floor.keep_disposition(
        replace(
            disposition,
            n=disposition.n + 1,
            codes=given,
            topics=topics,
            order_value_cents=disposition.order_value_cents if order_value_cents is None else order_value_cents,
            note=disposition.note if note is None else note,
            by=by,
            given_at=floor.now,
        )
    )
    _let_go(floor, disposition)
    return None


def _objection(
    floor: Floor,
    disposition: Disposition,
    codes: tuple[str, ...] | None,
    order_value_cents: int | None,
    note: str | None,
) -> Objection | None:
    if disposition.until < floor.now and disposition.contact not in floor.contacts:
        return Objection(NO_TALK, f"too late: the day of {disposition.contact} is over")
    if codes is None and order_value_cents is None and note is None:
        return Objection(UNKNOWN_TOPIC, "nothing is said: give codes, order_value or note")
    if codes is not None:
        if not 1 <= len(codes) <= CODES_MAX:
            return Objection(UNKNOWN_TOPIC, f"1 to {CODES_MAX} codes can be given, not {len(codes)}")
        if wrong := flaw(asked(floor.plan, disposition.queue), codes, disposition.queue):
            return Objection(UNKNOWN_TOPIC, wrong)
    if order_value_cents is not None and not 0 <= order_value_cents <= VALUE_MAX_CENTS:
        return Objection(UNKNOWN_TOPIC, "order_value must not be negative, nor above ten thousand million")
    if note is not None and len(note) > NOTE_MAX:
        return Objection(UNKNOWN_TOPIC, f"note must have at most {NOTE_MAX} characters")
    return None


def _let_go(floor: Floor, disposition: Disposition) -> None:
    """What he was kept for is done: the rest of his wrap-up is the usual one."""
    agent = floor.agents[disposition.agent]
    if agent.state is AgentState.WRAP_UP and agent.talk == disposition.talk and not floor.owes(agent):
        floor.note(replace(agent, deadline=max(agent.wrap_up_until or floor.now, floor.now)))


# --- how long ---------------------------------------------------------------------------------------------------------


def extend(floor: Floor, request: ExtendWrapUp) -> Answer:
    """A request: he needs longer."""
    if request.agent not in floor.plan.operators:
        return Refused(f"no operator has the extension {request.agent}")
    objection = lengthen(floor, request.agent, request.seconds)
    return Refused(objection.why) if objection else Accepted()


def lengthen(floor: Floor, agent_id: AgentId, seconds: float) -> Objection | None:
    """His wrap-up lasts so much longer, within the bound of the house."""
    agent = floor.agents[agent_id]
    if agent.state is not AgentState.WRAP_UP or agent.deadline is None:
        return Objection(NO_WRAP_UP, f"{agent_id} has no wrap-up now: he is {agent.state}")
    bound = agent.since + floor.rules.wrap_up_max_s
    wanted = (agent.wrap_up_until or floor.now) + seconds
    until = min(wanted, bound)
    if until <= (agent.wrap_up_until or 0.0):
        return Objection(
            NO_WRAP_UP,
            f"the wrap-up of {agent_id} is as long as it may be (rules.wrap_up_max_s = {floor.rules.wrap_up_max_s:g})",
        )
    floor.note(replace(agent, wrap_up_until=until, deadline=max(until, agent.deadline)))
    return None


def owing(floor: Floor, agent: Agent) -> Objection | None:
    """Why he may not leave his wrap-up yet."""
    if agent.state is AgentState.WRAP_UP and floor.owes(agent):
        return Objection(
            PromptName("agent-disposition-first"), f"{agent.id} owes the topic of his last talk, {agent.talk}"
        )
    return None
