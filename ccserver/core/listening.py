"""Whose talk a leg listens to, and that listening ends with it: every end of a talk comes by here."""

from msgspec.structs import replace

from ccserver.core.commands import EndSupervision
from ccserver.core.contact import Contact, Segment
from ccserver.core.floor import Floor
from ccserver.core.ids import LegId, contact_of_made_leg
from ccserver.core.records import SupervisionSaved


def talk_ended(floor: Floor, contact: Contact, talk: Segment) -> Contact:
    """Whoever listened to it is told so, and hung up; whose phone still rings is only hung up."""
    if contact.supervision is None or talk.ended_at is None:
        return contact
    told = contact.supervision.answered_at is not None
    floor.command(EndSupervision(contact.supervision.leg, told=told, lane=contact.id))
    return over(floor, contact, talk.ended_at)


def over(floor: Floor, contact: Contact, at: float) -> Contact:
    """Noted for ever: who listened to whom, and until when. Not kept yet."""
    supervision = contact.supervision
    assert supervision is not None
    floor.record(SupervisionSaved(replace(supervision, ended_at=max(at, supervision.modes[-1][0]))))
    return replace(contact, supervision=None)


def supervised(floor: Floor, leg: LegId) -> Contact | None:
    """The contact in whose talk that leg listens now."""
    contact = floor.contacts.get(contact_of_made_leg(leg))
    return contact if contact and contact.supervision and contact.supervision.leg == leg else None
