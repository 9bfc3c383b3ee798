"""What works and is probably not meant: one fault of each kind planted, each found where it is, and nothing on the demo."""

from pathlib import Path

import pytest

from tests.config_site import HOURS, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_nothing_is_found_on_the_demo_nor_when_its_lines_go_by_opening_hours(site: Site) -> None:
    assert site.warnings() == []
    site.with_hours()
    assert site.warnings() == []


# --- opening hours -----------------------------------------------------------------------------------------------------


def test_a_calendar_that_no_line_goes_by(site: Site) -> None:
    site.with_calendar()
    (warning,) = site.warnings()
    assert warning.startswith("ccserver.toml:")
    assert warning.endswith(": calendars[0]: warning: no line goes by the calendar shop")


def test_a_calendar_of_a_flow_that_no_line_runs_is_not_gone_by_either(site: Site) -> None:
    site.with_calendar()
    site.append("spare.toml", 'start = "now"\n[steps.greeting]\ndo = "hangup"\nprompts = ["goodbye"]\n' + HOURS)
    assert any("no line goes by the calendar shop" in warning for warning in site.warnings())


def test_a_calendar_that_is_never_open(site: Site) -> None:
    site.with_hours()
    site.change("ccserver.toml", '{ mon-sun = "10:00-05:00" }', '{ mon-sun = "closed" }')
    (warning,) = site.warnings()
    assert warning.endswith("calendars[0].week: warning: the calendar shop is never open")
    site.change("ccserver.toml", "days = {}", 'days = { 01-01 = "10:00-20:00" }')
    assert site.warnings() == []


def test_holidays_that_are_all_past(site: Site) -> None:
    site.with_hours()
    site.change(
        "ccserver.toml", "days = {}", 'days = { "2019-12-31" = "closed", "2020-01-07" = "closed", 01-01 = "closed" }'
    )
    (warning,) = site.warnings()
    assert warning.endswith(
        "calendars[0].days: warning: all its dates are past, the last was 2020-01-07: are this year's holidays missing?"
    )
    site.change("ccserver.toml", '"2019-12-31"', '"2999-12-31"')
    assert site.warnings() == []


def test_a_line_that_waits_at_any_hour_while_others_go_by_hours(site: Site) -> None:
    site.with_hours()
    site.change("nordlis.toml", 'start = "now"', 'start = "greeting"')
    site.change("nordlis.toml", HOURS, "")
    (warning,) = site.warnings()
    assert warning.endswith(
        "lines[0].flow: warning: its flow nordlis asks no calendar, as those of other lines do: callers wait at any hour"
    )


def test_a_day_that_begins_in_the_middle_of_a_night_that_is_open(site: Site) -> None:
    site.with_hours()
    line = site.change("ccserver.toml", 'day_starts_at = "05:00"', 'day_starts_at = "00:00"')
    assert site.warnings() == [
        f"ccserver.toml:{line}: lines[0].day_starts_at: warning: the day begins at 00:00, when shop is open "
        "(on mon until 05:00): the reports count that night to two days"
    ]
    site.change("ccserver.toml", '{ mon-sun = "10:00-05:00" }', '{ mon-sun = "00:00-24:00" }')
    assert site.warnings() == []


def test_a_queue_that_holds_its_callers_when_everybody_has_gone_home(site: Site) -> None:
    site.with_hours()
    line = site.change("nordlis.toml", "[steps.orders]", "[steps.orders]")
    text = site.file("nordlis.toml").read_text()
    begin = text.index("max_wait_s = 900", text.index("[steps.orders]"))
    end = text.index("\n\n", begin)
    site.file("nordlis.toml").write_text(text[:begin] + text[end:])
    (warning,) = site.warnings()
    assert warning == (
        f"nordlis.toml:{line}: steps.orders: warning: who still waits when shop closes may wait for ever: "
        "`calendar` and `closed`, or `max_wait_s`, end it"
    )
    site.change("nordlis.toml", "[steps.orders]", '[steps.orders]\ncalendar = "shop"\nclosed = "closed"')
    assert site.warnings() == []


# --- flows -------------------------------------------------------------------------------------------------------------


def test_a_branch_whose_ways_all_lead_to_one_step(site: Site) -> None:
    line = site.change("nordlis.toml", "[steps.menu-again]", "[steps.menu-again]")
    site.change("nordlis.toml", '{ en = "menu-english" }', '{ en = "menu" }')
    assert site.warnings() == [
        f"nordlis.toml:{line}: steps.menu-again: warning: decides nothing: every way leads to menu"
    ]


def test_who_waited_in_vain_and_is_hung_up_on_without_a_word(site: Site) -> None:
    line = site.change("nordlis.toml", 'otherwise = "voicemail"', 'otherwise = "end"')
    site.append("nordlis.toml", '[steps.end]\ndo = "hangup"\n')
    assert site.warnings() == [
        f"nordlis.toml:{line}: steps.orders.otherwise: warning: whoever waited in vain is hung up on without a word"
    ]
    site.append("nordlis.toml", 'prompts = ["goodbye"]\n')
    assert site.warnings() == []


# --- lines and the dialplan --------------------------------------------------------------------------------------------


def test_two_lines_that_are_one_number(site: Site) -> None:
    line = site.append(
        "ccserver.toml", '\n[[lines]]\nnumber = "78007707999"\nname = "x"\nflow = "nordlis"\nlanguage = "ru"\n'
    )
    (complaint,) = site.complaints()
    assert complaint.startswith(
        f'ccserver.toml:{line + 2}: lines[2].number: "78007707999" is taken already by lines[0] on line'
    )


@pytest.mark.parametrize(
    "swallower", ["88007707999", "_8800770799X", "_880077[07]7999", "_88007707ZZZ", "_8800NXXXXX!"]
)
def test_an_extension_that_takes_a_lines_calls_before_they_are_handed_over(site: Site, swallower: str) -> None:
    site.change(
        "lines.conf", "[lines]\n", f"[lines]\nexten => {swallower},1,Answer()\n same => n,Playback(tt-weasels)\n\n"
    )
    warning, *_ = site.warnings()
    assert warning.endswith(
        f"lines[0].number: warning: extension {swallower} of [lines] in lines.conf takes these calls before _8800XXXXXXX "
        "hands them over"
    )


@pytest.mark.parametrize(
    "harmless",
    [
        "exten => _8800.,1,Playback(tt-weasels)",
        "exten => _X.,1,Playback(tt-weasels)",
        "exten => 88007707999,1,Goto(elsewhere,1)",
        "exten => 88007707999,1,NoOp()\n same => n,Stasis(ccserver,line,88007707999)",
        "exten => 88001112233,1,Answer()",
    ],
)
def test_an_extension_that_is_broader_or_goes_on_takes_nothing_away(site: Site, harmless: str) -> None:
    site.change("lines.conf", "[lines]\n", f"[lines]\n{harmless}\n\n")
    assert site.warnings() == []
