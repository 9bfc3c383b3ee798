"""What must fit together in `[[trunks]]`: names, accounts, addresses, files. Called by `load`."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from ccserver.config import schema
from ccserver.config.conform import conforms
from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath
from ccserver.core.numbers import canonical

RESERVED = ("anonymous", "caller", "global", "phone", "system", "tcp", "tls", "udp")
"""Sections of asterisk-conf/pjsip.conf: a trunk of that name would be taken for one of them."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_trunks(main: schema.Main, document: Document, found: Findings) -> None:
    """Everything that needs no other file; tells `found`."""
    numbers = {canonical(line.number, main.rules.region): line.number for line in main.lines}
    for position, trunk in enumerate(main.trunks):
        path: KeyPath = ("trunks", position)
        if trunk.name in RESERVED:
            found.error(document, (*path, "name"), f"{shown(trunk.name)} is a name of our own: choose another")
        _check_account(trunk, path, document, found)
        _check_security(trunk, path, main.sip, document, found)
        for place, number in enumerate(trunk.lines):
            if canonical(number, main.rules.region) not in numbers:
                near = did_you_mean(number, numbers.values()) or f"; there are {listed(numbers.values()) or 'none'}"
                found.error(document, (*path, "lines", place), f"there is no line {shown(number)}{near}")
        for place, codec in enumerate(trunk.codecs):
            if codec in trunk.codecs[:place]:
                found.error(document, (*path, "codecs", place), f"{shown(codec)} is named twice")
        if trunk.lines and not trunk.outbound:
            found.warn(document, (*path, "lines"), "no call leaves by this trunk: its lines say nothing")
        if _is_loopback(main.asterisk.sip_address) and not _is_loopback(trunk.host):
            message = f"{trunk.host} cannot reach us while asterisk.sip_address is {main.asterisk.sip_address}"
            found.warn(document, (*path, "host"), message)
    _check_apart(main.trunks, document, found)


def with_passwords(trunks: Sequence[schema.Trunk], document: Document, found: Findings) -> tuple[schema.Trunk, ...]:
    """The trunks with what their `password_file` says; a file that cannot be read or says nonsense goes to `found`."""
    return tuple(
        replace(trunk, password=_password(trunk, ("trunks", position, "password_file"), document, found))
        for position, trunk in enumerate(trunks)
    )


def _password(trunk: schema.Trunk, path: KeyPath, document: Document, found: Findings) -> str:
    if not trunk.password_file:
        return trunk.password
    text = _read(trunk.password_file, path, document, found)
    if text is None:
        return ""
    password = text.removesuffix("\n").removesuffix("\r")
    if not password or not conforms(password, schema.Password):
        found.error(document, path, "the file must hold the password and nothing else, on one line")
        return ""
    return password


def _check_account(trunk: schema.Trunk, path: KeyPath, document: Document, found: Findings) -> None:
    if trunk.password and trunk.password_file:
        found.error(document, (*path, "password_file"), "there is a password already: one of the two must go")
    has_password = bool(trunk.password or trunk.password_file)
    if trunk.register and not trunk.user:
        found.error(document, (*path, "user"), "is missing: a trunk that registers needs its user")
    if trunk.user and not has_password:
        found.error(document, (*path, "password"), "is missing: a user needs his password, or a password_file")
    if has_password and not trunk.user:
        found.error(document, (*path, "user"), "is missing: there is a password, and nobody whose it is")
    if not trunk.register and not trunk.addresses and not _is_address(trunk.host):
        message = (
            f"its calls are known by the addresses that {trunk.host} has when Asterisk reads them: write addresses"
        )
        found.warn(document, (*path, "host"), message)


def _check_security(trunk: schema.Trunk, path: KeyPath, sip: schema.Sip, document: Document, found: Findings) -> None:
    if trunk.transport == "tcp" and not sip.tcp:
        found.error(document, (*path, "transport"), "we have no TCP of our own: expected tcp = true in [sip] with it")
    if trunk.transport == "tls" and not sip.tls_port:
        found.error(document, (*path, "transport"), "we have no TLS of our own: expected tls_port in [sip] with it")
    if trunk.srtp and trunk.transport != "tls":
        found.error(document, (*path, "srtp"), 'the keys would travel in clear: expected transport = "tls" with it')
    if trunk.ca_file and trunk.transport != "tls":
        found.error(
            document, (*path, "ca_file"), 'there is no certificate to check: expected transport = "tls" with it'
        )
    elif trunk.ca_file:
        text = _read(trunk.ca_file, (*path, "ca_file"), document, found)
        if text is not None and "-----BEGIN CERTIFICATE-----" not in text:
            found.error(document, (*path, "ca_file"), "the file holds no certificate (PEM)")


def _check_apart(trunks: Sequence[schema.Trunk], document: Document, found: Findings) -> None:
    """A call is its trunk's by the address it comes from, or by the account it is for: both must be one trunk's alone."""
    known: list[tuple[int, Network]] = []
    accounts: dict[tuple[str, str], int] = {}
    for position, trunk in enumerate(trunks):
        for path, network in _networks(trunk, position, document, found):
            for other, taken in known:
                if other != position and network.version == taken.version and network.overlaps(taken):
                    message = (
                        f"{network.with_prefixlen} overlaps with {taken.with_prefixlen} of trunk "
                        f"{shown(trunks[other].name)}: a call from it could be either's"
                    )
                    found.error(document, path, message)
                    break
            known.append((position, network))
        if trunk.register:
            account = (trunk.from_user or trunk.user, trunk.host)
            if account in accounts:
                other = accounts[account]
                message = f"trunk {shown(trunks[other].name)} registers as {account[0]} at {account[1]} already"
                found.error(document, ("trunks", position, "user"), message)
            accounts.setdefault(account, position)


def _networks(trunk: schema.Trunk, position: int, document: Document, found: Findings) -> list[tuple[KeyPath, Network]]:
    """The addresses that a trunk's calls come from, each with the field that says so."""
    networks: list[tuple[KeyPath, Network]] = []
    for place, address in enumerate(trunk.addresses):
        path: KeyPath = ("trunks", position, "addresses", place)
        try:
            networks.append((path, ipaddress.ip_network(address)))
        except ValueError:
            message = f'expected an IP address or a network, like "192.0.2.10" or "192.0.2.0/24", got {shown(address)}'
            found.error(document, path, message)
    if not trunk.addresses and not trunk.register and _is_address(trunk.host):
        networks.append((("trunks", position, "host"), ipaddress.ip_network(trunk.host)))
    return networks


def _read(name: str, path: KeyPath, document: Document, found: Findings) -> str | None:
    file = document.file.parent / Path(name)
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(1 << 20)
    except (OSError, ValueError) as error:
        reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is no text"
        found.error(document, path, f"{file}: {reason}")
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
