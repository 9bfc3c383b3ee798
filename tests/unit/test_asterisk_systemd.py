"""The units in systemd/, judged by systemd's own checker."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ccserver.config.places import CHECKOUT

UNITS = sorted((CHECKOUT / "systemd").glob("*.service"))
INSTALLED_IN = "/opt/ccserver"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    programs = tmp_path / "installed" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("ccserver", "python"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace(INSTALLED_IN, str(tmp_path / "installed")))
        copies.append(str(copy))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *copies],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in checked.stderr.splitlines() if "ccserver" in line]
    assert (complaints, checked.returncode) == ([], 0)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_keeps_its_state_in_one_place_and_runs_one_installation(unit: Path) -> None:
    text = unit.read_text()
    assert "CCSERVER_STATE=/var/lib/ccserver" in text
    commands = [line.split("=", 1)[1] for line in text.splitlines() if line.startswith("Exec")]
    assert commands
    assert all(command.startswith(f"{INSTALLED_IN}/.venv/bin/") for command in commands)
