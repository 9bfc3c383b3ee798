"""ccserver as a person has it before anything runs: a configuration, a state directory, and the command line.

    mine = Installation.new(tmp_path)
    refused = mine.refused(78, "run")          # the one line it says; nothing has begun

Every command is a process of its own (`forked`).
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from asterisk_instance import free_port, free_rtp_ports

from ccserver.store.journal import SqliteJournal
from ccserver.store.lock import JournalLock
from tests.e2e.centre_config import CHECKOUT, QUICK, write_config
from tests.e2e.forked import CCSERVER, fork

WITHIN_S = 120.0
NO_TROUBLE = nullcontext()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> list[str]:
        """Its lines on standard error without the log's."""
        return [line for line in self.err.splitlines() if not line.startswith("timestamp=")]

    def line(self, code: int) -> str:
        """The one clear line with which it must have failed."""
        assert self.code == code, self
        assert len(self.said) == 1, self
        assert self.said[0].startswith("ccserver: "), self
        assert self.out == ""
        return self.said[0].removeprefix("ccserver: ")


@dataclass(frozen=True, slots=True)
class Installation:
    """See the module."""

    root: Path
    ports: Mapping[str, int] = field(default_factory=dict)
    api_port: int = 0

    @classmethod
    def new(cls, root: Path) -> "Installation":
        """The demo with short times, on free ports; there is no state directory yet."""
        rtp_start, rtp_end = free_rtp_ports()
        ports = {
            "http_port": free_port(),
            "ami_port": free_port(),
            "sip_port": free_port(socket.SOCK_DGRAM),
            "rtp_start": rtp_start,
            "rtp_end": rtp_end,
        }
        made = cls(root, ports, free_port())
        write_config(made.config_dir, ports, made.api_port, QUICK)
        return made

    def copy(self, root: Path) -> "Installation":
        """The same once more, on the same ports: what is broken there is whole here."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return replace(self, root=root)

    @property
    def config_dir(self) -> Path:
        return self.root / "config"

    @property
    def state_dir(self) -> Path:
        return self.root / "state"

    @property
    def journal(self) -> Path:
        return self.state_dir / "journal.sqlite"

    @property
    def store(self) -> Path:
        return self.state_dir / "store.sqlite"

    @property
    def secrets(self) -> Path:
        return self.state_dir / "secrets.toml"

    def environment(self, **more: str) -> dict[str, str]:
        """Of every command."""
        return {
            **os.environ,
            "CCSERVER_STATE": str(self.state_dir),
            "CCSERVER_CONFIG": str(self.config_dir),
            "PYTHONPATH": str(CHECKOUT),
            "COLUMNS": "120",
            **more,
        }

    def ccserver(self, *arguments: str, **environment: str) -> Ended:
        """Run a command to its end; what takes too long is killed, and fails."""
        with tempfile.TemporaryDirectory() as place:
            out, err = Path(place, "out"), Path(place, "err")
            process = fork((*CCSERVER, *arguments), self.environment(**environment), out, err)
            process.join(WITHIN_S)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise AssertionError(f"ccserver {arguments} does not end: {err.read_text()}")
            return Ended(process.exitcode, out.read_text(), err.read_text())

    def done(self, *arguments: str) -> str:
        """A command that must succeed; what it printed."""
        ended = self.ccserver(*arguments)
        assert ended.code == 0, ended
        return ended.out

    def refused(
        self, code: int, *arguments: str, under: AbstractContextManager[None] = NO_TROUBLE, **environment: str
    ) -> str:
        """A command that must fail with this code, one clear line, and nothing begun; returns the line."""
        before = self.files()
        with under:
            ended = self.ccserver(*arguments, **environment)
        line = ended.line(code)
        self.nothing_runs()
        assert self.files() == before
        return line

    def doctor(self) -> dict[str, str]:
        """What the doctor says is wrong: how to mend it, by what he looked at."""
        ended = self.ccserver("doctor")
        print(ended.out)
        assert ended.err == "", ended
        wrong = re.findall(r"(?m)^!!  (\S+) +.+\n +-> (.+)$", ended.out)
        assert ended.code == (1 if wrong else 0), ended
        return dict(wrong)

    def mend(self, command: str) -> None:
        """Type what the doctor said."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        shell = ["bash", "-c", command]
        done = subprocess.run(
            shell, env=self.environment(PATH=path), cwd=CHECKOUT, capture_output=True, text=True, timeout=WITHIN_S
        )
        assert done.returncode == 0, (command, done)

    @contextmanager
    def asterisk(self) -> Iterator[None]:
        """Ours, started and stopped by the command line."""
        self.done("asterisk", "start")
        try:
            yield
        finally:
            self.ccserver("asterisk", "stop")

    @contextmanager
    def running(self) -> Iterator[None]:
        """The daemon, from the moment on when it serves; stopped by SIGTERM."""
        with (self.root / "daemon.log").open("wb") as log:
            command = [sys.executable, "-m", "ccserver", "run"]
            daemon = subprocess.Popen(command, env=self.environment(), cwd=CHECKOUT, stdout=log, stderr=log)
        with daemon:
            try:
                self._await_serving(daemon)
                yield
            finally:
                daemon.terminate()
                assert daemon.wait(WITHIN_S) == 0, (self.root / "daemon.log").read_text()

    def _await_serving(self, daemon: subprocess.Popen[bytes]) -> None:
        give_up_at = time.monotonic() + WITHIN_S
        while time.monotonic() < give_up_at and daemon.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}/healthz", timeout=5):
                return
            time.sleep(0.05)  # nobody can tell when the port will be open
        raise AssertionError((self.root / "daemon.log").read_text())

    def prepare(self) -> "Installation":
        """Secrets, Asterisk's files, an up-to-date store, an empty journal."""
        self.done("asterisk", "render")
        self.done("migrate")
        with SqliteJournal(self.journal):
            pass
        return self

    def change(self, file: str, old: str, new: str) -> int:
        """Replace the first `old` in a file of the configuration; returns the line on which it began."""
        path = self.config_dir / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text.count("\n", 0, text.index(old)) + 1

    def files(self) -> dict[str, bytes]:
        """Everything in the state directory that lasts: the lock's file and SQLite's own side files come and go."""
        if not self.state_dir.is_dir():
            return {}
        passing = re.compile(r"journal\.lock|.*-(wal|shm)|.*\.log")
        files = (path for path in self.state_dir.rglob("*") if path.is_file() and not passing.fullmatch(path.name))
        return {str(path.relative_to(self.state_dir)): path.read_bytes() for path in files}

    def nothing_runs(self) -> None:
        """No port is open, nobody holds the journal, no Asterisk has been left behind."""
        for port in (self.api_port, self.ports["http_port"], self.ports["ami_port"]):
            with taken(port):
                pass
        with taken(self.ports["sip_port"], socket.SOCK_DGRAM):
            pass
        if (lock := JournalLock(self.journal)).path.exists():
            with lock:
                pass


@contextmanager
def taken(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[None]:
    """Another program has the port; fails when it is not free."""
    with socket.socket(socket.AF_INET, kind) as holder:
        if kind == socket.SOCK_STREAM:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        yield
