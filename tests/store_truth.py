"""Journal, store and CEL held against each other: what was decided, what was kept, and what Asterisk says happened.

assert [line async for line in unlike(state_dir / "journal.sqlite", url, instance.cel_path, "cc1")] == []
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from ccserver.asterisk.cel import CelEvent, read_since
from ccserver.store import tables
from ccserver.store.database import Database
from ccserver.store.journal_file import JournalReader
from ccserver.store.rows import rows

OFF_BY_S = 0.01
"""Asterisk's event and its CEL line are written one after the other."""
CROSSED_S = 1.0
"""An operator who picks up so shortly before his offer is taken from him, or later: either outcome is the truth."""
AT_ONCE = 1000
Rows = dict[tuple[Any, ...], dict[str, Any]]
"""By primary key."""


def written_tables() -> list[Table]:
    """Those that the projector writes records into."""
    return [table for table in tables.metadata.tables.values() if table is not tables.projected]


async def caught_up(journal: Path, url: str, node: str) -> int:
    """Wait until all that the journal has now is in the store; returns the last turn that is."""
    with closing(sqlite3.connect(journal)) as file:
        (seq,) = file.execute("select coalesce(max(seq), 0) from turn").fetchone()
    while (there := await projected(url, node)) < seq:  # noqa: ASYNC110 - two other processes' business
        await asyncio.sleep(0.2)
    return there


async def projected(url: str, node: str) -> int:
    """The last turn that the store has of the node's journal."""
    database = Database(url)
    try:
        async with database.transaction() as connection:
            of_node = select(tables.projected.c.seq).where(tables.projected.c.node == node)
            return int((await connection.execute(of_node)).scalar_one_or_none() or 0)
    finally:
        await database.close()


def journalled(path: Path, until: int) -> dict[str, Rows]:
    """Every row that the journal says there must be after that turn; it has not been pruned."""
    found: dict[str, Rows] = {table.name: {} for table in written_tables()}
    seq = 0
    with JournalReader(path) as reader:
        while seq < until and (turns := reader.records_after(seq, min(AT_ONCE, until - seq))):
            seq = turns[-1].seq
            for table, values in rows(turns, reader.journal).items():
                by_key = {_key(table, row): dict(row) for row in values}
                kept = found[table.name]
                kept.update({key: row for key, row in by_key.items() if table is not tables.plan or key not in kept})
    return found


async def stored(url: str) -> dict[str, Rows]:
    """Every row that is there."""
    database = Database(url)
    try:
        async with database.transaction() as connection:
            return {
                table.name: {
                    _key(table, row._mapping): dict(row._mapping) for row in await connection.execute(select(table))
                }
                for table in written_tables()
            }
    finally:
        await database.close()


async def unlike(journal: Path, url: str, cel: Path, node: str) -> AsyncIterator[str]:
    """What is in one of them and not in the other, or otherwise, one line each; all calls are over, nobody writes."""
    must, have = journalled(journal, await projected(url, node)), await stored(url)
    for line in _differences(must, have):
        yield line
    for line in _against_cel(have, read_since(cel, 0.0).events, node):
        yield line


def _key(table: Table, row: Any) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _differences(must: dict[str, Rows], have: dict[str, Rows]) -> Iterator[str]:
    for table, expected in must.items():
        there = have[table]
        yield from (f"lost: {table} {key}" for key in expected.keys() - there.keys())
        yield from (f"not of the journal: {table} {key}" for key in there.keys() - expected.keys())
        for key in expected.keys() & there.keys():
            if expected[key] != there[key]:
                yield f"otherwise: {table} {key}: journal {expected[key]}, store {there[key]}"


def _against_cel(have: dict[str, Rows], events: Iterable[CelEvent], node: str) -> Iterator[str]:
    """Each caller's channel is one contact that ended when it ended, each of an agent is one offer."""
    callers: set[str] = set()
    began: set[str] = set()
    answered: dict[str, float] = {}
    ended: dict[str, float] = {}
    for event in events:
        if event.event == "CHAN_START":
            began.add(event.unique_id)
            if event.context == "lines":
                callers.add(event.unique_id)
        elif event.event == "ANSWER":
            answered[event.unique_id] = event.at
        elif event.event == "HANGUP":
            ended[event.unique_id] = event.at
    contacts = {contact.removeprefix(f"{node}-"): row for (contact,), row in have["contact"].items()}
    yield from (f"CEL has a caller that is no contact: {leg}" for leg in callers - contacts.keys())
    yield from (f"a contact whose channel CEL does not know: {leg}" for leg in contacts.keys() - callers)
    for leg in contacts.keys() & callers:
        off_s = abs((contacts[leg]["ended_at"] or 0.0) - ended.get(leg, 0.0))
        if off_s > OFF_BY_S:
            yield f"{leg} ended at {contacts[leg]['ended_at']}, CEL says {ended.get(leg)}"
    for (offer,), row in have["offer"].items():
        if offer not in began and row["ringing_at"] is not None:
            yield f"an offer whose channel CEL does not know: {offer}"
        crossed = answered.get(offer, 0.0) > (row["ended_at"] or row["answered_at"] or 0.0) - CROSSED_S
        if (row["answered_at"] is not None) != (offer in answered) and not crossed:
            yield f"{offer} answered at {row['answered_at']}, CEL says {'so' if offer in answered else 'no'}"
    offered = {offer for (offer,) in have["offer"]}
    yield from (f"CEL has an agent's leg that is no offer: {leg}" for leg in began - callers - offered)
