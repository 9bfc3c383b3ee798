"""Questions about what was heard: which prompt, and from its first syllable; and who is on which side of a recording."""

from contextlib import suppress
from pathlib import Path

from ccserver.audio.prompts import SOUNDS_DIR, load
from ccserver.sim.phones import Call, CallFailed, PhoneTimeout
from ccserver.sim.phones.tones import Sound, carries, find, is_silent, onset, read_wav
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, Row
from tests.e2e.centre_config import CHECKOUT

BOOK = load(CHECKOUT / "ivr-prompts" / "prompts.toml")
STEP_S = 0.25
"""A search costs some milliseconds, so it is not made after every packet."""
PIECE_S = 0.25
PIECES = 12
ENOUGH = 3
"""Pieces of a prompt's first three seconds in their places are the prompt; of a short one, half of them. A phone on a
starved machine stretches what it hears by a frame here and there: a long piece would not be found whole, a short one may
be broken."""
STRETCH_S = 0.3
SAME_SCORE = 0.9
"""Of a piece: 1 is the very same, 0.99 what G.711 leaves of it, up to 0.85 another word of the same voice."""
BEGINNING_S, BEGINNING_SCORE = 0.1, 0.6
"""Half of the first syllable."""


class Hearing:
    """What one call hears, prompt by prompt, in the order in which a test asks for them."""

    def __init__(self, centre: Centre, call: Call, language: str = "ru") -> None:
        self._centre = centre
        self._call = call
        self._language = language
        self._from_s = 0.0

    async def hears(self, prompt: str, timeout_s: float = 20.0) -> float:
        """The prompt, later than the one asked for before; where it began, in seconds."""
        (clip,) = read_wav(self.file(prompt))
        waited_s = 0.0
        while (began_s := beginning(clip, self._call.heard().between(self._from_s))) is None:
            if waited_s > timeout_s or self._call.is_gone:
                raise PhoneTimeout(f"{self._call!r} does not hear {prompt} in {waited_s:g} s")
            with suppress(CallFailed):  # the prompt may have been its last words
                await self._call.hears_for(STEP_S)
            waited_s += STEP_S
        began_s += self._from_s
        self._from_s = began_s + ENOUGH * PIECE_S - STEP_S  # it was not known earlier, so nothing else began earlier
        return began_s

    async def hears_whole(self, prompt: str) -> None:
        """The prompt, and from its first syllable."""
        began_s = await self.hears(prompt)
        (clip,) = read_wav(self.file(prompt))
        first_s = onset(clip) or 0.0
        syllable = clip.between(first_s, first_s + BEGINNING_S)
        around = self._call.heard().between(began_s + first_s - 0.1, began_s + first_s + BEGINNING_S + 0.1)
        match = find(syllable, around)
        assert match.score >= BEGINNING_SCORE, f"{self._call!r} hears {prompt} without its first syllable: {match}"

    def file(self, prompt: str) -> Path:
        """What Asterisk plays for the prompt."""
        built = self._centre.asterisk.instance.prompts_dir / self._language / f"{prompt}.wav"
        recorded = BOOK.prompt(prompt, self._language).asterisk
        sounds = self._centre.asterisk.root.path / SOUNDS_DIR.relative_to("/")
        return sounds / self._language / f"{recorded}.wav" if recorded and not built.exists() else built


def beginning(clip: Sound, heard: Sound) -> float | None:
    """Where the clip began in what was heard, by the pieces found in their places; None if it did not (yet)."""
    starts_s = []
    sought = 0
    for number in range(PIECES):
        piece = clip.between(number * PIECE_S, (number + 1) * PIECE_S)
        if piece.duration_s < PIECE_S or is_silent(piece):
            continue
        sought += 1
        if heard.duration_s > 0 and (found := find(piece, heard)).score >= SAME_SCORE:
            starts_s.append(found.offset_s - number * PIECE_S)
    starts_s.sort()
    enough = min(ENOUGH, max(1, sought // 2))
    for first_s, last_s in zip(starts_s, starts_s[enough - 1 :], strict=False):
        if first_s >= -0.05 and last_s - first_s <= STRETCH_S:
            return first_s
    return None


async def check_recording(centre: Centre, contact: Row, place: Path, caller_hz: int = CALLER_HZ) -> None:
    """Left the caller and nobody else, right the operator and nobody else, as long as the talk with what was held of it."""
    operator_hz = OPERATOR_HZ[contact["agent"]]
    assert contact["recording"], contact["recordings"]
    left, right = read_wav(await centre.recording(contact, place / f"{contact['id']}.wav"))
    assert carries(left, caller_hz) and not carries(left, operator_hz)
    assert carries(right, operator_hz) and not carries(right, caller_hz)
    assert abs(left.duration_s - contact["talk_s"] - contact["hold_s"]) < 0.3
