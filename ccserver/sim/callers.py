"""A caller's phone: dials a line, presses keys, waits, talks, hangs up, as `world.Caller` says."""

from collections import Counter

from ccserver.sim.centre import Access, Wall
from ccserver.sim.conversations import Conversations
from ccserver.sim.phones import Call, CallFailed, PhoneError, PhoneLibrary, PhoneTimeout
from ccserver.sim.talk import Talker
from ccserver.sim.voices import Voices
from ccserver.sim.world import Caller

ANSWERED_WITHIN_S = 90.0
"""With the daemon away the line only rings; the fallback dialplan answers in the end."""
HANGS_UP_WITHIN_S = 5.0


class Callers:
    """All who call; `now` are those who do at this moment, by number."""

    def __init__(
        self, access: Access, library: PhoneLibrary, wall: Wall, voices: Voices, conversations: Conversations
    ) -> None:
        self._access = access
        self._library = library
        self._wall = wall
        self._voices = voices
        self._conversations = conversations
        self.now: dict[str, Caller] = {}
        self.ended: Counter[str] = Counter()
        """How calls ended: talked, gave up, left the menu, cut off, failed."""

    async def call(self, caller: Caller) -> None:
        """From dialling to the end."""
        self.now[caller.number] = caller
        phone = self._access.phone(self._library, self._access.caller)
        try:
            identity = {"P-Asserted-Identity": f"<sip:{caller.number}@{self._access.host}>"}
            call = await phone.dial(caller.line, headers=identity)
            self.ended[await self._live(call, caller)] += 1
        except CallFailed:
            self.ended["cut off"] += 1
        except PhoneError:
            self.ended["failed"] += 1
        finally:
            del self.now[caller.number]
            await phone.close()

    async def _live(self, call: Call, caller: Caller) -> str:
        """Everything while the call is there; says how it ended."""
        await call.wait_up(ANSWERED_WITHIN_S)
        for press in caller.presses:
            await _passes(call, press.after_s)
            await call.send_dtmf(press.key)
        if caller.leaves_after_s is not None:
            await _passes(call, caller.leaves_after_s)
            await call.hangup()
            return "left the menu"
        script = self._conversations.caller(caller.whim, caller.language, caller.about)
        self._voices.prepare(script.voice, script.texts)
        if not await self._served(call, caller):
            await call.hangup()
            return "gave up"
        try:
            await Talker(call, self._voices, script).as_caller(caller.talk_s)
            if not caller.says_goodbye_first:
                await call.wait_gone(HANGS_UP_WITHIN_S)
        except (CallFailed, PhoneTimeout):
            pass  # the operator hung up first, or does not want to
        await call.hangup()
        return "talked"

    async def _served(self, call: Call, caller: Caller) -> bool:
        """Wait for an operator; False when nobody came in time."""

        def look() -> bool | None:
            if call.is_gone:
                raise CallFailed("hung up by the centre")
            return True if self._wall.is_talking(caller.number) else None

        return await self._wall.until(look, caller.patience_s) is True


async def _passes(call: Call, seconds: float) -> None:
    """So much time; `CallFailed` when the call ends meanwhile."""
    try:
        await call.wait_gone(seconds)
    except PhoneTimeout:
        return
    raise CallFailed("hung up by the centre")
