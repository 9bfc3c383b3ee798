"""The simulated world: who calls when and what he does, how an operator works.

Pure: seeded numbers and decisions, no clock and no I/O; the drivers of the phones ask and obey. Everybody has dice of his
own, so what the hundredth caller does depends on the seed alone, and not on what the others did meanwhile. Durations are
seconds; they are short, because an hour of a real centre is to be seen in a few minutes.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeVar

T = TypeVar("T")

SERVED_PER_MINUTE = 1.0
"""Calls to one operator that keep him busy and leave a few callers waiting: some never get to him."""
RUSH_S = 1.5
"""Between the first callers, of whom there are half as many as operators: nobody wants to look at an empty page."""

About = Literal["orders", "service"]
KEYS: dict[About, str] = {"orders": "1", "service": "2"}
WRONG_KEYS = "4789"
HOURS_KEY, OPERATOR_KEY, ENGLISH_KEY = "3", "0", "*"
REASON_DIGITS = "12345"


@dataclass(frozen=True)
class Load:
    """How much of a world is wanted."""

    operators: int = 8
    calls_per_minute: float | None = None
    """None: as many as these operators can just serve."""
    seed: int = 1

    @property
    def rate(self) -> float:
        """Calls a minute."""
        return self.operators * SERVED_PER_MINUTE if self.calls_per_minute is None else self.calls_per_minute


# --- callers -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Press:
    """A key, so long after the answer or after the key before it."""

    after_s: float
    key: str


class MenuChoice(StrEnum):
    """What a caller does in the IVR."""

    KNOWS = "knows"
    """Presses what he wants, sooner or later."""
    MISTAKEN = "mistaken"
    """A key that means nothing first."""
    SILENT = "silent"
    """No key at all: the menu gives up and finds him an operator."""
    ASKS_HOURS = "asks_hours"
    """Hears the opening hours, and has heard enough."""
    HOURS_THEN = "hours_then"
    """Hears the opening hours, then wants to talk all the same."""
    OPERATOR = "operator"
    ENGLISH = "english"
    LEAVES = "leaves"
    """Hangs up in the greeting or in the menu."""


MENU: dict[MenuChoice, float] = {
    MenuChoice.KNOWS: 60,
    MenuChoice.OPERATOR: 8,
    MenuChoice.MISTAKEN: 7,
    MenuChoice.ENGLISH: 7,
    MenuChoice.LEAVES: 6,
    MenuChoice.ASKS_HOURS: 5,
    MenuChoice.SILENT: 4,
    MenuChoice.HOURS_THEN: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One customer and his call."""

    at_s: float
    """When he dials, from the beginning of the world."""
    line: str
    number: str
    """His own, E.164."""
    choice: MenuChoice
    language: Literal["ru", "en"]
    about: About
    presses: tuple[Press, ...]
    leaves_after_s: float | None
    """He wants no operator and hangs up so long after his last key, or the answer; None: he waits for one."""
    patience_s: float
    """From his last key (or the answer) until he gives up waiting."""
    talk_s: float
    """How long the talk takes, give or take a sentence."""
    says_goodbye_first: bool
    """And hangs up; else the operator does."""
    whim: int
    """Chooses voice and words."""


def callers(load: Load, lines: Sequence[str]) -> Iterator[Caller]:
    """Everybody who will ever call, in the order of their calls: a few at once, then a Poisson process."""
    gaps = random.Random(f"{load.seed}/arrivals")
    at_s, number = 0.0, 0
    while True:
        rushing = number < load.operators / 2
        at_s += RUSH_S if rushing else gaps.expovariate(load.rate / 60)
        yield _caller(random.Random(f"{load.seed}/caller/{number}"), at_s, lines)
        number += 1


def _caller(dice: random.Random, at_s: float, lines: Sequence[str]) -> Caller:
    choice = _weighted(dice, MENU)
    about: About = "orders" if dice.random() < 0.65 else "service"
    presses = _presses(dice, choice, KEYS[about])
    leaves_after_s = None
    if choice is MenuChoice.LEAVES:
        leaves_after_s = dice.uniform(1.5, 14)
    elif choice is MenuChoice.ASKS_HOURS:
        leaves_after_s = dice.uniform(5, 9)
    patience_s = 3 + _log_normal(dice, 45, 0.9, 240)
    if choice is MenuChoice.SILENT:
        patience_s += 75  # until the menu has given up on him
    return Caller(
        at_s=at_s,
        line=dice.choice(lines),
        number=f"+79{dice.choice('0123569')}{dice.randrange(10**8):08}",
        choice=choice,
        language="en" if choice is MenuChoice.ENGLISH else "ru",
        about="orders" if choice is MenuChoice.OPERATOR else about,
        presses=presses,
        leaves_after_s=leaves_after_s,
        patience_s=patience_s,
        talk_s=max(10.0, _log_normal(dice, 34, 0.5, 150)),
        says_goodbye_first=dice.random() < 0.6,
        whim=dice.getrandbits(32),
    )


def _presses(dice: random.Random, choice: MenuChoice, wanted: str) -> tuple[Press, ...]:
    first_s = max(0.7, _log_normal(dice, 6.5, 0.6, 20))
    match choice:
        case MenuChoice.KNOWS:
            return (Press(first_s, wanted),)
        case MenuChoice.OPERATOR:
            return (Press(first_s, OPERATOR_KEY),)
        case MenuChoice.MISTAKEN:
            return (Press(first_s, dice.choice(WRONG_KEYS)), Press(dice.uniform(3, 7), wanted))
        case MenuChoice.ENGLISH:
            return (Press(first_s, ENGLISH_KEY), Press(dice.uniform(2, 6), wanted))
        case MenuChoice.ASKS_HOURS:
            return (Press(first_s, HOURS_KEY),)
        case MenuChoice.HOURS_THEN:
            return (Press(first_s, HOURS_KEY), Press(dice.uniform(8, 11), wanted))
        case MenuChoice.SILENT | MenuChoice.LEAVES:
            return ()


# --- operators -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PicksUp:
    after_s: float


@dataclass(frozen=True, slots=True)
class Refuses:
    after_s: float
    code: int
    """603: he declined; 486: his phone says busy."""


@dataclass(frozen=True, slots=True)
class Misses:
    """He is not at his desk: the phone rings until the centre gives up."""


@dataclass(frozen=True, slots=True)
class Breaks:
    """*12 with a reason, after so long; then he is away."""

    after_s: float
    digit: str
    lasts_s: float


@dataclass(frozen=True, slots=True)
class IsReady:
    """*11 before his wrap-up is over."""

    after_s: float


@dataclass(frozen=True, slots=True)
class WrapsUp:
    """Uses all of his wrap-up."""


@dataclass(frozen=True, slots=True)
class AsksColleague:
    """Calls another operator: his phone is busy without us."""

    lasts_s: float


@dataclass(frozen=True, slots=True)
class LosesPhone:
    """The phone is gone and comes back."""

    lasts_s: float


Offer = PicksUp | Refuses | Misses
AfterTalk = Breaks | IsReady | WrapsUp
IdleDeed = AsksColleague | LosesPhone | Breaks


@dataclass(slots=True)
class Operator:
    """How one operator works; every question throws his dice."""

    _dice: random.Random
    shifts: int = field(default=0)

    @classmethod
    def of(cls, load: Load, extension: str) -> "Operator":
        """The same one for the same seed and extension."""
        return cls(random.Random(f"{load.seed}/operator/{extension}"))

    def comes_after_s(self) -> float:
        """Until his next shift begins: the first does at once, nearly."""
        self.shifts += 1
        return self._dice.uniform(0.2, 6) if self.shifts == 1 else self._dice.uniform(15, 60)

    def shift_s(self) -> float:
        """How long he works before he logs out."""
        return max(180.0, _log_normal(self._dice, 900, 0.6, 3600))

    def offered(self) -> Offer:
        """His phone rings."""
        roll = self._dice.random()
        if roll < 0.03:
            return Misses()
        if roll < 0.07:
            return Refuses(self._dice.uniform(1, 3), self._dice.choice((603, 486)))
        return PicksUp(max(0.6, _log_normal(self._dice, 2.2, 0.5, 8)))

    def after_talk(self) -> AfterTalk:
        """The caller is gone."""
        roll = self._dice.random()
        if roll < 0.1:
            return self._break()
        if roll < 0.3:
            return IsReady(self._dice.uniform(0.5, 3))
        return WrapsUp()

    def waits_s(self) -> float:
        """How long without a call until he does something else."""
        return 10 + _log_normal(self._dice, 45, 0.7, 300)

    def idle(self) -> IdleDeed:
        """He has waited for that long."""
        roll = self._dice.random()
        if roll < 0.5:
            return AsksColleague(self._dice.uniform(6, 15))
        if roll < 0.7:
            return LosesPhone(self._dice.uniform(6, 15))
        return self._break()

    def notices_s(self) -> float:
        """Until he sees that he gets no calls (he missed one, say) and dials *11."""
        return max(2.0, _log_normal(self._dice, 9, 0.5, 30))

    def whim(self) -> int:
        """Chooses words."""
        return self._dice.getrandbits(32)

    def _break(self) -> Breaks:
        lasts_s = max(10.0, _log_normal(self._dice, 30, 0.5, 90))
        return Breaks(self._dice.uniform(0.5, 3), self._dice.choice(REASON_DIGITS), lasts_s)


def _weighted(dice: random.Random, weights: dict[T, float]) -> T:
    return dice.choices(list(weights), list(weights.values()))[0]


def _log_normal(dice: random.Random, median: float, sigma: float, at_most: float) -> float:
    return min(at_most, dice.lognormvariate(math.log(median), sigma))
