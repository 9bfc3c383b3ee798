"""A flow hands its caller on: to one operator, to somebody outside, to another line; and what becomes of him in vain."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import AnswerLeg, DialCustomer, HangUpLeg, SeatLegs
from ccserver.core.contact import ContactOutcome, ContactState
from ccserver.core.events import CommandFailed
from ccserver.core.ids import AgentId, FlowName, LegId, LineNumber, TrunkName
from ccserver.core.plan import Plan, Tolls, Trunk
from ccserver.core.status import toll_alarm
from ccserver.core.steps import Enqueue, Flow, Forward, GoTo, HangUp, Step
from tests.unit.core_case import LINE, SUPPORT, Case, listed_agent, listed_caller, operator, plan
from tests.unit.core_flows import S, said

MTT = Trunk(TrunkName("mtt"), "MTT")
NUMBER = "+74951234567"
OUTSIDE = LegId("n1-c1.1")
WAREHOUSE = Forward(NUMBER, otherwise=S("sorry"), ring_s=20.0)
SORRY = HangUp(("sorry",))


def house(steps: dict[str, Step] | None = None, **more: object) -> Plan:
    steps = steps or {"warehouse": WAREHOUSE, "sorry": SORRY}
    configured = plan(steps, operators=[operator("1001"), operator("1002")])
    return replace(configured, trunks={MTT.name: MTT}, **more)


def case(configured: Plan | None = None, *, trunk: bool = True, ready: bool = False) -> Case:
    told = Case(configured or house(), ready=ready)
    if trunk:
        told.trunk(MTT.name)
    told.call()
    return told


def test_somebody_outside_is_called_for_him_and_talks_with_him_alone() -> None:
    told = case()
    (dial,) = told.commanded(DialCustomer)
    assert (dial.leg, dial.number, dial.music, told.contact().state) == (
        "c1",
        NUMBER,
        "default",
        ContactState.FORWARDING,
    )
    told.rings(OUTSIDE)
    told.wait(3.0)
    told.answers(OUTSIDE)
    assert told.commanded(SeatLegs) and told.contact().state is ContactState.TALKING
    told.wait(60.0)
    told.ended(OUTSIDE)
    told.hang_up()
    contact = told.contact()
    assert (contact.outcome, contact.agent, contact.talk_s) == (ContactOutcome.FORWARDED, None, 60.0)
    kinds = [(segment.kind, segment.outcome) for segment in told.segments()]
    assert kinds == [("flow", "transferred"), ("dial", "answered"), ("talk", "outside_left")]


def test_who_was_not_to_be_answered_before_somebody_needs_it_is_answered_then() -> None:
    configured = house()
    line = replace(configured.lines[LINE], answer="operator")
    told = case(replace(configured, lines={LINE: line}))
    assert not told.commanded(AnswerLeg)
    told.answers(OUTSIDE)
    assert told.commanded(AnswerLeg)


def test_who_is_busy_or_rings_for_too_long_or_cannot_be_called_leaves_him_to_the_flow() -> None:
    told = case()
    told.ended(OUTSIDE, 17, 486)
    assert said(told) == [("sorry",)]
    told = case()
    told.rings(OUTSIDE)
    told.wait(19.9)
    assert not told.commands
    told.wait(0.1)
    assert [command.leg for command in told.commanded(HangUpLeg)] == [OUTSIDE]
    told.ended(OUTSIDE)
    assert said(told) == [("sorry",)]
    told = case()
    (dial,) = told.commanded(DialCustomer)
    told.tell(CommandFailed(dial, "Allocation failed", "unavailable", at=told.now))
    assert said(told) == [("sorry",)]


@pytest.mark.parametrize("why", ["no trunk", "denied", "too many"])
def test_what_may_not_leave_is_not_called_and_the_reason_is_kept(why: str) -> None:
    tolls = {"denied": Tolls(deny=("+7495",)), "too many": Tolls(calls_per_hour=0)}.get(why, Tolls())
    told = case(house(tolls=tolls), trunk=why != "no trunk")
    assert not told.commanded(DialCustomer) and said(told) == [("sorry",)]
    assert told.contact().reason


def test_calls_for_flows_count_among_all_of_the_hour_also_after_a_restart() -> None:
    told = case(house(tolls=Tolls(calls_per_hour=1)))
    told.call("c2")
    assert not told.commanded(DialCustomer) and said(told) == [("sorry",)]
    assert "1 calls have left within the hour" in toll_alarm(told.router.floor, told.now)
    told = told.restarted()
    told.connect()
    told.trunk("mtt")
    told.call("c3")
    assert not told.commanded(DialCustomer) and said(told) == [("sorry",)]
    told.dials(leg="o1")
    assert told.contact("o1").outcome is ContactOutcome.BLOCKED, "they count for operators, too"
    told.wait(3601.0)
    told.call("c4")
    assert told.commanded(DialCustomer)


def test_a_flow_that_leads_outside_for_ever_is_ended() -> None:
    told = case(house({"warehouse": replace(WAREHOUSE, otherwise=S("warehouse"))}), trunk=False)
    assert told.contact().state is ContactState.CLOSING and "goes round for ever" in told.contact().reason
    assert len(told.contact().reason) < 500


def test_who_hangs_up_meanwhile_was_served_by_nobody() -> None:
    told = case()
    told.hang_up()
    told.ended(OUTSIDE)
    assert told.contact().outcome is ContactOutcome.FLOW_ABANDONED


def test_who_comes_back_from_outside_has_his_old_order() -> None:
    wait = Enqueue(SUPPORT, max_wait_s=30.0, otherwise=S("warehouse"))
    told = case(house({"wait": wait, "warehouse": replace(WAREHOUSE, otherwise=S("wait"))}))
    told.wait(5.0)
    told.call("c2")
    told.wait(25.0)
    assert told.contact().state is ContactState.FORWARDING
    told.ended(OUTSIDE, 17, 486)
    assert told.contact().state is ContactState.WAITING
    told.phone("1001")
    told.wish("1001", "ready")
    assert told.offered() == [("c1", "1001")]


def test_killed_before_the_number_was_dialled_he_is_called_again_or_the_flow_goes_on() -> None:
    told = case()
    told.now += 2.0
    told.connect(listed_caller(), listed_agent(OUTSIDE, role="customer", ringing=False))
    assert [command.leg for command in told.commanded(HangUpLeg)] == [OUTSIDE]
    told.ended(OUTSIDE)
    assert told.contact().state is ContactState.FORWARDING and told.commanded(DialCustomer)


def by_name(**more: object) -> dict[str, Step]:
    fields = {"agent": AgentId("1002"), "max_wait_s": 30.0, "otherwise": S("sorry"), "nobody": S("sorry"), **more}
    return {"wait": Enqueue(SUPPORT, nobody_after_s=0.0, **fields), "sorry": SORRY}  # type: ignore[arg-type]


def test_one_operator_is_waited_for_alone_as_long_as_the_step_says() -> None:
    told = Case(house(by_name()))
    told.wish("1002", "not_ready", "lunch")
    told.call()
    assert not told.offered(), "1001 is ready, and not asked for"
    told.wait(29.0)
    told.wish("1002", "ready")
    assert told.offered() == [("c1", "1002")]
    told.ended("n1-c1.1", 21, 603)
    told.wait(2.0)
    assert said(told) == [("sorry",)]


def test_an_operator_who_is_not_logged_in_is_not_waited_for() -> None:
    told = case(house(by_name()), ready=False)
    assert said(told) == [("sorry",)]


def test_one_who_logs_out_meanwhile_is_waited_for_no_longer() -> None:
    told = Case(house(by_name()))
    told.wish("1002", "not_ready", "lunch")
    told.call()
    told.wait(5.0)
    told.wish("1002", "logged_out")
    deadline = told.router.deadline()
    assert deadline is not None and deadline > told.now, "nothing is due in a step that is over"
    told.wait(1.0)
    assert said(told) == [("sorry",)]


def test_handed_to_a_line_he_is_its_caller_for_the_flow_and_the_report_keeps_the_line_that_he_dialled() -> None:
    other = Flow(FlowName("other"), S("hi"), {S("hi"): HangUp(("other",))})
    configured = house({"go": GoTo(other.name, line=LineNumber("8800"))})
    told = case(replace(configured, flows={**configured.flows, other.name: other}))
    assert said(told) == [("other",)]
    assert told.contact().variables["line"] == "8800" and told.contact().line == LINE
