"""What can be said after a reload: the new prompts, and the old ones for who is still in a flow of yesterday."""

from pathlib import Path

import pytest

from ccserver.audio.errors import PromptMissing
from ccserver.audio.prompts import load
from ccserver.audio.speech import Speech

VOICES = '[voices.ru]\ncommand = ["say", "{text}", "{wav}"]\n'


def test_prompts_of_earlier_books_can_still_be_said(tmp_path: Path) -> None:
    file = tmp_path / "prompts.toml"
    file.write_text(f'{VOICES}[menu]\nru = "Меню."\n[old]\nru = "Старое."\n')
    speech = Speech(load(file), tmp_path)
    with pytest.raises(PromptMissing):
        speech.media("new", "ru")
    file.write_text(f'{VOICES}[menu]\nru = "Меню."\n[new]\nru = "Новое."\n')
    for _ in range(3):
        speech.adopt(load(file))
    for prompt in ("menu", "old", "new"):
        assert speech.media(prompt, "ru") == f"sound:{tmp_path}/ru/{prompt}"


def test_sounds_that_were_built_meanwhile_are_taken_instead_of_asterisks_own(tmp_path: Path) -> None:
    file = tmp_path / "prompts.toml"
    file.write_text(f'{VOICES}[bye]\nru = "До свидания."\nasterisk = "goodbye"\n')
    speech = Speech(load(file), tmp_path)
    assert speech.media("bye", "ru") == "sound:goodbye"
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "bye.wav").touch()
    speech.adopt(load(file))
    assert speech.media("bye", "ru") == f"sound:{tmp_path}/ru/bye"
