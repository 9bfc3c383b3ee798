"""`/api/measures` over HTTP: what becomes a request to the core, and what is refused before."""

from typing import Any

import pytest

from ccserver.api.messages import MeasureReply, MeasuresReply
from ccserver.core.events import LiftMeasure, TakeMeasure
from ccserver.core.measure import Announcement, Block, Closure
from tests.api_stage import Stage, admitted
from tests.contract.test_api_http import problem, read

ABOUT = {"by": "Ирина"}


async def taken(stage: Stage, **wish: Any) -> MeasureReply:
    async with admitted(stage) as client, client.post("/api/measures", json={**ABOUT, **wish}) as answer:
        reply: MeasureReply = await read(answer, MeasureReply)
    return reply


async def test_each_kind_becomes_a_request_with_an_id_of_its_own() -> None:
    stage = Stage()
    said = await taken(stage, kind="announcement", prompts=["line-closed"], line="+7 800 770-79-99")
    shut = await taken(stage, kind="closure", queued="close", treatment="busy", until="2099-12-31T23:50:00+03:00")
    barred = await taken(stage, kind="block", number="8 916 123-45-67", reason="nuisance")
    assert len({said.id, shut.id, barred.id}) == 3
    first, second, third = (asked.measure for asked in stage.asked if isinstance(asked, TakeMeasure))
    assert isinstance(first, Announcement) and (first.prompts, first.line) == (("line-closed",), "88007707999")
    assert isinstance(second, Closure) and (second.queued, second.treatment, second.line) == ("close", "busy", None)
    assert shut.until == "2099-12-31T20:50:00.000Z"
    assert isinstance(third, Block) and (third.number, third.treatment) == ("+79161234567", "reject")
    assert (barred.by, barred.reason) == ("Ирина", "nuisance")


async def test_they_are_listed_stand_in_the_status_and_are_lifted() -> None:
    stage = Stage()
    made = await taken(stage, kind="closure")
    async with admitted(stage) as client:
        async with client.get("/api/measures") as answer:
            assert (await read(answer, MeasuresReply)).measures == (made,)
        async with client.get("/api/status") as answer:
            assert [each["id"] for each in (await answer.json())["measures"]] == [made.id]
        async with client.delete(f"/api/measures/{made.id}", params={"by": "Олег"}) as answer:
            assert (await read(answer, MeasuresReply)).measures == ()
        async with client.delete(f"/api/measures/{made.id}", params={"by": "Ирина"}) as answer:
            assert "is in force" in (await problem(answer, 404)).message
    assert [asked.by for asked in stage.asked if isinstance(asked, LiftMeasure)] == ["Олег", "Ирина"]


@pytest.mark.parametrize(
    ("wish", "field", "message"),
    [
        ({"kind": "closure", "by": ""}, "by", "length >= 1"),
        ({"kind": "fire"}, "kind", "nvalid enum value"),
        ({"kind": "announcement"}, "prompts", "the field prompts is missing"),
        ({"kind": "announcement", "prompts": ["line-closd"]}, "prompts[0]", "did you mean"),
        ({"kind": "announcement", "prompts": ["line-closed"], "queued": "close"}, "queued", "has none"),
        ({"kind": "closure", "line": "12345"}, "line", "there is no line 12345"),
        ({"kind": "closure", "until": "tomorrow"}, "until", "expected a time with its zone"),
        ({"kind": "closure", "until": "2099-01-01T00:00"}, "until", "expected a time with its zone"),
        ({"kind": "block"}, "number", "the field number is missing"),
        ({"kind": "block", "number": "x"}, "number", "is no public number"),
        ({"kind": "block", "number": "+7x"}, "number", "is no public number"),
    ],
)
async def test_a_wish_that_makes_no_sense_names_its_field(wish: dict[str, Any], field: str, message: str) -> None:
    stage = Stage()
    async with admitted(stage) as client, client.post("/api/measures", json={**ABOUT, **wish}) as answer:
        told = await problem(answer, 400)
    assert told.field == field and message in told.message
    assert not stage.asked


async def test_what_the_core_refuses_is_a_conflict() -> None:
    stage = Stage()
    stage.refuse = "it is closed already"
    async with admitted(stage) as client, client.post("/api/measures", json={**ABOUT, "kind": "closure"}) as answer:
        assert (await problem(answer, 409)).message == "it is closed already"
