"""A contact centre let loose: everything that may happen to it, with how often and to whom, and what must be so in the end.

`HAPPENINGS` is one table for two drivers: Hypothesis chooses from it, and so does a `random.Random`, which tells thousands of
long stories in seconds. Whatever a story does, the checks of `simulated_daemon` and those below must hold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, TypeVar, get_args

import msgspec

from ccserver.core import recording
from ccserver.core.agent import AgentState
from ccserver.core.consult import APART, ConsultState
from ccserver.core.contact import Contact, ContactOutcome, ContactState, Direction
from ccserver.core.events import (
    AnyEvent,
    BeginConsult,
    CallbackSource,
    CallCustomer,
    CancelCallback,
    ConsultAction,
    ExtendWrapUp,
    GiveDisposition,
    HoldCustomer,
    KeyPressed,
    LiftMeasure,
    MoveContact,
    RecordingAction,
    RequestCallback,
    RescheduleCallback,
    SetAgentState,
    SetPriority,
    SteerConsult,
    SteerRecording,
    SuperviseContact,
    TakeMeasure,
    TransferContact,
)
from ccserver.core.ids import AgentId, ContactId, LineNumber, MeasureId, QueueName, TrunkName
from ccserver.core.measure import Measure
from ccserver.core.offer import OfferState
from ccserver.core.plan import Plan
from ccserver.core.router import Router, State
from ccserver.core.steps import Key
from ccserver.core.supervision import SupervisionMode
from tests.property.core_ledger import check_limits
from tests.property.simulated_daemon import Daemon, Turn, encoded
from tests.property.simulated_node import Leg
from tests.property.simulated_plan import (
    AGENTS,
    ANIS,
    CUSTOMER,
    DEAD_LINE,
    EMERGENCY,
    FREE_LINE,
    MENU_LINE,
    MOBILE,
    NODE,
    ORDERS,
    PLAN,
    PREMIUM,
    QUEUE_LINE,
    RELOADED,
    SERVICE,
    SHUT_LINE,
    THRIFTY_LINE,
    TRUNKS,
)

T = TypeVar("T")
CALLERS_MAX = 6
DIALLERS_MAX = 4
PICKS = range(12)
"""Which of those it may happen to."""
YES_NO = (False, True)
WISHES = ("ready", "ready", "ready", "not_ready", "logged_out")
SUPERVISION: tuple[SupervisionMode, ...] = ("listen", "whisper", "barge", "take_over")
LISTEN_IN = ("*331001", "*341002", "*351003", "*361001", "*40", "*41")
STEERED: tuple[RecordingAction, ...] = ("pause", "pause", "resume", "start", "stop")
FAILURES = ((17, 486), (21, 603), (19, 480), (19, None), (16, None), (3, 503), (0, None))
"""(Q.850 cause, SIP status) of an agent's leg that ends unanswered."""
CUSTOMERS_FAILURES = (*FAILURES, (1, 404), (34, 503), (41, 500), (38, None), (21, 403), (20, 480), (1, None))
"""Of a customer's."""
HANDED_TO = (*AGENTS, ORDERS, SERVICE, MENU_LINE, *3 * (CUSTOMER,), "nowhere")
KEYS = (
    "1",
    "2",
    "3",
    "4",
    "5",
    "5",
    "5",
    "*",
    "9",
    "31",
    "42#",
    "61",
    "61",
    "71",
    "71",
    "8",
    "81",
    "#",
    "#",
    "0",
    "0",
    "26",
    "0",
    "6289161234567#",
    "6288091234567#",
)
LINES = 4 * (MENU_LINE, QUEUE_LINE) + 2 * (THRIFTY_LINE, FREE_LINE) + (SHUT_LINE, DEAD_LINE)
MEASURES = (
    {"kind": "announcement", "prompts": ["fire"]},
    {"kind": "closure"},
    {"kind": "closure", "queued": "close"},
    {"kind": "closure", "queued": "close", "treatment": "queue"},
    {"kind": "block", "number": "+7900"},
    {"kind": "block", "number": "+79", "treatment": "menu"},
)
TALK_KEYS = (
    "**11002#",
    "**18088#",
    "**21002#",
    "**21003#",
    "**3",
    "**3",
    "**0",
    "**4",
    "**5",
    "**9",
    "**1",
    "*",
    "1002#",
)
NUMBERS = 3 * (CUSTOMER, MOBILE) + (PREMIUM, EMERGENCY, MENU_LINE, "1001")


@dataclass(frozen=True)
class Happening:
    """One row of the table."""

    name: str
    weight: int
    choices: dict[str, Sequence[Any]]
    possible: Callable[["World"], Any]
    do: Callable[..., None]


HAPPENINGS: dict[str, Happening] = {}
Story = list[tuple[str, dict[str, Any]]]


def happens(
    weight: int, when: Callable[["World"], Any] = lambda world: True, **choices: Sequence[Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A row of the table: how often, when it is possible, and the values of its parameters."""

    def enter(do: Callable[..., None]) -> Callable[..., None]:
        HAPPENINGS[do.__name__] = Happening(do.__name__, weight, choices, when, do)
        return do

    return enter


def picked(choices: Sequence[T], pick: int) -> T:
    return choices[pick % len(choices)]


class World:
    """See the module."""

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.node = self.daemon.node
        self.forms = 0
        self.taken = 0
        """Measures ever taken; their ids count."""
        self.slow = False
        """Events and commands take their time; otherwise all of them arrive before anything else happens."""
        self.clicks = 0
        self.doom: tuple[bool, Literal[0, 1, 2]] | None = None
        """How the daemon is killed as soon as it is told of anything."""
        for agent in AGENTS:
            self.daemon.inbox.append(SetAgentState(agent, "ready", at=self.node.now))
        self.daemon.settle()

    def happen(self, name: str, **how: Any) -> None:
        """One thing; nothing if it is not possible now."""
        if HAPPENINGS[name].possible(self):
            HAPPENINGS[name].do(self, **how)
            if self.doom and self.daemon.alive and self.daemon.inbox:
                committed, performed = self.doom
                self.daemon.crash(committed=committed, performed=performed)
                self.doom = None
            if not self.slow:
                self.daemon.settle()
                if self.daemon.alive and self.daemon.router.floor.linked(NODE):
                    self._check_audio()

    def unanswered(self) -> list[Leg]:
        """Phones that ring or are about to."""
        return [leg for leg in self.node.called() if leg.dialled and not leg.up]

    def listeners(self) -> list[Leg]:
        """Supervisors on the line."""
        return [leg for leg in self.node.agent_legs() if leg.up and leg.hears is not None]

    def talks(self) -> list[Contact]:
        """As the daemon knows them."""
        contacts = self.daemon.router.floor.contacts.values() if self.daemon.alive else ()
        return [contact for contact in contacts if contact.state is ContactState.TALKING]

    def consults(self) -> list[Contact]:
        """Those of them with a third party."""
        return [contact for contact in self.talks() if contact.consult is not None]

    def phones_up(self) -> list[Leg]:
        """Operators who talk, or hear something."""
        return [leg for leg in (*self.node.agent_legs(), *self.node.diallers()) if leg.up]

    def two_calls(self) -> list[tuple[Leg, Leg]]:
        """Of one phone: that of an agent who has dialled beside his customer."""
        legs = [leg for leg in self.phones_up() if leg.room]
        return [
            (first, second)
            for first in legs
            for second in legs
            if first.agent == second.agent and first.role == "agent" and second.role == "internal"
        ]

    # --- callers --------------------------------------------------------------------------------------------------

    @happens(
        6,
        lambda world: len(world.node.callers()) < CALLERS_MAX,
        line=LINES,
        ani=ANIS,
    )
    def caller_dials(self, line: LineNumber, ani: str) -> None:
        self.node.caller_dials(line, ani, served=self.daemon.socket)

    @happens(6, lambda world: world.node.callers(), pick=PICKS, keys=KEYS)
    def caller_presses(self, pick: int, keys: list[Key]) -> None:
        for key in keys:
            self.node.caller_presses(picked(self.node.callers(), pick), key)

    @happens(2, lambda world: world.node.callers(), pick=PICKS)
    def caller_hangs_up(self, pick: int) -> None:
        self.node.ends(picked(self.node.callers(), pick))

    @happens(1, lambda world: world.node.callers(), pick=PICKS, known=YES_NO)
    def caller_changes_hands(self, pick: int, known: bool) -> None:
        """Into the fallback dialplan, or back from it."""
        leg = picked(self.node.callers(), pick)
        if leg.lent is not None:
            return
        if not leg.away:
            self.node.caller_leaves(leg)
        elif self.daemon.socket:
            self.node.caller_enters(leg, known=known and leg.contact in self.daemon.router.floor.contacts)

    @happens(5, lambda world: any(leg.plays for leg in world.node.legs.values()), pick=PICKS)
    def playback_ends(self, pick: int) -> None:
        self.node.play_ends(picked([leg for leg in self.node.legs.values() if leg.plays], pick))

    @happens(5, lambda world: any(leg.recording for leg in world.node.callers()), pick=PICKS, seconds=(3.0, 0.0))
    def message_ends(self, pick: int, seconds: float) -> None:
        self.node.voicemail_ends(picked([leg for leg in self.node.callers() if leg.recording], pick), seconds)

    @happens(4, lambda world: world.node.inquiries, pick=PICKS, verdict=("found", "not_found", "failed"))
    def inquiry_is_answered(self, pick: int, verdict: str) -> None:
        self.node.inquiry_ends(picked(self.node.inquiries, pick), verdict)

    @happens(4, lambda world: any(leg.lent for leg in world.node.callers()), pick=PICKS, verdict=("returned", "failed"))
    def dialplan_returns(self, pick: int, verdict: str) -> None:
        leg = picked([leg for leg in self.node.callers() if leg.lent], pick)
        self.node.dialplan_returns(leg, verdict)
        if self.daemon.socket:
            self.node.caller_enters(leg, known=False)

    # --- callbacks ------------------------------------------------------------------------------------------------

    @happens(
        2, lambda world: world.daemon.alive, number=(*ANIS, PREMIUM), queue=(ORDERS, SERVICE), ahead_s=(None, 10.0)
    )
    def form_is_sent(self, number: str, queue: QueueName, ahead_s: float | None) -> None:
        self.forms += 1
        contact, now = ContactId(f"{NODE}-form{self.forms}"), self.node.now
        wanted_at = None if ahead_s is None else now + ahead_s
        wish = RequestCallback(contact, NODE, CallbackSource.FORM, number, MENU_LINE, queue, wanted_at, at=now)
        self.daemon.inbox.append(wish)

    @happens(1, lambda world: world.daemon.alive and world.daemon.ledger.live, pick=PICKS, ahead_s=(None, 0.0, 15.0))
    def callback_is_moved_or_cancelled(self, pick: int, ahead_s: float | None) -> None:
        contact, now = picked(list(self.daemon.ledger.live), pick), self.node.now
        self.daemon.inbox.append(
            CancelCallback(contact, at=now) if ahead_s is None else RescheduleCallback(contact, now + ahead_s, at=now)
        )

    # --- operators ------------------------------------------------------------------------------------------------

    @happens(8, lambda world: any(not leg.ringing for leg in world.unanswered()), pick=PICKS)
    def phone_rings(self, pick: int) -> None:
        self.node.phone_rings(picked([leg for leg in self.unanswered() if not leg.ringing], pick))

    @happens(6, lambda world: world.unanswered(), pick=PICKS, told=(1, 2))
    def phone_answers(self, pick: int, told: int) -> None:
        self.node.phone_answers(picked(self.unanswered(), pick), told=told)

    @happens(2, lambda world: world.unanswered(), pick=PICKS, how=FAILURES)
    def phone_refuses(self, pick: int, how: tuple[int, int | None]) -> None:
        self.node.ends(picked(self.unanswered(), pick), *how)

    @happens(
        8,
        lambda world: [leg for leg in world.unanswered() if leg.role == "customer"],
        pick=PICKS,
        how=CUSTOMERS_FAILURES,
    )
    def customer_is_not_reached(self, pick: int, how: tuple[int, int | None]) -> None:
        self.node.ends(picked([leg for leg in self.unanswered() if leg.role == "customer"], pick), *how)

    @happens(4, lambda world: any(leg.up for leg in world.node.called()), pick=PICKS)
    def who_was_called_hangs_up(self, pick: int) -> None:
        self.node.ends(picked([leg for leg in self.node.called() if leg.up], pick))

    @happens(3, lambda world: world.phones_up(), pick=PICKS)
    def operator_holds(self, pick: int) -> None:
        self.node.phone_holds(picked(self.phones_up(), pick))

    @happens(4, lambda world: world.phones_up(), pick=PICKS, to=HANDED_TO, hasty=YES_NO)
    def operator_presses_transfer(self, pick: int, to: str, hasty: bool) -> None:
        leg = picked(self.phones_up(), pick)
        if leg.room or leg.hears is not None:
            self.node.phone_transfers(leg, to, hasty=hasty)
            if not self.daemon.socket:
                self.node.ends(leg)  # nobody says no

    @happens(5, lambda world: world.phones_up(), pick=PICKS, keys=TALK_KEYS)
    def operator_presses_keys(self, pick: int, keys: str) -> None:
        leg = picked(self.phones_up(), pick)
        for key in keys:
            self.node.tell(KeyPressed(leg.id, key, at=self.node.now))  # type: ignore[arg-type]

    @happens(8, lambda world: world.two_calls(), pick=PICKS, turned=YES_NO)
    def operator_joins_his_calls(self, pick: int, turned: bool) -> None:
        first, second = picked(self.two_calls(), pick)
        self.node.phone_joins(*((second, first) if turned else (first, second)))

    @happens(
        5,
        lambda world: world.daemon.socket and len(world.node.diallers()) < DIALLERS_MAX,
        agent=AGENTS,
        number=NUMBERS,
    )
    def operator_dials(self, agent: AgentId, number: str) -> None:
        if self.node.phones[agent].registered:
            self.node.operator_dials(agent, number)

    @happens(
        5,
        lambda world: world.daemon.socket and len(world.node.diallers()) < DIALLERS_MAX,
        agent=AGENTS,
        number=(*AGENTS, *AGENTS, "1999"),
    )
    def operator_calls_a_colleague(self, agent: AgentId, number: str) -> None:
        if self.node.phones[agent].registered:
            self.node.operator_calls_colleague(agent, number)

    @happens(4, lambda world: world.daemon.alive, agent=AGENTS, number=NUMBERS)
    def program_has_an_operator_call(self, agent: AgentId, number: str) -> None:
        self.clicks += 1
        contact = ContactId(f"{NODE}-click{self.clicks}")
        for _ in range(1 + self.clicks % 2):  # some ask twice
            self.daemon.inbox.append(CallCustomer(contact, agent, number, at=self.node.now))

    @happens(2, lambda world: world.node.diallers(), pick=PICKS)
    def operator_who_dialled_hangs_up(self, pick: int) -> None:
        self.node.ends(picked(self.node.diallers(), pick))

    @happens(2, trunk=TRUNKS[:2], usable=(True, True, False))
    def trunk_changes(self, trunk: TrunkName, usable: bool) -> None:
        self.node.trunk_changes(trunk, usable=usable)

    @happens(2, agent=AGENTS, registered=(True, True, True, False), own_call=(False, False, False, True), anew=YES_NO)
    def phone_changes(self, agent: AgentId, registered: bool, own_call: bool, anew: bool) -> None:
        self.node.phone_changes(agent, registered=registered, own_call=own_call, anew=anew)

    @happens(5, lambda world: world.daemon.alive, agent=AGENTS, state=WISHES)
    def operator_wishes(self, agent: AgentId, state: Literal["ready", "not_ready", "logged_out"]) -> None:
        self.daemon.inbox.append(SetAgentState(agent, state, "lunch", at=self.node.now))

    @happens(6, lambda world: world.talks(), pick=PICKS, to=HANDED_TO, by=(None, None, *AGENTS[:1]))
    def operator_hands_over(self, pick: int, to: str, by: AgentId | None) -> None:
        contact = picked(self.talks(), pick)
        self.daemon.inbox.append(TransferContact(contact.id, to, by, at=self.node.now))

    @happens(2, lambda world: world.daemon.alive and world.node.callers(), pick=PICKS, queue=(ORDERS, SERVICE))
    def supervisor_moves(self, pick: int, queue: QueueName) -> None:
        contact = picked(self.node.callers(), pick).contact
        self.daemon.inbox.append(MoveContact(contact, queue, "irina", at=self.node.now))

    @happens(2, lambda world: world.daemon.alive and world.node.callers(), pick=PICKS, seconds=(0.0, 5.0, 100.0))
    def supervisor_raises(self, pick: int, seconds: float) -> None:
        contact = picked(self.node.callers(), pick).contact
        self.daemon.inbox.append(SetPriority(contact, seconds, "irina", at=self.node.now))

    @happens(5, lambda world: world.talks(), pick=PICKS, supervisor=AGENTS, mode=SUPERVISION)
    def supervisor_wants_to_hear(self, pick: int, supervisor: AgentId, mode: SupervisionMode) -> None:
        contact = picked(self.talks(), pick)
        self.daemon.inbox.append(SuperviseContact(contact.id, supervisor, mode, at=self.node.now))

    @happens(4, lambda world: world.listeners(), pick=PICKS, key=("4", "5", "6", "8", "1"))
    def supervisor_presses(self, pick: int, key: Key) -> None:
        self.node.tell(KeyPressed(picked(self.listeners(), pick).id, key, at=self.node.now))

    @happens(3, lambda world: world.daemon.alive and world.node.callers(), pick=PICKS, action=STEERED)
    def recording_is_steered(self, pick: int, action: RecordingAction) -> None:
        leg = picked([*self.node.callers(), *self.node.diallers()], pick)
        assert leg.contact is not None
        self.daemon.inbox.append(SteerRecording(leg.contact, action, at=self.node.now))

    @happens(2, lambda world: world.talks(), pick=PICKS, hold=YES_NO)
    def operator_asks_for_hold(self, pick: int, hold: bool) -> None:
        self.daemon.inbox.append(HoldCustomer(picked(self.talks(), pick).id, hold, at=self.node.now))

    @happens(6, lambda world: world.talks(), pick=PICKS, to=HANDED_TO)
    def operator_consults(self, pick: int, to: str) -> None:
        self.daemon.inbox.append(BeginConsult(picked(self.talks(), pick).id, to, at=self.node.now))

    @happens(6, lambda world: world.consults(), pick=PICKS, action=get_args(ConsultAction))
    def operator_steers_the_consult(self, pick: int, action: ConsultAction) -> None:
        self.daemon.inbox.append(SteerConsult(picked(self.consults(), pick).id, action, at=self.node.now))

    @happens(
        3,
        lambda world: world.daemon.alive and world.daemon.ledger.dispositions,
        pick=PICKS,
        agent=(None, *AGENTS),
        codes=(None, ("12",), ("1", "2"), ("9",)),
    )
    def somebody_says_what_a_talk_was_about(
        self, pick: int, agent: AgentId | None, codes: tuple[str, ...] | None
    ) -> None:
        talk = picked(list(self.daemon.ledger.dispositions.values()), pick)
        given = GiveDisposition(contact=talk.contact, agent=agent, codes=codes, order_value_cents=5, at=self.node.now)
        self.daemon.inbox.append(given)

    @happens(2, lambda world: world.daemon.alive, agent=AGENTS, seconds=(3.0, 100.0))
    def operator_needs_longer(self, agent: AgentId, seconds: float) -> None:
        self.daemon.inbox.append(ExtendWrapUp(agent, seconds, at=self.node.now))

    @happens(
        2,
        lambda world: world.daemon.socket,
        agent=(None, *AGENTS, *AGENTS),
        code=(
            "*11",
            "*11",
            "*12",
            "*121",
            "*129",
            "*13",
            "*131",
            "*99",
            "*1412",
            "*143",
            "*141*2",
            "*1590*5",
            "*16",
            *LISTEN_IN,
        ),
    )
    def operator_dials_code(self, agent: AgentId | None, code: str) -> None:
        self.node.code_dialled(agent, code)

    @happens(1, how=("failed", "unavailable"))
    def next_offer_is_refused(self, how: Literal["failed", "unavailable"]) -> None:
        self.node.refuse = how

    @happens(1)
    def next_prompt_fails(self) -> None:
        self.node.mute = True

    @happens(1)
    def next_command_is_not_answered(self) -> None:
        self.node.deaf = True

    # --- the daemon -----------------------------------------------------------------------------------------------

    @happens(2, slow=YES_NO)
    def network_changes(self, slow: bool) -> None:
        self.slow = slow

    @happens(6, lambda world: world.daemon.alive and world.daemon.inbox, count=(1, 1, 2, 3, 6))
    def events_arrive(self, count: int) -> None:
        self.daemon.deliver(count)

    @happens(3, lambda world: len(world.daemon.inbox) > 1, pick=PICKS)
    def events_overtake(self, pick: int) -> None:
        self.daemon.swap(pick % (len(self.daemon.inbox) - 1))

    @happens(6, lambda world: world.daemon.lanes, pick=PICKS, count=(1, 2, 3, 4), cel=YES_NO)
    def commands_arrive(self, pick: int, count: int, cel: bool) -> None:
        self.daemon.perform(picked(list(self.daemon.lanes), pick), count, cel=cel)

    @happens(4, lambda world: world.daemon.listings)
    def listing_arrives(self) -> None:
        self.daemon.answer_listing()

    @happens(1, lambda world: f"node:{NODE}" in world.daemon.lanes)
    def listing_fails(self) -> None:
        self.daemon.fail_listing(f"node:{NODE}")

    @happens(6, seconds=(0.05, 0.3, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 11.0, 21.0, 31.0))
    def time_passes(self, seconds: float) -> None:
        self.daemon.pass_time(seconds)

    @happens(
        2,
        lambda world: world.daemon.alive,
        kind=MEASURES,
        line=(None, MENU_LINE, QUEUE_LINE, FREE_LINE),
        until=(None, 10.0),
    )
    def supervisor_takes_a_measure(self, kind: dict[str, Any], line: LineNumber | None, until: float | None) -> None:
        self.taken += 1
        about = {"id": f"m{self.taken}", "by": "boss", "since": self.node.now, "line": line}
        measure = msgspec.convert({**kind, **about, "until": until and self.node.now + until}, Measure)
        self.daemon.inbox.append(TakeMeasure(measure, at=self.node.now))

    @happens(2, lambda world: world.daemon.alive and world.taken, pick=PICKS)
    def supervisor_lifts_a_measure(self, pick: int) -> None:
        self.daemon.inbox.append(LiftMeasure(MeasureId(f"m{1 + pick % self.taken}"), "boss", at=self.node.now))

    @happens(1, lambda world: world.daemon.alive, plan=(PLAN, RELOADED))
    def configuration_is_replaced(self, plan: Plan) -> None:
        self.daemon.configure(plan)

    # --- trouble --------------------------------------------------------------------------------------------------

    @happens(2, lambda world: world.daemon.alive)
    def socket_breaks_or_mends(self) -> None:
        if self.daemon.socket:
            self.daemon.drop()
        else:
            self.daemon.connect()

    @happens(2, lambda world: world.daemon.alive, committed=YES_NO, performed=(0, 1, 2))
    def daemon_is_doomed(self, committed: bool, performed: Literal[0, 1, 2]) -> None:
        self.doom = committed, performed

    @happens(6, lambda world: not world.daemon.alive, connects=(True, True, False))
    def daemon_starts(self, connects: bool) -> None:
        self.daemon.restart()
        if connects:
            self.daemon.connect()

    @happens(1, lambda world: world.slow)
    def asterisk_is_killed(self) -> None:
        self.node.crash()
        if self.daemon.alive and self.daemon.socket:
            self.daemon.drop()

    # --- what holds when nothing is on its way ----------------------------------------------------------------------

    def _check_audio(self) -> None:
        for contact in self.daemon.router.floor.contacts.values():
            if contact.absent:
                self._check_owed(contact)
                continue
            leg = self.node.legs[contact.leg]
            doubtful = contact.id in self.daemon.router.floor.nodes[contact.node].doubtful  # until the node is listed
            if not leg.away and not contact.away and not doubtful:
                self._check_heard(contact, leg)

    def _check_owed(self, contact: Contact) -> None:
        mine = [leg for leg in self.node.legs.values() if leg.contact == contact.id]
        called = {ContactState.OFFERED: contact.offer, ContactState.DIALLING: contact.attempt}.get(contact.state)
        assert [leg.id for leg in mine] == ([called.leg] if called else []), f"{contact.id} is {contact.state}: {mine}"
        assert all(leg.dialled for leg in mine), f"{contact.id}: nobody is called"

    def _check_heard(self, contact: Contact, leg: Leg) -> None:
        calls_us = contact.state is not ContactState.SUMMONING  # else his phone only rings
        assert not calls_us or leg.up != contact.unanswered, (
            f"{contact.id} is to be {'un' if contact.unanswered else ''}answered"
        )
        match contact.state:
            case ContactState.WAITING | ContactState.OFFERED:
                assert leg.music or leg.plays, f"{contact.id} waits in silence"
                if contact.offer is not None and contact.offer.state is OfferState.WHISPERING:
                    assert self.node.legs[contact.offer.leg].plays, (
                        f"{contact.id}: the agent hears nothing, and nobody talks"
                    )
            case ContactState.FLOW:
                waits_for_key = contact.deadline is not None
                assert leg.plays or leg.recording or waits_for_key, f"{contact.id}: the flow stands still"
            case ContactState.SUMMONING:
                assert leg.dialled, f"{contact.id}: his phone does not ring"
            case ContactState.DIALLING if contact.direction is Direction.INTERNAL:
                assert contact.offer is not None
                assert leg.up and self.node.legs[contact.offer.leg].dialled, f"{contact.id}: no phone rings"
            case ContactState.DIALLING:
                assert contact.attempt is not None and contact.attempt.giving_up is None
                assert leg.up and self.node.legs[contact.attempt.leg].dialled, f"{contact.id}: nobody is called"
            case ContactState.FORWARDING:
                assert contact.attempt is not None and contact.attempt.giving_up is None
                outside = self.node.legs[contact.attempt.leg]
                assert outside.dialled and (not leg.room or outside.room == "main"), f"{contact.id}: nobody is called"
            case ContactState.TELLING | ContactState.BRIEFING:
                assert leg.up and leg.plays, f"{contact.id}: nobody says why"
            case ContactState.TALKING:
                self._check_listening(contact)
                paused = recording.state_of(contact) == "paused"
                on = contact.recording.leg if contact.recording else None
                recorded = self.node.legs[on] if on else leg
                assert recorded.silent == paused, f"{contact.id}: what may not be kept is, or what must be is not"
                self._check_talk(contact, leg)
            case _:
                raise AssertionError(f"{contact.id} is served, and nobody hangs up")

    def _check_talk(self, contact: Contact, leg: Leg) -> None:
        called = contact.offer or contact.attempt
        assert called is not None and self.node.legs[called.leg].up
        agent, consult = self.node.legs[called.leg], contact.consult
        if consult is not None and consult.state is ConsultState.LEAVING:
            raise AssertionError(f"{contact.id}: nobody hangs the third party up")
        guest = self.node.legs[consult.leg] if consult else None
        if consult is not None and consult.by is not None:
            second = self.node.legs[consult.by]
            assert agent.room == leg.room == "main" and not leg.music, f"{contact.id}: he cannot take the customer back"
            assert second.up and second.room == "aside", f"{contact.id}: the second call is not with the third party"
            assert guest is not None and guest.room == "aside"
        elif contact.parked or (consult and consult.state in APART):
            assert leg.music and leg.room == "main", f"{contact.id} is on hold in silence"
            assert agent.room == "aside", f"{contact.id}: the agent hears the customer on hold"
            assert guest is None or guest.room == "aside"
        else:
            assert not leg.music, f"{contact.id} talks with music"
            assert agent.room == leg.room == "main", f"{contact.id}: the two do not hear each other"
            assert guest is None or guest.room == "main"
        assert guest is None or guest.up or consult.state is ConsultState.CALLING  # type: ignore[union-attr]
        assert not agent.plays, f"{contact.id}: the agent is still being whispered to"

    def _check_listening(self, contact: Contact) -> None:
        supervision = contact.supervision
        if supervision is not None and supervision.answered_at is not None:
            heard = self.node.legs[supervision.leg].hears
            assert heard == ("listen" if supervision.mode == "take_over" else supervision.mode), contact.id

    # --- the end ----------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """The network heals and everybody hangs up: nothing and nobody may be left over."""
        self._heal()
        for leg in (*self.node.callers(), *self.node.diallers(), *self.node.called()):
            self.node.ends(leg)
        self._long_time_passes()
        floor = self.daemon.router.floor
        assert not floor.contacts, f"contacts that never end: {list(floor.contacts)}"
        assert not self.node.legs, f"legs that nobody hangs up: {list(self.node.legs)}"
        assert not floor.codes
        for agent in floor.agents.values():
            assert agent.leg is None and agent.contact is None, f"{agent.id} is not free"
        self._check_truth()
        self._everybody_can_work()
        for state, now, turns in self.daemon.lives:
            check_replay(state, now, turns)

    def _heal(self) -> None:
        self.node.refuse, self.node.mute, self.node.deaf, self.doom = "", False, False, None
        if not self.daemon.alive:
            self.daemon.restart()
        if not self.daemon.socket:
            self.daemon.connect()

    def _long_time_passes(self) -> None:
        for _ in range(6):
            self.node.everything_ends()
            self.daemon.pass_time(31.0)
        self.daemon.settle()

    def _check_truth(self) -> None:
        ledger = self.daemon.ledger
        ledger.check_identity()
        check_limits(ledger.final, ledger.flows_called_at, PLAN)
        for contact in ledger.final.values():
            if contact.outcome is ContactOutcome.REFUSED:
                assert contact.answered_at is None, f"{contact.id} was refused, and somebody pays"
            inbound = contact.direction is Direction.INBOUND and contact.agent is not None and not contact.callback
            if inbound or contact.outcome is ContactOutcome.ANSWERED:
                assert contact.id in self.node.answered, f"nobody answered {contact.id}"

    def _everybody_can_work(self) -> None:
        self.daemon.configure(PLAN)
        for agent in AGENTS:
            self.node.phone_changes(agent, registered=True, own_call=False)
            self.daemon.inbox.append(SetAgentState(agent, "ready", at=self.node.now))
        self._long_time_passes()
        floor = self.daemon.router.floor
        assert all(agent.state is AgentState.READY for agent in floor.agents.values())
        assert len(floor.idle) == len(AGENTS)


def check_replay(state: bytes, now: float, turns: Sequence[Turn]) -> None:
    """The same events at the same times give the same decisions."""
    router = Router()
    router.restore(msgspec.json.decode(state, type=State), now)
    for turn in turns:
        events = msgspec.json.decode(turn.events, type=tuple[AnyEvent, ...])
        assert encoded(router.step(events, turn.now)) == turn.outcome


# --- stories ----------------------------------------------------------------------------------------------------------


def story(seed: int, length: int) -> Story:
    """Chosen by chance, the same for the same seed."""
    random = Random(seed)
    names = random.choices(list(HAPPENINGS), [happening.weight for happening in HAPPENINGS.values()], k=length)
    return [(name, {key: random.choice(values) for key, values in HAPPENINGS[name].choices.items()}) for name in names]


def play(told: Story) -> World:
    """From the beginning to its end; returns the world as the story left it."""
    world = World()
    for name, how in told:
        world.happen(name, **how)
    world.end()
    return world


def shortened(told: Story) -> Story:
    """As much of a story that fails as still fails."""
    size = len(told) // 2
    while size:
        position = 0
        while position < len(told):
            shorter = told[:position] + told[position + size :]
            if failure(shorter) is None:
                position += size
            else:
                told = shorter
        size //= 2
    return told


def failure(told: Story) -> Exception | None:
    """What the story brings to light."""
    try:
        play(told)
    except Exception as error:  # whatever it is, it is what we are looking for
        return error
    return None
