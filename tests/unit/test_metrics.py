"""What Prometheus gets to see of real turns; and that the reference tells of every metric."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ccserver.api.sources import Alarm
from ccserver.ari import Counters
from ccserver.connectors.voice import Liveness
from ccserver.connectors.voice.liveness import Probe, Pulse
from ccserver.core.events import LegEnded, TrunkChanged
from ccserver.core.ids import LegId
from ccserver.metrics import Metrics
from ccserver.store.database import Database
from ccserver.store.journal_file import JournalReader
from ccserver.store.projector import Projector
from ccserver.store.sql import SqlStore
from tests.config_site import CHECKOUT
from tests.unit.core_case import NODE
from tests.unit.observed import LEG, MTT, OFFER, Observed, observed

REFERENCE = (CHECKOUT / "docs" / "reference" / "metrics.md").read_text()


async def _never() -> None:
    raise AssertionError("nobody asks at a scrape")


class Scraped:
    """A centre whose metrics are watched."""

    def __init__(self, centre: Observed, metrics: Metrics, projector: Projector) -> None:
        self.centre, self._metrics, self.projector = centre, metrics, projector
        self.counters, self.alarms = Counters(), [Alarm(name="disk", message="full", since=0.0)]
        self.liveness = Liveness({"ari": Probe(_never, 1.0), "sip": Probe(_never, 1.0)})
        metrics.watch(centre.engine, centre.journal, projector, self.counters, lambda: self.alarms, self.liveness)

    def scrape(self) -> dict[tuple[str, ...], float]:
        """Value by name and label values, in the alphabetical order of the labels' names."""
        families = text_string_to_metric_families(self._metrics.render().decode())
        return {
            (s.name, *(value for _, value in sorted(s.labels.items()))): s.value for f in families for s in f.samples
        }

    def names(self) -> set[str]:
        return {family.name for family in text_string_to_metric_families(self._metrics.render().decode())}


@pytest.fixture
def scraped(tmp_path: Path) -> Iterator[Scraped]:
    metrics = Metrics()
    with observed(tmp_path, metrics) as centre, JournalReader(centre.journal.path) as reader:
        store = SqlStore(Database(f"sqlite:///{tmp_path}/store.sqlite"))
        projector = Projector(reader, store, NODE, centre.clock)
        centre.engine._observers = (metrics, projector)
        scraped = Scraped(centre, metrics, projector)
        centre.opens()
        yield scraped


def test_a_call_is_counted_by_line_and_outcome_and_its_wait_by_queue(scraped: Scraped) -> None:
    scraped.centre.arrives()
    scraped.centre.talks(ring_s=4.0, talk_s=60.0)
    seen = scraped.scrape()
    assert seen["ccserver_contacts_total", "inbound", "88007707999", "answered"] == 1
    assert seen["ccserver_offers_total", "accepted", "support"] == 1
    assert seen["ccserver_queue_wait_seconds_sum", "answered", "support"] == 4.0
    assert seen["ccserver_queue_wait_seconds_bucket", "2.0", "answered", "support"] == 0
    assert seen["ccserver_queue_wait_seconds_bucket", "5.0", "answered", "support"] == 1
    assert seen["ccserver_talk_seconds_sum", "support"] == 60.0
    assert seen["ccserver_engine_events_total", "ContactArrived"] == 1


def test_a_call_that_an_operator_makes_is_counted_by_outcome_and_its_attempts_by_trunk(scraped: Scraped) -> None:
    scraped.centre.tell(TrunkChanged(NODE, MTT.name, usable=True, at=0))
    scraped.centre.dials("89161234567")
    scraped.centre.tell(LegEnded(OFFER, 17, 486, at=0))
    scraped.centre.tell(LegEnded(LEG, at=0))
    scraped.centre.dials("88091234567", "c2")
    scraped.centre.tell(LegEnded(LegId("c2"), at=0))
    seen = scraped.scrape()
    assert seen["ccserver_attempts_total", "busy", "mtt"] == 1
    assert seen["ccserver_contacts_total", "outbound", "88007707999", "busy"] == 1
    assert seen["ccserver_contacts_total", "outbound", "88007707999", "blocked"] == 1


def test_gauges_show_this_moment(scraped: Scraped) -> None:
    assert scraped.scrape()["ccserver_agents", "ready"] == 1
    scraped.centre.tell(TrunkChanged(NODE, MTT.name, usable=True, refused=3, at=0))
    scraped.centre.arrives()
    seen = scraped.scrape()
    assert seen["ccserver_trunk_refused_total", "mtt", "full"] == 3
    assert seen["ccserver_trunk_refused_total", "mtt", "misdialled"] == 0
    assert (seen["ccserver_agents", "ready"], seen["ccserver_agents", "reserved"]) == (0, 1)
    assert seen["ccserver_contacts_live", "88007707999", "offered"] == 1
    assert (seen["ccserver_queue_waiting", "support"], seen["ccserver_queue_agents", "support", "logged_in"]) == (1, 1)
    assert (seen["ccserver_trunk_usable", "mtt"], seen["ccserver_trunk_calls", "inbound", "mtt"]) == (1, 1)
    assert (seen["ccserver_node_connected", "n1"], seen["ccserver_alarm", "false", "disk"]) == (1, 1)
    scraped.centre.tell(LegEnded(LEG, at=0), after_s=7.0)
    seen = scraped.scrape()
    assert seen["ccserver_contacts_live", "88007707999", "offered"] == 0
    assert seen["ccserver_queue_wait_seconds_sum", "abandoned", "support"] == 7.0


def test_each_turn_tells_what_it_cost(scraped: Scraped) -> None:
    before = scraped.scrape()
    scraped.centre.arrives()
    seen = scraped.scrape()
    for name in ("engine_lag", "engine_step", "journal_commit"):
        key = (f"ccserver_{name}_seconds_count",)
        assert seen[key] == before[key] + 1
    assert seen["ccserver_journal_commit_seconds_sum",] > before["ccserver_journal_commit_seconds_sum",]


def test_a_store_that_is_away_shows_as_a_lag_that_grows(scraped: Scraped) -> None:
    turns = scraped.centre.journal.seq
    scraped.centre.clock.time += 30.0
    seen = scraped.scrape()
    assert seen["ccserver_projector_lag_turns",] == turns > 0
    assert seen["ccserver_projector_lag_seconds",] == 30.0


def test_what_asterisk_answers_is_told_apart(scraped: Scraped) -> None:
    counters = scraped.counters
    counters.requests, counters.rejected, counters.unavailable = 10, 3, 2
    counters.events, counters.unknown_events = 7, 1
    seen = scraped.scrape()
    results = ("answered", "rejected", "unavailable")
    assert [seen["ccserver_ari_requests_total", result] for result in results] == [5, 3, 2]
    assert (seen["ccserver_ari_events_total", "taken"], seen["ccserver_ari_events_total", "unknown"]) == (6, 1)


def test_an_event_that_waits_for_its_turn_shows_its_age(scraped: Scraped) -> None:
    assert scraped.scrape()["ccserver_engine_inbox_age_seconds",] == 0
    scraped.centre.engine.put(LegEnded(LEG, at=0.0))
    first, second = scraped.scrape(), scraped.scrape()
    assert first["ccserver_engine_inbox_events",] == 1
    assert 0 < first["ccserver_engine_inbox_age_seconds",] < second["ccserver_engine_inbox_age_seconds",]


def test_the_reference_tells_of_every_metric_and_of_no_other(scraped: Scraped) -> None:
    told = set(re.findall(r"^\| `(ccserver_[a-z_]+)`", REFERENCE, re.MULTILINE))
    ours = {name for name in scraped.names() if name.startswith("ccserver_")}
    assert told == ours


def test_what_of_asterisk_answers_is_told_by_probe(scraped: Scraped) -> None:
    scraped.liveness.pulses["ari"] = Pulse(alive=False, latency_s=0.25, in_vain=2)
    seen = scraped.scrape()
    assert [seen["ccserver_asterisk_alive", probe] for probe in ("ari", "sip")] == [0.0, 1.0]
    assert seen["ccserver_asterisk_latency_seconds", "ari"] == 0.25
