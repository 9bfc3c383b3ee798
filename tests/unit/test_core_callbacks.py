"""Callbacks that are owed: when they may be made, who asks for them, what becomes of a second request."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from ccserver.core.attempt import AttemptOutcome
from ccserver.core.calendar import Calendar, Span
from ccserver.core.callback import Callback, moment_there, on_the_clock, retried, zone_of
from ccserver.core.commands import OfferContact
from ccserver.core.contact import Contact, ContactState, SegmentOutcome
from ccserver.core.events import Accepted, CallbackSource, CancelCallback, Refused, RescheduleCallback
from ccserver.core.ids import CalendarName, ContactId, QueueName, TrunkName
from ccserver.core.plan import Callbacks, Plan, Trunk
from ccserver.core.records import SegmentSaved
from tests.unit.core_case import LINE, SUPPORT, Case, plan

MTT = Trunk(TrunkName("mtt"), "MTT")
MOBILE, MOSCOW, YEKATERINBURG = "+79161234567", "+74951234567", "+73432345678"
DAY = Calendar(CalendarName("day"), "Europe/Moscow", tuple((Span(9 * 60, 21 * 60),) for _ in range(7)))


def house(**settings: object) -> Plan:
    return replace(
        plan(), trunks={MTT.name: MTT}, callbacks=replace(Callbacks(), **settings), calendars={DAY.name: DAY}
    )


def opened(configured: Plan | None = None, *, ready: bool = False) -> Case:
    told = Case(configured or house(), ready=ready)
    told.trunk(MTT.name)
    return told


def owed(number: str = MOBILE, **fields: object) -> Callback:
    about = {"asked_at": 0.0, "due_at": 0.0, "expires_at": 1e12, **fields}
    return Callback(number=number, source=CallbackSource.FORM, queue=SUPPORT, first="agent", **about)  # type: ignore[arg-type]


def at(clock: str, zone: str = "Europe/Moscow") -> float:
    return datetime.fromisoformat(f"2026-06-01T{clock}").replace(tzinfo=ZoneInfo(zone)).timestamp()


def live(told: Case, name: str = "c1") -> Contact:
    return told.router.floor.contacts[ContactId(f"n1-{name}")]


# --- when it may be made --------------------------------------------------------------------------------------------------


def test_a_number_of_one_zone_is_where_it_says_and_a_mobile_where_the_line_is() -> None:
    line = plan().lines[LINE]
    assert zone_of(YEKATERINBURG, line) == "Asia/Yekaterinburg"
    assert zone_of(MOBILE, replace(line, timezone="Asia/Omsk")) == "Asia/Omsk"


def test_a_time_without_a_zone_is_by_the_clock_where_the_customer_is() -> None:
    there = moment_there(YEKATERINBURG, plan().lines[LINE], "2026-06-01T10:00")
    assert there == at("10:00", "Asia/Yekaterinburg") == at("08:00")


@pytest.mark.parametrize(
    ("number", "now", "begins", "until"),
    [
        (MOSCOW, "12:00", "12:00", "21:00"),
        (MOSCOW, "08:00", "09:00", "21:00"),
        (YEKATERINBURG, "08:00", "08:00", "19:00"),  # ten o'clock there
        (YEKATERINBURG, "06:00", "07:00", "19:00"),
    ],
)
def test_customers_are_called_by_the_clock_where_they_are(number: str, now: str, begins: str, until: str) -> None:
    configured = house(customer_calendar=DAY.name)
    placed = on_the_clock(configured, configured.lines[LINE], owed(number), at(now))
    assert placed is not None and (placed.due_at, placed.until) == (at(begins), at(until))


def test_both_calendars_must_be_open() -> None:
    configured = house(calendar=DAY.name, customer_calendar=DAY.name)
    placed = on_the_clock(configured, configured.lines[LINE], owed(YEKATERINBURG), at("08:00"))
    assert placed is not None and (placed.due_at, placed.until) == (at("09:00"), at("19:00"))


def test_what_could_be_made_only_after_it_expires_is_over() -> None:
    configured = house(calendar=DAY.name)
    assert on_the_clock(configured, None, owed(expires_at=at("08:59")), at("08:00")) is None


@pytest.mark.parametrize(
    ("outcome", "tries", "delay_s", "given_up"),
    [
        (AttemptOutcome.BUSY, 1, 300.0, False),
        (AttemptOutcome.NO_ANSWER, 1, 1800.0, False),
        (AttemptOutcome.DECLINED, 1, 1800.0, False),
        (AttemptOutcome.NO_SUCH_NUMBER, 1, 300.0, True),
        (AttemptOutcome.REFUSED, 0, 300.0, False),
        (AttemptOutcome.CANCELLED, 0, 300.0, False),
        (AttemptOutcome.FAILED, 0, 300.0, False),
    ],
)
def test_only_the_customers_own_no_counts(outcome: AttemptOutcome, tries: int, delay_s: float, given_up: bool) -> None:
    after = retried(Callbacks(), owed(), outcome, 1000.0)
    assert (after.tries, after.due_at, after.given_up) == (tries, 1000.0 + delay_s, given_up)


def test_the_last_try_is_the_last() -> None:
    assert retried(Callbacks(tries=2), owed(tries=1), AttemptOutcome.BUSY, 0.0).given_up


# --- asked for ------------------------------------------------------------------------------------------------------------


def test_who_asks_by_the_form_is_offered_like_anybody() -> None:
    told = opened(ready=True)
    assert told.asks_for_callback("8 916 123-45-67") == Accepted(ContactId("n1-c1"))
    (offer,) = told.commanded(OfferContact)
    assert (offer.leg, offer.ani, offer.recording) == (None, MOBILE, None)


@pytest.mark.parametrize(
    ("about", "field", "says"),
    [
        ({"number": "88091234567"}, "number", "tolls.deny"),
        ({"number": "+442071838750"}, "number", "tolls.allow"),
        ({"number": LINE}, "number", "a line of our own"),
        ({"number": "1002"}, "number", "no public number"),
        ({"number": "anonymous"}, "number", "no public number"),
        ({"number": "112"}, "number", "no public number"),
        ({"line": "88001112233"}, "line", "no line 88001112233"),
        ({"queue": QueueName("nobody")}, "queue", "no queue nobody"),
        ({"wanted_at": 1000.0 + 31 * 86400}, "wanted_at", "30 days"),
    ],
)
def test_what_cannot_be_owed_is_refused_and_the_field_named(about: dict[str, object], field: str, says: str) -> None:
    told = opened()
    answer = told.asks_for_callback(**{"number": MOBILE, **about})  # type: ignore[arg-type]
    assert isinstance(answer, Refused) and answer.field == field and says in answer.reason
    assert not told.router.floor.contacts


def test_more_than_may_be_owed_are_refused() -> None:
    told = opened(house(owed_max=1))
    told.asks_for_callback()
    answer = told.asks_for_callback("89161234568", "c2")
    assert isinstance(answer, Refused) and "owed_max" in answer.reason


def test_a_second_request_changes_the_first() -> None:
    told = opened()
    told.asks_for_callback(comment="first", name="c1")
    told.wait(10.0)
    answer = told.asks_for_callback("+7 (916) 123-45-67", "c2", wanted_at=told.now + 60.0, comment="second")
    assert answer == Accepted(ContactId("n1-c1"), changed=True)
    assert live(told).state is ContactState.SCHEDULED and live(told).callback.comment == "second"  # type: ignore[union-attr]
    assert len(told.router.floor.contacts) == 1


def test_a_request_told_twice_is_one() -> None:
    told = opened()
    told.asks_for_callback()
    assert told.asks_for_callback() == Accepted(ContactId("n1-c1"))
    assert len(told.router.floor.contacts) == 1


def test_one_for_later_waits_for_its_time_and_takes_its_place_then() -> None:
    told = opened()
    told.asks_for_callback(wanted_at=told.now + 600.0)
    told.wait(599.0)
    assert live(told).state is ContactState.SCHEDULED
    told.wait(1.0)
    place = live(told).place
    assert live(told).state is ContactState.WAITING and place is not None and place.order == 1600.0


def test_one_that_nobody_comes_to_expires() -> None:
    told = opened(house(expire_after_s=60.0))
    told.asks_for_callback()
    told.wait(60.0)
    assert not told.router.floor.contacts and not told.router.floor.callbacks
    assert told.segments()[-1].outcome is SegmentOutcome.EXPIRED


# --- moved, called off ----------------------------------------------------------------------------------------------------


def test_a_callback_is_moved_while_a_phone_rings_for_it() -> None:
    told = opened(ready=True)
    told.asks_for_callback()
    told.rings()
    told.tell(RescheduleCallback(ContactId("n1-c1"), told.now + 60.0, at=told.now))
    assert told.router.answers == (Accepted(ContactId("n1-c1"), changed=True),)
    assert live(told).state is ContactState.SCHEDULED and told.offer().outcome == "withdrawn"
    assert told.agent().state == "ready"


def test_a_callback_is_called_off() -> None:
    told = opened()
    told.asks_for_callback()
    told.tell(CancelCallback(ContactId("n1-c1"), at=told.now))
    assert not told.router.floor.contacts
    assert told.segments()[-1].outcome is SegmentOutcome.CANCELLED


def test_who_is_being_called_cannot_be_called_off_any_more() -> None:
    told = opened(ready=True)
    told.asks_for_callback()
    told.answers()
    told.tell(CancelCallback(ContactId("n1-c1"), at=told.now))
    (answer,) = told.router.answers
    assert isinstance(answer, Refused) and not answer.unknown and live(told).state is ContactState.BRIEFING


def test_one_that_is_not_owed_is_unknown() -> None:
    told = opened()
    told.tell(CancelCallback(ContactId("n1-c9"), at=told.now))
    (answer,) = told.router.answers
    assert isinstance(answer, Refused) and answer.unknown


def test_a_callback_survives_a_restart_with_its_place() -> None:
    told = opened()
    told.asks_for_callback()
    place = live(told).place
    other = told.restarted()
    other.connect()
    assert live(other).place == place
    other.phone("1001")
    other.wish("1001", "ready")
    assert [command.agent for command in other.commanded(OfferContact)] == ["1001"]


def test_every_stretch_of_a_callback_follows_the_one_before() -> None:
    told = opened(ready=True)
    told.asks_for_callback()
    told.wait(2.0)
    told.answers()
    told.ended("n1-c1.1")
    kept = [record.segment for record in told.kept(SegmentSaved) if record.segment.ended_at is not None]
    assert [segment.kind.value for segment in kept] == ["callback", "dial"]
    assert kept[0].ended_at == kept[1].started_at
