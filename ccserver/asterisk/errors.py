"""What can be wrong with Asterisk or its set-up; each message is one line for the person who must mend it.

AsteriskError
├── AsteriskMissing      no Asterisk at all, or no root where one was named
├── AsteriskTooOld       there is one, but not of the version we need
├── NotPermitted         this user may not chroot or mount
├── SetupError           nothing was started
│   ├── TemplateError    a template in asterisk-conf/ cannot be rendered: file and line
│   ├── SecretsError     secrets.toml cannot be read: file and field
│   ├── CertificateUnusable  a certificate or key that Asterisk could not use: file and cause
│   ├── PathRefused      a path that Asterisk could not see from inside its root
│   └── PortTaken        port, and the configuration key that chose it
├── AlreadyRunning       this instance is up
├── NotRunning           this instance is down
└── StartFailed          it was started and did not come up; the log says why
"""

from pathlib import Path

WHERE_FROM = "run script/asterisk-root"


class AsteriskError(Exception):
    """Base of everything in this package that the user can do something about."""


class AsteriskMissing(AsteriskError):
    """There is no Asterisk to run."""

    def __init__(self, where: Path | None) -> None:
        place = f"in {where}" if where else "installed, and no root was made for it"
        super().__init__(f"no Asterisk {place}: {WHERE_FROM}")


class AsteriskTooOld(AsteriskError):
    """The Asterisk that is there lacks what we rely on."""

    def __init__(self, found: str, wanted: str, where: Path) -> None:
        place = "installed here" if where == Path("/") else f"in {where}"
        super().__init__(f"Asterisk {found} {place} is too old, {wanted} or newer is needed: {WHERE_FROM}")


class NotPermitted(AsteriskError):
    """An Asterisk in a root of its own needs chroot and mount, hence root."""


class SetupError(AsteriskError):
    """Something must be mended before anything can be started."""


class TemplateError(SetupError):
    """A template cannot be rendered."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


class SecretsError(SetupError):
    """secrets.toml is not what we wrote."""


class CertificateUnusable(SetupError):
    """A certificate or its key cannot be used."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"{path}: {cause}")


class PathRefused(SetupError):
    """A directory lies where it cannot be shown to Asterisk."""


class PortTaken(SetupError):
    """Another program has the port that Asterisk is to listen on."""

    def __init__(self, address: str, port: int, protocol: str, key: str) -> None:
        super().__init__(f"{protocol} port {port} on {address} is taken: stop the other program or change {key}")


class AlreadyRunning(AsteriskError):
    """This instance is up already."""

    def __init__(self, pid: int, state_dir: Path) -> None:
        super().__init__(f"Asterisk of {state_dir} is already running, pid {pid}")


class NotRunning(AsteriskError):
    """This instance is down."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"Asterisk of {state_dir} is not running")


class StartFailed(AsteriskError):
    """Asterisk was started but did not come up."""
