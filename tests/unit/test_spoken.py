"""How variables are said, word by word, in Russian and in English, and how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccserver.spoken import KINDS, PAUSE, TONGUES, flaw, lexicon, sounds, spelled, written
from ccserver.spoken.items import NUMBER_MAX
from ccserver.spoken.russian import form_of

GOLDEN = [
    # item, Russian, English
    ("number:0", "ноль", "zero"),
    ("number:11", "одиннадцать", "eleven"),
    ("number:21", "двадцать один", "twenty one"),
    ("number:100", "сто", "one hundred"),
    ("number:1000", "одна тысяча", "one thousand"),
    ("number:2002", "две тысячи два", "two thousand two"),
    ("number:11000", "одиннадцать тысяч", "eleven thousand"),
    ("number:121000", "сто двадцать одна тысяча", "one hundred twenty one thousand"),
    ("number:2000000", "два миллиона", "two million"),
    (
        "number:999999999",
        "девятьсот девяносто девять миллионов девятьсот девяносто девять тысяч девятьсот девяносто девять",
        "nine hundred ninety nine million nine hundred ninety nine thousand nine hundred ninety nine",
    ),
    ("number:-5", "минус пять", "minus five"),
    (
        "money:1250.50 RUB",
        "одна тысяча двести пятьдесят рублей пятьдесят копеек",
        "one thousand two hundred fifty rubles and fifty kopecks",
    ),
    ("money:1 RUB", "один рубль", "one ruble"),
    ("money:2,02", "два рубля две копейки", "two rubles and two kopecks"),
    ("money:21.21 RUB", "двадцать один рубль двадцать одна копейка", "twenty one rubles and twenty one kopecks"),
    ("money:12.14 RUB", "двенадцать рублей четырнадцать копеек", "twelve rubles and fourteen kopecks"),
    ("money:0.01 RUB", "одна копейка", "one kopeck"),
    ("money:0 RUB", "ноль рублей", "zero rubles"),
    ("money:-3.00 RUB", "минус три рубля", "minus three rubles"),
    ("money:1.995 RUB", "два рубля", "two rubles"),
    ("money:22 USD", "двадцать два доллара", "twenty two dollars"),
    ("money:1.02 EUR", "один евро два евроцента", "one euro and two cents"),
    (
        "date:2026-12-31",
        "тридцать первого декабря две тысячи двадцать шестого года",
        "December thirty first twenty twenty six",
    ),
    ("date:2000-01-01", "первого января двухтысячного года", "January first two thousand"),
    ("date:1999-03-03", "третьего марта тысяча девятьсот девяносто девятого года", "March third nineteen ninety nine"),
    ("date:1900-02-20", "двадцатого февраля тысяча девятисотого года", "February twentieth nineteen hundred"),
    ("date:2005-05-30", "тридцатого мая две тысячи пятого года", "May thirtieth two thousand five"),
    ("date:2100-10-12", "двенадцатого октября две тысячи сотого года", "October twelfth twenty one hundred"),
    ("date:05-09", "девятого мая", "May ninth"),
    (
        "date:2026-12-31T10:00:00Z",
        "тридцать первого декабря две тысячи двадцать шестого года",
        "December thirty first twenty twenty six",
    ),
    ("time:14:30", "четырнадцать часов тридцать минут", "two thirty p.m."),
    ("time:01:01", "один час одна минута", "one oh one a.m."),
    ("time:22:22", "двадцать два часа двадцать две минуты", "ten twenty two p.m."),
    ("time:00:00", "ноль часов", "twelve a.m."),
    ("time:12:05", "двенадцать часов пять минут", "twelve oh five p.m."),
    ("digits:4071", "четыре ноль семь один", "four zero seven one"),
    ("digits:1*#", "один звёздочка решётка", "one star pound"),
    (
        "phone:+79160450067",
        "плюс семь девятьсот шестнадцать ноль сорок пять ноль ноль шестьдесят семь",
        "plus seven nine one six zero four five zero zero six seven",
    ),
]


@pytest.mark.parametrize(("item", "russian", "english"), GOLDEN, ids=[item for item, _, _ in GOLDEN])
def test_it_is_said_as_one_says_it(item: str, russian: str, english: str) -> None:
    assert spelled(item, "ru") == russian
    assert spelled(item, "en") == english


@pytest.mark.parametrize(
    ("item", "russian", "english"),
    [
        ("money:1250.50 RUB", "1 250,50 ₽", "₽1,250.50"),
        ("money:-7 USD", "-7 $", "-$7"),
        ("date:2026-12-31", "31 декабря 2026 года", "December 31, 2026"),
        ("date:12-31", "31 декабря", "December 31"),
        ("time:14:05", "14:05", "2:05 p.m."),
        ("number:1234567", "1 234 567", "1,234,567"),
        ("phone:+79161234567", "+7 916 123-45-67", "+7 916 123 45 67"),
        ("digits:0042", "0042", "0042"),
        ("date:soon", "soon", "soon"),
    ],
)
def test_media_that_write_get_it_as_one_writes_it(item: str, russian: str, english: str) -> None:
    assert written(item, "ru") == russian
    assert written(item, "en") == english


@pytest.mark.parametrize(
    "item",
    [
        "number:many",
        "money:5 XYZ",
        "money:",
        "date:2026-02-30",
        "date:1200-01-01",
        "time:25:00",
        "phone:home",
        "digits:",
        "number:½",
    ],
)
def test_what_cannot_be_said_is_a_pause_and_is_told_where_it_stands_in_a_flow(item: str) -> None:
    for language in TONGUES:
        assert sounds(item, language) == (PAUSE,)
        assert flaw(item, language)
        assert flaw(item + "{more}", language) == ""


def test_only_digits_and_numbers_can_be_said_in_other_languages() -> None:
    assert flaw("digits:42", "kk") == "" == flaw("number:42", "kk")
    assert flaw("money:42 RUB", "kk") == "money can be said in ru and en, not in kk"


def test_long_numbers_come_in_groups_none_of_which_is_a_single_digit() -> None:
    heard = sounds("digits:1234567", "ru")
    assert [len(group) for group in "".join("|" if name == PAUSE else "x" for name in heard).split("|")] == [3, 2, 2]


def test_a_number_too_long_for_words_is_said_digit_by_digit() -> None:
    assert spelled("number:1000000000000", "ru") == "один" + " ноль" * 12


# --- the other way round: what a listener understands -------------------------------------------------------------------------

RU_SCALES = {"тысяч": 1000, "миллион": 10**6, "миллиард": 10**9}
EN_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}


def russian_understood(text: str) -> int:
    total = part = 0
    by_word = {
        word: int(name.removeprefix("word-").rstrip("f")) for name, word in lexicon("ru").items() if name[5].isdigit()
    }
    for word in text.split():
        scale = next((size for stem, size in reversed(RU_SCALES.items()) if word.startswith(stem)), None)
        if scale:
            assert form_fits(part, word)
            total, part = total + part * scale, 0
        else:
            part += by_word[word]
    return total + part


def form_fits(number: int, word: str) -> bool:
    endings = {"one": ("а", "н", "д"), "few": ("и", "а"), "many": ("ч", "в")}
    return word.endswith(endings[form_of(number)])


def english_understood(text: str) -> int:
    total = part = 0
    by_word = {word: int(name.removeprefix("word-")) for name, word in lexicon("en").items() if name[5].isdigit()}
    for word in text.split():
        scale = EN_SCALES.get(word)
        if scale == 100:
            part *= 100
        elif scale:
            total, part = total + part * scale, 0
        else:
            part += by_word[word]
    return total + part


@given(st.integers(0, 999_999_999) | st.integers(0, NUMBER_MAX) | st.integers(0, 2000))
def test_every_number_is_understood_as_it_was_meant(number: int) -> None:
    assert russian_understood(spelled(f"number:{number}", "ru")) == number
    assert english_understood(spelled(f"number:{number}", "en")) == number


ITEMS = st.one_of(
    st.from_regex(r"digits:[0-9*#]{1,20}", fullmatch=True),
    st.integers(-NUMBER_MAX, NUMBER_MAX).map("number:{}".format),
    st.builds(
        "money:{}.{:02} {}".format,
        st.integers(-(10**11), 10**11),
        st.integers(0, 99),
        st.sampled_from(["RUB", "USD", "EUR"]),
    ),
    st.dates().map("date:{}".format),
    st.times().map("time:{}".format),
    st.from_regex(r"phone:\+?[0-9]{2,15}", fullmatch=True),
    st.text(max_size=20).map("money:{}".format),
)


@given(ITEMS, st.sampled_from(sorted(TONGUES)))
def test_whatever_is_said_takes_only_words_that_are_built_for_its_kind(item: str, language: str) -> None:
    words = lexicon(language, [item.partition(":")[0]])
    heard = sounds(item, language)
    assert heard and all(name == PAUSE or name in words for name in heard)


def test_every_word_is_needed_by_some_kind() -> None:
    for language in TONGUES:
        assert lexicon(language) == TONGUES[language].lexicon
        assert len(lexicon(language, ["digits"])) == 12


@pytest.mark.parametrize(
    ("form", "numbers"),
    [("one", (1, 21, 101)), ("few", (2, 4, 22, 1002)), ("many", (0, 5, 11, 12, 14, 25, 111, 112))],
)
def test_the_forms_after_a_number(form: str, numbers: tuple[int, ...]) -> None:
    assert {form_of(number) for number in numbers} == {form}


def test_both_languages_know_every_kind() -> None:
    assert set(KINDS) == set(TONGUES["ru"].needs) == set(TONGUES["en"].needs)
