"""The shelf of WAV files: made once, bounded, and made again when they have been thrown out."""

import asyncio
from pathlib import Path

import pytest

from ccserver.api import recordings
from ccserver.api.recordings import Shelf
from ccserver.api.sources import RecordingUnavailable
from tests.api_stage import Sounds

ENDED_AT = 1_767_258_000.0


@pytest.fixture
def sounds() -> Sounds:
    return Sounds()


@pytest.fixture
def shelf(sounds: Sounds, tmp_path: Path) -> Shelf:
    return Shelf(sounds, tmp_path)


async def test_listeners_who_come_together_share_one_conversion(shelf: Shelf, sounds: Sounds) -> None:
    files = await asyncio.gather(*(shelf.wav("a-1.opus", ENDED_AT) for _ in range(8)))
    assert len(set(files)) == 1
    assert sounds.written == ["a-1.opus"]


async def test_the_longest_unheard_goes_when_the_shelf_is_full(
    shelf: Shelf, sounds: Sounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "SHELF_BYTES_MAX", 100_000)
    for name in "abcdef":
        await shelf.wav(f"{name}-1.opus", ENDED_AT)
    assert len(list(tmp_path.iterdir())) == recordings.SHELF_FILES_MIN
    await shelf.wav("f-1.opus", ENDED_AT)
    await shelf.wav("a-1.opus", ENDED_AT)
    assert sounds.written == [f"{name}-1.opus" for name in "abcdefa"]


async def test_what_is_heard_again_stays(shelf: Shelf, sounds: Sounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "SHELF_BYTES_MAX", 100_000)
    for name in "abcd":
        await shelf.wav(f"{name}-1.opus", ENDED_AT)
    await shelf.wav("a-1.opus", ENDED_AT)
    await shelf.wav("e-1.opus", ENDED_AT)
    await shelf.wav("a-1.opus", ENDED_AT)
    assert sounds.written.count("a-1.opus") == 1


async def test_a_file_made_anew_looks_the_same_to_a_browsers_cache(shelf: Shelf) -> None:
    wav = await shelf.wav("a-1.opus", ENDED_AT)
    assert wav.stat().st_mtime == ENDED_AT


async def test_a_failed_conversion_is_told_and_tried_again(shelf: Shelf, sounds: Sounds) -> None:
    for _ in range(2):
        with pytest.raises(RecordingUnavailable, match="not in the archive"):
            await shelf.wav("gone-1.opus", ENDED_AT)
    assert sounds.written == ["gone-1.opus"] * 2
