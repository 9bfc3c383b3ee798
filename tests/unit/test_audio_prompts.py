"""prompts.toml: what it says, what it must not say, and where Asterisk finds each prompt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ccserver.audio import prompts
from ccserver.audio.errors import PromptMissing, PromptsInvalid

ROOT = Path(__file__).parents[2]
VOICES = """\
[voices.ru]
command = ["espeak-ng", "-v", "ru", "-f", "{text}", "-w", "{wav}"]

[voices.en]
command = ["flite", "-f", "{text}", "-o", "{wav}"]

"""
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def write(folder: Path, text: str) -> Path:
    path = folder / "prompts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(PromptsInvalid) as caught:
        prompts.load(write(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def two_prompts(folder: Path) -> prompts.PromptBook:
    text = '[hello]\nru = "Привет"\nen = "Hello"\n[bye]\nru = "Пока"\nen = "Bye"\nasterisk = "vm-goodbye"\n'
    return prompts.load(write(folder, VOICES + text))


def test_every_prompt_of_the_demo_has_both_languages_and_its_russian_is_written_in_cyrillic() -> None:
    book = prompts.load(ROOT / "ivr-prompts" / "prompts.toml")
    assert book.languages == ("ru", "en")
    for prompt in book.prompts.values():
        if prompt.voice is None:
            assert CYRILLIC.search(prompt.texts["ru"]), prompt.name
            assert not re.search("[A-Za-z]", prompt.texts["ru"]), prompt.name
        assert not CYRILLIC.search(prompt.texts["en"]), prompt.name


def test_the_demo_has_the_prompts_that_calls_feature_codes_and_the_fallback_need() -> None:
    book = prompts.load(ROOT / "ivr-prompts" / "prompts.toml")
    callers = (
        "english-offer opening-hours invalid-key no-input all-busy-please-wait goodbye line-closed recording-notice"
    )
    lines = "nordlis-greeting nordlis-menu velmira-greeting velmira-menu transfer-to-operator voicemail-intro voicemail-thanks"
    operators = "agent-ready agent-not-ready agent-logged-out agent-unknown-code agent-not-an-operator"
    reasons = "reason-1 reason-2 reason-3 reason-4 reason-5"
    fallback = "fallback-apology fallback-callback-offer fallback-thanks"
    assert prompts.check(book, " ".join((callers, lines, operators, reasons, fallback)).split()) == ()


def test_english_is_offered_in_english_in_the_russian_menu_too() -> None:
    offer = prompts.load(ROOT / "ivr-prompts" / "prompts.toml").prompts["english-offer"]
    assert offer.voice == "en"
    assert offer.texts["ru"] == offer.texts["en"]


def test_no_recording_beside_the_demo_has_a_misspelt_name() -> None:
    book = prompts.load(ROOT / "ivr-prompts" / "prompts.toml")
    assert prompts.stray_recordings(book, ROOT / "ivr-prompts") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[hello]\nru = "Привет"\n', 'prompts.toml:7: [hello]: the text en = "…" is missing'),
        ('[hello]\nru = "Привет"\nen = " "\n', "prompts.toml:9: [hello] en: expected a text that is not empty"),
        ('[hello]\nru = 5\nen = "Hi"\n', "prompts.toml:8: [hello] ru: expected a text that is not empty"),
        (
            '[hello]\nru = "а"\nen = "a"\nde = "a"\n',
            "prompts.toml:10: [hello] de: expected one of ru, en, asterisk, voice",
        ),
        ('[hello]\nru = "а"\nen = "a"\nvoice = "de"\n', "prompts.toml:10: [hello] voice: expected one of ru, en"),
        (
            '[word-7]\nru = "а"\nen = "a"\n',
            "prompts.toml:7: [word-7]: names that begin with word- are those of words",
        ),
        (
            '[hello]\nru = "а"\nen = "a"\nasterisk = "ru/x.wav"\n',
            "prompts.toml:10: [hello] asterisk: expected the name",
        ),
        (
            '[Hello_there]\nru = "а"\nen = "a"\n',
            "prompts.toml:7: [Hello_there]: expected a prompt's name in kebab-case",
        ),
        ('[hello]\nru = "а"\n[hello]\nen = "a"\n', "prompts.toml:9: TOML: Cannot declare ('hello',) twice"),
        ('[hello]\nru = "а\n', "prompts.toml:8: TOML: Illegal character"),
    ],
)
def test_a_wrong_prompt_is_named_with_file_line_prompt_and_field(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, VOICES + text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[hello]\nru = "Привет"\n', "prompts.toml: [voices]: the table [voices.<language>] is missing"),
        ("[voices]\n", "prompts.toml:1: [voices]: expected at least one [voices.<language>]"),
        ("voices = 1\n", "prompts.toml:1: voices: expected a table, [voices]"),
        ("[voices.russian]\n", "prompts.toml:1: [voices.russian]: expected a language as Asterisk names it"),
        ("[voices.ru]\n", "prompts.toml:1: [voices.ru] command: expected a list of words"),
        ('[voices.ru]\ncommand = "espeak-ng"\n', "prompts.toml:2: [voices.ru] command: expected a list of words"),
        (
            '[voices.ru]\ncommand = ["x", "{text}"]\n',
            "prompts.toml:2: [voices.ru] command: expected {wav} among its words",
        ),
        ("[voices.ru]\nspeed = 1\n", "prompts.toml:2: [voices.ru] speed: expected one of command, pronounce"),
    ],
)
def test_a_wrong_voice_is_named_with_file_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(PromptsInvalid, match=r"prompts\.toml: prompts: cannot be read: No such file"):
        prompts.load(tmp_path / "prompts.toml")
    (tmp_path / "prompts.toml").write_bytes('[a]\nru = "я"'.encode("koi8-r"))
    with pytest.raises(PromptsInvalid, match="cannot be read: is not UTF-8"):
        prompts.load(tmp_path / "prompts.toml")


def test_a_prompt_is_played_from_where_it_was_built_and_a_standard_phrase_from_asterisk(tmp_path: Path) -> None:
    resolver = prompts.PromptResolver(two_prompts(tmp_path), tmp_path / "built")
    assert resolver.media("hello", "ru") == f"sound:{tmp_path}/built/ru/hello"
    assert resolver.media("bye", "en") == "sound:vm-goodbye"
    assert resolver.media("digits:42", "ru") == "digits:42"
    assert resolver.unbuilt() == ("ru/hello", "en/hello")


def test_a_standard_phrase_that_somebody_recorded_is_played_from_where_it_was_built(tmp_path: Path) -> None:
    (tmp_path / "built" / "ru").mkdir(parents=True)
    (tmp_path / "built" / "ru" / "bye.wav").touch()
    resolver = prompts.PromptResolver(two_prompts(tmp_path), tmp_path / "built")
    assert resolver.media("bye", "ru") == f"sound:{tmp_path}/built/ru/bye"
    assert resolver.media("bye", "en") == "sound:vm-goodbye"


def test_a_variable_is_said_with_our_own_words_once_they_are_built_and_until_then_by_asterisk(tmp_path: Path) -> None:
    book = two_prompts(tmp_path).with_words(["digits"])
    unbuilt = prompts.PromptResolver(book, tmp_path / "built")
    assert "ru/word-7" in unbuilt.unbuilt() and "en/word-star" in unbuilt.unbuilt()
    assert unbuilt.said("digits:7*", "ru") == ("digits:7*",)
    assert unbuilt.said("digits:", "ru") == (f"sound:{tmp_path}/built/lead-in",), "nothing to say is a pause"
    with pytest.raises(PromptMissing, match="money:5 RUB cannot be said"):
        unbuilt.said("money:5 RUB", "ru")
    (tmp_path / "built" / "ru").mkdir(parents=True)
    for name in book.words["ru"]:
        (tmp_path / "built" / "ru" / f"{name}.wav").touch()
    built = prompts.PromptResolver(book, tmp_path / "built")
    folder = f"sound:{tmp_path}/built/ru"
    assert built.said("digits:7*", "ru") == (f"{folder}/word-7", f"{folder}/word-star")
    assert built.said("digits:123456", "ru")[3] == f"sound:{tmp_path}/built/lead-in", "a pause between groups"
    assert built.said("hello", "ru") == (f"{folder}/hello",)


def test_a_person_may_record_any_word(tmp_path: Path) -> None:
    book = two_prompts(tmp_path)
    for name in ("word-rub-few", "word-rubles"):
        (tmp_path / "ru").mkdir(exist_ok=True)
        (tmp_path / "ru" / f"{name}.wav").touch()
    assert prompts.stray_recordings(book, tmp_path) == (tmp_path / "ru" / "word-rubles.wav",)


def test_asking_for_an_unknown_prompt_or_language_names_it(tmp_path: Path) -> None:
    book = two_prompts(tmp_path)
    with pytest.raises(PromptMissing, match="there is no prompt 'helo'"):
        prompts.PromptResolver(book, tmp_path).media("helo", "ru")
    with pytest.raises(PromptMissing, match="prompt hello is asked for in language 'de', which is not among ru, en"):
        book.text("hello", "de")


def test_names_that_flows_use_and_nobody_wrote_are_found_and_numbers_are_no_names(tmp_path: Path) -> None:
    book = two_prompts(tmp_path)
    assert prompts.check(book, ["hello", "digits:42", "typo", "bye", "another"]) == ("another", "typo")


def test_a_recording_that_no_prompt_asks_for_is_found(tmp_path: Path) -> None:
    book = two_prompts(tmp_path)
    for name in ("ru/hello.wav", "ru/helo.wav", "de/hello.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert prompts.stray_recordings(book, tmp_path) == (tmp_path / "de/hello.wav", tmp_path / "ru/helo.wav")


def test_sounds_that_asterisk_does_not_have_are_found_though_its_language_folders_are_links_in_a_root(
    tmp_path: Path,
) -> None:
    sounds = tmp_path / "usr/share/asterisk/sounds"
    (sounds / "ru_RU_f_Somebody").mkdir(parents=True)
    (sounds / "ru_RU_f_Somebody" / "vm-goodbye.gsm").touch()
    (sounds / "ru").symlink_to("/etc/alternatives/asterisk-prompt-ru")
    (tmp_path / "etc/alternatives").mkdir(parents=True)
    (tmp_path / "etc/alternatives/asterisk-prompt-ru").symlink_to("/usr/share/asterisk/sounds/ru_RU_f_Somebody")
    assert prompts.missing_sounds(two_prompts(tmp_path), tmp_path) == ("en/vm-goodbye",)
