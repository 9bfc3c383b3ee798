"""Why, asked of the real store of either kind over HTTP: what the router recorded, in words, until it is forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from ccserver.api.server import build, listening
from ccserver.core.ids import AgentId, ContactId, InquiryId
from ccserver.core.inquiry import Inquiry
from ccserver.core.records import InquirySaved
from ccserver.store.forgetting import DAY_S, Forgetting
from ccserver.store.journal_file import TurnRecords
from ccserver.store.schema import migrate
from ccserver.store.sql import SqlStore
from tests.api_stage import TOKEN, Sounds, Stage
from tests.store_databases import postgres, store_url
from tests.store_turns import NODE
from tests.unit.core_case import Case, operator, plan, queue, straight_into

__all__ = ["postgres", "store_url"]

CONTACT = ContactId("n1-c2")
ASKED = Inquiry(
    id=InquiryId("n1-c2.ask1"),
    contact=CONTACT,
    kind="lookup",
    about="shop",
    address="https://shop/{ani}",
    asked_at=1010.0,
    ended_at=1010.0,
    verdict="found",
    cached=True,
)


def busy_hour() -> Case:
    """1001 talks with c1; c2 waits until 1002 comes, who does not pick up, and is served by 1001 after all."""
    case = Case(
        plan(straight_into(), queues=[queue(ring_timeout_s=15.0)], operators=[operator("1001"), operator("1002")]),
        ready=False,
    )
    case.phone("1001")
    case.phone("1002")
    case.wish("1001", "ready")
    case.call("c1")
    case.answers("n1-c1.1")
    case.wait(10)
    case.call("c2")
    case.wait(20)
    case.wish("1002", "ready")
    case.rings("n1-c2.1")
    case.wait(15)
    case.ended("n1-c2.1")
    case.hang_up("c1")
    case.ended("n1-c1.1")
    case.wait(15)
    case.answers("n1-c2.2")
    case.wait(30)
    case.hang_up("c2")
    case.ended("n1-c2.2")
    case.records.append(InquirySaved(ASKED))
    return case


@asynccontextmanager
async def stored(url: str, case: Case) -> AsyncIterator[SqlStore]:
    await migrate(url)
    store = await SqlStore.opened(url)
    try:
        claim = await store.claim(NODE, "journal-a")
        await store.project(claim, [TurnRecords(1, case.now, tuple(case.records))])
        yield store
    finally:
        await store.close()


class OfCase(Stage):
    """A desk whose picture is that of the case."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case

    def status(self):  # type: ignore[no-untyped-def]
        from ccserver.core.status import picture

        return picture(self.case.router.floor, self.case.now)


@asynccontextmanager
async def asked(url: str, case: Case) -> AsyncIterator[ClientSession]:
    stage = OfCase(case)
    stage.configured.in_force = replace(stage.configured.in_force, plan=case.router.floor.plan)
    async with stored(url, case) as store:
        app = build(stage, store, stage.feed, Sounds(), TOKEN, lambda: (), bytes, stage.configured)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            listening(app, "127.0.0.1", 0) as port,
            ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client,
        ):
            yield client


async def test_what_was_decided_about_a_contact_comes_back_as_it_was(store_url: str) -> None:
    case = busy_hour()
    async with stored(store_url, case) as store:
        log = await store.why(CONTACT)
        assert [(each.offer, each.agent, each.lack) for each in log.decisions] == [
            (0, None, "at_work"),
            (1, "1002", None),
            (2, "1001", None),
        ]
        assert log.inquiries == (ASKED,)
        assert dict(log.decisions[0].able) == {"talking": 1, "logged_out": 1}
        assert await store.why(ContactId("nobody")) == type(log)((), ())
        mine = await store.why_agent(AgentId("1002"), 0.0)
        assert [offer.outcome for offer in mine.offers] == ["rona"]
        assert {each.contact for each in mine.decisions} == {"n1-c1", "n1-c2"}
        assert [each.state for each in mine.intervals][-1] == "ringing"


async def test_projecting_twice_does_no_harm(store_url: str) -> None:
    case = busy_hour()
    async with stored(store_url, case) as store:
        before = await store.why(CONTACT)
        claim = await store.claim(NODE, "journal-a")
        await store.rewind(claim)
        await store.project(claim, [TurnRecords(1, case.now, tuple(case.records))])
        assert await store.why(CONTACT) == before


async def test_a_contact_is_explained_from_its_arrival_to_its_end(store_url: str) -> None:
    async with asked(store_url, busy_hour()) as client, client.get(f"/api/contacts/{CONTACT}/explain") as answer:
        assert answer.status == 200
        told = await answer.json()
    assert told["contact"] == CONTACT
    assert "everybody who is able to take it is at work" in told["summary"] and "(rona)" in told["summary"]
    texts = [moment["text"] for moment in told["timeline"]]
    order = [
        "arrived on line",
        "lookup shop asked https://shop/{ani}: found from an earlier answer",
        "waits in queue support: everybody who is able to take it is at work (1 talking, 1 logged out)",
        "offered to 1002: longest idle of 1 able to take it",
        "1002 did not pick up after 15 s of ringing",
        "offered to 1001: longest idle of 1 able to take it",
        "1001 answered",
        "talk with 1001 ended after 30 s",
        "ended: answered",
    ]
    found = [next((n for n, text in enumerate(texts) if piece in text), None) for piece in order]
    assert None not in found and found == sorted(n for n in found if n is not None), texts


async def test_an_agent_is_told_what_went_to_others_and_why(store_url: str) -> None:
    case = busy_hour()
    async with (
        asked(store_url, case) as client,
        client.get("/api/agents/1002/explain?since=1970-01-01T00:00:00Z") as answer,
    ):
        assert answer.status == 200
        told = await answer.json()
    assert told["summary"].startswith("1002 got no contact: he was logged out")
    assert "1 offered to him in vain" in told["summary"]
    assert "1 went to others: he was not ready (rona)" in told["summary"]
    assert any("n1-c2 of queue support went to 1001" in moment["text"] for moment in told["timeline"])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/contacts/nobody/explain", 404, "there is no contact nobody"),
        ("/api/agents/9999/explain", 404, "there is no agent 9999"),
        ("/api/agents/1001/explain?since=noon", 400, "since: expected a time like"),
        ("/api/agents/1001/explain?since=2026-01-31T10:00", 400, "since: expected a time with its zone"),
        ("/api/agents/1001/explain?since=2999-01-31T10:00Z", 400, "since: expected a time that is past"),
        ("/api/agents/1001/explain?from=x", 400, "unknown query parameter from"),
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_so(store_url: str, path: str, status: int, said: str) -> None:
    async with asked(store_url, busy_hour()) as client, client.get(path) as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]["message"]


async def test_decisions_are_forgotten_after_their_time_and_the_contact_stays(store_url: str) -> None:
    case = busy_hour()
    async with stored(store_url, case) as store:

        class Later:
            def now(self) -> float:
                return case.now + 10 * DAY_S

        await Forgetting(store, Later(), decisions_kept_days=11).round()
        log = await store.why(CONTACT)
        assert log.decisions and log.inquiries
        await Forgetting(store, Later(), decisions_kept_days=9).round()
        log = await store.why(CONTACT)
        assert not log.decisions and not log.inquiries
        assert await store.contact(CONTACT) is not None
