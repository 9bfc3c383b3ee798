"""The journal reaches the store, each turn once, whatever happens to the database meanwhile."""

import asyncio
import gc
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ccserver.store.errors import StaleWriter
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from ccserver.store.upkeep import Upkeep
from tests.store_databases import PostgresServer, postgres, store_url
from tests.store_projecting import FixedClock, commit, expected, projecting, running, stored
from tests.store_turns import ANNA, Script

__all__ = ["postgres", "store_url"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def test_what_is_committed_reaches_the_store(path: Path, store_url: str) -> None:
    script = Script()
    with SqliteJournal(path) as journal:
        commit(journal, [script.adopted(), *script.call(n=1)])
        async with projecting(path, store_url, batch_turns=4) as projector:
            await projector.caught_up(11)
            commit(journal, script.call(n=2), projector)
            await projector.caught_up(21)
            assert projector.projected == 21 and projector.alarm is None
        assert await stored(store_url) == expected(path)


async def test_a_projector_that_was_killed_goes_on_where_it_was(path: Path, store_url: str) -> None:
    script = Script()
    with SqliteJournal(path) as journal:
        for n in range(1, 6):
            commit(journal, script.call(n=n))
            async with projecting(path, store_url, batch_turns=3) as projector:
                await projector.caught_up(script.seq - 5)
        async with projecting(path, store_url) as projector:
            await projector.caught_up(script.seq)
        assert await stored(store_url) == expected(path)


async def test_a_projector_cancelled_at_any_moment_leaves_nothing_half_done(path: Path, store_url: str) -> None:
    script = Script()
    await migrate(store_url)
    with SqliteJournal(path) as journal:
        commit(journal, [turn for n in range(1, 21) for turn in script.call(n=n)])
        for turns_of_the_loop in range(0, 1000, 100):
            async with running(path, store_url, batch_turns=7):
                for _ in range(turns_of_the_loop):
                    await asyncio.sleep(0)
        gc.collect()  # a connection left open would be told here
        async with running(path, store_url) as projector:
            await projector.caught_up(200)
        assert await stored(store_url) == expected(path)


@contextmanager
def database_away(store_url: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """The database refuses everybody: the file is locked by another program, the server is down."""
    if store_url.startswith("sqlite"):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("begin exclusive")
            yield
            other.execute("rollback")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        server.stop()
        yield
        server.start()


async def test_with_the_database_away_the_journal_grows_and_all_follows_once(
    path: Path, store_url: str, request: pytest.FixtureRequest
) -> None:
    script = Script()
    with SqliteJournal(path) as journal, ExitStack() as outage:
        commit(journal, script.call(n=1))
        async with projecting(path, store_url, linger_s=0.0) as projector:
            await projector.caught_up(10)
            outage.enter_context(database_away(store_url, request))
            for n in range(2, 40):
                commit(journal, script.call(n=n), projector)
            await projector.until(lambda: projector.alarm is not None)
            assert projector.alarm and "does not serve" in projector.alarm.text and projector.alarm.since == 1000.0
            assert (projector.projected, journal.seq, journal.alarm) == (10, 390, None)
            outage.close()
            await projector.caught_up(390)
            await projector.until(lambda: projector.alarm is None)
        assert await stored(store_url) == expected(path)


async def test_a_database_that_is_away_at_the_start_is_waited_for(
    path: Path, store_url: str, request: pytest.FixtureRequest
) -> None:
    await migrate(store_url)
    with SqliteJournal(path) as journal, ExitStack() as outage:
        commit(journal, Script().call())
        outage.enter_context(database_away(store_url, request))
        async with running(path, store_url) as projector:
            await projector.until(lambda: projector.alarm is not None)
            assert projector.projected == 0
            outage.close()
            await projector.caught_up(10)
        assert await stored(store_url) == expected(path)


async def test_a_store_that_was_not_migrated_is_told_and_waited_for(path: Path, store_url: str) -> None:
    with SqliteJournal(path) as journal:
        commit(journal, Script().call())
        async with running(path, store_url) as projector:
            await projector.until(lambda: projector.alarm is not None)
            assert projector.alarm and "run `ccserver migrate`" in projector.alarm.text
            await migrate(store_url)
            await projector.caught_up(10)


async def test_whoever_is_replaced_stops_loudly(path: Path, store_url: str) -> None:
    script = Script()
    with SqliteJournal(path) as journal:
        commit(journal, script.call(n=1))
        with pytest.raises(ExceptionGroup) as stopped:
            async with projecting(path, store_url) as old:
                await old.caught_up(10)
                async with projecting(path, store_url) as new:
                    await new.caught_up(10)
                    commit(journal, script.call(n=2), old)
                    await asyncio.Event().wait()
        assert stopped.group_contains(StaleWriter)


async def test_what_a_power_cut_took_from_the_journal_and_came_otherwise_is_projected(
    path: Path, store_url: str
) -> None:
    script, backup = Script(), path.with_suffix(".backup")
    with SqliteJournal(path) as journal:
        commit(journal, [script.adopted(), *script.call(n=1)])
    shutil.copy(path, backup)
    then = script.now
    with SqliteJournal(path) as journal:
        commit(journal, script.call(n=2))
        async with projecting(path, store_url) as projector:
            await projector.caught_up(21)
    shutil.copy(backup, path)
    other = Script(seq=11, now=then + 500)
    with SqliteJournal(path) as journal:
        # so many that the numbers are beyond those the store has seen, before anybody projects
        commit(journal, [*other.call(n=2), *other.call(n=3)])
        with capture_logs() as logs:
            async with projecting(path, store_url) as projector:
                await projector.caught_up(31)
        assert [log["event"] for log in logs] == ["journal_projected_anew"]
        found, must = await stored(store_url), expected(path)
        assert set(must["contact"]) < set(found["contact"]) and len(found["contact"]) == 4
        assert found["agent_interval"] == must["agent_interval"]


async def test_turns_that_were_pruned_before_they_were_projected_are_told(path: Path, store_url: str) -> None:
    script = Script()
    with SqliteJournal(path) as journal:
        commit(journal, script.call(n=1))
        async with projecting(path, store_url) as projector:
            await projector.caught_up(10)
        commit(journal, script.call(n=2))
        with closing(sqlite3.connect(path)) as vandal, vandal:
            vandal.execute("delete from turn where seq between 11 and 13")
        with capture_logs() as logs:
            async with projecting(path, store_url) as projector:
                await projector.caught_up(20)
        assert [(log["event"], log["first"], log["last"]) for log in logs] == [("journal_lacks_turns", 11, 13)]


async def test_a_journal_that_cannot_be_read_is_an_alarm_and_not_the_end(path: Path, store_url: str) -> None:
    with SqliteJournal(path) as journal:
        commit(journal, Script().call())
        with closing(sqlite3.connect(path)) as vandal, vandal:
            [(records,)] = vandal.execute("select records from turn where seq = 4").fetchall()
            vandal.execute("update turn set records = ? where seq = 4", (records[:20],))
        async with projecting(path, store_url) as projector:
            await projector.until(lambda: projector.alarm is not None)
            assert projector.alarm and "journal.sqlite: the journal cannot be read" in projector.alarm.text
            with closing(sqlite3.connect(path)) as healer, healer:
                healer.execute("update turn set records = ? where seq = 4", (records,))
            await projector.caught_up(10)
        assert await stored(store_url) == expected(path)


async def test_agents_time_before_a_lost_journal_is_not_overwritten(path: Path, store_url: str) -> None:
    script = Script()
    for _ in range(2):
        with SqliteJournal(path) as journal:
            commit(journal, Script(now=script.now).call(n=1))
            async with projecting(path, store_url) as projector:
                await projector.caught_up(10)
        path.unlink()
        script.now += 1000
    store = await SqlStore.opened(store_url)
    assert len(await store.agent_intervals(ANNA, 0.0)) == 6
    await store.close()


class TestUpkeep:
    """The journal stays small while it is in use."""

    async def test_what_is_projected_and_old_goes_and_a_replay_is_still_possible(self, path: Path) -> None:
        script, clock = Script(), FixedClock()
        with SqliteJournal(path) as journal, JournalReader(path) as reader:
            upkeep = Upkeep(journal, lambda: script.seq, clock, keep_s=100.0)
            removed = []
            for n in range(1, 31):
                commit(journal, script.call(n=n))
                clock.at += 40.0
                removed.append(await upkeep.prune())
            assert removed == [0, 0, 0, 9, *[10] * 26]
            left = reader.turns_after(0, 1000)
            assert (left[0].seq, left[-1].seq) == (270, 300), "each call's snapshot is 40 s younger; 100 s are kept"
            found = reader.latest_snapshot()
            assert found and found.state.seq == 300

    async def test_nothing_goes_that_the_store_does_not_have(self, path: Path) -> None:
        script, clock = Script(), FixedClock()
        with SqliteJournal(path) as journal, JournalReader(path) as reader:
            upkeep = Upkeep(journal, lambda: 0, clock, keep_s=0.0)
            for n in range(1, 4):
                commit(journal, script.call(n=n))
                clock.at += 40.0
                assert await upkeep.prune() == 0
            assert len(reader.turns_after(0, 1000)) == 30

    async def test_it_moves_the_log_into_the_file_while_turns_are_committed(self, path: Path) -> None:
        script = Script()
        with SqliteJournal(path) as journal:
            empty = path.stat().st_size
            upkeep = Upkeep(journal, lambda: script.seq, FixedClock(), checkpoint_every_s=0.0, snapshot_every_s=0.0)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(upkeep.run(), name="upkeep")
                n = 0
                while path.stat().st_size < empty + 200_000:
                    n += 1
                    commit(journal, script.call(n=n))
                    await asyncio.sleep(0)
                task.cancel()
            assert upkeep.alarm is None

    async def test_a_journal_moved_away_under_it_is_an_alarm_until_it_is_back(self, path: Path) -> None:
        with SqliteJournal(path) as journal:
            commit(journal, Script().call())
            upkeep = Upkeep(journal, lambda: 0, FixedClock())
            moved = path.rename(path.with_suffix(".moved"))
            await upkeep.round()
            assert upkeep.alarm and "unable to open database file" in upkeep.alarm.text
            moved.rename(path)
            await upkeep.round()
            assert upkeep.alarm is None

    async def test_a_snapshot_is_taken_when_it_is_due(self, path: Path) -> None:
        clock = FixedClock()
        with SqliteJournal(path) as journal, JournalReader(path) as reader:
            commit(journal, Script().call())
            upkeep = Upkeep(journal, lambda: 0, clock, snapshot_every_s=60.0)
            clock.at += 59.0
            await upkeep.round()
            assert reader.latest_snapshot() is None
            clock.at += 1.0
            await upkeep.round()
            found = reader.latest_snapshot("hourly")
            assert found and found.at == clock.at
