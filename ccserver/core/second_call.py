"""The leg by which an agent consults, where that is a second call of his phone: it lives as long as the consult does.

It was to be a contact of its own, and has a lane of its own: that of the contact that it never became.
"""

from ccserver.core.commands import AnswerLeg, FinishTransfer, HangUpLeg, ReleaseContact
from ccserver.core.contact import Contact
from ccserver.core.floor import Floor
from ccserver.core.ids import contact_of_leg


def hang_up(floor: Floor, contact: Contact, *, joined: bool = False) -> None:
    """There is nobody any more with whom he could talk there. `joined`: his phone put its two calls together."""
    if contact.consult is not None and (leg := contact.consult.by) is not None:
        lane = contact_of_leg(contact.node, leg)
        floor.command(FinishTransfer(leg, lane=lane) if joined else HangUpLeg(leg, lane=lane))
        floor.command(ReleaseContact(lane, lane=lane))


def take_up(floor: Floor, contact: Contact) -> None:
    """After a gap: it may not have been answered yet."""
    if contact.consult is not None and (leg := contact.consult.by) is not None:
        floor.command(AnswerLeg(leg, contact.language, lane=contact_of_leg(contact.node, leg)))
