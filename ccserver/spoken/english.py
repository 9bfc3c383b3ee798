"""English: “December thirty-first, twenty twenty-six”, “two oh five p.m.”."""

from collections.abc import Iterator, Mapping
from typing import assert_never

from ccserver.spoken.items import (
    PAUSE,
    Amount,
    Day,
    Digits,
    Moment,
    Number,
    Phone,
    Tongue,
    Value,
    in_groups,
    phone_groups,
    words,
)

_UNITS = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = words("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
_MONTHS = words("January February March April May June July August September October November December")
_COUNTED = {
    "rub": "ruble rubles",
    "rub-cent": "kopeck kopecks",
    "usd": "dollar dollars",
    "usd-cent": "cent cents",
    "eur": "euro euros",
    "eur-cent": "cent cents",
}
_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))
_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€"}


def _lexicon() -> Mapping[str, str]:
    found = {f"word-{number}": word for number, word in enumerate(_UNITS)}
    found |= {f"word-{(at + 2) * 10}": word for at, word in enumerate(_TENS)}
    found |= {f"word-{name}": name for _, name in _SCALES}
    found |= {f"word-of-{at}": word for at, word in enumerate(_ORDINALS, 1)} | {"word-of-30": "thirtieth"}
    found |= {f"word-month-{at}": word for at, word in enumerate(_MONTHS, 1)}
    for name, forms in _COUNTED.items():
        found |= {f"word-{name}-{form}": word for form, word in zip(("one", "many"), forms.split(), strict=True)}
    return found | {
        "word-and": "and",
        "word-oh": "oh",
        "word-am": "a.m.",
        "word-pm": "p.m.",
        "word-minus": "minus",
        "word-plus": "plus",
        "word-star": "star",
        "word-hash": "pound",
    }


LEXICON = _lexicon()


def _cardinal(number: int) -> Iterator[str]:
    if number == 0:
        yield "word-0"
    for size, name in _SCALES:
        if number >= size:
            yield from _cardinal(number // size)
            yield f"word-{name}"
            number %= size
    if number >= 20:
        yield f"word-{number // 10 * 10}"
        number %= 10
    if number:
        yield f"word-{number}"


def _counted(number: int, what: str) -> Iterator[str]:
    yield from _cardinal(number)
    yield f"word-{what}-{'one' if number == 1 else 'many'}"


def _ordinal(number: int) -> Iterator[str]:
    """Up to 31."""
    if number > 20 and number % 10:
        yield f"word-{number // 10 * 10}"
        number %= 10
    yield f"word-of-{number}"


def _year(year: int) -> Iterator[str]:
    if year in range(2000, 2010):
        yield from _cardinal(year)
        return
    yield from _cardinal(year // 100)
    if year % 100 == 0:
        yield "word-hundred"
        return
    yield from ("word-oh",) if year % 100 < 10 else ()
    yield from _cardinal(year % 100)


def _in_groups(groups: list[str]) -> Iterator[str]:
    names = {"*": "word-star", "#": "word-hash"}
    for at, group in enumerate(groups):
        yield from (PAUSE,) if at else ()
        yield from (names.get(key, f"word-{key}") for key in group)


def _sounds(value: Value | None) -> Iterator[str]:
    match value:
        case None:
            return
        case Digits(text):
            yield from _in_groups(in_groups(text) if len(text) > 4 else [text])
        case Number(number):
            yield from ("word-minus",) if number < 0 else ()
            yield from _cardinal(abs(number))
        case Amount():
            yield from ("word-minus",) if value.hundredths < 0 else ()
            currency = value.currency.lower()
            if value.whole or not value.rest:
                yield from _counted(value.whole, currency)
            if value.rest:
                yield from ("word-and",) if value.whole else ()
                yield from _counted(value.rest, f"{currency}-cent")
        case Day(day, month, year):
            yield f"word-month-{month}"
            yield from _ordinal(day)
            if year is not None:
                yield from _year(year)
        case Moment(hour, minute):
            yield from _cardinal(hour % 12 or 12)
            yield from ("word-oh",) if 0 < minute < 10 else ()
            yield from _cardinal(minute) if minute else ()
            yield "word-am" if hour < 12 else "word-pm"
        case Phone(number):
            yield from ("word-plus",) if number.startswith("+") else ()
            yield from _in_groups(phone_groups(number))
        case _:
            assert_never(value)


def _written(value: Value) -> str:
    match value:
        case Digits(text):
            return text
        case Number(number):
            return f"{number:,}"
        case Amount():
            sign = "-" if value.hundredths < 0 else ""
            rest = f".{value.rest:02}" if value.rest else ""
            return f"{sign}{_SIGNS[value.currency]}{value.whole:,}{rest}"
        case Day(day, month, year):
            return f"{_MONTHS[month - 1]} {day}" + (f", {year}" if year is not None else "")
        case Moment(hour, minute):
            return f"{hour % 12 or 12}:{minute:02} {'a.m.' if hour < 12 else 'p.m.'}"
        case Phone(number):
            return ("+" if number.startswith("+") else "") + " ".join(phone_groups(number))
        case _:
            assert_never(value)


_BIG = ("number", "hundred", "thousand", "million", "billion", "minus")
_NEEDS = {
    "digits": ("digit", "star", "hash"),
    "number": _BIG,
    "money": (*_BIG, "and", "rub", "usd", "eur"),
    "date": ("number", "of", "month", "hundred", "thousand", "oh"),
    "time": ("number", "oh", "am", "pm"),
    "phone": ("digit", "plus"),
}

TONGUE = Tongue(LEXICON, _NEEDS, lambda value: tuple(_sounds(value)), _written)
