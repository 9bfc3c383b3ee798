"""The file of a backup: a tar of small and large members, compressed, whose last member is the sum of all others.

Written in one go, beside its place, and renamed when it is whole; read from beginning to end. Neither holds more of it in
memory than one small member.
"""

import grp
import gzip
import hashlib
import io
import os
import pwd
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from ccserver.backup.errors import BackupFailed, BackupTooNew, BackupUnreadable
from ccserver.backup.manifest import FORMAT, HEAD, MANIFEST, Head, Manifest, Member

_BLOCK = 1 << 20
_LEVEL = 3
"""Twice as fast as zlib's own choice, for a tenth more bytes."""
SMALL_BYTES = 64 << 20
"""No member but the journal and sound is larger; a foreign file must not fill the memory."""
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


class Writer:
    """Members into a backup; `writing` makes one."""

    def __init__(self, file: BinaryIO) -> None:
        self._compressed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, filename="", mtime=0)
        self._tar = tarfile.TarFile(fileobj=self._compressed, mode="w", format=tarfile.PAX_FORMAT)
        self.members: dict[str, Member] = {}

    def add(self, name: str, content: bytes) -> None:
        """A small member."""
        self.members[name] = self._put(name, io.BytesIO(content), len(content), 0o600, time.time())

    def add_file(self, name: str, path: Path) -> None:
        """A file of any size, with its mode."""
        self.members[name] = self.pour(name, path)

    def pour(self, name: str, path: Path) -> Member:
        """The same, but the manifest does not name it: who has millions of them keeps their sums elsewhere."""
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            return self._put(name, file, about.st_size, about.st_mode & 0o777, about.st_mtime, _names(about))

    def _put(
        self, name: str, content: BinaryIO, size: int, mode: int, mtime: float, owner: tuple[str, str] = ("", "")
    ) -> Member:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, mode, int(mtime)
        member.uname, member.gname = owner
        summing = _Summing(content)
        self._tar.addfile(member, summing)
        self._tar.members = []  # type: ignore[attr-defined]  # else it remembers every one
        return Member(bytes=size, sha256=summing.sha256.hexdigest())

    def close(self) -> None:
        """Nothing comes after this."""
        self._tar.close()
        self._compressed.close()


def _names(about: os.stat_result) -> tuple[str, str]:
    """User and group, as far as they have names: numbers are others on another machine."""
    with suppress(KeyError):
        return pwd.getpwuid(about.st_uid).pw_name, grp.getgrgid(about.st_gid).gr_name
    return "", ""


class _Summing:
    """A file that is read once, and summed meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(size)
        self.sha256.update(block)
        return block


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """A backup that is `target` when the block is left, for its owner alone, or nothing at all.

    Raises `BackupFailed` (disk full, no such directory).
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with open(unfinished, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            writer = Writer(file)
            try:
                yield writer
            except BaseException:
                with suppress(OSError):  # else it would be closed, and fail, at a moment of Python's choice
                    writer.close()
                raise
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError):
            about = f" ({error.filename})" if error.filename else ""
            raise BackupFailed(target, f"{error.strerror or error}{about}") from error
        raise


class Found:
    """One member while it is read, in pieces or whole; `sha256` is right when it was read to its end."""

    def __init__(self, of: Path, info: tarfile.TarInfo, file: BinaryIO) -> None:
        self.name = info.name
        self.size = info.size
        self.mode = info.mode & 0o777
        self.owner = (info.uname, info.gname)
        self._of = of
        self._file = file
        self._sha256 = hashlib.sha256()

    def blocks(self) -> Iterator[bytes]:
        """All of it."""
        while block := self._block():
            self._sha256.update(block)
            yield block

    def _block(self) -> bytes:
        with _naming(self._of, self.name):
            return self._file.read(_BLOCK)

    def content(self) -> bytes:
        """Of a small one."""
        if self.size > SMALL_BYTES:
            raise ValueError(f"{self.name} has {self.size} bytes")
        return b"".join(self.blocks())

    @property
    def sha256(self) -> str:
        """Of what was read."""
        return self._sha256.hexdigest()


def members(file: Path) -> Iterator[Found]:
    """One after the other; what was not read of one is passed over. Raises `BackupUnreadable`, naming the member."""
    last = ""
    with ExitStack() as stack:
        with _naming(file, ""):
            unpacked = stack.enter_context(gzip.open(stack.enter_context(file.open("rb"))))
            tar = stack.enter_context(tarfile.open(fileobj=unpacked, mode="r|", bufsize=_BLOCK))
        while True:
            with _naming(file, last):
                if (info := tar.next()) is None:
                    break
                tar.members = []  # type: ignore[attr-defined]
                last = info.name
                content = tar.extractfile(info) if info.isreg() else None
            if content is None or not _inside(info.name):
                raise BackupUnreadable(file, f"it is no backup of ccserver: it has a member {info.name!r}")
            yield Found(file, info, content)  # type: ignore[arg-type]
        with _naming(file, last):
            while unpacked.read(_BLOCK):  # to the end of the compressed stream, where its own checksum is
                pass


@contextmanager
def _naming(file: Path, member: str) -> Iterator[None]:
    """Whatever reading stumbles on, with the member where it did."""
    try:
        yield
    except _BROKEN as error:
        what = f"it is cut off or damaged, at {member}" if member else "it is no backup of ccserver"
        raise BackupUnreadable(file, f"{what}: {error}") from error
    except OSError as error:
        raise BackupUnreadable(file, error.strerror or str(error)) from error


def head_of(file: Path, first: Found) -> Head:
    """What the backup is; raises `BackupUnreadable`, `BackupTooNew`."""
    if first.name != HEAD:
        raise BackupUnreadable(file, f"it is no backup of ccserver: it begins with {first.name!r}")
    content = first.content()
    try:
        found = msgspec.json.decode(content, type=_Format).format
        if found > FORMAT:
            raise BackupTooNew(file, "it has format", found, FORMAT)
        return msgspec.json.decode(content, type=Head)
    except msgspec.MsgspecError as error:
        raise BackupUnreadable(file, f"{HEAD}: {error}") from error


def manifest_of(file: Path, last: Found) -> Manifest:
    """What the backup holds; raises `BackupUnreadable`."""
    assert last.name == MANIFEST
    try:
        return msgspec.json.decode(last.content(), type=Manifest)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BackupUnreadable(file, f"{MANIFEST}: {error}") from error


class _Format(msgspec.Struct):
    """As much of the head as every version has."""

    format: int


def _inside(name: str) -> bool:
    parts = name.split("/")
    return not name.startswith("/") and not {"", ".", ".."} & set(parts) and "\0" not in name
