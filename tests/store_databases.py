"""Real databases for the tests of the store: an SQLite file, and a PostgreSQL server that we start ourselves."""

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

_names = count(1)


class PostgresServer:
    """A server in a directory of its own, on loopback; speed before safety."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self._directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        # PostgreSQL refuses to run as root
        self._user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        shutil.chown(directory, self._user)
        self._run("initdb", "-D", f"{directory}/data", "-U", "ccserver", "-A", "trust", "-E", "UTF8", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={self._user}", "--clear-groups", "--", *command]
        done = subprocess.run(command, cwd=self._directory, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"

    def start(self) -> None:
        """Returns when the server answers."""
        listen = f"-p {self.port} -h 127.0.0.1 -k {self._directory} -F"
        self._run(
            "pg_ctl", "-D", f"{self._directory}/data", "-l", f"{self._directory}/log", "-w", "-o", listen, "start"
        )

    def stop(self) -> None:
        """Every connection is cut."""
        self._run("pg_ctl", "-D", f"{self._directory}/data", "-w", "-m", "immediate", "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"store{next(_names)}"
        server = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "ccserver")
        self._run("createdb", *server, "-T", "template0", name)
        return f"postgresql://ccserver@127.0.0.1:{self.port}/{name}"


def _programs() -> Path | None:
    """Where the server's programs are: on Debian not in PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [*debian, *map(Path, os.get_exec_path())]
    needed = ("initdb", "pg_ctl", "postgres", "createdb")
    return next((place for place in places if all((place / program).exists() for program in needed)), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server, or a skipped test."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    # Not tmp_path: its parents are root's own, and a socket's path must be short.
    directory = Path(tempfile.mkdtemp(prefix="ccserver-pg-"))
    server = PostgresServer(programs, directory)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(directory)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()
