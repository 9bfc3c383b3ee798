"""What Asterisk 22 does that nobody expects, and that our way around each of it holds; on a real Asterisk.

The numbers are those of the project's list of traps.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from ari_bench import Heard, incoming_call, listening, of, phone_call, playing, up

from ccserver.ari import (
    AllocationFailed,
    AlreadyExists,
    AriClient,
    AriRejected,
    ChannelDestroyed,
    ChannelStateChange,
    Conflict,
    Dial,
    NotFound,
    PlaybackFinished,
    PlaybackStarted,
    StasisEnd,
    StasisStart,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_PROMPT = ["sound:beep"] * 40  # about 17 s


async def test_trap_4_a_prompt_on_an_unbridged_channel_holds_back_commands_until_it_is_stopped(
    ari: AriClient, app: str
) -> None:
    async with listening(ari, [app]) as heard, asyncio.TaskGroup() as tasks:
        await phone_call(ari, heard, app, f"{app}-c")
        await ari.play(f"{app}-c", LONG_PROMPT, playback_id=f"{app}-p")
        held_back = tasks.create_task(ari.set_variable(f"{app}-c", "X", "1"), name="held back")
        # The second item begins: the prompt has been playing for a while and the command has not been obeyed.
        started = await heard.first(PlaybackStarted, playing(f"{app}-p"))
        await heard.first(PlaybackStarted, lambda event: event.at > started.at)
        assert not held_back.done()

        await ari.stop_playback(f"{app}-p")
        finished = await heard.first(PlaybackFinished, playing(f"{app}-p"))
        async with asyncio.timeout(2):
            await held_back
        assert finished.at - started.at < 5, "stopping is immediate, whatever is left of the prompt"
        assert await ari.get_variable(f"{app}-c", "X") == "1"


async def test_trap_4_commands_pass_at_once_when_the_prompt_was_stopped_first(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, f"{app}-c")
        await ari.create_bridge(f"{app}-b")
        commands: list[Callable[[], object]] = [
            lambda: ari.answer(f"{app}-c"),
            lambda: ari.set_variables(f"{app}-c", {"X": "1"}),
            lambda: ari.add_to_bridge(f"{app}-b", f"{app}-c"),
        ]
        for number, command in enumerate(commands):
            playback_id = f"{app}-p{number}"
            await ari.play(f"{app}-c", LONG_PROMPT, playback_id=playback_id)
            await heard.first(PlaybackStarted, playing(playback_id))
            await ari.stop_playback(playback_id)
            begun = time.monotonic()
            await command()  # type: ignore[misc]
            assert time.monotonic() - begun < 2


async def test_trap_6_a_new_channel_obeys_only_after_its_stasis_start_and_then_always(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        too_early = 0

        async def one(number: int) -> None:
            nonlocal too_early
            channel_id = f"{app}-{number:03}"  # no id may begin another one
            await ari.create_channel(channel_id, "Local/silent@ari-test", app)
            try:
                await ari.set_variable(channel_id, "X", "1")
            except Conflict:
                too_early += 1
            await heard.first(StasisStart, of(channel_id))
            await ari.set_variable(channel_id, "X", "2")  # any error fails the test
            await ari.hangup(channel_id)

        for start in range(0, 200, 10):
            async with asyncio.TaskGroup() as tasks:
                for number in range(start, start + 10):
                    tasks.create_task(one(number), name=f"channel {number}")
        print(f"{too_early} of 200 commands came too early")


async def test_trap_7_dial_answer_or_state_up_tells_every_answer(ari: AriClient, app: str) -> None:
    legs = 400
    answered_by: dict[str, set[str]] = {}

    def note(heard: Heard) -> None:
        for dial in heard.all(Dial, lambda event: event.dialstatus == "ANSWER"):
            answered_by.setdefault(dial.peer.id, set()).add("dial")
        for change in heard.all(ChannelStateChange, up()):
            answered_by.setdefault(change.channel.id, set()).add("state")

    async with listening(ari, [app]) as heard:

        async def one(number: int) -> None:
            channel_id = f"{app}-{number:03}"  # no id may begin another one
            await ari.create_channel(channel_id, "Local/answer@ari-test", app)
            await heard.first(StasisStart, of(channel_id))
            await ari.dial(channel_id, timeout_s=30)
            while not answered_by.get(channel_id):
                seen = len(heard.notices)
                await heard.first(object, after=seen)
                note(heard)
            await ari.hangup(channel_id)

        for start in range(0, legs, 50):
            heard.notices.clear()
            async with asyncio.TaskGroup() as tasks:
                for number in range(start, start + 50):
                    tasks.create_task(one(number), name=f"leg {number}")
            note(heard)
    assert len(answered_by) == legs
    for sign in ("dial", "state"):
        print(f"{sum(sign not in signs for signs in answered_by.values())} of {legs} answers lacked {sign}")


async def test_trap_8_an_incoming_call_tells_its_end_and_cause_only_to_who_subscribed_to_it(
    ari: AriClient, app: str
) -> None:
    async with listening(ari, [app]) as heard:
        silent = await incoming_call(ari, heard, app)
        watched = await incoming_call(ari, heard, app)
        await ari.subscribe(app, f"channel:{watched}")
        await ari.hangup(silent, reason="busy")
        await heard.first(StasisEnd, of(silent))
        await ari.hangup(watched, reason="busy")
        destroyed = await heard.first(ChannelDestroyed, of(watched))
        assert (destroyed.cause, destroyed.cause_txt) == (17, "User busy")
        assert not heard.all(ChannelDestroyed, of(silent))
        with pytest.raises(NotFound):
            await ari.get_channel(silent)
        # The subscription died with the channel: nothing is left to be taken back.
        assert not (await ari.get_application(app)).channel_ids


async def test_a_stale_409_is_told_apart_from_a_true_one(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]):
        await ari.create_channel(f"{app}-c", "Local/silent@ari-test", app)
        with pytest.raises(AlreadyExists):
            await ari.create_channel(f"{app}-c", "Local/silent@ari-test", app)
        # From here on Asterisk says 409 on this connection for whatever fails, first of all for unknown endpoints.
        for _ in range(3):
            with pytest.raises(AllocationFailed):
                await ari.create_channel(f"{app}-d", "PJSIP/nobody", app)
        with pytest.raises(AlreadyExists):
            await ari.create_channel(f"{app}-c", "Local/silent@ari-test", app)
        await ari.create_channel(f"{app}-d", "Local/silent@ari-test", app)


async def test_an_id_with_which_a_living_channels_id_begins_cannot_be_made(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]):
        await ari.create_channel(f"{app}-c.10", "Local/silent@ari-test", app)
        with pytest.raises(AllocationFailed, match="begins with"):
            await ari.create_channel(f"{app}-c.1", "Local/silent@ari-test", app)
        with pytest.raises(AlreadyExists):  # nor does the case count
            await ari.create_channel(f"{app}-C.10", "Local/silent@ari-test", app)
        await ari.create_channel(f"{app}-c.100", "Local/silent@ari-test", app)
        await ari.create_channel(f"{app}-c.1.", "Local/silent@ari-test", app)
        await ari.create_bridge(f"{app}-b.10")
        await ari.create_bridge(f"{app}-b.1")  # bridges are compared whole


async def test_a_leg_that_is_not_answered_cannot_be_played_to(ari: AriClient, app: str) -> None:
    async with listening(ari, [app]) as heard:
        await ari.create_channel(f"{app}-c", "Local/silent@ari-test", app)
        await heard.first(StasisStart)
        with pytest.raises(AriRejected, match="412") as caught:
            await ari.play(f"{app}-c", ["sound:beep"], playback_id=f"{app}-p")
        assert caught.value.status == 412
