"""Recordings that were kept long enough go, by their rule, on SQLite and on PostgreSQL alike."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from msgspec.structs import replace

from ccserver.audio.purge import Purge
from ccserver.core.events import Fact, RecordingPurged
from ccserver.core.ids import ContactId, LineNumber, QueueName, RecordingName
from ccserver.core.plan import Plan, Recordings
from ccserver.core.records import ContactSaved, PreservationSaved, Record, RecordingSaved
from ccserver.core.retention import DAY_S, Rule
from ccserver.store.journal_file import TurnRecords
from ccserver.store.retention import due_recordings
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from tests.store_databases import postgres, store_url
from tests.store_turns import NODE, Script
from tests.unit.core_case import plan

__all__ = ["postgres", "store_url"]

NOW = time.time()


class Told:
    """An inbox."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def put(self, fact: Fact) -> None:
        self.facts.append(fact)

    async def room(self) -> None:
        return None


class Archive:
    """A store and a directory with recordings of some age."""

    def __init__(self, store: SqlStore, directory: Path) -> None:
        self.store = store
        self.directory = directory
        self.told = Told()
        self._seq = 0
        self._script = Script()

    async def write(self, *records: Record) -> None:
        claim = await self.store.claim(NODE, "journal-a")
        self._seq += 1
        await self.store.project(claim, [TurnRecords(self._seq, NOW, records)])

    async def keep(
        self, days: float, kind: str = "talk", queue: str | None = None, line: str = "88007707999"
    ) -> ContactId:
        """A recording of a contact that arrived so many days ago."""
        contact, _ = self._script.arrived()
        contact = replace(
            contact,
            id=ContactId(f"cc1-{self._seq}"),
            arrived_at=NOW - days * DAY_S,
            line=LineNumber(line),
            first_queue=QueueName(queue) if queue else None,
        )
        name, path = RecordingName(contact.id), f"2026/{contact.id}.opus"
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"sound")
        saved = RecordingSaved(contact=contact.id, recording=name, kind=kind, path=path, duration_s=3.0)
        await self.write(ContactSaved(contact), saved)
        return contact.id

    def purge(self, house: Plan) -> Purge:
        async def caught_up() -> None:
            return None

        return Purge(self.directory, self.store, lambda: house, caught_up, self.told, pause_s=0)

    def files(self) -> set[str]:
        return {file.stem for file in self.directory.rglob("*.opus")}

    def purged(self) -> dict[ContactId, str]:
        return {fact.contact: fact.rule for fact in self.told.facts if isinstance(fact, RecordingPurged)}


@pytest_asyncio.fixture
async def archive(store_url: str, tmp_path: Path) -> AsyncIterator[Archive]:
    await migrate(store_url)
    store = await SqlStore.opened(store_url)
    yield Archive(store, tmp_path / "recordings")
    await store.close()


def house(queues: dict[str, int], lines: dict[str, int], talk: int = 0, voicemail: int = 0) -> Plan:
    whole = plan()
    (queue,), (line,) = whole.queues.values(), whole.lines.values()
    return replace(
        whole,
        queues={QueueName(name): replace(queue, name=QueueName(name), keep_days=days) for name, days in queues.items()},
        lines={LineNumber(n): replace(line, number=LineNumber(n), keep_days=days) for n, days in lines.items()},
        recordings=Recordings(talk_days=talk, voicemail_days=voicemail),
    )


async def test_each_recording_goes_by_the_first_rule_that_is_written(archive: Archive) -> None:
    by_queue = await archive.keep(11, queue="orders")
    await archive.keep(9, queue="orders")
    by_line = await archive.keep(21, line="88001")
    await archive.keep(11, line="88001")
    by_kind = await archive.keep(31)
    await archive.keep(21)
    message = await archive.keep(6, "voicemail")
    await archive.keep(4, "voicemail")
    await archive.keep(400, queue="forever")
    rules = house({"orders": 10, "forever": 0}, {"88001": 20}, talk=30, voicemail=5)
    before = archive.files()
    assert await archive.purge(rules).round() == 4
    assert archive.purged() == {
        by_queue: "queues.orders.keep_days = 10",
        by_line: "lines.88001.keep_days = 20",
        by_kind: "recordings.talk_days = 30",
        message: "recordings.voicemail_days = 5",
    }
    assert before - archive.files() == set(archive.purged())


async def test_what_is_preserved_stays_until_it_is_let_go(archive: Archive) -> None:
    contact = await archive.keep(100)
    await archive.write(PreservationSaved(contact, True, "a claim", NOW))
    detail = await archive.store.contact(contact)
    assert detail and detail.preservation and detail.preservation.reason == "a claim"
    rules = house({}, {}, talk=1)
    assert await archive.purge(rules).round() == 0 and archive.files() == {contact}
    await archive.write(PreservationSaved(contact, False, "", NOW))
    assert await archive.purge(rules).round() == 1 and not archive.files()


async def test_a_file_that_is_gone_already_is_no_error(archive: Archive) -> None:
    """So a crash between its removal and the note of it does no harm."""
    contact = await archive.keep(100)
    (archive.directory / f"2026/{contact}.opus").unlink()
    assert await archive.purge(house({}, {}, talk=1)).round() == 1
    assert contact in archive.purged()


async def test_a_file_that_cannot_be_removed_is_an_alarm_and_the_others_go(archive: Archive) -> None:
    stuck, other = await archive.keep(100), await archive.keep(99)
    file = archive.directory / f"2026/{stuck}.opus"
    file.unlink()
    file.mkdir()
    purge = archive.purge(house({}, {}, talk=1))
    assert await purge.round() == 1
    assert set(archive.purged()) == {other} and str(file) in purge.alarm


async def test_more_than_one_piece_of_them_all_go_each_once(archive: Archive) -> None:
    contacts = [await archive.keep(100 - n / 100) for n in range(7)]
    rule = Rule(name="recordings.talk_days", days=1, kind="talk")
    found: list[str] = []
    after = None
    while due := await due_recordings(archive.store.database, rule, NOW, 3, after):
        found += [each.contact for each in due]
        after = due[-1]
    assert found == contacts


async def test_a_path_that_leads_out_of_the_archive_is_not_followed(archive: Archive) -> None:
    contact = await archive.keep(100)
    outside = archive.directory.parent / "elsewhere.opus"
    outside.write_bytes(b"not ours")
    name = RecordingName(contact)
    path = f"../{outside.name}"
    await archive.write(RecordingSaved(contact=contact, recording=name, kind="talk", path=path, duration_s=3.0))
    await archive.purge(house({}, {}, talk=1)).round()
    assert outside.exists()
