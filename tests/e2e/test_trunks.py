"""Calls from the public network: trunks that register and trunks known by their address, on a real Asterisk, over the wire."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from asterisk_instance import free_port
from msgspec.structs import replace

from ccserver.config.load import load
from ccserver.sim.phones import PhoneLibrary
from tests.carrier_tls import certified
from tests.e2e.carrier import PCMA, Call, Carrier, tls_carrier
from tests.e2e.centre import LINE, OPERATOR_HZ, OTHER_LINE, Centre, Row, Status, contact_centre, segments
from tests.e2e.installation import Installation
from tests.e2e.operator_switch import Sipp, sipp

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITY, MOBILE = "+74951234567", "+79161234567"
OPERATOR = "127.0.0.23"
PASSWORD = "s;e#cret \\"
SEALED = {"sealed": ("", 30), "expired": ("", -1), "misnamed": ("other.example", 30)}
"""TLS trunks: for whom the carrier's certificate is (empty: for him), and in how many days it runs out."""
SECRETS = (PASSWORD, "no-good", "let-me-in")
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
    operator: Sipp
    """The registrar of trunk `operator`, whose switch is SIPp, too."""

    async def trunk(self, name: str, *, usable: bool, reason: str = "") -> Row:
        """Wait until the trunk is so."""

        def look(status: Status) -> Row | None:
            (trunk,) = (trunk for trunk in status["trunks"] if trunk["name"] == name)
            return trunk if trunk["usable"] is usable and reason in trunk["reason"] else None

        return await self.centre.until(look)

    async def alarm(self, name: str, *, raised: bool = True, saying: str = "") -> Row:
        """Wait until the alarm is raised and says so much, or is not."""

        def look(status: Status) -> Row | None:
            alarms = [alarm for alarm in status["alarms"] if alarm["name"] == name and saying in alarm["message"]]
            return dict(alarms[0]) if alarms and raised else {} if not alarms and not raised else None

        return await self.centre.until(look)

    async def hang_up_all(self) -> None:
        """Every channel, by Asterisk itself, once all are answered."""
        async with asyncio.timeout(20), self.centre.http.ws_connect(self.centre.url + "/api/live") as socket:
            async for _ in socket:
                if all(channel["state"] == "Up" for channel in await self.centre.ari("channels")):
                    break
        for channel in await self.centre.ari("channels"):
            url = f"{self.centre.asterisk.instance.ari_url}/channels/{channel['id']}"
            async with self.centre.http.delete(url, headers=self.centre.asterisk.ari_headers):
                pass

    @staticmethod
    def field(status: Status, trunk: str, field: str) -> object:
        """Of a trunk, in the status."""
        return next(each for each in status["trunks"] if each["name"] == trunk)[field]

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
                'register = true\nuser = "user"\npassword = "no-good"\nqualify_s = 1\nretry_s = 1\n'
            )
        port = str(free_port(socket.SOCK_DGRAM, OPERATOR))
        account = {"user": "74950000002", "password": "let-me-in"}
        registrar_of_operator = sipp("registrar", directory, "-i", OPERATOR, "-p", port, **account)
        operator = await stack.enter_async_context(registrar_of_operator)
        trunks.append(
            f'[[trunks]]\nname = "operator"\ntitle = "Operator"\nhost = "{OPERATOR}"\nport = {port}\nqualify_s = 0\n'
            f'register = true\nuser = "{account["user"]}"\npassword = "{account["password"]}"\naddresses = ["{OPERATOR}"]\n'
        )
        for name, (certificate_for, days) in SEALED.items():
            host = f"127.0.0.{30 + len(trunks)}"
            context = certified(directory / name, certificate_for or host, days=days)
            tls_port = await stack.enter_async_context(tls_carrier(host, context))
            trunks.append(
                f'[[trunks]]\nname = "{name}"\ntitle = "{name.title()}"\nhost = "{host}"\nport = {tls_port}\n'
                f'transport = "tls"\nqualify_s = 1\nca_file = "{directory / name / "ca.pem"}"\n'
            )
        tls = {"tls_port": free_port()}
        centre = await stack.enter_async_context(
            contact_centre(directory, library, prompts_dir, more="\n".join(trunks), sip=tls)
        )
        registrar.server = peer.server = ("127.0.0.1", centre.asterisk.instance.sip_port)
        yield Network(centre, registrar, peer, operator)


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


async def test_an_operators_registrar_takes_us_and_his_switch_is_served(net: Network, tmp_path: Path) -> None:
    await net.trunk("operator", usable=True)
    assert net.operator.said("registered sip:74950000002@127.0.0.1")
    assert net.peer.server is not None
    where = f"{net.peer.server[0]}:{net.peer.server[1]}"
    async with sipp("switch", tmp_path, where, "-s", LINE, "-i", OPERATOR, "-mi", OPERATOR, "-m", "1") as switch:
        contact = await net.centre.contact("flow", trunk="operator")
        assert (contact["line"], contact["direction"]) == (LINE, "inbound")
        await net.hang_up_all()
        await switch.ended()
        assert switch.said("answered")


async def test_a_trunk_that_does_not_register_says_why_on_the_page_and_as_an_alarm(net: Network) -> None:
    for name, reason in {
        "forbidden": "answered 403, user, password or our address is refused",
        "overloaded": "answered 503, the carrier is overloaded or under maintenance",
        "baffled": "answered 401, the password or the user is wrong",
        "silent": "no answer",
    }.items():
        trunk = await net.trunk(name, usable=False, reason=reason)
        alarm = await net.alarm(f"trunk {name}")
        assert alarm["message"] == f"{name.title()}: {trunk['reason']}"
    assert not any(secret in net.centre.log() for secret in SECRETS)


async def test_a_tls_trunk_is_of_use_only_with_a_certificate_that_is_valid_and_for_its_host(net: Network) -> None:
    await net.trunk("sealed", usable=True)
    await net.trunk("expired", usable=False, reason="shows a certificate that is not valid: certificate has expired")
    await net.trunk("misnamed", usable=False, reason="IP address mismatch, certificate is not valid for '127.0.0.")
    assert "TLS: 127.0.0." in (await net.alarm("trunk expired"))["message"]


async def test_the_doctor_looks_at_each_trunk_and_says_why(net: Network) -> None:
    said = (await asyncio.to_thread(Installation(net.centre.config_dir.parent).ccserver, "doctor")).out
    assert re.search(r"^ok  trunk north +North Telecom$", said, re.MULTILINE), said
    assert re.search(r"^!!  trunk forbidden +is not registered: answered 403, ", said, re.MULTILINE), said
    assert not any(secret in said for secret in SECRETS)


async def test_a_trunk_that_goes_away_and_comes_back_is_seen_to_do_so(net: Network) -> None:
    await net.trunk("south", usable=True)
    net.peer.pull_out()
    await net.trunk("south", usable=False, reason="does not answer")
    assert (await net.alarm("trunk south"))["message"] == "South Telecom: does not answer"
    await net.peer.plug_in()
    await net.trunk("south", usable=True)
    assert await net.alarm("trunk south", raised=False) == {}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("89161234567", MOBILE),
        ("79161234567", MOBILE),
        ("+79161234567", MOBILE),
        ("9161234567", MOBILE),
        ("0079161234567", MOBILE),
        ('"+7 (916) 123-45-67" <sip:+79161234567;cpc=payphone@carrier.example;user=phone>', MOBILE),
        ("1012", "1012"),
        ("<sip:anonymous@anonymous.invalid>", "anonymous"),
        ("<sip:carrier.example>", "anonymous"),
        ("<sip:shop-7@carrier.example>", "shop-7"),
        ("<sip:8%0d%0aBYE@carrier.example>", "8BYE"),
        (f"<sip:{'9' * 2000}@carrier.example>", "9" * 64),
    ],
)
async def test_the_callers_number_is_e164_or_as_it_came(net: Network, sent: str, told: str) -> None:
    call = await net.peer.call(sent, LINE)
    await call.answered()
    assert (await net.centre.contact("flow"))["ani"] == told
    await call.bye()


async def test_who_withholds_his_number_stays_anonymous_though_the_carrier_knows_it(net: Network) -> None:
    headers = {"P-Asserted-Identity": f"<sip:{MOBILE}@carrier.example>", "Privacy": "id"}
    call = await net.peer.call("<sip:anonymous@anonymous.invalid>", LINE, headers=headers)
    await call.answered()
    assert (await net.centre.contact("flow"))["ani"] == "anonymous"
    await call.bye()
    known = {"P-Asserted-Identity": f"<sip:{MOBILE}@carrier.example>"}
    call = await net.peer.call("<sip:operator@carrier.example>", LINE, headers=known)
    await call.answered()
    assert (await net.centre.contact("flow"))["ani"] == MOBILE
    await call.bye()


@pytest.mark.parametrize(
    ("to", "line"),
    [
        (f"<sip:{LINE}@x>", LINE),
        (f"<sip:+7{LINE[1:]};npdi@x;user=phone>;p=v", LINE),
        (f"<tel:+7{OTHER_LINE[1:]};phone-context=ru>", OTHER_LINE),
        (f'"a:1@b>, <sip:2@x>" <sip:{LINE}@x;user=phone>', LINE),
        (f"sip:{LINE}@x", LINE),
        ("<sip:${SHELL(id)}@x>", None),
        ("<sip:%24%7BSHELL(id)%7D%2C8@x>", None),
        ("<sip:x>", None),
        ('"%0d%0a' + "z" * 3000 + '" <sip:8@x>', None),
    ],
)
async def test_the_number_dialled_is_taken_from_to_however_it_is_written(
    net: Network, to: str, line: str | None
) -> None:
    contact = await net.registrar.registered()
    call = await net.registrar.call(CITY, "", uri=contact, to=to)
    if line is None:
        if "${" not in to:  # that is no URI at all: Asterisk throws such a message away
            assert (await call.answer()).status == 404
        assert (await net.centre.get("/api/status"))["contacts"] == []
    else:
        await call.answered()
        assert (await net.centre.contact("flow"))["line"] == line
        await call.bye()


async def test_a_number_that_is_none_of_ours_is_refused_unanswered_counted_and_logged(net: Network) -> None:
    before = (await net.trunk("south", usable=True))["misdialled"]
    call = await net.peer.call(MOBILE, "88001112233")
    answer = await call.answer()
    assert answer.status == 404
    assert not [m for m in call.responses if 180 <= m.status < 300]
    await net.centre.until(lambda status: net.field(status, "south", "misdialled") == before + 1)
    assert "88001112233, dialled on south, is none of our lines" in net.centre.log()


async def test_a_stranger_reaches_nothing_though_he_writes_a_trunks_name(net: Network) -> None:
    async with Carrier("127.0.0.66") as stranger:
        stranger.server = net.peer.server
        for caller in (MOBILE, "<sip:south@127.0.0.22>", "<sip:north@127.0.0.21>"):
            call = await stranger.call(caller, LINE)
            assert (await call.answer()).status == 401
    assert (await net.centre.get("/api/status"))["contacts"] == []


async def test_a_trunk_changes_its_session_in_mid_call_and_the_talk_goes_on(net: Network) -> None:
    phone = await net.centre.operator("1001")
    call = await net.peer.call(MOBILE, LINE)
    await call.answered()
    call.audio.press("1")
    ringing = await phone.wait_call(20)
    await ringing.wait_up()
    await ringing.hears(440)
    assert (await call.again("sendonly")).status == 200
    assert (await call.update()).status == 200
    assert (await call.again("sendrecv")).status == 200
    assert (await call.request("INFO")).status in (200, 415)
    call.say("NONSENSE")
    await ringing.hears(440)
    await call.audio.hears(OPERATOR_HZ["1001"])
    await ringing.hangup()
    await call.ended()
    (contact,) = await net.centre.finished()
    assert segments(contact)[-1] == ("talk", "agent_left")


async def test_a_flood_beyond_its_channels_is_refused_and_the_other_trunk_is_served(
    net: Network, tmp_path: Path
) -> None:
    before = (await net.trunk("south", usable=True))["refused"]
    assert net.peer.server is not None
    where = f"{net.peer.server[0]}:{net.peer.server[1]}"
    at = ("-i", net.peer.host, "-mi", net.peer.host)
    async with sipp("switch", tmp_path, where, "-s", LINE, *at, "-r", "60", "-m", "120") as switch:
        await net.centre.until(lambda status: net.field(status, "south", "refused") == before + 118)
        north = await net.registered_call()  # while both channels of south are taken
        await north.answered()
        await net.centre.until(lambda status: net.field(status, "north", "inbound") == 1)
        assert net.field(await net.centre.get("/api/status"), "south", "inbound") == 2
        await north.bye()
        await net.hang_up_all()
        await switch.ended()
        assert (len(switch.said("answered")), len(switch.said("refused"))) == (2, 118)
    assert net.centre.asterisk.running


async def test_the_cap_holds_while_the_daemon_is_away_and_after_its_return(net: Network) -> None:
    first = await net.peer.call(MOBILE, LINE)
    await first.answered()
    await net.centre.kill()
    second = await net.peer.call(CITY, LINE)  # into the fallback, and back if the daemon is quick
    await second.rings()
    assert (await (await net.peer.call(CITY, LINE)).answer()).status == 503
    await net.centre.start()
    assert (await (await net.peer.call(CITY, LINE)).answer()).status == 503
    await first.bye()
    await net.centre.finished()
    third = await net.peer.call(MOBILE, LINE)
    await third.answered()
    await third.bye()
    await second.answered()
    await second.bye()


async def test_asterisk_that_has_not_read_the_trunks_is_told_of_with_the_command(net: Network) -> None:
    centre = net.centre
    configured = load(centre.config_dir, state_dir=centre.state_dir).trunks
    north, south, *others = configured
    stray = replace(south, name="stray", addresses=("127.0.0.99",))
    await centre.retell((replace(north, channels=7), stray, *others))
    try:
        # One after the other, as Asterisk takes them up.
        alarm = await net.alarm(
            "trunk configuration", saying="does not know south; has an older north; still has stray"
        )
        assert "`ccserver asterisk render && ccserver asterisk console core reload`" in alarm["message"]
        await net.trunk("south", usable=False, reason="Asterisk does not know this trunk")
    finally:
        await centre.retell(configured)
    await net.alarm("trunk configuration", raised=False)
    await net.trunk("south", usable=True)


async def test_callers_who_leave_at_once_leave_nothing_behind(net: Network) -> None:
    early = await net.peer.call(MOBILE, LINE)
    early.cancel()
    assert (await early.answer()).status in (200, 487)  # the flow answers at once: he may come too late
    await early.bye()
    late = await net.peer.call(CITY, LINE)
    await late.answered()
    await late.bye()
    contacts = await net.centre.finished()
    assert {contact["outcome"] for contact in contacts} == {"flow_abandoned"}
