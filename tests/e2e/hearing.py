"""Questions about what a caller hears that need to know the prompts: which prompt, and from its first syllable."""

from contextlib import suppress
from pathlib import Path

from ccserver.audio.prompts import SOUNDS_DIR, load
from tests.e2e.centre import Centre
from tests.e2e.centre_config import CHECKOUT
from tests.phones import Call, CallFailed, PhoneTimeout
from tests.phones.tones import Sound, find, is_silent, onset, read_wav

BOOK = load(CHECKOUT / "ivr-prompts" / "prompts.toml")
STEP_S = 0.25
"""A search costs some milliseconds, so it is not made after every packet."""
SYLLABLE_S = 0.15
PIECE_S = 0.25
PIECES = 3
LATE_S = 0.4
"""A phone on a starved machine stretches what it hears by a frame here and there: pieces come a little late, but whole."""
SAME_SCORE = 0.6
"""Of a piece: 1 is the very same, 0.99 what G.711 leaves of it, 0.7 with a frame put in, below 0.5 something else."""


class Hearing:
    """What one call hears, prompt by prompt, in the order in which a test asks for them."""

    def __init__(self, centre: Centre, call: Call, language: str = "ru") -> None:
        self._centre = centre
        self._call = call
        self._language = language
        self._from_s = 0.0

    async def hears(self, prompt: str, timeout_s: float = 20.0) -> float:
        """The prompt, from its first syllable, later than the one asked for before; where it began, in seconds."""
        (clip,) = read_wav(self.file(prompt))
        waited_s = 0.0
        while (began_s := opening(clip, self._call.heard().between(self._from_s))) is None:
            if waited_s > timeout_s or self._call.is_gone:
                raise PhoneTimeout(f"{self._call!r} does not hear {prompt} in {waited_s:g} s")
            with suppress(CallFailed):  # the prompt may have been its last words
                await self._call.hears_for(STEP_S)
            waited_s += STEP_S
        began_s += self._from_s
        self._from_s = began_s + SYLLABLE_S
        return began_s

    def file(self, prompt: str) -> Path:
        """What Asterisk plays for the prompt."""
        built = self._centre.asterisk.instance.prompts_dir / self._language / f"{prompt}.wav"
        recorded = BOOK.prompt(prompt, self._language).asterisk
        sounds = self._centre.asterisk.root.path / SOUNDS_DIR.relative_to("/")
        return sounds / self._language / f"{recorded}.wav" if recorded and not built.exists() else built


def opening(clip: Sound, heard: Sound) -> float | None:
    """Where the clip begins in what was heard: its first syllable, and soon after it what follows; None if it does not."""
    begins_s = onset(clip)
    assert begins_s is not None, "a silent prompt is heard everywhere"
    if heard.duration_s < SYLLABLE_S:
        return None
    first = find(clip.between(begins_s, begins_s + SYLLABLE_S), heard)
    if first.score < SAME_SCORE:
        return None
    for number in range(PIECES):
        after_s = SYLLABLE_S + number * PIECE_S
        piece = clip.between(begins_s + after_s, begins_s + after_s + PIECE_S)
        if is_silent(piece):
            continue
        from_s = first.offset_s + after_s - 0.02
        found = find(piece, heard.between(from_s, from_s + PIECE_S + LATE_S))
        if found.score < SAME_SCORE:
            return None
    return first.offset_s
