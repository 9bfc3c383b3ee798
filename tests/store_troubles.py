"""Ways in which a real PostgreSQL server is there and does not serve, each with what must be told and what mends it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from ccserver.store.schema import migrate
from tests.store_databases import PostgresServer

Trouble = Callable[[PostgresServer], AbstractAsyncContextManager[str]]
"""Gives the URL of a store that does not serve; at its end it is mended."""


def database(url: str) -> str:
    return url.rpartition("/")[2]


async def migrated(server: PostgresServer, *, role: str = "ccserver", more: str = "") -> str:
    url = server.new_database(role=role, more=more)
    await migrate(url)
    return url


@asynccontextmanager
async def set_read_only(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql(f"alter database {database(url)} set default_transaction_read_only = on")
    yield url
    server.sql(f"begin read write; alter database {database(url)} reset default_transaction_read_only; commit")
    server.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database(url)}'")


@asynccontextmanager
async def a_standby(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    server.demote()
    yield url
    server.promote()


@asynccontextmanager
async def full(server: PostgresServer) -> AsyncIterator[str]:
    async with on_a_small_disk(server, "small") as (url, place), crammed(place):
        yield url


@asynccontextmanager
async def full_for_newcomers(server: PostgresServer) -> AsyncIterator[str]:
    async with on_a_small_disk(server, "smaller") as (url, place):
        for cache in place.glob("PG_*/*/pg_internal.init"):
            cache.unlink()  # as the server itself does when a table of its catalog changes, by autovacuum for one
        async with crammed(place):
            yield url


@asynccontextmanager
async def on_a_small_disk(server: PostgresServer, tablespace: str) -> AsyncIterator[tuple[str, Path]]:
    place = server.directory / tablespace
    server.mount_small(place)
    server.sql(f"create tablespace {tablespace} location '{place}'")
    yield await migrated(server, more=f"tablespace {tablespace}"), place


@asynccontextmanager
async def crammed(place: Path) -> AsyncIterator[None]:
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    yield
    ballast.unlink()


@asynccontextmanager
async def older(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql("update alembic_version set version_num = '0000'", database(url))
    yield url
    server.sql("drop schema public cascade; create schema public", database(url))
    await migrate(url)


@asynccontextmanager
async def newer(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    ours = server.sql("select version_num from alembic_version", database(url))
    server.sql("update alembic_version set version_num = '0099'", database(url))
    yield url
    server.sql(f"update alembic_version set version_num = '{ours}'", database(url))


@asynccontextmanager
async def another_password(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql("create role guarded login superuser password 'right'")
    yield url.replace("ccserver@", "guarded:wrong@")
    server.sql("alter role guarded password 'wrong'")


@asynccontextmanager
async def no_such_database(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql(f"alter database {database(url)} rename to {database(url)}_else")
    yield url
    server.sql(f"alter database {database(url)}_else rename to {database(url)}")


@asynccontextmanager
async def a_table_of_another_owner(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server, role=server.new_role())
    server.sql("alter table segment owner to ccserver", database(url))
    yield url
    server.sql(f"alter table segment owner to {url.partition('://')[2].partition('@')[0]}", database(url))


@asynccontextmanager
async def too_many_connections(server: PostgresServer) -> AsyncIterator[str]:
    role = server.new_role()
    url = await migrated(server, role=role)
    server.sql(f"alter role {role} connection limit 0")
    yield url
    server.sql(f"alter role {role} connection limit -1")


@asynccontextmanager
async def down(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    server.stop()
    yield url
    server.start()


@asynccontextmanager
async def silent(server: PostgresServer) -> AsyncIterator[str]:
    url = await migrated(server)
    with server.silent():
        yield url


NO_ROOM = "could not extend file .*: No space left on device|could not write init file"
TROUBLES: list[tuple[Trouble, str, str]] = [
    (set_read_only, "cannot execute INSERT in a read-only transaction", "name the primary server in .store. url, or"),
    (a_standby, "cannot execute INSERT in a read-only transaction", "name the primary server in .store. url, or"),
    (full, NO_ROOM, "make room on the disk of the database server"),
    (full_for_newcomers, "could not write init file", "make room on the disk of the database server"),
    (older, r"has no tables yet, this ccserver needs \d+", "ccserver migrate"),
    (newer, r"has schema 99, this ccserver knows \d+", "install the newer ccserver again"),
    (another_password, 'password authentication failed for user "guarded"', "correct user and password in .store. url"),
    (no_such_database, r'database "store\d+" does not exist', "make the database"),
    (a_table_of_another_owner, "permission denied for table segment", "the owner of the database and its tables"),
    (too_many_connections, r'too many connections for role "role\d+"', "end other sessions, or raise max_connections"),
    (down, "does not serve: nobody listens there", "start PostgreSQL, or correct the address"),
    (silent, "does not serve: no answer in time", "see that PostgreSQL answers"),
]
"""The trouble, and what the alarm says of its cause and of what mends it."""
