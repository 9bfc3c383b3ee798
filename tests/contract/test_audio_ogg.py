"""How long an Ogg/Opus file lasts, held against ffprobe; and files that are none, or not whole."""

import subprocess
from pathlib import Path

import pytest

from ccserver.audio import ogg
from ccserver.audio.errors import RecordingBroken, RecordingMissing

PRE_SKIP_S = 312 / 48_000
"""libopus's look-ahead, which ffprobe counts in."""


def encode(path: Path, seconds: float, *, bitrate: str = "24k", sides: int = 2) -> Path:
    """Noise: it fills pages as speech never would."""
    noise = f"anoisesrc=r=8000:d={seconds}:seed=1"
    coding = ["-ac", str(sides), "-c:a", "libopus", "-b:a", bitrate, "-application", "voip", "-f", "ogg"]
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", noise, *coding, str(path)], check=True)
    return path


def by_ffprobe(path: Path) -> float:
    asked = ["-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    told = subprocess.run(["ffprobe", "-v", "error", *asked], capture_output=True, text=True, check=True)
    return float(told.stdout)


@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.0, 2.345, 61.7])
def test_the_duration_is_what_ffprobe_says_less_the_encoders_look_ahead(tmp_path: Path, seconds: float) -> None:
    path = encode(tmp_path / "talk.opus", seconds)
    assert ogg.duration_s(path) == pytest.approx(seconds, abs=0.001)
    assert ogg.duration_s(path) == pytest.approx(by_ffprobe(path) - PRE_SKIP_S, abs=0.001)


def test_a_file_of_many_large_pages_is_read_from_its_ends_alone(tmp_path: Path) -> None:
    path = encode(tmp_path / "music.opus", 30.0, bitrate="256k")
    assert path.stat().st_size > 500_000
    assert ogg.duration_s(path) == pytest.approx(30.0, abs=0.001)


def test_one_side_is_as_good_as_two(tmp_path: Path) -> None:
    assert ogg.duration_s(encode(tmp_path / "voicemail.opus", 3.2, sides=1)) == pytest.approx(3.2, abs=0.001)


@pytest.mark.parametrize("missing", [1, 100, 2000])
def test_a_file_that_lacks_its_last_bytes_is_broken(tmp_path: Path, missing: int) -> None:
    path = encode(tmp_path / "talk.opus", 5.0)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(RecordingBroken, match="ends in the middle"):
        ogg.duration_s(path)


def test_a_file_that_ends_between_two_pages_is_broken_all_the_same(tmp_path: Path) -> None:
    path = encode(tmp_path / "talk.opus", 5.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"OggS")])
    with pytest.raises(RecordingBroken, match="ends in the middle"):
        ogg.duration_s(path)


def test_the_magic_within_the_sound_is_no_page(tmp_path: Path) -> None:
    path = encode(tmp_path / "talk.opus", 5.0)
    whole = bytearray(path.read_bytes())
    assert whole.rindex(b"OggS") < len(whole) - 40
    whole[-8:-4] = b"OggS"
    path.write_bytes(whole)
    assert ogg.duration_s(path) == pytest.approx(5.0, abs=0.001)


@pytest.mark.parametrize("content", [b"", b"OggS", b"RIFF" + bytes(5000), b"OggS" + bytes(5000)])
def test_what_is_no_opus_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "talk.opus"
    path.write_bytes(content)
    with pytest.raises(RecordingBroken, match=r"talk\.opus.*is no Ogg/Opus file"):
        ogg.duration_s(path)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordingMissing):
        ogg.duration_s(tmp_path / "talk.opus")
