"""What the connector must remember of each call to obey Asterisk's rules: its bridge, its music, its running playback.

Not the truth about the contact (the core has that): only the media state, rebuilt from a listing after a restart. `None`
means not known, and then the safe request is made again.
"""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field
from math import inf

from ccserver.core.ids import AgentId, ContactId, LegId, PlayId, RecordingName, is_supervision

KEY_PASSES_S = 0.2
"""How much later than it must a key may go through a bridge on a busy machine, or told twice (docs/reference/asterisk.md, 53),"""
KEY_AFTER_KEY_S = 0.001
"""and how much later than the one before it it is believed at the least."""
PLAY_ENDS_S = 2.0
"""A stopped playback reports its end within milliseconds; longer means that the report was lost."""


@dataclass(slots=True)
class LastKey:
    """The key that a leg's user pressed last. Asterisk tells of one twice now and then, some milliseconds apart."""

    key: str = ""
    at: float = 0.0
    passed_at: float = 0.0
    """When it has gone through to whoever is in a bridge with him, by the event loop's clock."""

    def again(self, key: str, at: float, lasted_s: float) -> bool:
        """Whether it is the same one once more: pressed again, it would have ended as long after the first as it was held."""
        told_twice = key == self.key and at - self.at < lasted_s / 2
        self.key, self.at = key, at
        return told_twice

    def passes_at(self, now: float, lasted_s: float) -> float:
        """When it will have, told now: for the others it begins when it has ended, and lasts as long."""
        self.passed_at = max(now + lasted_s + KEY_PASSES_S, self.passed_at + KEY_AFTER_KEY_S)
        return self.passed_at


ASIDE = ".aside"
MIXED = ".mixed"


def aside_of(contact: str) -> str:
    """The id of the contact's bridge for who is apart from the customer."""
    return f"{contact}{ASIDE}"


def mixed_of(contact: str) -> str:
    """The id of the contact's bridge that mixes, in place of the one with the contact's own id."""
    return f"{contact}{MIXED}"


def bridges_of(contact: str) -> tuple[str, ...]:
    """All that it may have."""
    return (contact, mixed_of(contact), aside_of(contact))


def contact_of_bridge(bridge: str) -> str:
    """Whose it is."""
    return bridge.removesuffix(ASIDE).removesuffix(MIXED)


@dataclass(slots=True, kw_only=True)
class Call:
    """Who called (a caller, an operator's phone that dialled out or a feature code), or is called back and stands in for him, and
    what is done to it."""

    leg: LegId
    contact: ContactId | None
    channel_name: str = ""
    """Asterisk's name of the channel, for AMI."""
    entered_at: float = 0.0
    """When the dialplan last handed it to us, as far as we were told."""
    taken_at: float = -1.0
    """When its dead-man's timeout was last disarmed."""
    answered_at: float = -1.0
    """When it was last answered by us."""
    up: bool = False
    """It is answered, as Asterisk tells: what it hears it does not hear as early media."""
    fresh: bool = False
    """Answered, and nothing has been played to it yet."""
    bridged: bool = False
    """In the contact's bridge."""
    gone: bool = False
    """Its channel has ended, which the contact may outlive."""
    lent_to: str = ""
    """The bridge of another contact in which it is: the second call of an agent who consults."""
    mixed: bool = False
    """That bridge is the one that mixes: it stays so."""
    rooms: set[str] = field(default_factory=set)
    """The bridges that have been made for it."""
    music: bool | None = False
    """Hold music plays, on the bridge when bridged, else on the channel."""
    play: PlayId | None = None
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no playback runs: until then the channel obeys no other command (docs/reference/asterisk.md, 4)."""
    recording: RecordingName | None = None
    """MixMonitor runs under this name."""
    last_key: LastKey = field(default_factory=LastKey)

    def __post_init__(self) -> None:
        self.quiet.set()

    @property
    def early(self) -> bool:
        """Not answered yet, as far as we know."""
        return not self.up and self.answered_at <= self.entered_at

    @property
    def bridge(self) -> str:
        """The bridge carries the contact's id; where it mixes, with a suffix."""
        return self.bridge_for(self.mixed)

    def bridge_for(self, mixed: bool) -> str:
        """The bridge that it has, or is to have."""
        assert self.contact is not None, "a feature code needs no bridge"
        return mixed_of(self.contact) if mixed or self.mixed else self.contact

    @property
    def aside(self) -> str:
        """The bridge for those who are apart from the customer."""
        assert self.contact is not None, "a feature code needs no bridge"
        return aside_of(self.contact)

    def started(self, play: PlayId) -> None:
        """A playback is being asked for."""
        self.play = play
        self.quiet.clear()

    def ended(self, play: PlayId) -> None:
        """A playback ended, whichever way."""
        if self.play == play:
            self.play = None
            self.quiet.set()


@dataclass(slots=True, kw_only=True)
class MadeLeg:
    """A leg made for an offer or an attempt, from the moment that it was commanded."""

    contact: ContactId
    agent: AgentId | None
    """Whose phone it leads to; None: a customer's."""
    in_stasis: asyncio.Event = field(default_factory=asyncio.Event)
    """Its StasisStart came: before that the channel refuses commands in a third of the cases (docs/reference/asterisk.md, 6)."""
    channel_name: str = ""
    """As in `Call`."""
    settled_at: float = inf
    """When the command had been carried out, one way or the other; a listing asked for before cannot tell of the leg."""
    ringing: bool = False
    up: bool = False
    bridge: str = ""
    """In which it is, as far as we know."""
    left: bool = False
    """It has gone into the dialplan, where it ends without us."""
    last_key: LastKey = field(default_factory=LastKey)


class Calls:
    """All calls of the node, by leg and by lane."""

    def __init__(self) -> None:
        self._by_leg: dict[LegId, Call] = {}
        self._by_lane: dict[str, Call] = {}
        self.made: dict[LegId, MadeLeg] = {}
        """Legs that we called, by the ids that the core chose for them."""
        self.snoops: dict[LegId, asyncio.Event] = {}
        """Snoop channels that are being made; set when their StasisStart came."""

    def add(self, call: Call) -> Call:
        """A call known from its first event, or from a listing."""
        self._by_leg[call.leg] = call
        self._by_lane[call.contact or call.leg] = call
        return call

    def of_leg(self, leg: LegId) -> Call | None:
        """The call of a caller's or code leg."""
        return self._by_leg.get(leg)

    def of_lane(self, lane: str, leg: LegId) -> Call:
        """The call a command is about; made up when nothing is known (the request will tell whether it exists).

        In a callback a leg that we made takes the place of who had called.
        """
        call = self._by_lane.get(lane)
        if call is None or call.leg != leg:
            before = self.remove(lane)
            if before is not None and not before.gone:
                self._made_of(before)
            contact = None if lane == leg else ContactId(lane)
            made = self.made.get(leg)
            call = self.add(Call(leg=leg, contact=contact, music=None, fresh=made is not None))
            call.mixed = made is not None and made.bridge == mixed_of(lane)
            call.bridged = call.mixed or (made is not None and made.bridge == lane)
            call.rooms = {made.bridge} if made is not None and made.bridge else set()
            call.rooms |= before.rooms if before is not None else set()
        return call

    def _made_of(self, call: Call) -> None:
        """Who called is one of the others now: the operator of a call that was turned round."""
        name = call.channel_name
        agent = AgentId(name.removeprefix("PJSIP/").rpartition("-")[0]) if name.startswith("PJSIP/") else None
        bridge = call.bridge if call.contact is not None and call.bridged else call.lent_to
        made = MadeLeg(contact=ContactId(call.contact or ""), agent=agent, bridge=bridge, channel_name=name)
        made.up, made.ringing, made.settled_at = True, True, 0.0
        made.in_stasis.set()
        self.made.setdefault(call.leg, made)

    def remove(self, lane: str) -> Call | None:
        """The call is over."""
        call = self._by_lane.pop(lane, None)
        if call is not None:
            self._by_leg.pop(call.leg, None)
        return call

    def made_for(self, contact: ContactId) -> list[LegId]:
        """Legs made for the contact that have not ended yet, and do not by themselves."""
        return [leg for leg, made in self.made.items() if made.contact == contact and not made.left]

    def rings_or_talks(self, agent: AgentId) -> bool:
        """A leg of ours leads to his phone, or is being made. Who listens to somebody's talk does not: his phone is in use."""
        return any(made.agent == agent and not is_supervision(leg) for leg, made in self.made.items())

    def named(self, channel_name: str) -> LegId | None:
        """The leg that Asterisk calls so."""
        legs = ((leg, known.channel_name) for known_of in (self.made, self._by_leg) for leg, known in known_of.items())
        return next((leg for leg, name in legs if name == channel_name), None)

    def name_of(self, leg: LegId) -> str:
        """What Asterisk calls it; empty: not known."""
        known = self._by_leg.get(leg) or self.made.get(leg)
        return known.channel_name if known is not None else ""

    def unseat(self, leg: LegId) -> bool:
        """Asterisk has taken it out of its bridge by itself; false: it is none of ours."""
        made, call = self.made.get(leg), self._by_leg.get(leg)
        if made is not None:
            made.bridge = ""
        if call is not None:
            call.bridged, call.lent_to = False, ""
        return made is not None or call is not None

    def forget_all_but(self, legs: Container[LegId]) -> None:
        """After a gap: the end of any other leg was missed. Callers go when their contacts are released."""
        self.made = {leg: made for leg, made in self.made.items() if leg in legs}
        for call in list(self._by_leg.values()):
            if call.contact is None and call.leg not in legs:
                self.remove(call.leg)
