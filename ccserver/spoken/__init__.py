"""How variables are said: `money:1250.50 RUB` becomes «одна тысяча двести пятьдесят рублей пятьдесят копеек», word by word.

    sounds("money:1250.50 RUB", "ru")    names of recorded words, played one after the other
    spelled("money:1250.50 RUB", "ru")   the same as a text, for people who look at what would be heard
    written("money:1250.50 RUB", "ru")   as one writes it (1 250,50 ₽), for media that write instead of speaking

Pure; the words of a language are its `LEXICON`, made with the prompts, and a person may record each of them. What cannot be
said (a lookup may bring anything) becomes a pause, never an error: the caller stays where he is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ccserver.spoken import english, russian
from ccserver.spoken.items import KINDS, PAUSE, Digits, Number, Tongue, item_of

TONGUES: Mapping[str, Tongue] = MappingProxyType({"ru": russian.TONGUE, "en": english.TONGUE})
"""The languages that are known so well; elsewhere only digits and numbers are said, by Asterisk."""
ASTERISKS_OWN = ("digits", "number")
"""Kinds that Asterisk itself can say, in the words that it has."""


def is_variable(item: str) -> bool:
    """Whether it is said word by word; a prompt's name is not."""
    return item.partition(":")[0] in KINDS and ":" in item


def lexicon(language: str, kinds: Iterable[str] = KINDS) -> Mapping[str, str]:
    """The words that items of these kinds may need in the language, by the names of their sounds; none where it is not known."""
    if language not in TONGUES:
        return {}
    tongue = TONGUES[language]
    needed = {prefix for kind in kinds for prefix in tongue.needs[kind]}
    return {name: word for name, word in tongue.lexicon.items() if needed & _groups_of(name)}


def _groups_of(name: str) -> set[str]:
    """`word-7` is a digit and a number, `word-rub-one` is money: as `Tongue.needs` names them."""
    about = name.removeprefix("word-")
    return (
        {"digit", "number"}
        if re.fullmatch("[0-9]", about)
        else {"number"}
        if about[0].isdigit()
        else {about, *_heads(about)}
    )


def _heads(about: str) -> Iterator[str]:
    parts = about.split("-")
    return ("-".join(parts[:length]) for length in range(1, len(parts)))


def flaw(item: str, language: str) -> str:
    """Why an item, as a flow has it, cannot be said in the language; empty when it can, or when its variables decide."""
    kind = item.partition(":")[0]
    if language not in TONGUES and kind not in ASTERISKS_OWN:
        return f"{kind} can be said in {' and '.join(TONGUES)}, not in {language}"
    return "" if "{" in item or item_of(item) is not None else f"is no {kind} that can be said"


def sounds(item: str, language: str) -> tuple[str, ...]:
    """The names of the words; of what cannot be said, a pause. The language must be one of `TONGUES`."""
    return TONGUES[language].sounds(item_of(item)) or (PAUSE,)


def spelled(item: str, language: str) -> str:
    """What is heard, as a text; as it stands in a language that is not known."""
    if language not in TONGUES:
        return item.partition(":")[2]
    words = TONGUES[language].lexicon
    return " ".join(words[name] for name in sounds(item, language) if name != PAUSE)


def written(item: str, language: str) -> str:
    """As one writes it; what makes no sense as its kind, as it stands."""
    value = item_of(item)
    if value is None or language not in TONGUES:
        return item.partition(":")[2]
    return TONGUES[language].written(value)


def plain(item: str) -> str | None:
    """Digits and numbers as Asterisk takes them; None: there is nothing to say."""
    match item_of(item):
        case Digits(text):
            return f"digits:{text}"
        case Number(value):
            return f"number:{value}"
    return None


__all__ = [
    "ASTERISKS_OWN",
    "KINDS",
    "PAUSE",
    "TONGUES",
    "flaw",
    "is_variable",
    "lexicon",
    "plain",
    "sounds",
    "spelled",
    "written",
]
