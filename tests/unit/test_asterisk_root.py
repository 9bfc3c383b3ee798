"""Finding an Asterisk that will do, and refusing what cannot be shown to it."""

from pathlib import Path

import pytest

from ccserver.asterisk.errors import AsteriskMissing, AsteriskTooOld, PathRefused
from ccserver.asterisk.namespace import starting_command
from ccserver.asterisk.root import HOST_ROOT, AsteriskRoot, find_root, inspect_root
from ccserver.asterisk.settings import Instance


def install_asterisk(directory: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program named asterisk at the head of PATH that says it is of this version."""
    program = directory / "asterisk"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_an_installed_asterisk_that_is_new_enough_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_asterisk(tmp_path, "echo Asterisk 22.10.1+dfsg", monkeypatch)
    assert find_root(environ={}) == AsteriskRoot(HOST_ROOT, tmp_path / "asterisk", "22.10.1+dfsg")


@pytest.mark.parametrize("version", ["22.9.3", "20.11.1", "16.28.0~dfsg"])
def test_an_asterisk_that_is_too_old_says_both_versions_and_what_to_run(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_asterisk(tmp_path, f"echo Asterisk {version}", monkeypatch)
    wanted = rf"Asterisk {version} installed here is too old, 22\.10 or newer is needed: run script/asterisk-root"
    with pytest.raises(AsteriskTooOld, match=wanted):
        inspect_root(HOST_ROOT)


def test_a_newer_major_version_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_asterisk(tmp_path, "echo Asterisk 23.0.0", monkeypatch)
    assert inspect_root(HOST_ROOT).version == "23.0.0"


@pytest.mark.parametrize(
    "answer", ["exit 1", "echo Asterisk GIT-master", "echo hello", "echo Asterisk 22.10.1; exit 3"]
)
def test_a_program_that_does_not_say_its_version_is_no_asterisk(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_asterisk(tmp_path, answer, monkeypatch)
    with pytest.raises(AsteriskMissing, match=r"no Asterisk in /: run script/asterisk-root"):
        inspect_root(HOST_ROOT)


def test_a_named_root_without_asterisk_in_it_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(AsteriskMissing, match=rf"no Asterisk in {tmp_path}: run script/asterisk-root"):
        find_root(environ={"CCSERVER_ASTERISK_ROOT": str(tmp_path)})


@pytest.mark.parametrize("hidden", ["/usr/lib", "/etc", "/dev/shm", "/etc/asterisk", "/"])
def test_a_directory_that_asterisk_could_not_see_is_refused(hidden: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "etc" / "asterisk").mkdir(parents=True)
    (tmp_path / "etc" / "asterisk" / "pjsip.conf").touch()
    instance = Instance(state_dir=tmp_path / "state", dialplans_dir=Path(hidden))
    with pytest.raises(PathRefused, match=f"^{hidden}: .* cannot see this directory"):
        starting_command(instance, AsteriskRoot(tmp_path, Path("/usr/sbin/asterisk"), "22.10.1"))


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    instance = Instance(state_dir=tmp_path / "state", dialplans_dir=tmp_path / "dialplans")
    with pytest.raises(PathRefused, match=r"/dialplans: no such directory"):
        starting_command(instance, AsteriskRoot(tmp_path, Path("/usr/sbin/asterisk"), "22.10.1"))
