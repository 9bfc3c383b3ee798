"""`/api/reports/…`: sums over a stretch of time. What is summed up and how stands in `store.reports`; here it gets its shape."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from aiohttp import web
from msgspec import UNSET

from ccserver.api.errors import BadInput
from ccserver.api.messages import (
    ErrorReply,
    OfferCountReply,
    OffersQuery,
    OffersReply,
    OrdersReply,
    ReportQuery,
    StatesQuery,
    StatesReply,
    StateTimeReply,
    TopicCountReply,
    TopicsQuery,
    TopicsReply,
    TopicsRowReply,
    instant,
    seconds,
)
from ccserver.api.operations import Answer, Operation, json_reply, query_of
from ccserver.api.sources import ReportQueries
from ccserver.core.offer import OfferOutcome
from ccserver.store.reports import OffersRow, Stretch, TopicsRow

DAYS_MAX = 400
INTERVALS_MAX = 2000
_NOT_HIS = {OfferOutcome.WITHDRAWN, OfferOutcome.FAILED}
"""Offers that no agent could have accepted."""


class ReportRoutes:
    """Sums, as JSON."""

    def __init__(self, reports: ReportQueries) -> None:
        self._reports = reports

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        away = Answer("The store is away", ErrorReply)
        return (
            Operation(
                method="GET",
                path="/api/reports/topics",
                serve=self.topics,
                summary="What talks were about, and what was ordered: talks counted by topic, values of orders summed up",
                query=TopicsQuery,
                answers={200: Answer("One row a group and interval", TopicsReply), 503: away},
            ),
            Operation(
                method="GET",
                path="/api/reports/offers",
                serve=self.offers,
                summary="What became of offers: accepted, RONA, refused, busy, unreachable",
                query=OffersQuery,
                answers={200: Answer("One row a group and interval", OffersReply), 503: away},
            ),
            Operation(
                method="GET",
                path="/api/reports/states",
                serve=self.states,
                summary="How long each agent was in each state, and for which reason",
                query=StatesQuery,
                answers={200: Answer("One row an agent, state and reason", StatesReply), 503: away},
            ),
        )

    async def topics(self, request: web.Request) -> web.Response:
        """A talk counts for each topic that was given, and once for each that stands above."""
        query = query_of(request, TopicsQuery)
        stretch = _stretch(query)
        rows = await self._reports.topics(stretch, _per(query.per, ("queue", "line", "agent")))
        groups: dict[tuple[object, ...], list[TopicsRow]] = {}
        for row in rows:
            groups.setdefault((row.interval, row.queue, row.line, row.agent), []).append(row)
        return json_reply(TopicsReply(rows=tuple(_topics(stretch, group) for group in groups.values())))

    async def offers(self, request: web.Request) -> web.Response:
        """By the KPI dictionary: the RONA rate is that of all offers that an agent could have accepted."""
        query = query_of(request, OffersQuery)
        stretch = _stretch(query)
        rows = await self._reports.offers(stretch, _per(query.per, ("queue", "agent")))
        groups: dict[tuple[object, ...], list[OffersRow]] = {}
        for row in rows:
            groups.setdefault((row.interval, row.queue, row.agent), []).append(row)
        return json_reply(OffersReply(rows=tuple(_offers(stretch, group) for group in groups.values())))

    async def states(self, request: web.Request) -> web.Response:
        """Stretches that are over; the one under way `/api/status` tells."""
        query = query_of(request, StatesQuery)
        rows = await self._reports.states(_stretch(query))
        return json_reply(
            StatesReply(
                rows=tuple(
                    StateTimeReply(
                        agent=row.agent,
                        state=row.state,
                        reason=row.reason,
                        times=row.times,
                        lasted_s=seconds(row.lasted_s),
                    )
                    for row in rows
                )
            )
        )


def _stretch(query: ReportQuery) -> Stretch:
    since, until = _epoch(query.since, "since"), _epoch(query.until, "until")
    if not since < until:
        raise BadInput("until: expected an instant after since", "until")
    if until - since > DAYS_MAX * 86400:
        raise BadInput(f"until: expected at most {DAYS_MAX} days after since", "until")
    interval_s = getattr(query, "interval_s", UNSET)
    if interval_s is not UNSET and (until - since) / interval_s > INTERVALS_MAX:
        raise BadInput(f"interval_s: expected at most {INTERVALS_MAX} intervals", "interval_s")
    return Stretch(since=since, until=until, interval_s=None if interval_s is UNSET else interval_s)


def _epoch(written: str, field: str) -> float:
    try:
        told = datetime.fromisoformat(written)
        if told.tzinfo is None:
            raise ValueError
        return told.timestamp()
    except (ValueError, OverflowError):
        raise BadInput(f"{field}: expected an instant with its zone, like 2026-01-31T09:15:00Z", field) from None


def _per(written: str, known: Sequence[str]) -> frozenset[str]:
    asked = frozenset(filter(None, written.split(",")))
    if unknown := sorted(asked - set(known)):
        raise BadInput(f"per: expected any of {', '.join(known)}, got {unknown[0]}", "per")
    return asked


def _begin(stretch: Stretch, interval: int) -> str:
    return instant(stretch.since + interval * (stretch.interval_s or 0.0))


def _topics(stretch: Stretch, group: Sequence[TopicsRow]) -> TopicsRowReply:
    first = group[0]
    counts: dict[str, int] = {}
    titles: dict[str, str] = {}
    orders: dict[str, tuple[int, int]] = {}
    for row in group:
        told = _with_above(row)
        titles |= told
        for code in told:
            counts[code] = counts.get(code, 0) + row.talks
        number, cents = orders.get(row.currency, (0, 0))
        orders[row.currency] = number + row.orders, cents + row.value_cents
    return TopicsRowReply(
        at=_begin(stretch, first.interval),
        queue=first.queue,
        line=first.line,
        agent=first.agent,
        talks=sum(row.talks for row in group),
        given=sum(row.talks for row in group if row.codes),
        topics=tuple(TopicCountReply(code=code, topic=titles[code], talks=counts[code]) for code in sorted(counts)),
        orders=tuple(
            OrdersReply(currency=currency, orders=number, value=cents / 100)
            for currency, (number, cents) in sorted(orders.items())
            if number
        ),
    )


def _with_above(row: TopicsRow) -> Mapping[str, str]:
    """The codes of a talk and all that stand above them, with their titles."""
    told: dict[str, str] = {}
    for code, topic in zip(row.codes.split(","), row.topics.split("\n"), strict=False):
        above = topic.split(" > ")
        told |= {code[:depth]: " > ".join(above[:depth]) for depth in range(1, len(code) + 1)}
    return told


def _offers(stretch: Stretch, group: Sequence[OffersRow]) -> OfferCountReply:
    first = group[0]
    counts = {row.outcome: row.offers for row in group}
    could = sum(number for outcome, number in counts.items() if outcome not in _NOT_HIS)
    rona = counts.get(OfferOutcome.RONA, 0)
    return OfferCountReply(
        at=_begin(stretch, first.interval),
        queue=first.queue,
        agent=first.agent,
        offered=sum(counts.values()),
        **{outcome.value: counts.get(outcome, 0) for outcome in OfferOutcome},
        rona_rate=round(rona / could, 4) if could else None,
    )
