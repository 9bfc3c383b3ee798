"""Sound at the packet level: RTP of hundreds of phones from one socket, each packet timed by the kernel.

    with Sound() as sound:
        leg = sound.leg(tone=OPERATOR_HZ)
        sound.send(leg, remote_port)          # speaks from now on, a packet every 20 ms
        sound.listen(leg, CUSTOMER_HZ)        # leg.heard_ns: when the first packet with that tone came

All legs share a port: Asterisk has one for each of them, which tells whose packet came. Packets go out and come in by the
batch (sendmmsg, recvmmsg), so that some thousands a second cost a few percent of a core and the measurement does not become
the load. A packet's time is the kernel's when it was queued (SO_TIMESTAMPNS), not when Python found the time to read it.
"""

import ctypes
import math
import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np

RATE_HZ, FRAME = 8000, 160
FRAME_NS = 20_000_000
CUSTOMER_HZ, OPERATOR_HZ, MUSIC_HZ = 1000, 1500, 400
"""All of whole periods in a frame: a frame repeats without a click, and no tone is found in another's."""
LOUD = 8000.0
HEARD = LOUD / 4
"""A tone of that amplitude in a packet is heard."""
SLOTS = 20
"""Legs speak at one of so many moments within a frame, a millisecond apart, as real phones do."""
LEGS_MAX = 4096
_BATCH = 512
_SO_TIMESTAMPNS, _SO_RXQ_OVFL, _SO_RCVBUFFORCE = 35, 40, 33
_MSG_DONTWAIT = 0x40

RTP = np.dtype([("v", "u1"), ("pt", "u1"), ("seq", ">u2"), ("ts", ">u4"), ("ssrc", ">u4"), ("sound", "u1", (FRAME,))])
_ADDRESS = np.dtype([("family", "<u2"), ("port", ">u2"), ("ip", "u1", (4,)), ("zero", "u1", (8,))])
_CONTROL = np.dtype(
    [("len", "<u8"), ("level", "<i4"), ("type", "<i4"), ("s", "<i8"), ("ns", "<i8"), ("rest", "u1", (32,))]
)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("hdr", _Msghdr), ("len", ctypes.c_uint32))


_libc = ctypes.CDLL(None, use_errno=True)


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


def before_all_others() -> None:
    """Of this thread: phones are other machines, they do not wait because a server is busy. As root only."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)


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
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
                break
            except PermissionError:  # as root only; then as much as everybody may have
                continue
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.overflowed = 0
        """Packets that we were too slow to read: they are missing from the figures."""
        self.behind_ns: deque[int] = deque(maxlen=200_000)
        """How late each millisecond's packets were sent."""
        self._out = np.zeros(LEGS_MAX, RTP)
        self._out["v"] = 0x80
        self._to = np.zeros(LEGS_MAX, _ADDRESS)
        self._to["family"] = socket.AF_INET
        self._to["ip"] = (127, 0, 0, 1)
        self._vectors = (_Iovec * LEGS_MAX)()
        for n in range(LEGS_MAX):
            self._vectors[n] = _Iovec(self._out.ctypes.data + n * RTP.itemsize, RTP.itemsize)
        self._slots: list[list[int]] = [[] for _ in range(SLOTS)]
        self._calls: list[tuple[np.ndarray, ctypes.Array[_Mmsghdr]]] = [self._ready([]) for _ in range(SLOTS)]
        self._free = deque(range(LEGS_MAX))
        self._by_port: dict[int, Leg] = {}
        self._todo: deque[Callable[[], None]] = deque()
        self._in = _Inbound(self._socket.fileno())
        self._log: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] | None = None
        self._payloads: dict[int, np.ndarray] = {}
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
        if hz not in self._payloads:
            self._payloads[hz] = np.frombuffer(tone(hz, FRAME), np.uint8)
        return leg

    def send(self, leg: Leg, remote_port: int, *, after_ms: int = 1) -> None:
        """Speak to that port of Asterisk's, first so many milliseconds from now and every 20 ms then."""
        leg.remote = remote_port
        self._by_port[remote_port] = leg
        packet = self._out[leg.index : leg.index + 1]
        packet["pt"], packet["ssrc"] = 0, 0x10000 + leg.index
        packet["sound"] = self._payloads[leg.hz]
        self._to["port"][leg.index] = remote_port
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
        self._calls[leg.slot] = self._ready(self._slots[leg.slot])

    def _leave(self, leg: Leg) -> None:
        if leg.slot >= 0:
            self._slots[leg.slot].remove(leg.index)
            self._calls[leg.slot] = self._ready(self._slots[leg.slot])
        if self._by_port.get(leg.remote) is leg:
            del self._by_port[leg.remote]
        leg.slot = -1
        self._free.append(leg.index)

    def _ready(self, legs: list[int]) -> tuple[np.ndarray, "ctypes.Array[_Mmsghdr]"]:
        """All that sendmmsg needs of the legs of a slot."""
        headers = (_Mmsghdr * len(legs))()
        for each, index in zip(headers, legs, strict=True):
            header = each.hdr
            header.name, header.namelen = self._to.ctypes.data + index * _ADDRESS.itemsize, _ADDRESS.itemsize
            header.iov, header.iovlen = ctypes.addressof(self._vectors[index]), 1
        return np.array(legs, np.intp), headers

    def _run(self) -> None:
        before_all_others()
        tick = time.monotonic_ns() // 1_000_000
        while not self._stopping:
            while self._todo:
                self._todo.popleft()()
            now = time.monotonic_ns()
            while tick * 1_000_000 <= now:
                legs, headers = self._calls[tick % SLOTS]
                if len(legs):
                    self._speak(legs, headers)
                    self.behind_ns.append(now - tick * 1_000_000)
                tick += 1
            self._hear()
            left_ns = tick * 1_000_000 - time.monotonic_ns()
            if left_ns > 0:
                time.sleep(left_ns / 1e9)

    def _speak(self, legs: np.ndarray, headers: "ctypes.Array[_Mmsghdr]") -> None:
        self._out["seq"][legs] += 1
        self._out["ts"][legs] += FRAME
        done = 0
        while done < len(headers):
            at = ctypes.addressof(headers) + done * ctypes.sizeof(_Mmsghdr)
            sent = _libc.sendmmsg(self._socket.fileno(), ctypes.c_void_p(at), len(headers) - done, 0)
            if sent <= 0 and ctypes.get_errno() in (0, 111, 4):  # refused: a port that Asterisk has just closed
                sent = 1
            elif sent <= 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            done += sent

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
            if count < _BATCH:
                return

    def _recognise(self, leg: Leg, n: int, at_ns: int) -> None:
        assert leg.wanted is not None
        hz, since_ns = leg.wanted
        if at_ns >= since_ns and loudness(self._in.packets["sound"][n], hz) >= HEARD:
            leg.heard_ns = at_ns


class _Inbound:
    """Room for a batch of packets, and what the kernel says of each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.packets = np.zeros(_BATCH, RTP)
        self._from = np.zeros(_BATCH, _ADDRESS)
        self._control = np.zeros(_BATCH, _CONTROL)
        self._vectors = (_Iovec * _BATCH)()
        self._headers = (_Mmsghdr * _BATCH)()
        for n in range(_BATCH):
            self._vectors[n] = _Iovec(self.packets.ctypes.data + n * RTP.itemsize, RTP.itemsize)
            header = self._headers[n].hdr
            header.name, header.namelen = self._from.ctypes.data + n * _ADDRESS.itemsize, _ADDRESS.itemsize
            header.iov, header.iovlen = ctypes.addressof(self._vectors[n]), 1
            header.control = self._control.ctypes.data + n * _CONTROL.itemsize
        self._lengths = np.frombuffer(self._headers, np.uint8).reshape(_BATCH, ctypes.sizeof(_Mmsghdr))
        offset = _Msghdr.controllen.offset
        self._controllens = self._lengths[:, offset : offset + 8].view(np.uint64)

    def receive(self) -> int:
        """As many packets as there are; 0: none."""
        self._controllens[:] = _CONTROL.itemsize
        return max(0, _libc.recvmmsg(self._descriptor, self._headers, _BATCH, _MSG_DONTWAIT, None))

    def ports(self, count: int) -> np.ndarray:
        return self._from["port"][:count].astype(np.int64)

    def times(self, count: int) -> np.ndarray:
        return self._control["s"][:count] * 1_000_000_000 + self._control["ns"][:count]

    def overflowed(self, count: int) -> int:
        """The kernel's count of packets it had no room for; it comes only once there are some."""
        last = self._control["rest"][count - 1].tobytes()
        length, _, kind, lost = struct.unpack_from("<QiiI", last)
        return int(lost) if length == 20 and kind == _SO_RXQ_OVFL else 0


def _flow(times: np.ndarray, seqs: np.ndarray, stamps: np.ndarray) -> Flow:
    if len(times) < 2:
        return Flow(len(times), 0, np.zeros(0))
    steps = np.diff(seqs)
    steps = (steps + 0x8000) % 0x10000 - 0x8000
    behind = times - (np.cumsum(np.concatenate(([0], (np.diff(stamps) + (1 << 31)) % (1 << 32) - (1 << 31)))) * 125_000)
    return Flow(len(times), int(np.maximum(steps - 1, 0).sum()), (behind - behind.min()) / 1e6)
