"""A node as it truly is: legs that live and die, phones that do as they please, playbacks, recordings, CEL.

It knows nothing of the core's decisions: it performs commands the way Asterisk does and tells what happened. Used by
`simulated_daemon`, which loses, delays and reorders what is told.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from ccserver.core.commands import (
    AnswerLeg,
    AskLookup,
    CallSupervisor,
    Command,
    DialCustomer,
    EndSupervision,
    EndWhisper,
    FinishTransfer,
    HangUpLeg,
    JoinLegs,
    KeepRecording,
    LendLeg,
    LetDialplanDial,
    OfferContact,
    PlayPrompts,
    RecordVoicemail,
    ReleaseContact,
    RunFunction,
    SeatLegs,
    SetLanguage,
    SilenceRecording,
    SpyOn,
    StartMusic,
    StartRecording,
    StopPlay,
    TakeLeg,
    TellLeg,
    WhisperPrompts,
    WithdrawOffer,
)
from ccserver.core.events import (
    CodeDialled,
    CommandFailed,
    ContactArrived,
    Fact,
    InquiryAnswered,
    InternalDialled,
    KeyPressed,
    LegAnswered,
    LegAway,
    LegDialled,
    LegEnded,
    LegHeld,
    LegHistory,
    LegReturned,
    LegRinging,
    LegRole,
    LegUnheld,
    LegUnseated,
    ListedLeg,
    ListedPhone,
    ListedTransfer,
    ListedTrunk,
    OutboundDialled,
    PhoneChanged,
    PlayFinished,
    RecordingKept,
    RecordingStarted,
    TransferRequested,
    TrunkChanged,
    VoicemailRecorded,
)
from ccserver.core.ids import (
    AgentId,
    ContactId,
    LegId,
    LineNumber,
    PlayId,
    RecordingName,
    TrunkName,
    contact_of_leg,
    leg_of_attempt,
    leg_of_offer,
)
from ccserver.core.steps import Key
from ccserver.core.supervision import Listening
from tests.property.simulated_plan import AGENTS, NODE, PLAN, TRUNKS

DIALLED = {"outbound", "internal"}
"""Roles of the legs of operators who called somebody."""


@dataclass
class Phone:
    """An operator's."""

    registered: bool = True
    own_call: bool = False


@dataclass
class Leg:
    """A channel that lives."""

    id: LegId
    role: LegRole
    born_at: float
    contact: ContactId | None = None
    agent: AgentId | None = None
    line: LineNumber | None = None
    ani: str = ""
    number: str = ""
    trunk: TrunkName | None = None
    dialled: bool = False
    ringing: bool = False
    up: bool = False
    away: bool = False
    music: bool = False
    room: str = ""
    """The bridge in which it is: the contact's `main` one, or the one `aside`."""
    held: bool = False
    """Its phone holds who talks with it."""
    answered_at: float | None = None
    plays: list[PlayId] = field(default_factory=list)
    recording: RecordingName | None = None
    lent: LendLeg | None = None
    """It is in the admin's dialplan, or was last."""
    back: InquiryAnswered | None = None
    """With what it came back from there last."""
    silent: bool = False
    """Its recording is paused."""
    hears: Listening | None = None
    """A supervisor's, aside of the talk."""
    hasty: bool = False
    """Its phone takes a transfer that is refused for done."""


class Node:
    """See the module; `tell` takes what the node has to say."""

    def __init__(self, tell: Callable[[Fact], None]) -> None:
        self.tell = tell
        self.now = 1000.0
        self.started_at = 900.0
        self.legs: dict[LegId, Leg] = {}
        self.known: set[str] = set()
        """Ids of legs, playbacks and recordings ever made: making one twice is refused, as by Asterisk."""
        self.histories: dict[LegId, LegHistory] = {}
        self.phones = {agent: Phone() for agent in AGENTS}
        self.trunks = dict.fromkeys(TRUNKS, True)
        """Whether each is usable."""
        self.answered: set[ContactId] = set()
        """Contacts for whom somebody truly picked up (the caller may have gone at the same instant)."""
        self.refuse: Literal["", "failed", "unavailable"] = ""
        """How the next offer or attempt is refused."""
        self.inquiries: list[AskLookup | RunFunction] = []
        """What other computers are being asked; the daemon that dies takes them along."""
        self.mute = False
        """The next prompt or recording fails."""
        self.deaf = False
        """The next music or end of music is not done, and Asterisk does not answer."""
        self.begun: dict[LegId, ListedTransfer] = {}
        """Transfers by phones' keys, by their legs."""
        self._calls = 0

    # --- callers --------------------------------------------------------------------------------------------------

    def caller_dials(self, line: LineNumber, ani: str, *, served: bool) -> None:
        """A new call; not `served` (no application connected): it waits in the fallback dialplan."""
        self._calls += 1
        leg = Leg(LegId(f"c{self._calls}"), "caller", self.now, line=line, ani=ani, away=not served)
        leg.contact = contact_of_leg(NODE, leg.id)
        self.legs[leg.id] = leg
        if served:
            self._enters(leg)

    def caller_enters(self, leg: Leg, *, known: bool) -> None:
        """Back from the fallback dialplan; `known`: the connector remembers that it was there before."""
        leg.away = False
        if known:
            self.tell(LegReturned(leg.id, at=self.now))
        else:
            self._enters(leg)

    def caller_leaves(self, leg: Leg) -> None:
        """Into the fallback dialplan, out of whatever was being done with it."""
        leg.room = ""
        leg.away, leg.music, leg.plays, leg.recording = True, False, [], None
        self.tell(LegAway(leg.id, at=self.now))

    def dialplan_returns(self, leg: Leg, verdict: str) -> None:
        """From the admin's context; nobody listens: it waits in the fallback dialplan, and tells of it when it comes in."""
        assert leg.lent is not None and leg.contact is not None
        values = {"told": verdict, "other": "not allowed"}
        leg.back = InquiryAnswered(leg.contact, leg.lent.inquiry, "dialplan", verdict, values, at=self.now)
        leg.lent = None

    def caller_presses(self, leg: Leg, key: Key) -> None:
        """DTMF."""
        if not leg.away:
            self.tell(KeyPressed(leg.id, key, at=self.now))

    def _enters(self, leg: Leg) -> None:
        assert leg.contact is not None and leg.line is not None
        if leg.back is not None:
            self.tell(replace(leg.back, at=self.now))
        self.tell(ContactArrived(leg.contact, leg.id, NODE, leg.line, leg.ani, leg.born_at, at=self.now))

    # --- operators who call ---------------------------------------------------------------------------------------

    def operator_dials(self, agent: AgentId, number: str) -> None:
        """A number outside; his phone is in use by it."""
        self._calls += 1
        leg = Leg(LegId(f"o{self._calls}"), "outbound", self.now, agent=agent, number=number)
        leg.contact = contact_of_leg(NODE, leg.id)
        self.legs[leg.id] = leg
        self._tell_phone(agent)
        self.tell(OutboundDialled(leg.contact, leg.id, NODE, agent, number, leg.born_at, at=self.now))

    def operator_calls_colleague(self, agent: AgentId, number: str) -> None:
        """An extension; his phone is in use by it."""
        self._calls += 1
        leg = Leg(LegId(f"i{self._calls}"), "internal", self.now, agent=agent, number=number)
        leg.contact = contact_of_leg(NODE, leg.id)
        self.legs[leg.id] = leg
        self._tell_phone(agent)
        self.tell(InternalDialled(leg.contact, leg.id, NODE, agent, number, leg.born_at, at=self.now))

    def trunk_changes(self, trunk: TrunkName, *, usable: bool) -> None:
        """It registers, or answers no more."""
        self.trunks[trunk] = usable
        self.tell(TrunkChanged(NODE, trunk, usable, "" if usable else "no answer", at=self.now))

    # --- phones ---------------------------------------------------------------------------------------------------

    def phone_rings(self, leg: Leg) -> None:
        """180."""
        leg.ringing = True
        self.tell(LegRinging(leg.id, at=self.now))

    def phone_answers(self, leg: Leg, *, told: int) -> None:
        """200: audio flows at once; told once or twice, by Dial and by the channel's state."""
        leg.up, leg.ringing, leg.answered_at = True, False, self.now
        self.histories[leg.id] = LegHistory(leg.id, answered_at=self.now)
        assert leg.contact is not None
        self.answered.add(leg.contact)
        for _ in range(told):
            self.tell(LegAnswered(leg.id, at=self.now))

    def phone_changes(self, agent: AgentId, *, registered: bool, own_call: bool, anew: bool = False) -> None:
        """Registers (anew), goes, begins or ends a call of its own."""
        self.phones[agent] = Phone(registered, own_call and registered)
        self._tell_phone(agent, anew=anew)

    def _tell_phone(self, agent: AgentId, *, anew: bool = False) -> None:
        phone = self.phones[agent]
        self.tell(PhoneChanged(agent, phone.registered, self._in_use(agent), anew and phone.registered, at=self.now))

    def _in_use(self, agent: AgentId) -> bool:
        dialling = any(leg.role in DIALLED and leg.agent == agent for leg in self.legs.values())
        return self.phones[agent].registered and (self.phones[agent].own_call or dialling)

    def code_dialled(self, agent: AgentId | None, code: str) -> None:
        """*11 and the like."""
        self._calls += 1
        leg = Leg(LegId(f"code{self._calls}"), "code", self.now, agent=agent)
        self.legs[leg.id] = leg
        self.tell(CodeDialled(agent, leg.id, NODE, code, at=self.now))

    def phone_holds(self, leg: Leg) -> None:
        """Its hold key, pressed: on or off."""
        leg.held = not leg.held
        self.tell((LegHeld if leg.held else LegUnheld)(leg.id, at=self.now))

    def phone_transfers(self, leg: Leg, to: str, *, hasty: bool) -> None:
        """Its transfer key: whatever comes of it, Asterisk takes it out of its bridge."""
        assert leg.contact is not None
        leg.room, leg.hasty = "", hasty
        self.begun[leg.id] = ListedTransfer(leg.contact, to)
        self.tell(TransferRequested(leg.id, to, at=self.now))
        self.tell(LegUnseated(leg.id, at=self.now))

    def phone_joins(self, first: Leg, second: Leg) -> None:
        """Both of its calls put together: it believes that at once, and hangs up."""
        first.room = second.room = ""
        self.tell(TransferRequested(first.id, "", second.id, at=self.now))
        for leg in (first, second):
            self.tell(LegUnseated(leg.id, at=self.now))
        for leg in (first, second):
            self.ends(leg)

    def ends(self, leg: Leg, cause: int = 16, sip_status: int | None = None) -> None:
        """The channel is destroyed; what ran on it is told first."""
        for play in leg.plays:
            self.tell(PlayFinished(leg.id, play, ok=False, at=self.now))
        if leg.recording is not None:
            self.voicemail_ends(leg)
        del self.legs[leg.id]
        self.histories[leg.id] = LegHistory(leg.id, leg.answered_at, self.now, cause)
        caller = self.caller_of(leg) if leg.hears is None else None  # a supervisor is in none of the contact's bridges
        if caller is not None and not any(
            other.contact == leg.contact and other.hears is None for other in self.agent_legs()
        ):
            caller.music = False  # that of the bridge, in which he is alone now
        self.tell(LegEnded(leg.id, cause, sip_status, at=self.now))
        if leg.role in DIALLED and leg.agent is not None:
            self._tell_phone(leg.agent)

    # --- playbacks and recordings ---------------------------------------------------------------------------------

    def play_ends(self, leg: Leg) -> None:
        """The first playback of the leg was heard to its end."""
        self.tell(PlayFinished(leg.id, leg.plays.pop(0), at=self.now))

    def everything_ends(self) -> None:
        """Whatever was being played or recorded."""
        for leg in list(self.legs.values()):
            while leg.plays:
                self.play_ends(leg)
            if leg.recording is not None:
                self.voicemail_ends(leg)
        for inquiry in list(self.inquiries):
            self.inquiry_ends(inquiry, "found")

    def voicemail_ends(self, leg: Leg, seconds: float = 3.0) -> None:
        """`#`, silence or the end of the call."""
        assert leg.recording is not None and leg.contact is not None
        told = VoicemailRecorded(leg.contact, leg.id, leg.recording, "message.wav", seconds, at=self.now)
        leg.recording = None
        self.tell(told)

    def inquiry_ends(self, inquiry: AskLookup | RunFunction, verdict: str) -> None:
        """Another computer has answered."""
        self.inquiries.remove(inquiry)
        contact = ContactId(inquiry.lane)
        about = inquiry.lookup.name if isinstance(inquiry, AskLookup) else inquiry.function
        self.tell(InquiryAnswered(contact, inquiry.inquiry, about, verdict, {"told": verdict}, at=self.now))

    # --- the whole ------------------------------------------------------------------------------------------------

    def crash(self) -> None:
        """kill -9: nobody says a word, CEL stops in the middle."""
        self.legs.clear()
        self.begun.clear()
        self.started_at = self.now

    def caller_of(self, leg: Leg) -> Leg | None:
        """The living caller's leg of an agent's leg, or that of a customer who was called first."""
        customers = [each for each in self.legs.values() if each.role in {"caller", "customer"}]
        return next((each for each in customers if leg.role == "agent" and each.contact == leg.contact), None)

    def callers(self) -> list[Leg]:
        """Living legs of customers."""
        return [leg for leg in self.legs.values() if leg.role == "caller"]

    def agent_legs(self) -> list[Leg]:
        """Living legs of agents."""
        return [leg for leg in self.legs.values() if leg.role == "agent"]

    def diallers(self) -> list[Leg]:
        """Living legs of operators who called a number outside, or a colleague."""
        return [leg for leg in self.legs.values() if leg.role in DIALLED]

    def called(self) -> list[Leg]:
        """Living legs of agents and of customers whom operators call."""
        return [leg for leg in self.legs.values() if leg.role in {"agent", "customer"}]

    def listed(self, pending: Iterable[LegId], *, gap: bool) -> tuple[ListedLeg, ...]:
        """As ARI lists them, with what the connector is still making."""
        coming = set(pending)
        legs = [
            ListedLeg(
                leg.id,
                leg.role,
                leg.up,
                leg.ringing,
                leg.id in coming,
                leg.away,
                leg.line,
                leg.ani,
                leg.born_at,
                back=leg.back if not leg.away else None,
                agent=leg.agent,
                number=leg.number,
                held=leg.held if gap and leg.role in {"agent", "outbound"} else None,
            )
            for leg in self.legs.values()
        ]
        unmade = sorted(coming - self.legs.keys())
        return (*legs, *(ListedLeg(leg, "agent", up=False, pending=True) for leg in unmade))

    def listed_transfers(self) -> tuple[ListedTransfer, ...]:
        """Those that nobody has finished; whoever hears of them removes what they are made of."""
        begun, self.begun = self.begun, {}
        return tuple(begun.values())

    def listed_trunks(self) -> tuple[ListedTrunk, ...]:
        """All of them."""
        return tuple(ListedTrunk(trunk, usable, "" if usable else "no answer") for trunk, usable in self.trunks.items())

    def listed_phones(self) -> tuple[ListedPhone, ...]:
        """Of all operators."""
        return tuple(ListedPhone(agent, phone.registered, self._in_use(agent)) for agent, phone in self.phones.items())

    # --- commands -------------------------------------------------------------------------------------------------

    def perform(self, command: Command) -> LegId | None:
        """Do it at once; returns the leg that is to be dialled next, for an offer or an attempt."""
        match command:
            case OfferContact():
                return self._offer(command)
            case DialCustomer():
                return self._dial_customer(command)
            case LetDialplanDial():
                leg = self.legs.pop(command.leg, None)  # his call is no more our business
                if leg is not None and leg.agent is not None:
                    self._tell_phone(leg.agent)
            case HangUpLeg():
                self._hang_up(command.leg, command.cause)
            case WhisperPrompts():
                self._whisper(command)
            case FinishTransfer():
                self.begun.pop(command.leg, None)
                leg = self.legs.get(command.leg)
                if leg is not None and (leg.hasty or not command.refused):
                    self.ends(leg)
            case WithdrawOffer():
                self._hang_up(leg_of_offer(command.offer), 26)
            case ReleaseContact():
                for leg in [each for each in self.legs.values() if each.contact == command.contact]:
                    self.ends(leg)
            case KeepRecording():
                if command.talks:
                    path = f"{command.recording}.opus"
                    self.tell(RecordingKept(command.contact, command.recording, path, 1.0, at=self.now))
            case AskLookup() | RunFunction():
                self.inquiries.append(command)
            case LendLeg():
                leg = self.legs.get(command.leg)
                if leg is None or leg.away:
                    self.tell(CommandFailed(command, "404", "gone", at=self.now))
                else:
                    leg.lent = command
                    self.caller_leaves(leg)
            case SeatLegs():
                self._seat(command)
            case StopPlay() | EndWhisper():
                leg = self.legs.get(command.leg if isinstance(command, StopPlay) else leg_of_offer(command.offer))
                if leg and command.play in leg.plays:
                    leg.plays.remove(command.play)
                    self.tell(PlayFinished(leg.id, command.play, at=self.now))
            case StartMusic() | JoinLegs() if self.deaf and command.leg in self.legs:
                self.deaf = False
                self.tell(CommandFailed(command, "no answer", "unanswered", at=self.now))
            case PlayPrompts() | RecordVoicemail() if self.mute and command.leg in self.legs:
                self.mute = False
                self.tell(CommandFailed(command, "500", at=self.now))
            case StartRecording():
                if (leg := self.legs.get(command.leg)) is not None and leg.contact is not None:
                    self.tell(RecordingStarted(leg.contact, command.recording, at=self.now))
            case CallSupervisor():
                return self._call_supervisor(command)
            case TellLeg():
                pass  # he hears it, and nobody else
            case SpyOn():
                self._spy_on(command)
            case EndSupervision():
                self._end_supervision(command)
            case SilenceRecording():
                if (leg := self.legs.get(command.leg)) is not None:
                    leg.silent = command.silent
            case (
                TakeLeg() | AnswerLeg() | SetLanguage() | PlayPrompts() | StartMusic() | JoinLegs() | RecordVoicemail()
            ):
                leg = self.legs.get(command.leg)
                if leg is None or leg.away:
                    self.tell(CommandFailed(command, "404", "gone", at=self.now))
                else:
                    self._do(leg, command)
            case _:
                raise AssertionError(command)
        return None

    def dial(self, offer: LegId) -> None:
        """The second half of an offer."""
        leg = self.legs.get(offer)
        if leg is not None:
            leg.dialled = True
            if leg.role == "agent":
                self.tell(LegDialled(leg.id, at=self.now))

    def _offer(self, command: OfferContact) -> LegId | None:
        refuse, self.refuse = self.refuse, ""
        caller = self.legs.get(command.leg) if command.leg else None
        contact, leg_id = ContactId(command.lane), leg_of_offer(command.offer)
        if leg_id in self.known:
            return None
        if command.leg is not None and (caller is None or caller.away):
            self.tell(CommandFailed(command, "no such caller", "gone", at=self.now))
        elif refuse or not self.phones[command.agent].registered:
            self.tell(CommandFailed(command, "Allocation failed", refuse or "unavailable", at=self.now))
        else:
            busy = [leg for leg in self.agent_legs() if leg.agent == command.agent]
            assert not busy, f"{command.agent} has the live legs {busy} and gets {leg_id}"
            self.known.add(leg_id)
            room = "aside" if command.aside else "main"
            if caller is not None:
                caller.music, caller.room = bool(command.music), "main"
            if command.aside in self.legs:
                self.legs[command.aside].room = room
            self.legs[leg_id] = Leg(leg_id, "agent", self.now, contact=contact, agent=command.agent, room=room)
            if command.recording is not None:
                self.tell(RecordingStarted(contact, command.recording, at=self.now))
            return leg_id
        return None

    def _whisper(self, command: WhisperPrompts) -> None:
        leg = self.legs.get(leg_of_offer(command.offer))
        if leg is None:
            self.tell(CommandFailed(command, "404", "gone", at=self.now))
        elif self.mute:
            self.mute = False
            self.tell(CommandFailed(command, "500", at=self.now))
        elif command.play not in self.known:
            self.known.add(command.play)
            leg.plays.append(command.play)

    def _dial_customer(self, command: DialCustomer) -> LegId | None:
        refuse, self.refuse = self.refuse, ""
        operator = self.legs.get(command.leg) if command.leg else None
        contact, leg_id, trunk = ContactId(command.lane), leg_of_attempt(command.attempt), PLAN.trunks[command.trunk]
        if leg_id in self.known:
            return None
        if command.leg is not None and (operator is None or operator.away):
            self.tell(CommandFailed(command, "no such leg", "gone", at=self.now))
            return None
        if refuse:
            self.tell(CommandFailed(command, "Allocation failed", refuse, at=self.now))
            return None
        customers = [leg for leg in self.legs.values() if leg.role == "customer"]
        assert not [leg for leg in customers if leg.contact == contact], "two legs to one customer"
        carried = [leg for leg in customers if leg.trunk == command.trunk]
        assert len(carried) < trunk.channels, f"{command.trunk} carries {len(carried)} of {trunk.channels}"
        assert trunk.outbound, f"{command.trunk} takes no calls that leave"
        assert "809" not in command.number[:5], f"{command.number} is premium rate"
        own = operator is not None and operator.role == "outbound"
        allowed = not own or operator.agent != AGENTS[2] or "916" not in command.number  # type: ignore[union-attr]
        assert allowed, f"{AGENTS[2]} may not dial this"
        self.known.add(leg_id)
        room = "aside" if command.aside else "main"
        if operator is not None:
            operator.room = "main"
            operator.music = operator.music or bool(command.aside and command.music)
        if command.aside in self.legs:
            self.legs[command.aside].room = "aside"
        self.legs[leg_id] = Leg(leg_id, "customer", self.now, contact=contact, trunk=command.trunk, room=room)
        if command.recording is not None:
            self.tell(RecordingStarted(contact, command.recording, at=self.now))
        return leg_id

    def _seat(self, command: SeatLegs) -> None:
        for leg_id in command.aside:
            if leg_id in self.legs:
                self.legs[leg_id].room = "aside"
        caller = self.legs.get(command.leg)
        if caller is None or caller.away:
            self.tell(CommandFailed(command, "404", "gone", at=self.now))
            return
        for leg_id in command.together:
            if leg_id in self.legs:
                self.legs[leg_id].room = "main"
        caller.music = bool(command.music)

    def _call_supervisor(self, command: CallSupervisor) -> LegId | None:
        refuse, self.refuse = self.refuse, ""
        if command.leg in self.known:
            return None
        if refuse or not self.phones[command.supervisor].registered:
            self.tell(CommandFailed(command, "Allocation failed", refuse or "unavailable", at=self.now))
            return None
        busy = [leg for leg in self.agent_legs() if leg.agent == command.supervisor]
        assert not busy, f"{command.supervisor} has the live legs {busy} and gets {command.leg}"
        self.known.add(command.leg)
        contact = ContactId(command.lane)
        self.legs[command.leg] = Leg(command.leg, "agent", self.now, contact=contact, agent=command.supervisor)
        self.legs[command.leg].hears = command.mode
        return command.leg

    def _end_supervision(self, command: EndSupervision) -> None:
        if not command.stays:
            self._hang_up(command.leg, 16)
        elif command.leg in self.legs:
            self.legs[command.leg].hears = None

    def _spy_on(self, command: SpyOn) -> None:
        if command.leg not in self.legs or command.spied not in self.legs:
            self.tell(CommandFailed(command, "404", "gone", at=self.now))
        else:
            self.legs[command.leg].hears = command.mode

    def _hang_up(self, leg_id: LegId, cause: int) -> None:
        leg = self.legs.get(leg_id)
        if leg is not None:
            self.ends(leg, cause)

    def _do(self, leg: Leg, command: Command) -> None:
        match command:
            case AnswerLeg() if not leg.up:
                leg.up, leg.answered_at = True, self.now
                self.histories[leg.id] = LegHistory(leg.id, answered_at=self.now)
                self.tell(LegAnswered(leg.id, at=self.now))
            case PlayPrompts() if command.play not in self.known:
                assert command.items, f"nothing to play: {command}"
                self.known.add(command.play)
                leg.music, leg.room = False, ""
                leg.plays.append(command.play)
            case StartMusic():
                leg.music = True
            case JoinLegs():
                leg.music = False
            case RecordVoicemail() if command.recording not in self.known:
                self.known.add(command.recording)
                leg.recording = command.recording
            case _:
                pass
