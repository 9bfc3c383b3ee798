"""One Asterisk instance: where its files are and which ports it listens on.

`Instance` is built by the command line from `ccserver.toml`, by tests from free ports, and read back with
`load_instance` by those who only have the state directory (stop, status, rescue).
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ccserver.asterisk.errors import SetupError
from ccserver.config.load import Config
from ccserver.config.places import CHECKOUT, in_checkout
from ccserver.config.schema import Asterisk, Sip

ARI_USER = "ccserver"
AMI_USER = "ccserver"
CALLER_USER = "caller"
"""The endpoint that dials our lines without a trunk."""

PACKAGE_DIR = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Where one Asterisk lives and listens; ARI and AMI are always on 127.0.0.1.

    Surprises: every path is made absolute and free of links, because Asterisk must see the same one from inside its
    root; Asterisk runs as the owner of the state directory.
    """

    state_dir: Path
    dialplans_dir: Path
    """The configuration directory: its *.conf are the dialplan."""
    http_port: int = 8088
    ami_port: int = 5038
    sip_address: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_start: int = 10000
    rtp_end: int = 19999
    qualify_s: int = Asterisk().qualify_s
    fallback_tries: int = 10
    fallback_wait_s: int = 3
    sip: Sip = field(default_factory=Sip)
    """How it is reached beyond the local network; its paths are absolute."""
    shown_dirs: tuple[Path, ...] = ()
    """Further directories that Asterisk may read, at the same absolute path."""

    def __post_init__(self) -> None:
        for name in ("state_dir", "dialplans_dir"):
            object.__setattr__(self, name, getattr(self, name).resolve())
        object.__setattr__(self, "shown_dirs", tuple(path.resolve() for path in self.shown_dirs))

    @property
    def asterisk_dir(self) -> Path:
        return self.state_dir / "asterisk"

    @property
    def etc_dir(self) -> Path:
        return self.asterisk_dir / "etc"

    @property
    def conf_path(self) -> Path:
        return self.etc_dir / "asterisk.conf"

    @property
    def run_dir(self) -> Path:
        return self.asterisk_dir / "run"

    @property
    def log_dir(self) -> Path:
        return self.asterisk_dir / "log"

    @property
    def spool_dir(self) -> Path:
        return self.asterisk_dir / "spool"

    @property
    def db_dir(self) -> Path:
        return self.asterisk_dir / "db"

    @property
    def agi_dir(self) -> Path:
        return self.asterisk_dir / "agi-bin"

    @property
    def pid_path(self) -> Path:
        return self.run_dir / "ccserver-asterisk.pid"

    @property
    def console_log_path(self) -> Path:
        """What Asterisk says before and beside its own log: the place to look when it does not start."""
        return self.log_dir / "console.log"

    @property
    def message_log_path(self) -> Path:
        return self.log_dir / "messages.log"

    @property
    def cel_path(self) -> Path:
        return self.log_dir / "cel-custom" / "ccserver.csv"

    @property
    def prompts_dir(self) -> Path:
        return self.state_dir / "prompts"

    @property
    def callbacks_dir(self) -> Path:
        """Callback requests that the fallback took: one JSON file each."""
        return self.state_dir / "callbacks"

    @property
    def raw_recordings_dir(self) -> Path:
        return self.state_dir / "recordings" / "raw"

    @property
    def sip_host(self) -> str:
        """Where a program of this machine reaches its SIP port."""
        return "127.0.0.1" if self.sip_address == "0.0.0.0" else "::1" if self.sip_address == "::" else self.sip_address

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/ari"

    def own_dirs(self) -> tuple[Path, ...]:
        """Every directory that must exist before Asterisk starts; it makes none of them itself."""
        return (
            self.etc_dir,
            self.run_dir,
            self.db_dir,
            self.agi_dir,
            self.cel_path.parent,
            self.spool_dir / "recording",  # without it every ARI recording is answered 500
            self.spool_dir / "monitor",
            self.spool_dir / "tmp",
            self.spool_dir / "cache",
            self.prompts_dir,
            self.callbacks_dir,
            self.raw_recordings_dir,
        )


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """`Instance` as it lies in the state directory: no secrets in it."""

    dialplans_dir: str
    http_port: int
    ami_port: int
    sip_address: str
    sip_port: int
    rtp_start: int
    rtp_end: int
    qualify_s: int
    fallback_tries: int
    fallback_wait_s: int
    shown_dirs: list[str]
    sip: Sip = Sip()
    """Absent in what an older version saved."""


def default_shown_dirs() -> tuple[Path, ...]:
    """The checkout, when we run from one: dialplans and prompts in it are at the same path inside and outside."""
    return (CHECKOUT,) if in_checkout() else ()


def instance_path(state_dir: Path) -> Path:
    return state_dir / "asterisk" / "instance.json"


def encode_instance(instance: Instance) -> bytes:
    """For `load_instance`; everything but the state directory, which is where the file lies."""
    fields = {name: getattr(instance, name) for name in _Saved.__struct_fields__}
    fields["dialplans_dir"] = str(instance.dialplans_dir)
    fields["shown_dirs"] = [str(path) for path in instance.shown_dirs]
    return msgspec.json.format(msgspec.json.encode(_Saved(**fields))) + b"\n"


def load_instance(state_dir: Path) -> Instance:
    """The instance that was last rendered into this state directory; `SetupError` if there is none."""
    path = instance_path(state_dir)
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_Saved)
    except FileNotFoundError:
        raise SetupError(f"{state_dir}: no Asterisk was set up here, run: ccserver asterisk start") from None
    except (OSError, msgspec.DecodeError) as error:
        raise SetupError(f"{path}: {error}") from None
    values = {name: getattr(saved, name) for name in _Saved.__struct_fields__}
    values["dialplans_dir"] = Path(saved.dialplans_dir)
    values["shown_dirs"] = tuple(Path(name) for name in saved.shown_dirs)
    return Instance(state_dir=state_dir, **values)


def instance_of(config: Config) -> Instance:
    """The Asterisk that the configuration describes."""
    asterisk = config.asterisk
    return Instance(
        state_dir=config.state_dir,
        dialplans_dir=config.dialplans_dir,
        sip=config.sip,
        shown_dirs=default_shown_dirs(),
        **{name: getattr(asterisk, name) for name in asterisk.__struct_fields__},
    )
