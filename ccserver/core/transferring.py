"""The customer is handed over without a word (blind transfer): to a colleague, a queue, the flow of a line, a number.

The agent's talk ends there and then, and he is in wrap-up; the contact goes on with its recording, in a place of honour:
whoever has waited once does not stand at the end again. A colleague who does not take him in time loses him to the queue he
came from.
"""

from msgspec.structs import replace

from ccserver.core import conversation, forwarding, outside, queueing
from ccserver.core.agent import Signal
from ccserver.core.commands import FinishTransfer, HangUpLeg
from ccserver.core.contact import Contact, ContactState, Direction, Place, SegmentOutcome, Transfer
from ccserver.core.destinations import Destination, Nowhere, ToAgent, ToLine, ToNumber, ToQueue, destination, unable
from ccserver.core.events import Accepted, Answer, LegEnded, Refused, TransferContact
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, ContactId, LegId
from ccserver.core.routing import end_talk
from ccserver.core.turning import turned

HANGS_UP_S = 3.0
"""A phone that believes in its transfer hangs up so soon."""


def requested(floor: Floor, request: TransferContact) -> Answer:
    """Over the API."""
    wish = possible(floor, request.contact, request.to, request.by)
    if isinstance(wish, Refused):
        return wish
    transfer(floor, *wish, request.at)
    return Accepted()


def possible(
    floor: Floor, contact_id: ContactId, text: str, by: AgentId | None
) -> tuple[Contact, Destination] | Refused:
    """Who is to be handed where; or why he cannot be."""
    contact = served(floor, contact_id, by)
    if isinstance(contact, Refused):
        return contact
    assert contact.offer is not None
    to = destination(floor, floor.plan_of(contact), text)
    if isinstance(to, Nowhere):
        return Refused(to.why)
    why = _flaw(floor, contact, to, contact.offer.agent)
    return Refused(why) if why else (contact, to)


def served(floor: Floor, contact_id: ContactId, by: AgentId | None, *, consulting: bool = False) -> Contact | Refused:
    """The contact of which this agent (None: a supervisor) may dispose now; `consulting`: though there is a third party."""
    contact = floor.contacts.get(contact_id)
    if contact is None:
        return Refused(f"no contact {contact_id} goes on")
    if contact.state is not ContactState.TALKING:
        return Refused(f"{contact_id} is {contact.state}: only who talks can be handed over")
    if contact.direction is Direction.INTERNAL:
        return Refused(f"{contact_id} is a call to a colleague: there is no customer in it")
    if contact.offer is None:
        of_customer = turned(floor, contact)
        if isinstance(of_customer, Refused):
            return of_customer
        contact = of_customer
    assert contact.offer is not None
    if by is not None and by != contact.offer.agent:
        return Refused(f"{contact_id} is not {by}'s: {contact.offer.agent} talks with the customer")
    if not floor.linked(contact.node):
        return Refused(f"nothing is heard of {contact.node} just now")
    if contact.consult is not None and not consulting:
        return Refused(f"{contact.consult.to} is being consulted in {contact_id}: that must be ended first")
    if contact.last_place is None:  # it was answered by a daemon that did not keep it
        at, queue = contact.entered_at, contact.offer.queue
        contact = replace(contact, last_place=Place(queue=queue, needs=(), entered_at=at, order=at))
    return contact


def _flaw(floor: Floor, contact: Contact, to: Destination, by: AgentId) -> str:
    """Why the customer cannot be handed there; empty: he can."""
    match to:
        case ToAgent(agent) if agent == by:
            return f"{by} would hand the customer to himself"
        case ToAgent(agent):
            return unable(floor.agents[agent], soon=True)
        case ToNumber(number):
            return outside.not_let_out(floor, contact, by, number)
        case _:
            return ""


def transfer(floor: Floor, contact: Contact, to: Destination, at: float, *, by_phone: bool = False) -> None:
    """The agent goes, the customer waits for the next, or hears what the line says. `by_phone`: as in `hang_up_agent`."""
    assert contact.offer is not None
    leg, agent_id = contact.offer.leg, contact.offer.agent
    contact = let_agent_go(floor, contact, at)
    hang_up_agent(floor, contact, leg, by_phone=by_phone)
    assert contact.last_place is not None
    match to:
        case ToAgent(agent):
            contact = queueing.rejoin(floor, contact, contact.last_place.queue, at)
            queueing.ask_for(floor, contact, agent, floor.now + floor.rules.transfer_wait_s)
        case ToQueue(queue):
            floor.keep(queueing.rejoin(floor, contact, queue, at))
        case ToLine(line):
            conversation.enter(floor, contact, line, at)
        case ToNumber(number):
            forwarding.begin(floor, contact, number, agent_id, contact.known_until)


def taken_for_done(floor: Floor, contact: Contact, event: LegEnded) -> bool:
    """The agent's phone hung up on a transfer that was refused: the customer waits for him, if he did."""
    refused_at = contact.transfer_refused_at
    if refused_at is None or event.lost or event.at > refused_at + HANGS_UP_S:
        return False
    mine = served(floor, contact.id, None)
    if isinstance(mine, Refused) or mine.offer is None:
        return False
    agent = mine.offer.agent
    transfer(floor, replace(mine, transfer_refused_at=None), ToAgent(agent), event.at)
    floor.signal(agent, Signal.TIME_UP, event.at, deadline=None)  # no notes yet: the customer is still his
    return True


def let_agent_go(floor: Floor, contact: Contact, at: float, how: Transfer = Transfer.BLIND) -> Contact:
    """His talk ends as transferred; not kept yet."""
    assert contact.segment is not None
    contact = replace(contact, segment=replace(contact.segment, transfer=how))
    return end_talk(floor, contact, SegmentOutcome.TRANSFERRED, max(at, contact.known_until))


def hang_up_agent(floor: Floor, contact: Contact, leg: LegId, *, by_phone: bool = False) -> None:
    """He has nothing to do with the customer any more. `by_phone`: it wanted the transfer, and hangs up when it is told."""
    floor.command(FinishTransfer(leg, lane=contact.id) if by_phone else HangUpLeg(leg, lane=contact.id))
