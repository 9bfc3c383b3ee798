"""Programs of ours, each in a process of its own that is forked from one which has imported them already.

To import them takes longer than most of them run. The fork server is the standard library's. A program gets arguments,
environment and files as from a shell; only its `atexit` functions do not run, and /proc shows the fork server's command
line. `test_server_script` and `test_demo` start all for real, as a person does.
"""

import asyncio
import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path

from ccserver.__main__ import VERBS, main
from tests.e2e.centre_config import CHECKOUT

CCSERVER = ("-m", "ccserver")
RUN = (*CCSERVER, "run")
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__, "ccserver.app", *(f"ccserver.verbs.{verb}" for verb in VERBS)])


def begin() -> None:
    """Let the fork server import while something else is done."""
    forkserver.ensure_running()


def fork(
    program: Sequence[str], environment: Mapping[str, str], out: Path, err: Path
) -> multiprocessing.context.ForkServerProcess:
    """`python PROGRAM`: `CCSERVER` or a script, and arguments; what it says is added to the files."""
    process = _context.Process(target=_run, args=(tuple(program), dict(environment), str(out), str(err)))
    process.start()
    return process


def _run(program: tuple[str, ...], environment: dict[str, str], out: str, err: str) -> None:
    for path, fd in (("/dev/null", 0), (out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644), fd)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(CHECKOUT)
    if program[:2] == CCSERVER:
        sys.exit(main(program[2:]))
    sys.argv = list(program)
    runpy.run_path(program[0], run_name="__main__")


class Forked:
    """As `asyncio.subprocess.Process`, of the running loop."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = fork(program, environment, log, log)
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._process.sentinel, self._over)

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that killed it."""
        return self._process.exitcode

    async def wait(self) -> int:
        """Until it has ended; gives the exit code."""
        await self._gone.wait()
        assert self._process.exitcode is not None
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """To the process, unless it has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def _over(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._process.join()
        self._gone.set()
