"""Sums over a stretch of time, grouped as the asker wants: what talks were about, what became of offers, how agents spent it.

By the formulas of the KPI dictionary. A row is one group in one interval of `interval_s`, counted from the beginning, or in
the whole.
"""

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Integer,
    Select,
    Table,
    Text,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    select,
)

from ccserver.core.agent import AgentState
from ccserver.core.ids import AgentId, LineNumber, QueueName
from ccserver.core.offer import OfferOutcome
from ccserver.store import tables
from ccserver.store.database import Database

S = TypeVar("S", bound=Struct)


class Stretch(Struct, frozen=True, kw_only=True):
    """What is asked about: from `since` until before `until`, UTC epoch seconds."""

    since: float
    until: float
    interval_s: float | None = None


class TopicsRow(Struct, frozen=True, kw_only=True):
    """Talks of which the same was said; `codes` as in `tables.disposition`, empty: nothing was said."""

    interval: int
    """From 0."""
    queue: QueueName | None
    line: LineNumber | None
    agent: AgentId | None
    codes: str
    topics: str
    currency: str
    talks: int
    orders: int
    """Talks with an order value above nothing."""
    value_cents: int


class OffersRow(Struct, frozen=True, kw_only=True):
    """Offers of one outcome."""

    interval: int
    queue: QueueName | None
    agent: AgentId | None
    outcome: OfferOutcome | None
    """None: under way."""
    offers: int


class StatesRow(Struct, frozen=True, kw_only=True):
    """Time that an agent spent in one state for one reason; stretches that are not over do not count yet."""

    agent: AgentId
    state: AgentState
    reason: str
    times: int
    lasted_s: float


class Reports:
    """Every method is one transaction; raises `StoreUnavailable` while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def topics(self, stretch: Stretch, per: Collection[str]) -> list[TopicsRow]:
        """By the beginning of the talk; `per`: any of `queue`, `line`, `agent`, by what else is null."""
        table = tables.disposition
        newer = table.alias()
        overtaken = (
            select(newer.c.n)
            .where(newer.c.contact == table.c.contact, newer.c.segment == table.c.segment, newer.c.n > table.c.n)
            .exists()
        )
        said = [table.c[name] for name in ("codes", "topics", "currency")]
        columns = [
            self._interval(table.c.talked_at, stretch),
            *_dimensions(table, ("queue", "line", "agent"), per),
            *said,
        ]
        one = (
            select(*columns, table.c.order_value_cents.label("cents"))
            .where(*_within(table.c.talked_at, stretch), not_(overtaken))
            .subquery()
        )
        groups = [one.c[column.name] for column in columns]
        sums = [
            func.count().label("talks"),
            func.count(case((one.c.cents > 0, 1))).label("orders"),
            cast(func.coalesce(func.sum(one.c.cents), 0), BigInteger).label("value_cents"),
        ]
        return await self._fetched(select(*groups, *sums).group_by(*groups).order_by(*groups), TopicsRow)

    async def offers(self, stretch: Stretch, per: Collection[str]) -> list[OffersRow]:
        """By the time at which they were made; `per`: any of `queue`, `agent`, by what else is null."""
        table = tables.offer
        columns = [
            self._interval(table.c.made_at, stretch),
            *_dimensions(table, ("queue", "agent"), per),
            table.c.outcome,
        ]
        one = select(*columns).where(*_within(table.c.made_at, stretch)).subquery()
        groups = [one.c[column.name] for column in columns]
        counted = select(*groups, func.count().label("offers")).group_by(*groups).order_by(*groups)
        return await self._fetched(counted, OffersRow)

    async def states(self, stretch: Stretch) -> list[StatesRow]:
        """Of every agent; only what lies within the stretch counts."""
        interval = tables.agent_interval.c
        begin, end = literal(stretch.since, Double), literal(stretch.until, Double)
        started = case((interval.started_at > begin, interval.started_at), else_=begin)
        ended = case((interval.ended_at < end, interval.ended_at), else_=end)
        groups = [interval.agent, interval.state, interval.reason]
        query = (
            select(*groups, func.count().label("times"), func.sum(ended - started).label("lasted_s"))
            .where(interval.started_at < stretch.until, interval.ended_at > stretch.since)
            .group_by(*groups)
            .order_by(*groups)
        )
        return await self._fetched(query, StatesRow)

    def _interval(self, at: Column[Any], stretch: Stretch) -> ColumnElement[Any]:
        if stretch.interval_s is None:
            return literal(0, Integer).label("interval")
        number = (at - literal(stretch.since, Double)) / literal(stretch.interval_s, Double)
        # A cast rounds in PostgreSQL and cuts off in SQLite, which may have no floor().
        whole = func.floor(number) if self._database.dialect == "postgresql" else number
        return cast(whole, Integer).label("interval")

    async def _fetched(self, query: Select[Any], kind: type[S]) -> list[S]:
        async with self._database.transaction() as connection:
            return [msgspec.convert(row, kind, from_attributes=True) for row in await connection.execute(query)]


def _within(at: Column[Any], stretch: Stretch) -> tuple[ColumnElement[bool], ...]:
    return at >= stretch.since, at < stretch.until


def _dimensions(table: Table, known: Iterable[str], per: Collection[str]) -> list[ColumnElement[Any]]:
    return [table.c[name] if name in per else cast(null(), Text).label(name) for name in known]
