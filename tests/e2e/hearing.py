"""Questions about what a caller hears that need to know the prompts: which prompt, and from its first syllable."""

from pathlib import Path

from ccserver.audio.prompts import SOUNDS_DIR, load
from tests.e2e.centre import Centre
from tests.e2e.centre_config import CHECKOUT
from tests.phones import Call, PhoneTimeout
from tests.phones.tones import Match, find_opening, read_wav

BOOK = load(CHECKOUT / "ivr-prompts" / "prompts.toml")
STEP_S = 0.25
"""A search costs some milliseconds, so it is not made after every packet."""
HEARD_SCORE = 0.6
"""1 is the very same, above 0.9 what G.711 leaves of it, below 0.3 something else; a starved machine loses packets."""


class Hearing:
    """What one call hears, prompt by prompt, in the order in which a test asks for them."""

    def __init__(self, centre: Centre, call: Call, language: str = "ru") -> None:
        self._centre = centre
        self._call = call
        self.language = language
        self._from_s = 0.0

    async def hears(self, prompt: str, timeout_s: float = 20.0) -> Match:
        """The prompt, from its first syllable, after the one that was asked for before; where it began."""
        (clip,) = read_wav(self._file(prompt))
        waited_s, best = 0.0, Match(0.0, 0.0)
        while best.score < HEARD_SCORE:
            if waited_s > timeout_s:
                raise PhoneTimeout(f"{self._call!r} does not hear {prompt}: best {best}")
            await self._call.hears_for(STEP_S)
            waited_s += STEP_S
            best = find_opening(clip, self._call.heard().between(self._from_s))
        found = Match(self._from_s + best.offset_s, best.score)
        self._from_s = found.offset_s + 0.5
        return found

    def _file(self, prompt: str) -> Path:
        built = self._centre.asterisk.instance.prompts_dir / self.language / f"{prompt}.wav"
        recorded = BOOK.prompt(prompt, self.language).asterisk
        sounds = self._centre.asterisk.root.path / SOUNDS_DIR.relative_to("/")
        return sounds / self.language / f"{recorded}.wav" if recorded and not built.exists() else built
