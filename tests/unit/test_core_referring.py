"""The transfer key of a phone: done as over the API, or undone; and the phone that takes a refusal for a success."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import Command, FinishTransfer, HangUpLeg, SeatLegs
from ccserver.core.contact import ContactState, Transfer
from ccserver.core.events import (
    InternalDialled,
    LegUnseated,
    ListedTransfer,
    PlayFinished,
    SuperviseContact,
    TransferRequested,
)
from ccserver.core.ids import AgentId, ContactId, LegId, PlayId
from ccserver.core.plan import Rules
from tests.unit.core_case import NODE, Case, listed_agent, listed_caller, operator, plan, queue

C1, CUSTOMER, AGENT = ContactId("n1-c1"), LegId("c1"), LegId("n1-c1.1")
HOUSE = plan(
    queues=[queue("support", wrap_up_s=60.0), queue("billing")],
    operators=[operator("1001"), operator("1002", "billing"), operator("1003", "billing")],
    rules=Rules(reconcile_every_s=86400.0, transfer_wait_s=20.0),
)


def talking() -> Case:
    """c1 talks with 1001; 1002 and 1003 are free."""
    told = Case(HOUSE)
    told.call()
    told.answers()
    told.wait(30)
    return told


def press(told: Case, to: str, leg: LegId = AGENT) -> list[Command]:
    """The transfer key and a number: what is commanded before Asterisk has taken the leg out of its bridge, and after."""
    told.tell(TransferRequested(leg, to, at=told.now))
    first = list(told.commands)
    told.tell(LegUnseated(leg, at=told.now))
    return first


def refusal(commands: list[Command]) -> str:
    (finish,) = (each for each in commands if isinstance(each, FinishTransfer))
    return finish.refused


def test_the_customer_is_handed_over_and_the_phone_hangs_up_when_it_is_told() -> None:
    told = talking()
    done = press(told, "1002")
    assert refusal(done) == "" and not any(isinstance(each, HangUpLeg | SeatLegs) for each in done)
    assert told.contact().state is ContactState.OFFERED and told.agent("1001").state == "wrap_up"
    assert not told.commands, "who is gone is put back nowhere"
    told.ended(AGENT)
    told.answers("n1-c1.2")
    told.hang_up()
    talks = [each for each in told.segments() if each.kind == "talk"]
    assert [(each.agent, each.outcome, each.transfer) for each in talks] == [
        ("1001", "transferred", Transfer.BLIND),
        ("1002", "caller_left", None),
    ]


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("1001", "1001 would hand the customer to himself"),
        ("1003", "1003 is logged out"),
        ("77", "77 is no operator, queue, line or public number"),
        ("", " is no operator, queue, line or public number"),
        ("+79161234567", "there is no trunk"),
    ],
)
def test_what_cannot_be_is_undone_and_the_talk_goes_on(to: str, why: str) -> None:
    told = talking()
    told.wish("1003", "logged_out")
    assert refusal(press(told, to)) == why
    assert told.commands == [SeatLegs(CUSTOMER, (CUSTOMER, AGENT), (), "", lane=C1)]
    assert told.contact().state is ContactState.TALKING and told.agent("1001").state == "talking"
    told.wait(10)
    told.ended(AGENT)
    assert told.contact().state is ContactState.CLOSING, "long after it he hangs up because he wants to"


def test_a_phone_that_takes_a_refusal_for_done_is_rung_again() -> None:
    told = talking()
    press(told, "77")
    told.wait(1)
    told.ended(AGENT)
    assert told.offered() == [("c1", "1001")] and told.agent("1001").state == "reserved"
    told.answers("n1-c1.2")
    assert told.contact().agent == "1001" and told.contact().state is ContactState.TALKING


def test_who_has_asked_for_a_break_meanwhile_loses_his_customer_to_the_queue() -> None:
    told = talking()
    press(told, "77")
    told.wish("1001", "not_ready")
    told.ended(AGENT)
    assert told.agent("1001").state == "not_ready" and told.contact().state is ContactState.WAITING


def test_among_colleagues_nobody_can_be_handed_over_whoever_of_the_two_wants_it() -> None:
    told = Case(HOUSE)
    told.tell(InternalDialled(ContactId("n1-i1"), LegId("i1"), NODE, AgentId("1001"), "1002", told.now, at=told.now))
    told.answers("n1-i1.1")
    for leg in (LegId("i1"), LegId("n1-i1.1")):
        assert refusal(press(told, "1003", leg))
        assert [each.together for each in told.commanded(SeatLegs)] == [("i1", "n1-i1.1")]


def test_who_listens_to_a_talk_and_presses_the_key_is_hung_up() -> None:
    supervisor = replace(operator("1004"), role="supervisor")
    told = Case(plan(operators=[operator("1001"), supervisor]))
    told.call()
    told.answers()
    told.tell(SuperviseContact(C1, supervisor.extension, "listen", at=told.now))
    told.answers("n1-c1.s1")
    assert refusal(press(told, "1001", LegId("n1-c1.s1")))
    assert [each.leg for each in told.commanded(HangUpLeg)] == ["n1-c1.s1"]


def test_a_phone_of_no_talk_hears_that_it_cannot_be() -> None:
    told = Case(HOUSE)
    assert refusal(press(told, "1002", LegId("n1-gone.1"))) and not told.commands


def test_begun_while_nobody_listened_it_is_done_after_the_gap_though_the_phone_has_hung_up() -> None:
    told = talking().restarted()
    told.connect(listed_caller(), transfers=(ListedTransfer(C1, "1002"),))
    assert told.agent("1001").state == "wrap_up" and told.contact().state is ContactState.OFFERED
    assert told.offered() == [("c1", "1002")]


def test_refused_after_the_gap_the_customer_is_back_with_his_operator() -> None:
    told = talking().restarted()
    told.connect(listed_caller(), listed_agent(AGENT, up=True), transfers=(ListedTransfer(C1, "77"),))
    assert (CUSTOMER, AGENT) in [each.together for each in told.commanded(SeatLegs)]
    assert told.contact().state is ContactState.TALKING


def test_refused_after_the_gap_and_hung_up_long_ago_he_is_rung_again() -> None:
    told = talking().restarted()
    told.wait(30)
    told.connect(listed_caller(), transfers=(ListedTransfer(C1, "77"),))
    assert told.offered() == [("c1", "1001")]


def test_who_presses_the_key_while_he_is_told_what_it_is_about_is_refused_and_put_back() -> None:
    told = Case(plan(queues=[queue("support", whisper=("orders",))], operators=[operator("1001")]))
    told.call()
    told.answers()
    assert "only who talks can be handed over" in refusal(press(told, "1002"))
    (seats,) = (each for each in told.commands if isinstance(each, SeatLegs))
    assert (seats.together, seats.music) == ((CUSTOMER, AGENT), "default"), "the caller goes on hearing music"
    told.tell(PlayFinished(AGENT, PlayId("n1-c1.1.whisper"), at=told.now))
    assert told.contact().state is ContactState.TALKING
