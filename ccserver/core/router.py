"""The router: `step(events, now) -> Outcome`. Decides everything scarce, knows no clock, no socket and no chance.

In a step facts come first, deadlines second, matching last: an agent who was freed by this very step is matched in it, and a
phone that answered in time is never taken for a silent one. Three drivers turn it: the engine, the replay and the property
tests. State goes in by `restore`, or comes to be by the events; `deadline()` is the one time to be woken at.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core import (
    callback_requests,
    calling_back,
    clicking,
    codes,
    consulting,
    conversation,
    dialling,
    explain,
    forwarding,
    holding,
    internal,
    measures,
    nodes,
    overflow,
    placing,
    presence,
    queueing,
    recording,
    referring,
    retention,
    routing,
    supervising,
    transferring,
    wrapup,
)
from ccserver.core.agent import Agent
from ccserver.core.commands import CallSupervisor, HangUpLeg, ListNode, SpyOn
from ccserver.core.contact import Contact, ContactState
from ccserver.core.disposition import Disposition
from ccserver.core.events import (
    Accepted,
    Answer,
    AnyEvent,
    BeginConsult,
    CallCustomer,
    CancelCallback,
    CodeDialled,
    CommandFailed,
    ConfigReplaced,
    ContactArrived,
    Event,
    ExtendWrapUp,
    GiveDisposition,
    HoldCustomer,
    InquiryAnswered,
    InternalDialled,
    KeyPressed,
    LegAnswered,
    LegAway,
    LegDialled,
    LegEnded,
    LegHeld,
    LegReturned,
    LegRinging,
    LegUnheld,
    LegUnseated,
    LiftMeasure,
    MoveContact,
    NodeConnected,
    NodeListed,
    NodeLost,
    OutboundDialled,
    PhoneChanged,
    PlayFinished,
    PreserveContact,
    RecordingKept,
    RecordingLost,
    RecordingPurged,
    RecordingStarted,
    RequestCallback,
    RescheduleCallback,
    SetAgentState,
    SetPriority,
    SteerConsult,
    SteerRecording,
    SuperviseContact,
    TakeMeasure,
    TransferContact,
    TransferRequested,
    TrunkChanged,
    VoicemailRecorded,
)
from ccserver.core.ewt import Learnt
from ccserver.core.floor import Floor, NodeLink, Outcome
from ccserver.core.ids import (
    AgentId,
    ContactId,
    LegId,
    MeasureId,
    NodeName,
    PlanHash,
    QueueName,
    is_chosen,
)
from ccserver.core.listening import supervised
from ccserver.core.measure import Measure
from ccserver.core.plan import Plan
from ccserver.core.reactions import Happening, react
from ccserver.core.records import PlanAdopted, RecordingSaved

GUESTS = {
    Happening.PHONE_RANG: Happening.GUEST_RANG,
    Happening.PHONE_ANSWERED: Happening.GUEST_ANSWERED,
    Happening.PHONE_ENDED: Happening.GUEST_ENDED,
}
LIST_RETRY_S = 5.0
"""After a listing that failed."""


class State(Struct, frozen=True):
    """All that the router must know to go on after a restart."""

    plan: PlanHash | None
    plans: tuple[Plan, ...]
    contacts: tuple[Contact, ...]
    agents: tuple[Agent, ...]
    learnt: Mapping[QueueName, Learnt] = {}
    last_talks: Mapping[str, tuple[AgentId, float]] = {}
    flow_calls: tuple[float, ...] = ()
    dispositions: tuple[Disposition, ...] = ()
    measures: tuple[Measure, ...] = ()


class TimeUp(Event, frozen=True):
    """A deadline passed; made by the router alone, and so never in the journal."""


class Router:
    """See the module."""

    def __init__(self) -> None:
        self.floor = Floor()
        self._answers: list[Answer] = []
        self._reactions: dict[type, Callable[[Any], None]] = {
            ConfigReplaced: self._config_replaced,
            ContactArrived: self._contact_arrived,
            OutboundDialled: lambda event: self._operator_dialled(event, dialling.dialled),
            InternalDialled: lambda event: self._operator_dialled(event, internal.dialled),
            CodeDialled: lambda event: codes.code_dialled(self.floor, event),
            PhoneChanged: lambda event: presence.phone_changed(self.floor, event),
            TrunkChanged: lambda event: nodes.trunk_changed(self.floor, event),
            CallCustomer: lambda event: self._answers.append(clicking.requested(self.floor, event)),
            SetAgentState: lambda event: self._answers.append(presence.set_state(self.floor, event)),
            MoveContact: lambda event: self._answers.append(placing.move(self.floor, event)),
            SetPriority: lambda event: self._answers.append(placing.set_priority(self.floor, event)),
            TransferContact: lambda event: self._answers.append(transferring.requested(self.floor, event)),
            SteerRecording: lambda event: self._answers.append(recording.steer(self.floor, event)),
            GiveDisposition: lambda event: self._answers.append(wrapup.give(self.floor, event)),
            ExtendWrapUp: lambda event: self._answers.append(wrapup.extend(self.floor, event)),
            HoldCustomer: lambda event: self._answers.append(holding.requested(self.floor, event)),
            BeginConsult: lambda event: self._answers.append(consulting.begin_requested(self.floor, event)),
            SteerConsult: lambda event: self._answers.append(consulting.steer_requested(self.floor, event)),
            RequestCallback: lambda event: self._answers.append(callback_requests.request(self.floor, event)),
            RescheduleCallback: lambda event: self._answers.append(callback_requests.reschedule(self.floor, event)),
            CancelCallback: lambda event: self._answers.append(callback_requests.cancel(self.floor, event)),
            TakeMeasure: lambda event: self._answers.append(measures.take(self.floor, event)),
            LiftMeasure: lambda event: self._answers.append(measures.lift(self.floor, event)),
            NodeConnected: lambda event: nodes.connected(self.floor, event),
            NodeLost: lambda event: nodes.lost(self.floor, event),
            NodeListed: lambda event: nodes.listed(self.floor, event, self._take),
            CommandFailed: self._command_failed,
            LegEnded: self._leg_ended,
            PlayFinished: self._play_finished,
            RecordingStarted: lambda event: self._about_contact(event.contact, Happening.RECORDING, event),
            RecordingKept: self._recording_kept,
            RecordingLost: self._recording_lost,
            RecordingPurged: lambda event: retention.purged(self.floor, event),
            SuperviseContact: lambda event: self._answers.append(supervising.requested(self.floor, event)),
            PreserveContact: lambda event: self._answers.append(retention.preserve(self.floor, event)),
            InquiryAnswered: lambda event: self._about_contact(event.contact, Happening.INQUIRY, event),
            KeyPressed: self._key_pressed,
            VoicemailRecorded: self._voicemail_recorded,
            LegHeld: lambda event: self._about_agent(event.leg, Happening.HELD, event),
            LegUnheld: lambda event: self._about_agent(event.leg, Happening.UNHELD, event),
            TransferRequested: lambda event: referring.requested(self.floor, event),
            LegUnseated: lambda event: referring.unseated(self.floor, event),
            LegAway: lambda event: self._about_leg(event.leg, Happening.CALLER_AWAY, event),
            LegReturned: lambda event: self._about_leg(event.leg, Happening.CALLER_RETURNED, event),
            LegDialled: self._leg_dialled,
            LegRinging: lambda event: self._about_phone(event.leg, Happening.PHONE_RANG, event),
            LegAnswered: self._leg_answered,
        }

    # --- the face -------------------------------------------------------------------------------------------------

    def step(self, events: Iterable[AnyEvent], now: float) -> Outcome:
        """Take the events in their order, then what is due by `now` (epoch seconds), then match."""
        floor = self.floor
        floor.now = max(floor.now, now)
        self._answers = []
        for event in events:
            self._take(event)
        self._take_due()
        queueing.let_go(floor)
        overflow.watch_staff(floor)
        self._take_due()  # whoever is not to wait for nobody at all goes at once
        floor.unsettled |= floor.held
        unsettled = True
        while unsettled:
            forwarding.settle(floor)
            while (pair := floor.matcher.best(floor.waiting, floor.idle, floor.full)) is not None:
                explain.chosen(floor, pair)
                routing.make_offer(floor, pair)
            explain.left_waiting(floor)
            unsettled = overflow.settle(floor) or bool(floor.forwarding)
        calling_back.call_customers(floor)
        return floor.draft()

    @property
    def answers(self) -> tuple[Answer, ...]:
        """To the requests of the last step, in their order."""
        return tuple(self._answers)

    def deadline(self) -> float | None:
        """When to step next at the latest, epoch seconds; None: only an event can change anything."""
        return self.floor.next_due()

    def state(self) -> State:
        """What `restore` takes."""
        floor = self.floor
        used = {contact.plan: None for contact in floor.contacts.values()}
        used[floor.plan.hash] = None
        return State(
            plan=floor.plan.hash or None,
            plans=tuple(floor.plans[hash_] for hash_ in used if hash_ in floor.plans),
            contacts=tuple(floor.contacts.values()),
            agents=tuple(floor.agents.values()),
            learnt=dict(floor.learnt),
            last_talks=dict(floor.last_talks),
            flow_calls=floor.flow_calls,
            dispositions=tuple(floor.dispositions.values()),
            measures=tuple(floor.measures.values()),
        )

    def restore(self, state: State, now: float) -> None:
        """Take up where another process left; nothing is decided about a node's contacts until it has been listed."""
        floor = self.floor
        floor.now = now
        for contact in state.contacts:
            floor.nodes.setdefault(contact.node, NodeLink(since=now))
            floor.keep(contact)
        floor.plans = {plan.hash: plan for plan in state.plans}
        if state.plan is not None:
            floor.adopt(floor.plans[state.plan])
        for agent in state.agents:
            floor.note(agent)
        floor.learnt = dict(state.learnt)
        floor.flow_calls = state.flow_calls
        floor.last_talks = dict(sorted(state.last_talks.items(), key=lambda talk: talk[1][1]))
        floor.dispositions = {each.talk: each for each in state.dispositions}
        for measure in state.measures:
            floor.enforce(measure)
        floor.draft()

    # --- one event ------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if event.at > self.floor.now:
            event = replace(event, at=self.floor.now)  # a clock that is ahead of ours
        self._reactions[type(event)](event)

    def _about_contact(self, contact_id: ContactId, happening: Happening, event: Event) -> None:
        contact = self.floor.contacts.get(contact_id)
        if contact is None:
            self.floor.ignored += 1
        else:
            react(self.floor, contact, happening, event)

    def _about_leg(self, leg: LegId, happening: Happening, event: Event) -> None:
        contact_id = self.floor.caller_legs.get(leg)
        if contact_id is None:
            self.floor.ignored += 1
        else:
            self._about_party(self.floor.contacts[contact_id], happening, event)

    def _about_phone(self, leg: LegId, happening: Happening, event: Event) -> None:
        """About who was called: the contact's matter as long as its current offer or attempt is that leg."""
        contact = self.floor.contact_of(leg)
        if contact is not None and contact.consult is not None and contact.consult.leg == leg:
            self._about_party(contact, GUESTS[happening], event)
            return
        called = contact.called if contact else None
        if contact is None or called is None or called.leg != leg:
            self.floor.ignored += 1
        else:
            self._about_party(contact, happening, event)

    def _about_agent(self, leg: LegId, happening: Happening, event: Event) -> None:
        """About the phone of the agent who talks, whoever of the two called."""
        contact = self.floor.contact_of(leg)
        if contact is None or contact.agent_leg != leg:
            self.floor.ignored += 1
        else:
            self._about_party(contact, happening, event)

    def _about_party(self, contact: Contact, happening: Happening, event: Event) -> None:
        """What is learnt late did not happen before what is known already: a contact's time has no overlaps."""
        react(self.floor, contact, happening, replace(event, at=max(event.at, contact.known_until)))

    def _contact_arrived(self, event: ContactArrived) -> None:
        if event.contact in self.floor.contacts:
            self._about_leg(event.leg, Happening.CALLER_RETURNED, LegReturned(event.leg, at=event.at))
        elif event.leg in self.floor.departed:
            self.floor.ignored += 1  # told late, by a buffer or by a listing: he has hung up meanwhile
        else:
            self.floor.nodes.setdefault(event.node, NodeLink(since=self.floor.now))
            conversation.arrive(self.floor, event)

    def _operator_dialled(self, event: OutboundDialled, dialled: Callable[[Floor, Any], None]) -> None:
        known = event.contact in self.floor.contacts or event.leg in self.floor.second_calls
        if known or event.leg in self.floor.departed:
            self.floor.ignored += 1  # told twice, or late: by a buffer and by a listing
        else:
            self.floor.nodes.setdefault(event.node, NodeLink(since=self.floor.now))
            dialled(self.floor, event)

    def _leg_ended(self, event: LegEnded) -> None:
        floor = self.floor
        if event.leg in floor.codes:
            codes.code_ended(floor, event.leg)
            return
        agent_id = floor.agent_legs.get(event.leg)
        if (contact_id := floor.second_calls.get(event.leg)) is not None:
            self._about_party(floor.contacts[contact_id], Happening.SECOND_ENDED, event)
        elif event.leg in floor.caller_legs:
            self._about_leg(event.leg, Happening.CALLER_ENDED, event)
        else:
            contact = supervised(floor, event.leg)
            if contact is not None:
                supervising.ended(floor, contact, event)
            else:
                self._about_phone(event.leg, Happening.PHONE_ENDED, event)
        if agent_id is not None and floor.agents[agent_id].leg == event.leg:
            # Now his phone can be called again; whether it is in a call of its own the connector tells next.
            floor.note(floor.note_values(agent_id, leg=None))

    def _leg_dialled(self, event: LegDialled) -> None:
        """Offers are counted while they are made, and nothing else that is called."""
        contact = self.floor.contact_of(event.leg)
        if contact is None or contact.offer is None or contact.offer.leg != event.leg:
            self.floor.ignored += 1
        else:
            self._about_party(contact, Happening.PHONE_DIALLED, event)

    def _leg_answered(self, event: LegAnswered) -> None:
        contact = supervised(self.floor, event.leg)
        caller = self.floor.contacts.get(self.floor.caller_legs.get(event.leg, ContactId("")))
        if contact is not None:
            supervising.answered(self.floor, contact, event)
        elif caller is not None and not is_chosen(caller.node, event.leg):
            # Who called us; by its own time, whatever else is known of it: that is what is paid from.
            react(self.floor, caller, Happening.CALLER_ANSWERED, event)
        else:
            self._about_phone(event.leg, Happening.PHONE_ANSWERED, event)

    def _key_pressed(self, event: KeyPressed) -> None:
        contact = supervised(self.floor, event.leg)
        if contact is not None:
            supervising.key_pressed(self.floor, contact, event)
            return
        talk = self.floor.contact_of(event.leg)
        if talk is not None and talk.state is ContactState.TALKING and talk.agent_leg == event.leg:
            self._about_party(talk, Happening.AGENT_KEY, event)
        else:
            self._about_leg(event.leg, Happening.KEY, event)

    def _play_finished(self, event: PlayFinished) -> None:
        if event.leg in self.floor.codes:
            codes.code_confirmed(self.floor, event)
        elif event.leg in self.floor.caller_legs:
            self._about_leg(event.leg, Happening.PLAYED, event)
        else:
            self._about_phone(event.leg, Happening.WHISPERED, event)

    def _command_failed(self, event: CommandFailed) -> None:
        command = event.command
        if isinstance(command, ListNode):
            self.floor.list_again(command.node, self.floor.now + LIST_RETRY_S)
        elif isinstance(command, CallSupervisor | SpyOn):
            supervising.command_failed(self.floor, event)
        elif (leg := LegId(command.lane)) in self.floor.codes:
            if not isinstance(command, HangUpLeg):
                self.floor.command(HangUpLeg(leg, lane=command.lane))
        else:
            self._about_contact(ContactId(command.lane), Happening.COMMAND_FAILED, event)
            nodes.doubt(self.floor, event)

    def _voicemail_recorded(self, event: VoicemailRecorded) -> None:
        if event.contact in self.floor.contacts:
            self._about_contact(event.contact, Happening.VOICEMAIL, event)
        else:  # the caller hung up as he finished; the message counts all the same
            conversation.keep_voicemail(self.floor, event)

    def _recording_kept(self, event: RecordingKept) -> None:
        self.floor.record(
            RecordingSaved(
                contact=event.contact,
                recording=event.recording,
                kind="talk",
                path=event.path,
                duration_s=event.duration_s,
                gaps=event.gaps,
            )
        )

    def _recording_lost(self, event: RecordingLost) -> None:
        self.floor.record(
            RecordingSaved(
                contact=event.contact,
                recording=event.recording,
                kind="talk",
                path=None,
                duration_s=0.0,
                lost=event.reason,
            )
        )

    def _config_replaced(self, event: ConfigReplaced) -> None:
        self.floor.adopt(event.plan)
        self.floor.record(PlanAdopted(event.plan))
        presence.employ(self.floor)

    # --- time -----------------------------------------------------------------------------------------------------

    def _take_due(self) -> None:
        while (due := self.floor.pop_due()) is not None:
            self._time_up(*due)

    def _time_up(self, kind: str, name: str) -> None:
        match kind:
            case "contact":
                self._about_contact(ContactId(name), Happening.TIME_UP, TimeUp(at=self.floor.now))
            case "agent":
                presence.time_up(self.floor, AgentId(name))
            case "day":
                presence.begin_day(self.floor, self.floor.agents[AgentId(name)])
            case "measure":
                measures.time_up(self.floor, MeasureId(name))
            case _:
                nodes.ask(self.floor, NodeName(name), gap=not self.floor.linked(NodeName(name)))


__all__ = ["Accepted", "Outcome", "Router", "State"]
