"""The contact in its flow: arrival, keys, playbacks, voicemail, survey. Turns what the interpreter says into commands."""

from functools import partial

from msgspec.structs import replace

from ccserver.core import admission, answering, flow, inquiring, owed, promising, queueing, recording, surveying
from ccserver.core.commands import (
    HangUpLeg,
    PlayPrompts,
    RecordVoicemail,
    ReleaseContact,
    SetLanguage,
    StopPlay,
)
from ccserver.core.contact import (
    NORMAL_CLEARING,
    Contact,
    ContactOutcome,
    ContactState,
    FlowPosition,
    Segment,
    SegmentKind,
    SegmentOutcome,
)
from ccserver.core.events import (
    ContactArrived,
    Event,
    InquiryAnswered,
    KeyPressed,
    PlayFinished,
    VoicemailRecorded,
)
from ccserver.core.floor import Floor
from ccserver.core.flow import FlowTurn, Scene
from ccserver.core.ids import FlowName, InquiryId, StepName, is_chosen, message_name, parts_of_message
from ccserver.core.numbers import canonical
from ccserver.core.plan import REFUSALS, Line, Treatment
from ccserver.core.records import RecordingSaved
from ccserver.core.segments import close_segment, open_segment
from ccserver.core.steps import Dialplan

NO_SUCH_NUMBER = 1
"""Q.850: unallocated number."""


def arrive(floor: Floor, event: ContactArrived) -> None:
    """A customer on a line: begin its flow, unless he is turned away."""
    line = _line(floor, event)
    if line is None:
        reason = f"{event.line or 'no number'}, dialled on {event.trunk or 'a phone'}, is none of our lines"
        floor.command(HangUpLeg(event.leg, NO_SUCH_NUMBER, reason, lane=event.leg))
        floor.command(ReleaseContact(event.contact, lane=event.leg))
        if event.trunk is not None:
            floor.misdialled[event.trunk] = floor.misdialled.get(event.trunk, 0) + 1
        return
    ani = canonical(event.ani, floor.rules.region)
    customer = floor.plan.customer(ani)
    language = (customer.language if customer else None) or line.language
    contact = Contact(
        id=event.contact,
        node=event.node,
        leg=event.leg,
        line=line.number,
        ani=ani,
        language=language,
        plan=floor.plan.hash,
        arrived_at=event.arrived_at,
        entered_at=event.at,
        trunk=event.trunk,
        brand=line.brand,
        source=line.source,
        unanswered=line.answer != "at_once",
        variables={"line": line.number, "ani": ani},
    )
    turned = admission.turned_away(floor, line, ani)
    if turned is not None:
        contact = replace(contact, reason=turned.reason, outcome=turned.outcome)
    if turned is not None and turned.treatment in REFUSALS:
        _refuse(floor, replace(contact, unanswered=True), REFUSALS[turned.treatment])
        return
    answering.take(floor, contact)
    owed.called_again(floor, ani, event.at, by=contact.id)
    entered = FlowName(turned.treatment) if turned is not None else _sent_to(floor, contact, event, line)
    begun = _entered(floor, contact, entered, event.at)
    if admission.announced(floor, line.number):
        floor.keep(_announced(floor, begun))
    else:
        apply(floor, begun, flow.begin(scene(floor, begun)), event.at)


def _announced(floor: Floor, contact: Contact) -> Contact:
    """What every caller hears first; a key does not cut it short."""
    items = admission.announced(floor, contact.line)
    play = floor.next_play(contact)
    floor.command(PlayPrompts(contact.leg, play, items, contact.language, lane=contact.id))
    return replace(contact, announcing=play, plays=contact.plays + 1)


def _line(floor: Floor, event: ContactArrived) -> Line | None:
    """Which he dialled; who was sent to a flow by the dialplan, and dialled no line, is a caller of the first."""
    line = floor.line_called(event.line)
    return line or (next(iter(floor.plan.lines.values()), None) if event.flow is not None else None)


def _sent_to(floor: Floor, contact: Contact, event: ContactArrived, line: Line) -> FlowName:
    """The line's own flow, or the one that the dialplan names, if there is one of that name."""
    if event.flow is None or event.flow in floor.plan.flows:
        return event.flow or line.flow
    floor.flow_flaw = floor.now, f"the dialplan sent {contact.id} to the flow {event.flow}, which does not exist"
    return line.flow


def _refuse(floor: Floor, contact: Contact, cause: int) -> None:
    """Busy, or no: nobody is answered, nobody pays."""
    floor.command(HangUpLeg(contact.leg, cause, lane=contact.id))
    floor.keep(replace(contact, state=ContactState.CLOSING, cause=cause))


def enter_flow(floor: Floor, contact: Contact, name: FlowName, at: float) -> None:
    """From its first step."""
    contact = _entered(floor, contact, name, at)
    apply(floor, contact, flow.begin(scene(floor, contact)), at)


def _entered(floor: Floor, contact: Contact, name: FlowName, at: float) -> Contact:
    position = FlowPosition(flow=name, step=floor.plan_of(contact).flows[name].start)
    return _open_flow(floor, replace(contact, flow=position), at)


def enter(floor: Floor, contact: Contact, line: Line, at: float) -> None:
    """Handed over to a line: its flow begins, with what is known of the customer; the contact keeps the line that he dialled."""
    variables = {**contact.variables, "line": line.number}
    enter_flow(floor, replace(contact, state=ContactState.FLOW, variables=variables), line.flow, at)


def scene(floor: Floor, contact: Contact) -> Scene:
    """What the interpreter may know of the contact."""
    assert contact.flow is not None
    return Scene(
        flows=floor.plan_of(contact).flows,
        position=contact.flow,
        variables=contact.variables,
        language=contact.language,
        calendars=floor.plan_of(contact).calendars,
        now=floor.now,
        next_play=floor.next_play(contact),
        next_recording=message_name(
            contact.id, "comment" if surveying.under_way(contact) else "voicemail", contact.plays + 1
        ),
        next_inquiry=InquiryId(f"{contact.id}.ask{contact.inquiries + 1}"),
        lookups=floor.plan_of(contact).lookups,
        lendable=not is_chosen(contact.node, contact.leg),
        notice=partial(recording.notice, floor.plan_of(contact), contact.line),
        callable=partial(promising.callable_number, floor),
    )


def key_pressed(floor: Floor, contact: Contact, event: KeyPressed) -> None:
    """A key, in the flow."""
    if contact.announcing is not None:
        return
    apply(floor, contact, flow.key_pressed(scene(floor, contact), event.key), event.at)


def play_finished(floor: Floor, contact: Contact, event: PlayFinished) -> None:
    """A playback ended, in the flow; one that we stopped, or that his leaving us cut off, is of no interest."""
    if contact.announcing == event.play and not contact.away:
        contact = replace(contact, announcing=None)
        apply(floor, contact, flow.begin(scene(floor, contact)), event.at)
    elif contact.flow and contact.flow.play == event.play and not contact.away:
        apply(floor, contact, flow.play_finished(scene(floor, contact)), event.at)


def time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """Silence, in the flow: of who is asked something, or of somebody outside."""
    contact = inquiring.ended(floor, contact, "failed", event.at, reason="no answer in time")
    apply(floor, contact, flow.time_up(scene(floor, contact)), event.at)


def voicemail_recorded(floor: Floor, contact: Contact, event: VoicemailRecorded) -> None:
    """The message is on disk (or empty); a leg's end may overtake this, see `keep_voicemail`."""
    keep_voicemail(floor, event)
    if contact.flow and contact.flow.recording == event.recording:
        if event.duration_s > 0 and contact.outcome is not ContactOutcome.ANSWERED:
            contact = replace(contact, outcome=ContactOutcome.VOICEMAIL)
        apply(floor, contact, flow.recorded(scene(floor, contact)), event.at)


def inquiry_answered(floor: Floor, contact: Contact, event: InquiryAnswered) -> None:
    """Somebody outside has answered, or the dialplan has given the caller back.

    While he is in the fallback dialplan nobody is there whom an answer could serve.
    """
    if contact.flow is None or contact.flow.inquiry != event.inquiry:
        return
    if isinstance(scene(floor, contact).step, Dialplan):
        answering.take(floor, contact)
        contact = replace(contact, away=False)
    if not contact.away:
        contact = inquiring.ended(floor, contact, event.verdict, event.at, reason=event.reason, cached=event.cached)
        apply(floor, contact, flow.answered(scene(floor, contact), event.verdict, event.values), event.at)


def keep_voicemail(floor: Floor, event: VoicemailRecorded) -> None:
    """Note the message, whatever became of the contact meanwhile."""
    if event.duration_s > 0:
        floor.record(
            RecordingSaved(
                contact=event.contact,
                recording=event.recording,
                kind=parts_of_message(event.recording)[1],
                path=event.path,
                duration_s=event.duration_s,
            )
        )


def resume(floor: Floor, contact: Contact, at: float) -> None:
    """Something was missed: the step under way, or what comes before the flow, begins again."""
    if contact.announcing is not None:
        if admission.announced(floor, contact.line):
            floor.keep(_announced(floor, contact))
            return
        contact = replace(contact, announcing=None)
    apply(floor, contact, flow.resume(scene(floor, contact)), at)


def survey(floor: Floor, contact: Contact, talk: Segment, name: FlowName, at: float) -> None:
    """The talk is over, the agent has gone; the caller stays and is asked how it was."""
    contact = surveying.begun(floor, contact, talk, name, at)
    position = FlowPosition(flow=name, step=floor.plan_of(contact).flows[name].start)
    contact = replace(contact, state=ContactState.FLOW, flow=position)
    contact = open_segment(floor, contact, SegmentKind.SURVEY, at, flow=name)
    apply(floor, contact, flow.begin(scene(floor, contact)), at)


def go_on(floor: Floor, contact: Contact, step: StepName, at: float) -> None:
    """The wait came to nothing, and the flow goes on at one of its steps."""
    contact = _open_flow(floor, replace(contact, place=None, state=ContactState.FLOW), at)
    apply(floor, contact, flow.go(scene(floor, contact), step), at)


def go_to(floor: Floor, contact: Contact, step: StepName, at: float) -> None:
    """What the step under way was for came to nothing, and the flow goes on at another."""
    apply(floor, contact, flow.go(scene(floor, contact), step), at)


def ask_aside(floor: Floor, contact: Contact, step: StepName, at: float) -> None:
    """He waits, and is asked something meanwhile: the place and the segment of his wait stay as they are."""
    apply(floor, contact, flow.go(scene(floor, contact), step), at)


def shut_out(floor: Floor, contact: Contact, treatment: Treatment, at: float) -> None:
    """His line was closed by hand while he waited, and his flow does not say what then."""
    contact = replace(contact, place=None, state=ContactState.FLOW)
    if treatment not in REFUSALS and treatment in floor.plan_of(contact).flows:
        enter_flow(floor, contact, FlowName(treatment), at)
        return
    if contact.outcome is not ContactOutcome.ANSWERED:  # handed over, he has been talked with
        contact = replace(contact, outcome=ContactOutcome.OVERFLOWED)
    contact = replace(contact, reason="the line was closed while he waited")
    _refuse(floor, contact, REFUSALS.get(treatment, REFUSALS["busy"]))


def _open_flow(floor: Floor, contact: Contact, at: float) -> Contact:
    assert contact.flow is not None
    return open_segment(floor, contact, SegmentKind.FLOW, at, flow=contact.flow.flow)


def apply(floor: Floor, contact: Contact, turn: FlowTurn, at: float) -> None:
    """Carry out what the interpreter decided, in its order."""
    contact = replace(contact, flow=turn.position, variables=turn.variables, language=turn.language)
    contact = promising.decided(floor, contact, turn, at)
    for effect in turn.effects:
        match effect:
            case flow.Speak(items):
                assert turn.position.play is not None
                contact = answering.pick_up_for(floor, contact, scene(floor, contact).step)
                play = PlayPrompts(contact.leg, turn.position.play, items, contact.language, lane=contact.id)
                contact = replace(contact, plays=contact.plays + 1)
                floor.command(play)
            case flow.Hush(play_id):
                floor.command(StopPlay(contact.leg, play_id, lane=contact.id))
            case flow.SpeakLanguage(language):
                floor.command(SetLanguage(contact.leg, language, lane=contact.id))
            case flow.PickUp():
                contact = answering.pick_up(floor, contact)
            case flow.Record(step):
                assert turn.position.recording is not None
                contact = answering.pick_up_for(floor, contact, step)
                contact = replace(contact, plays=contact.plays + 1)
                floor.command(
                    RecordVoicemail(contact.leg, turn.position.recording, step.max_s, step.silence_s, lane=contact.id)
                )
            case flow.Inquire(step):
                contact = inquiring.ask(floor, contact, step, at)
            case flow.ForwardTo(step):
                floor.forwarding[contact.id] = step
            case flow.PromiseCallback():
                contact = promising.promise(floor, contact, effect, at)
            case flow.Rated(question, score):
                contact = surveying.rated(floor, contact, question, score)
            case flow.JoinQueue(step):
                contact = queueing.join(floor, contact, step, at)
            case flow.Finish():
                contact = _finish(floor, contact, at, effect)
    floor.keep(contact)


def _finish(floor: Floor, contact: Contact, at: float, how: flow.Finish) -> Contact:
    """The flow is over: hang up; the contact closes when its leg's end is a fact."""
    if how.flaw:
        floor.flow_flaw = floor.now, how.flaw
        contact = replace(contact, reason=how.flaw)
    ended = SegmentOutcome.FAILED if how.flaw else SegmentOutcome.COMPLETED
    if contact.outcome is ContactOutcome.VOICEMAIL:
        ended = SegmentOutcome.VOICEMAIL
    contact = surveying.ended(floor, close_segment(floor, contact, ended, at), at)
    cause = REFUSALS.get(how.cause, NORMAL_CLEARING)
    floor.command(HangUpLeg(contact.leg, cause, lane=contact.id))
    if contact.callback is not None and contact.is_owed:
        contact = open_segment(floor, contact, SegmentKind.CALLBACK, at, queue=contact.callback.queue)
        return replace(contact, state=ContactState.CLOSING, cause=cause)
    served = ContactOutcome.REFUSED if how.cause in REFUSALS and contact.unanswered else ContactOutcome.FLOW_COMPLETED
    outcome = contact.outcome or (ContactOutcome.FAILED if how.flaw else served)
    if contact.first_queue is not None and outcome is served:
        outcome = ContactOutcome.OVERFLOWED
    return replace(contact, state=ContactState.CLOSING, outcome=outcome, cause=cause)
