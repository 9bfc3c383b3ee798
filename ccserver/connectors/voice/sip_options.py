"""One SIP OPTIONS over UDP: does PJSIP answer on its port? Any answer is a sign of life, "who are you?" (401) as good as 200.

`request` and `answer_of` are pure; `ask` sends and waits. No retransmission (RFC 3261, 17.1.2): between two processes of one
machine nothing gets lost, and who does not answer at once is what is looked for.
"""

import asyncio
import re
import secrets

MAX_BYTES = 1300
"""RFC 3261, 18.1.1: above it a request must not go by UDP."""
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ")


class NoAnswer(Exception):
    """What came instead of one; for people."""


def request(to: tuple[str, int], own: tuple[str, int], user: str, call_id: str) -> bytes:
    """An OPTIONS from `own` to the server itself; `user` is whom we claim to be, `call_id` is unique."""
    server, here = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in (to, own))
    lines = (
        f"OPTIONS sip:{server} SIP/2.0",
        f"Via: SIP/2.0/UDP {here};rport;branch=z9hG4bK{call_id}",
        "Max-Forwards: 5",
        f"From: <sip:{user}@{here}>;tag={call_id}",
        f"To: <sip:{server}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:{user}@{here}>",
        "Accept: application/sdp",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


def answer_of(datagram: bytes, call_id: str) -> int | None:
    """The status code when it is the answer to that call; None for whatever else comes to a port."""
    head = datagram.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    status = _STATUS.match(head[0] + " ")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    mine = fields.get("call-id", fields.get("i")) == call_id
    return int(status[1]) if status and mine and fields.get("cseq", "").endswith("OPTIONS") else None


async def ask(host: str, port: int, user: str, within_s: float) -> int:
    """The status code of the answer; raises `NoAnswer`."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[int] = loop.create_future()
    call_id = secrets.token_hex(12)
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Listening(call_id, answered), remote_addr=(host, port)
        )
    except OSError as error:
        raise NoAnswer(error.strerror or str(error)) from None
    try:
        own = transport.get_extra_info("sockname")
        transport.sendto(request((host, port), (own[0], own[1]), user, call_id))
        async with asyncio.timeout(within_s):
            return await answered
    except TimeoutError:
        raise NoAnswer(f"no answer within {within_s:g} s") from None
    except OSError as error:
        raise NoAnswer(error.strerror or str(error)) from None
    finally:
        transport.close()


class _Listening(asyncio.DatagramProtocol):
    def __init__(self, call_id: str, answered: asyncio.Future[int]) -> None:
        self._call_id = call_id
        self._answered = answered

    def datagram_received(self, data: bytes, _addr: object) -> None:
        code = answer_of(data, self._call_id)
        if code is not None and not self._answered.done():
            self._answered.set_result(code)

    def error_received(self, exc: Exception) -> None:
        """The port is closed (ICMP)."""
        if not self._answered.done():
            self._answered.set_exception(exc)
