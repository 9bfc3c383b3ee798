"""Calls that operators made, and callbacks in which the operator was called first: handed over, consulted about, recovered."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import FinishTransfer, HangUpLeg, KeepRecording, OfferContact, SeatLegs, StartRecording
from ccserver.core.contact import ContactOutcome, ContactState, Transfer
from ccserver.core.events import (
    Accepted,
    BeginConsult,
    LegHistory,
    LegUnseated,
    ListedLeg,
    Refused,
    SteerConsult,
    TransferContact,
    TransferRequested,
)
from ccserver.core.ids import AgentId, ContactId, LegId, TrunkName
from ccserver.core.plan import Plan, Trunk
from ccserver.core.records import AttemptSaved
from tests.unit.core_case import Case, listed_agent, operator, plan, queue

O1, OPERATOR, CUSTOMER, COLLEAGUE = ContactId("n1-o1"), LegId("o1"), LegId("n1-o1.1"), LegId("n1-o1.2")
MTT = Trunk(TrunkName("mtt"), "MTT")


def house(*queues: str) -> Plan:
    """1001 is in these queues."""
    first = operator("1001", *queues)
    if not queues:
        first = replace(first, queues=())
    planned = plan(queues=[queue(wrap_up_s=60.0)], operators=[first, operator("1002"), operator("1003")])
    return replace(planned, trunks={MTT.name: MTT})


def talking(configured: Plan | None = None) -> Case:
    """1001 has called a customer, and they talk."""
    told = Case(configured or house("support"))
    told.trunk("mtt")
    told.dials()
    told.answers(CUSTOMER)
    told.wait(10)
    assert told.contact("o1").state is ContactState.TALKING
    return told


def hand(told: Case, to: str = "1002") -> object:
    told.tell(TransferContact(O1, to, AgentId("1001"), at=told.now))
    (answer,) = told.router.answers
    return answer


def test_the_customer_whom_an_operator_called_is_handed_to_a_colleague() -> None:
    told = talking()
    assert hand(told) == Accepted()
    (offer,) = told.commanded(OfferContact)
    assert (offer.offer, offer.leg, offer.agent) == (COLLEAGUE, CUSTOMER, "1002")
    assert [each.leg for each in told.commanded(HangUpLeg)] == [OPERATOR] and told.agent().state == "wrap_up"
    told.ended(OPERATOR)
    told.answers(COLLEAGUE)
    assert told.contact("o1").state is ContactState.TALKING and told.contact("o1").agent == "1002"
    assert told.contact("o1").recording is not None and told.contact("o1").recording.name != O1  # type: ignore[union-attr]
    told.wait(5)
    told.ended(CUSTOMER)
    assert [each.leg for each in told.commanded(HangUpLeg)] == [COLLEAGUE]
    talks = [each for each in told.segments("o1") if each.kind == "talk"]
    assert [(each.agent, each.outcome, each.transfer) for each in talks] == [
        ("1001", "transferred", Transfer.BLIND),
        ("1002", "caller_left", None),
    ]
    kept = [(each.recording, each.leg) for each in told.commanded(KeepRecording)]
    assert kept == [(O1, OPERATOR), ("n1-o1-1", CUSTOMER)]
    assert told.contact("o1").outcome is ContactOutcome.ANSWERED and told.contact("o1").state is ContactState.CLOSED


def test_by_the_transfer_key_of_his_phone_too() -> None:
    told = talking()
    told.tell(TransferRequested(OPERATOR, "1002", at=told.now))
    assert told.commanded(FinishTransfer) == [FinishTransfer(OPERATOR, lane=O1)]
    told = talking()
    told.tell(TransferRequested(OPERATOR, "77", at=told.now))
    told.tell(LegUnseated(OPERATOR, at=told.now))
    assert [each.together for each in told.commanded(SeatLegs)] == [(OPERATOR, CUSTOMER)]


def test_a_colleague_is_consulted_joined_and_gets_the_customer() -> None:
    told = talking()
    told.tell(BeginConsult(O1, "1002", at=told.now))
    (offer,) = told.commanded(OfferContact)
    assert (offer.leg, offer.aside) == (CUSTOMER, OPERATOR) and told.contact("o1").on_hold
    told.answers(COLLEAGUE)
    told.tell(SteerConsult(O1, "join", at=told.now))
    assert [each.together for each in told.commanded(SeatLegs)] == [(CUSTOMER, OPERATOR, COLLEAGUE)]
    told.ended(OPERATOR)
    assert told.contact("o1").agent == "1002" and told.agent().state == "wrap_up"
    assert [each.leg for each in told.commanded(StartRecording)] == [CUSTOMER]


def test_codes_of_a_talk_serve_him_and_not_the_customer() -> None:
    told = talking()
    assert told.press("**21002#", CUSTOMER) == []
    told.press("**21002#", OPERATOR)
    assert [each.agent for each in told.commanded(OfferContact)] == ["1002"]
    told.answers(COLLEAGUE)
    told.press("**0", OPERATOR)
    assert told.contact("o1").consult is None and told.contact("o1").state is ContactState.TALKING


def test_consulted_in_vain_the_two_go_on_and_either_ends_it() -> None:
    for who, other, outcome in ((CUSTOMER, OPERATOR, "caller_left"), (OPERATOR, CUSTOMER, "agent_left")):
        told = talking()
        told.tell(BeginConsult(O1, "1002", at=told.now))
        told.ended(COLLEAGUE, 17, 486)
        assert [each.together for each in told.commanded(SeatLegs)] == [(CUSTOMER, OPERATOR)]
        told.ended(who)
        assert other in [each.leg for each in told.commanded(HangUpLeg)]
        told.ended(other)
        assert told.contact("o1").state is ContactState.CLOSED
        assert told.segments("o1")[-1].outcome == outcome


def test_after_a_crash_a_contact_that_was_turned_round_is_what_it_was() -> None:
    told = talking()
    told.tell(BeginConsult(O1, "1002", at=told.now))
    told.answers(COLLEAGUE)
    other = told.restarted()
    mine = ListedLeg(OPERATOR, "outbound", up=True, agent=AgentId("1001"), number="89161234567", arrived_at=1000.0)
    customer = ListedLeg(CUSTOMER, "customer", up=True)
    other.connect(customer, mine, listed_agent(COLLEAGUE, up=True))
    assert [(each.together, each.aside) for each in other.commanded(SeatLegs)] == [((CUSTOMER,), (OPERATOR, COLLEAGUE))]
    gone = LegHistory(OPERATOR, ended_at=other.now)
    other.lists(customer, listed_agent(COLLEAGUE, up=True), histories=(gone,))
    assert other.contact("o1").agent == "1002" and list(other.router.floor.contacts) == [O1]


@pytest.mark.parametrize(
    ("to", "configured", "why"),
    [
        (
            "89161234568",
            house("support"),
            "the customer was called himself: he cannot be connected with anybody outside",
        ),
        ("1002", house(), "1001 is in no queue: there is none in which the customer could wait"),
        ("nowhere", house("support"), "nowhere is no operator, queue, line or public number"),
    ],
)
def test_what_cannot_be_leaves_the_call_as_it_was(to: str, configured: Plan, why: str) -> None:
    told = talking(configured)
    assert hand(told, to) == Refused(why)
    assert not told.commands and not told.contact("o1").turned


def test_the_attempt_that_reached_the_customer_ends_when_he_hangs_up_whoever_has_him_then() -> None:
    told = talking()
    told.tell(BeginConsult(O1, "1002", at=told.now))
    told.answers(COLLEAGUE)
    told.ended(OPERATOR)
    told.ended(CUSTOMER)
    (ended,) = [each.attempt for each in told.kept(AttemptSaved) if each.attempt.ended_at is not None]
    assert ended.leg == CUSTOMER and ended.answered_at is not None


def test_an_emergency_call_beside_a_contact_is_not_handed_over() -> None:
    told = talking()
    told.dials("112", leg="o2")
    told.answers(LegId("n1-o2.1"))
    told.tell(TransferContact(ContactId("n1-o2"), "1002", AgentId("1001"), at=told.now))
    assert told.router.answers == (Refused("n1-o2 is a call beside the one that 1001 is in: it cannot be handed over"),)
    assert hand(told) == Accepted(), "the contact itself is"
