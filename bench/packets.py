"""RTP packets by the batch: sendmmsg, recvmmsg and the kernel's timestamps, which Python's socket module does not have."""

import ctypes
import errno
import os
import socket
import struct

import numpy as np

from bench.tones import FRAME

LEGS_MAX = 4096
BATCH = 512
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


def opened() -> socket.socket:
    """A port on the loopback whose packets are timed by the kernel (SO_TIMESTAMPNS), with room for a second of them."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            made.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
            break
        except PermissionError:  # as root only; then as much as everybody may have
            continue
    made.bind(("127.0.0.1", 0))
    return made


Batch = tuple[np.ndarray, "ctypes.Array[_Mmsghdr]"]
"""Legs, and all that sendmmsg needs to send a packet of each."""


class Outbound:
    """The next packet of each leg, by its index."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._packets = np.zeros(LEGS_MAX, RTP)
        self._packets["v"] = 0x80
        self._to = np.zeros(LEGS_MAX, _ADDRESS)
        self._to["family"], self._to["ip"] = socket.AF_INET, (127, 0, 0, 1)
        self._vectors = (_Iovec * LEGS_MAX)()
        for n in range(LEGS_MAX):
            self._vectors[n] = _Iovec(self._packets.ctypes.data + n * RTP.itemsize, RTP.itemsize)

    def begin(self, index: int, port: int, sound: np.ndarray) -> None:
        """That leg says this in each packet, to that port."""
        packet = self._packets[index : index + 1]
        packet["ssrc"], packet["sound"] = 0x10000 + index, sound
        self._to["port"][index] = port

    def batch(self, legs: list[int]) -> Batch:
        """To be used as long as the legs are the same."""
        headers = (_Mmsghdr * len(legs))()
        for each, index in zip(headers, legs, strict=True):
            header = each.hdr
            header.name, header.namelen = self._to.ctypes.data + index * _ADDRESS.itemsize, _ADDRESS.itemsize
            header.iov, header.iovlen = ctypes.addressof(self._vectors[index]), 1
        return np.array(legs, np.intp), headers

    def send(self, batch: Batch) -> None:
        """The next packet of each of them."""
        legs, headers = batch
        self._packets["seq"][legs] += 1
        self._packets["ts"][legs] += FRAME
        done = 0
        while done < len(headers):
            at = ctypes.addressof(headers) + done * ctypes.sizeof(_Mmsghdr)
            sent = _libc.sendmmsg(self._descriptor, ctypes.c_void_p(at), len(headers) - done, 0)
            if sent <= 0 and ctypes.get_errno() not in (0, errno.ECONNREFUSED, errno.EINTR):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            done += max(1, sent)  # refused: a port that Asterisk has just closed


class Inbound:
    """Room for a batch of packets, and what the kernel says of each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.packets = np.zeros(BATCH, RTP)
        self._from = np.zeros(BATCH, _ADDRESS)
        self._control = np.zeros(BATCH, _CONTROL)
        self._vectors = (_Iovec * BATCH)()
        self._headers = (_Mmsghdr * BATCH)()
        for n in range(BATCH):
            self._vectors[n] = _Iovec(self.packets.ctypes.data + n * RTP.itemsize, RTP.itemsize)
            header = self._headers[n].hdr
            header.name, header.namelen = self._from.ctypes.data + n * _ADDRESS.itemsize, _ADDRESS.itemsize
            header.iov, header.iovlen = ctypes.addressof(self._vectors[n]), 1
            header.control = self._control.ctypes.data + n * _CONTROL.itemsize
        self._lengths = np.frombuffer(self._headers, np.uint8).reshape(BATCH, ctypes.sizeof(_Mmsghdr))
        offset = _Msghdr.controllen.offset
        self._controllens = self._lengths[:, offset : offset + 8].view(np.uint64)

    def receive(self) -> int:
        """As many packets as there are; 0: none."""
        self._controllens[:] = _CONTROL.itemsize
        return max(0, _libc.recvmmsg(self._descriptor, self._headers, BATCH, _MSG_DONTWAIT, None))

    def ports(self, count: int) -> np.ndarray:
        return self._from["port"][:count].astype(np.int64)

    def times(self, count: int) -> np.ndarray:
        return self._control["s"][:count] * 1_000_000_000 + self._control["ns"][:count]

    def overflowed(self, count: int) -> int:
        """The kernel's count of packets it had no room for; it comes only once there are some."""
        last = self._control["rest"][count - 1].tobytes()
        length, _, kind, lost = struct.unpack_from("<QiiI", last)
        return int(lost) if length == 20 and kind == _SO_RXQ_OVFL else 0
