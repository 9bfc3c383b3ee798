"""What was expected x what a node lists -> the facts that were missed.

Pure and the only recovery path: at start, at every reconnect, every 30 s and after an overflow the node is listed, and the
difference becomes ordinary facts with the best times known (CEL first), fed through the same tables as if they had come by
themselves. A leg that was commanded or arrived after the listing was asked for is exempt, and so is one still being made.
"""

from collections.abc import Iterator, Mapping

from ccserver.core.contact import Contact, ContactState
from ccserver.core.events import (
    ContactArrived,
    Fact,
    LegAnswered,
    LegAway,
    LegEnded,
    LegHistory,
    LegReturned,
    LegRinging,
    ListedLeg,
    NodeListed,
    PhoneChanged,
)
from ccserver.core.floor import Floor, NodeLink
from ccserver.core.ids import LegId, contact_of_leg, is_chosen
from ccserver.core.offer import OfferState


def missed(floor: Floor, event: NodeListed) -> list[Fact]:
    """The facts that would have told us what the listing shows, in the order of their times."""
    link = floor.nodes[event.node]
    listed = {leg.leg: leg for leg in event.legs}
    histories = {history.leg: history for history in event.histories}
    facts: list[Fact] = []
    for contact in floor.contacts.values():
        if contact.node == event.node:
            facts.extend(_of_contact(contact, event, link, listed, histories))
    for leg, agent_id in floor.agent_legs.items():
        contact_id = floor.agents[agent_id].contact
        current = floor.contacts.get(contact_id) if contact_id else None
        since = floor.agents[agent_id].since  # not before the leg was made
        if (
            leg not in listed
            and since < event.asked_at
            and not (current and current.offer and current.offer.leg == leg)
        ):
            # Withdrawn or hung up already, only its end was missed.
            facts.append(_ended(leg, since, event, link, histories))
    for leg, code in floor.codes.items():
        if leg not in listed and code.dialled_at < event.asked_at:
            facts.append(_ended(leg, code.dialled_at, event, link, histories))
    facts.extend(_arrivals(floor, event))
    facts.sort(key=lambda fact: fact.at)
    phones = (
        PhoneChanged(phone.agent, phone.reachable, phone.in_use, at=event.asked_at)
        for phone in event.phones
        if phone.agent in floor.agents
    )
    # Phones last: their state is that of the listing, after all that was missed.
    return [*facts, *phones]


def strangers(floor: Floor, event: NodeListed) -> Iterator[LegId]:
    """Legs of ours that serve nothing any more: offers closed meanwhile, codes whose confirmation may have been missed."""
    offered = {contact.offer.leg for contact in floor.contacts.values() if contact.offer}
    for leg in event.legs:
        lost_offer = leg.role == "agent" and leg.leg not in offered
        lost_code = leg.role == "code" and event.gap
        if not leg.pending and (lost_offer or lost_code):
            yield leg.leg


def _of_contact(
    contact: Contact,
    event: NodeListed,
    link: NodeLink,
    listed: Mapping[LegId, ListedLeg],
    histories: Mapping[LegId, LegHistory],
) -> Iterator[Fact]:
    offer = contact.offer
    if offer is not None and offer.made_at < event.asked_at:
        leg = listed.get(offer.leg)
        if leg is None:
            history = histories.get(offer.leg)
            if history and history.answered_at is not None and offer.state is not OfferState.ACCEPTED:
                yield LegAnswered(offer.leg, at=history.answered_at)
            yield _ended(offer.leg, offer.made_at, event, link, histories)
        elif leg.up and offer.state is not OfferState.ACCEPTED:
            answered_at = _known(histories, offer.leg)
            yield LegAnswered(offer.leg, at=event.asked_at if answered_at is None else answered_at)
        elif leg.ringing and offer.state is OfferState.DIALLING:
            yield LegRinging(offer.leg, at=event.asked_at)
    if contact.entered_at >= event.asked_at:
        return
    caller = listed.get(contact.leg)
    if caller is None:
        yield _ended(contact.leg, contact.entered_at, event, link, histories)
    elif caller.away and not contact.away and contact.state is not ContactState.CLOSING:
        yield LegAway(contact.leg, at=event.asked_at)
    elif contact.away and not caller.away:
        yield LegReturned(contact.leg, at=event.asked_at)


def _known(histories: Mapping[LegId, LegHistory], leg: LegId) -> float | None:
    history = histories.get(leg)
    return history.answered_at if history else None


def _ended(
    leg: LegId, since: float, event: NodeListed, link: NodeLink, histories: Mapping[LegId, LegHistory]
) -> LegEnded:
    """CEL knows when; else it died with its Asterisk, if that was started after it; else some time before we asked."""
    history = histories.get(leg)
    if history is not None and history.ended_at is not None:
        return LegEnded(leg, history.cause, at=history.ended_at)
    if link.started_at > since:
        return LegEnded(leg, 0, lost=True, at=max(since, _died_at(link, histories)))
    # A leg of our making was never made: the command was lost with us. Any other was there, so it hung up.
    return LegEnded(leg, 0, lost=is_chosen(event.node, leg), at=event.asked_at)


def _died_at(link: NodeLink, histories: Mapping[LegId, LegHistory]) -> float:
    """When its Asterisk died: as we lost it, but not before the last that CEL tells."""
    told = [at for history in histories.values() for at in (history.answered_at, history.ended_at) if at is not None]
    lost_at = link.started_at if link.lost_at is None else min(link.lost_at, link.started_at)
    return max([lost_at, *told])


def _arrivals(floor: Floor, event: NodeListed) -> Iterator[Fact]:
    """Callers whose StasisStart was missed: nobody is left standing in silence."""
    for leg in event.legs:
        if leg.role == "caller" and leg.line is not None and not leg.away and leg.leg not in floor.caller_legs:
            yield ContactArrived(
                contact_of_leg(event.node, leg.leg),
                leg.leg,
                event.node,
                leg.line,
                leg.ani,
                leg.arrived_at,
                at=event.asked_at,
            )
