"""Knowing when a file is finished, though its writer lives in another mount namespace, as Asterisk does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ccserver.audio import closing
from ccserver.audio.errors import RecordingMissing, RecordingOpen

ROOT = Path(__file__).parents[2]
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")


@asynccontextmanager
async def writer(path: Path) -> AsyncIterator[Process]:
    """Another process that sees the file under another name and has it open until its standard input ends."""
    (path.parent / "elsewhere").mkdir()
    steps = ["echo open", "read line", "echo more >&3", "echo written", "read line"]
    script = "; ".join(['mount --bind "$1" "$1/elsewhere"', 'exec 3>>"$1/elsewhere/$2"', *steps])
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-m"]
    arguments = [*unshare, "sh", "-c", script, "sh", str(path.parent), path.name]
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_file_that_nobody_writes_is_closed_at_once(tmp_path: Path) -> None:
    (tmp_path / "leg.wav").write_bytes(b"sound")
    with (tmp_path / "leg.wav").open("rb"):  # readers do not matter
        await closing.wait_closed(tmp_path / "leg.wav", timeout_s=0.001)


async def test_waiting_ends_when_the_last_writer_closes_and_not_when_he_writes(tmp_path: Path) -> None:
    path = tmp_path / "leg.wav"
    path.write_bytes(b"sound")
    async with writer(path) as process, asyncio.TaskGroup() as group:
        assert closing.is_open_for_writing(path) is True
        waiting = group.create_task(closing.wait_closed(path, timeout_s=30), name="waiting")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"write\n")
        assert await process.stdout.readline() == b"written\n"
        with path.open("ab"):  # a second writer, who closes first
            pass
        assert closing.is_open_for_writing(path) is True
        assert not waiting.done()
        process.stdin.close()
        await waiting
    assert path.read_bytes() == b"soundmore\n"


async def test_waiting_ends_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "leg.wav"
    path.write_bytes(b"sound")
    async with writer(path) as process, asyncio.TaskGroup() as group:
        group.create_task(closing.wait_closed(path, timeout_s=30), name="waiting")
        process.kill()


async def test_patience_is_bounded(tmp_path: Path) -> None:
    patience = pytest.raises(RecordingOpen, match=r"leg\.wav: still open for writing after 0\.05 s")
    with (tmp_path / "leg.wav").open("wb"), patience:
        await closing.wait_closed(tmp_path / "leg.wav", timeout_s=0.05)


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingMissing, match=r"leg\.wav: no such recording"):
        await closing.wait_closed(tmp_path / "leg.wav")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@asynccontextmanager
async def waiting_as_nobody(path: Path, quiet_s: float) -> AsyncIterator[Process]:
    """A process without rights over the file, which the system therefore does not tell who has it open."""
    program = (
        "import asyncio, os, pathlib, sys\n"
        "from ccserver.audio import closing\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "closing.QUIET_S = float(sys.argv[2])\n"
        "os.setgid(65534)\n"
        "os.setuid(65534)\n"
        "async def main():\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(closing.wait_closed(path, timeout_s=30))\n"
        "        await asyncio.sleep(0)\n"
        "        print(closing.is_open_for_writing(path), flush=True)\n"
        "asyncio.run(main())\n"
        "print('closed')\n"
    )
    arguments = [sys.executable, "-c", program, str(path), str(quiet_s)]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"None\n"
    yield process
    assert await process.stdout.read() == b"closed\n"
    assert await process.wait() == 0


@only_root
async def test_where_the_system_will_not_tell_a_file_is_finished_when_it_is_closed(public: Path) -> None:
    with (public / "leg.wav").open("wb") as leg:
        async with waiting_as_nobody(public / "leg.wav", quiet_s=60):
            leg.write(b"sound")
            leg.close()


@only_root
async def test_where_the_system_will_not_tell_a_file_is_finished_when_it_stays_as_it_is(public: Path) -> None:
    with (public / "leg.wav").open("wb"):
        async with waiting_as_nobody(public / "leg.wav", quiet_s=0.05):
            pass


def test_looking_does_no_harm_to_us_or_to_a_writer_who_opens_at_that_moment(tmp_path: Path) -> None:
    path = tmp_path / "leg.wav"
    path.touch()
    program = "import os, sys\nfor _ in range(20000): os.close(os.open(sys.argv[1], os.O_WRONLY))"
    with subprocess.Popen([sys.executable, "-c", program, path]) as other:
        looks = [closing.is_open_for_writing(path)]
        while other.poll() is None:
            looks.append(closing.is_open_for_writing(path))
    assert other.returncode == 0
    assert set(looks) <= {True, False}
    assert closing.is_open_for_writing(path) is False
