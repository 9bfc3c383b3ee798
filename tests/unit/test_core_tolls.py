"""Which calls may leave: each rule by itself, and which of them counts."""

import pytest
from msgspec.structs import replace

from ccserver.core.ids import AgentId
from ccserver.core.plan import Rules, Tolls
from ccserver.core.tolls import limits_reached, recent, refusal
from tests.unit.core_case import LINE, operator, plan

HE = operator("1001")
PLAN = plan()


def why(
    number: str, tolls: Tolls | None = None, may_dial: tuple[str, ...] = (), *, by_him: int = 0, by_all: int = 0
) -> str:
    """The reason in words; empty: it may leave."""
    told = refusal(
        replace(PLAN, tolls=tolls or Tolls()), replace(HE, may_dial=may_dial), number, by_him=by_him, by_all=by_all
    )
    return told.why if told else ""


@pytest.mark.parametrize("number", ["+74951234567", "+73432123456", "+79161234567", "+78001234567", "+78123334455"])
def test_as_shipped_russia_may_be_called(number: str) -> None:
    assert why(number) == ""


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("+78091234567", "premium rate"),
        ("+78031234567", "televoting"),
        ("+77012345678", "a mobile of Kazakhstan"),
        ("+76001234567", "another of Kazakhstan"),
        ("+78402261234", "Abkhazia"),
        ("+79409912345", "its mobiles"),
        ("+79541234567", "a satellite"),
        ("+881612345678", "another"),
        ("+88213123456", "an international network"),
        ("+375291234567", "Belarus"),
        ("+53512345678", "Cuba"),
    ],
)
def test_as_shipped_what_is_dear_or_abroad_may_not(number: str, what: str) -> None:
    assert why(number), what


def test_the_longest_beginning_counts_and_deny_wins_a_tie() -> None:
    tolls = Tolls(allow=("+7", "+78095", "+7999"), deny=("+7809", "+7999"))
    assert why("+74951234567", tolls) == ""
    assert why("+78091234567", tolls) == "+78091234567 begins with +7809, which tolls.deny names"
    assert why("+78095234567", tolls) == "", "an exception of the exception"
    assert why("+79991234567", tolls), "a tie"
    assert why("+15551234567", tolls) == "+15551234567 begins with nothing that tolls.allow names"


def test_an_operator_may_dial_less_and_never_more() -> None:
    assert why("+74951234567", may_dial=("+7495",)) == ""
    assert why("+79161234567", may_dial=("+7495",)) == "+79161234567 begins with none of what 1001 may dial"
    assert "tolls.deny" in why("+78091234567", may_dial=("+7809",))


@pytest.mark.parametrize("number", ["112", "101", "102", "103", "104"])
def test_an_emergency_call_leaves_whatever_else_is_set(number: str) -> None:
    nothing = Tolls(allow=(), deny=("+",), calls_per_hour=0, operator_calls_per_hour=0)
    assert why(number, nothing, ("+7495",), by_him=99, by_all=99) == ""


def test_what_is_an_emergency_number_depends_on_the_country() -> None:
    abroad = replace(PLAN, rules=Rules(region="US"))
    assert refusal(abroad, HE, "911", by_him=0, by_all=0) is None
    assert refusal(abroad, HE, "104", by_him=0, by_all=0) is not None


def test_our_own_lines_are_not_called_through_the_network() -> None:
    assert LINE == "88007707999"
    assert why("+78007707999") == "+78007707999 is a line of our own"


@pytest.mark.parametrize("number", ["1234567", "911", "*11", "", "8916123456"])
def test_what_is_no_public_number_does_not_leave(number: str) -> None:
    assert why(number) == f"{number} is no public number"


def test_limits_hold_for_one_and_for_all() -> None:
    tolls = Tolls(calls_per_hour=10, operator_calls_per_hour=3)
    assert why("+74951234567", tolls, by_him=2, by_all=9) == ""
    assert "tolls.operator_calls_per_hour" in why("+74951234567", tolls, by_him=3, by_all=3)
    assert "tolls.calls_per_hour" in why("+74951234567", tolls, by_him=0, by_all=10)
    assert "tolls.operator_calls_per_hour" in why("+74951234567", Tolls(operator_calls_per_hour=0))


def test_an_hour_later_a_call_does_not_count_any_more() -> None:
    assert recent((100.0, 3000.0, 3700.0), 3701.0) == (3000.0, 3700.0)


def test_somebody_is_told_when_a_limit_is_reached() -> None:
    tolls = replace(PLAN, tolls=Tolls(calls_per_hour=5, operator_calls_per_hour=3))
    anna, bob = AgentId("1001"), AgentId("1002")
    assert limits_reached(tolls, [(anna, 2), (bob, 2)]) == ""
    assert limits_reached(tolls, [(anna, 3), (bob, 1)]).startswith("1001 called 3 times within the hour")
    assert limits_reached(tolls, [(anna, 2), (bob, 3)]).startswith("5 calls have left within the hour")
    assert limits_reached(replace(PLAN, tolls=Tolls(calls_per_hour=0, operator_calls_per_hour=0)), [(anna, 0)]) == ""
