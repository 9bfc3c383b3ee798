"""What talks were about, said on real phones: heard confirmed, kept in SQL, counted; silence that is forgiven once."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, offers
from tests.e2e.test_operators import dial_code

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOPICS = 'dispositions = { required = true, codes = { 1 = "Товары", 12 = "Наличие", 2 = "Сервис" } }\n'
RULES = "rona_limit = 2\nrona_pause_s = 1\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Centre]:
    """A centre whose queue `orders` must know what each talk was about."""
    directory = tmp_path_factory.mktemp("dispositions")
    below = {'name = "orders"': TOPICS, "[rules]": RULES}
    async with contact_centre(directory, library, prompts_dir, below=below) as centre:
        yield centre


@pytest_asyncio.fixture(loop_scope="module")
async def house(asking: Centre) -> AsyncIterator[Centre]:
    """The same, tidied up after each test."""
    yield asking
    await asking.tidy()


async def talked(house: Centre, phone: Phone) -> Call:
    """A customer and the operator hear each other."""
    caller = await house.waiting()
    answered = await phone.wait_call(20)
    await answered.wait_up()
    await caller.hears(OPERATOR_HZ[phone.user])
    await answered.hears(CALLER_HZ)
    return caller


async def test_what_a_talk_was_about_is_dialled_in_the_wrap_up_heard_confirmed_and_counted(house: Centre) -> None:
    phone = await house.operator("1001")
    caller = await talked(house, phone)
    await caller.hangup()
    await house.agent("1001", "wrap_up")
    await dial_code(house, phone, "*11", "agent-disposition-first")
    await house.agent("1001", "wrap_up")
    await dial_code(house, phone, "*143", "agent-topic-unknown")
    await dial_code(house, phone, "*151500*50", "agent-value-noted")
    await dial_code(house, phone, "*1412", "agent-topic-noted")
    await house.agent("1001", "ready")
    (contact,) = await house.finished()
    said = contact["dispositions"]
    assert [(each["n"], each["codes"], each["order_value"], each["by"]) for each in said] == [
        (0, [], None, ""),
        (1, [], 1500.5, "1001"),
        (2, ["12"], 1500.5, "1001"),
    ]
    with sqlite3.connect(house.state_dir / "store.sqlite") as store:
        query = (
            "select codes, topics, order_value_cents, agent from disposition where contact = ? order by n desc limit 1"
        )
        assert store.execute(query, (contact["id"],)).fetchone() == ("12", "Товары > Наличие", 150050, "1001")
    year = int(contact["arrived_at"][:4])
    span = f"since={contact['arrived_at']}&until={year + 1}-01-01T00:00:00Z"
    (row,) = (await house.get(f"/api/reports/topics?{span}&per=agent"))["rows"]
    assert (row["agent"], row["talks"], row["given"]) == ("1001", 1, 1)
    assert [(topic["code"], topic["talks"]) for topic in row["topics"]] == [("1", 1), ("12", 1)]
    assert row["orders"] == [{"currency": "RUB", "orders": 1, "value": 1500.5}]


async def test_topics_are_given_over_the_api_by_who_talked_and_refused_of_who_did_not(house: Centre) -> None:
    phone = await house.operator("1001")
    caller = await talked(house, phone)
    live = await house.contact("talking")
    url = f"{house.url}/api/contacts/{live['id']}/disposition"
    async with house.http.post(url, json={"codes": ["2"], "agent": "1002"}) as response:
        assert response.status == 409
        assert "1002 has not talked in" in (await response.json())["error"]["message"]
    async with house.http.post(url, json={"codes": ["2"], "agent": "1001", "note": "гарантия"}) as response:
        assert response.status == 204
    await house.kill()
    await house.start()
    async with house.http.post(url, json={"codes": ["12"]}) as response:
        assert response.status == 204
    await caller.hangup()
    await house.agent("1001", "ready")
    (contact,) = await house.finished()
    assert [(each["codes"], each["by"]) for each in contact["dispositions"]] == [
        ([], ""),
        (["2"], "1001"),
        (["12"], "supervisor"),
    ]


async def test_one_silence_is_forgiven_and_two_are_not(house: Centre) -> None:
    phone = await house.operator("1001", answer="ring")
    caller = await house.waiting()
    ringing = await phone.wait_call(20)
    await ringing.wait_gone(20)
    await house.agent("1001", "not_ready", "rona")
    ringing = await phone.wait_call(20)
    await ringing.wait_gone(20)
    await house.agent("1001", "not_ready", "rona")
    await house.set_state("1001", "ready")
    answered = await phone.wait_call(20)
    await answered.answer()
    await caller.hears(OPERATOR_HZ["1001"])
    await caller.hangup()
    (contact,) = await house.finished()
    assert offers(contact) == [("1001", "rona"), ("1001", "rona"), ("1001", "accepted")]
