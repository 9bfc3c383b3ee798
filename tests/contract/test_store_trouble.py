"""A PostgreSQL server that is there and does not serve: nothing is lost, the cause is told with what mends it."""

import asyncio
import re
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ccserver.store.database import Database
from ccserver.store.errors import StoreError
from ccserver.store.journal import SqliteJournal
from ccserver.store.sql import SqlStore
from tests.store_databases import PostgresServer, postgres
from tests.store_projecting import commit, expected, running, stored
from tests.store_troubles import TROUBLES, Trouble, migrated
from tests.store_turns import Script

__all__ = ["postgres"]


@pytest.mark.parametrize(("trouble", "told", "mend"), TROUBLES, ids=[trouble.__name__ for trouble, _, _ in TROUBLES])
async def test_nothing_is_lost_and_the_cause_is_told_with_what_mends_it(
    trouble: Trouble, told: str, mend: str, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccserver.store.database._CONNECT_TIMEOUT_S", 1.0)
    script, path = Script(), tmp_path / "journal.sqlite"
    with SqliteJournal(path) as journal:
        commit(journal, script.call(n=1))
        async with AsyncExitStack() as broken, AsyncExitStack() as to_the_end:
            url = await broken.enter_async_context(trouble(postgres))
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
