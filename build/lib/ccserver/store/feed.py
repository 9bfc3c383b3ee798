"""The live feed: wakes whoever watches (the page's web sockets) when something has changed; he then asks for the picture of
that moment. A watcher who is slow gets one wake-up for all he has missed, so none of them costs memory.
"""

import asyncio
from collections.abc import Sequence

from ccserver.core.records import Record


class LiveFeed:
    """`ports.Feed` for one process; for the event loop's thread alone."""

    def __init__(self) -> None:
        self._watchers: set[Subscription] = set()
        self._published = 0

    def publish(self, records: Sequence[Record]) -> None:
        """Wake everybody, if anything was recorded at all."""
        if not records:
            return
        self._published += 1
        for watcher in self._watchers:
            watcher.changed.set()

    def subscribe(self) -> "Subscription":
        """Watch from now on: `with feed.subscribe() as changes: async for n in changes: ...`.

        The first wake-up comes at once, so the body of the loop is all a watcher needs.
        """
        return Subscription(self)

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)


class Subscription:
    """One watcher; gives the number of publications so far, each time there are new ones."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        self.changed = asyncio.Event()
        self.changed.set()

    def __enter__(self) -> "Subscription":
        self._feed._watchers.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._feed._watchers.discard(self)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> int:
        await self.changed.wait()
        self.changed.clear()
        return self._feed._published
