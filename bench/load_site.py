"""A contact centre for bench/load.py: an Asterisk of its own, the daemon as a process, a configuration for N operators.

Two queues and two lines: one greets, asks for a key and queues (as the demo's flow does, with a second of sound in place of the
sentences), one queues at once. Where only some talks are to be heard and recorded there is a third line, with a queue and
operators of its own: one operator in ten; on the others nothing is heard at all (`bench/load_files.py`). The node is listed six
times as often as shipped, to meet the races of listings.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import Struct

from bench.load_files import FIRST_EXTENSION, HEARD_LINE, write_config, write_prompts, write_templates
from ccserver.asterisk import process
from ccserver.config.places import CHECKOUT
from ccserver.config.schema import Sip
from ccserver.store.schema import migrate
from tests.asterisk_instance import AsteriskInstance, asterisk_instance, free_port

SIP = Sip(registration_s=86400, rtp_timeout_s=0)
"""SIPp answers no OPTIONS, registers once, and many of its customers say nothing."""
STARTS_WITHIN_S = 120.0
FALLBACK_TRIES = 120
"""A second each: on a machine that is too busy to start a daemon within ten, nobody shall be asked whether to call him back."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage(Struct, frozen=True):
    """CPU seconds used so far, and memory now."""

    daemon_s: float
    waited_s: float
    """The daemon wanted a CPU and others had it: what of its delays is the machine's."""
    encoders_s: float
    """The daemon's children that have ended: ffmpeg, keeping recordings."""
    asterisk_s: float
    daemon_mb: float
    asterisk_mb: float


class Site:
    """See the module; `load_site` makes one."""

    def __init__(
        self,
        directory: Path,
        asterisk: AsteriskInstance,
        api_port: int,
        http: aiohttp.ClientSession,
        program: str = "bench.load_probe",
    ) -> None:
        """`program` is the module that is run as the daemon."""
        self.asterisk = asterisk
        self.directory = directory
        self.state_dir = asterisk.instance.state_dir
        self.url = f"http://127.0.0.1:{api_port}"
        self.http = http
        self.program = program
        self.probe_path = directory / "probe.jsonl"
        self.log_path = directory / "daemon.log"
        self.store_url = f"sqlite:///{self.state_dir / 'store.sqlite'}"
        self.daemon: asyncio.subprocess.Process
        self.extensions = list(asterisk.secrets.operators)
        self._past: dict[int, tuple[float, float, float]] = {}
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self, *arguments: str) -> None:
        """Start a daemon; returns when it serves."""
        await self.spawn(*arguments)
        await self.until(lambda status: bool(status["asterisk"]["connected"]), STARTS_WITHIN_S)

    async def spawn(self, *arguments: str) -> None:
        """Start a daemon and do not wait."""
        environment = {
            **os.environ,
            "CCSERVER_STATE": str(self.state_dir),
            "CCSERVER_CONFIG": str(self.directory / "config"),
            "LOAD_PROBE": str(self.probe_path),
        }
        with self.log_path.open("ab") as log:
            self.daemon = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self.program, "run", *arguments),
                env=environment,
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
            )
        self._running.append(self.daemon)

    async def kill(self) -> None:
        """kill -9."""
        self._account(self.daemon.pid)
        self.daemon.send_signal(signal.SIGKILL)
        await self.daemon.wait()

    async def take_over(self) -> int:
        """Put a new daemon in the old one's place; returns the exit code of the old one."""
        old = self.daemon
        self._account(old.pid)
        await self.spawn("--takeover")
        async with asyncio.timeout(STARTS_WITHIN_S):
            code = await old.wait()
        await self.until(lambda status: bool(status["asterisk"]["connected"]), STARTS_WITHIN_S)
        return code

    async def end(self) -> None:
        """Everything of ours."""
        for daemon in self._running:
            if daemon.returncode is None:
                daemon.kill()
                await daemon.wait()

    # --- the API ------------------------------------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """GET, which must succeed."""
        async with self.http.get(self.url + path) as response:
            response.raise_for_status()
            return await response.json()

    async def all_ready(self) -> None:
        """Every operator wishes contacts; returns when their phones are registered, too, and nobody calls."""
        await self.log_in()
        await self.until(at_rest)

    async def log_in(self) -> None:
        """Every operator wishes contacts, all of them at the same moment."""

        async def wish(extension: str) -> None:
            url = f"{self.url}/api/agents/{extension}/state"
            async with self.http.post(url, json={"state": "ready"}) as response:
                response.raise_for_status()

        async with asyncio.TaskGroup() as tasks:
            for extension in self.extensions:
                tasks.create_task(wish(extension), name=f"{extension} logs in")

    async def until(self, holds: Callable[[Any], bool], within_s: float = 60.0) -> None:
        """Wait until that is so of the status; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                try:
                    if holds(await self.get("/api/status")):
                        return
                except aiohttp.ClientError:
                    if self.daemon.returncode is not None:
                        raise RuntimeError(f"the daemon ended:\n{self.log_path.read_text()[-3000:]}") from None
                await asyncio.sleep(0.2)

    # --- meters -------------------------------------------------------------------------------------------------

    def usage(self) -> Usage:
        """Of all daemons of this site together."""
        self._account(self.daemon.pid)
        asterisk = process.running_pid(self.asterisk.instance)
        assert asterisk is not None, "Asterisk is gone"
        return Usage(
            daemon_s=sum(own for own, _, _ in self._past.values()),
            waited_s=sum(waited for _, _, waited in self._past.values()),
            encoders_s=sum(children for _, children, _ in self._past.values()),
            asterisk_s=_cpu_s(asterisk)[0],
            daemon_mb=_rss_mb(self.daemon.pid),
            asterisk_mb=_rss_mb(asterisk),
        )

    def _account(self, pid: int) -> None:
        self._past[pid] = (*_cpu_s(pid), _waited_s(pid))

    def journal_bytes(self) -> int:
        """Of the file and its log."""
        return sum(path.stat().st_size for path in self.state_dir.glob("journal.sqlite*"))


def at_rest(status: Any) -> bool:
    """Nobody calls, everybody is ready."""
    return not status["contacts"] and all(agent["state"] == "ready" for agent in status["agents"])


def _cpu_s(pid: int) -> tuple[float, float]:
    """Of the process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, child_user, child_system = (int(field) / TICKS_PER_S for field in fields[11:15])
    return user + system, child_user + child_system


def _waited_s(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def load_site(
    directory: Path, agents: int, *, wrap_up_s: float, recorded: Collection[str], store_url: str = ""
) -> AsyncIterator[Site]:
    """A site of its own in `directory`, the daemon serving; gone afterwards. `store_url`: empty, else SQLite.

    `recorded`: the lines whose talks are; with `HEARD_LINE` among them there is that line.
    """
    extensions = [str(FIRST_EXTENSION + n) for n in range(agents)]
    api_port = free_port()
    async with asterisk_instance(
        directory,
        operators=extensions,
        templates_dir=write_templates(directory) if HEARD_LINE in recorded else None,
        rtp_start=10000,
        rtp_end=13999,
        qualify_s=0,
        fallback_tries=FALLBACK_TRIES,
        sip=SIP,
    ) as asterisk:
        write_config(directory / "config", asterisk, api_port, wrap_up_s, recorded)
        write_prompts(asterisk.instance.prompts_dir)
        headers = {"Authorization": f"Bearer {asterisk.secrets.api_token}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            site = Site(directory, asterisk, api_port, http)
            if store_url:
                site.store_url = store_url
                with (directory / "config" / "ccserver.toml").open("a") as main:
                    main.write(f'[store]\nurl = "{store_url}"\n')
            await migrate(site.store_url)
            try:
                await site.start()
                yield site
            finally:
                await site.end()
