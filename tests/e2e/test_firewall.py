"""systemd/ccserver.nft before a real Asterisk in a network of its own: floods end at it, phones do not notice."""

import asyncio
import re
import socket
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from asterisk_instance import AsteriskInstance, asterisk_instance

from ccserver.ari import AriClient
from ccserver.asterisk.settings import ARI_USER
from ccserver.config.schema import Asterisk
from ccserver.connectors.voice.endpoints import KINDS, PhoneRules, objects
from ccserver.core.ids import AgentId
from tests.e2e.centre_config import CHECKOUT
from tests.e2e.raw_sip import RawSip
from tests.namespaces import Namespaces

RULES = CHECKOUT / "systemd" / "ccserver.nft"
FLOOD = Path(__file__).with_name("flood.py")
SERVER, PHONE, STRANGERS = "198.18.0.1", "198.18.0.2", "198.18.4.0/22"
SIP_PORT = Asterisk().sip_port
FLOOD_S = 2
WITNESS = f"""
table inet witness {{
    counter passed {{}}
    chain input {{ type filter hook input priority filter + 10; udp dport {SIP_PORT} counter name passed; }}
}}
"""
"""Counts what the rules let through: not all that is sent arrives, the kernel itself drops what is too much."""
OF_PHONE = 10 * 2
"""Registrations of the phone during a flood: each is asked for its password."""
OF_STRANGERS, OF_STRANGERS_BURST, OF_ONE, OF_ONE_BURST = 200, 400, 50, 100
"""As the rules say."""


@pytest.fixture
def net() -> Iterator[Namespaces]:
    """A server and the world, which has a thousand addresses."""
    with Namespaces("server", "world") as made:
        made.cable("server", f"{SERVER}/16", "world", f"{PHONE}/16")
        made.run("world", "ip", "route", "add", "local", STRANGERS, "dev", "lo")
        made.nft("server", RULES.read_text())
        made.nft("server", WITNESS)
        yield made


@pytest.fixture
async def asterisk(net: Namespaces, tmp_path: Path) -> AsyncIterator[AsteriskInstance]:
    """With one operator's phone."""
    with net.inside("server"):
        async with asterisk_instance(tmp_path, operators=["1001"], sip_address=SERVER, sip_port=SIP_PORT) as running:
            pushed = objects(AgentId("1001"), running.secrets.operators["1001"], PhoneRules())
            async with AriClient(running.instance.ari_url, ARI_USER, running.secrets.ari_password) as ari:
                for kind in KINDS:
                    await ari.put_dynamic_config(kind, "1001", pushed[kind])
            yield running


def counters(net: Namespaces) -> dict[str, int]:
    """What the rules have dropped."""
    return _counted(net, "ccserver")


def passed(net: Namespaces) -> int:
    """What they have let through."""
    return _counted(net, "witness")["passed"]


def _counted(net: Namespaces, table: str) -> dict[str, int]:
    told = net.run("server", "nft", "list", "counters", "table", "inet", table)
    return {name: int(packets) for name, packets in re.findall(r"counter (\w+) \{\s+packets (\d+)", told)}


async def test_floods_end_at_the_firewall_and_a_registered_phone_passes(
    net: Namespaces, asterisk: AsteriskInstance
) -> None:
    password = asterisk.secrets.operators["1001"]
    with net.inside("world"):
        phone = RawSip(SIP_PORT, source=PHONE, server=SERVER)
    with phone:
        assert phone.log_in(phone.request("REGISTER"), "1001", password).code == 200
        assert counters(net) == {"too_much_of_one": 0, "too_many_strangers": 0, "too_many_connections": 0}
        for sources, dropped, rate, burst in (
            (1, "too_much_of_one", OF_ONE, OF_ONE_BURST),
            (1000, "too_many_strangers", OF_STRANGERS, OF_STRANGERS_BURST),
        ):
            before, passed_before, begun = counters(net), passed(net), time.monotonic()
            arguments = (FLOOD, "REGISTER", SERVER, SIP_PORT, STRANGERS, sources, FLOOD_S)
            command = net.command("world", sys.executable, *map(str, arguments))
            flood = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
            assert flood.stdout is not None
            assert (await flood.stdout.readline()) == b"flooding\n"
            for _ in range(OF_PHONE // 2):
                assert phone.log_in(phone.request("REGISTER"), "1001", password).code == 200
            said, _ = await flood.communicate()
            sent, ended_here = int(said), counters(net)[dropped] - before[dropped]
            let_through, took_s = passed(net) - passed_before, time.monotonic() - begun
            assert sent > 1000 * FLOOD_S and ended_here > sent / 2
            assert OF_PHONE <= let_through <= OF_PHONE + burst + rate * took_s
    assert asterisk.running


def test_who_opens_connections_without_end_gets_thirty(net: Namespaces) -> None:
    with ExitStack() as stack:
        with net.inside("server"):
            listening = stack.enter_context(socket.socket())
        listening.bind((SERVER, SIP_PORT))
        listening.listen(64)
        made, refused = 0, 0
        with net.inside("world"):
            for _ in range(32):
                wanted = stack.enter_context(socket.socket())
                wanted.settimeout(0.5 if made == 30 else 5)
                try:
                    wanted.connect((SERVER, SIP_PORT))
                    made += 1
                except TimeoutError:
                    refused += 1
    assert (made, refused) == (30, 2)
    assert counters(net)["too_many_connections"] >= 2


def test_the_rules_know_the_ports_of_the_configuration() -> None:
    assert f"define sip_ports = {{ {SIP_PORT}, 5061 }}" in RULES.read_text()
