"""The how-to pages, done word for word on the demo's files: what an admin copies from them is right, and checked in silence."""

import re
import textwrap
from pathlib import Path

import pytest

from ccserver.config.explain import explain_call
from ccserver.config.walk import walk_call
from ccserver.core.ids import LineNumber
from tests.config_site import CHECKOUT, Site

MENU_KEYS = re.compile(r'keys = \{ 1 = "orders", .*\}')


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def snippets(page: str) -> list[str]:
    """The indented blocks of a how-to, in their order."""
    text = (CHECKOUT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^(?: {4,}|\t).*\n(?:\n(?= {4}))?)+", text, re.MULTILINE)
    return [textwrap.dedent(block).strip() + "\n" for block in blocks]


def snippet(page: str, begins: str) -> str:
    """The one that begins so."""
    (found,) = [block for block in snippets(page) if block.startswith(begins)]
    return found


def test_a_line_is_added(site: Site) -> None:
    site.append("ccserver.toml", "\n" + snippet("add-a-line", "[[lines]]"))
    assert site.warnings() == []
    assert "presses 1" in walk_call(site.load(), "88002000600", None, "1")


def test_a_line_of_another_number_is_handed_over_by_the_extension_that_the_page_shows(site: Site) -> None:
    line = snippet("add-a-line", "[[lines]]").replace("88002000600", "74951234567")
    site.append("ccserver.toml", "\n" + line)
    assert "no extension in *.conf" in site.warnings()[0]
    site.append("lines.conf", "\n" + snippet("add-a-line", "exten"))
    assert site.warnings() == []


def test_an_operator_is_told_first_which_line_it_is(site: Site) -> None:
    line, whisper = snippet("add-a-line", "[[lines]]"), snippet("add-a-line", "whisper")
    site.append("ccserver.toml", "\n" + line + whisper)
    site.append("prompts.toml", "\n" + snippet("add-a-line", "[spring-sale]"))
    assert site.warnings() == []
    assert site.load().plan.lines[LineNumber("88002000600")].whisper == ("spring-sale",)


def test_numbers_are_kept_out(site: Site) -> None:
    site.append("ccserver.toml", "\n" + snippet("emergencies", "[[blocked]]"))
    assert site.warnings() == []
    assert site.load().plan.blocked[0].numbers == ("+79161234567", "+7809")


def test_a_key_is_added_to_a_menu(site: Site) -> None:
    site.append("prompts.toml", "\n" + snippet("change-a-menu", "[nordlis-returns]"))
    keys, _, step = snippet("change-a-menu", "keys = ").partition("\n")
    old = MENU_KEYS.search(site.file("nordlis.toml").read_text())
    assert old is not None
    site.change("nordlis.toml", old[0], keys)
    site.append("nordlis.toml", step)
    assert site.warnings() == []
    assert "nordlis-returns" in walk_call(site.load(), "88007707999", None, "4")


def test_callers_are_told_the_status_of_their_order(site: Site) -> None:
    site.append("ccserver.toml", "\n" + snippet("order-status", "[[lookups]]"))
    site.append("prompts.toml", "\n" + snippet("order-status", "[order-ask]"))
    old = MENU_KEYS.search(site.file("nordlis.toml").read_text())
    assert old is not None
    site.change("nordlis.toml", old[0], snippet("order-status", "keys = "))
    site.append("nordlis.toml", "\n" + snippet("order-status", "[steps.order-number]"))
    assert site.warnings() == []
    journeys = [line.split()[-1] for line in snippet("order-status", "ccserver check --call").splitlines()]
    heard = [walk_call(site.load(), "88007707999", None, keys) for keys in journeys]
    assert "money:1250.00 RUB" in heard[0] and "(order-unknown)" in heard[1] and "orders: Waits in queue" in heard[2]


def test_a_flow_and_the_dialplan_hand_callers_to_each_other(site: Site) -> None:
    site.file("own.conf").write_text(
        snippet("own-dialplan", "[loyalty]") + "\n" + snippet("own-dialplan", "[lines]"), encoding="utf-8"
    )
    site.append("nordlis.toml", "\n" + snippet("own-dialplan", "[steps.card]"))
    old = MENU_KEYS.search(site.file("nordlis.toml").read_text())
    assert old is not None
    site.change("nordlis.toml", old[0], old[0].replace('3 = "hours"', '3 = "hours", 4 = "card"'))
    assert site.warnings() == []
    keys = snippet("own-dialplan", "ccserver check --call").split()[-1]
    assert "operator: Waits in queue" in walk_call(site.load(), "88007707999", None, keys)
    assert "orders: Waits in queue" in walk_call(site.load(), "88007707999", None, "4")


def test_a_function_decides(site: Site) -> None:
    site.file("loyalty.py").write_text(snippet("functions", "def level"), encoding="utf-8")
    site.append("nordlis.toml", "\n" + snippet("functions", "[steps.loyalty]"))
    old = MENU_KEYS.search(site.file("nordlis.toml").read_text())
    assert old is not None
    site.change("nordlis.toml", old[0], old[0].replace('3 = "hours"', '3 = "hours", 4 = "loyalty"'))
    assert site.warnings() == []
    keys = snippet("functions", "ccserver check --call").split()[-1]
    assert "operator: Waits in queue" in walk_call(site.load(), "88007707999", None, keys)
    assert "def level" in site.load().plan.functions["loyalty"]


def test_opening_hours_and_a_holiday_are_added(site: Site) -> None:
    calendar = snippet("opening-hours", "[[calendars]]")
    days = [block for block in snippets("opening-hours") if block.startswith("days = ")]
    assert len(days) == 2
    site.append("ccserver.toml", "\n" + calendar + days[0])
    start, _, steps = snippet("opening-hours", 'start = "open-now"').partition("\n")
    queue = snippet("opening-hours", "[steps.orders]")
    for flow in ("nordlis.toml", "velmira.toml"):
        site.change(flow, 'start = "greeting"', start)
        site.append(flow, steps)
    site.change("nordlis.toml", '[steps.orders]\ndo = "queue"\nqueue = "orders"\n', queue)
    assert site.warnings() == []
    assert "it closes on Thursday 18:00" in walk_call(site.load(), "88007707999", "2026-12-31T17:59", "1")
    site.change("ccserver.toml", days[0], days[1])
    assert site.warnings() == []
    assert "closed for a holiday" in explain_call(site.load(), "88007707999", "2027-02-23T12:00")


def test_an_operator_is_added(site: Site) -> None:
    site.append("ccserver.toml", "\n" + snippet("add-an-operator", "[[operators]]"))
    assert site.warnings() == []
    assert "1011" in site.load().plan.operators
