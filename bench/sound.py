"""Sound at the packet level: RTP of hundreds of phones from one socket, each packet timed by the kernel.

    with Sound() as sound:
        leg = sound.leg(OPERATOR_HZ)
        sound.send(leg, remote_port)          # speaks from now on, a packet every 20 ms
        sound.listen(leg, CUSTOMER_HZ, now)   # leg.heard_ns: when the first packet with that tone came

All legs share a port: Asterisk has one for each of them, which tells whose packet came. Packets go out and come in by the
batch (sendmmsg, recvmmsg), so that some thousands a second cost a few percent of a core and the measurement does not become
the load. A packet's time is the kernel's when it was queued (SO_TIMESTAMPNS), not when Python found the time to read it.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from bench.packets import BATCH, LEGS_MAX, Inbound, Outbound, opened
from bench.tones import FRAME, HEARD, loudness, tone

SLOTS = 20
"""Legs speak at one of so many moments within a frame, a millisecond apart, as real phones do."""


NICE = os.getpriority(os.PRIO_PROCESS, 0)
"""As the bench was started."""


def before_all_others() -> None:
    """Of this thread: phones are other machines, they do not wait because a server is busy. As root only."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE - 15)


class Leg:
    """One phone's sound in one call. Times are nanoseconds of the real-time clock, 0 while it has not happened."""

    __slots__ = ("heard_ns", "hz", "index", "last_ns", "packets", "remote", "slot", "wanted")

    def __init__(self, index: int, hz: int) -> None:
        self.index = index
        self.hz = hz
        self.remote = 0
        self.slot = -1
        self.wanted: tuple[int, int] | None = None
        self.heard_ns = 0
        self.packets = 0
        self.last_ns = 0


class Flow(NamedTuple):
    """What came to a leg while the packets were logged."""

    packets: int
    lost: int
    late_ms: np.ndarray
    """Of each packet, behind the one that was soonest."""


class Sound:
    """See the module; a context manager that owns the socket and its thread."""

    def __init__(self) -> None:
        self._socket = opened()
        self.port: int = self._socket.getsockname()[1]
        self.overflowed = 0
        """Packets that we were too slow to read: they are missing from the figures."""
        self.behind_ns: deque[int] = deque(maxlen=200_000)
        """How late each millisecond's packets were sent."""
        self._out = Outbound(self._socket.fileno())
        self._slots: list[list[int]] = [[] for _ in range(SLOTS)]
        self._batches = [self._out.batch([]) for _ in range(SLOTS)]
        self._free = deque(range(LEGS_MAX))
        self._by_port: dict[int, Leg] = {}
        self._todo: deque[Callable[[], None]] = deque()
        self._in = Inbound(self._socket.fileno())
        self._log: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] | None = None
        self._sounds: dict[int, np.ndarray] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sound")

    def __enter__(self) -> "Sound":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()
        self._socket.close()

    # --- for the phones -----------------------------------------------------------------------------------------

    def leg(self, hz: int) -> Leg:
        """Another leg, whose phone says that tone."""
        leg = Leg(self._free.popleft(), hz)
        if hz not in self._sounds:
            self._sounds[hz] = np.frombuffer(tone(hz, FRAME), np.uint8)
        return leg

    def send(self, leg: Leg, remote_port: int, *, after_ms: int = 1) -> None:
        """Speak to that port of Asterisk's, first so many milliseconds from now and every 20 ms then."""
        leg.remote = remote_port
        self._by_port[remote_port] = leg
        self._out.begin(leg.index, remote_port, self._sounds[leg.hz])
        leg.slot = (time.monotonic_ns() // 1_000_000 + after_ms) % SLOTS
        self._todo.append(lambda: self._join(leg))

    def listen(self, leg: Leg, hz: int, since_ns: int) -> None:
        """Note in `heard_ns` when the first packet comes, not before `since_ns`, in which that tone is heard."""
        leg.heard_ns = 0
        leg.wanted = (hz, since_ns)

    def close(self, leg: Leg) -> None:
        """The call is over."""
        self._todo.append(lambda: self._leave(leg))

    def log(self) -> None:
        """From now on note of each packet when it came."""
        self._log = []

    def flows(self, legs: list[Leg]) -> list[Flow]:
        """What was logged of these legs; the log is closed."""
        log, self._log = self._log, None
        if not log:
            return [Flow(0, 0, np.zeros(0)) for _ in legs]
        ports, times, seqs, stamps = (np.concatenate(column) for column in zip(*log, strict=True))
        order = np.argsort(ports, kind="stable")
        ports, times, seqs, stamps = ports[order], times[order], seqs[order], stamps[order]
        flows = []
        for leg in legs:
            first, last = np.searchsorted(ports, (leg.remote, leg.remote + 1))
            flows.append(_flow(times[first:last], seqs[first:last], stamps[first:last]))
        return flows

    # --- the thread ---------------------------------------------------------------------------------------------

    def _join(self, leg: Leg) -> None:
        self._slots[leg.slot].append(leg.index)
        self._batches[leg.slot] = self._out.batch(self._slots[leg.slot])

    def _leave(self, leg: Leg) -> None:
        if leg.slot >= 0:
            self._slots[leg.slot].remove(leg.index)
            self._batches[leg.slot] = self._out.batch(self._slots[leg.slot])
        if self._by_port.get(leg.remote) is leg:
            del self._by_port[leg.remote]
        leg.slot = -1
        self._free.append(leg.index)

    def _run(self) -> None:
        before_all_others()
        tick = time.monotonic_ns() // 1_000_000
        while not self._stopping:
            while self._todo:
                self._todo.popleft()()
            now = time.monotonic_ns()
            while tick * 1_000_000 <= now:
                if self._slots[tick % SLOTS]:
                    self._out.send(self._batches[tick % SLOTS])
                    self.behind_ns.append(now - tick * 1_000_000)
                tick += 1
            self._hear()
            left_ns = tick * 1_000_000 - time.monotonic_ns()
            if left_ns > 0:
                time.sleep(left_ns / 1e9)

    def _hear(self) -> None:
        while (count := self._in.receive()) > 0:
            ports, times = self._in.ports(count), self._in.times(count)
            self.overflowed = max(self.overflowed, self._in.overflowed(count))
            if self._log is not None:
                packets = self._in.packets[:count]
                self._log.append((ports, times, packets["seq"].astype(np.int64), packets["ts"].astype(np.int64)))
            for n, port in enumerate(ports.tolist()):
                leg = self._by_port.get(port)
                if leg is not None:
                    leg.packets += 1
                    leg.last_ns = int(times[n])
                    if leg.wanted is not None and not leg.heard_ns:
                        self._recognise(leg, n, int(times[n]))
            if count < BATCH:
                return

    def _recognise(self, leg: Leg, n: int, at_ns: int) -> None:
        assert leg.wanted is not None
        hz, since_ns = leg.wanted
        if at_ns >= since_ns and loudness(self._in.packets["sound"][n], hz) >= HEARD:
            leg.heard_ns = at_ns


def _flow(times: np.ndarray, seqs: np.ndarray, stamps: np.ndarray) -> Flow:
    if len(times) < 2:
        return Flow(len(times), 0, np.zeros(0))
    steps = np.diff(seqs)
    steps = (steps + 0x8000) % 0x10000 - 0x8000
    behind = times - (np.cumsum(np.concatenate(([0], (np.diff(stamps) + (1 << 31)) % (1 << 32) - (1 << 31)))) * 125_000)
    return Flow(len(times), int(np.maximum(steps - 1, 0).sum()), (behind - behind.min()) / 1e6)
