"""Who is in which bridge of a contact: its own, where the customer is, and one aside, for an agent who holds or consults.

A channel that is put into a bridge leaves the one it was in. What is known to be so is not asked for again: adding a channel
to the bridge that it is in would take it out and put it back, with a click. The bridge aside stays until the contact ends: one
that is deleted and made anew under its name may still be going.
"""

from contextlib import suppress

from ccserver import ari
from ccserver.connectors.voice.calls import Call, Calls
from ccserver.connectors.voice.playing import Playing
from ccserver.core.ids import LegId

MIXED = "mixing,dtmf_events,video_sfu"
"""A bridge that mixes also when only two are in it: else a second agent is missing from about half of the recordings, though the
customer hears him (docs/reference/asterisk.md, 51)."""
RINGING = "mixing,dtmf_events"
"""A bridge in which who waits for the next hears his phone ring: one that mixes passes on no ringing. For operators only."""
NO_BRIDGE = (404, 409)
"""Asterisk's answers when the bridge is not there, or is just going; about a channel that is gone it says something else."""


class Seating:
    """See the module."""

    def __init__(self, client: ari.AriClient, calls: Calls, playing: Playing) -> None:
        self._ari = client
        self._calls = calls
        self._playing = playing

    async def seat(self, call: Call, together: tuple[LegId, ...], aside: tuple[LegId, ...], music: str) -> None:
        """Asked in the order in which nobody hears what is not meant for him: first whoever leaves, then the music."""
        if aside:
            await self._make(call, aside=True, ringing=True)
        for leg in aside:
            await self._put(call, call.aside, leg)
        if music:
            await self.customer(call)
            await self._playing.start_music(call, music)
        for leg in together:
            await self._put(call, call.bridge, leg)
        if not music:
            await self._playing.stop_bridge_music(call)

    async def empty(self, bridge: str, *, ringing: bool = False) -> None:
        """The contact's bridge, for who will be the first in it; `ringing`: he is to hear the next one's phone ring."""
        with suppress(ari.AlreadyExists):
            await self._ari.create_bridge(bridge, type_=RINGING if ringing else MIXED, name=bridge)

    async def customer(self, call: Call, *, ringing: bool = False) -> None:
        """Who called stands in the contact's bridge, and nothing is being played to him; `ringing` as in `empty`."""
        if call.bridged:
            return
        await self._playing.bare(call)
        await self._make(call, aside=False, ringing=ringing)
        await self._ari.add_to_bridge(call.bridge, call.leg)
        call.bridged = True

    async def _make(self, call: Call, *, aside: bool, ringing: bool) -> None:
        bridge, made = (call.aside, call.aside_made) if aside else (call.bridge, call.bridge_made)
        if not made:
            await self.empty(bridge, ringing=ringing)
        call.aside_made, call.bridge_made = call.aside_made or aside, call.bridge_made or not aside

    async def _put(self, call: Call, bridge: str, leg: LegId) -> None:
        if leg == call.leg and bridge == call.bridge:
            await self.customer(call)
            return
        made, lent = self._calls.made.get(leg), self._calls.of_leg(leg)
        if (made is not None and made.bridge == bridge) or (lent is not None and lent.lent_to == bridge):
            return
        # Who has just hung up is told by his end; the others are seated all the same.
        with suppress(ari.NotFound):
            await self._add(bridge, leg, ringing=bridge == call.aside)
            if made is not None:
                made.bridge = bridge
            elif lent is not None:
                lent.lent_to = bridge

    async def _add(self, bridge: str, leg: LegId, *, ringing: bool) -> None:
        """Where the bridge is not there, or going, it is made anew: nobody who is on the line may be left out of it."""
        try:
            await self._ari.add_to_bridge(bridge, leg)
        except ari.AriRejected as rejected:
            if rejected.status not in NO_BRIDGE:
                raise
            await self.empty(bridge, ringing=ringing)
            await self._ari.add_to_bridge(bridge, leg)
