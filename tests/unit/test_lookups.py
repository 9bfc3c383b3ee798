"""The connector of lookups against a real server on this machine, which does all that servers do to those who ask them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace
from structlog.testing import capture_logs

from ccserver.connectors.lookups import Lookups
from ccserver.core.commands import AskLookup
from ccserver.core.events import Fact, InquiryAnswered
from ccserver.core.ids import InquiryId, LookupName
from ccserver.core.lookup import Field, Lookup

SECRET = "Bearer 1234"
NOTHING = "http://127.0.0.1:9/"
"""The port of `discard`: nobody listens there."""


class Shop:
    """What it was asked, and what it says to an order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, Callable[[web.Request], Any]] = {}
        self.at_once = self.most_at_once = 0
        self.goes_on = asyncio.Event()
        self.came: asyncio.Queue[str] = asyncio.Queue()
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        order = request.match_info["order"]
        self.asked.append((order, dict(request.headers)))
        self.came.put_nowait(order)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            told = self.answers.get(order, lambda _: web.json_response({"order": {"status": "sent", "total": 1250.5}}))
            answer = told(request)
            return await answer if asyncio.iscoroutine(answer) else answer
        finally:
            self.at_once -= 1

    async def waits(self, _request: web.Request) -> web.Response:
        await self.goes_on.wait()
        return web.json_response({"order": {"status": "late", "total": 0}})

    async def talks(self, request: web.Request) -> web.StreamResponse:
        """100 MB of something."""
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1600):
            await response.write(b"x" * 65536)
        return response


class Desk:
    """The connector, and what it told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Fact] = asyncio.Queue()
        self.now = 1000.0
        self.lookups = Lookups(self.told.put_nowait, self.secret, lambda: self.now)
        self.refusal: Exception | None = None
        self.count = 0

    def secret(self, _lookup: Lookup) -> str:
        if self.refusal is not None:
            raise self.refusal
        return SECRET

    def put(self, lookup: Lookup, order: str = "1") -> None:
        self.count += 1
        url = lookup.url.replace("{order}", order)
        self.lookups.perform(AskLookup(InquiryId(f"n1-c1.ask{self.count}"), lookup, url, lane="n1-c1"))

    async def ask(self, lookup: Lookup, order: str = "1") -> InquiryAnswered:
        self.put(lookup, order)
        return await self.hear()

    async def hear(self) -> InquiryAnswered:
        async with asyncio.timeout(20):
            fact = await self.told.get()
        assert isinstance(fact, InquiryAnswered)
        return fact


@asynccontextmanager
async def shop_open() -> AsyncIterator[tuple[Shop, Desk, Lookup]]:
    shop, desk = Shop(), Desk()
    app = web.Application()
    app.router.add_get("/{order}", shop.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _host, port = runner.addresses[0][:2]
    shop.url = f"http://127.0.0.1:{port}/"
    fields = {"status": Field("order.status"), "total": Field("order.total", "money")}
    lookup = Lookup(LookupName("shop"), shop.url + "{order}", fields, timeout_s=5.0, failures=1000)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(desk.lookups.run(), name="lookups")
            yield shop, desk, lookup
            shop.goes_on.set()
            running.cancel()
    finally:
        await runner.cleanup()


async def test_what_is_found_comes_with_its_fields_and_the_secret_was_shown() -> None:
    async with shop_open() as (shop, desk, lookup):
        told = await desk.ask(lookup)
        assert (told.about, told.verdict, told.values) == ("shop", "found", {"status": "sent", "total": "1250.50"})
        assert told.contact == "n1-c1" and told.inquiry == "n1-c1.ask1" and told.took_s > 0
        ((_, headers),) = shop.asked
        assert headers["Authorization"] == SECRET and headers["Accept"] == "application/json"


def redirected(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.url)


def says(body: bytes | str, status: int = 200) -> Callable[[web.Request], web.Response]:
    return lambda _: web.Response(body=body if isinstance(body, bytes) else body.encode(), status=status)


NONSENSE = {
    "an error": (says("broken", 500), "HTTP 500"),
    "no permission": (says("who are you", 401), "HTTP 401"),
    "a circle of redirections": (redirected, "HTTP 302: it sends us elsewhere, which is not followed"),
    "a page": (says("<html>"), "the answer is no JSON"),
    "nothing": (says(""), "the answer is no JSON"),
    "broken letters": (says(b'{"order": {"status": "\xff"}}'), "the answer is no JSON"),
    "JSON without a bottom": (says("[" * 60000), "the answer is no JSON"),
    "too much": (says('{"x": "' + "y" * 70000 + '"}'), "the answer is longer than 65536 bytes"),
    "another shape": (says("[1, 2]"), "status: there is no order.status in the answer"),
    "a field too few": (says('{"order": {"status": "sent"}}'), "total: there is no order.total in the answer"),
    "a field of another kind": (
        says('{"order": {"status": "sent", "total": "much"}}'),
        "total: order.total is no money in the answer",
    ),
    "a table for a text": (
        says('{"order": {"status": {}, "total": 1}}'),
        "status: order.status is no text in the answer",
    ),
}


@pytest.mark.parametrize("what", NONSENSE)
async def test_an_answer_that_makes_no_sense_fails_and_the_log_says_why_in_one_line(what: str) -> None:
    answer, reason = NONSENSE[what]
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = answer
        with capture_logs() as logs:
            told = await desk.ask(lookup, "42")
        assert told.verdict == "failed" and told.reason.startswith(reason) and not told.values
        (line,) = logs
        assert (line["event"], line["lookup"], line["contact"]) == ("lookup failed", "shop", "n1-c1")
        assert line["reason"] == told.reason and "/42" not in str(line), "what a caller typed is not logged"
        assert len(shop.asked) == 1


async def test_a_hundred_megabytes_are_not_read() -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = shop.talks
        told = await desk.ask(lookup, "42")
        assert told.reason == "the answer is longer than 65536 bytes" and told.took_s < 3.0


async def test_a_server_that_hangs_is_waited_for_as_long_as_is_configured() -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = shop.waits
        told = await desk.ask(replace(lookup, timeout_s=0.3), "42")
        assert told.verdict == "failed" and told.reason == "no answer within 0.3 s"
        assert 0.3 <= told.took_s < 3.0


async def test_nobody_who_listens_is_told_without_the_address() -> None:
    async with shop_open() as (_shop, desk, lookup):
        told = await desk.ask(replace(lookup, url=NOTHING + "{order}"), "secret-order")
        assert told.verdict == "failed" and "ClientConnectorError" in told.reason
        assert "secret-order" not in told.reason


async def test_a_secret_that_cannot_be_read_asks_nobody() -> None:
    async with shop_open() as (shop, desk, lookup):
        desk.refusal = PermissionError(13, "Permission denied", "shop.token")
        told = await desk.ask(lookup)
        assert told.verdict == "failed" and "Permission denied" in told.reason and not shop.asked


@pytest.mark.parametrize("status", [204, 404, 410])
async def test_a_status_that_says_so_is_not_found(status: int) -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = says("", status)
        assert (await desk.ask(lookup, "42")).verdict == "not_found"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [("{}", "not_found"), ('{"orders": []}', "not_found"), ('{"orders": [{"status": "sent"}]}', "found")],
)
async def test_what_must_be_there_says_whether_anything_was_found(body: str, verdict: str) -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = says(body)
        fields = {"status": Field("orders.0.status"), "note": Field("orders.0.note", default="none")}
        told = await desk.ask(replace(lookup, found_at="orders", fields=fields), "42")
        assert told.verdict == verdict
        assert told.values == ({"status": "sent", "note": "none"} if verdict == "found" else {})


async def test_the_same_question_is_asked_once_while_its_answer_is_good() -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["404"] = says("", 404)
        shop.answers["500"] = says("", 500)
        kept = replace(lookup, cache_s=60.0)
        for order in ("1", "1", "404", "404", "500", "500"):
            await desk.ask(kept, order)
        assert [order for order, _ in shop.asked] == ["1", "404", "500", "500"], "a failure is not remembered"
        desk.now += 61.0
        await desk.ask(kept)
        await desk.ask(kept)
        assert [order for order, _ in shop.asked][4:] == ["1"]


async def test_after_failures_in_a_row_nobody_waits_until_one_has_tried_again() -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = says("", 500)
        careful = replace(lookup, failures=2, pause_s=30.0)
        await desk.ask(careful, "42")
        assert desk.lookups.alarm() == ""
        await desk.ask(careful, "42")
        assert desk.lookups.alarm() == "shop: it failed 2 times in a row and is left in peace: HTTP 500"
        told = await desk.ask(careful)
        assert told.verdict == "failed" and told.reason.endswith("left in peace: HTTP 500")
        assert len(shop.asked) == 2
        desk.now += 31.0
        shop.answers["43"] = shop.waits
        desk.put(careful, "43")
        while await shop.came.get() != "43":
            pass
        assert (await desk.ask(careful)).verdict == "failed", "one alone tries it"
        shop.goes_on.set()
        assert (await desk.hear()).values["status"] == "late"
        assert (await desk.ask(careful)).verdict == "found" and desk.lookups.alarm() == ""


async def test_a_lookup_that_was_configured_anew_is_asked_at_once() -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = says("", 500)
        careful = replace(lookup, failures=1, pause_s=3600.0)
        await desk.ask(careful, "42")
        assert (await desk.ask(replace(careful, timeout_s=4.0))).verdict == "found"


async def test_no_more_questions_than_configured_are_under_way_and_the_others_wait_their_turn() -> None:
    async with shop_open() as (shop, desk, lookup):
        shop.answers["42"] = shop.waits
        few = replace(lookup, at_once=2)
        for _ in range(5):
            desk.put(few, "42")
        for _ in range(2):
            await shop.came.get()
        shop.goes_on.set()
        assert {(await desk.hear()).verdict for _ in range(5)} == {"found"}
        assert shop.most_at_once == 2
