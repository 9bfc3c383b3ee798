"""A real Asterisk for a test: on free ports, in a directory of its own, gone when the test is over.

    async with asterisk_instance(tmp_path) as asterisk:
        async with session.get(f"{asterisk.instance.ari_url}/asterisk/ping", headers=asterisk.ari_headers): ...

Nothing is simulated: it is the Asterisk, the templates, the dialplan and the start-up code of production. Booting
takes about half a second.
"""

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from ccserver.asterisk import process
from ccserver.asterisk.errors import AsteriskMissing, NotRunning
from ccserver.asterisk.render import prepare
from ccserver.asterisk.root import AsteriskRoot, find_root
from ccserver.asterisk.secrets import Secrets
from ccserver.asterisk.settings import ARI_USER, Instance
from ccserver.config.places import CHECKOUT
from ccserver.config.schema import Trunk

DIALPLANS_DIR = CHECKOUT / "dialplans"
# Below Linux's ephemeral ports, so that no outgoing connection takes one of them between choosing and using.
_RTP_FROM, _RTP_TO, _RTP_PORTS = 10000, 28000, 400
_random = random.Random()


@dataclass(slots=True)
class AsteriskInstance:
    """A booted Asterisk under test; `start` and `kill` may be used any number of times."""

    instance: Instance
    root: AsteriskRoot
    secrets: Secrets
    pid: int = field(default=0)

    @property
    def ari_headers(self) -> dict[str, str]:
        """For any HTTP client: `session.get(url, headers=asterisk.ari_headers)`."""
        return {"Authorization": aiohttp.encode_basic_auth(ARI_USER, self.secrets.ari_password)}

    @property
    def running(self) -> bool:
        return process.running_pid(self.instance) is not None

    async def start(self) -> None:
        """Boot, with the same state directory as before; returns when ARI answers."""
        self.pid = await asyncio.to_thread(process.start, self.instance, self.root, self.secrets)

    async def kill(self) -> None:
        """kill -9, as a crash would; returns when the process is gone."""
        await asyncio.to_thread(process.kill, self.instance)

    async def stop(self) -> None:
        """Orderly, as systemctl stop would."""
        await asyncio.to_thread(process.stop, self.instance)

    async def cli(self, command: str) -> str:
        """What Asterisk's console prints for a command such as `core show channels`."""
        return await asyncio.to_thread(process.ask, self.instance, self.root, command)

    def log(self) -> str:
        """Warnings and errors since the state directory was made."""
        try:
            return self.instance.message_log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""


def asterisk_root() -> AsteriskRoot:
    """The Asterisk that script/asterisk-root made or found; skips only where there cannot be one."""
    try:
        return find_root()
    except AsteriskMissing:
        if os.geteuid() != 0:
            pytest.skip("a real Asterisk needs root (chroot and mount) or an installed Asterisk >= 22.10")
        raise


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, address: str = "127.0.0.1") -> int:
    """A port on which nobody listens, and which stays so for long.

    Below Linux's ephemeral ones, so no outgoing connection gets it meanwhile, and above those for sound (`free_rtp_ports`).
    """
    while True:
        port = _random.randrange(28_000, 32_000)
        with suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((address, port))
            return port


def free_rtp_ports() -> tuple[int, int]:
    """First and last of a range for media. Asterisk skips a port that is taken, so a collision costs nothing."""
    start = _random.randrange(_RTP_FROM, _RTP_TO - _RTP_PORTS, _RTP_PORTS)
    return start, start + _RTP_PORTS - 1


def make_instance(state_dir: Path, dialplans_dir: Path = DIALPLANS_DIR, **settings: object) -> Instance:
    """An instance on free loopback ports; further fields of `Instance` by name."""
    rtp_start, rtp_end = free_rtp_ports()
    values: dict[str, object] = {
        "state_dir": state_dir,
        "dialplans_dir": dialplans_dir,
        "http_port": free_port(),
        "ami_port": free_port(),
        "sip_port": free_port(socket.SOCK_DGRAM),
        "rtp_start": rtp_start,
        "rtp_end": rtp_end,
        "shown_dirs": (CHECKOUT,),
        "fallback_wait_s": 1,
        **settings,
    }
    return Instance(**values)  # type: ignore[arg-type]


@asynccontextmanager
async def asterisk_instance(
    tmp_path: Path,
    *,
    operators: Iterable[str] = ("1001", "1002"),
    dialplans_dir: Path = DIALPLANS_DIR,
    templates_dir: Path | None = None,
    trunks: Sequence[Trunk] = (),
    **settings: object,
) -> AsyncIterator[AsteriskInstance]:
    """Boot an Asterisk in `tmp_path/state`; it is ended on the way out, whatever happened to it.

    `templates_dir`: configured by those in place of asterisk-conf/.
    """
    root = asterisk_root()
    instance = make_instance(tmp_path / "state", dialplans_dir, **settings)
    secrets = prepare(instance, root, operators, templates_dir, trunks=trunks)
    asterisk = AsteriskInstance(instance, root, secrets)
    await asterisk.start()
    try:
        yield asterisk
    finally:
        with suppress(NotRunning):
            await asterisk.kill()
