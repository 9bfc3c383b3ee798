"""What the event stream tells its one consumer, and the bounded buffer in which it waits.

Events may be dropped when the consumer is too slow, notices never: a gap is itself a notice, `Overflowed`, standing where
the gap is, so that the consumer lists what Asterisk has and compares.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from ccserver.ari.messages import Event


@dataclass(frozen=True, slots=True)
class Connected:
    """Events flow from here on. Whatever happened before is not told: list channels and bridges now, then go on.

    `restarted` is True when Asterisk itself was started anew since the last `Connected`: then every call is gone.
    `refused_sources` are subscriptions Asterisk did not take (an endpoint it does not know yet): subscribe again later.
    """

    startup_time: float
    restarted: bool
    refused_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disconnected:
    """No events until the next `Connected`; calls go on in Asterisk, and those of the gap are lost for ever."""

    reason: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another process serves `application` from now on: finish what is begun and leave; there is no reconnecting."""

    application: str


@dataclass(frozen=True, slots=True)
class Overflowed:
    """So many events were dropped here: list channels and bridges now, then go on."""

    dropped: int


Notice: TypeAlias = Connected | Disconnected | Replaced | Overflowed | Event


class NoticeBuffer:
    """A queue with one reader and one writer in the same loop; `put_*` never wait."""

    def __init__(self, events_max: int) -> None:
        self._events_max = events_max
        self._notices: deque[Notice] = deque()
        self._overflowing = False
        self._closed = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._notices)

    def put_notice(self, notice: Notice) -> None:
        """Add something that must not be lost."""
        self._notices.append(notice)
        self._changed.set()

    def put_event(self, event: Event) -> bool:
        """Add an event; False when it was dropped.

        After an overflow everything is dropped until half the buffer is free, so that a consumer that is always too
        slow meets one gap in a while instead of one after every event.
        """
        limit = self._events_max // 2 if self._overflowing else self._events_max
        if len(self._notices) >= limit:
            last = self._notices[-1] if self._notices else None
            if self._overflowing and isinstance(last, Overflowed):
                self._notices[-1] = Overflowed(last.dropped + 1)
            else:
                self.put_notice(Overflowed(1))
            self._overflowing = True
            return False
        self._overflowing = False
        self.put_notice(event)
        return True

    def close(self) -> None:
        """End the consumer's iteration after what is still in the buffer."""
        self._closed = True
        self._changed.set()

    async def get(self) -> Notice | None:
        """Return the next notice, waiting for it; None when closed and empty."""
        while not self._notices:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._notices.popleft()
