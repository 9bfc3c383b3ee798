"""`access.json` in the state directory: everything a person or a simulated phone needs to connect.

Written at start-up; read by `script/server`, the demo's phones and the tests.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from ccserver.asterisk.authority import authority_pair
from ccserver.asterisk.files import write_if_changed
from ccserver.asterisk.secrets import Secrets
from ccserver.asterisk.settings import CALLER_USER, Instance
from ccserver.config.schema import Encryption


class SipAccess(msgspec.Struct, frozen=True):
    host: str
    port: int
    tls_port: int = 0
    """0: no TLS."""
    trust: str = ""
    """The certificate of our own authority, for phones to trust; empty: they trust it already, or there is no TLS."""


class OperatorAccess(msgspec.Struct, frozen=True):
    extension: str
    password: str
    encryption: Encryption = "off"
    """Of his sound."""


class CallerAccess(msgspec.Struct, frozen=True):
    user: str
    password: str


class HttpAccess(msgspec.Struct, frozen=True):
    url: str
    token: str


class Access(msgspec.Struct, frozen=True):
    """The file as a whole."""

    sip: SipAccess
    lines: list[str]
    operators: list[OperatorAccess]
    caller: CallerAccess
    http: HttpAccess


def access_path(state_dir: Path) -> Path:
    return state_dir / "access.json"


def write_access(
    instance: Instance,
    secrets: Secrets,
    *,
    lines: Sequence[str],
    operators: Sequence[str],
    http_url: str,
    encryption: Mapping[str, Encryption] = MappingProxyType({}),
) -> Access:
    """Write the file, whole and for its owner alone, and return what it says.

    `lines` are the numbers to dial, `operators` extensions that have a password in `secrets`. An instance that
    listens on every address is reached on loopback: that is where this file can be read.
    """
    host = instance.sip_address
    if ipaddress.ip_address(host).is_unspecified:
        host = "127.0.0.1"
    access = Access(
        sip=SipAccess(host, instance.sip_port, instance.sip.tls_port, _trust(instance)),
        lines=list(lines),
        operators=[
            OperatorAccess(extension, secrets.operators[extension], encryption.get(extension, "off"))
            for extension in operators
        ],
        caller=CallerAccess(CALLER_USER, secrets.caller_password),
        http=HttpAccess(http_url, secrets.api_token),
    )
    content = msgspec.json.format(msgspec.json.encode(access), indent=2) + b"\n"
    write_if_changed(instance.state_dir, access_path(instance.state_dir), content)
    return access


def _trust(instance: Instance) -> str:
    if not instance.sip.tls_port or instance.sip.certificate:
        return ""
    return str(authority_pair(instance.state_dir).certificate)


def read_access(state_dir: Path) -> Access:
    """What `write_access` wrote."""
    return msgspec.json.decode(access_path(state_dir).read_bytes(), type=Access)
