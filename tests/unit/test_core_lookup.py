"""A flow asks another computer: what is asked, what comes of each answer, and of none; what an answer's values may be."""

from typing import Any

import pytest
from msgspec.structs import replace

from ccserver.core.commands import AnswerLeg, AskLookup, HangUpLeg, StartMusic
from ccserver.core.contact import ContactState
from ccserver.core.events import InquiryAnswered, LegAway, LegReturned
from ccserver.core.ids import ContactId, InquiryId, LegId, LookupName
from ccserver.core.lookup import Field, FieldKind, Lookup, address, value_of
from ccserver.core.steps import HangUp, LookUp, Menu, Say
from tests.unit.core_case import Case, listed_caller, plan
from tests.unit.core_flows import NUMBER, S, said

SHOP = Lookup(
    LookupName("shop"), "https://shop/orders/{order}?by={ani}", {"total": Field("total", "money")}, timeout_s=3.0
)
ASK = LookUp(SHOP.name, found=S("told"), not_found=S("unknown"), failed=S("sorry"))


def asking(step: LookUp = ASK, **about: Any) -> Case:
    """The caller typed 12#, and the shop is being asked."""
    steps = {
        "number": NUMBER,
        "told": step,
        "sum": Say(("money:{total}",), next=S("choose")),
        "choose": Menu(("choices",), {"1": S("sorry")}, otherwise=S("sorry")),
        "unknown": HangUp(("unknown",)),
        "sorry": HangUp(("sorry",)),
    }
    configured = replace(plan(steps | about.pop("steps", {})), lookups={SHOP.name: SHOP})
    told = Case(configured, ready=False)
    told.call()
    told.press("12#")
    return told


def answer(told: Case, verdict: str, n: int = 1, **values: str) -> None:
    inquiry = InquiryId(f"n1-c1.ask{n}")
    told.tell(InquiryAnswered(ContactId("n1-c1"), inquiry, SHOP.name, verdict, values, at=told.now))


def test_the_address_is_asked_with_what_the_caller_typed() -> None:
    told = asking()
    (asked,) = told.commanded(AskLookup)
    assert (asked.inquiry, asked.url) == ("n1-c1.ask1", "https://shop/orders/12?by=%2B7900")
    assert not told.commanded(StartMusic), "nobody asked for music"


@pytest.mark.parametrize(
    ("typed", "written"), [("../admin", "..%2Fadmin"), ("1?x=2&y#", "1%3Fx%3D2%26y%23"), ("я", "%D1%8F")]
)
def test_no_value_leaves_its_place_in_the_address(typed: str, written: str) -> None:
    assert address(SHOP, {"order": typed}) == f"https://shop/orders/{written}?by="


def test_what_was_found_is_said() -> None:
    told = asking(replace(ASK, found=S("sum")))
    answer(told, "found", total="12.50")
    assert said(told) == [("money:12.50",)]
    assert told.contact().variables["total"] == "12.50"


@pytest.mark.parametrize(("verdict", "prompt"), [("not_found", "unknown"), ("failed", "sorry")])
def test_each_other_answer_has_its_step(verdict: str, prompt: str) -> None:
    told = asking()
    answer(told, verdict)
    assert said(told) == [(prompt,)]


def test_nobody_waits_longer_than_the_lookup_says_and_an_answer_that_comes_late_changes_nothing() -> None:
    told = asking()
    told.wait(2.9)
    assert not told.commands
    told.wait(0.1)
    assert said(told) == [("sorry",)]
    answer(told, "found", total="1.00")
    assert not told.commands and "total" not in told.contact().variables


def test_keys_that_are_pressed_meanwhile_count_at_the_next_question() -> None:
    told = asking(replace(ASK, found=S("choose")))
    told.press("1")
    assert not told.commands
    answer(told, "found")
    assert said(told) == [("sorry",)]


def test_he_hears_music_when_the_step_says_so() -> None:
    told = asking(replace(ASK, music="calm"))
    assert [command.music for command in told.commanded(StartMusic)] == ["calm"]


def test_after_a_restart_it_is_asked_again_and_the_first_answer_is_of_no_interest() -> None:
    told = asking(replace(ASK, found=S("sum")))
    told.now += 1.0
    told.connect(listed_caller(up=True))
    assert [command.inquiry for command in told.commanded(AskLookup)] == ["n1-c1.ask2"]
    assert told.commanded(AnswerLeg), "the dead-man's timeout may be armed"
    answer(told, "not_found", n=1)
    assert not told.commands
    answer(told, "found", n=2, total="3.00")
    assert said(told) == [("money:3.00",)]


def test_who_is_in_the_fallback_dialplan_is_asked_for_anew_when_he_is_back() -> None:
    told = asking()
    told.tell(LegAway(LegId("c1"), at=told.now))
    answer(told, "found")
    assert not told.commands and told.wait(60.0) == []
    told.tell(LegReturned(LegId("c1"), at=told.now))
    assert [command.inquiry for command in told.commanded(AskLookup)] == ["n1-c1.ask2"]


def test_an_answer_for_who_has_hung_up_is_counted_and_ignored() -> None:
    told = asking()
    told.hang_up()
    ignored = told.router.floor.ignored
    answer(told, "found")
    assert told.router.floor.ignored == ignored + 1 and not told.commands


def test_a_flow_that_asks_again_and_again_is_ended() -> None:
    told = asking(replace(ASK, failed=S("told")))
    for n in range(1, 3000):
        answer(told, "failed", n=n)
        if told.contact().state is ContactState.CLOSING:
            break
    assert told.commanded(HangUpLeg) and "goes round for ever" in told.contact().reason


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", " shipped ", "shipped"),
        ("text", 12, "12"),
        ("text", 1.5, "1.5"),
        ("text", "two\nlines", None),
        ("text", "x" * 201, None),
        ("text", True, None),
        ("text", {}, None),
        ("number", 1e20, "100000000000000000000"),
        ("number", 12, "12"),
        ("number", 12.0, "12"),
        ("number", "-7", "-7"),
        ("number", 12.5, None),
        ("number", "many", None),
        ("money", 1250.5, "1250.50"),
        ("money", "1250,5", "1250.50"),
        ("money", -3, "-3.00"),
        ("money", "10 USD", "10.00 USD"),
        ("money", "10 BTC", None),
        ("date", "2026-12-31T10:00:00+03:00", "2026-12-31"),
        ("date", "2026-02-30", None),
        ("date", "12-31", "12-31"),
        ("time", "2026-12-31T09:05:00", "09:05"),
        ("time", "25:00", None),
        ("digits", "12345", "12345"),
        ("digits", "12-345", None),
        ("phone", "+7 (916) 123-45-67", "+79161234567"),
        ("phone", "Ivan", None),
        ("flag", True, "yes"),
        ("flag", False, "no"),
        ("flag", "yes", None),
    ],
)
def test_a_value_is_of_its_kind_or_is_none(kind: FieldKind, value: object, text: str | None) -> None:
    assert value_of(kind, value) == text
