"""Real SIP phones, on pjproject, for tests and demo: they register at a real Asterisk and speak and hear real RTP.

    with PhoneLibrary() as library:                                   # once per process
        async with Phone(library, "2001", "secret", port=5060, tone_hz=500) as caller:
            call = await caller.dial("1001")
            await call.wait_up()
            await call.hears(800)
            await call.send_dtmf("1")
            await call.hangup()

`tones` judges sounds, `Call` is one call, `Phone` one phone, `PhoneLibrary` the thread they all live in.
"""

from ccserver.sim.phones.call import Call, CallFailed, CallStats, Ended
from ccserver.sim.phones.events import PhoneError, PhoneEvent, PhoneTimeout
from ccserver.sim.phones.library import PhoneLibrary
from ccserver.sim.phones.phone import Answer, Phone, Reject, RingThenAnswer, Sound
from ccserver.sim.phones.pj_call import CallGone

__all__ = [
    "Answer",
    "Call",
    "CallFailed",
    "CallGone",
    "CallStats",
    "Ended",
    "Phone",
    "PhoneError",
    "PhoneEvent",
    "PhoneLibrary",
    "PhoneTimeout",
    "Reject",
    "RingThenAnswer",
    "Sound",
]
