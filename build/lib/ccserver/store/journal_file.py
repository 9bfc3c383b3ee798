"""The journal's file: its tables, how it is opened, and everybody who reads it or keeps it in order from outside the loop.

    turn           one row a turn: what came in, what was decided, what went out; JSON
    live           the live state that the turns leave (`store.live`), changed in the turn's own transaction
    snapshot       the live state as it once was, with the turn's number: where a replay can begin; rows in snapshot_live
    meta           schema version; `journal`: this file's random name, by which the store tells it from one that was lost

Written by `store.journal` alone.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from ccserver.core.commands import Command
from ccserver.core.events import AnyEvent
from ccserver.core.records import Record
from ccserver.ports import Turn
from ccserver.store.errors import DiskFull, JournalUnreadable, StoreTooNew
from ccserver.store.live import Restored, Row, restored

VERSION = 1
"""Raised whenever an older ccserver could no longer read what this one writes."""
SCHEMA = """
create table turn (seq integer primary key, now real not null, events blob not null, records blob not null,
                   commands blob not null) strict;
create table live (kind text not null, key text not null, value blob not null, primary key (kind, key)) strict;
create table snapshot (seq integer primary key, at real not null, reason text not null) strict;
create table snapshot_live (seq integer not null, kind text not null, key text not null, value blob not null,
                            primary key (seq, kind, key)) strict;
create table meta (key text primary key, value text not null) strict;
"""
BUSY_TIMEOUT_S = 5.0
"""Longer than the only thing a writer ever waits for: the last moment of a RESTART checkpoint, some 20 ms."""

_events = msgspec.json.Decoder(tuple[AnyEvent, ...]).decode
_records = msgspec.json.Decoder(tuple[Record, ...]).decode
_commands = msgspec.json.Decoder(tuple[Command, ...]).decode


class TurnRecords(Struct, frozen=True):
    """As much of a turn as the projector needs."""

    seq: int
    now: float
    records: tuple[Record, ...]


class Snapshot(Struct, frozen=True):
    """The state at which a replay can begin; all turns after `state.seq` are there."""

    reason: str
    """`start`: exactly what the router began with. `hourly`: what the records tell, without the router's picture of the nodes."""
    at: float
    """When it was taken, UTC epoch seconds."""
    state: Restored


def full(error: sqlite3.Error) -> bool:
    """The disk is full, as far as SQLite can tell (shared memory that cannot grow is an I/O error of its own)."""
    name = getattr(error, "sqlite_errorname", "")
    return name in {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"}


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Every error of SQLite and of decoding becomes one of ours that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        if full(error):
            raise DiskFull(path, str(error), 0) from error
        raise JournalUnreadable(path, str(error)) from error
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise JournalUnreadable(path, f"a row is damaged: {error}") from error


def connected(path: Path, *, create: bool = False, any_thread: bool = False) -> sqlite3.Connection:
    """A connection of its own to the journal; transactions are begun and ended by hand. Raises `sqlite3.Error`."""
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=not any_thread
    )


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a journal that a newer ccserver wrote."""
    (found,) = connection.execute("select value from meta where key = 'version'").fetchone() or ("0",)
    if int(found) > VERSION:
        raise StoreTooNew(f"journal {path}", found, VERSION)


def read_live(connection: sqlite3.Connection) -> Restored:
    """The live state and the turn that left it; to be one reading they need a transaction, or to be the writer."""
    seq, now = connection.execute("select seq, now from turn order by seq desc limit 1").fetchone() or (0, 0.0)
    rows: list[Row] = connection.execute("select kind, key, value from live").fetchall()
    return restored(rows, seq, now)


class JournalReader:
    """Reads beside the writer without disturbing it, from any thread (projector, `ccserver replay`)."""

    def __init__(self, path: Path) -> None:
        """Raises `JournalUnreadable`, `StoreTooNew`."""
        self.path = path
        # SQLite would crash if a cancelled task's thread still read while another closes.
        self._one_at_a_time = threading.Lock()
        with naming(path), ExitStack() as unless_opened:
            self._connection = connected(path, any_thread=True)
            unless_opened.callback(self._connection.close)
            self._connection.execute("pragma query_only = on")
            check_version(self._connection, path)
            (name,) = self._connection.execute("select value from meta where key = 'journal'").fetchone()
            unless_opened.pop_all()
        self.journal: str = name

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read within is of one moment."""
        with self._one_at_a_time, naming(self.path):
            self._connection.execute("begin")
            try:
                yield self._connection
            finally:
                self._connection.execute("rollback")

    def clock_at(self, seq: int) -> float | None:
        """The router's clock at a turn; None: there is no such turn."""
        with self._reading() as connection:
            found = connection.execute("select now from turn where seq = ?", (seq,)).fetchone()
        return found and float(found[0])

    def records_after(self, seq: int, limit: int) -> list[TurnRecords]:
        """The turns that follow `seq`, oldest first. Fetched and decoded one by one, which gives way to other threads."""
        query = "select seq, now, records from turn where seq > ? order by seq limit ?"
        with self._reading() as connection:
            rows = connection.execute(query, (seq, limit))
            return [TurnRecords(seq, now, _records(records)) for seq, now, records in rows]

    def turns_after(self, seq: int, limit: int) -> list[Turn]:
        """The turns that follow `seq`, whole, oldest first."""
        query = "select seq, now, events, records, commands from turn where seq > ? order by seq limit ?"
        with self._reading() as connection:
            return [
                Turn(seq, now, _events(events), _records(records), _commands(commands))
                for seq, now, events, records, commands in connection.execute(query, (seq, limit))
            ]

    def restore(self) -> Restored:
        """The live state as it is now."""
        with self._reading() as connection:
            return read_live(connection)

    def latest_snapshot(self, reason: str | None = None) -> Snapshot | None:
        """The newest snapshot (for this reason) whose turns are all still there."""
        query = """select s.seq, s.at, s.reason, coalesce((select now from turn where seq = s.seq), 0.0) from snapshot s
                   where coalesce(?, s.reason) = s.reason
                     and s.seq >= (select coalesce(min(seq), 1) from turn) - 1
                   order by s.seq desc limit 1"""
        with self._reading() as connection:
            found = connection.execute(query, (reason,)).fetchone()
            if found is None:
                return None
            seq, at, why, now = found
            rows = "select kind, key, value from snapshot_live where seq = ?"
            return Snapshot(why, at, restored(connection.execute(rows, (seq,)), seq, now))

    def close(self) -> None:
        """Give the connection back; a reading under way is finished first, a later one fails."""
        with self._one_at_a_time:
            self._connection.close()

    def __enter__(self) -> "JournalReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def checkpoint(path: Path, *, wal_limit_bytes: int) -> int:
    """Move what the write-ahead log holds into the file, and return how many bytes of the log remain to be moved.

    For a thread: it fsyncs twice (some 20 ms). PASSIVE never makes a writer wait, but the log only starts anew when no turn
    came meanwhile; should that not happen until the log is `wal_limit_bytes` long, RESTART makes the writer wait once,
    for what little PASSIVE left over.
    """
    with naming(path), closing(connected(path)) as connection:
        (page_size,) = connection.execute("pragma page_size").fetchone()
        connection.execute("pragma synchronous = normal")
        _, pages, moved = connection.execute("pragma wal_checkpoint(passive)").fetchone()
        if pages * page_size > wal_limit_bytes:
            _, pages, moved = connection.execute("pragma wal_checkpoint(restart)").fetchone()
        return int(max(0, pages - moved) * page_size)
