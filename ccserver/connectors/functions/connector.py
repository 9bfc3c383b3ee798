"""Asks functions of the admin's own for callers who wait: a few processes, each with one question at a time.

A function that takes longer than it may is ended with its process; the next question has a new one. Whatever it does, nobody
waits for it longer than its step says, and the daemon does not notice.
"""

import asyncio
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from ccserver.core.commands import Command, RunFunction
from ccserver.core.events import Fact, InquiryAnswered
from ccserver.core.ids import ContactId, PlanHash
from ccserver.core.lookup import value_of
from ccserver.functions.asking import ANSWER_MAX, COMMAND, Told, question, told

AT_ONCE = 4
"""Processes: a function is meant to decide, not to wait; whoever wants to ask another computer has lookups."""

ENDS_S = 1.0
"""A process that has closed its output ends sooner."""

log = structlog.get_logger("ccserver.functions")


class Functions:
    """A connector; `run()` serves until cancelled."""

    def __init__(
        self, report: Callable[[Fact], None], source_of: Callable[[PlanHash, str], str], directory: Path
    ) -> None:
        """`source_of` tells the text of a file of a plan; `directory`: where it lies, for what is said of it."""
        self._report = report
        self._source_of = source_of
        self._directory = directory
        self._questions: asyncio.Queue[tuple[RunFunction, float]] = asyncio.Queue()

    def perform(self, command: Command) -> None:
        """Run it; `InquiryAnswered` tells what came of it."""
        assert isinstance(command, RunFunction)
        self._questions.put_nowait((command, time.monotonic()))

    async def run(self) -> None:
        """Serve."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(AT_ONCE):
                tasks.create_task(self._work(), name=f"functions {number}")

    async def _work(self) -> None:
        process: Process | None = None
        try:
            while True:
                command, asked_at = await self._questions.get()
                if process is None or process.returncode is not None:
                    process = await _started()
                answer = await self._asked(process, command, command.timeout_s - (time.monotonic() - asked_at))
                self._tell(command, answer, time.monotonic() - asked_at)
        finally:
            if process is not None:
                await _end(process)

    async def _asked(self, process: Process | None, command: RunFunction, left_s: float) -> Told:
        if left_s <= 0:
            return Told(flaw="had to wait for others until its time was over")
        if process is None:
            return Told(flaw="has no process to run in: none could be started")
        module, _, name = command.function.rpartition(".")
        source = self._source_of(command.plan, module)
        asked = question(self._file(command), source, left_s, name, variables=dict(command.variables))
        try:
            assert process.stdin is not None and process.stdout is not None
            async with asyncio.timeout(left_s):
                process.stdin.write(asked)
                await process.stdin.drain()
                line = await process.stdout.readline()
            return told(line) if line else await _died(process)
        except TimeoutError:
            await _end(process)
            return Told(flaw=f"did not end within {command.timeout_s:g} s and was stopped")
        except (OSError, ValueError) as error:
            await _end(process)
            return Told(flaw=f"could not be asked: {type(error).__name__}")

    def _file(self, command: RunFunction) -> Path:
        return self._directory / f"{command.function.rpartition('.')[0]}.py"

    def _tell(self, command: RunFunction, answer: Told, took_s: float) -> None:
        values = {name: value_of("text", value) for name, value in answer.values.items()}
        flaw = answer.flaw or _flaw(command, answer, values)
        if flaw:
            at = f" at {self._file(command).name}:{answer.line}" if answer.line else ""
            flaw = f"{flaw}{at}"
            log.warning(
                "function failed",
                function=command.function,
                contact=command.lane,
                reason=flaw,
                pii_detail=answer.detail,
            )
        self._report(
            InquiryAnswered(
                ContactId(command.lane),
                command.inquiry,
                command.function,
                "failed" if flaw else answer.way or "next",
                {} if flaw else {name: value for name, value in values.items() if value is not None},
                flaw,
                took_s,
                at=time.time(),
            )
        )


def _flaw(command: RunFunction, answer: Told, values: dict[str, str | None]) -> str:
    """What it returned and the step does not allow."""
    if answer.way and answer.way not in command.ways:
        return f"returned a way that its step has not; it has {', '.join(command.ways) or 'none'}"
    if strange := sorted(values.keys() - set(command.take)):
        return f"returned the variable {strange[0][:40]}, which its step does not take"
    if long := [name for name, value in values.items() if value is None]:
        return f"returned for {long[0]} no text of at most 200 characters on one line"
    return ""


async def _started() -> Process | None:
    try:
        return await asyncio.create_subprocess_exec(
            *COMMAND, stdin=PIPE, stdout=PIPE, limit=ANSWER_MAX, start_new_session=True, cwd="/"
        )
    except OSError as error:
        log.error("no process for functions", reason=str(error))
        return None


async def _died(process: Process) -> Told:
    with suppress(TimeoutError):  # its output is closed: it is ending
        async with asyncio.timeout(ENDS_S):
            await process.wait()
    await _end(process)
    code = await process.wait()
    return Told(flaw=f"ended its process ({f'signal {-code}' if code < 0 else f'exit code {code}'})")


async def _end(process: Process) -> None:
    """By force, if it has not ended by itself; returns when nothing of it is left."""
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(OSError, ValueError):
        await process.communicate(b"")
