"""After a talk: what is owed of it and by whom it may be said, how long the wrap-up lasts, and until when."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from ccserver.core.commands import PlayPrompts
from ccserver.core.disposition import Disposition
from ccserver.core.events import Accepted, CodeDialled, ExtendWrapUp, GiveDisposition, Refused, SetAgentState
from ccserver.core.ids import AgentId, ContactId, LegId, TalkId
from ccserver.core.plan import Dispositions, Plan, Rules
from ccserver.core.records import DispositionForgotten, DispositionSaved
from tests.unit.core_case import LINE, NODE, Case, operator, plan, queue

TOPICS = {"1": "Goods", "11": "Choice", "12": "Availability", "2": "Service"}
C1 = ContactId("n1-c1")
AT_NINE = datetime(2026, 11, 30, 6, tzinfo=UTC).timestamp()
"""In Moscow."""


def asking(*, required: bool = False, rules: Rules | None = None, **fields: float) -> Plan:
    """A queue that asks for topics, and two operators."""
    asked = queue(dispositions=Dispositions(TOPICS, required), **fields)
    return plan(queues=[asked], operators=[operator("1001"), operator("1002")], rules=rules)


def talking(configured: Plan) -> Case:
    told = Case(configured)
    told.call()
    told.answers()
    return told


def dialled(told: Case, code: str, agent: str = "1001") -> tuple[str, ...]:
    told.tell(CodeDialled(AgentId(agent), LegId("code1"), NODE, code, at=told.now))
    (play,) = told.commanded(PlayPrompts)
    told.ended("code1")
    return play.items


def give(told: Case, agent: str | None = "1001", **said: object) -> object:
    who = AgentId(agent) if agent else None
    told.tell(GiveDisposition(contact=said.pop("contact", C1), agent=who, at=told.now, **said))  # type: ignore[arg-type]
    return told.router.answers[0]


def last(told: Case) -> Disposition:
    return told.kept(DispositionSaved)[-1].disposition


# --- what is said of a talk ---------------------------------------------------------------------------------------------


def test_a_talk_owes_its_disposition_from_its_first_moment() -> None:
    told = talking(asking())
    owed = last(told)
    assert (owed.talk, owed.agent, owed.queue, owed.n, owed.codes) == (TalkId("n1-c1/3"), "1001", "support", 0, ())


def test_a_queue_that_asks_for_nothing_keeps_nothing() -> None:
    told = talking(plan())
    assert not told.kept(DispositionSaved)
    assert dialled(told, "*141") == ("agent-no-talk",)
    assert give(told, codes=("1",)) == Refused("n1-c1 has no talk of which topics are asked, or its day is over")


@pytest.mark.parametrize("ended", [False, True])
def test_topics_and_value_are_given_by_key_during_the_talk_or_after_it(ended: bool) -> None:
    told = talking(asking())
    if ended:
        told.hang_up()
    assert dialled(told, "*1412*2") == ("agent-topic-noted", "digits:12", "digits:2")
    assert dialled(told, "*151500*5") == ("agent-value-noted", "number:1500")
    given = last(told)
    assert given.codes == ("12", "2") and given.topics == ("Goods > Availability", "Service")
    assert (given.order_value_cents, given.n, given.by) == (150050, 2, "1001")


def test_a_topic_that_the_queue_does_not_have_is_refused_and_named() -> None:
    told = talking(asking())
    assert dialled(told, "*1419") == ("agent-topic-unknown",)
    assert give(told, codes=("19",)) == Refused("support has no topic 19; it has 1, 11, 12, 2")
    assert last(told).n == 0


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "nothing is said: give codes, order_value or note"),
        ({"codes": ()}, "1 to 10 codes can be given, not 0"),
        ({"codes": ("1",) * 11}, "1 to 10 codes can be given, not 11"),
        ({"order_value_cents": -1}, "order_value must not be negative, nor above ten thousand million"),
        ({"note": "x" * 1001}, "note must have at most 1000 characters"),
        ({"codes": ("1",), "segment": 1}, "segment 1 of n1-c1 is no talk of which topics are asked"),
        (
            {"codes": ("1",), "agent": "1002"},
            "1002 has not talked in n1-c1, or nothing is asked of that talk",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(said: dict[str, object], why: str) -> None:
    told = talking(asking())
    kept = len(told.kept(DispositionSaved))
    assert give(told, **said) == Refused(why)  # type: ignore[arg-type]
    assert len(told.kept(DispositionSaved)) == kept


def test_every_change_stays_on_record_with_who_made_it() -> None:
    told = talking(asking())
    told.hang_up()
    assert give(told, codes=("1",), note="asked for black") == Accepted()
    assert give(told, None, codes=("2",)) == Accepted()
    kept = [record.disposition for record in told.kept(DispositionSaved) if record.disposition.n]
    assert [(each.n, each.codes, each.note, each.by) for each in kept] == [
        (1, ("1",), "asked for black", "1001"),
        (2, ("2",), "asked for black", "supervisor"),
    ]


def test_two_changes_in_one_step_are_two_records() -> None:
    told = talking(asking())
    changes = [GiveDisposition(contact=C1, agent=AgentId("1001"), codes=(code,), at=told.now) for code in ("1", "2")]
    told.tell(*changes)
    assert [record.disposition.codes for record in told.kept(DispositionSaved)][-2:] == [("1",), ("2",)]


def test_it_may_be_changed_until_the_day_of_the_line_is_over_and_then_is_forgotten_with_the_next_talk() -> None:
    configured = asking(wrap_up_s=0.0)
    line = replace(configured.lines[LINE], day_starts_at="05:00")
    told = Case(replace(configured, lines={LINE: line}))
    told.now = AT_NINE
    told.call()
    told.answers()
    told.hang_up()
    told.ended("n1-c1.1")
    assert last(told).until == AT_NINE + 20 * 3600
    told.now = AT_NINE + 20 * 3600 - 1
    assert give(told, codes=("1",)) == Accepted()
    told.now += 2
    assert give(told, codes=("2",)) == Refused("too late: the day of n1-c1 is over")
    told.call("c2")
    told.answers("n1-c2.1")
    assert told.kept(DispositionForgotten) == [DispositionForgotten(TalkId("n1-c1/3"))]
    assert [each.contact for each in told.router.floor.dispositions.values()] == ["n1-c2"]


def test_a_talk_that_ended_just_before_the_day_did_has_an_hour() -> None:
    told = Case(asking())
    told.now = AT_NINE + 15 * 3600 - 60
    told.call()
    told.answers()
    told.now += 30
    told.hang_up()
    assert last(told).until == told.now + 3600


def test_a_talk_that_goes_on_into_the_next_day_belongs_to_that() -> None:
    told = Case(asking())
    told.now = AT_NINE + 15 * 3600 - 60
    told.call()
    told.answers()
    told.now += 7200
    assert give(told, codes=("1",)) == Accepted()
    told.hang_up()
    assert last(told).until == AT_NINE + 39 * 3600


def test_what_is_owed_survives_a_restart() -> None:
    told = talking(asking())
    told.hang_up()
    told.ended("n1-c1.1")
    again = told.restarted()
    assert dialled(again, "*141") == ("agent-topic-noted", "digits:1")


# --- a wrap-up that waits for it ----------------------------------------------------------------------------------------


def test_where_it_is_required_the_wrap_up_waits_for_it_and_ends_with_its_usual_time() -> None:
    told = talking(asking(required=True))
    told.hang_up()
    told.ended("n1-c1.1")
    told.wait(10.0)
    assert give(told, codes=("1",)) == Accepted()
    told.wait(4.0)
    assert told.agent().state == "wrap_up"
    told.wait(2.0)
    assert told.agent().state == "ready"


def test_given_late_it_ends_the_wrap_up_at_once() -> None:
    told = talking(asking(required=True, wrap_up_s=0.0))
    told.hang_up()
    told.ended("n1-c1.1")
    told.wait(100.0)
    assert told.agent().state == "wrap_up"
    dialled(told, "*142")
    assert told.agent().state == "ready"


def test_one_who_never_gives_it_is_not_kept_for_ever() -> None:
    told = talking(asking(required=True))
    told.hang_up()
    told.ended("n1-c1.1")
    told.wait(299.0)
    assert told.agent().state == "wrap_up"
    told.wait(2.0)
    assert told.agent().state == "ready"


def test_given_during_the_talk_it_keeps_nobody() -> None:
    told = talking(asking(required=True))
    dialled(told, "*141")
    told.hang_up()
    told.ended("n1-c1.1")
    told.wait(16.0)
    assert told.agent().state == "ready"


def test_who_owes_it_cannot_be_ready_nor_take_a_break_but_may_log_out_and_be_overruled() -> None:
    told = talking(asking(required=True))
    told.hang_up()
    told.ended("n1-c1.1")
    assert dialled(told, "*11") == dialled(told, "*121") == ("agent-disposition-first",)
    told.tell(SetAgentState(AgentId("1001"), "ready", by="1001", at=told.now))
    assert told.router.answers == (Refused("1001 owes the topic of his last talk, n1-c1/3"),)
    assert told.agent().state == "wrap_up"
    told.tell(SetAgentState(AgentId("1001"), "not_ready", "meeting", by="boss", at=told.now))
    assert (told.agent().state, told.agent().reason, told.agent().by) == ("not_ready", "meeting", "boss")
    assert dialled(told, "*13") == ("agent-logged-out",)


# --- how long it lasts --------------------------------------------------------------------------------------------------


def test_a_feature_code_in_the_wrap_up_does_not_end_it_though_the_phone_is_in_use() -> None:
    told = talking(asking())
    told.hang_up()
    told.ended("n1-c1.1")
    told.phone("1001", in_use=True)
    dialled(told, "*141")
    told.phone("1001", in_use=False)
    assert told.agent().state == "wrap_up"
    told.wait(16.0)
    assert told.agent().state == "ready"


def test_a_wrap_up_that_ends_while_the_phone_is_in_use_leaves_him_busy() -> None:
    told = talking(asking())
    told.hang_up()
    told.ended("n1-c1.1")
    told.phone("1001", in_use=True)
    told.wait(16.0)
    assert told.agent().state == "busy"


def test_he_is_ready_before_its_end_when_he_says_so() -> None:
    told = talking(asking())
    told.hang_up()
    told.ended("n1-c1.1")
    assert dialled(told, "*11") == ("agent-ready",)
    assert told.agent().state == "ready"


def test_it_is_extended_by_key_and_by_request_up_to_the_bound_of_the_house() -> None:
    told = talking(asking(rules=Rules(wrap_up_max_s=100.0, wrap_up_extension_s=60.0, reconcile_every_s=86400.0)))
    told.hang_up()
    told.ended("n1-c1.1")
    assert dialled(told, "*16") == ("agent-wrap-up-extended",)
    told.wait(74.0)
    assert told.agent().state == "wrap_up"
    told.tell(ExtendWrapUp(AgentId("1001"), 3000.0, at=told.now))
    assert told.router.answers == (Accepted(),)
    assert dialled(told, "*16") == ("agent-no-wrap-up",)
    told.tell(ExtendWrapUp(AgentId("1001"), 10.0, at=told.now))
    (refused,) = told.router.answers
    assert refused == Refused("the wrap-up of 1001 is as long as it may be (rules.wrap_up_max_s = 100)")
    told.wait(27.0)
    assert told.agent().state == "ready"


def test_who_has_no_wrap_up_cannot_extend_it() -> None:
    told = Case(asking())
    assert dialled(told, "*16") == ("agent-no-wrap-up",)
    told.tell(ExtendWrapUp(AgentId("1001"), 10.0, at=told.now))
    assert told.router.answers == (Refused("1001 has no wrap-up now: he is ready"),)
    told.tell(ExtendWrapUp(AgentId("9999"), 10.0, at=told.now))
    assert told.router.answers == (Refused("no operator has the extension 9999"),)
