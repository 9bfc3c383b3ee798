"""`[[trunks]]`: what must fit together, and that no password is ever repeated."""

from pathlib import Path

import msgspec
import pytest

from tests.config_site import Site

ACCOUNT = 'register = true\nuser = "74951234567"\npassword = "s3cr3t-w0rd"\n'
SECRET = "s3cr3t-w0rd"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.change("ccserver.toml", 'sip_address = "127.0.0.1"', 'sip_address = "192.0.2.1"')
    return made


def trunk(name: str = "north", host: str = "192.0.2.10", more: str = "") -> str:
    return f'\n[[trunks]]\nname = "{name}"\ntitle = "Some carrier"\nhost = "{host}"\n{more}'


def test_a_trunk_with_an_account_and_one_known_by_its_address_are_right(site: Site) -> None:
    site.append("ccserver.toml", trunk(more=ACCOUNT))
    site.append("ccserver.toml", trunk("south", more='addresses = ["192.0.2.64/28"]\nlines = ["78007707999"]\n'))
    config = site.load()
    assert [each.name for each in config.trunks] == ["north", "south"]
    assert config.trunks[0].password == SECRET
    assert site.warnings() == []


def test_no_password_is_in_the_plan_or_in_anything_that_is_shown(site: Site) -> None:
    site.append("ccserver.toml", trunk(more=ACCOUNT))
    config = site.load()
    assert SECRET not in msgspec.json.encode(config.plan).decode()
    assert SECRET not in repr(config)
    assert config.plan.trunks["north"].channels == 30  # type: ignore[index]


def test_a_password_may_lie_in_a_file_beside(site: Site) -> None:
    site.file("north.password").write_text(f"{SECRET}\r\n")
    site.append(
        "ccserver.toml", trunk(more=ACCOUNT.replace(f'password = "{SECRET}"', 'password_file = "north.password"'))
    )
    assert site.load().trunks[0].password == SECRET


@pytest.mark.parametrize("content", ["", "\n", f"{SECRET}\nand more\n", f" {SECRET}\n"])
def test_a_password_file_holds_the_password_and_nothing_else(site: Site, content: str) -> None:
    site.file("pw").write_text(content)
    site.append("ccserver.toml", trunk(more='register = true\nuser = "u"\npassword_file = "pw"\n'))
    (complaint,) = site.complaints()
    assert complaint.endswith("password_file: the file must hold the password and nothing else, on one line")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("register = true\n", "user: is missing: a trunk that registers needs its user"),
        ('user = "u"\n', "password: is missing: a user needs his password, or a password_file"),
        (f'password = "{SECRET}"\n', "user: is missing: there is a password, and nobody whose it is"),
        (f'{ACCOUNT}password_file = "x"\n', "password_file: there is a password already: one of the two must go"),
        ('user = "u"\npassword_file = "no-such"\n', "no-such: No such file or directory"),
        ('lines = ["88001112233"]\n', 'lines[0]: there is no line "88001112233"'),
        ('addresses = ["192.0.2.65/28"]\n', 'addresses[0]: expected an IP address or a network, like "192.0.2.10"'),
        ('addresses = ["sip.example.ru"]\n', "addresses[0]: expected an IP address or a network"),
        ('codecs = ["alaw", "alaw"]\n', 'codecs[1]: "alaw" is named twice'),
        ('codecs = ["g729"]\n', 'codecs[0]: expected one of "alaw", "g722", "opus", "ulaw", got "g729"'),
        ("srtp = true\n", 'srtp: the keys would travel in clear: expected transport = "tls" with it'),
        ('ca_file = "ca.pem"\n', 'ca_file: there is no certificate to check: expected transport = "tls" with it'),
        ('transport = "tls"\n', "transport: we have no TLS of our own: expected tls_port in [sip] with it"),
        ('transport = "tcp"\n', "transport: we have no TCP of our own: expected tcp = true in [sip] with it"),
        ("channels = 0\n", "channels: expected a whole number from 1 to 10000, got 0"),
        ("priority = 101\n", "priority: expected a whole number from 1 to 100, got 101"),
        ("qualify_s = -1\n", "qualify_s: expected whole seconds from 0 (never) to 3600, got -1"),
        ('dtmf = "sip"\n', 'dtmf: expected one of "auto", "inband", "info", "rfc4733", got "sip"'),
        ('did = "from"\n', 'did: expected one of "request", "to", got "from"'),
        ('from_user = "a;b"\n', 'from_user: expected a SIP user in quotes, like "74951234567", got "a;b"'),
        ('realm = "a\\nb"\n', "realm: expected a text of at most 100 Latin letters, digits and signs"),
        ('outbound_proxy = "a b"\n', "outbound_proxy: expected a host, if need be with its port"),
        ('from_domain = "x;y"\n', "from_domain: expected a domain in quotes"),
        ("passwrod = 'x'\n", 'passwrod: unknown key; did you mean "password"?'),
    ],
)
def test_what_is_wrong_with_a_trunk_is_told_with_its_line_and_field(site: Site, more: str, said: str) -> None:
    line = site.append("ccserver.toml", trunk(more=more))
    complaints = site.complaints()
    found = [complaint for complaint in complaints if said in complaint]
    assert found, complaints
    assert found[0].startswith("ccserver.toml:")
    assert line < int(found[0].split(":")[1]) <= line + 5 + more.count("\n")
    assert not any(SECRET in complaint for complaint in complaints)


@pytest.mark.parametrize("value", [f'" {SECRET}"', f'"{SECRET}\\n"', f'["{SECRET}"]', "1234567", f'"{SECRET * 20}"'])
def test_a_password_that_is_none_is_not_repeated(site: Site, value: str) -> None:
    site.append("ccserver.toml", trunk(more=f'user = "u"\npassword = {value}\n'))
    (complaint,) = site.complaints()
    assert "password: expected a password in quotes" in complaint
    assert SECRET not in complaint
    assert "1234567" not in complaint


@pytest.mark.parametrize(
    "host", ["sip.example.ru;x", "a b", "[::1]", "-x.ru", "sip:example.ru", "", "x\\ny", "a" * 254]
)
def test_a_host_is_a_name_or_an_address(site: Site, host: str) -> None:
    site.append("ccserver.toml", trunk(host=host))
    assert any("host: expected a host in quotes" in complaint for complaint in site.complaints())


@pytest.mark.parametrize("name", ["1001", "North", "a_b", "x" * 31, "с", "a;b", "a]\\n[b"])
def test_a_name_is_one_that_asterisk_can_have(site: Site, name: str) -> None:
    site.append("ccserver.toml", trunk(name))
    assert any("name: expected a name of at most 30 small Latin" in complaint for complaint in site.complaints())


@pytest.mark.parametrize("name", ["caller", "phone", "udp", "anonymous"])
def test_a_name_that_asterisk_has_already_is_refused(site: Site, name: str) -> None:
    site.append("ccserver.toml", trunk(name))
    assert any(f'name: "{name}" is a name of our own: choose another' in each for each in site.complaints())


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (trunk("a"), trunk("a", "192.0.2.11"), 'trunks[1].name: "a" is taken already by trunks[0]'),
        (trunk("a"), trunk("b"), 'trunks[1].host: 192.0.2.10/32 overlaps with 192.0.2.10/32 of trunk "a"'),
        (
            trunk("a", more='addresses = ["192.0.2.0/24"]\n'),
            trunk("b", "198.51.100.1", 'addresses = ["198.51.100.1", "192.0.2.9"]\n'),
            'trunks[1].addresses[1]: 192.0.2.9/32 overlaps with 192.0.2.0/24 of trunk "a"',
        ),
        (
            trunk("a", more=ACCOUNT),
            trunk("b", more=ACCOUNT),
            'trunk "a" registers as 74951234567 at 192.0.2.10 already',
        ),
    ],
)
def test_two_trunks_whose_calls_could_be_either_s_are_refused(site: Site, first: str, second: str, said: str) -> None:
    site.append("ccserver.toml", first)
    site.append("ccserver.toml", second)
    assert any(said in complaint for complaint in site.complaints()), site.complaints()


def test_two_accounts_at_one_carrier_are_told_apart_by_what_we_registered(site: Site) -> None:
    site.append("ccserver.toml", trunk("a", more=ACCOUNT))
    site.append("ccserver.toml", trunk("b", more=ACCOUNT.replace("74951234567", "74957654321")))
    assert len(site.load().trunks) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            trunk(host="sip.example.ru"),
            "host: warning: its calls are known by the addresses that sip.example.ru has when Asterisk",
        ),
        (trunk(more='lines = ["88007707999"]\noutbound = false\n'), "lines: warning: no call leaves by this trunk"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(site: Site, more: str, said: str) -> None:
    site.append("ccserver.toml", more)
    (warning,) = site.warnings()
    assert said in warning


def test_a_carrier_that_cannot_reach_us_is_a_warning(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.append("ccserver.toml", trunk())
    (warning,) = site.warnings()
    assert "host: warning: 192.0.2.10 cannot reach us while asterisk.sip_address is 127.0.0.1" in warning


def test_two_forms_of_one_number_are_one_line(site: Site) -> None:
    site.change("ccserver.toml", 'number = "88007004666"', 'number = "78007707999"')
    (complaint,) = site.complaints()
    assert 'lines[1].number: "78007707999" is taken already by lines[0] on line' in complaint
