"""`/api/reports/satisfaction`: what customers said after their talks (CSAT)."""

import time
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from msgspec import UNSET

from ccserver.api.errors import BadInput
from ccserver.api.messages import ErrorReply, SatisfactionQuery, SatisfactionReply, instant
from ccserver.api.operations import Answer, Operation, json_reply, query_of
from ccserver.api.sources import ContactQueries
from ccserver.api.views import satisfaction_of
from ccserver.store.rows import SatisfactionRow


class SatisfactionRoutes:
    """The report, read."""

    def __init__(self, store: ContactQueries) -> None:
        self._store = store

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/reports/satisfaction",
                serve=self.report,
                summary="What customers answered when they were asked after their talk",
                query=SatisfactionQuery,
                answers={
                    200: Answer("CSAT by queue, operator or line", SatisfactionReply),
                    503: Answer("The store is away", ErrorReply),
                },
            ),
        )

    async def report(self, request: web.Request) -> web.Response:
        """Of who was asked from `since` until before `until`."""
        query = query_of(request, SatisfactionQuery)
        since = _epoch(query.since, "since")
        until = time.time() if query.until is UNSET else _epoch(query.until, "until")
        rows = await self._store.satisfaction(query.by, query.question, since, until)
        whole = SatisfactionRow(
            of="",
            asked=sum(row.asked for row in rows),
            answered=sum(row.answered for row in rows),
            total=sum(row.total for row in rows),
            good=sum(row.good for row in rows),
        )
        return json_reply(
            SatisfactionReply(
                since=instant(since),
                until=instant(until),
                question=query.question,
                by=query.by,
                groups=tuple(map(satisfaction_of, rows)),
                all=satisfaction_of(whole),
            )
        )


def _epoch(text: str, name: str) -> float:
    """Raises `BadInput`."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{name}: expected a time like 2026-11-30T00:00:00+03:00", name) from None
    if told.tzinfo is None:
        raise BadInput(f"{name}: expected a time with its zone, like 2026-11-30T00:00:00+03:00", name)
    return told.timestamp()
