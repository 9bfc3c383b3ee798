"""The survey of a contact: begun after the talk, marked, ended. What the caller hears meanwhile is a flow like any other."""

from msgspec.structs import replace

from ccserver.core.contact import Contact, Segment
from ccserver.core.floor import Floor
from ccserver.core.ids import FlowName
from ccserver.core.records import SurveySaved
from ccserver.core.survey import Survey


def flow_after(floor: Floor, contact: Contact, talk: Segment) -> FlowName | None:
    """The survey that follows this talk: the queue's, or the line's; None: there is none, or he was asked already."""
    plan = floor.plan_of(contact)
    if contact.survey is not None or talk.queue is None or talk.agent is None:
        return None
    line = plan.lines.get(contact.line)
    return plan.queues[talk.queue].survey or (line.survey if line else None)


def begun(floor: Floor, contact: Contact, talk: Segment, flow: FlowName, at: float) -> Contact:
    """About this talk."""
    assert talk.queue is not None and talk.agent is not None
    survey = Survey(
        contact=contact.id,
        flow=flow,
        line=contact.line,
        queue=talk.queue,
        agent=talk.agent,
        talk=talk.n,
        begun_at=at,
    )
    return _kept(floor, contact, survey)


def rated(floor: Floor, contact: Contact, question: str, score: int) -> Contact:
    """He gave a mark; outside a survey it is a variable and nothing more."""
    survey = contact.survey
    if survey is None or survey.ended_at is not None:
        return contact
    return _kept(floor, contact, replace(survey, scores={**survey.scores, question: score}))


def ended(floor: Floor, contact: Contact, at: float) -> Contact:
    """The flow is over, or he has hung up."""
    survey = contact.survey
    if survey is None or survey.ended_at is not None:
        return contact
    return _kept(floor, contact, replace(survey, ended_at=max(at, survey.begun_at)))


def under_way(contact: Contact) -> bool:
    """He is being asked."""
    return contact.survey is not None and contact.survey.ended_at is None


def _kept(floor: Floor, contact: Contact, survey: Survey) -> Contact:
    floor.record(SurveySaved(survey))
    return replace(contact, survey=survey)
