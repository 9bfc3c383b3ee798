"""The door to the store's database, SQLite or PostgreSQL by URL, and the one place where its errors become ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ccserver.store.errors import StoreUnavailable, StoreUrlWrong
from ccserver.store.trouble import SILENT, trouble

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_CONNECT_TIMEOUT_S = 5.0
_ANSWER_TIMEOUT_S = 10.0
"""A healthy server needs hundredths of a second for a batch of the projector: one that takes this long is as good as away."""
PATIENT_S = 24 * 3600.0
"""For whoever brings millions of rows or new indexes."""
_CLOSE_TIMEOUT_S = 1.0


class Database:
    """A database that may be away at any time; every use of it is one named transaction."""

    def __init__(self, url: str, *, busy_timeout_s: float = 5.0, answers_within_s: float = _ANSWER_TIMEOUT_S) -> None:
        """`sqlite:////path/store.sqlite` or `postgresql://user:password@host/name`; nothing is connected yet.

        `busy_timeout_s`: how long SQLite waits for another writer. `answers_within_s`: for a whole transaction; who alters
        tables of millions of rows gives it more.
        """
        self.url = _parsed(url)
        self.place = f"store {self.url.set(drivername=self.dialect).render_as_string(hide_password=True)}"
        self.engine = _engine(self.url, busy_timeout_s, answers_within_s)
        self._answers_within_s = answers_within_s
        self._open: WeakSet[Any] = WeakSet()
        if self.dialect == "postgresql":
            event.listen(self.engine.sync_engine, "connect", lambda made, _: self._open.add(made.driver_connection))

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    @property
    def file(self) -> Path | None:
        """Of SQLite."""
        return Path(self.url.database) if self.dialect == "sqlite" and self.url.database else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """All of it or nothing; raises `StoreUnavailable` whatever the database says no to, and when it is silent."""
        async with self._begun(self.engine, self._answers_within_s) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """For reading: all of it is of one moment, however long it takes, and disturbs nobody who writes."""
        engine = self.engine
        if self.dialect == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with self._begun(engine, None) as connection:
            yield connection

    @asynccontextmanager
    async def _begun(self, engine: AsyncEngine, within_s: float | None) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(within_s), engine.begin() as connection:
                yield connection
        except TimeoutError as error:
            raise StoreUnavailable(self.place, *SILENT) from error
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(self.place, *trouble(error)) from error

    async def close(self) -> None:
        """Close all connections; the object may be used again.

        A server that has fallen silent would keep us waiting for its good-bye for ever, and with us whoever takes over.
        """
        farewells = (connection.close(timeout=_CLOSE_TIMEOUT_S) for connection in list(self._open))
        await asyncio.gather(*farewells, return_exceptions=True)  # an unanswered one has been cut off
        await self.engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        return parsed.set(drivername=_DRIVERS[parsed.get_backend_name()])
    except (ArgumentError, KeyError):
        raise StoreUrlWrong(url) from None


def _engine(url: URL, busy_timeout_s: float, answers_within_s: float) -> AsyncEngine:
    if url.get_backend_name() == "postgresql":
        # A server that restarted would otherwise cost one failed query for each connection in the pool.
        timeouts = {"timeout": _CONNECT_TIMEOUT_S, "command_timeout": answers_within_s}
        return create_async_engine(url, pool_pre_ping=True, connect_args=timeouts)
    engine = create_async_engine(url, connect_args={"timeout": busy_timeout_s})
    event.listen(engine.sync_engine, "connect", _open_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(connection: Any, _: object) -> None:
    # The driver's own idea of transactions leaves DDL and SELECT outside of them: migrations would stop half-way.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma synchronous = normal")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("begin")
