"""SIP that means no good, at a whole contact centre: from nobody known it reaches no flow, and nonsense harms nobody."""

import asyncio
import re
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.centre import CALLER_HZ, LINE, OPERATOR_HZ, Centre, contact_centre
from tests.e2e.raw_sip import SDP, RawSip, Request, Response

pytestmark = pytest.mark.asyncio(loop_scope="session")

URI = f"sip:{LINE}@127.0.0.1"
FLOOD = Path(__file__).with_name("flood.py")
FLOOD_S = 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def attacked(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Centre]:
    """A contact centre that listens on TCP, too."""
    place = tmp_path_factory.mktemp("attacked")
    async with contact_centre(place, library, prompts_dir, sip={"tcp": True}) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def centre(attacked: Centre) -> AsyncIterator[Centre]:
    """The same; after each test Asterisk and the daemon are those that were there before, and take the next call."""
    daemon = attacked.daemon
    assert daemon is not None
    pids = attacked.asterisk.pid, daemon.pid
    yield attacked
    await attacked.tidy()
    with RawSip(attacked.asterisk.instance.sip_port) as sip:
        answered = invite(attacked, sip)
        assert answered[1].code == 200
        sip.hang_up(*answered)
    await attacked.finished()
    assert attacked.asterisk.running and daemon.returncode is None
    assert (attacked.asterisk.pid, daemon.pid) == pids
    await attacked.tidy()


def invite(centre: Centre, sip: RawSip, uri: str = URI, body: str = SDP, **headers: str) -> tuple[Request, Response]:
    """A call of the demo's caller, who has a password; the INVITE and its final answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = sip.request("INVITE", uri=uri, user="caller", headers=named, body=body)
    return request, sip.log_in(request, "caller", centre.asterisk.secrets.caller_password)


# --- nobody known ------------------------------------------------------------------------------------------------------

DISGUISES: dict[str, dict[str, str]] = {
    "nobody": {"From": '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'},
    "no user": {"From": "<sip:127.0.0.1>;tag=1"},
    "an operator": {"From": "<sip:1001@127.0.0.1>;tag=1"},
    "the demo's caller": {"From": "<sip:caller@127.0.0.1>;tag=1"},
    "a network's host": {"From": "<sip:+78007707999@sip.carrier.example>;tag=1"},
    "a number": {"From": "<sip:+79161112233@127.0.0.1>;tag=1", "P-Asserted-Identity": "<sip:+79161112233@127.0.0.1>"},
    "asterisk itself": {"From": "<sip:asterisk@127.0.0.1>;tag=1", "User-Agent": "ccserver"},
    "headers of ours": {"X-CC_CALL": "1", "X-CC_TRUNK": "main", "X-Asterisk-Channel": "1", "Diversion": "<sip:1001@x>"},
    "a replaced call": {"Replaces": "1;to-tag=2;from-tag=3"},
    "a telephone URI": {"From": "<tel:+79161112233>;tag=1"},
    "a made-up password": {"Authorization": 'Digest username="caller", realm="ccserver", nonce="1", response="1"'},
}
TARGETS = (LINE, "s", "T", "*11", "1001", "00442012345678", f"{LINE}%26PJSIP%2f1001", "%24%7bSHELL(touch%20owned)%7d")


async def test_an_invite_of_nobody_known_reaches_no_flow_in_whatever_disguise(centre: Centre) -> None:
    with RawSip(centre.asterisk.instance.sip_port) as sip:
        for disguise, headers in DISGUISES.items():
            request = sip.request("INVITE", uri=URI, user="anonymous", headers=headers, body=SDP)
            assert sip.ask(request).code == 401, disguise
        for target in TARGETS:
            request = sip.request("INVITE", uri=f"sip:{target}@127.0.0.1", user="1001", body=SDP)
            assert sip.ask(request).code == 401, target
    assert await centre.contacts() == []
    assert await centre.ari("channels") == []


NOWHERE = (
    *(
        "s",
        "h",
        "i",
        "t",
        "o",
        "fallback",
        "feature-code",
        "*11",
        "1001",
        "001",
        f"{LINE}%261001",
        f"{LINE}&PJSIP/1001",
    ),
    *(f"{LINE}%0a", f"{LINE},1", f"{LINE}/../x", f"{LINE}%3bx", "%24%7bSHELL(touch%20owned)%7d", "%24%7bEXTEN%7d"),
)


async def test_who_has_a_password_reaches_the_lines_and_nothing_behind_them(centre: Centre) -> None:
    with RawSip(centre.asterisk.instance.sip_port) as sip:
        for target in NOWHERE:
            assert invite(centre, sip, f"sip:{target}@127.0.0.1")[1].code == 404, target
    assert await centre.contacts() == []


async def test_an_operators_phone_reaches_colleagues_and_feature_codes_and_nothing_behind_them(centre: Centre) -> None:
    password = centre.asterisk.secrets.operators["1001"]
    with RawSip(centre.asterisk.instance.sip_port) as sip:
        for target in (
            "s",
            "lines",
            "T",
            "1002%261003",
            "1002&PJSIP/1003",
            "*1",
            "%24%7bSHELL(x)%7d",
            "1002,1",
            "*11%0a",
        ):
            request = sip.request("INVITE", uri=f"sip:{target}@127.0.0.1", body=SDP)
            assert sip.log_in(request, "1001", password).code == 404, target
    assert await centre.contacts() == []


# --- what is shown of who he says he is --------------------------------------------------------------------------------

SCRIPT = "<script>window.owned=1</script>"
NAMES = (
    SCRIPT,
    '\\"><img src=x onerror=window.owned=1>',
    "A" * 500,
    "Ы" * 200,
    "\udcff\udcfe",
    "'); DROP TABLE contacts;--",
)
NUMBERS = (
    SCRIPT,
    '"><img src=x onerror=window.owned=1>',
    "7" * 500,
    "\r\ntimestamp=x level=info event=forged",
    "${SHELL(x)}",
)


async def test_hostile_names_and_numbers_are_kept_and_shown_as_the_text_they_are(centre: Centre, page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await page.goto(f"{centre.url}/?token={centre.asterisk.secrets.api_token}")
    await page.wait_for_selector("body[data-link=live]")
    identities = [f'"{name}" <sip:+7916000000{place}@x>' for place, name in enumerate(NAMES)]
    identities += [f"<sip:{quote(number, safe='')}@x>" for number in NUMBERS]
    with ExitStack() as stack:
        calls = []
        for identity in identities:
            sip = stack.enter_context(RawSip(centre.asterisk.instance.sip_port))
            display = identity.partition(" <")[0] if identity.startswith('"') else '"x"'
            calls.append(
                (sip, *invite(centre, sip, P_Asserted_Identity=identity, From=f"{display} <sip:caller@x>;tag=1"))
            )
        assert [answer.code for _, _, answer in calls] == [200] * len(identities)
        live = await centre.until(lambda status: len(status["contacts"]) == len(identities) and status["contacts"])
        numbers = {contact["ani"] for contact in live}
        assert {SCRIPT, NUMBERS[1], "${SHELL(x)}"} <= numbers
        assert all(len(number) < 100 for number in numbers)
        await expect(page.locator("#contacts .row")).to_have_count(len(identities))
        await expect(page.locator("#contacts .row", has_text=SCRIPT)).to_have_count(1)
        for sip, request, answer in calls:
            sip.hang_up(request, answer)
    finished = await centre.finished(len(identities))
    assert {row["ani"] for row in finished} == numbers
    await expect(page.locator("#finished .row", has_text=SCRIPT)).to_have_count(1)
    assert await page.evaluate("[typeof window.owned, document.querySelectorAll('.row script, .row img').length]") == [
        "undefined",
        0,
    ]
    assert dialogs == []
    assert [line for line in centre.log().splitlines() if not line.startswith("timestamp=2")] == []


# --- offers that are none, or too much -----------------------------------------------------------------------------------


async def test_an_invite_without_sdp_gets_our_offer_and_hears_us(centre: Centre) -> None:
    with (
        RawSip(centre.asterisk.instance.sip_port) as sip,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
    ):
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        answer_sdp = SDP.replace("40000", str(ear.getsockname()[1]))
        request = sip.request("INVITE", uri=URI, user="caller")
        offered = sip.log_in(request, "caller", centre.asterisk.secrets.caller_password, sdp=answer_sdp)
        assert offered.code == 200
        assert re.search(r"m=audio \d+ RTP/AVP .*\b8\b", offered.text)
        packets = [ear.recv(2000) for _ in range(25)]
        assert {packet[1] & 0x7F for packet in packets} == {8}, "A-law, as we said we would"
        sip.hang_up(request, offered)
    await centre.finished()


def with_codecs(count: int, known: str = "") -> str:
    numbers = [*known.split(), *(str(number) for number in range(127 - count, 127))]
    named = "".join(f"a=rtpmap:{number} X{number}/8000\r\n" for number in numbers if number not in known.split())
    return SDP.split("m=audio")[0] + f"m=audio 40000 RTP/AVP {' '.join(numbers)}\r\n{named}"


async def test_of_a_hundred_codecs_one_that_we_know_is_enough_and_none_is_refused(centre: Centre) -> None:
    with RawSip(centre.asterisk.instance.sip_port) as sip:
        request, answer = invite(centre, sip, body=with_codecs(100, known="8"))
        assert answer.code == 200
        assert re.search(r"(?m)^m=audio \d+ RTP/AVP 8\r?$", answer.text)
        sip.hang_up(request, answer)
        assert invite(centre, sip, body=with_codecs(100))[1].code == 488
    await centre.finished()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_header_of_60_kb_is_passed_over(centre: Centre, tcp: bool) -> None:
    with RawSip(centre.asterisk.instance.sip_port, tcp=tcp) as sip:
        request, answer = invite(centre, sip, X_Big="A" * 60_000)
        assert answer.code == 200
        sip.hang_up(request, answer)
    await centre.finished()


# --- no SIP at all -------------------------------------------------------------------------------------------------------

GARBAGE: tuple[Callable[[bytes], bytes], ...] = (
    lambda _: b"",
    lambda _: b"\r\n\r\n",
    lambda _: b"\0" * 1400,
    lambda _: bytes(range(256)) * 250,
    lambda right: right[: len(right) // 2],
    lambda right: right[:20],
    lambda right: right.replace(b"SIP/2.0", b"SIP/9.9"),
    lambda right: right.replace(b"INVITE", b"\xff\xfe\xfd"),
    lambda right: right.replace(b"Via:", b"Vi\0a:"),
    lambda right: right.replace(b"CSeq: ", b"CSeq: 99999999999999999999"),
    lambda right: re.sub(rb"Content-Length: \d+", b"Content-Length: -1", right),
    lambda right: re.sub(rb"Content-Length: \d+", b"Content-Length: 4000000000", right),
    lambda right: re.sub(rb"Content-Length: \d+", b"Content-Length: 99999", right),
    lambda right: re.sub(rb"Content-Length: \d+", b"Content-Length: x", right),
    lambda right: re.sub(rb"Max-Forwards: \d+", b"Max-Forwards: 0", right),
    lambda right: right.replace(b"v=0", b"v=" + b"9" * 5000),
    lambda right: right.replace(b"m=audio 40000", b"m=audio 999999999"),
    lambda right: right.replace(b"Call-ID", b"Call-ID: 1\r\nCall-ID"),
)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_garbage_and_wrong_lengths_reach_no_flow_and_end_nothing(centre: Centre, tcp: bool) -> None:
    for spoil in GARBAGE:
        with RawSip(centre.asterisk.instance.sip_port, tcp=tcp) as sip:
            request = sip.request("INVITE", uri=URI, user="anonymous", body=SDP)
            sip.send(spoil(request.encoded()))
    with RawSip(centre.asterisk.instance.sip_port, tcp=tcp) as sip:
        assert sip.ask(sip.request("OPTIONS", user="nobody")).code == 401
    assert await centre.contacts() == []


# --- floods --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "sources"), [("REGISTER", 1), ("REGISTER", 500), ("INVITE", 500)])
async def test_in_a_flood_the_call_that_stands_goes_on_with_sound_both_ways(
    centre: Centre, method: str, sources: int
) -> None:
    phone = await centre.operator("1001")
    customer = await centre.waiting()
    call = await phone.wait_call()
    await call.wait_up()
    port = centre.asterisk.instance.sip_port
    arguments = (FLOOD, method, "127.0.0.1", port, "127.1.0.0/16", sources, FLOOD_S)
    flood = await asyncio.create_subprocess_exec(sys.executable, *map(str, arguments), stdout=PIPE)
    assert flood.stdout is not None
    assert (await flood.stdout.readline()) == b"flooding\n"
    await call.hears(CALLER_HZ)
    await customer.hears(OPERATOR_HZ["1001"])
    another = await centre.dial()
    said, _ = await flood.communicate()
    assert int(said) > 1000 * FLOOD_S
    await call.hears_for(1)
    await call.hears(CALLER_HZ)
    assert (await centre.agent("1001", "talking"))["phone_registered"]
    await customer.hangup()
    await another.wait_up()  # during the flood or after it: a phone repeats what was not answered
    await another.hangup()
    contacts = await centre.finished(2)
    assert [contact["outcome"] for contact in contacts] == ["answered", "flow_abandoned"]
