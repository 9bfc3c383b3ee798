"""`[tolls]`, `[outbound]` and who may call for which line: what comes out, and what is complained about."""

from pathlib import Path

import pytest

from ccserver.core import plan
from ccserver.core.ids import AgentId, LineNumber
from tests.config_site import Site

ANNA = 'extension = "1001"\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_is_not_written_is_as_the_core_has_it(site: Site) -> None:
    config = site.load()
    assert (config.plan.tolls, config.plan.outbound) == (plan.Tolls(), plan.Outbound())


def test_what_is_written_reaches_the_core(site: Site) -> None:
    site.change("ccserver.toml", ANNA, ANNA + 'line = "88007004666"\nmay_dial = ["+7495"]\n')
    site.append(
        "ccserver.toml",
        '[tolls]\nallow = ["+7"]\ndeny = []\ncalls_per_hour = 5\noperator_calls_per_hour = 0\n'
        "[outbound]\nring_timeout_s = 30\nwrap_up_s = 0\nrecord = false\n",
    )
    whole = site.load().plan
    assert whole.tolls == plan.Tolls(("+7",), (), 5, 0)
    assert whole.outbound == plan.Outbound(30.0, 0.0, "never")
    anna = whole.operators[AgentId("1001")]
    assert (anna.line, anna.may_dial) == (LineNumber("88007004666"), ("+7495",))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            'allow = ["7495"]',
            'tolls.allow[0]: expected the beginning of an E.164 number in quotes, like "+7495", got "7495"',
        ),
        ('deny = ["+0"]', "tolls.deny[0]: expected the beginning of an E.164 number"),
        ('deny = ["+7809", "+7809"]', 'tolls.deny[1]: "+7809" is named twice'),
        ("calls_per_hour = -1", "tolls.calls_per_hour: expected a whole number from 0 to 1000000, got -1"),
        ("calls_per_day = 1", 'tolls.calls_per_day: unknown key; did you mean "calls_per_hour"?'),
    ],
)
def test_a_slip_in_the_toll_rules_is_named_with_its_line(site: Site, written: str, said: str) -> None:
    line = site.append("ccserver.toml", f"[tolls]\n{written}\n")
    (complaint,) = site.complaints()
    assert complaint.startswith(f"ccserver.toml:{line + 1}: {said}")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('line = "88007004667"\n', 'operators[0].line: there is no line "88007004667"; did you mean "88007004666"?'),
        ('may_dial = ["8495"]\n', "operators[0].may_dial[0]: expected the beginning of an E.164 number"),
        ('may_dial = ["+7495", "+7495"]\n', 'operators[0].may_dial[1]: "+7495" is named twice'),
    ],
)
def test_a_slip_in_what_an_operator_may_dial_is_named_with_its_line(site: Site, written: str, said: str) -> None:
    line = site.change("ccserver.toml", ANNA, ANNA + written) + 1
    (complaint,) = site.complaints()
    assert complaint.startswith(f"ccserver.toml:{line}: {said}")


def test_no_operator_has_an_emergency_number(site: Site) -> None:
    site.change("ccserver.toml", ANNA, 'extension = "101"\n')
    (complaint,) = site.complaints()
    assert complaint.endswith(
        'operators[0].extension: "101" is an emergency number: who dials it shall not reach a colleague'
    )


def test_a_number_that_is_shown_is_a_public_one(site: Site) -> None:
    site.change("ccserver.toml", 'name = "Нордлис"\n', 'name = "Нордлис"\ncaller_id = "12345"\n')
    (complaint,) = site.complaints()
    assert 'lines[0].caller_id: expected a public number of RU, or one that begins with +, got "12345"' in complaint


def test_prefixes_that_allow_nothing_are_warned_of(site: Site) -> None:
    site.change("ccserver.toml", ANNA, ANNA + 'may_dial = ["+1", "+7495"]\n')
    site.append("ccserver.toml", '[tolls]\nallow = ["+74", "+78"]\ndeny = ["+78"]\n')
    useless, denied = site.warnings()
    assert "operators[0].may_dial[0]: warning: 1001 can dial nothing that begins with +1" in useless
    assert 'tolls.allow[1]: warning: "+78" is denied too, and deny wins' in denied


@pytest.mark.parametrize("prompt", ["outbound-busy", "outbound-not-allowed", "outbound-limit"])
def test_what_operators_are_told_must_be_there_in_every_language(site: Site, prompt: str) -> None:
    site.change("prompts.toml", f"[{prompt}]\n", f"[no-{prompt}]\n")
    complaints = site.complaints()
    assert len(complaints) >= 1
    assert all(
        prompt in line and "operators hear it when a call of theirs comes to nothing" in line for line in complaints
    )
