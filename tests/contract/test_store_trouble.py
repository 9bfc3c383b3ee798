"""A PostgreSQL server that is there and does not serve: nothing is lost, the cause is told with what mends it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from ccserver.store.database import Database
from ccserver.store.errors import StoreError
from ccserver.store.journal import SqliteJournal
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from tests.store_databases import PostgresServer, postgres
from tests.store_projecting import commit, expected, running, stored
from tests.store_turns import Script

__all__ = ["postgres"]

Trouble = Callable[[PostgresServer, Path], AbstractAsyncContextManager[str]]
"""Gives the URL of a store that does not serve; at its end it is mended."""


def database(url: str) -> str:
    return url.rpartition("/")[2]


async def migrated(server: PostgresServer, *, role: str = "ccserver", more: str = "") -> str:
    url = server.new_database(role=role, more=more)
    await migrate(url)
    return url


@asynccontextmanager
async def set_read_only(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql(f"alter database {database(url)} set default_transaction_read_only = on")
    yield url
    server.sql(f"begin read write; alter database {database(url)} reset default_transaction_read_only; commit")
    server.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database(url)}'")


@asynccontextmanager
async def a_standby(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    server.demote()
    yield url
    server.promote()


@asynccontextmanager
async def full(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    place = server.directory / "small"
    server.mount_small(place)
    server.sql(f"create tablespace small location '{place}'")
    url = await migrated(server, more="tablespace small")
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    yield url
    ballast.unlink()


@asynccontextmanager
async def older(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql("update alembic_version set version_num = '0000'", database(url))
    yield url
    server.sql("drop schema public cascade; create schema public", database(url))
    await migrate(url)


@asynccontextmanager
async def newer(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    ours = server.sql("select version_num from alembic_version", database(url))
    server.sql("update alembic_version set version_num = '0099'", database(url))
    yield url
    server.sql(f"update alembic_version set version_num = '{ours}'", database(url))


@asynccontextmanager
async def another_password(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql("create role guarded login superuser password 'right'")
    yield url.replace("ccserver@", "guarded:wrong@")
    server.sql("alter role guarded password 'wrong'")


@asynccontextmanager
async def no_such_database(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    server.sql(f"alter database {database(url)} rename to {database(url)}_else")
    yield url
    server.sql(f"alter database {database(url)}_else rename to {database(url)}")


@asynccontextmanager
async def a_table_of_another_owner(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server, role=server.new_role())
    server.sql("alter table segment owner to ccserver", database(url))
    yield url
    server.sql(f"alter table segment owner to {url.partition('://')[2].partition('@')[0]}", database(url))


@asynccontextmanager
async def too_many_connections(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    role = server.new_role()
    url = await migrated(server, role=role)
    server.sql(f"alter role {role} connection limit 0")
    yield url
    server.sql(f"alter role {role} connection limit -1")


@asynccontextmanager
async def down(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    server.stop()
    yield url
    server.start()


@asynccontextmanager
async def silent(server: PostgresServer, _: Path) -> AsyncIterator[str]:
    url = await migrated(server)
    with server.silent():
        yield url


TROUBLES = [
    (set_read_only, "cannot execute INSERT in a read-only transaction", "name the primary server in .store. url, or"),
    (a_standby, "cannot execute INSERT in a read-only transaction", "name the primary server in .store. url, or"),
    (full, "could not extend file .*: No space left on device", "make room on the disk of the database server"),
    (older, r"has no tables yet, this ccserver needs \d+", "ccserver migrate"),
    (newer, r"has schema 99, this ccserver knows \d+", "install the newer ccserver again"),
    (another_password, 'password authentication failed for user "guarded"', "correct user and password in .store. url"),
    (no_such_database, r'database "store\d+" does not exist', "make the database"),
    (a_table_of_another_owner, "permission denied for table segment", "the owner of the database and its tables"),
    (too_many_connections, r'too many connections for role "role\d+"', "end other sessions, or raise max_connections"),
    (down, "does not serve: nobody listens there", "start PostgreSQL, or correct the address"),
    (silent, "does not serve: no answer in time", "see that PostgreSQL answers"),
]


@pytest.mark.parametrize(("trouble", "told", "mend"), TROUBLES, ids=[trouble.__name__ for trouble, _, _ in TROUBLES])
async def test_nothing_is_lost_and_the_cause_is_told_with_what_mends_it(
    trouble: Trouble, told: str, mend: str, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccserver.store.database._CONNECT_TIMEOUT_S", 1.0)
    script, path = Script(), tmp_path / "journal.sqlite"
    with SqliteJournal(path) as journal:
        commit(journal, script.call(n=1))
        async with AsyncExitStack() as broken, AsyncExitStack() as to_the_end:
            url = await broken.enter_async_context(trouble(postgres, tmp_path))
            with pytest.raises(StoreError, match=told) as refused:
                await tried_out(url)
            assert re.search(mend, refused.value.mend)
            projector = await to_the_end.enter_async_context(running(path, url))
            await projector.until(lambda: projector.alarm is not None)
            assert projector.alarm and re.search(told, projector.alarm.text) and re.search(mend, projector.alarm.text)
            commit(journal, script.call(n=2), projector)
            assert (projector.projected, journal.seq, journal.alarm) == (0, 20, None)
            await broken.aclose()
            await projector.caught_up(20)
            await projector.until(lambda: projector.alarm is None)
            await tried_out(url)
        assert await stored(url) == expected(path)


async def tried_out(url: str) -> None:
    store = SqlStore(Database(url))
    try:
        await store.try_out()
    finally:
        await store.close()


async def test_a_server_restarted_under_us_costs_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    script, path = Script(), tmp_path / "journal.sqlite"
    url = await migrated(postgres)
    with SqliteJournal(path) as journal:
        async with running(path, url) as projector:
            for n in range(1, 5):
                commit(journal, script.call(n=n), projector)
                await projector.caught_up(script.seq)
                await asyncio.to_thread(postgres.stop)
                await asyncio.to_thread(postgres.start)
            commit(journal, script.call(n=5), projector)
            await projector.caught_up(script.seq)
        assert await stored(url) == expected(path)


async def test_something_that_takes_connections_and_is_no_postgresql_is_told_as_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, SqliteJournal(tmp_path / "journal.sqlite") as journal:
        commit(journal, Script().call())
        url = f"postgresql://ccserver@127.0.0.1:{mute.getsockname()[1]}/store"
        async with running(journal.path, url) as projector:
            await projector.until(lambda: projector.alarm is not None)
            assert projector.alarm and "no answer in time" in projector.alarm.text


async def test_whoever_leaves_does_not_wait_for_a_server_that_has_fallen_silent(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await migrated(postgres)
    store = await SqlStore.opened(url)
    with postgres.silent():
        async with asyncio.timeout(20):  # closing waited for ever, and with it whoever took over
            await store.close()


async def test_trying_out_leaves_nothing_behind(postgres: PostgresServer) -> None:
    url = await migrated(postgres)
    await tried_out(url)
    assert not any((await stored(url)).values())
