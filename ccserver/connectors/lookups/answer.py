"""What an answer means: found, with the values of its fields; not found; or why it makes no sense. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ccserver.core.lookup import Field, Lookup, value_of

NOT_THERE = (204, 404, 410)
"""How HTTP says that there is no such thing."""
_MISSING = object()


class Told(Struct, frozen=True):
    """What came of a question."""

    verdict: Literal["found", "not_found", "failed"]
    values: Mapping[str, str] = {}
    reason: str = ""
    cached: bool = False
    """It was known from before."""


def failed(reason: str) -> Told:
    """There is no answer, or none that makes sense."""
    return Told("failed", reason=reason)


def told_by_status(status: int) -> Told | None:
    """What the status alone tells; None: the body decides."""
    if status in NOT_THERE:
        return Told("not_found")
    if 300 <= status < 400:
        return failed(f"HTTP {status}: it sends us elsewhere, which is not followed; the address must be the last one")
    return None if status == 200 else failed(f"HTTP {status}")


def told_by(body: bytes, lookup: Lookup) -> Told:
    """What the body tells."""
    try:
        whole = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return failed("the answer is no JSON")
    if lookup.found_at and _at(whole, lookup.found_at) in (_MISSING, None, "", [], {}, False):
        return Told("not_found")
    values = {}
    for name, field in lookup.fields.items():
        value = _at(whole, field.at)
        text = field.default if value is _MISSING or value is None else value_of(field.kind, value)
        if text is None:
            return failed(f"{name}: {_flaw(field, value)}")
        values[name] = text
    return Told("found", values)


def _flaw(field: Field, value: object) -> str:
    """Without the value: it may be a customer's."""
    if value is _MISSING or value is None:
        return f"there is no {field.at} in the answer"
    return f"{field.at} is no {field.kind} in the answer"


def _at(value: Any, path: str) -> object:
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value
