"""What is said: conversations.toml as types, and who says what in one talk."""

import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from ccserver.sim.world import About

FILE = Path(__file__).with_name("conversations.toml")

T = TypeVar("T")

Language = Literal["ru", "en"]
Who = Literal["caller", "operator"]


class Voice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command line with `{text}` (a file in) and `{wav}` (a file out)."""

    who: Who
    language: Language
    command: tuple[str, ...]
    sounds: Literal["female", "male", ""] = ""


class Goodbye(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    caller: dict[Language, tuple[str, ...]]
    operator: dict[Language, tuple[str, ...]]


class More(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two sentences that fit anywhere."""

    language: Language
    caller: str
    operator: str


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caller begins; line by line."""

    language: Language
    about: About
    caller: tuple[str, ...]
    operator: tuple[str, ...]


class Colleagues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word between operators: one line each, then goodbye."""

    greeting: str
    caller: tuple[str, str]
    operator: tuple[str, str]


class Script(msgspec.Struct, frozen=True):
    """One side of a talk."""

    voice: Voice
    first: str
    """Said when the talk begins: an operator's greeting; "" is nothing."""
    lines: tuple[str, ...]
    """One at each turn; when they are used up, the goodbye comes."""
    goodbye: str

    @property
    def texts(self) -> tuple[str, ...]:
        """All of it."""
        return tuple(text for text in (self.first, *self.lines, self.goodbye) if text)


class Conversations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as a whole."""

    voices: tuple[Voice, ...]
    greeting: dict[Language, tuple[str, ...]]
    goodbye: Goodbye
    more: tuple[More, ...]
    topics: tuple[Topic, ...]
    colleagues: Colleagues

    def caller(self, whim: int, language: Language, about: About) -> Script:
        """What a caller says; the same whim is the same voice and the same words."""
        topic, more = self._talk(whim, language, about)
        goodbye = _pick(whim, self.goodbye.caller[language])
        lines = (*topic.caller, *(pair.caller for pair in more))
        return Script(_pick(whim, self._voices("caller", language)), "", lines, goodbye)

    def operator(self, whim: int, name: str, language: Language, about: About) -> Script:
        """What an operator answers to the caller of that whim; `name` chooses the voice."""
        topic, more = self._talk(whim, language, about)
        lines = (*topic.operator, *(pair.operator for pair in more))
        greeting, goodbye = _pick(whim, self.greeting[language]), _pick(whim, self.goodbye.operator[language])
        return Script(self.voice_of(name, language), greeting, lines, goodbye)

    def colleague(self, who: Who, name: str) -> Script:
        """A word between operators: `who` is the one that calls, or the one that answers."""
        answers = who == "operator"
        line, goodbye = self.colleagues.operator if answers else self.colleagues.caller
        return Script(self.voice_of(name, "ru"), self.colleagues.greeting if answers else "", (line,), goodbye)

    def voice_of(self, name: str, language: Language) -> Voice:
        """A Russian woman's surname ends in «а»."""
        sounds = "female" if name.endswith(("а", "я", "a")) else "male"
        return next(voice for voice in self._voices("operator", language) if voice.sounds == sounds)

    def _voices(self, who: Who, language: Language) -> Sequence[Voice]:
        return [voice for voice in self.voices if (voice.who, voice.language) == (who, language)]

    def _talk(self, whim: int, language: Language, about: About) -> tuple[Topic, list[More]]:
        topics = [topic for topic in self.topics if (topic.language, topic.about) == (language, about)]
        more = [pair for pair in self.more if pair.language == language]
        random.Random(whim).shuffle(more)
        return _pick(whim, topics), more


def load() -> Conversations:
    """The file that comes with the package."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Conversations)


def _pick(whim: int, among: Sequence[T]) -> T:
    return among[whim % len(among)]
