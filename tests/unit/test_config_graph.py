"""The drawing of a flow: every step and every way is on it, and nothing that is written breaks it."""

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ccserver.config.errors import QuestionError
from ccserver.config.graph import dot_text, flow_named, svg
from ccserver.config.load import Config
from ccserver.core.ids import StepName
from tests.config_site import CHECKOUT, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def drawn(config: Config, name: str = "nordlis", callers: dict[StepName, int] | None = None) -> str:
    return dot_text(flow_named(config.plan, name), config.plan, config.prompts, callers or {})


def test_every_step_and_every_way_is_there(site: Site) -> None:
    config = site.load()
    dot = drawn(config)
    steps = set(config.plan.flows["nordlis"].steps)  # type: ignore[index]
    assert set(re.findall(r'(?m)^  "([\w-]+)" \[label=', dot)) == steps
    arrows = set(re.findall(r'(?m)^  "([\w-]+)" -> "([\w-]+)"', dot))
    assert {("greeting", "menu"), ("menu", "orders"), ("menu", "english"), ("menu-again", "menu")} <= arrows
    assert {("orders", "voicemail"), ("voicemail", "goodbye"), ("menu-english", "menu-english")} <= arrows
    assert '"menu" -> "operator" [label=< <B>0, 3× nothing or wrong</B> >];' in dot
    assert '"orders" -> "voicemail" [label=< nobody in 900 s >, style=dashed' in dot


def test_callers_stand_where_they_are(site: Site) -> None:
    config = site.load()
    assert "●" not in drawn(config)
    assert drawn(config, callers={StepName("menu"): 12}).count("● 12") == 1


def test_texts_with_markup_and_without_end_do_no_harm(site: Site) -> None:
    site.change("prompts.toml", "Здравствуйте!", '<B>&\\"\\\\N слово-без-конца-' + "оченьдлинно" * 30)
    site.change("ccserver.toml", 'name = "Нордлис"', 'name = "A & <B> -> \\"x\\""')
    site.with_hours()
    dot = drawn(site.load())
    assert "by the calendar shop" in dot
    assert "…" in dot
    if shutil.which("dot"):
        ET.fromstring(svg(dot))


def test_a_flow_that_no_line_uses_is_drawn_too(site: Site) -> None:
    site.append("spare.toml", 'start = "bye"\n[steps.bye]\ndo = "hangup"\nprompts = ["goodbye"]\n')
    assert "no line uses it" in drawn(site.load(), "spare")


def test_a_flow_that_is_none_is_told_with_the_nearest(site: Site) -> None:
    with pytest.raises(QuestionError, match=r'^there is no flow nordlys; did you mean "nordlis"\?$'):
        drawn(site.load(), "nordlys")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_what_graphviz_does_not_understand_is_told() -> None:
    with pytest.raises(QuestionError, match=r"cannot be drawn: .*syntax error"):
        svg("digraph {")


def test_the_drawing_in_the_docs_is_of_the_demo_as_it_is(site: Site) -> None:
    """Drawn anew by: ccserver graph nordlis --svg docs/how-to/nordlis.svg"""
    steps = set(site.load().plan.flows["nordlis"].steps)  # type: ignore[index]
    root = ET.fromstring((CHECKOUT / "docs" / "how-to" / "nordlis.svg").read_text(encoding="utf-8"))
    names = {
        node.find("{*}title").text for node in root.iter("{http://www.w3.org/2000/svg}g") if node.get("class") == "node"
    }  # type: ignore[union-attr]
    assert names - {"(start)"} == steps
