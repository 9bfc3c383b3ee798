"""The flows over the API, at the real server: drawings with the callers of this moment."""

import shutil
import xml.etree.ElementTree as ET

import msgspec
import pytest

from ccserver.api.messages import ErrorReply, FlowReply, FlowsReply
from ccserver.config.graph import NO_GRAPHVIZ
from tests.api_stage import VELMIRA, Stage, admitted, strangers

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


async def test_all_flows_in_force_are_listed_with_their_lines_and_callers() -> None:
    stage = Stage()
    waiting, talking = stage.arrive(), stage.arrive()
    stage.arrive(line=VELMIRA)
    stage.enqueue(waiting)
    stage.at_step(waiting, "orders")
    stage.enqueue(talking)
    stage.answer(talking, "1001")
    async with admitted(stage) as client, client.get("/api/flows") as answer:
        assert answer.status == 200
        told = msgspec.json.decode(await answer.read(), type=FlowsReply)
    assert told.flows == (
        FlowReply(name="nordlis", steps=14, lines=("88007707999",), callers=1),
        FlowReply(name="velmira", steps=14, lines=("88007004666",), callers=1),
    )


@needs_graphviz
async def test_a_flow_is_drawn_with_its_steps_prompts_keys_and_callers() -> None:
    stage = Stage()
    for _ in range(3):
        stage.at_step(stage.arrive(), "menu")
    async with admitted(stage) as client, client.get("/api/flows/nordlis.svg") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/svg+xml"
        drawn = ET.fromstring(await answer.text())
    texts = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"greeting", "menu-english", "voicemail", "● 3", "*", "nobody in 900 s"} <= {text.strip() for text in texts}
    assert any(text.startswith("“Здравствуйте!") for text in texts)
    assert any("For orders and delivery" in text for text in texts), "English where English is spoken"


async def test_the_text_of_a_drawing_needs_no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    async with admitted(Stage()) as client:
        async with client.get("/api/flows/velmira.dot") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/vnd.graphviz"
            assert '"menu" -> "orders"' in await answer.text()
        async with client.get("/api/flows/velmira.svg") as answer:
            assert answer.status == 404
            assert msgspec.json.decode(await answer.read(), type=ErrorReply).error.message == NO_GRAPHVIZ


@pytest.mark.parametrize("kind", ["svg", "dot"])
async def test_a_flow_that_is_none_is_told_with_the_nearest(kind: str) -> None:
    async with admitted(Stage()) as client:
        async with client.get(f"/api/flows/nordliss.{kind}") as answer:
            assert answer.status == 404
            told = msgspec.json.decode(await answer.read(), type=ErrorReply)
            assert told.error.message == 'there is no flow nordliss; did you mean "nordlis"?'
        async with client.get(f"/api/flows/nordlis.{kind}?at=1") as answer:
            assert answer.status == 400
    async with strangers(Stage()) as stranger, stranger.get(f"/api/flows/nordlis.{kind}") as answer:
        assert answer.status == 401
