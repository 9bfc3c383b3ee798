"""A carrier's switch and registrar, on the wire: SIP over UDP by hand, so that it can also say what no real one should.

    async with Carrier("127.0.0.21") as carrier:             # answers OPTIONS, takes registrations
        registration = await carrier.registered()
        call = await carrier.call("+79161234567", "88007707999", to=registration.contact)
        await call.answered()
        ...
        await call.bye()

A well-behaved switch is SIPp (`tests/e2e/test_trunks.py`); this one is for everything else, and for audio that can be measured.
"""

import asyncio
import hashlib
import itertools
import re
import secrets
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

ANSWERS_WITHIN_S = 40.0
PCMA, PCMU = 8, 0
KEYS, KEYS_PAYLOAD = "0123456789*#", 101
KEY_FRAMES, KEY_ENDS = 8, 3
"""20 ms each; the last ones say that the key was released, several times because one may be lost."""
NAMES = {PCMA: "PCMA", PCMU: "PCMU"}
T = TypeVar("T")


@dataclass(slots=True)
class Message:
    """A SIP message as it came."""

    start: str
    headers: list[tuple[str, str]]
    body: str
    source: tuple[str, int]

    @property
    def method(self) -> str:
        """Of a request; empty for a response."""
        return "" if self.start.startswith("SIP/2.0") else self.start.split(" ", 1)[0]

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def uri(self) -> str:
        """Of a request."""
        return self.start.split()[1]

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every header of that name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def parsed(data: bytes, source: tuple[str, int]) -> Message:
    """A message from its bytes."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return Message(start, [(name.strip(), value.strip()) for name, _, value in pairs], body, source)


class Carrier(asyncio.DatagramProtocol):
    """See the module. `host` is its address on loopback, `port` is chosen when 0.

    What it answers may be changed at any time: `register_code` (0: nothing; 401: a challenge that no answer satisfies),
    `options_code` (0: nothing). With a `password`, REGISTER is challenged first.
    """

    def __init__(self, host: str, port: int = 0, *, password: str = "", server: tuple[str, int] | None = None) -> None:
        self.host, self.port = host, port
        self.password = password
        self.server = server
        self.register_code = 200
        self.options_code = 200
        self.seen: list[Message] = []
        self._changed = asyncio.Condition()
        self._calls: dict[str, Call] = {}
        self._transport: asyncio.DatagramTransport
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> "Carrier":
        await self._tasks.__aenter__()
        await self.plug_in()
        return self

    async def __aexit__(self, *error: object) -> None:
        for call in self._calls.values():
            call.close()
        self.pull_out()
        await self._tasks.__aexit__(None, None, None)

    async def plug_in(self) -> None:
        """On the network, again."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, self.port))
        self.port = self._transport.get_extra_info("sockname")[1]

    def pull_out(self) -> None:
        """Off the network."""
        self._transport.close()

    # --- what comes in ------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        message = parsed(data, addr)
        self.seen.append(message)
        if message.method == "REGISTER":
            self._register(message)
        elif message.method == "OPTIONS" and self.options_code:
            self.respond(message, self.options_code)
        elif (call := self._calls.get(message["Call-ID"])) is not None:
            call.take(message)
        self._tasks.create_task(self._tell())

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, found: Callable[[], T | None], timeout_s: float = ANSWERS_WITHIN_S) -> T:
        """Wait for something to be found in what came."""
        result = found()
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while result is None or result is False:
                    await self._changed.wait()
                    result = found()
        except TimeoutError:
            raise AssertionError(f"never came; seen {[message.start for message in self.seen][-20:]}") from None
        return result

    async def requested(self, method: str, count: int = 1) -> Message:
        """The request of that method, the last of so many."""
        return await self.until(lambda: ([m for m in self.seen if m.method == method][count - 1 :] or [None])[0])

    async def registered(self) -> str:
        """The address that a successful REGISTER told last."""
        return await self.until(lambda: self.contact)

    contact: str | None = None

    def _register(self, request: Message) -> None:
        if self.register_code == 0:
            return
        authorised = self._authorised(request)
        if self.register_code == 401 or (self.register_code == 200 and self.password and not authorised):
            self.respond(request, 401, {"WWW-Authenticate": f'Digest realm="carrier", nonce="{secrets.token_hex(8)}"'})
        elif self.register_code == 200:
            contact = re.search(r"<([^>]*)>", request["Contact"])
            expires = request["Expires"] or "600"
            gone = expires == "0" or "expires=0" in request["Contact"]
            self.contact = None if gone or contact is None else contact[1]
            self.respond(request, 200, {"Contact": f"{request['Contact']};expires={expires}", "Expires": expires})
        else:
            self.respond(request, self.register_code)

    def _authorised(self, request: Message) -> bool:
        told = dict(re.findall(r'(\w+)="([^"]*)"', request["Authorization"]))
        if not told:
            return False
        one = _md5(f"{told['username']}:{told['realm']}:{self.password}")
        two = _md5(f"REGISTER:{told['uri']}")
        return told["response"] == _md5(f"{one}:{told['nonce']}:{two}")

    # --- what goes out ------------------------------------------------------------------------------------------

    def send(self, text: str, address: tuple[str, int] | None = None) -> None:
        """Any text at all."""
        where = address or self.server
        assert where is not None
        self._transport.sendto(text.encode(), where)

    def respond(self, request: Message, code: int, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Answer a request."""
        to = request["To"] if "tag=" in request["To"] else f"{request['To']};tag={secrets.token_hex(4)}"
        lines = [f"SIP/2.0 {code} Whatever", *(f"Via: {via}" for via in request.all("Via"))]
        lines += [f"From: {request['From']}", f"To: {to}"]
        lines += [f"{name}: {request[name]}" for name in ("Call-ID", "CSeq")]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]), request.source)

    async def call(
        self,
        caller: str,
        number: str,
        *,
        uri: str = "",
        to: str = "",
        headers: Mapping[str, str] | None = None,
        codecs: tuple[int, ...] = (PCMU, PCMA),
        tone_hz: int = 440,
    ) -> "Call":
        """Dial. `uri` is the request's (else the number at the server), `to` the whole To header's value."""
        call = Call(self, caller, number, uri, to, headers or {}, codecs, tone_hz)
        self._calls[call.id] = call
        call.invite()
        return call


@asynccontextmanager
async def tls_carrier(host: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A carrier on TLS who answers every OPTIONS with 200; gives his port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request = parsed(head, (host, 0))
                if request.method == "OPTIONS":
                    lines = ["SIP/2.0 200 OK", *(f"Via: {via}" for via in request.all("Via"))]
                    lines += [f"{name}: {request[name]}" for name in ("From", "To", "Call-ID", "CSeq")]
                    writer.write("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host, 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


class Call:
    """One call that the carrier brings."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        carrier: Carrier,
        caller: str,
        number: str,
        uri: str,
        to: str,
        headers: Mapping[str, str],
        codecs: tuple[int, ...],
        tone_hz: int,
    ) -> None:
        assert carrier.server is not None
        self.carrier = carrier
        self.id = f"{secrets.token_hex(6)}@{carrier.host}"
        self._uri = uri or f"sip:{number}@{carrier.server[0]}:{carrier.server[1]}"
        self._from = caller if "<" in caller else f"<sip:{caller}@{carrier.host}>"
        self._to = to or f"<sip:{number}@{carrier.server[0]}>"
        self._headers = headers
        self._codecs = codecs
        self._tag = secrets.token_hex(4)
        self._branch = f"z9hG4bK{secrets.token_hex(6)}"
        self._cseq = 1
        self.audio = Audio(carrier.host, tone_hz)
        self.responses: list[Message] = []
        self.requests: list[Message] = []

    def invite(self, direction: str = "sendrecv") -> None:
        """INVITE; in mid-call a re-INVITE."""
        self._branch = f"z9hG4bK{secrets.token_hex(6)}"
        self._send("INVITE", self._sdp(direction), self._headers)

    def _sdp(self, direction: str) -> str:
        kinds = "".join(f"a=rtpmap:{codec} {NAMES[codec]}/8000\r\n" for codec in self._codecs)
        formats = " ".join(map(str, self._codecs))
        return (
            f"v=0\r\no=- 1 {self._cseq} IN IP4 {self.carrier.host}\r\ns=-\r\nc=IN IP4 {self.carrier.host}\r\nt=0 0\r\n"
            f"m=audio {self.audio.port} RTP/AVP {formats} 101\r\n{kinds}a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        )

    def _send(self, method: str, body: str = "", headers: Mapping[str, str] | None = None, *, cseq: int = 0) -> None:
        answered = self.final
        target = self._uri
        to = self._to
        if answered is not None and answered.status < 300:
            target = (re.search(r"<([^>]*)>", answered["Contact"]) or ["", target])[1]
            to = answered["To"]
        branch = self._branch if method in ("INVITE", "CANCEL") else f"z9hG4bK{secrets.token_hex(6)}"
        if method == "ACK" and answered is not None and answered.status >= 300:
            branch, to = self._branch, answered["To"]
        lines = [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.carrier.host}:{self.carrier.port};branch={branch};rport",
            f"From: {self._from};tag={self._tag}",
            f"To: {to}",
            f"Call-ID: {self.id}",
            f"CSeq: {cseq or self._cseq} {method}",
            f"Contact: <sip:switch@{self.carrier.host}:{self.carrier.port}>",
            "Max-Forwards: 70",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        lines += ["Content-Type: application/sdp"] if body else []
        self.carrier.send("\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body]))

    def take(self, message: Message) -> None:
        """What the other side says."""
        if message.status:
            self.responses.append(message)
            if message.status >= 200 and message["CSeq"].endswith("INVITE"):
                self._send("ACK", cseq=int(message["CSeq"].split()[0]))
                if message.status < 300 and "m=audio" in message.body:
                    self.audio.talk_to(message.body)
        else:
            self.requests.append(message)
            if message.method != "ACK":
                self.carrier.respond(message, 200)

    @property
    def final(self) -> Message | None:
        """The final answer to the last INVITE."""
        answers = [m for m in self.responses if m.status >= 200 and m["CSeq"] == f"{self._cseq} INVITE"]
        return answers[-1] if answers else self._first if self._cseq > 1 else None

    @property
    def _first(self) -> Message | None:
        return next((m for m in self.responses if m.status >= 200 and m["CSeq"].endswith("INVITE")), None)

    async def answer(self) -> Message:
        """The final answer to the INVITE, whatever it is."""
        return await self.carrier.until(lambda: self.final)

    async def rings(self) -> Message:
        """180."""
        return await self.carrier.until(lambda: next((m for m in self.responses if m.status == 180), None))

    async def answered(self) -> Message:
        """200, with its SDP."""
        answer = await self.answer()
        assert answer.status == 200, answer.start
        return answer

    async def again(self, direction: str) -> Message:
        """A re-INVITE, and its answer."""
        self._cseq += 1
        self.invite(direction)
        cseq = f"{self._cseq} INVITE"
        return await self.carrier.until(
            lambda: next((m for m in self.responses if m.status >= 200 and m["CSeq"] == cseq), None)
        )

    async def request(self, method: str, body: str = "") -> Message:
        """Any other request in the call, and its answer."""
        self._cseq += 1
        cseq = f"{self._cseq} {method}"
        self._send(method, body)
        return await self.carrier.until(
            lambda: next((m for m in self.responses if m.status >= 200 and m["CSeq"] == cseq), None)
        )

    def say(self, method: str) -> None:
        """A request to which nobody has an answer."""
        self._cseq += 1
        self._send(method)

    async def update(self, direction: str = "sendrecv") -> Message:
        """UPDATE with a session description."""
        return await self.request("UPDATE", self._sdp(direction))

    def cancel(self) -> None:
        """CANCEL the INVITE."""
        self._send("CANCEL")

    async def bye(self) -> Message:
        """Hang up."""
        answer = await self.request("BYE")
        self.close()
        return answer

    async def ended(self) -> Message:
        """Their BYE."""
        return await self.carrier.until(lambda: next((m for m in self.requests if m.method == "BYE"), None))

    def close(self) -> None:
        """No more sound."""
        self.audio.close()


class Audio(asyncio.DatagramProtocol):
    """RTP of one call: says a tone in PCMA, hears what comes."""

    def __init__(self, host: str, tone_hz: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        self._tone_hz = tone_hz
        self._task: asyncio.Task[None] | None = None
        self.heard: list[tuple[int, bytes]] = []
        """(payload type, sound) of each packet."""
        self._packet = asyncio.Event()
        self._keys: list[tuple[str, int]] = []
        """Being pressed, each with the frames that are left of it."""

    def talk_to(self, sdp: str) -> None:
        """Begin to speak and to listen."""
        host = re.search(r"c=IN IP4 (\S+)", sdp)
        port = re.search(r"m=audio (\d+) RTP/AVP (\d+)", sdp)
        assert host is not None and port is not None
        if self._task is None:
            self.payload = int(port[2])
            self._task = asyncio.ensure_future(self._speak((host[1], int(port[1]))))  # noqa: TID251 - ended by close()

    async def _speak(self, where: tuple[str, int]) -> None:
        try:
            await self._run(where)
        finally:
            self._socket.close()

    async def _run(self, where: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        event_from = 0
        for number in itertools.count():
            stamp, header = number * 160, (0x80, self.payload, number & 0xFFFF, number * 160, 4711)
            if self._keys:
                key, left = self._keys[0]
                event_from = event_from or stamp
                header = (0x80, KEYS_PAYLOAD, number & 0xFFFF, event_from, 4711)
                ends = left <= KEY_ENDS
                lasted = min(stamp - event_from + 160, (KEY_FRAMES - KEY_ENDS) * 160)
                body = struct.pack("!BBH", KEYS.index(key), 0x8A if ends else 0x0A, lasted)
                self._keys[0] = (key, left - 1)
                if left == 1:
                    self._keys.pop(0)
                    event_from = 0
            else:
                phase = 2 * np.pi * self._tone_hz * (np.arange(160) + stamp) / 8000
                encode = alaw if self.payload == PCMA else mulaw
                body = encode((np.sin(phase) * 8000).astype(np.int32))
            self._socket.sendto(struct.pack("!BBHII", *header) + body, where)
            end = loop.time() + 0.02
            while (left_s := end - loop.time()) > 0:
                try:
                    async with asyncio.timeout(left_s):
                        data = await loop.sock_recv(self._socket, 2048)
                except TimeoutError:
                    break
                self.heard.append((data[1] & 0x7F, data[12:]))
                self._packet.set()

    def press(self, keys: str) -> None:
        """Keys as RFC 4733 events."""
        self._keys += [(key, KEY_FRAMES) for key in keys]

    async def hears(self, tone_hz: int, timeout_s: float = ANSWERS_WITHIN_S) -> None:
        """Wait until the last 200 ms are that tone."""
        async with asyncio.timeout(timeout_s):
            while not self._is_tone(tone_hz):
                self._packet.clear()
                await self._packet.wait()

    def _is_tone(self, tone_hz: int) -> bool:
        last = [(payload, sound) for payload, sound in self.heard[-10:] if payload in NAMES]
        if len(last) < 10:
            return False
        samples = np.concatenate([_linear(sound, payload) for payload, sound in last])
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        strongest = float(np.argmax(spectrum)) * 8000 / len(samples)
        return spectrum.max() > 1e5 and abs(strongest - tone_hz) < 12

    def close(self) -> None:
        """Silence. The socket is closed by who waits on it: closed under him, its number would be given to another."""
        if self._task is None:
            self._socket.close()
        else:
            self._task.cancel()


def alaw(samples: np.ndarray) -> bytes:
    """G.711 A-law."""
    return _ALAW_OF[samples + 32768].tobytes()


def mulaw(samples: np.ndarray) -> bytes:
    """G.711 mu-law."""
    return _MULAW_OF[samples + 32768].tobytes()


def _linear(sound: bytes, payload: int) -> np.ndarray:
    return (_ALAW if payload == PCMA else _MULAW)[np.frombuffer(sound, np.uint8)].astype(float)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _alaw_table() -> np.ndarray:
    codes = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (codes & 0x70) >> 4, codes & 0x0F
    value = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(codes & 0x80, value, -value)


def _mulaw_table() -> np.ndarray:
    codes = ~np.arange(256, dtype=np.int32) & 0xFF
    value = (((codes & 0x0F) << 3) + 0x84 << ((codes & 0x70) >> 4)) - 0x84
    return np.where(codes & 0x80, -value, value)


def _nearest(table: np.ndarray) -> np.ndarray:
    """For each sample from -32768 to 32767 the code that comes nearest."""
    order = np.argsort(table, kind="stable")
    values = table[order]
    samples = np.arange(-32768, 32768)
    right = np.clip(np.searchsorted(values, samples), 1, 255)
    left = right - 1
    nearer = np.where(samples - values[left] <= values[right] - samples, left, right)
    return order[nearer].astype(np.uint8)


_ALAW, _MULAW = _alaw_table(), _mulaw_table()
_ALAW_OF, _MULAW_OF = _nearest(_ALAW), _nearest(_MULAW)
