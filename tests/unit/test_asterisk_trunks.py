"""Trunks as Asterisk reads them, and why one is of no use."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from ccserver.asterisk.errors import SetupError
from ccserver.asterisk.trunk_causes import TrunkCause, registration_answer
from ccserver.asterisk.trunks import trunk_authorities, trunks_conf, version_of
from ccserver.config.schema import Trunk
from tests.carrier_tls import certified

PEER = Trunk(name="south", title="South", host="192.0.2.10", channels=7, did="to")
ACCOUNT = Trunk(
    name="north",
    title="North",
    host="sip.example.ru",
    register=True,
    user="acc",
    password="a;b#c ]",
    outbound_proxy="p:5070",
)


def section(conf: str, name: str, kind: str) -> list[str]:
    found = [part for part in conf.split("\n[") if part.startswith(f"{name}]") and f"\ntype = {kind}\n" in f"{part}\n"]
    (only,) = found
    return only.splitlines()[1:]


def test_a_peer_is_known_by_its_address_and_never_by_what_it_writes() -> None:
    conf = trunks_conf([PEER])
    endpoint = section(conf, "south", "endpoint")
    assert "identify_by = ip" in endpoint
    assert "allow = alaw,ulaw" in endpoint
    assert {"set_var = CC_TRUNK=south", "set_var = CC_TRUNK_CHANNELS=7", "set_var = CC_TRUNK_DID=to"} <= set(endpoint)
    assert "match = 192.0.2.10" in section(conf, "south", "identify")
    assert "contact = sip:192.0.2.10:5060" in section(conf, "south", "aor")
    assert "type = registration" not in conf
    assert "outbound_auth" not in conf


def test_an_account_registers_and_is_known_by_what_it_registered() -> None:
    conf = trunks_conf([ACCOUNT])
    registration = section(conf, "north", "registration")
    assert {"line = yes", "endpoint = north", "contact_user = acc"} <= set(registration)
    assert {"server_uri = sip:sip.example.ru:5060", "client_uri = sip:acc@sip.example.ru"} <= set(registration)
    assert "type = identify" not in conf
    assert "from_user" not in "".join(section(conf, "north", "endpoint")), "calls that leave show the line's number"


def test_a_semicolon_is_no_comment_and_a_line_break_is_refused() -> None:
    conf = trunks_conf([ACCOUNT])
    assert r"password = a\;b#c ]" in section(conf, "north", "auth")
    assert r"outbound_proxy = sip:p:5070\;lr" in section(conf, "north", "endpoint")
    with pytest.raises(SetupError, match=r"^trunk north: password may hold no line break"):
        trunks_conf([replace(ACCOUNT, password="a\nb")])


def test_every_change_that_asterisk_must_learn_of_is_another_version() -> None:
    changed = [
        replace(ACCOUNT, password="other"),
        replace(ACCOUNT, channels=1),
        replace(ACCOUNT, host="sip2.example.ru"),
        replace(ACCOUNT, codecs=("ulaw",)),
        replace(ACCOUNT, addresses=("192.0.2.1",)),
    ]
    assert len({version_of(trunk) for trunk in (ACCOUNT, *changed)}) == 6
    assert version_of(replace(ACCOUNT, title="Another", priority=5)) == version_of(ACCOUNT)
    assert f"callerid_tag = {version_of(ACCOUNT)}" in section(trunks_conf([ACCOUNT]), "north", "endpoint")


def test_an_ipv6_trunk_is_written_as_uris_want_it() -> None:
    conf = trunks_conf([replace(PEER, host="2001:db8::1", transport="tls")])
    assert r"contact = sip:[2001:db8::1]:5061\;transport=tls" in section(conf, "south", "aor")


def test_a_trunk_s_own_authority_is_trusted_besides_the_systems(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("mine")
    assert trunk_authorities([replace(PEER, ca_file="ca.pem")], tmp_path).endswith("mine")
    with pytest.raises(SetupError, match=r"other\.pem: No such file"):
        trunk_authorities([replace(PEER, ca_file="other.pem")], tmp_path)


LOG = """\
[2026-11-22 13:14:07.845] WARNING[7817] res_pjsip_outbound_registration.c: Temporal response '503' received from \
'sip:sip.example.ru:5060' on registration attempt to 'sip:acc@sip.example.ru', retrying in '3'
[2026-11-22 13:14:10.844] WARNING[7817] res_pjsip_outbound_registration.c: {} \
'sip:sip.example.ru:5060' on registration attempt to 'sip:acc@sip.example.ru', retrying in '3'
[2026-11-22 13:14:11.845] WARNING[7817] res_pjsip_outbound_registration.c: '404' fatal response received from \
'sip:x:5060' on registration attempt to 'sip:other@sip.example.ru', retrying in '3' seconds
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("403 Forbidden fatal response received from", "answered 403, user, password or our address is refused"),
        ("Temporal response '401' received from", "answered 401, the password or the user is wrong"),
        ("'404' fatal response received from", "answered 404, the carrier does not know this account"),
        ("'488' fatal response received from", "answered 488"),
        ("No response received from", "no answer"),
    ],
)
def test_the_last_answer_to_a_registration_is_told_in_words(tmp_path: Path, said: str, told: str) -> None:
    (tmp_path / "log").write_text(LOG.format(said))
    assert registration_answer(ACCOUNT, tmp_path / "log") == f"is not registered: {told}"


def test_without_a_log_or_a_word_in_it_there_is_no_cause(tmp_path: Path) -> None:
    assert registration_answer(ACCOUNT, tmp_path / "log") == ""
    (tmp_path / "log").write_bytes(b"\xff\x00nonsense\n" * 100)
    assert registration_answer(ACCOUNT, tmp_path / "log") == ""


async def cause(trunk: Trunk, tmp_path: Path) -> str:
    return await TrunkCause(trunk, tmp_path / "log", tmp_path / "ca.pem")(False)


async def test_a_name_that_leads_nowhere_is_the_cause(tmp_path: Path) -> None:
    told = await cause(replace(PEER, host="no-such-host.invalid"), tmp_path)
    assert told.startswith("DNS: no-such-host.invalid has no address")


async def test_a_peer_that_resolves_has_no_cause_of_its_own(tmp_path: Path) -> None:
    assert await cause(replace(PEER, host="127.0.0.1"), tmp_path) == ""


async def test_a_port_where_nobody_listens_is_the_cause(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        told = await cause(replace(PEER, host="127.0.0.1", port=port, transport="tcp"), tmp_path)
    assert told == f"127.0.0.1 port {port}: Connection refused"


@asynccontextmanager
async def tls_server(folder: Path, name: str, days: int) -> AsyncIterator[int]:
    """A carrier's TLS port with a certificate for `name` that runs out in so many days; `ca.pem` is its authority."""
    context = certified(folder, name, days=days)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("name", "days", "told"),
    [
        ("localhost", 30, ""),
        ("localhost", -1, "certificate that is not valid: certificate has expired"),
        (
            "other.example",
            30,
            "certificate that is not valid: Hostname mismatch, certificate is not valid for 'localhost'.",
        ),
    ],
)
async def test_a_certificate_that_is_not_valid_is_the_cause(tmp_path: Path, name: str, days: int, told: str) -> None:
    async with tls_server(tmp_path, name, days) as port:
        trunk = replace(PEER, host="localhost", port=port, transport="tls")
        assert (await cause(trunk, tmp_path)).endswith(told)
        (tmp_path / "ca.pem").unlink()
        assert "self-signed certificate" in await cause(trunk, tmp_path) or days < 0
