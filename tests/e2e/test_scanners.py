"""Who guesses: what he learns (nothing), what is written down of him, and what fail2ban makes of that."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from asterisk_calls import until
from asterisk_instance import AsteriskInstance, asterisk_instance

from ccserver.ari import AriClient
from ccserver.asterisk.settings import ARI_USER
from ccserver.config.schema import Sip
from ccserver.connectors.voice.endpoints import KINDS, PhoneRules, objects
from ccserver.core.ids import AgentId
from tests.e2e.centre_config import CHECKOUT
from tests.e2e.raw_sip import SDP, RawSip, Response

FAIL2BAN = CHECKOUT / "systemd" / "fail2ban"
DENIED = "127.0.0.66"
INNOCENT = "8.8.8.8"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsteriskInstance]:
    """An Asterisk with one operator's phone, as the daemon makes it, whose challenges are good for one second."""
    place = tmp_path_factory.mktemp("scanned")
    sip = Sip(tcp=True, deny_nets=(DENIED,))
    async with asterisk_instance(place, sip=sip, operators=["1001"]) as running:
        password = running.secrets.operators["1001"]
        async with AriClient(running.instance.ari_url, ARI_USER, running.secrets.ari_password) as ari:
            pushed = objects(AgentId("1001"), password, PhoneRules())
            pushed["auth"]["nonce_lifetime"] = "1"
            for kind in KINDS:
                await ari.put_dynamic_config(kind, "1001", pushed[kind])
        yield running


def told_apart(response: Response, user: str) -> str:
    """An answer without what differs between any two: numbers of its own, nonces, and what the asker said himself."""
    text = re.sub(
        r'(branch=|tag=|Call-ID: |nonce="|opaque="|CSeq: |rport=|127\.0\.0\.1:)[^;"\s]*', r"\1", response.text
    )
    return text.replace(user, "USER")


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_guesser_cannot_tell_a_wrong_password_from_an_unknown_user(
    asterisk: AsteriskInstance, method: str
) -> None:
    answers = []
    for user in ("1001", "9001"):
        with RawSip(asterisk.instance.sip_port) as sip:
            body = SDP if method == "INVITE" else ""
            headers = {"Event": "presence"} if method == "SUBSCRIBE" else {}
            request = sip.request(method, uri="sip:88007707999@127.0.0.1", user=user, body=body, headers=headers)
            challenged = sip.ask(request)
            refused = sip.ask(sip.authorized(request, challenged, user, "wrong"))
            assert (challenged.code, refused.code) == (401, 401)
            answers.append((told_apart(challenged, user), told_apart(refused, user)))
    assert answers[0] == answers[1]


@pytest.mark.asyncio(loop_scope="module")
async def test_neither_asterisk_nor_its_version_is_told(asterisk: AsteriskInstance) -> None:
    with RawSip(asterisk.instance.sip_port) as sip:
        password = asterisk.secrets.operators["1001"]
        answers = [
            sip.ask(sip.request("REGISTER", user="nobody")),
            sip.log_in(sip.request("REGISTER"), "1001", password),
            sip.log_in(sip.request("OPTIONS"), "1001", password),
        ]
    assert [answer.code for answer in answers][0:2] == [401, 200]
    for answer in answers:
        assert answer.header("Server") == "ccserver"
        assert not re.search(r"asterisk|pjproject|22\.\d", answer.text, re.I)


@pytest.mark.asyncio(loop_scope="module")
async def test_from_a_denied_network_nobody_is_even_challenged(asterisk: AsteriskInstance) -> None:
    for user in ("1001", "9001"):
        with RawSip(asterisk.instance.sip_port, source=DENIED) as sip:
            answer = sip.ask(sip.request("REGISTER", user=user))
            assert (answer.code, answer.header("WWW-Authenticate")) == (403, "")


@pytest.fixture
def fail2ban_regex() -> str:
    found = shutil.which("fail2ban-regex")
    if found is None:
        pytest.skip("fail2ban is not installed (Debian: apt-get install fail2ban)")
    return found


def counted(fail2ban_regex: str, log: Path) -> Counter[str]:
    """How often fail2ban's own judge, given the shipped filter, counts each address."""
    done = subprocess.run(
        [fail2ban_regex, "--out", "ip", str(log), str(FAIL2BAN / "filter.d" / "ccserver.conf")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return Counter(line.strip() for line in done.stdout.splitlines() if line.strip())


@pytest.mark.asyncio(loop_scope="module")
async def test_fail2ban_counts_every_attack_and_no_phone(asterisk: AsteriskInstance, fail2ban_regex: str) -> None:
    port, password = asterisk.instance.sip_port, asterisk.secrets.operators["1001"]
    log = asterisk.instance.log_dir / "security.log"
    attacks = {
        "127.0.1.1": lambda sip: sip.log_in(sip.request("REGISTER"), "1001", "wrong"),
        "127.0.1.2": lambda sip: sip.ask(sip.request("REGISTER", user="admin")),
        "127.0.1.3": lambda sip: sip.ask(sip.request("INVITE", uri="sip:88007707999@x", user="anonymous", body=SDP)),
        "127.0.1.4": lambda sip: sip.ask(
            sip.request("OPTIONS", user="100", headers={"User-Agent": "friendly-scanner", "To": "<sip:100@1.1.1.1>"})
        ),
        "127.0.1.5": lambda sip: sip.ask(
            sip.request("INVITE", uri="sip:00442012345678@x", user="2000", headers={"From": "<sip:x>;tag=1"}, body=SDP)
        ),
    }
    for source, attack in attacks.items():
        for _ in range(3):
            with RawSip(port, source=source) as sip:
                assert attack(sip).code == 401
    with RawSip(port, source="127.0.1.6", tcp=True) as sip:
        assert sip.ask(sip.request("REGISTER", user="root")).code == 401

    with RawSip(port, source="127.0.2.1") as sip:
        first = sip.request("REGISTER")
        challenged = sip.ask(first)
        assert sip.ask(sip.authorized(first, challenged, "1001", password)).code == 200
        stale = "none"
        while "stale=true" not in stale:  # the nonce runs out within two seconds
            again = sip.authorized(sip.request("REGISTER"), challenged, "1001", password)
            stale = sip.ask(again).text
        for _ in range(20):  # registrations that are renewed, each challenged anew
            assert sip.log_in(sip.request("REGISTER"), "1001", password).code == 200
    with RawSip(port, source="127.0.2.2") as sip:
        sip.log_in(sip.request("REGISTER"), "1001", password + "x")
        assert sip.log_in(sip.request("REGISTER"), "1001", password).code == 200

    await logged(log, "SuccessfulAuth", "127.0.2.2")
    seen = counted(fail2ban_regex, log)
    assert {source: seen[source] for source in attacks} == dict.fromkeys(attacks, 3)
    assert (seen["127.0.1.6"], seen["127.0.2.1"], seen["127.0.2.2"]) == (1, 0, 1)
    jail = (FAIL2BAN / "jail.d" / "ccserver.conf").read_text()
    (maxretry,) = re.findall(r"(?m)^maxretry\s*= (\d+)$", jail)
    assert int(maxretry) > 3, "a typo or two ban nobody"


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_gets_an_innocent_banned_or_hides_behind_what_he_writes(
    asterisk: AsteriskInstance, fail2ban_regex: str
) -> None:
    port = asterisk.instance.sip_port
    forged = f'LocalAddress="IPV4/UDP/127.0.0.1/1",RemoteAddress="IPV4/UDP/{INNOCENT}/5060"'
    line = f'[2026-11-22 13:00:00.000] SECURITY[1] res_security_log.c: SecurityEvent="ChallengeSent",{forged}'
    with RawSip(port, source="127.0.3.1") as sip:
        for user in (f'a",{forged}', f"b\n{line}", f"c\r\n{line}", "d\0", "\x1b[31m", "я"):
            assert sip.ask(sip.request("REGISTER", user=quote(user, safe=""))).code == 401
        assert sip.ask(sip.request("REGISTER", user="x", headers={"Call-ID": f'x",{forged},Challenge="'})).code == 401
    with RawSip(port, source="127.0.3.2") as sip:
        request = sip.request("REGISTER", headers={"Call-ID": f'y",{forged}'})
        attempt = sip.authorized(request, sip.ask(request), "1001", "wrong")
        escaped = forged.replace('"', '\\"')
        attempt.headers["Authorization"] = re.sub(
            r'response="\w+"', lambda _: f'response="1\\",{escaped}"', attempt.headers["Authorization"]
        )
        assert sip.ask(attempt).code == 401
    log = asterisk.instance.log_dir / "security.log"
    await logged(log, "ChallengeResponseFailed", "127.0.3.2")
    seen = counted(fail2ban_regex, log)
    assert (seen["127.0.3.1"], seen["127.0.3.2"], seen[INNOCENT]) == (7, 1, 0)


def test_fail2ban_reads_the_jail(tmp_path: Path, fail2ban_regex: str) -> None:
    etc = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", etc)
    shutil.copytree(FAIL2BAN, etc, dirs_exist_ok=True)
    (etc / "jail.d" / "defaults-debian.conf").unlink(missing_ok=True)
    jail = etc / "jail.d" / "ccserver.conf"
    (tmp_path / "security.log").touch()
    jail.write_text(jail.read_text().replace("/var/lib/ccserver/asterisk/log", str(tmp_path)))
    client = Path(fail2ban_regex).with_name("fail2ban-client")
    done = subprocess.run([client, "-c", etc, "--dp"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'maxretry', 10]" in done.stdout and "nftables" in done.stdout


async def logged(log: Path, event: str, address: str) -> None:
    """Wait until the log tells of that event from that address."""
    line = re.compile(rf'SecurityEvent="{event}".*RemoteAddress="IPV4/UDP/{re.escape(address)}/')
    await until(log.parent, lambda: line.search(log.read_text(errors="replace")))
