"""The telephone thread: one per process, it owns every object of pjproject.

pjproject aborts the process when its objects are used or garbage-collected in a thread it does not know. So one
thread makes, calls and drops them all; its callbacks run there too (polled, no worker threads), and the asyncio side
holds plain handles and sends jobs. Used by `Phone` and `Call`; a process makes one library and closes it.
"""

import asyncio
import atexit
import concurrent.futures
import heapq
import itertools
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from ccserver.sim.phones.events import PhoneError
from ccserver.sim.phones.pj import pj
from ccserver.sim.phones.tones import TELEPHONE_RATE_HZ

T = TypeVar("T")

POLL_MS = 10
# The media clock needs the interpreter lock for every call 50 times a second. With Python's own 5 ms between offers of
# the lock, a busy test starves it and the audio breaks; with this, 20 legs beside a busy loop lose nothing.
SWITCH_INTERVAL_S = 0.0002
JITTER_BUFFER_MS = 100
IDLE_CONNECTION_S = 40.0
"""pjproject keeps a TLS connection that nobody uses for 33 s."""
# alaw and nothing else: it cannot express a zero, so a frame of zeros is one that was never received (see `Ear`).
CODEC = "PCMA/8000/1"
CONTACT_PORT = re.compile(r"^[A-Z]+ sips?:[^\s;>]*?:(\d+)[;>\s]")


@dataclass(slots=True)
class _Job(Generic[T]):
    run: Callable[[], T]
    done: "concurrent.futures.Future[T]" = field(default_factory=concurrent.futures.Future)


class PjObject(Protocol):
    """A call or an account on pjproject's side."""

    def forget(self) -> None:
        """Take it out of `PhoneLibrary.pj_objects` and let it end."""


class _Endpoint(pj.Endpoint):  # type: ignore[misc]
    """pjproject's root object; says which phone an INVITE is for."""

    def __init__(self) -> None:
        super().__init__()
        self.account_by_port: dict[int, int] = {}

    def onSelectAccount(self, prm: Any) -> None:
        # Left to itself it goes by user name, and two phones of one operator (or of two servers) share that.
        port = CONTACT_PORT.match(prm.rdata.wholeMsg)
        if port and int(port[1]) in self.account_by_port:
            prm.accountIndex = self.account_by_port[int(port[1])]


class PhoneLibrary:
    """Start with `with PhoneLibrary() as library:`; phones are then made in any event loop of the process.

    `log_path` gets pjproject's own log with every SIP message, for looking into a failed test.
    """

    _running: "PhoneLibrary | None" = None

    def __init__(self, *, log_path: Path | None = None) -> None:
        if PhoneLibrary._running is not None:
            raise PhoneError("one PhoneLibrary per process: close the other first")
        self._log_path = log_path
        self._jobs: queue.SimpleQueue[_Job[Any]] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._serials = itertools.count(1)
        self._stopping = False
        self._switch_interval_s = sys.getswitchinterval()
        self._endpoint: Any = None
        # What lives in the telephone thread only, by serial: nobody else may hold a reference.
        self.pj_objects: dict[int, PjObject] = {}
        self._encrypted: set[int] = set()
        """Transports for TLS that are open."""
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        # A daemon, because the interpreter joins other threads before it runs atexit, where this one is stopped.
        self._thread = threading.Thread(target=self._main, args=(started,), name="telephones", daemon=True)
        self._thread.start()
        started.result(20)
        PhoneLibrary._running = self
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        atexit.register(self.close)  # the thread alive at interpreter exit aborts the process

    def __enter__(self) -> "PhoneLibrary":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every call and phone without ceremony and stop the thread; may be called twice."""
        self._stopping = True
        self._thread.join(20)
        atexit.unregister(self.close)
        if PhoneLibrary._running is self:
            PhoneLibrary._running = None
            sys.setswitchinterval(self._switch_interval_s)

    async def do(self, run: Callable[[], T]) -> T:
        """Run in the telephone thread; errors of pjproject arrive as `PhoneError`."""
        if self._stopping:
            raise PhoneError("the phone library is closed")
        job = _Job(run)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.done)

    # --- from here on: telephone thread only -------------------------------------------------------------------

    def soon(self, run: Callable[[], None], delay_s: float = 0.0) -> None:
        """Run after the present callback has returned, or later."""
        heapq.heappush(self._later, (time.monotonic() + delay_s, next(self._serials), run))

    def new_serial(self) -> int:
        """A number never used before: pjproject re-uses its own at once."""
        return next(self._serials)

    def open_port(self, host: str, trust: Path | None = None) -> tuple[int, int]:
        """A new transport on a free port; its pjproject id and the port. UDP, or TLS to whom `trust` (PEM) certifies."""
        config = pj.TransportConfig()
        config.port, config.boundAddress = 0, host
        kind = pj.PJSIP_TRANSPORT_UDP
        if trust is not None:
            kind = pj.PJSIP_TRANSPORT_TLS
            config.tlsConfig.CaListFile, config.tlsConfig.verifyServer = str(trust), True
        transport = self._endpoint.transportCreate(kind, config)
        if trust is not None:
            self._encrypted.add(transport)
        info = self._endpoint.transportGetInfo(transport)
        return transport, int(info.localName.rsplit(":", 1)[1])

    def close_port(self, transport: int, port: int) -> None:
        """Close a transport once its transactions are over.

        One for TLS only when its connections are gone, too: pjproject knows by the address of the listener whose they are, and
        another phone's listener, made where this one was, would speak over them without looking at the server's certificate.
        """
        self._endpoint.account_by_port.pop(port, None)
        if transport in self._encrypted:
            self._encrypted.remove(transport)
            self.soon(lambda: self._endpoint.transportClose(transport), IDLE_CONNECTION_S)
        else:
            self._endpoint.transportClose(transport)

    def route(self, port: int, account: int) -> None:
        """Requests to this port are for this account."""
        self._endpoint.account_by_port[port] = account

    def _main(self, started: "concurrent.futures.Future[None]") -> None:
        try:
            self._endpoint = self._start()
        except Exception as error:
            started.set_exception(_plain(error))
            return
        started.set_result(None)
        while not self._stopping or not self._jobs.empty():
            self._run_jobs()
            self._endpoint.libHandleEvents(POLL_MS)
        for serial in sorted(self.pj_objects, reverse=True):  # calls before the accounts they belong to
            self.pj_objects[serial].forget()
        self._later.clear()
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)  # not waiting for answers saves a second
        self._endpoint = None

    def _start(self) -> _Endpoint:
        endpoint = _Endpoint()
        with _mute():
            endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
        config.uaConfig.maxCalls, config.uaConfig.userAgent = 512, "ccserver phone"
        config.logConfig.consoleLevel = 0
        config.logConfig.level = 5 if self._log_path else 0
        config.logConfig.filename = str(self._log_path or "")
        media = config.medConfig
        media.clockRate, media.audioFramePtime, media.noVad, media.ecTailLen = TELEPHONE_RATE_HZ, 20, True, 0
        # A jitter buffer that waits for late packets and never skips one to catch up: what is heard is what was sent.
        media.jbInit = media.jbMinPre = media.jbMaxPre = JITTER_BUFFER_MS
        media.jbMax, media.jbDiscardAlgo = 2000, pj.PJMEDIA_JB_DISCARD_NONE
        # RTP is read by this thread too: with a thread of its own one call in 2000 never received a packet.
        media.hasIoqueue, media.threadCnt = False, 0
        endpoint.libInit(config)
        endpoint.audDevManager().setNullDev()
        for codec in endpoint.codecEnum2():
            endpoint.codecSetPriority(codec.codecId, 255 if codec.codecId == CODEC else 0)
        parameters = endpoint.codecGetParam(CODEC)
        parameters.setting.plc = False  # no inventing of what was lost
        endpoint.codecSetParam(CODEC, parameters)
        endpoint.libStart()
        return endpoint

    def _run_jobs(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()
        while not self._jobs.empty():
            job = self._jobs.get()
            if not job.done.set_running_or_notify_cancel():
                continue
            try:
                job.done.set_result(job.run())
            except Exception as error:
                job.done.set_exception(_plain(error))


@contextmanager
def _mute() -> Iterator[None]:
    """pjproject tells of its birth on standard output, before it can be told not to."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _plain(error: Exception) -> Exception:
    """The error without a traceback: its frames hold pjproject's objects and must not leave the thread."""
    if isinstance(error, pj.Error):
        return PhoneError(f"{error.title}: {error.reason}")
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
