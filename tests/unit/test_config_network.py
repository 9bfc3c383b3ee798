"""`[sip]`: what is refused, with its line."""

from pathlib import Path

import pytest

from tests.config_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


KEYS = "the keys of encrypted sound travel in SIP, where anybody could read them without TLS: set sip.tls_port"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('external_address = "sip..ru"', 'sip.external_address: expected an IP address or a host name, got "sip..ru"'),
        ('external_address = "300.1.1.1"', "sip.external_address: expected an IP address or a host name"),
        ('local_nets = ["10.0.0.0/33"]', 'sip.local_nets[0]: expected a network like "192.168.0.0/16" or one address'),
        ('allow_nets = ["10.1.2.3/8"]', 'got "10.1.2.3/8": did you mean 10.0.0.0/8?'),
        ('deny_nets = ["1.2.3.4", "evil"]', "sip.deny_nets[1]: expected a network"),
        ('tls_names = ["*"]', "sip.tls_names[0]: expected a host name or an IP address"),
        ('certificate = "a.pem"\ntls_port = 5061', "sip.certificate: sip.private_key is missing"),
        ('private_key = "a.key"\ntls_port = 5061', "sip.private_key: sip.certificate is missing"),
        ("tls_port = 8088", "sip.tls_port: port 8088 is taken already by asterisk.http_port"),
        ("tls_port = -1", "sip.tls_port: expected a port from 1 to 65535, or 0 for none"),
        ("registration_s = 10", "sip.registration_s: expected whole seconds from 60 to 86400"),
        ('encryption = "required"', f"sip.encryption: {KEYS}"),
        ('encryption = "on"', 'sip.encryption: expected "off", "allowed" or "required"'),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(site: Site, written: str, told: str) -> None:
    line = site.append("ccserver.toml", f"\n[sip]\n{written}\n") + 2
    (complaint,) = site.complaints()
    where, _, what = complaint.partition(": ")
    assert told in what
    assert where in {f"ccserver.toml:{line}", f"ccserver.toml:{line - 1}", f"ccserver.toml:{line + 1}"}


def test_an_operators_encryption_without_tls_is_refused_and_else_his_own_counts(site: Site) -> None:
    line = site.change("ccserver.toml", 'extension = "1002"', 'extension = "1002"\nencryption = "allowed"')
    assert site.complaints() == [f"ccserver.toml:{line + 1}: operators[1].encryption: {KEYS}"]
    site.append("ccserver.toml", '\n[sip]\ntls_port = 5061\nencryption = "required"\n')
    encryption = site.load().encryption
    assert (encryption["1001"], encryption["1002"]) == ("required", "allowed")


def test_paths_are_relative_to_the_configuration_and_what_tls_alone_uses_is_told_when_it_is_off(site: Site) -> None:
    site.append("ccserver.toml", '\n[sip]\ncertificate = "tls/a.pem"\nprivate_key = "/etc/a.key"\n')
    sip = site.load().sip
    assert (sip.certificate, sip.private_key) == (str(site.dialplans / "tls/a.pem"), "/etc/a.key")
    (warning,) = site.warnings()
    assert warning.endswith("sip.certificate: warning: TLS is off: sip.tls_port is 0")


@pytest.mark.parametrize(
    ("nets", "told"),
    [
        ('allow_nets = ["10.0.0.0/8"]', "sip.allow_nets does not have it"),
        ('allow_nets = ["192.0.2.0/24"]\ndeny_nets = ["192.0.2.8/29"]', "sip.deny_nets has it"),
        ('allow_nets = ["192.0.2.0/24", "2001:db8::/32"]', ""),
        ('deny_nets = ["198.51.100.0/24"]', ""),
    ],
)
def test_a_trunk_that_the_access_list_would_keep_out_is_told(site: Site, nets: str, told: str) -> None:
    trunk = '[[trunks]]\nname = "north"\ntitle = "North"\nhost = "192.0.2.10"\n'
    line = site.append("ccserver.toml", f"\n[sip]\n{nets}\n\n{trunk}") + nets.count("\n") + 4
    warnings = [warning for warning in site.warnings() if "403" in warning]
    expected = f"calls of north come from 192.0.2.10, and {told}: they would be refused with 403"
    assert warnings == ([f"ccserver.toml:{line}: trunks[0]: warning: {expected}"] if told else [])
