"""Callbacks over HTTP, with the core behind it: who may ask, how often, and what is said to each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from ccserver.api.callbacks import FormRules
from ccserver.api.server import build, listening
from ccserver.core.contact import ContactState
from ccserver.core.events import Answer, Request
from ccserver.core.ids import TrunkName
from ccserver.core.plan import Callbacks, Trunk
from ccserver.core.status import Status, picture
from tests.api_stage import TOKEN, Stage
from tests.unit.core_case import Case, plan

SITE = "https://www.example.ru"
NUMBER = "8 916 123-45-67"
MTT = Trunk(TrunkName("mtt"), "MTT")
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class CoreDesk:
    """`ports.Desk` before a router of its own; what it accepts counts as journalled."""

    def __init__(self, **settings: Any) -> None:
        configured = replace(plan(), trunks={MTT.name: MTT}, callbacks=Callbacks(**settings))
        self.told = Case(configured, ready=False)

    def status(self) -> Status:
        return picture(self.told.router.floor, self.told.now)

    async def request(self, request: Request) -> Answer:
        self.told.tell(request)
        return self.told.router.answers[0]


@asynccontextmanager
async def serving(desk: CoreDesk, **rules: Any) -> AsyncIterator[ClientSession]:
    stage = Stage()
    form = FormRules(origins=(SITE,), **rules)
    app = build(
        desk, stage.archive, stage.feed, stage.sounds, TOKEN, lambda: stage.alarms, bytes, stage.configured, "RU", form
    )
    async with listening(app, "127.0.0.1", 0) as port, ClientSession(f"http://127.0.0.1:{port}") as client:
        yield client


async def ask(client: ClientSession, headers: dict[str, str] | None = None, **wish: object) -> tuple[int, Any]:
    body = {"number": NUMBER, **wish}
    async with client.post("/api/callbacks", json=body, headers=HEADERS if headers is None else headers) as answer:
        return answer.status, await answer.json()


async def test_who_asks_is_owed_a_callback_that_is_listed_moved_and_called_off() -> None:
    desk = CoreDesk()
    async with serving(desk) as client:
        status, said = await ask(client, name="Анна", comment="о заказе")
        assert status == 201 and not said["changed"]
        async with client.get("/api/callbacks", headers=HEADERS) as answer:
            (owed,) = (await answer.json())["callbacks"]
        assert (owed["id"], owed["number"], owed["source"]) == (said["id"], "+79161234567", "form")
        assert (owed["state"], owed["name"], owed["comment"], owed["tries"]) == ("waiting", "Анна", "о заказе", 0)

        path = f"/api/callbacks/{owed['id']}"
        later = {"wanted_at": "1970-01-02T03:00"}  # in Moscow, where the line is
        async with client.post(f"{path}/reschedule", json=later, headers=HEADERS) as answer:
            moved = await answer.json()
            assert (answer.status, moved["state"], moved["due_at"]) == (200, "scheduled", "1970-01-02T00:00:00.000Z")
        async with client.delete(path, headers=HEADERS) as answer:
            assert answer.status == 204
        async with client.delete(path, headers=HEADERS) as answer:
            assert answer.status == 404
    assert not desk.told.router.floor.contacts


async def test_a_second_request_changes_the_first_and_says_so() -> None:
    async with serving(CoreDesk()) as client:
        _, first = await ask(client)
        status, second = await ask(client, number="+79161234567", comment="скорее")
        assert (status, second) == (200, {"id": first["id"], "changed": True})


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"number": "88091234567"}, "number"),
        ({"number": "+442071838750"}, "number"),
        ({"number": "88007707999"}, "number"),
        ({"number": "не скажу"}, "number"),
        ({"number": ""}, "number"),
        ({"number": "1" * 33}, "number"),
        ({"line": "88001112233"}, "line"),
        ({"queue": "nobody"}, "queue"),
        ({"wanted_at": "tomorrow"}, "wanted_at"),
        ({"wanted_at": "2099-01-01T00:00"}, "wanted_at"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_is_wrong_is_answered_with_the_name_of_its_field(wish: dict[str, Any], field: str) -> None:
    desk = CoreDesk()
    async with serving(desk) as client:
        status, said = await ask(client, **wish)
        assert (status, said["error"]["field"]) == (400, field)
    assert not desk.told.router.floor.contacts


async def test_a_page_of_a_site_that_is_named_may_ask_without_the_token_and_no_other() -> None:
    async with serving(CoreDesk()) as client:
        async with client.options("/api/callbacks", headers={"Origin": SITE}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == SITE
        async with client.options("/api/callbacks", headers={"Origin": "https://evil.example"}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
        async with client.post("/api/callbacks", json={"number": NUMBER}, headers={"Origin": SITE}) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (201, SITE)
        assert (await ask(client, {"Origin": "https://evil.example"}))[0] == 403
        assert (await ask(client, {}))[0] == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/callbacks"), ("DELETE", "/api/callbacks/n1-x")])
async def test_what_is_owed_is_told_to_nobody_without_the_token(method: str, path: str) -> None:
    async with serving(CoreDesk()) as client, client.request(method, path, headers={"Origin": SITE}) as answer:
        assert answer.status == 401


async def test_a_flood_for_one_number_is_refused_and_told_when_to_come_again() -> None:
    async with serving(CoreDesk(), per_number_per_hour=2) as client:
        assert [(await ask(client))[0] for _ in range(3)] == [201, 200, 429]
        assert (await ask(client, number="89161234568"))[0] == 201
        async with client.post("/api/callbacks", json={"number": NUMBER}, headers=HEADERS) as answer:
            assert answer.status == 429 and int(answer.headers["Retry-After"]) > 3000


async def test_a_flood_of_numbers_from_one_address_is_refused_and_others_are_served() -> None:
    desk = CoreDesk()
    async with serving(desk, per_address_per_hour=5) as client:
        flood = {"Origin": SITE, "X-Forwarded-For": "203.0.113.7"}
        said = [(await ask(client, flood, number=f"+7916123{n:04}"))[0] for n in range(20)]
        assert said == [201] * 5 + [429] * 15
        assert (await ask(client, {"Origin": SITE, "X-Forwarded-For": "203.0.113.8"}))[0] == 201
    assert len(desk.told.router.floor.callbacks) == 6


async def test_a_flood_in_all_is_bounded_and_so_is_what_is_owed() -> None:
    desk = CoreDesk(owed_max=3)
    async with serving(desk, per_hour=6) as client:
        said = [(await ask(client, number=f"+7916123{n:04}"))[0] for n in range(8)]
        assert said == [201] * 3 + [409] * 3 + [429] * 2
    assert all(each.state is ContactState.WAITING for each in desk.told.router.floor.contacts.values())
