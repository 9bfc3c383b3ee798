"""Opening hours in a flow and in a queue; the cases begin at 00:16:40 UTC of a Thursday."""

from msgspec.structs import replace

from ccserver.core.calendar import Calendar, Span
from ccserver.core.contact import ContactOutcome, ContactState, SegmentOutcome
from ccserver.core.ids import CalendarName
from ccserver.core.plan import Plan
from ccserver.core.steps import Branch, Enqueue, Step
from tests.unit.core_case import SUPPORT, Case, plan
from tests.unit.core_flows import STEPS, S, said

SHOP = CalendarName("shop")
UNTIL_00_20 = Calendar(SHOP, "Etc/UTC", ((Span(0, 20),),) * 7)
CLOSED = replace(UNTIL_00_20, week=((),) * 7)
HOLIDAY = replace(UNTIL_00_20, days={"01-01": ()})


def planned(calendar: Calendar, **steps: Step) -> Plan:
    whole = plan({**steps, **{name: step for name, step in STEPS.items() if name not in steps}})
    return replace(whole, calendars={SHOP: calendar})


def case(calendar: Calendar, *, ready: bool = False, **steps: Step) -> Case:
    told = Case(planned(calendar, **steps), ready=ready)
    told.call()
    return told


BRANCH = Branch(None, {"open": S("hello"), "holiday": S("hours")}, otherwise=S("bye"), calendar=SHOP)
QUEUE = Enqueue(SUPPORT, calendar=SHOP, closed=S("bye"))


def test_a_flow_goes_by_the_hours_of_a_calendar() -> None:
    assert said(case(UNTIL_00_20, which=BRANCH)) == [("hello",)]
    assert said(case(HOLIDAY, which=BRANCH)) == [("hours",)]
    assert said(case(CLOSED, which=BRANCH)) == [("bye",)]


def test_nobody_is_put_into_a_queue_that_is_closed() -> None:
    told = case(CLOSED, ready=True, wait=QUEUE)
    assert said(told) == [("bye",)]
    assert [segment.kind for segment in told.segments()] == ["flow"]


def test_who_waits_at_closing_time_goes_on_where_the_flow_says() -> None:
    told = case(UNTIL_00_20, wait=QUEUE)
    told.wait(199.0)
    assert told.contact().state is ContactState.WAITING
    told.wait(1.0)
    assert said(told) == [("bye",)]
    assert [segment.outcome for segment in told.segments()][:2] == [SegmentOutcome.QUEUED, SegmentOutcome.CLOSED_OUT]
    told.played()
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.OVERFLOWED


def test_the_sooner_of_patience_and_closing_time_counts() -> None:
    patient = Enqueue(SUPPORT, calendar=SHOP, closed=S("bye"), max_wait_s=30.0, otherwise=S("hours"))
    told = case(UNTIL_00_20, wait=patient)
    told.wait(30.0)
    assert said(told) == [("hours",)]
    assert told.segments()[1].outcome is SegmentOutcome.OVERFLOWED
    late = case(UNTIL_00_20, wait=replace(patient, max_wait_s=900.0))
    late.wait(200.0)
    assert late.segments()[1].outcome is SegmentOutcome.CLOSED_OUT


def test_an_operator_whose_phone_rings_at_closing_time_may_still_answer() -> None:
    told = case(UNTIL_00_20, ready=True, wait=QUEUE)
    told.rings()
    told.now = 1201.0
    told.answers()
    assert told.contact().state is ContactState.TALKING


def test_closing_time_survives_a_restart() -> None:
    told = case(UNTIL_00_20, wait=QUEUE).restarted()
    told.connect()
    assert told.contact().place is not None and told.contact().deadline == 1200.0
