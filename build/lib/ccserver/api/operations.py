"""One `Operation` a route: what the router serves and what the OpenAPI document says are made of the same list.

Also the two gates through which JSON comes in, so that every wrong value is answered with the name of its field.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from ccserver.api.errors import BadInput
from ccserver.api.messages import NoQuery

T = TypeVar("T", bound=Struct)

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answer(Struct, frozen=True):
    """One possible answer: its meaning, and its body (None: not JSON, see `media`)."""

    meaning: str
    body: Any = None
    media: str = "application/json"


class Operation(Struct, frozen=True, kw_only=True):
    """A route; `open_to_all` needs no token. Parameters in braces in the path are described in `parameters`."""

    method: str
    path: str
    serve: Serve
    summary: str
    answers: Mapping[int, Answer]
    parameters: Mapping[str, str] = {}
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    open_to_all: bool = False


def query_of(request: web.Request, shape: type[T]) -> T:
    """The query parameters as a type; raises `BadInput` naming the one that is unknown, doubled or wrong."""
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise BadInput(f"{name} is given more than once", name)
    try:
        return msgspec.convert(dict(request.query), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _named(error, "query parameter") from None


async def body_of(request: web.Request, shape: type[T]) -> T:
    """The JSON body as a type; raises `BadInput` naming the field that is unknown, missing or wrong."""
    raw = await request.read()
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise _named(error, "field") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"the body is not JSON: {error}" if raw else "the body is empty; JSON was expected") from None


def json_reply(value: Any, status: int = 200) -> web.Response:
    """A JSON answer that nobody keeps."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


_FIELD = re.compile(r"unknown field `(.+)`|required field `(.+)`")
_PLACE = re.compile(r" - at `\$\.?(.*)`$")


def _named(error: msgspec.ValidationError, noun: str) -> BadInput:
    text = str(error)
    place = _PLACE.search(text)
    if found := _FIELD.search(text):
        field = found[1] or found[2]
        return BadInput(f"unknown {noun} {field}" if found[1] else f"the {noun} {field} is missing", field)
    field = place[1] if place else None
    complaint = (text[: place.start()] if place else text).replace("`", "").replace("Expected", "expected")
    return BadInput(f"{field}: {complaint}" if field else complaint, field)
