"""An OPTIONS as a server wants it, and which of the datagrams that come is its answer."""

import asyncio

import pytest

from ccserver.connectors.voice.sip_options import MAX_BYTES, NoAnswer, answer_of, ask, request

OK = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nCall-ID: abc\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"


def test_a_request_has_all_that_rfc_3261_demands_and_fits_into_a_datagram() -> None:
    sent = request(("127.0.0.1", 5060), ("127.0.0.1", 40000), "caller", "abc")
    head = sent.decode().split("\r\n")
    assert head[0] == "OPTIONS sip:127.0.0.1:5060 SIP/2.0"
    names = {line.partition(":")[0] for line in head[1:] if line}
    assert {"Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"} <= names
    assert "branch=z9hG4bK" in head[1] and sent.endswith(b"\r\n\r\n") and len(sent) < MAX_BYTES


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert b"OPTIONS sip:[::1]:5060 SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:4;" in request(
        ("::1", 5060), ("::1", 4), "a", "b"
    )


@pytest.mark.parametrize(
    ("datagram", "code"),
    [
        (OK, 200),
        (OK.replace(b"200 OK", b"401 Unauthorized"), 401),
        (OK.replace(b"200 OK", b"503"), 503),
        (OK.replace(b"Call-ID", b"i"), 200),
        (OK.replace(b"Call-ID: abc", b"call-id:abc"), 200),
        (OK.replace(b"abc", b"another"), None),
        (OK.replace(b"OPTIONS", b"INVITE"), None),
        (OK.replace(b"SIP/2.0 200 OK", b"OPTIONS sip:x SIP/2.0"), None),
        (b"", None),
        (b"\r\n\r\n", None),
        (b"\xff\xfe\x00" * 50, None),
        (b"SIP/2.0 999 No\r\nCall-ID: abc\r\nCSeq: 1 OPTIONS\r\n\r\n", None),
    ],
)
def test_only_an_answer_to_this_very_call_counts(datagram: bytes, code: int | None) -> None:
    assert answer_of(datagram, "abc") == code


class Answering(asyncio.DatagramProtocol):
    """A server that says nonsense first."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        call_id = data.partition(b"Call-ID: ")[2].partition(b"\r\n")[0]
        for answer in (b"nonsense", OK, OK.replace(b"abc", call_id).replace(b"200 OK", b"404 Not Found")):
            self.transport.sendto(answer, addr)  # type: ignore[attr-defined]


async def test_a_server_is_asked_and_what_is_not_its_answer_is_passed_over() -> None:
    server, _ = await asyncio.get_running_loop().create_datagram_endpoint(Answering, local_addr=("127.0.0.1", 0))
    try:
        assert await ask("127.0.0.1", server.get_extra_info("sockname")[1], "caller", 5.0) == 404
    finally:
        server.close()


async def test_a_port_that_is_silent_and_one_that_is_closed_are_told_apart() -> None:
    server, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = server.get_extra_info("sockname")[1]
    with pytest.raises(NoAnswer, match=r"no answer within 0\.05 s"):
        await ask("127.0.0.1", port, "caller", 0.05)
    server.close()
    await asyncio.sleep(0)
    with pytest.raises(NoAnswer, match="refused"):
        await ask("127.0.0.1", port, "caller", 5.0)
