"""Telephone numbers: however it was dialled, typed or sent by a trunk, one number is one text.

ITU-T E.164 (`+79161234567`); the national forms of each country are known to the phonenumbers library. Pure.
"""

from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult, shortnumberinfo
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

Region = str
"""ISO 3166-1: the country whose numbers may come without a country code."""
NumberFormat = Literal["e164", "digits", "national"]
"""How a trunk wants numbers written: `+79161234567`, `79161234567`, or as dialled at home: `89161234567`."""


def e164(text: str, region: Region) -> str | None:
    """The number as E.164; None: it is no public number (an extension, a name, `anonymous`).

    From Russia `8 916 123-45-67`, `79161234567`, `9161234567`, `+7 916 …` and `007916…` are all `+79161234567`.
    """
    number = _parsed(text, region)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else None


def canonical(text: str, region: Region) -> str:
    """As E.164 where that makes sense, else as it is: two texts of one number are equal after this."""
    return e164(text, region) or text


def written(number: str, style: NumberFormat, region: Region) -> str:
    """An E.164 number as a trunk in this country wants it; what is no public number stays as it is."""
    parsed = _parsed(number, region)
    if parsed is None or style == "e164":
        return number
    if style == "digits":
        return number.removeprefix("+")
    return "".join(filter(str.isdigit, phonenumbers.format_out_of_country_calling_number(parsed, region)))


def zones(number: str) -> tuple[str, ...]:
    """The time zones in which an E.164 number may be; several of a mobile in a large country, none where nothing is known."""
    parsed = _parsed(number, "ZZ")
    return tuple(zone for zone in time_zones_for_number(parsed) if zone != UNKNOWN_TIMEZONE) if parsed else ()


def is_emergency(text: str, region: Region) -> bool:
    """Police, fire, ambulance, and what else must be reachable from every phone (in Russia the gas service)."""
    return shortnumberinfo.is_emergency_number(text, region) or (region == "RU" and text in {"04", "104"})


@lru_cache(maxsize=4096)
def _parsed(text: str, region: Region) -> PhoneNumber | None:
    if not _dialable(text):
        return None  # the library would take letters for keys: 8-800-FLOWERS, but also `anonymous-1234567`
    international = f"+{text[2:]}" if text.startswith("00") else text
    try:
        number = phonenumbers.parse(international, region)
    except NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == ValidationResult.IS_POSSIBLE else None


def _dialable(text: str) -> bool:
    return text.isascii() and all(char.isdigit() or char in "+-() ." for char in text)
