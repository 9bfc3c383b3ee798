"""Where each part of a backup lies on this machine, and which files belong to it."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from ccserver.backup.errors import RestoreUnfinished
from ccserver.config import schema
from ccserver.config.load import Config, store_url
from ccserver.config.places import MAIN_FILE as MAIN_NAME

DIALPLANS, PROMPTS = "configuration/dialplans/", "configuration/prompts/"
SECRETS, CERTIFICATES = "secrets/secrets.toml", "secrets/certificates/"
GIVEN = "secrets/given/"
"""What the configuration refers to and is kept elsewhere: a carrier's password, a certificate that was bought."""
CALLBACKS, SOUND = "journal/callbacks/", "sound/"
RAW = "raw"
"""Of calls that still go on: not yet recordings."""
_EDITORS = (".", "#")
_BACKUPS = ("~", ".swp")


class Places(Struct, frozen=True, kw_only=True):
    """Of one installation."""

    config_dir: Path
    prompts_file: Path
    state_dir: Path
    recordings_dir: Path
    store_url: str

    @property
    def journal(self) -> Path:
        """Its file."""
        return self.state_dir / "journal.sqlite"

    @property
    def trees(self) -> Mapping[str, Path]:
        """The directories by the names that their files' names begin with in a backup."""
        trees = {
            DIALPLANS: self.config_dir,
            CERTIFICATES: self.state_dir / "certificates",
            CALLBACKS: self.state_dir / "callbacks",
        }
        if not self.prompts_file.is_relative_to(self.config_dir):
            trees[PROMPTS] = self.prompts_file.parent
        return trees

    def files(self, tree: str) -> dict[str, Path]:
        """The files of one of the trees that a backup holds, by their names in it."""
        directory = self.trees[tree]
        found = _prompts(self.prompts_file) if tree == PROMPTS else _files(directory)
        return {f"{tree}{path.relative_to(directory)}": path for path in found}

    def given(self) -> dict[str, Path]:
        """The files that `ccserver.toml` names and that are not beside it, by their names in a backup."""
        main = msgspec.toml.decode((self.config_dir / MAIN_NAME).read_bytes(), type=_Main)
        named = {main.sip.certificate, main.sip.private_key}
        named |= {path for trunk in main.trunks for path in (trunk.password_file, trunk.ca_file)}
        places = {f"{GIVEN}{quote(path, safe='')}": self.place_of(path) for path in sorted(named - {""})}
        return {name: path for name, path in places.items() if not path.is_relative_to(self.config_dir)}

    def place_of(self, path: str) -> Path:
        """As `ccserver.toml` means it."""
        return Path(os.path.normpath(self.config_dir / path))


def given_path(name: str) -> str:
    """What `ccserver.toml` calls a file of this name in a backup."""
    return unquote(name.removeprefix(GIVEN))


def places_of(config: Config) -> Places:
    """Where an installation has its parts."""
    return Places(
        config_dir=config.dialplans_dir,
        prompts_file=config.prompts.file,
        state_dir=config.state_dir,
        recordings_dir=config.recordings_dir,
        store_url=config.store_url,
    )


def places_told_by(main_file: bytes, config_dir: Path, state_dir: Path) -> Places:
    """Where a configuration would have them, right or wrong in the rest; raises `msgspec.MsgspecError`."""
    main = msgspec.toml.decode(main_file, type=_Main)
    return Places(
        config_dir=config_dir,
        prompts_file=Path(os.path.normpath(config_dir / main.prompts.file)),
        state_dir=state_dir,
        recordings_dir=state_dir / main.recordings.directory,
        store_url=store_url(main.store.url, state_dir),
    )


class _Sip(Struct, frozen=True):
    certificate: str = ""
    private_key: str = ""


class _Trunk(Struct, frozen=True):
    password_file: str = ""
    ca_file: str = ""


class _Main(Struct, frozen=True):
    """As much of ccserver.toml as tells where something lies."""

    sip: _Sip = _Sip()
    trunks: tuple[_Trunk, ...] = ()

    store: schema.Store = schema.Store()
    recordings: schema.Recordings = schema.Recordings()
    prompts: schema.Prompts = schema.Prompts()


def recordings_in(directory: Path) -> Iterator[Path]:
    """Every finished one."""
    for path in _walk(directory):
        if path.relative_to(directory).parts[0] != RAW:
            yield path


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def marker_in(state_dir: Path) -> Path:
    """Is there while a restore puts its parts into their places."""
    return state_dir / "restore.unfinished"


def refuse_unfinished(state_dir: Path) -> None:
    """Raise `RestoreUnfinished` where a restore was killed between two parts."""
    if marker_in(state_dir).exists():
        raise RestoreUnfinished(marker_in(state_dir))


def _prompts(file: Path) -> Iterator[Path]:
    """The texts and the human recordings; what is spoken by a synthetic voice can be made again."""
    if file.is_file():
        yield file
    yield from sorted(path for path in file.parent.glob("*/*.wav") if path.is_file())


def _files(directory: Path) -> Iterator[Path]:
    for path in _walk(directory):
        if not path.name.startswith(_EDITORS) and not path.name.endswith(_BACKUPS):
            yield path


def _walk(directory: Path) -> Iterator[Path]:
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        yield from (path for name in sorted(names) if (path := Path(parent, name)).is_file())
