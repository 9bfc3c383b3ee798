"""From two legs to a stereo recording and back to WAV, with a real ffmpeg; told apart by tone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from asyncinotify import Inotify, Mask
from numpy.typing import NDArray

from ccserver.audio import recordings
from ccserver.audio.errors import RecordingBroken, RecordingMissing

ROOT = Path(__file__).parents[2]
RATE = 8000
STARTED_AT = 1_790_000_000.25
CALLER_HZ, OPERATOR_HZ, MUSIC_HZ = 440.0, 880.0, 1500.0

Sound = NDArray[np.float64]


def tone(hz: float, seconds: float, rate: int = RATE) -> Sound:
    return 0.25 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def write_leg(path: Path, sound: Sound, rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


def raw_in(folder: Path, caller: Sound, operator: Sound, rate: int = RATE) -> recordings.RawRecording:
    caller_wav = write_leg(folder / "n1-17.1-in.wav", caller, rate)
    operator_wav = write_leg(folder / "n1-17.1-out.wav", operator, rate)
    return recordings.RawRecording(
        caller_wav, operator_wav, STARTED_AT, write_leg(folder / "n1-17.1.wav", caller, rate)
    )


def call(folder: Path, rate: int = RATE) -> recordings.RawRecording:
    """Ten seconds: music to the caller for three, then talk."""
    operator = np.concatenate([tone(MUSIC_HZ, 3, rate), tone(OPERATOR_HZ, 7, rate)])
    return raw_in(folder, tone(CALLER_HZ, 10, rate), operator, rate)


def at(begin_s: float, end_s: float) -> tuple[float, float]:
    return (STARTED_AT + begin_s, STARTED_AT + end_s)


async def heard(opus: Path, folder: Path) -> Sound:
    """What a listener gets: (samples, sides)."""
    with wave.open(str(await recordings.to_wav(opus, folder / "heard.wav"))) as file:
        assert (file.getframerate(), file.getsampwidth()) == (RATE, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64) / 32768
        return sound.reshape(-1, file.getnchannels())


def loudest_hz(sound: Sound) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * RATE / len(sound))


def level_db(sound: Sound, hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    around = round(hz * len(sound) / RATE)
    return float(20 * np.log10(spectrum[around - 5 : around + 6].max() / len(sound) + 1e-12))


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_the_caller_is_on_the_left_and_the_operator_on_the_right_and_the_music_is_cut_off(tmp_path: Path) -> None:
    target = tmp_path / "2026" / "11" / "22" / "n1-17.1.opus"
    kept = await recordings.finish(call(tmp_path), [at(3, 9)], target)
    assert (kept.path, kept.duration_s, kept.missing_s) == (target, 6.0, 0.0)
    assert kept.size_bytes == target.stat().st_size < 6 * 4000
    sound = await heard(target, tmp_path)
    assert sound.shape == (6 * RATE, 2)
    left, right = sound[:, 0], sound[:, 1]
    assert abs(loudest_hz(left) - CALLER_HZ) < 2
    assert abs(loudest_hz(right) - OPERATOR_HZ) < 2
    for side, own_hz, foreign_hz in ((left, CALLER_HZ, OPERATOR_HZ), (right, OPERATOR_HZ, CALLER_HZ)):
        assert level_db(side, foreign_hz) < level_db(side, own_hz) - 25
        assert level_db(side, MUSIC_HZ) < level_db(side, own_hz) - 25
    assert files_in(tmp_path) == {target.name, "heard.wav"}


async def test_an_operator_who_says_nothing_leaves_his_side_silent(tmp_path: Path) -> None:
    raw = raw_in(tmp_path, tone(CALLER_HZ, 3), np.zeros(3 * RATE))
    kept = await recordings.finish(raw, [at(0, 3)], tmp_path / "a.opus")
    sound = await heard(kept.path, tmp_path)
    loud, silent = np.sqrt((sound**2).mean(axis=0))
    assert silent < loud / 30


async def test_several_talks_follow_each_other_without_what_lay_between(tmp_path: Path) -> None:
    operator = np.concatenate([tone(hz, 2) for hz in (600, MUSIC_HZ, 900, MUSIC_HZ, 1200)])
    raw = raw_in(tmp_path, tone(CALLER_HZ, 10), operator)
    kept = await recordings.finish(raw, [at(8, 10), at(0, 2), at(4, 6)], tmp_path / "a.opus")
    assert kept.duration_s == 6.0
    right = (await heard(kept.path, tmp_path))[:, 1]
    pieces = [right[second * RATE + 800 : (second + 2) * RATE - 800] for second in (0, 2, 4)]
    assert [round(loudest_hz(piece), -1) for piece in pieces] == [600, 900, 1200]


async def test_cuts_fall_within_10_ms_of_where_the_talk_began_and_ended(tmp_path: Path) -> None:
    loud = np.concatenate([np.zeros(RATE * 2 + 3000), tone(CALLER_HZ, 1), np.zeros(RATE)])
    raw = raw_in(tmp_path, loud, loud)
    kept = await recordings.finish(raw, [at(2.375 - 0.5, 3.375 + 0.5)], tmp_path / "a.opus")
    left = np.abs((await heard(kept.path, tmp_path))[:, 0])
    speaking = np.flatnonzero(left > 0.05)
    assert abs(speaking[0] / RATE - 0.5) < 0.02
    assert abs(speaking[-1] / RATE - 1.5) < 0.02


async def test_talks_that_touch_or_overlap_are_kept_once(tmp_path: Path) -> None:
    kept = await recordings.finish(call(tmp_path), [at(1, 4), at(3, 5), at(5, 6)], tmp_path / "a.opus")
    assert (kept.duration_s, kept.missing_s) == (5.0, 0.0)


async def test_a_talk_that_outlasts_the_recording_is_kept_as_far_as_it_goes_and_the_loss_is_told(
    tmp_path: Path,
) -> None:
    kept = await recordings.finish(call(tmp_path), [at(-1, 4), at(8, 14.5)], tmp_path / "a.opus")
    assert (kept.duration_s, kept.missing_s) == (6.0, 5.5)


async def test_legs_of_unequal_length_stay_in_step(tmp_path: Path) -> None:
    raw = raw_in(tmp_path, tone(CALLER_HZ, 2), tone(OPERATOR_HZ, 4))
    kept = await recordings.finish(raw, [at(0, 4)], tmp_path / "a.opus")
    sound = await heard(kept.path, tmp_path)
    assert len(sound) == 4 * RATE
    assert abs(loudest_hz(sound[3 * RATE :, 1]) - OPERATOR_HZ) < 2
    assert np.abs(sound[3 * RATE :, 0]).max() < 0.02


async def test_wideband_legs_are_kept_too(tmp_path: Path) -> None:
    kept = await recordings.finish(call(tmp_path, 16000), [at(3, 9)], tmp_path / "a.opus")
    assert abs(loudest_hz((await heard(kept.path, tmp_path))[:, 1]) - OPERATOR_HZ) < 2


async def test_legs_whose_header_was_never_completed_are_read_to_their_end(tmp_path: Path) -> None:
    raw = call(tmp_path)
    for path in (raw.caller, raw.operator):  # as a killed Asterisk leaves them: lengths 0, half a sample at the end
        data = bytearray(path.read_bytes())
        data[4:8] = data[40:44] = bytes(4)
        path.write_bytes(bytes(data) + b"\1")
    kept = await recordings.finish(raw, [at(3, 9)], tmp_path / "a.opus")
    assert len(await heard(kept.path, tmp_path)) == 6 * RATE


async def test_finishing_again_after_a_crash_gives_the_same_recording(tmp_path: Path) -> None:
    target = tmp_path / "kept" / "a.opus"
    first = await recordings.finish(call(tmp_path), [at(3, 9)], target)
    again = call(tmp_path)
    assert await recordings.finish(again, [at(3, 9)], target) == first
    again = call(tmp_path)
    again.caller.unlink()  # died while the legs were being deleted
    kept = await recordings.finish(again, [at(3, 9)], target)
    assert abs(kept.duration_s - first.duration_s) < 0.02
    assert files_in(tmp_path) == {target.name}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"this is no sound at all, however long it may be", "is no WAV file"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0", "has no sound in it"),
        (
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\x40\x1f\0\0\0\x7d\0\0\4\0\x10\0data\0\0\0\0zzzz",
            "expected 16-bit mono",
        ),
        (b"RIFF\0\0\0\0WAVE", "has no sound in it"),
    ],
)
async def test_a_leg_that_is_no_sound_is_named_and_everything_is_kept(
    tmp_path: Path, content: bytes, said: str
) -> None:
    raw = call(tmp_path)
    raw.operator.write_bytes(content)
    with pytest.raises(RecordingBroken, match=f"^{raw.operator}: {said}"):
        await recordings.finish(raw, [at(3, 9)], tmp_path / "kept" / "a.opus")
    assert files_in(tmp_path) == {path.name for path in raw.files()}


async def test_a_leg_that_is_not_there_is_named_and_the_other_is_kept(tmp_path: Path) -> None:
    raw = call(tmp_path)
    raw.caller.unlink()
    with pytest.raises(RecordingMissing, match=f"^{raw.caller}: no such recording"):
        await recordings.finish(raw, [at(3, 9)], tmp_path / "a.opus")
    assert raw.operator.is_file()


async def test_a_talk_of_which_nothing_was_recorded_is_told_and_everything_is_kept(tmp_path: Path) -> None:
    raw = call(tmp_path)
    with pytest.raises(RecordingBroken, match=r"in\.wav: holds 10\.00 s of sound and nothing of the talk"):
        await recordings.finish(raw, [at(11, 20)], tmp_path / "a.opus")
    assert all(path.is_file() for path in raw.files())


async def test_being_stopped_in_the_middle_leaves_the_legs_and_nothing_half_made(tmp_path: Path) -> None:
    long = np.tile(tone(CALLER_HZ, 10), 60)
    raw = raw_in(tmp_path, long, long)
    target = tmp_path / "kept" / "a.opus"
    target.parent.mkdir()
    with Inotify() as inotify:
        inotify.add_watch(target.parent, Mask.CREATE)
        async with asyncio.TaskGroup() as group:
            finishing = group.create_task(recordings.finish(raw, [at(0, 600)], target), name="finishing")
            await inotify.get()  # ffmpeg has begun to write
            finishing.cancel()
    assert finishing.cancelled()
    assert files_in(tmp_path) == {path.name for path in raw.files()}


async def test_a_message_on_the_answering_machine_is_kept_in_mono(tmp_path: Path) -> None:
    raw = write_leg(tmp_path / "message.wav", tone(CALLER_HZ, 2.345))
    kept = await recordings.finish_voicemail(raw, tmp_path / "kept" / "message.opus")
    assert abs(kept.duration_s - 2.345) < 0.011
    sound = await heard(kept.path, tmp_path)
    assert sound.shape[1] == 1
    assert abs(loudest_hz(sound[:, 0]) - CALLER_HZ) < 2
    assert not raw.exists()


async def test_listening_to_what_is_not_there_or_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingMissing, match=r"a\.opus: no such recording"):
        await recordings.to_wav(tmp_path / "a.opus", tmp_path / "a.wav")
    (tmp_path / "a.opus").write_bytes(b"OggS and nothing more")
    with pytest.raises(RecordingBroken, match=r"a\.opus: .*"):
        await recordings.to_wav(tmp_path / "a.opus", tmp_path / "a.wav")
    assert files_in(tmp_path) == {"a.opus"}


def test_a_full_disk_is_said_to_be_full_and_the_legs_are_kept(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 60 * RATE)
    raw = raw_in(tmp_path, noise, noise[::-1])
    program = (
        "import asyncio, os, sys, pathlib\n"
        "from ccserver.audio import errors, recordings\n"
        "here = pathlib.Path(sys.argv[1])\n"
        f"raw = recordings.RawRecording(here / '{raw.caller.name}', here / '{raw.operator.name}', 0.0)\n"
        "for talks, target in ([(0, 60)], 'a.opus'), ([(0, 1)], 'folder/a.opus'):\n"
        "    try: asyncio.run(recordings.finish(raw, talks, here / 'full' / target))\n"
        "    except errors.DiskFull as error: print(type(error).__name__, sorted(os.listdir(here / 'full')))\n"
        "    (here / 'full' / 'stuff').write_bytes(bytes(64 * 1024))\n"
    )
    (tmp_path / "full").mkdir()
    mount = f'mount -t tmpfs -o size=64k none {tmp_path}/full && exec "$0" -c "$1" {tmp_path}'
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-m"]
    done = subprocess.run(
        [*unshare, "sh", "-c", mount, sys.executable, program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "DiskFull []\nDiskFull ['folder', 'stuff']\n", (done.stdout, done.stderr)
    assert raw.caller.is_file()
    assert raw.operator.is_file()


def test_free_space_is_what_the_file_system_says(tmp_path: Path) -> None:
    space = recordings.free_space(tmp_path)
    free_kib = int(subprocess.check_output(["df", "--output=avail", "-k", tmp_path]).split()[1])
    assert abs(space.free_bytes / 1024 - free_kib) < 100 * 1024
    assert 0 < space.fraction < 1


async def test_in_a_gap_it_is_silent_whatever_the_raw_files_hold(tmp_path: Path) -> None:
    talks, gaps = [at(1, 5), at(7, 10)], [at(2, 3), at(4.5, 8)]
    assert recordings.within(talks, gaps) == ((1.0, 2.0), (3.5, 4.0), (4.0, 5.0))
    kept = await recordings.finish(call(tmp_path), talks, tmp_path / "a.opus", gaps)
    assert kept.duration_s == 7.0
    left = (await heard(kept.path, tmp_path))[:, 0]
    for first_s, last_s, sounds in ((0, 1, True), (1, 2, False), (2, 3.5, True), (3.5, 5, False), (5, 7, True)):
        piece = left[round((first_s + 0.05) * RATE) : round((last_s - 0.05) * RATE)]
        assert (np.abs(piece).max() > 0.1) == sounds, (first_s, last_s)
