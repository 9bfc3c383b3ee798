"""The state table of a Contact: (state, what happened) -> reaction. Rule 1: what a contact reacts to stands in this file.

Facts are never illegal: a pair that is not in the table is counted and ignored. Those that may well happen are named in
`IGNORED` with the reason; a test sees to it that every pair is in one of the two.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from ccserver.core import (
    accepting,
    answering,
    attempting,
    beside,
    calling_back,
    clicking,
    consulting,
    conversation,
    dialling,
    forwarding,
    holding,
    internal,
    overflow,
    owed,
    parting,
    queueing,
    recording,
    routing,
    seating,
    talk_keys,
)
from ccserver.core.commands import LendLeg, PlayPrompts, RecordVoicemail
from ccserver.core.contact import Contact, ContactState, Direction
from ccserver.core.events import (
    CommandFailed,
    Event,
    InquiryAnswered,
    LegAway,
    LegReturned,
    PlayFinished,
    VoicemailRecorded,
)
from ccserver.core.floor import Floor
from ccserver.core.offer import OfferOutcome


class Happening(StrEnum):
    """What can happen to a contact: an event, told apart by whose leg it is about."""

    KEY = "key"
    AGENT_KEY = "agent_key"
    """Of the phone of the agent who talks."""
    PLAYED = "played"
    VOICEMAIL = "voicemail"
    INQUIRY = "inquiry"
    """What the flow asked outside is answered."""
    RECORDING = "recording"
    CALLER_ANSWERED = "caller_answered"
    CALLER_ENDED = "caller_ended"
    CALLER_AWAY = "caller_away"
    CALLER_RETURNED = "caller_returned"
    PHONE_DIALLED = "phone_dialled"
    PHONE_RANG = "phone_rang"
    PHONE_ANSWERED = "phone_answered"
    PHONE_ENDED = "phone_ended"
    WHISPERED = "whispered"
    """To the agent, what it is about."""
    GUEST_RANG = "guest_rang"
    GUEST_ANSWERED = "guest_answered"
    GUEST_ENDED = "guest_ended"
    """The third party of a talk."""
    SECOND_ENDED = "second_ended"
    """The second call of an agent's phone, by which he consults."""
    HELD = "held"
    """By the agent's phone."""
    UNHELD = "unheld"
    COMMAND_FAILED = "command_failed"
    TIME_UP = "time_up"


Reaction = Callable[[Floor, Contact, Any], None]
_S, _H = ContactState, Happening


def _go_away(floor: Floor, contact: Contact, event: LegAway) -> None:
    """The caller is in the fallback dialplan: he keeps his place there, and an offer would ring for nobody."""
    if contact.state is ContactState.OFFERED:
        routing.withdraw(floor, contact, OfferOutcome.WITHDRAWN, event.at)
        contact = floor.contacts[contact.id]
    floor.keep(replace(contact, away=True))


def _come_back(floor: Floor, contact: Contact, event: LegReturned) -> None:
    """The caller is ours again, where he was: in the flow its step begins again, in the queue the music."""
    # The dialplan arms its dead-man's timeout at every entry; repeated, this does no harm.
    answering.take(floor, contact)
    if contact.offer is not None and contact.offer.made_at < event.at:
        contact = floor.keep(replace(contact, away=False))
        routing.withdraw(floor, contact, OfferOutcome.WITHDRAWN, event.at)  # he went in a gap: he is in no bridge now
    elif not contact.away:
        floor.ignored += 1  # told twice: by the listing and by its own event
    elif contact.state is ContactState.FLOW:
        conversation.resume(floor, replace(contact, away=False), event.at)
    else:
        queueing.play_music(floor, floor.keep(replace(contact, away=False)))


def _leave_talk(floor: Floor, contact: Contact, _event: LegAway) -> None:
    """The dialplan has taken the customer out of his talk: it goes on, and whatever follows it waits until he is back."""
    floor.keep(replace(contact, away=True))


def _rejoin_talk(floor: Floor, contact: Contact, _event: LegReturned) -> None:
    """He is with those again with whom he was; a third party that is being called is none of his yet."""
    answering.take(floor, contact)
    seating.seat(floor, floor.keep(replace(contact, away=False)), living=())


def _not_ours(floor: Floor, _contact: Contact, _event: Event) -> None:
    """An operator's phone does not wait in the dialplan, and his talk ends with its leg; among colleagues no key is a code."""
    floor.ignored += 1


def _command_failed(floor: Floor, contact: Contact, event: CommandFailed) -> None:
    """What could not be said or recorded is over; but a leg that is gone is settled by its end, a lost node by its listing."""
    command = event.command
    if event.kind == "gone" or not floor.linked(contact.node):
        return
    if isinstance(command, PlayPrompts):
        react(floor, contact, Happening.PLAYED, PlayFinished(command.leg, command.play, ok=False, at=event.at))
    elif isinstance(command, RecordVoicemail):
        failed = VoicemailRecorded(contact.id, command.leg, command.recording, "", 0.0, at=event.at)
        react(floor, contact, Happening.VOICEMAIL, failed)
    elif isinstance(command, LendLeg):
        told = InquiryAnswered(contact.id, command.inquiry, command.context, "failed", {}, event.reason, at=event.at)
        react(floor, contact, Happening.INQUIRY, told)


def _late_voicemail(floor: Floor, _contact: Contact, event: VoicemailRecorded) -> None:
    """The flow went on without waiting for it."""
    conversation.keep_voicemail(floor, event)


def _talk_time_up(floor: Floor, contact: Contact, event: Event) -> None:
    """A pause of the recording is over, a third party does not answer, or the agent does not go on typing."""
    recording.time_up(floor, contact, event)
    consulting.time_up(floor, floor.contacts[contact.id], event)
    talk_keys.time_up(floor, floor.contacts[contact.id], event)


def _by_leg(customers: Reaction, operators: Reaction, colleagues: Reaction) -> Reaction:
    """Who called and who was called change places where an operator calls; a colleague is neither."""

    def reaction(floor: Floor, contact: Contact, event: Any) -> None:
        among_us = contact.direction is Direction.INTERNAL
        (colleagues if among_us else operators if contact.led_by_operator else customers)(floor, contact, event)

    return reaction


def _by_absence(there: Reaction, absent: Reaction) -> Reaction:
    """Nobody is on the line of a contact that is called back."""

    def reaction(floor: Floor, contact: Contact, event: Any) -> None:
        (absent if contact.absent else there)(floor, contact, event)

    return reaction


def _to(customer: Reaction, colleague: Reaction) -> Reaction:
    """Whom an operator calls."""
    return _by_leg(customer, customer, colleague)


_INBOUND = (_S.FLOW, _S.WAITING, _S.OFFERED)
_OUTBOUND = (_S.BRIEFING, _S.DIALLING, _S.TELLING)

REACTIONS: dict[tuple[ContactState, Happening], Reaction] = {
    (_S.FLOW, _H.KEY): conversation.key_pressed,
    (_S.FLOW, _H.PLAYED): conversation.play_finished,
    (_S.FLOW, _H.VOICEMAIL): conversation.voicemail_recorded,
    (_S.FLOW, _H.INQUIRY): conversation.inquiry_answered,
    (_S.FLOW, _H.TIME_UP): conversation.time_up,
    (_S.FLOW, _H.COMMAND_FAILED): _command_failed,
    (_S.SCHEDULED, _H.TIME_UP): owed.time_up,
    (_S.WAITING, _H.PLAYED): queueing.announced,
    (_S.WAITING, _H.COMMAND_FAILED): _command_failed,
    (_S.WAITING, _H.TIME_UP): overflow.waited,
    (_S.WAITING, _H.KEY): overflow.key_pressed,
    (_S.OFFERED, _H.KEY): overflow.key_pressed,
    (_S.OFFERED, _H.PHONE_DIALLED): routing.phone_dialled,
    (_S.OFFERED, _H.PHONE_RANG): routing.phone_rang,
    (_S.OFFERED, _H.PHONE_ANSWERED): _by_absence(accepting.phone_answered, calling_back.accepted),
    (_S.OFFERED, _H.PHONE_ENDED): routing.phone_ended,
    (_S.OFFERED, _H.WHISPERED): accepting.whisper_ended,
    (_S.OFFERED, _H.TIME_UP): routing.offer_time_up,
    (_S.OFFERED, _H.COMMAND_FAILED): routing.offer_command_failed,
    (_S.BRIEFING, _H.PLAYED): calling_back.briefed,
    (_S.BRIEFING, _H.COMMAND_FAILED): calling_back.briefing_failed,
    (_S.SUMMONING, _H.PHONE_RANG): clicking.phone_rang,
    (_S.SUMMONING, _H.PHONE_ANSWERED): clicking.phone_answered,
    (_S.SUMMONING, _H.CALLER_ENDED): clicking.phone_ended,
    (_S.SUMMONING, _H.TIME_UP): clicking.time_up,
    (_S.SUMMONING, _H.COMMAND_FAILED): clicking.command_failed,
    (_S.DIALLING, _H.PHONE_RANG): _to(attempting.rang, internal.colleague_rang),
    (_S.DIALLING, _H.PHONE_ANSWERED): _to(
        _by_absence(dialling.customer_answered, calling_back.customer_answered), internal.colleague_answered
    ),
    (_S.DIALLING, _H.PHONE_ENDED): _to(dialling.customer_failed, internal.colleague_failed),
    (_S.DIALLING, _H.TIME_UP): _to(attempting.time_up, internal.time_up),
    (_S.DIALLING, _H.COMMAND_FAILED): _to(dialling.command_failed, internal.command_failed),
    (_S.FORWARDING, _H.PHONE_RANG): attempting.rang,
    (_S.FORWARDING, _H.PHONE_ANSWERED): forwarding.answered,
    (_S.FORWARDING, _H.PHONE_ENDED): forwarding.failed,
    (_S.FORWARDING, _H.TIME_UP): attempting.time_up,
    (_S.FORWARDING, _H.COMMAND_FAILED): forwarding.command_failed,
    (_S.TELLING, _H.PLAYED): parting.told,
    (_S.TELLING, _H.COMMAND_FAILED): parting.telling_failed,
    (_S.TALKING, _H.PHONE_ENDED): _by_leg(consulting.agent_ended, parting.customer_hung_up, internal.colleague_hung_up),
    (_S.TALKING, _H.AGENT_KEY): _by_leg(talk_keys.pressed, talk_keys.pressed, _not_ours),
    (_S.TALKING, _H.GUEST_RANG): consulting.guest_rang,
    (_S.TALKING, _H.GUEST_ANSWERED): consulting.guest_answered,
    (_S.TALKING, _H.GUEST_ENDED): consulting.guest_ended,
    (_S.TALKING, _H.SECOND_ENDED): beside.ended,
    (_S.TALKING, _H.COMMAND_FAILED): consulting.command_failed,
    (_S.TALKING, _H.TIME_UP): _talk_time_up,
    (_S.TALKING, _H.HELD): holding.phone_held,
    (_S.TALKING, _H.UNHELD): holding.phone_unheld,
    (_S.CLOSING, _H.PHONE_ENDED): parting.customer_gone,
    (_S.CLOSING, _H.COMMAND_FAILED): parting.customer_not_made,
    **{(state, _H.CALLER_ANSWERED): answering.picked_up for state in ContactState if state is not _S.CLOSED},
    **{(state, _H.CALLER_ENDED): routing.caller_ended for state in _INBOUND},
    **{(state, _H.CALLER_ENDED): _to(parting.operator_ended, internal.caller_ended) for state in _OUTBOUND},
    **{
        (state, _H.CALLER_ENDED): _by_leg(consulting.caller_ended, parting.operator_ended, internal.caller_ended)
        for state in (_S.FORWARDING, _S.TALKING, _S.CLOSING)
    },
    **{(state, _H.CALLER_AWAY): _go_away for state in _INBOUND},
    **{(state, _H.CALLER_AWAY): parting.operator_away for state in _OUTBOUND},
    **{(state, _H.CALLER_RETURNED): _come_back for state in _INBOUND},
    **{(state, _H.CALLER_AWAY): _by_leg(_leave_talk, _not_ours, _not_ours) for state in (_S.FORWARDING, _S.TALKING)},
    **{
        (state, _H.CALLER_RETURNED): _by_leg(_rejoin_talk, _not_ours, _not_ours)
        for state in (_S.FORWARDING, _S.TALKING)
    },
    **{(state, _H.RECORDING): recording.started for state in ContactState if state is not _S.CLOSED},
    **{
        (state, _H.VOICEMAIL): _late_voicemail
        for state in (_S.SCHEDULED, _S.WAITING, _S.OFFERED, _S.FORWARDING, _S.TALKING, _S.CLOSING)
    },
}

IGNORED: dict[tuple[ContactState, Happening], str] = {
    **{
        (state, _H.PHONE_DIALLED): "only offers are counted while they are being made"
        for state in ContactState
        if state not in {_S.OFFERED, _S.CLOSED}
    },
    **{
        (state, _H.INQUIRY): "the flow did not wait for it"
        for state in ContactState
        if state not in {_S.FLOW, _S.CLOSED}
    },
    **{
        (_S.SUMMONING, happening): "his phone rings, and nothing else has begun"
        for happening in (
            *(_H.KEY, _H.PLAYED, _H.VOICEMAIL, _H.CALLER_AWAY, _H.CALLER_RETURNED),
            _H.PHONE_ENDED,
        )
    },
    **{
        (state, _H.WHISPERED): "nothing is being whispered any more"
        for state in ContactState
        if state not in {_S.OFFERED, _S.CLOSED}
    },
    **{(state, _H.KEY): "no menu is being offered" for state in (_S.FORWARDING, *_OUTBOUND, _S.TALKING, _S.CLOSING)},
    **{
        (_S.SCHEDULED, happening): "told late: nobody is on the line"
        for happening in (_H.KEY, _H.PLAYED, _H.CALLER_ENDED, _H.CALLER_AWAY, _H.CALLER_RETURNED)
    },
    (_S.SCHEDULED, _H.COMMAND_FAILED): "of a call that is over",
    **{
        (state, _H.PLAYED): "we stopped it ourselves"
        for state in (_S.OFFERED, _S.FORWARDING, _S.DIALLING, _S.TALKING, _S.CLOSING)
    },
    **{
        (state, happening): "an offer that was withdrawn meanwhile"
        for state in (_S.FLOW, _S.SCHEDULED, _S.WAITING)
        for happening in (_H.PHONE_RANG, _H.PHONE_ANSWERED, _H.PHONE_ENDED)
    },
    **{
        (_S.CLOSING, happening): "an offer that was withdrawn, or a customer who is being hung up"
        for happening in (_H.PHONE_RANG, _H.PHONE_ANSWERED)
    },
    **{
        (state, happening): "nobody is being called" if state is _S.BRIEFING else "the attempts are over"
        for state in (_S.BRIEFING, _S.TELLING)
        for happening in (_H.PHONE_RANG, _H.PHONE_ANSWERED, _H.PHONE_ENDED)
    },
    **{(state, _H.VOICEMAIL): "an operator leaves no message" for state in _OUTBOUND},
    **{(state, _H.CALLER_RETURNED): "an operator's phone does not wait in the dialplan" for state in _OUTBOUND},
    **{
        (state, happening): "nobody talks who could be held"
        for state in ContactState
        if state not in {_S.TALKING, _S.CLOSED}
        for happening in (_H.HELD, _H.UNHELD)
    },
    (_S.TALKING, _H.PHONE_RANG): "the answer overtook the ringing",
    (_S.TALKING, _H.PHONE_ANSWERED): "Dial ANSWER and state Up tell the same",
    **{(state, _H.TIME_UP): "nothing is due" for state in (_S.BRIEFING, _S.TELLING, _S.CLOSING)},
    **{
        (state, happening): "there is no talk, and nobody is being consulted"
        for state in ContactState
        if state not in {_S.TALKING, _S.CLOSED}
        for happening in (_H.AGENT_KEY, _H.GUEST_RANG, _H.GUEST_ANSWERED, _H.GUEST_ENDED, _H.SECOND_ENDED)
    },
    **{
        (_S.CLOSING, happening): "a hang-up goes on whatever the dialplan does"
        for happening in (_H.CALLER_AWAY, _H.CALLER_RETURNED)
    },
}


def react(floor: Floor, contact: Contact, happening: Happening, event: Event) -> None:
    """One thing happened to one contact."""
    reaction = REACTIONS.get((contact.state, happening))
    if reaction is None:
        floor.ignored += 1
    else:
        reaction(floor, contact, event)
