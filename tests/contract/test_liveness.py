"""What of a real Asterisk hangs is named within seconds: all of it, by SIGSTOP; each part alone, behind a blocked way."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ari_bench import Wire
from asterisk_instance import AsteriskInstance

from ccserver.ari import AriClient
from ccserver.asterisk.settings import AMI_USER, ARI_USER, CALLER_USER
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.liveness import Liveness, Pulse
from ccserver.connectors.voice.probes import SipPort, probes

NAMED_WITHIN_S = 12.0
"""Two questions of two seconds, and what the slowest probe waits between two; the machine may be busy."""


class Datagrams(asyncio.DatagramProtocol):
    """A UDP relay to Asterisk; `blocked`, it swallows everything."""

    def __init__(self, port: int) -> None:
        self.blocked = False
        self._to_port = port
        self._transport: asyncio.DatagramTransport
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.blocked:
            self._tasks.add(asyncio.get_running_loop().create_task(self._relay(data, addr)))

    async def _relay(self, data: bytes, addr: tuple[str, int]) -> None:
        answers: asyncio.Queue[bytes] = asyncio.Queue()

        class Back(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _addr: object) -> None:
                answers.put_nowait(data)

        loop = asyncio.get_running_loop()
        far, _ = await loop.create_datagram_endpoint(Back, remote_addr=("127.0.0.1", self._to_port))
        try:
            far.sendto(data)
            async with asyncio.timeout(5):
                self._transport.sendto(await answers.get(), addr)
        finally:
            far.close()


class Watched:
    """Liveness of an Asterisk behind three ways that can be blocked."""

    def __init__(self, liveness: Liveness, ari: Wire, ami: Wire, sip: Datagrams) -> None:
        self.liveness, self.ari, self.ami, self.sip = liveness, ari, ami, sip

    async def until(self, found: Callable[[Mapping[str, Pulse]], bool]) -> str:
        """Wait for pulses; returns the alarm."""
        async with asyncio.timeout(NAMED_WITHIN_S):
            while not found(self.liveness.pulses):
                self.liveness.heard.clear()
                await self.liveness.heard.wait()
        return self.liveness.alarm()

    async def only(self, *dead: str) -> str:
        """Just these are dead."""
        return await self.until(lambda pulses: {name for name, pulse in pulses.items() if not pulse.alive} == {*dead})

    async def answered(self) -> None:
        """All three have answered at least once."""
        await self.until(lambda pulses: all(pulse.latency_s and pulse.alive for pulse in pulses.values()))


@asynccontextmanager
async def watching(asterisk: AsteriskInstance) -> AsyncIterator[Watched]:
    instance = asterisk.instance
    loop = asyncio.get_running_loop()
    relay, sip = await loop.create_datagram_endpoint(lambda: Datagrams(instance.sip_port), local_addr=("127.0.0.1", 0))
    sip_port = relay.get_extra_info("sockname")[1]
    async with (
        Wire(instance.http_port) as ari,
        Wire(instance.ami_port) as ami,
        AriClient(ari.url, ARI_USER, asterisk.secrets.ari_password) as client,
        asyncio.TaskGroup() as tasks,
    ):
        manager = Ami(ami.port, AMI_USER, asterisk.secrets.ami_password)
        liveness = Liveness(probes(client, manager, SipPort("127.0.0.1", sip_port, CALLER_USER)))
        running = [tasks.create_task(part.run(), name="watched") for part in (manager, liveness)]
        watched = Watched(liveness, ari, ami, sip)
        try:
            await watched.answered()
            yield watched
        finally:
            for task in running:
                task.cancel()
            relay.close()


async def test_a_stopped_asterisk_is_named_as_dead_and_as_alive_when_it_goes_on(asterisk: AsteriskInstance) -> None:
    async with watching(asterisk) as watched:
        os.kill(asterisk.pid, signal.SIGSTOP)
        try:
            said = await watched.only("ari", "ami", "sip")
        finally:
            os.kill(asterisk.pid, signal.SIGCONT)
        assert said.startswith("Asterisk is dead or hangs: nothing of it answers (ARI: ")
        await watched.only()
        assert watched.liveness.alarm() == ""


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("ari", "ARI hangs"),
        ("ami", "AMI hangs"),
        ("sip", "SIP (PJSIP) hangs (no answer within 2 s): phones can neither call nor register; ARI and AMI"),
    ],
)
async def test_a_part_that_is_silent_while_the_others_answer_is_named_alone(
    asterisk: AsteriskInstance, part: str, said: str
) -> None:
    async with watching(asterisk) as watched:
        if part == "sip":
            watched.sip.blocked = True
        else:
            getattr(watched, part).swallow_answers(also_of_new=True)
        assert (await watched.only(part)).startswith(said)
        if part == "sip":
            watched.sip.blocked = False
        else:
            getattr(watched, part).pass_answers()
        await watched.only()


async def test_being_asked_makes_nobody_suspicious(asterisk: AsteriskInstance) -> None:
    """fail2ban counts `<unknown>` and wrong passwords in security.log: neither may be ours."""
    async with watching(asterisk):
        log = asterisk.instance.log_dir / "security.log"
        async with asyncio.timeout(NAMED_WITHIN_S):
            lines: list[str] = []
            while not lines:
                await asyncio.sleep(0.05)  # Asterisk tells nobody when it has written its log
                lines = [line for line in log.read_text(encoding="utf-8").splitlines() if 'Service="PJSIP"' in line]
    mine = [line for line in lines if f'AccountID="{CALLER_USER}"' in line]
    assert mine and all("ChallengeSent" in line for line in mine)
    assert not any("<unknown>" in line for line in lines)


def pjsip_lines(log: Path) -> list[str]:
    return [line for line in log.read_text(encoding="utf-8").splitlines() if 'Service="PJSIP"' in line]
