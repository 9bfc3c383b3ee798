"""A disk that is really full, under a contact centre that really serves: an alarm tells, calls go on, and nothing is lost."""

import asyncio
import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ccserver.replay import replay
from ccserver.sim.phones import Call, PhoneLibrary
from ccserver.sim.phones.tones import carries, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments

IMPATIENT = str(Path(__file__).with_name("impatient_daemon.py"))


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own, with room for a contact centre; its path is short because Asterisk has a socket there."""
    directory = tmp_path_factory.mktemp("disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(directory)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(disk: Path) -> Path:
    """Not a byte is left; returns the file to remove."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, max(1, os.statvfs(disk).f_bavail * 4096 - (1 << 20)))
        file.seek(0, os.SEEK_END)
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return ballast


async def talking(centre: Centre) -> tuple[Call, Call]:
    """A customer and an operator who hear each other."""
    caller = await centre.waiting("1")
    (phone,) = centre._phones[:1]
    answered = await phone.wait_call(15)
    await answered.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await answered.hears(CALLER_HZ)
    return caller, answered


async def alarms(centre: Centre, *names: str) -> dict[str, str]:
    """The messages by name, as soon as all of these are raised."""

    def raised(status: dict[str, Any]) -> dict[str, str] | None:
        told = {alarm["name"]: alarm["message"] for alarm in status["alarms"]}
        return told if told.keys() >= set(names) else None

    return await centre.until(raised, 30)


async def none_of(centre: Centre, *names: str) -> None:
    """Wait until these are over."""

    def over(status: dict[str, Any]) -> bool:
        return not {alarm["name"] for alarm in status["alarms"]} & set(names)

    await centre.until(over, 30)


async def healthz(centre: Centre) -> tuple[int, str]:
    async with centre.http.get(f"{centre.url}/healthz") as response:
        return response.status, " ".join((await response.json())["reasons"])


def turns(centre: Centre) -> list[int]:
    """The numbers of all turns in the journal."""
    with closing(sqlite3.connect(centre.state_dir / "journal.sqlite")) as journal:
        return [seq for (seq,) in journal.execute("select seq from turn order by seq")]


async def test_with_the_state_directory_full_calls_go_on_and_the_journal_catches_up(
    small_disk: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(small_disk, library, prompts_dir, run=False) as centre:
        await centre.start(program=(IMPATIENT,))
        await centre.operator("1001")
        caller, answered = await talking(centre)
        await answered.hears_for(2)

        ballast = fill(small_disk)
        await caller.hangup()
        await answered.wait_gone()
        told = await alarms(centre, "journal", "archive")
        assert "disk is full" in told["journal"]
        assert "no space left" in told["archive"]
        status, reasons = await healthz(centre)
        assert status == 503
        assert "disk is full" in reasons

        await centre.agent("1001", "ready", timeout_s=30)
        caller, answered = await talking(centre)
        await answered.hears_for(1)
        await caller.hangup()
        await answered.wait_gone()
        await centre.agent("1001", "ready", timeout_s=30)

        ballast.unlink()
        await none_of(centre, "journal", "store", "archive", "upkeep")
        assert (await healthz(centre))[0] == 200
        first, second = await centre.finished(2, recorded=True, timeout_s=30)
        for contact in (first, second):
            assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
        left, right = read_wav(await centre.recording(first, small_disk / "first.wav"))
        assert carries(left, CALLER_HZ)
        assert carries(right, OPERATOR_HZ["1001"])
        assert second["recordings"], "kept or lost, but told"
        assert turns(centre) == list(range(1, len(turns(centre)) + 1))
        assert await centre.stop() == 0
        replayed = await asyncio.to_thread(replay, centre.state_dir / "journal.sqlite")
        assert replayed.same, replayed.text


async def test_a_daemon_that_is_killed_while_the_disk_is_full_starts_again_and_the_talk_goes_on(
    small_disk: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(small_disk, library, prompts_dir) as centre:
        await centre.operator("1001")
        caller, answered = await talking(centre)
        ballast = fill(small_disk)
        await centre.kill()
        await centre.start()
        assert 'event="no snapshot"' in centre.log()
        await centre.contact("talking", agent="1001")
        await caller.hears(OPERATOR_HZ["1001"])
        ballast.unlink()
        await none_of(centre, "journal")
        await caller.hangup()
        await answered.wait_gone()
        (contact,) = await centre.finished()
        assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]


async def test_with_the_disk_of_the_recordings_full_the_raw_files_wait_until_there_is_room(
    tmp_path: Path, small_disk: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        with (centre.config_dir / "ccserver.toml").open("a") as config:
            config.write(f'\n[recordings]\ndirectory = "{small_disk}/kept"\n')
        await centre.start(program=(IMPATIENT,))
        await centre.operator("1001")
        ballast = fill(small_disk)
        caller, answered = await talking(centre)
        await answered.hears_for(2)
        await caller.hangup()
        await answered.wait_gone()

        told = await alarms(centre, "archive", "disk")
        assert "no space left" in told["archive"]
        assert "0 MiB left for recordings" in told["disk"]
        assert (await healthz(centre))[0] == 200
        raw = centre.asterisk.instance.raw_recordings_dir
        assert len(list(raw.glob("*.wav"))) == 2

        ballast.unlink()
        (contact,) = await centre.finished(recorded=True, timeout_s=30)
        left, right = read_wav(await centre.recording(contact, tmp_path / "talk.wav"))
        assert carries(left, CALLER_HZ)
        assert carries(right, OPERATOR_HZ["1001"])
        assert abs(left.duration_s - contact["talk_s"]) < 0.3
        assert not list(raw.glob("*.wav"))
        await none_of(centre, "archive")
