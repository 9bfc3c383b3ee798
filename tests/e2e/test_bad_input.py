"""Everything that can be wrong before calls are served: one clear line, the documented exit code, and nothing half-started.

What a person gets wrong while calls go on is at the end: prompts that nobody built, an Asterisk that comes late, events that
make no sense.
"""

import asyncio
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from asterisk_instance import free_port

from ccserver.sim.phones import PhoneLibrary
from ccserver.store.lock import JournalLock
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments
from tests.e2e.installation import Installation, taken
from tests.e2e.meddler import meddler

UNAVAILABLE, LOCKED, MISCONFIGURED = 69, 75, 78
TELLS_MORE = r" \(`ccserver doctor` tells more\)"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Everything is right, and nothing runs."""
    return Installation.new(tmp_path_factory.mktemp("prepared")).prepare()


@pytest.fixture
def mine(prepared: Installation, tmp_path: Path) -> Installation:
    """The same, for one test to break."""
    return prepared.copy(tmp_path)


# --- the configuration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        ("ccserver.toml", 'queues = ["orders", ', 'queues = ["ordres", ', r'operators\[0\]\.queues\[0\]: .*"ordres".*'),
        ("ccserver.toml", "target_s = 20", 'target_s = "soon"', r"queues\[0\]\.target_s: expected .*"),
        ("nordlis.toml", 'next = "menu"', 'next = "mneu"', r'steps\.greeting\.next: there is no step "mneu".*"menu".*'),
        ("nordlis.toml", 'do = "menu"', 'do = "men"', r"steps\.menu\.do: expected .*"),
    ],
)
def test_a_wrong_value_is_told_with_its_file_line_and_field(
    mine: Installation, file: str, right: str, wrong: str, told: str
) -> None:
    line = mine.change(file, right, wrong)
    place = rf"{re.escape(str(mine.config_dir / file))}:{line}: {told}"
    for command in (["run"], ["asterisk", "start"]):
        assert re.fullmatch(place, mine.refused(MISCONFIGURED, *command))
    checked = mine.ccserver("check")
    assert checked.code == MISCONFIGURED
    assert re.fullmatch(place, checked.err.strip())


def test_a_configuration_that_is_not_there_is_named(mine: Installation) -> None:
    shutil.rmtree(mine.config_dir)
    assert mine.refused(MISCONFIGURED, "run") == f"{mine.config_dir}: there is no such file"
    assert mine.refused(MISCONFIGURED, "--config", "/nowhere", "run") == "/nowhere: there is no such file"


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("[broken", r":\d+:\d+: not valid TOML: .*"),
        ("\n[Wrong_Name]\nru = 'да'\nen = 'yes'\n", r":\d+: \[Wrong_Name\]: expected a prompt's name in kebab-case.*"),
        ("\n[some-name]\nru = 'да'\n", r":\d+: \[some-name\]: the text en = .* is missing"),
    ],
)
def test_a_damaged_prompts_toml_is_found_before_anything_starts(mine: Installation, added: str, told: str) -> None:
    prompts = mine.config_dir / "prompts.toml"
    named = re.search(r'(?m)^file = "(.+)"', (mine.config_dir / "ccserver.toml").read_text())
    assert named is not None
    prompts.write_text(Path(named[1]).read_text() + added)
    mine.change("ccserver.toml", named[0], 'file = "prompts.toml"')
    (mine.config_dir / "prompts.toml").rename(mine.config_dir / "prompts")  # *.toml beside it would be flows
    mine.change("ccserver.toml", 'file = "prompts.toml"', 'file = "prompts"')
    place = re.escape(str(mine.config_dir / "prompts")) + told
    assert re.fullmatch(place + rf"({TELLS_MORE})?", mine.refused(MISCONFIGURED, "run"))
    checked = mine.ccserver("check")
    assert checked.code == MISCONFIGURED
    assert re.fullmatch(rf"(ccserver: )?{place}({TELLS_MORE})?", checked.err.strip())


# --- ports, Asterisk, passwords ----------------------------------------------------------------------------------------


def test_a_taken_port_of_the_api_is_named(mine: Installation) -> None:
    line = mine.refused(UNAVAILABLE, "run", under=taken(mine.api_port))
    assert re.fullmatch(rf"cannot listen on 127\.0\.0\.1:{mine.api_port}: the port is taken{TELLS_MORE}", line)


@pytest.mark.parametrize(
    ("key", "kind", "protocol"),
    [
        ("http_port", socket.SOCK_STREAM, "tcp"),
        ("ami_port", socket.SOCK_STREAM, "tcp"),
        ("sip_port", socket.SOCK_DGRAM, "udp"),
    ],
)
def test_a_taken_port_of_asterisk_is_named_with_the_setting_that_chose_it(
    mine: Installation, key: str, kind: socket.SocketKind, protocol: str
) -> None:
    mine.done("asterisk", "render")
    port = mine.ports[key]
    line = mine.refused(UNAVAILABLE, "asterisk", "start", under=taken(port, kind))
    taken_line = f"{protocol} port {port} on 127.0.0.1 is taken: stop the other program or change asterisk.{key}"
    assert line.startswith(taken_line)
    with taken(port, kind):
        assert "stop it, or edit" in mine.doctor()["ports"]


def test_where_there_is_no_asterisk_the_script_that_gets_one_is_named(mine: Installation, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    line = mine.refused(UNAVAILABLE, "asterisk", "start", CCSERVER_ASTERISK_ROOT=str(empty))
    assert line.startswith(f"no Asterisk in {empty}: run script/asterisk-root")


def test_an_asterisk_that_is_too_old_is_not_started(mine: Installation, tmp_path: Path) -> None:
    root = tmp_path / "root"
    linked = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    for file in ["/bin/sh", *re.findall(r"(/\S+) \(0x", linked)]:
        (root / file[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / file[1:])
    program = root / "usr/sbin/asterisk"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho Asterisk 20.11.1\n")
    program.chmod(0o755)
    line = mine.refused(UNAVAILABLE, "asterisk", "start", CCSERVER_ASTERISK_ROOT=str(root))
    assert line.startswith(f"Asterisk 20.11.1 in {root} is too old, 22.10 or newer is needed: run script/asterisk-root")


@contextmanager
def another_asterisk(port: int, version: str) -> Iterator[None]:
    """As much of ARI as there is before anybody calls, by an Asterisk of this version."""

    async def info(_: web.Request) -> web.Response:
        began = "2026-01-01T00:00:00.000+0000"
        status = {"startup_time": began, "last_reload_time": began}
        return web.json_response({"system": {"version": version, "entity_id": "x"}, "status": status})

    async def application(request: web.Request) -> web.Response:
        lists = ("channel_ids", "bridge_ids", "endpoint_ids", "device_names", "events_allowed", "events_disallowed")
        return web.json_response({"name": request.match_info["name"], **{name: [] for name in lists}})

    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/ari/asterisk/info", info)
        app.router.add_get("/ari/events", events)
        app.router.add_get("/ari/applications/{name}", application)
        app.router.add_put("/ari/applications/{name}/eventFilter", application)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        started.set()
        await asyncio.to_thread(over.wait)
        await runner.cleanup()

    started, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_running_asterisk_that_is_too_old_is_refused(mine: Installation) -> None:
    with another_asterisk(mine.ports["http_port"], "20.11.1"):
        line = mine.ccserver("run").line(UNAVAILABLE)
        assert mine.doctor()["ari"] == "script/setup"
    told = rf"node cc1: Asterisk 20\.11\.1 is too old, 22\.10 or newer is needed: run script/setup{TELLS_MORE}"
    assert re.fullmatch(told, line)
    mine.nothing_runs()


def test_a_wrong_password_is_told_and_the_doctors_command_mends_it_without_ending_a_call(mine: Installation) -> None:
    with mine.asterisk():
        text = mine.secrets.read_text()
        mine.secrets.write_text(re.sub(r'(?m)^(a[rm]i_password = ")', r"\1x", text))
        line = mine.ccserver("run").line(MISCONFIGURED)
        assert re.match(r"GET /events\?\S+: 401 .*: check user, password", line)
        wrong = mine.doctor()
        assert wrong["ari"] == wrong["ami"] == "ccserver asterisk render && ccserver asterisk console core reload"
        process = (mine.state_dir / "asterisk/run/ccserver-asterisk.pid").read_text()
        mine.mend(wrong["ari"])
        wrong = mine.doctor()
        assert "ari" not in wrong
        assert "ami" not in wrong
        assert f"pid {process.strip()}, and answers" in mine.done("asterisk", "status")


# --- what is kept in the state directory -------------------------------------------------------------------------------


def spoil(path: Path) -> None:
    """Another program's bytes in its place."""
    path.write_bytes(b"\xff\xfe not at all what it was" * 500)


@pytest.mark.parametrize(
    ("breaking", "told"),
    [
        (lambda path: path.unlink(), "no secrets yet, they are made by: ccserver asterisk render"),
        (lambda path: path.write_text("ari_password = = "), "Invalid value .*"),
        (lambda path: path.write_text(re.sub(r"(?m)^api_token.*", "", path.read_text())), "api_token missing, .*"),
        (lambda path: path.write_text('colour = "red"'), ".*unknown field.*"),
        (spoil, ".*can't decode byte.*"),
    ],
    ids=["missing", "not TOML", "half", "another file", "binary"],
)
def test_secrets_that_cannot_be_used_are_mended_by_what_the_doctor_says(
    mine: Installation, breaking: Callable[[Path], object], told: str
) -> None:
    breaking(mine.secrets)
    line = mine.refused(MISCONFIGURED, "run")
    assert re.fullmatch(rf"{re.escape(str(mine.secrets))}: {told}{TELLS_MORE}", line), line
    mine.mend(mine.doctor()["secrets"])
    assert "secrets" not in mine.doctor()


def test_a_second_daemon_is_told_who_was_first_and_how_to_take_over(mine: Installation) -> None:
    with JournalLock(mine.journal):
        line = mine.ccserver("run").line(LOCKED)
    assert re.fullmatch(
        rf"{re.escape(str(mine.journal))} is in use by process \d+: stop it, or take over from it with `ccserver run --takeover`",
        line,
    )
    mine.nothing_runs()


def change(database: Path, statement: str) -> None:
    """What another version, or a vandal, has written."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def test_a_store_of_a_newer_version_is_not_touched(mine: Installation) -> None:
    change(mine.store, "update alembic_version set version_num = '0099'")
    told = rf"store sqlite:///\S+ has schema 99, this ccserver knows \d+: install the newer ccserver again{TELLS_MORE}"
    assert re.fullmatch(told, mine.refused(UNAVAILABLE, "migrate"))
    assert mine.doctor()["store"] == "install the newer ccserver again"


def test_a_store_without_tables_is_made_by_migrate(mine: Installation) -> None:
    mine.store.unlink()
    assert mine.doctor()["store"] == "ccserver migrate"
    mine.mend("ccserver migrate")
    assert "store" not in mine.doctor()


def test_a_damaged_store_is_put_aside_by_what_the_doctor_says(mine: Installation) -> None:
    spoil(mine.store)
    assert "file is not a database" in mine.refused(UNAVAILABLE, "migrate")
    mend = mine.doctor()["store"]
    assert mend == f"mv {mine.store} {mine.store}.broken && ccserver migrate    # and look for a backup"
    mine.mend(mend)
    assert "store" not in mine.doctor()


@pytest.mark.parametrize(
    ("breaking", "told"),
    [
        (spoil, "file is not a database"),
        (lambda path: change(path, "update meta set value = 'new' where key = 'version'"), "a row is damaged: .*"),
        (lambda path: change(path, "insert into live values ('contact', 'x', x'7b7d')"), "a row is damaged: .*"),
        (lambda path: change(path, "drop table meta"), "it is another program's database"),
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), "database disk image is malformed"),
    ],
    ids=["spoilt", "version", "row", "another program's", "cut off"],
)
def test_a_damaged_journal_is_put_aside_by_what_the_doctor_says(
    mine: Installation, breaking: Callable[[Path], object], told: str
) -> None:
    breaking(mine.journal)
    line = mine.refused(UNAVAILABLE, "run")
    assert re.fullmatch(rf"{re.escape(str(mine.journal))}: the journal cannot be read: {told}{TELLS_MORE}", line), line
    mine.mend(mine.doctor()["journal"])
    assert "journal" not in mine.doctor()
    assert not mine.journal.exists()


def test_a_journal_of_a_newer_version_is_not_touched(mine: Installation) -> None:
    change(mine.journal, "update meta set value = '99' where key = 'version'")
    told = rf"journal \S+ has schema 99, this ccserver knows 1: install the newer ccserver again{TELLS_MORE}"
    assert re.fullmatch(told, mine.refused(UNAVAILABLE, "run"))
    assert re.fullmatch(told, mine.refused(UNAVAILABLE, "replay"))
    assert mine.doctor()["journal"] == "install the newer ccserver again"


def test_a_state_directory_that_cannot_be_written_is_named(mine: Installation) -> None:
    subprocess.run(["mount", "--bind", mine.state_dir, mine.state_dir], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", mine.state_dir], check=True)
        for command in (["run"], ["asterisk", "start"], ["prompts", "build"]):
            line = mine.ccserver(*command).line(MISCONFIGURED if command[0] == "prompts" else UNAVAILABLE)
            assert re.match(rf"{re.escape(str(mine.state_dir))}/\S+: .*Read-only file system", line)
        assert mine.doctor()["state"] == "run ccserver as its owner, on a file system that can be written"
    finally:
        subprocess.run(["umount", mine.state_dir], check=True)


def test_a_state_directory_that_cannot_be_made_is_named(mine: Installation) -> None:
    shutil.rmtree(mine.state_dir)
    mine.state_dir.write_text("a file")
    assert mine.ccserver("migrate").line(UNAVAILABLE).startswith(f"{mine.state_dir}: exists and is no directory")
    assert mine.ccserver("run").line(MISCONFIGURED).startswith(f"{mine.secrets}: Not a directory")
    assert mine.doctor()["state"] == "set CCSERVER_STATE"


def test_a_place_for_recordings_that_cannot_be_made_is_named(mine: Installation) -> None:
    (mine.root / "disk").write_text("a file")
    with (mine.config_dir / "ccserver.toml").open("a") as file:
        file.write(f'\n[recordings]\ndirectory = "{mine.root}/disk/recordings"\n')
    line = mine.refused(UNAVAILABLE, "run")
    assert line.startswith(f"{mine.root}/disk/recordings: cannot make this directory: Not a directory")


# --- while calls go on -------------------------------------------------------------------------------------------------


async def health(centre: Centre) -> tuple[int, list[str]]:
    """Of a daemon that has opened its port."""
    async with centre.http.get(f"{centre.url}/healthz") as response:
        return response.status, (await response.json())["reasons"]


async def alarm(centre: Centre, name: str, message: str) -> None:
    """Wait until it is raised with a message that matches."""

    def raised(status: dict[str, Any]) -> bool:
        return any(told["name"] == name and re.fullmatch(message, told["message"]) for told in status["alarms"])

    await centre.until(raised, 20)


async def no_alarm(centre: Centre, name: str) -> None:
    """Wait until it is gone."""
    await centre.until(lambda status: name not in [told["name"] for told in status["alarms"]], 30)


async def talk(centre: Centre) -> None:
    """A customer reaches an operator, and they hear each other."""
    phone = await centre.operator("1001")
    caller = await centre.waiting("1")
    answered = await phone.wait_call(10)
    await answered.wait_up()
    await caller.hears(OPERATOR_HZ["1001"])
    await answered.hears(CALLER_HZ)
    await caller.hangup()


async def test_a_daemon_whose_asterisk_is_away_waits_and_says_so_once_and_serves_when_it_comes(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        await centre.asterisk.kill()
        await centre.spawn(program=("-m", "ccserver", "--debug", "run"))
        async with asyncio.timeout(20):
            while centre.log().count("ari not connected") < 4:  # noqa: ASYNC110 - only its log tells of an attempt
                await asyncio.sleep(0.05)
        assert await health(centre) == (503, ["no Asterisk has been connected yet"])
        told = [line for line in centre.log().splitlines() if "level=debug" not in line and "not connected" in line]
        assert len(told) == 1, "the first time is a warning, the rest is for --debug"
        await centre.asterisk.start()
        await centre.serving()
        assert await health(centre) == (200, [])
        await talk(centre)
        (contact,) = await centre.finished()
        assert contact["outcome"] == "answered"
        assert "Traceback" not in centre.log()


async def test_a_wrong_password_for_ami_costs_recordings_and_no_call(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        secrets = centre.state_dir / "secrets.toml"
        secrets.write_text(re.sub(r'(?m)^(ami_password = ")', r"\1x", secrets.read_text()))
        await centre.start()
        await talk(centre)
        await alarm(centre, "recording", "AMI does not answer or refuses the password: talks are not recorded")
        (contact,) = await centre.finished(recorded=True)
        assert (contact["outcome"], contact["recording"]) == ("answered", None)
        assert contact["recordings"][0]["lost"]
        assert "Traceback" not in centre.log()


async def test_without_built_prompts_an_alarm_says_what_to_run_and_callers_still_reach_an_operator(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    async with contact_centre(tmp_path, library, nothing) as centre:
        told = r"\d+ prompts are not built, callers hear silence instead: run `ccserver prompts build`"
        await alarm(centre, "prompts", told)
        assert centre.log().count("prompts missing") == 1
        await talk(centre)
        (contact,) = await centre.finished()
        assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
        shutil.copytree(prompts_dir, centre.asterisk.instance.prompts_dir, dirs_exist_ok=True)
        await no_alarm(centre, "prompts")


@pytest.mark.parametrize(
    ("breaking", "told", "mend"),
    [
        (spoil, "does not serve: file is not a database", "mv {store} {store}.broken && ccserver migrate"),
        (Path.unlink, r"has no tables yet, this ccserver needs \d+: run `ccserver migrate`", "ccserver migrate"),
    ],
    ids=["damaged", "without tables"],
)
async def test_a_store_that_cannot_be_used_costs_no_call_and_when_it_is_mended_everything_is_there(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, breaking: Callable[[Path], None], told: str, mend: str
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        breaking(centre.state_dir / "store.sqlite")
        await centre.start()
        await alarm(centre, "store", rf"store \S+ {told}")
        assert await health(centre) == (200, [])
        await talk(centre)
        mine = Installation(tmp_path)
        await asyncio.to_thread(mine.mend, mend.format(store=mine.store))
        await no_alarm(centre, "store")
        (contact,) = await centre.finished()
        assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]


def event(kind: str, **fields: object) -> bytes:
    """An event as Asterisk would write it."""
    told = {"type": kind, "application": "ccserver", "timestamp": "2026-01-01T00:00:00.000+0000", **fields}
    return json.dumps(told).encode()


def channel(name: str) -> dict[str, object]:
    """One that Asterisk does not have."""
    return {
        "id": name,
        "name": f"PJSIP/{name}",
        "state": "Up",
        "caller": {"name": "", "number": ""},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {"context": "lines", "exten": "s", "priority": 1, "app_name": "Stasis", "app_data": "x"},
        "creationtime": "2026-01-01T00:00:00.000+0000",
        "language": "ru",
    }


MALFORMED = (
    b"",
    b"not json at all",
    b"[]",
    b"null",
    b"{}",
    b'{"type": 5}',
    b"[" * 100_000,
    b'{"type": "StasisStart", "application": "\xff\xfe"}',
    b'{"type": "StasisStart"}',
    event("ChannelDestroyed", channel="not an object", cause=16),
    event("ChannelDtmfReceived", channel=channel("x"), digit=["1"]),
    event("StasisStart", channel={**channel("x"), "state": None}, args=["line", "88007707999"]),
)
UNKNOWN = (event("CoffeeReady"), event("CoffeeReady", cups=2), event("ChannelTeleported", channel=channel("x")))
SENSELESS = (
    event("StasisStart", channel=channel("1.1"), args=[]),
    event("StasisStart", channel=channel("1.2"), args=["line"]),
    event("StasisStart", channel=channel("1.3"), args=["line", "999"]),
    event("StasisStart", channel=channel("1.4"), args=["agent", "nobody", "nothing"]),
    event("StasisStart", channel=channel("1.5"), args=["tea", "please"]),
    event("StasisEnd", channel=channel("1.6")),
    event("ChannelDestroyed", channel=channel("1.7"), cause=16),
    event("ChannelDtmfReceived", channel=channel("1.8"), digit="Z", duration_ms=100),
    event("ChannelStateChange", channel=channel("1.9")),
    event("PlaybackFinished", playback={"id": "none", "media_uri": "", "target_uri": "channel:1.10", "state": "done"}),
)


async def test_events_that_make_no_sense_are_counted_and_logged_once_and_calls_go_on(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, run=False) as centre:
        port, instance = free_port(), centre.asterisk.instance
        config = centre.config_dir / "ccserver.toml"
        config.write_text(config.read_text().replace(f"http_port = {instance.http_port}", f"http_port = {port}"))
        async with meddler(port, instance.ari_url) as proxy:
            await centre.start()
            phone = await centre.operator("1001")
            caller = await centre.waiting("1")
            answered = await phone.wait_call(10)
            await answered.wait_up()
            for _ in range(2):
                for frame in (*MALFORMED, *UNKNOWN, *SENSELESS):
                    await proxy.say(frame)
                await proxy.say(b"\x00\x01\x02", binary=True)
            for real in list(proxy.heard):
                await proxy.say(real.encode())  # everything that happened, once more
            malformed, unknown = 2 * len(MALFORMED) + 2, 2 * len(UNKNOWN)
            told = (
                f"events of Asterisk: {malformed} malformed, {unknown} of unknown kinds; the log names each kind once"
            )
            await centre.until(lambda status: told in [item["message"] for item in status["alarms"]] or None)
            await caller.hears(OPERATOR_HZ["1001"])
            await answered.hears(CALLER_HZ)
            await caller.hangup()
            (contact,) = [row for row in await centre.finished() if row["agent"] == "1001"]
            assert segments(contact) == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
            assert centre.log().count("event_type=CoffeeReady") == 1
            assert centre.log().count("event_type=StasisStart") == 1
            assert "Traceback" not in centre.log()
            assert await health(centre) == (200, [])
