"""What can be said: the kinds of values that an item of a step may carry, read from its text."""

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct

KINDS = ("digits", "number", "money", "date", "time", "phone")
PAUSE = "word-pause"
"""A short silence between groups of digits; in no language's lexicon, for it is the same in all."""
NUMBER_MAX = 999_999_999_999
CURRENCIES = ("RUB", "USD", "EUR")
YEARS = range(1900, 2200)


class Digits(Struct, frozen=True):
    """One after the other: an order number, a code."""

    text: str


class Number(Struct, frozen=True):
    """A whole number."""

    value: int


class Amount(Struct, frozen=True):
    """Money, in hundredths; `value` may be below zero."""

    hundredths: int
    currency: str

    @property
    def whole(self) -> int:
        """Without its sign and hundredths."""
        return abs(self.hundredths) // 100

    @property
    def rest(self) -> int:
        """The hundredths."""
        return abs(self.hundredths) % 100


class Day(Struct, frozen=True):
    """A date; `year` None: of any year."""

    day: int
    month: int
    year: int | None


class Moment(Struct, frozen=True):
    """A time of day."""

    hour: int
    minute: int


class Phone(Struct, frozen=True):
    """A telephone number."""

    text: str


Value = Digits | Number | Amount | Day | Moment | Phone


class Tongue(Struct, frozen=True):
    """A language: its words, and how it puts them together."""

    lexicon: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    """The groups of words that each kind takes: `number` (all of them), `digit`, or the beginning of their names."""
    sounds: Callable[[Value | None], tuple[str, ...]]
    written: Callable[[Value], str]


def item_of(item: str) -> Value | None:
    """What the item means; None: nothing of its kind."""
    kind, _, text = item.partition(":")
    text = text.strip()
    match kind:
        case "digits":
            keys = "".join(key for key in text if key in "0123456789*#")
            return Digits(keys) if keys else None
        case "number":
            return _number(text)
        case "money":
            return _amount(text)
        case "date":
            return _day(text)
        case "time":
            return _moment(text)
        case "phone":
            number = re.sub(r"[\s()-]", "", text)
            return Phone(number) if re.fullmatch(r"\+?[0-9]{2,15}", number) else None
    return None


def words(text: str) -> list[str]:
    """A list of words, as one writes it down."""
    return text.split()


def in_groups(digits: str, size: int = 3) -> list[str]:
    """From the left, none of them a single digit unless there is only one."""
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2][:-1], groups[-2][-1] + groups[-1]]
    return groups


def phone_groups(number: str) -> list[str]:
    """As a number is usually told: a Russian one as 7, 916, 123, 45, 67; any other in threes."""
    digits = number.removeprefix("+")
    if len(digits) == 11 and digits[0] in "78":
        return [digits[0], digits[1:4], digits[4:7], digits[7:9], digits[9:]]
    return in_groups(digits)


def _number(text: str) -> Number | Digits | None:
    if not re.fullmatch(r"-?[0-9]{1,30}", text):
        return None
    value = int(text)
    return Number(value) if abs(value) <= NUMBER_MAX else Digits(text.removeprefix("-"))


def _amount(text: str) -> Amount | None:
    match = re.fullmatch(r"(-?[0-9]{1,12}(?:[.,][0-9]{1,10})?)(?: ?([A-Z]{3}))?", text)
    if match is None or (match[2] or "RUB") not in CURRENCIES:
        return None
    value = Decimal(match[1].replace(",", ".")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Amount(int(value * 100), match[2] or "RUB")


def _day(text: str) -> Day | None:
    match = re.match(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})(?=$|[T ])", text)
    if match is None:
        return None
    year = int(match[1]) if match[1] else None
    try:
        date(year or 2000, int(match[2]), int(match[3]))
    except ValueError:
        return None
    return Day(int(match[3]), int(match[2]), year) if year is None or year in YEARS else None


def _moment(text: str) -> Moment | None:
    match = re.fullmatch(r"(?:[0-9-]{10}[T ])?([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?.*", text)
    if match is None:
        return None
    try:
        told = time(int(match[1]), int(match[2]))
    except ValueError:
        return None
    return Moment(told.hour, told.minute)
