"""One call as the one who holds the phone sees it: talk, listen, press keys, hold, transfer, hang up.

A plain handle for asyncio, given out by `Phone.dial` and `Phone.wait_call`; what it asks is done by `PjCall` in the
telephone thread.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ccserver.sim.phones.events import EventLog, PhoneError, PhoneEvent
from ccserver.sim.phones.handset import Ear, Mouth
from ccserver.sim.phones.pj import pj
from ccserver.sim.phones.pj_call import CallGone, PjCall
from ccserver.sim.phones.tones import (
    TELEPHONE_RATE_HZ,
    Match,
    Sound,
    carries,
    find_opening,
    is_music,
    is_silent,
    read_wav,
    silence,
    sine,
    strongest,
)

if TYPE_CHECKING:
    from ccserver.sim.phones.phone import Phone

T = TypeVar("T")

HEARING_WINDOW_S = 0.2
MUSIC_WINDOW_S = 1.0
PROMPT_STEP_S = 0.1  # a search costs milliseconds: not after every packet
SAME_SCORE = 0.9  # a prompt through alaw has 0.98 and more, one that lost its first packet 0.4 and less


class CallFailed(PhoneError):
    """The call ended before what was waited for."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended: SIP code and reason (200 after a hang-up, 486 busy, 487 cancelled …), `time.monotonic()`."""

    code: int
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class CallStats:
    """Packets of the call so far; `lost` as the receiver counts."""

    codec: str
    sent: int
    received: int
    lost: int


class Call:
    """A call of one phone. Every method that waits takes a time-out in seconds and says what happened instead."""

    def __init__(self, phone: "Phone", serial: int, *, invite: str = "") -> None:
        self.phone = phone
        self.serial = serial
        self.invite = invite  # the INVITE as received, empty on a call that the phone made
        self.sip_call_id = ""
        self.remote_uri = ""
        self.ear = Ear(phone.remembers_s)
        self.mouth = Mouth()
        self.events = EventLog(lambda: repr(self))
        self._recording: tuple[Path, float] | None = None
        if phone.tone_hz is not None:
            self.say_tone(phone.tone_hz)

    def __repr__(self) -> str:
        return f"call {self.serial} of phone {self.phone.user} with {self.remote_uri or 'nobody yet'}"

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self.events.last("gone") is not None

    @property
    def answered_at(self) -> float | None:
        """`time.monotonic()` of the answer, None before."""
        up = self.events.last("up")
        return up.at if up else None

    @property
    def digits(self) -> str:
        """The keys received so far (RFC 4733)."""
        return "".join(event.digit for event in self.events.all("digit"))

    def header(self, name: str) -> str | None:
        """A header of the incoming INVITE."""
        for line in self.invite.splitlines():
            key, colon, value = line.partition(":")
            if colon and key.strip().lower() == name.lower():
                return value.strip()
        return None

    # --- signalling --------------------------------------------------------------------------------------------

    async def ring(self) -> None:
        """Send 180 on an incoming call that was left in silence."""
        await self._do(lambda call: call.respond(180))

    async def answer(self) -> None:
        """Send 200; the call is up after `wait_up`."""
        await self._do(lambda call: call.respond(200))

    async def reject(self, code: int = 486) -> None:
        """Refuse an incoming call with a final response."""
        await self._do(lambda call: call.respond(code))

    async def hangup(self, timeout_s: float = 5.0) -> Ended:
        """CANCEL, refuse or BYE, whichever fits, and wait for the end; a call that has ended stays so."""
        with suppress(CallGone):
            await self._do(lambda call: call.finish())
        return await self.wait_gone(timeout_s)

    async def wait_ringing(self, timeout_s: float = 5.0) -> int:
        """The other side rings (180) or sends early media (183): gives the code; `CallFailed` if it ends first."""
        return (await self._first("ringing", lambda: self.events.last("ringing"), timeout_s)).code

    async def wait_up(self, timeout_s: float = 5.0) -> None:
        """Answered, and media in both directions; `CallFailed` at once if the call ends first."""

        def look() -> PhoneEvent | None:
            media = self.events.last("media")
            return self.events.last("up") if media is not None and media.media == "active" else None

        await self._first("answer", look, timeout_s)

    async def wait_gone(self, timeout_s: float = 10.0) -> Ended:
        """The end, past or future."""
        event = await self.events.until(lambda: self.events.last("gone"), timeout_s, "end of the call")
        return Ended(event.code, event.reason, event.at)

    async def send_dtmf(self, digits: str) -> None:
        """Press keys (RFC 4733); returns when they are queued, each takes about a quarter of a second."""
        await self._do(lambda call: call.dialDtmf(digits))

    async def wait_digit(self, timeout_s: float = 5.0) -> str:
        """The next key that the other side presses."""
        return (await self.events.wait("digit", timeout_s)).digit

    async def hold(self, timeout_s: float = 5.0) -> None:
        """Put the other side on hold (re-INVITE, sendonly)."""
        asked_at = time.monotonic()
        await self._do(lambda call: call.hold())
        await self.events.wait("media", timeout_s, since=asked_at, media="local_hold")

    async def unhold(self, timeout_s: float = 5.0) -> None:
        """Take the other side back."""
        asked_at = time.monotonic()
        await self._do(lambda call: call.unhold())
        await self.events.wait("media", timeout_s, since=asked_at, media="active")

    async def transfer(self, number: str, timeout_s: float = 10.0) -> int:
        """Blind transfer (REFER). Gives the final code; on 2xx the phone hangs up, as a real one does.

        Within 20 ms of the answer Asterisk may refuse with 400, the legs not being bridged yet.
        """
        uri = self.phone.uri(number)
        await self._do(lambda call: call.xfer(uri, pj.CallOpParam(True)))
        return (await self.events.wait("transfer", timeout_s)).code

    async def transfer_to(self, consulted: "Call", timeout_s: float = 10.0) -> int:
        """Attended transfer (REFER with Replaces): the other side of this call gets the other side of `consulted`."""
        find = consulted._pj_call
        await self._do(lambda call: call.xferReplaces(find(), pj.CallOpParam(True)))
        return (await self.events.wait("transfer", timeout_s)).code

    async def stats(self) -> CallStats:
        """Packets so far."""
        return CallStats(*await self._do(lambda call: call.counters()))

    # --- speaking ----------------------------------------------------------------------------------------------

    def say_tone(self, hz: int | None) -> None:
        """Speak one steady tone from now on, None for silence; replaces what was being said."""
        if hz is None:
            self.mouth.say(silence(0.0).samples)
        else:
            self.mouth.say(sine(hz, 1.0).samples, loop=True)  # a second holds whole periods of whole hertz

    def say_wav(self, path: Path) -> None:
        """Speak a mono WAV of 8 kHz, then silence; replaces what was being said. `wait_said` awaits its end."""
        (sound,) = read_wav(path)
        if sound.rate_hz != TELEPHONE_RATE_HZ:
            raise PhoneError(f"{path}: {sound.rate_hz} Hz, phones speak {TELEPHONE_RATE_HZ} Hz")
        self.mouth.say(sound.samples, done=lambda: self.events.add(PhoneEvent("said")))

    async def wait_said(self, timeout_s: float = 30.0) -> None:
        """The WAV has been spoken to its end."""
        await self._first("end of what it says", lambda: self.events.take("said"), timeout_s)

    # --- hearing -----------------------------------------------------------------------------------------------

    def heard(self) -> Sound:
        """Everything received since media first flowed, early media included; `heard().since(moment)` for a part."""
        return self.ear.sound()

    def received(self) -> Sound:
        """Everything that came, without the gaps of late packets and of silence without packets: for content, not times."""
        return self.ear.received()

    async def hears_prompt(self, prompt: Sound, timeout_s: float = 10.0, *, from_s: float = 0.0) -> Match:
        """The prompt from its first syllable, every 20 ms of it; `from_s` and the offset count in `received()`."""
        looked_at_s = 0.0
        match = Match(0.0, 0.0)

        def look() -> Sound | None:
            nonlocal looked_at_s, match
            if self.ear.duration_s < looked_at_s + PROMPT_STEP_S:
                return None
            looked_at_s = self.ear.duration_s
            sound = self.ear.received().between(from_s)
            match = find_opening(prompt, sound)
            return sound if match.score >= SAME_SCORE else None

        await self._listen("such prompt", look, timeout_s)
        return Match(from_s + match.offset_s, match.score)

    async def hears(self, hz: float, timeout_s: float = 5.0, *, min_share: float = 0.3) -> Sound:
        """The tone is in what is received now (a fifth of a second, and not over), alone or mixed."""

        def look() -> Sound | None:
            sound = self.ear.last(HEARING_WINDOW_S)
            now = carries(sound, hz, min_share=min_share) and not is_silent(sound.last(HEARING_WINDOW_S / 5))
            return sound if now else None

        return await self._listen(f"tone of {hz:g} Hz", look, timeout_s)

    async def hears_silence(self, timeout_s: float = 5.0, *, for_s: float = 0.3) -> Sound:
        """Nothing, or nothing but zeros, is received for so long."""

        def look() -> Sound | None:
            sound = self.ear.last(for_s)
            return sound if sound.duration_s >= for_s - 0.001 and is_silent(sound) else None

        return await self._listen(f"silence of {for_s:g} s", look, timeout_s)

    async def hears_music(self, timeout_s: float = 5.0) -> Sound:
        """A second of something that is neither silence nor one tone: music, or speech."""

        def look() -> Sound | None:
            sound = self.ear.last(MUSIC_WINDOW_S)
            return sound if sound.duration_s >= MUSIC_WINDOW_S - 0.001 and is_music(sound) else None

        return await self._listen("music", look, timeout_s)

    async def hears_for(self, seconds: float, timeout_s: float | None = None) -> Sound:
        """The next so many seconds, whatever they are, by the media clock."""
        from_s = self.ear.duration_s

        def look() -> Sound | None:
            over = self.ear.duration_s >= from_s + seconds
            return self.ear.sound().between(from_s, from_s + seconds) if over else None

        return await self._listen(f"{seconds:g} s of media", look, timeout_s or seconds + 5.0)

    def record(self, path: Path) -> None:
        """Keep what is received from now on for `stop_record`."""
        self._recording = (path, self.ear.duration_s)

    def stop_record(self) -> Sound:
        """Write the WAV; works after the call's end too."""
        if self._recording is None:
            raise PhoneError(f"{self!r} is not being recorded")
        (path, from_s), self._recording = self._recording, None
        sound = self.ear.sound().between(from_s)
        sound.save(path)
        return sound

    async def _listen(self, wanted: str, look: Callable[[], Sound | None], timeout_s: float) -> Sound:
        def complain() -> str:
            now = strongest(self.ear.last(HEARING_WINDOW_S))
            return f"{self!r} hears no {wanted}, but {now.hz:.0f} Hz, share {now.share:.2f}, rms {now.rms:.0f}"

        return await self.ear.until(lambda: self._unless_gone(wanted, look()), timeout_s, complain)

    async def _first(self, wanted: str, look: Callable[[], PhoneEvent | None], timeout_s: float) -> PhoneEvent:
        return await self.events.until(lambda: self._unless_gone(wanted, look()), timeout_s, wanted)

    def _unless_gone(self, wanted: str, found: T | None) -> T | None:
        gone = self.events.last("gone")
        if found is None and gone is not None:
            raise CallFailed(f"{self!r}: no {wanted}, it ended: {gone.code} {gone.reason}")
        return found

    # --- the way to the telephone thread -----------------------------------------------------------------------

    async def _do(self, act: Callable[[PjCall], T]) -> T:
        return await self.phone.library.do(lambda: act(self._pj_call()))

    def _pj_call(self) -> PjCall:
        found = self.phone.library.pj_objects.get(self.serial)
        if not isinstance(found, PjCall):
            raise CallGone(f"{self!r} has ended")
        return found
