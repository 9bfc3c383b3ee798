"""What grows: counters and histograms, fed with every turn and with every answer of Asterisk."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from ccserver.api.sources import Health
from ccserver.ari import Counters
from ccserver.connectors.voice import Liveness
from ccserver.core.attempt import Attempt, AttemptState
from ccserver.core.contact import Contact, ContactState, SegmentKind
from ccserver.core.events import InquiryAnswered
from ccserver.core.offer import Offer, OfferState
from ccserver.core.records import AttemptSaved, ContactSaved, OfferSaved, RecordingSaved, SegmentSaved
from ccserver.engine import Engine
from ccserver.metrics.moment import Moment
from ccserver.ports import Effort, Turn
from ccserver.store.journal import SqliteJournal
from ccserver.store.projector import Projector

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double every series, and nobody asks when one began

SHORT_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""For what the machine does."""
WAIT_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800)
"""For what people do: 20 s is the usual target of the service level."""
LOOKUP_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
TALK_S = (10, 30, 60, 120, 180, 300, 600, 1200, 3600)


class Metrics:
    """`turned` (as `ports.Observer`) and `ari_answered` feed it from the first turn on; `render` needs `watch` before."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        GCCollector(registry)
        ProcessCollector(registry=registry)
        self._waited = Histogram(
            "ccserver_engine_lag_seconds",
            "Time that the oldest event of a turn waited in the inbox",
            buckets=SHORT_S,
            registry=registry,
        )
        self._decided = Histogram(
            "ccserver_engine_step_seconds", "Time that the core took for a turn", buckets=SHORT_S, registry=registry
        )
        self._committed = Histogram(
            "ccserver_journal_commit_seconds",
            "Time that the journal took for a turn",
            buckets=SHORT_S,
            registry=registry,
        )
        self._events = Counter("ccserver_engine_events", "Events decided", ["event"], registry=registry)
        self._ari = Histogram(
            "ccserver_ari_request_seconds", "Time to Asterisk's answer over ARI", buckets=SHORT_S, registry=registry
        )
        self._contacts = Counter(
            "ccserver_contacts", "Contacts that ended", ["line", "direction", "outcome"], registry=registry
        )
        self._queued = Histogram(
            "ccserver_queue_wait_seconds",
            "Queue entry to the end of the wait",
            ["queue", "outcome"],
            buckets=WAIT_S,
            registry=registry,
        )
        self._talked = Histogram(
            "ccserver_talk_seconds", "Length of talks", ["queue"], buckets=TALK_S, registry=registry
        )
        self._transfers = Counter(
            "ccserver_transfers", "Talks that ended with the customer handed over", ["queue", "how"], registry=registry
        )
        self._offers = Counter("ccserver_offers", "Offers that ended", ["queue", "outcome"], registry=registry)
        self._attempts = Counter(
            "ccserver_attempts",
            "Attempts to reach a customer that ended",
            ["trunk", "outcome"],
            registry=registry,
        )
        self._inquiries = Histogram(
            "ccserver_lookup_seconds",
            "Time until a flow that asked another computer went on",
            ["lookup", "result"],
            buckets=LOOKUP_S,
            registry=registry,
        )
        self._recordings = Counter(
            "ccserver_recordings", "Recordings that ended", ["kind", "result"], registry=registry
        )

    # --- what grows -----------------------------------------------------------------------------------------------

    def turned(self, turn: Turn, effort: Effort) -> None:
        """Count what the turn decided."""
        self._waited.observe(effort.waited_s)
        self._decided.observe(effort.decided_s)
        self._committed.observe(effort.committed_s)
        for event in turn.events:
            self._events.labels(type(event).__name__).inc()
            if isinstance(event, InquiryAnswered):
                self._inquiries.labels(event.about, event.verdict).observe(event.took_s)
        for record in turn.records:
            match record:
                case ContactSaved(contact=contact) if contact.state is ContactState.CLOSED:
                    self._contact(contact)
                case SegmentSaved(segment=segment) if segment.ended_at is not None:
                    lasted_s = segment.ended_at - segment.started_at
                    if segment.kind is SegmentKind.QUEUE:
                        self._queued.labels(segment.queue or "", segment.outcome or "").observe(lasted_s)
                    elif segment.kind is SegmentKind.TALK:
                        if segment.transfer is not None:
                            self._transfers.labels(segment.queue or "", segment.transfer.value).inc()
                        self._talked.labels(segment.queue or "").observe(lasted_s)
                case OfferSaved(offer=offer):
                    self._offer(offer)
                case AttemptSaved(attempt=attempt):
                    self._attempt(attempt)
                case RecordingSaved():
                    result = "lost" if record.lost else "purged" if record.purged_at is not None else "kept"
                    self._recordings.labels(record.kind, result).inc()
                case _:
                    pass

    def ari_answered(self, seconds: float) -> None:
        """Asterisk answered a request, or did not in time."""
        self._ari.observe(seconds)

    def _contact(self, contact: Contact) -> None:
        self._contacts.labels(contact.line, contact.direction.value, contact.outcome or "").inc()

    def _offer(self, offer: Offer) -> None:
        if offer.outcome is not None and offer.state in (OfferState.CLOSED, OfferState.ACCEPTED):
            self._offers.labels(offer.queue, offer.outcome.value).inc()

    def _attempt(self, attempt: Attempt) -> None:
        if attempt.outcome is not None and attempt.state is AttemptState.CLOSED:
            self._attempts.labels(attempt.trunk, attempt.outcome.value).inc()

    # --- what is so now -------------------------------------------------------------------------------------------

    def watch(
        self,
        engine: Engine,
        journal: SqliteJournal,
        projector: Projector,
        ari: Counters,
        health: Health,
        liveness: Liveness,
    ) -> None:
        """Whom to ask at a scrape."""
        self._registry.register(Moment(engine, journal, projector, ari, health, liveness))

    def render(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        return generate_latest(self._registry)
