"""The objects Asterisk lists and puts into its events, as types.

Only the fields somebody here reads; a field Asterisk adds later is ignored. Names are ARI's own. Times are seconds
since 1970, UTC. `AriClient` returns these, events carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field


class EpochSeconds(float):
    """Seconds since 1970, UTC, read from ARI's `2026-03-01T10:00:00.123+0300`."""

    __slots__ = ()


def parse_special(type_: type, value: object) -> object:
    """Decode what msgspec does not know: the `dec_hook` of every decoder of this package."""
    if type_ is EpochSeconds and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(f"time without a zone: {value!r}")
        return EpochSeconds(moment.timestamp())
    raise ValueError(f"expected a time such as 2026-03-01T10:00:00.123+0300, got {value!r}")


class CallerID(Struct, frozen=True):
    """A number with its display name; both may be empty and both come from the network: never trust them."""

    name: str = ""
    number: str = ""


class DialplanPlace(Struct, frozen=True):
    """Where a channel is in the dialplan."""

    context: str = ""
    exten: str = ""
    priority: int = 0
    app_name: str = ""
    """The dialplan application it is in: Stasis while it is ours."""
    app_data: str = ""
    """That application's arguments, as they were given."""


class Channel(Struct, frozen=True):
    """One party's connection as Asterisk sees it."""

    id: str
    name: str
    state: str
    """Down, Ring, Ringing, Up, Busy …; answered is Up."""
    caller: CallerID = CallerID()
    connected: CallerID = CallerID()
    dialplan: DialplanPlace = DialplanPlace()
    language: str = ""
    created_at: EpochSeconds = field(name="creationtime", default=EpochSeconds(0))
    protocol_id: str = ""
    """The SIP Call-ID; empty for Local channels."""
    channelvars: Mapping[str, str] = field(default_factory=dict)
    """The variables set with `reported=`; they outlive our process."""

    @property
    def is_up(self) -> bool:
        """Tell whether the channel is answered."""
        return self.state == "Up"


class Bridge(Struct, frozen=True):
    """A room in which channels hear each other."""

    id: str
    name: str = ""
    bridge_type: str = ""
    technology: str = ""
    channels: tuple[str, ...] = ()
    created_at: EpochSeconds = field(name="creationtime", default=EpochSeconds(0))
    bridgevars: Mapping[str, str] = field(default_factory=dict)


class Playback(Struct, frozen=True):
    """Prompts being played; `target_uri` is `channel:<id>` or `bridge:<id>`."""

    id: str
    media_uri: str
    target_uri: str
    state: str
    """queued, playing, continuing, done, failed (also when the channel hung up), paused."""
    language: str = ""


class LiveRecording(Struct, frozen=True):
    """A recording started by ARI; `duration` is in whole seconds and comes with its end."""

    name: str
    format: str
    state: str
    target_uri: str
    duration: int | None = None
    cause: str = ""


class StoredRecording(Struct, frozen=True):
    """A finished recording in Asterisk's spool."""

    name: str
    format: str


class Endpoint(Struct, frozen=True):
    """A SIP account or a trunk: `technology`/`resource`, for example PJSIP/1001."""

    technology: str
    resource: str
    state: str = "unknown"
    """online, offline or unknown."""
    channel_ids: tuple[str, ...] = ()


class DeviceState(Struct, frozen=True):
    """Whether a phone is in use; `name` such as PJSIP/1001, `state` such as NOT_INUSE, INUSE, RINGING, UNAVAILABLE."""

    name: str
    state: str


class Peer(Struct, frozen=True):
    """What PeerStatusChange says of an endpoint: Reachable, Unreachable …"""

    peer_status: str
    cause: str = ""
    address: str = ""


class ContactInfo(Struct, frozen=True):
    """A PJSIP *registration* (Asterisk calls it a contact): its URI and its reachability."""

    uri: str
    contact_status: str
    aor: str


class EventType(Struct, frozen=True):
    """One entry of an event filter."""

    type: str


class Application(Struct, frozen=True):
    """A Stasis application as Asterisk lists it, with what it is subscribed to."""

    name: str
    channel_ids: tuple[str, ...] = ()
    bridge_ids: tuple[str, ...] = ()
    endpoint_ids: tuple[str, ...] = ()
    device_names: tuple[str, ...] = ()
    events_allowed: tuple[EventType, ...] = ()
    events_disallowed: tuple[EventType, ...] = ()

    @property
    def event_sources(self) -> frozenset[str]:
        """What `subscribe` needs not ask for again."""
        return frozenset(
            [f"channel:{id_}" for id_ in self.channel_ids]
            + [f"bridge:{id_}" for id_ in self.bridge_ids]
            + [f"endpoint:{id_}" for id_ in self.endpoint_ids]
            + [f"deviceState:{name}" for name in self.device_names]
        )


class ConfigField(Struct, frozen=True):
    """One attribute of an object pushed into Asterisk's configuration."""

    attribute: str
    value: str


class Variable(Struct, frozen=True):
    """The value of a channel variable or function."""

    value: str


class Ping(Struct, frozen=True):
    """Answer to a ping; `asterisk_id` is the EntityID, a MAC address unless configured."""

    asterisk_id: str


class SystemInfo(Struct, frozen=True):
    """Version and identity of Asterisk."""

    version: str
    entity_id: str


class StatusInfo(Struct, frozen=True):
    """When Asterisk started: changed means restarted, so all calls are gone."""

    startup_time: EpochSeconds
    last_reload_time: EpochSeconds


class AsteriskInfo(Struct, frozen=True):
    """Answer to `GET /asterisk/info`."""

    system: SystemInfo
    status: StatusInfo
