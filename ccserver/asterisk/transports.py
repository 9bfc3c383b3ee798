"""`transports.conf`, which `pjsip.conf` includes: where SIP is listened for, what the world is told of it, who may ask at all.

Rendered by code and not from a template, because how many sections there are depends on `[sip]`.
"""

from collections.abc import Iterator
from pathlib import Path

from ccserver.asterisk.keypair import Pair
from ccserver.asterisk.settings import Instance

_ALL_NETS = ("0.0.0.0/0", "::/0")
_TLS_METHOD = "sslv23"
"""OpenSSL's old name for the best that both know: TLS 1.3 or 1.2. By its own name each would be the only one."""


def transports(instance: Instance, tls: Pair | None, trunk_authorities: Path | None = None) -> str:
    """The file; `tls` is what Asterisk shows, None while TLS is off; `trunk_authorities` certify trunks, None: there are none."""
    return "\n".join(_lines(instance, tls, trunk_authorities)) + "\n"


def sip_host(instance: Instance) -> str:
    """Its own address, as a URI writes it."""
    return f"[{instance.sip_address}]" if ":" in instance.sip_address else instance.sip_address


def _lines(instance: Instance, tls: Pair | None, trunk_authorities: Path | None) -> Iterator[str]:
    sip = instance.sip
    yield "; Rendered from [asterisk] and [sip] of ccserver.toml: edit that."
    yield from _transport("udp", "udp", instance, instance.sip_port)
    if sip.tcp:
        yield from _transport("tcp", "tcp", instance, instance.sip_port)
    if tls is not None:
        yield from _transport("tls", "tls", instance, sip.tls_port)
        yield f"method = {_TLS_METHOD}"
        yield f"cert_file = {tls.certificate}"
        yield f"priv_key_file = {tls.key}"
        if trunk_authorities is not None:
            # Of servers that we connect to, which are trunks; phones connect to us, and are asked for no certificate.
            yield f"ca_list_file = {trunk_authorities}"
            yield "verify_server = yes"
        # Read again at `module reload res_pjsip.so`, when the certificate was renewed.
        yield "allow_reload = yes"
    if sip.allow_nets or sip.deny_nets:
        yield from _access_list(instance)


def _transport(name: str, protocol: str, instance: Instance, port: int) -> Iterator[str]:
    sip = instance.sip
    yield ""
    yield f"[{name}]"
    yield "type = transport"
    yield f"protocol = {protocol}"
    yield f"bind = {sip_host(instance)}:{port}"
    if sip.external_address:
        # Asterisk keeps asking for the name (dnsmgr.conf): an address given by the provider changes.
        yield f"external_media_address = {sip.external_address}"
        yield f"external_signaling_address = {sip.external_address}"
        yield from (f"local_net = {net}" for net in sip.local_nets)


def _access_list(instance: Instance) -> Iterator[str]:
    """The last rule that fits counts. Who may not ask is answered 403 before anything else is looked at."""
    yield ""
    yield "[nets]"
    yield "type = acl"
    if instance.sip.allow_nets:
        yield from (f"deny = {net}" for net in _ALL_NETS)
        yield from (f"permit = {net}" for net in instance.sip.allow_nets)
    yield from (f"deny = {net}" for net in instance.sip.deny_nets)
