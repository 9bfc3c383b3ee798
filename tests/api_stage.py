"""A contact centre in memory for the tests of the API and the page: what the engine, store and archive would say.

`Stage` is the `Desk`: a test moves contacts and agents by hand (`arrive`, `enqueue`, `offer`, `answer`, `end`, `set_agent`) and
everybody who watches is woken, as by the real one. `Archive` is the store, `Sounds` the archive of recordings.
"""

import asyncio
import math
import struct
import time
import wave
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from aiohttp import ClientSession
from msgspec.structs import replace

from ccserver.api.server import build, listening
from ccserver.api.sources import Alarm, RecordingUnavailable, Reloaded
from ccserver.config.errors import ConfigErrors
from ccserver.config.load import load
from ccserver.core.agent import AgentState
from ccserver.core.contact import ContactOutcome, ContactState, Direction, SegmentKind, SegmentOutcome
from ccserver.core.events import (
    Accepted,
    Answer,
    LiftMeasure,
    MoveContact,
    PreserveContact,
    Refused,
    Request,
    SetAgentState,
    SetPriority,
    SteerRecording,
    SuperviseContact,
    TakeMeasure,
)
from ccserver.core.ids import (
    AgentId,
    ContactId,
    FlowName,
    Language,
    LineNumber,
    NodeName,
    OfferId,
    QueueName,
    RecordingName,
    StepName,
    TrunkName,
)
from ccserver.core.measure import Measure
from ccserver.core.offer import OfferOutcome
from ccserver.core.plan import Plan
from ccserver.core.recording import RecordingState
from ccserver.core.records import PlanAdopted
from ccserver.core.status import AgentStatus, ContactStatus, LineStatus, NodeStatus, QueueStatus, Status, TrunkStatus
from ccserver.store.decisions import AgentLog, ContactLog
from ccserver.store.errors import NoSuchContact, StoreUnavailable
from ccserver.store.feed import LiveFeed
from ccserver.store.reports import OffersRow, StatesRow, Stretch, TopicsRow
from ccserver.store.rows import (
    ContactDetail,
    ContactRow,
    OfferRow,
    PreservationRow,
    RecordingRow,
    SatisfactionRow,
    SegmentRow,
)
from tests.config_site import CHECKOUT

TOKEN = "0123456789abcdef0123456789abcdef"
ORDERS, SERVICE = QueueName("orders"), QueueName("service")
NORDLIS, VELMIRA = LineNumber("88007707999"), LineNumber("88007004666")
WAITS = {ContactState.WAITING, ContactState.OFFERED}
_NAMES = (
    "Анна Соколова",
    "Дмитрий Кузнецов",
    "Екатерина Морозова",
    "Иван Лебедев",
    "Мария Новикова",
    "Павел Волков",
    "Ольга Зайцева",
    "Тимур Сафин",
    "Наталья Орлова",
    "Сергей Белов",
    "Константин Преображенский-Благовещенский",
    "Юлия Ким",
)
_SOMETHING = PlanAdopted(plan=Plan(node=NodeName("cc1"), lines={}, queues={}, operators={}, flows={}))


class Archive:
    """The store; `away` set, it fails as a database that is away."""

    def __init__(self) -> None:
        self.kept: dict[ContactId, ContactDetail] = {}
        self.surveyed: dict[tuple[str, str], list[SatisfactionRow]] = {}
        self.away: str | None = None
        self.asked = 0
        self.reports = Figures(self)

    async def contacts(
        self,
        limit: int,
        before: ContactId | None = None,
        *,
        lines: Collection[str] = (),
        anis: Collection[str] = (),
        brands: Collection[str] = (),
        sources: Collection[str] = (),
    ) -> Sequence[ContactRow]:
        self._check()
        rows = sorted(self.kept.values(), key=lambda row: (row.arrived_at, row.id), reverse=True)
        wanted = (("line", lines), ("ani", anis), ("brand", brands), ("source", sources))
        rows = [row for row in rows if all(not of or getattr(row, name) in of for name, of in wanted)]
        if before is not None:
            if before not in self.kept:
                raise NoSuchContact(before)
            rows = rows[[row.id for row in rows].index(before) + 1 :]
        return rows[:limit]

    async def contact(self, contact: ContactId) -> ContactDetail | None:
        self.asked += 1
        self._check()
        return self.kept.get(contact)

    async def why(self, contact: ContactId) -> ContactLog:
        self._check()
        return ContactLog((), ())

    async def why_agent(self, agent: AgentId, since: float) -> AgentLog:
        self._check()
        return AgentLog((), (), ())

    async def satisfaction(
        self, by: Literal["queue", "agent", "line"], question: str, since: float, until: float
    ) -> Sequence[SatisfactionRow]:
        self._check()
        return [row for row in self.surveyed.get((by, question), []) if since < until]

    def _check(self) -> None:
        if self.away is not None:
            raise StoreUnavailable("the store", self.away)


class Figures:
    """The store's sums: what the test put there; away with the store."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.stretch: Stretch | None = None
        """The last that was asked about."""
        self.topics_rows: tuple[TopicsRow, ...] = ()
        self.offers_rows: tuple[OffersRow, ...] = ()
        self.states_rows: tuple[StatesRow, ...] = ()

    async def topics(self, stretch: Stretch, per: Collection[str]) -> Sequence[TopicsRow]:
        self.archive._check()
        self.stretch = stretch
        return self.topics_rows

    async def offers(self, stretch: Stretch, per: Collection[str]) -> Sequence[OffersRow]:
        self.archive._check()
        self.stretch = stretch
        return self.offers_rows

    async def states(self, stretch: Stretch) -> Sequence[StatesRow]:
        self.archive._check()
        self.stretch = stretch
        return self.states_rows


class Sounds:
    """The archive of recordings: a tone of the length that the path ends in (`…-3.opus`), or nothing."""

    def __init__(self) -> None:
        self.written: list[str] = []

    async def write_wav(self, path: str, wav: Path) -> None:
        self.written.append(path)
        if "gone" in path:
            raise RecordingUnavailable("the file is not in the archive")
        await asyncio.to_thread(_tone, wav, float(Path(path).stem.rsplit("-", 1)[1]))


def _tone(wav: Path, lasts_s: float) -> None:
    with wave.open(str(wav), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        one = [(int(9000 * math.sin(i * 0.35)), int(9000 * math.sin(i * 0.52))) for i in range(8000)]
        second = b"".join(struct.pack("<hh", *sample) for sample in one)
        file.writeframes((second * math.ceil(lasts_s))[: int(lasts_s * 8000) * 4])


class Configured:
    """What is configured: the demo; a reload does what the test put into `answer`."""

    def __init__(self) -> None:
        self.in_force = load(CHECKOUT / "dialplans", state_dir=CHECKOUT / "var")
        self.answer: Reloaded | ConfigErrors = Reloaded(
            configuration="dialplans/ccserver.toml", changes=(), warnings=()
        )

    async def reload(self) -> Reloaded:
        if isinstance(self.answer, ConfigErrors):
            raise self.answer
        return self.answer


class Stage:
    """The desk, with everything that happens at it under the test's hand."""

    def __init__(self, agents: int = 10) -> None:
        self.feed = LiveFeed()
        self.archive = Archive()
        self.sounds = Sounds()
        self.configured = Configured()
        self.alarms: list[Alarm] = []
        self.asked: list[Request] = []
        self.refuse: str | None = None
        self.silent = False
        self.queues = {ORDERS: "Заказы", SERVICE: "Сервисный центр"}
        self.lines = {NORDLIS: "Нордлис", VELMIRA: "Вельмира"}
        self.measures: list[Measure] = []
        self.nodes = (NodeStatus(node=NodeName("cc1"), connected=True, since=self.now()),)
        self.agents = {AgentId(str(1001 + i)): self._agent(i) for i in range(agents)}
        self.trunks: list[TrunkStatus] = []
        self.contacts: dict[ContactId, ContactStatus] = {}
        self._number = 0

    def now(self) -> float:
        return time.time()

    def _agent(self, i: int) -> AgentStatus:
        return AgentStatus(
            extension=AgentId(str(1001 + i)),
            name=_NAMES[i % len(_NAMES)],
            state=AgentState.LOGGED_OUT,
            reason="",
            since=self.now(),
            contact=None,
            queues=(ORDERS, SERVICE),
            phone_registered=False,
            supervises=False,
            then=AgentState.LOGGED_OUT,
            then_reason="",
        )

    def changed(self) -> None:
        """Wake whoever watches."""
        self.feed.publish((_SOMETHING,))

    # --- ports.Desk

    def status(self) -> Status:
        now = self.now()
        contacts = tuple(self.contacts.values())
        return Status(
            at=now,
            nodes=self.nodes,
            lines=tuple(self._line(number, name, contacts) for number, name in self.lines.items()),
            queues=tuple(self._queue(name, title, contacts, now) for name, title in self.queues.items()),
            agents=tuple(self.agents.values()),
            trunks=tuple(self.trunks),
            contacts=tuple(self._placed(contact, contacts) for contact in contacts),
            measures=tuple(self.measures),
            not_ready_reasons=("break", "lunch", "training", "meeting", "other"),
            ignored=0,
        )

    async def request(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.silent:
            await asyncio.Event().wait()
        if self.refuse is not None:
            return Refused(self.refuse)
        match request:
            case SetAgentState():
                self.set_agent(request.agent, AgentState(request.state), request.reason, by=request.by)
            case SteerRecording():
                states: dict[str, RecordingState] = {"pause": "paused", "stop": "off"}
                self.move(request.contact, recording=states.get(request.action, "on"))
            case MoveContact():
                self.move(request.contact, queue=request.queue)
            case SetPriority():
                self.move(request.contact, raised_s=request.priority_s)
            case SuperviseContact():
                self.move(request.contact, supervisor=request.supervisor, supervision=request.mode)
            case PreserveContact(preserved=preserved, reason=reason) if request.contact in self.archive.kept:
                kept = self.archive.kept[request.contact]
                row = PreservationRow(reason=reason, at=request.at) if preserved else None
                self.archive.kept[request.contact] = replace(kept, preservation=row)
            case TakeMeasure(measure=measure):
                self.measures.append(measure)
                self.changed()
            case LiftMeasure(measure=lifted):
                if lifted not in {each.id for each in self.measures}:
                    return Refused(f"no measure {lifted} is in force", "id", unknown=True)
                self.measures = [each for each in self.measures if each.id != lifted]
                self.changed()
        return Accepted()

    def _line(self, number: LineNumber, name: str, contacts: Sequence[ContactStatus]) -> LineStatus:
        states = [contact.state for contact in contacts if contact.line == number]
        return LineStatus(
            number=number,
            name=name,
            in_flow=states.count(ContactState.FLOW),
            waiting=sum(state in WAITS for state in states),
            talking=states.count(ContactState.TALKING),
            dialling=states.count(ContactState.DIALLING),
        )

    def _queue(self, name: QueueName, title: str, contacts: Sequence[ContactStatus], now: float) -> QueueStatus:
        waits = [contact.since for contact in contacts if contact.queue == name and contact.state in WAITS]
        people = [agent.state for agent in self.agents.values() if name in agent.queues]
        return QueueStatus(
            name=name,
            title=title,
            target_s=20.0,
            waiting=len(waits),
            longest_wait_s=now - min(waits) if waits else 0.0,
            talking=sum(contact.queue == name and contact.state is ContactState.TALKING for contact in contacts),
            agents_logged_in=sum(state is not AgentState.LOGGED_OUT for state in people),
            agents_ready=people.count(AgentState.READY),
        )

    def _placed(self, contact: ContactStatus, contacts: Sequence[ContactStatus]) -> ContactStatus:
        if contact.state not in WAITS:
            return contact
        ahead = [c for c in contacts if c.queue == contact.queue and c.state in WAITS and c.since <= contact.since]
        return replace(contact, position=len(ahead))

    # --- what happens

    def set_agent(self, extension: str, state: AgentState, reason: str = "", **more: object) -> None:
        agent = self.agents[AgentId(extension)]
        changes = {
            "contact": None,
            "phone_registered": state is not AgentState.UNREACHABLE,
            "since": self.now(),
            **more,
        }
        self.agents[agent.extension] = replace(agent, state=state, reason=reason, **changes)
        self.changed()

    def arrive(self, ani: str = "+79161234567", line: LineNumber = NORDLIS, ago_s: float = 0.0) -> ContactId:
        self._number += 1
        contact = ContactId(f"cc1-1767171600.{self._number}")
        at = self.now() - ago_s
        self.contacts[contact] = ContactStatus(
            id=contact,
            line=line,
            ani=ani,
            direction=Direction.INBOUND,
            trunk=None,
            state=ContactState.FLOW,
            flow=FlowName("nordlis" if line == NORDLIS else "velmira"),
            step=StepName("main"),
            queue=None,
            position=None,
            agent=None,
            language=Language("ru"),
            recording="off",
            supervisor=None,
            supervision=None,
            arrived_at=at,
            since=at,
        )
        self.changed()
        return contact

    def dial(self, extension: str, number: str, trunk: TrunkName | None, ago_s: float = 0.0) -> ContactId:
        """An operator calls a customer."""
        contact = self.arrive(number, ago_s=ago_s)
        agent = AgentId(extension)
        changes = {"direction": Direction.OUTBOUND, "trunk": trunk, "agent": agent, "step": StepName("")}
        self.move(contact, state=ContactState.DIALLING, **changes)
        self.set_agent(extension, AgentState.DIALLING, contact=contact, since=self.now() - ago_s)
        return contact

    def fail(self, contact: ContactId, outcome: ContactOutcome, reason: str) -> None:
        """It comes to nothing, and the operator goes on with what he did."""
        gone = self.contacts.pop(contact)
        assert gone.agent is not None
        self.archive.kept[gone.id] = replace(_cdr(gone, self.now(), recorded=False), outcome=outcome, reason=reason)
        self.set_agent(gone.agent, AgentState.READY)

    def at_step(self, contact: ContactId, step: str) -> None:
        self.move(contact, step=StepName(step))

    def enqueue(self, contact: ContactId, queue: QueueName = ORDERS, ago_s: float = 0.0) -> None:
        self.move(contact, state=ContactState.WAITING, step=StepName(""), queue=queue, since=self.now() - ago_s)

    def offer(self, contact: ContactId, extension: str) -> None:
        self.move(contact, state=ContactState.OFFERED, agent=AgentId(extension))
        self.set_agent(extension, AgentState.RINGING, contact=contact)

    def answer(self, contact: ContactId, extension: str, ago_s: float = 0.0) -> None:
        since = self.now() - ago_s
        self.move(contact, state=ContactState.TALKING, agent=AgentId(extension), since=since, flow=None, step="")
        self.set_agent(extension, AgentState.TALKING, contact=contact, since=since)

    def end(self, contact: ContactId, *, recorded: bool = True, kept: bool = True) -> None:
        """The caller hangs up; `kept` False: the store does not know yet."""
        gone = self.contacts.pop(contact)
        if gone.agent is not None:
            self.set_agent(gone.agent, AgentState.WRAP_UP)
        if kept:
            self.keep(gone, recorded=recorded)
        self.changed()

    def keep(self, gone: ContactStatus, *, recorded: bool = True) -> None:
        """The projector has caught up."""
        self.archive.kept[gone.id] = _cdr(gone, self.now(), recorded)

    def link(self, *, connected: bool) -> None:
        self.nodes = tuple(replace(node, connected=connected, since=self.now()) for node in self.nodes)
        self.changed()

    def move(self, contact: ContactId, **changes: object) -> None:
        self.contacts[contact] = replace(self.contacts[contact], **{"since": self.contacts[contact].since, **changes})
        self.changed()


def _cdr(gone: ContactStatus, now: float, recorded: bool) -> ContactDetail:
    talked = gone.state is ContactState.TALKING
    outcome = ContactOutcome.ANSWERED if talked else ContactOutcome.ABANDONED
    if gone.queue is None and gone.direction is Direction.INBOUND:
        outcome = ContactOutcome.FLOW_ABANDONED
    name = RecordingName(f"{gone.id}.1")
    path = f"2026/01/31/{name}-3.opus" if talked and recorded else None
    found = (
        (
            RecordingRow(
                recording=name, kind="talk", path=path, duration_s=3.0, lost="", gaps="[]", purged_at=None, purged_by=""
            ),
        )
        if path
        else ()
    )
    return ContactDetail(
        id=gone.id,
        line=gone.line,
        ani=gone.ani,
        direction=gone.direction,
        trunk=gone.trunk,
        language=gone.language,
        state=ContactState.CLOSED,
        queue=gone.queue,
        outcome=outcome,
        agent=gone.agent if talked or gone.direction is Direction.OUTBOUND else None,
        arrived_at=gone.arrived_at,
        ended_at=now,
        ivr_s=4.0004,
        wait_s=0.0 if gone.queue is None else 7.25,
        ring_s=2.5 if talked else 0.0,
        talk_s=now - gone.since if talked else 0.0,
        dial_s=6.25 if talked and gone.direction is Direction.OUTBOUND else 0.0,
        reason="",
        brand="",
        source="",
        answered_at=gone.arrived_at,
        recording=path,
        segments=_segments(gone, now, talked),
        offers=_offers(gone, now) if talked and gone.queue is not None else (),
        attempts=(),
        dispositions=(),
        recordings=found,
        survey=None,
        scores=(),
    )


def _segments(gone: ContactStatus, now: float, talked: bool) -> tuple[SegmentRow, ...]:
    begun = gone.arrived_at
    rest = {"flow": None, "queue": None, "agent": None, "offer": None}
    led = SegmentOutcome.QUEUED if gone.queue else SegmentOutcome.CALLER_LEFT
    made = [{"kind": SegmentKind.FLOW, "started_at": begun, "ended_at": begun + 4, "outcome": led}]
    if gone.queue is not None:
        left = SegmentOutcome.ANSWERED if talked else SegmentOutcome.ABANDONED
        queued = {"kind": SegmentKind.QUEUE, "queue": gone.queue, "outcome": left}
        made.append({**queued, "started_at": begun + 4, "ended_at": begun + 11.25})
    if talked:
        spoken = {"kind": SegmentKind.TALK, "queue": gone.queue, "agent": gone.agent, "offer": OfferId(f"{gone.id}.1")}
        made.append({**spoken, "started_at": begun + 11.25, "ended_at": now, "outcome": SegmentOutcome.CALLER_LEFT})
    return tuple(SegmentRow(n=n, **{**rest, **one}) for n, one in enumerate(made, 1))


def _offers(gone: ContactStatus, now: float) -> tuple[OfferRow, ...]:
    assert gone.agent is not None and gone.queue is not None
    begun = gone.arrived_at + 8
    made = OfferRow(
        id=OfferId(f"{gone.id}.1"),
        agent=gone.agent,
        queue=gone.queue,
        made_at=begun,
        ringing_at=begun + 0.75,
        answered_at=begun + 3.25,
        ended_at=now,
        ring_s=2.5,
        outcome=OfferOutcome.ACCEPTED,
        why="longest idle of 3",
    )
    return (made,)


@asynccontextmanager
async def open_api(stage: Stage) -> AsyncIterator[str]:
    """The real server on a free loopback port; gives its address."""
    app = build(stage, stage.archive, stage.feed, stage.sounds, TOKEN, lambda: stage.alarms, bytes, stage.configured)
    async with listening(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def strangers(stage: Stage) -> AsyncIterator[ClientSession]:
    """A program without a token, at the real server."""
    async with open_api(stage) as address, ClientSession(address) as client:
        yield client


@asynccontextmanager
async def admitted(stage: Stage) -> AsyncIterator[ClientSession]:
    """A program that knows the token, at the real server."""
    async with (
        open_api(stage) as address,
        ClientSession(address, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield client
