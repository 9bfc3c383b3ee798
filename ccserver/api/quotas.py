"""How often is too often: so many within a stretch of time, for each name; and how many names are remembered is bounded."""

from collections import OrderedDict, deque
from collections.abc import Callable

from ccserver.api.errors import TooOften

NAMES_MAX = 10_000


class Quota:
    """Counts what was let through in the last `within_s` seconds, by name."""

    def __init__(self, most: int, within_s: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        self._taken: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str, who: str) -> None:
        """One more; raises `TooOften`, which says for whom."""
        now = self._clock()
        times = self._taken.setdefault(name, deque())
        while times and times[0] <= now - self._within_s:
            times.popleft()
        if len(times) >= self._most:
            wait_s = times[0] + self._within_s - now if times else self._within_s
            raise TooOften(f"too many requests {who}: {self._most} are taken within the hour", wait_s)
        times.append(now)
        self._taken.move_to_end(name)
        while len(self._taken) > NAMES_MAX:
            self._taken.popitem(last=False)  # who has not asked for the longest time
