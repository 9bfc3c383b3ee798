"""The journal on a real disk: nothing committed is lost, whatever happens to the process, the file or the disk."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ccserver.ports import Turn
from ccserver.store.errors import BacklogFull, DiskFull, JournalStuck, JournalUnreadable, StoreTooNew
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from ccserver.store.live import Restored
from tests.store_turns import Script

COMMIT_FOR_EVER = """
import os, sys, threading
from itertools import count
from pathlib import Path
from ccserver.store.journal import SqliteJournal
from tests.store_turns import Script

script = Script()
with SqliteJournal(Path(sys.argv[1])) as journal:
    def checkpoint_for_ever():
        while True:
            journal.checkpoint()
    threading.Thread(target=checkpoint_for_ever, daemon=True).start()
    journal.commit(script.adopted())
    for n in count(1):
        for turn in script.call(n=n):
            journal.commit(turn)
            os.write(1, b"%d\\n" % turn.seq)
"""


def history(turns: int) -> list[Turn]:
    """The same turns as in `COMMIT_FOR_EVER`."""
    script = Script()
    made = [script.adopted()]
    n = 1
    while len(made) < turns:
        made += script.call(n=n)
        n += 1
    return made[:turns]


def after(turns: list[Turn], path: Path) -> Restored:
    """What another journal restores that was never disturbed."""
    with SqliteJournal(path) as journal:
        for turn in turns:
            journal.commit(turn)
        return journal.restore()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.mark.parametrize("survived", [1, 6, 300, 1500])
def test_kill_9_of_a_committing_process_loses_no_committed_turn(survived: int, path: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", COMMIT_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        told = 0
        while told < survived:
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        told = max(told, *map(int, process.stdout.read().split()), 0)
    with SqliteJournal(path) as journal, JournalReader(path) as reader:
        assert journal.seq >= told >= survived
        assert reader.turns_after(0, journal.seq + 1) == history(journal.seq)
        assert journal.restore() == after(history(journal.seq), tmp_path / "undisturbed.sqlite")


def test_a_new_journal_is_empty(path: Path) -> None:
    with SqliteJournal(path) as journal:
        empty = Restored(seq=0, now=0.0, plan=None, plans=(), contacts=(), agents=(), pending_recordings=())
        assert journal.restore() == empty


def test_what_a_restart_finds_is_what_was_committed(path: Path) -> None:
    turns = history(8)
    with SqliteJournal(path) as journal:
        for turn in turns:
            journal.commit(turn)
        before = journal.restore()
    with SqliteJournal(path) as journal:
        assert journal.restore() == before
        assert (before.seq, before.now) == (8, turns[-1].now)
        assert [contact.state.value for contact in before.contacts] == ["talking"]
        assert [agent.state.value for agent in before.agents] == ["talking"]


def test_a_plan_is_kept_as_long_as_a_live_contact_uses_it(path: Path) -> None:
    script = Script()
    with SqliteJournal(path) as journal:
        journal.commit(script.adopted("old"))
        contact, arrived = script.arrived(plan_name="old")
        journal.commit(arrived)
        journal.commit(script.adopted("new"))
        found = journal.restore()
        assert found.plan and found.plan.hash == "plan-new"
        assert [plan.hash for plan in found.plans] == ["plan-new", "plan-old"]
        assert contact in found.contacts


def test_a_plan_that_nobody_uses_is_removed_with_the_next_snapshot(path: Path) -> None:
    script = Script()
    with SqliteJournal(path) as journal:
        journal.commit(script.adopted("old"))
        journal.commit(script.adopted("new"))
        journal.snapshot("hourly", script.now)
        with closing(sqlite3.connect(path)) as look:
            assert look.execute("select key from live where kind = 'plan'").fetchall() == [("plan-new",)]


def test_the_turns_come_without_gaps_or_not_at_all(path: Path) -> None:
    script = Script(seq=1)
    with SqliteJournal(path) as journal, pytest.raises(AssertionError, match="turn 2 in place of 1"):
        journal.commit(script.adopted())


def test_reading_goes_on_beside_the_writer_and_by_pages(path: Path) -> None:
    turns = history(21)
    with SqliteJournal(path) as journal:
        for turn in turns[:11]:
            journal.commit(turn)
        with JournalReader(path) as reader:
            assert [turn.seq for turn in reader.records_after(4, 3)] == [5, 6, 7]
            for turn in turns[11:]:
                journal.commit(turn)
            assert reader.turns_after(11, 100) == turns[11:]
            assert [turn.records for turn in reader.records_after(0, 100)] == [turn.records for turn in turns]
            assert reader.clock_at(21) == turns[-1].now
            assert reader.clock_at(22) is None


def test_sync_forces_the_log_to_the_disk(path: Path) -> None:
    with SqliteJournal(path) as journal:
        for turn in history(3):
            journal.commit(turn)
        inode = Path(f"{path}-wal").stat().st_ino
        assert os.fstat(journal._wal_fd).st_ino == inode
        journal.sync()
        journal.checkpoint()
        for turn in history(5)[3:]:
            journal.commit(turn)
        journal.sync()
        assert Path(f"{path}-wal").stat().st_ino == inode


def test_a_checkpoint_lets_the_log_begin_anew(path: Path) -> None:
    with SqliteJournal(path) as journal:
        script = Script()
        sizes = []
        for n in range(1, 30):
            for turn in script.call(n=n):
                journal.commit(turn)
            assert journal.checkpoint() == 0
            sizes.append(Path(f"{path}-wal").stat().st_size)
        assert sizes[-1] < 3 * sizes[0]


class TestReplay:
    """Snapshots, and what may be forgotten."""

    def test_a_replay_begins_at_the_snapshot_of_the_start(self, path: Path) -> None:
        turns = history(31)
        with SqliteJournal(path) as journal, JournalReader(path) as reader:
            for turn in turns[:15]:
                journal.commit(turn)
            at_start = journal.restore()
            journal.snapshot("start", 100.0)
            for turn in turns[15:20]:
                journal.commit(turn)
            journal.snapshot("hourly", 200.0)
            for turn in turns[20:]:
                journal.commit(turn)
            newest, start = reader.latest_snapshot(), reader.latest_snapshot("start")
            assert newest and start
            assert (newest.reason, newest.at, newest.state.seq) == ("hourly", 200.0, 20)
            assert start.state == at_start
            assert reader.turns_after(start.state.seq, 1000) == turns[15:]

    def test_only_what_is_projected_old_and_before_a_snapshot_is_forgotten(self, path: Path) -> None:
        turns = history(41)
        with SqliteJournal(path) as journal, JournalReader(path) as reader:
            for turn in turns:
                journal.commit(turn)
                if turn.seq % 10 == 0:
                    journal.snapshot("hourly", float(turn.seq))
            assert journal.prune(projected=41, before=9.0) == 0, "no snapshot is that old"
            assert journal.prune(projected=19, before=40.0) == 9, "up to the snapshot at 10: more is not projected"
            assert [journal.prune(projected=41, before=35.0, limit=15) for _ in range(3)] == [15, 5, 0]
            assert [turn.seq for turn in reader.turns_after(0, 100)] == list(range(30, 42))
            found = reader.latest_snapshot()
            assert found and found.state.seq == 40
            assert journal.restore() == after(turns, path.with_name("undisturbed.sqlite"))

    def test_the_newest_turn_stays_however_old_it_is(self, path: Path) -> None:
        with SqliteJournal(path) as journal:
            for turn in history(5):
                journal.commit(turn)
            journal.snapshot("hourly", 1.0)
            assert journal.prune(projected=5, before=1e12) == 4
            assert journal.restore().seq == 5
        with SqliteJournal(path) as journal:
            journal.commit(history(6)[5])
            assert journal.seq == 6


class TestBadFiles:
    """One clear line, naming the file."""

    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"what a nice day" * 1000)
        with pytest.raises(
            JournalUnreadable, match=r"journal\.sqlite: the journal cannot be read: file is not a database"
        ):
            SqliteJournal(path)

    def test_another_programs_database(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as other:
            other.execute("create table contact (id)")
        with pytest.raises(JournalUnreadable, match="another program's database"):
            SqliteJournal(path)
        with pytest.raises(JournalUnreadable, match=r"journal\.sqlite"):
            JournalReader(path)

    def test_a_directory_that_does_not_exist(self, path: Path) -> None:
        with pytest.raises(JournalUnreadable, match="unable to open database file"):
            SqliteJournal(path.parent / "nowhere" / "journal.sqlite")

    def test_reading_a_journal_that_does_not_exist_makes_none(self, path: Path) -> None:
        with pytest.raises(JournalUnreadable, match="unable to open database file"):
            JournalReader(path)
        assert not path.exists()

    def test_a_damaged_row_of_the_live_state(self, path: Path) -> None:
        with SqliteJournal(path) as journal:
            for turn in history(5):
                journal.commit(turn)
            with closing(sqlite3.connect(path)) as vandal, vandal:
                vandal.execute("update live set value = substr(value, 1, 40) where kind = 'contact'")
            with pytest.raises(JournalUnreadable, match="a row is damaged"):
                journal.restore()

    def test_torn_pages(self, path: Path) -> None:
        with SqliteJournal(path) as journal:
            for turn in history(60):
                journal.commit(turn)
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(8 * 4096))
        with pytest.raises(JournalUnreadable, match=r"journal\.sqlite"), SqliteJournal(path) as journal:
            journal.restore()

    def test_a_journal_of_a_newer_ccserver(self, path: Path) -> None:
        with SqliteJournal(path):
            pass
        with closing(sqlite3.connect(path)) as newer, newer:
            newer.execute("update meta set value = '99' where key = 'version'")
        for kind in (SqliteJournal, JournalReader):
            with pytest.raises(StoreTooNew, match="schema 99"):
                kind(path)

    def test_a_file_that_the_reader_is_shown_is_never_written(self, path: Path) -> None:
        with SqliteJournal(path) as journal:
            journal.commit(history(1)[0])
        with JournalReader(path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("delete from turn")


class TestFullDisk:
    """A real file system that is really full."""

    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        directory = tmp_path / "small"
        directory.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(directory)], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
        yield directory
        subprocess.run(["umount", str(directory)], check=True)

    def test_turns_wait_in_memory_in_order_and_are_written_when_there_is_room(
        self, small_disk: Path, tmp_path: Path
    ) -> None:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(7 << 20))
        turns = history(400)
        path = small_disk / "journal.sqlite"
        with SqliteJournal(path) as journal:
            left = iter(turns)
            while journal.alarm is None:
                journal.commit(next(left))
            written = journal.seq
            assert written > 5
            assert "disk is full" in journal.alarm.text
            assert journal.alarm.since == turns[written].now
            for turn in left:
                journal.commit(turn)
            assert (journal.seq, journal.backlog) == (written, 400 - written)
            assert journal.restore() == after(turns[:written], tmp_path / "some.sqlite"), "what is there is whole"
            with pytest.raises(DiskFull, match=r"disk is full; .* turns wait in memory"):
                journal.sync()
            assert not journal.flush()
            ballast.unlink()
            self._drain(journal)
            journal.sync()
            assert journal.seq == 400
            with JournalReader(path) as reader:
                assert reader.turns_after(0, 500) == turns
            assert journal.restore() == after(turns, tmp_path / "all.sqlite")

    @staticmethod
    def _drain(journal: SqliteJournal) -> None:
        while not journal.flush():
            assert journal.alarm, "what remains is told until nothing does"
        assert journal.alarm is None and journal.backlog == 0

    def test_the_memory_set_aside_is_bounded_and_its_end_is_told(self, small_disk: Path) -> None:
        (small_disk / "ballast").write_bytes(bytes(7 << 20))
        with capture_logs() as logs, SqliteJournal(small_disk / "journal.sqlite", backlog_turns_max=20) as journal:
            with pytest.raises(BacklogFull, match="20 turns wait in memory"):
                for turn in history(2000):
                    journal.commit(turn)
            assert journal.backlog == 20
            written = journal.seq
        assert [(log["first"], log["last"]) for log in logs] == [(written + 1, written + 20)], (
            "the end tells what is lost"
        )

    def test_a_disk_that_is_full_from_the_start(self, small_disk: Path) -> None:
        (small_disk / "ballast").write_bytes(bytes(8 << 20))
        with pytest.raises(
            JournalStuck, match=r"journal\.sqlite: the journal cannot be written: database or disk is full"
        ):
            SqliteJournal(small_disk / "journal.sqlite")


def test_a_journal_held_by_another_writer_gets_its_turns_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccserver.store.journal_file.BUSY_TIMEOUT_S", 0.01)
    turns = history(6)
    with SqliteJournal(path) as journal, closing(sqlite3.connect(path, isolation_level=None)) as other:
        journal.commit(turns[0])
        other.execute("begin immediate")
        for turn in turns[1:4]:
            journal.commit(turn)
        assert journal.alarm and "database is locked" in journal.alarm.text
        with pytest.raises(JournalStuck, match="3 turns wait"):
            journal.sync()
        other.execute("rollback")
        for turn in turns[4:]:
            journal.commit(turn)
        assert (journal.seq, journal.backlog) == (6, 0)
        assert not journal.alarm
