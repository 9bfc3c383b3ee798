"""The nodes: connected, lost, listed; and what every contact on one is owed after a gap.

The only recovery there is: `reconcile` turns a listing into the facts that were missed, they are taken like any other, and
what may have been commanded and never performed is commanded again.
"""

from collections.abc import Callable, Iterable, Mapping
from math import inf

from msgspec.structs import replace

from ccserver.core import (
    accepting,
    answering,
    attempting,
    calling_back,
    clicking,
    consulting,
    conversation,
    dialling,
    internal,
    queueing,
    reconcile,
    recording,
    routing,
    supervising,
)
from ccserver.core.commands import EndSupervision, HangUpLeg, ListNode, StartMusic, StopPlay
from ccserver.core.consult import ConsultState
from ccserver.core.contact import Contact, ContactState, Direction, FlowPosition
from ccserver.core.events import CommandFailed, Event, ListedLeg, NodeConnected, NodeListed, NodeLost, TrunkChanged
from ccserver.core.floor import Floor, NodeLink, TrunkLink
from ccserver.core.ids import ContactId, LegId, NodeName, contact_of_made_leg, is_chosen, is_supervision
from ccserver.core.offer import OfferOutcome, OfferState
from ccserver.core.seating import seat

SOON_S = 1.0
"""The node is listed again so soon when legs are missing of whose end nothing has told yet, or it did not answer a command."""


def trunk_changed(floor: Floor, event: TrunkChanged) -> None:
    """Calls can leave by it, or no longer."""
    known = floor.trunks.get(event.trunk)
    same = known is not None and known.usable == event.usable
    since = known.since if known is not None and same else event.at
    floor.trunks[event.trunk] = TrunkLink(since, event.usable, event.reason, event.refused)


def connected(floor: Floor, event: NodeConnected) -> None:
    """Events flow again; what happened meanwhile a listing must tell."""
    link = floor.nodes.setdefault(event.node, NodeLink(since=event.at))
    _cut(floor, event.node, event.at)
    link.started_at, link.heard_since = event.started_at, event.at
    ask(floor, event.node, gap=True)


def lost(floor: Floor, event: NodeLost) -> None:
    """Nothing is heard of it."""
    link = floor.nodes.setdefault(event.node, NodeLink(since=event.at))
    link.heard_since = inf
    _cut(floor, event.node, event.at)


def _cut(floor: Floor, node: NodeName, at: float) -> None:
    """Silence of this node means nothing from here on."""
    link = floor.nodes[node]
    if link.connected:
        link.connected, link.since = False, at
    link.lost_at = at if link.lost_at is None else link.lost_at
    for contact in floor.contacts.values():
        if contact.node == node:
            floor.index(contact)


def ask(floor: Floor, node: NodeName, *, gap: bool) -> None:
    """Let it tell what it holds."""
    mine = [contact for contact in floor.contacts.values() if contact.node == node]
    outside = [leg for contact in mine for _, leg, direction in contact.on_trunks if direction is Direction.OUTBOUND]
    expected = [
        *(contact.leg for contact in mine if not contact.absent),
        *floor.agent_legs,
        *floor.second_calls,
        *floor.turned_legs,
        *outside,
    ]
    since = min((contact.arrived_at for contact in mine), default=floor.now)
    floor.nodes[node].list_at = None
    floor.command(ListNode(node, gap, tuple(expected), since, lane=f"node:{node}"))


def listed(floor: Floor, event: NodeListed, take: Callable[[Event], None]) -> None:
    """The truth about it; `take` is how the router takes any fact."""
    link = floor.nodes.setdefault(event.node, NodeLink(since=event.at))
    if event.asked_at < link.heard_since:
        # Of a connection that is gone: since then nothing was heard, and the next will be listed.
        floor.ignored += 1
        return
    if not link.connected:
        event = replace(event, gap=True)
        link.connected, link.since = True, event.at
    for fact in reconcile.missed(floor, event):
        take(fact)
    for stranger in reconcile.strangers(floor, event):
        leg = stranger.leg
        if is_supervision(leg):
            floor.command(EndSupervision(leg, told=stranger.up, lane=contact_of_made_leg(leg)))
        else:
            floor.command(HangUpLeg(leg, lane=contact_of_made_leg(leg) if is_chosen(event.node, leg) else leg))
    link.lost_at = None
    floor.forget_departed(event.asked_at)
    doubtful = {contact: doubts for contact, doubts in link.doubtful.items() if doubts[-1].at < event.asked_at}
    link.doubtful = {contact: doubts for contact, doubts in link.doubtful.items() if contact not in doubtful}
    legs = {leg.leg: leg for leg in event.legs}
    for contact in list(floor.contacts.values()):
        if contact.node == event.node and (event.gap or _is_hanging_up(contact)):
            _take_up(floor, contact, event, legs)
            supervising.take_up(floor, contact.id, legs)
    for contact_id, doubts in doubtful.items():
        if (doubted := floor.contacts.get(contact_id)) is not None:
            _make_sure(floor, doubted, doubts)
    soon = link.missing or link.doubtful
    floor.list_again(event.node, floor.now + (SOON_S if soon else floor.rules.reconcile_every_s))


def doubt(floor: Floor, event: CommandFailed) -> None:
    """Asterisk did not answer: when it does again, what may not have been done is commanded once more."""
    contact = floor.contacts.get(ContactId(event.command.lane))
    if event.kind != "unanswered" or contact is None:
        return
    link = floor.nodes[contact.node]
    link.doubtful[contact.id] = (*link.doubtful.get(contact.id, ()), event)
    if link.list_at is not None and link.list_at > floor.now + SOON_S:
        floor.list_again(contact.node, floor.now + SOON_S)


def _make_sure(floor: Floor, contact: Contact, doubts: Iterable[CommandFailed]) -> None:
    """Of what the caller hears. That a leg could not be made is told by itself, and hanging up is repeated anyway."""
    if contact.is_lent or contact.absent or contact.state in {ContactState.SUMMONING, ContactState.CLOSING}:
        return
    answering.take(floor, contact)
    if contact.led_by_operator or contact.direction is Direction.INTERNAL:
        return
    music = any(isinstance(doubt.command, StartMusic) for doubt in doubts)
    if contact.state is ContactState.WAITING and music:
        queueing.play_music(floor, contact)
    elif contact.state is ContactState.TALKING:
        seat(floor, contact)


def _is_hanging_up(contact: Contact) -> bool:
    consult = contact.consult
    attempts = (contact.attempt, consult.attempt if consult else None)
    giving_up = any(each is not None and each.giving_up is not None for each in attempts)
    leaving = consult is not None and consult.state is ConsultState.LEAVING
    return contact.state is ContactState.CLOSING or giving_up or leaving


def _take_up(floor: Floor, contact: Contact, event: NodeListed, legs: Mapping[LegId, ListedLeg]) -> None:
    """After a gap a command may have been lost: what the contact's state calls for is commanded again."""
    floor.index(contact)
    floor.rearm(contact)
    if contact.is_lent or contact.entered_at >= event.asked_at:
        return
    recording.take_up(floor, contact)
    if contact.direction is Direction.INTERNAL:
        internal.take_up(floor, contact, legs)
        return
    if contact.state is ContactState.SUMMONING:
        clicking.take_up(floor, contact, legs)
        return
    if contact.state is ContactState.BRIEFING:
        calling_back.brief(floor, contact)
        return
    if contact.led_by_operator or contact.state is ContactState.DIALLING:
        dialling.take_up(floor, contact, legs)
        return
    if contact.state is ContactState.FLOW and contact.flow:
        _resume_flow(floor, contact, contact.flow)
        return
    if contact.state is not ContactState.CLOSING and not contact.absent and not legs[contact.leg].up:
        answering.take(floor, contact)
    match contact.state:
        case ContactState.WAITING:
            queueing.play_music(floor, contact)
        case ContactState.OFFERED if contact.offer and contact.offer.state is OfferState.WHISPERING:
            accepting.cut_short(floor, contact, floor.now)
        case ContactState.OFFERED if contact.offer and (agent_leg := legs.get(contact.offer.leg)):
            called = agent_leg.up or agent_leg.ringing or contact.offer.state is not OfferState.MAKING
            if not (called or agent_leg.pending):
                # Made, and never dialled, as far as we know: we died between the two.
                routing.withdraw(floor, contact, OfferOutcome.FAILED, floor.now, released=True)
        case ContactState.FORWARDING:
            attempting.take_up(floor, contact, legs)
        case ContactState.TALKING:
            consulting.take_up(floor, contact, legs)
        case ContactState.CLOSING:
            caller = () if contact.absent else (contact.leg,)
            for leg in (*caller, *((contact.attempt.leg,) if contact.attempt else ())):
                floor.command(HangUpLeg(leg, contact.cause, lane=contact.id))
        case _:
            pass


def _resume_flow(floor: Floor, contact: Contact, position: FlowPosition) -> None:
    """Picked up anew even if he is up: he may have gone to the fallback and come back, and its dead-man's timeout is armed.

    What is being said to him is stopped first, for until its end nothing can be done with him.
    """
    playing = contact.announcing or position.play
    if playing is not None:
        floor.command(StopPlay(contact.leg, playing, lane=contact.id))
    answering.take(floor, contact)
    conversation.resume(floor, replace(contact, flow=replace(position, play=None)), floor.now)
