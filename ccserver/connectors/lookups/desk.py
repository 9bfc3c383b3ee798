"""The memory of one lookup: answers that are still good, and whether it is asked at all.

After `failures` in a row nobody asks for `pause_s`; then one caller does, and by what comes of it all others do again, or nobody.
"""

import asyncio
from collections import OrderedDict

from ccserver.connectors.lookups.answer import Told
from ccserver.core.lookup import Lookup

ALARM_S = 3600.0
"""Of a lookup that failed and that nobody has wanted to ask since."""
KEPT_MAX = 10_000
"""Answers of one lookup; the one that was not asked for the longest goes first."""


class Desk:
    """See the module. Times are monotonic seconds."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.places = asyncio.Semaphore(lookup.at_once)
        """Who asks holds one of them."""
        self._answers: OrderedDict[str, tuple[float, Told]] = OrderedDict()
        self._failures = 0
        self._cause = ""
        self._paused_until: float | None = None
        self._trying = False

    def known(self, url: str, now: float) -> Told | None:
        """An answer to the same question that is still good."""
        until, told = self._answers.get(url, (0.0, None))
        if told is None:
            return None
        if until <= now:
            del self._answers[url]
            return None
        self._answers.move_to_end(url)
        return told

    def why_not(self, now: float) -> str:
        """Why it is not asked now, for people; empty: it is, and `heard` must follow."""
        if self._paused_until is None:
            return ""
        if now >= self._paused_until and not self._trying:
            self._trying = True
            return ""
        return self._pause

    def alarm(self, now: float) -> str:
        """For who has to mend it; empty when it answers, or when nobody has asked for long."""
        return self._pause if self._paused_until is not None and now < self._paused_until + ALARM_S else ""

    @property
    def _pause(self) -> str:
        return f"it failed {self._failures} times in a row and is left in peace: {self._cause}"

    def heard(self, url: str, told: Told, now: float) -> None:
        """What came of a question that was put."""
        self._trying = False
        if told.verdict == "failed":
            self._failures, self._cause = self._failures + 1, told.reason
            if self._failures >= self.lookup.failures:
                self._paused_until = now + self.lookup.pause_s
            return
        self._failures, self._paused_until = 0, None
        if self.lookup.cache_s > 0:
            self._answers[url] = (now + self.lookup.cache_s, told)
            self._answers.move_to_end(url)
            while len(self._answers) > KEPT_MAX:
                self._answers.popitem(last=False)
