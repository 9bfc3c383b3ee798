"""The index of a TOML file against tomllib: whatever is written, everything in it is found, on the line where it stands.

The documents are written by a writer of our own that notes the line of every leaf as it goes, in as many of TOML's ways of
writing as it can think of.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ccserver.config.source import KeyPath, field_path, field_text, parsed

# Characters that mean something to TOML, and some that do not.
TEXT = st.text(alphabet="ab1 .=[]{}#,'\"\\\n\tя\U0001f4de-_", max_size=8)
KEYS = st.one_of(st.sampled_from(["a", "b", "c", "a-b", "1"]), TEXT)
SCALARS = st.one_of(
    st.integers(-9, 99), st.booleans(), st.floats(-1, 1), TEXT, st.sampled_from(["2026-12-31 23:50:00", "07:32:00"])
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
    ),
    max_size=4,
)


class Writer:
    """Writes a tree as TOML, choosing the way of writing by `draw`; `lines` has the line of each table, key and element."""

    def __init__(self, draw: st.DataObject) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def choose(self, *ways: str) -> str:
        return self.draw.draw(st.sampled_from(ways))

    def put(self, text: str) -> None:
        self.text += text

    def note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def blank(self) -> None:
        """Between statements, or inside an array."""
        self.put(self.choose("", " ", "\n", " # [no.table] \"'\n", "\n\n\t"))

    def key(self, key: str) -> None:
        bare = key != "" and all(char in "ab1-_c" for char in key)
        ways = ["basic", *(["bare"] * 3 if bare else []), *(["literal"] if not set("'\n") & set(key) else [])]
        match self.choose(*ways):
            case "bare":
                self.put(key)
            case "literal":
                self.put(f"'{key}'")
            case _:
                self.put(json.dumps(key, ensure_ascii=self.draw.draw(st.booleans())) if key.isascii() else quoted(key))

    def document(self, tree: dict[str, Any]) -> None:
        """Plain values first, then tables: TOML cannot go back."""
        self.table(tree, ())

    def table(self, tree: dict[str, Any], path: KeyPath) -> None:
        later = {}
        for key, value in tree.items():
            rows = isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
            if (isinstance(value, dict) or rows) and self.draw.draw(st.booleans()):
                later[key] = value
            else:
                self.blank()
                self.newline()
                self.pair((*path, key), value)
        for key, value in later.items():
            for position, row in enumerate(value) if isinstance(value, list) else [(None, value)]:
                self.newline()
                self.header((*path, key), array=position is not None)
                inner = (*path, key) if position is None else (*path, key, position)
                self.note(inner)
                self.put(self.choose("\n", " # header\n"))
                self.table(row, inner)

    def newline(self) -> None:
        if self.text and not self.text.endswith("\n"):
            self.put("\n")

    def header(self, path: KeyPath, *, array: bool) -> None:
        self.note(path)
        self.put("[[" if array else "[")
        for position, key in enumerate(part for part in path if isinstance(part, str)):
            self.put("." if position else self.choose("", " "))
            self.key(key)
        self.put(self.choose("", " ") + ("]]" if array else "]"))

    def pair(self, path: KeyPath, value: Any) -> None:
        """`key = value`, or `key.inner = value` for a table of one."""
        self.note(path)
        self.key(str(path[-1]))
        while isinstance(value, dict) and len(value) == 1 and self.draw.draw(st.booleans()):
            ((inner, value),) = value.items()
            self.put(self.choose(".", " . "))
            path = (*path, inner)
            self.note(path)
            self.key(inner)
        self.put(self.choose("=", " = "))
        self.value(path, value)

    def value(self, path: KeyPath, value: Any) -> None:
        match value:
            case bool():
                self.put("true" if value else "false")
            case int() | float():
                self.put(repr(value))
            case str():
                self.string(value)
            case list():
                self.put("[")
                for position, element in enumerate(value):
                    self.blank()
                    self.note((*path, position))
                    self.value((*path, position), element)
                    self.blank()
                    self.put("," if position < len(value) - 1 else self.choose("", ","))
                self.blank()
                self.put("]")
            case dict():
                self.put("{ ")
                for position, (key, element) in enumerate(value.items()):
                    self.put(", " if position else "")
                    self.pair((*path, key), element)
                self.put(" }")

    def string(self, text: str) -> None:
        ways = ["basic", "multiline basic"]
        if not set("'\n") & set(text):
            ways.append("literal")
        if "'''" not in text and not text.endswith("'"):
            ways.append("multiline literal")
        if text in {"2026-12-31 23:50:00", "07:32:00"}:
            ways.append("time")
        match self.choose(*ways):
            case "basic":
                self.put(quoted(text))
            case "multiline basic":
                inner = text.replace("\\", "\\\\").replace('"""', '""\\"')
                inner = inner[:-1] + '\\"' if inner.endswith('"') else inner
                self.put(f'"""\n{inner}"""')
            case "literal":
                self.put(f"'{text}'")
            case "multiline literal":
                self.put(f"'''\n{text}'''")
            case _:
                self.put(text)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\u0009") + '"'


def paths_in(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every path of parsed TOML."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths_in(inner, (*path, part)) for part, inner in inside))


@given(tree=TREES, draw=st.data())
def test_everything_is_found_on_the_line_where_it_was_written(tree: dict[str, Any], draw: st.DataObject) -> None:
    writer = Writer(draw)
    writer.document(tree)
    data = tomllib.loads(writer.text)
    document = parsed(Path("x.toml"), writer.text)
    assert set(document.lines) == paths_in(data)
    assert {path: document.lines[path] for path in writer.lines} == writer.lines


@given(text=st.text(alphabet="ab =[]{}#,.'\"\\\n1-", max_size=40))
def test_whatever_tomllib_accepts_is_indexed_and_nothing_else(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(parsed(Path("x.toml"), text).lines) == paths_in(data)


@given(
    path=st.lists(st.from_regex(r"\A[A-Za-z0-9_-]{1,9}\Z") | st.integers(0, 99999), min_size=1).filter(
        lambda p: isinstance(p[0], str)
    )
)
def test_a_field_of_bare_keys_is_read_back(path: list[str | int]) -> None:
    assert field_path(field_text(tuple(path))) == tuple(path)
