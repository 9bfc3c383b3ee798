"""The event stream through everything that happens to a connection in a year, on a real Asterisk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from ari_bench import PATIENCE_S, Heard, Wire, incoming_call, listening, of, phone_call, up
from asterisk_instance import AsteriskInstance

from ccserver.ari import (
    AriClient,
    AriRejected,
    AriUnavailable,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelStateChange,
    Conflict,
    Connected,
    DeviceStateChanged,
    Disconnected,
    NotFound,
    Replaced,
    StasisApp,
    StasisEnd,
    StasisStart,
)
from ccserver.asterisk.settings import ARI_USER

DEVICES = ("DeviceStateChanged", "ContactStatusChange", "PeerStatusChange")


def client_through(wire: Wire, asterisk: AsteriskInstance) -> AriClient:
    return AriClient(wire.url, ARI_USER, asterisk.secrets.ari_password)


@asynccontextmanager
async def listening_through_a_wire(
    asterisk: AsteriskInstance, app: str
) -> AsyncIterator[tuple[Wire, AriClient, Heard]]:
    """A wire that can be cut, who asks through it, and who hears through it."""
    async with (
        Wire(asterisk.instance.http_port) as wire,
        client_through(wire, asterisk) as wired,
        listening(wired, [app]) as heard,
    ):
        yield wire, wired, heard


async def filter_of(ari: AriClient, app: str) -> tuple[set[str], set[str]]:
    """Allowed and disallowed event types, as Asterisk has them."""
    found = await ari.get_application(app)
    return {entry.type for entry in found.events_allowed}, {entry.type for entry in found.events_disallowed}


async def test_a_lost_socket_is_put_back_with_filters_while_calls_go_on(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    setup = [StasisApp(app), StasisApp(f"{app}d", allowed=DEVICES, disallowed=("ChannelCreated",))]
    async with Wire(asterisk.instance.http_port) as wire, client_through(wire, asterisk) as wired:
        async with listening(wired, setup) as heard:
            await phone_call(wired, heard, app, f"{app}-c")
            told = len(heard.notices)
            await wire.cut()
            await heard.first(Disconnected)
            # Nothing of the second application is alive, so Asterisk forgets it and its filter.
            await gone(ari, f"{app}d")
            await wire.mend()
            again = await heard.first(Connected, after=told)
            assert not again.restarted, "Asterisk was here all the time"
            assert again.startup_time == heard.all(Connected)[0].startup_time
            assert [channel.id for channel in await wired.list_channels() if channel.id == f"{app}-c"]
            assert await filter_of(ari, app) == (
                set(),
                {"ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId"},
            )
            assert await filter_of(ari, f"{app}d") == ({*DEVICES, "ApplicationReplaced"}, {"ChannelCreated"})
            await wired.hangup(f"{app}-c")
            await heard.first(ChannelDestroyed, after=told)
            await phone_call(wired, heard, app, f"{app}-d", "keys")
            await heard.first(ChannelDtmfReceived, of(f"{app}-d"))
        assert (wired.counters.connects, wired.counters.disconnects) == (2, 2)
        assert (wired.counters.unknown_events, wired.counters.malformed_events) == (0, 0)


async def test_what_happened_in_the_gap_is_not_told_but_can_be_listed(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with listening_through_a_wire(asterisk, app) as (wire, wired, heard):
        await phone_call(wired, heard, app, f"{app}-stays")
        await phone_call(wired, heard, app, f"{app}-goes")
        told = len(heard.notices)
        await wire.cut()
        await heard.first(Disconnected)
        await ari.hangup(f"{app}-goes")
        await gone_channel(ari, f"{app}-goes")
        await wire.mend()
        await heard.first(Connected, after=told)
        assert f"{app}-stays" in {channel.id for channel in await wired.list_channels()}
        await wired.hangup(f"{app}-stays")
        await heard.first(ChannelDestroyed, of(f"{app}-stays"))
        assert not heard.all(ChannelDestroyed, of(f"{app}-goes"))


async def test_subscriptions_are_put_back_once_and_not_doubled(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    phone = f"endpoint:PJSIP/{app}"
    async with (
        listening_through_a_wire(asterisk, app) as (wire, _wired, heard),
        phone_account(ari, app),
    ):
        for _ in range(3):
            await heard.stream.subscribe(app, [phone])
        told = len(heard.notices)
        wire.drop()
        await heard.first(Connected, after=told)
        # A subscription to an endpoint outlives the socket, and Asterisk counts them: two would need two ends.
        assert await phones_of(ari, app) == (f"PJSIP/{app}",)
        await heard.stream.unsubscribe(app, [phone])
        assert await phones_of(ari, app) == ()

        await heard.stream.subscribe(app, [phone])
        told = len(heard.notices)
        await wire.cut()
        await heard.first(Disconnected, after=told)
        await ari.unsubscribe(app, phone)
        assert await phones_of(ari, app) == ()
        await wire.mend()
        await heard.first(Connected, after=told)
        assert await phones_of(ari, app) == (f"PJSIP/{app}",)
        await heard.stream.unsubscribe(app, [phone])


async def test_a_phone_that_begins_and_ceases_to_be_in_use_is_told(ari: AriClient, app: str) -> None:
    device = f"Stasis:desk-{app}"
    async with listening(ari, [StasisApp(app, allowed=DEVICES)]) as heard:
        await heard.stream.subscribe(app, [f"deviceState:{device}"])
        for state in ("INUSE", "NOT_INUSE"):
            told = len(heard.notices)
            await ari.send("PUT", f"/deviceStates/{device}?deviceState={state}")
            changed = await heard.first(DeviceStateChanged, after=told)
            assert (changed.device_state.name, changed.device_state.state) == (device, state)
        await ari.send("DELETE", f"/deviceStates/{device}")


async def test_an_endpoint_that_does_not_exist_yet_is_refused_and_costs_the_others_nothing(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with listening_through_a_wire(asterisk, app) as (wire, _wired, heard):
        with pytest.raises(AriRejected, match="422"):
            await heard.stream.subscribe(app, ["endpoint:PJSIP/nobody"])
        async with phone_account(ari, app):
            await heard.stream.subscribe(app, [f"endpoint:PJSIP/{app}", f"deviceState:PJSIP/{app}"])
            told = len(heard.notices)
            await wire.cut()
            await heard.first(Disconnected)
            await ari.unsubscribe(app, f"endpoint:PJSIP/{app}", f"deviceState:PJSIP/{app}")
        await wire.mend()
        again = await heard.first(Connected, after=told)
        assert again.refused_sources == (f"endpoint:PJSIP/{app}",)
        assert (await ari.get_application(app)).device_names == (f"PJSIP/{app}",)


async def test_a_restart_of_asterisk_is_told_apart_from_a_lost_socket(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with listening(ari, [app]) as heard:
        await heard.stream.subscribe(app, ["deviceState:Stasis:desk"])
        await phone_call(ari, heard, app, f"{app}-c")
        told = len(heard.notices)
        await asterisk.kill()
        await heard.first(Disconnected)
        with pytest.raises(AriUnavailable, match="no connection"):
            await ari.ping()
        await asterisk.start()
        again = await heard.first(Connected, after=told)
        assert again.restarted
        assert again.startup_time > heard.all(Connected)[0].startup_time
        assert await ari.list_channels() == ()
        assert (await ari.get_application(app)).device_names == ("Stasis:desk",)
        await phone_call(ari, heard, app, f"{app}-d")


async def test_a_second_process_takes_over_and_no_event_is_lost_or_told_twice(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    calls = 300
    apps = [StasisApp(app), StasisApp(f"{app}d", allowed=DEVICES)]
    taken_over = asyncio.Event()

    async def has_come(channel: str) -> None:
        """One that is hung up before it has come into Stasis never starts there, and nobody has lost anything."""
        while True:
            try:
                return await ari.start_moh(channel)
            except Conflict:
                await asyncio.sleep(0)
            except AriRejected:  # it is there, and too young for music
                return None

    async def traffic() -> None:
        for number in range(calls):
            channel = f"{app}-{number:03}"
            await ari.create_channel(channel, "Local/silent@ari-test", app)
            await has_come(channel)
            await ari.hangup(channel)
            if number == calls // 3:
                taken_over.set()

    def starts(heard: Heard) -> list[str]:
        return [event.channel.id for event in heard.all(StasisStart)]

    async with (
        AriClient(ari.url, ARI_USER, asterisk.secrets.ari_password) as other,
        listening(ari, apps) as old,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(traffic(), name="traffic")
        await taken_over.wait()
        async with listening(other, apps) as new:
            await old.first(Replaced, lambda notice: notice.application == app)
            await old.first(Replaced, lambda notice: notice.application == f"{app}d")
            await running
            last = f"{app}-{calls - 1}"
            await new.first(StasisEnd, of(last))
            together = starts(old) + starts(new)
            assert len(together) == calls, "each exactly once"
            assert set(together) == {f"{app}-{number:03}" for number in range(calls)}
            assert len(starts(old)) > calls // 4
            assert len(starts(new)) > calls // 4
            assert len(old.all(Connected)) == 1
            assert not old.all(Disconnected), "the old process keeps its socket, and does not take back"
            assert not new.all(Replaced)


async def test_a_replaced_process_whose_socket_is_lost_ends_instead_of_taking_back(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with (
        listening_through_a_wire(asterisk, app) as (wire, _wired, old),
        listening(ari, [app]) as new,
    ):
        await old.first(Replaced)
        wire.drop()
        async with asyncio.timeout(PATIENCE_S):
            await old.ended.wait()
        assert len(old.all(Connected)) == 1
        assert isinstance(old.notices[-1], Disconnected)
        await incoming_call(ari, new, app)


async def test_after_refused_attempts_a_second_process_takes_over_at_once(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with listening_through_a_wire(asterisk, app) as (wire, wired, old):
        told = len(old.notices)
        await wire.cut()
        async with asyncio.timeout(PATIENCE_S):
            while not wired.counters.failed_connects:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # nobody is told of each
        await wire.mend()
        await old.first(Connected, after=told)
        async with listening(ari, [app]):
            await old.first(Replaced)


async def test_a_frozen_asterisk_is_noticed_by_the_heartbeat_and_requests_by_their_deadline(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with (
        AriClient(ari.url, ARI_USER, asterisk.secrets.ari_password, deadline_s=0.6) as hasty,
        listening(hasty, [app], heartbeat_s=0.6) as heard,
    ):
        told = len(heard.notices)
        os.kill(asterisk.pid, signal.SIGSTOP)
        try:
            with pytest.raises(AriUnavailable, match="no answer when looking for it") as caught:
                await hasty.create_channel(f"{app}-c", "Local/silent@ari-test", app)
            assert caught.value.ambiguous
            await heard.first(Disconnected)
        finally:
            os.kill(asterisk.pid, signal.SIGCONT)
        again = await heard.first(Connected, after=told)
        assert not again.restarted


async def test_an_attempt_of_our_own_that_a_frozen_asterisk_takes_up_late_is_nobody_who_takes_over(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    async with (
        AriClient(ari.url, ARI_USER, asterisk.secrets.ari_password, deadline_s=0.6) as hasty,
        listening(hasty, [app], heartbeat_s=0.6) as heard,
    ):
        os.kill(asterisk.pid, signal.SIGSTOP)
        try:
            await heard.first(Disconnected)
            async with asyncio.timeout(PATIENCE_S):
                while hasty.counters.failed_connects < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # nobody is told of each
        finally:
            os.kill(asterisk.pid, signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_S):
            while not heard.stream.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        told = len(heard.notices)
        late = ari.unshared.ws_connect(f"{ari.url}/events?app={app}")  # as the one that was given up
        async with late:
            await heard.first(Connected, after=told)
        assert not heard.all(Replaced) and not heard.ended.is_set()
        await incoming_call(ari, heard, app)


async def test_a_create_whose_answer_is_lost_on_the_way_is_found_to_have_succeeded(
    asterisk: AsteriskInstance, ari: AriClient, app: str
) -> None:
    password = asterisk.secrets.ari_password
    async with (
        listening(ari, [app]) as heard,
        Wire(asterisk.instance.http_port) as wire,
        AriClient(wire.url, ARI_USER, password, deadline_s=0.5) as wired,
    ):
        await wired.ping()  # the connection over which the create will go
        wire.swallow_answers()  # of the connections there are; a new one works
        channel = await wired.create_channel(f"{app}-c", "Local/answer@ari-test", app)
        assert channel.id == f"{app}-c"
        assert wired.counters.looked_up == 1
        assert len(heard.all(StasisStart)) <= 1
        await heard.first(StasisStart, of(channel.id))

        await wired.dial(channel.id, timeout_s=5)
        await heard.first(ChannelStateChange, up())
        wire.swallow_answers()
        assert (await wired.play(channel.id, ["sound:beep"] * 9, playback_id=f"{app}-p")).id == f"{app}-p"
        assert wired.counters.looked_up == 2

        await wired.ping()
        wire.swallow_answers()
        with pytest.raises(AriUnavailable, match="not there") as caught:
            await wired.create_channel(f"{app}-d", "PJSIP/nobody", app)
        assert not caught.value.ambiguous


@asynccontextmanager
async def phone_account(ari: AriClient, name: str) -> AsyncIterator[None]:
    """A SIP endpoint that exists for a while. Without `allow` it could be pushed, but never be read again."""
    await ari.put_dynamic_config("aor", name, {"max_contacts": "1"})
    await ari.put_dynamic_config("endpoint", name, {"aors": name, "context": "ari-test", "allow": "alaw"})
    yield
    await ari.delete_dynamic_config("endpoint", name)
    await ari.delete_dynamic_config("aor", name)


async def phones_of(ari: AriClient, app: str) -> tuple[str, ...]:
    """The endpoints an application is subscribed to; none if Asterisk has forgotten it."""
    try:
        return (await ari.get_application(app)).endpoint_ids
    except NotFound:
        return ()


async def gone(ari: AriClient, app: str) -> None:
    """Wait until Asterisk has forgotten an application; it tells nobody when."""
    async with asyncio.timeout(10):
        while True:
            try:
                await ari.get_application(app)
            except NotFound:
                return


async def gone_channel(ari: AriClient, channel_id: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await ari.get_channel(channel_id)
            except NotFound:
                return
