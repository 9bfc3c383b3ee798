"""The customer handed over without a word: where to, in which order he comes on, and what is refused with which reason."""

from typing import Any

import pytest

from ccserver.core.commands import AnswerLeg, HangUpLeg, PlayPrompts, SeatLegs, StartMusic
from ccserver.core.contact import ContactOutcome, ContactState, Transfer
from ccserver.core.events import Accepted, Answer, LegAway, LegReturned, NodeLost, Refused, TransferContact
from ccserver.core.ids import AgentId, ContactId, LegId, StepName
from ccserver.core.plan import Rules
from ccserver.core.steps import Enqueue, HangUp, Menu
from tests.unit.core_case import (
    LINE,
    NODE,
    Case,
    listed_agent,
    listed_caller,
    needs,
    operator,
    plan,
    queue,
    straight_into,
)

RULES = Rules(reconcile_every_s=86400.0, transfer_wait_s=20.0)
HOUSE = plan(
    queues=[queue("support", wrap_up_s=60.0), queue("billing")],
    operators=[operator("1001"), operator("1002", "billing"), operator("1003")],
    rules=RULES,
)


def hand(told: Case, to: str, by: str | None = "1001", contact: str = "n1-c1") -> Answer:
    """Asks for it; returns the answer."""
    told.tell(TransferContact(ContactId(contact), to, AgentId(by) if by else None, at=told.now))
    (answer,) = told.router.answers
    return answer


def talking(**about: Any) -> Case:
    """c1 talks with 1001; 1002 and 1003 are free."""
    told = Case(about.pop("house", HOUSE))
    told.call()
    told.answers()
    assert told.contact().agent == "1001"
    told.wait(30)
    return told


def test_the_agent_is_released_to_wrap_up_and_the_colleague_is_offered_the_customer() -> None:
    told = talking()
    assert hand(told, "1002") == Accepted()
    assert told.commanded(HangUpLeg) == [HangUpLeg(LegId("n1-c1.1"), lane="n1-c1")]
    assert told.offered() == [("c1", "1002")]
    assert told.agent("1001").state == "wrap_up"
    told.ended("n1-c1.1")
    told.rings("n1-c1.2")
    told.wait(5)
    told.answers("n1-c1.2")
    told.wait(10)
    told.hang_up()
    contact = told.contact()
    assert (contact.outcome, contact.agent, contact.talk_s, contact.wait_s) == (ContactOutcome.ANSWERED, "1002", 40, 5)
    assert [(each.kind, each.agent, each.outcome, each.transfer) for each in told.segments()] == [
        ("flow", None, "queued", None),
        ("queue", None, "answered", None),
        ("talk", "1001", "transferred", Transfer.BLIND),
        ("queue", None, "answered", None),
        ("talk", "1002", "caller_left", None),
    ]
    assert contact.recording is not None and contact.recording.talks == ((1000, 1030), (1035, 1045))


def test_a_colleague_in_wrap_up_is_waited_for() -> None:
    told = talking()
    told.call("c2")
    told.answers("n1-c2.1")
    assert told.contact("c2").agent == "1003"
    told.hang_up("c2")
    told.ended("n1-c2.1")
    assert told.agent("1003").state == "wrap_up"
    assert hand(told, "1003") == Accepted()
    assert not told.offered() and told.commanded(StartMusic)
    told.wait(19)
    assert told.contact().place is not None and told.contact().place.agent == "1003"  # type: ignore[union-attr]


def test_who_is_not_taken_in_time_goes_to_whoever_of_his_queue_is_free_in_his_old_order() -> None:
    told = talking()
    told.wish("1003", "not_ready")
    hand(told, "1002")
    told.ended("n1-c1.1")
    told.call("c2")
    told.rings("n1-c1.2")
    told.wait(20)
    assert told.offer("n1-c1.2").outcome == "rona"
    told.wish("1003", "ready")
    assert told.offered() == [("c1", "1003")], "c2 came before c1 was handed over, and after c1 came"


def test_handed_to_a_queue_he_stands_before_who_came_later() -> None:
    told = talking()
    told.wish("1002", "not_ready")
    told.call("c2", ani="+7901")
    hand(told, "billing", by=None)
    place = told.contact().place
    assert place is not None and (place.queue, place.order, place.entered_at) == ("billing", 1000, 1030)
    told.wish("1002", "ready")
    assert told.offered() == [("c1", "1002")]


def test_back_in_the_queue_he_came_from_he_asks_for_what_he_asked_for() -> None:
    house = plan(
        straight_into(skills=needs(english=3), priority_s=5.0),
        operators=[operator("1001", english=5), operator("1002")],
        rules=RULES,
    )
    told = talking(house=house)
    hand(told, "support")
    assert not told.offered(), "1002 speaks no English"
    place = told.contact().place
    assert place is not None and (place.order, [need.skill for need in place.needs]) == (995, ["english"])


def with_a_menu() -> Case:
    """The same, with the line's menu before the queue."""
    wait, ask = StepName("wait"), StepName("ask")
    steps = {
        "ask": Menu(("ask",), {"1": wait}, otherwise=ask),
        "wait": Enqueue(queue().name, max_wait_s=60, otherwise=StepName("bye")),
        "bye": HangUp(),
    }
    told = Case(plan(steps, operators=[operator("1001"), operator("1002")], rules=RULES))
    told.call()
    told.press("1")
    told.answers()
    told.wait(30)
    return told


def test_handed_to_a_line_he_hears_its_menu_and_its_queue_keeps_his_order() -> None:
    told = with_a_menu()
    assert hand(told, "8 800 770-79-99") == Accepted()
    assert told.contact().state is ContactState.FLOW and told.contact().line == LINE
    told.wait(5)
    told.press("1")
    place = told.contact().place
    assert place is not None and place.order == 1000
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.ANSWERED, "an agent has talked with him, whatever came then"
    kinds = [(each.kind, each.outcome) for each in told.segments()]
    assert kinds[-3:] == [("talk", "transferred"), ("flow", "queued"), ("queue", "short_abandoned")]


def test_after_a_restart_in_mid_transfer_the_first_agent_is_hung_up_and_the_customer_hears_music() -> None:
    told = talking()
    told.wish("1002", "not_ready")
    hand(told, "billing")
    told = told.restarted()
    told.connect(listed_caller(), listed_agent(up=True, ringing=False))
    assert told.commanded(HangUpLeg) == [HangUpLeg(LegId("n1-c1.1"), lane="n1-c1")]
    assert told.commanded(StartMusic)


REFUSED = {
    "nowhere": "nowhere is no operator, queue, line or public number",
    "1001": "1001 would hand the customer to himself",
    "1002": "1002 is logged out",
    "89161234567": "there is no trunk",
}


@pytest.mark.parametrize("to", REFUSED)
def test_a_transfer_that_cannot_be_is_refused_with_the_reason_and_the_talk_goes_on(to: str) -> None:
    told = talking()
    told.wish("1002", "logged_out")
    assert hand(told, to) == Refused(REFUSED[to])
    assert told.contact().state is ContactState.TALKING and not told.commands


def test_a_colleague_who_talks_is_refused() -> None:
    told = talking()
    told.call("c2")
    told.answers("n1-c2.1")
    assert hand(told, "1003") == Refused("1003 is in another talk")


@pytest.mark.parametrize(
    ("state", "reason", "why"),
    [("not_ready", "lunch", "1002 is not ready (lunch)"), ("not_ready", "", "1002 is not ready")],
)
def test_a_colleague_on_a_break_is_refused(state: str, reason: str, why: str) -> None:
    told = talking()
    told.wish("1002", state, reason)
    assert hand(told, "1002") == Refused(why)


def test_a_colleague_without_a_phone_is_refused() -> None:
    told = talking()
    told.phone("1002", reachable=False)
    assert hand(told, "1002") == Refused("1002 cannot be reached: the phone is not registered")


def test_only_the_agent_who_talks_may_hand_him_over() -> None:
    told = talking()
    assert hand(told, "1003", by="1002") == Refused("n1-c1 is not 1002's: 1001 talks with the customer")
    assert hand(told, "1002", by=None) == Accepted(), "a supervisor"


def test_nobody_can_be_handed_over_who_does_not_talk() -> None:
    told = Case(HOUSE)
    assert hand(told, "1002") == Refused("no contact n1-c1 goes on")
    told.call()
    assert hand(told, "1002") == Refused("n1-c1 is offered: only who talks can be handed over")
    told.answers()
    told.hang_up()
    assert hand(told, "1002") == Refused("no contact n1-c1 goes on")


def test_while_nothing_is_heard_of_the_node_it_is_refused() -> None:
    told = talking()
    told.tell(NodeLost(NODE, at=told.now))
    assert hand(told, "1002") == Refused("nothing is heard of n1 just now")


def test_a_customer_who_is_away_after_it_keeps_his_place() -> None:
    told = talking()
    told.wish("1002", "not_ready")
    hand(told, "billing")
    told.tell(LegAway(LegId("c1"), at=told.now))
    assert told.contact().away and told.contact().state is ContactState.WAITING


def test_who_is_taken_out_of_his_talk_by_the_dialplan_comes_back_into_it() -> None:
    told = talking()
    told.tell(LegAway(LegId("c1"), at=told.now))
    assert told.contact().state is ContactState.TALKING and told.agent("1001").state == "talking"
    told.tell(LegReturned(LegId("c1"), at=told.now))
    assert [type(command) for command in told.commands] == [AnswerLeg, SeatLegs]
    (seats,) = told.commanded(SeatLegs)
    assert seats.together == ("c1", "n1-c1.1") and not told.contact().away


def test_who_is_handed_over_while_he_is_away_is_offered_to_nobody_until_he_is_back() -> None:
    told = talking()
    told.tell(LegAway(LegId("c1"), at=told.now))
    assert hand(told, "1002") == Accepted()
    assert told.contact().state is ContactState.WAITING and not told.offered()
    told.tell(LegReturned(LegId("c1"), at=told.now))
    assert told.offered() == [("c1", "1002")]


def test_who_is_handed_to_a_line_while_he_is_away_hears_its_flow_when_he_is_back() -> None:
    told = with_a_menu()
    told.tell(LegAway(LegId("c1"), at=told.now))
    assert hand(told, LINE) == Accepted()
    told.tell(LegReturned(LegId("c1"), at=told.now))
    assert [play.items for play in told.commanded(PlayPrompts)] == [("ask",)]
