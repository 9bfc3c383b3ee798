"""What one channel hears: prompts, hold music, silence, in the order that Asterisk dictates.

A running playback is stopped before anything else is asked of an unbridged channel: until its end the channel would obey no
other command (docs/reference/asterisk.md, 4).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from ccserver import ari
from ccserver.connectors.voice.calls import PLAY_ENDS_S, Call
from ccserver.core.commands import PlayPrompts, TellLeg, WhisperPrompts
from ccserver.core.ids import Language, LegId

LEAD_IN = "lead-in"
"""A silence before the first prompt of a call: what is said right after the answer, networks and busy phones swallow."""

Media = Callable[[str, Language], tuple[str, ...]]
"""An item of a step and a language -> the ARI media URIs that say it; raises KeyError when there are none."""


class Playing:
    """See the module."""

    def __init__(self, client: ari.AriClient, media: Media) -> None:
        self._ari = client
        self._media = media

    async def play(self, call: Call, command: PlayPrompts) -> None:
        """The items as one playback."""
        await self.bare(call)
        call.started(command.play)
        media = [uri for item in command.items for uri in self._media(item, command.language)]
        if call.fresh:
            call.fresh, media = False, [*self._media(LEAD_IN, command.language), *media]
        try:
            await self._ari.play(command.leg, media, playback_id=command.play, language=command.language)
        except ari.AriError:
            call.ended(command.play)
            raise

    async def whisper(self, leg: LegId, command: WhisperPrompts | TellLeg) -> None:
        """To one who stands in a bridge: the others there hear neither it nor him until it ends (docs/reference/asterisk.md)."""
        media = [uri for item in command.items for uri in self._media(item, command.language)]
        await self._ari.play(leg, media, playback_id=command.play, language=command.language)

    async def bare(self, call: Call) -> None:
        """Nothing plays and the leg stands alone: only then a prompt can be played to it, or its voice recorded."""
        if call.play is not None:
            await self.hush(call, call.play)
        if call.bridged:
            await self._ari.remove_from_bridge(call.bridge, call.leg)
            call.bridged = False
        elif call.music is not False:
            await self._ari.stop_moh(call.leg)
        call.music = False

    async def hush(self, call: Call, play: str) -> None:
        """Stop a playback and see it end."""
        try:
            await self._ari.stop_playback(play)
        except ari.NotFound:
            call.play = None
            call.quiet.set()
            return
        try:
            async with asyncio.timeout(PLAY_ENDS_S):
                await call.quiet.wait()
        except TimeoutError:
            call.play = None
            call.quiet.set()

    async def start_music(self, call: Call, music: str) -> None:
        """Hold music, on the bridge when bridged, else on the channel."""
        if call.play is not None:
            await self.hush(call, call.play)
        if call.music:
            return
        if call.early:
            with suppress(
                ari.AriRejected
            ):  # answered meanwhile, or it cannot be heard before: it is music all the same
                await self._ari.progress(call.leg)
        if call.bridged:
            await self._ari.start_bridge_moh(call.bridge, music)
        else:
            await self._ari.start_moh(call.leg, music)
        call.music = True

    async def stop_bridge_music(self, call: Call) -> None:
        """Let the two in the bridge talk."""
        if call.music is not False:
            with suppress(ari.Conflict):  # no music was playing: after a restart we cannot know
                await self._ari.stop_bridge_moh(call.bridge)
            call.music = False
