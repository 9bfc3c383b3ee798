"""Two contact centres on one Asterisk, to be compared: ccserver as shipped, and app_queue as a good administrator sets it up.

    async with stand(directory, operators=40) as site: ...

Same machine, same Asterisk process, same prompts, same music, same recordings (MixMonitor, both sides apart), a record of
each call in SQLite on both sides: ccserver's store, and for the peer Asterisk's CDR and app_queue's queue_log. Each has its
own operators' phones. What only one of them needs is on only in its blocks (`Stand.turn_to`): Asterisk's CDR for the peer,
CEL for ccserver.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, Literal

import aiohttp
from msgspec import Struct

from bench.load_site import STARTS_WITHIN_S, Site, Usage, at_rest
from bench.sound import NICE
from bench.stand_files import HALL_OPERATOR, OUR_HALL, OUR_LINE, SIP, peer_dir, write_config, write_peer, write_sounds
from ccserver.store.schema import migrate
from tests.asterisk_instance import AsteriskInstance, asterisk_instance, free_port

System = Literal["ccserver", "app_queue", "dial"]
NAMES: Mapping[System, str] = {"ccserver": "ccserver", "app_queue": "app_queue", "dial": "a direct call"}
PEER_LINE, PEER_HALL = "88009010000", "88009020000"
DIRECT_LINES = "8800903"
OURS_FROM, PEERS_FROM = 2001, 6001
PATIENCE_S = 300.0
ASTERISK_NICE = -5


class Spent(Struct, frozen=True):
    """CPU seconds of a block."""

    asterisk_s: float
    daemon_s: float
    encoders_s: float

    @classmethod
    def between(cls, before: Usage, after: Usage) -> "Spent":
        return cls(
            asterisk_s=after.asterisk_s - before.asterisk_s,
            daemon_s=after.daemon_s - before.daemon_s,
            encoders_s=after.encoders_s - before.encoders_s,
        )


class Stand(Site):
    """`load_site.Site` with a peer beside it."""

    def __init__(
        self, directory: Path, asterisk: AsteriskInstance, api_port: int, http: aiohttp.ClientSession, program: str
    ) -> None:
        super().__init__(directory, asterisk, api_port, http, program)
        self.extensions.remove(HALL_OPERATOR)
        self.ours = {name: asterisk.secrets.operators[name] for name in self.extensions}
        """Operators' names and passwords."""
        self.peers = {name: name for name in (str(PEERS_FROM + n) for n in range(len(self.ours)))}
        peer = peer_dir(directory)
        self.peer_cdr, self.peer_queue_log = peer / "cdr.db", peer / "queue_log.db"

    async def turn_to(self, system: System) -> None:
        """From now on Asterisk keeps the records that this system lives by, and only those."""
        etc = self.asterisk.instance.etc_dir
        for name, on in (("cdr", system != "ccserver"), ("cel", system == "ccserver")):
            path = etc / f"{name}.conf"
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(f"enable = {_yes(not on)}", f"enable = {_yes(on)}"), encoding="utf-8")
            await self.asterisk.cli(f"module reload {name}")

    async def all_ready(self) -> None:
        """All but the one who never comes."""
        for extension in self.extensions:
            url = f"{self.url}/api/agents/{extension}/state"
            async with self.http.post(url, json={"state": "ready"}) as response:
                response.raise_for_status()
        await self.until(self._at_rest)

    def _at_rest(self, status: Any) -> bool:
        agents = [agent for agent in status["agents"] if agent["extension"] != HALL_OPERATOR]
        return at_rest({**status, "agents": agents})

    async def rests(self) -> None:
        """Nobody calls, everybody is ready, every recording is encoded and every record written."""
        await self.until(self._at_rest, PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            while not self._written():  # noqa: ASYNC110 - another process's files
                await asyncio.sleep(0.2)
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                while "0 active channels" not in await self.asterisk.cli("core show channels count"):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)  # app_queue's log is written within its batch of 100 ms

    def _written(self) -> bool:
        """No recording is awaited any more, and the store has all that the journal has."""
        awaited = "select (select count(*) from live where kind = 'recording'), (select max(seq) from turn)"
        ((recordings, seq),) = self._rows(self.state_dir / "journal.sqlite", awaited)
        ((projected,),) = self._rows(self.state_dir / "store.sqlite", "select max(seq) from projected")
        return not recordings and projected == seq

    def line(self, system: System, n: int) -> str:
        """What the n-th customer dials."""
        if system == "dial":
            return f"{DIRECT_LINES}{list(self.peers)[n % len(self.peers)]}"
        return OUR_LINE if system == "ccserver" else PEER_LINE

    def hall(self, system: System) -> str:
        """What a customer dials whom nobody will serve."""
        return OUR_HALL if system == "ccserver" else PEER_HALL

    # --- the records --------------------------------------------------------------------------------------------

    def recorded(self, system: System) -> dict[str, str]:
        """By customer's number: the operator who has talked with him, as the system's own records in SQL tell."""
        if system == "ccserver":
            rows = self._rows(
                self.state_dir / "store.sqlite",
                "select ltrim(ani, '+'), agent from contact where outcome = 'answered' and talk_s > 0",
            )
            return dict(rows)
        answered = (
            "select src, dstchannel from cdr where disposition = 'ANSWERED' and billsec >= 0 and dstchannel <> ''"
        )
        talks = {
            src: channel.removeprefix("PJSIP/").split("-")[0] for src, channel in self._rows(self.peer_cdr, answered)
        }
        if system == "app_queue":
            connected = self._rows(self.peer_queue_log, "select count(*) from queue_log where event = 'CONNECT'")
            ended = "select count(*) from queue_log where event in ('COMPLETEAGENT', 'COMPLETECALLER')"
            if not connected[0][0] or connected != self._rows(self.peer_queue_log, ended):
                raise ValueError(f"queue_log tells of {connected[0][0]} talks, and of another number of ends")
        return talks

    def recordings(self, system: System) -> int:
        """How many talks have been recorded so far: kept by ccserver, left on the disk by the peer."""
        if system == "ccserver":
            kept = "select count(*) from recording where kind = 'talk' and path is not null"
            return int(self._rows(self.state_dir / "store.sqlite", kept)[0][0])
        return sum(1 for _ in (peer_dir(self.directory) / "raw").glob("*-in.wav"))

    @staticmethod
    def _rows(path: Path, query: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return store.execute(query).fetchall()


@asynccontextmanager
async def stand(directory: Path, operators: int, *, program: str = "ccserver") -> AsyncIterator[Stand]:
    """Both systems serving in `directory`, no phone registered yet; everything is gone afterwards, the files excepted."""
    extensions = [str(OURS_FROM + n) for n in range(operators)]
    peers = [str(PEERS_FROM + n) for n in range(operators)]
    directory = directory.resolve()
    api_port = free_port()
    dialplans, templates = write_peer(directory, peers)
    ports = {"rtp_start": 10000, "rtp_end": 17999}
    async with asterisk_instance(
        directory,
        operators=[*extensions, HALL_OPERATOR],
        dialplans_dir=dialplans,
        templates_dir=templates,
        sip=SIP,
        **ports,
    ) as asterisk:
        write_config(directory / "config", asterisk, api_port, extensions)
        write_sounds(asterisk.instance.prompts_dir)
        await migrate(f"sqlite:///{asterisk.instance.state_dir / 'store.sqlite'}")
        headers = {"Authorization": f"Bearer {asterisk.secrets.api_token}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            site = Stand(directory, asterisk, api_port, http, program)
            _as_its_unit_does(asterisk.pid)
            try:
                await site.start()
                yield site
            finally:
                await site.end()


def _as_its_unit_does(pid: int) -> None:
    """systemd/ccserver-asterisk.service starts it with this niceness; it belongs to both systems."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, int(thread.name), NICE + ASTERISK_NICE)


def _yes(on: bool) -> str:
    return "yes" if on else "no"


__all__ = ["NAMES", "STARTS_WITHIN_S", "Spent", "Stand", "System", "stand"]
