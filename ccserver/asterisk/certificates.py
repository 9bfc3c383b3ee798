"""The certificate that phones are shown: found, checked, given to Asterisk, and watched until it runs out.

It is the one named in `[sip]`, else one of our own authority (`authority`). Asterisk gets a copy in its own directory,
because it runs as another user in a root of its own and could read neither /etc nor root's keys.

What is wrong with it never keeps calls away: without a usable certificate TLS stays off and plain SIP starts, and one
that is expired or for another name is shown all the same, for phones that do not verify it go on. It is told by
`ccserver check`, the doctor, an alarm on the status page, and whoever starts Asterisk.
"""

import contextlib
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from ccserver.asterisk import authority
from ccserver.asterisk.errors import CertificateUnusable
from ccserver.asterisk.files import write_if_changed
from ccserver.asterisk.keypair import Certificate, Pair, read_usable
from ccserver.asterisk.settings import Instance

MAKE = "ccserver certificates make"
TELL_ASTERISK = "ccserver asterisk render && ccserver asterisk console module reload res_pjsip.so"
"""Phones that are connected stay so; the next to connect is shown the new one."""
_LOOK_EVERY = timedelta(minutes=1)


def source_pair(instance: Instance) -> Pair:
    """Where the certificate and its key are kept: as configured, or our own."""
    if instance.sip.certificate:
        return Pair(Path(instance.sip.certificate), Path(instance.sip.private_key))
    return authority.server_pair(instance.state_dir)


def installed_pair(instance: Instance) -> Pair:
    """What Asterisk reads."""
    return Pair(instance.etc_dir / "tls" / "certificate.pem", instance.etc_dir / "tls" / "private.key")


def dialled_names(instance: Instance) -> list[str]:
    """What phones have as their server, as far as the configuration tells: these the certificate must be for."""
    sip = instance.sip
    if sip.tls_names:
        return list(sip.tls_names)
    if sip.external_address:
        return [sip.external_address]
    return [] if ip_address(instance.sip_address).is_unspecified else [instance.sip_address]


def own_names(instance: Instance) -> list[str]:
    """Everything a certificate of our own authority is for: what phones dial, and what this machine is called."""
    names = [*dialled_names(instance)]
    if instance.sip.external_address:
        names.append(instance.sip.external_address)
    if ip_address(instance.sip_address).is_unspecified:
        names += [socket.gethostname(), *_own_address()]
    else:
        names.append(instance.sip_address)
    return list(dict.fromkeys([*names, "localhost", "127.0.0.1"]))


def make(instance: Instance, now: datetime) -> bool:
    """Make or renew our own; True when there is a new one. With a given certificate there is nothing to make."""
    if instance.sip.certificate:
        return False
    renew_before = timedelta(days=instance.sip.expiry_warning_days)
    return authority.ensure(instance.state_dir, own_names(instance), renew_before, now)


def install(instance: Instance, now: datetime) -> Pair | None:
    """Give Asterisk its copy; None when TLS is off, or has to stay so because there is nothing usable.

    A damaged certificate does not drive out the copy that was good when it was made.
    """
    if not instance.sip.tls_port:
        return None
    installed = installed_pair(instance)
    with contextlib.suppress(CertificateUnusable):
        make(instance, now)
    with contextlib.suppress(CertificateUnusable):
        source = source_pair(instance)
        read_usable(source)
        write_if_changed(instance.state_dir, installed.key, source.key.read_bytes())
        write_if_changed(instance.state_dir, installed.certificate, source.certificate.read_bytes())
    try:
        read_usable(installed)
    except CertificateUnusable:
        return None
    return installed


def problem(instance: Instance, now: datetime) -> str:
    """What a person has to do something about, in one line that names file and cause; empty when TLS is off or well."""
    if not instance.sip.tls_port:
        return ""
    source, installed = source_pair(instance), installed_pair(instance)
    shown = _usable(installed)
    try:
        known = read_usable(source)
    except CertificateUnusable as error:
        if shown is None:
            return f"{error}: phones cannot use TLS"
        if not _may_not_be_read(source):  # the daemon need not see the admin's key: the copy is what counts
            return f"{error}: Asterisk goes on with the one it has"
        known = Certificate(source.certificate, shown.x509)
    if shown is None or shown.x509 != known.x509:
        return f"{source.certificate}: Asterisk does not have it yet: {TELL_ASTERISK}"
    return known.flaw(dialled_names(instance), now, instance.sip.expiry_warning_days)


def worry(instance: Instance, now: datetime) -> str:
    """`problem`, also before Asterisk was ever set up: what the first start will make or copy is none."""
    if not instance.sip.tls_port or installed_pair(instance).certificate.exists():
        return problem(instance, now)
    if not instance.sip.certificate:
        return ""
    try:
        known = read_usable(source_pair(instance))
    except CertificateUnusable as error:
        return f"{error}: phones cannot use TLS"
    return known.flaw(dialled_names(instance), now, instance.sip.expiry_warning_days)


def watch(instance: Instance, now: Callable[[], float]) -> Callable[[], str]:
    """`problem` for the status page, which asks often: looked at once a minute. `now`: UTC epoch seconds."""
    looked_at: datetime | None = None
    text = ""

    def look() -> str:
        nonlocal looked_at, text
        at = datetime.fromtimestamp(now(), UTC)
        if looked_at is None or at - looked_at >= _LOOK_EVERY:
            looked_at, text = at, problem(instance, at)
        return text

    return look


def told(instance: Instance, now: datetime) -> str:
    """For a person: what phones are shown, until when, and what they must trust."""
    if not instance.sip.tls_port:
        return "TLS is off: set sip.tls_port"
    certificate = read_usable(source_pair(instance))
    lines = [
        f"certificate   {certificate.path}",
        f"for           {', '.join(certificate.names) or 'no host at all'}",
        f"valid         {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d},"
        f" {(certificate.not_after - now).days} days from now",
        f"issued by     {certificate.issuer}",
        f"fingerprint   {certificate.fingerprint}",
    ]
    if not instance.sip.certificate:
        trusted = authority.authority_pair(instance.state_dir).certificate
        lines.append(f"to be trusted by phones: {trusted}")
    return "\n".join(lines)


def perform(action: str, instance: Instance, now: datetime) -> int:
    """`ccserver certificates make|show|check`; the exit code."""
    if action == "make" and instance.sip.tls_port:
        if instance.sip.certificate:
            raise CertificateUnusable(
                Path(instance.sip.certificate), "given in sip.certificate: whoever made it renews it"
            )
        if make(instance, now):
            print(f"made; Asterisk is told by: {TELL_ASTERISK}\n")
    if action in ("make", "show"):
        print(told(instance, now))
    elif text := problem(instance, now):
        print(f"ccserver: {text}", file=sys.stderr)
        return 1
    else:
        print("TLS is off" if not instance.sip.tls_port else f"{source_pair(instance).certificate}: nothing is wrong")
    return 0


def _usable(pair: Pair) -> Certificate | None:
    try:
        return read_usable(pair)
    except CertificateUnusable:
        return None


def _may_not_be_read(pair: Pair) -> bool:
    try:
        for path in (pair.certificate, pair.key):
            path.open("rb").close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _own_address() -> list[str]:
    """The address that this machine shows the world, if it has a way there; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return [str(probe.getsockname()[0])]
    return []
