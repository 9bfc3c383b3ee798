"""Which recordings are due to be removed by a rule, the oldest first; those of preserved contacts never are."""

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, or_, select, tuple_

from ccserver.core.ids import ContactId, LineNumber, QueueName, RecordingName
from ccserver.core.retention import Rule
from ccserver.store import tables
from ccserver.store.database import Database


class DueRecording(Struct, frozen=True, kw_only=True):
    """A recording that has been kept long enough."""

    contact: ContactId
    recording: RecordingName
    kind: str
    path: str
    duration_s: float
    gaps: str
    arrived_at: float
    """Of its contact."""
    line: LineNumber
    queue: QueueName | None

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """The gaps, as values."""
        return msgspec.json.decode(self.gaps, type=tuple[tuple[float, float], ...])


async def due_recordings(
    database: Database, rule: Rule, now: float, limit: int, after: DueRecording | None = None
) -> list[DueRecording]:
    """At most `limit` of them; `after`: only what comes after this one. Raises `StoreUnavailable`."""
    contact, recording = tables.contact.c, tables.recording.c
    preserved = select(tables.preservation.c.contact).where(tables.preservation.c.preserved == 1)
    query = (
        select(tables.recording, contact.arrived_at, contact.line, contact.first_queue.label("queue"))
        .join(tables.contact, contact.id == recording.contact)
        .where(contact.arrived_at < rule.before(now), recording.path.is_not(None), *_scope(rule))
        .where(contact.id.not_in(preserved))
        .order_by(contact.arrived_at, contact.id, recording.recording)
        .limit(limit)
    )
    if after is not None:
        reached = tuple_(after.arrived_at, after.contact, after.recording)
        query = query.where(tuple_(contact.arrived_at, contact.id, recording.recording) > reached)
    async with database.transaction() as connection:
        rows = await connection.execute(query)
        return [msgspec.convert(row, DueRecording, from_attributes=True) for row in rows]


def _scope(rule: Rule) -> list[ColumnElement[bool]]:
    contact = tables.contact.c
    scope: list[ColumnElement[bool]] = []
    if rule.kind is not None:
        scope.append(tables.recording.c.kind == rule.kind)
    if rule.queue is not None:
        scope.append(contact.first_queue == rule.queue)
    if rule.line is not None:
        scope.append(contact.line == rule.line)
    if rule.but_queues:
        scope.append(or_(contact.first_queue.is_(None), contact.first_queue.not_in(rule.but_queues)))
    if rule.but_lines:
        scope.append(contact.line.not_in(rule.but_lines))
    return scope
