"""The contact in its flow: arrival, keys, playbacks, voicemail. Turns what the interpreter says into commands."""

from msgspec.structs import replace

from ccserver.core import flow
from ccserver.core.calendar import closes_at
from ccserver.core.commands import (
    AnswerLeg,
    HangUpLeg,
    PlayPrompts,
    RecordVoicemail,
    ReleaseContact,
    SetLanguage,
    StartMusic,
    StopPlay,
)
from ccserver.core.contact import (
    Contact,
    ContactOutcome,
    ContactState,
    FlowPosition,
    Place,
    SegmentKind,
    SegmentOutcome,
    closed_segment,
    opened,
)
from ccserver.core.events import ContactArrived, Event, KeyPressed, PlayFinished, VoicemailRecorded
from ccserver.core.floor import Floor
from ccserver.core.flow import FlowTurn, Scene
from ccserver.core.ids import RecordingName
from ccserver.core.numbers import canonical
from ccserver.core.plan import Enqueue
from ccserver.core.records import RecordingSaved, SegmentSaved

NO_SUCH_NUMBER = 1
"""Q.850: unallocated number."""


def arrive(floor: Floor, event: ContactArrived) -> None:
    """A customer on a line: pick up and begin its flow."""
    line = floor.line_called(event.line)
    if line is None:
        reason = f"{event.line or 'no number'}, dialled on {event.trunk or 'a phone'}, is none of our lines"
        floor.command(HangUpLeg(event.leg, NO_SUCH_NUMBER, reason, lane=event.leg))
        floor.command(ReleaseContact(event.contact, lane=event.leg))
        if event.trunk is not None:
            floor.misdialled[event.trunk] = floor.misdialled.get(event.trunk, 0) + 1
        return
    ani = canonical(event.ani, floor.rules.region)
    contact = Contact(
        id=event.contact,
        node=event.node,
        leg=event.leg,
        line=line.number,
        ani=ani,
        language=line.language,
        plan=floor.plan.hash,
        arrived_at=event.arrived_at,
        entered_at=event.at,
        trunk=event.trunk,
        flow=FlowPosition(flow=line.flow, step=floor.plan.flows[line.flow].start),
        variables={"line": line.number, "ani": ani},
    )
    floor.command(AnswerLeg(event.leg, line.language, lane=contact.id))
    contact = _open_flow(floor, contact, event.at)
    apply(floor, contact, flow.begin(scene(floor, contact)), event.at)


def scene(floor: Floor, contact: Contact) -> Scene:
    """What the interpreter may know of the contact."""
    assert contact.flow is not None
    return Scene(
        flow=floor.plan_of(contact).flows[contact.flow.flow],
        position=contact.flow,
        variables=contact.variables,
        language=contact.language,
        calendars=floor.plan_of(contact).calendars,
        now=floor.now,
        next_play=floor.next_play(contact),
        next_recording=RecordingName(f"{contact.id}-voicemail{contact.plays + 1}"),
    )


def key_pressed(floor: Floor, contact: Contact, event: KeyPressed) -> None:
    """A key, in the flow."""
    apply(floor, contact, flow.key_pressed(scene(floor, contact), event.key), event.at)


def play_finished(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """A playback ended, in the flow; one that we stopped, or that his leaving us cut off, is of no interest."""
    if contact.flow and contact.flow.play == event.play and not contact.away:
        apply(floor, contact, flow.play_finished(scene(floor, contact)), event.at)


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """Silence, in the flow."""
    apply(floor, contact, flow.time_up(scene(floor, contact)), event.at)


def voicemail_recorded(floor: Floor, contact: Contact, event: VoicemailRecorded) -> None:
    """The message is on disk (or empty); a leg's end may overtake this, see `keep_voicemail`."""
    keep_voicemail(floor, event)
    if contact.flow and contact.flow.recording == event.recording:
        contact = replace(contact, outcome=ContactOutcome.VOICEMAIL if event.duration_s > 0 else contact.outcome)
        apply(floor, contact, flow.recorded(scene(floor, contact)), event.at)


def keep_voicemail(floor: Floor, event: VoicemailRecorded) -> None:
    """Note the message, whatever became of the contact meanwhile."""
    if event.duration_s > 0:
        floor.record(
            RecordingSaved(
                contact=event.contact,
                recording=event.recording,
                kind="voicemail",
                path=event.path,
                duration_s=event.duration_s,
            )
        )


def resume(floor: Floor, contact: Contact, at: float) -> None:
    """Something was missed: the step under way begins again."""
    apply(floor, contact, flow.resume(scene(floor, contact)), at)


def overflow(floor: Floor, contact: Contact, event: Event) -> None:
    """Nobody came in time, or the queue closes: the place is given up and the flow goes on."""
    place = contact.place
    assert place is not None
    closes = place.closes_at is not None and place.closes_at <= floor.now
    target = place.closed if closes else place.otherwise
    assert target is not None
    if place.play is not None:
        floor.command(StopPlay(contact.leg, place.play, lane=contact.id))
    outcome = SegmentOutcome.CLOSED_OUT if closes else SegmentOutcome.OVERFLOWED
    contact = close_segment(floor, contact, outcome, event.at)
    contact = replace(contact, place=None, state=ContactState.FLOW)
    contact = _open_flow(floor, contact, event.at)
    apply(floor, contact, flow.go(scene(floor, contact), target), event.at)


def announced(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """The announcement is over: music."""
    if contact.place and contact.place.play == event.play:
        contact = floor.keep(replace(contact, place=replace(contact.place, play=None)))
        play_music(floor, contact)


def settle(floor: Floor) -> None:
    """Whoever began to wait in this step and got nobody hears the announcement, then music."""
    for contact_id in floor.unsettled:
        contact = floor.contacts.get(contact_id)
        if contact is None or contact.state is not ContactState.WAITING or contact.place is None or contact.away:
            continue
        step = _enqueue_step(floor, contact)
        if not step.announce:
            play_music(floor, contact)
            continue
        play, items = floor.next_play(contact), flow.filled(scene(floor, contact), step.announce)
        floor.command(PlayPrompts(contact.leg, play, items, contact.language, lane=contact.id))
        floor.keep(replace(contact, plays=contact.plays + 1, place=replace(contact.place, play=play)))
    floor.unsettled.clear()


def play_music(floor: Floor, contact: Contact) -> None:
    """Hold music of the contact's queue."""
    assert contact.place is not None
    floor.command(StartMusic(contact.leg, music(floor, contact), lane=contact.id))


def music(floor: Floor, contact: Contact) -> str:
    """The hold music of the contact's queue."""
    assert contact.place is not None
    return floor.plan_of(contact).queues[contact.place.queue].music


def close_segment(floor: Floor, contact: Contact, outcome: SegmentOutcome, at: float) -> Contact:
    """The open segment ends with its one outcome."""
    contact, segment = closed_segment(contact, outcome, at)
    floor.record(SegmentSaved(segment))
    return contact


def open_segment(floor: Floor, contact: Contact, kind: SegmentKind, at: float, **about: object) -> Contact:
    """The next segment begins."""
    contact = opened(contact, kind, at, **about)
    assert contact.segment is not None
    floor.record(SegmentSaved(contact.segment))
    return contact


def _open_flow(floor: Floor, contact: Contact, at: float) -> Contact:
    assert contact.flow is not None
    return open_segment(floor, contact, SegmentKind.FLOW, at, flow=contact.flow.flow)


def apply(floor: Floor, contact: Contact, turn: FlowTurn, at: float) -> None:
    """Carry out what the interpreter decided, in its order."""
    contact = replace(contact, flow=turn.position, variables=turn.variables, language=turn.language)
    for effect in turn.effects:
        match effect:
            case flow.Speak(items):
                assert turn.position.play is not None
                play = PlayPrompts(contact.leg, turn.position.play, items, contact.language, lane=contact.id)
                contact = replace(contact, plays=contact.plays + 1)
                floor.command(play)
            case flow.Hush(play_id):
                floor.command(StopPlay(contact.leg, play_id, lane=contact.id))
            case flow.SpeakLanguage(language):
                floor.command(SetLanguage(contact.leg, language, lane=contact.id))
            case flow.Record(step):
                assert turn.position.recording is not None
                contact = replace(contact, plays=contact.plays + 1)
                floor.command(
                    RecordVoicemail(contact.leg, turn.position.recording, step.max_s, step.silence_s, lane=contact.id)
                )
            case flow.JoinQueue(step):
                contact = _join_queue(floor, contact, step, at)
            case flow.Finish(failed):
                contact = _finish(floor, contact, at, failed=failed)
    floor.keep(contact)


def _join_queue(floor: Floor, contact: Contact, step: Enqueue, at: float) -> Contact:
    """A place in the queue: its order is fixed here and never changes."""
    plan = floor.plan_of(contact)
    queue = plan.queues[step.queue]
    contact = close_segment(floor, contact, SegmentOutcome.QUEUED, at)
    contact = open_segment(floor, contact, SegmentKind.QUEUE, at, queue=step.queue)
    place = Place(
        queue=step.queue,
        needs=tuple(sorted({*queue.skills, *step.skills})),
        entered_at=at,
        order=at - queue.priority_s - step.priority_s,
        deadline=None if step.max_wait_s is None else floor.now + step.max_wait_s,
        otherwise=step.otherwise,
        closes_at=closes_at(plan.calendars[step.calendar], floor.now) if step.calendar and step.closed else None,
        closed=step.closed,
    )
    floor.unsettled[contact.id] = None
    return replace(contact, state=ContactState.WAITING, place=place, first_queue=contact.first_queue or step.queue)


def _finish(floor: Floor, contact: Contact, at: float, *, failed: bool) -> Contact:
    """The flow is over: hang up; the contact closes when its leg's end is a fact."""
    ended = SegmentOutcome.FAILED if failed else SegmentOutcome.COMPLETED
    if contact.outcome is ContactOutcome.VOICEMAIL:
        ended = SegmentOutcome.VOICEMAIL
    contact = close_segment(floor, contact, ended, at)
    floor.command(HangUpLeg(contact.leg, lane=contact.id))
    outcome = contact.outcome or (ContactOutcome.FAILED if failed else ContactOutcome.FLOW_COMPLETED)
    if contact.first_queue is not None and outcome is ContactOutcome.FLOW_COMPLETED:
        outcome = ContactOutcome.OVERFLOWED
    return replace(contact, state=ContactState.CLOSING, outcome=outcome)


def _enqueue_step(floor: Floor, contact: Contact) -> Enqueue:
    assert contact.flow is not None
    step = floor.plan_of(contact).flows[contact.flow.flow].steps[contact.flow.step]
    assert isinstance(step, Enqueue), "the flow stands where it led into the queue"
    return step
