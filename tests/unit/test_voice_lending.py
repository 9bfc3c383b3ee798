"""What Asterisk is told of a caller who goes into the admin's dialplan, and how what comes back is read."""

import pytest

from ccserver.connectors.voice.lending import brought, variables
from ccserver.core.commands import LendLeg
from ccserver.core.ids import ContactId, InquiryId, LegId

ONE = ContactId("n1-c1")


def test_he_goes_with_his_variables_and_those_that_the_dialplan_may_set_are_empty() -> None:
    command = LendLeg(LegId("c1"), InquiryId("n1-c1.ask1"), "own", "100", {"order": "12"}, ("level", "order"), lane=ONE)
    assert variables(command) == {
        "FLOW_order": "12",
        "FLOW_level": "",
        "CC_LENT": "own,100,1",
        "CC_INQUIRY": "n1-c1.ask1",
        "CC_TAKE": "&level=${URIENCODE(${FLOW_level})}&order=${URIENCODE(${FLOW_order})}",
    }


@pytest.mark.parametrize(
    ("argument", "verdict", "values"),
    [
        ("n1-c1.ask1&returned", "returned", {}),
        ("n1-c1.ask1&failed", "failed", {}),
        ("n1-c1.ask1&returned&level=gold%20%26%2C&x=", "returned", {"level": "gold &,", "x": ""}),
        ("n1-c1.ask1&returned&level=a%0Ab", "returned", {"level": "ab"}),
        ("n1-c1.ask1&returned&level=" + "x" * 300, "returned", {"level": "x" * 200}),
    ],
)
def test_what_he_brings_is_read(argument: str, verdict: str, values: dict[str, str]) -> None:
    told = brought(ONE, argument, 7.0)
    assert told is not None and (told.contact, told.inquiry, told.at) == (ONE, "n1-c1.ask1", 7.0)
    assert (told.verdict, told.values) == (verdict, values)


@pytest.mark.parametrize("argument", ["", "&", "&returned", "n1-c1.ask1"])
def test_who_brings_nothing_has_been_nowhere(argument: str) -> None:
    assert brought(ONE, argument, 7.0) is None
