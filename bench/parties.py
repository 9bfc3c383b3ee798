"""Customers and operators of a benchmark: they dial, press, pick up, speak, listen, hang up, and know when each of it was.

A `Party` is all of them around one Asterisk. What a call came to is its `Call`; times are UTC epoch nanoseconds, 0 for what
never was.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bench.sip import Dialog, Line, Message, SipError, response, sdp
from bench.sound import Leg, Sound, before_all_others
from bench.tones import CUSTOMER_HZ, OPERATOR_HZ

CALLER = "caller"
OPERATOR_TAG = "o"
SETTLES_S = 5.0
"""An operator's phone may hear of the end so much later than the customer's."""


@dataclass(slots=True)
class Script:
    """What the people of a crowd do."""

    press: str = "1"
    press_after_s: float = 1.5
    """After the answer: into the menu. Empty `press`: never."""
    answer_s: float = 0.2
    """How long an operator's phone rings."""
    talk_s: float = 3.0
    """Then the operator hangs up."""
    waits_s: float = 30.0
    """A customer who has no operator by then has failed, and leaves."""


SHORT = Script(press_after_s=1.0, answer_s=0.05, talk_s=0.5)
"""To see whether it still runs."""


@dataclass(slots=True)
class Call:
    """One call, from both ends."""

    number: str
    """The customer's."""
    line: str
    script: Script
    dialled_ns: int = 0
    up_ns: int = 0
    """The customer was answered."""
    rang_ns: int = 0
    picked_up_ns: int = 0
    """The operator's 200 OK left."""
    picked_up_error_ns: int = 0
    """How long sending it took: before or after is as good."""
    ended_ns: int = 0
    operator: str = ""
    talks: int = 0
    failed: str = ""
    leaving: bool = False
    customer: Leg | None = None
    agent: Leg | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody hung up; `done`: and the customer has settled everything."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    agent_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def customer_heard_ms(self) -> float | None:
        """After the operator's 200 OK the customer heard him; None: he never did."""
        return _ms(self.customer, self.picked_up_ns)

    @property
    def operator_heard_ms(self) -> float | None:
        """After his 200 OK the operator heard the customer."""
        return _ms(self.agent, self.picked_up_ns)

    @property
    def both_ms(self) -> float | None:
        """They heard each other."""
        mine, other = self.customer_heard_ms, self.operator_heard_ms
        return None if mine is None or other is None else max(mine, other)

    @property
    def wrong(self) -> str:
        """What was not as it must be; empty when all was."""
        if self.failed:
            return self.failed
        if self.talks != 1:
            return f"talked with {self.talks} operators"
        return "" if self.both_ms is not None else "they did not hear each other"


def _ms(leg: Leg | None, since_ns: int) -> float | None:
    return (leg.heard_ns - since_ns) / 1e6 if leg is not None and leg.heard_ns and since_ns else None


class Parties:
    """See the module; an async context manager."""

    def __init__(self, sip_port: int, caller_password: str, sound: Sound) -> None:
        self._sip_port = sip_port
        self._login = (CALLER, caller_password)
        self.sound = sound
        self._made = 0
        self._by_number: dict[str, Call] = {}
        self._tasks: asyncio.TaskGroup

    async def __aenter__(self) -> "Parties":
        before_all_others()
        self._customers = await Line.open(self._sip_port)
        self._operators = await Line.open(self._sip_port)
        self._operators.invited = self._rung
        self._tasks = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        await self._tasks.__aexit__(kind, error, trace)  # type: ignore[arg-type]
        self._customers.close()
        self._operators.close()

    @property
    def resent(self) -> int:
        """SIP messages that were sent a second time: something did not keep up."""
        return self._customers.resent + self._operators.resent

    async def register(self, passwords: Mapping[str, str]) -> None:
        """Operators' phones, which then pick up whatever rings them; raises `SipError`."""
        for name, password in passwords.items():
            dialog = self._operators.dialog(name, name, "r")
            dialog.target = f"sip:127.0.0.1:{self._sip_port}"
            await dialog.request("REGISTER", "Expires: 3600", login=(name, password))
            dialog.forget()

    async def crowd(self, lines: Iterable[str], per_s: float, script: Script) -> list[Call]:
        """One customer a line, evenly at that rate; returns when all calls are over."""
        calls = await self.begin(lines, per_s, script)
        await self.end(calls)
        return calls

    async def begin(self, lines: Iterable[str], per_s: float, script: Script) -> list[Call]:
        """One customer a line, evenly at that rate; returns when all have dialled."""
        calls: list[Call] = []
        began = asyncio.get_running_loop().time()
        for n, line in enumerate(lines):
            await asyncio.sleep(began + n / per_s - asyncio.get_running_loop().time())
            call = self._made_call(line, script)
            calls.append(call)
            self._tasks.create_task(self._customer(call), name=call.number)
        return calls

    async def end(self, calls: Iterable[Call]) -> None:
        """Wait until these calls are over."""
        for call in calls:
            await call.done.wait()
            if call.rang_ns:
                await _within(call.agent_over, SETTLES_S)
            self._by_number.pop(call.number)

    @staticmethod
    def hang_up(calls: Iterable[Call]) -> None:
        """The customers do, now."""
        for call in calls:
            call.leaving = True
            call.over.set()

    def _made_call(self, line: str, script: Script) -> Call:
        self._made += 1
        call = Call(f"79{self._made:09d}", line, script)
        self._by_number[call.number] = call
        return call

    # --- the customer -------------------------------------------------------------------------------------------

    async def _customer(self, call: Call) -> None:
        """From dialling to the end; what went wrong is in the call."""
        dialog = self._customers.dialog(call.number, call.line, "c")
        dialog.asked = lambda message: call.over.set() if message.method == "BYE" else None
        call.customer = self.sound.leg(CUSTOMER_HZ)
        call.dialled_ns = time.time_ns()
        try:
            invite = "Content-Type: application/sdp"
            answer = await dialog.request("INVITE", invite, body=sdp(self.sound.port), login=self._login)
            call.up_ns = time.time_ns()
            self.sound.send(call.customer, answer.media_port)
            await self._wait(call, dialog)
        except SipError as error:
            call.failed = call.failed or str(error)
        finally:
            call.ended_ns = time.time_ns()
            self.sound.close(call.customer)
            dialog.forget()
            call.done.set()

    async def _wait(self, call: Call, dialog: Dialog) -> None:
        if call.script.press and not await _within(call.over, call.script.press_after_s):
            body = f"Signal={call.script.press}\r\nDuration=160\r\n"
            await dialog.request("INFO", "Content-Type: application/dtmf-relay", body=body)
        ended = await _within(call.over, call.script.waits_s + call.script.talk_s)
        if call.leaving:
            await dialog.request("BYE")
        elif not ended:
            call.failed = call.failed or ("was never connected" if not call.picked_up_ns else "was not hung up")
            await dialog.request("BYE")
        elif not call.picked_up_ns:
            call.failed = call.failed or "was hung up before he was connected"

    # --- the operator -------------------------------------------------------------------------------------------

    def _rung(self, invite: Message) -> None:
        call = self._by_number.get(invite.user("from").removeprefix("+"))
        if call is None:
            self._operators.send(response(invite, "480 Nobody Knows Him", to_tag="o"), invite.source)
            return
        # At once: the same INVITE, sent again, may be the next thing that is read.
        dialog = self._operators.accept(invite, OPERATOR_TAG)
        self._tasks.create_task(self._operator(call, invite, dialog), name=f"operator of {call.number}")

    async def _operator(self, call: Call, invite: Message, dialog: Dialog) -> None:
        tag = OPERATOR_TAG
        gone = asyncio.Event()
        cancelled = False

        def asked(message: Message) -> None:
            nonlocal cancelled
            cancelled = cancelled or message.method == "CANCEL"
            gone.set()

        dialog.asked = asked
        contact = f"sip:{dialog.user}@127.0.0.1:{self._operators.port}"
        call.rang_ns = call.rang_ns or time.time_ns()
        self._operators.send(response(invite, "180 Ringing", to_tag=tag, contact=contact), invite.source)
        leg = self.sound.leg(OPERATOR_HZ)
        try:
            if await _within(gone, call.script.answer_s):
                self._operators.send(response(invite, "487 Request Terminated", to_tag=tag), invite.source)
                return
            call.operator, call.agent = dialog.user, leg
            call.talks += 1
            answer = response(invite, "200 OK", to_tag=tag, contact=contact, body=sdp(self.sound.port))
            self._pick_up(call, leg, invite, answer)
            await self._operators.answered(invite, answer)
            if not await _within(gone, call.script.talk_s):
                await dialog.request("BYE")
        except SipError as error:
            call.failed = call.failed or f"operator: {error}"
        finally:
            self.sound.close(leg)
            dialog.forget()
            call.agent_over.set()

    def _pick_up(self, call: Call, leg: Leg, invite: Message, answer: bytes) -> None:
        """From here on it is measured; he speaks at once."""
        assert call.customer is not None
        began = time.time_ns()
        self.sound.listen(leg, CUSTOMER_HZ, began)
        self.sound.listen(call.customer, OPERATOR_HZ, began)
        call.picked_up_ns = time.time_ns()
        self._operators.send(answer, invite.source)
        call.picked_up_error_ns = time.time_ns() - call.picked_up_ns
        self.sound.send(leg, invite.media_port)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether it happens in that time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
