"""What was expected x what a node lists -> the facts that were missed.

Pure and the only recovery path: at start, at every reconnect, every 30 s and after an overflow the node is listed, and the
difference becomes ordinary facts with the best times known (CEL first), fed through the same tables as if they had come by
themselves. A leg that was commanded or arrived after the listing was asked for is exempt, and so is one still being made.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.attempt import Attempt
from ccserver.core.contact import Contact, ContactState
from ccserver.core.events import (
    ContactArrived,
    Fact,
    InternalDialled,
    LegAnswered,
    LegAway,
    LegEnded,
    LegHeld,
    LegHistory,
    LegReturned,
    LegRinging,
    LegUnheld,
    LegUnseated,
    ListedLeg,
    NodeListed,
    OutboundDialled,
    PhoneChanged,
    TransferRequested,
    TrunkChanged,
)
from ccserver.core.floor import Floor, NodeLink
from ccserver.core.ids import LegId, contact_of_leg, is_chosen
from ccserver.core.listening import supervised
from ccserver.core.offer import Offer


class Listing(Struct, frozen=True):
    """What a node told of itself, found by leg."""

    event: NodeListed
    link: NodeLink
    legs: Mapping[LegId, ListedLeg]
    histories: Mapping[LegId, LegHistory]

    def answered_at(self, leg: LegId) -> float | None:
        """When somebody picked up, by CEL."""
        history = self.histories.get(leg)
        return history.answered_at if history else None

    def ended_at(self, leg: LegId) -> float | None:
        """When it ended, by CEL."""
        history = self.histories.get(leg)
        return history.ended_at if history else None

    def ended(self, leg: LegId, since: float, *, lost: bool = False) -> LegEnded:
        """CEL knows when; else it died with its Asterisk, if that was started after it; else some time before we asked.

        `lost`: what is missing without a trace was never made.
        """
        ended_at = self.ended_at(leg)
        if ended_at is not None:
            return LegEnded(leg, self.histories[leg].cause, at=ended_at)
        if self.link.started_at > since:
            return LegEnded(leg, 0, lost=True, at=max(since, self._died_at()))
        return LegEnded(leg, 0, lost=lost, at=self.event.asked_at)

    def _died_at(self) -> float:
        """When its Asterisk died: as we lost it, but not before the last that CEL tells."""
        link = self.link
        lost_at = link.started_at if link.lost_at is None else min(link.lost_at, link.started_at)
        told = (at for history in self.histories.values() for at in (history.answered_at, history.ended_at))
        return max([lost_at, *(at for at in told if at is not None)])


def missed(floor: Floor, event: NodeListed) -> list[Fact]:
    """The facts that would have told us what the listing shows, in the order of their times."""
    listing = Listing(
        event,
        floor.nodes[event.node],
        {leg.leg: leg for leg in event.legs},
        {history.leg: history for history in event.histories},
    )
    facts: list[Fact] = []
    for contact in floor.contacts.values():
        if contact.node == event.node:
            called, caller = _of_called(contact, listing), _of_caller(contact, listing)
            facts += _of_dialplan(contact, listing)
            facts += _of_supervisor(contact, listing)
            # Of two that ended at the same time as far as is known, an operator's is told first: he will call nobody then.
            facts += [*caller, *called] if contact.led_by_operator else [*called, *caller]
            facts += _of_hold(contact, listing)
            facts += _of_second_call(contact, listing)
    facts += _of_other_legs(floor, listing)
    facts = _believed(facts, listing)
    facts += _arrivals(floor, event)
    facts.sort(key=lambda fact: fact.at)
    phones = (
        PhoneChanged(phone.agent, phone.reachable, phone.in_use, at=event.asked_at)
        for phone in event.phones
        if phone.agent in floor.agents
    )
    trunks = (
        TrunkChanged(event.node, trunk.trunk, trunk.usable, trunk.reason, trunk.refused, at=event.asked_at)
        for trunk in event.trunks
    )
    # Trunks first, for a call may need the next one; transfers before the end of the leg of who asked for them, which was
    # gone soon after; phones last: their state is that of the listing, after all that was missed.
    return [*trunks, *_transfers(floor, listing), *facts, *phones]


def _believed(facts: list[Fact], listing: Listing) -> list[Fact]:
    """Without those ends that their own events will tell, by their own times: it is between gaps, and the leg has just gone.

    An end that CEL does not know either was so lately that both are on their way. Missing once more, it has ended all the same.
    """
    untold = {fact.leg for fact in facts if isinstance(fact, LegEnded) and listing.ended_at(fact.leg) is None}
    early = set() if listing.event.gap else untold - listing.link.missing
    listing.link.missing = early
    return [fact for fact in facts if not (isinstance(fact, LegEnded) and fact.leg in early)]


def strangers(floor: Floor, event: NodeListed) -> Iterator[ListedLeg]:
    """Legs of ours that serve nothing any more: offers and attempts closed meanwhile, codes whose confirmation was missed.

    What is in the dialplan, a supervisor's leg that hears the tone, ends without us.
    """
    parties = (
        each
        for contact in floor.contacts.values()
        for each in (contact.offer, contact.attempt, contact.consult, contact.supervision)
    )
    called = {each.leg for each in parties if each} | {*floor.caller_legs}
    for leg in event.legs:
        lost_call = leg.role in {"agent", "customer"} and leg.leg not in called
        lost_code = leg.role == "code" and event.gap
        if not (leg.pending or leg.away) and (lost_call or lost_code):
            yield leg


def _transfers(floor: Floor, listing: Listing) -> Iterator[Fact]:
    for told in listing.event.transfers:
        contact = floor.contacts.get(told.contact)
        if contact is not None and (leg := contact.agent_leg) is not None:
            gone = listing.ended(leg, contact.entered_at) if leg not in listing.legs else None
            yield TransferRequested(leg, told.to, at=gone.at if gone else listing.event.asked_at)
            if gone is None:
                yield LegUnseated(leg, at=listing.event.asked_at)


def _of_called(contact: Contact, listing: Listing) -> Iterator[Fact]:
    """The agent's leg of an offer, or the customer's of an attempt; before it the third party's, who may get the customer."""
    guest = contact.consult.called if contact.consult else None
    for called in (guest, contact.called):
        if called is not None and called.made_at < listing.event.asked_at:
            yield from _of_party(called, listing)


def _of_party(called: Offer | Attempt, listing: Listing) -> Iterator[Fact]:
    asked_at = listing.event.asked_at
    accepted = called.answered_at is not None
    leg, answered_at = listing.legs.get(called.leg), listing.answered_at(called.leg)
    if leg is None:
        if answered_at is not None and not accepted:
            yield LegAnswered(called.leg, at=answered_at)
        yield listing.ended(called.leg, called.made_at, lost=not accepted)
    elif leg.up and not accepted:
        yield LegAnswered(called.leg, at=asked_at if answered_at is None else answered_at)
    elif leg.ringing and called.ringing_at is None:
        yield LegRinging(called.leg, at=asked_at)


def _of_hold(contact: Contact, listing: Listing) -> Iterator[Fact]:
    """When it changed nobody knows: the middle would be a guess, too, so the listing's own time is taken."""
    leg = listing.legs.get(contact.agent_leg) if contact.agent_leg else None
    if leg is not None and leg.up and leg.held not in {None, contact.held}:
        kind = LegHeld if leg.held else LegUnheld
        yield kind(leg.leg, at=listing.event.asked_at)


def _of_second_call(contact: Contact, listing: Listing) -> Iterator[Fact]:
    """Of an agent whose phone has hung up both of its calls the first is told first: he has handed the customer over."""
    consult = contact.consult
    if consult is None or consult.by is None or consult.begun_at >= listing.event.asked_at:
        return
    if consult.by not in listing.legs:
        ended = listing.ended(consult.by, consult.begun_at)
        first = contact.agent_leg
        both = first is not None and first not in listing.legs
        yield replace(ended, at=max(ended.at, listing.ended(first, 0.0).at)) if first and both else ended


def _of_supervisor(contact: Contact, listing: Listing) -> Iterator[Fact]:
    """Who listens to the talk: that he answered may have been missed."""
    supervision, asked_at = contact.supervision, listing.event.asked_at
    if supervision is None or supervision.made_at >= asked_at:
        return
    leg, answered_at = listing.legs.get(supervision.leg), listing.answered_at(supervision.leg)
    if leg is None:
        yield listing.ended(supervision.leg, supervision.made_at)
    elif leg.up and supervision.answered_at is None:
        yield LegAnswered(supervision.leg, at=asked_at if answered_at is None else answered_at)


def _of_dialplan(contact: Contact, listing: Listing) -> Iterator[Fact]:
    """The dialplan gave the caller back, and nobody was told."""
    leg = listing.legs.get(contact.leg)
    if contact.away and not contact.absent and leg is not None and not leg.away and leg.back is not None:
        yield replace(leg.back, at=listing.event.asked_at)


def _of_caller(contact: Contact, listing: Listing) -> Iterator[Fact]:
    asked_at = listing.event.asked_at
    since = contact.leg_since or contact.entered_at
    if since >= asked_at or contact.absent or contact.state is ContactState.SUMMONING:
        return
    caller = listing.legs.get(contact.leg)
    if not contact.led_by_operator and contact.answered_at is None:
        answered_at = listing.answered_at(contact.leg)
        if answered_at is not None or (caller is not None and caller.up):
            yield LegAnswered(contact.leg, at=asked_at if answered_at is None else answered_at)
    if caller is None:
        yield listing.ended(contact.leg, since)
    elif caller.away and not contact.away and contact.state is not ContactState.CLOSING:
        yield LegAway(contact.leg, at=asked_at)
    elif contact.away and not caller.away:
        yield LegReturned(contact.leg, at=asked_at)


def _of_other_legs(floor: Floor, listing: Listing) -> Iterator[Fact]:
    """Legs that serve no contact any more, or never did: only their end may have been missed."""
    event = listing.event
    for leg, agent_id in floor.agent_legs.items():
        agent = floor.agents[agent_id]
        contact = floor.contacts.get(agent.contact) if agent.contact else None
        parties = (contact.offer, contact.consult) if contact is not None else ()
        current = contact is not None and (contact.leg == leg or any(each and each.leg == leg for each in parties))
        current = current or supervised(floor, leg) is not None
        # `since` is not before the leg was made: what changed after we asked is left to the next listing.
        if is_chosen(event.node, leg) and leg not in listing.legs and not current and agent.since < event.asked_at:
            yield listing.ended(leg, agent.since)
    for leg, code in floor.codes.items():
        if leg not in listing.legs and code.dialled_at < event.asked_at:
            yield listing.ended(leg, code.dialled_at)


def _arrivals(floor: Floor, event: NodeListed) -> Iterator[Fact]:
    """Callers, and operators who dialled out, whose StasisStart was missed: nobody is left standing in silence."""
    for leg in event.legs:
        known = any(leg.leg in known for known in (floor.caller_legs, floor.second_calls, floor.turned_legs))
        if leg.role in {"outbound", "internal"} and not leg.away and not known:
            told = InternalDialled if leg.role == "internal" else OutboundDialled
            yield told(
                contact_of_leg(event.node, leg.leg),
                leg.leg,
                event.node,
                leg.agent,
                leg.number,
                leg.arrived_at,
                at=event.asked_at,
            )
        if leg.role == "caller" and leg.line is not None and not leg.away and leg.leg not in floor.caller_legs:
            yield ContactArrived(
                contact_of_leg(event.node, leg.leg),
                leg.leg,
                event.node,
                leg.line,
                leg.ani,
                leg.arrived_at,
                leg.trunk,
                leg.flow,
                at=event.asked_at,
            )
