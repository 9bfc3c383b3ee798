"""What prompts.toml offers to flows: the names, languages and texts of the prompts.

The flows are checked against it and `ccserver check --call` shows its texts; voices and sounds are `ccserver.audio`'s
business, which also checks the file in full.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from ccserver import spoken
from ccserver.config.errors import ConfigErrors, did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath, read
from ccserver.core import talk_keys
from ccserver.core.codes import CODES, NOBODY, UNKNOWN

VOICES = "voices"
"""The one table of prompts.toml that is no prompt; its keys are the languages."""

OUTBOUND_PROMPTS = (
    "outbound-busy",
    "outbound-no-answer",
    "outbound-declined",
    "outbound-no-such-number",
    "outbound-no-trunk",
    "outbound-not-allowed",
    "outbound-not-a-number",
    "outbound-own-line",
    "outbound-limit",
    "outbound-engaged",
    "internal-unreachable",
)
"""Said to operators whose call to a customer or a colleague came to nothing."""
CALLBACK_PROMPTS = ("callback-briefing", "callback-connecting")
"""Said to an operator who calls a customer back, and to a customer who was called first and must wait."""


def reason_prompt(digit: str) -> str:
    """The prompt that says the not-ready reason which stands on a digit."""
    return f"reason-{digit}"


class Catalogue(Struct, frozen=True):
    """The prompts by name, each with its text by language."""

    file: Path
    languages: tuple[str, ...]
    texts: Mapping[str, Mapping[str, str]]

    def text(self, item: str, language: str) -> str:
        """What is said, as a text; a variable that has no value yet stands as it is written."""
        if spoken.is_variable(item) and "{" not in item:
            return spoken.spelled(item, language)
        return self.texts.get(item, {}).get(language, item)

    def flaw(self, item: str, language: str) -> str | None:
        """Why the item cannot be said in the language; None when it can."""
        if spoken.is_variable(item):
            flaw = spoken.flaw(item, language)
            return f"{shown(item)} {flaw}" if flaw else None
        if item not in self.texts:
            return f"there is no prompt {shown(item)} in {self.file.name}{did_you_mean(item, self.texts)}"
        if language not in self.texts[item]:
            return f"prompt {shown(item)} has no text in language {shown(language)}"
        return None


def read_catalogue(file: Path, main: Document, path: KeyPath, found: Findings) -> Catalogue | None:
    """The catalogue, or None after telling `found` why not; `path` is where the file is named in `ccserver.toml`."""
    try:
        document = read(file)
    except ConfigErrors as errors:
        (problem,) = errors.problems
        if problem.line:
            found.take(errors)
        else:  # the fault may well be in the name of the file
            found.error(main, path, f"expected the file of prompts, but {problem.file}: {problem.message}")
        return None
    voices = document.data.get(VOICES)
    if not isinstance(voices, dict) or not voices:
        found.error(document, (VOICES,), "expected a table [voices.<language>] for each language of the prompts")
        return None
    texts = {
        name: {language: text for language, text in entry.items() if language in voices and isinstance(text, str)}
        for name, entry in document.data.items()
        if name != VOICES and isinstance(entry, dict)
    }
    return Catalogue(file=file, languages=tuple(voices), texts=texts)


def check_house_prompts(catalogue: Catalogue, main: Document, reasons: Iterable[str], found: Findings) -> None:
    """What the server says by itself must be there in every language."""
    said: dict[str, str] = dict.fromkeys((UNKNOWN, NOBODY), "operators hear it when they dial a feature code")
    said |= {name: f"operators hear it when they dial {code.prefix}" for code in CODES for name in code.says}
    said |= dict.fromkeys(talk_keys.PROMPTS, "operators hear it when they press a code in a talk")
    said |= dict.fromkeys(OUTBOUND_PROMPTS, "operators hear it when a call of theirs comes to nothing")
    said |= dict.fromkeys(CALLBACK_PROMPTS, "an operator or a customer hears it when a customer is called back")
    for language in catalogue.languages:
        for name, when in said.items():
            if flaw := catalogue.flaw(name, language):
                found.error(main, ("prompts", "file"), f"{flaw}; {when}")
        for digit in reasons:
            if flaw := catalogue.flaw(reason_prompt(digit), language):
                found.error(
                    main, ("rules", "not_ready_reasons", digit), f"{flaw}; the operator hears it after *12{digit}"
                )


def check_told(catalogue: Catalogue, main: Document, told: Iterable[str], path: KeyPath, found: Findings) -> None:
    """What who waits in a queue is told must be there in every language: nobody knows in which he will wait."""
    for name in told:
        flaws = [flaw for language in catalogue.languages if (flaw := catalogue.flaw(name, language))]
        if flaws:
            found.error(main, path, f"{flaws[0]}; who waits in the queue is told it")


def check_language(catalogue: Catalogue, language: str) -> str | None:
    """Why there is no such language; None when there is."""
    if language in catalogue.languages:
        return None
    return f"expected a language of {catalogue.file.name} ({listed(catalogue.languages)}), got {shown(language)}"
