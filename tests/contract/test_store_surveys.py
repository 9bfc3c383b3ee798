"""What customers answered after their talks, in both stores, and the report that is made of it."""

from msgspec.structs import replace

from ccserver.core.ids import AgentId, ContactId, FlowName, LineNumber, QueueName
from ccserver.core.records import SurveySaved
from ccserver.core.survey import Survey
from ccserver.store.journal_file import TurnRecords
from ccserver.store.sql import Claim, SqlStore
from tests.contract.test_store_sql import claim, store
from tests.store_databases import postgres, store_url

__all__ = ["claim", "postgres", "store", "store_url"]

BEGAN = 1_780_000_000.0


def survey(n: int, agent: str = "1001", **scores: int) -> Survey:
    return Survey(
        contact=ContactId(f"a1-{n}"),
        flow=FlowName("satisfaction"),
        line=LineNumber("88007707999"),
        queue=QueueName("orders"),
        agent=AgentId(agent),
        talk=3,
        begun_at=BEGAN + n,
        ended_at=BEGAN + n + 9.0,
        scores=scores,
    )


async def test_the_report_divides_by_agent_and_knows_who_did_not_answer(store: SqlStore, claim: Claim) -> None:
    told = [survey(1, score=5, solved=1), survey(2, score=4), survey(3), survey(4, agent="1002", score=1)]
    begun = [replace(each, scores={}, ended_at=None) for each in told]
    records = tuple(SurveySaved(each) for each in (*begun, *told))
    await store.project(claim, [TurnRecords(1, BEGAN, records)])
    rows = await store.satisfaction("agent", "score", BEGAN, BEGAN + 100)
    assert [(row.of, row.asked, row.answered, row.total, row.good) for row in rows] == [
        ("1001", 3, 2, 9, 2),
        ("1002", 1, 1, 1, 0),
    ]
    (solved,) = await store.satisfaction("queue", "solved", BEGAN, BEGAN + 100)
    assert (solved.of, solved.asked, solved.answered, solved.total) == ("orders", 4, 1, 1)
    assert await store.satisfaction("line", "score", BEGAN + 5, BEGAN + 100) == []


async def test_a_survey_projected_twice_counts_once(store: SqlStore, claim: Claim) -> None:
    turn = TurnRecords(1, BEGAN, (SurveySaved(survey(1, score=3)),))
    await store.project(claim, [turn])
    await store.rewind(claim)
    await store.project(claim, [turn])
    (row,) = await store.satisfaction("line", "score", 0.0, BEGAN + 100)
    assert (row.of, row.asked, row.answered, row.total) == ("88007707999", 1, 1, 3)
