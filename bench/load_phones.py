"""Crowds of SIP phones for bench/load.py, played by SIPp (Debian package sip-tester) from the scenarios in bench/sipp.

What the phones themselves saw is the other half of the truth: each crowd logs what happened to it, `seen` reads the logs.
"""

import asyncio
import shutil
import signal
import socket
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec import Struct

from bench.tones import CUSTOMER_HZ, OPERATOR_HZ, tone
from tests.asterisk_instance import free_port

SCENARIOS = Path(__file__).parent / "sipp"
SPEAK = '<nop><action><exec rtp_stream="{hz}.ul,-1,0,PCMU/8000"/></action></nop>'
PATIENT = ("-watchdog_minor_maxtriggers", "1000000", "-watchdog_major_maxtriggers", "1000000")
"""Otherwise SIPp ends itself, with all its calls, on a machine that keeps it waiting for half a second too often."""
STRAGGLERS_S = 150.0
"""How long a crowd may take beyond its last call."""


class PhonesFailed(Exception):
    """SIPp could not do its part; the text says where to look."""


class Seen(Struct, frozen=True):
    """One line of a crowd's log."""

    at: float
    """UTC epoch seconds."""
    what: str
    number: str
    """The customer's, without the plus sign that operators are shown."""
    extension: str = ""
    """The operator's; empty in the customers' logs."""


class Patience(Struct, frozen=True):
    """Who of a crowd leaves by himself: after this long, every so-manieth customer."""

    leaves_s: float = 0.0
    every: int = 0


def require_sipp() -> str:
    """The program; raises with the way to get it."""
    program = shutil.which("sipp")
    if program is None:
        raise PhonesFailed("sipp is missing: apt-get install --no-install-recommends sip-tester")
    return program


class Phones:
    """All crowds of one run; an async context manager that ends those still there."""

    def __init__(self, directory: Path, sip_port: int, caller_password: str) -> None:
        self.directory = directory
        self._sipp = require_sipp()
        self._sip_port = sip_port
        self._auth = f"[authentication username=caller password={caller_password}]"
        self._crowds = 0
        self._dialled = 0
        self._running: list[asyncio.subprocess.Process] = []
        self._stack = AsyncExitStack()
        for hz in (CUSTOMER_HZ, OPERATOR_HZ):
            (directory / f"{hz}.ul").write_bytes(tone(hz))

    async def __aenter__(self) -> "Phones":
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def register(
        self, passwords: Mapping[str, str], *, answer_ms: int, talk_ms: int, speaking: bool = True
    ) -> None:
        """Operators' phones: registered, then picking up whatever rings them, until the end."""
        port = free_port(socket.SOCK_DGRAM)
        rows = [f"{name};[authentication username={name} password={word}]" for name, word in passwords.items()]
        table = self._table(rows)
        count = str(len(rows))
        await self._run("register", "register.xml", {}, port, "-inf", table, "-m", count, "-r", count)
        values = {
            "ANSWER_MS": str(answer_ms),
            "TALK_MS": str(talk_ms),
            "MEDIA_PORT": _media_port(speaking),
            "SPEAK": SPEAK.format(hz=OPERATOR_HZ) if speaking else "",
        }
        await self._start("operators", "operator.xml", values, port)

    async def call(
        self,
        count: int,
        per_s: float,
        lines: Iterable[str],
        *,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        stays_s: float = 120.0,
        speaking: bool = True,
    ) -> None:
        """Customers dial at that rate, evenly, the lines in turn and keys 1 and 2 in turn; returns when all are done."""
        leaving = count // patience.every if patience.every else 0
        async with asyncio.TaskGroup() as tasks:
            for part, stays in ((count - leaving, stays_s), (leaving, patience.leaves_s)):
                if part:
                    crowd = self._call(part, per_s * part / count, tuple(lines), stays, speaking)
                    tasks.create_task(crowd, name="customers")

    async def _call(self, count: int, per_s: float, lines: tuple[str, ...], stays_s: float, speaking: bool) -> None:
        first = self._dialled
        self._dialled += count
        rows = [
            f"79{first + n:09d};{lines[n % len(lines)]};{1 + n // len(lines) % 2};{self._auth}" for n in range(count)
        ]
        values = {
            "PATIENCE_MS": str(round(stays_s * 1000)),
            "MEDIA_PORT": _media_port(speaking),
            "SPEAK": SPEAK.format(hz=CUSTOMER_HZ) if speaking else "",
        }
        pace = ["-r", "1", "-rp", str(round(1000 / per_s))] if per_s <= 100 else ["-r", str(round(per_s))]
        options = ["-inf", self._table(rows), "-m", str(count), "-l", "2000", *pace]
        within_s = count / per_s + stays_s + STRAGGLERS_S
        await self._run("customers", "customer.xml", values, free_port(socket.SOCK_DGRAM), *options, within_s=within_s)

    @property
    def dialled(self) -> int:
        """How many customers were sent so far."""
        return self._dialled

    def seen(self, crowd: str) -> list[Seen]:
        """All that the crowds of this name (`operators`, `customers`) have logged, in the order of time."""
        lines = [line for log in self.directory.glob(f"{crowd}-*.log") for line in log.read_text().splitlines()]
        return sorted((_seen(line) for line in lines if line), key=lambda seen: seen.at)

    def errors(self) -> list[str]:
        """What SIPp found unexpected, without the messages themselves."""
        logs = sorted(self.directory.glob("*.err"))
        return [line for log in logs for line in log.read_text(errors="replace").splitlines() if "Aborting" in line]

    def _table(self, rows: list[str]) -> str:
        self._crowds += 1
        path = self.directory / f"crowd-{self._crowds}.csv"
        path.write_text("\n".join(["SEQUENTIAL", *rows, ""]))
        return str(path)

    async def _run(
        self, name: str, scenario: str, values: Mapping[str, str], port: int, *options: str, within_s: float = 60.0
    ) -> None:
        """A crowd that ends by itself. Calls that failed are told by the logs, not here."""
        process, log = await self._start(name, scenario, values, port, *options)
        try:
            async with asyncio.timeout(within_s):
                code = await process.wait()
        except TimeoutError:
            process.send_signal(signal.SIGKILL)
            await process.wait()
            raise PhonesFailed(f"{name}: not done within {within_s:.0f} s, see {log}") from None
        if code not in (0, 1) or (code and name == "register"):
            raise PhonesFailed(f"{name}: sipp ended with {code}, see {log.with_suffix('.err')}")

    async def _start(
        self, name: str, scenario: str, values: Mapping[str, str], port: int, *options: str
    ) -> tuple[asyncio.subprocess.Process, Path]:
        self._crowds += 1
        text = (SCENARIOS / scenario).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        stem = self.directory / f"{name}-{self._crowds}"
        stem.with_suffix(".xml").write_text(text, encoding="utf-8")
        log = stem.with_suffix(".log")
        ports = ["-p", str(port), "-mp", str(free_port(socket.SOCK_DGRAM) & ~1), "-cp", str(free_port())]
        logs = ["-trace_logs", "-log_file", str(log), "-trace_err", "-error_file", str(stem.with_suffix(".err"))]
        remote = f"127.0.0.1:{self._sip_port}"
        command = [self._sipp, remote, "-sf", str(stem.with_suffix(".xml")), "-i", "127.0.0.1", "-mi", "127.0.0.1"]
        process = await asyncio.create_subprocess_exec(
            *command,
            *ports,
            *logs,
            *PATIENT,
            *options,
            "-nostdin",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=self.directory,
        )
        self._running.append(process)
        return process, log


def _media_port(speaking: bool) -> str:
    return "[rtpstream_audio_port]" if speaking else "[media_port]"


def _seen(line: str) -> Seen:
    """`2026-01-02 03:04:05.678901 1767323045.678901: up 79000000001 2001`, the blanks before the epoch being tabs."""
    _, _, at, what, number, *extension = line.split()
    return Seen(float(at.rstrip(":")), what, number.removeprefix("+"), *extension)
