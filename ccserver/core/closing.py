"""The end of a contact: nothing of it lives any more."""

from msgspec.structs import replace

from ccserver.core import recording
from ccserver.core.commands import ReleaseContact
from ccserver.core.contact import Contact, ContactState
from ccserver.core.floor import Floor


def close(floor: Floor, contact: Contact, at: float) -> None:
    """No leg of the contact lives any more, and none will."""
    release(floor, contact)
    ended_at = max(at, contact.arrived_at)
    floor.keep(replace(contact, state=ContactState.CLOSED, place=None, ended_at=ended_at))


def release(floor: Floor, contact: Contact) -> None:
    """No leg of the contact lives just now: what was recorded goes to the archive."""
    floor.command(ReleaseContact(contact.id, lane=contact.id))
    for each in (*contact.recorded, *((contact.recording,) if contact.recording else ())):
        floor.command(recording.keep(contact, each))
