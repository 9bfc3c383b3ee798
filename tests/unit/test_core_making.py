"""Only so many offers of a node are being made at once: the others come a moment later, in their order, and nobody is lost."""

from collections.abc import Callable

import pytest

from ccserver.core.commands import OfferContact, PlayPrompts, StartMusic
from ccserver.core.contact import ContactState
from ccserver.core.decision import Lack
from ccserver.core.events import CommandFailed, ConfigReplaced, ContactArrived, LegDialled, NodeConnected, NodeListed
from ccserver.core.ids import AgentId, ContactId, LegId, NodeName, StepName
from ccserver.core.offer import OfferState
from ccserver.core.plan import Rules
from ccserver.core.records import DecisionSaved
from ccserver.core.steps import Enqueue, HangUp
from tests.unit.core_case import LINE, SUPPORT, Case, listed_agent, listed_caller, operator, plan

AGENTS = ("1001", "1002", "1003", "1004")
BOUND = 2
OTHER_NODE = NodeName("n2")


def house(bound: int = BOUND, *, name: str = "plan", **fields: object) -> Case:
    """Four operators who are not there yet, in one queue."""
    steps = {"wait": Enqueue(SUPPORT, **fields), "bye": HangUp()}  # type: ignore[arg-type]
    return Case(plan(steps, operators=map(operator, AGENTS), rules=rules(bound), name=name), ready=False)


def rules(bound: int) -> Rules:
    return Rules(reconcile_every_s=86400.0, offers_at_once=bound)


def log_in(told: Case) -> None:
    for agent in AGENTS:
        told.phone(agent)
        told.wish(agent, "ready")


def burst(callers: int = 6) -> Case:
    """So many wait, and all operators log in."""
    told = house()
    for number in range(callers):
        told.call(f"c{number + 1}")
    log_in(told)
    return told


def being_made(told: Case) -> set[str]:
    """Whose offers."""
    offers = (contact.offer for contact in told.router.floor.contacts.values())
    return {offer.contact.removeprefix("n1-") for offer in offers if offer and offer.state is OfferState.MAKING}


def fails(told: Case) -> None:
    """Asterisk does not answer."""
    command = OfferContact("n1-c1.1", LegId("c1"), AgentId("1001"), "", "", 1.0, None, lane="n1-c1")  # type: ignore[arg-type]
    told.tell(CommandFailed(command, "no answer within 10 s", at=told.now))


def test_when_all_log_in_at_once_no_more_offers_are_made_than_may_be() -> None:
    told = burst()
    assert being_made(told) == {"c1", "c2"}
    assert all(told.contact(f"c{number}").state is ContactState.WAITING for number in (3, 4, 5, 6))


@pytest.mark.parametrize(
    ("made", "then"),
    [
        (Case.dialled, {"c2", "c3"}),
        (Case.rings, {"c2", "c3"}),
        (Case.answers, {"c2", "c3"}),
        (lambda told: told.hang_up("c1"), {"c2", "c3"}),
        (fails, {"c1", "c2"}),
        (lambda told: told.ended("n1-c1.1", 17, 486), {"c1", "c2"}),
        (lambda told: told.wait(61.0), {"c1", "c2"}),
    ],
    ids=["dialled", "ringing", "answered", "left", "failed", "busy", "never told"],
)
def test_the_next_is_made_when_one_is_made_or_over(made: Callable[[Case], object], then: set[str]) -> None:
    told = burst()
    made(told)
    assert being_made(told) == then, "whose offer failed is first again"
    assert len(told.commanded(OfferContact)) >= 1


def test_all_are_served_in_the_order_of_their_places() -> None:
    told = burst()
    order = [contact for contact, _ in told.offered()]
    for offer in ("n1-c1.1", "n1-c2.1", "n1-c3.1", "n1-c4.1"):
        told.dialled(offer)
        order += [contact for contact, _ in told.offered()]
    assert order == ["c3", "c4"] and not being_made(told)
    assert told.contact("c5").state is ContactState.WAITING, "nobody is free any more"


def test_a_phone_that_is_slow_to_ring_keeps_nobody_waiting() -> None:
    told = burst()
    for offer in ("n1-c1.1", "n1-c2.1"):
        told.dialled(offer)
    assert being_made(told) == {"c3", "c4"} and told.offer("n1-c1.1").ringing_at is None


def test_who_comes_while_his_node_is_busy_is_not_turned_away_and_told_nothing_until_it_is_his_turn() -> None:
    told = house(1, max_waiting=1, full=StepName("bye"), announce=("busy",))
    log_in(told)
    for caller in ("c1", "c2", "c3", "c4"):
        told.call(caller)
        assert not told.commanded(PlayPrompts) and not told.commanded(StartMusic)
    assert [told.contact(caller).state for caller in ("c1", "c4")] == [ContactState.OFFERED, ContactState.WAITING]
    for number, offer in enumerate(("n1-c1.1", "n1-c2.1", "n1-c3.1")):
        told.dialled(offer)
        assert told.offered() == [(f"c{number + 2}", AGENTS[number + 1])] and not told.commanded(PlayPrompts)
    assert not told.router.floor.held


def test_who_does_wait_in_the_end_is_told_so_then() -> None:
    told = house(1, announce=("busy",))
    told.phone("1001")
    told.phone("1002")
    told.wish("1001", "ready")
    told.call("c1")
    told.wish("1002", "ready")
    told.call("c2")
    told.call("c3")
    assert [*told.router.floor.held] == ["n1-c2", "n1-c3"]
    told.dialled("n1-c1.1")
    assert told.offered() == [("c2", "1002")] and [each.lane for each in told.commanded(PlayPrompts)] == ["n1-c3"]


def test_who_leaves_meanwhile_leaves_nothing_behind() -> None:
    told = house(1)
    log_in(told)
    for caller in ("c1", "c2"):
        told.call(caller)
    told.hang_up("c2")
    assert told.contact("c2").state is ContactState.CLOSED and not told.router.floor.held


def test_who_is_asked_for_by_name_is_found_again() -> None:
    told = house(1, agent=AgentId("1002"))
    told.call("c1")
    told.call("c2")
    log_in(told)
    assert being_made(told) == {"c1"}
    told.hang_up("c1")
    assert told.offered() == [] and not being_made(told), "his phone is not free yet"
    told.ended("n1-c1.1")
    assert told.offered() == [("c2", "1002")]


def test_why_he_waits_is_written_down_once() -> None:
    told = burst(2)
    told.call("c3")
    told.call("c4")
    for _ in range(3):
        told.tell()
    decided = [each.decision for each in told.kept(DecisionSaved) if each.decision.contact == "n1-c3"]
    assert [each.lack for each in decided] == [Lack.NODE_BUSY]


def test_after_a_restart_the_bound_holds_and_all_are_served() -> None:
    told = burst().restarted()
    told.connect(*(listed_caller(f"c{number}") for number in range(1, 7)))
    assert len(being_made(told)) == BOUND, "those that were being made are lost, and made anew"
    served: set[str] = set()
    for _ in AGENTS:
        served |= being_made(told)
        for contact in being_made(told):
            told.dialled(str(told.contact(contact).offer.id))  # type: ignore[union-attr]
    assert served == {"c1", "c2", "c3", "c4"}


def test_a_leg_that_was_dialled_before_a_restart_goes_on_and_is_not_counted() -> None:
    told = burst()
    told.dialled("n1-c1.1")
    told = told.restarted()
    told.connect(*(listed_caller(f"c{number}") for number in range(1, 7)), listed_agent("n1-c1.1", ringing=False))
    assert told.offer("n1-c1.1").outcome is None and told.contact("c1").state is ContactState.OFFERED
    assert len(being_made(told)) == BOUND


def test_a_lower_bound_counts_from_the_next_offer_on() -> None:
    told = burst()
    changed = plan({"wait": Enqueue(SUPPORT)}, operators=map(operator, AGENTS), rules=rules(1), name="other")
    told.tell(ConfigReplaced(changed, at=told.now))
    assert being_made(told) == {"c1", "c2"}
    told.dialled("n1-c1.1")
    assert being_made(told) == {"c2"}
    told.dialled("n1-c2.1")
    assert being_made(told) == {"c3"}


def test_another_node_is_not_busy() -> None:
    told = burst()
    told.tell(NodeConnected(OTHER_NODE, 0.0, at=told.now))
    told.tell(NodeListed(OTHER_NODE, told.now, True, (), at=told.now))
    contact = ContactId("n2-d1")
    told.tell(ContactArrived(contact, LegId("d1"), OTHER_NODE, LINE, "+7900", told.now, at=told.now))
    assert told.router.floor.contacts[contact].state is ContactState.OFFERED, "younger, but on a node that has time"


def test_what_is_told_of_a_leg_that_serves_nothing_changes_nothing() -> None:
    told = burst()
    ignored = told.router.floor.ignored
    told.tell(LegDialled(LegId("n1-c9.1"), at=told.now), LegDialled(LegId("n1-c1.7"), at=told.now))
    assert told.router.floor.ignored == ignored + 2 and being_made(told) == {"c1", "c2"}
