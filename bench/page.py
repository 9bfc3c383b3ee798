"""Where figures go: to the screen, and with --into between the marks of the bench in docs/benchmarks.md, as they came out."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """What every bench can be told."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--short", action="store_true", help="a few seconds: does it still run?")
    made.add_argument(
        "--into", type=Path, metavar="PAGE", help="put the figures in this page, too, in place of those before"
    )
    return made


def run(work: Coroutine[Any, Any, T]) -> T:
    """Until it is done, or the bench is told to end: then, too, nothing of it is left running. 130 is its exit code then."""

    async def stoppable() -> T:
        running = asyncio.current_task()
        assert running is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        return await work

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        raise SystemExit(130) from None


class Page:
    """Made when a bench begins: the machine's load is told as it was then."""

    def __init__(self, name: str, into: Path | None) -> None:
        """`name`: the module's, without `bench.`."""
        self._marks = (f"<!-- bench.{name}: begin -->", f"<!-- bench.{name}: end -->")
        self._into = into
        if into is not None:
            self._around()  # a page without a place for it is told now, not after ten minutes
        words = [word for word in sys.argv[1:] if word != "--into" and word != str(into)]
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        before = [f"nice -n {nice}"] if nice else []
        self._head = f"`{' '.join([*before, 'python -m', f'bench.{name}', *words])}`, {machine()}"

    def _around(self) -> tuple[str, str]:
        assert self._into is not None
        try:
            before, rest = self._into.read_text(encoding="utf-8").split(self._marks[0])
            _, after = rest.split(self._marks[1])
        except (OSError, ValueError):
            raise SystemExit(f"{self._into}: no single place between {self._marks[0]} and {self._marks[1]}") from None
        return before + self._marks[0], self._marks[1] + after

    def write(self, figures: str) -> None:
        """Once, at the end."""
        text = f"{self._head}\n\n{figures}"
        print(text)
        if self._into is not None:
            before, after = self._around()
            self._into.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """What it was measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    cores = len(list(Path("/sys/devices/system/cpu").glob("cpu[0-9]*")))
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{time.strftime('%Y-%m-%d %H:%M')} UTC, {cores} × {cpu}, load average at the start {load}"
