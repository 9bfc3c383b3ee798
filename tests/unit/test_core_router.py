"""One step: facts first, deadlines second, matching last; what goes in by `restore` is what came out by `state`."""

import msgspec

from ccserver.core.commands import OfferContact
from ccserver.core.contact import ContactState
from ccserver.core.events import (
    AnyEvent,
    ConfigReplaced,
    ContactArrived,
    LegAnswered,
    LegEnded,
    PhoneChanged,
    SetAgentState,
)
from ccserver.core.ids import AgentId, ContactId, LegId, StepName
from ccserver.core.offer import OfferOutcome
from ccserver.core.records import AgentSaved, ContactSaved
from ccserver.core.router import Router, State
from ccserver.core.steps import Enqueue, HangUp, Menu, Say
from tests.unit.core_case import LINE, NODE, SUPPORT, Case, listed_caller, operator, plan, queue

S = StepName


def test_an_agent_freed_in_a_step_is_matched_in_the_same_step() -> None:
    told = Case(plan(queues=[queue(wrap_up_s=0.0)]))
    told.call()
    told.answers()
    told.call("c2")
    told.tell(LegEnded(LegId("c1"), at=told.now), LegEnded(LegId("n1-c1.1"), at=told.now))
    assert told.offered() == [("c2", "1001")]


def test_an_agent_freed_by_time_is_matched_in_the_same_step() -> None:
    told = Case()
    told.call()
    told.answers()
    told.ended("n1-c1.1")
    told.call("c2")
    told.wait(15.0)
    assert told.offered() == [("c2", "1001")]


def test_a_fact_that_arrives_with_its_deadline_wins() -> None:
    told = Case()
    told.call()
    told.now += 5.0
    told.tell(LegAnswered(LegId("n1-c1.1"), at=told.now))
    assert told.offer().outcome is OfferOutcome.ACCEPTED


def test_everything_that_is_due_is_done_in_one_step_however_late() -> None:
    told = Case(plan({"wait": Enqueue(SUPPORT, max_wait_s=30.0, otherwise=S("bye")), "bye": HangUp(("bye",))}))
    told.call()
    told.now += 3600.0
    told.tell()
    assert told.offer().outcome is OfferOutcome.UNREACHABLE
    assert told.contact().state is ContactState.FLOW and told.agent().deadline == told.now + 30.0
    deadline = told.router.deadline()
    assert deadline is not None and deadline > told.now


def test_time_never_runs_backwards() -> None:
    told = Case()
    told.call()
    told.router.step((), 900.0)
    assert told.router.floor.now == 1000.0
    assert told.contact().state is ContactState.OFFERED


def test_an_empty_step_keeps_and_commands_nothing() -> None:
    told = Case()
    told.call()
    outcome = told.tell()
    assert outcome.records == () and outcome.commands == ()


def test_each_noun_is_kept_once_a_step_as_it_is_in_the_end() -> None:
    told = Case(plan(operators=[operator("1001"), operator("1002")]))
    told.call()
    outcome = told.ended("n1-c1.1", 17, 486)
    contacts = [record.contact for record in outcome.records if isinstance(record, ContactSaved)]
    agents = {record.agent.id: record.agent for record in outcome.records if isinstance(record, AgentSaved)}
    assert [contact.state for contact in contacts] == [ContactState.OFFERED]
    assert len([record for record in outcome.records if isinstance(record, AgentSaved)]) == len(agents) == 2


def test_a_call_that_comes_and_goes_in_one_step_is_kept_as_final() -> None:
    told = Case()
    arrived = ContactArrived(ContactId("n1-c1"), LegId("c1"), NODE, LINE, "", told.now, at=told.now)
    told.tell(arrived, LegEnded(LegId("c1"), at=told.now))
    assert told.contact().state is ContactState.CLOSED and not told.router.floor.contacts
    assert not told.commanded(OfferContact)


def test_without_a_plan_nothing_happens_and_nothing_breaks() -> None:
    router = Router()
    assert router.state() == State(plan=None, plans=(), contacts=(), agents=())
    router.step([PhoneChanged(AgentId("1001"), reachable=True, in_use=False, at=1.0)], 1.0)
    router.step([SetAgentState(AgentId("1001"), "ready", at=1.0)], 1.0)
    assert router.deadline() is None
    other = Router()
    other.restore(router.state(), 2.0)
    assert other.state() == router.state() and other.floor.now == 2.0


def busy_house() -> Case:
    """One contact in each live state, and each agent in another."""
    steps = {
        "ask": Menu(("ask",), {"1": S("wait"), "2": S("bye")}, otherwise=S("bye")),
        "wait": Enqueue(SUPPORT),
        "bye": HangUp(),
    }
    told = Case(plan(steps, operators=[operator(str(1001 + n)) for n in range(3)]))
    for number in range(1, 6):
        told.call(f"c{number}")
        told.wait(0.5)
    for caller in ("c1", "c2", "c3"):
        told.press("1", caller)
    told.answers("n1-c1.1")
    told.rings("n1-c2.1")
    told.ended("n1-c3.1", 17, 486)
    told.press("2", "c4")
    states = {"c1": "talking", "c2": "offered", "c3": "waiting", "c4": "closing", "c5": "flow"}
    assert {caller: told.contact(caller).state for caller in states} == states
    return told


def test_what_comes_out_by_state_goes_in_by_restore_through_the_journals_json() -> None:
    told = busy_house()
    state = told.router.state()
    stored = msgspec.json.decode(msgspec.json.encode(state), type=State)
    assert stored == state
    other = Router()
    other.restore(stored, told.now)
    assert other.state() == state
    assert other.floor.caller_legs == told.router.floor.caller_legs
    assert other.floor.agent_legs == told.router.floor.agent_legs
    assert other.step((), told.now).records == (), "to take up is no change"


def test_after_a_restart_nothing_is_decided_until_the_node_is_listed() -> None:
    told = busy_house().restarted()
    commands = told.wait(9.0)
    assert not commands and told.router.floor.contacts[ContactId("n1-c2")].state is ContactState.OFFERED
    assert told.router.deadline() == 1012.5, "but the pause of an agent ends"


def test_the_last_records_of_all_are_the_state() -> None:
    told = busy_house()
    contacts = {record.contact.id: record.contact for record in told.kept(ContactSaved)}
    agents = {record.agent.id: record.agent for record in told.kept(AgentSaved)}
    state = told.router.state()
    assert list(contacts.values()) == list(state.contacts)
    assert list(agents.values()) == list(state.agents)


def test_a_contact_keeps_the_plan_that_it_began_with() -> None:
    told = Case(plan({"old": Say(("old",), next=S("older")), "older": HangUp(("older",))}))
    told.call()
    told.tell(ConfigReplaced(plan({"new": HangUp(("new",))}, name="new"), at=told.now))
    assert {each.hash for each in told.router.state().plans} == {"plan", "new"}
    told = told.restarted()
    told.now += 1.0
    told.connect(listed_caller())
    told.played()
    assert told.commands[-1].items == ("older",)  # type: ignore[union-attr]
    told.hang_up()
    assert [each.hash for each in told.router.state().plans] == ["new"]
    told.call("c2")
    assert told.commands[-1].items == ("new",)  # type: ignore[union-attr]


def test_plans_that_nobody_uses_any_more_are_forgotten() -> None:
    told = Case()
    told.call()
    for name in ("second", "third", "fourth"):
        told.tell(ConfigReplaced(plan(name=name), at=told.now))
    assert set(told.router.floor.plans) == {"plan", "fourth"}
    assert set(told.restarted().router.floor.plans) == {"plan", "fourth"}


def test_the_same_events_at_the_same_times_decide_the_same() -> None:
    turns: list[tuple[tuple[AnyEvent, ...], float, bytes]] = []

    class Recorded(Case):
        def tell(self, *events: AnyEvent):  # type: ignore[no-untyped-def]
            outcome = super().tell(*events)
            turns.append((events, self.now, msgspec.json.encode((outcome.records, outcome.commands))))
            return outcome

    told = Recorded(plan(operators=[operator("1001"), operator("1002")]))
    told.call()
    told.call("c2")
    told.rings()
    told.wait(30.0)
    told.answers("n1-c2.1")
    told.wait(5.0)
    told.hang_up("c2")
    router = Router()
    for events, now, decided in turns:
        outcome = router.step(events, now)
        assert msgspec.json.encode((outcome.records, outcome.commands)) == decided
