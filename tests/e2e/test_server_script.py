"""`script/server` as a person runs it: to the first answered call, stopped, killed, and run twice."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ccserver.asterisk.process import running_pid
from ccserver.asterisk.settings import load_instance
from ccserver.sim.phones import Phone, PhoneLibrary
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ
from tests.e2e.centre_config import CHECKOUT
from tests.e2e.installation import Installation, taken

STARTS_WITHIN_S = 120.0
"""Nothing needs to be installed, but prompts are built, and machines may be slow."""


class Server:
    """A `script/server` that runs, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, text: str, within_s: float = STARTS_WITHIN_S, *, times: int = 1) -> None:
        """Read on until it has said this, so many times."""
        assert self.process.stdout is not None
        async with asyncio.timeout(within_s):
            while self.said.count(text) < times:
                line = await self.process.stdout.readline()
                assert line, f"it ended without {text!r}:\n{self.said}"
                self.said += line.decode()

    async def ended(self) -> int:
        """Read to the end; returns the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(STARTS_WITHIN_S):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


@pytest.fixture
def mine(tmp_path: Path, prompts_dir: Path) -> Installation:
    """A configuration on free ports, and no state but prompts, which take half a minute to build."""
    installation = Installation.new(tmp_path)
    shutil.copytree(prompts_dir, installation.state_dir / "prompts")  # times and all, or they would be built again
    return installation


@asynccontextmanager
async def server(mine: Installation, *arguments: str) -> AsyncIterator[Server]:
    """Run it; ended on the way out, with all that it has started."""
    process = await asyncio.create_subprocess_exec(
        CHECKOUT / "script" / "server",
        *arguments,
        env=mine.environment(),
        cwd="/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    running = Server(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
            await running.ended()


def access_of(mine: Installation) -> dict[str, Any]:
    return dict(json.loads((mine.state_dir / "access.json").read_text()))


def daemon_of(mine: Installation) -> int:
    return int((mine.state_dir / "journal.lock").read_text())


async def status(access: dict[str, Any], until: str, http: aiohttp.ClientSession) -> dict[str, Any]:
    """The status, once Asterisk is connected and some contact is in that state (or for "": anyhow)."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.get(f"{access['http']['url']}/api/status") as response:
                    told: dict[str, Any] = await response.json()
                    states = {contact["state"] for contact in told["contacts"]}
                    if told["asterisk"]["connected"] and (not until or until in states):
                        return told
            except aiohttp.ClientConnectionError:
                pass  # it is being started again
            await asyncio.sleep(0.05)


async def test_from_script_server_to_the_first_answered_call_that_outlives_the_daemon(
    mine: Installation, library: PhoneLibrary
) -> None:
    async with server(mine) as running:
        await running.says("Ctrl-C stops the daemon and Asterisk.")
        access = access_of(mine)
        assert access.keys() == {"sip", "lines", "operators", "caller", "http"}
        sip = {"host": "127.0.0.1", "port": mine.ports["sip_port"], "tls_port": 0, "trust": ""}
        assert access["sip"] == sip
        assert access["lines"][:2] == ["88007707999", "88007004666"]
        assert [operator["extension"] for operator in access["operators"]] == [str(n) for n in range(1001, 1011)]
        assert access["http"]["url"] == f"http://127.0.0.1:{mine.api_port}"
        assert (mine.state_dir / "access.json").stat().st_mode & 0o777 == 0o600
        for hint in (access["http"]["url"], access["operators"][0]["password"], access["caller"]["password"], "*11"):
            assert hint in running.said
        await call(access, mine, running, library)

        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == 0
        assert "stopping Asterisk" in running.said
        assert "Traceback" not in running.said
    mine.nothing_runs()
    assert running_pid(load_instance(mine.state_dir)) is None


async def call(access: dict[str, Any], mine: Installation, running: Server, library: PhoneLibrary) -> None:
    """With nothing but access.json: *11 on the operator's phone, a call, and kill -9 in the middle of it."""
    operator, customer = access["operators"][0], access["caller"]
    port = access["sip"]["port"]
    headers = {"Authorization": f"Bearer {access['http']['token']}"}
    phone = Phone(
        library, operator["extension"], operator["password"], port=port, answer="auto", tone_hz=OPERATOR_HZ["1001"]
    )
    caller_phone = Phone(library, customer["user"], customer["password"], port=port, tone_hz=None)
    async with aiohttp.ClientSession(headers=headers) as http:
        await status(access, "", http)
        await phone.register()
        code = await phone.dial("*11")
        await code.wait_gone()
        caller = await caller_phone.dial(access["lines"][0])
        await caller.wait_up()
        await caller.send_dtmf("1")
        caller.say_tone(CALLER_HZ)
        answered = await phone.wait_call(20)
        await answered.wait_up()
        await status(access, "talking", http)

        before = daemon_of(mine)
        os.kill(before, signal.SIGKILL)
        await running.says("starting it again, calls go on")
        await status(access, "talking", http)
        assert daemon_of(mine) != before
        await caller.hears(OPERATOR_HZ["1001"])
        await answered.hears(CALLER_HZ)
        await caller.hangup()
        await answered.wait_gone()
        second_run = await second(mine)
        assert f"error: a contact centre with the state directory {mine.state_dir} runs already" in second_run
        assert access_of(mine) == access
    await asyncio.gather(phone.close(), caller_phone.close())


async def second(mine: Installation) -> str:
    """Somebody runs it once more; what he is told."""
    async with server(mine) as running:
        assert await running.ended() == 75
        return running.said


async def test_a_daemon_that_cannot_start_leaves_no_asterisk_behind(mine: Installation) -> None:
    with taken(mine.api_port):
        async with server(mine) as running:
            assert await running.ended() == 69
    assert f"ccserver: cannot listen on 127.0.0.1:{mine.api_port}: the port is taken" in running.said
    mine.nothing_runs()
    assert running_pid(load_instance(mine.state_dir)) is None


async def test_a_wrong_configuration_is_told_before_anything_starts(mine: Installation) -> None:
    line = mine.change("nordlis.toml", 'next = "menu"', 'next = "mneu"')
    async with server(mine) as running:
        assert await running.ended() == 78
    assert f"{mine.config_dir}/nordlis.toml:{line}: steps.greeting.next: there is no step" in running.said
    assert not (mine.state_dir / "secrets.toml").exists()
    mine.nothing_runs()
