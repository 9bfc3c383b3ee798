"""A SIP phone of a caller or an operator: registers, dials, is called, hangs up, loses power.

Each phone has a SIP port of its own, so two phones of the same operator, or of two servers, never mix.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ccserver.sim.phones.cable import CutCable
from ccserver.sim.phones.call import Call
from ccserver.sim.phones.events import EventLog, PhoneError, PhoneEvent
from ccserver.sim.phones.library import PhoneLibrary
from ccserver.sim.phones.pj import pj
from ccserver.sim.phones.pj_call import PjCall

REGISTRATION_S = 3600  # no refresh within a test: what a registration does is the test's to say
MORTAL_REGISTRATION_S = 60
MORTAL_SESSION_S = 90  # RFC 4028 knows no shorter one
RETRY_S = 5

ANSWER_TO_GOOD_BYE_S = 2.0  # for BYE and unregister; a server that is gone does not answer


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse every call at once: 486 busy, 603 declined, 480 temporarily unavailable …"""

    code: int = 486


@dataclass(frozen=True, slots=True)
class RingThenAnswer:
    """Ring for so long, then answer."""

    ring_s: float


Sound = Literal["plain", "optional", "encrypted"]
"""Of a phone: never SRTP, SRTP when the other side wants it, SRTP or no call."""

# "auto" rings and answers at once, "ring" sends 180 and leaves the call to the test, "silent" sends nothing but 100.
Answer = Literal["auto", "ring", "silent"] | Reject | RingThenAnswer


class PjAccount(pj.Account):  # type: ignore[misc]
    """pjproject's side of a phone. Lives in the telephone thread only."""

    def __init__(self, phone: "Phone", serial: int) -> None:
        super().__init__()
        self._phone = phone
        self._serial = serial
        phone.library.pj_objects[serial] = self

    def forget(self) -> None:
        """Delete the account at once.

        Left to the garbage collector it would delete whichever account has been given its id meanwhile.
        """
        self._phone.library.pj_objects.pop(self._serial, None)
        self.this.disown()
        pj.Account.__swig_destroy__(self)

    def onRegState(self, prm: Any) -> None:
        state = "registered" if prm.code == 200 and prm.expiration > 0 else "not registered"
        self._phone.events.add(PhoneEvent("registration", code=prm.code, reason=prm.reason, state=state))

    def onIncomingCall(self, prm: Any) -> None:
        library = self._phone.library
        handle = Call(self._phone, library.new_serial(), invite=prm.rdata.wholeMsg)
        call = PjCall(self, handle, prm.callId)
        info = call.getInfo()
        handle.remote_uri, handle.sip_call_id = info.remoteUri, info.callIdString
        self._phone.events.add(PhoneEvent("incoming", call=handle))
        match self._phone.answer:
            case "auto":
                call.respond(180)
                call.respond(200)
            case "ring":
                call.respond(180)
            case Reject(code):
                call.respond(code)
            case RingThenAnswer(ring_s):
                call.respond(180)
                library.soon(call.answer_if_ringing, ring_s)
            case "silent":
                pass


class Phone:
    """One phone; `async with Phone(…) as phone:` registers and closes it.

    `answer` (what to do with an incoming call) and `tone_hz` (what every new call says at once) may be changed any
    time; they count for calls that begin afterwards.
    """

    def __init__(
        self,
        library: PhoneLibrary,
        user: str,
        password: str,
        host: str = "127.0.0.1",
        port: int = 5060,
        *,
        answer: Answer = "auto",
        tone_hz: int | None = None,
        trust: Path | None = None,
        sound: Sound = "plain",
        local_host: str | None = None,
        mortal: bool = False,
        remembers_s: float | None = None,
    ) -> None:
        """`trust`: speak TLS, and only to a server that this certificate (PEM) vouches for.

        `local_host`: its own address; None: whichever leads to the server.
        `mortal`: its registration and its calls are refreshed now and then, so that the server notices its death.
        `remembers_s`: its calls forget what they heard before that; None: never.
        """
        self.remembers_s = remembers_s
        self.library = library
        self.user = user
        self.answer = answer
        self.tone_hz = tone_hz
        self.events = EventLog(lambda: f"phone {user}")
        self.sip_port = 0  # its own, known once it has spoken
        self._password = password
        self._server = f"{host}:{port}"
        self._local_host = local_host or _address_towards(host, port)
        self._trust = trust
        self._sound: Sound = sound
        self._mortal = mortal
        self._serial = 0  # of its account in the library, 0 while it has none
        self._transport = -1
        self._cable: CutCable | None = None

    async def __aenter__(self) -> "Phone":
        await self.register()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"phone {self.user} at {self._server}"

    @property
    def is_registered(self) -> bool:
        """By the last answer of the registrar."""
        last = self.events.last("registration")
        return last is not None and last.state == "registered"

    def uri(self, number: str) -> str:
        """The SIP URI of a number on this phone's server."""
        return number if number.startswith("sip:") else f"sip:{number}@{self._server}{self._by}"

    @property
    def _by(self) -> str:
        return "" if self._trust is None else ";transport=tls"

    async def register(self, timeout_s: float = 5.0) -> None:
        """REGISTER with digest; raises `PhoneError` with the code if refused."""
        await self._registration(True, timeout_s)

    async def unregister(self, timeout_s: float = 5.0) -> None:
        """Take the registration back; calls that are up go on."""
        await self._registration(False, timeout_s)

    async def dial(self, number: str, *, headers: Mapping[str, str] | None = None) -> Call:
        """Send an INVITE to a number or a sip: URI, registered or not; the handle is given out at once."""
        await self._open()

        def start() -> Call:
            call = Call(self, self.library.new_serial())
            PjCall(self._pj_account(), call).dial(self.uri(number), dict(headers or {}))
            return call

        return await self.library.do(start)

    async def wait_call(self, timeout_s: float = 5.0) -> Call:
        """The next incoming call, in the order they came, those refused or over by now included."""
        call = (await self.events.wait("incoming", timeout_s)).call
        assert call is not None
        return call

    @property
    def incoming(self) -> list[Call]:
        """Every call that came in so far, taken by `wait_call` or not."""
        return [event.call for event in self.events.all("incoming") if event.call is not None]

    async def vanish(self) -> None:
        """Lose power: no unregister, no BYE, no audio; INVITEs get no reply until `close` frees the port.

        Its calls count as ended for the test.
        """

        def cut() -> list[Call]:
            calls = self._pj_calls()
            self._cable = CutCable({self.sip_port}.union(*(call.media_ports() for call in calls)))
            return [call.handle for call in calls]

        if self._serial:
            await self._wind_up(await self.library.do(cut))

    async def close(self) -> None:
        """Hang up, unregister, free the port; may be called twice. A server that is gone costs 4 s."""
        if self._serial:
            await self._wind_up(await self.library.do(lambda: [call.handle for call in self._pj_calls()]))
        if self._cable is not None:
            self._cable.release()
            self._cable = None

    async def _wind_up(self, calls: list[Call]) -> None:
        """Say good-bye, heard or not, and only then delete: pjproject re-uses its ids at once."""
        await asyncio.gather(*(call.hangup(ANSWER_TO_GOOD_BYE_S) for call in calls), return_exceptions=True)
        if self.is_registered:
            with suppress(PhoneError):
                await self.unregister(ANSWER_TO_GOOD_BYE_S)
        await self.library.do(self._release)

    async def _open(self) -> None:
        if not self._serial:
            await self.library.do(self._make_account)

    async def _registration(self, wanted: bool, timeout_s: float) -> None:
        await self._open()
        before = len(self.events.all("registration"))
        await self.library.do(lambda: self._pj_account().setRegistration(wanted))

        def look() -> PhoneEvent | None:
            answers = self.events.all("registration")[before:]
            return answers[-1] if answers else None

        wish = "registration" if wanted else "unregistration"
        answer = await self.events.until(look, timeout_s, f"answer to its {wish}")
        if answer.code != 200:
            raise PhoneError(f"{self!r}: {wish} refused: {answer.code} {answer.reason}")

    # --- telephone thread only ---------------------------------------------------------------------------------

    def _make_account(self) -> None:
        self._transport, self.sip_port = self.library.open_port(self._local_host, self._trust)
        config = pj.AccountConfig()
        config.idUri = f"sip:{self.user}@{self._server}"
        registration = config.regConfig
        registration.registrarUri, registration.registerOnAdd = f"sip:{self._server}{self._by}", False
        registration.timeoutSec, registration.retryIntervalSec = REGISTRATION_S, 0
        if self._mortal:
            registration.timeoutSec, registration.retryIntervalSec = MORTAL_REGISTRATION_S, RETRY_S
            config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_ALWAYS
            config.callConfig.timerSessExpiresSec = config.callConfig.timerMinSESec = MORTAL_SESSION_S
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", self.user, 0, self._password))
        config.sipConfig.transportId = self._transport
        nat = config.natConfig
        nat.contactRewriteUse = nat.viaRewriteUse = nat.sdpNatRewriteUse = nat.udpKaIntervalSec = 0
        media = config.mediaConfig.transportConfig
        media.boundAddress, media.port = self._local_host, 0
        config.mediaConfig.srtpUse = ("plain", "optional", "encrypted").index(self._sound)
        config.mediaConfig.srtpSecureSignaling = 0
        # Two codecs in an answer would make the phone re-INVITE for one, amid the other side's own doings.
        config.mediaConfig.lockCodecEnabled = False
        serial = self.library.new_serial()
        account = PjAccount(self, serial)
        account.create(config)
        self._serial = serial
        self.library.route(self.sip_port, account.getId())

    def _pj_account(self) -> PjAccount:
        account = self.library.pj_objects.get(self._serial)
        if not isinstance(account, PjAccount):
            raise PhoneError(f"{self!r} is closed")
        return account

    def _pj_calls(self) -> list[PjCall]:
        return [found for found in self.library.pj_objects.values() if isinstance(found, PjCall) and found.is_of(self)]

    def _release(self) -> None:
        for call in self._pj_calls():
            call.forget()
        self._pj_account().forget()
        self._serial = 0
        self.library.close_port(self._transport, self.sip_port)


def _address_towards(host: str, port: int) -> str:
    """This machine's own address on the way to that one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port))
        except OSError as error:
            raise PhoneError(f"no way to {host}: {error.strerror}") from None
        return str(probe.getsockname()[0])
