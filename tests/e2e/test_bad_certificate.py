"""A certificate that cannot be used, at a real start: plain SIP and the daemon come up, and everybody is told what to mend."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asterisk_instance import free_port

from ccserver.asterisk import authority
from ccserver.asterisk.secrets import load_secrets
from tests.e2e.installation import Installation


def test_without_a_usable_certificate_calls_are_taken_all_the_same_and_the_doctors_command_mends_it(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority.ensure(tmp_path / "ca", ["127.0.0.1"], timedelta(0), datetime.now(UTC))
    given = authority.server_pair(tmp_path / "ca")
    whole = given.certificate.read_bytes()
    given.certificate.write_bytes(whole[:500])
    told = f"{given.certificate}: cut short: BEGIN without END of a CERTIFICATE: phones cannot use TLS"
    mine = Installation.new(tmp_path_factory.mktemp("mine"))  # a short path: Asterisk's socket is in it
    main = mine.config_dir / "ccserver.toml"
    sip = f'tls_port = {free_port()}\ncertificate = "{given.certificate}"\nprivate_key = "{given.key}"'
    main.write_text(f"{main.read_text()}\n[sip]\n{sip}\n")
    mine.prepare()
    started = mine.ccserver("asterisk", "start")
    try:
        assert started.said == [f"ccserver: warning: {told}"]
        assert started.code == 0
        transports = mine.done("asterisk", "console", "pjsip show transports")
        assert "udp" in transports and "tls" not in transports
        assert mine.ccserver("check").said == [f"ccserver: warning: {told}"]
        with mine.running():
            assert ("certificate", told) in alarms(mine)
            mend = mine.doctor()["certificate"]
            given.certificate.write_bytes(whole)
            mine.mend(mend)
            assert "tls" in mine.done("asterisk", "console", "pjsip show transports")
            assert {"certificate", "tls"}.isdisjoint(mine.doctor())
    finally:
        mine.ccserver("asterisk", "stop")


def alarms(mine: Installation) -> set[tuple[str, str]]:
    """Name and text of each."""
    token = load_secrets(mine.state_dir).api_token
    request = urllib.request.Request(
        f"http://127.0.0.1:{mine.api_port}/api/status", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return {(alarm["name"], alarm["message"]) for alarm in json.load(response)["alarms"]}
