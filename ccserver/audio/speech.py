"""What the server can say now. It grows with every reload: whoever is in a flow of yesterday still hears yesterday's prompts."""

from dataclasses import replace
from pathlib import Path

from ccserver.audio.prompts import PromptBook, PromptResolver


class Speech:
    """The prompts of the book in force, and those of the books before it."""

    def __init__(self, book: PromptBook, prompts_dir: Path) -> None:
        """As `PromptResolver`."""
        self._prompts_dir = prompts_dir
        self._book = book
        self._resolver = PromptResolver(book, prompts_dir)

    def media(self, prompt: str, language: str) -> str:
        """As `PromptResolver.media`."""
        return self._resolver.media(prompt, language)

    def said(self, item: str, language: str) -> tuple[str, ...]:
        """As `PromptResolver.said`."""
        return self._resolver.said(item, language)

    def adopt(self, book: PromptBook) -> None:
        """From now on this book; what only earlier ones had can still be said."""
        prompts, voices = {**self._book.prompts, **book.prompts}, {**self._book.voices, **book.voices}
        words = {
            language: {**self._book.words.get(language, {}), **book.words.get(language, {})} for language in voices
        }
        self._book = replace(book, prompts=prompts, voices=voices, words=words)
        self._resolver = PromptResolver(self._book, self._prompts_dir)
