"""What a real Asterisk plays of our prompts and what its MixMonitor leaves for our recordings."""

from __future__ import annotations

import asyncio
import time
import wave
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from asterisk_instance import AsteriskInstance, asterisk_instance, asterisk_root
from asyncinotify import Inotify, Mask
from numpy.typing import NDArray

from ccserver.audio import closing, prompts, recordings, synthesis

ROOT = Path(__file__).parents[2]
RATE = 8000
CALLER_HZ, OPERATOR_HZ = 440.0, 880.0
TEXT = """\
[voices.ru]
command = ["espeak-ng", "-v", "ru", "-f", "{text}", "-w", "{wav}"]
[hello]
ru = "Здравствуйте, оставайтесь на линии."
"""

Sound = NDArray[np.float64]


def dialplan(state_dir: Path) -> str:
    """`phone` is the caller's telephone, in which he speaks; `line` is what his call runs through here."""
    raw, spoken = state_dir / "recordings" / "raw", state_dir / "prompts" / "ru"
    return f"""
[audio-test]
exten => phone,1,Answer()
 same => n,Playback({spoken}/caller)
 same => n,Wait(30)
exten => line,1,Answer()
 same => n,MixMonitor({raw}/a.wav,r({raw}/a-in.wav)t({raw}/a-out.wav))
 same => n,Playback({spoken}/operator&{spoken}/hello)
 same => n,Hangup()
"""


def write_tone(path: Path, hz: float, seconds: float) -> None:
    sound = 0.25 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def samples(path: Path) -> Sound:
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64) / 32768
        return sound.reshape(-1, file.getnchannels())


def loudest_hz(sound: Sound) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * RATE / len(sound))


def found_at(sound: Sound, piece: Sound) -> float:
    """Where in the sound the very same piece is heard, in seconds; fails when it is nowhere."""
    loudness = np.sqrt(np.convolve(sound**2, np.ones(len(piece)), "valid") + 1e-6) * np.sqrt(piece @ piece)
    likeness = np.correlate(sound, piece, "valid") / loudness
    assert likeness.max() > 0.9
    return float(likeness.argmax()) / RATE


async def call_the_line(asterisk: AsteriskInstance) -> None:
    # Without `formats` Asterisk gives a Local channel another sample rate, and half of the level is lost in converting.
    phone = {"endpoint": "Local/phone@audio-test/n", "formats": "slin"}
    body = {**phone, "context": "audio-test", "extension": "line", "priority": 1}
    url = f"{asterisk.instance.ari_url}/channels"
    async with (
        aiohttp.ClientSession(headers=asterisk.ari_headers) as session,
        session.post(url, json=body, raise_for_status=True),
    ):
        pass


async def record_a_call(asterisk: AsteriskInstance) -> recordings.RawRecording:
    raw_dir = asterisk.instance.raw_recordings_dir
    missing = {raw_dir / name for name in ("a.wav", "a-in.wav", "a-out.wav")}
    with Inotify() as inotify:
        inotify.add_watch(raw_dir, Mask.CREATE)
        await call_the_line(asterisk)
        async with asyncio.timeout(20):
            while missing:
                event = await inotify.get()
                missing.discard(raw_dir / str(event.name))
        started_at = time.time()
    await closing.wait_closed(raw_dir / "a-in.wav", timeout_s=20)
    await closing.wait_closed(raw_dir / "a-out.wav", timeout_s=1)
    return recordings.RawRecording(raw_dir / "a-in.wav", raw_dir / "a-out.wav", started_at, raw_dir / "a.wav")


async def test_a_prompt_is_played_whole_and_mixmonitor_has_the_caller_received_and_the_operator_transmitted(
    tmp_path: Path,
) -> None:
    state_dir, dialplans = (tmp_path / "state").resolve(), tmp_path / "dialplans"
    dialplans.mkdir()
    (dialplans / "audio.conf").write_text(dialplan(state_dir), encoding="utf-8")
    (tmp_path / "prompts.toml").write_text(TEXT, encoding="utf-8")
    book = prompts.load(tmp_path / "prompts.toml")
    synthesis.build(book, tmp_path, state_dir / "prompts")
    write_tone(state_dir / "prompts/ru/caller.wav", CALLER_HZ, 30)
    write_tone(state_dir / "prompts/ru/operator.wav", OPERATOR_HZ, 1)
    async with asterisk_instance(tmp_path, dialplans_dir=dialplans) as asterisk:
        raw = await record_a_call(asterisk)
    transmitted = samples(raw.operator)[:, 0]
    assert len(samples(raw.caller)) == len(transmitted)
    hello = samples(state_dir / "prompts/ru/hello.wav")[:, 0]
    first, last = hello[: RATE // 8], hello[-RATE // 2 : -RATE // 4]  # a busy machine may slip 20 ms between them
    begin_s, end_s = found_at(transmitted, first), found_at(transmitted, last)
    assert end_s - begin_s == pytest.approx(len(hello) / RATE - 0.5, abs=0.1)
    talk = (raw.started_at, raw.started_at + len(transmitted) / RATE)
    kept = await recordings.finish(raw, [talk], state_dir / "recordings" / "a.opus")
    left, right = samples(await recordings.to_wav(kept.path, tmp_path / "a.wav")).T
    assert abs(loudest_hz(left[RATE // 4 : -RATE // 4]) - CALLER_HZ) < 2
    assert abs(loudest_hz(right[RATE // 4 : RATE * 3 // 4]) - OPERATOR_HZ) < 2


def test_asterisk_has_the_recorded_sounds_that_the_demo_names() -> None:
    book = prompts.load(ROOT / "ivr-prompts" / "prompts.toml")
    assert prompts.missing_sounds(book, asterisk_root().path) == ()
