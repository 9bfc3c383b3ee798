"""Supervisors beside a talk: their phone, and the snoop channel by which they hear it, in a bridge of their own.

The bridge has the id of the supervisor's leg; nothing of the talk itself is touched, and when Asterisk hangs up the agent's leg
the snoop channel goes with it. All is set up before the phone rings, so that he hears the talk even if we are dead by then.
"""

import asyncio
import time
from contextlib import suppress
from typing import get_args

from ccserver import ari
from ccserver.connectors.voice.calling import APP, CONTACT_VARIABLE, STASIS_START_S
from ccserver.connectors.voice.calls import Calls, MadeLeg
from ccserver.core.commands import CallSupervisor, EndSupervision, SpyOn
from ccserver.core.ids import ContactId, LegId
from ccserver.core.supervision import Listening

WHISPER: dict[Listening, str] = {"listen": "none", "whisper": "out", "barge": "both"}
"""`out`: to the agent; `both`: also as if the agent had said it, so that the customer, and the recording, hear it."""
TALK_ENDED = "talk-ended"
"""The context of dialplans/operators.conf in which Asterisk lets him hear the tone and hangs him up, also without us."""


class Aside:
    """See the module."""

    def __init__(self, client: ari.AriClient, calls: Calls) -> None:
        self._ari = client
        self._calls = calls

    def expect(self, command: CallSupervisor) -> None:
        """As `Calling.expect`."""
        self._calls.made[command.leg] = MadeLeg(contact=ContactId(command.lane), agent=command.supervisor)

    async def call(self, command: CallSupervisor) -> None:
        """His phone; he hears the talk in the bridge the moment he answers."""
        made = self._calls.made[command.leg]
        try:
            await self._ari.create_channel(
                command.leg,
                f"PJSIP/{command.supervisor}",
                APP,
                app_args=f"supervisor,{command.lane},{command.leg}",
                originator=command.spied,
                reported={CONTACT_VARIABLE: command.lane},
            )
            await self._entered(made.in_stasis)
            with suppress(ari.AlreadyExists):
                await self._ari.create_bridge(command.leg, name=command.leg)
            await self._ari.add_to_bridge(command.leg, command.leg)
            await self._hear(command.leg, command.spied, command.mode)
            # What a called phone shows is whom it is connected with: the agent to whom he listens.
            await self._ari.set_variables(command.leg, {"CONNECTEDLINE(num,i)": command.agent})
            await self._ari.dial(command.leg, timeout_s=round(command.ring_timeout_s))
        except ari.AriError:
            await self.end(EndSupervision(command.leg, lane=command.lane))
            self._calls.made.pop(command.leg, None)
            raise
        finally:
            made.settled_at = time.time()

    async def spy(self, command: SpyOn) -> None:
        """In another mode, or in the same once more."""
        await self._hear(command.leg, command.spied, command.mode)

    async def end(self, command: EndSupervision) -> None:
        """Leave nothing of it, besides the leg of who took the talk over."""
        with suppress(ari.NotFound, ari.Conflict):
            if command.told:
                await self._tell(command.leg)
            elif not command.stays:
                await self._ari.hangup(command.leg)
        for mode in get_args(Listening):
            await self._deafen(command.leg, mode)
        with suppress(ari.NotFound, ari.Conflict):
            await self._ari.delete_bridge(command.leg)

    async def _tell(self, leg: LegId) -> None:
        made = self._calls.made.get(leg)
        if made is None or not made.left:
            # Out of Stasis the end of a channel is told to who has subscribed to it (docs/reference/asterisk.md, 8).
            await self._ari.subscribe(APP, f"channel:{leg}")
            await self._ari.continue_in_dialplan(leg, TALK_ENDED, "s")
        if made is not None:
            made.left = True

    async def _hear(self, leg: LegId, spied: LegId, mode: Listening) -> None:
        """A snoop channel cannot be changed: the new one comes before the old one goes, so that he misses no word."""
        snoop = _snoop(leg, mode)
        try:
            await self._ari.get_channel(snoop)  # of a taken id Asterisk only says that it "could not be created"
        except ari.NotFound:
            await self._make(snoop, spied, mode)
        await self._ari.add_to_bridge(leg, snoop)
        for other in get_args(Listening):
            if other != mode:
                await self._deafen(leg, other)

    async def _make(self, snoop: LegId, spied: LegId, mode: Listening) -> None:
        entered = self._calls.snoops[snoop] = asyncio.Event()
        try:
            await self._ari.snoop_channel(spied, snoop, APP, app_args="snoop", spy="both", whisper=WHISPER[mode])
            await self._entered(entered)
        finally:
            del self._calls.snoops[snoop]

    async def _deafen(self, leg: LegId, mode: Listening) -> None:
        with suppress(ari.NotFound):
            await self._ari.hangup(_snoop(leg, mode))

    async def _entered(self, entered: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(STASIS_START_S):
                await entered.wait()
        except TimeoutError:
            reason = f"no StasisStart within {STASIS_START_S:g} s"
            raise ari.AriUnavailable("POST", "/channels", reason, ambiguous=True) from None


def _snoop(leg: LegId, mode: Listening) -> LegId:
    return LegId(f"{leg}-{mode}")
