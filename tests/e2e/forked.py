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
from multiprocessing import forkserver, reduction
from pathlib import Path
from typing import Any

from ccserver.__main__ import VERBS, main
from tests import namespaces
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
    network = _Network(namespaces.present())
    arguments = (tuple(program), dict(environment), network, str(out), str(err))
    process = _context.Process(target=_run, args=arguments)
    try:
        process.start()
    finally:
        os.close(network.handle)
    return process


class _Network:
    """The network in which the thread is that forks: its child shall be in there, wherever the fork server is."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle

    def __reduce__(self) -> tuple[type["_Network"], tuple[Any]]:
        return _Network, (reduction.DupFd(self.handle),)

    def enter(self) -> None:
        """In the child."""
        namespaces.enter(self.handle.detach())


def _run(program: tuple[str, ...], environment: dict[str, str], network: _Network, out: str, err: str) -> None:
    network.enter()
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
