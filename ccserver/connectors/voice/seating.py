"""Who is in which bridge of a contact: its own, where the customer is, and one aside, for an agent who holds or consults.

A channel that is put into a bridge leaves the one it was in. What is known to be so is not asked for again: adding a channel
to the bridge that it is in would take it out and put it back, with a click. The bridge aside stays until the contact ends: one
that is deleted and made anew under its name may still be going.

A contact that is recorded gets another bridge of its own, one that mixes, before a second agent talks in it: what is just passed
on to the customer of whoever talks second, MixMonitor loses in half of all cases (docs/reference/asterisk.md, 51).
"""

from contextlib import suppress

from ccserver import ari
from ccserver.connectors.voice.calls import MIXED, Call, Calls
from ccserver.connectors.voice.playing import Playing
from ccserver.core.ids import LegId

PASSING = "mixing,dtmf_events"
"""A bridge that passes on what it gets, ringing included, while only two are in it."""
MIXING = "mixing,dtmf_events,video_sfu"
"""A bridge that mixes also when only two are in it. It costs a thread of its own, and passes on no ringing."""
NO_BRIDGE = (404, 409)
"""Asterisk's answers when the bridge is not there, or is just going; about a channel that is gone it says something else."""


class Seating:
    """See the module."""

    def __init__(self, client: ari.AriClient, calls: Calls, playing: Playing) -> None:
        self._ari = client
        self._calls = calls
        self._playing = playing

    async def seat(
        self, call: Call, together: tuple[LegId, ...], aside: tuple[LegId, ...], music: str, *, mixed: bool
    ) -> None:
        """Asked in the order in which nobody hears what is not meant for him: first whoever leaves, then the music."""
        if aside:
            await self._make(call, call.aside)
        for leg in aside:
            await self._put(call, call.aside, leg)
        if mixed:
            await self._mix(call)
        if music:
            await self.customer(call)
            await self._playing.start_music(call, music)
        for leg in together:
            await self._put(call, call.bridge, leg)
        if not music:
            await self._playing.stop_bridge_music(call)

    async def _mix(self, call: Call) -> None:
        """From now on the customer's bridge is one that mixes; he is the first in it, and without music."""
        if call.mixed:
            return
        if call.bridged:
            await self._playing.stop_bridge_music(call)
        call.mixed = True
        if call.bridged:
            await self._make(call, call.bridge)
            await self._ari.add_to_bridge(call.bridge, call.leg)

    async def empty(self, bridge: str) -> None:
        """A bridge, for who will be the first in it."""
        kind = MIXING if bridge.endswith(MIXED) else PASSING
        with suppress(ari.AlreadyExists):
            await self._ari.create_bridge(bridge, type_=kind, name=bridge)

    async def customer(self, call: Call) -> None:
        """Who called stands in the contact's bridge, and nothing is being played to him."""
        if call.bridged:
            return
        await self._playing.bare(call)
        await self._make(call, call.bridge)
        await self._ari.add_to_bridge(call.bridge, call.leg)
        call.bridged = True

    async def _make(self, call: Call, bridge: str) -> None:
        if bridge not in call.rooms:
            await self.empty(bridge)
            call.rooms.add(bridge)

    async def _put(self, call: Call, bridge: str, leg: LegId) -> None:
        if leg == call.leg and bridge == call.bridge:
            await self.customer(call)
            return
        made, lent = self._calls.made.get(leg), self._calls.of_leg(leg)
        if (made is not None and made.bridge == bridge) or (lent is not None and lent.lent_to == bridge):
            return
        # Who has just hung up is told by his end; the others are seated all the same.
        with suppress(ari.NotFound):
            await self._add(bridge, leg)
            if made is not None:
                made.bridge = bridge
            elif lent is not None:
                lent.lent_to = bridge

    async def _add(self, bridge: str, leg: LegId) -> None:
        """Where the bridge is not there, or going, it is made anew: nobody who is on the line may be left out of it."""
        try:
            await self._ari.add_to_bridge(bridge, leg)
        except ari.AriRejected as rejected:
            if rejected.status not in NO_BRIDGE:
                raise
            await self.empty(bridge)
            await self._ari.add_to_bridge(bridge, leg)
