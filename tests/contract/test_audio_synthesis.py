"""Making the sounds of the prompts, with real voices and a real ffmpeg."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ccserver.audio import loudness, prompts, synthesis
from ccserver.audio.errors import PromptFailed, ToolMissing

ROOT = Path(__file__).parents[2]
RATE = 8000
MUTE = '[voices.ru]\ncommand = ["false", "{text}", "{wav}"]\n'
ESPEAK = '[voices.ru]\ncommand = ["espeak-ng", "-v", "ru", "-f", "{text}", "-w", "{wav}"]\n'


@dataclass(frozen=True)
class Built:
    book: prompts.PromptBook
    folder: Path
    report: synthesis.BuildReport


@pytest.fixture(scope="module")
def demo(prompts_dir: Path) -> Built:
    book = prompts.load(ROOT / "ivr-prompts" / "prompts.toml")
    return Built(book, prompts_dir, synthesis.build(book, ROOT / "ivr-prompts", prompts_dir))


def book_of(folder: Path, text: str) -> prompts.PromptBook:
    path = folder / "prompts.toml"
    path.write_text(text, encoding="utf-8")
    return prompts.load(path)


def samples(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), path
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64) / 32768


def speech_level_db(sound: NDArray[np.float64]) -> float:
    """Level of the loud 10 ms frames, reckoned apart from the code under test."""
    power = (sound[: len(sound) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def write_tone(path: Path, hz: float, rate: int, amplitude: float, silence_s: float = 0.0) -> None:
    tone = amplitude * np.sin(2 * np.pi * hz * np.arange(rate) / rate)
    sound = np.concatenate([np.zeros(int(silence_s * rate)), tone])
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def tone_db(sound: NDArray[np.float64], hz: float) -> float:
    middle = sound[len(sound) // 4 : len(sound) * 3 // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) / len(middle)
    return float(20 * np.log10(spectrum[round(hz * len(middle) / RATE)] + 1e-12))


def test_every_prompt_of_the_demo_is_spoken_or_comes_from_asterisk(demo: Built) -> None:
    assert demo.report.built == 0 and demo.report.removed == 0
    assert demo.report.unchanged + demo.report.asterisk == len(demo.book.prompts) * 2
    assert prompts.PromptResolver(demo.book, demo.folder).unbuilt() == ()


def test_all_prompts_are_equally_loud_and_none_clips(demo: Built) -> None:
    levels = {path: speech_level_db(samples(path)) for path in demo.folder.glob("*/*.wav")}
    assert len(levels) == demo.report.unchanged
    assert {path: level for path, level in levels.items() if abs(level - loudness.LEVEL_DBFS) > 1.5} == {}
    assert max(np.abs(samples(path)).max() for path in levels) < 0.95


def test_the_first_syllable_is_heard_within_50_ms(demo: Built) -> None:
    for path in demo.folder.glob("*/*.wav"):
        sound = np.abs(samples(path))
        onset_ms = 1000 * int(np.argmax(sound > sound.max() * 0.03)) / RATE
        assert onset_ms <= 50, path


def test_nothing_is_cut_off_and_nothing_drags(demo: Built) -> None:
    for path in demo.folder.glob("*/*.wav"):
        text = demo.book.text(path.stem, path.parent.name)
        spoken_s = len(samples(path)) / RATE - (loudness.LEAD_MS + loudness.TAIL_MS) / 1000
        assert 8 < len(text) / spoken_s < 21, path


def test_english_is_offered_by_the_english_voice_in_both_menus(demo: Built) -> None:
    files = [demo.folder / language / "english-offer.wav" for language in ("ru", "en")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_second_build_does_nothing_and_a_new_one_starts_where_the_texts_differ(tmp_path: Path) -> None:
    text = ESPEAK + '[one]\nru = "Раз"\n[two]\nru = "Два"\n[bye]\nru = "Пока"\nasterisk = "vm-goodbye"\n'
    out = tmp_path / "out"
    assert synthesis.build(book_of(tmp_path, text), tmp_path, out) == synthesis.BuildReport(2, 0, 0, 0, 1)
    before = {path.name: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    assert synthesis.build(book_of(tmp_path, text), tmp_path, out) == synthesis.BuildReport(0, 0, 2, 0, 1)
    assert {path.name: path.stat().st_mtime_ns for path in out.rglob("*.*")} == before
    book = book_of(tmp_path, text.replace("Два", "Три"))
    assert synthesis.build(book, tmp_path, out) == synthesis.BuildReport(1, 0, 1, 0, 1)


def test_another_way_to_pronounce_a_word_builds_only_the_prompts_that_have_it(tmp_path: Path) -> None:
    texts = '[one]\nru = "С утра до вечера"\n[two]\nru = "Два"\n'
    synthesis.build(book_of(tmp_path, ESPEAK + texts), tmp_path, tmp_path / "out")
    plain = samples(tmp_path / "out/ru/one.wav")
    book = book_of(tmp_path, ESPEAK + '[voices.ru.pronounce]\n"утра" = "[[utr\'A]]"\n' + texts)
    assert synthesis.build(book, tmp_path, tmp_path / "out").built == 1
    assert not np.array_equal(plain, samples(tmp_path / "out/ru/one.wav"))


def test_prompts_and_languages_that_are_gone_are_deleted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesis.build(book_of(tmp_path, ESPEAK + '[one]\nru = "Раз"\n[two]\nru = "Два"\n'), tmp_path, out)
    write_tone(out / "de" / "one.wav", 440, RATE, 0.1)
    report = synthesis.build(book_of(tmp_path, ESPEAK + '[one]\nru = "Раз"\n'), tmp_path, out)
    assert report.removed == 2
    assert [path.relative_to(out) for path in out.glob("*/*.wav")] == [Path("ru/one.wav")]


def test_what_a_running_daemon_still_says_is_kept_and_what_says_an_older_text_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesis.build(book_of(tmp_path, ESPEAK + '[one]\nru = "Раз"\n[two]\nru = "Два"\n'), tmp_path, out)
    book = book_of(tmp_path, ESPEAK + '[one]\nru = "Один"\n[three]\nru = "Три"\n')
    assert synthesis.outdated(book, tmp_path, out) == ("ru/one",)
    assert synthesis.build(book, tmp_path, out, keep={"ru/two"}).removed == 0
    assert (out / "ru" / "two.wav").is_file()
    assert synthesis.outdated(book, tmp_path, out) == ()
    assert synthesis.build(book, tmp_path, out).removed == 1


def test_a_sound_that_was_cut_short_by_somebody_is_made_again(tmp_path: Path) -> None:
    book = book_of(tmp_path, ESPEAK + '[one]\nru = "Раз"\n')
    synthesis.build(book, tmp_path, tmp_path / "out")
    wav = tmp_path / "out/ru/one.wav"
    whole = wav.read_bytes()
    wav.write_bytes(whole[:100])
    assert synthesis.build(book, tmp_path, tmp_path / "out").built == 1
    assert wav.read_bytes() == whole


def test_a_human_recording_is_preferred_to_voice_and_asterisk_and_made_as_loud_as_the_rest(tmp_path: Path) -> None:
    text = MUTE + '[one]\nru = "Раз"\n[bye]\nru = "Пока"\nasterisk = "vm-goodbye"\n'
    write_tone(tmp_path / "ru" / "one.wav", 1000, 44100, 0.9, silence_s=0.7)
    write_tone(tmp_path / "ru" / "bye.wav", 500, 16000, 0.01)
    report = synthesis.build(book_of(tmp_path, text), tmp_path, tmp_path / "out")
    assert report == synthesis.BuildReport(0, 2, 0, 0, 0)
    for name, hz in (("one", 1000), ("bye", 500)):
        sound = samples(tmp_path / "out/ru" / f"{name}.wav")
        assert tone_db(sound, hz) > -30
        assert abs(speech_level_db(sound) - loudness.LEVEL_DBFS) < 0.5
        assert 1.0 < len(sound) / RATE < 1.3
    assert prompts.PromptResolver(book_of(tmp_path, text), tmp_path / "out").media("bye", "ru").endswith("/ru/bye")


def test_a_new_recording_replaces_the_old_one_and_without_it_the_voice_speaks_again(tmp_path: Path) -> None:
    book = book_of(tmp_path, ESPEAK + '[one]\nru = "Раз"\n')
    for hz in (500, 1500):
        write_tone(tmp_path / "ru" / "one.wav", hz, RATE, 0.5)
        assert synthesis.build(book, tmp_path, tmp_path / "out").recorded == 1
        assert tone_db(samples(tmp_path / "out/ru/one.wav"), hz) > -30
    (tmp_path / "ru" / "one.wav").unlink()
    assert synthesis.build(book, tmp_path, tmp_path / "out").synthesised == 1
    assert tone_db(samples(tmp_path / "out/ru/one.wav"), 1500) < -30


def test_what_a_telephone_cannot_carry_is_removed_and_not_folded_into_what_it_can(tmp_path: Path) -> None:
    write_tone(tmp_path / "high.wav", 6500, 22050, 0.5)
    sound = np.frombuffer(loudness.read(str(tmp_path / "high.wav")).raw_data, "<i2").astype(np.float64) / 32768
    assert tone_db(sound, RATE - 6500) < -60


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('"false", "{text}", "{wav}"', "prompt ru/one, made by false: ended with 1: wrote no sound"),
        ('"sh", "-c", "echo cannot speak >&2; exit 3", "{text}", "{wav}"', "made by sh: ended with 3: cannot speak"),
        ('"cp", "{text}", "{wav}"', "prompt ru/one, made by cp: .*Invalid data found"),
        ('"espeak-ng", "-f", "/dev/null", "-w", "{wav}", "{text}"', "made by espeak-ng: .*(heard in it|sound|data)"),
    ],
)
def test_a_voice_that_fails_is_named_with_the_prompt(tmp_path: Path, command: str, said: str) -> None:
    book = book_of(tmp_path, f'[voices.ru]\ncommand = [{command}]\n[one]\nru = "Раз"\n')
    with pytest.raises(PromptFailed, match=said):
        synthesis.build(book, tmp_path, tmp_path / "out")


def test_a_voice_that_is_not_installed_is_named(tmp_path: Path) -> None:
    book = book_of(tmp_path, '[voices.ru]\ncommand = ["no-such-voice", "{text}", "{wav}"]\n[one]\nru = "Раз"\n')
    with pytest.raises(ToolMissing, match="no-such-voice is not installed; it is needed for the voice of language ru"):
        synthesis.build(book, tmp_path, tmp_path / "out")


def test_a_broken_recording_is_named_and_the_other_prompts_are_built_and_remembered(tmp_path: Path) -> None:
    book = book_of(tmp_path, ESPEAK + '[bad]\nru = "Раз"\n[good]\nru = "Два"\n')
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "bad.wav").write_bytes(b"this is no sound")
    with pytest.raises(PromptFailed, match=r"ru/bad\.wav: .*Invalid data found"):
        synthesis.build(book, tmp_path, tmp_path / "out")
    assert (tmp_path / "out/ru/good.wav").is_file()
    (tmp_path / "ru" / "bad.wav").unlink()
    assert synthesis.build(book, tmp_path, tmp_path / "out") == synthesis.BuildReport(1, 0, 1, 0, 0)


def test_a_silent_recording_is_refused(tmp_path: Path) -> None:
    write_tone(tmp_path / "ru" / "one.wav", 440, RATE, 0.0)
    with pytest.raises(PromptFailed, match=r"one\.wav: nothing is heard in it"):
        synthesis.build(book_of(tmp_path, MUTE + '[one]\nru = "Раз"\n'), tmp_path, tmp_path / "out")


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    long = "Раз, два, три, четыре, пять, шесть, семь, восемь. " * 4
    book_of(tmp_path, ESPEAK + f'[one]\nru = "{long}"\n')
    program = (
        "import sys, pathlib\n"
        "from ccserver.audio import prompts, synthesis, errors\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "try: synthesis.build(prompts.load(here / 'prompts.toml'), here, here / 'full')\n"
        "except errors.DiskFull as error: print(error)\n"
    )
    (tmp_path / "full").mkdir()
    mount = f'mount -t tmpfs -o size=64k none {tmp_path}/full && exec "$0" -c "$1" {tmp_path}'
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-m"]
    done = subprocess.run(
        [*unshare, "sh", "-c", mount, sys.executable, program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == f"{tmp_path}/full/ru/one.wav: no space left on device\n", done.stderr
