"""`/api/openapi.json`: the OpenAPI 3.1 document, made of the operations that are served and the types they use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from ccserver import __version__
from ccserver.api.messages import ErrorReply, LiveMessage, NoQuery
from ccserver.api.operations import Answer, Operation, json_reply, query_of

_GUARDED: Mapping[int, Answer] = {
    400: Answer("A parameter is wrong or unknown; `field` names it", ErrorReply),
    401: Answer("No token, or not the right one", ErrorReply),
}
"""What every operation may answer that is not open to all."""
_SECURITY: list[dict[str, list[str]]] = [{"token": []}]


class DocumentRoutes:
    """The API, described to programs."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._document = document([*operations, *self.operations()])

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/openapi.json",
                serve=self.show,
                summary="This document",
                answers={200: Answer("OpenAPI 3.1", dict[str, Any])},
            ),
        )

    async def show(self, request: web.Request) -> web.Response:
        """The same for everybody, made once."""
        query_of(request, NoQuery)
        return json_reply(self._document)


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """OpenAPI 3.1 as plain JSON values."""
    served = list(operations)
    schemas = _Schemas(served)
    paths: dict[str, dict[str, Any]] = {}
    for operation in served:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ccserver status API", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """JSON Schema of every type that an operation names."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        types: list[Any] = [LiveMessage]
        types += [answer.body for answer in _GUARDED.values()]
        for operation in operations:
            types += [answer.body for answer in operation.answers.values() if answer.body is not None]
            types += [operation.query, *([operation.body] if operation.body else [])]
        self._types = types
        made, self.components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
        self._made = tuple(made)

    def of(self, wanted: Any) -> Mapping[str, Any]:
        """The schema of one of them, mostly a reference."""
        return self._made[self._types.index(wanted)]

    def fields(self, wanted: type[msgspec.Struct]) -> Mapping[str, Any]:
        """The properties of one of them."""
        component: Mapping[str, Any] = self.components[wanted.__name__]
        return component.get("properties", {})  # type: ignore[no-any-return]


def _described(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    answers = operation.answers if operation.open_to_all else {**_GUARDED, **operation.answers}
    made: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, schemas)],
        "responses": {str(status): _answer(answer, schemas) for status, answer in sorted(answers.items())},
    }
    if operation.body is not None:
        made["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    if not operation.open_to_all:
        made["security"] = _SECURITY
    return made


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": meaning, "schema": {"type": "string"}}
        for name, meaning in operation.parameters.items()
    ]


def _query_parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in schemas.fields(operation.query).items()
    ]


def _answer(answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.meaning}
    if answer.body is not None:
        made["content"] = {answer.media: {"schema": schemas.of(answer.body)}}
    elif answer.media != "application/json":
        made["content"] = {answer.media: {}}
    return made
