"""What was backed up is there again after a restore, on either database, and the daemon goes on as if nothing had been."""

import asyncio
import gzip
import json
import os
import re
import shutil
import zlib
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from ccserver.__main__ import main
from ccserver.backup.container import Writer, members, writing
from ccserver.backup.errors import (
    BackupError,
    BackupFailed,
    BackupTooNew,
    BackupUnreadable,
    PlaceTaken,
    RestoreFailed,
    RestoreUnfinished,
)
from ccserver.backup.made import backup
from ccserver.backup.manifest import HEAD, PARTS
from ccserver.backup.places import Places, marker_in, refuse_unfinished
from ccserver.backup.verified import verified
from ccserver.store import dump
from ccserver.store.database import Database
from ccserver.store.errors import JournalLocked, StoreUnavailable
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from ccserver.store.lock import JournalLock
from ccserver.store.schema import make_tables, migrate, schema_version
from ccserver.store.tables import SCHEMA
from tests.contract.backup_case import files, installed, made, places, put_back
from tests.mounts import Mounted, mounted
from tests.store_databases import PostgresServer, postgres
from tests.store_projecting import commit, expected, running, stored
from tests.store_turns import NODE, Script

__all__ = ["mounted", "postgres"]

BACKLOG = 100
"""Turns that the store may lack while the journal grows as fast as it can."""
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def url_of(kind: str, root: Path, postgres: PostgresServer) -> str:
    return f"sqlite:///{root}/var/store.sqlite" if kind == "sqlite" else postgres.new_database()


@pytest.fixture
def mine(tmp_path: Path) -> Places:
    """An installation on SQLite."""
    return installed(tmp_path / "mine", f"sqlite:///{tmp_path}/mine/var/store.sqlite")


@pytest.fixture
def fresh(tmp_path: Path) -> Places:
    """A machine with nothing."""
    return places(tmp_path / "fresh", f"sqlite:///{tmp_path}/fresh/var/store.sqlite")


async def goes_on(there: Places) -> None:
    """A daemon started there writes what the store lacks, and every row is there once."""
    script = Script()
    with JournalReader(there.journal) as reader:
        restored = reader.restore()
    script.seq, script.now = restored.seq, restored.now + 100
    with SqliteJournal(there.journal) as journal:
        async with running(there.journal, there.store_url) as projector:
            await projector.caught_up(script.seq)
            commit(journal, script.call(n=77), projector)
            await projector.caught_up(script.seq)
    assert await stored(there.store_url) == expected(there.journal)


# --- round trips -------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("other", ["sqlite", "postgresql"])
def test_everything_is_there_again_on_this_database_and_on_the_other(
    kind: str, other: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    root = tmp_path / "mine"
    mine = installed(root, url_of(kind, root, postgres))
    there = places(tmp_path / "fresh", url_of(other, tmp_path / "fresh", postgres))
    was, rows = files(root), asyncio.run(stored(mine.store_url))
    file = made(mine, tmp_path / "b.tar.gz")
    told = put_back(file, there)
    assert "3 contacts" in told and "2 of the recordings are not in" in told
    assert asyncio.run(stored(there.store_url)) == rows
    now = files(tmp_path / "fresh")
    same = {name for name in was if not name.startswith(("var/recordings/", "var/store", "var/journal"))}
    assert {name: now[name] for name in same} == {name: was[name] for name in same}
    assert (tmp_path / "fresh/var/certificates/ca.key").stat().st_mode & 0o777 == 0o600
    asyncio.run(goes_on(there))


def test_the_sound_comes_back_only_when_it_was_taken(mine: Places, fresh: Places, tmp_path: Path) -> None:
    put_back(made(mine, tmp_path / "b.tar.gz", with_sound=True), fresh)
    recordings = files(fresh.recordings_dir)
    assert recordings == {"2026/05/28/a1-1.opus": b"opus one", "2026/05/28/a1-2.opus": b"opus two"}


def test_what_the_configuration_refers_to_elsewhere_comes_along(mine: Places, fresh: Places, tmp_path: Path) -> None:
    main = mine.config_dir / "ccserver.toml"
    absolute = tmp_path / "elsewhere" / "bought.pem"
    absolute.parent.mkdir()
    absolute.write_text("certificate")
    (mine.config_dir.parent / "north.password").write_text("of the carrier")
    trunk = f'[[trunks]]\nname = "north"\npassword_file = "../north.password"\nca_file = "{absolute}"\n'
    main.write_text(f"{main.read_text()}\n{trunk}")
    file = made(mine, tmp_path / "b.tar.gz")
    absolute.unlink()
    put_back(file, fresh)
    assert (fresh.config_dir.parent / "north.password").read_text() == "of the carrier"
    assert absolute.read_text() == "certificate"
    absolute.write_text("another")
    with pytest.raises(PlaceTaken, match=re.escape(str(absolute))):
        put_back(file, places(tmp_path / "third", fresh.store_url.replace("fresh", "third")))


def test_a_part_alone_leaves_the_others_as_they_are(mine: Places, fresh: Places, tmp_path: Path) -> None:
    file = made(mine, tmp_path / "b.tar.gz")
    put_back(file, fresh, ("configuration",))
    assert not fresh.journal.exists() and (fresh.config_dir / "ccserver.toml").exists()
    with pytest.raises(BackupUnreadable, match="it has no journal, only store"):
        put_back(made(mine, tmp_path / "s.tar.gz", ("store",)), fresh, ("journal",))


@BOTH
def test_a_backup_under_load_has_every_turn_once(kind: str, tmp_path: Path, postgres: PostgresServer) -> None:
    root = tmp_path / "mine"
    mine = installed(root, url_of(kind, root, postgres), calls=60)
    there = places(tmp_path / "fresh", url_of(kind, tmp_path / "fresh", postgres))
    script = Script(seq=1 + 62 * 10, now=1_780_100_000.0)

    async def serving() -> None:
        with SqliteJournal(mine.journal) as journal:
            async with running(mine.journal, mine.store_url, linger_s=0.0, batch_turns=7) as projector:
                making = asyncio.get_running_loop().run_in_executor(None, made, mine, tmp_path / "b.tar.gz")
                n = 100
                while not making.done():
                    n += 1
                    commit(journal, script.call(n=n), projector)
                    await projector.caught_up(max(0, script.seq - BACKLOG))
                await making
                await projector.caught_up(script.seq)

    asyncio.run(serving())
    put_back(tmp_path / "b.tar.gz", there)
    asyncio.run(goes_on(there))


def test_rows_of_an_older_version_are_brought_up_to_date(mine: Places, fresh: Places, tmp_path: Path) -> None:
    async def of_schema_1() -> tuple[dict[str, list[str]], dict[str, list[dump.Row]]]:
        old = Database(f"sqlite:///{tmp_path}/old.sqlite")
        columns, rows = {}, {}
        async with old.transaction() as connection:
            await make_tables(connection, 1)
            now = await stored(mine.store_url)
            for table, names in dump.columns().items():
                there = [str(row[1]) for row in await connection.execute(text(f"pragma table_info({table})"))]
                if not there:
                    continue  # it came later
                columns[table] = [name for name in names if name in there]
                kept = [names.index(name) for name in columns[table]]
                rows[table] = [tuple(row[n] for n in kept) for row in now.get(table, [])]
        await old.close()
        return columns, rows

    columns, rows = asyncio.run(of_schema_1())
    assert columns["contact"] != dump.columns()["contact"]
    contents = verified(made(mine, tmp_path / "b.tar.gz", ("store",)))
    head = msgspec.structs.replace(
        contents.head, schema=1, columns={table: tuple(names) for table, names in columns.items()}
    )
    with writing(tmp_path / "old.tar.gz") as writer:
        rewritten(writer, head, {table: of_table for table, of_table in rows.items() if of_table})
    put_back(tmp_path / "old.tar.gz", fresh)

    async def found() -> tuple[int, set[str]]:
        database = Database(fresh.store_url)
        async with database.transaction() as connection:
            directions = {row[0] for row in await connection.execute(text("select direction from contact"))}
            version = await schema_version(connection)
        await database.close()
        return version, directions

    assert asyncio.run(found()) == (SCHEMA, {"inbound"})


def rewritten(writer: Writer, head: object, rows: dict[str, list[dump.Row]]) -> None:
    """A backup of a store alone, with such a head."""
    writer.add(HEAD, msgspec.json.encode(head))
    for n, (table, of_table) in enumerate(rows.items()):
        writer.add(f"store/{table}/{n:06}.jsonl", msgspec.json.Encoder().encode_lines(of_table))
    manifest = {
        "members": dict(writer.members),
        "rows": {table: len(of_table) for table, of_table in rows.items()},
        "journal_seq": 0,
        "recordings": 0,
        "recordings_bytes": 0,
        "sound": False,
    }
    writer.add("manifest.json", msgspec.json.encode(manifest))


# --- files that are none, or broken --------------------------------------------------------------------------------------


def test_a_backup_cut_off_anywhere_is_refused(mine: Places, fresh: Places, tmp_path: Path) -> None:
    whole = made(mine, tmp_path / "b.tar.gz", with_sound=True).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for size in [0, 1, 9, 10, 11, *range(100, len(whole), len(whole) // 40), len(whole) - 9, len(whole) - 1]:
        cut.write_bytes(whole[:size])
        with pytest.raises(BackupUnreadable, match=r"cut\.tar\.gz: .*; nothing was restored"):
            put_back(cut, fresh)
    assert not fresh.state_dir.exists()


def test_a_backup_with_a_changed_byte_is_refused(mine: Places, fresh: Places, tmp_path: Path) -> None:
    whole = bytearray(made(mine, tmp_path / "b.tar.gz").read_bytes())
    changed = tmp_path / "changed.tar.gz"
    for at in range(20, len(whole) - 8, len(whole) // 60):
        changed.write_bytes(bytes([*whole[:at], whole[at] ^ 0x10, *whole[at + 1 :]]))
        if unpacked(changed) == unpacked(tmp_path / "b.tar.gz"):
            continue  # of two equal runs of bytes it refers to the other: nothing has changed
        with pytest.raises(BackupUnreadable):
            put_back(changed, fresh)
    assert not fresh.state_dir.exists()


def unpacked(file: Path) -> bytes | None:
    try:
        return gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None


@pytest.mark.parametrize("kind", ["text", "zip", "tar", "gztar", "directory", "none"])
def test_what_is_no_backup_is_told_so(kind: str, fresh: Places, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "file").write_text("other")
    file = tmp_path / "foreign.tar.gz"
    if kind == "text":
        file.write_text("hello")
    elif kind == "directory":
        file.mkdir()
    elif kind != "none":
        shutil.move(shutil.make_archive(str(tmp_path / "other"), kind, tmp_path / "some"), file)
    told = {"directory": "Is a directory", "none": "No such file"}.get(kind, "it is no backup of ccserver")
    with pytest.raises(BackupUnreadable, match=told):
        put_back(file, fresh)


def test_a_member_that_would_leave_its_place_is_refused(fresh: Places, tmp_path: Path) -> None:
    for name in ("../evil", "/etc/evil", "a/../../evil"):
        with writing(tmp_path / "evil.tar.gz") as writer:
            writer.add(name, b"x")
        with pytest.raises(BackupUnreadable, match="it is no backup of ccserver: it has a member"):
            put_back(tmp_path / "evil.tar.gz", fresh)


def test_a_backup_of_a_newer_version_is_refused(mine: Places, fresh: Places, tmp_path: Path) -> None:
    head = verified(made(mine, tmp_path / "b.tar.gz", ("store",))).head
    for field, told in (("format", r"it has format 99, this ccserver knows 1: install"), ("schema", "schema 99")):
        with writing(tmp_path / "newer.tar.gz") as writer:
            rewritten(writer, msgspec.structs.replace(head, **{field: 99}), {})
        with pytest.raises(BackupTooNew, match=told):
            put_back(tmp_path / "newer.tar.gz", fresh)
    assert not fresh.state_dir.exists()


# --- places --------------------------------------------------------------------------------------------------------------


@BOTH
def test_nothing_is_restored_onto_something_and_with_replace_it_is_kept_aside(
    kind: str, mine: Places, tmp_path: Path, postgres: PostgresServer
) -> None:
    root = tmp_path / "there"
    there = installed(root, url_of(kind, root, postgres), calls=1)
    (there.config_dir / "ccserver.toml").write_text("# theirs")
    file = made(mine, tmp_path / "b.tar.gz")
    was, rows = files(root), asyncio.run(stored(there.store_url))
    with pytest.raises(PlaceTaken) as refused:
        put_back(file, there)
    for place in (there.config_dir, there.state_dir / "secrets.toml", there.journal, r"rows\)"):
        assert str(place).replace("\\", "") in str(refused.value)
    assert (files(root), asyncio.run(stored(there.store_url))) == (was, rows)
    told = put_back(file, there, replaced=True)
    assert asyncio.run(stored(there.store_url)) == asyncio.run(stored(mine.store_url))
    (aside,) = root.glob("dialplans.before-*")
    assert (aside / "ccserver.toml").read_text() == "# theirs" and f"what was there is now {aside}" in told
    assert not list(root.rglob("*.restoring")) and not marker_in(there.state_dir).exists()
    asyncio.run(goes_on(there))


def test_the_same_files_are_no_hindrance(mine: Places, tmp_path: Path) -> None:
    file = made(mine, tmp_path / "b.tar.gz", ("configuration",))
    was = files(tmp_path / "mine")
    put_back(file, mine)
    assert files(tmp_path / "mine") == was


def test_while_a_daemon_runs_there_nothing_is_restored(mine: Places, fresh: Places, tmp_path: Path) -> None:
    file = made(mine, tmp_path / "b.tar.gz")
    fresh.state_dir.mkdir(parents=True)
    with JournalLock(fresh.journal), pytest.raises(JournalLocked):
        put_back(file, fresh, replaced=True)
    assert not fresh.config_dir.exists()


@BOTH
def test_when_one_place_cannot_be_written_all_stay_as_they_were(
    kind: str, mine: Places, tmp_path: Path, postgres: PostgresServer, mounted: Mounted
) -> None:
    root = tmp_path / "there"
    there = installed(root, url_of(kind, root, postgres), calls=1)
    file = made(mine, tmp_path / "b.tar.gz")
    was, rows = files(root), asyncio.run(stored(there.store_url))
    mounted.bind(there.state_dir / "certificates")  # what is mounted cannot be moved aside
    (there.state_dir / "certificates" / "ca.key").write_bytes(b"other")
    was["var/certificates/ca.key"] = b"other"
    with pytest.raises(RestoreFailed, match=r"certificates.*: .*busy; everything is as it was"):
        put_back(file, there, replaced=True)
    assert (files(root), asyncio.run(stored(there.store_url))) == (was, rows)
    refuse_unfinished(there.state_dir)


def test_a_full_disk_leaves_no_half_of_a_backup_and_of_a_restore(
    mine: Places, tmp_path: Path, mounted: Mounted
) -> None:
    (mine.recordings_dir / "long.opus").write_bytes(os.urandom(8 << 20))
    small = mounted.small(tmp_path / "small", "4m")
    with pytest.raises(BackupFailed, match="No space left on device"):
        made(mine, small / "b.tar.gz", with_sound=True)
    assert list(small.iterdir()) == []
    file = made(mine, tmp_path / "b.tar.gz", with_sound=True)
    there = places(small / "there", f"sqlite:///{small}/there/var/store.sqlite")
    with pytest.raises(BackupError, match="No space left on device; everything is as it was"):
        put_back(file, there)
    assert set(files(small)) == set()


def test_a_restore_killed_between_two_places_keeps_the_daemon_from_starting(fresh: Places) -> None:
    fresh.state_dir.mkdir(parents=True)
    marker_in(fresh.state_dir).touch()
    with pytest.raises(RestoreUnfinished, match="run it again, with --replace"):
        refuse_unfinished(fresh.state_dir)


def test_a_store_that_is_away_leaves_no_half_of_a_backup(mine: Places, tmp_path: Path) -> None:
    away = msgspec.structs.replace(mine, store_url="postgresql://ccserver@127.0.0.1:1/store")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with pytest.raises(StoreUnavailable, match="nobody listens there"):
        made(away, shelf / "b.tar.gz")
    assert list(shelf.iterdir()) == []
    file, fresh = made(mine, tmp_path / "b.tar.gz"), tmp_path / "fresh"
    with pytest.raises(RestoreFailed, match=r"nobody listens there.*; everything is as it was"):
        put_back(file, msgspec.structs.replace(places(fresh, ""), store_url=away.store_url))
    assert files(fresh) == {}


def test_a_configuration_that_is_no_toml_is_told_so(
    mine: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCSERVER_STATE", str(tmp_path / "fresh" / "var"))
    (mine.config_dir / "ccserver.toml").write_text("[[[")
    file = made(mine, tmp_path / "b.tar.gz", ("configuration", "store"))
    assert main(["--config", str(tmp_path / "fresh"), "restore", str(file)]) == 69
    assert "b.tar.gz: configuration/dialplans/ccserver.toml in it: " in capsys.readouterr().err


def test_a_store_that_was_only_migrated_is_an_empty_place(mine: Places, fresh: Places, tmp_path: Path) -> None:
    fresh.state_dir.mkdir(parents=True)
    asyncio.run(migrate(fresh.store_url))
    put_back(made(mine, tmp_path / "b.tar.gz"), fresh)
    assert asyncio.run(stored(fresh.store_url)) == asyncio.run(stored(mine.store_url))


def test_a_machine_where_no_daemon_has_started_yet_has_no_journal_to_back_up(mine: Places, tmp_path: Path) -> None:
    mine.journal.unlink()
    assert "journal" not in verified(made(mine, tmp_path / "b.tar.gz")).head.parts


def test_of_a_directorys_backups_the_newest_are_kept(mine: Places, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    others = [shelf / "ccserver-other-20200101T000000Z.tar.gz", shelf / "notes.txt"]
    old = [shelf / f"ccserver-{NODE}-2020010{n}T000000Z.tar.gz" for n in range(1, 5)]
    for path in [*others, *old]:
        path.touch()
    told = backup(mine, NODE, shelf, parts=PARTS, keep=3)
    new = Path(told.split(":")[0])
    assert sorted(shelf.iterdir()) == sorted([*others, *old[-2:], new])
    assert new.stat().st_mode & 0o777 == 0o600


def test_what_is_in_it_can_be_read_with_tar_alone(mine: Places, tmp_path: Path) -> None:
    names = [found.name for found in members(made(mine, tmp_path / "b.tar.gz"))]
    assert names[0] == HEAD and names[-1] == "manifest.json"
    assert "configuration/dialplans/ccserver.toml" in names and "secrets/certificates/ca.key" in names
    rows = [found.content() for found in members(tmp_path / "b.tar.gz") if found.name.startswith("store/contact/")]
    assert [json.loads(line)[0].startswith(NODE) for line in rows[0].splitlines()] == [True] * 3
    assert not [name for name in names if "raw" in name]
