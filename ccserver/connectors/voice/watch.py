"""Small duties about single channels, each on a lane of its own so that no call waits for them."""

import time
from collections.abc import Callable

import structlog

from ccserver import ari
from ccserver.connectors.voice.calling import APP
from ccserver.connectors.voice.lanes import Lanes
from ccserver.core.events import Fact, LegAway
from ccserver.core.ids import LegId

log = structlog.get_logger("ccserver.voice")


def lane_of(leg: LegId) -> str:
    """On which such duties are done."""
    return f"watch:{leg}"


class Watch:
    """See the module."""

    def __init__(self, client: ari.AriClient, lanes: Lanes, report: Callable[[Fact], None]) -> None:
        self._ari = client
        self._lanes = lanes
        self._report = report

    def arrived(self, leg: LegId) -> None:
        """Without a subscription of its own an inbound channel's end is never told (docs/reference/asterisk.md, 8)."""
        self._lanes.put(lane_of(leg), lambda: self._subscribe(leg))

    def left(self, leg: LegId) -> None:
        """StasisEnd is not hangup: look whether the leg lives on in the dialplan."""
        self._lanes.put(lane_of(leg), lambda: self._look_after(leg))

    def strayed(self, leg: LegId) -> None:
        """A channel that came without saying what it wants: the fallback dialplan knows what to do with a caller."""
        self._lanes.put(lane_of(leg), lambda: self._to_fallback(leg))

    async def _subscribe(self, leg: LegId) -> None:
        try:
            await self._ari.subscribe(APP, f"channel:{leg}")
        except ari.AriError as error:
            # It hung up before we could subscribe, or Asterisk is gone: the next listing tells.
            log.debug("leg not watched", leg=leg, reason=str(error))

    async def _look_after(self, leg: LegId) -> None:
        try:
            channel = await self._ari.get_channel(leg)
        except ari.AriError:
            return  # gone: ChannelDestroyed, or the next listing, has told or will
        if channel.dialplan.app_name != "Stasis":
            self._report(LegAway(leg, at=time.time()))

    async def _to_fallback(self, leg: LegId) -> None:
        try:
            await self._ari.continue_in_dialplan(leg, "fallback", "s")
        except ari.AriError as error:
            log.warning("stray channel stays", leg=leg, reason=str(error))
