"""`why c1`, `why anna`: what `ccserver explain` tells of what a golden script has recorded so far; used by `script`."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Table

from ccserver.api.agent_stories import agent_story
from ccserver.api.stories import Story, contact_story
from ccserver.core.ids import AgentId, ContactId
from ccserver.core.records import DecisionSaved, InquirySaved, Record, ShortageSaved
from ccserver.core.router import Router
from ccserver.core.status import picture
from ccserver.store import tables
from ccserver.store.decisions import AgentLog, ContactLog
from ccserver.store.journal_file import TurnRecords
from ccserver.store.rows import ContactDetail, IntervalRow, OfferRow, rows


def why(records: Sequence[Record], router: Router | None, who: str, now: float) -> Iterator[str]:
    """The summary, then each moment with its time."""
    assert router is not None, "nothing has happened yet"
    story = _of_agent(records, router, AgentId(who), now) if who in router.floor.agents else _of_contact(records, who)
    yield story.summary.replace("n-", "")
    for moment in story.moments:
        yield f"{moment.at:g}s: {moment.text}".replace("n-", "")


def _of_contact(records: Sequence[Record], who: str) -> Story:
    kept = _rows(records)
    contact = ContactId(f"n-{who}")
    (values,) = [row for row in kept[tables.contact] if row["id"] == contact]
    detail = msgspec.convert(
        {
            **dict.fromkeys(ContactDetail.__struct_fields__, ()),  # lists of what no story tells
            **values,
            "queue": values["first_queue"],
            "recording": None,
            "preservation": None,
            "survey": None,
            "segments": [row for row in kept[tables.segment] if row["contact"] == contact],
            "offers": [row for row in kept.get(tables.offer, ()) if row["contact"] == contact],
        },
        ContactDetail,
    )
    decisions = tuple(each.decision for each in records if isinstance(each, DecisionSaved))
    mine = tuple(each for each in decisions if each.contact == contact)
    needs = {(each.queue, each.needs) for each in mine}
    shortages = (each.shortage for each in records if isinstance(each, ShortageSaved))
    asked = {each.inquiry.id: each.inquiry for each in records if isinstance(each, InquirySaved)}
    log = ContactLog(
        mine,
        tuple(each for each in shortages if (each.queue, each.needs) in needs),
        tuple(each for each in asked.values() if each.contact == contact),
    )
    return contact_story(detail, log)


def _of_agent(records: Sequence[Record], router: Router, who: AgentId, now: float) -> Story:
    kept = _rows(records)
    (agent,) = [each for each in picture(router.floor, now).agents if each.extension == who]
    log = AgentLog(
        tuple(msgspec.convert(row, IntervalRow) for row in kept.get(tables.agent_interval, ()) if row["agent"] == who),
        tuple(msgspec.convert(row, OfferRow) for row in kept.get(tables.offer, ()) if row["agent"] == who),
        tuple(each.decision for each in records if isinstance(each, DecisionSaved)),
    )
    return agent_story(router.floor.plan.operators[who], agent, log, 0.0, now)


def _rows(records: Sequence[Record]) -> dict[Table, list[dict[str, object]]]:
    """As the store would have them."""
    kept = rows([TurnRecords(1, 0.0, tuple(records))], "golden")
    return {table: [{str(name): value for name, value in row.items()} for row in of] for table, of in kept.items()}
