"""SIP as no phone would say it: requests written by hand and sent over a bare socket, answers read as they come.

with RawSip(port) as sip:
    answer = sip.ask(sip.request("REGISTER", user="1001"))
    assert answer.code == 401
"""

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from itertools import count
from types import MappingProxyType

ANSWERS_WITHIN_S = 5.0
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_serial = count(1)


@dataclass(frozen=True)
class Response:
    """One answer."""

    code: int
    text: str

    def header(self, name: str) -> str:
        found = re.search(rf"(?im)^{name}:[ \t]*(.*?)\r?$", self.text)
        return found[1] if found else ""


@dataclass
class Request:
    """What is to be sent; every part may be nonsense."""

    method: str
    uri: str
    headers: dict[str, str]
    body: str = ""
    extra: Sequence[str] = field(default_factory=tuple)
    """Further header lines as they are."""

    def encoded(self) -> bytes:
        lines = [f"{self.method} {self.uri} SIP/2.0", *(f"{name}: {value}" for name, value in self.headers.items())]
        text = "\r\n".join([*lines, *self.extra, "", self.body])
        return text.encode("utf-8", "surrogateescape")


class RawSip:
    """One socket, UDP unless told otherwise, from any address of this machine."""

    def __init__(self, port: int, *, source: str = "127.0.0.1", tcp: bool = False, server: str = "127.0.0.1") -> None:
        self._server = (server, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.settimeout(ANSWERS_WITHIN_S)
        self._tcp = tcp
        self._rest = b""
        if tcp:
            self._socket.connect(self._server)
        self.host, self.port = self._socket.getsockname()

    def __enter__(self) -> "RawSip":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def request(
        self,
        method: str,
        *,
        uri: str = "",
        user: str = "1001",
        headers: Mapping[str, str] = NO_HEADERS,
        body: str = "",
        extra: Sequence[str] = (),
    ) -> Request:
        """A request that is right but for what `headers` replaces."""
        server = f"{self._server[0]}:{self._server[1]}"
        number, by = next(_serial), "TCP" if self._tcp else "UDP"
        whole = {
            "Via": f"SIP/2.0/{by} {self.host}:{self.port};rport;branch=z9hG4bK{number}x{self.port}",
            "Max-Forwards": "70",
            "From": f"<sip:{user}@{server}>;tag={number}",
            "To": f"<sip:{user}@{server}>" if method == "REGISTER" else f"<{uri or f'sip:{server}'}>",
            "Call-ID": f"{number}-{self.port}@raw",
            "CSeq": f"{number} {method}",
            "Contact": f"<sip:{user}@{self.host}:{self.port}>",
            **({"Content-Type": "application/sdp"} if body else {}),
            "Content-Length": str(len(body.encode("utf-8", "surrogateescape"))),
        }
        return Request(method, uri or f"sip:{server}", whole | dict(headers), body, extra)

    def send(self, what: Request | bytes) -> None:
        content = what if isinstance(what, bytes) else what.encoded()
        if self._tcp:
            self._socket.sendall(content)
        else:
            self._socket.sendto(content, self._server)

    def answer(self, timeout_s: float = ANSWERS_WITHIN_S) -> Response:
        """The next message; raises `TimeoutError` when there is none."""
        self._socket.settimeout(timeout_s)
        text = (self._read_tcp() if self._tcp else self._socket.recv(65535)).decode(errors="replace")
        code = re.match(r"SIP/2\.0 (\d{3})", text)
        return Response(int(code[1]) if code else 0, text)

    def final(self, timeout_s: float = ANSWERS_WITHIN_S) -> Response:
        """The next answer that is not provisional."""
        while (response := self.answer(timeout_s)).code < 200:
            pass
        return response

    def ask(self, request: Request, timeout_s: float = ANSWERS_WITHIN_S, sdp: str = "") -> Response:
        """Send it; the final answer, acknowledged (with `sdp`, if the call stands) when it is one to an INVITE."""
        self.send(request)
        response = self.final(timeout_s)
        if request.method == "INVITE":
            self.acknowledge(request, response, sdp if response.code == 200 else "")
        return response

    def acknowledge(self, invite: Request, response: Response, body: str = "") -> None:
        """ACK; `body`: the answer to an offer that came in the 200."""
        headers = {name: invite.headers[name] for name in ("Via", "Max-Forwards", "From", "Call-ID")}
        headers |= {"To": response.header("To"), "CSeq": invite.headers["CSeq"].replace("INVITE", "ACK")}
        target = re.search(r"<([^>]+)>", response.header("Contact"))
        uri = target[1] if target and response.code < 300 else invite.uri
        if response.code < 300:
            headers["Via"] += "a"
        headers |= {"Content-Type": "application/sdp"} if body else {}
        self.send(Request("ACK", uri, headers | {"Content-Length": str(len(body))}, body))

    def hang_up(self, invite: Request, response: Response) -> Response:
        """End the call that the INVITE began."""
        number = int(invite.headers["CSeq"].split()[0]) + 2_000_000
        headers = {name: invite.headers[name] for name in ("Max-Forwards", "From", "Call-ID")}
        headers |= {"To": response.header("To"), "CSeq": f"{number} BYE", "Via": invite.headers["Via"] + "b"}
        self.send(Request("BYE", invite.uri, headers | {"Content-Length": "0"}))
        while "BYE" not in (answer := self.final()).header("CSeq"):
            pass
        return answer

    def log_in(
        self, request: Request, user: str, password: str, timeout_s: float = ANSWERS_WITHIN_S, sdp: str = ""
    ) -> Response:
        """Ask, be challenged, and ask again with the password."""
        challenged = self.ask(request, timeout_s)
        assert challenged.code == 401, challenged.text
        return self.ask(self.authorized(request, challenged, user, password), timeout_s, sdp)

    def authorized(self, request: Request, challenged: Response, user: str, password: str) -> Request:
        """The same request again, with the answer to the challenge."""
        challenge = challenged.header("WWW-Authenticate")
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        first = _hash(f"{user}:{given['realm']}:{password}")
        proof = _hash(f"{first}:{given['nonce']}:00000001:c:auth:{_hash(f'{request.method}:{request.uri}')}")
        number = int(request.headers["CSeq"].split()[0]) + 1_000_000
        headers = request.headers | {
            "CSeq": f"{number} {request.method}",
            "Via": request.headers["Via"] + "p",
            "Authorization": f'Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f'uri="{request.uri}", response="{proof}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001, '
            f'opaque="{given.get("opaque", "")}"',
        }
        return Request(request.method, request.uri, headers, request.body, request.extra)

    def _read_tcp(self) -> bytes:
        while b"\r\n\r\n" not in self._rest:
            more = self._socket.recv(65535)
            if not more:
                raise ConnectionResetError("closed by the server")
            self._rest += more
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^(?:Content-Length|l):\s*(\d+)", head)
        wanted = int(length[1]) if length else 0
        while len(rest) < wanted:
            rest += self._socket.recv(65535)
        self._rest = rest[wanted:]
        return head + b"\r\n\r\n" + rest[:wanted]


def _hash(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
