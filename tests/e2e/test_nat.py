"""An operator at home, behind the NAT of his router, and a server behind another: kernels' own NAT, in namespaces.

server 192.168.50.10 -- 192.168.50.1 [office] 203.0.113.1 -- 203.0.113.2 [router] 192.168.77.1 -- 192.168.77.2 phones
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments
from tests.namespaces import Namespaces

SIP_PORT, RTP_START, RTP_END = 5060, 20000, 20399
SERVER, OFFICE, ROUTER, ROUTER_LATER, HOME = (
    "192.168.50.10",
    "203.0.113.1",
    "203.0.113.2",
    "203.0.113.3",
    "192.168.77.2",
)
RTP_TIMEOUT_S = 5
"""A phone on a busy machine pauses for a breath, and that is not death."""
NAT = """
table ip nat {{
  chain out {{ type nat hook postrouting priority srcnat; oifname {wan} masquerade; }}
  chain in {{ type nat hook prerouting priority dstnat; {forwarded} }}
}}
"""


@pytest.fixture
def net() -> Iterator[Namespaces]:
    """The picture above."""
    with Namespaces("server", "office", "router", "home") as made:
        made.cable("server", f"{SERVER}/24", "office", "192.168.50.1/24")
        office_wan, router_wan = made.cable("office", f"{OFFICE}/24", "router", f"{ROUTER}/24")
        made.cable("router", "192.168.77.1/24", "home", f"{HOME}/24")
        made.route("server", "192.168.50.1")
        made.route("home", "192.168.77.1")
        ports = f"{{ {SIP_PORT}, {RTP_START}-{RTP_END} }}"
        made.forward(
            "office", NAT.format(wan=office_wan, forwarded=f"iifname {office_wan} udp dport {ports} dnat to {SERVER};")
        )
        made.forward("router", NAT.format(wan=router_wan, forwarded=""))
        yield made


@pytest.fixture
async def centre(net: Namespaces, tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A contact centre in the office, phones at home."""
    leave = await library.do(lambda: net.enter("home"))
    try:
        with net.inside("server"):
            place = {"sip_address": SERVER, "sip_port": SIP_PORT, "rtp_start": RTP_START, "rtp_end": RTP_END}
            async with contact_centre(
                tmp_path,
                library,
                prompts_dir,
                sip={"external_address": OFFICE, "rtp_timeout_s": RTP_TIMEOUT_S},
                **place,
            ) as running:
                running.server_host, running.phones_at = OFFICE, HOME
                yield running
    finally:
        await library.do(leave)


async def talk(centre: Centre, phone: Phone) -> tuple[Call, Call]:
    """A customer is connected with the phone, and they hear each other."""
    customer = await centre.waiting()
    call = await phone.wait_call(10)
    await call.wait_up()
    await call.hears(CALLER_HZ)
    await customer.hears(OPERATOR_HZ[phone.user])
    return customer, call


async def test_an_operator_behind_nat_talks_and_after_his_address_changed_talks_again(
    centre: Centre, net: Namespaces
) -> None:
    phone = await centre.operator("1001")
    assert f"sip:1001@{ROUTER}:" in await centre.asterisk.cli("pjsip show aors")
    customer, call = await talk(centre, phone)
    assert f"c=IN IP4 {OFFICE}" in call.invite and SERVER not in call.invite
    await customer.hangup()
    await centre.agent("1001", "ready")

    # His provider gives him another address, as it does every night: all mappings of the router are gone.
    wan = net.run("router", "sh", "-c", f"ip -o addr show to {ROUTER} | cut -d' ' -f2").strip()
    net.run("router", "ip", "addr", "del", f"{ROUTER}/24", "dev", wan)
    net.run("router", "ip", "addr", "add", f"{ROUTER_LATER}/24", "dev", wan)
    await phone.register()
    aors = await centre.asterisk.cli("pjsip show aors")
    assert f"sip:1001@{ROUTER_LATER}:" in aors and f"@{ROUTER}:" not in aors
    customer, _ = await talk(centre, phone)

    # His line goes dead, with nobody to say good-bye: the talk ends by itself, and the customer's minutes with it.
    await phone.vanish()
    await customer.wait_gone(30)
    contacts = await centre.finished(2)
    assert [contact["outcome"] for contact in contacts] == ["answered", "answered"]
    assert segments(contacts[1])[-1] == ("talk", "agent_left")
