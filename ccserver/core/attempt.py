"""One try to reach a customer, by one trunk: the state table of an Attempt.

    DIALLING --LegRinging--> RINGING --LegAnswered--> ANSWERED --LegEnded--> CLOSED
        \\____________________|____LegEnded____> CLOSED

Whose "no" it was decides what comes next. The trunk's (it is full, broken, or says nothing) sends the call to the next trunk;
that of the customer's side (busy, no answer, declined, no such number) any trunk would only repeat.

A leg that we hang up ourselves is on its trunk until its end is a fact: until then `giving_up` says how it will have ended.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from ccserver.core.events import LegAnswered, LegEnded, LegRinging
from ccserver.core.ids import AttemptId, ContactId, LegId, TrunkName, leg_of_attempt


class AttemptState(StrEnum):
    """Where an attempt stands."""

    DIALLING = "dialling"
    RINGING = "ringing"
    ANSWERED = "answered"
    CLOSED = "closed"


class AttemptOutcome(StrEnum):
    """How an attempt ended; each has exactly one."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    NO_SUCH_NUMBER = "no_such_number"
    REFUSED = "refused"
    """The trunk did not take it: overloaded, out of order, no route, no permission."""
    SILENT = "silent"
    """The trunk gave no sign of the called side in time."""
    CANCELLED = "cancelled"
    """The operator hung up."""
    FAILED = "failed"
    """Our side could not make or keep the leg (Asterisk refused, or died)."""


TRUNKS_FAULT = frozenset({AttemptOutcome.REFUSED, AttemptOutcome.SILENT})
"""Another trunk may do better."""


class Attempt(Struct, frozen=True, kw_only=True):
    """Immutable; every change is a new value, written to the journal with its contact."""

    id: AttemptId
    contact: ContactId
    trunk: TrunkName
    number: str
    """As the trunk was given it."""
    made_at: float
    why: str
    """Why this trunk, in words."""
    reach_deadline: float
    ring_deadline: float
    state: AttemptState = AttemptState.DIALLING
    giving_up: AttemptOutcome | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    outcome: AttemptOutcome | None = None
    cause: int | None = None
    """Q.850, of one that was not answered."""
    sip_status: int | None = None

    @property
    def leg(self) -> LegId:
        """The customer's leg."""
        return leg_of_attempt(self.id)

    @property
    def deadline(self) -> float | None:
        """When silence becomes an outcome."""
        if self.giving_up is not None:
            return None
        if self.state is AttemptState.DIALLING:
            return self.reach_deadline
        return self.ring_deadline if self.state is AttemptState.RINGING else None

    @property
    def ring_s(self) -> float:
        """How long the customer's phone rang, seconds."""
        if self.ringing_at is None:
            return 0.0
        end = self.answered_at if self.answered_at is not None else self.ended_at
        return max(0.0, end - self.ringing_at) if end is not None else 0.0

    @property
    def told(self) -> str:
        """What became of it, for people: `mtt refused (SIP 503)`."""
        words = str(self.outcome or self.state).replace("_", " ")
        if self.outcome in {AttemptOutcome.SILENT, AttemptOutcome.CANCELLED, AttemptOutcome.ANSWERED}:
            return f"{self.trunk}: {words}"
        if self.sip_status is not None:
            return f"{self.trunk}: {words} (SIP {self.sip_status})"
        return f"{self.trunk}: {words} (cause {self.cause})" if self.cause else f"{self.trunk}: {words}"


def closed(attempt: Attempt, outcome: AttemptOutcome, at: float) -> Attempt:
    """The attempt with its one outcome; one that was answered keeps that."""
    if attempt.state is AttemptState.CLOSED:
        return attempt
    return replace(
        attempt, state=AttemptState.CLOSED, outcome=attempt.outcome or outcome, ended_at=max(at, attempt.made_at)
    )


def _ring(attempt: Attempt, event: LegRinging) -> Attempt:
    return replace(attempt, state=AttemptState.RINGING, ringing_at=max(event.at, attempt.made_at))


def _answer(attempt: Attempt, event: LegAnswered) -> Attempt:
    """Also while we give it up: he was faster."""
    at = max(event.at, attempt.ringing_at or attempt.made_at)
    return replace(
        attempt,
        state=AttemptState.ANSWERED,
        outcome=AttemptOutcome.ANSWERED,
        answered_at=at,
        giving_up=None,
    )


def _end(attempt: Attempt, event: LegEnded) -> Attempt:
    outcome = attempt.giving_up or failure(event, rang=attempt.state is AttemptState.RINGING)
    return closed(replace(attempt, cause=event.cause, sip_status=event.sip_status), outcome, event.at)


def _hang_up(attempt: Attempt, event: LegEnded) -> Attempt:
    return closed(attempt, AttemptOutcome.ANSWERED, event.at)


TRANSITIONS = {
    (AttemptState.DIALLING, LegRinging): _ring,
    (AttemptState.DIALLING, LegAnswered): _answer,
    (AttemptState.DIALLING, LegEnded): _end,
    (AttemptState.RINGING, LegAnswered): _answer,
    (AttemptState.RINGING, LegEnded): _end,
    (AttemptState.ANSWERED, LegEnded): _hang_up,
}
"""What is not here changes nothing: an answer told twice, a ringing that the answer overtook."""


def advance(attempt: Attempt, event: LegRinging | LegAnswered | LegEnded) -> Attempt:
    """The attempt after a fact about its leg."""
    transition = TRANSITIONS.get((attempt.state, type(event)))
    return transition(attempt, event) if transition else attempt  # type: ignore[operator]


_O = AttemptOutcome
_BY_SIP = {
    486: _O.BUSY,
    600: _O.BUSY,
    603: _O.DECLINED,
    607: _O.DECLINED,
    404: _O.NO_SUCH_NUMBER,
    410: _O.NO_SUCH_NUMBER,
    484: _O.NO_SUCH_NUMBER,
    604: _O.NO_SUCH_NUMBER,
    480: _O.NO_ANSWER,
    487: _O.NO_ANSWER,
}
"""All else is the trunk's: 5xx, 408, and what it says of us (401, 403, 407) or of our codecs (488)."""
_BY_CAUSE = {
    17: _O.BUSY,
    21: _O.DECLINED,
    1: _O.NO_SUCH_NUMBER,
    22: _O.NO_SUCH_NUMBER,
    28: _O.NO_SUCH_NUMBER,
    18: _O.NO_ANSWER,
    19: _O.NO_ANSWER,
    20: _O.NO_ANSWER,
}
_SILENCE_SIP = 408
_SILENCE_CAUSES = {0, 16}
"""Asterisk's own dial limit ended the leg while we were away."""


def failure(event: LegEnded, *, rang: bool) -> AttemptOutcome:
    """Why a leg ended before an answer, from the SIP status first and Q.850 second."""
    if event.lost:
        return AttemptOutcome.FAILED
    if event.sip_status is None:
        silence = AttemptOutcome.NO_ANSWER if rang else AttemptOutcome.SILENT
        return silence if event.cause in _SILENCE_CAUSES else _BY_CAUSE.get(event.cause, AttemptOutcome.REFUSED)
    if rang and event.sip_status == _SILENCE_SIP:
        return AttemptOutcome.NO_ANSWER
    return _BY_SIP.get(event.sip_status, AttemptOutcome.REFUSED)
