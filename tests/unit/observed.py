"""A real engine on a real journal, told facts step by step, with whoever looks on: for tests of the observers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from ccserver.core.events import (
    AnyEvent,
    CodeDialled,
    ConfigReplaced,
    ContactArrived,
    LegAnswered,
    LegEnded,
    LegRinging,
    NodeConnected,
    NodeListed,
    OutboundDialled,
    PhoneChanged,
)
from ccserver.core.ids import AgentId, ContactId, LegId, LineNumber, TrunkName
from ccserver.core.plan import Trunk
from ccserver.core.router import Router
from ccserver.engine import Engine, Limits
from ccserver.ports import Observer
from ccserver.store.feed import LiveFeed
from ccserver.store.journal import SqliteJournal
from tests.unit.core_case import NODE, plan

LEG, CONTACT, OFFER, AGENT = LegId("c1"), ContactId("n1-c1"), LegId("n1-c1.1"), AgentId("1001")
MTT = Trunk(TrunkName("mtt"), "MTT", channels=2)


class At:
    """A clock that is set by hand."""

    time = 1000.0

    def now(self) -> float:
        return self.time


class Nobody:
    """Performs nothing: the test itself tells what happened."""

    def perform(self, command: object) -> None:
        """Take it."""

    async def run(self) -> None:
        """Not needed."""


class Observed:
    """One operator, one line straight into his queue, one trunk."""

    def __init__(self, journal: SqliteJournal, clock: At, observers: Sequence[Observer]) -> None:
        self.journal, self.clock = journal, clock
        self.router = Router()
        self.engine = Engine(self.router, journal, LiveFeed(), clock, Limits(), observers)
        self.engine.connect(_Everything())

    def tell(self, *events: AnyEvent, after_s: float = 0.0) -> None:
        """One turn."""
        self.clock.time += after_s
        for event in events:
            self.engine.put(replace(event, at=self.clock.time))  # type: ignore[arg-type]
        self.engine.turn()

    def opens(self) -> None:
        """The plan is adopted, Asterisk connected, the operator ready."""
        self.tell(ConfigReplaced(replace(plan(), trunks={MTT.name: MTT}), at=0))
        self.tell(NodeConnected(NODE, 0.0, at=0))
        self.tell(NodeListed(NODE, self.clock.time, True, at=0))
        self.tell(PhoneChanged(AGENT, True, False, at=0))
        self.tell(CodeDialled(AGENT, LegId("code"), NODE, "*11", at=0))
        self.tell(LegEnded(LegId("code"), at=0))

    def arrives(self, line: str = "88007707999") -> None:
        """A customer dials, and is offered to the operator at once."""
        self.tell(ContactArrived(CONTACT, LEG, NODE, LineNumber(line), "89161234567", self.clock.time, MTT.name, at=0))

    def dials(self, number: str, leg: str = LEG) -> None:
        """The operator calls a customer from that leg; `<node>-<leg>.1` is the customer's."""
        contact = ContactId(f"{NODE}-{leg}")
        self.tell(OutboundDialled(contact, LegId(leg), NODE, AGENT, number, self.clock.time, at=0))

    def talks(self, ring_s: float, talk_s: float) -> None:
        """The operator answers after a while; later the customer hangs up."""
        self.tell(LegRinging(OFFER, at=0))
        self.tell(LegAnswered(OFFER, at=0), after_s=ring_s)
        self.tell(LegEnded(LEG, at=0), after_s=talk_s)


class _Everything(dict[type, Nobody]):
    def __missing__(self, _: type) -> Nobody:
        return Nobody()


@contextmanager
def observed(path: Path, *observers: Observer) -> Iterator[Observed]:
    """On a new journal in the directory."""
    with SqliteJournal(path / "journal.sqlite") as journal:
        yield Observed(journal, At(), observers)
