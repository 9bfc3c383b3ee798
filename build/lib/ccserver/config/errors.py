"""What can be wrong with a configuration, told so that an admin can mend it with an editor.

    ConfigErrors      everything that is wrong, found in one pass; nothing was started or changed
        Problem       one line: file, line, field, what was expected, what was found
    QuestionError     `ccserver check --call … --at …` cannot be answered: no such line, no such time

A `Problem` that is only a warning never stops a start or a reload; `ccserver check` shows it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from enum import StrEnum
from math import isfinite
from pathlib import Path

from msgspec import Struct


class Severity(StrEnum):
    """Whether the configuration can be used."""

    ERROR = "error"
    WARNING = "warning"


class Problem(Struct, frozen=True, kw_only=True):
    """One mistake; `str()` is its line."""

    file: str
    """As the admin would type it from where he stands; `override` for a value given on the command line or by a test."""
    line: int = 0
    """From 1; 0 where no line can be named (the file is missing)."""
    column: int = 0
    """From 1, only of a file that is not TOML at all."""
    field: str = ""
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])
        mark = "warning: " if self.severity is Severity.WARNING else ""
        return ": ".join([place, *([self.field] if self.field else []), mark + self.message])


class ConfigErrors(Exception):
    """The configuration cannot be used; `problems` are sorted by file and line, `str()` is a line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(map(str, self.problems)))


class QuestionError(Exception):
    """What was asked cannot be answered; one line that says why."""


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By file, line and field, each line once."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda p: (p.file, p.line, p.column, p.field, p.message)))


def shown_path(file: Path) -> str:
    """Relative where the file lies under the current directory, absolute elsewhere."""
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file.absolute())


def shown(value: object) -> str:
    """What was found, short enough for a line: numbers and texts as TOML writes them, the rest by its kind."""
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "…"
        quoted = json.dumps(text, ensure_ascii=False)
        return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "a table" if value else "an empty table"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    return f"the {type(value).__name__} {value}"


def listed(names: Iterable[object], most: int = 12) -> str:
    """`a, b, c`, cut short where there are many."""
    words = [str(name) for name in names]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing when no known word is near."""
    known = {candidate.lower(): candidate for candidate in words}
    near = difflib.get_close_matches(word[:80].lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {shown(known[near[0]])}?" if near else ""
