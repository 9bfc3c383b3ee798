"""The doctor: what he finds in each broken situation, and that he only looks. That his commands help is in tests/e2e."""

import argparse
import socket
from pathlib import Path

import pytest

from ccserver.asterisk.secrets import ensure_secrets
from ccserver.store.journal import SqliteJournal
from ccserver.store.lock import JournalLock
from ccserver.verbs import doctor
from ccserver.verbs.doctor import Finding, findings
from tests.config_site import Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The demo's configuration on ports that nobody has, with a state directory that is empty."""
    made = Site(tmp_path)
    state = tmp_path / "var"
    monkeypatch.setenv("CCSERVER_STATE", str(state))
    monkeypatch.delenv("CCSERVER_CONFIG", raising=False)
    state.mkdir()
    for number, port in enumerate(("http_port = 8088", "ami_port = 5038", "sip_port = 5060", "port = 8080"), start=1):
        made.change("ccserver.toml", port, f"{port.split()[0]} = {number}")  # below 1024: nobody else is there
    return made


def found(site: Site) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings(site.dialplans)}


def test_he_only_looks(site: Site) -> None:
    state = site.root / "var"
    found(site)
    assert list(state.iterdir()) == []
    state.rmdir()
    found(site)
    assert not state.exists()


def test_without_a_right_configuration_nothing_else_is_looked_at(site: Site) -> None:
    line = site.change("nordlis.toml", 'next = "menu"', 'next = "mneu"')
    site.change("velmira.toml", 'do = "menu"', 'do = "men"')
    looked = list(findings(site.dialplans))
    assert {(finding.subject, finding.good) for finding in looked} == {("configuration", False)}
    assert any(f"nordlis.toml:{line}: steps.greeting.next" in finding.text for finding in looked)
    assert {finding.mend for finding in looked} == {"correct the line; `ccserver check` looks again"}


def test_what_was_never_made_comes_with_the_command_that_makes_it(site: Site) -> None:
    looked = found(site)
    assert looked["secrets"].mend == "ccserver asterisk render"
    assert looked["store"].mend == "ccserver migrate"
    assert looked["prompts"].mend == "ccserver prompts build"
    assert looked["daemon"].mend == "script/server, or systemctl start ccserver"
    assert looked["journal"].good
    (site.root / "var").rmdir()
    assert found(site)["state"].mend == "ccserver asterisk render"


def test_an_asterisk_that_does_not_run_is_to_be_started(site: Site) -> None:
    ensure_secrets(site.root / "var", [])
    looked = found(site)
    assert looked["secrets"].good
    assert looked["ari"].mend == looked["ami"].mend == "ccserver asterisk start"


def test_where_no_asterisk_is_script_setup_gets_one(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CCSERVER_ASTERISK_ROOT", str(tmp_path / "nothing"))
    assert found(site)["asterisk"].mend == "script/setup"


def test_a_disk_that_is_nearly_full_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(site)["state"].good
    monkeypatch.setattr(doctor, "FREE_BYTES_MIN", 1 << 60)
    looked = found(site)["state"]
    assert not looked.good
    assert looked.mend.startswith("make room")


def test_missing_programs_are_told_with_what_they_are_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(site.root))
    looked = found(site)
    assert looked["ffmpeg"].text == "missing, needed for recordings"
    assert looked["espeak-ng"].text == "missing, needed for prompts in ru"
    assert looked["ffmpeg"].mend == looked["espeak-ng"].mend == "script/setup"


def test_a_daemon_that_runs_is_named_and_not_disturbed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = site.root / "var" / "journal.sqlite"
    with SqliteJournal(path), JournalLock(path) as lock:
        looked = found(site)["daemon"]
        assert looked.good
        assert looked.text.startswith("runs, process ")
        assert lock.held
        assert found(site)["journal"].text == "0 turns, 0 live contacts"


def test_the_exit_code_says_whether_all_is_right(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(argparse.Namespace(config=site.dialplans)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"ok  configuration  {site.dialplans}/ccserver.toml"
    at = next(number for number, line in enumerate(lines) if line.startswith("!!  store"))
    assert lines[at + 1].strip() == "-> ccserver migrate"


@pytest.mark.parametrize(
    ("address", "external", "good", "told"),
    [
        ("127.0.0.1", "", True, "127.0.0.1: phones on this machine only"),
        ("192.168.1.5", "", True, "192.168.1.5: for operators beyond a NAT of ours set sip.external_address"),
        ("8.8.4.4", "", True, "8.8.4.4 is reached from everywhere"),
        ("192.168.1.5", "localhost", True, "phones elsewhere are told localhost (127.0.0.1)"),
        ("192.168.1.5", "nowhere.invalid", False, "sip.external_address nowhere.invalid: "),
    ],
)
def test_he_says_what_phones_elsewhere_are_told(site: Site, address: str, external: str, good: bool, told: str) -> None:
    site.change("ccserver.toml", 'sip_address = "127.0.0.1"', f'sip_address = "{address}"')
    site.append("ccserver.toml", f'\n[sip]\nexternal_address = "{external}"\n')
    looked = found(site)
    assert looked["sip"].good == good
    assert looked["sip"].text.startswith(told)
    assert "certificate" not in looked


def test_a_certificate_that_is_not_there_comes_with_the_command_that_makes_it(site: Site) -> None:
    site.append("ccserver.toml", "\n[sip]\ntls_port = 5\n")
    certificate = found(site)["certificate"]
    assert certificate.text.endswith("certificates/server.pem: there is no such certificate: phones cannot use TLS")
    assert certificate.mend.startswith("ccserver certificates make && ccserver asterisk render && ")


def test_a_given_certificate_is_not_his_to_make(site: Site) -> None:
    site.append("ccserver.toml", '\n[sip]\ntls_port = 5\ncertificate = "a.pem"\nprivate_key = "a.key"\n')
    certificate = found(site)["certificate"]
    assert certificate.text == f"{site.dialplans}/a.pem: there is no such certificate: phones cannot use TLS"
    assert certificate.mend.startswith("ccserver asterisk render && ")


def test_a_taken_port_of_tls_is_named_with_the_setting_that_chose_it(site: Site) -> None:
    site.change("ccserver.toml", 'sip_address = "127.0.0.1"', 'sip_address = "127.0.0.77"')
    ensure_secrets(site.root / "var", ())
    with socket.socket() as taken:
        taken.bind(("127.0.0.77", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site.append("ccserver.toml", f"\n[sip]\ntls_port = {port}\n")
        text = f"tcp port {port} on 127.0.0.77 is taken: stop the other program or change sip.tls_port"
        assert found(site)["ports"].text == text
