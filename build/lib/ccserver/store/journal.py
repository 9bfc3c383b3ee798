"""The journal: what you would miss in the next second. The engine commits every turn here before any command goes out.

A local SQLite file in WAL mode with synchronous NORMAL: a commit is a write into the page cache, so a daemon killed with -9
loses nothing, and costs a fraction of a millisecond; a power cut may lose the last moments (the node is listed anew
then, and CEL fills the gap), unless `sync` was called before something was promised outside. Checkpoints, which
fsync, are left to `store.upkeep` in a thread.

When the disk is full nothing stops: turns that cannot be written wait in memory, in order, an alarm tells, and every commit
tries again. One process at a time: hold `store.lock.JournalLock` first.
"""

import os
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from ccserver.ports import Turn
from ccserver.store.alarm import Alarm
from ccserver.store.errors import BacklogFull, DiskFull, JournalStuck
from ccserver.store.journal_file import SCHEMA, VERSION, check_version, checkpoint, connected, full, naming, read_live
from ccserver.store.live import Restored, changes

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode
_INSERT_TURN = "insert into turn values (?, ?, ?, ?, ?)"
_PUT_LIVE = "insert into live values (?, ?, ?) on conflict do update set value = excluded.value"
_DELETE_LIVE = "delete from live where kind = ? and key = ?"
_DELETE_UNUSED_PLANS = """
    delete from live where kind = 'plan'
      and key <> (select cast(value as text) from live where kind = 'current' and key = 'plan')
      and key not in (select cast(value as text) ->> '$.plan' from live where kind in ('contact', 'recording'))"""
_AT_ONCE = 256
"""Turns of the backlog written in one transaction; a call of `flush` writes twice as many, in some 20 ms."""
_WAL_LIMIT_BYTES = 64 << 20


class SqliteJournal:
    """`ports.Journal`; synchronous, and all but `sync` and `checkpoint` for the event loop's thread alone."""

    def __init__(
        self, path: Path, *, synchronous: Literal["normal", "full"] = "normal", backlog_turns_max: int = 50_000
    ) -> None:
        """Open the journal, or make a new one.

        Raises `JournalUnreadable`, `DiskFull`, `StoreTooNew`.
        """
        self.path = path
        self.alarm: Alarm | None = None
        self._backlog: deque[Turn] = deque()
        self._backlog_turns_max = backlog_turns_max
        self._cause: sqlite3.Error | None = None
        with naming(path):
            self._connection = connected(path, create=True)
            try:
                self._open(synchronous)
            except BaseException:
                self._connection.close()
                raise
        # Only the last connection to close removes the log, and ours is open as long as this descriptor.
        self._wal_fd = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)

    def _open(self, synchronous: str) -> None:
        execute = self._connection.execute
        execute("pragma journal_mode = wal")
        execute(f"pragma synchronous = {synchronous}")
        execute("pragma wal_autocheckpoint = 0")
        execute(f"pragma journal_size_limit = {_WAL_LIMIT_BYTES}")
        execute("begin immediate")  # makes the -wal file exist, too
        tables = {name for (name,) in execute("select name from sqlite_schema where type = 'table'")}
        if tables and not {"turn", "live", "meta"} <= tables:
            raise sqlite3.DatabaseError("it is another program's database")
        if not tables:
            for statement in filter(str.strip, SCHEMA.split(";")):
                execute(statement)
            meta = [("version", str(VERSION)), ("journal", uuid.uuid4().hex)]
            self._connection.executemany("insert into meta values (?, ?)", meta)
        execute("commit")
        check_version(self._connection, self.path)
        self._seq: int = execute("select coalesce(max(seq), 0) from turn").fetchone()[0]

    @property
    def seq(self) -> int:
        """The newest turn in the file."""
        return self._seq

    @property
    def next_seq(self) -> int:
        """The number that the next turn must have."""
        return self._seq + len(self._backlog) + 1

    @property
    def backlog(self) -> int:
        """How many turns wait in memory."""
        return len(self._backlog)

    def restore(self) -> Restored:
        """What the router begins with; raises `JournalUnreadable`."""
        with naming(self.path):
            return read_live(self._connection)

    def commit(self, turn: Turn) -> None:
        """Write the turn and the live state it leaves; returns when another process would find it after kill -9.

        If it cannot be written (disk full) it is kept in memory and `alarm` says so; raises only `BacklogFull`.
        """
        assert turn.seq == self.next_seq, f"turn {turn.seq} in place of {self.next_seq}"
        if self._backlog:
            self._keep(turn)
            self.flush()
            return
        try:
            self._write((turn,))
        except sqlite3.Error as error:
            self._stuck(error, turn.now)
            self._keep(turn)

    def flush(self) -> bool:
        """Try to write what waits in memory (some of it, when it is much); True: nothing waits."""
        at_once = 1  # as long as the disk is full trying must be cheap, and where there is little room it is used
        while self._backlog and at_once <= _AT_ONCE:
            turns = tuple(islice(self._backlog, at_once))
            try:
                self._write(turns)
            except sqlite3.Error as error:
                self._stuck(error, turns[0].now)
                return False
            for _ in turns:
                self._backlog.popleft()
            at_once *= 2
        if not self._backlog:
            self.alarm = self._cause = None
        return not self._backlog

    def sync(self) -> None:
        """Force all committed turns to the disk; raises `JournalStuck` while turns wait in memory.

        One fsync of the log (6 to 9 ms here) is enough: recovery reads it from its last restart, which SQLite itself has
        synced, up to the first frame that is not whole. Any thread may call it.
        """
        if self._backlog:
            cause = self._cause or sqlite3.Error("unknown")
            error = DiskFull if full(cause) else JournalStuck
            raise error(self.path, str(cause), len(self._backlog))
        os.fsync(self._wal_fd)

    def checkpoint(self) -> int:
        """See `journal_file.checkpoint`; for a thread, on a connection of its own."""
        return checkpoint(self.path, wal_limit_bytes=_WAL_LIMIT_BYTES)

    def snapshot(self, reason: Literal["start", "hourly"], at: float) -> None:
        """Keep the live state as it is: a replay can begin here, and `prune` may remove what is older."""
        with naming(self.path), _Transaction(self._connection) as execute:
            execute(_DELETE_UNUSED_PLANS)
            execute("delete from snapshot_live where seq = ?", (self._seq,))
            execute("insert or replace into snapshot values (?, ?, ?)", (self._seq, at, reason))
            execute("insert into snapshot_live select ?, kind, key, value from live", (self._seq,))

    def prune(self, *, projected: int, before: float, limit: int = 200) -> int:
        """Remove some of the turns that are projected and older than a snapshot that is itself older than `before`.

        Returns how many: call again until it is 0. The rest can still be replayed, from that snapshot; the newest turn
        always stays.
        """
        oldest_kept = "select max(seq) from snapshot where at <= ? and seq <= ?"
        with naming(self.path), _Transaction(self._connection) as execute:
            (until,) = execute(oldest_kept, (before, projected)).fetchone()
            if until is None:
                return 0
            execute("delete from snapshot_live where seq < ?", (until,))
            execute("delete from snapshot where seq < ?", (until,))
            some = "delete from turn where seq in (select seq from turn where seq < ? order by seq limit ?)"
            return execute(some, (until, limit)).rowcount

    def close(self) -> None:
        """Write what waits in memory, if that is possible, and close the file; the lock is the caller's."""
        left = len(self._backlog) + 1
        while self._backlog and len(self._backlog) < left:
            left = len(self._backlog)
            self.flush()
        if self._backlog:
            _log.error(
                "journal_lost_turns", first=self._backlog[0].seq, last=self._backlog[-1].seq, reason=str(self._cause)
            )
        os.close(self._wal_fd)
        self._connection.close()

    def __enter__(self) -> "SqliteJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, turns: tuple[Turn, ...]) -> None:
        with _Transaction(self._connection) as execute:
            for turn in turns:
                row = (turn.seq, turn.now, _encode(turn.events), _encode(turn.records), _encode(turn.commands))
                execute(_INSERT_TURN, row)
                for (kind, key), value in changes(turn.records).items():
                    if value is None:
                        execute(_DELETE_LIVE, (kind, key))
                    else:
                        execute(_PUT_LIVE, (kind, key, value))
        self._seq = turns[-1].seq

    def _stuck(self, error: sqlite3.Error, since: float) -> None:
        self._cause = error
        what = str(JournalStuck(self.path, str(error), 0))
        self.alarm = Alarm(what, self.alarm.since if self.alarm else since)

    def _keep(self, turn: Turn) -> None:
        if len(self._backlog) >= self._backlog_turns_max:
            raise BacklogFull(self.path, str(self._cause), len(self._backlog))
        self._backlog.append(turn)


class _Transaction:
    """All of it or nothing; a class, because a generator would cost as much as a statement."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Callable[..., sqlite3.Cursor]:
        self._connection.execute("begin immediate")
        return self._connection.execute

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                self._connection.execute("commit")
        finally:
            if self._connection.in_transaction:  # SQLite itself has rolled back when the disk is full, mostly
                self._connection.execute("rollback")
