"""Russian: genders, the three forms after a number, days and years in the genitive («тридцать первого декабря»: when)."""

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
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_TENS = words("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто")
_HUNDREDS = words("сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот")
_OF_UNITS = words(
    "первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого одиннадцатого двенадцатого "
    "тринадцатого четырнадцатого пятнадцатого шестнадцатого семнадцатого восемнадцатого девятнадцатого"
)
_OF_TENS = words("двадцатого тридцатого сорокового пятидесятого шестидесятого семидесятого восьмидесятого девяностого")
_OF_ROUND = {100: "сотого", 900: "девятисотого", 2000: "двухтысячного"}
_MONTHS = words("января февраля марта апреля мая июня июля августа сентября октября ноября декабря")
_COUNTED = {
    "thousand": "тысяча тысячи тысяч",
    "million": "миллион миллиона миллионов",
    "billion": "миллиард миллиарда миллиардов",
    "rub": "рубль рубля рублей",
    "rub-cent": "копейка копейки копеек",
    "usd": "доллар доллара долларов",
    "usd-cent": "цент цента центов",
    "eur": "евро евро евро",
    "eur-cent": "евроцент евроцента евроцентов",
    "hour": "час часа часов",
    "minute": "минута минуты минут",
}
"""After one, after two to four, after five and more."""
_FEMININE = {"thousand", "rub-cent", "minute"}
_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€"}


def _lexicon() -> Mapping[str, str]:
    found = {f"word-{number}": word for number, word in enumerate(_UNITS)}
    found |= {"word-1f": "одна", "word-2f": "две"}
    found |= {f"word-{(at + 2) * 10}": word for at, word in enumerate(_TENS)}
    found |= {f"word-{(at + 1) * 100}": word for at, word in enumerate(_HUNDREDS)}
    found |= {f"word-of-{at + 1}": word for at, word in enumerate(_OF_UNITS)}
    found |= {f"word-of-{(at + 2) * 10}": word for at, word in enumerate(_OF_TENS)}
    found |= {f"word-of-{number}": word for number, word in _OF_ROUND.items()}
    found |= {f"word-month-{at}": word for at, word in enumerate(_MONTHS, 1)}
    for name, forms in _COUNTED.items():
        found |= {f"word-{name}-{form}": word for form, word in zip(("one", "few", "many"), forms.split(), strict=True)}
    return found | {
        "word-of-year": "года",
        "word-minus": "минус",
        "word-plus": "плюс",
        "word-star": "звёздочка",
        "word-hash": "решётка",
    }


LEXICON = _lexicon()


def form_of(number: int) -> str:
    """Which form of what is counted follows the number."""
    if number % 100 in range(11, 15):
        return "many"
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(number % 10, "many")


def _counted(number: int, what: str) -> Iterator[str]:
    yield from _cardinal(number, feminine=what in _FEMININE)
    yield f"word-{what}-{form_of(number)}"


def _cardinal(number: int, *, feminine: bool = False) -> Iterator[str]:
    if number == 0:
        yield "word-0"
    for size, name in _SCALES:
        if number >= size:
            yield from _counted(number // size, name)
            number %= size
    if number >= 100:
        yield f"word-{number // 100 * 100}"
        number %= 100
    if number >= 20:
        yield f"word-{number // 10 * 10}"
        number %= 10
    if number:
        yield f"word-{number}f" if feminine and number in (1, 2) else f"word-{number}"


def _of(number: int) -> Iterator[str]:
    """The ordinal in the genitive, up to 99."""
    if number > 20 and number % 10:
        yield f"word-{number // 10 * 10}"
        number %= 10
    yield f"word-of-{number}"


def _of_year(year: int) -> Iterator[str]:
    if year == 2000:
        yield "word-of-2000"
        return
    if year >= 2000:
        yield from _counted(2, "thousand")
    else:
        yield "word-thousand-one"  # «тысяча девятьсот …»: nobody says «одна» of a year
    hundreds, rest = year % 1000 // 100 * 100, year % 100
    if hundreds and not rest:
        yield f"word-of-{hundreds}"
        return
    if hundreds:
        yield f"word-{hundreds}"
    yield from _of(rest)


def _group(digits: str) -> Iterator[str]:
    """Two or three digits as one number: 045 is «ноль сорок пять»."""
    rest = digits.lstrip("0")
    yield from ("word-0" for _ in range(len(digits) - len(rest)))
    if rest:
        yield from _cardinal(int(rest))


def _digits(text: str) -> Iterator[str]:
    names = {"*": "word-star", "#": "word-hash"}
    for at, group in enumerate(in_groups(text) if len(text) > 4 else [text]):
        yield from (PAUSE,) if at else ()
        yield from (names.get(key, f"word-{key}") for key in group)


def _sounds(value: Value | None) -> Iterator[str]:
    match value:
        case None:
            return
        case Digits(text):
            yield from _digits(text)
        case Number(number):
            yield from ("word-minus",) if number < 0 else ()
            yield from _cardinal(abs(number))
        case Amount():
            yield from ("word-minus",) if value.hundredths < 0 else ()
            currency = value.currency.lower()
            if value.whole or not value.rest:
                yield from _counted(value.whole, currency)
            if value.rest:
                yield from _counted(value.rest, f"{currency}-cent")
        case Day(day, month, year):
            yield from _of(day)
            yield f"word-month-{month}"
            if year is not None:
                yield from _of_year(year)
                yield "word-of-year"
        case Moment(hour, minute):
            yield from _counted(hour, "hour")
            if minute:
                yield from _counted(minute, "minute")
        case Phone(number):
            yield from ("word-plus",) if number.startswith("+") else ()
            for at, group in enumerate(phone_groups(number)):
                yield from (PAUSE,) if at else ()
                yield from _group(group)
        case _:
            assert_never(value)


def _written(value: Value) -> str:
    match value:
        case Digits(text):
            return text
        case Number(number):
            return _spaced(number)
        case Amount():
            sign = "-" if value.hundredths < 0 else ""
            rest = f",{value.rest:02}" if value.rest else ""
            return f"{sign}{_spaced(value.whole)}{rest} {_SIGNS[value.currency]}"
        case Day(day, month, year):
            return f"{day} {_MONTHS[month - 1]}" + (f" {year} года" if year is not None else "")
        case Moment(hour, minute):
            return f"{hour}:{minute:02}"
        case Phone(number):
            plus, groups = "+" if number.startswith("+") else "", phone_groups(number)
            return plus + (" ".join(groups[:3]) + "".join(f"-{group}" for group in groups[3:]))
        case _:
            assert_never(value)


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


_BIG = ("number", "thousand", "million", "billion", "minus")
_NEEDS = {
    "digits": ("digit", "star", "hash"),
    "number": _BIG,
    "money": (*_BIG, "rub", "usd", "eur"),
    "date": ("number", "of", "month", "thousand"),
    "time": ("number", "hour", "minute"),
    "phone": ("number", "plus"),
}

TONGUE = Tongue(LEXICON, _NEEDS, lambda value: tuple(_sounds(value)), _written)
