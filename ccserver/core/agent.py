"""An operator at work: the state table of an Agent.

What the operator wished (`READY`, `NOT_READY`, `LOGGED_OUT`) is remembered in `then` while work or his phone keeps him
from it: whoever asks for a break while talking gets it after the call, and whoever lost his registration resumes the
state he had.

    LOGGED_OUT / NOT_READY / READY  <- by request, feature code, RONA
    READY -> RESERVED -> RINGING -> TALKING -> WRAP_UP -> `then`
    DIALLING -> TALKING: he calls a customer or a colleague himself, from whatever he was doing unless he serves
        another; or calls a customer back
    any but at work -> RESERVED: a colleague calls him
    BUSY: his phone is in a call that is not ours       } until the phone is free / registered again, then `then`
    UNREACHABLE: registration lost                      }
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.ids import AgentId, ContactId, LegId, QueueName, TalkId


class AgentState(StrEnum):
    """As shown on the panel."""

    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"
    RESERVED = "reserved"
    RINGING = "ringing"
    DIALLING = "dialling"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


AT_WORK = {
    AgentState.READY,
    AgentState.RESERVED,
    AgentState.RINGING,
    AgentState.DIALLING,
    AgentState.TALKING,
    AgentState.WRAP_UP,
    AgentState.BUSY,
}
"""Whoever will take a contact sooner or later."""


class Today(Struct, frozen=True):
    """What an agent did since his day began; counted only where a queue picks by it."""

    began_at: float = 0.0
    ends_at: float | None = None
    """None: nobody counts."""
    contacts: int = 0
    """In which he talked."""
    idle_s: float = 0.0
    """Ready, in all; without the stretch that goes on."""


class Agent(Struct, frozen=True, kw_only=True):
    """Immutable; every change is a new value in the journal."""

    id: AgentId
    state: AgentState = AgentState.LOGGED_OUT
    since: float = 0.0
    """When the state (or its reason) began."""
    reason: str = ""
    """Of NOT_READY: the operator's, or `rona`, `refused`, `phone_busy`, `failed` (our side could not ring his phone)."""
    then: AgentState = AgentState.LOGGED_OUT
    """One of LOGGED_OUT, NOT_READY, READY: the state after work, or after the phone is back."""
    then_reason: str = ""
    then_by: str = ""
    """Who wished `then`: himself (his extension), or a supervisor; empty: it came by itself."""
    by: str = ""
    """Who wished the present state; empty: it came by itself."""
    deadline: float | None = None
    """End of wrap-up, or of a pause that ends by itself."""
    wrap_up_until: float | None = None
    """Of a wrap-up: when it would end if nothing were owed; `deadline` is later then."""
    talk: TalkId | None = None
    """His last talk."""
    idle_since: float = 0.0
    """Since when he has had no contact while he wished one: the order of `longest_idle`."""
    contact: ContactId | None = None
    leg: LegId | None = None
    """His leg of our making; until its end is a fact he gets no other."""
    reachable: bool = False
    in_use: bool = False
    """His phone is in a call that we did not make."""
    ronas: int = 0
    """Offers in a row that he let ring in silence."""
    dialled: tuple[float, ...] = ()
    """When the calls of the last hour that he made left: whole seconds, for the limits of `core.tolls`."""
    serving: QueueName | None = None
    """The queue whose contact he serves, from the talk until the end of the wrap-up,"""
    serving_since: float | None = None
    """and since when."""
    intervals: int = 0
    """Number of his state intervals so far."""
    today: Today = Today()

    @property
    def offerable(self) -> bool:
        """May be given a contact now."""
        return self.state is AgentState.READY and self.leg is None


KEEPING_IDLE = {AgentState.READY, AgentState.RESERVED, AgentState.RINGING, AgentState.BUSY, AgentState.UNREACHABLE}
"""States that do not end an idle time: neither a ringing in vain nor his phone costs him his turn."""


class Signal(StrEnum):
    """What can happen to an agent, from wherever."""

    WISHED = "wished"
    """Ready, not ready or log out, by himself or a supervisor."""
    DIALLED = "dialled"
    """He called a number outside."""
    CALLED = "called"
    """A colleague calls him."""
    RESERVED = "reserved"
    RANG = "rang"
    ANSWERED = "answered"
    TOOK_OVER = "took_over"
    """A supervisor goes on with the talk that he listened to."""
    RELEASED = "released"
    """The offer came to nothing through no fault of his."""
    PAUSED = "paused"
    """The offer came to nothing on his side: RONA, busy, refused."""
    UNREACHED = "unreached"
    """The offer came to nothing because his phone does not answer INVITEs."""
    TALK_ENDED = "talk_ended"
    PHONE_LOST = "phone_lost"
    PHONE_BACK = "phone_back"
    PHONE_TAKEN = "phone_taken"
    PHONE_FREED = "phone_freed"
    TIME_UP = "time_up"


_S, _G = AgentState, Signal
_IDLE = (_S.NOT_READY, _S.READY, _S.WRAP_UP)
_SETTLE = "settle"
"""Go to `then`, as far as the phone allows."""

TRANSITIONS: dict[tuple[AgentState, Signal], AgentState | str] = {
    # his wish counts at once unless he is at work: then it is kept for afterwards
    **{(state, _G.WISHED): _SETTLE for state in (*_IDLE, _S.LOGGED_OUT, _S.BUSY, _S.UNREACHABLE)},
    # an offer
    (_S.READY, _G.RESERVED): _S.RESERVED,
    (_S.RESERVED, _G.RANG): _S.RINGING,
    (_S.RESERVED, _G.ANSWERED): _S.TALKING,
    (_S.RINGING, _G.ANSWERED): _S.TALKING,
    (_S.RESERVED, _G.RELEASED): _SETTLE,
    (_S.RINGING, _G.RELEASED): _SETTLE,
    (_S.TALKING, _G.RELEASED): _SETTLE,
    (_S.RESERVED, _G.PAUSED): _S.NOT_READY,
    (_S.RINGING, _G.PAUSED): _S.NOT_READY,
    (_S.RESERVED, _G.UNREACHED): _S.UNREACHABLE,
    (_S.RINGING, _G.UNREACHED): _S.UNREACHABLE,
    **{(state, _G.TOOK_OVER): _S.TALKING for state in (*_IDLE, _S.LOGGED_OUT, _S.BUSY, _S.UNREACHABLE)},
    (_S.TALKING, _G.TALK_ENDED): _S.WRAP_UP,
    # a call of his own
    **{(state, _G.DIALLED): _S.DIALLING for state in (*_IDLE, _S.LOGGED_OUT, _S.BUSY, _S.UNREACHABLE)},
    **{(state, _G.CALLED): _S.RESERVED for state in (*_IDLE, _S.LOGGED_OUT, _S.BUSY, _S.UNREACHABLE)},
    # a callback, or click-to-call: he has answered, and calls
    (_S.RESERVED, _G.DIALLED): _S.DIALLING,
    (_S.RINGING, _G.DIALLED): _S.DIALLING,
    (_S.DIALLING, _G.ANSWERED): _S.TALKING,
    (_S.DIALLING, _G.RELEASED): _SETTLE,
    (_S.WRAP_UP, _G.TIME_UP): _SETTLE,
    (_S.NOT_READY, _G.TIME_UP): _SETTLE,
    (_S.UNREACHABLE, _G.TIME_UP): _SETTLE,
    # his phone
    **{(state, _G.PHONE_LOST): _S.UNREACHABLE for state in (*_IDLE, _S.BUSY)},
    (_S.UNREACHABLE, _G.PHONE_BACK): _SETTLE,
    # (not out of his wrap-up: he dials a feature code in it, or asks a colleague about what he notes)
    **{(state, _G.PHONE_TAKEN): _S.BUSY for state in (_S.NOT_READY, _S.READY)},
    (_S.BUSY, _G.PHONE_FREED): _SETTLE,
}
"""What is not here changes nothing but the agent's notes (a phone lost in mid-talk is remembered, the talk goes on)."""


def advance(agent: Agent, signal: Signal, at: float, reason: str = "") -> Agent:
    """The agent after a signal; callers set `then`, `contact`, `leg`, `reachable`, `in_use` before it.

    `reason` is that of a pause; a wish made during the offer outlives the pause, so it wins.
    """
    target = TRANSITIONS.get((agent.state, signal))
    if target is None:
        return agent
    paused_anyway = target is _S.NOT_READY and agent.then is not _S.READY
    if target == _SETTLE or paused_anyway or (target is _S.UNREACHABLE and agent.then is _S.LOGGED_OUT):
        state = _settled(agent)
        reason, by = agent.then_reason, agent.then_by if state is agent.then else ""
    else:
        state, by = AgentState(target), ""
    reason = reason if state is _S.NOT_READY else ""
    if state is agent.state and reason == agent.reason:
        return agent
    at = max(at, agent.since)  # what was learnt late (from CEL, say) must not make his intervals overlap
    return replace(
        agent,
        state=state,
        since=at,
        reason=reason,
        by=by,
        idle_since=agent.idle_since if agent.state in KEEPING_IDLE else at,
        # A wrap-up or pause that his phone interrupted is over: its rest would only keep him from contacts.
        deadline=None,
    )


def counted(before: Agent, agent: Agent) -> Agent:
    """His day with what this change of state adds to it."""
    today = agent.today
    if today.ends_at is None or before.state is agent.state:
        return agent
    if before.state is _S.READY:
        today = replace(today, idle_s=today.idle_s + max(0.0, agent.since - max(before.since, today.began_at)))
    if agent.state is _S.TALKING:
        today = replace(today, contacts=today.contacts + 1)
    return replace(agent, today=today)


def _settled(agent: Agent) -> AgentState:
    if agent.then is _S.LOGGED_OUT:
        return _S.LOGGED_OUT
    if not agent.reachable:
        return _S.UNREACHABLE
    return _S.BUSY if agent.in_use else agent.then
