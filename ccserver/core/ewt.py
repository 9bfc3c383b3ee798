"""Estimated waiting time: when will this contact be answered, and what may be promised about it.

The contacts ahead must leave first: each time one of the operators who can take this contact becomes free, one of them goes,
and now and then one loses patience. So the estimate counts completions: when each busy operator will probably be free (from how
long he has been busy, and how long such work takes as a rule), then every so often again, until it is this contact's turn.

What is promised is a bound, not the estimate: the estimates of the last calls are held against what became of them, and the bound
is as much above the estimate as nine out of ten of those called for. It is rounded up, and never rises for one caller.
Pure; everything learnt is a value, kept in the journal like the contacts.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

STEP = 1.25
"""Each class of a histogram is a quarter wider than the one before."""
CLASSES = 44
"""From one second to five hours."""
MEMORY = 0.99
"""What a sample weighs less with each later one: the last hundred count, so an hour of other callers is learnt within an hour."""
GRACE_S = 15.0
"""Added to both sides before they are compared: ten seconds in place of two is no five-fold error."""
COVERAGE = 0.93
"""Share of waits that a bound shall cover; some is lost by never raising it."""
RATIO = 100.0
"""Unit of `Learnt.missed`: a histogram's classes begin at one."""
STRIDE = 1.05
"""Each step into the future is longer than the one before: what is far away need not be known exactly."""
ONE_MORE = 0.7
"""The next completion but those ahead is ours; of events that come by chance the median of the k-th is at k less a third."""
HORIZON_S = 2 * 3600.0
SPOKEN_S = tuple(60 * minutes for minutes in (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60))
"""Bounds that are said, seconds."""


def _class_of(value: float) -> int:
    return min(CLASSES - 1, max(0, int(math.log(max(value, 1.0), STEP))))


def _lower(n: int) -> float:
    return 0.0 if n == 0 else STEP**n


def _upper(n: int) -> float:
    return STEP ** (n + 1)


def _middle(n: int) -> float:
    return (_lower(n) + _upper(n)) / 2


def _share_above(n: int, elapsed: float) -> float:
    """Of the samples of a class, how many are longer."""
    return min(1.0, max(0.0, (_upper(n) - elapsed) / (_upper(n) - _lower(n))))


class Histogram(Struct, frozen=True):
    """Durations seen lately, in classes; a value."""

    weights: tuple[float, ...] = (0.0,) * CLASSES

    @classmethod
    def of(cls, samples: Iterable[float]) -> "Histogram":
        """All samples, the last the weightiest."""
        histogram = cls()
        for sample in samples:
            histogram = histogram.with_sample(sample)
        return histogram

    def with_sample(self, value: float) -> "Histogram":
        """One more; the older ones weigh a little less."""
        weights = [weight * MEMORY for weight in self.weights]
        weights[_class_of(value)] += 1.0
        return Histogram(tuple(weights))

    @property
    def mean(self) -> float:
        """Seconds; 0 when nothing was seen."""
        total = sum(self.weights)
        return sum(weight * _middle(n) for n, weight in enumerate(self.weights)) / total if total else 0.0

    def survival(self) -> Callable[[float], float]:
        """Seconds -> weight of the samples that are longer."""
        longer = tuple(accumulate(reversed(self.weights), initial=0.0))[::-1]

        def of(seconds: float) -> float:
            n = _class_of(seconds)
            return longer[n + 1] + self.weights[n] * _share_above(n, seconds)

        return of

    def quantile(self, share: float) -> float:
        """The value that this share of the samples does not exceed; 0 when nothing was seen."""
        wanted = sum(self.weights) * share
        for n, weight in enumerate(self.weights):
            if weight and wanted <= weight:
                return _lower(n) + (_upper(n) - _lower(n)) * wanted / weight
            wanted -= weight
        return (
            _upper(max((n for n, weight in enumerate(self.weights) if weight), default=-1))
            if any(self.weights)
            else 0.0
        )


class Learnt(Struct, frozen=True):
    """What a queue's past tells of its future."""

    handled: Histogram = Histogram.of((60.0, 120.0, 180.0, 240.0, 420.0))
    """Talk and wrap-up of one contact; before the first call a guess."""
    waited_s: float = 3600.0
    left: float = 1.0
    """Of so many seconds of waiting so many contacts lost patience."""
    missed: Histogram = Histogram.of((60.0, 80.0, 100.0, 140.0, 200.0))
    """(actual + grace) / (estimate + grace), in units of `RATIO`."""

    def with_handled(self, seconds: float) -> "Learnt":
        """A contact was served: talk and wrap-up."""
        return replace(self, handled=self.handled.with_sample(seconds))

    def with_wait(self, seconds: float, *, abandoned: bool) -> "Learnt":
        """A contact left the queue, answered or not."""
        return replace(self, waited_s=self.waited_s * MEMORY + seconds, left=self.left * MEMORY + abandoned)

    def with_error(self, estimate_s: float, actual_s: float) -> "Learnt":
        """A contact was answered, and this had been estimated at its entry."""
        ratio = (actual_s + GRACE_S) / (estimate_s + GRACE_S)
        return replace(self, missed=self.missed.with_sample(ratio * RATIO))

    def bound_s(self, estimate_s: float) -> float:
        """What is not exceeded as a rule, when this is estimated."""
        factor = max(1.0, self.missed.quantile(COVERAGE) / RATIO)
        return (estimate_s + GRACE_S) * factor - GRACE_S


def expected_wait_s(ahead: float, busy_s: Sequence[float], learnt: Learnt) -> float | None:
    """Seconds until the contact is answered, as likely more as less; None: nobody could take it.

    `ahead`: contacts that these operators will take first, each by the share of its operators that are among them; `busy_s`:
    how long each operator who can take it has been busy with what he does.
    """
    if not busy_s:
        return None
    handled, every_s = learnt.handled, max(1.0, learnt.handled.mean)
    longer_than = handled.survival()
    # Operators who have been busy about equally long are one group: 44 of them at most, however large the hall.
    groups = [(_middle(n), count) for n, count in Counter(map(_class_of, busy_s)).items()]
    # Of work that has taken longer than anything seen nobody knows: half of what it takes as a rule.
    known = [(elapsed, count / above) for elapsed, count in groups if (above := longer_than(elapsed))]
    unknown = sum(count for elapsed, count in groups if not longer_than(elapsed))
    patience = learnt.left / max(1.0, learnt.waited_s)
    now, step_s, free = 0.0, max(0.5, every_s / len(busy_s) / 4), 0.0
    while now < HORIZON_S:
        still = sum(count * longer_than(elapsed + now + step_s) for elapsed, count in known)
        still += unknown * math.exp(-2.0 * (now + step_s) / every_s)
        before, free = free, len(busy_s) - still
        gone = free - before + before * step_s / every_s  # who became free once goes on taking contacts
        turn = ahead + ONE_MORE
        ahead -= gone + max(0.0, ahead) * patience * step_s
        if ahead + ONE_MORE <= 0:
            return now + step_s * turn / (turn - ahead - ONE_MORE)
        now += step_s
        step_s *= STRIDE
    return HORIZON_S


def spoken_bound_s(bound_s: float, said_before_s: float | None) -> float | None:
    """What is said of a bound, seconds: rounded up, never more than before; None: nothing can be promised."""
    spoken = next((spoken for spoken in SPOKEN_S if bound_s <= spoken), None)
    if said_before_s is None:
        return spoken
    return None if spoken is None or spoken > said_before_s else spoken
