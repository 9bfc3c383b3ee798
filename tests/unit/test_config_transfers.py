"""What a `transfer` step means, by whom or what it names."""

from pathlib import Path

import pytest

from ccserver.config.explain import explain_call
from ccserver.config.graph import dot_text, flow_named
from ccserver.config.walk import walk_call
from ccserver.core.steps import Enqueue, Forward, GoTo, Step
from tests.config_site import Site

LINE = "88007707999"


def handed(tmp_path: Path, to: str) -> Site:
    site = Site(tmp_path)
    site.change("nordlis.toml", '3 = "hours"', '3 = "on"')
    site.append("nordlis.toml", f'\n[steps.on]\ndo = "transfer"\nto = "{to}"\nwait_s = 12\notherwise = "operator"\n')
    return site


def meaning(site: Site) -> Step:
    return site.load().plan.flows["nordlis"].steps["on"]  # type: ignore[index]


def test_an_operators_extension_is_a_wait_for_him_alone_in_the_first_of_his_queues(tmp_path: Path) -> None:
    step = meaning(site := handed(tmp_path, "1002"))
    assert isinstance(step, Enqueue)
    assert (step.queue, step.agent, step.max_wait_s, step.otherwise) == ("orders", "1002", 12, "operator")
    assert (step.nobody, step.nobody_after_s) == ("operator", 0)
    assert "1 could take it when ready: 1002" in walk_call(site.load(), LINE, None, "3")


def test_a_queue_is_a_wait_in_it(tmp_path: Path) -> None:
    step = meaning(handed(tmp_path, "service"))
    assert isinstance(step, Enqueue) and (step.queue, step.agent, step.max_wait_s) == ("service", None, 12)


@pytest.mark.parametrize("to", ["88007004666", "+78007004666"])
def test_a_line_is_its_flow(tmp_path: Path, to: str) -> None:
    site = handed(tmp_path, to)
    step = meaning(site)
    assert isinstance(step, GoTo) and (step.flow, step.line) == ("velmira", "88007004666")
    assert "on to the flow velmira" in walk_call(site.load(), LINE, None, "3")


def test_a_public_number_is_somebody_outside(tmp_path: Path) -> None:
    site = handed(tmp_path, "84951234567")
    step = meaning(site)
    assert step == Forward("+74951234567", otherwise="operator", ring_s=12)  # type: ignore[arg-type]
    config = site.load()
    assert "Calls +74951234567" in walk_call(config, LINE, None, "3")
    assert "no answer within 12 s of ringing: operator." in explain_call(config, LINE)
    assert "+74951234567" in dot_text(flow_named(config.plan, "nordlis"), config.plan, config.prompts, {})
