"""What a commit of the journal costs: synchronous NORMAL against FULL, in one run, on the same disk, turn about.

    python -m bench.journal [--dir DIRECTORY] [--calls N]

The turns are those of whole answered calls (ten a call, `tests/store_turns.py`). `NORMAL, checkpoint beside` has a thread that
does nothing but checkpoints, which in the daemon run every ten seconds. The ratio is what NORMAL saves on this disk.
"""

import argparse
import os
import sqlite3
import statistics
import tempfile
import threading
import time
from pathlib import Path

from ccserver.ports import Turn
from ccserver.store.journal import SqliteJournal
from tests.store_turns import Script

ROUNDS = 10


def timed(journal: SqliteJournal, turns: list[Turn]) -> list[float]:
    """How long each commit took, seconds."""
    took = []
    for turn in turns:
        began = time.perf_counter()
        journal.commit(turn)
        took.append(time.perf_counter() - began)
    return took


def fsync_s(directory: Path) -> float:
    """The median time of an fsync after a write of 4 KiB."""
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        took = []
        for _ in range(50):
            os.write(file.fileno(), bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)


class Subject:
    """One journal with its own calls and its own times."""

    def __init__(self, name: str, journal: SqliteJournal, calls_a_round: int) -> None:
        self.name = name
        self.journal = journal
        self._script = Script()
        self._calls = calls_a_round
        self._n = 0
        self.took: list[float] = []

    def round(self, *, checkpoint_beside: bool) -> None:
        """Some calls, made before the clock starts."""
        turns: list[Turn] = []
        for _ in range(self._calls):
            self._n += 1
            turns += self._script.call(n=self._n)
        done = threading.Event()
        thread = threading.Thread(target=self._checkpoints, args=(done,))
        if checkpoint_beside:
            thread.start()
        self.took += timed(self.journal, turns)
        done.set()
        if checkpoint_beside:
            thread.join()
        self.journal.checkpoint()

    def _checkpoints(self, done: threading.Event) -> None:
        while not done.is_set():
            self.journal.checkpoint()

    def line(self) -> str:
        """The row of the table; microseconds."""
        sorted_us = sorted(took * 1e6 for took in self.took)
        shown = [sorted_us[int(len(sorted_us) * share)] for share in (0.5, 0.9, 0.99, 0.999)]
        figures = "".join(f"{figure:>9.0f}" for figure in [*shown, sorted_us[-1]])
        return f"{self.name:<26}{len(sorted_us):>8}{figures}"

    def at(self, share: float) -> float:
        """A quantile, seconds."""
        return sorted(self.took)[int(len(self.took) * share)]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--dir", type=Path, default=Path.cwd(), help="where the journals are put (default: here)")
    arguments.add_argument("--calls", type=int, default=2000, help="calls committed with NORMAL; FULL gets a tenth")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir, prefix="bench-journal-") as name:
        directory = Path(name)
        calls = max(10, given.calls // ROUNDS)
        with (
            SqliteJournal(directory / "normal.sqlite") as normal,
            SqliteJournal(directory / "beside.sqlite") as beside,
            SqliteJournal(directory / "full.sqlite", synchronous="full") as full,
        ):
            subjects = [
                Subject("NORMAL", normal, calls),
                Subject("NORMAL, checkpoint beside", beside, calls),
                Subject("FULL", full, calls // 10),
            ]
            for _ in range(ROUNDS):
                for subject in subjects:
                    subject.round(checkpoint_beside=subject.journal is beside)
            size = normal.path.stat().st_size / len(subjects[0].took)
        print(f"SQLite {sqlite3.sqlite_version}, fsync of 4 KiB {fsync_s(directory) * 1e6:.0f} µs")
    print(f"{'commit of one turn, µs':<26}{'turns':>8}{'p50':>9}{'p90':>9}{'p99':>9}{'p99.9':>9}{'max':>9}")
    for subject in subjects:
        print(subject.line())
    first, *_, last = subjects
    print(
        f"FULL costs {last.at(0.5) / first.at(0.5):.1f} times NORMAL at p50, {last.at(0.99) / first.at(0.99):.1f} at p99"
    )
    print(f"{size:.0f} bytes a turn in the file, {size * 10 / 1000:.0f} kB a call")


if __name__ == "__main__":
    main()
