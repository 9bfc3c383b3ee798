"""Pull the network cable of one phone: a phone that lost power is still registered and never answers.

pjproject cannot die without a good-bye (it unregisters, it sends BYE), so the death is made below it: on the phone's
own sockets the kernel drops what arrives and refuses what is sent. Linux only, no privileges needed.
"""

import ctypes
import os
import socket
import stat
import struct
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

SO_ATTACH_FILTER = 26
BPF_RETURN_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # classic BPF: "ret #0", keep no byte of any packet


class CutCable:
    """The phone's dead sockets, held open so that its ports stay taken and packets to them stay unanswered."""

    def __init__(self, udp_ports: Collection[int]) -> None:
        self._sockets: list[socket.socket] = []
        for entry in Path("/proc/self/fd").iterdir():
            twin = _twin(int(entry.name))
            if twin is None:
                continue
            if twin.family == socket.AF_INET and twin.type == socket.SOCK_DGRAM and twin.getsockname()[1] in udp_ports:
                _kill(twin)
                self._sockets.append(twin)
            else:
                twin.close()

    def release(self) -> None:
        """Give the ports back; the other side then gets ICMP errors instead of silence."""
        while self._sockets:
            self._sockets.pop().close()


def _twin(fd: int) -> socket.socket | None:
    """A second handle of the same socket, None if this descriptor is something else or gone by now."""
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            return None
        return socket.socket(fileno=os.dup(fd))
    except OSError:
        return None


def _kill(udp: socket.socket) -> None:
    program = ctypes.create_string_buffer(BPF_RETURN_NOTHING, len(BPF_RETURN_NOTHING))
    udp.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
    # Linux answers ENOTCONN for an unconnected UDP socket, having shut it down nevertheless: sending is now EPIPE.
    with suppress(OSError):
        udp.shutdown(socket.SHUT_WR)
