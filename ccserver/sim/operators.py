"""An operator's phone: a shift begins with *11 and ends with *13; between, whatever `world.Operator` decides.

An operator goes by what he sees on the wall, like a real one, so he finds his way again after whatever was restarted.
"""

import asyncio
import re
from collections.abc import Callable

from ccserver.sim.callers import Callers
from ccserver.sim.centre import Access, Account, AgentSeen, Wall
from ccserver.sim.conversations import Conversations
from ccserver.sim.phones import Call, CallFailed, CallGone, Phone, PhoneError, PhoneLibrary, PhoneTimeout
from ccserver.sim.talk import Talker
from ccserver.sim.voices import Voices
from ccserver.sim.world import AsksColleague, Breaks, IsReady, LosesPhone, Misses, Operator, PicksUp, Refuses, WrapsUp

AGAIN_AFTER_S = 3.0
TAKEN_LOOK_S = 5.0
CODE_WITHIN_S = 12.0
TELLS_WITHIN_S = 4.0
RINGS_AT_MOST_S = 60.0
COLLEAGUE_WITHIN_S = 15.0
HANGS_UP_WITHIN_S = 5.0
UNPLANNED_TALK_S = 40.0
"""With a visitor at the other end, who is in nobody's plan."""
IDLE = ("logged_out", "not_ready")
AT_WORK = ("ready", "reserved", "ringing", "talking", "busy")
PASSES_BY_ITSELF = ("refused", "phone_busy")
FROM_USER = re.compile(r"sips?:([^@;>]+)@")


class OperatorAtWork:
    """One operator, shift after shift."""

    def __init__(
        self,
        access: Access,
        account: Account,
        nature: Operator,
        library: PhoneLibrary,
        wall: Wall,
        callers: Callers,
        voices: Voices,
        conversations: Conversations,
        colleague: Callable[["OperatorAtWork"], str | None],
    ) -> None:
        """`colleague` names an extension that he may call, if somebody is free."""
        self.extension = account.user
        self._access = access
        self._account = account
        self._nature = nature
        self._library = library
        self._wall = wall
        self._callers = callers
        self._voices = voices
        self._conversations = conversations
        self._colleague = colleague
        self._phone: Phone | None = None
        self.on_the_phone = False

    @property
    def is_free(self) -> bool:
        """At his desk, and not on the phone."""
        return self._phone is not None and not self.on_the_phone

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._nature.comes_after_s())
            await self._shift()

    async def _shift(self) -> None:
        """From taking a seat to leaving it; somebody else in the seat is left alone."""
        await self._wall.until(lambda: True if (seen := self._seen()) and not seen.phone_registered else None, 1e9)
        phone = self._access.phone(self._library, self._account)
        try:
            await self._register(phone)
            self._phone = phone
            begins = True
            ends_at = asyncio.get_running_loop().time() + self._nature.shift_s()
            while asyncio.get_running_loop().time() < ends_at:
                try:
                    await self._work(phone, begins=begins)
                    begins = False
                except PhoneError:
                    await asyncio.sleep(AGAIN_AFTER_S)  # the call or the server went away in the middle of it
            await self._dial(phone, "*13", ("logged_out",))
        except PhoneError:
            pass  # nobody to say good-bye to
        finally:
            self._phone = None
            await phone.close()

    async def _register(self, phone: Phone) -> None:
        while True:
            try:
                return await phone.register()
            except PhoneError:
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _work(self, phone: Phone, *, begins: bool) -> None:
        """One thing: become ready, or serve a call, or pass the time."""
        seen = self._seen()
        if seen is not None and seen.state == "unreachable":
            await asyncio.sleep(AGAIN_AFTER_S)
            await phone.register()  # the server lost it
        elif seen is not None and seen.state in IDLE and seen.reason not in PASSES_BY_ITSELF:
            if not begins:
                await asyncio.sleep(self._nature.notices_s())
            await self._dial(phone, "*11", AT_WORK)
        call = await self._rings(phone, self._nature.waits_s())
        if call is not None:
            if await self._offered(call):
                await self._after_talk(phone)
        elif (seen := self._seen()) is not None and seen.state == "ready":
            await self._idle(phone)

    async def _rings(self, phone: Phone, within_s: float) -> Call | None:
        """The next call that rings; None when there is none, or when the wall says that there will be none."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while (left_s := until - loop.time()) > 0:
            try:
                call = await phone.wait_call(min(left_s, TAKEN_LOOK_S))
            except PhoneTimeout:
                seen = self._seen()
                if seen is not None and seen.state in (*IDLE, "unreachable"):
                    return None
                continue
            if not call.is_gone:
                return call
        return None

    # --- calls ---------------------------------------------------------------------------------------------------

    async def _offered(self, call: Call) -> bool:
        """A call rings; True when there was a talk."""
        self.on_the_phone = True
        try:
            match self._nature.offered():
                case PicksUp(after_s):
                    if not await self._ended(call, after_s):
                        await self._answer(call)
                        return True
                case Refuses(after_s, code):
                    if not await self._ended(call, after_s):
                        await call.reject(code)
                case Misses():
                    await self._ended(call, RINGS_AT_MOST_S)
        except CallGone:
            pass  # the caller hung up, or the centre gave up, at this very moment
        finally:
            self.on_the_phone = False
        return False

    async def _answer(self, call: Call) -> None:
        name = seen.name if (seen := self._seen()) else ""
        from_user = FROM_USER.search(call.header("From") or "")
        number = from_user[1] if from_user else ""
        caller = next((found for found in self._callers.now.values() if found.number[-10:] == number[-10:]), None)
        if any(number == account.user for account in self._access.operators):
            script, talk_s = self._conversations.colleague("operator", name), UNPLANNED_TALK_S
        elif caller is not None:
            script = self._conversations.operator(caller.whim, name, caller.language, caller.about)
            talk_s = caller.talk_s
        else:
            script, talk_s = self._conversations.operator(self._nature.whim(), name, "ru", "orders"), UNPLANNED_TALK_S
        await call.answer()
        await call.wait_up()
        try:
            await Talker(call, self._voices, script).as_operator(talk_s)
            if caller is None or caller.says_goodbye_first:
                await call.wait_gone(HANGS_UP_WITHIN_S)
        except (CallFailed, PhoneTimeout):
            pass  # the caller hung up first, or does not want to
        finally:
            await call.hangup()

    async def _after_talk(self, phone: Phone) -> None:
        match self._nature.after_talk():
            case Breaks() as pause:
                await self._break(phone, pause)
            case IsReady(after_s):
                await asyncio.sleep(after_s)
                await self._dial(phone, "*11", AT_WORK)
            case WrapsUp():
                pass

    async def _idle(self, phone: Phone) -> None:
        match self._nature.idle():
            case Breaks() as pause:
                await self._break(phone, pause)
            case AsksColleague(lasts_s):
                await self._ask_colleague(phone, lasts_s)
            case LosesPhone(lasts_s):
                await phone.unregister()
                await asyncio.sleep(lasts_s)
                await self._register(phone)

    async def _break(self, phone: Phone, pause: Breaks) -> None:
        await asyncio.sleep(pause.after_s)
        await self._dial(phone, f"*12{pause.digit}", ("not_ready",))
        await asyncio.sleep(pause.lasts_s)

    async def _ask_colleague(self, phone: Phone, lasts_s: float) -> None:
        extension = self._colleague(self)
        if extension is None:
            return
        name = seen.name if (seen := self._seen()) else ""
        call = await phone.dial(extension)
        self.on_the_phone = True
        try:
            await call.wait_up(COLLEAGUE_WITHIN_S)
            await Talker(call, self._voices, self._conversations.colleague("caller", name)).as_caller(lasts_s)
        except (CallFailed, PhoneTimeout):
            pass  # has no time for him
        finally:
            self.on_the_phone = False
            await call.hangup()

    async def _dial(self, phone: Phone, code: str, wanted: tuple[str, ...]) -> None:
        """A feature code, to the end of what the centre says; then wait a moment until the wall shows it."""
        call = await phone.dial(code)
        try:
            await call.wait_gone(CODE_WITHIN_S)
        finally:
            await call.hangup()
        await self._wall.until(
            lambda: True if (seen := self._seen()) and seen.state in wanted else None, TELLS_WITHIN_S
        )

    async def _ended(self, call: Call, within_s: float) -> bool:
        """Let so much time pass, unless the call ends: then True."""
        try:
            await call.wait_gone(within_s)
        except PhoneTimeout:
            return False
        return True

    def _seen(self) -> AgentSeen | None:
        return self._wall.agent(self.extension)
