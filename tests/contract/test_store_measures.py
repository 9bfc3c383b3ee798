"""What supervisors put in force is kept in both stores, with who took and who lifted it."""

from typing import Any

from ccserver.core.ids import LineNumber, MeasureId
from ccserver.core.measure import Block, Closure
from ccserver.core.records import MeasureLifted, MeasureSaved
from ccserver.store import tables
from ccserver.store.journal_file import TurnRecords
from ccserver.store.sql import Claim, SqlStore
from tests.contract.test_store_sql import claim, store
from tests.store_databases import postgres, store_url
from tests.store_projecting import stored

__all__ = ["claim", "postgres", "store", "store_url"]

SHUT = Closure(id=MeasureId("m1"), by="Ирина", since=1.0, line=LineNumber("88007707999"))
BARRED = Block(id=MeasureId("m2"), by="Ирина", since=2.0, until=9.0, number="+7809")


async def kept(url: str) -> list[tuple[Any, ...]]:
    """Of each: its id, its kind, until when, and when and by whom it was lifted."""
    names = [column.name for column in tables.measure.columns]
    told = [dict(zip(names, row, strict=True)) for row in (await stored(url))["measure"]]
    return [(row["id"], row["kind"], row["until"], row["lifted_at"], row["lifted_by"]) for row in told]


async def test_a_measure_is_kept_when_it_is_taken_and_when_it_is_lifted(
    store: SqlStore, claim: Claim, store_url: str
) -> None:
    await store.project(claim, [TurnRecords(1, 2.0, (MeasureSaved(SHUT), MeasureSaved(BARRED)))])
    assert await kept(store_url) == [("m1", "closure", None, None, None), ("m2", "block", 9.0, None, None)]
    lifted = (MeasureLifted(SHUT, "Олег", 3.0), MeasureLifted(BARRED, "time", 9.0))
    await store.project(claim, [TurnRecords(2, 9.0, lifted)])
    assert await kept(store_url) == [("m1", "closure", None, 3.0, "Олег"), ("m2", "block", 9.0, 9.0, "time")]
