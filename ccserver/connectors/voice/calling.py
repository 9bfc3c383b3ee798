"""The legs that we call: an agent's for an offer, a customer's for an attempt.

The order of requests is dictated by Asterisk: the id is registered, then asked for; the leg is touched only after its
StasisStart; it is bridged with who called before it is dialled, so that they hear each other the moment it is answered even if
nobody is there to see it.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import structlog

from ccserver import ari
from ccserver.connectors.voice.calls import Call, Calls, MadeLeg
from ccserver.connectors.voice.monitor import Monitor, MonitorError
from ccserver.connectors.voice.playing import Playing
from ccserver.connectors.voice.seating import Seating
from ccserver.core.commands import DialCustomer, OfferContact, SilenceRecording, StartRecording
from ccserver.core.events import Fact, LegDialled, RecordingStarted
from ccserver.core.ids import ContactId, LegId, RecordingName, leg_of_attempt, leg_of_offer

APP = "ccserver"
CONTACT_VARIABLE = "CC_CONTACT"
"""Reported with every event of a channel, so that a listing tells whose it is."""
STASIS_START_S = 5.0
_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,64}")
"""What may stand as the caller's number in a SIP address; anything else came from somebody who plays tricks."""
_UNSHOWN = re.compile(r'["\\<>\x00-\x1f\x7f]')
"""What would end a name in a SIP header."""

log = structlog.get_logger("ccserver.voice")


class Calling:
    """See the module."""

    def __init__(
        self,
        client: ari.AriClient,
        calls: Calls,
        monitor: Monitor,
        playing: Playing,
        seating: Seating,
        report: Callable[[Fact], None],
    ) -> None:
        self._ari = client
        self._calls = calls
        self._monitor = monitor
        self._playing = playing
        self._seating = seating
        self._report = report

    def expect(self, command: OfferContact | DialCustomer) -> None:
        """The leg is on its way, though its lane may be busy: a listing made meanwhile must not miss it."""
        agent = command.agent if isinstance(command, OfferContact) else None
        self._calls.made[_leg(command)] = MadeLeg(contact=ContactId(command.lane), agent=agent)

    async def offer(self, command: OfferContact) -> None:
        """The agent's leg; the caller waits for it in the bridge, under its music, or who consults him waits aside. Who is called
        back is not there yet, and shown all the same."""
        leg, caller = _leg(command), command.leg
        create = self._create(command, f"PJSIP/{command.agent}", f"agent,{command.lane},{command.offer}")
        if caller is None:

            async def dial_alone() -> None:
                alone = {"CONNECTEDLINE(num,i)": command.ani, "CONNECTEDLINE(name,i)": ""}
                await self._ari.set_variables(leg, alone | _told(command))
                await self._ari.dial(leg, timeout_s=round(command.ring_timeout_s))

            await self._call(command.lane, leg, [create, self._seating.empty(command.lane)], dial_alone)
            self._report(LegDialled(leg, at=time.time()))
            return
        call = self._calls.of_lane(command.lane, caller)

        async def dial() -> None:
            told = _told(command)
            if told:
                await self._ari.set_variables(leg, told)
            await self._ari.dial(leg, timeout_s=round(command.ring_timeout_s), caller=None if command.shown else caller)

        bridge, wait = self._seated(call, caller, command)
        await self._call(bridge, leg, [create, wait, self._record(call, command.recording)], dial)
        self._report(LegDialled(leg, at=time.time()))

    async def dial_customer(self, command: DialCustomer) -> None:
        """A leg by a trunk; what its network lets be heard, whoever waits for it in the bridge hears."""
        leg = _leg(command)

        async def dial() -> None:
            # Not CALLERID: of a leg that we call, the other side sees whom it is connected with. For the same reason without
            # `caller`, who would show his extension.
            shown = {
                "CONNECTEDLINE(num,i)": command.caller_id,
                "CONNECTEDLINE(name,i)": "",
                "GROUP(trunk)": command.trunk,
            }
            await self._ari.set_variables(leg, shown)
            await self._ari.dial(leg, timeout_s=round(command.ring_timeout_s))

        create = self._create(
            command, f"PJSIP/{command.number}@{command.trunk}", f"customer,{command.lane},{command.attempt}"
        )
        if command.leg is None:
            await self._call(command.lane, leg, [create, self._seating.empty(command.lane)], dial)
            return
        call = self._calls.of_lane(command.lane, command.leg)
        if command.music or command.aside:
            bridge, wait = self._seated(call, command.leg, command)
            await self._call(bridge, leg, [create, wait], dial)
            return
        record = self._record(call, command.recording, by_operator=True)
        await self._call(call.bridge, leg, [create, self._seating.customer(call), record], dial)

    def _seated(
        self, call: Call, waits: LegId, command: OfferContact | DialCustomer
    ) -> tuple[str, Coroutine[None, None, None]]:
        """The bridge into which the leg comes, and how whoever waits for it, there or apart from it, gets his seat."""
        aside = (command.aside,) if command.aside else ()
        wait = self._seating.seat(call, (waits,), aside, command.music, mixed=command.mixed)
        return call.aside if aside else call.bridge_for(command.mixed), wait

    async def _call(
        self, bridge: str, leg: LegId, first: Sequence[Awaitable[None]], dial: Callable[[], Awaitable[None]]
    ) -> None:
        made = self._calls.made[leg]
        try:
            # Each to its end: a request cut off in the middle leaves us not knowing.
            for result in await asyncio.gather(*first, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
            await self._ari.add_to_bridge(bridge, leg)
            made.bridge = bridge
            await dial()
        except ari.AriError:
            await self._give_up(leg)
            raise
        finally:
            made.settled_at = time.time()

    async def _create(self, command: OfferContact | DialCustomer, endpoint: str, arguments: str) -> None:
        leg = _leg(command)
        await self._ari.create_channel(
            leg,
            endpoint,
            APP,
            app_args=arguments,
            originator=command.leg,
            reported={CONTACT_VARIABLE: command.lane},
        )
        try:
            async with asyncio.timeout(STASIS_START_S):
                await self._calls.made[leg].in_stasis.wait()
        except TimeoutError:
            reason = f"no StasisStart within {STASIS_START_S:g} s"
            raise ari.AriUnavailable("POST", "/channels/create", reason, ambiguous=True) from None

    async def _record(self, call: Call, recording: RecordingName | None, *, by_operator: bool = False) -> None:
        """Before anybody talks, so that the first word is in it; without AMI the call goes on unrecorded."""
        if recording is None or call.recording is not None:
            return
        assert call.contact is not None
        try:
            name = await self._channel_name(call.leg)
            started_at = await self._monitor.start(name, recording, by_operator=by_operator)
        except MonitorError as error:
            log.error("recording not started", contact=call.contact, reason=str(error))
            return
        call.recording = recording
        self._report(RecordingStarted(call.contact, recording, at=started_at))

    async def start_recording(self, command: StartRecording) -> None:
        """In mid-talk, because somebody asks for it, or because only now somebody talks whose talks are recorded."""
        call = self._calls.of_lane(command.lane, command.leg)
        await self._record(call, command.recording, by_operator=command.by_operator)

    async def silence_recording(self, command: SilenceRecording) -> None:
        """Pause it, or go on."""
        try:
            await self._monitor.silence(await self._channel_name(command.leg), silent=command.silent)
        except MonitorError as error:
            log.error("recording not silenced", contact=command.lane, silent=command.silent, reason=str(error))

    async def _channel_name(self, leg: LegId) -> str:
        return self._calls.name_of(leg) or (await self._ari.get_channel(leg)).name

    async def _give_up(self, leg: LegId) -> None:
        """Leave nothing of a leg that could not be called."""
        try:
            await self._ari.hangup(leg)
        except ari.AriError:
            self._calls.made.pop(leg, None)  # it never was, or the next listing finds it


def _told(command: OfferContact) -> dict[str, str]:
    """What the phone shows, and whether it is asked to pick up by itself: each maker has a header of his own for that."""
    told: dict[str, str] = {}
    if command.shown:
        number = command.ani if _NUMBER.fullmatch(command.ani) else ""
        told |= {"CONNECTEDLINE(num,i)": number, "CONNECTEDLINE(name,i)": _UNSHOWN.sub("", command.shown)}
    if command.auto_answer:
        told |= {
            "PJSIP_HEADER(add,Call-Info)": "<sip:127.0.0.1>;answer-after=0",
            "PJSIP_HEADER(add,Alert-Info)": "<http://127.0.0.1>;info=alert-autoanswer;delay=0",
        }
    return told


def _leg(command: OfferContact | DialCustomer) -> LegId:
    return leg_of_offer(command.offer) if isinstance(command, OfferContact) else leg_of_attempt(command.attempt)
