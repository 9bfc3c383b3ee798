"""A thin typed client of the Asterisk REST Interface (ARI) of Asterisk 22; a library that knows nothing of contact centres.

Reading guide, in the order in which it makes sense:

- `errors`     what can go wrong, drawn as a tree, and who may try again
- `objects`    what Asterisk has: channels, bridges, playbacks, endpoints …
- `messages`   what Asterisk says: one type per event
- `client`     what one can ask of it: a method per request, every id chosen by the caller
- `stream`     how its events arrive: one web socket that is put back by itself
- `buffer`     what the stream tells its consumer: `Connected`, `Disconnected`, `Replaced`, `Overflowed`, or an event
- `transport`, `backoff`, `counters`   one HTTP request; how long to wait; how often what happened

Commands go over HTTP, events come over the web socket, and neither needs the other to be alive. The web socket is one
that we open, never one that Asterisk opens, and there is no way to subscribe to everything: both are known to bring
Asterisk 22.10 down.
"""

from ccserver.ari.backoff import STABLE_S, backoff
from ccserver.ari.buffer import Connected, Disconnected, Notice, Overflowed, Replaced
from ccserver.ari.client import AriClient
from ccserver.ari.counters import Counters
from ccserver.ari.errors import (
    AllocationFailed,
    AlreadyExists,
    AriAuthFailed,
    AriError,
    AriRejected,
    AriUnavailable,
    Conflict,
    NotFound,
    is_retryable,
)
from ccserver.ari.messages import (
    ApplicationMoveFailed,
    BridgeAttendedTransfer,
    BridgeBlindTransfer,
    BridgeCreated,
    BridgeDestroyed,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelHangupRequest,
    ChannelHold,
    ChannelLeftBridge,
    ChannelStateChange,
    ChannelUnhold,
    ContactStatusChange,
    DeviceStateChanged,
    Dial,
    EndpointStateChange,
    Event,
    PeerStatusChange,
    PlaybackContinuing,
    PlaybackFinished,
    PlaybackStarted,
    RecordingFailed,
    RecordingFinished,
    RecordingStarted,
    StasisEnd,
    StasisStart,
)
from ccserver.ari.objects import (
    AsteriskInfo,
    Bridge,
    Channel,
    ConfigField,
    DeviceState,
    Endpoint,
    EpochSeconds,
    LiveRecording,
    Playback,
    StoredRecording,
)
from ccserver.ari.stream import NOISE, EventStream, StasisApp

__all__ = [
    "NOISE",
    "STABLE_S",
    "AllocationFailed",
    "AlreadyExists",
    "ApplicationMoveFailed",
    "AriAuthFailed",
    "AriClient",
    "AriError",
    "AriRejected",
    "AriUnavailable",
    "AsteriskInfo",
    "Bridge",
    "BridgeAttendedTransfer",
    "BridgeBlindTransfer",
    "BridgeCreated",
    "BridgeDestroyed",
    "Channel",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelEnteredBridge",
    "ChannelHangupRequest",
    "ChannelHold",
    "ChannelLeftBridge",
    "ChannelStateChange",
    "ChannelUnhold",
    "ConfigField",
    "Conflict",
    "Connected",
    "ContactStatusChange",
    "Counters",
    "DeviceState",
    "DeviceStateChanged",
    "Dial",
    "Disconnected",
    "Endpoint",
    "EndpointStateChange",
    "EpochSeconds",
    "Event",
    "EventStream",
    "LiveRecording",
    "NotFound",
    "Notice",
    "Overflowed",
    "PeerStatusChange",
    "Playback",
    "PlaybackContinuing",
    "PlaybackFinished",
    "PlaybackStarted",
    "RecordingFailed",
    "RecordingFinished",
    "RecordingStarted",
    "Replaced",
    "StasisApp",
    "StasisEnd",
    "StasisStart",
    "StoredRecording",
    "backoff",
    "is_retryable",
]
