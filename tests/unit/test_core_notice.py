"""A caller whose talk may be recorded is told so before he waits, once."""

import pytest
from msgspec.structs import replace

from ccserver.core.commands import OfferContact, PlayPrompts, StopPlay
from ccserver.core.contact import ContactState
from ccserver.core.ids import PromptName, StepName
from ccserver.core.plan import Plan, Recordings, RecordPolicy
from ccserver.core.steps import Enqueue, Set, Step
from tests.unit.core_case import LINE, SUPPORT, Case, listed_caller, plan

NOTICE = PromptName("recording-notice")
S = StepName


def house(record: RecordPolicy | None = None, line: RecordPolicy | None = None, **steps: Step) -> Plan:
    made = plan(steps or {"wait": Enqueue(SUPPORT)})
    return replace(
        made,
        recordings=Recordings(announcement=NOTICE),
        queues={SUPPORT: replace(made.queues[SUPPORT], record=record)},
        lines={LINE: replace(made.lines[LINE], record=line)},
    )


def said(told: Case) -> list[tuple[str, ...]]:
    return [command.items for command in told.commanded(PlayPrompts)]


@pytest.mark.parametrize("record", [None, "always", "on_demand"])
def test_nobody_is_offered_before_he_was_told_and_no_key_skips_it(record: RecordPolicy | None) -> None:
    told = Case(house(record))
    told.call()
    assert said(told) == [(NOTICE,)] and not told.commanded(OfferContact)
    told.press("1")
    assert not told.commanded(StopPlay) and told.contact().state is ContactState.FLOW
    told.played()
    assert told.commanded(OfferContact) and not said(told)


@pytest.mark.parametrize(("record", "line"), [("never", None), ("always", "never")])
def test_who_is_not_recorded_is_told_nothing(record: RecordPolicy, line: RecordPolicy | None) -> None:
    told = Case(house(record, line))
    told.call()
    assert told.commanded(OfferContact) and not said(told)


def test_he_is_told_once_in_a_call_and_not_where_the_flow_has_said_so_itself() -> None:
    said_so = Set(next=S("wait"), variables={"recording_notice": "told"})
    told = Case(house(noted=said_so, wait=Enqueue(SUPPORT)))
    told.call()
    assert told.commanded(OfferContact) and not said(told)


def test_a_crash_while_he_is_told_has_it_said_again() -> None:
    told = Case(house())
    told.call()
    told.wait(1.0)
    other = told.restarted()
    other.connect(listed_caller())
    assert said(other) == [(NOTICE,)]
    other.played()
    assert other.commanded(OfferContact) and not said(other)
