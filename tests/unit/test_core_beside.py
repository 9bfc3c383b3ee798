"""A consult that an agent begins on a second call of his phone: what it is, what his keys make of it, and how it ends."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import (
    AnswerLeg,
    DialCustomer,
    FinishTransfer,
    HangUpLeg,
    OfferContact,
    ReleaseContact,
    SeatLegs,
)
from ccserver.core.consult import ConsultState
from ccserver.core.contact import ContactState, Transfer
from ccserver.core.events import (
    InternalDialled,
    LegHeld,
    LegUnseated,
    ListedLeg,
    Refused,
    SteerConsult,
    TransferRequested,
)
from ccserver.core.ids import AgentId, ContactId, LegId, TrunkName
from ccserver.core.plan import Trunk
from tests.unit.core_case import NODE, Case, listed_agent, listed_caller, operator, plan, queue

C1, CUSTOMER, AGENT, SECOND, GUEST = ContactId("n1-c1"), LegId("c1"), LegId("n1-c1.1"), LegId("i1"), LegId("n1-c1.2")
OWN = ContactId("n1-i1")
MTT = Trunk(TrunkName("mtt"), "MTT")
HOUSE = replace(
    plan(
        queues=[queue(music="jazz", wrap_up_s=60.0), queue("billing")],
        operators=[operator("1001"), operator("1002", "billing"), operator("1003", "billing")],
    ),
    trunks={MTT.name: MTT},
)


def talking() -> Case:
    """c1 talks with 1001, whose phone holds him."""
    told = Case(HOUSE)
    told.trunk("mtt")
    told.call()
    told.answers()
    told.wait(10)
    told.tell(LegHeld(AGENT, at=told.now))
    return told


def dial(told: Case, number: str = "1002") -> None:
    told.tell(InternalDialled(OWN, SECOND, NODE, AgentId("1001"), number, told.now, at=told.now))


def consulting(state: ConsultState = ConsultState.PRIVATE) -> Case:
    """He consults 1002 since ten seconds."""
    told = talking()
    dial(told)
    told.rings(GUEST)
    if state is ConsultState.PRIVATE:
        told.answers(GUEST)
    told.wait(10)
    assert told.contact().consult is not None and told.contact().consult.state is state  # type: ignore[union-attr]
    return told


def join(told: Case, first: LegId = AGENT, second: LegId = SECOND) -> None:
    """The phone's key that puts its two calls together."""
    told.tell(TransferRequested(first, "1002", second, at=told.now))


def hung_up(told: Case) -> set[LegId]:
    return {each.leg for each in told.commanded(HangUpLeg)}


def test_a_colleague_dialled_beside_a_customer_is_consulted() -> None:
    told = talking()
    dial(told)
    (offer,) = told.commanded(OfferContact)
    assert (offer.offer, offer.agent, offer.aside, offer.music) == (GUEST, "1002", SECOND, "")
    assert [(each.leg, each.lane) for each in told.commanded(AnswerLeg)] == [(SECOND, OWN)]
    assert told.contact().on_hold and told.agent("1002").state == "reserved"
    told.answers(GUEST)
    assert told.agent("1002").state == "talking" and OWN not in told.router.floor.contacts


def test_a_number_dialled_beside_a_customer_is_consulted_too() -> None:
    told = talking()
    told.dials("89161234567", leg=SECOND)
    (call,) = told.commanded(DialCustomer)
    assert (call.aside, call.music, call.lane) == (SECOND, "", C1)
    assert told.agent().dialled == (told.now,)


@pytest.mark.parametrize("legs", [(AGENT, SECOND), (SECOND, AGENT)])
@pytest.mark.parametrize("state", [ConsultState.PRIVATE, ConsultState.CALLING])
def test_the_two_calls_joined_the_customer_is_the_colleagues(legs: tuple[LegId, LegId], state: ConsultState) -> None:
    told = consulting(state)
    join(told, *legs)
    assert {(each.leg, each.refused) for each in told.commanded(FinishTransfer)} == {(AGENT, ""), (SECOND, "")}
    assert told.commanded(ReleaseContact) == [ReleaseContact(OWN, lane=OWN)]
    assert (CUSTOMER, GUEST) in [each.together for each in told.commanded(SeatLegs)]
    told.tell(LegUnseated(AGENT, at=told.now), LegUnseated(SECOND, at=told.now))
    told.ended(SECOND)
    told.ended(AGENT)
    assert told.agent("1001").state == "wrap_up"
    if state is ConsultState.CALLING:
        assert told.contact().state is ContactState.OFFERED
        told.answers(GUEST)
    assert told.contact().state is ContactState.TALKING and told.contact().agent == "1002"
    told.hang_up()
    first, *_ = (each for each in told.segments() if each.kind == "talk")
    assert (first.agent, first.transfer, first.hold_s) == ("1001", Transfer.ATTENDED, 10)


def test_calls_joined_that_are_no_consult_are_parted_again_and_the_customer_waits_for_his_operator() -> None:
    told = talking()
    join(told)
    assert all(each.refused for each in told.commanded(FinishTransfer)) and len(told.commanded(FinishTransfer)) == 2
    told.tell(LegUnseated(AGENT, at=told.now))
    assert [each.together for each in told.commanded(SeatLegs)] == [(CUSTOMER, AGENT)]
    told.ended(AGENT)
    assert told.offered() == [("c1", "1001")]


def test_the_second_call_hung_up_the_colleague_goes() -> None:
    told = consulting()
    told.ended(SECOND)
    assert GUEST in hung_up(told) and told.contact().consult is None
    assert told.contact().on_hold, "his phone holds the customer still"
    assert told.agent("1002").state == "ready" and not told.router.floor.second_calls


def test_the_first_call_hung_up_the_colleague_gets_the_customer() -> None:
    told = consulting()
    told.ended(AGENT)
    assert hung_up(told) == {SECOND} and told.contact().agent == "1002"


def test_the_colleague_who_does_not_answer_ends_the_second_call() -> None:
    told = consulting(ConsultState.CALLING)
    told.ended(GUEST, 17, 486)
    assert hung_up(told) == {SECOND} and told.contact().consult is None
    assert [(each.together, each.music) for each in told.commanded(SeatLegs)] == [((CUSTOMER, AGENT), "")]


def test_the_customer_who_hangs_up_ends_all_of_it() -> None:
    told = consulting()
    told.hang_up()
    assert hung_up(told) == {AGENT, GUEST, SECOND}


def test_the_api_completes_and_calls_off_but_does_not_join_what_only_the_phone_can() -> None:
    told = consulting()
    told.tell(SteerConsult(C1, "join", at=told.now))
    assert told.router.answers == (
        Refused("1002 was called by a second call of the phone: only the phone can join the two"),
    )
    told.tell(SteerConsult(C1, "cancel", at=told.now))
    assert hung_up(told) == {SECOND, GUEST}


def test_after_a_crash_both_calls_gone_means_that_the_customer_was_handed_over() -> None:
    told = consulting().restarted()
    told.connect(listed_caller(), listed_agent(GUEST, up=True))
    assert told.contact().agent == "1002" and told.contact().consult is None
    assert (CUSTOMER, GUEST) in [each.together for each in told.commanded(SeatLegs)]


def test_after_a_crash_the_consult_goes_on() -> None:
    told = consulting().restarted()
    second = ListedLeg(SECOND, "internal", up=True, agent=AgentId("1001"), number="1002", arrived_at=1010.0)
    told.connect(listed_caller(), listed_agent(AGENT, up=True, held=True), listed_agent(GUEST, up=True), second)
    assert told.contact().consult is not None
    assert [(each.together, each.aside) for each in told.commanded(SeatLegs)] == [((CUSTOMER, AGENT), (SECOND, GUEST))]
    told.connect(listed_caller(), listed_agent(AGENT, up=True, held=True), listed_agent(GUEST, up=True))
    assert told.contact().consult is None and told.contact().state is ContactState.TALKING
