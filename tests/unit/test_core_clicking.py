"""Click-to-call: the operator's own phone first, then the customer, as if he had dialled himself; once, however often asked."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import DialCustomer, HangUpLeg, OfferContact, PlayPrompts, WithdrawOffer
from ccserver.core.events import Accepted, CallCustomer, CommandFailed, Refused
from ccserver.core.ids import AgentId, ContactId, LegId, LineNumber, TrunkName
from ccserver.core.plan import Tolls, Trunk
from tests.unit.core_case import LINE, Case, listed_agent, operator, plan

MTT = Trunk(TrunkName("mtt"), "MTT")
HOUSE = replace(plan(operators=[operator("1001"), operator("1002")]), trunks={MTT.name: MTT})
CLICK, OWN = ContactId("n1-click1"), "n1-click1.1"


def house(**fields: object) -> Case:
    told = Case(replace(HOUSE, **fields))
    told.trunk(MTT.name)
    return told


def click(told: Case, agent: str = "1001", number: str = "89161234567", **about: str) -> object:
    line = LineNumber(about["line"]) if "line" in about else None
    told.tell(CallCustomer(CLICK, AgentId(agent), number, line, at=told.now))
    return told.router.answers[0]


def test_his_own_phone_rings_and_then_the_customer_is_dialled_by_the_usual_rules() -> None:
    told = house()
    assert click(told) == Accepted()
    (ring,) = told.commanded(OfferContact)
    assert (ring.offer, ring.leg, ring.agent, ring.ani) == (OWN, None, "1001", "+79161234567")
    assert (told.agent().state, told.contact("click1").state) == ("reserved", "summoning")
    told.rings(OWN)
    told.answers(OWN)
    (dial,) = told.commanded(DialCustomer)
    assert (dial.attempt, dial.leg, dial.trunk, dial.number) == ("n1-click1.2", OWN, "mtt", "+79161234567")
    assert dial.recording == "n1-click1" and told.agent().state == "dialling"
    told.answers("n1-click1.2")
    assert told.agent().state == "talking"
    told.now += 10
    told.ended(OWN)
    told.ended("n1-click1.2")
    contact = told.contact("click1")
    assert (contact.outcome, contact.talk_s, contact.direction, contact.agent) == ("answered", 10.0, "outbound", "1001")
    assert told.agent().state == "wrap_up" and told.agent().leg is None


def test_asked_twice_it_is_made_once_and_afterwards_not_again() -> None:
    told = house()
    click(told)
    assert click(told) == Accepted() and not told.commanded(OfferContact)
    told.ended(OWN, 17, 486)
    assert told.contact("click1").outcome == "cancelled"
    assert click(told) == Accepted() and not told.commanded(OfferContact)


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"agent": "9999"}, "no operator has the extension 9999"),
        ({"number": "88091234567"}, "+78091234567 begins with +7809, which tolls.deny names"),
        ({"number": "+4930123456"}, "+4930123456 begins with nothing that tolls.allow names"),
        ({"number": "1002"}, "1002 is no public number"),
        ({"line": "88000000000"}, "there is no line 88000000000"),
    ],
)
def test_what_may_not_be_called_is_refused_by_the_rule_that_forbids_it(about: dict[str, str], why: str) -> None:
    told = house()
    before = told.router.state()
    assert click(told, **about) == Refused(why)
    assert told.router.state() == before


def test_who_talks_and_whose_phone_is_away_or_in_use_is_not_called() -> None:
    told = house()
    told.call()
    told.answers()
    assert click(told) == Refused("1001 is talking: his phone is not free")
    told.phone("1002", reachable=False)
    assert click(told, "1002") == Refused("the phone of 1002 is not registered")
    told.phone("1002", in_use=True)
    assert click(told, "1002") == Refused("1002 is busy: his phone is not free")


def test_one_who_does_not_pick_up_is_what_he_was_and_no_customer_was_called() -> None:
    told = house()
    told.wish("1001", "not_ready", "lunch")
    click(told)
    told.rings(OWN)
    commands = told.wait(30.0)
    assert WithdrawOffer(LegId(OWN), lane=CLICK) in commands  # type: ignore[arg-type]
    contact = told.contact("click1")
    assert (contact.outcome, contact.reason, contact.attempts) == ("cancelled", "the phone of 1001: rona", 0)
    assert (told.agent().state, told.agent().reason, told.agent().ronas) == ("not_ready", "lunch", 0)


def test_a_leg_that_cannot_be_made_ends_it() -> None:
    told = house()
    click(told)
    (ring,) = told.commanded(OfferContact)
    told.tell(CommandFailed(ring, "500", "failed", at=told.now))
    assert told.contact("click1").outcome == "failed" and told.agent().leg is None


def test_limits_that_were_reached_while_his_phone_rang_count() -> None:
    told = house(tolls=Tolls(calls_per_hour=1))
    click(told)
    told.dials(agent="1002", leg="o1")
    told.answers(OWN)
    assert not told.commanded(DialCustomer)
    assert [play.items for play in told.commanded(PlayPrompts)] == [("outbound-limit",)]
    told.ended(OWN)
    assert told.contact("click1").outcome == "blocked"


def test_a_customer_who_hangs_up_ends_the_operators_leg() -> None:
    told = house()
    click(told)
    told.answers(OWN)
    told.answers("n1-click1.2")
    told.ended("n1-click1.2")
    assert HangUpLeg(LegId(OWN), lane=CLICK) in told.commands


def test_a_crash_before_his_phone_was_called_calls_it_once_more() -> None:
    told = house()
    click(told)
    told = told.restarted()
    told.now += 1
    told.connect()
    (ring,) = told.commanded(OfferContact)
    assert (ring.offer, ring.agent) == ("n1-click1.2", "1001")
    told.trunk(MTT.name)
    told.answers("n1-click1.2")
    assert [dial.attempt for dial in told.commanded(DialCustomer)] == ["n1-click1.3"]


def test_a_crash_while_he_is_there_dials_the_customer_all_the_same() -> None:
    told = house()
    click(told)
    told = told.restarted()
    told.now += 1
    told.connect(listed_agent(OWN, up=True, ringing=False))
    told.trunk(MTT.name)
    assert told.contact("click1").state in {"dialling", "telling"}
    assert told.agent().state == "dialling"


def test_the_line_that_was_asked_for_is_shown() -> None:
    told = house()
    click(told, line=LINE)
    assert told.contact("click1").line == LINE
