"""What systemd is told, and when it is told nothing: an engine that hangs must starve the watchdog."""

import asyncio
import os

from msgspec.structs import replace

from ccserver.api.sources import Alarm
from ccserver.app import SystemClock
from ccserver.core.router import Router
from ccserver.engine import Engine, Limits
from ccserver.notify import Watchdog, _watchdog_s, summary
from tests.api_stage import Stage

LIMIT_S = 10.0


def test_an_idle_engine_is_well_however_long_nothing_happens() -> None:
    watchdog = Watchdog(LIMIT_S)
    assert watchdog.content(0.0, waiting_s=0.0)
    watchdog.turned(1.0)
    assert watchdog.content(100_000.0, waiting_s=0.0)


def test_an_event_that_nobody_takes_starves_the_watchdog_and_one_turn_feeds_it_again() -> None:
    watchdog = Watchdog(LIMIT_S)
    watchdog.turned(100.0)
    assert watchdog.content(104.9, waiting_s=4.9)
    assert not watchdog.content(105.1, waiting_s=5.1)
    watchdog.turned(105.2)
    assert watchdog.content(105.3, waiting_s=5.3)


def test_an_engine_that_never_turned_hangs_as_soon_as_somebody_has_waited_too_long() -> None:
    watchdog = Watchdog(LIMIT_S)
    assert watchdog.content(7.0, waiting_s=4.0)
    assert not watchdog.content(9.0, waiting_s=6.0)


def test_a_queue_that_is_long_and_moves_is_load_and_no_reason_to_be_killed() -> None:
    watchdog = Watchdog(LIMIT_S)
    for second in range(100):
        watchdog.turned(float(second))
        assert watchdog.content(second + 0.5, waiting_s=60.0)


async def test_the_lag_of_an_engine_that_does_not_run_starves_the_watchdog() -> None:
    engine = Engine(Router(), None, None, SystemClock(), Limits())  # type: ignore[arg-type] - never used: it does not turn
    watchdog = Watchdog(0.1)
    assert watchdog.content(asyncio.get_running_loop().time(), engine.lag_s)
    engine.put(None)  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        while watchdog.content(asyncio.get_running_loop().time(), engine.lag_s):  # noqa: ASYNC110 - nobody else can say it
            await asyncio.sleep(0.01)  # the loop turns, the engine does not


def test_the_watchdog_is_off_without_a_limit_and_when_it_is_meant_for_another_process() -> None:
    assert _watchdog_s({}) == 0.0
    assert _watchdog_s({"WATCHDOG_USEC": "10000000"}) == 10.0
    assert _watchdog_s({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}) == 10.0
    assert _watchdog_s({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}) == 0.0
    assert _watchdog_s({"WATCHDOG_USEC": "soon"}) == 0.0


def test_the_status_line_says_what_is_going_on_and_what_is_wrong_since_when() -> None:
    stage = Stage()
    status = stage.status()
    assert summary(status, ()).startswith("0 calls: 0 talking, 0 waiting")
    stage.arrive("+79161112233")
    assert summary(stage.status(), ()).startswith("1 call: 0 talking, 0 waiting")
    alarm = Alarm(name="store", message="PostgreSQL is away", since=1_700_000_000.0, critical=False)
    assert summary(stage.status(), (alarm,)).endswith("; store since 22:13:20 UTC")
    assert len(summary(status, (alarm,) * 100)) == 200


def test_the_status_line_says_that_asterisk_is_not_there() -> None:
    status = Stage().status()
    away = tuple(replace(node, connected=False) for node in status.nodes)
    assert summary(replace(status, nodes=away), ()) == "0 calls: 0 talking, 0 waiting; waits for Asterisk"
    assert summary(replace(status, nodes=()), ()) == "0 calls: 0 talking, 0 waiting; waits for Asterisk"
    assert summary(status, ()) == "0 calls: 0 talking, 0 waiting"
