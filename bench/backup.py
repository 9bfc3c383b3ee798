"""How fast a large store goes into a backup and back, and how much memory that takes.

    nice python -m bench.backup --rows 1000000

A store of whole calls (contact, segments, offer, agent's intervals, recording) is backed up from SQLite by the command line,
checked, and restored into SQLite and, where there is one, into PostgreSQL. Memory is the largest that each command had.
"""

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ccserver.config.places import CHECKOUT
from ccserver.store import dump
from ccserver.store.database import PATIENT_S, Database
from ccserver.store.journal_file import TurnRecords
from ccserver.store.rows import Value, rows
from ccserver.store.schema import migrate
from tests.store_databases import NoPostgres, postgres_server
from tests.store_turns import NODE, Script

CALLS_AT_ONCE = 500


async def fill(url: str, count: int) -> int:
    """As many rows or a few more; returns how many."""
    await migrate(url)
    script = Script()
    turns = [turn for n in range(1, CALLS_AT_ONCE + 1) for turn in script.call(n=n)]
    some = rows([TurnRecords(turn.seq, turn.now, turn.records) for turn in turns], "bench")
    columns = dump.columns()
    database, made = Database(url, answers_within_s=PATIENT_S), 0
    async with database.transaction() as connection:
        for node in itertools.count(1):
            for table, values in some.items():
                names = columns[table.name]
                ordered = [tuple(_of_node(row[name], node) for name in names) for row in values]
                await dump.load(connection, table.name, names, ordered)
                made += len(ordered)
            if made >= count:
                break
    await database.close()
    return made


def _of_node(value: Value, node: int) -> Value:
    """The same call on another node: other ids, another journal."""
    if isinstance(value, str) and (value.startswith(f"{NODE}-") or value == "bench"):
        return f"n{node}-{value}"
    return value


def timed(what: str, count: int, environment: dict[str, str], *words: str) -> None:
    """A command to its end, and what it cost."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "ccserver", *words], env=environment, cwd=CHECKOUT, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{what} failed"
    took_s = time.monotonic() - began
    cpu_s = usage.ru_utime + usage.ru_stime
    print(
        f"{what:28} {took_s:6.1f} s  CPU {cpu_s:6.1f} s  {count / took_s:8.0f} rows/s  {usage.ru_maxrss / 1024:5.0f} MB"
    )


def run(count: int, directory: Path) -> None:
    """All of it."""
    environment = {**os.environ, "CCSERVER_STATE": str(directory / "a"), "CCSERVER_CONFIG": str(CHECKOUT / "dialplans")}
    (directory / "a").mkdir()
    made = asyncio.run(fill(f"sqlite:///{directory}/a/store.sqlite", count))
    file = directory / "b.tar.gz"
    print(f"{made} rows, SQLite {(directory / 'a' / 'store.sqlite').stat().st_size / 1e6:.0f} MB")
    timed("nothing (--version)", 0, environment, "--version")
    timed("backup", made, environment, "backup", str(file), "--only", "store")
    print(f"{'':28} the backup has {file.stat().st_size / 1e6:.0f} MB")
    timed("restore --check", made, environment, "restore", str(file), "--check")
    timed("restore into SQLite", made, {**environment, "CCSERVER_STATE": str(directory / "c")}, "restore", str(file))
    with suppress(NoPostgres), postgres_server() as server:
        url = server.new_database()
        timed("restore into PostgreSQL", made, environment, "restore", str(file), "--store", url)
        of_postgres = {**environment, "CCSERVER_CONFIG": str(directory / "pg"), "CCSERVER_STATE": str(directory / "d")}
        subprocess.run(["cp", "-r", str(CHECKOUT / "dialplans"), str(directory / "pg")], check=True)
        main = directory / "pg" / "ccserver.toml"
        prompts = CHECKOUT / "ivr-prompts" / "prompts.toml"
        main.write_text(f'{main.read_text()}\n[store]\nurl = "{url}"\n[prompts]\nfile = "{prompts}"\n')
        timed("backup from PostgreSQL", made, of_postgres, "backup", str(directory / "p.tar.gz"), "--only", "store")


def main() -> int:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000, help="of all tables together")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="backup-") as name:
        run(given.rows, Path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
