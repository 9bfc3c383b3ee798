"""Lines: brand and source, own hours and what becomes of calls outside them, and when callers are answered."""

from pathlib import Path

import pytest

from ccserver.config.check import check
from ccserver.config.explain import explain_call
from ccserver.config.walk import walk_call
from ccserver.core.ids import LineNumber
from tests.config_site import Site

NUMBER = 'number = "88007707999"\n'
MORNING, EVENING = "2026-06-01T07:00", "2026-06-01T20:00"
GREETING = 'do = "say"'
ANNOUNCED = "[steps.greeting]\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def told(site: Site) -> str:
    """All errors and warnings."""
    return "\n".join(map(str, check(site.dialplans, state_dir=site.root / "var")))


def set_line(site: Site, *settings: str) -> int:
    """On the demo's first line; returns the first's line in the file."""
    return site.change("ccserver.toml", NUMBER, NUMBER + "".join(f"{setting}\n" for setting in settings)) + 1


def test_a_line_has_a_brand_and_a_source(site: Site) -> None:
    set_line(site, 'brand = "Норд"', 'source = "осенняя рассылка"')
    config = site.load()
    line = config.plan.lines[LineNumber("88007707999")]
    assert (line.brand, line.source) == ("Норд", "осенняя рассылка")
    assert "brand Норд, source осенняя рассылка." in explain_call(config, "88007707999", EVENING)


def test_a_closed_line_that_refuses_is_told_by_check_call(site: Site) -> None:
    site.with_calendar()
    set_line(site, 'calendar = "shop"', 'closed = "busy"')
    config = site.load()
    story = explain_call(config, "88007707999", MORNING)
    assert "refused (busy) unanswered" in story and "greeting" not in story
    assert walk_call(config, "88007707999", MORNING, "1") == story
    assert "greeting, in ru" in explain_call(config, "88007707999", EVENING)


def test_a_closed_line_may_have_a_flow_for_it(site: Site) -> None:
    site.with_calendar()
    set_line(site, 'calendar = "shop"', 'closed = "night"', 'answer = "when_needed"')
    site.append(
        "night.toml", 'start = "sorry"\n[steps.sorry]\ndo = "hangup"\nprompts = ["line-closed"]\ncause = "reject"\n'
    )
    walked = walk_call(site.load(), "88007707999", MORNING, "")
    assert "The line is closed then, and the flow night (night.toml) serves it" in walked
    assert "is hung up on (reject). The end. Nobody was answered, nobody pays." in walked


def test_check_call_tells_where_a_caller_is_answered(site: Site) -> None:
    set_line(site, 'answer = "when_needed"')
    walked = walk_call(site.load(), "88007707999", EVENING, "").splitlines()
    answered = next(number for number, told in enumerate(walked) if "is answered: from here on" in told)
    assert "greeting: hears" in "".join(walked[:answered]) and "menu: hears" in walked[answered + 1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (('calendar = "shop"',), "lines[0].closed: is missing: expected busy, reject or the flow"),
        (('closed = "busy"',), "lines[0].calendar: is missing: expected its hours"),
        (('calendar = "shp"', 'closed = "busy"'), 'there is no calendar "shp"; did you mean "shop"?'),
        (('calendar = "shop"', 'closed = "bussy"'), 'there is no flow "bussy"; did you mean "busy"?'),
        (('answer = "never"',), "lines[0].answer: expected one of"),
        (('source = "a\\tb"',), "lines[0].source: expected a text of at most 80 characters on one line"),
    ],
)
def test_a_line_that_cannot_be_is_an_error(site: Site, settings: tuple[str, ...], said: str) -> None:
    site.with_calendar()
    set_line(site, *settings)
    assert said in told(site)


def test_a_flow_may_not_be_called_as_a_refusal_is(site: Site) -> None:
    site.append("busy.toml", 'start = "a"\n[steps.a]\ndo = "hangup"\n')
    assert "this one means a refused call" in told(site)


def test_a_menu_before_the_answer_is_warned_of_where_only_operators_answer(site: Site) -> None:
    set_line(site, 'answer = "operator"')
    assert "many networks carry no keys before" in told(site)
    site.change("nordlis.toml", ANNOUNCED, f'[steps.pick-up]\ndo = "answer"\nnext = "greeting"\n\n{ANNOUNCED}')
    site.change("nordlis.toml", 'start = "greeting"', 'start = "pick-up"')
    assert "carry no keys" not in told(site)


def test_busy_that_nobody_can_be_told_and_an_answer_that_answers_nobody_are_warned_of(site: Site) -> None:
    site.change("nordlis.toml", ANNOUNCED, f'[steps.pick-up]\ndo = "answer"\nnext = "greeting"\n\n{ANNOUNCED}')
    site.change("nordlis.toml", 'start = "greeting"', 'start = "pick-up"')
    site.change("nordlis.toml", 'do = "hangup"', 'do = "hangup"\ncause = "busy"')
    assert "has been answered, and nobody is told busy" in told(site)
    assert "everybody who comes here has been answered already" in told(site)


def test_a_long_wait_unanswered_is_warned_of(site: Site) -> None:
    set_line(site, 'answer = "operator"')
    site.change("nordlis.toml", 'start = "greeting"', 'start = "orders"')
    assert "networks end such a call after one to three minutes" in told(site)


def test_the_demo_has_nothing_to_warn_of(site: Site) -> None:
    assert told(site) == ""
