"""Ear and mouth of a call: everything the phone received, kept for the test to judge, and what it says.

Both are plain memory: pjproject's media clock takes and brings 20 ms at a time, asyncio reads and writes. `Handset` is
the port of pjproject's conference bridge between the two. Time on hold and time without packets are silence, so
offsets in what was heard are true times. On a busy machine packets come late, and what was said is heard with gaps;
for questions about the content, `received` leaves them out.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ccserver.sim.phones.events import Bell
from ccserver.sim.phones.pj import pj
from ccserver.sim.phones.tones import TELEPHONE_RATE_HZ, Samples, Sound

FRAME_MS = 20
FRAME_SAMPLES = TELEPHONE_RATE_HZ * FRAME_MS // 1000
FRAME_BYTES = 2 * FRAME_SAMPLES
SILENT_FRAME = bytes(FRAME_BYTES)


class Ear:
    """What one call has received since its media first flowed (early media included)."""

    def __init__(self, remembers_s: float | None = None) -> None:
        """`remembers_s`: what is older may be forgotten; None: nothing is."""
        self._lock = threading.Lock()
        self._remembers = None if remembers_s is None else math.ceil(remembers_s * 1000 / FRAME_MS)
        self._samples: Samples = np.zeros(10 * TELEPHONE_RATE_HZ, np.int16)
        self._came: list[bool] = []  # for each 20 ms: whether a packet was there
        self._count = 0
        self._began_at = 0.0
        self._bell = Bell()

    @property
    def duration_s(self) -> float:
        """How much has been heard and not forgotten."""
        return self._count / TELEPHONE_RATE_HZ

    def take(self, frame: bytes | bytearray) -> None:
        """20 ms of samples, from the media clock."""
        with self._lock:
            if not self._count:
                self._began_at = time.monotonic() - FRAME_MS / 1000
            end = self._count + FRAME_SAMPLES
            if end > len(self._samples) and self._remembers is not None:
                end = self._forget(self._remembers) + FRAME_SAMPLES
            if end > len(self._samples):
                self._samples = np.concatenate((self._samples, np.zeros_like(self._samples)))
            self._samples[self._count : end] = np.frombuffer(frame, "<i2", FRAME_SAMPLES)
            self._count = end
            self._came.append(frame != SILENT_FRAME)
        self._bell.ring()

    def _forget(self, frames: int) -> int:
        """All but so many frames; returns what is left, in samples."""
        keep = min(frames * FRAME_SAMPLES, self._count)
        self._began_at += (self._count - keep) / TELEPHONE_RATE_HZ
        self._samples[:keep] = self._samples[self._count - keep : self._count]
        self._came = self._came[len(self._came) - keep // FRAME_SAMPLES :]
        self._count = keep
        return keep

    def wake(self) -> None:
        """Let everybody who listens look again: the call has ended."""
        self._bell.ring()

    def sound(self) -> Sound:
        """A copy of everything heard so far."""
        return self.last(self.duration_s)

    def last(self, seconds: float) -> Sound:
        """A copy of the newest part."""
        with self._lock:
            first = max(0, self._count - round(seconds * TELEPHONE_RATE_HZ))
            began_at = self._began_at + first / TELEPHONE_RATE_HZ
            return Sound(self._samples[first : self._count].copy(), TELEPHONE_RATE_HZ, began_at)

    def received(self) -> Sound:
        """What came in packets, one after the other without the gaps between; offsets in it are not times."""
        with self._lock:
            frames = self._samples[: self._count].reshape(-1, FRAME_SAMPLES)
            return Sound(frames[np.array(self._came, bool)].reshape(-1), TELEPHONE_RATE_HZ)

    async def until(self, look: Callable[[], Sound | None], timeout_s: float, complain: Callable[[], str]) -> Sound:
        """Look after every frame until `look` gives something."""
        return await self._bell.until(look, timeout_s, complain)


class Mouth:
    """What one call says: samples once or in a loop, silence otherwise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: list[bytes] = []
        self._next = 0
        self._loop = False
        self._done: Callable[[], None] | None = None

    def say(self, samples: Samples, *, loop: bool = False, done: Callable[[], None] | None = None) -> None:
        """Say this from the next frame on, instead of what is being said; `done` is called in the media clock."""
        pcm = samples.astype("<i2").tobytes()
        if loop and len(pcm) % FRAME_BYTES:
            raise ValueError(f"a loop must be a whole number of {FRAME_MS} ms frames")
        pcm += bytes(-len(pcm) % FRAME_BYTES)
        frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
        with self._lock:
            self._frames, self._next, self._loop, self._done = frames, 0, loop, done

    def give(self) -> bytes:
        """The next 20 ms, for the media clock."""
        done = None
        with self._lock:
            if not self._frames:
                return SILENT_FRAME
            frame = self._frames[self._next]
            self._next += 1
            if self._next == len(self._frames):
                self._next = 0
                if not self._loop:
                    self._frames, done, self._done = [], self._done, None
        if done is not None:
            done()
        return frame


class Handset(pj.AudioMediaPort):  # type: ignore[misc]
    """Joins a call's media to its ear and mouth. Made and destroyed in the telephone thread, called by the clock."""

    def __init__(self, ear: Ear, mouth: Mouth) -> None:
        super().__init__()
        self._ear = ear
        self._mouth = mouth
        self._frame = bytearray(FRAME_BYTES)
        form = pj.MediaFormatAudio()
        form.init(pj.PJMEDIA_FORMAT_PCM, TELEPHONE_RATE_HZ, 1, FRAME_MS * 1000, 16)
        self.createPort("handset", form)

    def onFrameReceived(self, frame: Any) -> None:
        """20 ms of samples, or an empty frame when the call's media is off."""
        if frame.size != FRAME_BYTES:
            self._ear.take(SILENT_FRAME)
            return
        # The copy runs without the interpreter lock, so its target must belong to this port alone.
        frame.buf.copy_to_bytearray(self._frame)
        self._ear.take(self._frame)

    def onFrameRequested(self, frame: Any) -> None:
        """Give 20 ms of samples."""
        # Copied without the interpreter lock as well: a bytes object that nobody changes or drops meanwhile.
        said = self._mouth.give()
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.buf.assign_from_bytes(said)
        frame.size = FRAME_BYTES

    def destroy(self) -> None:
        """Destroy the port while Python still holds it.

        Left to the garbage collector, the media clock could call into an object that is already half gone.
        """
        self.this.disown()
        pj.AudioMediaPort.__swig_destroy__(self)
