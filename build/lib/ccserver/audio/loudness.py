"""Making prompts equally loud and prompt: one level, no clipping, no silence in front of the first syllable.

Used by `ccserver.audio.synthesis` on what a voice or a person has spoken.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

with warnings.catch_warnings():  # pydub 0.25 imports audioop, deprecated since 3.11, and has unescaped patterns
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

from ccserver.audio import ffmpeg

SAMPLE_RATE = 8000
"""Hz; what a telephone line carries, and what Asterisk plays without converting."""
LEVEL_DBFS = -19.0
"""Level while speaking. The median of Asterisk's own recorded sounds is -19.2 (Russian) and -18.2 (English)."""
PEAK_DBFS = -1.0
"""Nothing is louder than this for a moment; A-law clips at 0."""
LEAD_MS = 15
"""Silence left before the first sound: a caller who has just pressed a key hears an answer at once."""
TAIL_MS = 180
"""Silence left at the end, so that prompts played in a row do not run into each other."""
_ONSET_BELOW_PEAK_DB = 38.0
"""A chunk this much below the loudest one is still silence; soft first consonants are above it."""
_SPEECH_BELOW_PEAK_DB = 30.0
"""A frame this much below the loudest one is a pause and has no part in the level (as in ITU-T P.56)."""
_FRAME_MS = 20
_CHUNK_MS = 5


def read(path: str) -> Any:
    """The sound in any file that ffmpeg reads, as a pydub segment: mono, 16 bit, 8 kHz; raises `ValueError`.

    Resampled by ffmpeg, for pydub's own resampling folds the sibilants back into the telephone band.
    """
    wanted = ["-af", "highpass=f=60", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "-"]
    return _segment(ffmpeg.pcm(["-i", path, *wanted]))


def silence(duration_ms: int) -> Any:
    """Nothing, for so long."""
    return AudioSegment.silent(duration=duration_ms, frame_rate=SAMPLE_RATE)


def even(spoken: Any) -> Any:
    """Trim the segment to what is spoken and bring it to `LEVEL_DBFS`; raises `ValueError` when nothing is heard in it."""
    trimmed = _trim(spoken)
    gain_db = LEVEL_DBFS - speech_level_dbfs(trimmed)
    if trimmed.max_dBFS + gain_db <= PEAK_DBFS:
        return trimmed.apply_gain(gain_db)
    limited = _limit(trimmed, gain_db)
    # What the limiter took away is little and known now: give it back once.
    return _limit(trimmed, gain_db + LEVEL_DBFS - speech_level_dbfs(limited))


def speech_level_dbfs(segment: Any) -> float:
    """Level of the frames in which somebody speaks, dB below full scale; pauses do not make a prompt quieter."""
    frames = [segment[at : at + _FRAME_MS].rms for at in range(0, len(segment) - _FRAME_MS + 1, _FRAME_MS)]
    loudest = max(frames, default=0)
    if loudest == 0:
        raise ValueError("nothing is heard in it")
    floor = loudest * 10 ** (-_SPEECH_BELOW_PEAK_DB / 20)
    speech = [rms for rms in frames if rms >= floor]
    mean_square = sum(rms * rms for rms in speech) / len(speech)
    return 10 * math.log10(mean_square / float(segment.max_possible_amplitude) ** 2)


def _trim(segment: Any) -> Any:
    loud = [segment[at : at + _CHUNK_MS].max_dBFS for at in range(0, len(segment), _CHUNK_MS)]
    loudest = max(loud, default=-math.inf)
    if loudest == -math.inf:
        raise ValueError("nothing is heard in it")
    heard = [at for at, level in enumerate(loud) if level > loudest - _ONSET_BELOW_PEAK_DB]
    first_ms, last_ms = heard[0] * _CHUNK_MS, (heard[-1] + 1) * _CHUNK_MS
    begin_ms = max(0, first_ms - LEAD_MS)
    lead = AudioSegment.silent(LEAD_MS - (first_ms - begin_ms), SAMPLE_RATE)
    spoken = segment[begin_ms : last_ms + _FRAME_MS].fade_in(_CHUNK_MS).fade_out(_FRAME_MS)
    return lead + spoken + AudioSegment.silent(TAIL_MS, SAMPLE_RATE)


def _limit(segment: Any, gain_db: float) -> Any:
    """Gain with a soft ceiling; pydub's own gain would clip and its compressor is slow."""
    ceiling = 10 ** (PEAK_DBFS / 20)
    raw = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1"]
    filters = f"volume={gain_db:.2f}dB:precision=float,alimiter=limit={ceiling:.4f}:attack=2:release=20:level=disabled"
    return _segment(ffmpeg.pcm([*raw, "-i", "pipe:0", "-af", filters, *raw, "pipe:1"], stdin=segment.raw_data))


def _segment(data: bytes) -> Any:
    return AudioSegment(data=data, sample_width=2, frame_rate=SAMPLE_RATE, channels=1)
