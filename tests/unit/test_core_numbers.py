"""Numbers: the forms in which Russian trunks and people write them, and what is no public number at all."""

import pytest

from ccserver.core.numbers import NumberFormat, canonical, e164, written


@pytest.mark.parametrize(
    "text",
    [
        "89161234567",
        "79161234567",
        "+79161234567",
        "9161234567",
        "0079161234567",
        "8 (916) 123-45-67",
        "+7 916 123-45-67",
    ],
)
def test_one_number_in_all_its_forms_is_one_text(text: str) -> None:
    assert e164(text, "RU") == "+79161234567"


@pytest.mark.parametrize("text", ["88007707999", "78007707999", "+78007707999", "8007707999", "8-800-770-79-99"])
def test_a_toll_free_line_is_known_however_the_trunk_writes_it(text: str) -> None:
    assert canonical(text, "RU") == "+78007707999"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+380441234567", "+380441234567"),
        ("81049301234567", "+49301234567"),
        ("004930123456", "+4930123456"),
        ("77172123456", "+77172123456"),
    ],
)
def test_numbers_from_abroad_keep_their_country(text: str, number: str) -> None:
    assert e164(text, "RU") == number


@pytest.mark.parametrize(
    "text", ["", "1001", "112", "anonymous", "8-800-FLOWERS", "٨٨٠٠٧٧٠٧٩٩٩", "+", "0", "79161234567;x", "9" * 40]
)
def test_what_is_no_public_number_stays_as_it_is(text: str) -> None:
    assert e164(text, "RU") is None
    assert canonical(text, "RU") == text


def test_a_national_form_means_the_number_of_the_configured_country() -> None:
    assert e164("020 7946 0018", "GB") == "+442079460018"
    assert e164("020 7946 0018", "RU") != "+442079460018"


@pytest.mark.parametrize(
    ("style", "at_home", "abroad"),
    [
        ("e164", "+79161234567", "+49301234567"),
        ("digits", "79161234567", "49301234567"),
        ("national", "89161234567", "81049301234567"),
    ],
)
def test_a_trunk_gets_numbers_in_the_form_it_wants(style: NumberFormat, at_home: str, abroad: str) -> None:
    assert written("+79161234567", style, "RU") == at_home
    assert written("+49301234567", style, "RU") == abroad


def test_what_is_written_for_a_trunk_comes_back_as_the_same_number() -> None:
    for style in ("e164", "digits", "national"):
        assert e164(written("+78123334455", style, "RU"), "RU") == "+78123334455"  # type: ignore[arg-type]


def test_an_extension_is_written_as_it_is() -> None:
    assert written("1001", "national", "RU") == "1001"
