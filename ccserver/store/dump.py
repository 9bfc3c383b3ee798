"""The store's rows on their way out of one database and into another, of whichever kind: what a backup holds of it.

A table's rows come in pieces, so that millions of them need no more memory than one piece. Into a database they go by the
shortest way each of them has, into tables of the schema they were written with, which is brought up to date afterwards: so an
older backup can be restored by a newer ccserver.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.store.database import Database
from ccserver.store.schema import check_schema, make_tables, schema_version
from ccserver.store.tables import metadata

PIECE_ROWS = 10_000
"""Some 3 MB."""
Row = Sequence[str | int | float | bool | None]


def columns() -> dict[str, list[str]]:
    """Of every table, in the order of a row's values."""
    return {str(name): [str(column.name) for column in table.c] for name, table in metadata.tables.items()}


async def dumped(database: Database) -> AsyncIterator[tuple[str, list[Row]]]:
    """Every row, as (table, some rows), all of one moment; raises `StoreTooOld`, `StoreTooNew`, `StoreUnavailable`."""
    await check_schema(database)
    async with database.snapshot() as connection:
        for name, table in metadata.tables.items():
            rows = await connection.stream(select(table).execution_options(yield_per=PIECE_ROWS))
            async for piece in rows.partitions(PIECE_ROWS):
                yield str(name), [tuple(row) for row in piece]


async def rows_kept(connection: AsyncConnection) -> int:
    """How many contacts and agents' intervals would be lost if the tables were dropped; 0 where there are none."""
    if not await schema_version(connection):
        return 0
    count = "select (select count(*) from contact) + (select count(*) from agent_interval)"
    return int((await connection.execute(text(count))).scalar_one())


async def emptied(connection: AsyncConnection, schema: int) -> None:
    """Empty tables of that schema, in place of whatever there is of ours."""
    for name in (*metadata.tables, "alembic_version"):
        await connection.execute(text(f"drop table if exists {name}"))
    await make_tables(connection, schema)


async def load(connection: AsyncConnection, table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Append the rows; `names` are the columns of their values."""
    if connection.dialect.name == "postgresql":
        from asyncpg import PostgresError  # type: ignore[import-untyped]  # here: with SQLite nobody needs it

        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            await driver.copy_records_to_table(table, records=rows, columns=names)
        except PostgresError as error:
            raise DBAPIError(f"copy {table}", None, error) from error
        return
    places = ", ".join("?" * len(names))
    await connection.exec_driver_sql(
        f"insert into {table} ({', '.join(names)}) values ({places})", [tuple(row) for row in rows]
    )
