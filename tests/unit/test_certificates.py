"""Certificates: our own authority, and every way in which one can be wrong; none of them keeps plain SIP from starting."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ccserver.__main__ import main
from ccserver.asterisk import authority, certificates
from ccserver.asterisk.certificates import dialled_names, installed_pair, own_names, problem, watch, worry
from ccserver.asterisk.errors import CertificateUnusable
from ccserver.asterisk.keypair import Pair, read_certificate, read_private_key, read_usable
from ccserver.asterisk.settings import Instance
from ccserver.asterisk.transports import transports
from ccserver.config.schema import Sip
from tests.config_site import Site

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = "sip.example.ru"


def instance_with(place: Path, **sip: object) -> Instance:
    settings = Sip(**{"tls_port": 5061, "external_address": NAME, **sip})  # type: ignore[arg-type]
    return Instance(state_dir=place / "state", dialplans_dir=place, sip=settings)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A good certificate of somebody's, for NAME."""
    place = tmp_path_factory.mktemp("issued")
    authority.ensure(place, [NAME], timedelta(days=21), NOW)
    return authority.server_pair(place)


@pytest.fixture
def given(issued: Pair, tmp_path: Path) -> Instance:
    """An instance that is told to use a copy of it, for a test to break."""
    pair = Pair(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    pair.certificate.write_bytes(issued.certificate.read_bytes())
    pair.key.write_bytes(issued.key.read_bytes())
    return instance_with(tmp_path, certificate=str(pair.certificate), private_key=str(pair.key))


# --- our own authority -------------------------------------------------------------------------------------------------


def test_the_first_start_with_tls_makes_an_authority_and_a_certificate_that_only_the_owner_can_read(
    tmp_path: Path,
) -> None:
    instance = instance_with(tmp_path)
    pair = certificates.install(instance, NOW)
    assert pair == installed_pair(instance)
    server, trusted = read_usable(pair), read_certificate(authority.authority_pair(instance.state_dir).certificate)
    assert NAME in server.names and server.not_after - NOW == timedelta(days=397)
    server.x509.verify_directly_issued_by(trusted.x509)
    for path in (*instance.state_dir.glob("certificates/*"), pair.certificate, pair.key):
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert problem(instance, NOW) == ""
    assert "TLS is off" in certificates.told(instance_with(tmp_path, tls_port=0), NOW)


def test_it_is_renewed_before_it_runs_out_and_for_new_names_by_the_same_authority(tmp_path: Path) -> None:
    instance = instance_with(tmp_path)
    assert certificates.make(instance, NOW)
    first = read_usable(authority.server_pair(instance.state_dir))
    trusted = authority.authority_pair(instance.state_dir).certificate.read_bytes()
    assert not certificates.make(instance, NOW + timedelta(days=370))
    assert certificates.make(instance, NOW + timedelta(days=380))
    renamed = instance_with(tmp_path, tls_names=("pbx.example.ru",))
    assert certificates.make(renamed, NOW + timedelta(days=380))
    last = read_usable(authority.server_pair(instance.state_dir))
    assert last.fingerprint != first.fingerprint and "pbx.example.ru" in last.names
    assert authority.authority_pair(instance.state_dir).certificate.read_bytes() == trusted


def test_a_damaged_authority_is_told_and_never_replaced_by_another(tmp_path: Path) -> None:
    instance = instance_with(tmp_path)
    certificates.make(instance, NOW)
    key = authority.authority_pair(instance.state_dir).key
    key.write_bytes(key.read_bytes()[:300])
    with pytest.raises(CertificateUnusable, match=r"ca\.key: cut short"):
        certificates.make(instance, NOW + timedelta(days=390))
    assert certificates.install(instance, NOW), "the certificate it signed is as good as before"


def test_the_names_are_those_that_phones_dial(tmp_path: Path) -> None:
    assert dialled_names(instance_with(tmp_path)) == [NAME]
    assert dialled_names(instance_with(tmp_path, tls_names=("a.ru", "192.0.2.1"))) == ["a.ru", "192.0.2.1"]
    assert dialled_names(instance_with(tmp_path, external_address="")) == ["127.0.0.1"]
    assert own_names(instance_with(tmp_path)) == [NAME, "127.0.0.1", "localhost"]


# --- what can be wrong with one that is given ---------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def lock(path: Path) -> None:
    key = read_private_key(path)
    encryption = serialization.BestAvailableEncryption(b"secret")
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))


def another_key(path: Path) -> None:
    place = path.parent / "another"
    authority.ensure(place, [NAME], timedelta(0), NOW)
    path.write_bytes(authority.server_pair(place).key.read_bytes())


def garble(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"AAAA" + lines[1][4:], *lines[2:]]))


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


UNUSABLE: list[tuple[str, Callable[[Path], None], str]] = [
    ("fullchain.pem", Path.unlink, "there is no such certificate"),
    ("privkey.pem", Path.unlink, "there is no such private key"),
    ("fullchain.pem", directory, "the certificate cannot be read: Is a directory"),
    ("fullchain.pem", cut, "cut short: BEGIN without END of a CERTIFICATE"),
    ("privkey.pem", cut, "cut short: BEGIN without END of a PRIVATE KEY"),
    ("fullchain.pem", lambda path: path.write_bytes(b""), "is empty"),
    ("fullchain.pem", lambda path: path.write_bytes(b"\x30\x82\x03"), "no CERTIFICATE in it: is it PEM?"),
    ("fullchain.pem", garble, "damaged: "),
    ("privkey.pem", garble, "damaged: "),
    ("privkey.pem", lock, "is locked with a password: Asterisk cannot ask for it"),
    ("privkey.pem", another_key, "does not belong to "),
]


@pytest.mark.parametrize(("file", "damage", "told"), UNUSABLE, ids=[f"{file} {told}" for file, _, told in UNUSABLE])
def test_without_a_usable_certificate_tls_stays_off_and_plain_sip_starts(
    given: Instance, tmp_path: Path, file: str, damage: Callable[[Path], None], told: str
) -> None:
    damage(tmp_path / file)
    pair = certificates.install(given, NOW)
    assert pair is None
    written = transports(given, pair)
    assert "[udp]" in written and "[tls]" not in written
    text = problem(given, NOW)
    assert text.startswith(f"{tmp_path / file}: {told}") and text.endswith(": phones cannot use TLS")


def test_before_the_first_start_a_given_certificate_is_judged_by_itself(given: Instance, tmp_path: Path) -> None:
    assert worry(given, NOW) == ""
    assert "expires on" in worry(given, NOW + timedelta(days=390))
    cut(tmp_path / "privkey.pem")
    assert worry(given, NOW).endswith("cut short: BEGIN without END of a PRIVATE KEY: phones cannot use TLS")


def test_a_renewal_that_went_wrong_leaves_the_certificate_before_it_in_use(given: Instance, tmp_path: Path) -> None:
    certificates.install(given, NOW)
    cut(tmp_path / "fullchain.pem")
    assert certificates.install(given, NOW) == installed_pair(given)
    assert problem(given, NOW) == (
        f"{tmp_path}/fullchain.pem: cut short: BEGIN without END of a CERTIFICATE: Asterisk goes on with the one it has"
    )


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (0, ""),
        (375, ""),
        (377, "expires on 2027-12-24, in 20 days"),
        (396, "expires on 2027-12-24, in 1 day"),
        (397, "expired on 2027-12-24: phones that verify it refuse to connect"),
        (-1, "not valid before 2026-11-22 11:00 UTC: is this machine's clock right?"),
    ],
)
def test_its_end_is_told_three_weeks_before_and_it_is_shown_all_the_same(
    given: Instance, tmp_path: Path, days: int, told: str
) -> None:
    now = NOW + timedelta(days=days)
    assert certificates.install(given, now) is not None
    assert problem(given, now) == (f"{tmp_path}/fullchain.pem: {told}" if told else "")


def test_a_certificate_for_another_name_is_told_with_both_names(given: Instance, tmp_path: Path) -> None:
    other = instance_with(
        tmp_path,
        external_address="203.0.113.9",
        certificate=given.sip.certificate,
        private_key=given.sip.private_key,
    )
    certificates.install(other, NOW)
    assert problem(other, NOW) == (
        f"{tmp_path}/fullchain.pem: is for {NAME}, not for 203.0.113.9: phones that verify it refuse to connect"
    )


def test_a_star_stands_for_one_label_and_never_for_an_address(tmp_path: Path) -> None:
    authority.ensure(tmp_path, ["*.example.ru"], timedelta(0), NOW)
    certificate = read_usable(authority.server_pair(tmp_path))
    assert certificate.lacking(["sip.example.ru", "SIP.EXAMPLE.RU"]) == []
    wanted = ["example.ru", "a.b.example.ru", "192.0.2.1"]
    assert certificate.lacking(wanted) == wanted


def test_a_renewed_certificate_that_asterisk_was_not_told_of_is_an_alarm_within_a_minute(
    given: Instance, tmp_path: Path
) -> None:
    certificates.install(given, NOW)
    clock = NOW.timestamp()
    look = watch(given, lambda: clock)
    assert look() == ""
    place = tmp_path / "renewed"
    authority.ensure(place, [NAME], timedelta(0), NOW)
    renewed = authority.server_pair(place)
    (tmp_path / "fullchain.pem").write_bytes(renewed.certificate.read_bytes())
    (tmp_path / "privkey.pem").write_bytes(renewed.key.read_bytes())
    assert look() == "", "looked at once a minute"
    clock += 60
    assert look().startswith(f"{tmp_path}/fullchain.pem: Asterisk does not have it yet: ccserver asterisk render && ")


# --- the command line --------------------------------------------------------------------------------------------------


def test_the_command_line_makes_shows_and_checks_and_check_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path)
    site.append("ccserver.toml", '\n[sip]\ntls_port = 5061\nexternal_address = "sip.example.ru"\n')
    monkeypatch.setenv("CCSERVER_STATE", str(tmp_path / "var"))

    def ccserver(*words: str) -> tuple[int, str, str]:
        code = main(["--config", str(site.dialplans), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    pem = tmp_path / "var" / "certificates" / "server.pem"
    code, _, err = ccserver("certificates", "show")
    assert (code, err) == (69, f"ccserver: {pem}: there is no such certificate (`ccserver doctor` tells more)\n")
    assert ccserver("check")[0] == 0, "it will be made"
    code, out, _ = ccserver("certificates", "make")
    assert code == 0 and out.startswith("made; Asterisk is told by: ccserver asterisk render && ")
    assert f"to be trusted by phones: {pem.with_name('ca.pem')}" in out
    assert "made;" not in ccserver("certificates", "make")[1]
    code, _, err = ccserver("certificates", "check")
    assert (code, "Asterisk does not have it yet" in err) == (1, True)

    authority.ensure(tmp_path / "other", ["else.example.ru"], timedelta(0), datetime.now(UTC))
    given = authority.server_pair(tmp_path / "other")
    site.change(
        "ccserver.toml",
        "\ntls_port = 5061",
        f'\ntls_port = 5061\ncertificate = "{given.certificate}"\nprivate_key = "{given.key}"',
    )
    code, _, err = ccserver("certificates", "make")
    assert code == 69 and "given in sip.certificate: whoever made it renews it" in err
    theirs = instance_with(tmp_path, certificate=str(given.certificate), private_key=str(given.key))
    certificates.install(replace(theirs, state_dir=tmp_path / "var"), datetime.now(UTC))
    code, _, err = ccserver("check")
    assert code == 0
    assert err == (
        f"ccserver: warning: {given.certificate}: is for else.example.ru, not for sip.example.ru: "
        "phones that verify it refuse to connect\n"
    )
