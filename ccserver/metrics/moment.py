"""What is so now: gauges, read at the moment of the scrape from the picture that the page shows and from the parts themselves."""

from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ccserver import __version__
from ccserver.api.sources import Health
from ccserver.ari import Counters
from ccserver.connectors.voice import Liveness
from ccserver.core.agent import AgentState
from ccserver.core.contact import ContactState
from ccserver.core.measure import Announcement, Block, Closure
from ccserver.core.status import Status
from ccserver.engine import Engine
from ccserver.store.journal import SqliteJournal
from ccserver.store.projector import Projector

Labelled = Sequence[tuple[tuple[str, ...], float]]
"""Values of a gauge, by its labels."""


class Moment:
    """A collector as prometheus-client wants it: asked at every scrape."""

    def __init__(
        self,
        engine: Engine,
        journal: SqliteJournal,
        projector: Projector,
        ari: Counters,
        health: Health,
        liveness: Liveness,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._projector = projector
        self._ari = ari
        self._health = health
        self._liveness = liveness

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the names are made by `collect`."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        yield from self._of_the_daemon()
        yield from self._of_asterisk()
        yield from _of_the_centre(self._engine.status())
        alarms = [((alarm.name, str(alarm.critical).lower()), 1.0) for alarm in self._health()]
        yield _gauge("alarm", "1 while something needs a person", ("name", "critical"), alarms)

    def _of_asterisk(self) -> Iterable[Metric]:
        pulses = self._liveness.pulses.items()
        alive = [((probe,), float(pulse.alive)) for probe, pulse in pulses]
        yield _gauge("asterisk_alive", "1 while this part of Asterisk answers", ("probe",), alive)
        latency = [((probe,), pulse.latency_s) for probe, pulse in pulses]
        yield _gauge("asterisk_latency_seconds", "How long its last answer took", ("probe",), latency)

    def _of_the_daemon(self) -> Iterable[Metric]:
        yield _gauge("build_info", "The version that runs", ("version",), [((__version__,), 1.0)])
        numbers: tuple[tuple[str, str, float], ...] = (
            ("engine_inbox_events", "Events waiting to be decided", self._engine.waiting),
            ("engine_inbox_age_seconds", "Age of the oldest of them; grows when the engine hangs", self._engine.lag_s),
            ("journal_backlog_turns", "Turns in memory because the journal cannot be written", self._journal.backlog),
            ("projector_lag_turns", "Turns that the store has not got", self._journal.seq - self._projector.projected),
            ("projector_lag_seconds", "Age of the oldest of them", self._projector.lag_s),
        )
        for name, meaning, value in numbers:
            yield _gauge(name, meaning, (), [((), value)])
        for name, meaning, results in (
            (
                "ari_requests",
                "Requests to Asterisk by result",
                {
                    "answered": self._ari.requests - self._ari.rejected - self._ari.unavailable,
                    "rejected": self._ari.rejected,
                    "unavailable": self._ari.unavailable,
                },
            ),
            (
                "ari_events",
                "Events of Asterisk by what became of them",
                {
                    "taken": self._ari.events - self._ari.unknown_events - self._ari.malformed_events,
                    "unknown": self._ari.unknown_events,
                    "malformed": self._ari.malformed_events,
                    "overflowed": self._ari.overflowed_events,
                },
            ),
            (
                "ari_connections",
                "Web sockets to Asterisk by result",
                {
                    "connected": self._ari.connects,
                    "lost": self._ari.disconnects,
                    "failed": self._ari.failed_connects,
                },
            ),
        ):
            family = CounterMetricFamily(f"ccserver_{name}", meaning, labels=["result"])
            for result, count in results.items():
                family.add_metric([result], count)
            yield family


def _of_the_centre(status: Status) -> Iterable[Metric]:
    states = [agent.state for agent in status.agents]
    owed = status.callbacks
    on_line = [(contact.line, contact.state.value) for contact in status.contacts]
    shapes: tuple[tuple[str, str, tuple[str, ...], Labelled], ...] = (
        (
            "node_connected",
            "1 while events of the Asterisk flow and offers are made",
            ("node",),
            [((node.node,), float(node.connected)) for node in status.nodes],
        ),
        (
            "agents",
            "Operators by state",
            ("state",),
            [((state.value,), float(states.count(state))) for state in AgentState],
        ),
        (
            "contacts_live",
            "Contacts going on, by line and state",
            ("line", "state"),
            [
                ((line.number, state.value), float(on_line.count((line.number, state.value))))
                for line in status.lines
                for state in ContactState
                if state is not ContactState.CLOSED
            ],
        ),
        (
            "queue_waiting",
            "Contacts waiting or being offered",
            ("queue",),
            [((queue.name,), float(queue.waiting)) for queue in status.queues],
        ),
        (
            "callbacks_owed",
            "Calls owed to customers, by queue and by whether they are due; those that are being made are not counted",
            ("queue", "when"),
            [
                (
                    (queue.name, when),
                    float(sum(1 for each in owed if (each.queue, each.state.value) == (queue.name, state))),
                )
                for queue in status.queues
                for when, state in (("due", "waiting"), ("later", "scheduled"))
            ],
        ),
        (
            "queue_longest_wait_seconds",
            "The longest of their waits",
            ("queue",),
            [((queue.name,), queue.longest_wait_s) for queue in status.queues],
        ),
        (
            "queue_agents",
            "Operators of the queue who are logged in, and who are ready",
            ("queue", "which"),
            [
                ((queue.name, which), float(count))
                for queue in status.queues
                for which, count in (("logged_in", queue.agents_logged_in), ("ready", queue.agents_ready))
            ],
        ),
        (
            "measures",
            "What supervisors have put in force: announcements, closed lines, blocked numbers",
            ("kind",),
            [
                ((str(kind.__struct_config__.tag),), float(sum(isinstance(each, kind) for each in status.measures)))
                for kind in (Announcement, Closure, Block)
            ],
        ),
        (
            "trunk_usable",
            "1 while calls can leave by the trunk",
            ("trunk",),
            [((trunk.name,), float(trunk.usable)) for trunk in status.trunks],
        ),
        (
            "trunk_calls",
            "Calls on the trunk",
            ("trunk", "direction"),
            [
                ((trunk.name, direction), float(count))
                for trunk in status.trunks
                for direction, count in (("inbound", trunk.inbound), ("outbound", trunk.outbound))
            ],
        ),
        (
            "trunk_channels",
            "Calls that the trunk takes at once",
            ("trunk",),
            [((trunk.name,), float(trunk.channels)) for trunk in status.trunks],
        ),
    )
    for name, meaning, labels, values in shapes:
        yield _gauge(name, meaning, labels, values)
    refused = CounterMetricFamily(
        "ccserver_trunk_refused", "Calls of the trunk that were refused, and why", labels=("trunk", "why")
    )
    for trunk in status.trunks:
        refused.add_metric((trunk.name, "full"), trunk.refused)
        refused.add_metric((trunk.name, "misdialled"), trunk.misdialled)
    yield refused
    ignored = CounterMetricFamily("ccserver_engine_ignored", "Facts that found no state waiting for them")
    ignored.add_metric([], status.ignored)
    yield ignored


def _gauge(name: str, meaning: str, labels: tuple[str, ...], values: Labelled) -> Metric:
    family = GaugeMetricFamily(f"ccserver_{name}", meaning, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family
