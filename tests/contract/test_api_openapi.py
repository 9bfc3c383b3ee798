"""The OpenAPI document says what is served, all of it, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ccserver.api.server import build
from tests.api_stage import TOKEN, Stage, admitted

OPEN_TO_ALL = {("GET", "/healthz"), ("POST", "/api/callbacks"), ("OPTIONS", "/api/callbacks")}
"""The callback form is used by browsers of strangers, on sites that are named, under quotas."""


@pytest.fixture
async def document() -> dict[str, Any]:
    async with admitted(Stage()) as client, client.get("/api/openapi.json") as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


def everything(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_every_route_of_the_api_is_described_and_every_described_one_is_served(document: dict[str, Any]) -> None:
    stage = Stage()
    app = build(stage, stage.archive, stage.feed, stage.sounds, TOKEN, lambda: (), bytes, stage.configured)
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource
        and (route.resource.canonical.startswith("/api") or route.resource.canonical in {"/healthz", "/metrics"})
    }
    assert {(method, path) for method, path, _ in operations(document)} == {
        (method, path) for method, path in served if method != "HEAD"
    }


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = {part["$ref"] for part in everything(document) if isinstance(part, dict) and "$ref" in part}
    assert references
    for reference in references:
        place = document
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


async def test_path_parameters_are_described(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        described = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))


async def test_what_needs_the_token_says_so_and_nothing_else_does(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        open_to_all = (method, path) in OPEN_TO_ALL
        refuses_strangers = not open_to_all or (method, path) == ("POST", "/api/callbacks")
        assert ("security" in operation) != open_to_all, path
        assert ("401" in operation["responses"]) == refuses_strangers, path


async def test_the_answers_we_get_are_described(document: dict[str, Any]) -> None:
    stage = Stage()
    contact = stage.arrive()
    stage.end(contact)
    seen = [
        ("GET", "/healthz", "/healthz", 200),
        ("GET", "/api/status", "/api/status", 200),
        ("GET", "/api/contacts", "/api/contacts", 200),
        ("GET", "/api/contacts", "/api/contacts?limit=x", 400),
        ("GET", "/api/contacts/{id}", f"/api/contacts/{contact}", 200),
        ("GET", "/api/contacts/{id}", "/api/contacts/x", 404),
        ("GET", "/api/contacts/{id}/recording", f"/api/contacts/{contact}/recording", 404),
        ("POST", "/api/agents/{extension}/state", "/api/agents/1001/state", 400),
        ("POST", "/api/agents/{extension}/state", "/api/agents/1/state", 404),
    ]
    async with admitted(stage) as client:
        for method, path, asked, status in seen:
            async with client.request(method, asked) as answer:
                assert answer.status == status
                media = document["paths"][path][method.lower()]["responses"][str(status)]["content"]
                assert answer.content_type in media


async def test_the_schema_of_a_contact_names_what_the_list_shows(document: dict[str, Any]) -> None:
    stage = Stage()
    stage.end(stage.arrive())
    async with admitted(stage) as client, client.get("/api/contacts") as answer:
        (row,) = (await answer.json())["contacts"]
    schema = document["components"]["schemas"]["ContactReply"]
    assert set(schema["properties"]) == set(row) == set(schema["required"])
