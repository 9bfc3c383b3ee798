"""How long to wait before connecting to Asterisk again; pure, so that it is tested without a clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

STABLE_S = 10.0
"""Only a connection that lived this long resets the back-off: a peer that accepts and closes at once is no success."""


def backoff(
    first_s: float = 0.1, cap_s: float = 10.0, factor: float = 2.0, rand: Callable[[], float] = random.random
) -> Iterator[float]:
    """Yield delays for ever: doubled up to `cap_s`, each cut at random to between a half and the whole of it.

    The first is short because a restarted Asterisk serves ARI again within half a second and calls are waiting.
    """
    delay_s = first_s
    while True:
        yield delay_s * (0.5 + 0.5 * rand())
        delay_s = min(delay_s * factor, cap_s)
