"""Opening hours as admins write them: what they become, and every mistake with its line."""

from pathlib import Path

import pytest

from ccserver.core.calendar import Span
from ccserver.core.ids import CalendarName
from tests.config_site import Site
from tests.unit.test_config_explain import part, told

WEEK = 'week = { mon-sun = "10:00-05:00" }'
DAYS = "days = {}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.with_calendar()
    return made


def calendar(
    site: Site, week: str, days: str = "{}"
) -> tuple[dict[str, tuple[Span, ...]], dict[str, tuple[Span, ...]]]:
    site.change("ccserver.toml", WEEK, f"week = {week}")
    site.change("ccserver.toml", DAYS, f"days = {days}")
    frozen = site.load().plan.calendars[CalendarName("shop")]
    return dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), frozen.week, strict=True)), dict(frozen.days)


def test_rows_of_weekdays_spans_past_midnight_and_days_off(site: Site) -> None:
    week, _ = calendar(site, '{ mon-thu = "09:00-13:00,14:00-18:00", fri = "22:30-06:00", sat-sun = "closed" }')
    assert week["mon"] == week["thu"] == (Span(540, 780), Span(840, 1080))
    assert week["fri"] == (Span(1350, 1800),)
    assert week["sat"] == week["sun"] == ()


def test_a_row_of_weekdays_may_reach_over_sunday_and_a_day_may_be_whole(site: Site) -> None:
    week, _ = calendar(site, '{ sat-mon = "00:00-24:00", tue-fri = "closed" }')
    assert [name for name, spans in week.items() if spans == (Span(0, 1440),)] == ["mon", "sat", "sun"]


def test_dates_days_of_every_year_and_rows_of_both(site: Site) -> None:
    _, days = calendar(
        site,
        '{ mon-sun = "closed" }',
        '{ "2026-12-31" = "10:00-18:00", "2027-01-02..2027-01-04" = "closed", "02-28..03-01" = "closed" }',
    )
    assert days == {
        "2026-12-31": (Span(600, 1080),),
        **{f"2027-01-0{day}": () for day in (2, 3, 4)},
        **dict.fromkeys(("02-28", "02-29", "03-01"), ()),
    }


@pytest.mark.parametrize(
    ("week", "days", "complaint"),
    [
        (
            '{ mon-sat = "10:00-20:00" }',
            "{}",
            'calendars[0].week: tells nothing of sun: write their hours, or "closed"',
        ),
        (
            '{ mon-sun = "10:00-20:00", wed = "closed" }',
            "{}",
            "calendars[0].week.wed: wed is told already by mon-sun",
        ),
        ('{ mon-sun = "10-20" }', "{}", 'calendars[0].week.mon-sun: expected "closed", or hours like "10:00-05:00"'),
        ('{ mon-sun = "25:00-26:00" }', "{}", 'calendars[0].week.mon-sun: expected "closed", or hours like'),
        ('{ mon-sun = "" }', "{}", 'calendars[0].week.mon-sun: expected "closed", or hours like'),
        ('{ monday = "closed" }', "{}", "calendars[0].week.monday: expected mon, tue, wed, thu, fri, sat, sun"),
        (
            '{ mon-sun = "10:00-14:00, 13:00-20:00" }',
            "{}",
            'calendars[0].week.mon-sun: the spans of "10:00-14:00, 13:00-20:00" overlap',
        ),
        (
            '{ mon-sun = "10:00-10:00" }',
            "{}",
            'calendars[0].week.mon-sun: begins and ends at the same time: for the whole day write "00:00-24:00"',
        ),
        (
            '{ mon-sun = "closed" }',
            '{ "2026-02-30" = "closed" }',
            'calendars[0].days.2026-02-30: "2026-02-30" is no day, or no row of at most 366 days',
        ),
        (
            '{ mon-sun = "closed" }',
            '{ "2027-01-08..2027-01-02" = "closed" }',
            'calendars[0].days."2027-01-08..2027-01-02": "2027-01-08..2027-01-02" is no day, or no row',
        ),
        ('{ mon-sun = "closed" }', '{ "2026-01-01..01-08" = "closed" }', 'calendars[0].days."2026-01-01..01-08": '),
        (
            '{ mon-sun = "closed" }',
            '{ "2027-01-01..2027-01-03" = "closed", "2027-01-02" = "10:00-12:00" }',
            'calendars[0].days.2027-01-02: 2027-01-02 is told already by "2027-01-01..2027-01-03"',
        ),
        (
            '{ mon-sun = "closed" }',
            '{ "new year" = "closed" }',
            'calendars[0].days."new year": expected a date like "2026-12-31"',
        ),
    ],
)
def test_every_mistake_is_told_with_its_place(site: Site, week: str, days: str, complaint: str) -> None:
    line = site.change("ccserver.toml", WEEK, f"week = {week}")
    site.change("ccserver.toml", DAYS, f"days = {days}")
    told, *more = site.complaints()
    assert not more
    place, _, said = told.partition(" ")
    assert place in {f"ccserver.toml:{line}:", f"ccserver.toml:{line + 1}:"}
    assert said.startswith(complaint)


def with_branch(site: Site, cases: str, more: str = "") -> int:
    """The flow begins with a branch by the calendar `shop`; returns its line."""
    site.change("nordlis.toml", 'start = "greeting"', 'start = "hours-now"')
    return site.append(
        "nordlis.toml",
        f'[steps.hours-now]\ndo = "branch"\n{more or "calendar = " + chr(34) + "shop" + chr(34)}\ncases = {{ {cases} }}\n'
        'otherwise = "closed"\n[steps.closed]\ndo = "hangup"\nprompts = ["line-closed"]\n',
    )


@pytest.mark.parametrize(
    ("cases", "more", "complaint"),
    [
        ('opened = "greeting"', "", 'cases.opened: "opened" is no state of a calendar; did you mean "open"?'),
        ('open = "greeting"', 'calendar = "shoppe"', 'calendar: there is no calendar "shoppe"; did you mean "shop"?'),
        ('open = "greeting"', 'calendar = "shop"\nvariable = "ani"', "expected either `variable` or `calendar`"),
        ('open = "greeting"', " ", "expected either `variable` or `calendar`"),
    ],
)
def test_a_branch_by_a_calendar_must_make_sense(site: Site, cases: str, more: str, complaint: str) -> None:
    with_branch(site, cases, more)
    complaints = [said.split(" ", 1)[1].removeprefix("steps.hours-now").lstrip(".: ") for said in site.complaints()]
    assert any(said.startswith(complaint) for said in complaints)


def test_check_says_whether_it_is_open_at_that_time_and_goes_that_way_only(site: Site) -> None:
    with_branch(site, 'open = "greeting"')
    config = site.load()
    story = told(config, "88007707999")  # on 31 December 2026 at 23:50
    assert "The calendar shop is open then; it closes on Friday 05:00, Europe/Moscow." in story
    assert part(story, "hours-now, in ru") == ['If the calendar shop is "open": greeting.']
    assert "closed, in ru:" not in story
    site.change("ccserver.toml", DAYS, 'days = { "2026-12-31" = "closed" }')
    story = told(site.load(), "88007707999")
    assert "The calendar shop is closed for a holiday then; it opens on Friday 10:00, Europe/Moscow." in story
    assert part(story, "hours-now, in ru") == ["Otherwise: closed."]


def test_both_ways_of_a_calendar_are_checked_whatever_time_it_is(site: Site) -> None:
    with_branch(site, 'open = "greeting"')
    (warning,) = site.warnings()
    assert "its flow velmira asks no calendar" in warning
    site.change("nordlis.toml", '"line-closed"', '"line-close"')
    assert site.complaints()[0].endswith('there is no prompt "line-close" in prompts.toml; did you mean "line-closed"?')


@pytest.mark.parametrize(("given", "missing"), [('calendar = "shop"', "closed"), ('closed = "goodbye"', "calendar")])
def test_a_queue_step_has_its_hours_and_their_end_or_neither(site: Site, given: str, missing: str) -> None:
    line = site.change("nordlis.toml", "[steps.orders]", f"[steps.orders]\n{given}")
    (complaint,) = site.complaints()
    assert complaint.startswith(f"nordlis.toml:{line}: steps.orders.{missing}: is missing")
