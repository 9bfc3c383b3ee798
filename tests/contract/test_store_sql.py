"""The store's contract, on SQLite and on PostgreSQL alike."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from sqlalchemy import select, text

from ccserver.core.attempt import AttemptOutcome
from ccserver.core.contact import Contact, ContactOutcome, ContactState, SegmentKind, SegmentOutcome
from ccserver.core.ids import AgentId, ContactId, LineNumber, NodeName, RecordingName
from ccserver.core.offer import OfferOutcome
from ccserver.core.records import ContactSaved, DispositionSaved, Record, RecordingSaved
from ccserver.ports import Turn
from ccserver.store import tables
from ccserver.store.database import Database
from ccserver.store.errors import NoSuchContact, StaleWriter, StoreTooNew, StoreTooOld, StoreUnavailable, StoreUrlWrong
from ccserver.store.journal_file import TurnRecords
from ccserver.store.reports import Stretch
from ccserver.store.schema import migrate
from ccserver.store.sql import Claim, SqlStore
from tests.store_databases import PostgresServer, postgres, store_url
from tests.store_turns import ANNA, NODE, Script

__all__ = ["postgres", "store_url"]


def recorded(turns: list[Turn]) -> list[TurnRecords]:
    return [TurnRecords(turn.seq, turn.now, turn.records) for turn in turns]


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    await migrate(store_url)
    store = await SqlStore.opened(store_url)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def claim(store: SqlStore) -> Claim:
    return await store.claim(NODE, "journal-a")


async def content(store: SqlStore) -> dict[str, list[Any]]:
    """Every row of every table."""
    async with store.database.transaction() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in tables.metadata.tables.values()
            if table is not tables.projected
        }


async def test_a_whole_call_is_found_as_it_happened(store: SqlStore, claim: Claim) -> None:
    turns = Script().call()
    assert await store.project(claim, recorded(turns)) == 10
    [row] = await store.contacts(10)
    began = 1_780_000_000.0
    assert (row.line, row.ani, row.queue, row.agent) == ("88007707999", "79161234567", "orders", "1001")
    assert (row.state, row.outcome) == (ContactState.CLOSED, ContactOutcome.ANSWERED)
    assert (row.arrived_at, row.ended_at) == (began, began + 92.0)
    assert (row.ivr_s, row.wait_s, row.ring_s, row.talk_s) == (5.2, 11.7, 3.4, 75.0)
    assert row.recording == f"2026/05/28/{row.id}.opus"
    detail = await store.contact(row.id)
    assert detail
    assert [(s.n, s.kind, s.outcome) for s in detail.segments] == [
        (1, SegmentKind.FLOW, SegmentOutcome.QUEUED),
        (2, SegmentKind.QUEUE, SegmentOutcome.ANSWERED),
        (3, SegmentKind.TALK, SegmentOutcome.AGENT_LEFT),
    ]
    assert [(o.agent, o.outcome, o.ring_s, o.why) for o in detail.offers] == [
        ("1001", OfferOutcome.ACCEPTED, 3.4, "longest idle of 3: 412 s")
    ]
    assert [(r.kind, r.path, r.duration_s, r.lost) for r in detail.recordings] == [("talk", row.recording, 75.0, "")]
    intervals = await store.agent_intervals(ANNA, 0.0)
    assert [(i.state.value, round(i.ended_at - i.started_at, 3)) for i in intervals] == [
        ("ready", 60.0),
        ("ringing", 3.4),
        ("talking", 75.0),
    ]


async def test_a_call_that_an_operator_made_tells_of_every_attempt(store: SqlStore, claim: Claim) -> None:
    await store.project(claim, recorded(Script().dialled()))
    [row] = await store.contacts(10)
    assert (row.direction, row.trunk, row.dial_s, row.reason) == ("outbound", "south", 6.2, "north: refused (SIP 503)")
    detail = await store.contact(row.id)
    assert detail
    assert [(a.trunk, a.outcome, a.sip_status, a.cause) for a in detail.attempts] == [
        ("north", AttemptOutcome.REFUSED, 503, 34),
        ("south", AttemptOutcome.ANSWERED, None, None),
    ]
    assert [(s.kind, s.outcome, s.agent) for s in detail.segments] == [
        (SegmentKind.DIAL, SegmentOutcome.ANSWERED, "1001")
    ]


async def test_what_was_said_of_a_talk_is_kept_with_every_change_and_the_last_one_counts(
    store: SqlStore, claim: Claim
) -> None:
    turns = Script().call()
    await store.project(claim, recorded(turns))
    [row] = await store.contacts(1)
    detail = await store.contact(row.id)
    assert detail is not None
    [said] = detail.dispositions
    assert (said.segment, said.n, said.codes, said.topics, said.order_value_cents) == (
        3,
        1,
        "12",
        "Goods > Availability",
        150050,
    )
    kept = next(each for turn in turns for each in turn.records if isinstance(each, DispositionSaved)).disposition
    changed = replace(kept, n=2, codes=("2",), topics=("Service",), order_value_cents=None)
    await store.project(claim, [TurnRecords(11, turns[-1].now, (DispositionSaved(changed),))])
    detail = await store.contact(row.id)
    assert detail is not None and [each.n for each in detail.dispositions] == [1, 2]
    day = Stretch(since=kept.talked_at - 7200, until=kept.talked_at + 60, interval_s=3600)
    [counted] = await store.reports.topics(day, ("queue", "agent"))
    assert (counted.interval, counted.queue, counted.agent, counted.line) == (2, kept.queue, kept.agent, None)
    assert (counted.codes, counted.talks, counted.orders, counted.value_cents) == ("2", 1, 0, 0)
    assert await store.reports.topics(Stretch(since=0.0, until=kept.talked_at), ()) == []


async def test_offers_and_states_are_summed_up_within_the_stretch(store: SqlStore, claim: Claim) -> None:
    await store.project(claim, recorded(Script().call()))
    [row] = await store.contacts(1)
    whole = Stretch(since=0.0, until=row.arrived_at + 7200)
    [accepted] = await store.reports.offers(whole, ("agent",))
    assert (accepted.agent, accepted.queue, accepted.outcome, accepted.offers) == (ANNA, None, "accepted", 1)
    talked = [each for each in await store.reports.states(whole) if each.state == "talking"]
    assert [(each.agent, each.times, each.lasted_s) for each in talked] == [(ANNA, 1, 75.0)]
    intervals = [each for each in await store.agent_intervals(ANNA, 0.0) if each.state == "talking"]
    cut = Stretch(since=intervals[0].started_at + 5.0, until=intervals[0].started_at + 15.0)
    [state] = [each for each in await store.reports.states(cut) if each.state == "talking"]
    assert (state.times, state.lasted_s) == (1, 10.0)


async def test_a_call_still_going_on_has_no_outcome_and_no_end(store: SqlStore, claim: Claim) -> None:
    await store.project(claim, recorded(Script().call()[:7]))
    [row] = await store.contacts(1)
    assert (row.state, row.outcome, row.ended_at, row.recording) == (ContactState.TALKING, None, None, None)
    detail = await store.contact(row.id)
    assert detail and detail.segments[-1].ended_at is None


async def test_the_same_turns_twice_and_in_overlapping_batches_leave_the_same_rows(
    store: SqlStore, claim: Claim
) -> None:
    script = Script()
    turns = recorded([script.adopted(), *script.call(n=1), *script.call(n=2)])
    await store.project(claim, turns)
    once = await content(store)
    assert len(once["contact"]) == 2 and len(once["agent_interval"]) == 6 and len(once["plan"]) == 1
    for batch in (turns, turns[:5], turns[3:12], turns[10:]):
        assert await store.project(claim, batch) == 21
    assert await content(store) == once


async def test_batches_of_any_size_leave_the_same_rows(store: SqlStore, claim: Claim) -> None:
    script = Script()
    turns = recorded([*script.call(n=1), *script.call(n=2)])
    for turn in turns[:10]:
        await store.project(claim, [turn])
    await store.project(claim, turns[5:])
    in_pieces = await content(store)
    await store.rewind(claim)
    await store.project(claim, turns)
    assert await content(store) == in_pieces


async def test_nothing_is_written_when_one_row_cannot_be(store: SqlStore, claim: Claim) -> None:
    turns = recorded(Script().call())
    broken: Any = RecordingSaved(
        contact=ContactId("a1-1"),
        recording=RecordingName("r"),
        kind="talk",
        path=None,
        duration_s=None,  # type: ignore[arg-type]
    )
    with pytest.raises(StoreUnavailable, match="duration_s"):
        await store.project(claim, [*turns, TurnRecords(11, 1.0, (broken,))])
    assert not any((await content(store)).values())
    assert await store.project(claim, turns) == 10


async def test_contacts_come_newest_first_and_page_by_page(store: SqlStore, claim: Claim) -> None:
    script = Script()
    made: list[Contact] = []
    records: list[Record] = []
    for n in range(7):
        script.now += n // 3  # some arrive in the same instant
        contact, turn = script.arrived()
        made.append(contact)
        records += turn.records
    await store.project(claim, [TurnRecords(1, 1.0, tuple(records))])
    expected = [contact.id for contact in sorted(made, key=lambda c: (c.arrived_at, c.id), reverse=True)]
    assert [row.id for row in await store.contacts(100)] == expected
    paged: list[ContactId] = []
    while page := await store.contacts(2, before=paged[-1] if paged else None):
        paged += [row.id for row in page]
    assert paged == expected


async def test_contacts_of_a_line_and_of_a_caller_are_found(store: SqlStore, claim: Claim) -> None:
    script = Script()
    records: list[Record] = []
    for n in range(4):
        contact, _ = script.arrived()
        contact = replace(contact, line=LineNumber(f"8800{n % 2}"), ani=f"+7916{n // 2}")
        records.append(ContactSaved(contact))
    await store.project(claim, [TurnRecords(1, 1.0, tuple(records))])
    found = {(row.line, row.ani) for row in await store.contacts(10, lines={"88001", "+78001"})}
    assert found == {("88001", "+79160"), ("88001", "+79161")}
    assert len(await store.contacts(10, anis=["+79160"])) == 2
    [row] = await store.contacts(10, lines=["88000"], anis=["+79161"])
    assert (row.line, row.ani) == ("88000", "+79161")
    assert await store.contacts(10, lines=["1"]) == []


async def test_an_unknown_contact_is_none_and_is_no_place_in_the_list(store: SqlStore) -> None:
    assert await store.contact(ContactId("a1-0.0")) is None
    with pytest.raises(NoSuchContact, match=r"no contact a1-0\.0"):
        await store.contacts(10, before=ContactId("a1-0.0"))


async def test_hostile_text_is_stored_as_it_came_but_for_its_zero_bytes(store: SqlStore, claim: Claim) -> None:
    contact, _ = Script().arrived(ani="'); drop table contact; -- \0 \U0001f4de\u202e")
    await store.project(claim, [TurnRecords(1, 1.0, (ContactSaved(contact),))])
    [row] = await store.contacts(10)
    assert row.ani == "'); drop table contact; -- \ufffd \U0001f4de\u202e"


async def test_of_several_recordings_the_list_shows_the_talk(store: SqlStore, claim: Claim) -> None:
    contact, arrived = Script().arrived()

    def saved(name: str, kind: str, path: str | None) -> RecordingSaved:
        name_ = RecordingName(f"{contact.id}-{name}")
        return RecordingSaved(contact=contact.id, recording=name_, kind=kind, path=path, duration_s=1.0)

    only_lost = (*arrived.records, saved("lost", "talk", None))
    await store.project(claim, [TurnRecords(1, 1.0, only_lost)])
    assert (await store.contacts(1))[0].recording is None
    await store.project(claim, [TurnRecords(2, 1.0, (saved("v", "voicemail", "v.opus"),))])
    assert (await store.contacts(1))[0].recording == "v.opus"
    await store.project(claim, [TurnRecords(3, 1.0, (saved("t", "talk", "t.opus"),))])
    assert (await store.contacts(1))[0].recording == "t.opus"
    detail = await store.contact(contact.id)
    assert detail and [r.kind for r in detail.recordings] == ["talk", "talk", "voicemail"]


async def test_intervals_since_a_time_include_the_one_that_reaches_over_it(store: SqlStore, claim: Claim) -> None:
    script = Script()
    await store.project(claim, recorded([*script.call(ANNA, n=1), *script.call(AgentId("1002"), n=1)]))
    first = await store.agent_intervals(ANNA, 0.0)
    assert [i.state.value for i in await store.agent_intervals(ANNA, first[-1].started_at + 1)] == ["talking"]
    assert await store.agent_intervals(ANNA, first[-1].ended_at) == []
    assert {i.agent for i in await store.agent_intervals(AgentId("1002"), 0.0)} == {"1002"}


async def test_a_writer_who_was_replaced_is_refused_and_writes_nothing(store: SqlStore, claim: Claim) -> None:
    turns = recorded(Script().call())
    await store.project(claim, turns[:3])
    newer = await store.claim(NODE, "journal-a")
    assert (newer.epoch, newer.seq, newer.now) == (claim.epoch + 1, 3, turns[2].now)
    before = await content(store)
    with pytest.raises(StaleWriter, match="another daemon writes for node a1 now"):
        await store.project(claim, turns[3:])
    with pytest.raises(StaleWriter):
        await store.rewind(claim)
    assert await content(store) == before
    assert await store.project(newer, turns[3:]) == 10


async def test_nodes_are_projected_apart(store: SqlStore, claim: Claim) -> None:
    turns = recorded(Script().call())
    await store.project(claim, turns)
    other = await store.claim(NodeName("a2"), "journal-b")
    assert (other.epoch, other.seq) == (1, 0)
    assert await store.project(claim, turns) == 10


async def test_a_journal_begun_anew_counts_anew_and_overwrites_no_agents_time(store: SqlStore, claim: Claim) -> None:
    first = Script()
    await store.project(claim, recorded(first.call(n=1)))
    anew = await store.claim(NODE, "journal-b")
    assert (anew.epoch, anew.seq) == (claim.epoch + 1, 0)
    await store.project(anew, recorded(Script(now=first.now + 60).call(n=1)))
    assert len(await store.contacts(10)) == 2
    assert len(await store.agent_intervals(ANNA, 0.0)) == 6


async def test_a_plan_keeps_the_time_of_its_first_adoption(store: SqlStore, claim: Claim) -> None:
    script = Script(now=100.0)
    first = script.adopted()
    script.now = 200.0
    await store.project(claim, recorded([first]))
    await store.project(claim, recorded([script.adopted()]))
    [(hash_, body, adopted_at)] = (await content(store))["plan"]
    assert (hash_, adopted_at) == ("plan-1", 100.0)
    assert '"title":"Заказы"' in body


async def test_the_newest_contacts_are_found_by_index_among_many(store: SqlStore, claim: Claim) -> None:
    contact, _ = Script().arrived()
    many = tuple(
        ContactSaved(replace(contact, id=ContactId(f"a1-{n}"), arrived_at=contact.arrived_at + n)) for n in range(5_000)
    )
    await store.project(claim, [TurnRecords(1, 1.0, many)])
    explain = "explain query plan" if store.database.dialect == "sqlite" else "explain"
    newest = "select * from contact where (arrived_at, id) < (:at, 'x') order by arrived_at desc, id desc limit 50"
    async with store.database.transaction() as connection:
        if store.database.dialect == "postgresql":
            await connection.execute(text("analyze contact"))
        steps = (await connection.execute(text(f"{explain} {newest}"), {"at": contact.arrived_at + 2_500})).all()
    assert "contact_arrived_at" in str(steps) and "sort" not in str(steps).lower() and "temp" not in str(steps).lower()


class TestSchema:
    """Which schema the store has, and what is said about another."""

    async def test_an_empty_store_asks_to_be_migrated(self, store_url: str) -> None:
        with pytest.raises(StoreTooOld, match=r"has no tables yet, .* run `ccserver migrate`"):
            await SqlStore.opened(store_url)

    async def test_migrating_brings_it_up_to_date_and_does_nothing_the_second_time(self, store_url: str) -> None:
        assert await migrate(store_url) == (0, tables.SCHEMA)
        assert await migrate(store_url) == (tables.SCHEMA, tables.SCHEMA)
        await (await SqlStore.opened(store_url)).close()

    async def test_a_store_newer_than_the_code_is_left_alone(self, store: SqlStore, store_url: str) -> None:
        async with store.database.transaction() as connection:
            await connection.execute(text("update alembic_version set version_num = '0099'"))
        for use in (SqlStore.opened(store_url), migrate(store_url), store.claim(NODE, "journal-a")):
            with pytest.raises(StoreTooNew, match=f"has schema 99, this ccserver knows {tables.SCHEMA}"):
                await use

    async def test_the_tables_are_those_that_the_code_knows(self, store: SqlStore) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        async with store.database.transaction() as connection:
            different = await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"compare_type": True}), tables.metadata
                )
            )
        assert different == []

    async def test_a_migration_that_fails_leaves_nothing_half_done(
        self, store_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = Database(store_url)
        async with database.transaction() as connection:
            await connection.execute(text("create table offer (id text)"))  # in the way, half-way through
        with pytest.raises(StoreUnavailable, match=r"offer.* already exists"):
            await migrate(store_url)
        with pytest.raises(StoreTooOld, match="no tables yet"):
            await SqlStore.opened(store_url)
        async with database.transaction() as connection:
            await connection.execute(text("drop table offer"))
        assert await migrate(store_url) == (0, tables.SCHEMA)
        await database.close()


class TestUnavailable:
    """The cause is named in one line, and no password with it."""

    @pytest.mark.parametrize("url", ["mysql://root:hunter2@host/db", "hunter2", ""])
    def test_a_url_that_names_no_database_we_know(self, url: str) -> None:
        with pytest.raises(StoreUrlWrong, match=r"expected sqlite:////path/to/file or postgresql://") as wrong:
            Database(url)
        assert "hunter2@" not in str(wrong.value)

    async def test_a_server_that_is_not_there(self, unused_tcp_port: int) -> None:
        url = f"postgresql://ccserver:hunter2@127.0.0.1:{unused_tcp_port}/ccserver"
        with pytest.raises(StoreUnavailable) as away:
            await SqlStore.opened(url)
        assert f"ccserver:***@127.0.0.1:{unused_tcp_port}" in str(away.value)
        assert (
            "does not serve: " in str(away.value) and "\n" not in str(away.value) and "hunter2" not in str(away.value)
        )

    async def test_a_file_in_a_directory_that_does_not_exist(self) -> None:
        with pytest.raises(StoreUnavailable, match="unable to open database file"):
            await SqlStore.opened("sqlite:////nowhere/store.sqlite")

    async def test_an_unknown_database_or_user_of_a_server(self, postgres: PostgresServer) -> None:
        url = postgres.new_database()
        for wrong in (f"{url}x", url.replace("ccserver@", "nobody@")):
            with pytest.raises(StoreUnavailable, match="does not exist"):
                await SqlStore.opened(wrong)
