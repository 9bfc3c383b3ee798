"""Codes that an agent presses in a talk: what each does, who may, what is typed wrong, and when it is forgotten."""

import re

import pytest

from ccserver.core.commands import Command, HangUpLeg, OfferContact, SeatLegs, SilenceRecording, TellLeg
from ccserver.core.consult import ConsultState
from ccserver.core.contact import ContactState, Transfer
from ccserver.core.events import InternalDialled
from ccserver.core.ids import AgentId, ContactId, LegId
from ccserver.core.talk_keys import BETWEEN_KEYS_S, NUMBER_MAX, PROMPTS, TALK_CODES
from tests.config_site import CHECKOUT
from tests.unit.core_case import NODE, Case, listed_agent, listed_caller, operator, plan, queue

CUSTOMER, AGENT, GUEST = LegId("c1"), LegId("n1-c1.1"), LegId("n1-c1.2")
REFERENCE = (CHECKOUT / "docs" / "reference" / "feature-codes.md").read_text()
HOUSE = plan(queues=[queue(wrap_up_s=60.0)], operators=[operator("1001"), operator("1002"), operator("1003")])


def talking() -> Case:
    """c1 talks with 1001; 1002 and 1003 are free."""
    told = Case(HOUSE)
    told.call()
    told.answers()
    told.wait(10)
    return told


def told_alone(commands: list[Command]) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.leg, each.items) for each in commands if isinstance(each, TellLeg)]


def test_a_number_ends_with_the_pound_key_and_hands_the_customer_over() -> None:
    told = talking()
    assert told.press("**11002", AGENT) == []
    told.press("#", AGENT)
    assert told.offered() == [("c1", "1002")] and [each.leg for each in told.commanded(HangUpLeg)] == [AGENT]
    assert [each.transfer for each in told.segments() if each.kind == "talk"] == [Transfer.BLIND]


def test_a_colleague_is_consulted_joined_parted_and_let_go() -> None:
    told = talking()
    told.press("**21002#", AGENT)
    assert [each.agent for each in told.commanded(OfferContact)] == ["1002"]
    told.answers(GUEST)
    for state in (ConsultState.JOINED, ConsultState.PRIVATE):
        told.press("**3", AGENT)
        assert told.contact().consult is not None and told.contact().consult.state is state  # type: ignore[union-attr]
    told.press("**0", AGENT)
    assert told.contact().consult is None and told.commanded(SeatLegs)[-1].together == (CUSTOMER, AGENT)


def test_the_recording_is_paused_and_goes_on_and_he_hears_so() -> None:
    told = talking()
    for digit, prompt, silent in (("4", "recording-paused", True), ("5", "recording-resumed", False)):
        commands = told.press(f"**{digit}", AGENT)
        assert told_alone(commands) == [(AGENT, (prompt,))]
        assert [each.silent for each in commands if isinstance(each, SilenceRecording)] == [silent]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("**9", "**9 is no code of a talk"),
        ("**11001#", "1001 would hand the customer to himself"),
        ("**1#", " is no operator, queue, line or public number"),
        ("**3", "nobody is being consulted in n1-c1"),
        ("**5", "it is not paused"),
    ],
)
def test_what_cannot_be_he_alone_hears_and_the_talk_goes_on(keys: str, why: str) -> None:
    told = talking()
    commands = told.press(keys, AGENT)
    assert told_alone(commands) == [(AGENT, ("talk-key-refused",))]
    assert [each.refused for each in commands if isinstance(each, TellLeg)] == [why]
    assert told.contact().state is ContactState.TALKING and told.contact().typed == ""


@pytest.mark.parametrize("keys", ["11002#", "*11002#", "#", "*1*1"])
def test_keys_that_begin_with_no_two_stars_are_no_code(keys: str) -> None:
    told = talking()
    assert told.press(keys, AGENT) == []


def test_a_star_in_the_middle_begins_anew() -> None:
    told = talking()
    told.press("**19**11002#", AGENT)
    assert told.offered() == [("c1", "1002")]


def test_who_types_no_end_of_it_has_typed_nothing() -> None:
    told = talking()
    assert told.press("**1" + "9" * (NUMBER_MAX + 1), AGENT) == [] and told.contact().typed == ""
    told.press("**11", AGENT)
    told.wait(BETWEEN_KEYS_S)
    assert (told.contact().typed == "" and told.router.deadline() is None) or told.contact().typed_until is None
    assert told.press("002#", AGENT) == []


def test_what_was_typed_survives_a_crash_and_no_end_of_the_talk() -> None:
    told = talking()
    told.press("**110", AGENT)
    other = told.restarted()
    other.connect(listed_caller(), listed_agent(AGENT, up=True))
    other.press("02#", AGENT)
    assert other.offered() == [("c1", "1002")]
    told.ended(AGENT)
    assert told.contact().typed == "" and told.contact().typed_until is None


@pytest.mark.parametrize("leg", ["c1", "n1-c1.2"])
def test_neither_the_customer_nor_who_is_consulted_can_use_them(leg: str) -> None:
    told = talking()
    told.press("**21002#", AGENT)
    told.answers(GUEST)
    assert told.press("**11003#", leg) == []
    assert told.contact().consult is not None


def test_among_colleagues_no_key_is_a_code() -> None:
    told = Case(HOUSE)
    told.tell(InternalDialled(ContactId("n1-i1"), LegId("i1"), NODE, AgentId("1001"), "1002", told.now, at=told.now))
    told.answers("n1-i1.1")
    assert told.press("**11003#", "i1") == []


def test_the_reference_tells_of_every_code_of_a_talk() -> None:
    rows = [row.split("|") for row in REFERENCE.splitlines() if row.startswith("| `**")]
    told = {re.findall(r"`\*\*(\d)", row[1])[0]: row for row in rows}
    assert list(told) == [code.digit for code in TALK_CODES]
    for code in TALK_CODES:
        assert ("`#`" in told[code.digit][1]) == code.number
    assert all(f"`{prompt}`" in REFERENCE for prompt in PROMPTS)
