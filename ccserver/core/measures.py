"""Measures are taken, lifted, and end by themselves: the supervisor's requests."""

from msgspec.structs import replace

from ccserver.core import admission, queueing
from ccserver.core.contact import Contact, ContactState
from ccserver.core.events import Accepted, Answer, LiftMeasure, Refused, TakeMeasure
from ccserver.core.floor import Floor
from ccserver.core.ids import MeasureId
from ccserver.core.measure import Announcement, Block, Closure, Measure
from ccserver.core.offer import OfferOutcome
from ccserver.core.plan import REFUSALS
from ccserver.core.records import MeasureLifted, MeasureSaved
from ccserver.core.routing import take_back

MEASURES_MAX = 1000
BY_TIME = "time"
"""Who lifts a measure whose time is over."""


def take(floor: Floor, request: TakeMeasure) -> Answer:
    """Put it in force; the same one again does no harm."""
    measure = request.measure
    if floor.measures.get(measure.id) == measure:
        return Accepted()
    if flaw := _flaw(floor, measure):
        return Refused(flaw)
    floor.enforce(measure)
    floor.record(MeasureSaved(measure))
    for contact in [each for each in floor.contacts.values() if _waits_on(floor, each, measure)]:
        if isinstance(measure, Announcement) and contact.state is ContactState.WAITING:
            queueing.announce(floor, contact, measure.prompts)
        elif isinstance(measure, Closure) and measure.queued == "close":
            _close(floor, contact, measure)
    return Accepted()


def lift(floor: Floor, request: LiftMeasure) -> Answer:
    """It is over."""
    measure = floor.measures.get(request.measure)
    if measure is None:
        return Refused(f"no measure {request.measure} is in force", "id", unknown=True)
    _over(floor, measure, request.by, request.at)
    return Accepted()


def time_up(floor: Floor, measure_id: MeasureId) -> None:
    """It was for so long and no longer."""
    _over(floor, floor.measures[measure_id], BY_TIME, floor.now)


def _over(floor: Floor, measure: Measure, by: str, at: float) -> None:
    floor.lift(measure.id)
    floor.record(MeasureLifted(measure, by, at))


def _flaw(floor: Floor, measure: Measure) -> str:
    """Why it cannot be taken; empty when it can."""
    plan = floor.plan
    if measure.id in floor.measures:
        return f"another measure has the id {measure.id}"
    if len(floor.measures) >= MEASURES_MAX:
        return f"{MEASURES_MAX} measures are in force: lift some first"
    if measure.line is not None and measure.line not in plan.lines:
        return f"there is no line {measure.line}"
    if measure.until is not None and measure.until <= floor.now:
        return "it would be over before it begins"
    treatment = measure.treatment if isinstance(measure, Closure | Block) else None
    if treatment is not None and treatment not in REFUSALS and treatment not in plan.flows:
        return f"there is no flow {treatment}"
    for other in floor.measures.values():
        if type(other) is not type(measure) or other.line != measure.line:
            continue
        if isinstance(other, Closure):
            return f"it is closed already, by {other.by} (measure {other.id})"
        if isinstance(other, Block) and isinstance(measure, Block) and other.number == measure.number:
            return f"{other.number} is blocked already, by {other.by} (measure {other.id})"
    return ""


def _waits_on(floor: Floor, contact: Contact, measure: Measure) -> bool:
    """He waits where it counts, and can be spoken to."""
    waits = contact.state in {ContactState.WAITING, ContactState.OFFERED} and contact.place is not None
    there = waits and not (contact.led_by_operator or contact.away or contact.absent)
    return there and floor.linked(contact.node) and measure.line in (None, contact.line)


def _close(floor: Floor, contact: Contact, closure: Closure) -> None:
    """His wait ends in this very step, as at the end of opening hours."""
    if contact.state is ContactState.OFFERED:
        contact = replace(take_back(floor, contact, OfferOutcome.WITHDRAWN, floor.now), state=ContactState.WAITING)
    assert contact.place is not None
    shut = admission.treatment(floor, closure, contact.line)
    floor.keep(replace(contact, place=replace(contact.place, closes_at=floor.now, shut=shut)))
