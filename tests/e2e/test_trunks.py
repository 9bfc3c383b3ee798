"""Calls from the public network: trunks that register and trunks known by their address, on a real Asterisk, over the wire."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.carrier import PCMA, Call, Carrier
from tests.e2e.centre import LINE, OPERATOR_HZ, Centre, Row, Status, contact_centre, segments

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITY, MOBILE = "+74951234567", "+79161234567"
PASSWORD = "s;e#cret \\"
REFUSING = {"forbidden": 403, "overloaded": 503, "baffled": 401, "silent": 0}
"""Trunks whose carrier takes no registration, and how it says so."""


@dataclass
class Network:
    """A centre with its trunks, and who is at their other ends."""

    centre: Centre
    registrar: Carrier
    """Takes our registration and brings the number in To."""
    peer: Carrier
    """Known by its address; brings the number in the request's URI. Two channels."""

    async def trunk(self, name: str, *, usable: bool, reason: str = "") -> Row:
        """Wait until the trunk is so."""

        def look(status: Status) -> Row | None:
            (trunk,) = (trunk for trunk in status["trunks"] if trunk["name"] == name)
            return trunk if trunk["usable"] is usable and reason in trunk["reason"] else None

        return await self.centre.until(look)

    async def registered_call(self, number: str = LINE, caller: str = MOBILE) -> Call:
        """A call to the address that we registered: what was dialled stands in To."""
        contact = await self.registrar.registered()
        return await self.registrar.call(caller, number, uri=contact)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Network]:
    """One Asterisk and one daemon for all tests of this file."""
    directory = tmp_path_factory.mktemp("trunks")
    async with AsyncExitStack() as stack:
        registrar = await stack.enter_async_context(Carrier("127.0.0.21", password=PASSWORD))
        peer = await stack.enter_async_context(Carrier("127.0.0.22"))
        (directory / "password").write_text(f"{PASSWORD}\n")
        trunks = [
            f'[[trunks]]\nname = "north"\ntitle = "North Telecom"\nhost = "{registrar.host}"\nport = {registrar.port}\n'
            f'register = true\nuser = "74950000001"\npassword_file = "{directory / "password"}"\ndid = "to"\n'
            "qualify_s = 1\nretry_s = 1\n",
            f'[[trunks]]\nname = "south"\ntitle = "South Telecom"\nhost = "{peer.host}"\nport = {peer.port}\n'
            "channels = 2\nqualify_s = 1\n",
        ]
        for name, code in REFUSING.items():
            carrier = await stack.enter_async_context(Carrier(f"127.0.0.{30 + len(trunks)}"))
            carrier.register_code = code
            trunks.append(
                f'[[trunks]]\nname = "{name}"\ntitle = "{name.title()}"\nhost = "{carrier.host}"\nport = {carrier.port}\n'
                'register = true\nuser = "user"\npassword = "wrong"\nqualify_s = 1\nretry_s = 1\n'
            )
        centre = await stack.enter_async_context(
            contact_centre(directory, library, prompts_dir, more="\n".join(trunks))
        )
        registrar.server = peer.server = ("127.0.0.1", centre.asterisk.instance.sip_port)
        yield Network(centre, registrar, peer)


@pytest_asyncio.fixture(loop_scope="module")
async def net(network: Network) -> AsyncIterator[Network]:
    """The same, tidied up after each test."""
    yield network
    await network.centre.tidy()


@pytest.mark.parametrize("trunk", ["north", "south"])
async def test_a_call_from_a_trunk_reaches_an_operator_with_sound_both_ways(net: Network, trunk: str) -> None:
    await net.trunk(trunk, usable=True)
    site = net.centre
    phone = await site.operator("1001")
    if trunk == "north":
        call = await net.registered_call(caller="89161234567")
    else:
        call = await net.peer.call("9161234567", LINE.replace("8", "7", 1))
    answer = await call.answered()
    assert f"RTP/AVP {PCMA} " in answer.body, "alaw comes first whatever the caller would rather have"
    call.audio.press("1")
    ringing = await phone.wait_call(20)
    await ringing.wait_up()
    await ringing.hears(440)
    await call.audio.hears(OPERATOR_HZ["1001"])
    live = await site.contact("talking", agent="1001")
    assert (live["line"], live["ani"], live["trunk"], live["direction"]) == (LINE, MOBILE, trunk, "inbound")
    (shown,) = (t for t in (await site.get("/api/status"))["trunks"] if t["name"] == trunk)
    assert (shown["inbound"], shown["outbound"]) == (1, 0)
    await call.bye()
    (contact,) = await site.finished()
    assert (contact["line"], contact["ani"], contact["trunk"]) == (LINE, MOBILE, trunk)
    assert segments(contact)[-1] == ("talk", "caller_left")
