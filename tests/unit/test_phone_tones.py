"""The ear of the tests is tested itself: on sounds made here, it hears what is there and nothing else."""

import wave
from pathlib import Path

import numpy as np
import pytest

from ccserver.sim.phones.tones import (
    Samples,
    Sound,
    carries,
    find,
    find_opening,
    is_music,
    is_silent,
    onset,
    read_wav,
    share_of,
    silence,
    sine,
    strongest,
    timeline,
)

RATE_HZ = 8000


def joined(*sounds: Sound) -> Sound:
    return Sound(np.concatenate([sound.samples for sound in sounds]))


def mixed(*sounds: Sound) -> Sound:
    return Sound(np.sum([sound.samples.astype(np.int32) for sound in sounds], axis=0).astype(np.int16))


def babble(seconds: float, *, seed: int = 1, loudness: float = 3000.0) -> Sound:
    """Something like speech: noise through a slow filter, in syllables of a quarter of a second."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * RATE_HZ))
    smooth = np.convolve(noise, np.hanning(12), mode="same")
    moments = np.arange(len(smooth)) / RATE_HZ
    syllables = 0.2 + 0.8 * np.abs(np.sin(np.pi * 4 * moments + 0.5))
    return Sound((smooth / np.abs(smooth).max() * loudness * syllables).astype(np.int16))


def through_ulaw(sound: Sound, *, gain: float = 1.0) -> Sound:
    """What G.711 leaves: a logarithmic curve of 8 bits, forth and back."""
    full = 32768.0
    value = np.clip(sound.samples * gain / full, -1, 1)
    curve = np.sign(value) * np.log1p(255 * np.abs(value)) / np.log(256)
    coded = np.round(curve * 127) / 127
    samples: Samples = (np.sign(coded) * (np.power(256.0, np.abs(coded)) - 1) / 255 * (full - 1)).astype(np.int16)
    return Sound(samples)


@pytest.mark.parametrize("hz", [200, 440, 1234, 3300])
def test_the_strongest_line_of_a_tone_is_its_frequency_and_has_all_of_the_power(hz: int) -> None:
    tone = strongest(through_ulaw(sine(hz, 0.2)))
    assert tone.hz == pytest.approx(hz, abs=5)
    assert tone.share > 0.99
    assert tone.rms == pytest.approx(8000 / np.sqrt(2), rel=0.02)


def test_a_tone_is_heard_in_a_mix_of_two_and_a_third_that_is_not_there_is_not() -> None:
    both = mixed(sine(500, 0.2), sine(900, 0.2))
    assert carries(both, 500) and carries(both, 900)
    assert not carries(both, 700)
    assert share_of(both, 500) == pytest.approx(0.5, abs=0.02)


def test_a_tone_next_to_the_one_asked_for_is_not_taken_for_it() -> None:
    assert not carries(sine(560, 0.2), 500)


def test_silence_carries_no_tone_and_is_no_music_and_neither_is_the_noise_of_an_idle_alaw_line() -> None:
    idle = Sound(np.tile(np.array([8, -8], np.int16), 800))
    for quiet in (silence(0.2), idle, silence(0.0)):
        assert is_silent(quiet)
        assert strongest(quiet).hz == 0
        assert not carries(quiet, 500)
        assert not is_music(quiet)


def test_speech_and_chords_are_music_and_a_tone_is_not() -> None:
    assert is_music(babble(1.0))
    assert is_music(mixed(sine(262, 1.0), sine(330, 1.0), sine(392, 1.0)))
    assert not is_music(sine(440, 1.0))


def test_a_timeline_tells_when_which_tone_was_heard() -> None:
    heard = joined(sine(500, 0.5), silence(0.5), sine(800, 1.0))
    slices = timeline(heard, 0.5)
    assert [(part.at_s, round(part.tone.hz)) for part in slices] == [(0.0, 500), (0.5, 0), (1.0, 800), (1.5, 800)]


def test_a_timeline_leaves_out_a_last_step_that_is_not_full() -> None:
    assert len(timeline(sine(500, 1.4), 0.5)) == 2


@pytest.mark.parametrize("quiet_s", [0.0, 0.1, 1.234])
def test_the_onset_is_where_sound_begins(quiet_s: float) -> None:
    assert onset(joined(silence(quiet_s), babble(0.5))) == pytest.approx(quiet_s, abs=0.011)


def test_breath_before_the_first_syllable_is_not_its_onset() -> None:
    breath = babble(0.3, seed=2, loudness=60)
    assert onset(joined(breath, babble(0.5))) == pytest.approx(0.3, abs=0.011)


def test_silence_has_no_onset() -> None:
    assert onset(silence(1.0)) is None
    assert onset(silence(0.0)) is None


def test_a_prompt_is_found_where_it_was_played_through_ulaw_and_at_another_loudness() -> None:
    prompt = babble(2.0)
    heard = joined(silence(0.7), through_ulaw(prompt, gain=0.4), silence(0.5))
    match = find(prompt, heard)
    assert match.offset_s == pytest.approx(0.7, abs=0.001)
    assert match.score > 0.97


def test_a_prompt_is_found_amid_other_speech() -> None:
    prompt = babble(1.0)
    heard = joined(babble(3.0, seed=5), prompt, babble(2.0, seed=6))
    match = find(prompt, heard)
    assert match.offset_s == pytest.approx(3.0, abs=0.001)
    assert match.score == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("heard", [babble(5.0, seed=9), silence(2.0), sine(440, 2.0), silence(0.0)])
def test_a_prompt_that_was_not_played_is_not_found(heard: Sound) -> None:
    assert find(babble(1.0), heard).score < 0.3


def test_a_prompt_heard_from_its_first_syllable_scores_high_and_tells_where_it_begins() -> None:
    prompt = joined(silence(0.25), babble(3.0))
    heard = joined(silence(0.5), through_ulaw(prompt))
    match = find_opening(prompt, heard)
    assert match.offset_s == pytest.approx(0.75, abs=0.02)
    assert match.score > 0.95


@pytest.mark.parametrize("lost_s", [0.02, 0.06, 0.1, 0.3, 1.0])
def test_a_prompt_whose_beginning_was_swallowed_does_not_pass_for_whole(lost_s: float) -> None:
    prompt = babble(3.0)
    swallowed = through_ulaw(prompt.between(lost_s))
    at_once = find_opening(prompt, swallowed)
    after_silence = find_opening(prompt, joined(silence(1.0), swallowed))
    assert at_once.score < 0.85
    assert after_silence.score < 0.85


def test_a_silent_prompt_cannot_be_looked_for() -> None:
    with pytest.raises(ValueError, match="silent"):
        find(silence(1.0), babble(1.0))
    with pytest.raises(ValueError, match="silent"):
        find_opening(silence(1.0), babble(1.0))


def test_sounds_of_different_rates_are_not_compared() -> None:
    with pytest.raises(ValueError, match="16000 Hz"):
        find(sine(440, 1.0, rate_hz=16000), babble(2.0))


def test_parts_of_a_sound_keep_their_place_in_time() -> None:
    sound = Sound(np.arange(16000, dtype=np.int16), RATE_HZ, began_at=100.0)
    assert sound.duration_s == 2.0
    assert sound.between(0.5, 1.0).samples.tolist() == list(range(4000, 8000))
    assert sound.between(1.5, 9.0).duration_s == 0.5
    assert (sound.last(0.5).began_at, sound.last(0.5).duration_s) == (101.5, 0.5)
    assert (sound.since(101.0).began_at, sound.since(101.0).duration_s) == (101.0, 1.0)
    assert sound.last(9.0).duration_s == 2.0
    assert sound.since(99.0).duration_s == 2.0
    assert sound.since(103.0).duration_s == 0.0


def test_a_wav_comes_back_as_it_was_written(tmp_path: Path) -> None:
    sound = babble(0.5)
    sound.save(tmp_path / "a.wav")
    (again,) = read_wav(tmp_path / "a.wav")
    assert again.rate_hz == RATE_HZ
    assert np.array_equal(again.samples, sound.samples)


def test_the_channels_of_a_stereo_wav_are_told_apart(tmp_path: Path) -> None:
    left, right = sine(440, 0.5), sine(880, 0.5)
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.stack([left.samples, right.samples], axis=1).astype("<i2").tobytes())
    caller, operator = read_wav(tmp_path / "stereo.wav")
    assert carries(caller, 440) and not carries(caller, 880)
    assert carries(operator, 880) and not carries(operator, 440)
