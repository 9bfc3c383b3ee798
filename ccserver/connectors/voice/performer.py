"""What the core commands, done over ARI, each command to its end before the next of its lane.

The order of requests is dictated by Asterisk: the id is registered, then asked for; an agent's leg is touched only after its
StasisStart; it is bridged with the caller before it is dialled, so that they hear each other the moment he answers even if
nobody is there to see it; a running playback is stopped before anything else is asked of an unbridged channel.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, assert_never

import structlog

from ccserver import ari
from ccserver.connectors.voice.calls import PLAY_ENDS_S, AgentLeg, Call, Calls
from ccserver.connectors.voice.monitor import Monitor, MonitorError
from ccserver.core import commands
from ccserver.core.events import CommandFailed, Fact, RecordingStarted
from ccserver.core.ids import ContactId, Language, LegId, leg_of_offer

APP = "ccserver"
CONTACT_VARIABLE = "CC_CONTACT"
"""Reported with every event of a channel, so that a listing tells whose it is."""
STASIS_START_S = 5.0
LEAD_IN = "lead-in"
"""A silence before the first prompt of a call: what is said right after the answer, networks and busy phones swallow."""

log = structlog.get_logger("ccserver.voice")

Media = Callable[[str, Language], str]
"""A prompt's name and a language -> the ARI media URI; raises KeyError when there is none."""
VoiceCommand = (
    commands.AnswerLeg
    | commands.SetLanguage
    | commands.PlayPrompts
    | commands.StopPlay
    | commands.StartMusic
    | commands.OfferContact
    | commands.WithdrawOffer
    | commands.JoinLegs
    | commands.RecordVoicemail
    | commands.HangUpLeg
    | commands.ReleaseContact
)


class Performer:
    """See the module."""

    def __init__(
        self, client: ari.AriClient, calls: Calls, monitor: Monitor, media: Media, report: Callable[[Fact], None]
    ) -> None:
        self._ari = client
        self._calls = calls
        self._monitor = monitor
        self._media = media
        self._report = report

    def expect(self, command: commands.OfferContact) -> None:
        """The leg is on its way, though its lane may be busy: a listing made meanwhile must not miss it."""
        self._calls.agent_legs[leg_of_offer(command.offer)] = AgentLeg(
            offer=command.offer, contact=ContactId(command.lane), agent=command.agent
        )

    async def perform(self, command: VoiceCommand) -> None:
        """Do it, or report `CommandFailed`."""
        try:
            await self._perform(command)
        except ari.AriError as error:
            kind = _kind(error)
            if kind != "gone":
                log.warning("command failed", contact=command.lane, command=type(command).__name__, reason=str(error))
            self._report(CommandFailed(command, str(error), kind, at=time.time()))

    async def _perform(self, command: VoiceCommand) -> None:
        match command:
            case commands.AnswerLeg():
                await self._answer(command)
            case commands.SetLanguage():
                await self._ari.set_variable(command.leg, "CHANNEL(language)", command.language)
            case commands.PlayPrompts():
                await self._play(command)
            case commands.StopPlay():
                call = self._calls.of_lane(command.lane, command.leg)
                if call.play in (None, command.play):
                    await self._hush(call, command.play)
            case commands.StartMusic():
                await self._start_music(self._calls.of_lane(command.lane, command.leg), command.music)
            case commands.OfferContact():
                await self._offer(command)
            case commands.WithdrawOffer():
                reason = "answered_elsewhere" if command.elsewhere else "normal"
                await self._hang_up(leg_of_offer(command.offer), reason=reason)
            case commands.JoinLegs():
                await self._join(command)
            case commands.RecordVoicemail():
                await self._record_voicemail(command)
            case commands.HangUpLeg():
                if command.reason:
                    log.warning("call refused", leg=command.leg, reason=command.reason)
                await self._hang_up(command.leg, reason_code=str(command.cause))
            case commands.ReleaseContact():
                await self._release(command.contact)
            case _:
                assert_never(command)

    # --- the caller's leg ---------------------------------------------------------------------------------------

    async def _answer(self, command: commands.AnswerLeg) -> None:
        """The first action of a call disarms the dialplan's dead-man's timeout; the rest marks the leg as ours.

        Once for each time that it comes to us: a listing and then a StasisStart that waited may both tell of one, and
        meanwhile a prompt is being said, for whose end the second time would wait, and all that is commanded after it.
        """
        call = self._calls.of_lane(command.lane, command.leg)
        if call.answered_at > call.entered_at:
            return
        await self._ari.set_variables(
            command.leg,
            {"TIMEOUT(absolute)": "0", "CHANNEL(language)": command.language},
            {CONTACT_VARIABLE: command.lane},
        )
        await self._ari.answer(command.leg)
        call.answered_at, call.fresh = time.time(), True

    async def _play(self, command: commands.PlayPrompts) -> None:
        call = self._calls.of_lane(command.lane, command.leg)
        await self._bare(call)
        call.started(command.play)
        media = [self._uri(item, command.language) for item in command.items]
        if call.fresh:
            call.fresh, media = False, [self._media(LEAD_IN, command.language), *media]
        try:
            await self._ari.play(command.leg, media, playback_id=command.play, language=command.language)
        except ari.AriError:
            call.ended(command.play)
            raise

    def _uri(self, item: str, language: Language) -> str:
        return item if item.startswith(("digits:", "number:")) else self._media(item, language)

    async def _bare(self, call: Call) -> None:
        """Nothing plays and the leg stands alone: only then a prompt can be played to it, or its voice recorded."""
        if call.play is not None:
            await self._hush(call, call.play)
        if call.bridged:
            await self._ari.remove_from_bridge(call.bridge, call.leg)
            call.bridged = False
        elif call.music is not False:
            await self._ari.stop_moh(call.leg)
        call.music = False

    async def _hush(self, call: Call, play: str) -> None:
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

    async def _start_music(self, call: Call, music: str) -> None:
        if call.play is not None:
            await self._hush(call, call.play)
        if call.music:
            return
        if call.bridged:
            await self._ari.start_bridge_moh(call.bridge, music)
        else:
            await self._ari.start_moh(call.leg, music)
        call.music = True

    async def _record_voicemail(self, command: commands.RecordVoicemail) -> None:
        await self._bare(self._calls.of_lane(command.lane, command.leg))
        await self._ari.record_channel(
            command.leg,
            command.recording,
            duration_max_s=command.max_s,
            silence_max_s=command.silence_s,
            beep=True,
            terminate_on="#",
        )

    # --- the agent's leg ----------------------------------------------------------------------------------------

    async def _offer(self, command: commands.OfferContact) -> None:
        call = self._calls.of_lane(command.lane, command.leg)
        leg = leg_of_offer(command.offer)
        agent_leg = self._calls.agent_legs[leg]
        try:
            results = await asyncio.gather(
                self._create(command, leg, agent_leg),
                self._into_bridge(call, command.music),
                self._monitor_call(call, command),
                return_exceptions=True,  # each to its end: a request cut off in the middle leaves us not knowing
            )
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            await self._ari.add_to_bridge(call.bridge, leg)
            await self._ari.dial(leg, timeout_s=round(command.ring_timeout_s), caller=command.leg)
        except ari.AriError:
            await self._give_up(leg)
            raise
        finally:
            agent_leg.settled_at = time.time()

    async def _create(self, command: commands.OfferContact, leg: LegId, agent_leg: AgentLeg) -> None:
        await self._ari.create_channel(
            leg,
            f"PJSIP/{command.agent}",
            APP,
            app_args=f"agent,{command.lane},{command.offer}",
            originator=command.leg,
            reported={CONTACT_VARIABLE: command.lane},
        )
        try:
            async with asyncio.timeout(STASIS_START_S):
                await agent_leg.in_stasis.wait()
        except TimeoutError:
            reason = f"no StasisStart within {STASIS_START_S:g} s"
            raise ari.AriUnavailable("POST", "/channels/create", reason, ambiguous=True) from None

    async def _into_bridge(self, call: Call, music: str) -> None:
        """The caller waits for the ringing in the bridge, under its music."""
        if call.bridged:
            await self._start_music(call, music)
            return
        await self._bare(call)
        if not call.bridge_made:
            with suppress(ari.AlreadyExists):
                await self._ari.create_bridge(call.bridge, name=call.bridge)
            call.bridge_made = True
        await self._ari.add_to_bridge(call.bridge, call.leg)
        call.bridged = True
        await self._start_music(call, music)

    async def _monitor_call(self, call: Call, command: commands.OfferContact) -> None:
        """Before anybody talks, so that the first word is in it; without AMI the call goes on unrecorded."""
        if command.recording is None or call.recording is not None:
            return
        try:
            name = call.channel_name or (await self._ari.get_channel(call.leg)).name
            started_at = await self._monitor.start(name, command.recording)
        except MonitorError as error:
            log.error("recording not started", contact=command.lane, reason=str(error))
            return
        call.recording = command.recording
        self._report(RecordingStarted(ContactId(command.lane), command.recording, at=started_at))

    async def _give_up(self, leg: LegId) -> None:
        """Leave nothing of a leg that could not be offered."""
        try:
            await self._ari.hangup(leg)
        except ari.AriError:
            self._calls.agent_legs.pop(leg, None)  # it never was, or the next listing finds it

    async def _join(self, command: commands.JoinLegs) -> None:
        call = self._calls.of_lane(command.lane, command.leg)
        if call.music is not False:
            with suppress(ari.Conflict):  # no music was playing: after a restart we cannot know
                await self._ari.stop_bridge_moh(call.bridge)
            call.music = False

    async def _hang_up(self, leg: LegId, *, reason: str | None = None, reason_code: str | None = None) -> None:
        with suppress(ari.NotFound):  # it hung up by itself: what was wanted is so
            await self._ari.hangup(leg, reason=reason, reason_code=reason_code)

    async def _release(self, contact: ContactId) -> None:
        call = self._calls.remove(contact)
        for leg in self._calls.agent_legs_of(contact):
            await self._hang_up(leg)
        if call is None or call.bridge_made:
            with suppress(ari.NotFound):
                await self._ari.delete_bridge(contact)


def _kind(error: ari.AriError) -> Literal["gone", "unavailable", "failed"]:
    match error:
        case ari.NotFound() | ari.Conflict():
            return "gone"
        case ari.AllocationFailed():
            return "unavailable"
        case _:
            return "failed"
