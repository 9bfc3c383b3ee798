"""A TOML file with the place of everything in it: so that a mistake can be told with its line.

`tomllib` says what a document means but not where; the scanner below walks a document that `tomllib` has accepted and notes
the line of every table, key and array element. It judges nothing. Used by `load` for each file of the configuration.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from ccserver.config.errors import ConfigErrors, Problem, shown, shown_path

KeyPath = tuple[str | int, ...]
"""`("operators", 3, "skills", "orders")`; an int is a position in an array, from 0."""

MAX_BYTES = 4 * 1024 * 1024
"""No configuration is that big; whoever points us at a log or a device gets a clear line instead of a full memory."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_AT = re.compile(r"\(at line (\d+), column (\d+)\)$")
_ESCAPE = re.compile(r"\\(?:([btnfr\"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class Document(Struct, frozen=True):
    """One file, read."""

    file: Path
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]
    overridden: frozenset[KeyPath] = frozenset()
    """Paths whose value came from elsewhere than the file."""

    @property
    def shown(self) -> str:
        """The file's name for a person."""
        return shown_path(self.file)

    def line_of(self, path: KeyPath) -> int:
        """The line of the key; where it is not written, of the nearest table around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def is_overridden(self, path: KeyPath) -> bool:
        """Whether the value at the path was given outside the file."""
        return any(path[: len(given)] == given for given in self.overridden)


def read(file: Path) -> Document:
    """Read and index a file; raises `ConfigErrors` with the one thing that is wrong with it as a whole."""
    text = _text(file)
    return parsed(file, text)


def parsed(file: Path, text: str) -> Document:
    """As `read`, of a text at hand."""
    # What Windows editors write: a mark at the beginning, and CR LF (tomllib itself folds the latter the same way).
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
        return Document(file=file, data=data, lines=_Scanner(text).scan())
    except tomllib.TOMLDecodeError as error:
        raise ConfigErrors([_syntax_problem(file, text, str(error))]) from None
    except ValueError as error:  # Python refuses to read an integer of thousands of digits
        raise ConfigErrors([_whole(file, f"cannot be read as TOML: {error}")]) from None
    except RecursionError:
        raise ConfigErrors([_whole(file, "arrays or tables are nested too deeply")]) from None


def field_text(path: KeyPath) -> str:
    """`operators[3].skills.orders`; keys that TOML would quote are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            written = part if _BARE_KEY.fullmatch(part) and len(part) <= 60 else shown(part)
            text += f".{written}" if text else written
    return text


def field_path(field: str) -> KeyPath:
    """The inverse of `field_text`, for bare keys; raises ValueError for anything else."""
    path: list[str | int] = []
    for part in field.split("."):
        match = re.fullmatch(r"([A-Za-z0-9_-]+)((?:\[\d{1,6}\])*)", part)
        if match is None:
            raise ValueError(field)
        path += [match[1], *(int(n) for n in re.findall(r"\d+", match[2]))]
    return tuple(path)


def _text(file: Path) -> str:
    try:
        if not file.is_file():
            raise ConfigErrors([_whole(file, "is not a file" if file.exists() else "there is no such file")])
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise ConfigErrors([_whole(file, f"cannot be read: {reason}")]) from None
    if len(raw) > MAX_BYTES:
        raise ConfigErrors([_whole(file, f"is larger than {MAX_BYTES // 1024 // 1024} MB: not a configuration file")])
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"expected UTF-8 text, found byte 0x{raw[error.start]:02x}: save the file as UTF-8"
        raise ConfigErrors([Problem(file=shown_path(file), line=line, message=message)]) from None


def _whole(file: Path, message: str) -> Problem:
    return Problem(file=shown_path(file), message=message)


def _syntax_problem(file: Path, text: str, error: str) -> Problem:
    match = _AT.search(error)
    if match:
        line, column = int(match[1]), int(match[2])
    else:  # "(at end of document)"
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    reason = re.sub(r" \(at [^()]*\)$", "", error)
    message = f"not valid TOML: {reason[:200]}"
    return Problem(file=shown_path(file), line=line, column=column, message=message)


class _Scanner:
    """Walks a valid document once; `lines` gets the first line on which each path is named."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[KeyPath, int] = {(): 1}
        self.tables: dict[KeyPath, int] = {}
        """Length so far of each array of tables."""

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(" \t\n"):
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self.lines

    def _header(self, brackets: int) -> KeyPath:
        line = self.line
        self.at += brackets
        keys = self._key()
        self._skip(" \t")
        self.at += brackets
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._inside((*path, key), line)
        path = (*path, keys[-1])
        if brackets == 1:
            # A table opened before by a longer header is at its own header from now on.
            self.lines[path] = line
            return path
        self.lines.setdefault(path, line)
        count = self.tables.get(path, 0)
        self.tables[path] = count + 1
        path = (*path, count)
        self.lines[path] = line
        return path

    def _inside(self, path: KeyPath, line: int) -> KeyPath:
        """The table at `path`, which is the last one where `path` is an array of tables."""
        self.lines.setdefault(path, line)
        return (*path, self.tables[path] - 1) if path in self.tables else path

    def _pair(self, table: KeyPath) -> None:
        path = table
        line = self.line
        for key in self._key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the "="
        self._skip(" \t")
        self._value(path)

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(" \t")
            if self.text[self.at] in "\"'":
                keys.append(self._quoted_key())
            else:
                match = _BARE_KEY.match(self.text, self.at)
                assert match is not None, f"no key at {self.at} of a document that tomllib accepted"
                keys.append(match[0])
                self.at = match.end()
            self._skip(" \t")
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _quoted_key(self) -> str:
        start, quote = self.at, self.text[self.at]
        self._string(quote)
        inner = self.text[start + 1 : self.at - 1]
        return inner if quote == "'" else _ESCAPE.sub(_unescaped, inner)

    def _value(self, path: KeyPath) -> None:
        match self.text[self.at]:
            case '"' | "'" as quote:
                triple = quote * 3
                self._string(triple if self.text.startswith(triple, self.at) else quote)
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:  # a number, a truth, a time (which may contain a space)
                self._move(_end_of(self.text, self.at, ",]}#\n"))

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        position = 0
        while self._skip(" \t\n,") and self.text[self.at] != "]":
            element = (*path, position)
            self.lines.setdefault(element, self.line)
            self._value(element)
            position += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self._skip(" \t\n,") and self.text[self.at] != "}":
            self._pair(path)
        self.at += 1

    def _string(self, quote: str) -> None:
        """Past a string that opens with `quote`; a closing triple may be preceded by up to two quotes of the text."""
        end = self.at + len(quote)
        escapes = quote[0] == '"'
        while not self.text.startswith(quote, end):
            end += 2 if escapes and self.text[end] == "\\" else 1
        end += len(quote)
        if len(quote) == 3:
            while end < len(self.text) and self.text[end] == quote[0]:
                end += 1
        self._move(end)

    def _skip(self, blanks: str) -> bool:
        """Past blanks and comments; False at the end of the document."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#" and "\n" in blanks:
                self._move(_end_of(self.text, self.at, "\n"))
            elif char in blanks:
                self._move(self.at + 1)
            else:
                return True
        return False

    def _move(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to


def _end_of(text: str, start: int, stops: str) -> int:
    end = start
    while end < len(text) and text[end] not in stops:
        end += 1
    return end


def _unescaped(match: re.Match[str]) -> str:
    short, four, eight = match.groups()
    return _ESCAPED[short] if short else chr(int(four or eight, 16))
