"""Flows that call one another, in files: what the checks say, how a call is walked, explained and drawn."""

from pathlib import Path

import pytest

from ccserver.config.explain import explain_call
from ccserver.config.graph import dot_text
from ccserver.config.load import Config
from ccserver.config.walk import walk_call
from ccserver.core.ids import FlowName
from tests.config_site import Site

COMMON = """
start = "ask"
[steps.ask]
do = "collect"
prompts = ["no-input"]
variable = "order"
next = "back"
otherwise = "back"
[steps.back]
do = "return"
"""
MAIN = """
start = "identify"
[steps.identify]
do = "call"
flow = "identify"
next = "told"
[steps.told]
do = "hangup"
prompts = ["digits:{order}", "goodbye"]
"""
LINE = "88007707999"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.file("nordlis.toml").write_text(MAIN)
    made.file("identify.toml").write_text(COMMON)
    return made


def test_a_flow_that_only_another_calls_is_in_order_and_its_variables_are_known_to_both(site: Site) -> None:
    config: Config = site.load()
    assert not [str(each) for each in config.warnings if "identify" in str(each) or "nordlis.toml" in str(each)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'flow = "identify"',
            'flow = "identfy"',
            'steps.identify.flow: there is no flow "identfy"; did you mean "identify"?',
        ),
        ('flow = "identify"', 'flow = "nordlis"', "steps.identify.flow: the flow nordlis calls itself"),
        ('next = "told"', 'next = "tolld"', 'steps.identify.next: there is no step "tolld"; did you mean "told"?'),
        (
            'do = "call"\nflow = "identify"\nnext = "told"',
            'do = "goto"\nflow = "identify"\nstep = "asks"',
            'steps.identify.step: the flow identify has no step "asks"; did you mean "ask"?',
        ),
    ],
)
def test_a_call_that_leads_nowhere_is_told_with_line_and_field(site: Site, old: str, new: str, told: str) -> None:
    site.change("nordlis.toml", old, new)
    assert any(told in line for line in site.complaints()), site.complaints()


def test_flows_that_call_each_other_in_a_roundabout_way_are_refused(site: Site) -> None:
    site.change("identify.toml", 'do = "return"', 'do = "goto"\nflow = "nordlis"')
    assert any("the flow nordlis calls itself" in line for line in site.complaints())


def test_a_silent_circle_across_flows_is_refused(site: Site) -> None:
    site.change("nordlis.toml", 'do = "hangup"', 'do = "say"\nnext = "identify"')
    (error,) = [line for line in site.complaints() if "goes round for ever" in line]
    assert "identify.ask" in error


def test_a_prompt_is_missed_in_the_language_of_the_flow_that_calls(site: Site) -> None:
    site.change("identify.toml", '"no-input"', '"no-inputt"')
    assert any("identify.toml" in line and "no-inputt" in line for line in site.complaints())


def test_who_walks_through_a_call_hears_both_flows(site: Site) -> None:
    story = walk_call(site.load(), LINE, "2026-06-01T12:00", "12#")
    assert "identify: on to the flow identify" in story
    assert "identify.ask: hears" in story and "identify.back: back" in story
    assert "told: hears 12" in story


def test_the_explanation_tells_of_the_called_flow_and_where_it_goes_back(site: Site) -> None:
    story = explain_call(site.load(), LINE, "2026-06-01T12:00")
    assert "Runs the flow identify. Then: told." in story
    assert "ask of identify, in ru:" in story and "Back to told of nordlis." in story


def test_both_drawings_show_the_call(site: Site) -> None:
    config = site.load()
    drawn = {
        name: dot_text(config.plan.flows[FlowName(name)], config.plan, config.prompts, {})
        for name in ("nordlis", "identify")
    }
    assert "identify" in drawn["nordlis"] and "from nordlis" in drawn["identify"]
