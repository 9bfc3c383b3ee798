"""A projector under test: running, fed, and its store held against what the journal says must be there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from ccserver.ports import Turn
from ccserver.store import tables
from ccserver.store.database import Database
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from ccserver.store.projector import Projector
from ccserver.store.rows import rows
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from tests.store_turns import NODE


class FixedClock:
    """Time that stands where the test puts it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.at = now

    def now(self) -> float:
        return self.at


@asynccontextmanager
async def projecting(path: Path, url: str, **options: Any) -> AsyncIterator[Projector]:
    """A projector that runs, on a migrated store, and impatiently."""
    await migrate(url)
    async with running(path, url, **options) as projector:
        yield projector


@asynccontextmanager
async def running(path: Path, url: str, **options: Any) -> AsyncIterator[Projector]:
    async with AsyncExitStack() as stack:
        store = SqlStore(Database(url, busy_timeout_s=0.05))
        stack.push_async_callback(store.close)
        reader = stack.enter_context(JournalReader(path))
        options = {"retry_first_s": 0.02, "retry_max_s": 0.05, **options}
        projector = Projector(reader, store, NODE, FixedClock(), **options)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = tasks.create_task(projector.run(), name="projector")
        yield projector
        running.cancel()


def commit(journal: SqliteJournal, turns: list[Turn], projector: Projector | None = None) -> None:
    for turn in turns:
        journal.commit(turn)
        if projector:
            projector.wake()


async def stored(url: str) -> dict[str, list[Any]]:
    """Every row that the projector wrote."""
    database = Database(url)
    async with database.transaction() as connection:
        found = {table.name: list(await connection.execute(select(table))) for table in written_tables()}
    await database.close()
    return {name: sorted(map(tuple, of_table), key=repr) for name, of_table in found.items()}


def names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def written_tables() -> list[Table]:
    return [table for table in tables.metadata.tables.values() if table is not tables.projected]


def expected(path: Path) -> dict[str, list[Any]]:
    """Every row that the journal says there must be, each once."""
    with JournalReader(path) as reader:
        made = rows(reader.records_after(0, 100_000), reader.journal)
    return {
        table.name: sorted((tuple(row[c] for c in names(table)) for row in made.get(table, [])), key=repr)
        for table in written_tables()
    }
