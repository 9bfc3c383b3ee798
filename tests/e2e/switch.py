"""A carrier's switch that takes our calls: it answers, rings, is busy, is out of order or says nothing, as a test tells it.

    switch.does = 503                                   # from now on
    switch.does = "answer"
    taken = await switch.taken()                         # the next call that it took
    await taken.audio.hears(880)

On the wire by hand (`carrier`), for its voice can be measured and its silences last as long as a test wants.
"""

import re
import secrets
from typing import Literal

from tests.e2e.carrier import PCMA, Audio, Carrier, Message, parsed

SWITCH_HZ = 440
Does = Literal["answer", "ring", "early", "silent"] | int
"""Answer at once; 180 and wait; 183 with sound and wait; not a word; refuse with that code."""


class Taken:
    """One call that came to the switch."""

    def __init__(self, switch: "Switch", invite: Message) -> None:
        self._switch = switch
        to = f"{invite['To']};tag={secrets.token_hex(4)}"
        headers = [(name, to if name == "To" else value) for name, value in invite.headers]
        self.invite = Message(invite.start, headers, invite.body, invite.source)
        self.audio = Audio(switch.host, SWITCH_HZ)
        self.requests: list[Message] = []
        self._cseq = 0

    @property
    def number(self) -> str:
        """Whom it is for: the user of the request's URI."""
        return _user(self.invite.uri)

    @property
    def shown(self) -> str:
        """Who calls, as From says it."""
        return _user(self.invite["From"])

    @property
    def cancelled(self) -> bool:
        """We have given it up."""
        return any(request.method == "CANCEL" for request in self.requests)

    def does(self, what: Does) -> None:
        """Answer the INVITE, provisionally or for good."""
        match what:
            case "answer":
                self._describe(200)
            case "early":
                self._describe(183)
            case "ring":
                self._switch.respond(self.invite, 180, self._contact())
            case "silent":
                pass
            case code:
                self._switch.respond(self.invite, code)

    def _describe(self, code: int) -> None:
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {self._switch.host}\r\ns=-\r\nc=IN IP4 {self._switch.host}\r\nt=0 0\r\n"
            f"m=audio {self.audio.port} RTP/AVP {PCMA} 101\r\na=rtpmap:{PCMA} PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\n"
        )
        self._switch.respond(self.invite, code, {**self._contact(), "Content-Type": "application/sdp"}, sdp)
        self.audio.talk_to(self.invite.body.replace("RTP/AVP 0 ", f"RTP/AVP {PCMA} "))

    def _contact(self) -> dict[str, str]:
        return {"Contact": f"<sip:switch@{self._switch.host}:{self._switch.port}>"}

    def take(self, request: Message) -> None:
        """What comes after the INVITE."""
        if request.method == "INVITE":
            return  # once more, because nobody said a word
        self.requests.append(request)
        if request.method != "ACK":
            self._switch.respond(request, 200)
        if request.method == "CANCEL":
            self._switch.respond(self.invite, 487)
        if request.method in {"CANCEL", "BYE"}:
            self.audio.close()

    async def given_up(self) -> None:
        """Wait for our CANCEL."""
        await self._switch.until(lambda: self.cancelled or None)

    async def ended(self) -> None:
        """Wait for our BYE."""
        await self._switch.until(lambda: any(request.method == "BYE" for request in self.requests) or None)

    def hang_up(self) -> None:
        """The customer does."""
        self._cseq += 1
        target = re.search(r"<([^>]*)>", self.invite["Contact"])
        assert target is not None
        lines = [
            f"BYE {target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._switch.host}:{self._switch.port};branch=z9hG4bK{secrets.token_hex(6)};rport",
            f"From: {self.invite['To']}",
            f"To: {self.invite['From']}",
            f"Call-ID: {self.invite['Call-ID']}",
            f"CSeq: {self._cseq} BYE",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self._switch.send("\r\n".join([*lines, "", ""]), self.invite.source)
        self.audio.close()


class Switch(Carrier):
    """See the module."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.does: Does = "answer"
        self.calls: list[Taken] = []
        self._by_id: dict[str, Taken] = {}
        self._told = 0
        """How many calls the test has asked for."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Calls are for us, the rest is the carrier's."""
        message = parsed(data, addr) if data.strip() else None
        known = self._by_id.get(message["Call-ID"]) if message else None
        if message and message.method == "INVITE" and known is None:
            taken = self._by_id[message["Call-ID"]] = Taken(self, message)
            self.calls.append(taken)
            if self.does != "silent":
                self.respond(message, 100)
            taken.does(self.does)
        elif message and message.method and known is not None:
            known.take(message)
        super().datagram_received(data, addr)

    @property
    def untaken(self) -> list[Taken]:
        """Calls that came and that the test has not asked for."""
        return self.calls[self._told :]

    def begin_anew(self) -> None:
        """For the next test: answers, and knows of no call."""
        self.does, self._told = "answer", len(self.calls)

    async def taken(self) -> Taken:
        """The next call, in the order they came."""
        self._told += 1
        number = self._told
        return await self.until(lambda: self.calls[number - 1] if len(self.calls) >= number else None)

    async def __aexit__(self, *error: object) -> None:
        for taken in self.calls:
            taken.audio.close()
        await super().__aexit__(*error)


def _user(address: str) -> str:
    found = re.search(r"sips?:([^@;>]*)@", address)
    return found[1] if found else ""
