"""The picture of this moment, as a supervisor wants it: who waits where and how long, who does what."""

from msgspec.structs import replace

from ccserver.core.events import ContactArrived, LegEnded, ListedTrunk, TrunkChanged
from ccserver.core.ids import ContactId, LegId, LineNumber, QueueName, StepName, TrunkName
from ccserver.core.plan import Trunk
from ccserver.core.status import Status, picture
from ccserver.core.steps import Enqueue, HangUp, Menu
from tests.unit.core_case import LINE, NODE, SUPPORT, Case, operator, plan, queue

S = StepName


def house() -> Case:
    steps = {
        "ask": Menu(("ask",), {"1": S("wait"), "2": S("urgent")}, otherwise=S("bye")),
        "wait": Enqueue(SUPPORT),
        "urgent": Enqueue(SUPPORT, priority_s=60.0),
        "bye": HangUp(),
    }
    operators = [operator("1001"), operator("1002", "sales"), operator("1003")]
    told = Case(plan(steps, queues=[queue(), queue("sales")], operators=operators))
    told.wish("1003", "not_ready", "lunch")
    for number in range(1, 5):
        told.call(f"c{number}")
        told.wait(1.0)
    for caller in ("c1", "c2"):
        told.press("1", caller)
    told.press("2", "c3")
    told.answers()
    told.wait(6.0)
    return told


def seen(told: Case) -> Status:
    return picture(told.router.floor, told.now)


def test_contacts_are_shown_in_the_order_of_arrival_with_their_place_in_the_queue() -> None:
    shown = [(each.id, each.state, each.queue, each.position, each.agent, each.step) for each in seen(house()).contacts]
    assert shown == [
        ("n1-c1", "talking", SUPPORT, None, "1001", ""),
        ("n1-c2", "waiting", SUPPORT, 2, None, "wait"),
        ("n1-c3", "waiting", SUPPORT, 1, None, "urgent"),
        ("n1-c4", "flow", None, None, None, "ask"),
    ]


def test_a_contact_shows_since_when_it_is_in_its_state() -> None:
    told = house()
    assert [each.since for each in seen(told).contacts] == [1004.0, 1004.0, 1004.0, 1003.0]
    told.ended("n1-c1.1")
    assert seen(told).contacts[0].since == 1000.0


def test_queues_count_who_waits_how_long_and_who_serves_them() -> None:
    support, sales = seen(house()).queues
    assert (support.name, support.waiting, support.longest_wait_s, support.talking) == (SUPPORT, 2, 6.0, 1)
    assert (support.agents_logged_in, support.agents_ready) == (2, 0)
    assert (sales.name, sales.waiting, sales.longest_wait_s, sales.talking) == (QueueName("sales"), 0, 0.0, 0)
    assert (sales.agents_logged_in, sales.agents_ready) == (1, 1)


def test_lines_count_their_contacts_by_what_they_do() -> None:
    (line,) = seen(house()).lines
    assert (line.number, line.in_flow, line.waiting, line.talking) == (LINE, 1, 2, 1)


def test_agents_are_shown_as_the_configuration_lists_them() -> None:
    shown = [(each.extension, each.state, each.reason, each.contact) for each in seen(house()).agents]
    assert shown == [
        ("1001", "talking", "", "n1-c1"),
        ("1002", "ready", "", None),
        ("1003", "not_ready", "lunch", None),
    ]
    assert all(each.phone_registered for each in seen(house()).agents)


def test_the_node_is_connected_only_while_it_is_heard() -> None:
    told = house()
    assert [(each.node, each.connected) for each in seen(told).nodes] == [("n1", True)]
    assert [(each.node, each.connected) for each in seen(told.restarted()).nodes] == [("n1", False)]


def test_a_trunk_tells_whether_calls_can_leave_and_how_many_it_carries() -> None:
    trunk = Trunk(TrunkName("mtt"), "MTT", channels=2)
    told = Case(replace(plan(), trunks={trunk.name: trunk}), ready=False)
    assert (seen(told).trunks[0].usable, seen(told).trunks[0].reason) == (False, "not seen yet")
    told.tell(TrunkChanged(NODE, trunk.name, usable=True, at=told.now))
    told.tell(
        ContactArrived(
            ContactId("n1-c1"),
            LegId("c1"),
            NODE,
            LineNumber("78007707999"),
            "89161234567",
            told.now,
            trunk.name,
            at=told.now,
        )
    )
    (shown,), (contact,) = seen(told).trunks, seen(told).contacts
    assert (shown.usable, shown.inbound, shown.outbound, shown.channels) == (True, 1, 0, 2)
    assert (contact.line, contact.ani, contact.trunk) == (LINE, "+79161234567", trunk.name)
    told.tell(LegEnded(LegId("c1"), at=told.now))
    assert seen(told).trunks[0].inbound == 0


def test_a_trunk_that_fails_says_since_when_and_why_also_after_a_listing() -> None:
    trunk = Trunk(TrunkName("mtt"), "MTT")
    told = Case(replace(plan(), trunks={trunk.name: trunk}), ready=False)
    told.tell(TrunkChanged(NODE, trunk.name, usable=True, at=told.now))
    told.now += 10
    failed_at = told.now
    told.tell(TrunkChanged(NODE, trunk.name, usable=False, reason="not registered: 403", at=told.now))
    told.now += 10
    told.lists(trunks=(ListedTrunk(trunk.name, usable=False, reason="no answer"),))
    (shown,) = seen(told).trunks
    assert (shown.usable, shown.reason, shown.since) == (False, "no answer", failed_at)


def test_calls_that_a_trunk_brings_in_vain_are_counted() -> None:
    trunk = Trunk(TrunkName("mtt"), "MTT")
    told = Case(replace(plan(), trunks={trunk.name: trunk}), ready=False)
    told.tell(TrunkChanged(NODE, trunk.name, usable=True, refused=2, at=told.now))
    assert (seen(told).trunks[0].refused, seen(told).trunks[0].misdialled) == (2, 0)
    told.lists(trunks=(ListedTrunk(trunk.name, usable=True, refused=5),))
    for n in range(2):
        contact, leg = ContactId(f"n1-c{n}"), LegId(f"c{n}")
        told.tell(ContactArrived(contact, leg, NODE, LineNumber("112"), "", told.now, trunk.name, at=told.now))
    assert (seen(told).trunks[0].refused, seen(told).trunks[0].misdialled) == (5, 2)
    assert seen(told).contacts == ()
