"""The decision log in the store: what `GET …/explain` asks for, and how it is forgotten after a while."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Row, Select, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.core.decision import Decision, Shortage
from ccserver.core.ids import AgentId, ContactId
from ccserver.core.inquiry import Inquiry
from ccserver.store import tables
from ccserver.store.rows import IntervalRow, OfferRow

S = TypeVar("S", bound=Struct)

DECISIONS_MAX = 5_000
"""As many are looked at to tell why an agent got nothing: half a day of a large centre."""
SHORTAGES_MAX = 500
OFFERS_MAX = 1_000
_JSON = ("needs", "also", "able", "others")
_decode = msgspec.json.Decoder().decode


class ContactLog(Struct, frozen=True):
    """About one contact, in the order of time."""

    decisions: tuple[Decision, ...]
    shortages: tuple[Shortage, ...]
    """Of its needs, while it waited."""
    inquiries: tuple[Inquiry, ...] = ()
    """Of its flows."""


class AgentLog(Struct, frozen=True):
    """About one agent since some moment, in the order of time."""

    intervals: tuple[IntervalRow, ...]
    """That ended since; the present one is not among them."""
    offers: tuple[OfferRow, ...]
    decisions: tuple[Decision, ...]
    """About whatever contact."""


async def contact_log(connection: AsyncConnection, contact: ContactId) -> ContactLog:
    """See `SqlStore.why`."""
    decision, shortage = tables.decision.c, tables.shortage.c
    of_contact = select(tables.decision).where(decision.contact == contact).order_by(decision.at, decision.offer)
    decisions = await _read(connection, of_contact, Decision)
    of_flows = select(tables.inquiry).where(tables.inquiry.c.contact == contact).order_by(tables.inquiry.c.asked_at)
    inquiries = await _read(connection, of_flows, Inquiry)
    if not decisions:
        return ContactLog((), (), inquiries)
    ended = select(tables.contact.c.ended_at).where(tables.contact.c.id == contact)
    ended_at = (await connection.execute(ended)).scalar_one_or_none()
    there = select(tables.shortage).where(
        shortage.queue.in_({each.queue for each in decisions}), shortage.at > decisions[0].at
    )
    if ended_at is not None:
        there = there.where(shortage.at < ended_at)
    needs = {(each.queue, each.needs, each.also) for each in decisions}
    shortages = await _read(connection, there.order_by(shortage.at).limit(SHORTAGES_MAX), Shortage)
    mine = tuple(each for each in shortages if (each.queue, each.needs, each.also) in needs)
    return ContactLog(decisions, mine, inquiries)


async def agent_log(
    connection: AsyncConnection, agent: AgentId, since: float, intervals: Sequence[IntervalRow]
) -> AgentLog:
    """See `SqlStore.why_agent`."""
    decision, offer = tables.decision.c, tables.offer.c
    newest = select(tables.decision).where(decision.at >= since).order_by(decision.at.desc()).limit(DECISIONS_MAX)
    mine = select(tables.offer).where(offer.agent == agent, offer.made_at >= since)
    rows = await connection.execute(mine.order_by(offer.made_at).limit(OFFERS_MAX))
    offers = tuple(msgspec.convert(row, OfferRow, from_attributes=True) for row in rows)
    return AgentLog(tuple(intervals), offers, tuple(reversed(await _read(connection, newest, Decision))))


async def forget(connection: AsyncConnection, before: float) -> int:
    """See `SqlStore.forget_decisions`."""
    ages = (tables.decision.c.at, tables.shortage.c.at, tables.inquiry.c.asked_at)
    return sum([(await connection.execute(delete(age.table).where(age < before))).rowcount for age in ages])


async def _read(connection: AsyncConnection, query: Select[Any], kind: type[S]) -> tuple[S, ...]:
    return tuple(_value(row, kind) for row in await connection.execute(query))


def _value(row: Row[Any], kind: type[S]) -> S:
    values = {str(name): _decode(value) if name in _JSON else value for name, value in row._mapping.items()}
    return msgspec.convert(values, kind, strict=False)
