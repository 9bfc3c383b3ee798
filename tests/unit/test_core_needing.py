"""What a contact asks of an agent, and what it asks less when it has waited longer."""

from ccserver.core import prospects
from ccserver.core.contact import ContactState
from ccserver.core.ids import Language, QueueName, Skill, StepName
from ccserver.core.needing import asking, outlook
from ccserver.core.plan import Rules
from ccserver.core.steps import Enqueue, Set, SkillNeed, Stage
from tests.unit.core_case import EN, RU, SUPPORT, Case, listed_agent, listed_caller, needs, operator, plan, queue

SALES = QueueName("sales")
STAGES = (Stage(30.0, needs(en=3)), Stage(60.0, needs(en=0), (SALES,)))


def house(**step: object) -> Case:
    """Support asks for English at 7 and then for less; 1001 has 4, 1002 works in sales; nobody is ready yet."""
    return Case(
        plan(
            {"wait": Enqueue(SUPPORT, skills=needs(en=7), **step)},  # type: ignore[arg-type]
            queues=[queue(relax=STAGES), queue("sales")],
            operators=[operator("1001", en=4), operator("1002", "sales")],
        ),
        ready=False,
    )


def logs_in(told: Case, *agents: str) -> None:
    for agent in agents:
        told.phone(agent)
        told.wish(agent, "ready")


def test_who_is_idle_when_a_contact_asks_for_less_gets_it_at_once() -> None:
    told = house()
    logs_in(told, "1001", "1002")
    told.call()
    assert not told.wait(29.0)
    told.wait(1.0)
    assert told.offered() == [("c1", "1001")]
    assert told.offer().why == "longest idle of 1 able to take it; after 30 s en from 3"


def test_what_became_due_while_a_phone_rang_counts_when_he_waits_again() -> None:
    told = house()
    logs_in(told, "1001")
    told.call()
    told.wait(30.0)
    told.rings()
    logs_in(told, "1002")
    told.wait(20.0)
    assert not told.offered(), "rona, and the second stage is not due"
    told.wait(10.0)
    assert told.offered() == [("c1", "1002")]


def test_a_step_has_stages_of_its_own_in_place_of_the_queues() -> None:
    told = house(relax=(Stage(10.0, (), (SALES,)), Stage(20.0, needs(en=0))))
    logs_in(told, "1002")
    told.call()
    told.wait(10.0)
    assert not told.offered()
    told.wait(10.0)
    assert told.offered() == [("c1", "1002")]


def test_stages_go_on_after_a_restart_and_those_that_passed_meanwhile_count() -> None:
    told = house()
    told.call()
    told.wait(31.0)
    again = told.restarted()
    again.now += 40.0
    again.connect(listed_caller())
    logs_in(again, "1002")
    assert again.offered() == [("c1", "1002")]


def test_a_place_keeps_its_order_however_little_is_asked() -> None:
    told = house()
    told.call()
    order = told.contact().place
    told.wait(100.0)
    place = told.contact().place
    assert order is not None and place is not None
    assert (place.order, place.needs, place.also, place.stages, place.relax_at) == (order.order, (), (SALES,), (), None)


def test_the_estimate_knows_what_will_be_asked_later() -> None:
    told = house()
    logs_in(told, "1002")
    told.call()
    floor = told.router.floor
    assert prospects.expected_wait_s(floor, told.contact()) == 60.0, "then 1002 may take him, who is idle"
    told.wait(20.0)
    assert prospects.expected_wait_s(floor, told.contact()) == 40.0


def test_the_outlook_is_what_the_timers_will_do() -> None:
    told = house()
    told.call()
    place = told.contact().place
    assert place is not None
    foreseen = [(told.now + after_s, need) for after_s, need in outlook(place, told.now)]
    for at, need in foreseen:
        told.wait(at - told.now)
        current = told.contact().place
        assert current is not None
        assert (current.needs, current.also) == (need.skills, need.also)


def test_of_a_skill_that_queue_and_step_ask_for_the_higher_level_counts_and_is_lowered() -> None:
    asked = asking(plan(), queue(skills=needs(en=2, ru=1)), RU, 0.0, skills=needs(en=7))
    assert asked["needs"] == needs(en=7, ru=1)


# --- language -----------------------------------------------------------------------------------------------------------


def speaking(how: str, *operators: object) -> Case:
    steps = {"say": Set(next=StepName("wait"), language=EN), "wait": Enqueue(SUPPORT)}
    rules = Rules(reconcile_every_s=86400.0, language_skills={EN: Skill("english")})
    queues = [queue(language=how, language_level=3, language_wait_s=20.0)]
    return Case(plan(steps, queues=queues, operators=operators, rules=rules), ready=False)  # type: ignore[arg-type]


def test_a_required_language_is_waited_for_however_long_it_takes() -> None:
    told = speaking("required", operator("1001", english=2), operator("1002", english=3))
    logs_in(told, "1001")
    told.call()
    told.wait(3600.0)
    assert told.contact().state is ContactState.WAITING
    logs_in(told, "1002")
    assert told.offered() == [("c1", "1002")]


def test_a_preferred_language_is_waited_for_as_long_as_the_queue_says() -> None:
    told = speaking("preferred", operator("1001"), operator("1002", english=3))
    logs_in(told, "1001")
    told.wish("1002", "not_ready")
    told.call()
    told.wait(19.0)
    assert not told.offered()
    told.wait(1.0)
    assert told.offered() == [("c1", "1001")]


def test_nobody_waits_for_a_preferred_language_that_none_speaks_who_is_logged_in() -> None:
    told = speaking("preferred", operator("1001"), operator("1002", english=3))
    logs_in(told, "1001")
    told.call()
    assert told.offered() == [("c1", "1001")]


def test_of_a_language_that_is_no_skill_nobody_asks() -> None:
    rules = Rules(language_skills={EN: Skill("english")})
    required = queue(language="required")
    assert asking(plan(rules=rules), required, Language("kk"), 0.0)["needs"] == ()
    assert asking(plan(rules=rules), required, EN, 0.0)["needs"] == (SkillNeed(Skill("english"), 1),)


def test_a_talk_goes_on_and_its_place_is_gone_when_a_stage_would_be_due() -> None:
    told = house()
    logs_in(told, "1001")
    told.call()
    told.wait(30.0)
    told.answers()
    again = told.restarted()
    again.connect(listed_caller(), listed_agent(up=True))
    again.wait(100.0)
    assert again.router.floor.contacts[told.contact().id].state is ContactState.TALKING
