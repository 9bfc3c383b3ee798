"""`[[trunks]]`: accounts, addresses, files."""

from tests.unit.planted.fault import Plant, added, fault, main, written

ACCOUNT = 'register = true\nuser = "u"\npassword = "p"\n'


def trunk(more: str = "", name: str = "north", host: str = "192.0.2.10") -> Plant:
    """A trunk; what is not given is right."""
    return added(f'[[trunks]]\nname = "{name}"\ntitle = "x"\nhost = "{host}"\n{more}')


REACHED = main('sip_address = "127.0.0.1"', 'sip_address = "192.0.2.1"')

FAULTS = (
    fault("a trunk of a name of ours", '"udp" is a name of our own: choose another', trunk(name="udp")),
    fault("a trunk for no line", 'lines[0]: there is no line "88001112233"', trunk('lines = ["88001112233"]\n')),
    fault("a codec named twice", 'codecs[1]: "alaw" is named twice', trunk('codecs = ["alaw", "alaw"]\n')),
    fault(
        "lines of a trunk by which nothing leaves",
        "no call leaves by this trunk: its lines say nothing",
        REACHED,
        trunk('lines = ["88007707999"]\noutbound = false\n'),
    ),
    fault(
        "a carrier who cannot reach us", "192.0.2.10 cannot reach us while asterisk.sip_address is 127.0.0.1", trunk()
    ),
    fault(
        "a password file that holds no password",
        "the file must hold the password and nothing else",
        written("pw", ""),
        trunk('register = true\nuser = "u"\npassword_file = "pw"\n'),
    ),
    fault(
        "a password file that is not there",
        "no-such: No such file or directory",
        trunk('user = "u"\npassword_file = "no-such"\n'),
    ),
    fault(
        "two passwords",
        "password_file: there is a password already: one of the two must go",
        trunk(ACCOUNT + 'password_file = "x"\n'),
    ),
    fault(
        "a registration of nobody",
        "user: is missing: a trunk that registers needs its user",
        trunk("register = true\n"),
    ),
    fault("a user without a password", "password: is missing: a user needs his password", trunk('user = "u"\n')),
    fault(
        "a password of nobody",
        "user: is missing: there is a password, and nobody whose it is",
        trunk('password = "p"\n'),
    ),
    fault(
        "a carrier known by name alone",
        "its calls are known by the addresses that sip.example.ru has",
        REACHED,
        trunk(host="sip.example.ru"),
    ),
    fault("TCP that we have not", "transport: we have no TCP of our own", trunk('transport = "tcp"\n')),
    fault("TLS that we have not", "transport: we have no TLS of our own", trunk('transport = "tls"\n')),
    fault("keys in clear", "srtp: the keys would travel in clear", trunk("srtp = true\n")),
    fault("an authority of nothing", "ca_file: there is no certificate to check", trunk('ca_file = "ca.pem"\n')),
    fault(
        "an authority that is none",
        "the file holds no certificate (PEM)",
        written("ca.pem", "x"),
        added("[sip]\ntls_port = 5061\n"),
        trunk('transport = "tls"\nca_file = "ca.pem"\n'),
    ),
    fault(
        "two trunks at one address", "192.0.2.10/32 overlaps with 192.0.2.10/32 of trunk", trunk(), trunk(name="south")
    ),
    fault("one account twice", "registers as u at 192.0.2.10 already", trunk(ACCOUNT), trunk(ACCOUNT, name="south")),
    fault(
        "addresses that are none",
        "addresses[0]: expected an IP address or a network",
        trunk('addresses = ["sip.example.ru"]\n'),
    ),
)
