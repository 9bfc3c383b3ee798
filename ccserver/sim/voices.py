"""Texts become sound: each text in each voice is made once and kept, under the name of what it was made of.

A talk is asked for before it begins (while the caller is in the menu, while the phone rings), so making a sentence, which
takes a tenth of a second, keeps nobody waiting.
"""

import asyncio
import hashlib
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ccserver.sim.conversations import Voice
from ccserver.sim.errors import VoiceFailed
from ccserver.sim.phones.tones import TELEPHONE_RATE_HZ, Sound, read_wav

MAKING = "1"
"""Raise when the same text and command give another sound."""
LEVEL_RMS = 2600.0
"""While speaking; as loud as the prompts."""
PEAK = 30_000.0
WITHIN_S = 30.0


class Voices:
    """A directory of sentences; a context manager."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._makers = ThreadPoolExecutor(1, thread_name_prefix="voices")
        self._made: dict[Path, asyncio.Future[Path]] = {}

    def __enter__(self) -> "Voices":
        self._directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._makers.shutdown(wait=True, cancel_futures=True)

    def prepare(self, voice: Voice, texts: Iterable[str]) -> None:
        """Have them made; returns at once."""
        for text in texts:
            self._order(voice, text)

    async def spoken(self, voice: Voice, text: str) -> Path:
        """The WAV, 8 kHz mono; raises `VoiceFailed`."""
        return await asyncio.shield(self._order(voice, text))

    def _order(self, voice: Voice, text: str) -> "asyncio.Future[Path]":
        material = "\0".join((MAKING, *voice.command, text))
        path = self._directory / f"{hashlib.sha256(material.encode()).hexdigest()[:32]}.wav"
        known = self._made.get(path)
        if known is None or (known.done() and known.exception() is not None):
            known = asyncio.get_running_loop().run_in_executor(self._makers, _make, voice, text, path)
            known.add_done_callback(lambda made: made.cancelled() or made.exception())  # whoever asks is told
            self._made[path] = known
        return known


def _make(voice: Voice, text: str, path: Path) -> Path:
    if path.is_file():
        return path
    with tempfile.TemporaryDirectory(prefix="ccserver-voice-") as folder:
        written, spoken, wav = (Path(folder, name) for name in ("text", "spoken.wav", "8k.wav"))
        written.write_text(text + "\n", encoding="utf-8")
        _run([word.replace("{text}", str(written)).replace("{wav}", str(spoken)) for word in voice.command])
        rate = ["-ac", "1", "-ar", str(TELEPHONE_RATE_HZ), "-c:a", "pcm_s16le"]
        _run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(spoken), *rate, str(wav)])
        (sound,) = read_wav(wav)
    unfinished = path.with_suffix(".tmp")
    try:
        _levelled(sound).save(unfinished)
        return unfinished.replace(path)
    except OSError as error:
        raise VoiceFailed(f"{path}: {error.strerror}") from None


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN_S, check=False)
    except FileNotFoundError:
        raise VoiceFailed(f"{command[0]} is not installed: run script/setup") from None
    except subprocess.TimeoutExpired:
        raise VoiceFailed(f"{command[0]} did not finish within {WITHIN_S:g} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise VoiceFailed(f"{command[0]} ended with {done.returncode}: {said[-1]}")


def _levelled(sound: Sound) -> Sound:
    """Equally loud, whichever voice: by what is not a pause, and never clipped."""
    samples = sound.samples.astype(np.float64)
    loud = np.abs(samples) > np.max(np.abs(samples), initial=0) / 20
    if not loud.any():
        raise VoiceFailed("a voice said nothing")
    gain = LEVEL_RMS / float(np.sqrt(np.mean(samples[loud] ** 2)))
    gain = min(gain, PEAK / float(np.max(np.abs(samples))))
    heard = np.flatnonzero(loud)
    return Sound((samples[heard[0] : heard[-1] + 1] * gain).astype(np.int16), sound.rate_hz)
