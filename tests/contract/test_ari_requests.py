"""Every request of the client against a real Asterisk, and the events that answer it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from ari_bench import incoming_call, listening, of, phone_call, up

from ccserver.ari import (
    AllocationFailed,
    AlreadyExists,
    ApplicationMoveFailed,
    AriAuthFailed,
    AriClient,
    AriRejected,
    BridgeDestroyed,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelHangupRequest,
    ChannelLeftBridge,
    ChannelStateChange,
    Conflict,
    Dial,
    EventStream,
    NotFound,
    PlaybackContinuing,
    PlaybackFinished,
    PlaybackStarted,
    RecordingFailed,
    RecordingFinished,
    RecordingStarted,
    StasisApp,
    StasisEnd,
    StasisStart,
)

GOES_WITHIN_S = 5.0


async def test_asterisk_tells_its_version_and_when_it_started(ari: AriClient) -> None:
    await ari.ping()
    info = await ari.info()
    assert info.system.version.startswith("22.")
    assert info.status.startup_time > 1_700_000_000


async def test_a_wrong_password_is_fatal_for_requests_and_for_the_stream(ari: AriClient) -> None:
    async with AriClient(ari.url, "ccserver", "wrong") as stranger:
        with pytest.raises(AriAuthFailed):
            await stranger.ping()
        with pytest.raises(AriAuthFailed):
            await EventStream(stranger, [StasisApp("x")]).run()


async def test_a_leg_we_make_carries_its_arguments_and_its_variables(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await ari.create_channel(
            f"{app}/c 1",
            "Local/answer@ari-test",
            app,
            app_args="agent,c1,c1.2",
            variables={"PLAIN": "a;b=c"},
            reported={"CC_CONTACT": "c1"},
        )
        start = await heard.first(StasisStart)
        assert start.application == app
        assert start.args == ("agent", "c1", "c1.2")
        assert start.channel.id == f"{app}/c 1"
        assert start.channel.channelvars == {"CC_CONTACT": "c1"}
        assert await ari.get_variable(f"{app}/c 1", "PLAIN") == "a;b=c"
        with pytest.raises(NotFound):
            await ari.get_variable(f"{app}/c 1", "NOT_SET")

        await ari.set_variables(f"{app}/c 1", {"OTHER": "1"}, {"CC_CONTACT": "c2"})
        await ari.dial(f"{app}/c 1", timeout_s=5)
        answered = await heard.first(ChannelStateChange, up())
        assert answered.channel.channelvars == {"CC_CONTACT": "c2"}
        dial = await heard.first(Dial, lambda event: event.dialstatus == "ANSWER")
        assert dial.peer.id == f"{app}/c 1"
        assert abs(dial.at - answered.at) < 5
        (listed,) = [channel for channel in await ari.list_channels() if channel.id == f"{app}/c 1"]
        assert listed.channelvars == {"CC_CONTACT": "c2"}
        assert listed.is_up


async def test_a_leg_nobody_answers_ends_at_its_timeout(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await ari.create_channel(f"{app}-c", "Local/silent@ari-test", app)
        await heard.first(StasisStart)
        await ari.dial(f"{app}-c", timeout_s=1)
        destroyed = await heard.first(ChannelDestroyed)
        assert destroyed.cause == 19, "no answer"


async def test_a_leg_into_a_hole_of_the_dialplan_is_made_and_ends_when_dialled(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await ari.create_channel(f"{app}-c", "Local/nowhere@no-such-context", app)
        await heard.first(StasisStart)
        await ari.dial(f"{app}-c", timeout_s=5)
        destroyed = await heard.first(ChannelDestroyed)
        assert destroyed.channel.id == f"{app}-c"
        assert not heard.all(Dial, lambda event: event.dialstatus != "")


@pytest.mark.parametrize("endpoint", ["PJSIP/nobody", "Nonsense/1"])
async def test_a_leg_to_nowhere_is_an_allocation_failure(ari: AriClient, app: str, endpoint: str) -> None:
    async with listening(ari, [app]):
        with pytest.raises(AllocationFailed):
            await ari.create_channel(f"{app}-c", endpoint, app)


async def test_hanging_up_tells_the_reason_and_a_second_time_finds_nothing(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        for channel_id, hangup, cause in (
            (f"{app}-1", {"reason": "busy"}, 17),
            (f"{app}-2", {"reason": "answered_elsewhere"}, 26),
            (f"{app}-3", {"reason_code": "21"}, 21),
        ):
            await phone_call(ari, heard, app, channel_id)
            await ari.hangup(channel_id, **hangup)
            destroyed = await heard.first(ChannelDestroyed, of(channel_id))
            assert destroyed.cause == cause
            assert heard.all(ChannelHangupRequest, of(channel_id))
            with pytest.raises(NotFound):
                await ari.hangup(channel_id)


async def test_keys_arrive_in_order(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, f"{app}-c", "keys")
        last = await heard.first(ChannelDtmfReceived, lambda event: event.digit == "#")
        first = await heard.first(ChannelDtmfReceived)
        assert (first.digit, first.channel.id) == ("1", f"{app}-c")
        assert first.duration_ms > 0
        assert first.at <= last.at


async def test_a_list_of_prompts_is_one_playback(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, f"{app}-c")
        playback = await ari.play(f"{app}-c", ["sound:beep", "sound:beep"], playback_id=f"{app}:p", language="en")
        assert (playback.id, playback.target_uri) == (f"{app}:p", f"channel:{app}-c")
        assert (await ari.get_playback(f"{app}:p")).id == f"{app}:p"
        finished = await heard.first(PlaybackFinished)
        assert finished.playback.state == "done"
        assert len(heard.all(PlaybackStarted)) == 2
        assert len(heard.all(PlaybackContinuing)) == 1
        assert finished.playback.id == f"{app}:p"
        # Asterisk tells the end a moment before it forgets the playback: until then it is listed as done.
        with contextlib.suppress(NotFound):
            assert (await ari.get_playback(f"{app}:p")).state == "done"


async def test_two_legs_meet_in_a_bridge_and_part(ari: AriClient, app: str) -> None:
    bridge_id, one, two = f"{app}-b", f"{app}-1", f"{app}-2"
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, one)
        await phone_call(ari, heard, app, two)
        bridge = await ari.create_bridge(bridge_id, name="talk")
        assert (bridge.id, bridge.name, bridge.bridge_type) == (bridge_id, "talk", "mixing")
        with pytest.raises(AlreadyExists):
            await ari.create_bridge(bridge_id)
        await ari.set_bridge_variables(bridge_id, {"CC_CONTACT": "c1"})
        await ari.add_to_bridge(bridge_id, one, two)
        entered = await heard.first(ChannelEnteredBridge, of(two))
        assert entered.bridge.bridgevars == {"CC_CONTACT": "c1"}
        assert set((await ari.get_bridge(bridge_id)).channels) == {one, two}
        (listed,) = [bridge for bridge in await ari.list_bridges() if bridge.id == bridge_id]
        assert listed.bridgevars == {"CC_CONTACT": "c1"}

        announced = await ari.play_to_bridge(bridge_id, ["sound:beep"], playback_id=f"{app}-p")
        assert announced.target_uri == f"bridge:{bridge_id}"
        await heard.first(PlaybackFinished)
        await ari.remove_from_bridge(bridge_id, two)
        left = await heard.first(ChannelLeftBridge, of(two))
        assert left.bridge.id == bridge_id
        await ari.subscribe(app, f"bridge:{bridge_id}")  # else its end is told only while somebody of ours is in it
        await ari.delete_bridge(bridge_id)
        assert (await heard.first(BridgeDestroyed)).bridge.id == bridge_id
        assert (await ari.get_channel(one)).is_up, "who was in a deleted bridge stays ours"
        with pytest.raises(NotFound):
            await ari.delete_bridge(bridge_id)


async def test_what_a_phone_is_to_show_is_not_changed_by_whoever_comes_into_its_bridge(
    ari: AriClient, app: str
) -> None:
    first, second, shown = f"{app}-1", f"{app}-2", "CONNECTEDLINE(num,i)"
    async with listening(ari, [app]) as heard:
        for leg in (first, second):
            await phone_call(ari, heard, app, leg)
            await ari.set_variables(leg, {"CALLERID(num)": f"100{leg[-1]}", shown: f"8800{leg[-1]}"})
        await ari.create_bridge(f"{app}-b")
        for leg in (first, second):
            await ari.add_to_bridge(f"{app}-b", leg)
            await heard.first(ChannelEnteredBridge, of(leg))
        for leg in (first, second):  # what the bridge has for them is behind them then
            await ari.remove_from_bridge(f"{app}-b", leg)
            await heard.first(ChannelLeftBridge, of(leg))
        assert [await ari.get_variable(leg, "CONNECTEDLINE(num)") for leg in (first, second)] == ["88001", "88002"]


async def test_hold_music_for_one_and_for_a_bridge(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, f"{app}-c")
        await ari.start_moh(f"{app}-c")
        await ari.stop_moh(f"{app}-c")
        await ari.create_bridge(f"{app}-b", type_="holding")
        await ari.add_to_bridge(f"{app}-b", f"{app}-c")
        await ari.start_bridge_moh(f"{app}-b")
        await ari.stop_bridge_moh(f"{app}-b")
        with pytest.raises(Conflict):
            await ari.stop_bridge_moh(f"{app}-b")


async def test_an_incoming_call_is_answered_guarded_and_given_back_to_the_dialplan(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        channel_id = await incoming_call(ari, heard, app)
        start = await heard.first(StasisStart)
        assert (start.channel.dialplan.context, start.args) == ("ari-test", ("line", "100"))
        assert not start.channel.is_up
        await ari.set_variable(channel_id, "TIMEOUT(absolute)", "0")
        await ari.answer(channel_id)
        await heard.first(ChannelStateChange, up(channel_id))
        told = len(heard.notices)
        await ari.continue_in_dialplan(channel_id, "ari-test", f"app{app}")
        await heard.first(StasisEnd, of(channel_id))
        await heard.first(StasisStart, of(channel_id), after=told)  # StasisEnd is no hangup
        told = len(heard.notices)
        await ari.continue_in_dialplan(channel_id, "ari-test", "left")
        await heard.first(StasisEnd, of(channel_id), after=told)
        with pytest.raises(Conflict):
            await ari.answer(channel_id)
        assert (await ari.get_channel(channel_id)).is_up


async def test_a_channel_moves_to_its_own_application_anew_but_not_to_one_nobody_serves(
    ari: AriClient, app: str
) -> None:
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, f"{app}-c")
        told = len(heard.notices)
        await ari.move(f"{app}-c", app, "again,2")
        again = await heard.first(StasisStart, after=told)
        assert (again.channel.id, again.args) == (f"{app}-c", ("again", "2"))
        await ari.move(f"{app}-c", "nobody", "x")
        failed = await heard.first(ApplicationMoveFailed)
        assert (failed.channel.id, failed.destination) == (f"{app}-c", "nobody")
        assert (await ari.get_channel(f"{app}-c")).is_up


async def test_a_message_is_recorded_kept_and_deleted(ari: AriClient, app: str) -> None:
    name = f"voicemail/{app}/1"
    async with listening(ari, [app]) as heard:
        channel_id = await incoming_call(ari, heard, app)
        await ari.answer(channel_id)
        recording = await ari.record_channel(channel_id, name, duration_max_s=30)
        assert recording.name == name
        await heard.first(RecordingStarted)
        assert (await ari.get_recording(name)).state == "recording"
        await ari.stop_recording(name)
        finished = await heard.first(RecordingFinished)
        assert (finished.recording.name, finished.recording.format) == (name, "wav")
        assert finished.recording.duration is not None
        assert (await ari.get_stored_recording(name)).name == name
        with pytest.raises(Conflict):
            await ari.record_channel(channel_id, name)
        await ari.delete_stored_recording(name)
        with pytest.raises(NotFound):
            await ari.get_stored_recording(name)


async def test_a_leg_that_was_dialled_cannot_be_recorded_by_ari(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, f"{app}-c")
        await ari.record_channel(f"{app}-c", f"{app}-r")
        failed = await heard.first(RecordingFailed)
        assert failed.recording.cause == "Cannot record channel while in bridge"


async def test_an_operators_phone_is_pushed_changed_read_and_deleted(ari: AriClient, app: str) -> None:
    await ari.put_dynamic_config("auth", app, {"auth_type": "userpass", "username": app, "password": "x"})
    await ari.put_dynamic_config("aor", app, {"max_contacts": "2", "remove_existing": "yes"})
    await ari.put_dynamic_config("endpoint", app, {"aors": app, "auth": app, "context": "ari-test", "allow": "alaw"})
    try:
        endpoint = await ari.get_endpoint("PJSIP", app)
        assert (endpoint.resource, endpoint.state) == (app, "offline")
        assert endpoint in await ari.list_endpoints()
        assert (await ari.get_device_state(f"PJSIP/{app}")).state == "UNAVAILABLE"
        fields = {field.attribute: field.value for field in await ari.get_dynamic_config("aor", app)}
        assert fields["max_contacts"] == "2"
        with pytest.raises(AllocationFailed):
            await ari.create_channel(f"{app}-c", f"PJSIP/{app}", "x")
        with pytest.raises(AriRejected, match="400"):
            await ari.put_dynamic_config("endpoint", app, {"no_such_field": "1"})
    finally:
        for kind in ("endpoint", "aor", "auth"):
            await ari.delete_dynamic_config(kind, app)
    with pytest.raises(NotFound):
        await ari.get_dynamic_config("endpoint", app)
    with pytest.raises(NotFound):
        async with asyncio.timeout(GOES_WITHIN_S):
            while await ari.get_endpoint("PJSIP", app):  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # its state goes a moment after it, and no event tells
