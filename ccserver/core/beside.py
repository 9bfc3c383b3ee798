"""An agent who serves a customer dials somebody on a second call of his phone: that is a consult, begun by the phone itself.

It is the consult of `consulting`; only that he is not put aside, but has dialled from there, and holds the customer with his
phone. What he can then do with its keys: hand the customer over (REFER joins the two calls: `referring`), hang up the second
call (the third party goes), or the first (as any agent who hangs up in a consult: the third party gets the customer).
"""

from ccserver.core import consulting, outside
from ccserver.core.commands import AnswerLeg
from ccserver.core.contact import Contact
from ccserver.core.destinations import ToAgent, ToNumber, destination, unable
from ccserver.core.events import InternalDialled, LegEnded, OutboundDialled, Refused
from ccserver.core.floor import Floor
from ccserver.core.numbers import is_emergency
from ccserver.core.offer import OfferOutcome
from ccserver.core.transferring import served


def begun(floor: Floor, event: OutboundDialled | InternalDialled) -> bool:
    """Whether this is a consult; else it is a call of its own, which is let through or refused as ever."""
    agent = floor.agents.get(event.agent) if event.agent else None
    if agent is None or agent.contact is None or is_emergency(event.number, floor.rules.region):
        return False
    contact = served(floor, agent.contact, agent.id)
    if isinstance(contact, Refused) or contact.parked:
        return False
    answer = AnswerLeg(event.leg, contact.language, lane=event.contact)
    match destination(floor, floor.plan_of(contact), event.number):
        case ToAgent(other) if other != agent.id and not unable(floor.agents[other], soon=False):
            floor.command(answer)
            consulting.call_colleague(floor, contact, other, event.number, event.at, by=event.leg)
        case ToNumber(number) if not outside.not_let_out(floor, contact, agent.id, number):
            floor.command(answer)
            consulting.call_number(floor, contact, number, event.at, by=event.leg)
        case _:
            return False
    return True


def ended(floor: Floor, contact: Contact, event: LegEnded) -> None:
    """He hung it up: the third party goes."""
    consulting.give_up(floor, contact, OfferOutcome.WITHDRAWN, event.at)
