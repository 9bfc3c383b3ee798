"""Everything a node holds, as the core wants it told after a gap: its legs, phones and trunks, and what CEL says of the missing.

The listing also rebuilds `Calls`: after a restart of the daemon that is all the connector knows.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from msgspec.structs import replace

from ccserver import ari
from ccserver.connectors.voice import lending
from ccserver.connectors.voice.aside import TALK_ENDED
from ccserver.connectors.voice.calls import Call, Calls, MadeLeg, bridges_of, contact_of_bridge, mixed_of
from ccserver.connectors.voice.facts import agent_of_channel, ani_of, flow_of, part, trunk_of
from ccserver.connectors.voice.phones import Phones
from ccserver.connectors.voice.transfers import Transfers
from ccserver.connectors.voice.trunks import Trunks
from ccserver.connectors.voice.watch import Watch
from ccserver.core.commands import ListNode
from ccserver.core.events import LegHistory, LegRole, ListedLeg, NodeListed
from ccserver.core.ids import (
    LegId,
    LineNumber,
    NodeName,
    contact_of_leg,
    contact_of_made_leg,
    is_chosen,
)

Histories = Callable[[Iterable[LegId], float], tuple[LegHistory, ...]]
"""(legs, not before this time) -> what CEL tells of them; reads a file, so it runs in a thread."""


CALLED = {"agent", "customer"}
"""Roles of the legs that we made."""
PHONES = {"agent", "outbound"}
"""Roles of legs that lead to an operator's phone, which may hold who talks with it."""
BRIDGE_YOUNG_S = 10.0
"""A bridge of a contact that arrived after the listing was commanded is no older than this."""


class Lister:
    """Performs `ListNode`."""

    def __init__(
        self,
        node: NodeName,
        client: ari.AriClient,
        calls: Calls,
        phones: Phones,
        trunks: Trunks,
        watch: Watch,
        transfers: Transfers,
        histories: Histories,
    ) -> None:
        self._node = node
        self._ari = client
        self._calls = calls
        self._phones = phones
        self._trunks = trunks
        self._watch = watch
        self._transfers = transfers
        self._histories = histories

    async def list(self, command: ListNode) -> NodeListed:
        """Ask Asterisk for all of it; raises AriError when it does not answer."""
        asked_at = time.time()
        channels, bridges, *_ = await asyncio.gather(
            self._ari.list_channels(), self._ari.list_bridges(), self._phones.look(), self._trunks.look()
        )
        expected = set(command.expected)
        # A leg that was being made as we asked is told by us, not by Asterisk: it must not count as missing.
        pending = {leg: made for leg, made in self._calls.made.items() if made.settled_at >= asked_at}
        legs = {told.leg: told for channel in channels if (told := self._leg(channel, expected, pending))}
        for leg in pending.keys() - legs.keys():
            legs[leg] = ListedLeg(leg, "agent" if pending[leg].agent else "customer", up=False, pending=True)
        transfers = self._transfers.found(channels, bridges) if command.gap else ()
        if command.gap:
            self._calls.forget_all_but(legs)
            self._rebuild(legs.values(), channels, bridges)
            self._watch_again(legs.values())
            legs = {leg: await self._with_hold(told) for leg, told in legs.items()}
        await self._sweep(bridges, expected, asked_at)
        histories = await self._told_by_cel(command, legs)
        return NodeListed(
            self._node,
            asked_at,
            command.gap,
            tuple(legs.values()),
            histories,
            self._phones.known(),
            self._trunks.known(),
            transfers,
            at=time.time(),
        )

    async def _told_by_cel(self, command: ListNode, legs: Mapping[LegId, ListedLeg]) -> tuple[LegHistory, ...]:
        """Of legs that are missing, when they ended; of those that are up after a gap, when they were answered."""
        wanted = set(command.expected) - legs.keys()
        if command.gap:
            wanted |= {leg.leg for leg in legs.values() if leg.role in {*CALLED, "caller"} and leg.up}
        return await asyncio.to_thread(self._histories, wanted, command.since) if wanted else ()

    def _leg(self, channel: ari.Channel, expected: set[LegId], pending: dict[LegId, MadeLeg]) -> ListedLeg | None:
        leg = LegId(channel.id)
        if channel.name.startswith(("Snoop/", "Local/")):
            return None  # goes with the leg that it hears, or stands for
        if is_chosen(self._node, leg):
            agent = agent_of_channel(channel)
            role: LegRole = "agent" if agent is not None and agent in self._phones.agents else "customer"
            left = channel.dialplan.context == TALK_ENDED
            return ListedLeg(leg, role, channel.is_up, channel.state == "Ringing", leg in pending, left)
        place = channel.dialplan
        app, *arguments = place.app_data.removeprefix("ccserver,").split(",")
        if place.app_name == "Stasis" and app == "line":
            return ListedLeg(
                leg,
                "caller",
                channel.is_up,
                line=LineNumber(arguments[0] if arguments else ""),
                ani=ani_of(channel),
                arrived_at=float(channel.created_at),
                trunk=trunk_of(arguments[1:]),
                flow=flow_of(arguments[1:]),
                back=lending.brought(contact_of_leg(self._node, leg), part(arguments, 2), 0.0),
            )
        if place.app_name == "Stasis" and app == "code":
            return ListedLeg(leg, "code", channel.is_up)
        if place.app_name == "Stasis" and app in {"outbound", "internal"}:
            return ListedLeg(
                leg,
                "internal" if app == "internal" else "outbound",
                channel.is_up,
                arrived_at=float(channel.created_at),
                agent=agent_of_channel(channel),
                number=arguments[0] if arguments else "",
            )
        return ListedLeg(leg, "caller", channel.is_up, away=True) if leg in expected else None

    async def _with_hold(self, told: ListedLeg) -> ListedLeg:
        """Asterisk lists nothing of it, and would tell of the next change only."""
        if told.role not in PHONES or not told.up or told.away:
            return told
        try:
            held = await self._ari.get_variable(told.leg, "CHANNEL(rtp,hold,audio)")
        except (ari.NotFound, ari.Conflict):
            return told  # it ended meanwhile: the next listing, or its own event, tells
        return replace(told, held=held == "1")

    def _rebuild(
        self, legs: Iterable[ListedLeg], channels: Iterable[ari.Channel], bridges: Iterable[ari.Bridge]
    ) -> None:
        """What we knew of the media may have changed in the gap: believe the listing."""
        named = {LegId(channel.id): channel for channel in channels}
        rooms = {bridge.id: bridge for bridge in bridges}
        seats = {leg: bridge.id for bridge in rooms.values() for leg in bridge.channels}
        for listed in legs:
            if listed.role in CALLED:
                self._know_made_leg(listed, named.get(listed.leg))
                made = self._calls.made[listed.leg]
                made.bridge = seats.get(listed.leg, "")
                call_of_made = self._calls.of_leg(listed.leg)
                if call_of_made is not None:  # he is called back, or calls somebody back
                    call_of_made.mixed = made.bridge == mixed_of(made.contact)
                    call_of_made.bridged, call_of_made.music = made.bridge == call_of_made.bridge, None
                continue
            contact = contact_of_leg(self._node, listed.leg) if listed.role != "code" else None
            call = self._calls.of_leg(listed.leg) or self._calls.add(Call(leg=listed.leg, contact=contact))
            call.channel_name = named[listed.leg].name
            call.up = listed.up
            call.music = None
            if contact is not None:
                call.rooms = rooms.keys() & set(bridges_of(contact))
                call.mixed = seats.get(listed.leg) == mixed_of(contact)
                call.bridged = seats.get(listed.leg) == call.bridge
            call.lent_to = seats.get(listed.leg, "") if not call.bridged else ""

    def _know_made_leg(self, listed: ListedLeg, channel: ari.Channel | None) -> None:
        known = self._calls.made.get(listed.leg)
        if known is None:
            agent = agent_of_channel(channel) if channel and listed.role == "agent" else None
            known = MadeLeg(contact=contact_of_made_leg(listed.leg), agent=agent, settled_at=0.0)
            known.in_stasis.set()
            self._calls.made[listed.leg] = known
        known.channel_name = channel.name if channel else known.channel_name
        # What the listing tells need not be told again by an event that was on its way.
        known.up, known.ringing = known.up or listed.up, known.ringing or listed.ringing
        known.left = listed.away

    def _watch_again(self, legs: Iterable[ListedLeg]) -> None:
        """A leg whose StasisStart was missed was never subscribed to, and its end would never be told."""
        for listed in legs:
            if listed.role not in CALLED and not listed.away:
                self._watch.arrived(listed.leg)

    async def _sweep(self, bridges: Iterable[ari.Bridge], expected: set[LegId], asked_at: float) -> None:
        """Asterisk never deletes a bridge for us: those of contacts that closed without us (not those just made)."""
        chosen = partial(is_chosen, self._node)
        live = {contact_of_made_leg(leg) if chosen(leg) else contact_of_leg(self._node, leg) for leg in expected}
        for bridge in bridges:
            old = float(bridge.created_at) < asked_at - BRIDGE_YOUNG_S
            if (
                is_chosen(self._node, LegId(bridge.id))
                and old
                and contact_of_bridge(bridge.id) not in live
                and not bridge.channels
            ):
                try:
                    await self._ari.delete_bridge(bridge.id)
                except (ari.NotFound, ari.Conflict):
                    # 409, not in Stasis: deleted already, and an overloaded Asterisk has not done it yet. No reason not
                    # to tell of everything else: a listing that fails each time leaves dead contacts in their queues.
                    continue
