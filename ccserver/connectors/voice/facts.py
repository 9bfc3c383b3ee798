"""What Asterisk says, as facts for the core. A leg's role comes from its Stasis arguments, never from guessing."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import get_args

import structlog

from ccserver import ari
from ccserver.connectors.voice import lending
from ccserver.connectors.voice.calls import Call, Calls
from ccserver.connectors.voice.phones import Phones
from ccserver.connectors.voice.transfers import Transfers
from ccserver.connectors.voice.trunks import Trunks
from ccserver.connectors.voice.voicemails import Voicemails
from ccserver.connectors.voice.watch import Watch
from ccserver.core.events import (
    CodeDialled,
    ContactArrived,
    Fact,
    InternalDialled,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    LegUnheld,
    OutboundDialled,
    PlayFinished,
    VoicemailRecorded,
)
from ccserver.core.ids import (
    AgentId,
    FlowName,
    LegId,
    LineNumber,
    NodeName,
    PlayId,
    RecordingName,
    TrunkName,
    contact_of_leg,
    parts_of_message,
)
from ccserver.core.steps import Key

REGISTERED = {"Created", "NonQualified", "Reachable"}
"""What Asterisk says of a registration that has just come, or come back."""
NOT_ACCEPTABLE = 488
"""SIP: the phone can do nothing with the sound that it was offered."""
ANI_MAX = 64
"""Longer than any number or name that means something."""
TRANSFERRED = "Success"
"""What Asterisk says of a transfer that it has begun."""
BEGUN = {"RINGING", "PROGRESS"}
"""A 183 with sound in it is a sign of life, too: many networks let the customer's phone be heard ringing so."""
KEYS: dict[str, Key] = {key: key for key in get_args(Key)}

log = structlog.get_logger("ccserver.voice")


class Translator:
    """Keeps `Calls` in step with the events and reports the facts in them."""

    def __init__(
        self,
        node: NodeName,
        calls: Calls,
        report: Callable[[Fact], None],
        watch: Watch,
        phones: Phones,
        trunks: Trunks,
        voicemails: Voicemails,
        transfers: Transfers,
    ) -> None:
        self._node = node
        self._calls = calls
        self._report = report
        self._watch = watch
        self._phones = phones
        self._trunks = trunks
        self._voicemails = voicemails
        self._transfers = transfers

    def take(self, event: ari.Event) -> None:
        """One event of Asterisk. Its times become plain numbers here: the journal knows no others."""
        match event:
            case ari.StasisStart():
                self._stasis_start(event)
            case ari.StasisEnd():
                if self._calls.of_leg(LegId(event.channel.id)):
                    self._watch.left(LegId(event.channel.id))
            case ari.ChannelDestroyed():
                self._transfers.before_end(LegId(event.channel.id), partial(self._destroyed, event))
            case ari.ChannelStateChange():
                state = {"Up": "ANSWER", "Ringing": "RINGING"}.get(event.channel.state, "")
                self._progress(LegId(event.channel.id), state, float(event.at))
            case ari.Dial():
                self._progress(LegId(event.peer.id), event.dialstatus, float(event.at))
            case ari.ChannelDtmfReceived():
                self._key(event)
            case ari.ChannelHold():
                self._held(LegId(event.channel.id), LegHeld, float(event.at))
            case ari.ChannelUnhold():
                self._held(LegId(event.channel.id), LegUnheld, float(event.at))
            case ari.BridgeBlindTransfer() if event.result == TRANSFERRED:
                self._transfers.unseated(LegId(event.channel.id), at=float(event.at))
            case ari.BridgeBlindTransfer():
                self._transfers.told(LegId(event.channel.id))
            case ari.BridgeAttendedTransfer() if event.result == TRANSFERRED:
                self._transfers.joined(event.transferer_first_leg, event.transferer_second_leg, float(event.at))
            case ari.BridgeAttendedTransfer():
                self._transfers.told(LegId(event.transferer_first_leg.id), LegId(event.transferer_second_leg.id))
            case ari.PlaybackFinished():
                self._play_finished(event)
            case ari.RecordingFinished() | ari.RecordingFailed():
                self._voicemail(event)
            case ari.EndpointStateChange() | ari.PeerStatusChange() | ari.ContactStatusChange() if self._trunks.has(
                event.endpoint.resource
            ):
                self._trunks.changed()
            case ari.ContactStatusChange() if event.contact_info.contact_status in REGISTERED:
                self._phones.registered(AgentId(event.endpoint.resource))
            case ari.EndpointStateChange() | ari.PeerStatusChange() | ari.ContactStatusChange():
                self._phones.changed(AgentId(event.endpoint.resource))
            case ari.DeviceStateChanged():
                self._phones.used(AgentId(event.device_state.name.removeprefix("PJSIP/")))
            case _:
                pass

    def _stasis_start(self, event: ari.StasisStart) -> None:
        leg = LegId(event.channel.id)
        if event.replace_channel is not None:  # never a new call
            self._transfers.replaced(LegId(event.replace_channel.id), leg)
            return
        match event.args:
            case ("transfer", to, by):
                self._transfers.asked(by, to, leg, float(event.at))
            case ("line", line, *more):
                contact = contact_of_leg(self._node, leg)
                call = self._calls.of_leg(leg) or self._calls.add(
                    Call(leg=leg, contact=contact, channel_name=event.channel.name)
                )
                call.entered_at = float(event.at)
                self._watch.arrived(leg)
                if (back := lending.brought(contact, part(more, 1), float(event.at))) is not None:
                    self._report(back)
                self._report(
                    ContactArrived(
                        contact,
                        leg,
                        self._node,
                        LineNumber(line),
                        ani_of(event.channel),
                        float(event.channel.created_at),
                        trunk_of(more),
                        flow_of(more),
                        at=float(event.at),
                    )
                )
            case ("code", code):
                self._calls.add(Call(leg=leg, contact=None, channel_name=event.channel.name))
                self._watch.arrived(leg)
                self._report(CodeDialled(agent_of_channel(event.channel), leg, self._node, code, at=float(event.at)))
            case ("outbound", number):
                self._operator_dialled(event, leg, number, OutboundDialled)
            case ("internal", number):
                self._operator_dialled(event, leg, number, InternalDialled)
            case ("snoop",):
                if (entered := self._calls.snoops.get(leg)) is not None:
                    entered.set()
            case ("agent" | "customer" | "supervisor", _contact, _id):
                made = self._calls.made.get(leg)
                if made is not None:
                    made.channel_name = event.channel.name
                    made.in_stasis.set()
            case _:
                log.warning("stray channel", leg=leg, arguments=event.args)
                self._watch.strayed(leg)

    def _operator_dialled(
        self, event: ari.StasisStart, leg: LegId, number: str, kind: type[OutboundDialled] | type[InternalDialled]
    ) -> None:
        contact = contact_of_leg(self._node, leg)
        if self._calls.of_leg(leg) is None:
            self._calls.add(Call(leg=leg, contact=contact, channel_name=event.channel.name))
        self._watch.arrived(leg)
        self._report(
            kind(
                contact,
                leg,
                self._node,
                agent_of_channel(event.channel),
                number,
                float(event.channel.created_at),
                at=float(event.at),
            )
        )

    def _destroyed(self, event: ari.ChannelDestroyed) -> None:
        leg = LegId(event.channel.id)
        self._transfers.ended(leg)
        made = self._calls.made.pop(leg, None)
        call = self._calls.of_leg(leg)
        if made is None and call is None:
            return
        self._report(LegEnded(leg, event.cause, event.tech_cause or None, at=float(event.at)))
        if made is not None:
            made.in_stasis.set()  # whoever waits for it goes on and is told 404
            if made.agent is not None:
                if event.tech_cause == NOT_ACCEPTABLE:
                    log.warning(
                        "phone refused the sound", agent=made.agent, reason=self._phones.why_no_sound(made.agent)
                    )
                self._phones.changed(made.agent)
        elif call is not None and call.contact is None:
            self._calls.remove(leg)
        elif call is not None:
            call.gone = True

    def _progress(self, leg: LegId, status: str, at: float) -> None:
        """Dial and ChannelStateChange tell the same in either order, and one of them may be missing: the first counts."""
        made = self._calls.made.get(leg)
        if made is None:
            self._caller_progress(leg, status, at)
            return
        if status == "ANSWER" and not made.up:
            made.up = True
            self._report(LegAnswered(leg, at=at))
        elif status in BEGUN and not made.ringing:
            made.ringing = True
            self._report(LegRinging(leg, at=at))

    def _key(self, event: ari.ChannelDtmfReceived) -> None:
        """Of who called, and of agents whom we called: what else is pressed means nothing to anybody."""
        leg, key = LegId(event.channel.id), KEYS.get(event.digit)  # A to D are no keys of a telephone
        made = self._calls.made.get(leg)
        known = self._calls.of_leg(leg) or (made if made is not None and made.agent is not None else None)
        if key is None or known is None:
            return
        if known.last_key.again(key, float(event.at), event.duration_ms / 1000):
            return
        pressed = KeyPressed(leg, key, at=float(event.at))
        if known is made:
            # He may be told something for it, or be moved: not before the key has gone through to those who hear him.
            loop = asyncio.get_running_loop()
            loop.call_at(known.last_key.passes_at(loop.time(), event.duration_ms / 1000), self._report, pressed)
        else:
            self._report(pressed)

    def _held(self, leg: LegId, kind: type[LegHeld] | type[LegUnheld], at: float) -> None:
        if leg in self._calls.made or self._calls.of_leg(leg):
            self._report(kind(leg, at=at))

    def _caller_progress(self, leg: LegId, status: str, at: float) -> None:
        """His leg was answered: from then on somebody pays."""
        call = self._calls.of_leg(leg)
        if call is not None and status == "ANSWER" and not call.up:
            call.up = True
            if call.contact is not None:
                self._report(LegAnswered(leg, at=at))

    def _play_finished(self, event: ari.PlaybackFinished) -> None:
        leg = LegId(event.playback.target_uri.removeprefix("channel:"))
        play, call = PlayId(event.playback.id), self._calls.of_leg(leg)
        if call is not None:
            call.ended(play)
        if call is not None or leg in self._calls.made:
            self._report(PlayFinished(leg, play, event.playback.state != "failed", at=float(event.at)))

    def _voicemail(self, event: ari.RecordingFinished | ari.RecordingFailed) -> None:
        name = RecordingName(event.recording.name)
        contact, _ = parts_of_message(name)
        leg = LegId(event.recording.target_uri.removeprefix("channel:"))
        finished = isinstance(event, ari.RecordingFinished)
        path, duration_s = self._voicemails.keep(name, event.at) if finished else ("", 0.0)
        self._report(VoicemailRecorded(contact, leg, name, path, duration_s, at=float(event.at)))


def trunk_of(arguments: Sequence[str]) -> TrunkName | None:
    """What stands behind the line in the arguments of Stasis: the trunk, or nothing for a phone of ours."""
    return TrunkName(arguments[0]) if arguments and arguments[0] else None


def flow_of(arguments: Sequence[str]) -> FlowName | None:
    """The flow that the dialplan names, behind the trunk and what the caller brings back from his way there."""
    return FlowName(part(arguments, 2)) if part(arguments, 2) else None


def part(arguments: Sequence[str], position: int) -> str:
    """One of the arguments; empty when there are fewer."""
    return arguments[position] if position < len(arguments) else ""


def ani_of(channel: ari.Channel) -> str:
    """The caller's number. It comes from the network, where anybody may write anything."""
    return "".join(filter(str.isprintable, channel.caller.number))[:ANI_MAX]


def agent_of_channel(channel: ari.Channel) -> AgentId | None:
    """The endpoint in a channel's name (`PJSIP/1001-0000002a`) identifies the operator: a caller id can be forged."""
    technology, _, rest = channel.name.partition("/")
    endpoint, dash, _ = rest.rpartition("-")
    return AgentId(endpoint) if technology == "PJSIP" and dash else None
