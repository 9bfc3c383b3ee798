"""Ordered work: what is put on one lane is done one after the other, lanes run side by side.

A lane is a contact, a phone or a node. It has a task only while it has work, so thousands of waiting callers cost nothing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

Work = Callable[[], Awaitable[None]]


class Lanes:
    """`run()` serves until cancelled; work put before it runs is kept."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Work]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def put(self, lane: str, work: Work) -> None:
        """Do `work` after all that is on the lane already; it must handle its own errors (one that escapes is a bug)."""
        queue = self._queues.get(lane)
        if queue is not None:
            queue.append(work)
            return
        self._queues[lane] = deque([work])
        if self._tasks is not None:
            self._tasks.create_task(self._drain(lane), name=f"lane {lane}")

    @property
    def busy(self) -> int:
        """How many lanes have work."""
        return len(self._queues)

    async def run(self) -> None:
        """Serve."""
        async with asyncio.TaskGroup() as self._tasks:
            for lane in self._queues:
                self._tasks.create_task(self._drain(lane), name=f"lane {lane}")
            await asyncio.Event().wait()

    async def _drain(self, lane: str) -> None:
        queue = self._queues[lane]
        while queue:
            await queue[0]()
            queue.popleft()
        del self._queues[lane]
