"""The events Asterisk sends over ARI, as types, and how a message becomes one.

Only the events and fields somebody here reacts to: a field Asterisk adds later is ignored, a type it adds later and a
message that makes no sense are `Unreadable`. Names are ARI's own. The event stream calls `decode_event` for every
message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, get_args

import msgspec
from msgspec import Struct, field

from ccserver.ari.objects import (
    Bridge,
    Channel,
    ContactInfo,
    DeviceState,
    Endpoint,
    EpochSeconds,
    LiveRecording,
    Peer,
    Playback,
    parse_special,
)


class EventBase(Struct, frozen=True, tag_field="type", tag=True, kw_only=True):
    """What every event has: the Stasis application it was sent to and the time it happened at Asterisk."""

    application: str
    at: EpochSeconds = field(name="timestamp")


class StasisStart(EventBase, frozen=True, kw_only=True):
    """A channel came under our control; with `replace_channel` it is never a new call but takes that one's place."""

    channel: Channel
    args: tuple[str, ...] = ()
    replace_channel: Channel | None = None


class StasisEnd(EventBase, frozen=True, kw_only=True):
    """A channel left our control; not necessarily a hangup."""

    channel: Channel


class ChannelDestroyed(EventBase, frozen=True, kw_only=True):
    """A channel is gone. `cause` is Q.850, `tech_cause` the SIP status (0 when there is none).

    Channels that came in from outside send it only to applications subscribed to `channel:<id>`.
    """

    channel: Channel
    cause: int
    cause_txt: str = ""
    tech_cause: int = 0


class ChannelHangupRequest(EventBase, frozen=True, kw_only=True):
    """Somebody asked for the end, 0 to 2 times a channel; `soft` when it was Asterisk or ARI."""

    channel: Channel
    cause: int | None = None
    soft: bool = False
    tech_cause: int = 0


class ChannelStateChange(EventBase, frozen=True, kw_only=True):
    """A channel rings, is answered (`channel.is_up`) …"""

    channel: Channel


class ChannelDtmfReceived(EventBase, frozen=True, kw_only=True):
    """A key was pressed and released."""

    channel: Channel
    digit: str
    duration_ms: int


class ChannelEnteredBridge(EventBase, frozen=True, kw_only=True):
    """A channel is now in a bridge."""

    bridge: Bridge
    channel: Channel


class ChannelLeftBridge(EventBase, frozen=True, kw_only=True):
    """A channel is no longer in a bridge."""

    bridge: Bridge
    channel: Channel


class Dial(EventBase, frozen=True, kw_only=True):
    """Progress of dialling `peer`: dialstatus is empty, RINGING, PROGRESS, ANSWER, BUSY, NOANSWER, CANCEL …

    About one ANSWER in a thousand never comes: answered is `Dial` ANSWER or `ChannelStateChange` Up.
    """

    dialstatus: str
    peer: Channel
    caller: Channel | None = None
    forward: str = ""
    dialstring: str = ""


class PlaybackStarted(EventBase, frozen=True, kw_only=True):
    """The next item of a playback begins; comes once for each item."""

    playback: Playback


class PlaybackContinuing(EventBase, frozen=True, kw_only=True):
    """Between two items of a playback."""

    playback: Playback


class PlaybackFinished(EventBase, frozen=True, kw_only=True):
    """A playback ended by itself, was stopped, or failed because its channel hung up."""

    playback: Playback


class RecordingStarted(EventBase, frozen=True, kw_only=True):
    """A recording began."""

    recording: LiveRecording


class RecordingFinished(EventBase, frozen=True, kw_only=True):
    """A recording is complete."""

    recording: LiveRecording


class RecordingFailed(EventBase, frozen=True, kw_only=True):
    """A recording could not go on; `recording.cause` says why."""

    recording: LiveRecording


class ChannelHold(EventBase, frozen=True, kw_only=True):
    """The phone put the other party on hold."""

    channel: Channel
    musicclass: str = ""


class ChannelUnhold(EventBase, frozen=True, kw_only=True):
    """The phone came back from hold."""

    channel: Channel


class BridgeCreated(EventBase, frozen=True, kw_only=True):
    """A bridge exists."""

    bridge: Bridge


class BridgeDestroyed(EventBase, frozen=True, kw_only=True):
    """A bridge is gone."""

    bridge: Bridge


class BridgeBlindTransfer(EventBase, frozen=True, kw_only=True):
    """A phone sent its party to `exten` by REFER."""

    channel: Channel
    exten: str
    context: str
    result: str
    is_external: bool = False
    replace_channel: Channel | None = None
    transferee: Channel | None = None
    bridge: Bridge | None = None


class BridgeAttendedTransfer(EventBase, frozen=True, kw_only=True):
    """A phone joined its two calls."""

    transferer_first_leg: Channel
    transferer_second_leg: Channel
    result: str
    destination_type: str
    is_external: bool = False
    replace_channel: Channel | None = None
    transferee: Channel | None = None
    transfer_target: Channel | None = None


class EndpointStateChange(EventBase, frozen=True, kw_only=True):
    """An endpoint went online or offline."""

    endpoint: Endpoint


class DeviceStateChanged(EventBase, frozen=True, kw_only=True):
    """A phone began or ceased to be in use."""

    device_state: DeviceState


class PeerStatusChange(EventBase, frozen=True, kw_only=True):
    """An endpoint became reachable or unreachable."""

    endpoint: Endpoint
    peer: Peer


class ContactStatusChange(EventBase, frozen=True, kw_only=True):
    """A registration came, went or changed its reachability."""

    endpoint: Endpoint
    contact_info: ContactInfo


class ApplicationReplaced(EventBase, frozen=True, kw_only=True):
    """Another connection took this application's name; the event stream turns it into `Replaced`."""


class ApplicationMoveFailed(EventBase, frozen=True, kw_only=True):
    """`move` named an application that nobody serves; the channel stays where it is."""

    channel: Channel
    destination: str
    args: tuple[str, ...] = ()


Event: TypeAlias = (
    StasisStart
    | StasisEnd
    | ChannelDestroyed
    | ChannelHangupRequest
    | ChannelStateChange
    | ChannelDtmfReceived
    | ChannelEnteredBridge
    | ChannelLeftBridge
    | Dial
    | PlaybackStarted
    | PlaybackContinuing
    | PlaybackFinished
    | RecordingStarted
    | RecordingFinished
    | RecordingFailed
    | ChannelHold
    | ChannelUnhold
    | BridgeCreated
    | BridgeDestroyed
    | BridgeBlindTransfer
    | BridgeAttendedTransfer
    | EndpointStateChange
    | DeviceStateChanged
    | PeerStatusChange
    | ContactStatusChange
    | ApplicationReplaced
    | ApplicationMoveFailed
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no event of ours; `kind` groups alike ones, `known_type` tells malformed from unknown."""

    kind: str
    known_type: bool
    reason: str


EVENT_TYPES = frozenset(type_.__name__ for type_ in get_args(Event))

_EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event, dec_hook=parse_special)


class _Header(Struct):
    type: str


_UNDECODABLE = (ValueError, RecursionError)  # msgspec's errors, broken UTF-8, brackets without end

_HEADERS = msgspec.json.Decoder(_Header)


def decode_event(message: bytes | str) -> Event | Unreadable:
    """Return the event in one web socket message; nothing Asterisk sends makes this raise."""
    try:
        return _EVENTS.decode(message)
    except _UNDECODABLE as error:
        reason = str(error)
    try:
        kind = _HEADERS.decode(message).type
    except _UNDECODABLE:
        return Unreadable("no event", known_type=True, reason=reason)
    return Unreadable(kind, known_type=kind in EVENT_TYPES, reason=reason)
