"""The transfer key of an operator's phone (SIP REFER): the same as over the API, by the same rules.

Asterisk begins it by itself and asks afterwards. What may be is done, and the phone is told so and hangs up; what may not be
is undone, the phone is told that, and the two hear each other again. A phone that takes it for done all the same hangs up on
its customer: he waits for the same operator then, whose phone rings.
"""

from msgspec.structs import replace

from ccserver.core import consulting
from ccserver.core.commands import FinishTransfer, HangUpLeg
from ccserver.core.contact import Contact, ContactState
from ccserver.core.events import LegUnseated, Refused, TransferRequested
from ccserver.core.floor import Floor
from ccserver.core.ids import LegId
from ccserver.core.listening import supervised
from ccserver.core.seating import seat
from ccserver.core.transferring import possible, transfer

BRIDGED = {ContactState.TALKING, ContactState.DIALLING, ContactState.OFFERED}
"""States in which an agent's leg may stand in the contact's bridge."""


def requested(floor: Floor, event: TransferRequested) -> None:
    """The key was pressed."""
    if event.second is not None:
        _join(floor, event, event.second)
        return
    contact = _talk_of(floor, event.leg)
    if contact is None:
        floor.command(FinishTransfer(event.leg, "nobody talks with this phone", lane=event.leg))
        return
    if contact.agent_leg != event.leg:
        floor.command(FinishTransfer(event.leg, f"{contact.id} is not this phone's to hand over", lane=contact.id))
        return
    wish = possible(floor, contact.id, event.to, None)
    if isinstance(wish, Refused):
        floor.command(FinishTransfer(event.leg, wish.reason, lane=contact.id))
        floor.keep(replace(contact, transfer_refused_at=floor.now))
    else:
        transfer(floor, *wish, max(event.at, contact.known_until), by_phone=True)


def _join(floor: Floor, event: TransferRequested, second: LegId) -> None:
    """The customer of the one call gets the third party of the other; the phone believes it already, whatever we say."""
    legs = (event.leg, second)
    contact = next((each for leg in legs if (each := _talk_of(floor, leg)) and each.agent_leg in legs), None)
    if contact is not None and contact.consult is not None and contact.consult.by in legs:
        consulting.complete(floor, contact, max(event.at, contact.known_until), joined=True)
        return
    for leg in legs:
        floor.command(FinishTransfer(leg, f"whoever the phone called beside it is not consulted: {event.to}", lane=leg))
    if contact is not None:
        floor.keep(replace(contact, transfer_refused_at=floor.now))


def unseated(floor: Floor, event: LegUnseated) -> None:
    """What was refused is undone: he is with those again with whom he was."""
    contact = _talk_of(floor, event.leg)
    if contact is not None:
        seat(floor, contact)
    elif (contact := supervised(floor, event.leg)) is not None:  # what he listened by is gone
        floor.command(HangUpLeg(event.leg, lane=contact.id))
    else:
        floor.ignored += 1


def _talk_of(floor: Floor, leg: LegId) -> Contact | None:
    """The talk in which this leg is an agent's, a colleague's, or a third party's; or the one that he waits for, or hears of."""
    contact = floor.contact_of(leg)
    if contact is None or contact.state not in BRIDGED:
        return None
    consult, called = contact.consult, contact.called
    consulted = consult is not None and leg in {consult.leg, consult.by}
    return contact if consulted or leg == contact.leg or (called is not None and called.leg == leg) else None
