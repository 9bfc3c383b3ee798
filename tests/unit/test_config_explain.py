"""`ccserver check --call NUMBER --at TIME` says what would happen, in words."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ccserver.config.called import moment, reporting_day
from ccserver.config.errors import QuestionError
from ccserver.config.explain import explain_call
from ccserver.config.load import Config
from ccserver.core.ids import FlowName, Language, LineNumber
from ccserver.core.plan import Line
from tests.config_site import Site


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Site(tmp_path).load()


def line(timezone: str = "Europe/Moscow", day_starts_at: str = "05:00") -> Line:
    return Line(
        number=LineNumber("88007707999"),
        name="x",
        flow=FlowName("x"),
        language=Language("ru"),
        timezone=timezone,
        day_starts_at=day_starts_at,
    )


def told(config: Config, number: str) -> list[str]:
    """The story in lines."""
    return explain_call(config, number, "2026-12-31T23:50").splitlines()


def test_the_story_begins_with_the_line_its_day_and_its_flow(config: Config) -> None:
    assert told(config, "88007707999")[:3] == [
        "A call to 88007707999 (Нордлис) on Thursday, 31 December 2026, 23:50, Europe/Moscow.",
        "The reports count it to 2026-12-31 (the day of this line starts at 05:00).",
        "The flow nordlis (nordlis.toml) serves it in language ru, from step greeting.",
    ]


def test_every_step_is_told_once_in_each_language_in_which_callers_come_to_it(config: Config) -> None:
    story = told(config, "8 (800) 700-46-66")
    steps = [heading.rstrip(":") for heading in story[4:] if heading and not heading.startswith(" ")]
    assert steps[:3] == ["greeting, in ru", "menu, in ru", "orders, in ru"]
    assert {"hours, in ru", "hours, in en", "orders-english, in en", "voicemail, in en", "goodbye, in ru"} <= set(steps)
    assert "orders-english, in ru" not in steps
    assert len(steps) == len(set(steps))


BLOCKED = """
[[blocked]]
numbers = ["+7916"]
reason = "calls at night"

[[blocked]]
numbers = ["+79161234567"]
treatment = "velmira"

[[customers]]
numbers = ["+79031112233"]
name = "Ирина"
language = "en"
priority_s = 600
"""


@pytest.mark.parametrize(
    ("caller", "says"),
    [
        (
            "8 916 000-00-00",
            "+7916 is blocked: calls at night: the call is refused (reject) unanswered, and nobody pays.",
        ),
        ("+79161234567", "+79161234567 is blocked; the flow velmira (velmira.toml) serves it in language ru"),
        ("anonymous", "The flow nordlis (nordlis.toml) serves it in language ru"),
        ("+79031112233", "The flow nordlis (nordlis.toml) serves it in language en"),
        (None, "The flow nordlis (nordlis.toml) serves it in language ru"),
    ],
)
def test_who_calls_may_be_blocked_or_known(tmp_path: Path, caller: str | None, says: str) -> None:
    site = Site(tmp_path)
    site.append("ccserver.toml", BLOCKED)
    story = explain_call(site.load(), "88007707999", "2026-12-31T23:50", caller).splitlines()
    assert any(line.startswith(says) for line in story), story[:6]
    assert ("He is known as Ирина, and is served as if waiting 600 s longer than he is." in story) == (
        caller == "+79031112233"
    )


def test_a_caller_who_is_no_number_is_told(config: Config) -> None:
    with pytest.raises(QuestionError, match='expected a caller\'s number, or anonymous, got "Ирина"'):
        explain_call(config, "88007707999", None, "Ирина")


def test_the_survey_of_the_line_is_told_in_each_language_in_which_callers_wait(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.survey("lines")
    story = told(site.load(), "88007707999")
    assert "When the operator has hung up, the flow satisfaction asks how it was." in part(story, "orders, in ru")
    assert part(story, "rate of satisfaction, in en")[1] == "Takes a mark from 1 to 5 as score. Then: thanks."


def part(story: list[str], step: str) -> list[str]:
    """The sentences about a step."""
    start = story.index(f"{step}:") + 1
    end = story.index("", start) if "" in story[start:] else len(story)
    return [sentence.strip() for sentence in story[start:end]]


def test_a_step_says_what_the_caller_hears_and_can_do(config: Config) -> None:
    story = told(config, "88007707999")
    menu = part(story, "menu, in ru")
    assert menu[0].startswith("Says “По вопросам заказа и доставки нажмите один.")
    assert menu[0].endswith("(nordlis-menu)")
    assert menu[2:7] == ["1: orders", "2: service", "3: hours", "0: operator", "* (star): english"]
    assert menu[-1] == "After 3 such failures: operator."
    assert part(story, "hours, in en")[0].startswith("Says “We are open every day")
    assert part(story, "menu-again, in en") == ['If language is "en": menu-english.']
    assert part(story, "english, in ru") == ["Sets the language en. Then: menu-english."]


def test_a_queue_says_who_could_take_the_call(config: Config) -> None:
    queue = part(told(config, "88007707999"), "orders-english, in en")
    assert queue[0] == (
        "Waits in queue orders (Заказы) for an operator with orders at 1 or better and english at 2 or better."
    )
    assert queue[1].startswith("10 could take it when ready: 1001 Анна Соколова, 1002 ")
    assert queue[-1] == "Nobody within 900 s: voicemail."


def test_the_end_of_the_story_is_a_message_and_goodbye(config: Config) -> None:
    story = told(config, "88007707999")
    assert part(story, "voicemail, in ru")[-1] == "Records a message until #, 5 s of silence or 120 s. Then: goodbye."
    assert part(story, "goodbye, in ru")[-1] == "Hangs up."


def test_collected_digits_and_unknown_values_are_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.change("nordlis.toml", 'next = "menu"', 'next = "card"')
    site.append(
        "nordlis.toml",
        '[steps.card]\ndo = "collect"\nprompts = ["no-input", "digits:{ani}", "number:5"]\nvariable = "card"\nsecret = true\n'
        'min_digits = 4\nmax_digits = 4\nretries = 1\nnext = "known"\notherwise = "operator"\n'
        '[steps.known]\ndo = "branch"\nvariable = "card"\ncases = { 1234 = "operator" }\notherwise = "menu"\n',
    )
    story = told(site.load(), "88007707999")
    card = part(story, "card, in ru")
    assert card[1:3] == ["Says {ani} digit by digit.", "Says 5 as a number."]
    assert card[3] == (
        "Takes 4 digits as card; # or 3 s without another ends them. They are secret and never logged. Then: known."
    )
    assert card[-1] == "The second time: operator."
    assert part(story, "known, in ru") == ['If card is "1234": operator.', "Otherwise: menu."]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-12-31T23:50", "2026-12-31 23:50"),
        ("2026-12-31 23:50:30", "2026-12-31 23:50"),
        ("2026-12-31T20:50Z", "2026-12-31 23:50"),
        ("2027-01-01T06:50+10:00", "2026-12-31 23:50"),
        (" 2026-12-31T23:50 ", "2026-12-31 23:50"),
    ],
)
def test_a_time_means_the_lines_zone_unless_it_says_another(at: str, expected: str) -> None:
    assert f"{moment(at, line()):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "at", ["", "now", "31.12.2026 23:50", "2026-12-31T25:00", "9999-12-31T23:59-12:00", "0001-01-01T00:00"]
)
def test_a_time_that_is_none_is_told(at: str) -> None:
    with pytest.raises(QuestionError) as caught:
        explained = moment(at, line())
        reporting_day(explained, line())
    assert "\n" not in str(caught.value)


def test_a_time_that_the_clocks_skip_is_told() -> None:
    with pytest.raises(QuestionError, match=r'^"2026-03-29T02:30" does not exist in Europe/Berlin'):
        moment("2026-03-29T02:30", line("Europe/Berlin"))


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2027-01-01T04:59", date(2026, 12, 31)),
        ("2027-01-01T05:00", date(2027, 1, 1)),
        ("2026-12-31T23:50", date(2026, 12, 31)),
    ],
)
def test_a_night_belongs_to_the_day_before(at: str, day: date) -> None:
    assert reporting_day(moment(at, line()), line()) == day


def test_without_a_time_it_is_now(config: Config) -> None:
    before = datetime.now(ZoneInfo("Europe/Moscow"))
    story = explain_call(config, "88007707999")
    after = datetime.now(ZoneInfo("Europe/Moscow"))
    assert f"{before:%H:%M}" in story.splitlines()[0] or f"{after:%H:%M}" in story.splitlines()[0]


@pytest.mark.parametrize("number", ["8 (800) 770-79-99", "+78007707999", "78007707999", "8007707999"])
def test_a_line_is_found_however_its_number_is_written(config: Config, number: str) -> None:
    assert told(config, number)[0].startswith("A call to 88007707999 (")


def test_a_number_that_is_no_line_is_told_with_the_nearest(config: Config) -> None:
    with pytest.raises(QuestionError) as caught:
        explain_call(config, "88007707998", "2026-12-31T23:50")
    assert str(caught.value) == 'there is no line "88007707998"; did you mean "88007707999"?'
    with pytest.raises(QuestionError, match=r"; there are 88007707999, 88007004666$"):
        explain_call(config, "112", "2026-12-31T23:50")
