"""What was heard: sound with a time base, and the questions that tests ask about it.

The phones give their calls' audio as `Sound`; tests also read prompts and recordings into it. Every phone of a test
sends a tone of its own, so "who hears whom" is a question about frequencies; music and speech are known by not being
one tone, and a greeting is proved by finding the prompt's own samples in what the caller heard.
"""

import math
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

TELEPHONE_RATE_HZ = 8000
SILENCE_RMS = 40.0  # alaw's smallest step is 8; the quietest prompt syllable is above 100
TONE_WIDTH_HZ = 20.0  # a tone's line in the spectrum of 0.2 s is 10 Hz wide on either side
SPEECH_BAND_HZ = (60.0, 3900.0)

Samples = npt.NDArray[np.int16]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Mono 16-bit samples; `began_at` is the `time.monotonic()` of the first one, 0 for a file."""

    samples: Samples
    rate_hz: int = TELEPHONE_RATE_HZ
    began_at: float = 0.0

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate_hz

    def between(self, from_s: float, to_s: float = math.inf) -> "Sound":
        """The part between two offsets in seconds, cut at the ends that exist."""
        first = max(0, round(from_s * self.rate_hz))
        last = len(self.samples) if math.isinf(to_s) else max(first, round(to_s * self.rate_hz))
        return Sound(self.samples[first:last], self.rate_hz, self.began_at + first / self.rate_hz)

    def last(self, seconds: float) -> "Sound":
        """The newest part, shorter if there is not that much."""
        return self.between(max(0.0, self.duration_s - seconds))

    def since(self, moment: float) -> "Sound":
        """What came after a `time.monotonic()` moment."""
        return self.between(max(0.0, moment - self.began_at))

    def save(self, path: Path) -> None:
        """Write a mono 16-bit WAV."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            file.writeframes(self.samples.astype("<i2").tobytes())


@dataclass(frozen=True, slots=True)
class Tone:
    """The strongest line of a sound: its frequency, its share (0 to 1) of the power in the speech band, the RMS."""

    hz: float
    share: float
    rms: float


@dataclass(frozen=True, slots=True)
class Slice:
    """One step of a timeline: where it begins and what was strongest in it."""

    at_s: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Match:
    """Where a clip was found. Score: 1 the very same, above 0.9 through G.711, below 0.3 not there.

    A negative offset means that the clip's beginning is missing from what was heard.
    """

    offset_s: float
    score: float


def read_wav(path: Path) -> tuple[Sound, ...]:
    """Every channel of a 16-bit WAV: one for a prompt, left and right for a stereo recording."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path}: {8 * file.getsampwidth()} bits a sample, expected 16")
        channels, rate_hz = file.getnchannels(), file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    return tuple(Sound(samples[channel::channels].copy(), rate_hz) for channel in range(channels))


def sine(hz: float, seconds: float, *, amplitude: float = 8000.0, rate_hz: int = TELEPHONE_RATE_HZ) -> Sound:
    """A pure tone, for prompts and tests of the tests."""
    moments = np.arange(round(seconds * rate_hz)) / rate_hz
    return Sound((amplitude * np.sin(2 * np.pi * hz * moments)).astype(np.int16), rate_hz)


def silence(seconds: float, *, rate_hz: int = TELEPHONE_RATE_HZ) -> Sound:
    """Nothing but zeros."""
    return Sound(np.zeros(round(seconds * rate_hz), np.int16), rate_hz)


def rms(sound: Sound) -> float:
    """Root mean square of the samples, 0 for an empty sound; full scale is 32767."""
    if not len(sound.samples):
        return 0.0
    return float(np.sqrt(np.mean(np.square(sound.samples.astype(np.float64)))))


def is_silent(sound: Sound) -> bool:
    """Nothing that an ear would notice."""
    return rms(sound) < SILENCE_RMS


def strongest(sound: Sound) -> Tone:
    """The strongest line; `Tone(0, 0, rms)` in silence or in less than 50 ms."""
    loudness = rms(sound)
    if loudness < SILENCE_RMS or sound.duration_s < 0.05:
        return Tone(0.0, 0.0, loudness)
    power, hz = _spectrum(sound)
    peak = float(hz[int(np.argmax(power))])
    return Tone(peak, _share(power, hz, peak), loudness)


def share_of(sound: Sound, hz: float) -> float:
    """The part (0 to 1) of the power in the speech band that lies at this frequency; 0 in silence."""
    if is_silent(sound) or sound.duration_s < 0.05:
        return 0.0
    power, lines_hz = _spectrum(sound)
    return _share(power, lines_hz, hz)


def carries(sound: Sound, hz: float, *, min_share: float = 0.3) -> bool:
    """Whether the tone is there, alone or mixed with one or two others of like strength."""
    return share_of(sound, hz) >= min_share


def is_music(sound: Sound) -> bool:
    """Something that is neither silence nor one steady tone: music or speech. Wants half a second or more."""
    tone = strongest(sound)
    return tone.rms >= SILENCE_RMS and tone.share < 0.8


def timeline(sound: Sound, step_s: float = 0.5) -> list[Slice]:
    """What was strongest in each full step."""
    steps = int(sound.duration_s / step_s + 1e-9)
    return [Slice(round(n * step_s, 6), strongest(sound.between(n * step_s, (n + 1) * step_s))) for n in range(steps)]


def onset(sound: Sound, *, below_peak_db: float = 30.0) -> float | None:
    """Offset in seconds of the first sound, to 5 ms; None in silence.

    Sound is what comes within so many decibels of the loudest 5 ms: a fricative opens a syllable at about -25 dB,
    the breath before it lies lower.
    """
    step = max(1, sound.rate_hz // 200)
    frames = sound.samples[: len(sound.samples) // step * step].astype(np.float64).reshape(-1, step)
    if not len(frames):
        return None
    loudness = np.sqrt(np.mean(np.square(frames), axis=1))
    threshold = max(SILENCE_RMS, float(loudness.max()) * 10 ** (-below_peak_db / 20))
    loud = np.flatnonzero(loudness >= threshold)
    return float(loud[0]) * step / sound.rate_hz if len(loud) else None


def find(clip: Sound, heard: Sound) -> Match:
    """The place in `heard` that is most like `clip`, by normalised cross-correlation.

    Deaf to loudness, hardly touched by G.711. A clip whose beginning or end is missing is found by the rest, with a
    lower score: for "from the first syllable" ask `find_opening`.
    """
    if clip.rate_hz != heard.rate_hz:
        raise ValueError(f"a clip of {clip.rate_hz} Hz cannot be looked for in a sound of {heard.rate_hz} Hz")
    wanted = clip.samples.astype(np.float64)
    norm = float(np.linalg.norm(wanted))
    if norm == 0.0:
        raise ValueError("the clip is silent: it would be found anywhere")
    scores = _correlate(wanted / norm, np.pad(heard.samples.astype(np.float64), len(wanted)))
    best = int(np.argmax(scores))
    return Match((best - len(wanted)) / clip.rate_hz, float(scores[best]))


def find_opening(prompt: Sound, heard: Sound, *, lead_s: float = 1.0, syllable_s: float = 0.15) -> Match:
    """Whether a prompt was heard from its first syllable: `offset_s` is where that syllable begins in `heard`.

    The prompt's first `lead_s` seconds of sound give the place, then every 20 ms of its first `syllable_s` must be there
    too: the score is the worst of all, so one lost packet shows although the rest would still match well. On a busy
    machine packets come late and `Call.heard` has gaps: look in `Call.received`.
    """
    begins_s = onset(prompt)
    if begins_s is None:
        raise ValueError("the prompt is silent")
    place = find(prompt.between(begins_s, begins_s + lead_s), heard)
    scores = [place.score]
    for piece_s in np.arange(0.0, syllable_s - 0.001, 0.02):
        piece = prompt.between(begins_s + piece_s, begins_s + piece_s + 0.02)
        if not is_silent(piece):
            # A sample of slack on either side: the place is that of the whole lead, a piece may sit half a sample off.
            first = round((place.offset_s + piece_s) * heard.rate_hz) - 1
            around = _padded(heard, first, len(piece.samples) + 2)
            wanted = piece.samples.astype(np.float64)
            scores.append(float(_correlate(wanted / float(np.linalg.norm(wanted)), around).max()))
    return Match(place.offset_s, min(scores))


def _spectrum(sound: Sound) -> tuple[Numbers, Numbers]:
    """Power and frequency of the lines in the speech band, the constant part taken out."""
    samples = sound.samples.astype(np.float64)
    lines = np.fft.rfft((samples - samples.mean()) * np.hanning(len(samples)))
    power: Numbers = np.square(np.abs(lines)).astype(np.float64)
    hz: Numbers = np.fft.rfftfreq(len(samples), 1 / sound.rate_hz).astype(np.float64)
    band = (hz >= SPEECH_BAND_HZ[0]) & (hz <= SPEECH_BAND_HZ[1])
    return power[band], hz[band]


def _share(power: Numbers, lines_hz: Numbers, hz: float) -> float:
    total = float(power.sum())
    return float(power[np.abs(lines_hz - hz) <= TONE_WIDTH_HZ].sum()) / total if total > 0 else 0.0


def _padded(sound: Sound, first: int, count: int) -> Numbers:
    """`count` samples from index `first`, zeros where there is no sound."""
    window = np.zeros(count)
    taken = sound.samples[max(0, first) : max(0, first + count)]
    start = max(0, -first)
    window[start : start + len(taken)] = taken
    return window


def _correlate(unit: Numbers, samples: Numbers) -> Numbers:
    """Normalised correlation of a clip of norm 1 with every place of `samples` that holds it whole."""
    places = len(samples) - len(unit) + 1
    size = 1 << (len(samples) + len(unit) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(samples, size) * np.conj(np.fft.rfft(unit, size)), size)[:places]
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples))))
    norms = np.sqrt(np.maximum(energy[len(unit) :] - energy[:places], 0.0))
    # Near silence the quotient is noise over noise: such places score nothing.
    floor = SILENCE_RMS / 4 * math.sqrt(len(unit))
    scores: Numbers = np.where(norms > floor, product / np.maximum(norms, floor), 0.0)
    return scores
