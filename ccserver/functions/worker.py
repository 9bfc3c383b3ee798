"""The process in which functions of the admin's own run, one at a time: asked and answering by lines of JSON.

Started by its path, so that it knows nothing of ccserver and begins in some hundredths of a second. Whatever a function does, it
does here: prints go to the log, a hang is ended by whoever asked, or by an alarm should he be dead, and memory has an end.
"""

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import Any

MEMORY_MAX = 1 << 30
GRACE_S = 1.0
"""Beyond the time that it has: counts only when nobody is there any more to end it."""
EXPECTED = "expected None, the name of a way, a dict of variables, or both as (name, dict)"


class Flawed(Exception):
    """What is wrong, at which line, and what of it may be a customer's."""

    def __init__(self, said: str, line: int = 0, detail: str = "") -> None:
        super().__init__(said)
        self.said, self.line, self.detail = said, line, detail


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """To one question: `{"functions": …}` of a file, or `{"way": …, "values": …}` of a call; `{"flaw": …, "line": …}`."""
    try:
        names = _loaded(request["file"], request["source"])
        if request.get("function") is None:
            return {"functions": {name: _line(value) for name, value in names.items() if callable(value)}}
        return _called(names, request)
    except Flawed as flaw:
        return {"flaw": flaw.said, "line": flaw.line, "detail": flaw.detail}


_modules: dict[tuple[str, str], dict[str, Any]] = {}
"""What was run of each text: a function may keep something from one call to the next."""


def _loaded(file: str, source: str) -> dict[str, Any]:
    if (file, source) not in _modules:
        names: dict[str, Any] = {"__name__": Path(file).stem, "__file__": file}
        try:
            exec(compile(source, file, "exec"), names)
        except BaseException as error:
            raise _flaw(error, file) from None
        for other in [each for each in _modules if each[0] == file]:
            del _modules[other]
        _modules[file, source] = names
    return _modules[file, source]


def _called(names: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    function = names.get(request["function"])
    if not callable(function):
        raise Flawed(f"there is no function {request['function']}")
    try:
        given = function(MappingProxyType(request["variables"]))
    except BaseException as error:
        raise _flaw(error, request["file"]) from None
    return _understood(given, _line(function))


def _understood(given: object, line: int) -> dict[str, Any]:
    match given:
        case None:
            return {"way": "", "values": {}}
        case str(way):
            return {"way": way, "values": {}}
        case dict(values):
            return {"way": "", "values": _texts(values, line)}
        case (str(way), dict(values)):
            return {"way": way, "values": _texts(values, line)}
    raise Flawed(f"returned a value of type {type(given).__name__}: {EXPECTED}", line)


def _texts(values: dict[Any, Any], line: int) -> dict[str, str]:
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, str | int | float):
            raise Flawed(f"returned a variable of type {type(value).__name__}: expected texts and numbers", line)
    return {
        name: ("yes" if value else "no") if isinstance(value, bool) else str(value) for name, value in values.items()
    }


def _flaw(error: BaseException, file: str) -> Flawed:
    """Where in his file it went wrong, however deep below."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return Flawed(f"is no Python: {error.msg}", error.lineno or 0)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return Flawed(f"raised {type(error).__name__}", (lines[-1] if lines else 0) or 0, str(error)[:500])


def _line(function: Callable[..., Any]) -> int:
    code = getattr(function, "__code__", None)
    return code.co_firstlineno if isinstance(code, CodeType) else 0


def main() -> None:
    """Answer until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a function prints is for the log
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, request["limit_s"] + GRACE_S)
        told = answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
