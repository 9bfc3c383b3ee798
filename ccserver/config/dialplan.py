"""Whether Asterisk's dialplan hands a line over to us: a number that only `ccserver.toml` knows never rings.

Reads the plain `exten =>` lines of dialplans/*.conf; what a dialplan does by `include`, `Goto` or macros is beyond it, so what
it finds is a warning. Asked by `load`.
"""

import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from ccserver.config.findings import Findings
from ccserver.config.source import Document

TRUNKS = "from-trunk"
_CONTEXT = re.compile(r"\s*\[([^\]]+)\]")
_EXTENSION = re.compile(r"\s*exten\s*=>?\s*([^,;\s]+)\s*,", re.IGNORECASE)
_HANDED_OVER = re.compile(r"\bStasis\(\s*ccserver\s*,\s*line\b", re.IGNORECASE)
_GOES_ELSEWHERE = re.compile(r"\b(?:Goto|GotoIf|GotoIfTime|Gosub|GosubIf|Macro|AGI|Dial)\(", re.IGNORECASE)
"""What becomes of such a call is beyond us."""
_BREADTH = {"X": 10, "Z": 9, "N": 8, ".": 1000, "!": 2000}
_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*", "-": ""}


def check_dialplan(numbers: Iterable[str], document: Document, found: Findings, *, trunks: bool) -> None:
    """Warn of each line that no extension of the dialplan beside `ccserver.toml` hands over; silent where there is none.

    What calls from trunks find counts only where there are `trunks`.
    """
    patterns = tuple(line_patterns(document.file.parent, ignoring=() if trunks else (TRUNKS,)))
    if not patterns:
        return
    for position, number in enumerate(numbers):
        if not any(re.fullmatch(pattern, number, re.IGNORECASE) for pattern in patterns):
            message = "no extension in *.conf beside this file hands this number to Stasis(ccserver,line,…)"
            found.warn(document, ("lines", position, "number"), message)
        elif swallower := _swallower(number, document.file.parent, ignoring=() if trunks else (TRUNKS,)):
            found.warn(document, ("lines", position, "number"), swallower)


def line_patterns(directory: Path, ignoring: Container[str] = ()) -> Iterator[str]:
    """The extensions, as regular expressions, of every context that hands callers over to us."""
    for file in sorted(directory.glob("[!.]*.conf")):
        try:
            text = file.read_text(errors="replace")
        except OSError:  # Asterisk, who has to read it, will say so
            continue
        for name, context in contexts_in(text):
            if name not in ignoring and any(_HANDED_OVER.search(line) for line in context):
                yield from (as_regex(match[1]) for line in context if (match := _EXTENSION.match(line)))


def _swallower(number: str, directory: Path, ignoring: Container[str]) -> str:
    """Which extension takes the calls before another hands them over; Asterisk takes the narrowest that fits."""
    for file in sorted(directory.glob("[!.]*.conf")):
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        for name, context in contexts_in(text):
            fits = [
                (extension, lines)
                for extension, lines in _extensions(context).items()
                if re.fullmatch(as_regex(extension), number, re.IGNORECASE)
            ]
            handing = [extension for extension, lines in fits if _any(_HANDED_OVER, lines)]
            if name in ignoring or not handing:
                continue
            first, lines = min(fits, key=lambda each: _breadth(each[0]))
            if not _any(_HANDED_OVER, lines) and not _any(_GOES_ELSEWHERE, lines):
                return f"extension {first} of [{name}] in {file.name} takes these calls before {handing[0]} hands them over"
    return ""


def _any(pattern: re.Pattern[str], lines: Iterable[str]) -> bool:
    return any(pattern.search(line) for line in lines)


def _extensions(context: Iterable[str]) -> dict[str, list[str]]:
    """The lines of each extension: its own, and the `same =>` that follow."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in context:
        if match := _EXTENSION.match(line):
            lines = found.setdefault(match[1], [])
        lines.append(line)
    return found


def _breadth(extension: str) -> tuple[int, ...]:
    """How much a pattern lets through, from its first character on: less comes first."""
    if not extension.startswith("_"):
        return ()
    parts = re.findall(r"\[[^\]]+\]|.", extension[1:])
    return tuple(len({*_members(part[1:-1])}) if len(part) > 1 else _BREADTH.get(part.upper(), 1) for part in parts)


def as_regex(extension: str) -> str:
    """An extension of Asterisk's as a regular expression: `_8800XXXXXXX` -> `8800[0-9]…`."""
    if not extension.startswith("_"):
        return re.escape(extension)
    regex = ""
    for part in re.findall(r"\[[^\]]+\]|.", extension[1:]):
        if len(part) > 1:
            members = "|".join(map(re.escape, _members(part[1:-1])))
            regex += f"(?:{members})" if members else "(?!)"
        else:
            regex += _CLASSES.get(part.upper(), re.escape(part))
    return regex


def _members(characters: str) -> Iterator[str]:
    """The characters of a class such as `2-49`; a range that runs backwards has none, as in Asterisk."""
    for first, last in re.findall(r"(.)(?:-(.))?", characters):
        yield from map(chr, range(ord(first), ord(last or first) + 1))


def contexts_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each context with its lines, without comments."""
    name = ""
    context: list[str] = []
    for line in (re.sub(r"(?<!\\);.*", "", line) for line in text.splitlines()):
        if header := _CONTEXT.match(line):
            yield name, context
            name, context = header[1], []
        else:
            context.append(line)
    yield name, context
