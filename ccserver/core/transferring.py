"""The customer is handed over without a word (blind transfer): to a colleague, a queue, the flow of a line.

The agent's talk ends there and then, and he is in wrap-up; the contact goes on with its recording, in a place of honour:
whoever has waited once does not stand at the end again. A colleague who does not take him in time loses him to the queue he
came from.
"""

from msgspec.structs import replace

from ccserver.core import conversation, queueing
from ccserver.core.commands import HangUpLeg
from ccserver.core.contact import Contact, ContactState, Direction, SegmentOutcome, Transfer
from ccserver.core.destinations import Destination, Nowhere, ToAgent, ToLine, ToNumber, ToQueue, destination, unable
from ccserver.core.events import Accepted, Answer, Refused, TransferContact
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, ContactId
from ccserver.core.routing import end_talk


def requested(floor: Floor, request: TransferContact) -> Answer:
    """Over the API."""
    contact = served(floor, request.contact, request.by)
    if isinstance(contact, Refused):
        return contact
    assert contact.offer is not None
    to = destination(floor, floor.plan_of(contact), request.to)
    if isinstance(to, Nowhere):
        return Refused(to.why)
    if why := _flaw(floor, to, contact.offer.agent):
        return Refused(why)
    transfer(floor, contact, to, request.at)
    return Accepted()


def served(floor: Floor, contact_id: ContactId, by: AgentId | None) -> Contact | Refused:
    """The contact whose customer may be handed over now, by this agent (None: a supervisor asks)."""
    contact = floor.contacts.get(contact_id)
    if contact is None:
        return Refused(f"no contact {contact_id} goes on")
    if contact.state is not ContactState.TALKING:
        return Refused(f"{contact_id} is {contact.state}: only who talks can be handed over")
    if contact.direction is Direction.INTERNAL:
        return Refused(f"{contact_id} is a call to a colleague: there is no customer in it")
    if contact.offer is None:
        return Refused(f"in {contact_id} the customer was called by an operator, and cannot be handed over")
    if by is not None and by != contact.offer.agent:
        return Refused(f"{contact_id} is not {by}'s: {contact.offer.agent} talks with the customer")
    if not floor.linked(contact.node):
        return Refused(f"nothing is heard of {contact.node} just now")
    return contact


def _flaw(floor: Floor, to: Destination, by: AgentId) -> str:
    """Why the customer cannot be handed there; empty: he can."""
    match to:
        case ToAgent(agent) if agent == by:
            return f"{by} would hand the customer to himself"
        case ToAgent(agent):
            return unable(floor.agents[agent], soon=True)
        case ToNumber(number):
            return f"{number} is outside, and cannot be called for the customer"
        case _:
            return ""


def transfer(floor: Floor, contact: Contact, to: Destination, at: float) -> None:
    """The agent goes, the customer waits for the next, or hears what the line says."""
    contact = let_agent_go(floor, contact, at)
    assert contact.last_place is not None
    match to:
        case ToAgent(agent):
            contact = queueing.rejoin(floor, contact, contact.last_place.queue, at)
            queueing.ask_for(floor, contact, agent, floor.now + floor.rules.transfer_wait_s)
        case ToQueue(queue):
            floor.keep(queueing.rejoin(floor, contact, queue, at))
        case ToLine(line):
            conversation.enter(floor, contact, line, at)
        case ToNumber():
            raise AssertionError("refused before")


def let_agent_go(floor: Floor, contact: Contact, at: float, how: Transfer = Transfer.BLIND) -> Contact:
    """His talk ends as transferred, and his phone is hung up; not kept yet."""
    assert contact.offer is not None and contact.segment is not None
    leg = contact.offer.leg
    contact = replace(contact, segment=replace(contact.segment, transfer=how))
    contact = end_talk(floor, contact, SegmentOutcome.TRANSFERRED, max(at, contact.known_until))
    floor.command(HangUpLeg(leg, lane=contact.id))
    return contact
