"""The attempt's state table, and whose "no" a failure was."""

from itertools import product

import pytest
from msgspec.structs import replace

from ccserver.core.attempt import TRANSITIONS, TRUNKS_FAULT, Attempt, AttemptOutcome, AttemptState, advance, closed
from ccserver.core.events import LegAnswered, LegEnded, LegRinging
from ccserver.core.ids import AttemptId, ContactId, LegId, TrunkName

LEG = LegId("n1-o1.1")
O = AttemptOutcome  # noqa: E741 - a column of the table below
ATTEMPT = Attempt(
    id=AttemptId(LEG),
    contact=ContactId("n1-o1"),
    trunk=TrunkName("mtt"),
    number="+79161234567",
    made_at=100.0,
    why="",
    reach_deadline=108.0,
    ring_deadline=160.0,
)
RINGING = advance(ATTEMPT, LegRinging(LEG, at=102.0))


def ended(sip_status: int | None = None, cause: int = 16, *, lost: bool = False) -> LegEnded:
    return LegEnded(LEG, cause, sip_status, lost, at=110.0)


@pytest.mark.parametrize(
    ("sip_status", "outcome"),
    [
        (486, O.BUSY),
        (600, O.BUSY),
        (603, O.DECLINED),
        (404, O.NO_SUCH_NUMBER),
        (484, O.NO_SUCH_NUMBER),
        (480, O.NO_ANSWER),
        (487, O.NO_ANSWER),
        (403, O.REFUSED),
        (407, O.REFUSED),
        (408, O.REFUSED),
        (488, O.REFUSED),
        (500, O.REFUSED),
        (503, O.REFUSED),
    ],
)
def test_a_sip_status_says_whose_no_it_was(sip_status: int, outcome: AttemptOutcome) -> None:
    told = advance(ATTEMPT, ended(sip_status, 21))
    assert (told.outcome, told.sip_status, told.state) == (outcome, sip_status, AttemptState.CLOSED)
    assert (outcome in TRUNKS_FAULT) == (outcome is O.REFUSED)


@pytest.mark.parametrize(
    ("cause", "unrung", "rung"),
    [
        (17, O.BUSY, O.BUSY),
        (21, O.DECLINED, O.DECLINED),
        (1, O.NO_SUCH_NUMBER, O.NO_SUCH_NUMBER),
        (19, O.NO_ANSWER, O.NO_ANSWER),
        (16, O.SILENT, O.NO_ANSWER),
        (0, O.SILENT, O.NO_ANSWER),
        (34, O.REFUSED, O.REFUSED),
        (38, O.REFUSED, O.REFUSED),
        (3, O.REFUSED, O.REFUSED),
        (27, O.REFUSED, O.REFUSED),
    ],
)
def test_without_a_sip_status_the_cause_says_it(cause: int, unrung: AttemptOutcome, rung: AttemptOutcome) -> None:
    assert advance(ATTEMPT, ended(cause=cause)).outcome is unrung
    assert advance(RINGING, ended(cause=cause)).outcome is rung


def test_a_request_that_timed_out_is_the_trunks_fault_unless_the_customers_phone_rang() -> None:
    assert advance(ATTEMPT, ended(408)).outcome is O.REFUSED
    assert advance(RINGING, ended(408)).outcome is O.NO_ANSWER


def test_a_leg_that_died_with_its_node_failed_through_no_fault_of_the_trunk() -> None:
    told = advance(RINGING, ended(503, lost=True))
    assert told.outcome is O.FAILED and O.FAILED not in TRUNKS_FAULT


def test_it_ends_as_it_was_given_up_whatever_the_trunk_says_to_that() -> None:
    assert advance(replace(ATTEMPT, giving_up=O.SILENT), ended(487)).outcome is O.SILENT


def test_a_customer_who_was_faster_than_our_giving_up_is_answered() -> None:
    answered = advance(replace(RINGING, giving_up=O.NO_ANSWER), LegAnswered(LEG, at=111.0))
    assert (answered.outcome, answered.giving_up, answered.ring_s) == (O.ANSWERED, None, 9.0)
    assert advance(answered, ended()).outcome is O.ANSWERED, "its end changes nothing"


def test_nothing_is_due_while_it_is_given_up_or_after_the_answer() -> None:
    assert (ATTEMPT.deadline, RINGING.deadline) == (108.0, 160.0)
    assert replace(RINGING, giving_up=O.NO_ANSWER).deadline is None
    assert advance(RINGING, LegAnswered(LEG, at=103.0)).deadline is None


@pytest.mark.parametrize(("state", "event"), list(product(AttemptState, (LegRinging, LegAnswered, LegEnded))))
def test_what_is_not_in_the_table_changes_nothing(state: AttemptState, event: type) -> None:
    before = replace(ATTEMPT, state=state, outcome=O.ANSWERED if state is AttemptState.ANSWERED else None)
    after = advance(before, event(LEG, at=120.0))
    assert (after is before) == ((state, event) not in TRANSITIONS)


def test_a_closed_attempt_stays_as_it_is() -> None:
    told = advance(ATTEMPT, ended(486))
    assert closed(told, O.FAILED, 200.0) is told


def test_people_are_told_the_trunk_and_what_it_said() -> None:
    assert advance(ATTEMPT, ended(503)).told == "mtt: refused (SIP 503)"
    assert advance(ATTEMPT, ended(cause=34)).told == "mtt: refused (cause 34)"
    assert advance(replace(ATTEMPT, giving_up=O.SILENT), ended(487)).told == "mtt: silent"
