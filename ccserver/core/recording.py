"""The recording of a contact: by whose rule, which stretches of it are kept, and where it is silent.

MixMonitor runs on the leg of who called, from the first offer of a talk that is recorded until that leg ends: transfers and
restarts do not touch it. What of it is kept is decided here, talk by talk: all of the talk (`always`), what an operator asked
for (`on_demand`), or nothing. A pause (a card number is being said) is silence as long as the gap: it is commanded, so that
nothing is written, and it is noted, so that the archive sees to it even where the command came to nothing.
"""

from typing import Literal

from msgspec.structs import replace

from ccserver.core.commands import KeepRecording, SilenceRecording, StartRecording
from ccserver.core.contact import Contact, Direction, Recording, Segment, SegmentKind
from ccserver.core.events import Accepted, Answer, Event, RecordingStarted, Refused, SteerRecording
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, LegId, LineNumber, PromptName, QueueName, RecordingName
from ccserver.core.plan import Plan, RecordPolicy

RecordingState = Literal["off", "on", "paused"]

KEPT_MIN_S = 0.01
"""A stretch shorter than this is not kept: there is not one whole piece of sound in it."""


# --- by whose rule --------------------------------------------------------------------------------------------------------


def policy(plan: Plan, contact: Contact, queue: QueueName | None, agent: AgentId | None) -> RecordPolicy:
    """`never` beats, whoever says it; else the first who says anything: the operator, the queue (`[outbound]`), the line.

    Colleagues among themselves are never recorded.
    """
    if contact.direction is Direction.INTERNAL:
        return "never"
    operator, line = plan.operators.get(agent) if agent else None, plan.lines.get(contact.line)
    ours = plan.outbound if contact.direction is Direction.OUTBOUND else plan.queues.get(queue) if queue else None
    said = [_word(each.record) for each in (operator, ours, line) if each is not None and each.record is not None]
    return "never" if "never" in said else next(iter(said), "always")


def notice(plan: Plan, line: LineNumber, queue: QueueName) -> PromptName | None:
    """What a caller on this line is told before he waits there; None: nothing is, or no talk of his is recorded."""
    rules = (each.record for each in (plan.lines.get(line), plan.queues.get(queue)) if each is not None)
    never = any(record is not None and _word(record) == "never" for record in rules)
    return None if never else plan.recordings.announcement


def _word(record: RecordPolicy | bool) -> RecordPolicy:
    """Plans of old journals say true and false."""
    return record if isinstance(record, str) else "always" if record else "never"


# --- talk by talk ---------------------------------------------------------------------------------------------------------


def prepared(floor: Floor, contact: Contact, queue: QueueName | None, agent: AgentId | None) -> Contact:
    """Somebody is about to join: the recording begins before him, where all of his talk is to be kept."""
    wanted = policy(floor.plan_of(contact), contact, queue, agent) == "always"
    recording = contact.recording
    if recording is None:
        return replace(contact, recording=Recording(name=_name(contact))) if wanted else contact
    return replace(contact, recording=replace(recording, off=not wanted, begun_at=0.0))


def _name(contact: Contact) -> RecordingName:
    """One who is called back may have been recorded before, on a leg that is gone."""
    first = contact.callback is None and not contact.turned
    return RecordingName(contact.id if first else f"{contact.id}-{contact.made}")


def must_mix(contact: Contact, others: int) -> bool:
    """Whether the next to talk would be missing from the recording, were the sound just passed on; `others`: who talk by then."""
    return contact.recording is not None and contact.recording.voices + others > 1


def begun_before(contact: Contact) -> RecordingName | None:
    """What the command that brings the other party is told to record."""
    return contact.recording.name if contact.recording and not contact.recording.off else None


def talk_begins(floor: Floor, contact: Contact, talk: Segment) -> Contact:
    """The rule of who talks now counts, however he came to it."""
    unrecorded = contact.recording is None
    contact = prepared(floor, contact, talk.queue, talk.agent)
    if contact.recording is None:
        return contact
    if unrecorded:
        _start(floor, contact, contact.recording)
    return replace(contact, recording=replace(contact.recording, voices=contact.recording.voices + 1))


def talk_ended(floor: Floor, contact: Contact, talk: Segment) -> Contact:
    """What of it is kept; a pause ends with the talk."""
    if contact.recording is None or talk.ended_at is None:
        return contact
    recording = _resumed(floor, contact, contact.recording, talk.ended_at)
    return replace(contact, recording=_kept(recording, talk.started_at, talk.ended_at))


def _kept(recording: Recording, since: float, until: float) -> Recording:
    """The stretch under way is over."""
    begun_at = max(since, recording.begun_at)
    if not recording.off and until - begun_at >= KEPT_MIN_S:
        recording = replace(recording, talks=(*recording.talks, (begun_at, until)))
    return replace(recording, begun_at=0.0)


def started(floor: Floor, contact: Contact, event: RecordingStarted) -> None:
    """MixMonitor runs since then."""
    if contact.recording and contact.recording.started_at is None:
        floor.keep(replace(contact, recording=replace(contact.recording, started_at=event.at)))


# --- requests -------------------------------------------------------------------------------------------------------------


def steer(floor: Floor, request: SteerRecording) -> Answer:
    """Somebody wants the recording paused, resumed, begun or ended."""
    contact = floor.contacts.get(request.contact)
    if contact is None:
        return Refused(f"contact {request.contact} does not go on")
    talk = contact.segment
    if talk is None or talk.kind is not SegmentKind.TALK:
        return Refused("nobody talks in it now: there is nothing to record")
    at = max(request.at, talk.started_at)
    match request.action:
        case "start":
            return _begin(floor, contact, talk, at)
        case "stop":
            return _end(floor, contact, talk, at)
        case "pause":
            return _pause(floor, contact, at)
        case "resume":
            return _resume(floor, contact, at)


def _begin(floor: Floor, contact: Contact, talk: Segment, at: float) -> Answer:
    if policy(floor.plan_of(contact), contact, talk.queue, talk.agent) == "never":
        return Refused("this talk may not be recorded: `record` says never for its operator, queue or line")
    if is_kept(contact):
        return Refused("it is being recorded already")
    recording = contact.recording or Recording(name=_name(contact))
    if recording.started_at is None:
        _start(floor, contact, recording)
    floor.keep(replace(contact, recording=replace(recording, off=False, begun_at=at)))
    return Accepted()


def _end(floor: Floor, contact: Contact, talk: Segment, at: float) -> Answer:
    if contact.recording is None or contact.recording.off:
        return Refused("it is not being recorded")
    if policy(floor.plan_of(contact), contact, talk.queue, talk.agent) == "always":
        return Refused("all of this talk is recorded, by its rule: it can only be paused")
    recording = _kept(_resumed(floor, contact, contact.recording, at), talk.started_at, at)
    floor.keep(replace(contact, recording=replace(recording, off=True)))
    return Accepted()


def _pause(floor: Floor, contact: Contact, at: float) -> Answer:
    recording = contact.recording
    if recording is None or recording.off:
        return Refused("it is not being recorded")
    if recording.paused_at is None:
        recording = replace(recording, paused_at=at)
        _silence(floor, contact, silent=True)
    resume_at = floor.now + floor.plan_of(contact).recordings.pause_max_s
    floor.keep(replace(contact, recording=replace(recording, resume_at=resume_at)))
    return Accepted()


def _resume(floor: Floor, contact: Contact, at: float) -> Answer:
    if contact.recording is None or contact.recording.paused_at is None:
        return Refused("it is not paused")
    floor.keep(replace(contact, recording=_resumed(floor, contact, contact.recording, at)))
    return Accepted()


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """Nobody resumed it: what was not to be heard has long been said."""
    recording = contact.recording
    if recording and recording.resume_at is not None and recording.resume_at <= floor.now:
        floor.keep(replace(contact, recording=_resumed(floor, contact, recording, event.at)))


def _resumed(floor: Floor, contact: Contact, recording: Recording, at: float) -> Recording:
    if recording.paused_at is None:
        return recording
    _silence(floor, contact, silent=False)
    gap = (recording.paused_at, max(at, recording.paused_at))
    return replace(recording, gaps=(*recording.gaps, gap), paused_at=None, resume_at=None)


def is_kept(contact: Contact) -> bool:
    """What is said now will be heard later, unless it is paused."""
    return contact.recording is not None and not contact.recording.off


def state_of(contact: Contact) -> RecordingState:
    """Of the talk under way; where nobody talks it is off."""
    recording, talk = contact.recording, contact.segment
    if recording is None or recording.off or talk is None or talk.kind is not SegmentKind.TALK:
        return "off"
    return "on" if recording.paused_at is None else "paused"


# --- commands -------------------------------------------------------------------------------------------------------------


def take_up(floor: Floor, contact: Contact) -> None:
    """After a gap: what the talk under way calls for, once more."""
    recording, talk = contact.recording, contact.segment
    if recording is None or talk is None or talk.kind is not SegmentKind.TALK:
        return
    if recording.started_at is None and not recording.off and recording.leg is None:
        _start(floor, contact, recording)
    if recording.paused_at is not None or recording.gaps:
        _silence(floor, contact, silent=recording.paused_at is not None)


def _start(floor: Floor, contact: Contact, recording: Recording) -> None:
    floor.command(StartRecording(contact.leg, recording.name, contact.led_by_operator, lane=contact.id))


def _silence(floor: Floor, contact: Contact, *, silent: bool) -> None:
    leg = contact.recording.leg if contact.recording else None
    floor.command(SilenceRecording(leg or contact.leg, silent, lane=contact.id))


def keep(contact: Contact, recording: Recording) -> KeepRecording:
    """To the archive; repeating it does no harm."""
    leg = recording.leg or contact.leg
    return KeepRecording(contact.id, recording.name, leg, recording.talks, recording.gaps, lane=contact.id)


def agent_gone(contact: Contact, leg: LegId) -> Contact:
    """What ran on the leg of the operator who called ends with it; whoever talks next is recorded on the customer's."""
    recording = contact.recording
    if recording is None or recording.leg != leg:
        return contact
    return replace(contact, recording=None, recorded=(*contact.recorded, recording))
