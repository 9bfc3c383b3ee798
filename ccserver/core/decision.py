"""Why: what is kept of a decision, because nobody could reckon it afterwards. `core.explain` makes them, `api.stories` words.

A `Decision` is about one contact: it was offered to this agent, or nobody could take it when it began to wait. A `Shortage`
is about all contacts of one need: from now on nobody takes them for that reason.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from ccserver.core.agent import AgentState
from ccserver.core.ids import AgentId, ContactId, QueueName
from ccserver.core.steps import SkillNeed


class Lack(StrEnum):
    """Why nobody takes a contact, of all who are able to."""

    NOBODY_ABLE = "nobody_able"
    """The configuration has nobody."""
    NOBODY_LOGGED_IN = "nobody_logged_in"
    PHONES_AWAY = "phones_away"
    """Who is logged in has no phone that is registered, or takes a break."""
    BREAKS = "breaks"
    """Who is logged in is not ready."""
    AT_WORK = "at_work"
    """Who is logged in serves others, or rings, or finishes."""
    NODE_BUSY = "node_busy"
    """Somebody is free, and Asterisk is making as many offers as it may at once."""


class Candidate(Struct, frozen=True):
    """An idle agent who was not chosen; of many who can the same, the one who comes first."""

    agent: AgentId
    idle_since: float
    lacks: str = ""
    """Why he may not serve the contact, for people; empty: he comes after the one who was chosen."""


class Decision(Struct, frozen=True, kw_only=True):
    """About one contact at one moment: while it is in the queue of its segment number so much."""

    contact: ContactId
    segment: int
    offer: int
    """The offer's number, with which its id ends; 0: there is none, nobody could take it."""
    at: float
    queue: QueueName
    needs: tuple[SkillNeed, ...]
    ahead: int
    """Contacts of its queue that are served before it; 0 of an offer."""
    able: Mapping[AgentState, int]
    """What those do who are able to serve it, how many each."""
    also: tuple[QueueName, ...] = ()
    """Whose agents may take it besides those of its queue."""
    eased: str = ""
    """What it asked less by then than at first, for people."""
    asked: AgentId | None = None
    """Who is asked for by name; `able` is then about him alone,"""
    only_until: float | None = None
    """until then: afterwards everybody who has what it needs; None: nobody else ever."""
    agent: AgentId | None = None
    """Who was chosen; None: nobody could take it."""
    why: str = ""
    """Of the choice, for people."""
    idle_since: float | None = None
    """Since when the chosen one had no contact."""
    lack: Lack | None = None
    """Why nobody was."""
    others: tuple[Candidate, ...] = ()
    """A few who were not, of so many"""
    idle: int = 0
    """who had nothing to do, the chosen one among them, able or not."""


class Shortage(Struct, frozen=True, kw_only=True):
    """Since `at` nobody takes contacts of this need for that reason, and some wait."""

    queue: QueueName
    needs: tuple[SkillNeed, ...]
    at: float
    lack: Lack
    able: Mapping[AgentState, int]
    also: tuple[QueueName, ...] = ()
