"""`script/server --demo`: a centre that is alive by itself, survives what is done to it, and ends with one Ctrl-C."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ccserver.sim.phones.tones import is_silent, read_wav
from tests.e2e.installation import Installation
from tests.e2e.test_server_script import access_of, daemon_of, server

ALIVE_WITHIN_S = 120.0
"""A talk is half a minute long, and some machines are slow."""


@pytest.fixture
def mine(tmp_path: Path, prompts_dir: Path) -> Installation:
    installation = Installation.new(tmp_path)
    shutil.copytree(prompts_dir, installation.state_dir / "prompts")
    return installation


async def test_the_demo_fills_a_centre_with_calls_and_leaves_nothing_behind(mine: Installation, tmp_path: Path) -> None:
    async with server(mine, "--demo", "--operators", "3", "--calls-per-minute", "20", "--seed", "2") as running:
        await running.says("1001 and 1002 are left to you")
        await running.says("demo: begins")
        access = access_of(mine)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {access['http']['token']}"}) as http:
            url = access["http"]["url"]
            await until(http, url, lambda status: talking(status) >= 2)
            os.kill(daemon_of(mine), signal.SIGKILL)
            await running.says("the daemon ended with 137: starting it again")
            before = int((mine.state_dir / "demo.lock").read_text())
            recorded = await heard(http, url, 2)
            for number, contact in enumerate(recorded):
                path = tmp_path / f"{number}.wav"
                async with http.get(url + contact["recording"]) as response:
                    path.write_bytes(await response.read())
                caller, agent = read_wav(path)
                assert not is_silent(caller) and not is_silent(agent), contact
                assert contact["agent"] in ("1008", "1009", "1010")

            os.kill(before, signal.SIGKILL)
            await running.says("the demo ended with 137: starting it again")
            await running.says("demo: begins", times=2)
            await until(http, url, lambda status: bool(status["contacts"]))
            status = await until(http, url, lambda status: True)
            states = {agent["extension"]: agent["state"] for agent in status["agents"]}
            assert [states[visitor] for visitor in ("1001", "1002")] == ["logged_out", "logged_out"]

        os.killpg(running.process.pid, signal.SIGINT)  # as Ctrl-C in a terminal
        assert await running.ended() == 0
    assert "Traceback" not in running.said + (mine.state_dir / "server.log").read_text()
    assert running.said.index("demo: ends") < running.said.index("stopping Asterisk")
    mine.nothing_runs()
    assert processes_of(mine) == []


async def test_the_demo_says_what_it_cannot_be(mine: Installation) -> None:
    async with server(mine, "--demo", "--operators", "no") as running:
        assert await running.ended() == 2
        assert "expected a number from 1, not 'no'" in running.said
    async with server(mine, "--damo") as running:
        assert await running.ended() == 2
        assert "error: unknown argument --damo" in running.said
    line = mine.refused(69, "demo")
    assert line == f"{mine.state_dir}/access.json: No such file or directory: is a contact centre running here? " + (
        "script/server starts one"
    )


def talking(status: dict[str, Any]) -> int:
    return sum(contact["state"] == "talking" for contact in status["contacts"])


async def until(http: aiohttp.ClientSession, url: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first status that is so."""
    async with asyncio.timeout(ALIVE_WITHIN_S):
        while True:
            try:
                async with http.ws_connect(f"{url}/api/live") as socket:
                    async for message in socket:
                        status = message.json().get("status")
                        if status is not None and true(status):
                            return dict(status)
            except aiohttp.ClientError:
                pass  # it is being started again
            await asyncio.sleep(0.1)


async def heard(http: aiohttp.ClientSession, url: str, count: int) -> list[dict[str, Any]]:
    """So many talks that are over, with their recordings."""
    async with asyncio.timeout(ALIVE_WITHIN_S):
        while True:
            try:
                async with http.ws_connect(f"{url}/api/live") as socket:
                    async for message in socket:
                        found = [row for row in message.json().get("contacts", ()) if row["recording"]]
                        if len(found) >= count:
                            return found
            except aiohttp.ClientError:
                pass  # it is being started again
            await asyncio.sleep(0.1)


def processes_of(mine: Installation) -> list[str]:
    """What still runs with this state directory in its environment."""
    wanted = f"CCSERVER_STATE={mine.state_dir}".encode()
    left = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                left.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            pass  # it has just ended
    return left
