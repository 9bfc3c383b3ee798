"""What the core commands, done over ARI, each command to its end before the next of its lane.

What a channel hears is done by `playing`, legs are made and dialled by `calling`: both say what order Asterisk dictates.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, assert_never

import structlog

from ccserver import ari
from ccserver.connectors.voice import lending
from ccserver.connectors.voice.aside import Aside
from ccserver.connectors.voice.calling import CONTACT_VARIABLE, Calling
from ccserver.connectors.voice.calls import Call, Calls, bridges_of
from ccserver.connectors.voice.monitor import Monitor
from ccserver.connectors.voice.playing import Media, Playing
from ccserver.connectors.voice.seating import Seating
from ccserver.core import commands
from ccserver.core.events import CommandFailed, Fact
from ccserver.core.ids import ContactId, LegId, leg_of_offer

COLLEAGUES = "colleagues"
"""The context of dialplans/operators.conf in which Asterisk connects two phones by itself."""

log = structlog.get_logger("ccserver.voice")

VoiceCommand = (
    commands.TakeLeg
    | commands.AnswerLeg
    | commands.SetLanguage
    | commands.PlayPrompts
    | commands.StopPlay
    | commands.StartMusic
    | commands.OfferContact
    | commands.LetDialplanDial
    | commands.WhisperPrompts
    | commands.EndWhisper
    | commands.TellLeg
    | commands.WithdrawOffer
    | commands.JoinLegs
    | commands.SeatLegs
    | commands.DialCustomer
    | commands.StartRecording
    | commands.SilenceRecording
    | commands.CallSupervisor
    | commands.SpyOn
    | commands.EndSupervision
    | commands.RecordVoicemail
    | commands.LendLeg
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
        self._report = report
        self._playing = Playing(client, media)
        self._seating = Seating(client, calls, self._playing)
        self._calling = Calling(client, calls, monitor, self._playing, self._seating, report)
        self._aside = Aside(client, calls)

    def expect(self, command: commands.OfferContact | commands.DialCustomer | commands.CallSupervisor) -> None:
        """A leg is on its way."""
        if isinstance(command, commands.CallSupervisor):
            self._aside.expect(command)
        else:
            self._calling.expect(command)

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
            case commands.TakeLeg():
                await self._take(command)
            case commands.AnswerLeg():
                await self._answer(command)
            case commands.SetLanguage():
                await self._ari.set_variable(command.leg, "CHANNEL(language)", command.language)
            case commands.PlayPrompts():
                await self._playing.play(self._calls.of_lane(command.lane, command.leg), command)
            case commands.StopPlay():
                call = self._calls.of_lane(command.lane, command.leg)
                if call.play in (None, command.play):
                    await self._playing.hush(call, command.play)
            case commands.StartMusic():
                await self._playing.start_music(self._calls.of_lane(command.lane, command.leg), command.music)
            case commands.OfferContact():
                await self._calling.offer(command)
            case commands.LetDialplanDial():
                await self._ari.continue_in_dialplan(command.leg, COLLEAGUES, command.extension)
            case commands.WhisperPrompts():
                await self._playing.whisper(leg_of_offer(command.offer), command)
            case commands.TellLeg():
                if command.refused:
                    log.warning("key refused", contact=command.lane, leg=command.leg, reason=command.refused)
                await self._playing.whisper(command.leg, command)
            case commands.EndWhisper():
                with suppress(ari.NotFound):  # it has been said
                    await self._ari.stop_playback(command.play)
            case commands.LendLeg():
                await self._lend(command)
            case commands.WithdrawOffer():
                reason = "answered_elsewhere" if command.elsewhere else "normal"
                await self._hang_up(leg_of_offer(command.offer), reason=reason)
            case commands.JoinLegs():
                await self._playing.stop_bridge_music(self._calls.of_lane(command.lane, command.leg))
            case commands.SeatLegs():
                call = self._calls.of_lane(command.lane, command.leg)
                seats = (command.together, command.aside, command.music)
                await self._seating.seat(call, *seats, mixed=command.mixed)
            case commands.DialCustomer():
                await self._calling.dial_customer(command)
            case commands.StartRecording():
                await self._calling.start_recording(command)
            case commands.SilenceRecording():
                await self._calling.silence_recording(command)
            case commands.CallSupervisor():
                await self._aside.call(command)
            case commands.SpyOn():
                await self._aside.spy(command)
            case commands.EndSupervision():
                await self._aside.end(command)
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

    async def _take(self, command: commands.TakeLeg | commands.AnswerLeg) -> Call:
        """The first action of a call disarms the dialplan's dead-man's timeout; the rest marks the leg as ours.

        Once for each time that it comes to us: a listing and then a StasisStart that waited may both tell of one, and
        meanwhile a prompt is being said, for whose end the second time would wait, and all that is commanded after it.
        """
        call = self._calls.of_lane(command.lane, command.leg)
        if call.taken_at <= call.entered_at:
            await self._ari.set_variables(
                command.leg,
                {"TIMEOUT(absolute)": "0", "CHANNEL(language)": command.language},
                {CONTACT_VARIABLE: command.lane},
            )
            call.taken_at = time.time()
        return call

    async def _answer(self, command: commands.AnswerLeg) -> None:
        call = await self._take(command)
        if call.answered_at <= call.entered_at:
            await self._ari.answer(command.leg)
            call.answered_at, call.fresh = time.time(), True

    async def _record_voicemail(self, command: commands.RecordVoicemail) -> None:
        await self._playing.bare(self._calls.of_lane(command.lane, command.leg))
        await self._ari.record_channel(
            command.leg,
            command.recording,
            duration_max_s=command.max_s,
            silence_max_s=command.silence_s,
            beep=True,
            terminate_on="#",
        )

    async def _lend(self, command: commands.LendLeg) -> None:
        """Into the admin's dialplan, with nothing of ours going on; dialplans/flows.conf brings him there, and back."""
        await self._playing.bare(self._calls.of_lane(command.lane, command.leg))
        await self._ari.set_variables(command.leg, lending.variables(command))
        await self._ari.continue_in_dialplan(command.leg, lending.CONTEXT, "s")

    async def _hang_up(self, leg: LegId, *, reason: str | None = None, reason_code: str | None = None) -> None:
        with suppress(ari.NotFound):  # it hung up by itself: what was wanted is so
            await self._ari.hangup(leg, reason=reason, reason_code=reason_code)

    async def _release(self, contact: ContactId) -> None:
        call = self._calls.remove(contact)
        for leg in self._calls.made_for(contact):
            await self._hang_up(leg)
        for bridge in bridges_of(contact) if call is None else call.rooms:
            with suppress(ari.NotFound):
                await self._ari.delete_bridge(bridge)


def _kind(error: ari.AriError) -> Literal["gone", "unavailable", "unanswered", "failed"]:
    match error:
        case ari.NotFound() | ari.Conflict():
            return "gone"
        case ari.AllocationFailed():
            return "unavailable"
        case ari.AriUnavailable():
            return "unanswered"
        case _:
            return "failed"
