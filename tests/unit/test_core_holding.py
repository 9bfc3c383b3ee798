"""Hold by the agent's phone: counted once, outside talk, whoever called whom, and across gaps."""

from msgspec.structs import replace

from ccserver.core.events import LegHeld, LegUnheld
from ccserver.core.ids import LegId, TrunkName
from ccserver.core.plan import Trunk
from ccserver.core.status import picture
from tests.unit.core_case import Case, listed_agent, listed_caller, plan

AGENT_LEG = "n1-c1.1"


def hold(told: Case, leg: str = AGENT_LEG) -> None:
    told.tell(LegHeld(LegId(leg), at=told.now))


def unhold(told: Case, leg: str = AGENT_LEG) -> None:
    told.tell(LegUnheld(LegId(leg), at=told.now))


def talking() -> Case:
    told = Case()
    told.call()
    told.answers()
    return told


def on_hold(told: Case) -> tuple[bool, bool]:
    """As the page shows the agent and the contact."""
    status = picture(told.router.floor, told.now)
    return status.agents[0].on_hold, status.contacts[0].on_hold


def test_the_time_on_hold_is_no_talking_time_and_its_beginnings_are_counted() -> None:
    told = talking()
    for talks_s, holds_s in ((10, 5), (20, 7)):
        told.wait(talks_s)
        hold(told)
        assert on_hold(told) == (True, True)
        told.wait(holds_s)
        unhold(told)
        assert on_hold(told) == (False, False)
    told.wait(3)
    told.hang_up()
    (talk,) = [segment for segment in told.segments() if segment.kind == "talk"]
    assert (talk.hold_s, talk.holds) == (12, 2)
    contact = told.contact()
    assert (contact.talk_s, contact.hold_s, contact.holds) == (33, 12, 2)


def test_a_hold_told_twice_is_one_and_a_talk_may_end_in_it() -> None:
    told = talking()
    told.wait(10)
    hold(told)
    told.wait(4)
    hold(told)
    told.wait(4)
    told.ended(AGENT_LEG)
    assert (told.contact().talk_s, told.contact().hold_s, told.contact().holds) == (10, 8, 1)


def test_a_customer_whose_phone_holds_us_is_not_on_hold() -> None:
    told = talking()
    hold(told, "c1")
    assert on_hold(told) == (False, False)


def test_of_a_call_that_he_made_the_agents_phone_holds_the_customer_too() -> None:
    mtt = Trunk(TrunkName("mtt"), "MTT")
    told = Case(replace(plan(), trunks={mtt.name: mtt}))
    told.trunk("mtt")
    told.dials()
    hold(told, "o1")
    assert told.contact("o1").holds == 0 and not told.contact("o1").on_hold, "the customer has not answered yet"
    told.answers("n1-o1.1")
    hold(told, "n1-o1.1")
    assert not told.contact("o1").on_hold, "that is the customer's phone"
    hold(told, "o1")
    told.wait(5)
    told.ended("n1-o1.1")
    assert (told.contact("o1").hold_s, told.contact("o1").holds) == (5, 1)


def test_a_hold_that_began_or_ended_in_a_gap_is_learnt_from_the_listing() -> None:
    told = talking().restarted()
    told.wait(10)
    told.connect(listed_caller(), listed_agent(up=True, ringing=False, held=True))
    assert on_hold(told) == (True, True)
    told = told.restarted()
    told.wait(20)
    told.connect(listed_caller(), listed_agent(up=True, ringing=False, held=False))
    told.wait(2)
    told.hang_up()
    assert (told.contact().talk_s, told.contact().hold_s) == (12, 20)


def test_a_listing_without_a_gap_says_nothing_of_hold() -> None:
    told = talking()
    hold(told)
    told.wait(1)
    told.lists(listed_caller(), listed_agent(up=True, ringing=False))
    assert on_hold(told) == (True, True)
