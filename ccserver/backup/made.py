"""`ccserver backup`: one file of everything, made while calls go on.

The order is what makes it whole: the store first, as of one moment; then the journal, which so has every turn that the store
does not have yet, and whoever restores both goes on projecting as if nothing had been.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import msgspec

from ccserver import __version__
from ccserver.backup.container import Writer, writing
from ccserver.backup.errors import BackupFailed
from ccserver.backup.manifest import FORMAT, HEAD, JOURNAL_FILE, MANIFEST, PARTS, Head, Listed, Manifest
from ccserver.backup.places import CALLBACKS, CERTIFICATES, DIALPLANS, PROMPTS, SECRETS, SOUND, Places, recordings_in
from ccserver.store import dump
from ccserver.store.database import Database
from ccserver.store.journal_file import connected, naming
from ccserver.store.tables import SCHEMA

_LISTED_AT_ONCE = 10_000
_encode = msgspec.json.Encoder()


def backup(
    places: Places,
    node: str,
    target: Path,
    *,
    parts: Collection[str] = PARTS,
    with_sound: bool = False,
    keep: int | None = None,
) -> str:
    """Write the backup, and tell what is in it. `target`: a directory, where it gets a name of its own, or the file.

    `keep`: in a directory, so many of this node's backups are left, the newest. Raises `BackupFailed` and what the store
    and the journal raise.
    """
    directory = target if target.is_dir() else None
    if directory is not None:
        target = directory / f"{_stem(node)}{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.tar.gz"
    began = time.monotonic()
    making = _Making(places, node, [part for part in PARTS if part in parts], with_sound)
    with writing(target) as writer:
        manifest = making.written(writer, target.parent)
    if directory is not None and keep is not None:
        for old in sorted(directory.glob(f"{_stem(node)}*.tar.gz"))[:-keep]:
            old.unlink()
    size = target.stat().st_size
    return f"{target}: {size / 1e6:.1f} MB in {time.monotonic() - began:.1f} s\n{told(making.parts, manifest)}"


def told(parts: Iterable[str], manifest: Manifest) -> str:
    """What is in a backup, for people: a line a part."""
    counted = Counter(name.split("/")[0] for name in manifest.members)
    rows = manifest.rows
    about = {
        "configuration": f"{counted['configuration']} files",
        "secrets": f"{counted['secrets']} files: whoever has this backup has the passwords",
        "store": f"{rows.get('contact', 0)} contacts, {sum(rows.values())} rows in all",
        "journal": f"to turn {manifest.journal_seq}",
        "recordings": f"{manifest.recordings} listed, {manifest.recordings_bytes / 1e6:.1f} MB of sound "
        + ("with them" if manifest.sound else "left where it is"),
    }
    return "\n".join(f"  {part:14} {about[part]}" for part in parts)


def _stem(node: str) -> str:
    return f"ccserver-{node}-"


class _Making:
    """One backup on its way into the file."""

    def __init__(self, places: Places, node: str, parts: list[str], with_sound: bool) -> None:
        self._places = places
        self._with_sound = with_sound
        self._node = node
        self.parts = parts
        if not places.journal.exists() and "journal" in parts:
            self.parts.remove("journal")  # no daemon has started yet
        self._rows: Counter[str] = Counter()
        self._journal_seq = 0
        self._recordings = 0
        self._recordings_bytes = 0

    def written(self, writer: Writer, beside: Path) -> Manifest:
        """All of it; `beside`: a directory with room for a copy of the journal."""
        head = Head(
            format=FORMAT,
            ccserver=__version__,
            node=self._node,
            made_at=time.time(),
            parts=tuple(self.parts),
            schema=SCHEMA,
            columns={table: tuple(names) for table, names in dump.columns().items()},
        )
        writer.add(HEAD, msgspec.json.format(_encode.encode(head)))
        if "configuration" in self.parts:
            self._add_tree(writer, DIALPLANS)
            self._add_tree(writer, PROMPTS)
        if "secrets" in self.parts:
            if (secrets := self._places.state_dir / "secrets.toml").exists():
                writer.add_file(SECRETS, secrets)
            self._add_tree(writer, CERTIFICATES)
            for name, path in self._places.given().items():
                if path.is_file():
                    writer.add_file(name, path)
        if "store" in self.parts:
            asyncio.run(self._add_store(writer))
        if "journal" in self.parts:
            self._add_journal(writer, beside)
            self._add_tree(writer, CALLBACKS)
        if "recordings" in self.parts:
            self._add_recordings(writer)
        manifest = Manifest(
            members=dict(writer.members),
            rows=self._rows,
            journal_seq=self._journal_seq,
            recordings=self._recordings,
            recordings_bytes=self._recordings_bytes,
            sound=self._with_sound,
        )
        writer.add(MANIFEST, msgspec.json.format(_encode.encode(manifest)))
        return manifest

    def _add_tree(self, writer: Writer, tree: str) -> None:
        if tree in self._places.trees:
            for name, path in self._places.files(tree).items():
                writer.add_file(name, path)

    async def _add_store(self, writer: Writer) -> None:
        database = Database(self._places.store_url)
        numbers = count(1)
        try:
            async for table, rows in dump.dumped(database):
                writer.add(f"store/{table}/{next(numbers):06}.jsonl", _encode.encode_lines(rows))
                self._rows[table] += len(rows)
        finally:
            await database.close()

    def _add_journal(self, writer: Writer, beside: Path) -> None:
        try:
            with tempfile.TemporaryDirectory(dir=beside, prefix=".ccserver-backup-") as place:
                copy = Path(place) / "journal.sqlite"
                with naming(self._places.journal), closing(connected(self._places.journal)) as journal:
                    journal.execute("vacuum into ?", (str(copy),))
                with naming(copy), closing(sqlite3.connect(copy)) as copied:
                    (self._journal_seq,) = copied.execute("select coalesce(max(seq), 0) from turn").fetchone()
                writer.add_file(JOURNAL_FILE, copy)
        except OSError as error:
            raise BackupFailed(beside, error.strerror or str(error)) from error

    def _add_recordings(self, writer: Writer) -> None:
        for number, piece in enumerate(_pieces(recordings_in(self._places.recordings_dir)), start=1):
            listed = [listing for path in piece if (listing := self._listed(writer, path)) is not None]
            writer.add(f"recordings/{number:06}.jsonl", _encode.encode_lines(listed))

    def _listed(self, writer: Writer, path: Path) -> Listed | None:
        name = str(path.relative_to(self._places.recordings_dir))
        try:
            if self._with_sound:
                put = writer.pour(f"{SOUND}{name}", path)
                listing = Listed(path=name, bytes=put.bytes, sha256=put.sha256)
            else:
                listing = Listed(path=name, bytes=path.stat().st_size)
        except FileNotFoundError:
            return None  # removed meanwhile
        self._recordings += 1
        self._recordings_bytes += listing.bytes
        return listing


def _pieces(paths: Iterator[Path]) -> Iterator[list[Path]]:
    piece: list[Path] = []
    for path in paths:
        piece.append(path)
        if len(piece) == _LISTED_AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
