"""The customer on hold: he hears music, and the agent does something else. Its time is no talking time, and is counted once.

The agent's phone does it by itself (Asterisk plays the music), so that all that is to be done here is to count.
"""

from msgspec.structs import replace

from ccserver.core import contact as contacts
from ccserver.core.contact import Contact
from ccserver.core.events import LegHeld, LegUnheld
from ccserver.core.floor import Floor


def phone_held(floor: Floor, contact: Contact, event: LegHeld) -> None:
    """The agent pressed hold."""
    settle(floor, replace(contact, held=True), event.at)


def phone_unheld(floor: Floor, contact: Contact, event: LegUnheld) -> None:
    """He took the customer back."""
    settle(floor, replace(contact, held=False), event.at)


def settle(floor: Floor, contact: Contact, at: float) -> Contact:
    """Whether the customer hears music follows from what the contact is doing: one hold, however many reasons it has."""
    assert contact.segment is not None
    change = contacts.held if contact.held else contacts.unheld
    return floor.keep(replace(contact, segment=change(contact.segment, at)))
