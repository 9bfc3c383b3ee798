"""A queue overflows to somebody outside, by a step of its flow; who is not reached brings the caller back into the queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.centre import OPERATOR_HZ, Centre, contact_centre, segments
from tests.e2e.centre_config import BRISK_LINE
from tests.e2e.hearing import Hearing
from tests.e2e.switch import SWITCH_HZ, Switch
from tests.e2e.test_outbound import CUSTOMER, E164, PATIENCE_S, trunks

HERE_HZ = 680
FLOW = f"""
start = "mine"
[steps.mine]
do = "transfer"
to = "1003"
wait_s = 30
otherwise = "wait"
[steps.wait]
do = "queue"
queue = "orders"
max_wait_s = 2
otherwise = "warehouse"
[steps.warehouse]
do = "transfer"
to = "{CUSTOMER}"
otherwise = "patient"
[steps.patient]
do = "queue"
queue = "orders"
announce = ["reason-1"]
"""


@asynccontextmanager
async def overflowing(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[tuple[Centre, Switch, Switch]]:
    async with (
        Switch("127.0.0.43") as first,
        Switch("127.0.0.44") as second,
        contact_centre(tmp_path, library, prompts_dir, flows={"brisk": FLOW}, more=trunks(first, second)) as centre,
    ):
        first.server = second.server = ("127.0.0.1", centre.asterisk.instance.sip_port)
        yield centre, first, second


async def test_who_waits_too_long_is_connected_with_somebody_outside_and_one_who_is_not_reached_waits_on(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with overflowing(tmp_path, library, prompts_dir) as (centre, first, _):
        first.does = "ring"
        caller = await centre.dial(BRISK_LINE, tone_hz=HERE_HZ)
        taken = await first.taken()
        assert taken.number == E164
        await caller.hears_music()
        taken.does("answer")
        await caller.hears(SWITCH_HZ, PATIENCE_S)
        await taken.audio.hears(HERE_HZ)
        await centre.kill()
        await centre.start()  # the talk goes on
        await centre.contact("talking", agent=None)
        await caller.hears(SWITCH_HZ, PATIENCE_S)
        taken.hang_up()
        await caller.wait_gone()
        (over,) = await centre.finished()
        assert over["outcome"] == "forwarded"
        outcomes = [("flow", "queued"), ("queue", "overflowed"), ("flow", "queued"), ("queue", "overflowed")]
        assert segments(over) == [*outcomes, ("flow", "transferred"), ("dial", "answered"), ("talk", "outside_left")]


async def test_busy_outside_he_is_back_in_the_queue_and_an_operator_takes_him(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with overflowing(tmp_path, library, prompts_dir) as (centre, first, second):
        first.does, second.does = 503, 486
        caller = await centre.dial(BRISK_LINE, tone_hz=HERE_HZ)
        await Hearing(centre, caller).hears("reason-1")
        await centre.operator("1001")
        await caller.hears(OPERATOR_HZ["1001"], PATIENCE_S)
        await caller.hangup()
        (over,) = await centre.finished()
        assert (over["outcome"], over["agent"]) == ("answered", "1001")
        assert [attempt["outcome"] for attempt in over["attempts"]] == ["refused", "busy"]

        await centre.operator("1003")
        caller = await centre.dial(BRISK_LINE, tone_hz=HERE_HZ)
        await caller.hears(OPERATOR_HZ["1003"], PATIENCE_S)
        await caller.hangup()
        rows = await centre.finished(2)
        assert {row["agent"] for row in rows} == {"1001", "1003"}, "asked for by name, though 1001 was ready, too"
