"""The store's schema: which one a database has, which one this ccserver needs, and the way from one to the other.

Migrations are the files in `sql/versions`, numbered from 0001; `ccserver migrate` applies them. The daemon never does that
by itself: with a store that is older or newer than its code it takes calls and journals them, and an alarm tells.
"""

import os
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

import ccserver
from ccserver.store.database import PATIENT_S, Database
from ccserver.store.errors import MigrationsMissing, StoreTooNew, StoreTooOld
from ccserver.store.tables import SCHEMA


def migrations() -> Path:
    """The directory `sql/` of the checkout that this code runs from, or of `CCSERVER_HOME`."""
    home = os.environ.get("CCSERVER_HOME")
    root = Path(home) if home else Path(ccserver.__file__).resolve().parents[1]
    if not (root / "sql" / "env.py").is_file():
        raise MigrationsMissing(root / "sql")
    return root / "sql"


async def schema_version(connection: AsyncConnection) -> int:
    """The number of the last migration applied; 0: none, there are no tables."""
    return await connection.run_sync(_version)


async def check_schema(database: Database) -> None:
    """Raise `StoreTooOld` or `StoreTooNew` unless the store has just the schema that this code knows; makes no file."""
    file = database.file
    if file is not None and file.parent.is_dir() and not file.exists():
        raise StoreTooOld(database.place, 0, SCHEMA)
    async with database.transaction() as connection:
        found = await schema_version(connection)
    if found < SCHEMA:
        raise StoreTooOld(database.place, found, SCHEMA)
    if found > SCHEMA:
        raise StoreTooNew(database.place, found, SCHEMA)


async def make_tables(connection: AsyncConnection, schema: int = SCHEMA) -> None:
    """Bring the tables to that schema (from nothing, or from an older one), in the connection's transaction."""
    await connection.run_sync(_upgrade, migrations(), f"{schema:04d}")


async def migrate(url: str) -> tuple[int, int]:
    """Bring the store up to this code's schema, in one transaction; returns the schema before and after.

    Raises `StoreTooNew`, `StoreUnavailable`, `MigrationsMissing`.
    """
    database = Database(url, answers_within_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            before = await schema_version(connection)
            if before > SCHEMA:
                raise StoreTooNew(database.place, before, SCHEMA)
            await make_tables(connection)
            return before, await schema_version(connection)
    finally:
        await database.close()


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("alembic_version"):
        return 0
    return int(connection.execute(text("select version_num from alembic_version")).scalar_one_or_none() or 0)


def _upgrade(connection: Connection, directory: Path, revision: str) -> None:
    from alembic import command  # here: it would make a start some 60 ms longer, which never needs it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
