"""What phones report, and how a test waits for it: facts come from the telephone threads, tests await them in asyncio.

A `Bell` wakes every coroutine that watches it, from any thread and into any event loop, so one set of phones serves
all tests of a session although each test runs in a loop of its own. `EventLog` keeps what happened in order.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from ccserver.sim.phones.call import Call

T = TypeVar("T")

EventName = Literal["registration", "incoming", "ringing", "up", "media", "digit", "transfer", "said", "gone"]
Media = Literal["none", "active", "local_hold", "remote_hold"]


class PhoneError(Exception):
    """A phone could not do what was asked of it: refused, no such call, library trouble."""


class PhoneTimeout(PhoneError, TimeoutError):
    """What was waited for did not happen in time; says what did."""


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """One fact. `at` is `time.monotonic()`; `code` and `reason` are SIP's, the other fields as the name says."""

    name: EventName
    code: int = 0
    reason: str = ""
    digit: str = ""
    state: str = ""
    media: Media = "none"
    call: "Call | None" = None
    at: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        said = [self.name, *(str(part) for part in (self.code, self.reason, self.digit, self.state) if part)]
        if self.name == "media":
            said.append(self.media)
        return " ".join(said)


class Bell:
    """Rung by any thread, heard by the coroutines that watch it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def ring(self) -> None:
        """Wake every watcher."""
        with self._lock:
            for watcher in list(self._watchers):
                loop, rung = watcher
                try:
                    loop.call_soon_threadsafe(rung.set)
                except RuntimeError:  # the loop of a test that ended without unwinding is closed
                    self._watchers.remove(watcher)

    async def until(self, look: Callable[[], T | None], timeout_s: float, complain: Callable[[], str]) -> T:
        """Look at once and after every ring until `look` gives something; `complain` words the time-out."""
        with self._watch() as rung:
            try:
                async with asyncio.timeout(timeout_s):
                    while True:
                        rung.clear()
                        found = look()
                        if found is not None:
                            return found
                        await rung.wait()
            except TimeoutError:
                raise PhoneTimeout(f"{complain()} (waited {timeout_s:g} s)") from None

    @contextmanager
    def _watch(self) -> Iterator[asyncio.Event]:
        watcher = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._watchers.append(watcher)
        try:
            yield watcher[1]
        finally:
            with self._lock:
                if watcher in self._watchers:
                    self._watchers.remove(watcher)


class EventLog:
    """The facts of one phone or one call, in order."""

    def __init__(self, owner: Callable[[], str]) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._events: list[PhoneEvent] = []
        self._taken: set[int] = set()
        self._bell = Bell()

    def add(self, event: PhoneEvent) -> None:
        """Called by the telephone thread."""
        with self._lock:
            self._events.append(event)
        self._bell.ring()

    def all(self, name: EventName | None = None) -> list[PhoneEvent]:
        """Everything so far, taken or not."""
        with self._lock:
            return [event for event in self._events if name in (None, event.name)]

    def last(self, name: EventName) -> PhoneEvent | None:
        """The newest of that name."""
        found = self.all(name)
        return found[-1] if found else None

    async def wait(self, name: EventName, timeout_s: float = 5.0, *, since: float = 0.0, **match: object) -> PhoneEvent:
        """Take the first event, past or future, of that name whose fields match; an event is taken once.

        `since` leaves out what happened before that `time.monotonic()`.
        """
        wanted = " ".join([name, *(f"{key}={value}" for key, value in match.items())])
        return await self.until(lambda: self.take(name, since=since, **match), timeout_s, wanted)

    async def until(self, look: Callable[[], T | None], timeout_s: float, wanted: str) -> T:
        """Look after every event until `look` gives something."""

        def complain() -> str:
            seen = ", ".join(str(event) for event in self.all()[-12:])
            return f"{self._owner()}: no {wanted}; has seen: {seen or 'nothing'}"

        return await self._bell.until(look, timeout_s, complain)

    def take(self, name: EventName, *, since: float = 0.0, **match: object) -> PhoneEvent | None:
        """Like `wait`, but only what has happened already."""
        with self._lock:
            for index, event in enumerate(self._events):
                if index in self._taken or event.name != name or event.at < since:
                    continue
                if all(getattr(event, key) == value for key, value in match.items()):
                    self._taken.add(index)
                    return event
        return None
