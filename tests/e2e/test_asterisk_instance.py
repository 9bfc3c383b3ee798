"""The Asterisk we set up, as it really runs: it boots, keeps to itself and its ports, and outlives whoever started it."""

import asyncio
import os
import re
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from asterisk_calls import Ari, booted, committed_keys, until
from asterisk_instance import DIALPLANS_DIR, asterisk_instance, asterisk_root, make_instance

from ccserver.asterisk import process
from ccserver.asterisk.errors import AlreadyRunning, NotRunning, PathRefused, PortTaken, StartFailed
from ccserver.asterisk.render import default_templates_dir, prepare
from ccserver.config.places import CHECKOUT


async def test_it_boots_without_a_complaint_and_has_every_module_it_was_told_to_load(tmp_path: Path) -> None:
    async with booted(tmp_path) as (asterisk, ari):
        assert await ari("GET", "asterisk/ping")
        assert [line for line in asterisk.log().splitlines() if "ERROR" in line or "WARNING" in line] == []
        assert asterisk.instance.console_log_path.read_text() == ""
        wanted = {
            line.split("=")[1].split(";")[0].strip()
            for line in (default_templates_dir() / "modules.conf").read_text().splitlines()
            if line.startswith(("load =", "require ="))
        }
        shown = (await asterisk.cli("module show")).splitlines()
        running = {line.split()[0] for line in shown if "Running" in line and "Not Running" not in line}
        assert wanted - running == set()


async def test_http_and_ami_listen_on_loopback_and_sip_where_it_was_told_to(tmp_path: Path) -> None:
    async with booted(tmp_path) as (asterisk, _):
        ask = await asyncio.create_subprocess_exec("ss", "-Hlntup", stdout=asyncio.subprocess.PIPE)
        shown = (await ask.communicate())[0].decode()
        own = [line.split() for line in shown.splitlines() if f"pid={asterisk.pid}," in line]
        ports = asterisk.instance
        tcp = {fields[4] for fields in own if fields[0] == "tcp"}
        assert tcp == {f"127.0.0.1:{ports.http_port}", f"127.0.0.1:{ports.ami_port}"}
        # Beside SIP there are two sockets on ephemeral ports, from which the SIP library asks name servers.
        udp = {fields[4] for fields in own if fields[0] == "udp"}
        assert f"127.0.0.1:{ports.sip_port}" in udp
        assert len(udp) <= 3


async def test_two_instances_run_side_by_side_on_one_root_and_leave_no_trace_in_it(tmp_path: Path) -> None:
    root = asterisk_root()
    before = sorted(root.path.iterdir()), sorted((root.path / "mnt").iterdir())
    async with booted(tmp_path / "a") as (first, first_ari), booted(tmp_path / "b") as (second, second_ari):
        assert first.pid != second.pid
        assert await first_ari("GET", "asterisk/ping")
        assert await second_ari("GET", "asterisk/ping")
        await first.kill()
        assert second.running
        assert await second_ari("GET", "asterisk/ping")
        assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert (sorted(root.path.iterdir()), sorted((root.path / "mnt").iterdir())) == before


async def test_it_sees_a_configuration_below_etc_where_production_has_it(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may write to /etc")
    place = Path(tempfile.mkdtemp(prefix="ccserver-test-", dir="/etc"))
    try:
        dialplans = shutil.copytree(DIALPLANS_DIR, place / "dialplans")
        (dialplans / "here.conf").write_text("[seen-below-etc]\nexten => 1,1,Hangup()\n")
        async with asterisk_instance(tmp_path, dialplans_dir=dialplans) as asterisk:
            assert "[ Context 'seen-below-etc'" in await asterisk.cli("dialplan show seen-below-etc")
            assert not (asterisk.root.path / place.relative_to("/")).exists(), "the shared root is as it was"
    finally:
        shutil.rmtree(place)


async def test_the_rescue_unit_which_is_not_root_may_read_which_process_it_is(tmp_path: Path) -> None:
    async with booted(tmp_path) as (asterisk, _):
        assert asterisk.instance.pid_path.stat().st_mode & 0o777 == 0o644


async def test_it_goes_on_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "state")
    root = asterisk_root()
    secrets = prepare(instance, root, ())
    starter = (
        "import sys, time; from pathlib import Path; from ccserver.asterisk import process;"
        "from ccserver.asterisk.root import find_root; from ccserver.asterisk.secrets import load_secrets;"
        "from ccserver.asterisk.settings import load_instance; state = Path(sys.argv[1]);"
        "print(process.start(load_instance(state), find_root(), load_secrets(state)), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", starter, str(instance.state_dir)]
    daemon = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=CHECKOUT)
    assert daemon.stdout is not None
    pid = int(await daemon.stdout.readline())
    daemon.kill()
    await daemon.communicate()
    try:
        assert process.status(instance, secrets) == process.Status(pid=pid, answering=True)
        with pytest.raises(AlreadyRunning, match=f"already running, pid {pid}"):
            process.start(instance, root, secrets)
    finally:
        process.stop(instance)
    assert process.running_pid(instance) is None
    with pytest.raises(NotRunning, match="is not running"):
        process.stop(instance)


@pytest.mark.parametrize(
    ("field", "kind", "message"),
    [
        ("http_port", socket.SOCK_STREAM, r"tcp port {} on 127\.0\.0\.1 is taken: .* change asterisk\.http_port"),
        ("ami_port", socket.SOCK_STREAM, r"tcp port {} on 127\.0\.0\.1 is taken: .* change asterisk\.ami_port"),
        ("sip_port", socket.SOCK_DGRAM, r"udp port {} on 127\.0\.0\.1 is taken: .* change asterisk\.sip_port"),
    ],
)
async def test_a_port_that_is_taken_is_named_with_its_key_and_nothing_is_started(
    tmp_path: Path, field: str, kind: socket.SocketKind, message: str
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        instance = make_instance(tmp_path / "state", **{field: port})
        secrets = prepare(instance, asterisk_root(), ())
        with pytest.raises(PortTaken, match=message.format(port)):
            process.start(instance, asterisk_root(), secrets)
        assert not instance.pid_path.exists()


async def test_a_required_module_that_is_missing_is_named_when_it_does_not_start(tmp_path: Path) -> None:
    templates = tmp_path / "asterisk-conf"
    templates.mkdir()
    for path in default_templates_dir().glob("*.conf"):
        (templates / path.name).write_text(path.read_text())
    with (templates / "modules.conf").open("a") as file:
        file.write("require = res_telepathy.so\n")
    instance = make_instance(tmp_path / "state")
    root = asterisk_root()
    secrets = prepare(instance, root, (), templates)
    with pytest.raises(StartFailed, match=r"ended while starting: .*res_telepathy\.so.*messages\.log"):
        process.start(instance, root, secrets)
    assert process.running_pid(instance) is None


async def test_a_state_directory_too_deep_for_a_unix_socket_is_refused_before_the_start(tmp_path: Path) -> None:
    instance = make_instance(tmp_path / ("deep" * 25) / "state")
    root = asterisk_root()
    secrets = prepare(instance, root, ())
    with pytest.raises(PathRefused, match="longer than 107 bytes, move the state directory up"):
        process.start(instance, root, secrets)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to someone else")
async def test_it_runs_as_the_owner_of_the_state_directory(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    state_dir.mkdir(mode=0o700)
    os.chown(state_dir, 65534, 65534)
    async with booted(tmp_path) as (asterisk, ari):
        assert await ari("GET", "asterisk/ping")
        owners = [
            line for line in Path(f"/proc/{asterisk.pid}/status").read_text().splitlines() if line[:3] in ("Uid", "Gid")
        ]
        assert [line.split()[1:] for line in owners] == [["65534"] * 4] * 2
        assert "ERROR" not in asterisk.log()


async def push(ari: Ari, **objects: dict[str, str]) -> None:
    """PJSIP objects of operator 1001 by type, as the daemon pushes them."""
    for kind, values in objects.items():
        fields = [{"attribute": key, "value": value} for key, value in values.items()]
        await ari("PUT", f"asterisk/config/dynamic/res_pjsip/{kind}/1001", fields=fields)


AUTH = {"auth_type": "userpass", "username": "1001", "password": "first"}
# Without `allow` the object is accepted, and cannot be read back after a restart.
ENDPOINT = {"aors": "1001", "auth": "1001", "context": "operators", "transport": "udp", "allow": "!all,alaw"}


async def test_an_operator_pushed_over_ari_is_still_there_after_kill_9(tmp_path: Path) -> None:
    async with booted(tmp_path) as (asterisk, ari):
        await push(ari, auth=AUTH, aor={"max_contacts": "1"}, endpoint=ENDPOINT)
        # Asterisk commits its database once a second: what is younger than that does not survive.
        database = asterisk.instance.db_dir / "astdb.sqlite3"
        wanted = {f"/ccserver_{kind}/{kind}/1001" for kind in ("auth", "aor", "endpoint")}
        await until(database.parent, lambda: wanted <= committed_keys(database))
        await asterisk.kill()
        assert not asterisk.running
        await asterisk.start()
        assert "InAuth:  1001/1001" in await asterisk.cli("pjsip show endpoints")


async def test_a_change_to_an_operator_is_seen_at_once_and_so_is_his_leaving(tmp_path: Path) -> None:
    async with booted(tmp_path) as (asterisk, ari):
        await push(ari, auth=AUTH, aor={"max_contacts": "1"}, endpoint=ENDPOINT)
        assert re.search(r"^ password +: first$", await asterisk.cli("pjsip show auth 1001"), re.MULTILINE)
        await push(ari, auth={**AUTH, "password": "second"})
        assert re.search(r"^ password +: second$", await asterisk.cli("pjsip show auth 1001"), re.MULTILINE)
        for kind in ("endpoint", "aor", "auth"):
            await ari("DELETE", f"asterisk/config/dynamic/res_pjsip/{kind}/1001")
            assert "Unable to find object 1001" in await asterisk.cli(f"pjsip show {kind} 1001")


async def test_a_service_manager_is_told_when_it_is_ready(tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "state")
    prepare(instance, asterisk_root(), ())
    notify_path = tmp_path / "manager" / "notify"
    notify_path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notify_path))
        manager.settimeout(30)
        command = [sys.executable, "-m", "ccserver.asterisk.cli", "exec"]
        environ = {**os.environ, "NOTIFY_SOCKET": str(notify_path), "CCSERVER_STATE": str(instance.state_dir)}
        service = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, env=environ)
        try:
            while b"READY=1" not in await asyncio.to_thread(manager.recv, 4096):
                pass
            assert process.running_pid(instance) == service.pid
        finally:
            service.terminate()
            assert await service.wait() == 0
