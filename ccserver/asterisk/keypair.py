"""A certificate and its key, as they lie in files: what is in them, and what is wrong with them.

Knows nothing of where they come from (`authority`, an admin) and what they are for (`certificates`).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from ccserver.asterisk.errors import CertificateUnusable

MAX_BYTES = 1 << 20
"""No chain is that long; whoever names a log or a device gets a clear line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate, with its chain, and its private key lie; both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """One that could be read."""

    path: Path
    x509: x509.Certificate

    @property
    def not_before(self) -> datetime:
        return self.x509.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        return self.x509.not_valid_after_utc

    @property
    def names(self) -> tuple[str, ...]:
        """Host names and addresses it is for."""
        try:
            extension = self.x509.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return ()
        value = extension.value
        addresses = [str(address) for address in value.get_values_for_type(x509.IPAddress)]
        return (*value.get_values_for_type(x509.DNSName), *addresses)

    @property
    def fingerprint(self) -> str:
        """SHA-256, as phones show it."""
        return self.x509.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def issuer(self) -> str:
        return self.x509.issuer.rfc4514_string()

    def lacking(self, wanted: Iterable[str]) -> list[str]:
        """Those of `wanted` that a phone which verifies would not accept."""
        names = [name.lower() for name in self.names]
        return [name for name in wanted if not any(_covers(has, name.lower()) for has in names)]

    def flaw(self, wanted: Sequence[str], now: datetime, warning_days: int) -> str:
        """What is wrong with it at this moment, in words that name the file; empty when nothing is."""
        day = f"{self.not_after:%Y-%m-%d}"
        if now >= self.not_after:
            return f"{self.path}: expired on {day}: phones that verify it refuse to connect"
        if now < self.not_before:
            return f"{self.path}: not valid before {self.not_before:%Y-%m-%d %H:%M} UTC: is this machine's clock right?"
        if lacking := self.lacking(wanted):
            names = ", ".join(self.names) or "no host at all"
            return f"{self.path}: is for {names}, not for {', '.join(lacking)}: phones that verify it refuse to connect"
        left = (self.not_after - now).days
        if left < warning_days:
            return f"{self.path}: expires on {day}, in {left} day{'' if left == 1 else 's'}"
        return ""


def read_certificate(path: Path) -> Certificate:
    """The first certificate of the file, which must be whole to its end; `CertificateUnusable` names file and cause."""
    content = _content(path, "certificate")
    try:
        chain = x509.load_pem_x509_certificates(content)
        _ = [each.extensions for each in chain]
    except ValueError as error:
        raise CertificateUnusable(path, _why_not(content, "CERTIFICATE", error)) from None
    if content.count(b"-----BEGIN") != content.count(b"-----END"):
        raise CertificateUnusable(path, "cut short: its last certificate has no end")
    return Certificate(path, chain[0])


def read_private_key(path: Path) -> PrivateKeyTypes:
    """A key without a password, for nobody is there to type one when Asterisk starts."""
    content = _content(path, "private key")
    try:
        return serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise CertificateUnusable(path, "is locked with a password: Asterisk cannot ask for it") from None
    except ValueError as error:
        raise CertificateUnusable(path, _why_not(content, "PRIVATE KEY", error)) from None


def read_usable(pair: Pair) -> Certificate:
    """The certificate, if Asterisk can use it: both files can be read and belong together."""
    certificate, key = read_certificate(pair.certificate), read_private_key(pair.key)
    if _public(certificate.x509.public_key()) != _public(key.public_key()):
        raise CertificateUnusable(pair.key, f"does not belong to {pair.certificate}")
    return certificate


def _public(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _content(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CertificateUnusable(path, f"there is no such {what}") from None
    except OSError as error:
        raise CertificateUnusable(path, f"the {what} cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise CertificateUnusable(path, f"too big for a {what}")
    return content


def _why_not(content: bytes, kind: str, error: ValueError) -> str:
    if not content.strip():
        return "is empty"
    if kind.encode() not in content:
        return f"no {kind} in it: is it PEM?"
    if content.count(b"-----BEGIN") != content.count(b"-----END"):
        return f"cut short: BEGIN without END of a {kind}"
    return f"damaged: {str(error).splitlines()[0][:200]}"


def _covers(has: str, wanted: str) -> bool:
    """RFC 6125: a star stands for the first label, and never for a part of an address."""
    if has == wanted:
        return True
    try:
        ipaddress.ip_address(wanted)
    except ValueError:
        return has.startswith("*.") and wanted.partition(".")[2] == has[2:]
    return False
