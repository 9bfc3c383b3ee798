"""The texts that callers and operators hear: prompts.toml as types, and where Asterisk finds the sound of each.

`load` is called at start, by `ccserver check` and by `ccserver prompts`; the voice connector asks `PromptResolver.media`
for what to play, text media ask `PromptBook.text`. The sounds are made by `ccserver.audio.synthesis`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ccserver import spoken
from ccserver.audio.errors import PromptMissing, PromptsInvalid

VOICES = "voices"
"""The one table of prompts.toml that is no prompt."""
SOUNDS_DIR = Path("/usr/share/asterisk/sounds")
"""Where Debian's Asterisk keeps its own recorded sounds, as Asterisk sees it."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_SOUND = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
WORD = "word-"
"""Begins the name of each word that variables are said with."""
_PLACES = ("{text}", "{wav}")


@dataclass(frozen=True, slots=True)
class Voice:
    """What reads the texts of one language aloud: a command line with `{text}` (a file in) and `{wav}` (a file out)."""

    language: str
    command: tuple[str, ...]
    pronounce: tuple[tuple[str, str], ...] = ()
    """(word, what the command must be given instead), for words that this voice stresses wrongly."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to say, in every language of the book."""

    name: str
    texts: Mapping[str, str]
    """By language."""
    asterisk: str | None = None
    """Asterisk's own recorded sound that says it, in every language; taken where there is no recording of ours."""
    voice: str | None = None
    """The language whose voice reads every text; None: each text is read by the voice of its own language."""


@dataclass(frozen=True, slots=True)
class PromptBook:
    """prompts.toml, checked: every prompt has every language."""

    path: Path
    voices: Mapping[str, Voice]
    """By language; its keys are the languages of the book, in the order of the file."""
    prompts: Mapping[str, Prompt]
    """By name, in the order of the file."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Words that variables are said with (`ccserver.spoken`): by language, then by name. Only those that flows need."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that every prompt is written in."""
        return tuple(self.voices)

    def prompt(self, name: str, language: str) -> Prompt:
        """The prompt; raises `PromptMissing` when there is no such prompt or no such language."""
        if language not in self.voices:
            known = ", ".join(self.voices)
            raise PromptMissing(
                f"{self.path}: prompt {name} is asked for in language {language!r}, which is not among {known}"
            )
        if name not in self.prompts:
            raise PromptMissing(f"{self.path}: there is no prompt {name!r}")
        return self.prompts[name]

    def with_words(self, kinds: Collection[str]) -> PromptBook:
        """And the words that these kinds of variables are said with."""
        return replace(self, words={language: spoken.lexicon(language, kinds) for language in self.languages})

    def text(self, name: str, language: str) -> str:
        """What the prompt says, for media that write instead of speaking."""
        return self.prompt(name, language).texts[language]


LEAD_IN = "lead-in"
"""A short silence, in no book and the same in every language: what is said right after the answer, networks swallow."""


class PromptResolver:
    """Where Asterisk finds each prompt; asked by the voice connector before it plays."""

    def __init__(self, book: PromptBook, prompts_dir: Path) -> None:
        """`prompts_dir` is where `synthesis.build` has put the files; Asterisk must see it at the same absolute path.

        Looks once: make a new one after a build.
        """
        self._book = book
        self._prompts_dir = prompts_dir.absolute()
        self._built = frozenset(f"{path.parent.name}/{path.stem}" for path in prompts_dir.glob("*/*.wav"))

    def said(self, item: str, language: str) -> tuple[str, ...]:
        """The media URIs of an item of a step, in their order; raises `PromptMissing`.

        Variables are said with the words of the book, where it has them, else digits and numbers with Asterisk's own.
        """
        if not spoken.is_variable(item):
            return (self.media(item, language),)
        names = spoken.sounds(item, language) if language in spoken.TONGUES else ()
        if names and all(name == spoken.PAUSE or f"{language}/{name}" in self._built for name in names):
            return tuple(self._word(name, language) for name in names)
        if item.partition(":")[0] in spoken.ASTERISKS_OWN:
            return (spoken.plain(item) or self.media(LEAD_IN, language),)
        raise PromptMissing(f"{item} cannot be said in language {language!r}: its words are not built")

    def _word(self, name: str, language: str) -> str:
        return self.media(LEAD_IN, language) if name == spoken.PAUSE else f"sound:{self._prompts_dir / language / name}"

    def media(self, prompt: str, language: str) -> str:
        """The media URI that ARI plays; raises `PromptMissing`.

        Whatever has a scheme already (`digits:42`, `number:7`, `sound:beep`) is Asterisk's own and returned as it is.
        The channel must have its language set: Asterisk's recorded sounds come as `sound:<name>` without one.
        """
        if ":" in prompt:
            return prompt
        if prompt == LEAD_IN:
            return f"sound:{self._prompts_dir / LEAD_IN}"
        found = self._book.prompt(prompt, language)
        if found.asterisk is not None and f"{language}/{prompt}" not in self._built:
            return f"sound:{found.asterisk}"
        return f"sound:{self._prompts_dir / language / prompt}"

    def unbuilt(self) -> tuple[str, ...]:
        """`<language>/<prompt>` of every sound that should lie in the directory and does not (Asterisk skips it in silence)."""
        own = [prompt.name for prompt in self._book.prompts.values() if prompt.asterisk is None]
        wanted = [f"{language}/{name}" for name in own for language in self._book.languages]
        wanted += [f"{language}/{name}" for language, words in self._book.words.items() for name in words]
        return tuple(key for key in wanted if key not in self._built)


def check(book: PromptBook, used_names: Iterable[str]) -> tuple[str, ...]:
    """Names that flows use and the book lacks, sorted; Asterisk's own items (`digits:42`) are no names."""
    return tuple(sorted({name for name in used_names if ":" not in name} - set(book.prompts)))


def stray_recordings(book: PromptBook, recordings_dir: Path) -> tuple[Path, ...]:
    """Human recordings that no prompt asks for: a misspelt name would otherwise be replaced by the voice unnoticed."""
    words = {language: spoken.lexicon(language) for language in book.languages}
    asked_for = {
        Path(language, f"{name}.wav") for language in book.languages for name in (*book.prompts, *words[language])
    }
    found = sorted(recordings_dir.glob("*/*.wav"))
    return tuple(path for path in found if path.relative_to(recordings_dir) not in asked_for)


def missing_sounds(book: PromptBook, asterisk_root: Path = Path("/")) -> tuple[str, ...]:
    """`<language>/<sound>` of Asterisk's own sounds that prompts name and the Asterisk installed in this root lacks."""
    folders = {language: _inside(asterisk_root, SOUNDS_DIR / language) for language in book.languages}
    return tuple(
        f"{language}/{prompt.asterisk}"
        for prompt in book.prompts.values()
        for language in book.languages
        if prompt.asterisk is not None and not any(folders[language].glob(f"{prompt.asterisk}.*"))
    )


def _inside(root: Path, path: Path) -> Path:
    """The folder that a process chrooted into `root` finds at `path`; Debian's language folders are links to links."""
    folder = root / path.relative_to("/")
    for _ in range(10):
        if not folder.is_symlink():
            break
        target = folder.readlink()
        folder = root / target.relative_to("/") if target.is_absolute() else folder.parent / target
    return folder


def load(path: Path) -> PromptBook:
    """Read and check prompts.toml; raises `PromptsInvalid` naming file, line, prompt and field."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise PromptsInvalid(path, 0, "prompts", f"cannot be read: {reason}") from None
    try:
        tables: dict[str, object] = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise PromptsInvalid(path, int(line[1]) if line else source.count("\n") + 1, "TOML", str(error)) from None
    return _Reader(path, source).book(tables)


class _Reader:
    """Turns the tables of one file into types; knows file and source so that each complaint can name its line."""

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._lines = source.splitlines()

    def book(self, tables: dict[str, object]) -> PromptBook:
        if VOICES not in tables:
            raise self._wrong(VOICES, "", "the table [voices.<language>] is missing; it says which languages there are")
        voices = {
            language: self._voice(language, entry) for language, entry in self._table(VOICES, tables[VOICES]).items()
        }
        if not voices:
            raise self._wrong(VOICES, "", "expected at least one [voices.<language>]")
        languages = tuple(voices)
        prompts = {name: self._prompt(name, entry, languages) for name, entry in tables.items() if name != VOICES}
        return PromptBook(self._path, voices, prompts)

    def _voice(self, language: str, entry: object) -> Voice:
        table = f"{VOICES}.{language}"
        if not _LANGUAGE.fullmatch(language):
            raise self._wrong(table, "", "expected a language as Asterisk names it, such as ru, en or pt_BR")
        fields = self._table(table, entry)
        self._only(table, fields, ("command", "pronounce"))
        command = fields.get("command")
        if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
            raise self._wrong(
                table, "command", 'expected a list of words, such as ["espeak-ng", "-f", "{text}", "-w", "{wav}"]'
            )
        for place in _PLACES:
            if not any(place in word for word in command):
                raise self._wrong(table, "command", f"expected {place} among its words")
        pronounce = self._table(f"{table}.pronounce", fields.get("pronounce", {}))
        words = ((word, self._string(f"{table}.pronounce", word, instead)) for word, instead in pronounce.items())
        return Voice(language, tuple(command), tuple(words))

    def _prompt(self, name: str, entry: object, languages: tuple[str, ...]) -> Prompt:
        if not _NAME.fullmatch(name):
            raise self._wrong(name, "", "expected a prompt's name in kebab-case: small letters, digits and hyphens")
        if name.startswith(WORD):
            raise self._wrong(name, "", f"names that begin with {WORD} are those of words that variables are said with")
        fields = self._table(name, entry)
        self._only(name, fields, (*languages, "asterisk", "voice"))
        for language in languages:
            if language not in fields:
                raise self._wrong(name, "", f'the text {language} = "…" is missing')
        asterisk = self._string(name, "asterisk", fields["asterisk"]) if "asterisk" in fields else None
        if asterisk is not None and not _SOUND.fullmatch(asterisk):
            raise self._wrong(
                name, "asterisk", "expected the name of a sound of Asterisk, without folder of language or extension"
            )
        voice = self._string(name, "voice", fields["voice"]) if "voice" in fields else None
        if voice is not None and voice not in languages:
            raise self._wrong(name, "voice", f"expected one of {', '.join(languages)}")
        return Prompt(name, {lang: self._string(name, lang, fields[lang]) for lang in languages}, asterisk, voice)

    def _table(self, table: str, value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise self._wrong("", table, f"expected a table, [{table}]")
        return value

    def _string(self, table: str, field: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(table, field, "expected a text that is not empty")
        return value.strip()

    def _only(self, table: str, fields: Iterable[str], known: tuple[str, ...]) -> None:
        for name in fields:
            if name not in known:
                raise self._wrong(table, name, f"expected one of {', '.join(known)}")

    def _wrong(self, table: str, field: str, expected: str) -> PromptsInvalid:
        where = " ".join(part for part in (f"[{table}]" if table else "", field) if part)
        return PromptsInvalid(self._path, self._line(table, field), where, expected)

    def _line(self, table: str, field: str) -> int:
        """Line of the field, else of its table's heading, else 0; tomllib does not tell."""
        heading, at, inside = re.compile(r"\s*\[\s*([^\]]+?)\s*\]"), 0, table == ""
        for number, line in enumerate(self._lines, 1):
            if found := heading.match(line):
                inside = found[1].replace('"', "") == table
                at = number if inside else at
            elif inside and field and re.match(rf'\s*"?{re.escape(field)}"?\s*=', line):
                return number
        return at
