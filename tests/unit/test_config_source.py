"""Where things stand in a TOML file, and what is said of a file that is none."""

import re
from pathlib import Path

import pytest

from ccserver.config.errors import ConfigErrors
from ccserver.config.source import MAX_BYTES, KeyPath, field_path, field_text, parsed, read

EVERYTHING = '''\
# a comment with [brackets] and "quotes"
title = "x # no comment"
[node]
name = "cc1" # a comment
"quoted key" = 1
'literal.key' = 2
"\\u0041\\t" = 3
dotted . "in parts".deep = 4

[a.b]
c = """
several
lines \\""" and quotes""\\
"""
d = \'\'\'
[not.a.table]
\'\'\'
e = 1979-05-27 07:32:00 # a space inside
f = [ 1, # one
  "two, ]", { g = 3, h.i = [4,
    5] },
  [6],
]

[[rows]]
x = 1
[rows.sub]
y = 2
[[rows]]
x = 3
[[rows.inner]]
z = 4
[[rows.inner]]
z = 5

[a]
last = true'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("node",), 3),
        (("node", "name"), 4),
        (("node", "quoted key"), 5),
        (("node", "literal.key"), 6),
        (("node", "A\t"), 7),
        (("node", "dotted", "in parts", "deep"), 8),
        (("a", "b"), 10),
        (("a", "b", "c"), 11),
        (("a", "b", "d"), 15),
        (("a", "b", "e"), 18),
        (("a", "b", "f"), 19),
        (("a", "b", "f", 0), 19),
        (("a", "b", "f", 1), 20),
        (("a", "b", "f", 2), 20),
        (("a", "b", "f", 2, "g"), 20),
        (("a", "b", "f", 2, "h", "i", 1), 21),
        (("a", "b", "f", 3, 0), 22),
        (("rows", 0), 25),
        (("rows", 0, "x"), 26),
        (("rows", 0, "sub", "y"), 28),
        (("rows", 1, "x"), 30),
        (("rows", 1, "inner", 0, "z"), 32),
        (("rows", 1, "inner", 1, "z"), 34),
        (("a",), 36),
        (("a", "last"), 37),
        ((), 1),
    ],
)
def test_every_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    assert parsed(Path("x.toml"), EVERYTHING).lines[path] == line


def test_what_is_not_written_is_told_at_the_nearest_table_around_it() -> None:
    document = parsed(Path("x.toml"), EVERYTHING)
    assert document.line_of(("rows", 1, "missing", "too")) == 29


def test_a_file_from_windows_has_the_same_lines() -> None:
    document = parsed(Path("x.toml"), "\ufeff" + EVERYTHING.replace("\n", "\r\n"))
    assert document.line_of(("a", "last")) == 37


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("operators", 3, "skills", "orders"), "operators[3].skills.orders"),
        (("steps", "menu", "keys", "*"), 'steps.menu.keys."*"'),
        (("a b", "в\n"), '"a b"."в\\n"'),
        (("x", 0, 1), "x[0][1]"),
    ],
)
def test_a_field_is_named_as_toml_would_write_it(path: KeyPath, text: str) -> None:
    assert field_text(path) == text


def test_a_fields_name_leads_back_to_its_path() -> None:
    assert field_path("operators[3].skills.orders") == ("operators", 3, "skills", "orders")
    for wrong in ("", "a..b", "a[x]", "a.[1]", "a b", "[0]"):
        with pytest.raises(ValueError, match=f"^{re.escape(wrong)}$"):
            field_path(wrong)


def complaint(text: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        parsed(Path("/x/y.toml"), text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = \n", "/x/y.toml:2:5: not valid TOML: Invalid value"),
        ('a = "x', "/x/y.toml:1:7: not valid TOML: Unterminated string"),
        ("a = 1\na = 2\n", "/x/y.toml:2:6: not valid TOML: Cannot overwrite a value"),
        ("[a]\n[a]\n", "/x/y.toml:2:3: not valid TOML: Cannot declare ('a',) twice"),
        ("a = 2026-02-31\n", "/x/y.toml:1:5: not valid TOML: Invalid date or datetime"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_column(text: str, said: str) -> None:
    assert complaint(text) == said


def test_nesting_without_end_is_refused_in_one_line() -> None:
    assert complaint("a = " + "[" * 100_000) == "/x/y.toml: arrays or tables are nested too deeply"


def test_an_integer_of_thousands_of_digits_is_refused_in_one_line() -> None:
    assert complaint("a = " + "9" * 5000).startswith("/x/y.toml: cannot be read as TOML: Exceeds the limit")


def unreadable(file: Path) -> str:
    with pytest.raises(ConfigErrors) as caught:
        read(file)
    return str(caught.value).removeprefix(str(file))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    assert unreadable(file) == ": there is no such file"
    assert unreadable(tmp_path) == ": is not a file"
    assert "embedded null" in unreadable(tmp_path / "a\0b") or "no such file" in unreadable(tmp_path / "a\0b")
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    assert "\n" not in unreadable(loop)


def test_a_file_that_is_not_utf8_says_where(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes('a = 1\nname = "Анна"\n'.encode("cp1251"))
    assert unreadable(file) == ":2: expected UTF-8 text, found byte 0xc0: save the file as UTF-8"


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert unreadable(file) == ": is larger than 4 MB: not a configuration file"
