"""The units in systemd/ and the drop-in that `ccserver asterisk unit` makes, judged by systemd's own checker."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ccserver.asterisk.errors import PathRefused
from ccserver.asterisk.namespace import starting_command
from ccserver.asterisk.root import HOST_ROOT, AsteriskRoot
from ccserver.asterisk.settings import Instance
from ccserver.asterisk.unit import drop_in
from ccserver.config.places import CHECKOUT

UNITS = sorted((CHECKOUT / "systemd").glob("*.service"))
INSTALLED_IN = "/opt/ccserver"
ASTERISK = "/usr/sbin/asterisk"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, installed where their programs are, and a state directory."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("ccserver", "python", "asterisk"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    units = tmp_path / "units"
    units.mkdir()
    for unit in UNITS:
        (units / unit.name).write_text(unit.read_text().replace(INSTALLED_IN, str(tmp_path)))
    for directory in ("state", "dialplans", "root"):
        (tmp_path / directory).mkdir()
    return tmp_path


def instance(installed: Path) -> Instance:
    return Instance(state_dir=installed / "state", dialplans_dir=installed / "dialplans", shown_dirs=(installed,))


def complaints(installed: Path, *, drop_in: str = "") -> list[str]:
    """What systemd-analyze says of the units, with this drop-in for Asterisk's."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: script/setup --tests")
    if drop_in:
        directory = installed / "units" / "ccserver-asterisk.service.d"
        directory.mkdir(exist_ok=True)
        (directory / "root.conf").write_text(drop_in.replace(f"={ASTERISK} ", f"={installed}/.venv/bin/asterisk "))
    checked = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            "--recursive-errors=no",
            *map(str, (installed / "units").glob("*.service")),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = [line for line in checked.stderr.splitlines() if "ccserver" in line]
    assert bool(told) or checked.returncode == 0, checked.stderr
    return told


def test_systemd_finds_no_fault_in_the_units(installed: Path) -> None:
    assert complaints(installed) == []


@pytest.mark.parametrize("own_root", [True, False], ids=["in a root of its own", "installed"])
def test_systemd_finds_no_fault_in_the_drop_in(installed: Path, own_root: bool) -> None:
    root = AsteriskRoot(installed / "root" if own_root else HOST_ROOT, Path(ASTERISK), "22.10.1")
    text = drop_in(instance(installed), root, "daemon", installed / ".venv" / "bin" / "ccserver")
    assert complaints(installed, drop_in=text) == []
    wrong = text.replace("ProtectSystem=strict", "ProtectSystem=strictly")
    assert len(complaints(installed, drop_in=wrong)) == 1, "the checker reads the drop-in"


def test_what_systemd_shows_asterisk_is_what_we_show_it_ourselves(installed: Path) -> None:
    root = AsteriskRoot(installed / "root", Path(ASTERISK), "22.10.1")
    settings = dict(
        line.split("=", 1) for line in drop_in(instance(installed), root, "daemon").splitlines() if "=" in line
    )
    ours = starting_command(instance(installed), root)
    *_, state, resolv, hosts, end_of_files, first, second, end_of_dirs, binary, foreground, option, conf = ours
    assert (end_of_files, end_of_dirs) == ("--", "--")
    assert settings["RootDirectory"] == str(root.path)
    assert settings["BindPaths"] == settings["ReadWritePaths"] == state
    assert settings["BindReadOnlyPaths"].split() == [f"-{resolv}", f"-{hosts}", first, second]
    assert settings["ExecStart"].split() == [binary, foreground, option, conf]


def test_an_installed_asterisk_needs_no_root_but_is_locked_in_as_well(installed: Path) -> None:
    text = drop_in(instance(installed), AsteriskRoot(HOST_ROOT, Path(ASTERISK), "22.10.1"), "daemon")
    assert "RootDirectory" not in text and "resolv.conf" not in text
    assert f"\nReadWritePaths={installed}/state\n" in text and "\nUser=daemon\n" in text


def test_a_directory_that_systemd_could_not_show_is_refused_in_the_same_words(installed: Path) -> None:
    hidden = Instance(state_dir=installed / "state", dialplans_dir=Path("/usr/lib"))
    root = AsteriskRoot(installed / "root", Path(ASTERISK), "22.10.1")
    for ask in (starting_command, lambda instance, root: drop_in(instance, root, "daemon")):
        with pytest.raises(PathRefused, match=r"^/usr/lib: Asterisk in a root of its own cannot see this directory"):
            ask(hidden, root)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_keeps_its_state_in_one_place_and_runs_one_installation(unit: Path) -> None:
    text = unit.read_text()
    assert "CCSERVER_STATE=/var/lib/ccserver" in text
    commands = re.findall(r"(?m)^Exec\w+=(.*)$", text)
    assert commands
    assert all(command.startswith(f"{INSTALLED_IN}/.venv/bin/") for command in commands)
