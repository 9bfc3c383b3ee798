"""How the process of `worker` is started, and what its answers mean."""

import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

COMMAND = (sys.executable, "-I", str(Path(__file__).with_name("worker.py")))
SOURCE_MAX = 65536
"""Characters of a file: the plan with it is kept in the journal."""
ANSWER_MAX = 1 << 18
"""Bytes of an answer."""


class Told(Struct, frozen=True):
    """What came of it; `flaw`: why nothing did."""

    way: str = ""
    values: dict[str, str] = {}
    functions: dict[str, int] = {}
    """Of a file: the line of each."""
    flaw: str = ""
    line: int = 0
    detail: str = ""
    """What of the flaw may be a customer's."""


def question(file: Path, source: str, limit_s: float, function: str | None = None, **more: Any) -> bytes:
    """One line: a file to be looked at, or with `function` and `variables` a call."""
    asked = {"file": str(file), "source": source, "limit_s": limit_s, "function": function, **more}
    return msgspec.json.encode(asked) + b"\n"


def told(line: bytes) -> Told:
    """The answer; raises ValueError for what is none."""
    return msgspec.json.decode(line, type=Told)
