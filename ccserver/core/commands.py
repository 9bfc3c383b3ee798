"""Everything that can go out: imperatives for the connectors, with ids chosen here so that a repeated command does no harm.

A connector performs the commands of one `lane` in order and answers later, as events; it never refuses. Lanes: the
contact's id, or the leg's id for a leg that belongs to no contact.
"""

from collections.abc import Mapping

from msgspec import Struct

from ccserver.core.ids import (
    AgentId,
    AttemptId,
    ContactId,
    InquiryId,
    Language,
    LegId,
    NodeName,
    OfferId,
    PlanHash,
    PlayId,
    RecordingName,
    TrunkName,
)
from ccserver.core.lookup import Lookup
from ccserver.core.supervision import Listening


class _Command(Struct, frozen=True, tag=True, kw_only=True):
    lane: str


class TakeLeg(_Command, frozen=True):
    """Disarm the dead-man's timeout of who called and write the contact's id on the channel; he goes on unanswered."""

    leg: LegId
    language: Language


class AnswerLeg(_Command, frozen=True):
    """Pick up who called; also does what `TakeLeg` does, unless that is done already."""

    leg: LegId
    language: Language


class SetLanguage(_Command, frozen=True):
    """Change the channel's language."""

    leg: LegId
    language: Language


class PlayPrompts(_Command, frozen=True):
    """Play the items as one playback; answered by `PlayFinished`. Items as in `plan.Say.prompts`, variables filled in."""

    leg: LegId
    play: PlayId
    items: tuple[str, ...]
    language: Language


class StopPlay(_Command, frozen=True):
    """Stop a playback, running or not begun."""

    leg: LegId
    play: PlayId


class StartMusic(_Command, frozen=True):
    """Hold music for the caller, wherever he waits; harmless when it already plays."""

    leg: LegId
    music: str


class OfferContact(_Command, frozen=True):
    """Make the agent's leg, join it with the caller's in the contact's bridge under music, start the recording, dial."""

    offer: OfferId
    leg: LegId | None
    """The caller's; None: he is to be called back, and the agent's stands alone in the bridge."""
    agent: AgentId
    ani: str
    music: str
    """Empty: what the agent's phone lets be heard, its ringing above all."""
    ring_timeout_s: float
    """Asterisk's own limit, beyond ours: it counts only when we are away."""
    recording: RecordingName | None
    aside: LegId | None = None
    """Of the agent who consults: he waits aside for whom we call, and `leg` hears music until it is taken back."""
    shown: str = ""
    """What his phone shows besides the caller's number; empty: the caller's own name."""
    auto_answer: bool = False
    """His phone is asked to pick up by itself."""
    mixed: bool = False
    """In a bridge that mixes, for the recording's sake (docs/reference/asterisk.md, 51)."""


class WhisperPrompts(_Command, frozen=True):
    """Say something to the agent alone, who has picked up: the caller goes on hearing music. Answered by `PlayFinished`.

    He stands in the contact's bridge already, so they hear each other when it has been said, even if we are dead by then.
    """

    offer: OfferId
    play: PlayId
    items: tuple[str, ...]
    language: Language


class EndWhisper(_Command, frozen=True):
    """Whatever is still being said of it ends."""

    offer: OfferId
    play: PlayId


class TellLeg(_Command, frozen=True):
    """Say something to one who stands in a bridge, and to nobody else there; meanwhile he does not hear them."""

    leg: LegId
    play: PlayId
    items: tuple[str, ...]
    language: Language
    refused: str = ""
    """Why what he wanted was not done, for the log."""


class LetDialplanDial(_Command, frozen=True):
    """The dialplan connects this phone with a colleague's by itself; the leg is no more ours."""

    leg: LegId
    extension: str


class WithdrawOffer(_Command, frozen=True):
    """Stop the agent's phone ringing."""

    offer: OfferId
    elsewhere: bool = False
    """Tell the phone that the call was completed elsewhere (it shows no missed call)."""


class JoinLegs(_Command, frozen=True):
    """The agent answered: stop the music (audio already flows)."""

    leg: LegId
    offer: OfferId


class SeatLegs(_Command, frozen=True):
    """Who hears whom: all who are `together`, and apart from them those `aside`; harmless when it is so already."""

    leg: LegId
    """The caller's, whichever of the two he is among."""
    together: tuple[LegId, ...]
    aside: tuple[LegId, ...] = ()
    music: str = ""
    """For those together; empty: they hear one another."""
    mixed: bool = False
    """As in `OfferContact`."""


class DialCustomer(_Command, frozen=True):
    """Make the customer's leg, join it with the operator's in the contact's bridge, start the recording, dial."""

    attempt: AttemptId
    leg: LegId | None
    """The operator's; None: nobody is there before the customer answers."""
    trunk: TrunkName
    number: str
    """As the trunk wants it, and so is `caller_id`, which the customer sees."""
    caller_id: str
    ring_timeout_s: float
    """Asterisk's own limit, as in `OfferContact`."""
    recording: RecordingName | None
    aside: LegId | None = None
    """As in `OfferContact`; then, and when nobody but the customer is there, `leg` is his."""
    music: str = ""
    """What a customer hears, whether another waits aside for the one who is called or he himself does; empty: how it rings."""
    mixed: bool = False
    """As in `OfferContact`."""


class StartRecording(_Command, frozen=True):
    """Record the talk from now on, where nothing did before; answered by `RecordingStarted`."""

    leg: LegId
    recording: RecordingName
    by_operator: bool = False
    """The leg is the operator's: what it hears is the customer."""


class SilenceRecording(_Command, frozen=True):
    """Write silence from now on, on both sides, or sound again; harmless when it is so already."""

    leg: LegId
    silent: bool


class CallSupervisor(_Command, frozen=True):
    """Make a supervisor's leg, let it hear the agent's leg from aside, dial: he hears the talk the moment he answers."""

    leg: LegId
    supervisor: AgentId
    agent: AgentId
    """Whose talk it is; the supervisor's phone shows him."""
    spied: LegId
    """The agent's leg."""
    mode: Listening
    ring_timeout_s: float


class SpyOn(_Command, frozen=True):
    """From now on in this mode; harmless when it is so already."""

    leg: LegId
    """The supervisor's."""
    spied: LegId
    mode: Listening


class EndSupervision(_Command, frozen=True):
    """Nobody listens any more: hang up the supervisor's leg, and remove what it listened by."""

    leg: LegId
    stays: bool = False
    """He took the talk over: his leg is in it."""
    told: bool = False
    """He is on the line still, and it was not he who ended it: he hears the tone of a line that was hung up first."""


class RecordVoicemail(_Command, frozen=True):
    """Beep and record the caller; answered by `VoicemailRecorded`."""

    leg: LegId
    recording: RecordingName
    max_s: int
    silence_s: int


class AskLookup(_Command, frozen=True):
    """Ask another computer for the caller; answered by `InquiryAnswered`, with `found`, `not_found` or `failed`."""

    inquiry: InquiryId
    lookup: Lookup
    url: str
    """With the caller's own variables in it: never logged."""


class LendLeg(_Command, frozen=True):
    """Hand the caller to the admin's dialplan; where it returns, `InquiryAnswered` tells `returned`, and what it brings."""

    leg: LegId
    inquiry: InquiryId
    context: str
    extension: str
    variables: Mapping[str, str]
    """What the dialplan is told,"""
    take: tuple[str, ...]
    """and the variables that it may set."""


class RunFunction(_Command, frozen=True):
    """Ask a function of the admin's own; answered by `InquiryAnswered`: `next`, one of the ways, or `failed`."""

    inquiry: InquiryId
    plan: PlanHash
    """Whose text of it runs."""
    function: str
    variables: Mapping[str, str]
    ways: tuple[str, ...]
    take: tuple[str, ...]
    timeout_s: float


class HangUpLeg(_Command, frozen=True):
    """End a leg; a leg that is gone already is no failure."""

    leg: LegId
    cause: int = 16
    reason: str = ""
    """For the log, where somebody may ask why."""


class FinishTransfer(_Command, frozen=True):
    """Remove what Asterisk has made of a transfer by a phone's key, once the phone knows how it ended.

    Done, the phone is told so and hangs up, or is hung up; `refused`, it is told that, and its leg goes on.
    """

    leg: LegId
    """The phone's."""
    refused: str = ""
    """Why, for the log; empty: it is done."""


class ReleaseContact(_Command, frozen=True):
    """Nothing of the contact lives any more: remove its bridge, and hang up what the node may still hold."""

    contact: ContactId


class KeepRecording(_Command, frozen=True):
    """Trim the finished recording to the talks, merge to stereo, archive; answered by `RecordingKept` or `RecordingLost`."""

    contact: ContactId
    recording: RecordingName
    leg: LegId
    talks: tuple[tuple[float, float], ...]
    """(from, to) of each talk, UTC epoch seconds; none: nobody talked, the raw files go."""
    gaps: tuple[tuple[float, float], ...] = ()
    """Where it must be silent, whatever the raw files hold."""


class ListNode(_Command, frozen=True):
    """Tell what the node holds; answered by `NodeListed`."""

    node: NodeName
    gap: bool
    expected: tuple[LegId, ...]
    """Legs whose history is wanted where the node does not list them."""
    since: float
    """No expected leg is older than this (bounds the search of CEL)."""


Command = (
    TakeLeg
    | AnswerLeg
    | SetLanguage
    | PlayPrompts
    | StopPlay
    | StartMusic
    | OfferContact
    | LetDialplanDial
    | WhisperPrompts
    | EndWhisper
    | TellLeg
    | WithdrawOffer
    | JoinLegs
    | SeatLegs
    | DialCustomer
    | StartRecording
    | SilenceRecording
    | CallSupervisor
    | SpyOn
    | EndSupervision
    | RecordVoicemail
    | AskLookup
    | LendLeg
    | RunFunction
    | HangUpLeg
    | FinishTransfer
    | ReleaseContact
    | KeepRecording
    | ListNode
)
