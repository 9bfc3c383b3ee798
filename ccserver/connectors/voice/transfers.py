"""The transfer keys of phones (SIP REFER), which Asterisk obeys before anybody is asked: what it makes, and how it is undone.

It puts one half of a Local channel into the bridge in place of the phone's leg, and the other half comes to us by way of the
context `transfer` (dialplans/operators.conf), with whoever was dialled as its extension:

    the other half comes      TransferRequested: what the core answers decides
    Bridge...Transfer         LegUnseated: now the phone's leg is out of its bridge, and can be put back
    FinishTransfer            refused: both halves go at once, at which Asterisk tells the phone 503, and it stays
                              done: the phone is told 200 and hangs up; then they go

The phone is told 200 as soon as sound goes to the first half, which is soon (docs/reference/asterisk.md, 26): a refusal that
comes later makes it hang up all the same. And the end of its leg may be told before the transfer is (docs/reference/asterisk.md,
54): whoever took it for a goodbye would part those whom it joins, so it is told last.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import structlog

from ccserver import ari
from ccserver.connectors.voice.calls import Calls, contact_of_bridge
from ccserver.connectors.voice.lanes import Lanes
from ccserver.connectors.voice.watch import Watch, lane_of
from ccserver.core.commands import FinishTransfer
from ccserver.core.events import Fact, LegUnseated, ListedTransfer, TransferRequested
from ccserver.core.ids import ContactId, LegId, NodeName, is_chosen

CONTEXT = "transfer"
"""Of dialplans/operators.conf: where phones' transfers begin,"""
ON_ITS_WAY = "hand-over"
"""and where they wait for us."""
HANGS_UP_S = 2.0
"""A phone that was told 200 hangs up by itself; one that does not is hung up then."""
TOLD_WITHIN_S = 2.0
"""A leg that is replaced and gone, and of whose transfer nothing has been told for so long, was replaced for another reason."""

log = structlog.get_logger("ccserver.voice")


class Transfers:
    """See the module."""

    def __init__(
        self,
        node: NodeName,
        client: ari.AriClient,
        calls: Calls,
        lanes: Lanes,
        watch: Watch,
        report: Callable[[Fact], None],
    ) -> None:
        self._node = node
        self._ari = client
        self._calls = calls
        self._lanes = lanes
        self._watch = watch
        self._report = report
        self._halves: dict[LegId, list[LegId]] = {}
        """What stands for each phone's leg that is being transferred."""
        self._gone: dict[LegId, asyncio.Event] = {}
        """Legs whose end is waited for."""
        self._untold: dict[LegId, Callable[[], None]] = {}
        """Legs that are being transferred, as long as nobody said where to: what tells of their end, if they have ended."""
        self._told: set[LegId] = set()
        """Legs of which it was said before they were replaced."""

    # --- told by Asterisk -----------------------------------------------------------------------------------------

    def replaced(self, leg: LegId, half: LegId) -> None:
        """In the bridge the half stands for the phone's leg now, of which Asterisk tells us no more unless it is asked to."""
        if leg in self._calls.made or self._calls.of_leg(leg) is not None:
            self._halves.setdefault(leg, []).append(half)
            if leg in self._told:
                self._told.remove(leg)
            else:
                self._untold[leg] = _nothing
            self._watch.arrived(leg)
        else:
            self._drop([half])

    def before_end(self, leg: LegId, tell: Callable[[], None]) -> None:
        """The leg has ended: `tell` it as soon as it is told where it was transferred to, or at once."""
        if leg in self._untold:
            self._untold[leg] = tell
            asyncio.get_running_loop().call_later(TOLD_WITHIN_S, self.told, leg)
        else:
            tell()

    def told(self, *legs: LegId) -> None:
        """Where they were transferred to, or that nothing came of it: whatever waits for that goes on."""
        for leg in legs:
            self._told.discard(leg)
            self._untold.pop(leg, _nothing)()

    def asked(self, name: str, to: str, half: LegId, at: float) -> None:
        """The half that is to go where the phone's user wants; `name`: of the phone's leg, as Asterisk names channels."""
        leg = self._calls.named(name)
        if leg is None:
            log.warning("transfer refused", channel=name, reason="it is no call of ours")
            self._drop([half])
            return
        self._halves.setdefault(leg, []).append(half)
        self._report(TransferRequested(leg, to, at=at))
        if leg in self._untold:
            self.told(leg)
        else:
            self._told.add(leg)

    def joined(self, first: ari.Channel, second: ari.Channel, at: float) -> None:
        """Both calls of a phone at once: it has been told 200."""
        legs = LegId(first.id), LegId(second.id)
        self._report(TransferRequested(legs[0], second.dialplan.exten, legs[1], at=at))
        self.unseated(*legs, at=at)
        self.told(*legs)

    def unseated(self, *legs: LegId, at: float) -> None:
        """Asterisk has done what it does by itself."""
        for leg in legs:
            if self._calls.unseat(leg):
                self._report(LegUnseated(leg, at=at))

    def ended(self, leg: LegId) -> None:
        """The leg is gone: whatever stood for it has no purpose any more."""
        self._told.discard(leg)
        if leg in self._gone:
            self._gone[leg].set()
        else:
            self._drop(self._halves.pop(leg, []))

    # --- asked for by the core ------------------------------------------------------------------------------------

    def finish(self, command: FinishTransfer) -> None:
        """Undo it, or let it come to its end."""
        leg = command.leg
        if command.refused:
            log.warning("transfer refused", contact=command.lane, leg=leg, reason=command.refused)
            self._drop(self._halves.pop(leg, []))
        else:
            self._gone[leg] = asyncio.Event()
            self._lanes.put(lane_of(leg), partial(self._let_go, leg))

    async def _let_go(self, leg: LegId) -> None:
        """In its own time: hung up by us, the phone would never be told how its transfer went."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HANGS_UP_S):
                await self._gone[leg].wait()
        del self._gone[leg]
        await self._hang_up(leg)
        for half in self._halves.pop(leg, []):
            await self._hang_up(half)

    def _drop(self, halves: Iterable[LegId]) -> None:
        for half in halves:
            self._lanes.put(lane_of(half), partial(self._hang_up, half))

    async def _hang_up(self, leg: LegId) -> None:
        try:
            await self._ari.hangup(leg)
        except ari.AriError as error:
            log.debug(
                "transfer's channel not hung up", leg=leg, reason=str(error)
            )  # it went by itself, or is listed next

    # --- after a gap ----------------------------------------------------------------------------------------------

    def found(self, channels: Iterable[ari.Channel], bridges: Iterable[ari.Bridge]) -> tuple[ListedTransfer, ...]:
        """What was begun meanwhile; what stands for the phones' legs goes, for it will be done in our own way."""
        seats = {channel: bridge.id for bridge in bridges for channel in bridge.channels}
        halves = {channel.name: channel for channel in channels if channel.name.startswith("Local/")}
        told: list[ListedTransfer] = []
        for name, half in halves.items():
            other = halves.get(_other(name))
            seat = seats.get(other.id, "") if other else ""
            asks = half.dialplan.context in {CONTEXT, ON_ITS_WAY}
            if asks and is_chosen(self._node, LegId(seat)):
                told.append(ListedTransfer(ContactId(contact_of_bridge(seat)), half.dialplan.exten))
            if asks or is_chosen(self._node, LegId(seats.get(half.id, ""))):
                self._drop([LegId(half.id)])
        return tuple(told)


def _nothing() -> None:
    """It has not ended."""


def _other(name: str) -> str:
    """The name of the other half of a Local channel."""
    first, _, n = name.rpartition(";")
    return f"{first};{'1' if n == '2' else '2'}"
