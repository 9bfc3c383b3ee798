"""Turns as the router leaves them, for tests and benches of journal and store: whole calls, of the usual shape and size."""

from itertools import count

from msgspec.structs import replace

from ccserver.core.agent import Agent, AgentState
from ccserver.core.attempt import Attempt, advance
from ccserver.core.commands import (
    AnswerLeg,
    Command,
    HangUpLeg,
    JoinLegs,
    KeepRecording,
    OfferContact,
    PlayPrompts,
    ReleaseContact,
    StartMusic,
)
from ccserver.core.contact import (
    Contact,
    ContactOutcome,
    ContactState,
    Direction,
    FlowPosition,
    Place,
    Recording,
    SegmentKind,
    SegmentOutcome,
    closed_segment,
    opened,
)
from ccserver.core.disposition import Disposition
from ccserver.core.events import (
    AnyEvent,
    ContactArrived,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegRinging,
    PlayFinished,
    RecordingKept,
    RecordingStarted,
)
from ccserver.core.ids import (
    AgentId,
    AttemptId,
    ContactId,
    FlowName,
    Language,
    LegId,
    LineNumber,
    NodeName,
    OfferId,
    PlanHash,
    PlayId,
    QueueName,
    RecordingName,
    Skill,
    StepName,
    TrunkName,
)
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.plan import Line, Operator, Plan, Queue
from ccserver.core.records import (
    AgentSaved,
    AttemptSaved,
    ContactSaved,
    DispositionSaved,
    IntervalSaved,
    OfferSaved,
    PlanAdopted,
    Record,
    RecordingSaved,
    SegmentSaved,
    SurveySaved,
)
from ccserver.core.steps import Flow, Menu, Say, SkillNeed, Step
from ccserver.core.survey import Survey
from ccserver.ports import Turn

NODE = NodeName("a1")
LINE = LineNumber("88007707999")
FLOW = FlowName("main")
ANNA = AgentId("1001")
ORDERS = QueueName("orders")
ORDERS_NEED = (SkillNeed(skill=Skill("orders"), level=1),)


def plan(name: str = "1") -> Plan:
    """A small plan whose hash is `plan-<name>`."""
    menu = Menu(prompts=("greeting",), keys={"1": StepName("bye")}, otherwise=StepName("bye"))
    steps: dict[StepName, Step] = {
        StepName("start"): menu,
        StepName("bye"): Say(prompts=("bye",), next=StepName("start")),
    }
    operators = {AgentId("1001"): Operator(AgentId("1001"), "Анна", {Skill("orders"): 5}, (ORDERS,))}
    return Plan(
        node=NODE,
        lines={LINE: Line(number=LINE, name="Demo", flow=FLOW, language=Language("ru"))},
        queues={ORDERS: Queue(name=ORDERS, title="Заказы", skills=ORDERS_NEED)},
        operators=operators,
        flows={FLOW: Flow(name=FLOW, start=StepName("start"), steps=steps)},
        hash=PlanHash(f"plan-{name}"),
    )


class Script:
    """Writes turns one after the other, numbered without gaps."""

    def __init__(self, *, seq: int = 0, now: float = 1_780_000_000.0) -> None:
        self.seq = seq
        self.now = now
        self._calls = count(1)

    def turn(self, *records: Record, event: AnyEvent | None = None, commands: tuple[Command, ...] = ()) -> Turn:
        """The next turn."""
        self.seq += 1
        return Turn(self.seq, self.now, (event,) if event else (), records, commands)

    def adopted(self, name: str = "1") -> Turn:
        """A plan comes into force."""
        return self.turn(PlanAdopted(plan(name)))

    def arrived(self, *, plan_name: str = "1", ani: str = "79161234567") -> tuple[Contact, Turn]:
        """A call arrives and hears the menu."""
        leg = LegId(f"{self.now:.0f}.{next(self._calls)}")
        id_ = ContactId(f"{NODE}-{leg}")
        play = PlayId(f"{id_}.play1")
        contact = opened(
            Contact(
                id=id_,
                node=NODE,
                leg=leg,
                line=LINE,
                ani=ani,
                language=Language("ru"),
                plan=PlanHash(f"plan-{plan_name}"),
                arrived_at=self.now,
                entered_at=self.now + 0.0123456,
                flow=FlowPosition(flow=FLOW, step=StepName("start"), play=play),
                variables={"line": LINE, "ani": ani, "language": "ru"},
                plays=1,
            ),
            SegmentKind.FLOW,
            self.now,
            flow=FLOW,
        )
        assert contact.segment
        event = ContactArrived(
            at=self.now, contact=id_, leg=leg, node=NODE, line=LINE, ani=ani, arrived_at=contact.arrived_at
        )
        prompts = PlayPrompts(lane=id_, leg=leg, play=play, items=("greeting", "menu"), language=Language("ru"))
        commands = (AnswerLeg(lane=id_, leg=leg, language=Language("ru")), prompts)
        return contact, self.turn(ContactSaved(contact), SegmentSaved(contact.segment), event=event, commands=commands)

    def call(self, agent: AgentId = ANNA, *, n: int = 1, talk_s: float = 75.0) -> list[Turn]:
        """A whole call that `agent` answers, recording included: ten turns. `n`: of the agent's intervals."""
        contact, arrived = self.arrived()
        turns = [arrived]
        self.now += 4.0
        played = PlayFinished(at=self.now, leg=contact.leg, play=PlayId(f"{contact.id}.play1"))
        contact = replace(contact, flow=replace(contact.flow, play=None, deadline=self.now + 5))  # type: ignore[type-var]
        turns.append(self.turn(ContactSaved(contact), event=played))
        contact, queued = self._queued(contact)
        offer, contact, offered = self._offered(contact, agent, n)
        self.now += 0.3
        offer = replace(offer, state=OfferState.RINGING, ringing_at=self.now)
        contact = replace(contact, offer=offer)
        ringing = Agent(id=agent, state=AgentState.RINGING, since=self.now, contact=contact.id, leg=offer.leg)
        rings = LegRinging(at=self.now, leg=offer.leg)
        turns += [
            queued,
            offered,
            self.turn(ContactSaved(contact), OfferSaved(offer), AgentSaved(ringing), event=rings),
        ]
        started = Recording(name=RecordingName(contact.id), started_at=self.now)
        contact = replace(contact, recording=started)
        recording = RecordingStarted(at=self.now, contact=contact.id, recording=started.name)
        turns.append(self.turn(ContactSaved(contact), event=recording))
        return turns + self._talked(contact, offer, agent, n, talk_s)

    def dialled(self, agent: AgentId = ANNA) -> list[Turn]:
        """A call that the operator makes: the first trunk refuses it, by the second the customer is reached."""
        leg = LegId(f"{self.now:.0f}.{next(self._calls)}")
        contact = Contact(
            id=ContactId(f"{NODE}-{leg}"),
            node=NODE,
            leg=leg,
            line=LINE,
            ani="+79161234567",
            language=Language("ru"),
            plan=PlanHash("plan-1"),
            arrived_at=self.now,
            entered_at=self.now,
            direction=Direction.OUTBOUND,
            state=ContactState.DIALLING,
            agent=agent,
        )
        contact = opened(contact, SegmentKind.DIAL, self.now, agent=agent)
        turns = [self._attempted(contact, 1, "north", LegEnded(at=self.now + 0.2, leg=leg, cause=34, sip_status=503))]
        self.now += 0.2
        contact = replace(contact, reason="north: refused (SIP 503)")
        turns.append(self._attempted(contact, 2, "south", LegAnswered(at=self.now + 6.0, leg=leg)))
        self.now += 6.0
        contact, dial = closed_segment(contact, SegmentOutcome.ANSWERED, self.now)
        contact = replace(contact, state=ContactState.CLOSED, outcome=ContactOutcome.ANSWERED, ended_at=self.now)
        turns.append(
            self.turn(SegmentSaved(dial), ContactSaved(replace(contact, trunk=TrunkName("south"), attempts=2)))
        )
        return turns

    def _attempted(self, contact: Contact, n: int, trunk: str, event: LegAnswered | LegEnded) -> Turn:
        attempt = Attempt(
            id=AttemptId(f"{contact.id}.{n}"),
            contact=contact.id,
            trunk=TrunkName(trunk),
            number=contact.ani,
            made_at=self.now,
            why="priority 1, of 2 that fit",
            reach_deadline=self.now + 8.0,
            ring_deadline=self.now + 60.0,
        )
        assert contact.segment
        told = advance(attempt, event)
        return self.turn(ContactSaved(contact), SegmentSaved(contact.segment), AttemptSaved(told), event=event)

    def _queued(self, contact: Contact) -> tuple[Contact, Turn]:
        self.now += 1.2
        contact, flow = closed_segment(contact, SegmentOutcome.QUEUED, self.now)
        place = Place(queue=ORDERS, needs=ORDERS_NEED, entered_at=self.now, order=self.now)
        state = ContactState.WAITING
        contact = replace(contact, state=state, flow=None, place=place, first_queue=ORDERS)
        contact = opened(contact, SegmentKind.QUEUE, self.now, queue=ORDERS)
        assert flow and contact.segment
        records = (ContactSaved(contact), SegmentSaved(flow), SegmentSaved(contact.segment))
        pressed = KeyPressed(at=self.now, leg=contact.leg, key="1")
        music = StartMusic(lane=contact.id, leg=contact.leg, music="default")
        return contact, self.turn(*records, event=pressed, commands=(music,))

    def _offered(self, contact: Contact, agent: AgentId, n: int) -> tuple[Offer, Contact, Turn]:
        self.now += 8.0
        offer = Offer(
            id=OfferId(f"{contact.id}.1"),
            contact=contact.id,
            agent=agent,
            queue=ORDERS,
            made_at=self.now,
            why="longest idle of 3: 412 s",
            reach_deadline=self.now + 5,
            ring_deadline=self.now + 25,
        )
        recording = RecordingName(contact.id)
        contact = replace(
            contact, state=ContactState.OFFERED, offer=offer, offers=1, recording=Recording(name=recording)
        )
        reserved = Agent(id=agent, state=AgentState.RESERVED, since=self.now, contact=contact.id, leg=offer.leg)
        ready = self._interval(agent, 3 * n - 2, AgentState.READY, 60.0, None)
        command = OfferContact(
            lane=contact.id,
            offer=offer.id,
            leg=contact.leg,
            agent=agent,
            ani=contact.ani,
            music="default",
            ring_timeout_s=30.0,
            recording=recording,
        )
        records = (ContactSaved(contact), OfferSaved(offer), AgentSaved(reserved), ready)
        return offer, contact, self.turn(*records, commands=(command,))

    def _talked(self, contact: Contact, offer: Offer, agent: AgentId, n: int, talk_s: float) -> list[Turn]:
        self.now += 3.4
        answered_at = self.now
        offer = replace(offer, state=OfferState.ACCEPTED, outcome=OfferOutcome.ACCEPTED, answered_at=self.now)
        contact, waited = closed_segment(contact, SegmentOutcome.ANSWERED, self.now)
        contact = replace(
            contact, state=ContactState.TALKING, place=None, offer=offer, agent=agent, ring_s=offer.ring_s
        )
        contact = opened(contact, SegmentKind.TALK, self.now, queue=ORDERS, agent=agent, offer=offer.id)
        talking = Agent(id=agent, state=AgentState.TALKING, since=self.now, contact=contact.id, leg=offer.leg)
        rang = self._interval(agent, 3 * n - 1, AgentState.RINGING, 3.4, contact.id)
        assert waited and contact.segment and contact.recording
        saved = (ContactSaved(contact), SegmentSaved(waited), SegmentSaved(contact.segment), OfferSaved(offer))
        joined = JoinLegs(lane=contact.id, leg=contact.leg, offer=offer.id)
        picked = LegAnswered(at=self.now, leg=offer.leg)
        turns = [self.turn(*saved, AgentSaved(talking), rang, event=picked, commands=(joined,))]
        self.now += talk_s
        contact, talk = closed_segment(contact, SegmentOutcome.AGENT_LEFT, self.now)
        recording = replace(contact.recording, talks=((answered_at, self.now),))  # type: ignore[type-var]
        contact = replace(contact, state=ContactState.CLOSING, offer=None, recording=recording)
        wrap_up = Agent(id=agent, state=AgentState.WRAP_UP, since=self.now, deadline=self.now + 15)
        talked = self._interval(agent, 3 * n, AgentState.TALKING, talk_s, contact.id)
        assert talk
        said = Disposition(
            contact=contact.id,
            segment=talk.n,
            agent=agent,
            line=contact.line,
            queue=talk.queue,
            talked_at=talk.started_at,
            currency="RUB",
            until=self.now + 3600.0,
            n=1,
            codes=("12",),
            topics=("Goods > Availability",),
            order_value_cents=150050,
            by=agent,
            given_at=self.now,
        )
        saved_talk = (ContactSaved(contact), SegmentSaved(talk), AgentSaved(wrap_up), talked, DispositionSaved(said))
        hang_up = HangUpLeg(lane=contact.id, leg=contact.leg)
        ended = LegEnded(at=self.now, leg=offer.leg)
        turns.append(self.turn(*saved_talk, event=ended, commands=(hang_up,)))
        return [*turns, *self._closed(contact)]

    def _closed(self, contact: Contact) -> list[Turn]:
        self.now += 0.1
        outcome = ContactOutcome.ANSWERED
        contact = replace(contact, state=ContactState.CLOSED, outcome=outcome, ended_at=self.now)
        recording = contact.recording
        assert recording and recording.started_at
        keep = KeepRecording(
            lane=contact.id,
            contact=contact.id,
            recording=recording.name,
            leg=contact.leg,
            talks=recording.talks,
        )
        commands = (ReleaseContact(lane=contact.id, contact=contact.id), keep)
        closed = self.turn(ContactSaved(contact), event=LegEnded(at=self.now, leg=contact.leg), commands=commands)
        self.now += 0.7
        path = f"2026/05/28/{contact.id}.opus"
        kept = RecordingKept(at=self.now, contact=contact.id, recording=recording.name, path=path, duration_s=75.0)
        saved = RecordingSaved(
            contact=contact.id, recording=recording.name, kind="talk", path=path, duration_s=kept.duration_s
        )
        survey = Survey(
            contact=contact.id,
            flow=FlowName("satisfaction"),
            line=contact.line,
            queue=QueueName("orders"),
            agent=ANNA,
            talk=3,
            begun_at=self.now,
            ended_at=self.now,
            scores={"score": 5},
        )
        return [closed, self.turn(saved, SurveySaved(survey), event=kept)]

    def _interval(
        self, agent: AgentId, n: int, state: AgentState, lasted_s: float, contact: ContactId | None
    ) -> IntervalSaved:
        return IntervalSaved(
            agent=agent,
            n=n,
            state=state,
            reason="",
            started_at=self.now - lasted_s,
            ended_at=self.now,
            contact=contact,
        )
