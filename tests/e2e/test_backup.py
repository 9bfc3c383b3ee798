"""Backups as a person makes and uses them: on the command line, beside a contact centre that serves."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments
from tests.e2e.installation import Installation
from tests.store_databases import PostgresServer, postgres
from tests.store_truth import caught_up, unlike

__all__ = ["postgres"]

UNAVAILABLE, LOCKED = 69, 75
ANSWERED = [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]


@pytest.fixture
def mine(tmp_path: Path) -> Installation:
    (tmp_path / "mine").mkdir()
    return Installation.new(tmp_path / "mine").prepare()


def test_a_backup_makes_another_machine_this_one(mine: Installation, tmp_path: Path) -> None:
    made = mine.done("backup", str(tmp_path))
    (file,) = tmp_path.glob("ccserver-cc1-*.tar.gz")
    assert made.startswith(f"{file}: ") and "whoever has this backup has the passwords" in made
    assert file.stat().st_mode & 0o777 == 0o600
    assert "it is whole" in mine.done("restore", str(file), "--check")
    other = replace(mine, root=tmp_path / "other")
    told = other.done("restore", str(file))
    assert "  store          0 contacts" in told and "now: ccserver doctor" in told
    assert other.secrets.read_bytes() == mine.secrets.read_bytes()
    assert set(other.doctor()) == set(mine.doctor())
    line = other.ccserver("restore", str(file)).err
    assert re.search(rf"already there: .*{re.escape(str(other.secrets))}.* \(--replace puts the backup", line)
    assert not list(tmp_path.rglob("*.restoring"))


def test_what_is_no_backup_and_a_place_that_cannot_be_written_are_one_line_each(
    mine: Installation, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_text("no tar")
    assert mine.refused(UNAVAILABLE, "restore", str(foreign)).startswith(f"{foreign}: it is no backup of ccserver")
    told = mine.refused(UNAVAILABLE, "backup", str(tmp_path / "nowhere" / "b.tar.gz"))
    assert "the backup cannot be written: No such file or directory" in told
    file = str(tmp_path / "some.tar.gz")
    mine.done("backup", file)
    wrong = mine.ccserver("restore", file, "--store", "mysql://x")
    assert (wrong.code, "--store: expected sqlite:///<path> or postgresql://" in wrong.err) == (1, True)


async def ccserver(centre: Centre, *words: str, code: int = 0) -> str:
    """The command line, with the centre's configuration and state."""
    ended = await asyncio.to_thread(Installation(centre.config_dir.parent).ccserver, *words)
    assert ended.code == code, ended
    return ended.out + ended.err


async def talking(centre: Centre, phone: Phone) -> tuple[Call, Call]:
    await centre.agent("1001", "ready")
    caller = await centre.waiting("1")
    answered = await phone.wait_call(10)
    await answered.wait_up()
    await hear_each_other(caller, answered)
    return caller, answered


async def hear_each_other(caller: Call, answered: Call) -> None:
    await caller.hears(OPERATOR_HZ["1001"])
    await answered.hears(CALLER_HZ)


async def ended(caller: Call, answered: Call) -> None:
    await caller.hangup()
    await answered.wait_gone()


async def test_a_talk_goes_on_over_the_loss_of_the_disk_and_the_restore_of_a_backup_made_under_it(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir) as centre:
        phone = await centre.operator("1001")
        await ended(*await talking(centre, phone))
        talk = await talking(centre, phone)
        file = str(tmp_path / "b.tar.gz")
        await ccserver(centre, "backup", file)
        assert "in use by process" in await ccserver(centre, "restore", file, "--replace", code=LOCKED)
        await centre.kill()
        for path in centre.state_dir.glob("*.sqlite*"):
            path.unlink()
        await ccserver(centre, "restore", file, "--only", "store", "journal")
        await centre.start()
        await centre.agent("1001", "talking")
        await hear_each_other(*talk)
        await ended(*talk)
        assert [segments(contact) for contact in await centre.finished(2)] == [ANSWERED] * 2
        await ended(*await talking(centre, phone))
        assert [segments(contact) for contact in await centre.finished(3)] == [ANSWERED] * 3
        assert "Traceback" not in centre.log()


async def test_from_sqlite_to_postgresql_without_losing_a_row_or_a_call(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, postgres: PostgresServer
) -> None:
    url = postgres.new_database(role=postgres.new_role())
    async with contact_centre(tmp_path, library, prompts_dir) as centre:
        phone = await centre.operator("1001")
        await ended(*await talking(centre, phone))
        file = str(tmp_path / "rows.tar.gz")
        await ccserver(centre, "backup", file, "--only", "store")
        await ended(*await talking(centre, phone))
        told = await ccserver(centre, "restore", file, "--only", "store", "--store", url)
        assert f"now say so in {centre.config_dir}/ccserver.toml: [store] url" in told
        talk = await talking(centre, phone)
        with (centre.config_dir / "ccserver.toml").open("a") as main:
            main.write(f'\n[store]\nurl = "{url}"\n')
        old = centre.daemon
        assert old is not None
        await centre.spawn("--takeover")
        assert await old.wait() == 0
        await centre.serving()
        await hear_each_other(*talk)
        await ended(*talk)
        assert [segments(contact) for contact in await centre.finished(3, recorded=True)] == [ANSWERED] * 3
        await centre.agent("1001", "ready")
        journal = centre.state_dir / "journal.sqlite"
        async with asyncio.timeout(20):
            await caught_up(journal, url, "cc1")
        assert await centre.stop() == 0
        wrong = [line async for line in unlike(journal, url, centre.asterisk.instance.cel_path, "cc1")]
        assert not wrong, "\n".join(wrong)
