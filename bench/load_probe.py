"""`ccserver run`, watched from inside: what it asks of Asterisk, how long its turns take, how late its loop is.

    LOAD_PROBE=FILE python -m bench.load_probe run [--takeover]

Started by bench/load_site.py in place of the daemon. Appends one JSON line a second to FILE (`Second`), so that a daemon which
is killed has told all but its last moment. The daemon itself is as shipped.
"""

import asyncio
import gc
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from ccserver import app
from ccserver.__main__ import main
from ccserver.ari.transport import Transport
from ccserver.engine import Engine

NAP_S = 0.01
"""The loop is asked to come back after this long; what it takes longer is its lag."""


class Second(msgspec.Struct):
    """What happened in about one second; times in milliseconds."""

    at: float
    """UTC epoch seconds at its end."""
    requests: dict[str, int] = {}
    """To ARI, by method and path without ids."""
    answers_ms: list[float] = []
    """How long each request took, waiting for a free connection included."""
    turns_ms: list[float] = []
    events: int = 0
    """Facts and requests that the turns took."""
    inbox_max: int = 0
    lags_ms: list[float] = []
    collections_ms: list[float] = []
    """Pauses of the garbage collector."""


_requests: Counter[str] = Counter()
_answers_ms: list[float] = []
_collections_ms: list[float] = []
_collecting_since = 0.0
_request = Transport._request


async def _counted(self: Transport, method: str, where: str, *rest: Any, **more: Any) -> bytes:
    _requests[f"{method} {_shape(where)}"] += 1
    began = time.perf_counter()
    try:
        return await _request(self, method, where, *rest, **more)
    finally:
        _answers_ms.append((time.perf_counter() - began) * 1e3)


def _shape(where: str) -> str:
    """`/channels/123/play` -> `channels/*/play`."""
    first, *rest = where.partition("?")[0].strip("/").split("/")
    if first == "asterisk":
        return "/".join([first, *rest[:4]])
    if first == "channels" and rest == ["create"]:
        return "channels/create"
    return "/".join([first, *("*" for _ in rest[:1]), *rest[1:]]) if first != "endpoints" else _endpoints(rest)


def _endpoints(rest: list[str]) -> str:
    return "endpoints/*" if len(rest) > 1 else "endpoints"


def _collected(phase: str, _: object) -> None:
    global _collecting_since
    if phase == "start":
        _collecting_since = time.perf_counter()
    else:
        _collections_ms.append((time.perf_counter() - _collecting_since) * 1e3)


class ProbedEngine(Engine):
    """The engine, with a watch in its hand."""

    _second = Second(at=0.0)

    def turn(self) -> None:
        """One step, timed."""
        waiting = len(self._inbox)
        began = time.perf_counter()
        super().turn()
        second = self._second
        second.turns_ms.append((time.perf_counter() - began) * 1e3)
        second.inbox_max = max(second.inbox_max, waiting)
        second.events += waiting - len(self._inbox)

    async def run(self) -> None:
        """Serve, and tell every second."""
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._tell(Path(os.environ["LOAD_PROBE"])), name="probe")
            await super().run()
            telling.cancel()

    async def _tell(self, path: Path) -> None:
        with path.open("ab", buffering=0) as file:
            while True:
                second = self._second = Second(at=0.0, turns_ms=[], lags_ms=[])
                for told in (_requests, _answers_ms, _collections_ms):
                    told.clear()
                until = time.monotonic() + 1.0
                while (began := time.monotonic()) < until:
                    await asyncio.sleep(NAP_S)
                    second.lags_ms.append((time.monotonic() - began - NAP_S) * 1e3)
                second.at, second.requests = time.time(), dict(_requests)
                second.answers_ms = _answers_ms[:]
                second.collections_ms = _collections_ms[:]
                file.write(msgspec.json.encode(second) + b"\n")


if __name__ == "__main__":
    gc.callbacks.append(_collected)
    Transport._request = _counted  # type: ignore
    app.Engine = ProbedEngine  # type: ignore[attr-defined]
    sys.exit(main())
