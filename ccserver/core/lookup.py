"""A lookup: what a flow asks another computer while the caller waits, and what the answer may bring into its variables.

The question is put by a connector; here is what it must know: the address, how long anybody waits, and which fields of the
answer count. A secret is not here, only where it stands: a plan is kept in the journal.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from ccserver.core.ids import LookupName
from ccserver.spoken.items import Amount, Day, Digits, Moment, Number, Phone, item_of

FieldKind = Literal["text", "number", "money", "date", "time", "digits", "phone", "flag"]
"""What a field of the answer must be: those that can be said are named as the items that say them; a flag is `yes` or `no`."""
TEXT_MAX = 200
"""Characters of a value: as many as a flow itself may give a variable."""
REFERENCE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Field(Struct, frozen=True):
    """One value of the answer."""

    at: str
    """Where it stands: names, and positions of arrays from 0, with dots between them: `order.items.0.title`."""
    kind: FieldKind = "text"
    default: str | None = None
    """Taken where it is missing, or null; None: then the answer makes no sense."""


class Lookup(Struct, frozen=True):
    """An address to be asked, by name."""

    name: LookupName
    url: str
    """`{name}` stands for a variable, written so that it cannot be anything but one part of the address."""
    fields: Mapping[str, Field] = {}
    """By the variable that takes it."""
    found_at: str = ""
    """What must be there (and neither null nor empty) or else nothing was found; empty: any answer is a find."""
    headers: Mapping[str, str] = {}
    secret_header: str = "Authorization"
    secret_file: str = ""
    """Which file, or which variable of the environment, holds what stands in that header; both empty: no such header."""
    secret_variable: str = ""
    timeout_s: float = 3.0
    """No caller waits longer, whatever happens."""
    cache_s: float = 0.0
    """An answer to the same question is good for so long; 0: for no other caller."""
    at_once: int = 20
    """Questions under way at the same time."""
    failures: int = 5
    """After so many in a row it is not asked,"""
    pause_s: float = 30.0
    """for so long: no caller waits for it meanwhile."""
    max_bytes: int = 65536
    """A longer answer makes no sense."""


def variables_in(url: str) -> Iterator[str]:
    """The variables that an address is made with."""
    return (match[1] for match in REFERENCE.finditer(url))


def address(lookup: Lookup, variables: Mapping[str, str]) -> str:
    """Whom to ask for this caller; a variable that was never set is empty."""
    return REFERENCE.sub(lambda match: quote(variables.get(match[1], ""), safe=""), lookup.url)


def value_of(kind: FieldKind, value: object) -> str | None:
    """What stands in an answer, as the text of a variable, in the form in which it is said; None: it is of another kind."""
    if isinstance(value, bool):
        return ("yes" if value else "no") if kind == "flag" else None
    if kind == "flag" or not isinstance(value, str | int | float):
        return None
    text = value.strip() if isinstance(value, str) else f"{Decimal(str(value)).normalize():f}"
    if kind == "text":
        return text if len(text) <= TEXT_MAX and text.isprintable() else None
    match item_of(f"{kind}:{text}"):
        case Number(whole):
            return str(whole)
        case Amount(hundredths, currency):
            sign = "-" if hundredths < 0 else ""
            amount = f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"
            return f"{amount} {currency}" if text.endswith(currency) else amount
        case Day(day, month, year):
            return f"{month:02}-{day:02}" if year is None else f"{year}-{month:02}-{day:02}"
        case Moment(hour, minute):
            return f"{hour:02}:{minute:02}"
        case Digits(digits) if digits == text:
            return text
        case Phone(number):
            return number
        case _:
            return None
