"""Ways out of a queue besides an operator: keys, a queue that is full, nobody logged in, a wait that is too long."""

from collections import Counter

from ccserver.core.commands import OfferContact, PlayPrompts, StartMusic, StopPlay, WithdrawOffer
from ccserver.core.contact import ContactOutcome, ContactState, Overflow, SegmentKind, SegmentOutcome
from ccserver.core.events import ContactArrived
from ccserver.core.ids import ContactId, LegId, QueueName, StepName
from ccserver.core.steps import Enqueue, HangUp, Menu, Say
from tests.unit.core_case import LINE, NODE, SUPPORT, Case, listed_caller, operator, plan, queue

S = StepName
SALES = QueueName("sales")


def house(**exits: object) -> Case:
    """Support with these ways out, 1001 in it, nobody logged in; `sales` waits for nobody."""
    steps = {
        "wait": Enqueue(SUPPORT, announce=("busy",), **exits),  # type: ignore[arg-type]
        "sorry": Say(("sorry",), next=S("bye")),
        "bye": HangUp(),
        "sales": Enqueue(SALES),
        "menu": Menu(("choices",), {"1": S("wait")}, otherwise=S("bye")),
    }
    return Case(plan(steps, queues=[queue(), queue("sales")], operators=[operator("1001")]), ready=False)


def logs_in(told: Case, agent: str = "1001") -> None:
    told.phone(agent)
    told.wish(agent, "ready")


def last(told: Case, caller: str = "c1") -> tuple[SegmentOutcome | None, str]:
    """Of the caller's last queue."""
    segment = [each for each in told.segments(caller) if each.kind is SegmentKind.QUEUE][-1]
    return segment.outcome, segment.reason


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_leads_elsewhere_and_what_is_being_said_stops() -> None:
    told = house(keys={"1": S("sorry")})
    told.call()
    told.press("1")
    assert told.contact().state is ContactState.FLOW and told.contact().place is None
    assert last(told) == (SegmentOutcome.LEFT_BY_KEY, "1")
    assert [type(command) for command in told.commands] == [StopPlay, PlayPrompts]
    assert not told.router.floor.waiting.before(1e12, "z"), "nobody is in any line"


def test_other_keys_mean_nothing_and_are_not_kept_for_the_next_menu() -> None:
    told = house(keys={"1": S("menu")})
    told.call()
    told.press("4")
    assert told.contact().state is ContactState.WAITING
    told.press("1")
    assert told.commanded(PlayPrompts)[0].items == ("choices",)


def test_a_key_during_an_offer_stops_the_ringing_and_the_operator_is_free_for_the_next() -> None:
    told = house(keys={"1": S("sorry")})
    logs_in(told)
    told.call()
    told.rings()
    told.call("c2")
    told.press("1")
    assert [command.offer for command in told.commanded(WithdrawOffer)] == ["n1-c1.1"]
    assert told.offer().outcome == "withdrawn"
    told.ended("n1-c1.1")
    assert told.offered() == [("c2", "1001")]


def test_an_answer_that_comes_too_late_joins_nobody() -> None:
    told = house(keys={"1": S("sorry")})
    logs_in(told)
    told.call()
    told.rings()
    told.press("1")
    told.answers()
    assert told.contact().state is ContactState.FLOW
    assert told.contact().outcome is ContactOutcome.LEFT_BY_KEY


def test_who_left_by_a_key_and_waits_elsewhere_in_vain_has_abandoned_that_queue() -> None:
    told = house(keys={"1": S("sales")})
    told.call()
    told.press("1")
    told.wait(60.0)
    told.hang_up()
    assert last(told) == (SegmentOutcome.ABANDONED, "")
    assert told.contact().outcome is ContactOutcome.ABANDONED


def test_a_key_works_after_a_restart() -> None:
    told = house(keys={"1": S("sorry")})
    told.call()
    again = told.restarted()
    again.connect(listed_caller())
    again.press("1")
    assert again.commanded(PlayPrompts)[0].items == ("sorry",)


# --- a full queue -------------------------------------------------------------------------------------------------------


def test_who_finds_the_queue_full_goes_elsewhere_before_he_hears_anything_of_it() -> None:
    told = house(max_waiting=1, full=S("sorry"))
    told.call()
    told.call("c2")
    assert last(told, "c2") == (SegmentOutcome.OVERFLOWED, Overflow.FULL)
    assert [command.items for command in told.commanded(PlayPrompts)] == [("sorry",)]
    told.hang_up()
    told.call("c3")
    assert told.contact("c3").state is ContactState.WAITING


def test_of_those_who_come_at_once_the_first_wait() -> None:
    told = Case(plan({"wait": Enqueue(SUPPORT, max_waiting=2, full=S("bye")), "bye": HangUp(("bye",))}), ready=False)
    told.tell(*(_arrival(told, caller) for caller in ("c1", "c2", "c3", "c4")))
    assert [told.contact(caller).state for caller in ("c1", "c2", "c3", "c4")] == [
        ContactState.WAITING,
        ContactState.WAITING,
        ContactState.FLOW,
        ContactState.FLOW,
    ]


def test_who_is_served_at_once_finds_no_queue_full() -> None:
    told = house(max_waiting=1, full=S("sorry"))
    told.call()
    told.call("c2")
    assert last(told, "c2")[0] is SegmentOutcome.OVERFLOWED
    logs_in(told)
    assert told.offered() == [("c1", "1001")]
    told.call("c3")
    assert told.contact("c3").state is ContactState.WAITING, "who is being offered does not wait"


def test_who_is_sent_elsewhere_is_served_there_in_the_same_step() -> None:
    steps = {"wait": Enqueue(SUPPORT, nobody=S("sales")), "sales": Enqueue(SALES)}
    told = Case(plan(steps, queues=[queue(), queue("sales")], operators=[operator("1001"), operator("1002", "sales")]))
    told.wish("1001", "logged_out")
    told.call()
    assert [command.agent for command in told.commanded(OfferContact)] == ["1002"]
    assert not told.commanded(StartMusic)


def _arrival(told: Case, caller: str) -> ContactArrived:
    return ContactArrived(ContactId(f"n1-{caller}"), LegId(caller), NODE, LINE, "+7", told.now, at=told.now)


# --- nobody logged in ---------------------------------------------------------------------------------------------------


def test_nobody_waits_while_nobody_is_logged_in() -> None:
    told = house(nobody=S("sorry"))
    told.call()
    assert last(told) == (SegmentOutcome.OVERFLOWED, Overflow.NOBODY)
    told.wish("1001", "not_ready", "lunch")
    told.call("c2")
    assert told.contact("c2").state is ContactState.WAITING, "he will come back from lunch"


def test_who_waits_when_the_last_one_logs_out_waits_a_little_longer() -> None:
    told = house(nobody=S("sorry"), nobody_after_s=30.0)
    told.wish("1001", "not_ready")
    told.call()
    told.wait(100.0)
    told.wish("1001", "logged_out")
    told.wait(29.0)
    assert told.contact().state is ContactState.WAITING
    told.wish("1001", "not_ready")
    told.wait(100.0)
    assert told.contact().state is ContactState.WAITING, "he was back in time"
    told.wish("1001", "logged_out")
    again = told.restarted()
    again.connect(listed_caller())
    again.wait(30.0)
    assert last(again) == (SegmentOutcome.OVERFLOWED, Overflow.NOBODY)


def test_an_operator_of_another_queue_is_nobody() -> None:
    steps = {"wait": Enqueue(SUPPORT, nobody=S("bye")), "bye": HangUp(("bye",))}
    told = Case(plan(steps, queues=[queue(), queue("sales")], operators=[operator("1001"), operator("1002", "sales")]))
    told.wish("1001", "logged_out")
    told.call()
    assert last(told) == (SegmentOutcome.OVERFLOWED, Overflow.NOBODY)


# --- what is counted ----------------------------------------------------------------------------------------------------


def test_every_wait_ends_in_one_of_the_outcomes_of_the_kpi_dictionary_and_they_add_up() -> None:
    told = house(
        keys={"1": S("sorry")}, max_waiting=3, full=S("sorry"), max_wait_s=20.0, otherwise=S("sorry"), nobody=S("sorry")
    )
    told.call("nobody")
    logs_in(told)
    for caller in ("answered", "key", "short", "left", "full", "patient"):
        told.call(caller)
        if caller == "full":
            told.press("1", "key")
            told.hang_up("short")
    told.answers("n1-answered.1")
    told.wait(10.0)
    told.hang_up("left")
    told.wait(10.0)
    told.call("waiting")
    outcomes = Counter(
        segment.outcome
        for caller in ("nobody", "answered", "key", "short", "left", "full", "patient", "waiting")
        for segment in told.segments(caller)
        if segment.kind is SegmentKind.QUEUE
    )
    assert outcomes == {
        SegmentOutcome.ANSWERED: 1,
        SegmentOutcome.LEFT_BY_KEY: 1,
        SegmentOutcome.SHORT_ABANDONED: 1,
        SegmentOutcome.ABANDONED: 1,
        SegmentOutcome.OVERFLOWED: 3,
        None: 1,
    }, "who still waits has none yet"
    assert sum(outcomes.values()) == 8, "entered"
