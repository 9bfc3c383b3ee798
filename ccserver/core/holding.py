"""The customer on hold: he hears music, and the agent does something else. Its time is no talking time, and is counted once.

The agent's phone does it by itself (Asterisk plays the music), and all that is to be done here is to count. Asked for over the
API, the agent goes aside. Who consults somebody has his customer on hold, too.
"""

from msgspec.structs import replace

from ccserver.core import contact as contacts
from ccserver.core.consult import APART
from ccserver.core.contact import Contact
from ccserver.core.events import Accepted, Answer, HoldCustomer, LegHeld, LegUnheld, Refused
from ccserver.core.floor import Floor
from ccserver.core.seating import seat
from ccserver.core.transferring import served


def requested(floor: Floor, request: HoldCustomer) -> Answer:
    """Over the API; asked for twice it is one hold."""
    contact = served(floor, request.contact, request.by)
    if isinstance(contact, Refused):
        return contact
    if contact.parked is not request.hold:
        seat(floor, settle(floor, replace(contact, parked=request.hold), request.at))
    return Accepted()


def phone_held(floor: Floor, contact: Contact, event: LegHeld) -> None:
    """The agent pressed hold."""
    settle(floor, replace(contact, held=True), event.at)


def phone_unheld(floor: Floor, contact: Contact, event: LegUnheld) -> None:
    """He took the customer back."""
    settle(floor, replace(contact, held=False), event.at)


def settle(floor: Floor, contact: Contact, at: float) -> Contact:
    """Whether the customer hears music follows from what the contact is doing: one hold, however many reasons it has."""
    assert contact.segment is not None
    consult = contact.consult
    consulting = consult is not None and consult.by is None and consult.state in APART
    change = contacts.held if contact.held or contact.parked or consulting else contacts.unheld
    return floor.keep(replace(contact, segment=change(contact.segment, at)))
