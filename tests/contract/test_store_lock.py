"""The lock beside the journal, between real processes."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccserver.store.errors import JournalLocked
from ccserver.store.lock import JournalLock

HOLD = """
import sys
from pathlib import Path
from ccserver.store.lock import JournalLock
with JournalLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holding(journal: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it reads a line or is killed."""
    command = [sys.executable, "-c", HOLD, str(journal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_who_comes_second_is_told_who_was_first_and_how_to_take_over(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    with holding(journal) as process, pytest.raises(JournalLocked) as refused:
        JournalLock(journal).acquire()
    assert refused.value.pid == process.pid
    assert str(process.pid) in str(refused.value) and "--takeover" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_lock_falls_with_a_holder_killed_with_9(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    with holding(journal) as process:
        process.kill()
        process.wait()
        with JournalLock(journal) as lock:
            assert lock.held


async def test_take_over_gets_the_lock_as_soon_as_the_old_one_lets_go(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    lock = JournalLock(journal)
    with holding(journal) as process:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(lock.acquire_within(30.0), name="take-over")
            await asyncio.sleep(0)  # it has tried once and failed
            assert not waiting.done() and process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
    assert lock.held
    lock.release()


async def test_take_over_gives_up_at_its_deadline_and_names_the_holder(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    with holding(journal) as process, pytest.raises(JournalLocked) as refused:
        await JournalLock(journal).acquire_within(0.03)
    assert refused.value.pid == process.pid


def test_the_lock_can_be_taken_again_after_it_was_let_go(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    with JournalLock(journal) as lock:
        assert lock.path == tmp_path / "journal.lock"
    with JournalLock(journal) as lock:
        assert lock.held
    lock.release()
    assert not lock.held
