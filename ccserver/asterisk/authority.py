"""A certificate authority of our own, for phones that speak TLS where nobody has bought a certificate.

    <state>/certificates/ca.pem       what phones are told to trust; nothing secret in it
    <state>/certificates/ca.key       whoever has it can pretend to be us: never leaves the machine
    <state>/certificates/server.pem   what we show phones, signed by it
    <state>/certificates/server.key

Made when TLS is on, no certificate is given, and one of them is missing; the server's is made anew before it runs out
and when the names that phones dial have changed. RSA, because old desk phones know nothing else.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ccserver.asterisk.errors import CertificateUnusable
from ccserver.asterisk.files import write_if_changed
from ccserver.asterisk.keypair import Certificate, Pair, read_private_key, read_usable

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Longer ones are refused by some phones."""
_BITS = 2048
_SKEW = timedelta(hours=1)
"""A phone's clock may be behind ours."""


def authority_pair(state_dir: Path) -> Pair:
    directory = state_dir / "certificates"
    return Pair(directory / "ca.pem", directory / "ca.key")


def server_pair(state_dir: Path) -> Pair:
    directory = state_dir / "certificates"
    return Pair(directory / "server.pem", directory / "server.key")


def ensure(state_dir: Path, names: Sequence[str], renew_before: timedelta, now: datetime) -> bool:
    """Make what is missing, renew what runs out or names others; True when the server's certificate is a new one.

    Raises `CertificateUnusable` when a file that is there makes no sense: nobody but a person may throw an authority
    away, for every phone that trusts it would have to be told of the next.
    """
    authority, server = authority_pair(state_dir), server_pair(state_dir)
    if not authority.certificate.exists() and not authority.key.exists():
        _make_authority(state_dir, authority, now)
    trusted = read_usable(authority)
    if server.certificate.exists() or server.key.exists():
        current = read_usable(server)
        lasts = current.not_after - now > renew_before
        if lasts and not current.lacking(names) and _signed_by(current, trusted):
            return False
    _make_server(state_dir, server, authority, trusted, names, now)
    return True


def _make_authority(state_dir: Path, pair: Pair, now: datetime) -> None:
    key = _new_key()
    # With a number of its own, or a phone that trusted an earlier authority would mistake one for the other.
    number = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ccserver {number % 0x100000000:08x}")])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _builder(name, name, key.public_key(), number, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(state_dir, pair, key, certificate)


def _make_server(
    state_dir: Path, pair: Pair, authority: Pair, trusted: Certificate, names: Sequence[str], now: datetime
) -> None:
    signer = read_private_key(authority.key)
    if not isinstance(signer, rsa.RSAPrivateKey):
        raise CertificateUnusable(authority.key, "not a key that this server made")
    key = _new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        _builder(trusted.x509.subject, subject, key.public_key(), x509.random_serial_number(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write(state_dir, pair, key, certificate)


def _signed_by(certificate: Certificate, authority: Certificate) -> bool:
    try:
        certificate.x509.verify_directly_issued_by(authority.x509)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _builder(
    issuer: x509.Name, subject: x509.Name, key: rsa.RSAPublicKey, number: int, now: datetime, days: int
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer_name=issuer, subject_name=subject, public_key=key, serial_number=number)
    return builder.not_valid_before(now - _SKEW).not_valid_after(now + timedelta(days=days))


def _usage(**granted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: granted.get(name, False) for name in names})


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


def _write(state_dir: Path, pair: Pair, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
    """The key first: a certificate without one would be taken for broken."""
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_if_changed(state_dir, pair.key, encoded)
    write_if_changed(state_dir, pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
