"""Who speaks with which tone, as µ-law, and who is heard in a frame of it."""

import math

import numpy as np

RATE_HZ, FRAME = 8000, 160
"""Samples in a second, and in a packet of 20 ms."""
CUSTOMER_HZ, OPERATOR_HZ, MUSIC_HZ = 1000, 1500, 400
"""All of whole periods in a frame: a frame repeats without a click, and no tone is found in another's."""
LOUD = 8000.0
HEARD = LOUD / 4
"""A tone of that amplitude in a packet is heard."""


def ulaw(sample: int) -> int:
    """One sample as G.711 µ-law."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


def tone(hz: int, samples: int = RATE_HZ) -> bytes:
    """A sine as µ-law: what somebody says."""
    return bytes(ulaw(round(LOUD * math.sin(2 * math.pi * hz * n / RATE_HZ))) for n in range(samples))


def _linear(code: int) -> float:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 132 << (code >> 4 & 7)) - 132
    return float(-magnitude if code & 0x80 else magnitude)


_LINEAR = np.array([_linear(code) for code in range(256)])
_WAVES = {
    hz: np.exp(-2j * math.pi * hz * np.arange(FRAME) / RATE_HZ) * 2 / FRAME
    for hz in (CUSTOMER_HZ, OPERATOR_HZ, MUSIC_HZ)
}


def loudness(sound: np.ndarray, hz: int) -> float:
    """The amplitude of that tone in a frame of µ-law."""
    return float(abs(np.dot(_LINEAR[sound], _WAVES[hz])))
