"""Real databases for the tests of the store: an SQLite file, and a PostgreSQL server that we start ourselves."""

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

_names = count(1)
ALLOWED = """\
host all guarded 127.0.0.1/32 scram-sha-256
host all all     127.0.0.1/32 trust
"""
"""pg_hba.conf: only the role `guarded` needs a password."""


class PostgresServer:
    """A server in a directory of its own, on loopback; speed before safety."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self.directory = directory
        self.afterwards = ExitStack()
        """What is left when the server is gone."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        # PostgreSQL refuses to run as root
        self._user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        self.give(directory)
        self._run("initdb", "-D", f"{directory}/data", "-U", "ccserver", "-A", "trust", "-E", "UTF8", "--no-sync")
        (directory / "data" / "pg_hba.conf").write_text(ALLOWED)

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={self._user}", "--clear-groups", "--", *command]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def give(self, path: Path) -> None:
        """To the user as whom the server runs."""
        shutil.chown(path, self._user)

    def mount_small(self, place: Path) -> None:
        """A file system of 16 MB, the server's own, until the server is gone; or a skipped test."""
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a small file system cannot be mounted here")
        self.afterwards.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)
        self.give(place)

    def start(self) -> None:
        """Returns when the server answers."""
        listen = f"-p {self.port} -h 127.0.0.1 -k {self.directory} -F"
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-l", f"{self.directory}/log", "-w", "-o", listen, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Every connection is cut; `fast`: and what is in memory is written first."""
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-w", "-m", mode, "stop")

    def demote(self) -> None:
        """Become a standby of nobody: whoever is connected may only read."""
        self.stop("fast")
        (self.directory / "data" / "standby.signal").touch()
        self.start()

    def promote(self) -> None:
        """Become a primary again."""
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-w", "promote")

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Connections stay open and new ones are taken (by the kernel), but nobody answers."""
        stopped: list[int] = []
        try:
            for pid in self._pids():  # the first is the postmaster: no new ones come after it
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
            yield
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):  # it was just ending
                    os.kill(pid, signal.SIGCONT)

    def _pids(self) -> Iterator[int]:
        postmaster = int((self.directory / "data" / "postmaster.pid").read_text().split()[0])
        yield postmaster
        yield from map(int, Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split())

    def sql(self, statement: str, database: str = "postgres") -> str:
        """As superuser; what it printed."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "ccserver", "-d", database)
        return self._run("psql", *where, "-qtA", "-v", "ON_ERROR_STOP=1", "-c", statement).strip()

    def new_database(self, *, role: str = "ccserver", more: str = "") -> str:
        """The URL of an empty database that belongs to the role; `ccserver` is the superuser."""
        name = f"store{next(_names)}"
        self.sql(f"create database {name} template template0 owner {role} {more}")
        return f"postgresql://{role}@127.0.0.1:{self.port}/{name}"

    def new_role(self, options: str = "") -> str:
        """A role that may log in, and nothing else."""
        name = f"role{next(_names)}"
        self.sql(f"create role {name} login {options}")
        return name


def _programs() -> Path | None:
    """Where the server's programs are: on Debian not in PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [*debian, *map(Path, os.get_exec_path())]
    needed = ("initdb", "pg_ctl", "postgres", "psql")
    return next((place for place in places if all((place / program).exists() for program in needed)), None)


class NoPostgres(Exception):
    """There is none on this machine; the text says how to get it."""


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server that runs; gone afterwards. Raises `NoPostgres`."""
    programs = _programs()
    if programs is None:
        raise NoPostgres("no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            raise NoPostgres("PostgreSQL does not run as root, and there is no user postgres") from None
    # Not tmp_path: its parents are root's own, and a socket's path must be short.
    directory = Path(tempfile.mkdtemp(prefix="ccserver-pg-"))
    try:
        server = PostgresServer(programs, directory)
        with server.afterwards:
            server.start()
            try:
                yield server
            finally:
                server.stop()
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server, or a skipped test."""
    try:
        with postgres_server() as server:
            yield server
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()
