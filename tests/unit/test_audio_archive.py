"""Raw recordings that belong to nobody."""

import os
import time
from pathlib import Path

import pytest

from ccserver.audio.archive import ORPHAN_AGE_S, SIDES, Archive
from ccserver.core.events import Fact


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    directory = tmp_path / "recordings" / "raw"
    directory.mkdir(parents=True)
    return directory


def leave(raw: Path, recording: str, age_s: float) -> None:
    """What MixMonitor left of a call that long ago."""
    for side in SIDES:
        (raw / f"{recording}{side}").write_bytes(b"RIFF")
        os.utime(raw / f"{recording}{side}", (time.time() - age_s,) * 2)


def archive(raw: Path) -> Archive:
    told: list[Fact] = []
    return Archive(raw.parent, raw, told.append)


def test_only_old_raw_files_of_nobody_are_removed_at_start(raw: Path) -> None:
    leave(raw, "cc1-1.1", ORPHAN_AGE_S + 60)
    leave(raw, "cc1-1.2", ORPHAN_AGE_S + 60)
    leave(raw, "cc1-1.3", ORPHAN_AGE_S - 60)
    (raw / "note.txt").write_text("mine")
    assert archive(raw).sweep({"cc1-1.2"}) == 2
    left = {path.name for path in raw.iterdir()}
    assert left == {"note.txt", *(f"cc1-1.{n}{side}" for n in (2, 3) for side in SIDES)}


def test_where_there_is_nothing_nothing_is_swept(raw: Path) -> None:
    assert archive(raw).sweep(()) == 0
    raw.rmdir()
    assert archive(raw).sweep(()) == 0


def test_a_place_for_recordings_that_went_away_is_an_alarm_and_no_fault(raw: Path) -> None:
    kept = archive(raw)
    assert "No such file" not in kept.space_alarm()
    raw.rmdir()
    raw.parent.rmdir()
    assert kept.space_alarm() == f"{raw.parent}: No such file or directory"
