"""What a backlog costs: how fast the journal is written into a store that is back, and what that does to the turns meanwhile.

    nice python -m bench.catchup --calls 20000          # about three hours at two calls a second

A journal of so many whole calls is projected into a PostgreSQL of its own; meanwhile two calls a second are committed in the
same event loop, as the engine does, and timed, and for ten seconds before. Afterwards the journal is pruned.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ccserver.ports import Turn
from ccserver.store.database import Database
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from ccserver.store.projector import Projector
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from ccserver.store.upkeep import Upkeep
from tests.store_databases import postgres_server
from tests.store_projecting import FixedClock
from tests.store_truth import stored
from tests.store_turns import NODE, Script

EVERY_S = 0.05
"""Twenty turns a second: two calls."""
ALONE_S = 10.0


def backlog(path: Path, calls: int) -> Script:
    """A journal that nobody has projected."""
    script = Script()
    with SqliteJournal(path) as journal:
        for n in range(1, calls + 1):
            for turn in script.call(n=n):
                journal.commit(turn)
            if n % 1000 == 0:
                journal.checkpoint()
    return script


async def catch_up(path: Path, url: str, script: Script) -> None:
    """One store."""
    await migrate(url)
    behind, resident = script.seq, _resident_mb()
    with SqliteJournal(path) as journal, JournalReader(path) as reader:
        store, clock = SqlStore(Database(url)), FixedClock(script.now)
        projector = Projector(reader, store, NODE, clock)
        commits: list[float] = []
        late: list[float] = []
        async with asyncio.TaskGroup() as tasks:
            committing = tasks.create_task(_commit(journal, projector, script, commits, late), name="turns")
            await asyncio.sleep(ALONE_S)
            alone = f"commits alone, ms: {_spread(commits)}; loop late, ms: {_spread(late)}"
            commits.clear()
            late.clear()
            running = tasks.create_task(projector.run(), name="projector")
            keeping = tasks.create_task(
                Upkeep(journal, lambda: projector.projected, clock, keep_s=0.0).run(), name="upkeep"
            )
            began = time.monotonic()
            await projector.caught_up(behind)
            took_s = time.monotonic() - began
            committing.cancel()
            await projector.caught_up(journal.seq)
            for task in (keeping, running):
                task.cancel()
        upkeep, began = Upkeep(journal, lambda: projector.projected, clock, keep_s=0.0), time.monotonic()
        pruned = await upkeep.prune()
        pruned_s = time.monotonic() - began
        await store.close()
    peak = _peak_mb()
    rows = sum(len(table) for table in (await stored(url)).values())
    print(f"{behind} turns in {took_s:.1f} s: {behind / took_s:.0f} turns/s, {rows / took_s:.0f} rows/s")
    print(f"  {alone}")
    print(f"  commits meanwhile, ms: {_spread(commits)}; loop late, ms: {_spread(late)}")
    print(f"  memory before {resident:.0f} MB, at most {peak:.0f} MB; {pruned} turns pruned in {pruned_s:.1f} s")


async def _commit(
    journal: SqliteJournal, projector: Projector, script: Script, commits: list[float], late: list[float]
) -> None:
    for turn in _turns(script):
        due = time.perf_counter() + EVERY_S
        await asyncio.sleep(EVERY_S)
        began = time.perf_counter()
        late.append((began - due) * 1e3)
        journal.commit(turn)
        commits.append((time.perf_counter() - began) * 1e3)
        projector.wake()


def _turns(script: Script) -> Iterator[Turn]:
    while True:
        yield from script.call(n=script.seq)


def _spread(samples: list[float]) -> str:
    ordered = sorted(samples) or [0.0]
    return f"p50 {ordered[len(ordered) // 2]:.2f}, p99 {ordered[int(len(ordered) * 0.99)]:.2f}, max {ordered[-1]:.1f}"


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--calls", type=int, default=20_000, help="in the journal")
    given = arguments.parse_args()
    with postgres_server() as server, tempfile.TemporaryDirectory() as name:
        path = Path(name) / "journal.sqlite"
        script = backlog(path, given.calls)
        print(f"{given.calls} calls, {script.seq} turns, journal {path.stat().st_size / 1e6:.0f} MB")
        asyncio.run(catch_up(path, server.new_database(), script))
        return 0


if __name__ == "__main__":
    sys.exit(main())
