"""When a caller is answered: from then on the owner of the line pays, so some lines put it off (`plan.Line.answer`).

Until then he hears prompts and music as early media, or is told busy, and it costs nobody anything. What is decided here is
when the answer is commanded; that his leg was answered is a fact like any other, and its time is what is paid from.
"""

from typing import get_args

from msgspec.structs import replace

from ccserver.core.commands import AnswerLeg, TakeLeg
from ccserver.core.contact import Contact
from ccserver.core.events import LegAnswered
from ccserver.core.floor import Floor
from ccserver.core.plan import Pickup
from ccserver.core.steps import Answer, AskCallback, Collect, Question, Step, Voicemail

NEEDED: dict[Pickup, tuple[type[Step], ...]] = {
    "at_once": (),
    "when_needed": (Answer, *get_args(Question), Collect, Voicemail, AskCallback),
    "operator": (Answer, Voicemail),
}
"""Steps at which a line picks up who is still unanswered: many networks let no key and no voice through before."""


def take(floor: Floor, contact: Contact) -> None:
    """The leg is ours, for the first time or again; repeated, this does no harm."""
    command = TakeLeg if contact.unanswered else AnswerLeg
    floor.command(command(contact.leg, contact.language, lane=contact.id))


def pick_up(floor: Floor, contact: Contact) -> Contact:
    """He is answered now, if he has not been."""
    if not contact.unanswered:
        return contact
    floor.command(AnswerLeg(contact.leg, contact.language, lane=contact.id))
    return replace(contact, unanswered=False)


def pick_up_for(floor: Floor, contact: Contact, step: Step) -> Contact:
    """He comes to a step that may need it."""
    if not contact.unanswered:
        return contact
    line = floor.plan_of(contact).lines[contact.line]
    return pick_up(floor, contact) if isinstance(step, NEEDED[line.answer]) else contact


def picked_up(floor: Floor, contact: Contact, event: LegAnswered) -> None:
    """His leg was answered. An operator's own phone that dialled is no customer's."""
    if not contact.led_by_operator and contact.answered_at is None:
        floor.keep(replace(contact, answered_at=event.at))
