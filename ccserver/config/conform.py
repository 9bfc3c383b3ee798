"""Whether a document says what its schema allows: every deviation at once, each with its line.

`msgspec.convert` stops at the first mistake and knows no lines; this walks the same types (`msgspec.inspect`) and reports all
of them. What it lets pass, `msgspec.convert` accepts. Used by `load`.

What a field expects is told in the words of its `Meta(description=…)`; a field without gets them from its type.
"""

import re
from math import isfinite
from typing import TypeVar

import msgspec
from msgspec import inspect

from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath

T = TypeVar("T")


def conform(document: Document, kind: type[T], found: Findings) -> T | None:
    """The document as `kind`, or None after every deviation has been added to `found`."""
    conforming = _Conformity(document, found)
    conforming.check(document.data, inspect.type_info(kind), ())
    return msgspec.convert(document.data, kind) if conforming.deviations == 0 else None


def conforms(value: object, kind: object) -> bool:
    """Whether one plain value is of the kind, for what is written elsewhere than in a document."""
    told = inspect.type_info(kind)
    return _is(value, told.type if isinstance(told, inspect.Metadata) else told)


class _Conformity:
    def __init__(self, document: Document, found: Findings) -> None:
        self.document = document
        self.found = found
        self.deviations = 0

    def check(self, value: object, kind: inspect.Type, path: KeyPath, expected: str = "") -> None:
        """Report every way in which the value is not of the kind; `expected` overrides the type's own words."""
        match kind:
            case inspect.Metadata():
                told = kind.extra_json_schema or {}
                words = told.get("description", expected)
                if told.get("writeOnly"):
                    self._secret(value, kind.type, path, words)
                else:
                    self.check(value, kind.type, path, words)
            case inspect.StructType():
                self._struct(value, kind, path)
            case inspect.UnionType():
                self._union(value, kind, path, expected)
            case inspect.DictType():
                self._mapping(value, kind, path, expected or "a table")
            case inspect.VarTupleType():
                self._array(value, kind, path, expected or "an array")
            case _:
                if not _is(value, kind):
                    self._deviation(path, f"expected {expected or _words(kind)}, got {shown(value)}")

    def _secret(self, value: object, kind: inspect.Type, path: KeyPath, expected: str) -> None:
        """As `check`, but what was written is not repeated."""
        if not _is(value, kind):
            self._deviation(path, f"expected {expected}, got another value (not shown, it may be a secret)")

    def _deviation(self, path: KeyPath, message: str) -> None:
        self.deviations += 1
        self.found.error(self.document, path, message)

    def _struct(self, value: object, kind: inspect.StructType, path: KeyPath) -> None:
        if not isinstance(value, dict):
            self._deviation(path, f"expected a table, got {shown(value)}")
            return
        fields = {field.encode_name: field for field in kind.fields}
        for key, inner in value.items():
            if key in fields:
                self.check(inner, fields[key].type, (*path, key))
            elif key != kind.tag_field:
                known = f"known here: {listed(fields, 20)}" if fields else "nothing more can be set here"
                self._deviation((*path, key), f"unknown key{did_you_mean(key, fields) or f'; {known}'}")
        for name, field in fields.items():
            if field.required and name not in value:
                self._deviation((*path, name), f"is missing: expected {_words(field.type)}")

    def _union(self, value: object, kind: inspect.UnionType, path: KeyPath, expected: str) -> None:
        # TOML has no null: what is left is one type, or structs told apart by their tag.
        types = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        structs = {each.tag: each for each in types if isinstance(each, inspect.StructType)}
        if not structs:
            if len(types) == 1:
                self.check(value, types[0], path, expected)
            elif not any(_is(value, each) for each in types):
                self._deviation(path, f"expected {expected or _words(kind)}, got {shown(value)}")
            return
        if not isinstance(value, dict):
            self._deviation(path, f"expected a table, got {shown(value)}")
            return
        tag_field = next(iter(structs.values())).tag_field or ""
        choices = [str(tag) for tag in structs]
        tag = value.get(tag_field)
        if tag_field not in value:
            self._deviation((*path, tag_field), f"is missing: expected one of {listed(choices)}")
        elif not isinstance(tag, str) or tag not in structs:
            near = did_you_mean(tag, choices) if isinstance(tag, str) else ""
            self._deviation((*path, tag_field), f"expected one of {listed(choices)}, got {shown(tag)}{near}")
        else:
            self._struct(value, structs[tag], path)

    def _mapping(self, value: object, kind: inspect.DictType, path: KeyPath, expected: str) -> None:
        if not isinstance(value, dict) or len(value) < (kind.min_length or 0):
            self._deviation(path, f"expected {expected}, got {shown(value)}")
            return
        for key, inner in value.items():
            self.check(key, kind.key_type, (*path, key))
            self.check(inner, kind.value_type, (*path, key))

    def _array(self, value: object, kind: inspect.VarTupleType, path: KeyPath, expected: str) -> None:
        if not isinstance(value, list) or len(value) < (kind.min_length or 0):
            self._deviation(path, f"expected {expected}, got {shown(value)}")
            return
        for position, element in enumerate(value):
            self.check(element, kind.item_type, (*path, position))


def _is(value: object, kind: inspect.Type) -> bool:
    match kind:
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool) and _within(value, kind)
        case inspect.FloatType():
            if not isinstance(value, int | float) or isinstance(value, bool):
                return False
            return (isinstance(value, int) or isfinite(value)) and _within(value, kind)
        case inspect.StrType():
            return (
                isinstance(value, str)
                and (kind.min_length or 0) <= len(value) <= (kind.max_length or len(value))
                and (kind.pattern is None or re.search(kind.pattern, value) is not None)
            )
        case inspect.LiteralType():
            return isinstance(value, str) and value in kind.values
        case _:
            raise AssertionError(f"the schema uses a type that nothing checks: {kind}")


def _within(value: int | float, kind: inspect.IntType | inspect.FloatType) -> bool:
    return (
        (kind.ge is None or value >= kind.ge)
        and (kind.gt is None or value > kind.gt)
        and (kind.le is None or value <= kind.le)
        and (kind.lt is None or value < kind.lt)
    )


def _words(kind: inspect.Type) -> str:
    """What a type expects, where the schema has no better words."""
    match kind:
        case inspect.Metadata():
            return str((kind.extra_json_schema or {}).get("description") or _words(kind.type))
        case inspect.UnionType():
            return " or ".join(_words(each) for each in kind.types if not isinstance(each, inspect.NoneType))
        case inspect.LiteralType():
            return f"one of {listed(shown(each) for each in kind.values)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.StrType():
            return "a text in quotes"
        case inspect.VarTupleType():
            return "an array"
        case _:
            return "a table"
