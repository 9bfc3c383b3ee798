"""The daemon between the router and a node: inbox, journal, lanes of commands, the socket that breaks, kill -9.

Every step is checked by `core_ledger`. Whoever drives it (`test_core_invariants`) decides what happens next; nothing here
is left to chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec.structs import replace

from ccserver.core.commands import (
    CallSupervisor,
    Command,
    DialCustomer,
    HangUpLeg,
    ListNode,
    OfferContact,
    ReleaseContact,
    WithdrawOffer,
)
from ccserver.core.contact import Contact, ContactState, SegmentOutcome
from ccserver.core.events import (
    AnyEvent,
    CommandFailed,
    ConfigReplaced,
    ContactArrived,
    Fact,
    InquiryAnswered,
    KeyPressed,
    LegAnswered,
    LegDialled,
    LegEnded,
    LegRinging,
    NodeConnected,
    NodeListed,
    NodeLost,
    OutboundDialled,
    PlayFinished,
    RecordingKept,
    RecordingStarted,
    SteerConsult,
    TransferContact,
    TransferRequested,
    VoicemailRecorded,
)
from ccserver.core.floor import Outcome
from ccserver.core.ids import ContactId, LegId
from ccserver.core.offer import OfferState
from ccserver.core.plan import Plan
from ccserver.core.records import SegmentSaved
from ccserver.core.router import Router, State
from tests.property.core_ledger import (
    Ledger,
    check_agents,
    check_asked_for,
    check_deadline,
    check_explained,
    check_limits_of_queues,
    check_making,
    check_matching,
    check_order,
    check_owed,
    check_staff,
    check_trunks,
)
from tests.property.simulated_node import Node
from tests.property.simulated_plan import NODE, PLAN, TALKED

ROUNDS_MAX = 300
"""More turns than this without time passing, and the daemon spins."""
TICK_S = 0.001
"""No two things happen at once."""
_BEGINS = (ContactArrived, OutboundDialled)
_BY_ITSELF = (LegDialled, LegRinging, LegAnswered, PlayFinished, RecordingStarted, VoicemailRecorded)
"""Told by topics of their own, so that their order among a leg's other events varies."""


@dataclass(frozen=True)
class Dial:
    """The second half of an offer or an attempt."""

    leg: LegId


@dataclass(frozen=True)
class Turn:
    """As the journal keeps it."""

    now: float
    events: bytes
    outcome: bytes


class Daemon:
    """See the module."""

    def __init__(self) -> None:
        self.node = Node(self.hear)
        self.ledger = Ledger(TALKED)
        self.alive = True
        self.socket = False
        self.connected_at = 0.0
        self.buffer: list[Fact] | None = None
        self.inbox: list[AnyEvent] = []
        self.listings: list[NodeListed] = []
        self.lanes: dict[str, list[Command | Dial]] = {}
        self.lives: list[tuple[bytes, float, list[Turn]]] = []
        """What each process began with, when, and its turns: to be replayed."""
        self.journalled = msgspec.json.encode(replace(Router().state(), last_talks=TALKED))
        self.router = Router()
        self._begin()
        self.configure(PLAN)
        self.connect()
        self.settle()

    # --- what comes in ----------------------------------------------------------------------------------------------

    def hear(self, fact: Fact) -> None:
        """From the node: over the socket, or as the answer to a command."""
        self.node.now += TICK_S
        if not self.alive:
            return
        if isinstance(fact, LegEnded) and self.socket:
            self.node.begun.pop(fact.leg, None)
        if isinstance(fact, CommandFailed | LegDialled | RecordingKept | InquiryAnswered):
            self.inbox.append(fact)
        elif self.socket and self.buffer is not None:
            self.buffer.append(fact)
        elif self.socket:
            self.inbox.append(fact)

    def configure(self, plan: Plan) -> None:
        """A plan comes into force."""
        self.inbox.append(ConfigReplaced(plan, at=self.node.now))

    def connect(self) -> None:
        """Connect and buffer; the router will ask for a listing."""
        self.node.now += TICK_S
        self.socket, self.buffer, self.connected_at = True, [], self.node.now
        self.inbox.append(NodeConnected(NODE, self.node.started_at, at=self.node.now))

    def drop(self) -> None:
        """The socket breaks; what was buffered is lost, a listing on its way may still come."""
        self.socket, self.buffer = False, None
        self.inbox.append(NodeLost(NODE, at=self.node.now))

    def swap(self, position: int) -> bool:
        """Two neighbours of the inbox change places, where Asterisk may tell them either way."""
        if position + 1 >= len(self.inbox):
            return False
        first, second = self.inbox[position : position + 2]
        one, other = getattr(first, "leg", None), getattr(second, "leg", None)
        if one is None or other is None:
            return False
        if one == other and (
            isinstance(first, ContactArrived | OutboundDialled)
            or not (isinstance(first, _BY_ITSELF) or isinstance(second, _BY_ITSELF))
        ):
            return False
        self.inbox[position : position + 2] = [second, first]
        return True

    def deliver(self, count: int) -> None:
        """The router takes the first events of the inbox."""
        events, self.inbox = self.inbox[:count], self.inbox[count:]
        self.step(events)

    def answer_listing(self) -> None:
        """A listing arrives; the one that was asked for on this connection ends the buffering."""
        listing = self.listings.pop(0)
        self.inbox.append(listing)
        if self.buffer is not None and listing.asked_at >= self.connected_at:
            self.inbox += self.buffer
            self.buffer = None

    # --- the step ---------------------------------------------------------------------------------------------------

    def step(self, events: Sequence[AnyEvent]) -> None:
        """Route, check, journal; the commands wait in their lanes."""
        self.node.now += TICK_S
        before = dict(self.router.floor.contacts)
        outcome = self.router.step(events, self.node.now)
        self.ledger.note(outcome)
        self.ledger.check_state(self.router)
        check_agents(self.router)
        check_making(self.router)
        check_matching(self.router)
        check_staff(self.router)
        check_asked_for(self.router)
        check_explained(self.router, outcome)
        check_limits_of_queues(self.router)
        check_order(self.router, outcome)
        check_owed(self.router)
        check_trunks(self.router, events, outcome)
        check_deadline(self.router)
        self._check_talks(before, events, outcome)
        self.journalled = msgspec.json.encode(self.router.state())
        self.lives[-1][2].append(Turn(self.node.now, msgspec.json.encode(events), encoded(outcome)))
        for command in outcome.commands:
            self.lanes.setdefault(command.lane, []).append(command)

    def pass_time(self, seconds: float) -> None:
        """Time passes, and the router is woken whenever it wanted to be; in a second everything on its way arrives."""
        until = self.node.now + seconds
        for _ in range(ROUNDS_MAX):
            if seconds > 1.0:
                self.settle()
            deadline = self.router.deadline() if self.alive else None
            if deadline is None or deadline > until:
                break
            self.node.now = max(self.node.now, deadline)
            self.step(())
        else:
            raise AssertionError(f"the router wakes again and again at {self.node.now}")
        self.node.now = max(self.node.now, until)
        if self.alive:
            self.step(())

    def settle(self) -> None:
        """Everything on its way arrives: no command unperformed, no event untold."""
        for _ in range(ROUNDS_MAX):
            for lane in list(self.lanes):
                self.perform(lane, 1000)
            if self.listings:
                self.answer_listing()
            if self.alive and self.inbox:
                self.deliver(len(self.inbox))
            elif not self.lanes:
                return
        raise AssertionError(f"the daemon spins: {self.inbox}")

    # --- what goes out ----------------------------------------------------------------------------------------------

    def perform(self, lane: str, count: int, *, cel: bool = True) -> None:
        """The first commands of a lane, in order; `cel`: a listing finds the histories it wants."""
        commands = self.lanes.get(lane, [])
        while commands and count:
            count -= 1
            match command := commands.pop(0):
                case Dial(leg):
                    self.node.dial(leg)
                case ListNode():
                    self._list(command, cel=cel)
                case _:
                    leg_to_dial = self.node.perform(command)
                    if leg_to_dial is not None:
                        commands.insert(0, Dial(leg_to_dial))
        if not commands:
            self.lanes.pop(lane, None)

    def fail_listing(self, lane: str) -> None:
        """The next listing of the lane times out."""
        command = self.lanes[lane].pop(0)
        assert isinstance(command, ListNode)
        if not self.lanes[lane]:
            del self.lanes[lane]
        self.hear(CommandFailed(command, "timeout", at=self.node.now))

    def _list(self, command: ListNode, *, cel: bool) -> None:
        self.node.now += TICK_S
        histories = [self.node.histories[leg] for leg in command.expected if leg in self.node.histories]
        listing = NodeListed(
            command.node,
            asked_at=self.node.now,
            gap=command.gap,
            legs=self.node.listed(self._pending(), gap=command.gap),
            histories=tuple(histories) if cel else (),
            phones=self.node.listed_phones(),
            trunks=self.node.listed_trunks(),
            transfers=self.node.listed_transfers() if command.gap else (),
            at=self.node.now,
        )
        self.listings.append(listing)

    def _pending(self) -> list[LegId]:
        coming = [command for lane in self.lanes.values() for command in lane]
        offers = [LegId(command.offer) for command in coming if isinstance(command, OfferContact)]
        offers += [command.leg for command in coming if isinstance(command, CallSupervisor)]
        attempts = [LegId(command.attempt) for command in coming if isinstance(command, DialCustomer)]
        return offers + attempts + [command.leg for command in coming if isinstance(command, Dial)]

    # --- kill -9 ----------------------------------------------------------------------------------------------------

    def crash(self, *, committed: bool, performed: Literal[0, 1, 2]) -> None:
        """In the step that takes the whole inbox, before or after it is journalled.

        The commands that were on their way are performed not at all, once, or twice.
        """
        if committed:
            self.step(self.inbox)
        else:
            self.router.step(self.inbox, self.node.now)
        self.alive = self.socket = False
        for lane, commands in list(self.lanes.items()):
            whole = list(commands)
            for _ in range(performed):
                self.lanes[lane] = list(whole)
                while self.lanes.get(lane):
                    self.perform(lane, 1)
                self.lanes[lane] = []
        self.inbox, self.buffer, self.listings, self.lanes = [], None, [], {}
        self.node.inquiries.clear()

    def restart(self) -> None:
        """Another process takes up what the journal holds."""
        self.alive = True
        self._begin()

    def _begin(self) -> None:
        self.router = Router()
        self.router.restore(msgspec.json.decode(self.journalled, type=State), self.node.now)
        self.lives.append((self.journalled, self.node.now, []))

    # --- talks ------------------------------------------------------------------------------------------------------

    def _check_talks(self, before: dict[ContactId, Contact], events: Sequence[AnyEvent], outcome: Outcome) -> None:
        """No command ends a talk that goes on, and who answered while nobody listened is talking now."""
        after = self.router.floor.contacts
        listed = {
            leg.leg: leg
            for event in events
            if isinstance(event, NodeListed) and event.asked_at >= self.connected_at
            for leg in event.legs
        }
        handed_over = {event.contact for event in events if isinstance(event, TransferContact | SteerConsult)}
        segments = (record.segment for record in outcome.records if isinstance(record, SegmentSaved))
        handed_over |= {segment.contact for segment in segments if segment.outcome is SegmentOutcome.TAKEN_OVER}
        by_phone = {event.leg for event in events if isinstance(event, TransferRequested | KeyPressed)}
        handed_over |= {contact.id for contact in before.values() if by_phone & {contact.agent_leg}}
        handed_over |= {told.contact for event in events if isinstance(event, NodeListed) for told in event.transfers}
        for contact in before.values():
            if contact.id in handed_over:
                continue  # that is what was asked for
            called = contact.called
            if called is None or not self._talk_goes_on(contact.leg, called.leg):
                continue
            if contact.state is ContactState.TALKING:
                assert after[contact.id].state is ContactState.TALKING, f"{contact.id} still talks"
                for command in outcome.commands:
                    assert not (isinstance(command, HangUpLeg) and command.leg in {contact.leg, called.leg})
                    assert not (isinstance(command, WithdrawOffer) and command.offer == called.id)
                    assert not (isinstance(command, ReleaseContact) and command.contact == contact.id)
            elif contact.state is ContactState.SUMMONING:
                continue  # his own phone: nobody talks yet
            elif called.leg in listed and listed[called.leg].up and self.router.floor.linked(NODE):
                now = after[contact.id]
                told = now.offer is not None and now.offer.state is OfferState.WHISPERING
                assert told or now.state is ContactState.TALKING, f"{contact.id} was answered in the gap"

    def _talk_goes_on(self, caller: LegId, called: LegId) -> bool:
        legs = self.node.legs
        return caller in legs and not legs[caller].away and called in legs and legs[called].up


def encoded(outcome: Outcome) -> bytes:
    """To be compared byte by byte."""
    return msgspec.json.encode((outcome.records, outcome.commands))
