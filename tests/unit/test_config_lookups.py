"""Lookups as they are configured: what addresses may be, how a journey tells of them, and what a drawing shows."""

from pathlib import Path

import pytest

from ccserver.config.diff import differences
from ccserver.config.errors import QuestionError
from ccserver.config.explain import explain_call
from ccserver.config.graph import dot_text, flow_named
from ccserver.config.lookupcheck import _address_flaw
from ccserver.config.lookupsecret import secret_of
from ccserver.config.running import running_of
from ccserver.config.walk import walk_call
from ccserver.core.ids import LookupName
from ccserver.core.lookup import Lookup
from tests.config_site import Site

LINE = "88007707999"
SHOP = """
[[lookups]]
name = "shop"
url = "https://shop.example.ru/orders/{order}"
timeout_s = 4

[lookups.fields]
status = { at = "status" }
total = { at = "total", kind = "money" }
"""
STEPS = """
[steps.number]
do = "collect"
prompts = ["no-input"]
variable = "order"
next = "ask"
otherwise = "operator"

[steps.ask]
do = "lookup"
lookup = "shop"
found = "what"
not_found = "menu"
failed = "operator"

[steps.what]
do = "branch"
variable = "status"
cases = { sent = "sum" }
otherwise = "operator"

[steps.sum]
do = "hangup"
prompts = ["money:{total}"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.append("ccserver.toml", SHOP)
    site.change("nordlis.toml", '3 = "hours"', '3 = "number"')
    site.append("nordlis.toml", STEPS)
    return site


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("https://shop/orders/{order}?by={ani}", ""),
        ("http://127.0.0.1:8000/", ""),
        ("https://{order}.shop/", "which computer is asked"),
        ("https://user:word@shop/", "do not belong"),
        ("https://shop/{Order}", 'got "{Order}"'),
        ("https://shop/{order", 'got "{order"'),
        ("https://shop:many/", "is no address"),
        ("https://[::1/", "is no address"),
    ],
)
def test_an_address_names_one_computer_and_has_variables_behind_it_alone(url: str, flaw: str) -> None:
    found = _address_flaw(url)
    assert flaw in found and bool(found) == bool(flaw)


def test_a_configuration_with_a_lookup_has_nothing_to_complain_of(site: Site) -> None:
    assert [line for line in site.warnings() if "hours" not in line] == []
    step = site.load().plan.flows["nordlis"].steps["ask"]  # type: ignore[index]
    assert (step.asks, step.brings) == (("order",), ("status", "total"))  # type: ignore[union-attr]


def told(site: Site, keys: str) -> list[str]:
    return [line[6:].strip() for line in walk_call(site.load(), LINE, None, keys).splitlines()]


def test_a_journey_supposes_what_it_is_told(site: Site) -> None:
    story = told(site, "3,12#")
    asked = story.index(
        "ask: Asks shop (https://shop.example.ru/orders/{order}); the caller hears silence, 4 s at most."
    )
    assert story[asked + 1] == 'ask: supposed: found, with status = "text", total = "1250.00"'
    assert story[asked + 2] == 'what: status is "text"'
    story = told(site, "3,12#,status=sent,total=3.50")
    assert any("три рубля пятьдесят копеек" in line or "3.50 as an amount" in line for line in story)
    assert any(line.startswith("ask: supposed: failed") for line in told(site, "3,12#,failed"))
    assert any(line.startswith("menu: hears") for line in told(site, "3,12#,not_found")[8:])


def test_a_journey_with_a_field_that_the_lookup_has_not_is_refused(site: Site) -> None:
    with pytest.raises(QuestionError, match="step ask has no field colour; it has status"):
        walk_call(site.load(), LINE, None, "3,12#,colour=red")


def test_a_call_is_explained_with_the_lookup(site: Site) -> None:
    story = explain_call(site.load(), LINE)
    assert "Asks shop (https://shop.example.ru/orders/{order}); the caller hears silence, 4 s at most." in story
    assert "Not found: menu." in story and "No answer in time, or none that makes sense: operator." in story


def test_the_drawing_has_the_lookup_and_its_ways(site: Site) -> None:
    config = site.load()
    dot = dot_text(flow_named(config.plan, "nordlis"), config.plan, config.prompts, {})
    assert "looks up" in dot and '"ask" -> "menu" [label=< not found >' in dot
    assert '"ask" -> "what" [label=< <B>found</B> >' in dot


def test_a_change_is_told_by_the_lookups_name(site: Site) -> None:
    before = site.load()
    site.change("ccserver.toml", "timeout_s = 4", "timeout_s = 2")
    site.change("ccserver.toml", "orders/{order}", "order/{order}")
    after = site.load()
    changes = differences(before.plan, running_of(before), after.plan, running_of(after))
    assert [str(change) for change in changes] == [
        'lookups.shop.url: "https://shop.example.ru/orders/{order}" -> "https://shop.example.ru/order/{order}"',
        "lookups.shop.timeout_s: 4 -> 2",
    ]


def test_a_secret_is_read_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_file = Lookup(LookupName("shop"), "https://shop/", secret_file="token")
    (tmp_path / "token").write_text("one\n")
    assert secret_of(by_file, tmp_path) == "one"
    (tmp_path / "token").write_text("two\r\n")
    assert secret_of(by_file, tmp_path) == "two"
    (tmp_path / "token").write_text("")
    with pytest.raises(ValueError, match="on one line"):
        secret_of(by_file, tmp_path)
    by_variable = Lookup(LookupName("shop"), "https://shop/", secret_variable="CCSERVER_TEST_TOKEN")
    with pytest.raises(ValueError, match="CCSERVER_TEST_TOKEN is not set"):
        secret_of(by_variable, tmp_path)
    monkeypatch.setenv("CCSERVER_TEST_TOKEN", "three")
    assert secret_of(by_variable, tmp_path) == "three"
    assert secret_of(Lookup(LookupName("shop"), "https://shop/"), tmp_path) == ""
