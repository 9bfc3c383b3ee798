"""Commands and questions to one Asterisk: one method per ARI request that somebody here needs, ids chosen by the caller.

The voice connector and the composition root call these. Every method raises the errors of `errors.py` and nothing else;
404 (`NotFound`) and 409 (`Conflict`) are everyday outcomes. Surprises of Asterisk 22.10 to know when calling:

- A channel obeys only after its StasisStart event: an operation right after `create_channel` fails with 409 in a third
  of the cases.
- A playback on an unbridged channel blocks that channel: `answer`, `set_variable(s)` and `add_to_bridge` wait (and hold
  their HTTP request) until the prompt ends, the others apply only then. Call `stop_playback` first.
- No channel id may begin another one: while `c.10` lives, `c.1` cannot be created; capitals do not count.
- `tone:` media never end by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ccserver.ari.errors import AriRejected, NotFound
from ccserver.ari.objects import (
    Application,
    AsteriskInfo,
    Bridge,
    Channel,
    ConfigField,
    DeviceState,
    Endpoint,
    LiveRecording,
    Ping,
    Playback,
    StoredRecording,
    Variable,
)
from ccserver.ari.transport import Transport, path

NO_VARIABLES: Mapping[str, str] = {}
CHANNEL_GONE = ((400, "Channel not found"), (422, "Channel not in Stasis application"))
"""How `addChannel`, alone of all requests, says that a channel has hung up: it is gone, or just going."""


def check_event_source(source: str) -> str:
    """Return `source` if it is safe to subscribe to, else raise ValueError.

    A bare `deviceState:` (and subscribeAll, which includes it) deadlocks ARI when the web socket drops while device
    states change, asterisk#2170; a bare `channel:` or `bridge:` would bring every call of the house.
    """
    scheme, _, resource = source.partition(":")
    if scheme not in ("channel", "bridge", "endpoint", "deviceState") or not resource.strip("/"):
        raise ValueError(f"event source {source!r}: expected channel:, bridge:, endpoint: or deviceState: and a name")
    return source


def _variables(plain: Mapping[str, str], reported: Mapping[str, str]) -> Mapping[str, object] | None:
    marked = {name: {"value": value, "report_events": True} for name, value in reported.items()}
    return {**plain, **marked} or None


class AriClient(Transport):
    """Commands over HTTP keep-alive; `async with AriClient(url, user, password) as ari: …`."""

    # --- Asterisk itself

    async def ping(self) -> Ping:
        """Ask for a sign of life."""
        return await self.fetch(Ping, "/asterisk/ping")

    async def info(self) -> AsteriskInfo:
        """Return version and start time; another `startup_time` than before means that all calls are gone."""
        return await self.fetch(AsteriskInfo, "/asterisk/info")

    async def get_global_variable(self, name: str) -> str:
        """Return a global variable of the dialplan; empty when it is not set."""
        return (await self.fetch(Variable, path("asterisk", "variable"), {"variable": name})).value

    async def get_dynamic_config(self, object_type: str, object_id: str) -> tuple[ConfigField, ...]:
        """Return the attributes of a res_pjsip object, defaults included."""
        where = path("asterisk", "config", "dynamic", "res_pjsip", object_type, object_id)
        return await self.fetch(tuple[ConfigField, ...], where)

    async def put_dynamic_config(self, object_type: str, object_id: str, fields: Mapping[str, str]) -> None:
        """Create or replace a res_pjsip object (auth, aor, endpoint); it counts at once. 400 when a field is wrong."""
        where = path("asterisk", "config", "dynamic", "res_pjsip", object_type, object_id)
        pairs = [{"attribute": attribute, "value": value} for attribute, value in fields.items()]
        await self.send("PUT", where, {"fields": pairs})

    async def delete_dynamic_config(self, object_type: str, object_id: str) -> None:
        """Delete a res_pjsip object that was pushed by `put_dynamic_config`."""
        await self.send("DELETE", path("asterisk", "config", "dynamic", "res_pjsip", object_type, object_id))

    # --- applications: what the event stream sets up; callers use its `subscribe`

    async def get_application(self, app: str) -> Application:
        """Return what an application is subscribed to; 404 when nobody is connected and nothing is subscribed."""
        return await self.fetch(Application, path("applications", app))

    async def subscribe(self, app: str, *sources: str) -> None:
        """Send `app` the events of `channel:<id>`, `bridge:<id>`, `endpoint:<tech>/<name>`, `deviceState:<device>`.

        All or none. Subscriptions count: asking twice needs cancelling twice. For what must be put back after a
        reconnect use `EventStream.subscribe`; this one fits channels and bridges, whose subscriptions die with them.
        """
        checked = [check_event_source(source) for source in sources]
        await self.send("POST", path("applications", app, "subscription"), {"eventSource": checked})

    async def unsubscribe(self, app: str, *sources: str) -> None:
        """Take back one `subscribe`."""
        await self.send("DELETE", path("applications", app, "subscription"), {"eventSource": list(sources)})

    async def set_event_filter(self, app: str, allowed: Sequence[str] = (), disallowed: Sequence[str] = ()) -> None:
        """Replace the event types sent to `app`; none allowed means all; disallowed wins. 404 if not connected."""
        types = {
            "allowed": [{"type": type_} for type_ in allowed],
            "disallowed": [{"type": type_} for type_ in disallowed],
        }
        await self.send("PUT", path("applications", app, "eventFilter"), types)

    # --- endpoints and devices

    async def list_endpoints(self, technology: str = "PJSIP") -> tuple[Endpoint, ...]:
        """Return all endpoints of a technology."""
        return await self.fetch(tuple[Endpoint, ...], path("endpoints", technology))

    async def get_endpoint(self, technology: str, resource: str) -> Endpoint:
        """Return one endpoint with its state and channels."""
        return await self.fetch(Endpoint, path("endpoints", technology, resource))

    async def get_device_state(self, device: str) -> DeviceState:
        """Return whether a device such as `PJSIP/1001` is in use; unknown devices are INVALID, not 404."""
        return await self.fetch(DeviceState, path("deviceStates", device))

    # --- channels

    async def list_channels(self) -> tuple[Channel, ...]:
        """Return every channel of this Asterisk, ours or not."""
        return await self.fetch(tuple[Channel, ...], "/channels")

    async def get_channel(self, channel_id: str) -> Channel:
        """Return one channel; NotFound means that it hung up."""
        return await self.fetch(Channel, path("channels", channel_id))

    async def create_channel(
        self,
        channel_id: str,
        endpoint: str,
        app: str,
        *,
        app_args: str = "",
        originator: str | None = None,
        variables: Mapping[str, str] = NO_VARIABLES,
        reported: Mapping[str, str] = NO_VARIABLES,
    ) -> Channel:
        """Make an outgoing channel under our control without dialling it yet; register its id before calling this.

        `app_args` arrive in StasisStart, split at commas. `originator` is the channel on whose behalf this is; the
        application is then subscribed to it, too. `reported` variables are listed in every event of the channel and in
        `list_channels`. Raises AlreadyExists if the id is taken, AllocationFailed if the endpoint cannot be reached.
        """
        body = {
            "endpoint": endpoint,
            "app": app,
            "appArgs": app_args,
            "channelId": channel_id,
            "originator": originator,
            "variables": _variables(variables, reported),
        }
        return await self.create_unique(Channel, "/channels/create", body, path("channels", channel_id))

    async def snoop_channel(
        self, channel_id: str, snoop_id: str, app: str, *, app_args: str = "", spy: str, whisper: str
    ) -> Channel:
        """Make a channel that hears another (`spy`: none, in, out, both) and is heard on it (`whisper`: to it, from it, both).

        It goes when the other goes. Wait for its StasisStart before doing anything with it. A taken id is a 500 as any
        other failure: look first.
        """
        where = path("channels", channel_id, "snoop", snoop_id)
        body = {"spy": spy, "whisper": whisper, "app": app, "appArgs": app_args}
        return await self.create_unique(Channel, where, body, path("channels", snoop_id))

    async def dial(self, channel_id: str, *, timeout_s: int, caller: str | None = None) -> None:
        """Let a created channel ring; `caller` is the channel whose number is shown. Returns before anybody answers."""
        await self.send("POST", path("channels", channel_id, "dial"), {"timeout": timeout_s, "caller": caller})

    async def progress(self, channel_id: str) -> None:
        """Let a channel that is not answered hear what is sent to it (SIP: 183); a playback does so by itself."""
        await self.send("POST", path("channels", channel_id, "progress"))

    async def answer(self, channel_id: str) -> None:
        """Answer a channel; harmless on an answered one."""
        await self.send("POST", path("channels", channel_id, "answer"))

    async def hangup(self, channel_id: str, *, reason: str | None = None, reason_code: str | None = None) -> None:
        """Hang up. `reason` is normal, busy, congestion, no_answer, timeout, rejected, answered_elsewhere …;
        `reason_code` a Q.850 number in its place.
        """
        await self.send("DELETE", path("channels", channel_id), {"reason": reason, "reason_code": reason_code})

    async def get_variable(self, channel_id: str, name: str) -> str:
        """Return a channel variable or function; 404 when it is not set."""
        where = path("channels", channel_id, "variable")
        return (await self.fetch(Variable, where, {"variable": name})).value

    async def set_variable(self, channel_id: str, name: str, value: str) -> None:
        """Set a channel variable or function, such as `TIMEOUT(absolute)`."""
        await self.send("POST", path("channels", channel_id, "variable"), {"variable": name, "value": value})

    async def set_variables(
        self, channel_id: str, variables: Mapping[str, str] = NO_VARIABLES, reported: Mapping[str, str] = NO_VARIABLES
    ) -> None:
        """Set several; `reported` ones come back in `channelvars` of every event and listing, also after our restart."""
        await self.send(
            "POST", path("channels", channel_id, "variables"), {"variables": _variables(variables, reported)}
        )

    async def start_moh(self, channel_id: str, moh_class: str = "default") -> None:
        """Play hold music; it blocks nothing."""
        await self.send("POST", path("channels", channel_id, "moh"), {"mohClass": moh_class})

    async def stop_moh(self, channel_id: str) -> None:
        """Stop hold music."""
        await self.send("DELETE", path("channels", channel_id, "moh"))

    async def continue_in_dialplan(self, channel_id: str, context: str, extension: str, priority: int = 1) -> None:
        """Give the channel back to the dialplan; works also without any application and out of a bridge."""
        where = {"context": context, "extension": extension, "priority": priority}
        await self.send("POST", path("channels", channel_id, "continue"), where)

    async def redirect(self, channel_id: str, endpoint: str) -> None:
        """Send the calling phone elsewhere: 302 before the answer, REFER after it."""
        await self.send("POST", path("channels", channel_id, "redirect"), {"endpoint": endpoint})

    async def move(self, channel_id: str, app: str, app_args: str = "") -> None:
        """Hand the channel to an application, also to its own again: StasisEnd, StasisStart, no leaving the bridge.

        An application that nobody serves is not an error here but an ApplicationMoveFailed event.
        """
        await self.send("POST", path("channels", channel_id, "move"), {"app": app, "appArgs": app_args})

    # --- prompts

    async def play(
        self, channel_id: str, media: Sequence[str], *, playback_id: str, language: str | None = None
    ) -> Playback:
        """Play prompts (`sound:…`, `number:…`, `digits:…`) one after the other as one playback; missing files are skipped."""
        return await self._play(path("channels", channel_id, "play"), media, playback_id, language)

    async def play_to_bridge(
        self, bridge_id: str, media: Sequence[str], *, playback_id: str, language: str | None = None
    ) -> Playback:
        """As `play`, for everybody in a bridge; blocks no channel."""
        return await self._play(path("bridges", bridge_id, "play"), media, playback_id, language)

    async def _play(self, where: str, media: Sequence[str], playback_id: str, language: str | None) -> Playback:
        body = {"media": list(media), "playbackId": playback_id, "lang": language}
        return await self.create(Playback, where, body, path("playbacks", playback_id))

    async def get_playback(self, playback_id: str) -> Playback:
        """Return a playback; NotFound, or for a moment `state` done or failed, mean that it ended."""
        return await self.fetch(Playback, path("playbacks", playback_id))

    async def stop_playback(self, playback_id: str) -> None:
        """Stop at once; NotFound means that it had ended by itself."""
        await self.send("DELETE", path("playbacks", playback_id))

    # --- bridges

    async def list_bridges(self) -> tuple[Bridge, ...]:
        """Return every bridge of this Asterisk, ours or not."""
        return await self.fetch(tuple[Bridge, ...], "/bridges")

    async def get_bridge(self, bridge_id: str) -> Bridge:
        """Return one bridge and who is in it."""
        return await self.fetch(Bridge, path("bridges", bridge_id))

    async def create_bridge(self, bridge_id: str, *, type_: str = "mixing,dtmf_events", name: str = "") -> Bridge:
        """Make a bridge; AlreadyExists if the id is taken. Without `dtmf_events` two SIP phones' keys are not seen."""
        body = {"type": type_, "name": name}
        return await self.create_unique(Bridge, path("bridges", bridge_id), body, path("bridges", bridge_id))

    async def add_to_bridge(self, bridge_id: str, *channel_ids: str) -> None:
        """Put channels into a bridge, out of the one they are in; NotFound when there is none of the bridge and channels.

        Whom each of them is connected with is not told to the others' phones: that is for us to say (`CONNECTEDLINE`).
        """
        where = path("bridges", bridge_id, "addChannel")
        try:
            await self.send("POST", where, {"channel": list(channel_ids), "inhibitConnectedLineUpdates": True})
        except AriRejected as rejected:
            if (rejected.status, rejected.message) in CHANNEL_GONE:
                raise NotFound("POST", where, rejected.status, rejected.message) from rejected
            raise

    async def remove_from_bridge(self, bridge_id: str, *channel_ids: str) -> None:
        """Take channels out of a bridge; they stay ours."""
        await self.send("POST", path("bridges", bridge_id, "removeChannel"), {"channel": list(channel_ids)})

    async def delete_bridge(self, bridge_id: str) -> None:
        """Delete a bridge; who is in it stays ours, in silence."""
        await self.send("DELETE", path("bridges", bridge_id))

    async def set_bridge_variables(self, bridge_id: str, reported: Mapping[str, str]) -> None:
        """Set variables that come back in `bridgevars` of every event and listing."""
        await self.send("POST", path("bridges", bridge_id, "variables"), {"variables": _variables({}, reported)})

    async def start_bridge_moh(self, bridge_id: str, moh_class: str = "default") -> None:
        """Play hold music to everybody in a bridge."""
        await self.send("POST", path("bridges", bridge_id, "moh"), {"mohClass": moh_class})

    async def stop_bridge_moh(self, bridge_id: str) -> None:
        """Stop the hold music of a bridge."""
        await self.send("DELETE", path("bridges", bridge_id, "moh"))

    # --- recordings (of one unbridged channel: voicemail; conversations are recorded by MixMonitor)

    async def record_channel(
        self,
        channel_id: str,
        name: str,
        *,
        format_: str = "wav",
        duration_max_s: int = 0,
        silence_max_s: int = 0,
        beep: bool = False,
        terminate_on: str = "none",
    ) -> LiveRecording:
        """Record what the party says into the spool as `name`; 0 means no limit; RecordingFinished tells its end.

        Fails with a RecordingFailed event, after success here, while the channel is in a bridge. A `name` that exists
        is a 409.
        """
        body = {
            "name": name,
            "format": format_,
            "maxDurationSeconds": duration_max_s,
            "maxSilenceSeconds": silence_max_s,
            "beep": beep,
            "ifExists": "fail",
            "terminateOn": terminate_on,
        }
        look_at = path("recordings", "live", name)
        return await self.create(LiveRecording, path("channels", channel_id, "record"), body, look_at)

    async def get_recording(self, name: str) -> LiveRecording:
        """Return a recording that is running."""
        return await self.fetch(LiveRecording, path("recordings", "live", name))

    async def stop_recording(self, name: str) -> None:
        """Stop a running recording and keep it."""
        await self.send("POST", path("recordings", "live", name, "stop"))

    async def get_stored_recording(self, name: str) -> StoredRecording:
        """Return a finished recording."""
        return await self.fetch(StoredRecording, path("recordings", "stored", name))

    async def delete_stored_recording(self, name: str) -> None:
        """Delete a finished recording and its file."""
        await self.send("DELETE", path("recordings", "stored", name))
