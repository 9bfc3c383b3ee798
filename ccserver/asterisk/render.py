"""Configuration files of one Asterisk instance: the templates of asterisk-conf/ with the instance's values in them.

A template is what Asterisk reads, with `@NAME@` where a value goes. Rendering twice touches nothing, so it is done at
every start; files in etc/ that no longer have a template are removed, because Asterisk would go on reading them.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ccserver.asterisk import certificates
from ccserver.asterisk.errors import SetupError, TemplateError
from ccserver.asterisk.files import make_dir, write_if_changed
from ccserver.asterisk.root import HOST_ROOT, AsteriskRoot
from ccserver.asterisk.secrets import Secrets, ensure_secrets
from ccserver.asterisk.settings import (
    AMI_USER,
    ARI_USER,
    CALLER_USER,
    PACKAGE_DIR,
    Instance,
    encode_instance,
    instance_path,
)
from ccserver.asterisk.transports import sip_host, transports
from ccserver.asterisk.trunks import CA_FILE, trunk_authorities, trunks_conf
from ccserver.asterisk.trunks import FILE as TRUNKS_FILE
from ccserver.config.places import CHECKOUT
from ccserver.config.schema import Trunk

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")
# `;` begins a comment and a line break ends the value: either would silently change what Asterisk reads.
_UNSAFE = re.compile(r"[;\x00-\x1f]")


def default_templates_dir() -> Path:
    """asterisk-conf/ of the checkout, or where an installed package keeps its copy."""
    for directory in (CHECKOUT / "asterisk-conf", Path(sys.prefix) / "share/ccserver/asterisk-conf"):
        if directory.is_dir():
            return directory
    raise SetupError(f"no asterisk-conf directory in {CHECKOUT} or {sys.prefix}/share/ccserver")


def prepare(
    instance: Instance,
    root: AsteriskRoot,
    operators: Iterable[str],
    templates_dir: Path | None = None,
    *,
    trunks: Sequence[Trunk] = (),
) -> Secrets:
    """Everything that must lie in the state directory before Asterisk starts; returns the secrets in it.

    Idempotent. `operators` are extensions: each gets a SIP password when it has none yet.
    """
    secrets = ensure_secrets(instance.state_dir, operators)
    for directory in instance.own_dirs():
        make_dir(instance.state_dir, directory)
    render(instance, secrets, templates_dir or default_templates_dir(), trunks)
    _install_agi(instance, root)
    write_if_changed(instance.state_dir, instance_path(instance.state_dir), encode_instance(instance))
    return secrets


def render(instance: Instance, secrets: Secrets, templates_dir: Path, trunks: Sequence[Trunk] = ()) -> list[Path]:
    """Write asterisk/etc/*.conf; returns the files that were touched, removed ones included."""
    values = _values(instance, secrets)
    templates = sorted(templates_dir.glob("*.conf"))
    rendered = {path.name: render_text(path, path.read_text(encoding="utf-8"), values) for path in templates}
    authorities = instance.etc_dir / CA_FILE if any(trunk.transport == "tls" for trunk in trunks) else None
    tls = certificates.install(instance, datetime.now(UTC))
    rendered["transports.conf"] = transports(instance, tls, authorities)
    rendered[TRUNKS_FILE] = trunks_conf(trunks)
    if authorities is not None:
        rendered[CA_FILE] = trunk_authorities(trunks, instance.dialplans_dir)
    touched = [
        path
        for name, text in rendered.items()
        if write_if_changed(instance.state_dir, path := instance.etc_dir / name, text.encode())
    ]
    for stale in (*instance.etc_dir.glob("*.conf"), *instance.etc_dir.glob(CA_FILE)):
        if stale.name not in rendered:
            stale.unlink()
            touched.append(stale)
    return touched


def render_text(path: Path, text: str, values: Mapping[str, str]) -> str:
    """One template with its values; `TemplateError` names the line of a placeholder we have no value for."""

    def value_of(line: int, name: str) -> str:
        if name not in values:
            raise TemplateError(path, line, f"unknown placeholder @{name}@, known are {', '.join(sorted(values))}")
        if _UNSAFE.search(values[name]):
            raise TemplateError(path, line, f"@{name}@ may not hold a semicolon or a line break: {values[name]!r}")
        return values[name]

    return "".join(
        _PLACEHOLDER.sub(lambda match, number=number: value_of(number, match[1]), line)  # type: ignore[misc]
        for number, line in enumerate(text.splitlines(keepends=True), start=1)
    )


def _values(instance: Instance, secrets: Secrets) -> dict[str, str]:
    """Every placeholder a template may use."""
    return {
        "ETC": str(instance.etc_dir),
        "RUN": str(instance.run_dir),
        "LOG": str(instance.log_dir),
        "SPOOL": str(instance.spool_dir),
        "DB": str(instance.db_dir),
        "AGI": str(instance.agi_dir),
        "PROMPTS": str(instance.prompts_dir),
        "CALLBACKS": str(instance.callbacks_dir),
        "DIALPLANS": str(instance.dialplans_dir),
        "HTTP_PORT": str(instance.http_port),
        "AMI_PORT": str(instance.ami_port),
        "SIP_ADDRESS": sip_host(instance),
        "RTP_START": str(instance.rtp_start),
        "RTP_END": str(instance.rtp_end),
        "QUALIFY_S": str(instance.qualify_s),
        "REGISTRATION_S": str(instance.sip.registration_s),
        "RTP_TIMEOUT_S": str(instance.sip.rtp_timeout_s),
        "FALLBACK_TRIES": str(instance.fallback_tries),
        "FALLBACK_WAIT_S": str(instance.fallback_wait_s),
        "ARI_USER": ARI_USER,
        "ARI_PASSWORD": secrets.ari_password,
        "AMI_USER": AMI_USER,
        "AMI_PASSWORD": secrets.ami_password,
        "CALLER_USER": CALLER_USER,
        "CALLER_PASSWORD": secrets.caller_password,
    }


def _install_agi(instance: Instance, root: AsteriskRoot) -> None:
    """A copy of the callback script where Asterisk looks for it, run by a Python that has pyst2.

    A root of its own carries pyst2 for its own Python; an installed Asterisk uses the Python we run in.
    """
    interpreter = sys.executable if root.path == HOST_ROOT else "/usr/bin/python3"
    source = (PACKAGE_DIR / "callback_agi.py").read_text(encoding="utf-8")
    script = f"#!{interpreter}\n{source}".encode()
    write_if_changed(instance.state_dir, instance.agi_dir / "callback", script, mode=0o700)
