"""What a person has to look at, and that it is gone when it is right again."""

from pathlib import Path

import pytest

from ccserver.alarms import Alarms, Unbuilt, callbacks_waiting, events_unread
from ccserver.api.sources import Alarm
from ccserver.ari import Counters
from ccserver.store.alarm import Alarm as StoreAlarm


class At:
    """A clock that is set by hand."""

    time = 100.0

    def now(self) -> float:
        return self.time


class Part:
    """Something that keeps its own alarm."""

    alarm: StoreAlarm | None = None


def test_an_alarm_keeps_the_time_at_which_it_was_first_seen_and_is_new_when_it_comes_back() -> None:
    clock, wrong = At(), [""]
    alarms = Alarms(clock, {}, {"disk": lambda: wrong[0]})
    assert alarms() == []
    wrong[0] = "9 MiB left"
    assert alarms() == [Alarm(name="disk", message="9 MiB left", since=100.0)]
    clock.time, wrong[0] = 200.0, "8 MiB left"
    assert alarms() == [Alarm(name="disk", message="8 MiB left", since=100.0)]
    wrong[0] = ""
    assert alarms() == []
    wrong[0] = "7 MiB left"
    assert alarms()[0].since == 200.0


def test_only_a_journal_that_cannot_be_written_makes_the_health_fail() -> None:
    journal, store = Part(), Part()
    alarms = Alarms(At(), {"journal": journal, "store": store}, {})
    assert alarms() == []
    journal.alarm, store.alarm = StoreAlarm("full", 1.0), StoreAlarm("away", 2.0)
    assert [(alarm.name, alarm.message, alarm.critical) for alarm in alarms()] == [
        ("journal", "full", True),
        ("store", "away", False),
    ]


def test_callback_requests_that_wait_are_counted(tmp_path: Path) -> None:
    spool = tmp_path / "callbacks"
    assert callbacks_waiting(spool) == ""
    spool.mkdir()
    (spool / ".1-2.tmp").touch()
    assert callbacks_waiting(spool) == ""
    (spool / "1-2.json").touch()
    assert callbacks_waiting(spool) == f"1 callback request waits in {spool}"
    (spool / "2-2.json").touch()
    assert callbacks_waiting(spool) == f"2 callback requests wait in {spool}"


def test_prompts_are_missed_until_they_are_built(tmp_path: Path) -> None:
    unbuilt = Unbuilt(["ru/hello", "en/hello"], tmp_path)
    assert unbuilt().startswith("2 prompts are not built")
    for language in ("ru", "en"):
        assert unbuilt().endswith("run `ccserver prompts build`")
        (tmp_path / language).mkdir()
        (tmp_path / language / "hello.wav").touch()
    assert unbuilt() == ""


@pytest.mark.parametrize(("malformed", "unknown"), [(1, 0), (0, 2), (3, 4)])
def test_events_that_could_not_be_read_are_counted(malformed: int, unknown: int) -> None:
    counters = Counters(events=1000)
    assert events_unread(counters) == ""
    counters.malformed_events, counters.unknown_events = malformed, unknown
    assert f"{malformed} malformed, {unknown} of unknown kinds" in events_unread(counters)


def test_after_a_reload_other_prompts_are_waited_for(tmp_path: Path) -> None:
    unbuilt = Unbuilt([], tmp_path)
    assert unbuilt() == ""
    unbuilt.expect(["ru/new"])
    assert unbuilt().startswith("1 prompts are not built")
