"""What must fit together in `[sip]`: networks, names, certificates, encryption that anybody could read. For `crosscheck`."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from ccserver.config import schema
from ccserver.config.errors import shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath

Net = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOST = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\Z")


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Whether it can be a name in DNS; what looks like an IP address and is none cannot."""
    return bool(_HOST.match(text)) and not re.fullmatch(r"[0-9.]+", text)


def is_net(text: str) -> bool:
    """Whether it is a network or an address."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def check_sip(main: schema.Main, document: Document, found: Findings) -> None:
    """Errors and warnings about `[sip]` and the operators' encryption."""
    sip = main.sip
    if sip.external_address and not (is_address(sip.external_address) or is_host_name(sip.external_address)):
        message = f"expected an IP address or a host name, got {shown(sip.external_address)}"
        found.error(document, ("sip", "external_address"), message)
    for position, name in enumerate(sip.tls_names):
        if not (is_address(name) or is_host_name(name)):
            message = f"expected a host name or an IP address, got {shown(name)}"
            found.error(document, ("sip", "tls_names", position), message)
    for field in ("local_nets", "allow_nets", "deny_nets"):
        _check_nets(getattr(sip, field), field, document, found)
    if not found.any_error:
        _check_trunks(main, document, found)
    _check_certificate(sip, document, found)
    if not sip.tls_port:
        _check_encryption(main, document, found)


def effective_encryption(main: schema.Main) -> Mapping[str, schema.Encryption]:
    """By extension: the operator's own, else that of `[sip]`."""
    return {operator.extension: operator.encryption or main.sip.encryption for operator in main.operators}


def _check_nets(nets: Sequence[str], field: str, document: Document, found: Findings) -> None:
    for position, net in enumerate(nets):
        try:
            ipaddress.ip_network(net)
        except ValueError as error:
            near = ""
            if "host bits" in str(error):
                near = f": did you mean {ipaddress.ip_network(net, strict=False)}?"
            message = f'expected a network like "192.168.0.0/16" or one address, got {shown(net)}{near}'
            found.error(document, ("sip", field, position), message)


def _check_trunks(main: schema.Main, document: Document, found: Findings) -> None:
    """The access list is asked before anybody is known: a trunk that it does not let in is answered 403."""
    allowed, denied = map(_nets, (main.sip.allow_nets, main.sip.deny_nets))
    for position, trunk in enumerate(main.trunks):
        for address in trunk.addresses or (trunk.host,):
            if not is_net(address):
                continue
            (net,) = _nets((address,))
            barred = (
                "sip.allow_nets does not have it" if allowed and not any(_within(net, each) for each in allowed) else ""
            )
            if any(_within(net, each) for each in denied):
                barred = "sip.deny_nets has it"
            if barred:
                message = f"calls of {trunk.name} come from {address}, and {barred}: they would be refused with 403"
                found.warn(document, ("trunks", position), message)


def _nets(texts: Iterable[str]) -> tuple[Net, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def _within(net: Net, other: Net) -> bool:
    return net.version == other.version and other.supernet_of(net)  # type: ignore[arg-type]


def _check_certificate(sip: schema.Sip, document: Document, found: Findings) -> None:
    given = {"certificate": sip.certificate, "private_key": sip.private_key}
    for one, other in (("certificate", "private_key"), ("private_key", "certificate")):
        if given[one] and not given[other]:
            found.error(document, ("sip", one), f"sip.{other} is missing: the two belong together")
    if not sip.tls_port and (sip.certificate or sip.tls_names):
        found.warn(
            document, ("sip", "certificate" if sip.certificate else "tls_names"), "TLS is off: sip.tls_port is 0"
        )


def _check_encryption(main: schema.Main, document: Document, found: Findings) -> None:
    message = "the keys of encrypted sound travel in SIP, where anybody could read them without TLS: set sip.tls_port"
    if main.sip.encryption != "off":
        found.error(document, ("sip", "encryption"), message)
    for position, operator in enumerate(main.operators):
        if operator.encryption not in (None, "off"):
            path: KeyPath = ("operators", position, "encryption")
            found.error(document, path, message)
