"""A supervisor in a talk: the value of a Supervision, and what he may do in it.

    RINGING --his phone answers--> LISTEN <--> WHISPER <--> BARGE --> he has taken over, and is the agent
         \\___________ he hangs up, or the talk ends ___________/

He hears both. Whispering, only the agent hears him; barging in, both do. None of it touches the legs of the talk: he listens
to the agent's leg from aside, and when he, we or his phone die the talk goes on as it was.
"""

from typing import Literal, get_args

from msgspec import Struct

from ccserver.core.ids import AgentId, ContactId, LegId
from ccserver.core.steps import Key

Listening = Literal["listen", "whisper", "barge"]
SupervisionMode = Literal["listen", "whisper", "barge", "take_over"]
KEYS: dict[Key, SupervisionMode] = {"4": "listen", "5": "whisper", "6": "barge", "8": "take_over"}
"""What he presses to go from one to another."""
MODES: tuple[SupervisionMode, ...] = get_args(SupervisionMode)


class Supervision(Struct, frozen=True, kw_only=True):
    """Immutable; the last one written is who listened to whom, when and how."""

    leg: LegId
    """The supervisor's; `<contact>.s<n>`."""
    contact: ContactId
    supervisor: AgentId
    agent: AgentId
    """Whose talk it is."""
    spied: LegId
    """The agent's leg."""
    made_at: float
    modes: tuple[tuple[float, SupervisionMode], ...]
    """Each mode with the time from which it was wanted; before `answered_at` nothing was heard."""
    answered_at: float | None = None
    ended_at: float | None = None

    @property
    def mode(self) -> SupervisionMode:
        """What he does now, or will when he has answered."""
        return self.modes[-1][1]
