"""The status API over HTTP, at the real server: who gets in, what comes back, and how every mistake is answered."""

import asyncio
import json
import socket
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse
from msgspec.structs import replace

from ccserver.api import deciding
from ccserver.api.errors import CannotListen
from ccserver.api.messages import (
    AgentReply,
    ContactDetailReply,
    ContactsReply,
    ErrorReply,
    HealthReply,
    OffersReply,
    Problem,
    StatesReply,
    StatusReply,
    TopicsReply,
)
from ccserver.api.server import BODY_MAX, build, listening
from ccserver.api.sources import Alarm
from ccserver.core.agent import AgentState
from ccserver.core.events import CallCustomer, ExtendWrapUp, GiveDisposition, SetAgentState
from ccserver.core.ids import AgentId, ContactId
from ccserver.core.offer import OfferOutcome
from ccserver.store.reports import OffersRow, StatesRow, Stretch, TopicsRow
from tests.api_stage import ORDERS, TOKEN, Stage, admitted, strangers

GUARDED = [
    ("GET", "/api/status"),
    ("GET", "/api/contacts"),
    ("GET", "/api/contacts/x"),
    ("GET", "/api/contacts/x/recording"),
    ("GET", "/api/live"),
    ("GET", "/api/openapi.json"),
    ("GET", "/metrics"),
    ("POST", "/api/agents/1001/state"),
    ("POST", "/api/contacts/cc1-1/recording"),
    ("POST", "/api/contacts/cc1-1/preservation"),
    ("GET", "/api/no-such-thing"),
    ("DELETE", "/api/status"),
    ("GET", "/%61pi/status"),
]


async def problem(answer: ClientResponse, status: int) -> Problem:
    body = await answer.read()
    assert answer.status == status, body
    assert answer.content_type == "application/json"
    return msgspec.json.decode(body, type=ErrorReply).error


async def read(answer: ClientResponse, shape: type[Any]) -> Any:
    body = await answer.read()
    assert answer.status == 200, body
    return msgspec.json.decode(body, type=shape, strict=True)


class TestWhoGetsIn:
    @pytest.mark.parametrize(("method", "path"), GUARDED)
    async def test_nothing_under_api_is_told_to_strangers(self, method: str, path: str) -> None:
        async with strangers(Stage()) as stranger, stranger.request(method, path) as answer:
            assert "Bearer" in (await problem(answer, 401)).message
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(
        "header",
        ["Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xff"],
    )
    async def test_a_wrong_token_opens_nothing(self, header: str) -> None:
        async with (
            strangers(Stage()) as stranger,
            stranger.get("/api/status", headers={"Authorization": header}) as answer,
        ):
            await problem(answer, 401)

    async def test_the_scheme_may_be_written_in_any_case(self) -> None:
        lower = {"Authorization": f"bearer {TOKEN}"}
        async with strangers(Stage()) as client, client.get("/api/status", headers=lower) as answer:
            assert answer.status == 200

    async def test_the_token_in_the_address_opens_no_api_but_only_the_page(self) -> None:
        async with strangers(Stage()) as stranger, stranger.get(f"/api/status?token={TOKEN}") as answer:
            await problem(answer, 401)

    async def test_whether_a_path_exists_outside_the_api_is_told_to_everybody(self) -> None:
        async with strangers(Stage()) as stranger, stranger.get("/no-such-thing") as answer:
            await problem(answer, 404)
            async with stranger.post("/healthz") as answer:
                await problem(answer, 405)
                assert "GET" in answer.headers["Allow"]


class TestHealth:
    async def test_ok_when_asterisk_is_connected_and_nothing_is_broken(self) -> None:
        async with (
            strangers(Stage()) as anybody,
            anybody.get("/healthz") as answer,
        ):
            health = await read(answer, HealthReply)
        assert (health.status, health.reasons) == ("ok", ())

    async def test_failing_with_the_reason_when_asterisk_is_away(self) -> None:
        stage = Stage()
        stage.link(connected=False)
        assert await self.reasons(stage) == ("Asterisk cc1 is not connected",)

    async def test_failing_when_no_asterisk_was_ever_connected(self) -> None:
        stage = Stage()
        stage.nodes = ()
        assert await self.reasons(stage) == ("no Asterisk has been connected yet",)

    async def test_failing_by_a_critical_alarm_and_not_by_another(self) -> None:
        stage = Stage()
        stage.alarms.append(Alarm(name="store", message="the database is away", since=stage.now()))
        async with strangers(stage) as anybody, anybody.get("/healthz") as answer:
            assert answer.status == 200
        stage.alarms.append(Alarm(name="journal", message="disk full", since=stage.now(), critical=True))
        assert await self.reasons(stage) == ("journal: disk full",)

    async def reasons(self, stage: Stage) -> tuple[str, ...]:
        async with strangers(stage) as anybody, anybody.get("/healthz") as answer:
            assert answer.status == 503
            health = msgspec.json.decode(await answer.read(), type=HealthReply)
        assert health.status == "failing"
        return health.reasons


class TestStatus:
    async def test_it_shows_lines_queues_agents_contacts_link_and_alarms(self) -> None:
        stage = Stage()
        stage.set_agent("1002", AgentState.NOT_READY, "lunch")
        contact = stage.arrive("+79161112233")
        stage.enqueue(contact)
        stage.alarms.append(Alarm(name="store", message="the database is away", since=0.0))
        async with admitted(stage) as client, client.get("/api/status") as answer:
            status = await read(answer, StatusReply)
        assert status.asterisk.connected
        assert next((line.number, line.waiting) for line in status.lines) == ("88007707999", 1)
        assert next((queue.name, queue.waiting) for queue in status.queues) == (ORDERS, 1)
        assert {agent.extension: (agent.state, agent.reason) for agent in status.agents}["1002"] == (
            "not_ready",
            "lunch",
        )
        assert [(one.id, one.ani, one.position) for one in status.contacts] == [(contact, "+79161112233", 1)]
        assert [(alarm.name, alarm.since) for alarm in status.alarms] == [("store", "1970-01-01T00:00:00.000Z")]

    async def test_nobody_keeps_it(self) -> None:
        async with admitted(Stage()) as client, client.get("/api/status") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


class TestContacts:
    async def test_the_newest_arrival_comes_first_and_limit_bounds_the_list(self) -> None:
        stage = Stage()
        ids = []
        for ago_s in (50, 40, 30):
            ids.append(stage.arrive(ago_s=ago_s))
            stage.end(ids[-1])
        async with admitted(stage) as client:
            async with client.get("/api/contacts") as answer:
                assert [row.id for row in (await read(answer, ContactsReply)).contacts] == ids[::-1]
            async with client.get("/api/contacts?limit=2") as answer:
                assert [row.id for row in (await read(answer, ContactsReply)).contacts] == ids[:0:-1]
            async with client.get(f"/api/contacts?limit=2&before={ids[1]}") as answer:
                assert [row.id for row in (await read(answer, ContactsReply)).contacts] == ids[:1]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("line=88007707999", {"+79161234567", "+74951234567", "1012"}),
            ("line=%2B78007707999", {"+79161234567", "+74951234567", "1012"}),
            ("line=+7 (800) 770-79-99", {"+79161234567", "+74951234567", "1012"}),
            ("line=88001112233", set()),
            ("ani=89161234567", {"+79161234567"}),
            ("ani=9161234567", {"+79161234567"}),
            ("ani=1012", {"1012"}),
            ("ani=8 495 123 45 67&line=78007707999", {"+74951234567"}),
            ("ani=8 495 123 45 67&line=88007004666", set()),
        ],
    )
    async def test_contacts_are_found_by_a_number_however_it_is_written(self, query: str, found: set[str]) -> None:
        stage = Stage()
        for ani in ("+79161234567", "+74951234567", "1012"):
            stage.end(stage.arrive(ani))
        async with admitted(stage) as client, client.get(f"/api/contacts?{query}") as answer:
            assert {row.ani for row in (await read(answer, ContactsReply)).contacts} == found

    async def test_one_contact_has_all_that_its_row_has_and_its_segments(self) -> None:
        stage = Stage()
        contact = stage.arrive(ago_s=40)
        stage.enqueue(contact)
        stage.answer(contact, "1001", ago_s=10)
        stage.end(contact)
        async with admitted(stage) as client:
            async with client.get(f"/api/contacts/{contact}") as answer:
                detail = await read(answer, ContactDetailReply)
            async with client.get("/api/contacts?limit=1") as answer:
                row = (await answer.json())["contacts"][0]
        whole = msgspec.to_builtins(detail)
        assert {name: whole[name] for name in row} == row
        assert [segment.kind for segment in detail.segments] == ["flow", "queue", "talk"]

    async def test_an_unknown_contact_is_404(self) -> None:
        async with admitted(Stage()) as client, client.get("/api/contacts/cc1-1.1") as answer:
            assert (await problem(answer, 404)).message == "there is no contact cc1-1.1"

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=1001", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1.5", "limit"),
            ("limit=99999999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("before=", "before"),
            ("before=nobody", "before"),
            ("Limit=5", "Limit"),
            ("limit=5&offset=5", "offset"),
        ],
    )
    async def test_a_wrong_parameter_is_named(self, query: str, field: str) -> None:
        async with admitted(Stage()) as client, client.get(f"/api/contacts?{query}") as answer:
            found = await problem(answer, 400)
        assert found.field == field
        assert field in found.message

    @pytest.mark.parametrize("path", ["/api/status", "/api/contacts/x", "/api/openapi.json", "/api/live"])
    async def test_where_there_are_no_parameters_any_is_unknown(self, path: str) -> None:
        async with admitted(Stage()) as client, client.get(f"{path}?limit=5") as answer:
            assert (await problem(answer, 400)).field == "limit"

    async def test_a_store_that_is_away_is_503_and_says_so(self) -> None:
        stage = Stage()
        stage.archive.away = "connection refused"
        async with admitted(stage) as client, client.get("/api/contacts") as answer:
            assert "connection refused" in (await problem(answer, 503)).message


class TestAgentState:
    async def test_the_agent_as_he_is_now_comes_back(self) -> None:
        stage = Stage()
        async with admitted(stage) as client:
            wish = {"state": "not_ready", "reason": "lunch"}
            async with client.post("/api/agents/1003/state", json=wish) as answer:
                agent = await read(answer, AgentReply)
        assert (agent.extension, agent.state, agent.reason) == ("1003", "not_ready", "lunch")
        (asked,) = stage.asked
        assert isinstance(asked, SetAgentState)
        assert (asked.agent, asked.state, asked.reason, asked.by) == ("1003", "not_ready", "lunch", "supervisor")
        assert agent.by == "supervisor"

    async def test_the_reason_may_be_left_out(self) -> None:
        async with (
            admitted(Stage()) as client,
            client.post("/api/agents/1003/state", json={"state": "ready"}) as answer,
        ):
            assert (await read(answer, AgentReply)).state == "ready"

    async def test_a_refusal_is_409_with_the_cores_reason(self) -> None:
        stage = Stage()
        stage.refuse = "the operator left the plan"
        async with admitted(stage) as client, client.post("/api/agents/1003/state", json={"state": "ready"}) as answer:
            assert (await problem(answer, 409)).message == "the operator left the plan"

    async def test_an_unknown_agent_is_404_and_the_core_is_not_asked(self) -> None:
        stage = Stage()
        async with admitted(stage) as client, client.post("/api/agents/9999/state", json={"state": "ready"}) as answer:
            assert (await problem(answer, 404)).message == "there is no agent 9999"
        assert stage.asked == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "state"),
            ({"state": "talking"}, "state"),
            ({"state": None}, "state"),
            ({"state": 1}, "state"),
            ({"state": "ready", "reason": None}, "reason"),
            ({"state": "not_ready", "reason": ["lunch"]}, "reason"),
            ({"state": "not_ready", "reason": "x" * 65}, "reason"),
            ({"state": "ready", "until": "noon"}, "until"),
        ],
    )
    async def test_a_wrong_field_is_named(self, body: dict[str, object], field: str) -> None:
        stage = Stage()
        async with admitted(stage) as client, client.post("/api/agents/1003/state", json=body) as answer:
            found = await problem(answer, 400)
        assert found.field == field
        assert field in found.message
        assert stage.asked == []

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b'"ready"',
            b"state=ready",
            b"\xff\xfe",
            b'{"state": "\xff"}',
            b"[" * 10_000,
            b"\0",
        ],
    )
    async def test_a_body_that_is_no_such_object_is_400(self, body: bytes) -> None:
        stage = Stage()
        async with admitted(stage) as client, client.post("/api/agents/1003/state", data=body) as answer:
            assert (await problem(answer, 400)).message
        assert stage.asked == []

    async def test_a_body_that_is_too_large_is_413(self) -> None:
        body = json.dumps({"state": "ready", "reason": "x" * BODY_MAX})
        async with admitted(Stage()) as client, client.post("/api/agents/1003/state", data=body) as answer:
            assert str(BODY_MAX) in (await problem(answer, 413)).message

    async def test_an_engine_that_does_not_answer_is_503_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deciding, "ANSWER_WITHIN_S", 0.05)
        stage = Stage()
        stage.silent = True
        async with admitted(stage) as client, client.post("/api/agents/1003/state", json={"state": "ready"}) as answer:
            assert "may still be carried out" in (await problem(answer, 503)).message


class TestWrapUp:
    async def test_it_is_extended_by_what_was_asked(self) -> None:
        stage = Stage()
        async with (
            admitted(stage) as client,
            client.post("/api/agents/1003/wrap-up", json={"seconds": 60}) as answer,
        ):
            assert (await read(answer, AgentReply)).extension == "1003"
        (asked,) = stage.asked
        assert isinstance(asked, ExtendWrapUp) and (asked.agent, asked.seconds) == ("1003", 60.0)

    @pytest.mark.parametrize("seconds", [0, -1, 3601, "60", None])
    async def test_a_time_that_makes_no_sense_is_named(self, seconds: object) -> None:
        async with (
            admitted(Stage()) as client,
            client.post("/api/agents/1003/wrap-up", json={"seconds": seconds}) as answer,
        ):
            assert (await problem(answer, 400)).field == "seconds"


class TestDisposition:
    async def test_what_is_said_reaches_the_core_and_what_is_not_said_stays_unsaid(self) -> None:
        stage = Stage()
        body = {"codes": ["12"], "order_value": 1500.5, "agent": "1003"}
        async with admitted(stage) as client, client.post("/api/contacts/x/disposition", json=body) as answer:
            assert answer.status == 204
        (asked,) = stage.asked
        assert isinstance(asked, GiveDisposition)
        assert (asked.contact, asked.agent, asked.codes, asked.order_value_cents) == ("x", "1003", ("12",), 150050)
        assert asked.note is None and asked.segment is None

    async def test_a_refusal_is_409_with_the_cores_reason(self) -> None:
        stage = Stage()
        stage.refuse = "orders has no topic 9"
        async with (
            admitted(stage) as client,
            client.post("/api/contacts/x/disposition", json={"codes": ["9"]}) as answer,
        ):
            assert (await problem(answer, 409)).message == "orders has no topic 9"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"order_value": -1}, "order_value"),
            ({"order_value": 1.005}, "order_value"),
            ({"order_value": "12"}, "order_value"),
            ({"codes": "12"}, "codes"),
            ({"codes": ["1"] * 11}, "codes"),
            ({"note": "x" * 1001}, "note"),
            ({"segment": 0}, "segment"),
            ({"topic": "1"}, "topic"),
        ],
    )
    async def test_a_wrong_field_is_named_and_the_core_is_not_asked(self, body: dict[str, object], field: str) -> None:
        stage = Stage()
        async with admitted(stage) as client, client.post("/api/contacts/x/disposition", json=body) as answer:
            assert (await problem(answer, 400)).field == field
        assert stage.asked == []


class TestCalls:
    async def test_what_is_asked_reaches_the_core_under_the_name_that_its_caller_gave_it(self) -> None:
        stage = Stage()
        body = {"agent": "1003", "number": "89161234567", "id": "crm-17"}
        async with admitted(stage) as client, client.post("/api/calls", json=body) as answer:
            assert answer.status == 201
            assert await answer.json() == {"contact": "cc1-call-crm-17"}
        (asked,) = stage.asked
        assert isinstance(asked, CallCustomer)
        assert (asked.contact, asked.agent, asked.number, asked.line) == (
            "cc1-call-crm-17",
            "1003",
            "89161234567",
            None,
        )

    async def test_without_a_name_every_request_is_a_call_of_its_own(self) -> None:
        stage = Stage()
        body = {"agent": "1003", "number": "89161234567"}
        async with admitted(stage) as client:
            for _ in range(2):
                async with client.post("/api/calls", json=body) as answer:
                    assert answer.status == 201
        assert len({asked.contact for asked in stage.asked if isinstance(asked, CallCustomer)}) == 2

    async def test_a_call_that_was_made_is_told_and_not_made_again(self) -> None:
        stage = Stage()
        contact = stage.arrive()
        made = stage.contacts.pop(contact)
        known = ContactId("cc1-call-crm-17")
        stage.keep(replace(made, id=known))
        headers = {"Idempotency-Key": "crm-17"}
        async with (
            admitted(stage) as client,
            client.post("/api/calls", json={"agent": "1003", "number": "8916"}, headers=headers) as answer,
        ):
            assert (answer.status, await answer.json()) == (200, {"contact": known})
        assert stage.asked == []

    async def test_a_refusal_is_409_with_the_rule_that_forbids_it(self) -> None:
        stage = Stage()
        stage.refuse = "+78091234567 begins with +7809, which tolls.deny names"
        body = {"agent": "1003", "number": "88091234567"}
        async with admitted(stage) as client, client.post("/api/calls", json=body) as answer:
            assert "tolls.deny" in (await problem(answer, 409)).message

    @pytest.mark.parametrize(
        ("body", "headers", "field"),
        [
            ({"number": "8916"}, {}, "agent"),
            ({"agent": "1003"}, {}, "number"),
            ({"agent": "1003", "number": ""}, {}, "number"),
            ({"agent": "1003", "number": "8916", "id": "a b"}, {}, "id"),
            ({"agent": "1003", "number": "8916"}, {"Idempotency-Key": "a/b"}, "Idempotency-Key"),
            ({"agent": "1003", "number": "8916", "id": "a"}, {"Idempotency-Key": "b"}, "id"),
            ({"agent": "1003", "number": "8916", "when": "now"}, {}, "when"),
        ],
    )
    async def test_a_wrong_field_is_named_and_nobody_is_called(
        self, body: dict[str, str], headers: dict[str, str], field: str
    ) -> None:
        stage = Stage()
        async with admitted(stage) as client, client.post("/api/calls", json=body, headers=headers) as answer:
            assert (await problem(answer, 400)).field == field
        assert stage.asked == []


JANUARY = "since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z"


class TestReports:
    async def test_a_talk_counts_for_its_topics_and_once_for_each_above(self) -> None:
        stage = Stage()
        rest = {"interval": 1, "queue": "orders", "line": None, "agent": None, "currency": "RUB"}
        stage.archive.reports.topics_rows = tuple(
            msgspec.convert({**rest, **row}, TopicsRow)
            for row in (
                {
                    "codes": "11,12",
                    "topics": "Goods > Choice\nGoods > Stock",
                    "talks": 2,
                    "orders": 1,
                    "value_cents": 5050,
                },
                {"codes": "2", "topics": "Service", "talks": 1, "orders": 0, "value_cents": 0},
                {"codes": "", "topics": "", "talks": 4, "orders": 0, "value_cents": 0},
            )
        )
        async with admitted(stage) as client, client.get(f"/api/reports/topics?{JANUARY}&interval_s=3600") as answer:
            (row,) = (await read(answer, TopicsReply)).rows
        assert (row.at, row.talks, row.given) == ("2026-01-01T01:00:00.000Z", 7, 3)
        counted = [(topic.code, topic.topic, topic.talks) for topic in row.topics]
        assert counted == [
            ("1", "Goods", 2),
            ("11", "Goods > Choice", 2),
            ("12", "Goods > Stock", 2),
            ("2", "Service", 1),
        ]
        assert [(each.currency, each.orders, each.value) for each in row.orders] == [("RUB", 1, 50.5)]

    async def test_the_rona_rate_is_of_offers_that_could_have_been_accepted(self) -> None:
        stage = Stage()
        counts = {"accepted": 6, "rona": 2, "withdrawn": 3, "failed": 1}
        stage.archive.reports.offers_rows = tuple(
            OffersRow(interval=0, queue=None, agent=AgentId("1001"), outcome=OfferOutcome(outcome), offers=number)
            for outcome, number in counts.items()
        )
        async with admitted(stage) as client, client.get(f"/api/reports/offers?{JANUARY}") as answer:
            (row,) = (await read(answer, OffersReply)).rows
        assert (row.offered, row.accepted, row.rona, row.busy, row.rona_rate) == (12, 6, 2, 0, 0.25)

    async def test_states_are_told_as_they_are_summed_up(self) -> None:
        stage = Stage()
        lunch = StatesRow(agent=AgentId("1001"), state=AgentState.NOT_READY, reason="lunch", times=2, lasted_s=61.5)
        stage.archive.reports.states_rows = (lunch,)
        async with admitted(stage) as client, client.get(f"/api/reports/states?{JANUARY}") as answer:
            (row,) = (await read(answer, StatesReply)).rows
        assert (row.agent, row.state, row.reason, row.times, row.lasted_s) == ("1001", "not_ready", "lunch", 2, 61.5)
        assert stage.archive.reports.stretch == Stretch(since=1767225600.0, until=1769904000.0)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("until=2026-02-01T00:00:00Z", "since"),
            ("since=yesterday&until=2026-02-01T00:00:00Z", "since"),
            ("since=2026-01-01T00:00:00&until=2026-02-01T00:00:00Z", "since"),
            ("since=2026-02-01T00:00:00Z&until=2026-02-01T00:00:00Z", "until"),
            ("since=2020-01-01T00:00:00Z&until=2026-02-01T00:00:00Z", "until"),
            (f"{JANUARY}&interval_s=60", "interval_s"),
            (f"{JANUARY}&interval_s=1", "interval_s"),
            (f"{JANUARY}&per=queue,colour", "per"),
        ],
    )
    async def test_a_question_that_makes_no_sense_names_its_field(self, query: str, field: str) -> None:
        async with admitted(Stage()) as client, client.get(f"/api/reports/topics?{query}") as answer:
            assert (await problem(answer, 400)).field == field

    async def test_a_store_that_is_away_is_503(self) -> None:
        stage = Stage()
        stage.archive.away = "connection refused"
        async with admitted(stage) as client, client.get(f"/api/reports/offers?{JANUARY}") as answer:
            assert "connection refused" in (await problem(answer, 503)).message


class TestOurOwnFaults:
    async def test_a_bug_is_500_without_a_traceback_and_the_server_lives(self) -> None:
        stage = Stage()
        stage.archive.kept = None  # type: ignore[assignment]
        async with admitted(stage) as client:
            async with client.get("/api/contacts") as answer:
                found = await problem(answer, 500)
                assert "Traceback" not in found.message
                assert "NoneType" not in found.message
            async with client.get("/api/status") as answer:
                assert answer.status == 200


class TestThePort:
    async def test_a_taken_port_is_one_clear_line(self) -> None:
        stage = Stage()
        app = build(
            stage, stage.archive, stage.feed, stage.sounds, TOKEN, lambda: stage.alarms, bytes, stage.configured
        )
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            with pytest.raises(CannotListen, match=rf"^cannot listen on 127.0.0.1:{port}: the port is taken$"):
                async with listening(app, "127.0.0.1", port):
                    pass

    async def test_an_address_that_is_not_ours_is_one_clear_line(self) -> None:
        stage = Stage()
        app = build(
            stage, stage.archive, stage.feed, stage.sounds, TOKEN, lambda: stage.alarms, bytes, stage.configured
        )
        with pytest.raises(CannotListen, match=r"^cannot listen on 203\.0\.113\.7:0: "):
            async with listening(app, "203.0.113.7", 0):
                pass

    async def test_what_is_not_http_does_not_trouble_it(self) -> None:
        async with admitted(Stage()) as client, client.get("/api/status") as answer:
            host, port = answer.url.host, answer.url.port
            for noise in (
                b"\x16\x03\x01\x02\x00garbage\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n",
                b"A" * 70_000 + b"\r\n\r\n",
            ):
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(noise)
                assert (await reader.read()).startswith(b"HTTP/1.")
                writer.close()
            async with client.get("/api/status") as again:
                assert again.status == 200
