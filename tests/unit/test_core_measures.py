"""Measures: what a supervisor may put in force, how long it lasts, and that it is kept."""

import pytest
from msgspec.structs import replace

from ccserver.core.admission import fits
from ccserver.core.agent import AgentState
from ccserver.core.commands import HangUpLeg, PlayPrompts, StartMusic, StopPlay, WithdrawOffer
from ccserver.core.contact import ContactOutcome, ContactState, SegmentOutcome
from ccserver.core.events import Accepted, Answer, LegAway, LiftMeasure, Refused, TakeMeasure
from ccserver.core.ids import FlowName, LegId, LineNumber, MeasureId, PromptName, QueueName
from ccserver.core.measure import Announcement, Block, Closure, Measure
from ccserver.core.measures import MEASURES_MAX
from ccserver.core.records import MeasureLifted, MeasureSaved
from ccserver.core.steps import Enqueue, Flow, HangUp
from tests.unit.core_case import LINE, SUPPORT, Case, listed_caller, operator, plan, queue
from tests.unit.core_flows import S, said

FIRE = (PromptName("fire"),)


def take(told: Case, measure: Measure) -> Answer:
    told.tell(TakeMeasure(measure, at=told.now))
    return told.router.answers[-1]


def lift(told: Case, measure: str, by: str = "Ирина") -> Answer:
    told.tell(LiftMeasure(MeasureId(measure), by, at=told.now))
    return told.router.answers[-1]


def announcement(name: str = "m1", **fields: object) -> Announcement:
    return Announcement(id=MeasureId(name), by="Ирина", since=1000.0, prompts=FIRE, **fields)  # type: ignore[arg-type]


def closure(name: str = "m1", **fields: object) -> Closure:
    return Closure(id=MeasureId(name), by="Ирина", since=1000.0, **fields)  # type: ignore[arg-type]


def block(number: str = "+7900", name: str = "m1", **fields: object) -> Block:
    return Block(id=MeasureId(name), by="Ирина", since=1000.0, number=number, **fields)  # type: ignore[arg-type]


def test_what_is_taken_is_kept_over_a_restart_and_ends_when_its_time_is_over() -> None:
    told = Case()
    assert take(told, block(until=1060.0)) == Accepted()
    other = told.restarted()
    assert other.router.floor.measures == {"m1": block(until=1060.0)}
    other.wait(59.0)
    assert not other.kept(MeasureLifted)
    other.wait(1.0)
    assert [(each.by, each.at) for each in other.kept(MeasureLifted)] == [("time", 1060.0)]
    assert not other.router.state().measures


def test_the_same_measure_twice_is_taken_once_and_lifted_once() -> None:
    told = Case()
    assert take(told, closure()) == take(told, closure()) == Accepted()
    assert len(told.kept(MeasureSaved)) == 1
    assert lift(told, "m1") == Accepted()
    assert lift(told, "m1") == Refused("no measure m1 is in force", "id", unknown=True)


@pytest.mark.parametrize(
    ("measure", "reason"),
    [
        (closure("m0", line=LINE), "another measure has the id m0"),
        (closure(line=LineNumber("123")), "there is no line 123"),
        (closure(treatment="nowhere"), "there is no flow nowhere"),
        (closure(), "it is closed already, by Ирина (measure m0)"),
        (block(treatment="nowhere"), "there is no flow nowhere"),
        (announcement(until=1000.0), "it would be over before it begins"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(measure: Measure, reason: str) -> None:
    told = Case()
    take(told, closure("m0"))
    assert take(told, measure) == Refused(reason)
    assert list(told.router.floor.measures) == ["m0"]


def test_a_number_is_blocked_once_and_not_more_than_so_many_are() -> None:
    told = Case()
    take(told, block())
    assert take(told, block(name="m2")) == Refused("+7900 is blocked already, by Ирина (measure m1)")
    for number in range(1, MEASURES_MAX):
        take(told, block(f"+8{number}", f"n{number}"))
    assert take(told, block("+9", "last")) == Refused(f"{MEASURES_MAX} measures are in force: lift some first")


@pytest.mark.parametrize(
    ("number", "ani", "whose"),
    [
        ("+7916", "+79161234567", True),
        ("+79161234567", "+79161234567", True),
        ("+7917", "+79161234567", False),
        ("+7", "1012", False),
        ("anonymous", "anonymous", True),
        ("anonymous", "", True),
        ("anonymous", "1012", False),
    ],
)
def test_a_number_fits_by_its_beginning_and_anonymous_whoever_shows_none(number: str, ani: str, whose: bool) -> None:
    assert fits(number, ani) == whose


def test_a_block_on_another_line_does_not_count() -> None:
    told = Case(ready=False)
    told.router.floor.enforce(block(line=LineNumber("other")))
    told.call()
    assert told.contact().state is ContactState.WAITING


def test_who_waits_hears_an_announcement_but_not_who_is_in_the_fallback() -> None:
    told = Case(ready=False)
    told.call()
    told.call("c2")
    told.tell(LegAway(LegId("c2"), at=told.now))
    take(told, announcement())
    assert [play.leg for play in told.commanded(PlayPrompts)] == ["c1"]


def test_an_announcement_that_was_lifted_in_a_gap_is_not_said_again() -> None:
    told = Case(plan({"bye": HangUp(("bye",))}), ready=False)
    take(told, announcement())
    told.call()
    assert said(told) == [FIRE]
    lift(told, "m1")
    told.now += 1.0
    told.connect(listed_caller())
    assert told.commanded(StopPlay) and said(told) == [("bye",)]


def test_who_hangs_up_during_the_announcement_has_left_in_the_flow() -> None:
    told = Case(plan({"bye": HangUp(("bye",))}), ready=False)
    take(told, announcement())
    told.call()
    told.hang_up()
    assert told.contact().outcome is ContactOutcome.FLOW_ABANDONED


def test_who_waits_and_has_no_way_out_is_treated_as_who_calls() -> None:
    told = Case(
        plan({"wait": Enqueue(SUPPORT, max_wait_s=5.0, otherwise=S("again")), "again": Enqueue(SUPPORT)}), ready=False
    )
    told.call()
    take(told, closure(queued="close", line=LineNumber(LINE)))
    assert told.segments()[-1].outcome is SegmentOutcome.CLOSED_OUT
    assert told.commanded(HangUpLeg)[-1].cause == 17


def test_a_flow_that_a_reload_took_away_makes_a_closed_line_busy() -> None:
    told = Case()
    told.router.floor.enforce(closure(treatment="gone"))
    told.call()
    assert told.commanded(HangUpLeg)[-1].cause == 17
    assert told.contact().reason == "the line was closed by Ирина"


def test_whose_phone_rings_for_him_when_his_line_is_closed_hears_music_for_the_queue_that_he_is_sent_to() -> None:
    late = Flow(FlowName("late"), S("wait"), {S("wait"): Enqueue(QueueName("late"))})
    configured = plan(queues=[queue(), queue("late")], operators=[operator("1001")])
    told = Case(replace(configured, flows={**configured.flows, late.name: late}))
    told.call()
    told.rings()
    take(told, closure(queued="close", treatment="late"))
    assert told.contact().place is not None and told.contact().place.queue == "late"
    assert [type(command) for command in told.commands] == [WithdrawOffer, StartMusic]
    assert told.agent("1001").state is AgentState.READY
