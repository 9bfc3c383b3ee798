"""Writing files into the state directory: whole or not at all, and readable by Asterisk.

Asterisk runs as the owner of the state directory. Whoever writes there as root hands the file to that owner, because
Asterisk answers 401 without a word when it cannot read ari.conf.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from ccserver.asterisk.errors import SetupError


def give_to_owner_of(state_dir: Path, path: Path) -> None:
    """Make `path` belong to the state directory's owner; a no-op for everyone but root."""
    if os.geteuid() == 0:
        owner = state_dir.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def make_dir(state_dir: Path, path: Path) -> None:
    """Make the state directory or one inside it, for its owner alone; `SetupError` when that cannot be."""
    try:
        state_dir.parent.mkdir(parents=True, exist_ok=True)
        missing = [parent for parent in (path, *path.parents) if not parent.exists()]
        for directory in reversed(missing):
            directory.mkdir(mode=0o700, exist_ok=True)
            give_to_owner_of(state_dir, directory)
        if not path.is_dir():
            raise SetupError(f"{path}: exists and is no directory")
    except OSError as error:
        raise SetupError(f"{path}: cannot make this directory: {error.strerror}") from None


def write_if_changed(state_dir: Path, path: Path, content: bytes, mode: int = 0o600) -> bool:
    """Replace the file at once if its content differs; True if it was touched."""
    try:
        if path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
            return False
    except FileNotFoundError:
        pass
    make_dir(state_dir, path.parent)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise SetupError(f"{path}: cannot write: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(mode)
        give_to_owner_of(state_dir, Path(temporary))
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise SetupError(f"{path}: cannot write: {error.strerror}") from None
    return True
