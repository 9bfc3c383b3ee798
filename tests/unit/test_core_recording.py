"""Recordings: by whose rule, which stretches are kept, pauses, and what is commanded again after a gap."""

import msgspec
import pytest
from msgspec.structs import replace

from ccserver.core.commands import KeepRecording, OfferContact, SilenceRecording, StartRecording
from ccserver.core.contact import Direction, Recording
from ccserver.core.events import Accepted, RecordingAction, RecordingStarted, Refused, SteerRecording
from ccserver.core.ids import AgentId, ContactId, RecordingName
from ccserver.core.plan import Outbound, Plan, Queue, Recordings, RecordPolicy
from ccserver.core.recording import policy, state_of
from tests.unit.core_case import LINE, SUPPORT, Case, listed_agent, listed_caller, operator, plan, queue

C1 = ContactId("n1-c1")


def configured(
    agent: RecordPolicy | None = None,
    of_queue: RecordPolicy | bool | None = None,
    line: RecordPolicy | None = None,
    outbound: RecordPolicy | bool | None = None,
) -> Plan:
    house = plan(queues=[queue(record=of_queue)], operators=[replace(operator("1001"), record=agent)])
    lines = {LINE: replace(house.lines[LINE], record=line)}
    return replace(house, lines=lines, outbound=Outbound(record=outbound), recordings=Recordings(pause_max_s=60.0))


def talking(house: Plan) -> Case:
    told = Case(house)
    told.call()
    told.answers()
    return told


def steered(told: Case, action: RecordingAction) -> Accepted | Refused:
    told.tell(SteerRecording(C1, action, at=told.now))
    (answer,) = told.router.answers
    return answer


@pytest.mark.parametrize(
    ("agent", "of_queue", "line", "wanted"),
    [
        (None, None, None, "always"),
        (None, None, "on_demand", "on_demand"),
        (None, "always", "on_demand", "always"),
        ("on_demand", "always", None, "on_demand"),
        ("always", "on_demand", "on_demand", "always"),
        ("never", "always", "always", "never"),
        ("always", "never", None, "never"),
        ("always", "always", "never", "never"),
        (None, True, None, "always"),
        (None, False, None, "never"),
    ],
)
def test_never_beats_whoever_says_it_and_else_the_operator_then_the_queue_then_the_line_counts(
    agent: RecordPolicy | None,
    of_queue: RecordPolicy | bool | None,
    line: RecordPolicy | None,
    wanted: RecordPolicy,
) -> None:
    house = configured(agent, of_queue, line)
    told = Case(house)
    told.call()
    assert policy(house, told.contact(), SUPPORT, AgentId("1001")) == wanted
    (offered,) = told.commanded(OfferContact)
    assert offered.recording == ("n1-c1" if wanted == "always" else None)


def test_of_a_call_that_an_operator_made_outbound_counts_where_the_queue_would() -> None:
    house = configured(None, "never", None, "on_demand")
    told = Case(house)
    told.call()
    outbound = replace(told.contact(), direction=Direction.OUTBOUND)
    assert policy(house, outbound, None, AgentId("1001")) == "on_demand"


def test_colleagues_among_themselves_are_never_recorded() -> None:
    house = configured("always")
    told = Case(house)
    told.call()
    assert policy(house, replace(told.contact(), direction=Direction.INTERNAL), None, AgentId("1001")) == "never"


def test_the_journal_of_an_older_version_still_says_true_and_false() -> None:
    old = msgspec.json.decode(b'{"name": "support", "title": "Support", "record": false}', type=Queue)
    told = Case(plan())
    told.call()
    assert policy(replace(plan(), queues={SUPPORT: old}), told.contact(), SUPPORT, None) == "never"


def test_a_talk_under_way_at_the_upgrade_is_kept_from_its_beginning() -> None:
    old = msgspec.json.decode(b'{"name": "n1-c1", "started_at": 5.0, "talks": [[1.0, 2.0]]}', type=Recording)
    assert old == Recording(name=RecordingName("n1-c1"), started_at=5.0, talks=((1.0, 2.0),))
    assert not old.off and old.begun_at == 0.0


def test_a_pause_is_a_gap_in_what_is_kept_and_ends_by_itself() -> None:
    told = talking(configured())
    begun_at = told.now
    told.wait(10)
    assert steered(told, "pause") == Accepted()
    assert told.commanded(SilenceRecording) == [SilenceRecording(told.contact().leg, True, lane=C1)]
    told.wait(59)
    assert state_of(told.contact()) == "paused"
    assert SilenceRecording(told.contact().leg, False, lane=C1) in told.wait(1)
    assert state_of(told.contact()) == "on"
    told.wait(10)
    told.hang_up()
    (kept,) = told.commanded(KeepRecording)
    assert kept.talks == ((begun_at, begun_at + 80),) and kept.gaps == ((begun_at + 10, begun_at + 70),)


def test_a_pause_asked_for_twice_lasts_longer_and_is_one_gap() -> None:
    told = talking(configured())
    assert steered(told, "pause") == Accepted()
    told.wait(50)
    assert steered(told, "pause") == Accepted() and not told.commanded(SilenceRecording)
    told.wait(50)
    assert state_of(told.contact()) == "paused"
    told.wait(10)
    recording = told.contact().recording
    assert recording is not None and len(recording.gaps) == 1


def test_the_end_of_the_talk_ends_the_pause() -> None:
    told = talking(configured())
    paused_at = told.now
    steered(told, "pause")
    told.wait(5)
    told.hang_up()
    (kept,) = told.commanded(KeepRecording)
    assert kept.gaps == ((paused_at, paused_at + 5),)


def test_on_demand_it_begins_in_mid_talk_and_only_that_is_kept() -> None:
    told = talking(configured(of_queue="on_demand"))
    told.wait(10)
    assert steered(told, "start") == Accepted()
    assert told.commanded(StartRecording) == [StartRecording(told.contact().leg, RecordingName(C1), lane=C1)]
    told.tell(RecordingStarted(C1, RecordingName(C1), at=told.now))
    begun_at = told.now
    told.wait(20)
    told.hang_up()
    (kept,) = told.commanded(KeepRecording)
    assert kept.talks == ((begun_at, begun_at + 20),)


def test_what_nobody_asked_for_is_not_kept() -> None:
    told = talking(configured(of_queue="on_demand"))
    told.wait(10)
    told.hang_up()
    assert not told.commanded(KeepRecording)


def test_a_contact_that_does_not_go_on_and_one_in_which_nobody_talks_refuse() -> None:
    told = Case(configured(), ready=False)
    assert steered(told, "pause") == Refused("contact n1-c1 does not go on")
    told.call()
    assert steered(told, "pause") == Refused("nobody talks in it now: there is nothing to record")


def test_after_a_gap_silence_is_commanded_again_and_so_is_sound() -> None:
    told = talking(configured())
    told.tell(RecordingStarted(C1, RecordingName(C1), at=told.now))
    steered(told, "pause")
    legs = (listed_caller(), listed_agent(up=True))
    told.wait(1)
    again = told.restarted()
    again.connect(*legs)
    assert [each.silent for each in again.commanded(SilenceRecording)] == [True]
    assert not again.commanded(StartRecording), "it runs already"
    steered(again, "resume")
    last = again.restarted()
    last.connect(*legs)
    assert [each.silent for each in last.commanded(SilenceRecording)] == [False]


def test_a_recording_whose_beginning_was_never_confirmed_is_begun_again_after_a_gap() -> None:
    told = talking(configured())
    told.wait(1)
    again = told.restarted()
    again.connect(listed_caller(), listed_agent(up=True))
    assert [each.recording for each in again.commanded(StartRecording)] == ["n1-c1"]


def test_of_a_call_that_an_operator_made_the_leg_is_his() -> None:
    told = Case(configured(outbound="on_demand"))
    told.trunk("mtt")
    told.dials()
    assert told.contact("o1").recording is None
