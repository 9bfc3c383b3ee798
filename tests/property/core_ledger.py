"""What must hold, whatever happened: asserted of every step that was journalled. Design, section 5, and the KPI dictionary.

The `Ledger` folds records as the store does; the functions look at one router between two steps.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec.structs import replace

from ccserver.core.agent import Agent, AgentState
from ccserver.core.attempt import Attempt, AttemptOutcome, AttemptState
from ccserver.core.contact import (
    Contact,
    ContactOutcome,
    ContactState,
    Direction,
    Place,
    Segment,
    SegmentKind,
    SegmentOutcome,
)
from ccserver.core.disposition import Disposition
from ccserver.core.events import AnyEvent, NodeListed, TrunkChanged
from ccserver.core.floor import Outcome
from ccserver.core.ids import AgentId, AttemptId, ContactId, MeasureId, OfferId, QueueName, TalkId
from ccserver.core.matching import Need
from ccserver.core.measure import Measure
from ccserver.core.needing import outlook
from ccserver.core.offer import Offer, OfferOutcome, OfferState
from ccserver.core.plan import Plan
from ccserver.core.records import (
    AgentSaved,
    AttemptSaved,
    ContactSaved,
    DecisionSaved,
    DispositionForgotten,
    DispositionSaved,
    FlowCallsCounted,
    IntervalSaved,
    MeasureLifted,
    MeasureSaved,
    OfferSaved,
    PlanAdopted,
    RecordingSaved,
    SegmentSaved,
    SurveySaved,
    TalkRemembered,
)
from ccserver.core.router import Router
from ccserver.core.survey import Survey

QUEUE_OUTCOMES = {
    SegmentOutcome.ANSWERED,
    SegmentOutcome.ABANDONED,
    SegmentOutcome.SHORT_ABANDONED,
    SegmentOutcome.OVERFLOWED,
    SegmentOutcome.LEFT_BY_KEY,
    SegmentOutcome.CALLBACK_TAKEN,
    SegmentOutcome.CLOSED_OUT,
    SegmentOutcome.FAILED,
}
AT_WORK = {AgentState.RESERVED, AgentState.RINGING, AgentState.DIALLING, AgentState.TALKING}
GONE = {AgentState.LOGGED_OUT, AgentState.NOT_READY, AgentState.UNREACHABLE}
ROUNDING_S = 1e-6


class Ledger:
    """The records of all journalled steps, last value wins."""

    def __init__(self, last_talks: Mapping[str, tuple[AgentId, float]]) -> None:
        self.live: dict[ContactId, Contact] = {}
        self.final: dict[ContactId, Contact] = {}
        self.agents: dict[AgentId, Agent] = {}
        self.segments: dict[ContactId, list[Segment]] = {}
        self.offers: dict[OfferId, Offer] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.intervals: dict[AgentId, IntervalSaved] = {}
        self.dispositions: dict[TalkId, Disposition] = {}
        self.measures: dict[MeasureId, Measure] = {}
        self.plan: Plan | None = None
        self.surveys: dict[ContactId, Survey] = {}
        self.orders: dict[tuple[ContactId, int], float] = {}
        self.last_talks = dict(last_talks)
        self.flow_calls: tuple[float, ...] = ()
        self.flows_called_at: list[float] = []

    def note(self, outcome: Outcome) -> None:
        """Take a step in, checking each record against what was known."""
        for record in outcome.records:
            match record:
                case ContactSaved(contact):
                    self._contact(contact)
                case SegmentSaved(segment):
                    self._segment(segment)
                case OfferSaved(offer):
                    self._offer(offer)
                case AttemptSaved(attempt):
                    self._attempt(attempt)
                case AgentSaved(agent):
                    self.agents[agent.id] = agent
                case IntervalSaved():
                    self._interval(record)
                case MeasureSaved(measure):
                    self.measures[measure.id] = measure
                case MeasureLifted(measure):
                    assert self.measures.pop(measure.id) == measure, "lifted is what was in force"
                case PlanAdopted(plan):
                    self.plan = plan
                case DispositionSaved(disposition):
                    self._disposition(disposition)
                case DispositionForgotten(talk):
                    del self.dispositions[talk]
                case SurveySaved(survey):
                    self._survey(survey)
                case TalkRemembered(ani, agent_id, at):
                    self._talk_remembered(ani, agent_id, at)
                case FlowCallsCounted(times):
                    self.flow_calls = times
                    self.flows_called_at.append(times[-1])
                case RecordingSaved():
                    assert record.path or record.lost, "a recording is kept or lost"

    def _contact(self, contact: Contact) -> None:
        assert contact.id not in self.final, f"{contact.id} was final and is {contact.state} again"
        if contact.place is not None:
            own = contact.place.order + contact.place.raised_s
            order = self.orders.setdefault((contact.id, contact.segments), own)
            assert abs(own - order) < ROUNDING_S, "a place once taken is never lost"
        if contact.state is ContactState.CLOSED:
            self.live.pop(contact.id, None)
            self.final[contact.id] = contact
            survey = self.surveys.get(contact.id)
            assert survey is None or (survey == contact.survey and survey.ended_at is not None)
            check_final(contact, self.segments.get(contact.id, []), self.offers, self.attempts)
        else:
            self.live[contact.id] = contact

    def _segment(self, segment: Segment) -> None:
        assert segment.contact not in self.final, f"segment {segment.n} of {segment.contact}, which is final"
        assert (segment.ended_at is None) == (segment.outcome is None)
        known = self.segments.setdefault(segment.contact, [])
        if segment.n == len(known) + 1:
            assert not known or known[-1].outcome is not None, "one segment at a time"
            known.append(segment)
        else:
            assert segment.n == len(known), "segments count from 1 without gaps"
            assert known[-1].outcome is None, f"segment {segment.n} of {segment.contact} had its one outcome already"
            known[-1] = segment

    def _survey(self, survey: Survey) -> None:
        known = self.surveys.get(survey.contact)
        assert known is None or known.ended_at is None, f"{survey.contact} was asked twice"
        assert known is None or known.scores.items() <= survey.scores.items(), "a mark once given is kept"
        talk = self.segments[survey.contact][survey.talk - 1]
        assert (talk.kind, talk.agent, talk.queue) == (SegmentKind.TALK, survey.agent, survey.queue)
        assert talk.ended_at is not None and talk.outcome is SegmentOutcome.AGENT_LEFT, "asked while he talks"
        self.surveys[survey.contact] = survey

    def _offer(self, offer: Offer) -> None:
        known = self.offers.get(offer.id)
        assert known is None or known.outcome is None, f"offer {offer.id} had its one outcome already"
        assert (offer.outcome is None) == (offer.state not in {OfferState.ACCEPTED, OfferState.CLOSED})
        self.offers[offer.id] = offer

    def _attempt(self, attempt: Attempt) -> None:
        known = self.attempts.get(attempt.id)
        assert known is None or known.outcome in {None, attempt.outcome}, f"{attempt.id} had its one outcome already"
        assert known is None or known.state is not AttemptState.CLOSED, f"{attempt.id} was closed"
        assert (attempt.outcome is None) == (attempt.state in {AttemptState.DIALLING, AttemptState.RINGING})
        self.attempts[attempt.id] = attempt

    def _interval(self, interval: IntervalSaved) -> None:
        last = self.intervals.get(interval.agent)
        assert interval.n == (last.n if last else 0) + 1, "intervals count from 1 without gaps"
        assert last is None or interval.started_at == last.ended_at, "an agent's time has neither holes nor overlaps"
        assert interval.ended_at >= interval.started_at
        self.intervals[interval.agent] = interval

    def _disposition(self, disposition: Disposition) -> None:
        known = self.dispositions.get(disposition.talk)
        talk = self.segments[disposition.contact][disposition.segment - 1]
        assert (talk.kind, talk.agent) == (SegmentKind.TALK, disposition.agent), f"{disposition} is of no talk of his"
        assert disposition.n in ({0} if known is None else {known.n, known.n + 1}), (
            "a change without a number of its own"
        )
        if known is not None and known.n == disposition.n:
            assert replace(known, until=disposition.until) == disposition, "changed, and not on record"
        self.dispositions[disposition.talk] = disposition

    def _talk_remembered(self, ani: str, agent_id: AgentId | None, at: float) -> None:
        if agent_id is None:
            del self.last_talks[ani]
        else:
            self.last_talks[ani] = (agent_id, at)

    def check_state(self, router: Router) -> None:
        """What the records leave is what a restart needs."""
        state = router.state()
        assert {contact.id: contact for contact in state.contacts} == self.live
        assert {agent.id: agent for agent in state.agents} == self.agents
        assert {each.talk: each for each in state.dispositions} == self.dispositions
        assert {measure.id: measure for measure in state.measures} == self.measures
        assert (state.last_talks, state.flow_calls) == (self.last_talks, self.flow_calls)
        assert state.plan == (self.plan.hash if self.plan else None)

    def check_identity(self) -> None:
        """entered = answered + abandoned + short abandoned + overflowed + left by key + callback taken + failed + waiting."""
        entered: Counter[QueueName] = Counter()
        left: Counter[QueueName] = Counter()
        for segments in self.segments.values():
            for segment in segments:
                if segment.kind is SegmentKind.QUEUE and segment.queue is not None:
                    entered[segment.queue] += 1
                    left[segment.queue] += segment.outcome in QUEUE_OUTCOMES
        open_ones = (contact.segment for contact in self.live.values() if contact.segment is not None)
        waiting = Counter(each.queue for each in open_ones if each.kind is SegmentKind.QUEUE and each.queue is not None)
        assert entered == left + waiting


def check_final(
    contact: Contact,
    segments: list[Segment],
    offers: Mapping[OfferId, Offer],
    attempts: Mapping[AttemptId, Attempt],
) -> None:
    """A contact that has ended says truthfully what was."""
    assert contact.outcome is not None and contact.ended_at is not None
    assert len(segments) == contact.segments
    totals = dict.fromkeys(SegmentKind, 0.0)
    hold_s = 0.0
    for segment in segments:
        assert segment.ended_at is not None and segment.outcome is not None, f"{segment} is open"
        assert segment.started_at <= segment.ended_at <= contact.ended_at + ROUNDING_S
        assert (segment.outcome in QUEUE_OUTCOMES) or segment.kind is not SegmentKind.QUEUE
        assert segment.kind is SegmentKind.TALK or not segment.holds
        assert (
            segment.held_since is None and 0.0 <= segment.hold_s <= segment.ended_at - segment.started_at + ROUNDING_S
        )
        hold_s += segment.hold_s
        totals[segment.kind] += segment.ended_at - segment.started_at - segment.hold_s
    for before, after in pairwise(segments):
        assert before.ended_at == after.started_at, "a contact's time has neither holes nor overlaps"
    told_s = (contact.ivr_s, contact.wait_s, contact.dial_s, contact.talk_s, contact.callback_s, contact.survey_s)
    for kind, told in zip(SegmentKind, told_s, strict=True):
        assert abs(totals[kind] - told) < ROUNDING_S, f"{kind}: {told} is not the sum {totals[kind]}"
    assert abs(hold_s - contact.hold_s) < ROUNDING_S, "hold is not the sum of the talks"
    assert contact.arrived_at <= contact.ended_at
    assert contact.answered_at is None or contact.arrived_at <= contact.answered_at <= contact.ended_at + ROUNDING_S
    waited_s = contact.wait_s + contact.dial_s + contact.callback_s
    assert -ROUNDING_S <= contact.ring_s <= waited_s + ROUNDING_S, "a phone rings only while the caller waits"
    check_attempts(contact, [each for each in attempts.values() if each.contact == contact.id])
    mine = [offer for offer in offers.values() if offer.contact == contact.id]
    assert len(mine) == contact.offers
    assert all(offer.outcome is not None for offer in mine), "every offer has an outcome"
    accepted = [offer for offer in mine if offer.outcome is OfferOutcome.ACCEPTED]
    talks = [segment for segment in segments if segment.kind is SegmentKind.TALK]
    if contact.direction is Direction.INBOUND:
        talked = [talk.offer for talk in talks if talk.offer is not None]
        dialled = [segment.offer for segment in segments if segment.kind is SegmentKind.DIAL and segment.offer]
        known = [*talked, *(offer for offer in dialled if offer not in talked)]
        assert {offer.id for offer in accepted if not offer.consult or offer.id in talked} == set(known)
        assert (contact.callback is not None) == any(segment.kind is SegmentKind.CALLBACK for segment in segments)
    assert (contact.outcome in {ContactOutcome.ANSWERED, ContactOutcome.FORWARDED}) == bool(talks)
    assert contact.outcome is not ContactOutcome.FORWARDED or not any(talk.agent for talk in talks)


def check_attempts(contact: Contact, attempts: list[Attempt]) -> None:
    """Every attempt has exactly one outcome, one at most is answered, and they are made one after the other."""
    assert len(attempts) == contact.attempts
    assert all(attempt.state is AttemptState.CLOSED for attempt in attempts), f"{attempts} are under way"
    answered = [attempt for attempt in attempts if attempt.outcome is AttemptOutcome.ANSWERED]
    if contact.direction is Direction.OUTBOUND:
        assert len(answered) == (contact.outcome is ContactOutcome.ANSWERED)
        assert not attempts or contact.outcome is not ContactOutcome.BLOCKED, "not let out, and dialled"
        assert contact.reason or contact.outcome in {ContactOutcome.ANSWERED, ContactOutcome.CANCELLED, "failed"}
    for before, after in pairwise(attempts):
        assert before.ended_at is not None and before.ended_at <= after.made_at, "two at once"


def check_trunks(router: Router, events: Sequence[AnyEvent], outcome: Outcome) -> None:
    """No call leaves by a trunk that is full or down, and the ledger of who is on which trunk is true."""
    floor = router.floor
    turning = any(isinstance(event, TrunkChanged | NodeListed) for event in events)
    carried = {(trunk, leg, way) for contact in floor.contacts.values() for trunk, leg, way in contact.on_trunks}
    assert carried == {(trunk, leg, way) for trunk, legs in floor.carried.items() for leg, way in legs.items()}
    for record in outcome.records:
        if isinstance(record, AttemptSaved) and record.attempt.state is AttemptState.DIALLING:
            attempt = record.attempt
            if attempt.made_at == floor.now:
                assert floor.trunks[attempt.trunk].usable or turning, f"{attempt.trunk} is down"
                assert len(floor.carried[attempt.trunk]) <= floor.plan.trunks[attempt.trunk].channels


def check_limits(contacts: Mapping[ContactId, Contact], by_flows: Sequence[float], plan: Plan) -> None:
    """Within any hour nobody calls more often than he may, nor do all together; emergency calls count for nothing."""
    own = [c for c in contacts.values() if c.direction is Direction.OUTBOUND]
    left = [(c.entered_at, c.agent) for c in own if c.attempts and c.ani != "112"]
    for at, agent in (*left, *((at, None) for at in by_flows)):
        within = [who for when, who in left if at <= when < at + 3600.0 - 1.0]
        flows = sum(at <= when < at + 3600.0 - 1.0 for when in by_flows)
        assert len(within) + flows <= plan.tolls.calls_per_hour
        assert within.count(agent) <= plan.tolls.operator_calls_per_hour


def check_agents(router: Router) -> None:
    """No agent holds two voice contacts, and both sides know of each other."""
    floor = router.floor
    assert all(c.offer is None or c.offer.agent != c.agent for c in internal(router)), "he talks to himself"
    parties = [
        (c, offer) for c in floor.contacts.values() for offer in (c.offer, c.consult and c.consult.offer) if offer
    ]
    held = {offer.agent: c.id for c, offer in parties}
    assert len(held) == len(parties), "two contacts at once"
    legs = {offer.agent: offer.leg for _c, offer in parties}
    for contact in floor.contacts.values():
        if contact.led_by_operator and contact.agent is not None and not contact.absent:
            holds = floor.agents[contact.agent].contact == contact.id
            beside = contact.outcome is ContactOutcome.BLOCKED or contact.ani == "112"
            assert holds or beside, f"{contact.id} has lost its agent"
            if holds:
                assert held.get(contact.agent, contact.id) == contact.id, "two contacts at once"
                held[contact.agent] = contact.id
    for agent in floor.agents.values():
        assert agent.contact == held.get(agent.id), f"{agent.id} holds {agent.contact}, not {held.get(agent.id)}"
        assert (agent.contact is not None) == (agent.state in AT_WORK)
        at_other_end = agent.contact is not None and floor.contacts[agent.contact].agent == agent.id
        assert agent.leg == legs.get(agent.id, agent.leg) or at_other_end
        if agent.state is AgentState.READY:
            assert agent.reachable and not agent.in_use
        if agent.state is AgentState.UNREACHABLE and agent.reachable:
            assert agent.deadline is not None, "who is not called because he did not answer is tried again"


def internal(router: Router) -> list[Contact]:
    """Calls from colleague to colleague."""
    return [each for each in router.floor.contacts.values() if each.direction is Direction.INTERNAL]


def check_matching(router: Router) -> None:
    """Nobody waits beside an idle agent who may serve him, unless as many offers are being made as may be at once."""
    floor, plan = router.floor, router.floor.plan
    for contact in waiting(router):
        for agent in floor.agents.values():
            if may_serve(plan, agent, contact) and not is_full(router):
                assert not (agent.state is AgentState.READY and agent.leg is None), f"{contact.id} beside {agent.id}"


def check_staff(router: Router) -> None:
    """Whoever waits while nobody is logged in who could take him is on his way elsewhere, and nobody else is."""
    floor = router.floor
    logged_in = [agent for agent in floor.agents.values() if agent.state is not AgentState.LOGGED_OUT]
    for contact in waiting(router):
        if contact.place is not None and contact.place.nobody is not None:
            ever = [need for _, need in outlook(contact.place, floor.now)]
            somebody = any(meets(floor.plan, agent, need) for agent in logged_in for need in ever)
            assert (contact.place.deserted_at is None) == somebody, f"{contact.id} waits for nobody"


def check_asked_for(router: Router) -> None:
    """Nobody waits in vain, or longer than he should, for the one who should have him."""
    floor = router.floor
    for contact in waiting(router):
        place = contact.place
        if place is not None and place.only_until is not None:
            assert place.agent is not None and place.only_until > floor.now, f"{contact.id} waits on for {place.agent}"
            asked = floor.agents[place.agent]
            assert asked.state not in GONE, f"{contact.id} waits for {asked.id}, who is {asked.state}"


def check_explained(router: Router, outcome: Outcome) -> None:
    """What is written down is what was done, and those who could take a contact are counted as if one had walked over them."""
    floor = router.floor
    offers = {record.offer.id: record.offer for record in outcome.records if isinstance(record, OfferSaved)}
    for record in outcome.records:
        if isinstance(record, DecisionSaved) and record.decision.offer:
            decision = record.decision
            assert offers[OfferId(f"{decision.contact}.{decision.offer}")].agent == decision.agent
    for need in floor.waiting.needs():
        able = [agent for agent in floor.agents.values() if meets(floor.plan, agent, need)]
        ending = {agent.id for agent in able if agent.state is AgentState.READY and not agent.offerable}
        doing = Counter(AgentState.RESERVED if agent.id in ending else agent.state for agent in able)
        assert floor.roster.crew(need).tally == dict(doing), (
            f"{need}: {floor.roster.crew(need).tally}, in truth {doing}"
        )


def check_limits_of_queues(router: Router) -> None:
    """No more wait than may, but for those who were sent back into the queue by an offer that failed, or wait for their node."""
    for contact in waiting(router):
        place = contact.place
        if place is not None and place.max_waiting is not None and not contact.offers:
            staying = [each for each in waiting(router) if each.id not in router.floor.held]
            before = [each for each in staying if each.place and each.place.queue == place.queue]
            fresh = [each for each in before if not each.offers and each.place and each.place.max_waiting is not None]
            assert len(fresh) <= place.max_waiting, "one too many"


def check_owed(router: Router) -> None:
    """One call at most is owed to a customer, whose place is kept; nobody is called first beside too few idle operators."""
    floor = router.floor
    owed = [c for c in floor.contacts.values() if c.callback is not None and c.callback.answered_at is None]
    assert floor.callbacks == {c.callback.number: c.id for c in owed if c.callback} and len(owed) == len(
        floor.callbacks
    )
    for contact in owed:
        assert contact.place is not None and contact.callback is not None
        if contact.state is ContactState.SCHEDULED:
            assert contact.absent
            assert contact.callback.due_at > floor.now or not floor.linked(contact.node), "its time has come"
    for head in floor.callable.heads():
        idle = [agent for agent in floor.agents.values() if agent.offerable]
        able = sum(may_serve(floor.plan, agent, floor.contacts[head.contact]) for agent in idle)
        under_way = sum(other.queue == head.need.queue for other in floor.calling.values())
        assert able <= under_way or is_full(router), f"{head.contact} beside idle operators"


def check_making(router: Router) -> None:
    """No more offers are being made than may be at once; who waits for nothing else is told nothing, and for nothing longer."""
    floor = router.floor
    assert offers_being_made(router) <= floor.rules.offers_at_once
    assert not floor.held or is_full(router), f"{[*floor.held]} wait for nothing"
    for contact_id in floor.held:
        contact = floor.contacts[contact_id]
        assert contact.state is ContactState.WAITING
        assert any(may_serve(floor.plan, agent, contact) and agent.offerable for agent in floor.agents.values())


def offers_being_made(router: Router) -> int:
    """All contacts of the simulated world are of one node."""
    offers = (contact.offer for contact in router.floor.contacts.values())
    return sum(offer is not None and offer.state is OfferState.MAKING for offer in offers)


def is_full(router: Router) -> bool:
    """The next offer must wait until one of these is made."""
    return offers_being_made(router) >= router.floor.rules.offers_at_once


def check_order(router: Router, outcome: Outcome) -> None:
    """Of those whom the agent may serve, the one with the oldest place got him."""
    floor = router.floor
    new = [r.offer for r in outcome.records if isinstance(r, OfferSaved) and r.offer.made_at == floor.now]
    for offer in new:
        taken = floor.contacts.get(offer.contact)
        if offer.state is not OfferState.MAKING or taken is None or taken.place is None:
            continue
        for contact in waiting(router):
            if may_serve(floor.plan, floor.agents[offer.agent], contact) and contact.place is not None:
                first, second = (order_to(floor.plan, offer.agent, each) for each in (taken.place, contact.place))
                assert (first, taken.id) < (second, contact.id), "out of turn"


def order_to(plan: Plan, agent: AgentId, place: Place) -> float:
    """To this agent, by the rank that the place's queue has for him."""
    if place.agent is not None:
        return place.order
    operator = plan.operators[agent]
    rank = min(operator.ranks.get(name, 1) for name in {place.queue, *place.also} & {*operator.queues})
    return place.order + (rank - 1) * plan.rules.rank_s


def waiting(router: Router) -> list[Contact]:
    """Contacts that could be offered now."""
    floor = router.floor
    return [
        contact
        for contact in floor.contacts.values()
        if contact.state is ContactState.WAITING and not contact.away and floor.linked(contact.node)
        if contact.id not in floor.callable
    ]


def may_serve(plan: Plan, agent: Agent, contact: Contact) -> bool:
    """The policy, told once more and by brute force."""
    return contact.place is not None and meets(plan, agent, Need.of(contact.place))


def meets(plan: Plan, agent: Agent, need: Need) -> bool:
    operator = plan.operators.get(agent.id)
    if operator is None or need.agent is not None:
        return operator is not None and agent.id == need.agent
    member = not {need.queue, *need.also}.isdisjoint(operator.queues)
    return member and all(operator.skills.get(want.skill, 0) >= want.level for want in need.skills)


def check_deadline(router: Router) -> None:
    """What is due in the future is waited for, and nothing that is due was left undone."""
    floor, deadline = router.floor, router.deadline()
    assert deadline is None or deadline > floor.now, "the engine would spin"
    due = [c.deadline for c in floor.contacts.values() if floor.linked(c.node) and c.deadline is not None]
    due += [agent.deadline for agent in floor.agents.values() if agent.deadline is not None]
    due += [agent.today.ends_at for agent in floor.agents.values() if agent.today.ends_at is not None]
    due += [measure.until for measure in floor.measures.values() if measure.until is not None]
    due += [link.list_at for link in floor.nodes.values() if link.list_at is not None]
    assert deadline == min(due, default=None)
