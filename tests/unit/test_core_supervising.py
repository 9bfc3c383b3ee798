"""Supervisors in talks: who may, what their keys do, and what becomes of it after a gap."""

import pytest
from msgspec.structs import replace

from ccserver.core.agent import AgentState
from ccserver.core.commands import (
    CallSupervisor,
    EndSupervision,
    HangUpLeg,
    PlayPrompts,
    SeatLegs,
    SilenceRecording,
    SpyOn,
)
from ccserver.core.contact import SegmentOutcome
from ccserver.core.events import (
    Accepted,
    CodeDialled,
    CommandFailed,
    HoldCustomer,
    KeyPressed,
    Refused,
    SuperviseContact,
)
from ccserver.core.ids import AgentId, ContactId, LegId, QueueName
from ccserver.core.plan import Plan
from ccserver.core.records import SupervisionSaved
from ccserver.core.steps import Key
from ccserver.core.supervision import Supervision, SupervisionMode
from tests.unit.core_case import NODE, SUPPORT, Case, listed_agent, listed_caller, operator, plan, queue

C1, LEG, SPIED = ContactId("n1-c1"), LegId("n1-c1.s1"), LegId("n1-c1.1")
ANNA, VERA, GLEB = AgentId("1001"), AgentId("1002"), AgentId("1003")


def house(*supervises: str) -> Plan:
    vera = replace(operator(VERA, "other"), role="supervisor")
    gleb = replace(operator(GLEB, "other"), supervises=tuple(map(QueueName, supervises)))
    return plan(queues=[queue(), queue("other")], operators=[operator(ANNA), vera, gleb])


def talking(*supervises: str) -> Case:
    told = Case(house(*supervises))
    told.call()
    told.answers()
    told.wait(1)
    return told


def asked(told: Case, supervisor: AgentId = VERA, mode: SupervisionMode = "listen") -> Accepted | Refused:
    told.tell(SuperviseContact(C1, supervisor, mode, at=told.now))
    (answer,) = told.router.answers
    return answer


def listening(mode: SupervisionMode = "listen") -> Case:
    told = talking()
    assert asked(told, mode=mode) == Accepted()
    told.answers(LEG)
    return told


def last(told: Case) -> Supervision:
    return told.kept(SupervisionSaved)[-1].supervision


def test_his_phone_is_rung_and_gets_nothing_else_meanwhile() -> None:
    told = talking()
    assert asked(told, mode="whisper") == Accepted()
    assert told.commands == [CallSupervisor(LEG, VERA, ANNA, SPIED, "whisper", 30.0, lane=C1)]
    assert told.agent(VERA).leg == LEG and not told.agent(VERA).offerable
    told.ended(LEG)
    assert told.agent(VERA).leg is None and told.agent(VERA).offerable


@pytest.mark.parametrize(("supervises", "may"), [((SUPPORT,), True), (("other",), False), ((), False)])
def test_who_is_no_supervisor_of_all_may_hear_the_talks_of_his_queues(supervises: tuple[str, ...], may: bool) -> None:
    told = talking(*supervises)
    assert (asked(told, GLEB) == Accepted()) == may


def test_a_second_supervisor_is_refused_and_the_first_changes_his_mode() -> None:
    told = talking(SUPPORT)
    asked(told)
    assert asked(told, GLEB) == Refused("1002 is in this talk already")
    assert asked(told, VERA, "barge") == Accepted()
    assert not told.commands, "he has not answered yet"
    told.answers(LEG)
    assert told.commanded(SpyOn) == [SpyOn(LEG, SPIED, "barge", lane=C1)]


def test_who_is_in_a_call_or_has_no_phone_is_refused() -> None:
    told = talking()
    told.phone(VERA, reachable=False)
    assert asked(told) == Refused("1002's phone is not registered")


@pytest.mark.parametrize(("key", "mode"), [("4", "listen"), ("5", "whisper"), ("6", "barge")])
def test_his_keys_change_the_mode(key: Key, mode: SupervisionMode) -> None:
    told = listening("whisper" if mode == "listen" else "listen")
    told.tell(KeyPressed(LEG, key, at=told.now))
    assert told.commands == [SpyOn(LEG, SPIED, mode, lane=C1)]
    assert last(told).modes[-1] == (told.now, mode)


def test_a_key_that_means_nothing_changes_nothing() -> None:
    told = listening()
    told.tell(KeyPressed(LEG, "1", at=told.now))
    assert not told.commands and len(last(told).modes) == 1


def test_he_hangs_up_and_the_talk_goes_on() -> None:
    told = listening()
    told.wait(5)
    told.ended(LEG)
    assert told.commands == [EndSupervision(LEG, lane=C1)]
    assert last(told).ended_at == told.now and told.contact().supervision is None
    assert told.agent(ANNA).state is AgentState.TALKING


def test_the_end_of_the_talk_hangs_him_up_and_he_hears_why() -> None:
    told = listening()
    told.hang_up()
    assert EndSupervision(LEG, told=True, lane=C1) in told.commands
    assert last(told).ended_at is not None


def test_a_phone_that_still_rings_is_only_hung_up() -> None:
    told = talking()
    asked(told)
    told.hang_up()
    assert EndSupervision(LEG, lane=C1) in told.commands


def test_taking_over_the_operator_is_in_wrap_up_and_the_supervisor_talks() -> None:
    told = listening()
    told.wait(5)
    told.tell(KeyPressed(LEG, "8", at=told.now))
    seated = SeatLegs(LegId("c1"), (LegId("c1"), LEG), (), "", mixed=True, lane=C1)
    assert told.commands == [seated, EndSupervision(LEG, stays=True, lane=C1), HangUpLeg(SPIED, lane=C1)]
    assert (told.agent(ANNA).state, told.agent(VERA).state) == (AgentState.WRAP_UP, AgentState.TALKING)
    assert told.segments()[-2].outcome is SegmentOutcome.TAKEN_OVER
    contact = told.contact()
    assert contact.offer is not None and contact.offer.leg == LEG and contact.agent == VERA
    told.ended(SPIED)
    assert told.contact().offer == contact.offer, "the operator's leg is no part of the talk any more"


def test_who_called_somebody_himself_meanwhile_cannot_take_over() -> None:
    told = listening()
    told.trunk("mtt")
    told.dials(agent=VERA)
    assert asked(told, mode="take_over") == Refused("1002 is in a call of his own")
    told.tell(KeyPressed(LEG, "8", at=told.now))
    assert told.commands == [SpyOn(LEG, SPIED, "listen", lane=C1)]


def test_while_the_customer_is_on_hold_the_talk_stays_with_its_operator() -> None:
    told = listening()
    told.tell(HoldCustomer(C1, hold=True, by=ANNA, at=told.now))
    assert asked(told, mode="take_over") == Refused("the customer is on hold, or a third party is in the talk")


def test_a_leg_that_could_not_be_made_ends_it() -> None:
    told = talking()
    asked(told)
    (command,) = told.commanded(CallSupervisor)
    told.tell(CommandFailed(command, "Allocation failed", "unavailable", at=told.now))
    assert told.contact().supervision is None and told.agent(VERA).leg is None


def test_who_can_hear_nothing_is_hung_up() -> None:
    told = listening()
    told.tell(KeyPressed(LEG, "5", at=told.now))
    (command,) = told.commanded(SpyOn)
    told.tell(CommandFailed(command, "500", at=told.now))
    assert told.commands == [EndSupervision(LEG, told=True, lane=C1)]


# --- after a gap ----------------------------------------------------------------------------------------------------------


def again(told: Case, *legs: LegId, up: bool = True, ringing: bool = False) -> Case:
    told.wait(1)
    other = told.restarted()
    aside = [listed_agent(leg, up=up, ringing=ringing) for leg in legs]
    other.connect(listed_caller(), listed_agent(SPIED, up=True, ringing=False), *aside)
    return other


def test_after_a_gap_he_hears_what_he_wanted_last() -> None:
    told = listening("whisper")
    assert again(told, LEG).commanded(SpyOn) == [SpyOn(LEG, SPIED, "whisper", lane=C1)]


def test_that_he_answered_in_the_gap_is_known_after_it() -> None:
    told = talking()
    asked(told)
    other = again(told, LEG)
    assert last(other).answered_at is not None


def test_that_he_hung_up_in_the_gap_is_known_after_it() -> None:
    other = again(listening())
    assert last(other).ended_at is not None and other.agent(VERA).leg is None


def test_of_a_talk_that_ended_in_the_gap_he_is_told_after_it() -> None:
    told = listening()
    told.wait(1)
    other = told.restarted()
    other.connect(listed_agent(LEG, up=True, ringing=False))
    assert EndSupervision(LEG, told=True, lane=C1) in other.commands


def test_killed_before_he_was_told_he_is_told_after_it_and_once_the_tone_plays_he_is_left_alone() -> None:
    told = listening()
    told.hang_up()
    told.ended(SPIED)
    told.wait(1)
    other = told.restarted()
    leg = listed_agent(LEG, up=True, ringing=False)
    other.connect(leg)
    assert other.commanded(EndSupervision) == [EndSupervision(LEG, told=True, lane=C1)]
    other.lists(replace(leg, away=True))
    assert not other.commanded(EndSupervision) and other.agent(VERA).leg == LEG
    other.ended(LEG)
    assert other.agent(VERA).leg is None


def test_a_leg_that_was_made_and_never_dialled_is_hung_up() -> None:
    told = talking()
    asked(told)
    assert HangUpLeg(LEG, lane=C1) in again(told, LEG, up=False).commands


def test_a_leg_made_after_the_listing_was_asked_for_is_not_missing() -> None:
    told = talking()
    asked_at = told.now
    told.wait(1)
    asked(told)
    told.lists(listed_caller(), listed_agent(SPIED, up=True, ringing=False), asked_at=asked_at)
    assert told.contact().supervision is not None and told.agent(VERA).leg == LEG


def test_who_took_over_is_brought_into_the_talk_once_more() -> None:
    told = listening()
    told.tell(KeyPressed(LEG, "8", at=told.now))
    told.ended(SPIED)
    told.wait(1)
    other = told.restarted()
    other.connect(listed_caller(), listed_agent(LEG, up=True, ringing=False))
    assert SeatLegs(LegId("c1"), (LegId("c1"), LEG), (), "", mixed=True, lane=C1) in other.commands


# --- by feature code ------------------------------------------------------------------------------------------------------

CODE = LegId("code1")


def dialled(told: Case, code: str, agent: AgentId = VERA) -> tuple[str, ...]:
    told.tell(CodeDialled(agent, CODE, NODE, code, at=told.now))
    (play,) = told.commanded(PlayPrompts)
    return play.items


@pytest.mark.parametrize(("code", "mode"), [("*33", "listen"), ("*34", "whisper"), ("*35", "barge"), ("*36", "listen")])
def test_who_dials_a_code_is_rung_when_his_phone_is_free_of_it(code: str, mode: SupervisionMode) -> None:
    told = talking()
    assert dialled(told, f"{code}1001") == ("supervise-hang-up",)
    assert not told.commanded(CallSupervisor)
    told.ended(CODE)
    assert [command.mode for command in told.commanded(CallSupervisor)] == [mode]
    assert last(told).mode == ("take_over" if code == "*36" else mode)


def test_who_may_not_and_when_nobody_talks_it_is_said() -> None:
    told = talking()
    assert dialled(told, "*331001", GLEB) == ("supervise-not-allowed",)
    told.ended(CODE)
    assert not told.commanded(CallSupervisor)
    assert dialled(told, "*331003") == ("supervise-nobody-talks",)
    told.ended(CODE)
    assert dialled(told, "*339999") == ("supervise-nobody-talks",)


def test_a_talk_that_ends_before_he_hangs_up_rings_nobody() -> None:
    told = talking()
    dialled(told, "*331001")
    told.hang_up()
    told.ended(CODE)
    assert not told.commanded(CallSupervisor)


def test_the_operator_pauses_the_recording_by_a_code_and_lets_it_go_on() -> None:
    told = talking()
    assert dialled(told, "*41", ANNA) == ("recording-not-so",)
    told.ended(CODE)
    assert dialled(told, "*40", ANNA) == ("recording-paused",)
    assert [command.silent for command in told.commanded(SilenceRecording)] == [True]
    told.ended(CODE)
    assert dialled(told, "*41", ANNA) == ("recording-resumed",)
    told.ended(CODE)
    assert dialled(told, "*40", GLEB) == ("recording-not-so",)
