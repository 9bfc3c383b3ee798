"""Which Asterisk: the one installed on this machine, or one in a root directory of its own.

`script/asterisk-root` makes that directory and applies the same rule: CCSERVER_ASTERISK_ROOT decides when it is set,
else an installed Asterisk that is new enough, else /var/cache/ccserver/asterisk-22.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ccserver.asterisk.errors import AsteriskMissing, AsteriskTooOld, NotPermitted

HOST_ROOT = Path("/")
DEFAULT_ROOT = Path("/var/cache/ccserver/asterisk-22")
WANTED = (22, 10)
"""Reportable channel variables over ARI came with 22.10; reconciling after a gap stands on them."""

_VERSION = re.compile(r"^Asterisk (\d+)\.(\d+)\S*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AsteriskRoot:
    """An Asterisk that can be started. `path` is `/` for an installed one."""

    path: Path
    binary: Path
    """As seen from inside `path`."""
    version: str

    @property
    def is_host(self) -> bool:
        return self.path == HOST_ROOT


def find_root(explicit: Path | None = None, environ: Mapping[str, str] = os.environ) -> AsteriskRoot:
    """The Asterisk to use; `AsteriskMissing` or `AsteriskTooOld` says what to do instead."""
    if explicit is None and (named := environ.get("CCSERVER_ASTERISK_ROOT")):
        explicit = Path(named)
    if explicit is not None:
        return inspect_root(explicit)
    try:
        return inspect_root(HOST_ROOT)
    except (AsteriskMissing, AsteriskTooOld) as error:
        if (DEFAULT_ROOT / "usr/sbin/asterisk").exists():
            return inspect_root(DEFAULT_ROOT)
        if isinstance(error, AsteriskTooOld):
            raise
        raise AsteriskMissing(None) from None


def inspect_root(path: Path) -> AsteriskRoot:
    """Ask the Asterisk in this root for its version and compare it with what we need."""
    path = path.resolve()
    binary = _binary_in(path)
    if binary is None:
        raise AsteriskMissing(path)
    command = [str(binary), "-V"]
    if path != HOST_ROOT:
        if os.geteuid() != 0:
            raise NotPermitted(f"Asterisk in {path} needs chroot and mount: run this as root, or install Asterisk")
        command = ["chroot", str(path), *command]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        raise AsteriskMissing(path) from None
    match = _VERSION.search(answer.stdout)
    if answer.returncode or not match:
        raise AsteriskMissing(path)
    wanted = ".".join(map(str, WANTED))
    if (int(match[1]), int(match[2])) < WANTED:
        raise AsteriskTooOld(match[0].removeprefix("Asterisk "), wanted, path)
    return AsteriskRoot(path, binary, match[0].removeprefix("Asterisk "))


def _binary_in(path: Path) -> Path | None:
    if path == HOST_ROOT:
        found = shutil.which("asterisk", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        return Path(found) if found else None
    for candidate in (Path("/usr/sbin/asterisk"), Path("/usr/local/sbin/asterisk")):
        if (path / candidate.relative_to("/")).exists():
            return candidate
    return None
