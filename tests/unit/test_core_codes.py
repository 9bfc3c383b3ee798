"""Feature codes: what each does and what is said back; the reference and the dialplan know them all."""

import re
from itertools import pairwise

import pytest
from msgspec.structs import replace

from ccserver.config.dialplan import as_regex
from ccserver.core.codes import CODES, NOBODY, UNKNOWN
from ccserver.core.commands import AnswerLeg, HangUpLeg, PlayPrompts
from ccserver.core.events import CodeDialled, CommandFailed, LegEnded, PlayFinished
from ccserver.core.ids import AgentId, Language, LegId, PlayId
from tests.config_site import CHECKOUT
from tests.unit.core_case import NODE, RU, Case, operator, plan

CODE = LegId("code1")
REFERENCE = (CHECKOUT / "docs" / "reference" / "feature-codes.md").read_text()
OPERATORS = (CHECKOUT / "dialplans" / "operators.conf").read_text().partition("[outbound]")[0]


def dialled(told: Case, code: str, agent: str | None = "1001") -> tuple[str, ...]:
    """What the operator hears."""
    told.tell(CodeDialled(AgentId(agent) if agent else None, CODE, NODE, code, at=told.now))
    (play,) = told.commanded(PlayPrompts)
    return play.items


def state(told: Case, agent: str = "1001") -> tuple[str, str]:
    return told.agent(agent).state, told.agent(agent).reason


@pytest.mark.parametrize(
    ("code", "said", "now"),
    [
        ("*11", ("agent-ready",), ("ready", "")),
        ("*12", ("agent-not-ready",), ("not_ready", "")),
        ("*121", ("agent-not-ready", "reason-1"), ("not_ready", "lunch")),
        ("*13", ("agent-logged-out",), ("logged_out", "")),
    ],
)
def test_a_feature_code_is_obeyed_and_confirmed_by_voice(
    code: str, said: tuple[str, ...], now: tuple[str, str]
) -> None:
    told = Case()
    if code == "*11":
        told.wish("1001", "logged_out")
    assert dialled(told, code) == said
    assert state(told) == now


@pytest.mark.parametrize("code", ["*129", "*10", "*111", "*131", "*1", "", "*", "123", "*12*"])
def test_a_code_that_is_none_changes_nothing_and_says_so(code: str) -> None:
    told = Case()
    assert dialled(told, code) == ("agent-unknown-code",)
    assert state(told) == ("ready", "")


@pytest.mark.parametrize("agent", [None, "9999"])
def test_who_is_no_operator_is_told_so(agent: str | None) -> None:
    told = Case()
    assert dialled(told, "*13", agent) == ("agent-not-an-operator",)
    assert state(told) == ("ready", "")


def test_the_confirmation_is_in_the_operators_language_and_its_end_hangs_up() -> None:
    configured = plan(operators=[replace(operator("1001"), language=Language("en"))])
    told = Case(configured)
    dialled(told, "*12")
    answer, play = told.commands
    assert answer == AnswerLeg(CODE, Language("en"), lane="code1")
    assert isinstance(play, PlayPrompts) and (play.leg, play.language) == (CODE, "en")
    told.tell(PlayFinished(CODE, PlayId("other"), at=told.now))
    assert not told.commands
    told.tell(PlayFinished(CODE, play.play, at=told.now))
    assert told.commands == [HangUpLeg(CODE, lane="code1")]
    told.tell(LegEnded(CODE, at=told.now))
    assert not told.router.floor.codes


def test_a_stranger_hears_russian() -> None:
    told = Case()
    dialled(told, "*11", None)
    assert told.commanded(AnswerLeg) == [AnswerLeg(CODE, RU, lane="code1")]


def test_a_confirmation_that_cannot_be_played_hangs_up_and_a_hangup_that_fails_is_not_repeated() -> None:
    told = Case()
    dialled(told, "*12")
    (play,) = told.commanded(PlayPrompts)
    told.tell(CommandFailed(play, "500", at=told.now))
    (hang_up,) = told.commands
    assert hang_up == HangUpLeg(CODE, lane="code1")
    told.tell(CommandFailed(hang_up, "500", at=told.now))
    assert not told.commands


def test_an_operator_may_hang_up_before_he_has_heard_it() -> None:
    told = Case()
    dialled(told, "*12")
    told.tell(LegEnded(CODE, at=told.now))
    assert state(told) == ("not_ready", "") and not told.router.floor.codes


def test_no_code_begins_with_another() -> None:
    prefixes = sorted(code.prefix for code in CODES)
    assert all(not later.startswith(first) for first, later in pairwise(prefixes))


def test_the_reference_tells_of_every_code_what_it_takes_and_what_is_heard() -> None:
    rows = [row.split("|") for row in REFERENCE.splitlines() if re.match(r"\| `\*\d", row)]
    told = {re.findall(r"`(\*\d+)", row[1])[0]: (row[1], set(re.findall(r"`([a-z-]+)`", row[3]))) for row in rows}
    assert list(told) == [code.prefix for code in CODES]
    for code in CODES:
        dialled, heard = told[code.prefix]
        assert heard == set(code.says), code.prefix
        assert (" and " in dialled) == bool(code.more), code.prefix
    assert all(f"`{prompt}`" in REFERENCE for prompt in (UNKNOWN, NOBODY))


def test_the_dialplan_hands_every_code_over_and_no_lone_star() -> None:
    patterns = [as_regex(pattern) for pattern in re.findall(r"^exten => (_\*\S+?),1", OPERATORS, re.MULTILINE)]
    handed = [code for code in ("*11", "*125", "*151000*50", "*1", "*") if any(re.fullmatch(p, code) for p in patterns)]
    assert handed == ["*11", "*125", "*151000*50"]
    assert all(any(re.fullmatch(p, code.prefix) for p in patterns) for code in CODES)
