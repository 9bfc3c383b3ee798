"""Customers and operators of a benchmark: they dial, press, pick up, speak, listen, hang up, and know when each of it was.

A `Party` is all of them around one Asterisk. What a call came to is its `Call`; times are UTC epoch nanoseconds, 0 for what
never was.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from bench.sip import Dialog, Line, Message, SipError, response, sdp
from bench.sound import CUSTOMER_HZ, OPERATOR_HZ, Leg, Sound, before_all_others

CALLER = "caller"
HEARS_WITHIN_S = 2.0
"""Who hears nothing for so long after the operator has picked up hears nothing."""


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
    customer: Leg | None = None
    agent: Leg | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
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
        self.holding: set[asyncio.Task[None]] = set()

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

    async def call(self, lines: Iterable[str], script: Script) -> list[Call]:
        """So many customers as there are lines, each dialling now; returns when all calls are over."""
        return await self.crowd(lines, 0.0, script)

    async def crowd(self, lines: Iterable[str], per_s: float, script: Script) -> list[Call]:
        """One customer a line, evenly at that rate (0: all at once); returns when all calls are over."""
        calls = []
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for n, line in enumerate(lines):
                if per_s:
                    await asyncio.sleep(began + n / per_s - asyncio.get_running_loop().time())
                call = self.made(line, script)
                calls.append(call)
                tasks.create_task(self.customer(call), name=call.number)
        for call in calls:
            if call.rang_ns:
                with suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await call.agent_over.wait()
            self._by_number.pop(call.number)
        return calls

    def made(self, line: str, script: Script) -> Call:
        """The next customer's call, not dialled yet."""
        self._made += 1
        call = Call(f"79{self._made:09d}", line, script)
        self._by_number[call.number] = call
        return call

    # --- the customer -------------------------------------------------------------------------------------------

    async def customer(self, call: Call) -> None:
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

    async def _wait(self, call: Call, dialog: Dialog) -> None:
        if call.script.press and not await _within(call.over, call.script.press_after_s):
            body = f"Signal={call.script.press}\r\nDuration=160\r\n"
            await dialog.request("INFO", "Content-Type: application/dtmf-relay", body=body)
        if not await _within(call.over, call.script.waits_s + call.script.talk_s):
            call.failed = call.failed or ("was never connected" if not call.picked_up_ns else "was not hung up")
            await dialog.request("BYE")
        elif not call.picked_up_ns:
            call.failed = call.failed or "was hung up before he was connected"

    # --- the operator -------------------------------------------------------------------------------------------

    def _rung(self, invite: Message) -> None:
        call = self._by_number.get(invite.user("from"))
        if call is None:
            self._operators.send(response(invite, "480 Nobody Knows Him", to_tag="o"), invite.source)
            return
        self._tasks.create_task(self._operator(call, invite), name=f"operator of {call.number}")

    async def _operator(self, call: Call, invite: Message) -> None:
        tag = "o"
        dialog = self._operators.accept(invite, tag)
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
