"""As much SIP as a phone in a benchmark needs: messages, digest, transactions over UDP, dialogs.

A phone that measures must not be the load, and must tell its own times: so these are a few hundred lines of asyncio. One
socket (`Line`) serves any number of phones, as an operator's switch would.
"""

import asyncio
import hashlib
import re
import socket
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

T1_S = 0.5
GIVES_UP_S = 16.0
"""As long as a request is sent again."""

_numbers = count(1)
_CHALLENGE = re.compile(r'(\w+)="?([^",]+)"?')
_USER = re.compile(r"sips?:([^@>;]+)@")
_URI = re.compile(r"<([^>]+)>")
_MEDIA = re.compile(r"^m=audio (\d+) ", re.MULTILINE)


class SipError(Exception):
    """A request was refused or not answered; the text says which."""


class Message(NamedTuple):
    """A request or a response."""

    start: str
    headers: dict[str, list[str]]
    """By name in lower case."""
    body: str
    source: tuple[str, int]

    def get(self, name: str) -> str:
        """The first of that name; empty when there is none."""
        return self.headers.get(name, [""])[0]

    @property
    def method(self) -> str:
        return self.get("cseq").partition(" ")[2]

    @property
    def code(self) -> int:
        """0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    def user(self, header: str) -> str:
        """Who is named in From or To."""
        match = _USER.search(self.get(header))
        return match[1] if match else ""

    @property
    def media_port(self) -> int:
        """Where the other side wants to hear us; 0 without SDP."""
        match = _MEDIA.search(self.body)
        return int(match[1]) if match else 0


def parse(data: bytes, source: tuple[str, int]) -> Message | None:
    """None: it is no SIP (keep-alive)."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if "SIP/2.0" not in start:
        return None
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return Message(start, headers, body, source)


def sdp(port: int) -> str:
    """An offer or answer of µ-law."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", f"m=audio {port} RTP/AVP 0 101"]
    lines += ["a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=ptime:20", ""]
    return "\r\n".join(lines)


def _digest(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    asked = dict(_CHALLENGE.findall(challenge.partition(" ")[2]))
    algorithm = asked.get("algorithm", "MD5")
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm.upper()]

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    secret, what = h(f"{user}:{asked['realm']}:{password}"), h(f"{method}:{uri}")
    answer = h(f"{secret}:{asked['nonce']}:00000001:c:auth:{what}")
    fields = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri, "response": answer}
    fields |= {"cnonce": "c"} | ({"opaque": asked["opaque"]} if "opaque" in asked else {})
    quoted = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return f"Authorization: Digest {quoted}, algorithm={algorithm}, qop=auth, nc=00000001"


class Dialog:
    """One call as one phone sees it, or its registration."""

    def __init__(self, line: "Line", call_id: str, local: str, remote: str, target: str, user: str) -> None:
        self.line = line
        self.call_id = call_id
        self.local = local
        self.remote = remote
        """From and To as they stand in our requests, tags included."""
        self.target = target
        self.user = user
        self.cseq = 0
        self.asked: Callable[[Message], None] = lambda _: None
        """Told of each request within the dialog that is not answered here."""

    def text(self, method: str, branch: str, extra: tuple[str, ...], body: str, cseq: int | None = None) -> bytes:
        """A request of this dialog."""
        own = f"127.0.0.1:{self.line.port}"
        head = [f"{method} {self.target} SIP/2.0", f"Via: SIP/2.0/UDP {own};branch={branch};rport"]
        head += [f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}"]
        head += [f"CSeq: {self.cseq if cseq is None else cseq} {method}", f"Contact: <sip:{self.user}@{own}>"]
        head += ["Max-Forwards: 70", *extra, f"Content-Length: {len(body)}"]
        return ("\r\n".join(head) + "\r\n\r\n" + body).encode()

    async def request(
        self, method: str, *extra: str, body: str = "", login: tuple[str, str] | None = None, within_s: float = 32.0
    ) -> Message:
        """Send it and wait for the final answer, which for INVITE is acknowledged; raises `SipError` unless it is a 2xx."""
        answer = await self._send(method, extra, body, within_s)
        if answer.code == 401 and login is not None:
            proof = _digest(answer.get("www-authenticate"), method, self.target, *login)
            answer = await self._send(method, (*extra, proof), body, within_s)
        if not 200 <= answer.code < 300:
            raise SipError(f"{method}: {answer.start.partition(' ')[2]}")
        return answer

    async def _send(self, method: str, extra: tuple[str, ...], body: str, within_s: float) -> Message:
        self.cseq += 1
        branch = f"z9hG4bK{next(_numbers)}"
        data = self.text(method, branch, extra, body)
        try:
            answer = await self.line.transaction(branch, method, data, within_s)
        except SipError:
            if method == "INVITE":  # he hangs up, or he would be waiting for ever
                self.line.send(self.text("CANCEL", branch, (), ""))
            raise
        if method == "INVITE":
            if answer.code < 300:
                self.remote = answer.get("to")
                uri = _URI.search(answer.get("contact"))
                self.target, branch = uri[1] if uri else self.target, f"z9hG4bK{next(_numbers)}"
                self.line.established[self.call_id] = self.text("ACK", branch, (), "")
                self.line.send(self.line.established[self.call_id])
            else:
                to, self.remote = self.remote, answer.get("to")
                self.line.send(self.text("ACK", branch, (), ""))
                self.remote = to
        return answer

    def forget(self) -> None:
        """Nothing more will come of it."""
        self.line.dialogs.pop(self.call_id, None)
        self.line.established.pop(self.call_id, None)


class Line(asyncio.DatagramProtocol):
    """A socket towards Asterisk, and the phones behind it; `await Line.open(port)`."""

    def __init__(self, remote_port: int) -> None:
        self.remote = ("127.0.0.1", remote_port)
        self.dialogs: dict[str, Dialog] = {}
        self.established: dict[str, bytes] = {}
        """By Call-ID, the ACK to be sent again when the 200 comes again."""
        self.invited: Callable[[Message], None] = lambda _: None
        """Told of each INVITE that begins a call."""
        self._waiting: dict[str, tuple[asyncio.Future[Message], bool]] = {}
        self._acked: dict[str, asyncio.Event] = {}
        self._transport: asyncio.DatagramTransport
        self.port = 0
        self.resent = 0

    @classmethod
    async def open(cls, remote_port: int) -> "Line":
        """On a free port of this machine."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bare:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            bare.bind(("127.0.0.1", 0))
            bare.setblocking(False)
            made = bare.dup()
        transport, line = await asyncio.get_running_loop().create_datagram_endpoint(lambda: cls(remote_port), sock=made)
        line._transport, line.port = transport, made.getsockname()[1]
        return line

    def close(self) -> None:
        """Hang up the socket."""
        self._transport.close()

    def send(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        """Goes out before this returns."""
        self._transport.sendto(data, to or self.remote)

    def dialog(self, user: str, number: str, local_tag: str) -> Dialog:
        """One that we begin."""
        host = f"{self.remote[0]}:{self.remote[1]}"
        call_id = f"{next(_numbers)}.{self.port}@bench"
        made = Dialog(
            self,
            call_id,
            f"<sip:{user}@{host}>;tag={local_tag}",
            f"<sip:{number}@{host}>",
            f"sip:{number}@{host}",
            user,
        )
        self.dialogs[call_id] = made
        return made

    def accept(self, invite: Message, tag: str) -> Dialog:
        """One that the other side begins."""
        uri = _URI.search(invite.get("contact"))
        user = invite.user("to")
        made = Dialog(
            self,
            invite.get("call-id"),
            f"{invite.get('to')};tag={tag}",
            invite.get("from"),
            uri[1] if uri else "",
            user,
        )
        self.dialogs[made.call_id] = made
        return made

    async def transaction(self, branch: str, method: str, data: bytes, within_s: float) -> Message:
        """Send a request, again until something is heard of it, and return its final answer."""
        answered: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[branch] = (answered, False)
        try:
            async with asyncio.timeout(within_s):
                self.send(data)
                pause = T1_S
                while pause < GIVES_UP_S:
                    done, _ = await asyncio.wait([answered], timeout=pause)
                    if done:
                        break
                    if not self._waiting[branch][1]:
                        self.resent += 1
                        self.send(data)
                    pause *= 2
                return await answered
        except TimeoutError:
            raise SipError(f"{method}: not answered within {within_s:g} s") from None
        finally:
            del self._waiting[branch]

    async def answered(self, invite: Message, data: bytes) -> None:
        """After a 200 was sent: send it again until it is acknowledged; raises `SipError` when it never is."""
        acked = self._acked[invite.get("call-id")] = asyncio.Event()
        pause = T1_S
        try:
            while pause < GIVES_UP_S:
                try:
                    async with asyncio.timeout(pause):
                        await acked.wait()
                    return
                except TimeoutError:
                    self.resent += 1
                    self.send(data, invite.source)
                    pause *= 2
        finally:
            self._acked.pop(invite.get("call-id"), None)
        raise SipError("200: never acknowledged")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Whatever comes."""
        message = parse(data, addr)
        if message is None:
            return
        if message.code:
            self._response(message)
        elif message.method == "ACK":
            if (acked := self._acked.get(message.get("call-id"))) is not None:
                acked.set()
        elif message.method == "INVITE":
            if message.get("call-id") not in self.dialogs:  # else it was sent again
                self.invited(message)
        else:
            self.send(response(message, "200 OK"), message.source)
            dialog = self.dialogs.get(message.get("call-id"))
            if dialog is not None:
                dialog.asked(message)

    def _response(self, message: Message) -> None:
        branch = message.get("via").partition("branch=")[2].partition(";")[0]
        if branch not in self._waiting:
            if (
                message.code == 200
                and message.method == "INVITE"
                and (ack := self.established.get(message.get("call-id")))
            ):
                self.send(ack)
            return
        answered, _ = self._waiting[branch]
        if message.code < 200:
            self._waiting[branch] = (answered, True)
        elif not answered.done():
            answered.set_result(message)


def response(request: Message, status: str, *, to_tag: str = "", contact: str = "", body: str = "") -> bytes:
    """An answer to a request."""
    head = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.headers["via"])]
    head += [f"Record-Route: {route}" for route in request.headers.get("record-route", [])]
    to = request.get("to") + (f";tag={to_tag}" if to_tag else "")
    head += [f"From: {request.get('from')}", f"To: {to}", f"Call-ID: {request.get('call-id')}"]
    head += [f"CSeq: {request.get('cseq')}"]
    head += [f"Contact: <{contact}>"] if contact else []
    head += ["Content-Type: application/sdp"] if body else []
    return ("\r\n".join([*head, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body).encode()
