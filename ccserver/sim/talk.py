"""Two who take turns: each says a sentence, listens until the other has spoken and is silent, and goes on.

Nothing but the call joins them, so it works as well with a visitor at the other end, who may speak, or just sit there.
"""

import asyncio
import time

from ccserver.sim.conversations import Script
from ccserver.sim.phones import Call, CallFailed
from ccserver.sim.phones.tones import is_silent
from ccserver.sim.voices import Voices

LOOK_S = 0.1
QUIET_S = 0.8
"""Silence after which the other has finished, and not only drawn breath."""
BEGINS_S = 7.0
"""So long one waits for an answer before going on without."""
ANSWER_MAX_S = 25.0
PAUSE_S = 0.4
THINKS_MAX_S = 5.0
SENTENCES_S = 7.0
"""Two sentences, one of each, with the breaths between."""


class Talker:
    """One side of a talk on a call; every method raises `CallFailed` when the call ends."""

    def __init__(self, call: Call, voices: Voices, script: Script) -> None:
        self._call = call
        self._voices = voices
        self._script = script
        self._began_at = time.monotonic()
        voices.prepare(script.voice, script.texts)

    async def as_caller(self, talk_s: float) -> None:
        """From the operator's greeting to one's own goodbye."""
        await self._listen()
        for line in self._script.lines:
            if self._elapsed() >= talk_s:
                break
            await self._say(line)
            await self._listen()
        await self._say(self._script.goodbye)
        await self._listen(begins_s=2.0)

    async def as_operator(self, talk_s: float) -> None:
        """From one's own greeting to one's own goodbye; looks things up between, if there is time for it."""
        thinks_s = min(THINKS_MAX_S, max(0.0, talk_s / len(self._script.lines) - SENTENCES_S))
        if self._script.first:
            await self._say(self._script.first)
        for line in self._script.lines:
            await self._listen()
            if self._elapsed() >= talk_s:
                break
            await asyncio.sleep(thinks_s)
            await self._say(line)
        else:
            await self._listen()
        await self._say(self._script.goodbye)

    async def _say(self, text: str) -> None:
        path = await self._voices.spoken(self._script.voice, text)
        await asyncio.sleep(PAUSE_S)
        self._call.say_wav(path)
        await self._call.wait_said(ANSWER_MAX_S)

    async def _listen(self, *, begins_s: float = BEGINS_S) -> None:
        """Until the other has spoken and is silent, or says nothing at all."""
        asked_at = heard_at = time.monotonic()
        spoken = False
        while True:
            await asyncio.sleep(LOOK_S)
            if self._call.is_gone:
                raise CallFailed("the other has hung up")
            now = time.monotonic()
            if not is_silent(self._call.ear.last(LOOK_S)):
                spoken, heard_at = True, now
            enough_s = QUIET_S if spoken else begins_s
            if now - heard_at >= enough_s or now - asked_at >= ANSWER_MAX_S:
                return

    def _elapsed(self) -> float:
        return time.monotonic() - self._began_at
