"""A backup read from beginning to end before anything of it is used: whole, unchanged, and of a version that we know."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from ccserver.backup.container import Found, head_of, manifest_of, members
from ccserver.backup.errors import BackupTooNew, BackupUnreadable
from ccserver.backup.manifest import MAIN_FILE, MANIFEST, Head, Listed, Manifest, Member
from ccserver.backup.places import SOUND
from ccserver.store.dump import Row
from ccserver.store.tables import SCHEMA

_rows = msgspec.json.Decoder(tuple[str | int | float | bool | None, ...])
_listed = msgspec.json.Decoder(Listed)


class Contents(NamedTuple):
    """What is in a backup."""

    head: Head
    manifest: Manifest
    main_file: bytes | None
    """ccserver.toml, when the configuration is in it."""


def rows_in(content: bytes) -> list[Row]:
    """Of a member of the store; raises `msgspec.MsgspecError`."""
    return list(_rows.decode_lines(content))


def recordings_in(content: bytes) -> list[Listed]:
    """Of a member of the list of recordings; raises `msgspec.MsgspecError`."""
    return _listed.decode_lines(content)


def verified(file: Path) -> Contents:
    """Read all of it; raises `BackupUnreadable`, naming what is wrong, and `BackupTooNew`."""
    reading = _Reading(file)
    try:
        for found in members(file):
            reading.take(found)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BackupUnreadable(file, f"it is damaged, at {reading.at}: {error}") from error
    return reading.contents()


class _Reading:
    def __init__(self, file: Path) -> None:
        self._file = file
        self.at = ""
        self._head: Head | None = None
        self._manifest: Manifest | None = None
        self._main_file: bytes | None = None
        self._members: dict[str, Member] = {}
        self._sound: dict[str, Member] = {}
        """Since the last piece of the list."""
        self._rows: dict[str, int] = {}

    def take(self, found: Found) -> None:
        """The next member."""
        self.at = found.name
        if self._head is None:
            self._head = head_of(self._file, found)
            if self._head.schema > SCHEMA:
                raise BackupTooNew(self._file, "its store has schema", self._head.schema, SCHEMA)
        elif self._manifest is not None:
            raise ValueError("something follows its manifest")
        elif found.name == MANIFEST:
            self._manifest = manifest_of(self._file, found)
            return
        elif found.name.startswith("store/"):
            self._take_rows(found.name.split("/")[1], rows_in(found.content()), self._head)
        elif found.name.startswith("recordings/"):
            self._take_list(recordings_in(found.content()))
        elif found.name == MAIN_FILE:
            self._main_file = found.content()
        else:
            for _ in found.blocks():
                pass
        summed = Member(bytes=found.size, sha256=found.sha256)
        if found.name.startswith(SOUND):
            self._sound[found.name.removeprefix(SOUND)] = summed
        else:
            self._members[found.name] = summed

    def _take_rows(self, table: str, rows: list[Row], head: Head) -> None:
        width = len(head.columns.get(table, ()))
        if any(len(row) != width for row in rows):
            raise ValueError(f"a row has not the {width} columns of {table}")
        self._rows[table] = self._rows.get(table, 0) + len(rows)

    def _take_list(self, listed: list[Listed]) -> None:
        for recording in listed:
            if recording.sha256 and self._sound.pop(recording.path, None) != Member(
                bytes=recording.bytes, sha256=recording.sha256
            ):
                raise ValueError(f"the sound of {recording.path} is not what it was")

    def contents(self) -> Contents:
        """When all was taken."""
        if self._head is None:
            raise BackupUnreadable(self._file, "it is no backup of ccserver: it is empty")
        if self._manifest is None:
            raise BackupUnreadable(self._file, f"it is cut off after {self.at}")
        must = self._manifest.members
        for name in must.keys() | self._members.keys():
            if must.get(name) != self._members.get(name):
                raise BackupUnreadable(self._file, f"it is damaged: {name} is not what its manifest says")
        if dict(self._manifest.rows) != self._rows or self._sound:
            raise BackupUnreadable(self._file, "it is damaged: rows or recordings are missing")
        return Contents(self._head, self._manifest, self._main_file)
