"""The store: what you would miss tomorrow, in SQLite (embedded) or PostgreSQL (production) by URL.

The projector writes it, the API asks it. Every method is one transaction and raises `StoreUnavailable` when the database is
away.
"""

import secrets
from collections.abc import Collection, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Select, Table, Update, case, false, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.core.ids import AgentId, ContactId, NodeName
from ccserver.store import tables
from ccserver.store.database import Database
from ccserver.store.decisions import AgentLog, ContactLog, agent_log, contact_log, forget
from ccserver.store.errors import NoSuchContact, StaleWriter
from ccserver.store.journal_file import TurnRecords
from ccserver.store.reports import Reports
from ccserver.store.rows import (
    AttemptRow,
    ContactDetail,
    ContactRow,
    DispositionRow,
    IntervalRow,
    OfferRow,
    PreservationRow,
    RecordingRow,
    SatisfactionRow,
    ScoreRow,
    SegmentRow,
    SupervisionRow,
    SurveyRow,
    rows,
)
from ccserver.store.schema import check_schema

S = TypeVar("S", bound=Struct)

_WRITTEN = tuple(table for table in tables.metadata.tables.values() if table is not tables.projected)
GOOD = 4
"""A mark from here on is a good one (CSAT)."""
_TRIAL_BYTES = 1 << 18
"""As much as some fifty calls leave behind."""


class Claim(Struct, frozen=True):
    """The right to write what a node's journal holds, until the next daemon claims it."""

    node: NodeName
    journal: str
    epoch: int
    seq: int
    """The last turn that the store had when it was claimed; 0: none of this journal's."""
    now: float
    """The clock of that turn, by which the journal is known to be the same still."""


class SqlStore:
    """Open it with `await SqlStore.opened(url)`, close it with `await store.close()`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.reports = Reports(database)
        self._upserts = {table: _upsert(table, database.dialect) for table in _WRITTEN}

    @classmethod
    async def opened(cls, url: str) -> "SqlStore":
        """Connect and check the schema; raises `StoreTooOld`, `StoreTooNew`, `StoreUnavailable`, `StoreUrlWrong`."""
        store = cls(Database(url))
        try:
            await check_schema(store.database)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Close all connections."""
        await self.database.close()

    async def claim(self, node: NodeName, journal: str) -> Claim:
        """Become the one who writes for the node; whoever did so before gets `StaleWriter` from now on.

        A journal that is not the one projected so far begins at 0. Raises `StoreTooOld` and `StoreTooNew` like `opened`,
        because the database may have been away then.
        """
        await check_schema(self.database)
        insert = _insert(tables.projected, self.database.dialect)
        kept = tables.projected.c
        seq = case((kept.journal == journal, kept.seq), else_=0)
        new = {"journal": journal, "seq": seq, "epoch": kept.epoch + 1}
        statement = (
            insert.values(node=node, journal=journal, seq=0, now=0.0, epoch=1)
            .on_conflict_do_update(index_elements=["node"], set_=new)
            .returning(kept.epoch, kept.seq, kept.now)
        )
        async with self.database.transaction() as connection:
            epoch, seq_now, now = (await connection.execute(statement)).one()
        return Claim(node, journal, epoch, seq_now, float(now))

    async def try_out(self) -> None:
        """Raise what the projector would meet, and change nothing: the schema, the rights, a full disk."""
        await check_schema(self.database)
        async with self.database.transaction() as connection, connection.begin_nested() as trial:
            for table, upsert in self._upserts.items():
                nothing = select(table).where(false())
                await connection.execute(upsert.from_select([column.name for column in table.c], nothing))
            ballast = secrets.token_hex(_TRIAL_BYTES // 2)  # what could be compressed might fit into what is left
            await connection.execute(self._upserts[tables.plan], {"hash": "trial", "body": ballast, "adopted_at": 0.0})
            await trial.rollback()

    async def rewind(self, claim: Claim) -> None:
        """Take every turn that the journal still has once more; raises `StaleWriter`."""
        async with self.database.transaction() as connection:
            await self._locked_seq(connection, claim)
            await connection.execute(_ours(claim).values(seq=0, now=0.0))

    async def project(self, claim: Claim, turns: Sequence[TurnRecords]) -> int:
        """Write what the turns recorded, in one transaction with their number, and return the last number projected.

        Turns that the store has already are passed over, so a repetition does no harm. Raises `StaleWriter`.
        """
        async with self.database.transaction() as connection:
            done = await self._locked_seq(connection, claim)
            new = [turn for turn in turns if turn.seq > done]
            if not new:
                return done
            for table, values in rows(new, claim.journal).items():
                await connection.execute(self._upserts[table], values)
            await connection.execute(_ours(claim).values(seq=new[-1].seq, now=new[-1].now))
            return new[-1].seq

    async def _locked_seq(self, connection: AsyncConnection, claim: Claim) -> int:
        """Lock the node's row against every other writer (a write that changes nothing does so in both databases)."""
        row = tables.projected.c
        lock = _ours(claim).values(node=claim.node).returning(row.epoch, row.seq)
        epoch, seq = (await connection.execute(lock)).one()
        if epoch != claim.epoch:
            raise StaleWriter(self.database.place, claim.node, claim.epoch, epoch)
        return int(seq)

    async def contacts(
        self,
        limit: int,
        before: ContactId | None = None,
        *,
        lines: Collection[str] = (),
        anis: Collection[str] = (),
        brands: Collection[str] = (),
        sources: Collection[str] = (),
    ) -> list[ContactRow]:
        """The newest contacts first, those still going on included; `before`: only what comes after this one in the list.

        `lines`, `anis`, `brands` and `sources`: only those on one of these lines, of one of these callers … where any are given.
        Raises `NoSuchContact` when `before` is none.
        """
        contact = tables.contact.c
        query = _contact_rows().order_by(contact.arrived_at.desc(), contact.id.desc()).limit(limit)
        wanted = ((contact.line, lines), (contact.ani, anis), (contact.brand, brands), (contact.source, sources))
        for column, values in wanted:
            if values:
                query = query.where(column.in_(values))
        async with self.database.transaction() as connection:
            if before is not None:
                there = select(contact.arrived_at).where(contact.id == before)
                arrived_at = (await connection.execute(there)).scalar_one_or_none()
                if arrived_at is None:
                    raise NoSuchContact(before)
                query = query.where(tuple_(contact.arrived_at, contact.id) < tuple_(arrived_at, before))
            return await _fetched(connection, query, ContactRow)

    async def contact(self, contact: ContactId) -> ContactDetail | None:
        """One contact with its segments, offers, attempts and dispositions in order, and its recordings; None: unknown."""
        segment, offer, attempt = tables.segment, tables.offer, tables.attempt
        disposition, recording = tables.disposition, tables.recording
        async with self.database.transaction() as connection:
            found = await _fetched(connection, _contact_rows().where(tables.contact.c.id == contact), ContactRow)
            if not found:
                return None
            segments = select(segment).where(segment.c.contact == contact).order_by(segment.c.n)
            offers = select(offer).where(offer.c.contact == contact).order_by(offer.c.made_at, offer.c.id)
            attempts = select(attempt).where(attempt.c.contact == contact).order_by(attempt.c.made_at, attempt.c.id)
            dispositions = select(disposition).where(disposition.c.contact == contact)
            held = select(tables.preservation).where(
                tables.preservation.c.contact == contact, tables.preservation.c.preserved == 1
            )
            preservations = await _fetched(connection, held, PreservationRow)
            surveys = select(tables.survey).where(tables.survey.c.contact == contact)
            given = tables.survey_score.c
            scores = select(tables.survey_score).where(given.contact == contact).order_by(given.question)
            supervision = tables.supervision
            listened = select(supervision).where(supervision.c.contact == contact).order_by(supervision.c.made_at)
            recordings = select(recording).where(recording.c.contact == contact).order_by(recording.c.recording)
            return ContactDetail(
                **msgspec.structs.asdict(found[0]),
                segments=tuple(await _fetched(connection, segments, SegmentRow)),
                offers=tuple(await _fetched(connection, offers, OfferRow)),
                attempts=tuple(await _fetched(connection, attempts, AttemptRow)),
                dispositions=tuple(
                    await _fetched(
                        connection, dispositions.order_by(disposition.c.segment, disposition.c.n), DispositionRow
                    )
                ),
                recordings=tuple(await _fetched(connection, recordings, RecordingRow)),
                supervisions=tuple(await _fetched(connection, listened, SupervisionRow)),
                preservation=preservations[0] if preservations else None,
                survey=next(iter(await _fetched(connection, surveys, SurveyRow)), None),
                scores=tuple(await _fetched(connection, scores, ScoreRow)),
            )

    async def why(self, contact: ContactId) -> ContactLog:
        """What was decided about the contact, in order; after a while nothing of it is kept."""
        async with self.database.transaction() as connection:
            return await contact_log(connection, contact)

    async def why_agent(self, agent: AgentId, since: float) -> AgentLog:
        """What was decided since then, and what the agent did; of very much the newest."""
        intervals = await self.agent_intervals(agent, since)
        async with self.database.transaction() as connection:
            return await agent_log(connection, agent, since, intervals)

    async def forget_decisions(self, before: float) -> int:
        """Remove what was decided before; returns how many rows went."""
        async with self.database.transaction() as connection:
            return await forget(connection, before)

    async def satisfaction(
        self, by: Literal["queue", "agent", "line"], question: str, since: float, until: float
    ) -> list[SatisfactionRow]:
        """What customers who were asked in this time answered to the question, for each queue, agent or line."""
        survey, given = tables.survey.c, tables.survey_score.c
        answers = tables.survey.outerjoin(
            tables.survey_score, (given.contact == survey.contact) & (given.question == question)
        )
        query = (
            select(
                survey[by].label("of"),
                func.count().label("asked"),
                func.count(given.score).label("answered"),
                func.coalesce(func.sum(given.score), 0).label("total"),
                func.count(case((given.score >= GOOD, 1))).label("good"),
            )
            .select_from(answers)
            .where(survey.begun_at >= since, survey.begun_at < until)
            .group_by(survey[by])
            .order_by(survey[by])
        )
        async with self.database.transaction() as connection:
            return await _fetched(connection, query, SatisfactionRow)

    async def agent_intervals(self, agent: AgentId, since: float) -> list[IntervalRow]:
        """The agent's finished stretches that reach beyond `since`, oldest first."""
        interval = tables.agent_interval
        mine = select(interval).where(interval.c.agent == agent, interval.c.ended_at > since)
        async with self.database.transaction() as connection:
            return await _fetched(connection, mine.order_by(interval.c.started_at, interval.c.n), IntervalRow)


def _ours(claim: Claim) -> Update:
    return update(tables.projected).where(tables.projected.c.node == claim.node)


def _contact_rows() -> Select[Any]:
    contact, recording = tables.contact.c, tables.recording.c
    path = (
        select(recording.path)
        .where(recording.contact == contact.id, recording.path.is_not(None), recording.kind != "comment")
        .order_by(recording.kind)  # talk before voicemail
        .limit(1)
        .scalar_subquery()
    )
    return select(tables.contact, contact.first_queue.label("queue"), path.label("recording"))


async def _fetched(connection: AsyncConnection, query: Select[Any], kind: type[S]) -> list[S]:
    return [msgspec.convert(row, kind, from_attributes=True) for row in await connection.execute(query)]


def _insert(table: Table, dialect: str) -> Any:
    """INSERT that knows ON CONFLICT: the two dialects have it in the same words, but each its own."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _upsert(table: Table, dialect: str) -> Any:
    insert = _insert(table, dialect)
    if table is tables.plan:
        return insert.on_conflict_do_nothing()  # it never changes, and `adopted_at` is the first time
    key = [column.name for column in table.primary_key]
    values = {column.name: insert.excluded[column.name] for column in table.c if column.name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=values)
