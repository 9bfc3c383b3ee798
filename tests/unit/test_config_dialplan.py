"""Lines that Asterisk's dialplan never hands over: found by reading dialplans/*.conf."""

import re
from pathlib import Path

import pytest

from ccserver.config.dialplan import as_regex
from tests.config_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def warnings_for(site: Site, number: str) -> list[str]:
    site.change("ccserver.toml", "88007004666", number)
    return site.warnings()


def test_a_number_that_no_extension_hands_over_is_a_warning(site: Site) -> None:
    (warning,) = warnings_for(site, "74951234567")
    assert warning.startswith("ccserver.toml:") and "lines[1].number: warning: no extension in *.conf" in warning


@pytest.mark.parametrize("extension", ["74951234567", "_7495XXXXXXX", "_7.", "_7[2-49]9-51!", "_nNzxxxxxxxx"])
def test_an_extension_that_hands_it_over_ends_the_warning(site: Site, extension: str) -> None:
    number = "24951234567" if extension.startswith("_n") else "74951234567"
    site.append("city.conf", f"[city]\nexten => {extension},1,NoOp()\n same => n,Stasis(ccserver,line,${{EXTEN}})\n")
    assert warnings_for(site, number) == []


@pytest.mark.parametrize(
    "dialplan",
    [
        "[city]\nexten => 74951234567,1,Dial(PJSIP/1001)\n",
        "[city]\nexten => _7XXX,1,Stasis(ccserver,line,${EXTEN})\n",
        "[city]\n;exten => 74951234567,1,NoOp()\nexten => s,1,Stasis(ccserver,line,${EXTEN})\n",
        "[city]\nexten => 74951234567,1,NoOp()\n[other]\nexten => s,1,Stasis(ccserver,line,1)\n",
    ],
)
def test_an_extension_that_does_something_else_does_not(site: Site, dialplan: str) -> None:
    site.append("city.conf", dialplan)
    assert len(warnings_for(site, "74951234567")) == 1


def test_without_a_dialplan_nothing_is_said_of_it(site: Site) -> None:
    for file in site.dialplans.glob("*.conf"):
        file.unlink()
    assert warnings_for(site, "74951234567") == []


@pytest.mark.parametrize("extension", ["_[9-1]X", "_[", "_[]", "_[^1]", "_[[-]]", "_[--1]", "_(", "_\\"])
def test_an_extension_that_is_no_pattern_is_still_a_regular_expression(extension: str) -> None:
    assert not any(re.fullmatch(as_regex(extension), number) for number in ("74951234567", "5", ""))


def test_an_extension_without_an_underscore_is_no_pattern() -> None:
    assert re.fullmatch(as_regex("8.00"), "8.00")
    assert not re.fullmatch(as_regex("8.00"), "8800")
