"""`ccserver restore`: a backup put in its place, all of it or nothing.

The file is read twice: once to see that it is whole and that we know its version, once to write its parts beside their
places, with the store's rows in a transaction that is still open. Only then all is moved into its place and the rows committed.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.asterisk.files import give_to_owner_of, make_dir
from ccserver.backup.container import Found, members
from ccserver.backup.errors import BackupUnreadable, PlaceTaken, RestoreFailed
from ccserver.backup.made import told
from ccserver.backup.manifest import JOURNAL_FILE, PARTS
from ccserver.backup.places import GIVEN, SECRETS, SOUND, Places, given_path, sha256_of
from ccserver.backup.switch import Switch
from ccserver.backup.verified import Contents, recordings_in, rows_in
from ccserver.store import dump
from ccserver.store.database import PATIENT_S, Database
from ccserver.store.errors import StoreError, StoreUnavailable
from ccserver.store.journal_file import JournalReader
from ccserver.store.lock import JournalLock
from ccserver.store.schema import make_tables

_SIDES = ("-wal", "-shm")
"""SQLite's own files beside one of its: those of another file would damage it."""
_IN_STATE = ("secrets", "journal")


class Restore(Struct, frozen=True, kw_only=True):
    """What shall go where."""

    file: Path
    contents: Contents
    places: Places
    parts: Collection[str]
    elsewhere: bool = False
    """`places.store_url` is not the store of this installation: nobody runs on it."""
    replace: bool = False


def chosen(file: Path, contents: Contents, wanted: Collection[str]) -> list[str]:
    """The parts to restore; raises `BackupUnreadable` for one that is not in the backup."""
    if missing := [part for part in wanted if part not in contents.head.parts]:
        raise BackupUnreadable(file, f"it has no {', '.join(missing)}, only {', '.join(contents.head.parts)}")
    return [part for part in PARTS if part in (wanted or contents.head.parts)]


def restore(asked: Restore) -> str:
    """Do it, and tell what was done.

    Raises `PlaceTaken`, `RestoreFailed`, `JournalLocked` (a daemon runs), and what the store raises.
    """
    state_dir = asked.places.state_dir
    with ExitStack() as stack:
        if not asked.elsewhere or set(asked.parts) & set(_IN_STATE):
            make_dir(state_dir, state_dir)
            stack.enter_context(JournalLock(asked.places.journal))
        restoring = _Restoring(asked)
        stack.callback(restoring.switch.tidy)
        try:
            asyncio.run(restoring.run())
        except StoreUnavailable as error:
            raise RestoreFailed(error) from error
        except OSError as error:
            raise RestoreFailed.at(state_dir, error) from error
    lines = [told(asked.parts, asked.contents.manifest)]
    lines += [f"  what was there is now {path}" for path in restoring.switch.aside]
    if restoring.missing:
        lines.append(f"  {restoring.missing} of the recordings are not in {asked.places.recordings_dir}")
    return "\n".join(lines)


class _Restoring:
    def __init__(self, asked: Restore) -> None:
        self._asked = asked
        self._places = asked.places
        self.switch = Switch(asked.places.state_dir, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
        self.missing = 0
        """Recordings that are listed and not there."""
        self._trees = self._trees_to_write()
        self._given = self._given_to_write()

    async def run(self) -> None:
        """From the checks to the end."""
        if taken := [*self._taken_files(), *await self._taken_store()]:
            raise PlaceTaken(taken)
        if "store" not in self._asked.parts:
            await self._stage(None)
            self.switch.apply()
        else:
            await self._with_store()
        self.switch.done()

    async def _with_store(self) -> None:
        """SQLite is a file like the others; PostgreSQL commits when all the others are in their places."""
        file = Database(self._places.store_url).file
        url = f"sqlite:///{self.switch.beside(file)}" if file else self._places.store_url
        database = Database(url, answers_within_s=PATIENT_S)
        try:
            async with database.transaction() as connection:
                await dump.emptied(connection, self._asked.contents.head.schema)
                await self._stage(connection)
                await make_tables(connection)
                if file is None:
                    self.switch.apply()
            await database.close()
            if file is not None:
                self._beside_sqlite(file)
                self.switch.apply()
        except BaseException:
            await database.close()
            self.switch.undo()
            raise

    def _beside_sqlite(self, file: Path) -> None:
        for side in _SIDES:
            self.switch.empty(Path(f"{file}{side}"))
        give_to_owner_of(self._places.state_dir, self.switch.beside(file))

    # --- may it be done? ------------------------------------------------------------------------------------------

    def _trees_to_write(self) -> list[str]:
        """Those that are not there yet exactly as they are in the backup."""
        told_of = self._asked.contents.manifest.members
        trees = []
        for tree, directory in self._places.trees.items():
            if tree.split("/")[0] not in self._asked.parts:
                continue
            must = {name: member.sha256 for name, member in told_of.items() if name.startswith(tree)}
            there = (
                {name: sha256_of(path) for name, path in self._places.files(tree).items()} if directory.exists() else {}
            )
            if must and must != there:
                trees.append(tree)
        return trees

    def _given_to_write(self) -> dict[str, Path]:
        """The files of their own places, but for those that are there as they are in the backup."""
        told_of = self._asked.contents.manifest.members if "secrets" in self._asked.parts else {}
        given = {name: self._places.place_of(given_path(name)) for name in told_of if name.startswith(GIVEN)}
        return {
            name: path for name, path in given.items() if not path.is_file() or sha256_of(path) != told_of[name].sha256
        }

    def _taken_files(self) -> Iterator[str]:
        if self._asked.replace:
            return
        for tree in self._trees:
            if self._places.files(tree):
                yield str(self._places.trees[tree])
        yield from (str(path) for path in self._given.values() if path.exists())
        for part, path in (("secrets", self._places.state_dir / "secrets.toml"), ("journal", self._places.journal)):
            if part in self._asked.parts and path.exists():
                yield str(path)

    async def _taken_store(self) -> list[str]:
        if "store" not in self._asked.parts or self._asked.replace:
            return []
        database = Database(self._places.store_url)
        if database.file is not None and not database.file.exists():
            return []
        try:
            async with database.transaction() as connection:
                rows = await dump.rows_kept(connection)
        finally:
            await database.close()
        return [f"{database.place} ({rows} rows)"] if rows else []

    # --- writing beside -------------------------------------------------------------------------------------------

    async def _stage(self, connection: AsyncConnection | None) -> None:
        head = self._asked.contents.head
        for found in members(self._asked.file):
            part = found.name.split("/")[0]
            if part == "store" and connection is not None:
                table = found.name.split("/")[1]
                await dump.load(connection, table, head.columns[table], rows_in(found.content()))
            elif found.name == JOURNAL_FILE and part in self._asked.parts:
                self._write(found, self._places.journal)
                self._look_at_journal()
            elif found.name == SECRETS and part in self._asked.parts:
                self._write(found, self._places.state_dir / "secrets.toml")
            elif found.name in self._given:
                self._put(found, self.switch.beside(self._given[found.name]))
            elif "recordings" in self._asked.parts and found.name.startswith(SOUND):
                path = self._places.recordings_dir / found.name.removeprefix(SOUND)
                if not path.exists():  # a recording never changes
                    self._write(found, path)
            elif "recordings" in self._asked.parts and part == "recordings" and not self._asked.contents.manifest.sound:
                listed = recordings_in(found.content())
                self.missing += sum(not (self._places.recordings_dir / one.path).exists() for one in listed)
            else:
                self._write_of_tree(found)

    def _write_of_tree(self, found: Found) -> None:
        for tree in self._trees:
            if found.name.startswith(tree):
                directory = self.switch.beside(self._places.trees[tree])
                self._put(found, directory / found.name.removeprefix(tree))

    def _write(self, found: Found, target: Path) -> None:
        make_dir(self._places.state_dir, target.parent)
        self._put(found, self.switch.beside(target))

    def _put(self, found: Found, path: Path) -> None:
        try:
            self._put_file(found, path)
        except OSError as error:  # none of the store's, in whose transaction we are
            raise RestoreFailed.at(path, error) from error

    def _put_file(self, found: Found, path: Path) -> None:
        """With its mode, and as its owner as far as he is known here and we may."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for block in found.blocks():
                file.write(block)
        path.chmod(found.mode)
        if path.is_relative_to(self._places.state_dir):
            for made in (path, path.parent):
                give_to_owner_of(self._places.state_dir, made)
        elif os.geteuid() == 0:
            for name, owner in zip(("user", "group"), found.owner, strict=True):
                with suppress(LookupError):
                    shutil.chown(path, **{name: owner})

    def _look_at_journal(self) -> None:
        """It must be one that the daemon can go on with."""
        staged = self.switch.beside(self._places.journal)
        try:
            with JournalReader(staged) as reader:
                reader.restore()
        except StoreError as error:
            raise RestoreFailed(error) from error
        for side in _SIDES:
            Path(f"{staged}{side}").unlink(missing_ok=True)
            self.switch.empty(Path(f"{self._places.journal}{side}"))
