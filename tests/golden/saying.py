"""What the core kept and commanded, said in one short line each; used by `script`.

Said are what a reviewer of routing rules wants to see: commands that somebody hears or sees, outcomes of offers and segments,
states of agents, the end of a contact.
"""

from collections.abc import Iterator

from ccserver.core import commands
from ccserver.core.attempt import Attempt, AttemptState
from ccserver.core.commands import Command
from ccserver.core.contact import Contact, ContactState, Direction, Segment
from ccserver.core.offer import Offer
from ccserver.core.plan import REFUSALS
from ccserver.core.records import (
    AgentSaved,
    AttemptSaved,
    ContactSaved,
    DispositionSaved,
    MeasureLifted,
    MeasureSaved,
    OfferSaved,
    Record,
    SegmentSaved,
    SupervisionSaved,
    SurveySaved,
)


def said(what: Record | Command) -> Iterator[str]:
    """Its lines; most records have none."""
    match what:
        case OfferSaved(offer):
            yield from _offer(offer)
        case AttemptSaved(attempt):
            yield from _attempt(attempt)
        case SurveySaved(survey):
            scores = ", ".join(f"{question} {score}" for question, score in survey.scores.items())
            state = "ended" if survey.ended_at is not None else "asked"
            yield f"{short(survey.contact)}: survey about {survey.agent} {state}: {scores or 'nothing yet'}"
        case SegmentSaved(segment):
            yield from _segment(segment)
        case DispositionSaved(disposition) if disposition.n:
            about = ", ".join(disposition.topics)
            yield f"{short(disposition.contact)}: {disposition.by} says it was about {about} ({disposition.n})"
        case SupervisionSaved(supervision) if supervision.ended_at is not None:
            heard = "" if supervision.answered_at is not None else ", and heard nothing"
            modes = ", ".join(f"{mode} from {at:g}s" for at, mode in supervision.modes)
            yield f"{supervision.supervisor} listened to {supervision.agent}{heard}: {modes}, until {supervision.ended_at:g}s"
        case AgentSaved(agent):
            reason = f" ({agent.reason})" if agent.reason else ""
            yield f"{agent.id} is {agent.state}{reason}"
        case MeasureSaved(measure):
            yield f"{measure.id} is in force: {measure.__struct_config__.tag} by {measure.by}"
        case MeasureLifted(measure, by):
            yield f"{measure.id} is lifted by {by}"
        case ContactSaved(contact) if contact.state is ContactState.CLOSED:
            yield _final(contact)
        case ContactSaved(contact) if contact.absent and contact.callback is not None:
            yield from _owed(contact)
        case commands.DialCustomer():
            yield f"{short(what.leg or what.lane)}: dial {what.number} by {what.trunk}, showing {what.caller_id}"
        case commands.OfferContact() if not what.music:
            yield f"{short(what.lane)}: let the phone of {what.agent} ring"
        case commands.LetDialplanDial():
            yield f"{what.leg}: the dialplan connects it with {what.extension}"
        case commands.OfferContact() | commands.ReleaseContact() | commands.ListNode():
            return  # told by the offer's record, by the contact's end, by nobody's interest
        case _:
            yield from _command(what)


def short(name: str) -> str:
    """Without the node."""
    return name.removeprefix("n-")


def _offer(offer: Offer) -> Iterator[str]:
    if offer.outcome is None and offer.ringing_at is None and offer.answered_at is None:
        yield f"offer {short(offer.id)} to {offer.agent}: {offer.why}"
    elif offer.outcome is not None:
        ring = f" after {offer.ring_s:g}s of ringing" if offer.ring_s else ""
        yield f"offer {short(offer.id)} to {offer.agent}: {offer.outcome}{ring}"


def _attempt(attempt: Attempt) -> Iterator[str]:
    name = short(attempt.id)
    if attempt.state is AttemptState.CLOSED:
        if attempt.answered_at is None:
            ring = f" after {attempt.ring_s:g}s of ringing" if attempt.ring_s else ""
            yield f"attempt {name} by {attempt.told}{ring}"
    elif attempt.giving_up is not None:
        yield f"attempt {name} is given up: {attempt.giving_up}"
    elif attempt.state is AttemptState.DIALLING:
        yield f"attempt {name} by {attempt.trunk}: {attempt.why}"
    elif attempt.state is AttemptState.ANSWERED:
        yield f"attempt {name} by {attempt.trunk}: answered after {attempt.ring_s:g}s of ringing"


def _segment(segment: Segment) -> Iterator[str]:
    if segment.ended_at is not None:
        where = segment.queue or segment.flow or ("internal" if segment.contact.startswith("n-i") else "outbound")
        agent = f" with {segment.agent}" if segment.agent else ""
        lasted = segment.ended_at - segment.started_at
        how = f" ({segment.transfer})" if segment.transfer else ""
        hold = f", of which {segment.holds} times on hold, {segment.hold_s:g}s" if segment.holds else ""
        reason = f" ({segment.reason})" if segment.reason else ""
        ended = f"{segment.outcome}{how}{reason} after {lasted:g}s{hold}"
        yield f"{short(segment.contact)}: {segment.kind} {where}{agent} {ended}"


def _owed(contact: Contact) -> Iterator[str]:
    assert contact.callback is not None
    number = contact.callback.number
    if contact.state is ContactState.SCHEDULED:
        yield f"{short(contact.id)}: to call {number} at {contact.callback.due_at:g}s"
    elif contact.state is ContactState.WAITING:
        yield f"{short(contact.id)}: waits to be called at {number}"


def _final(contact: Contact) -> str:
    if contact.direction is not Direction.INBOUND:
        why = f": {contact.reason}" if contact.reason else ""
        times = f"dial {contact.dial_s:g}s, ring {contact.ring_s:g}s, talk {contact.talk_s:g}s"
        return f"{short(contact.id)} ended {contact.outcome} ({times}){why}"
    hold = f", hold {contact.hold_s:g}s" if contact.holds else ""
    times = (
        f"ivr {contact.ivr_s:g}s, wait {contact.wait_s:g}s, ring {contact.ring_s:g}s, talk {contact.talk_s:g}s{hold}"
    )
    if contact.callback is not None:
        times += f", owed {contact.callback_s:g}s, dial {contact.dial_s:g}s, tries in vain {contact.callback.tries}"
    why = f" ({contact.reason})" if contact.reason else ""
    return f"{short(contact.id)} ended {contact.outcome}{why}: {times}"


def _command(command: Record | Command) -> Iterator[str]:
    match command:
        case commands.TakeLeg():
            yield f"{command.leg}: go on unanswered"
        case commands.AnswerLeg():
            yield f"{command.leg}: answer"
        case commands.SetLanguage():
            yield f"{command.leg}: speak {command.language}"
        case commands.PlayPrompts():
            yield f"{short(command.leg)}: say {', '.join(command.items)}"
        case commands.StopPlay():
            yield f"{short(command.leg)}: stop talking"
        case commands.StartMusic():
            yield f"{short(command.leg)}: music"
        case commands.JoinLegs():
            yield f"{short(command.leg)}: talk with {short(command.offer)}"
        case commands.StartRecording():
            yield f"{short(command.leg)}: record the talk"
        case commands.SilenceRecording():
            yield f"{short(command.leg)}: {'record silence' if command.silent else 'record sound again'}"
        case commands.KeepRecording():
            silent = f", silent {_spans(command.gaps)}" if command.gaps else ""
            yield f"{short(command.contact)}: keep {_spans(command.talks)}{silent}"
        case commands.SeatLegs():
            aside = f", aside {' and '.join(map(short, command.aside))}" if command.aside else ""
            music = " with music" if command.music else ""
            yield f"{' and '.join(map(short, command.together))} together{music}{aside}"
        case commands.CallSupervisor():
            yield f"{short(command.leg)}: call {command.supervisor} to {command.mode} to {command.agent}"
        case commands.SpyOn():
            yield f"{short(command.leg)}: {command.mode}"
        case commands.EndSupervision():
            told = ", by the tone" if command.told else ""
            yield f"{short(command.leg)}: {'listens' if command.stays else 'hears'} no more{told}"
        case commands.RecordVoicemail():
            yield f"{command.leg}: record {short(command.recording).rpartition('-')[2]}"
        case commands.LendLeg():
            told = "".join(f", {name} {value}" for name, value in command.variables.items())
            asked = short(command.inquiry).rpartition(".")[2]
            yield f"{short(command.lane)}: {asked}: into the dialplan, [{command.context}]{told}"
        case commands.RunFunction():
            asked = short(command.inquiry).rpartition(".")[2]
            yield f"{short(command.lane)}: {asked}: {command.function}"
        case commands.AskLookup():
            yield f"{short(command.lane)}: {short(command.inquiry).rpartition('.')[2]}: {command.url}"
        case commands.WhisperPrompts():
            yield f"{short(command.offer)}: whisper {', '.join(command.items)}"
        case commands.EndWhisper():
            yield f"{short(command.offer)}: whisper no more"
        case commands.WithdrawOffer():
            yield f"{short(command.offer)}: withdraw"
        case commands.TellLeg():
            why = f" ({command.refused})" if command.refused else ""
            yield f"{short(command.leg)}: say {', '.join(command.items)} to him alone{why}"
        case commands.FinishTransfer():
            yield f"{short(command.leg)}: {f'no transfer: {command.refused}' if command.refused else 'transferred'}"
        case commands.HangUpLeg():
            yield f"{short(command.leg)}: {'busy' if command.cause == REFUSALS['busy'] else 'hang up'}"


def _spans(spans: tuple[tuple[float, float], ...]) -> str:
    return ", ".join(f"{begin:g}s to {end:g}s" for begin, end in spans) or "nothing"
