"""The story of each contact in the log: one line for everything that was decided about it, all with `contact=`.

    contact arrived   contact=cc1-17… line=88007707999 trunk=mtt pii_ani=+7916…
    segment ended     contact=cc1-17… n=1 kind=flow outcome=queued flow=nordlis lasted_s=6.2
    offer ended       contact=cc1-17… offer=cc1-17….1 agent=1001 outcome=rona ring_s=20.0 why="longest idle of 3 …"
    contact ended     contact=cc1-17… outcome=answered wait_s=27.4 talk_s=181.0 agent=1004
    attempt ended     contact=cc1-17… attempt=cc1-17….1 trunk=mtt outcome=refused sip_status=503 why="priority 1, of 2 that fit"
    survey ended      contact=cc1-17… flow=satisfaction queue=orders agent=1004 scores=score=5 lasted_s=12.1
    agent             agent=1001 state=ringing reason="" lasted_s=3.1 contact=cc1-17…

Written from the records of each turn, after the journal has them: what is not here was not decided.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import assert_never

import structlog

from ccserver.core.attempt import Attempt, AttemptState
from ccserver.core.contact import Contact, ContactState, Segment
from ccserver.core.ids import ContactId
from ccserver.core.measure import Block, Measure
from ccserver.core.offer import Offer, OfferState
from ccserver.core.records import (
    AgentSaved,
    AttemptSaved,
    ContactSaved,
    DecisionSaved,
    DispositionForgotten,
    DispositionSaved,
    FlowCallsCounted,
    InquirySaved,
    IntervalSaved,
    LearntSaved,
    MeasureLifted,
    MeasureSaved,
    OfferSaved,
    PlanAdopted,
    PreservationSaved,
    Record,
    RecordingSaved,
    SegmentSaved,
    ShortageSaved,
    SupervisionSaved,
    SurveySaved,
    TalkRemembered,
)
from ccserver.core.survey import Survey
from ccserver.ports import Effort, Turn

log = structlog.get_logger("ccserver.contacts")


def _say(event: str, **about: object) -> None:
    """Without what does not apply; enumerations by their word, seconds to the millisecond."""
    fields = {name: _shown(value) for name, value in about.items() if value not in (None, "")}
    log.info(event, **fields)


def _shown(value: object) -> object:
    match value:
        case StrEnum():
            return value.value
        case float():
            return round(value, 3)
        case _:
            return value


class ContactLog:
    """`ports.Observer`."""

    def __init__(self, live: Iterable[ContactId] = ()) -> None:
        """`live`: contacts that arrived before this process began."""
        self._live = set(live)

    def turned(self, turn: Turn, _effort: Effort) -> None:
        """Tell what the turn decided, in the order in which it was decided."""
        for record in turn.records:
            if isinstance(record, ContactSaved) and record.contact.id not in self._live:
                self._arrived(record.contact)
        for record in turn.records:
            self._tell(record)

    def _tell(self, record: Record) -> None:
        match record:
            case ContactSaved(contact=contact):
                if contact.state is ContactState.CLOSED:
                    self._ended(contact)
            case SegmentSaved(segment=segment) if segment.ended_at is not None:
                _segment(segment, segment.ended_at)
            case OfferSaved(offer=offer) if offer.state in (OfferState.CLOSED, OfferState.ACCEPTED):
                _offer(offer)
            case AttemptSaved(attempt=attempt) if attempt.state is AttemptState.CLOSED:
                _attempt(attempt)
            case RecordingSaved() if record.purged_at is None:
                _say(
                    "recording ended",
                    contact=record.contact,
                    kind=record.kind,
                    duration_s=record.duration_s,
                    path=record.path,
                    lost=record.lost,
                )
            case IntervalSaved():
                _say(
                    "agent",
                    agent=record.agent,
                    state=record.state,
                    reason=record.reason,
                    lasted_s=record.ended_at - record.started_at,
                    contact=record.contact,
                    by=record.by,
                )
            case DispositionSaved(disposition=disposition) if disposition.n:
                _say(
                    "disposition",
                    contact=disposition.contact,
                    segment=disposition.segment,
                    n=disposition.n,
                    agent=disposition.agent,
                    codes=",".join(disposition.codes),
                    by=disposition.by,
                )
            case SurveySaved(survey=survey) if survey.ended_at is not None:
                _survey(survey, survey.ended_at)
            case MeasureSaved(measure=measure):
                _say("measure taken", **_of_measure(measure))
            case MeasureLifted(measure=measure):
                _say("measure lifted", **_of_measure(measure) | {"by": record.by})
            case PlanAdopted(plan=plan):
                _say("configuration adopted", plan=plan.hash)
            case PreservationSaved():
                _say(
                    "recordings preserved" if record.preserved else "recordings no longer preserved",
                    contact=record.contact,
                )
            case SupervisionSaved(supervision=supervision):
                _say(
                    "supervision ended" if supervision.ended_at is not None else "supervision",
                    contact=supervision.contact,
                    supervisor=supervision.supervisor,
                    agent=supervision.agent,
                    mode=supervision.mode,
                    heard=supervision.answered_at is not None,
                )
            case RecordingSaved():
                pass  # purged: told by who removed the file
            case SurveySaved() | SegmentSaved() | OfferSaved() | AttemptSaved() | AgentSaved():
                pass  # under way: told when it ends
            case LearntSaved() | DispositionSaved():
                pass  # under way: told when it ends
            case DispositionForgotten() | TalkRemembered() | FlowCallsCounted():
                pass  # nothing has changed
            case DecisionSaved() | ShortageSaved() | InquirySaved():
                pass  # `ccserver explain` tells
            case _:
                assert_never(record)

    def _arrived(self, contact: Contact) -> None:
        self._live.add(contact.id)
        _say(
            "contact arrived",
            contact=contact.id,
            direction=contact.direction,
            line=contact.line,
            trunk=contact.trunk,
            pii_ani=contact.ani,
        )

    def _ended(self, contact: Contact) -> None:
        self._live.discard(contact.id)
        _say(
            "contact ended",
            contact=contact.id,
            outcome=contact.outcome,
            ivr_s=contact.ivr_s,
            wait_s=contact.wait_s,
            dial_s=contact.dial_s or None,
            talk_s=contact.talk_s,
            hold_s=contact.hold_s or None,
            agent=contact.agent,
            pii_reason=contact.reason,
        )


def _of_measure(measure: Measure) -> dict[str, object]:
    return {
        "measure": measure.id,
        "kind": str(measure.__struct_config__.tag),
        "line": measure.line,
        "by": measure.by,
        "pii_number": measure.number if isinstance(measure, Block) else None,
    }


def _segment(segment: Segment, ended_at: float) -> None:
    _say(
        "segment ended",
        contact=segment.contact,
        n=segment.n,
        kind=segment.kind,
        outcome=segment.outcome,
        reason=segment.reason or None,
        lasted_s=ended_at - segment.started_at,
        flow=segment.flow,
        queue=segment.queue,
        agent=segment.agent,
    )


def _offer(offer: Offer) -> None:
    _say(
        "offer ended",
        contact=offer.contact,
        offer=offer.id,
        agent=offer.agent,
        outcome=offer.outcome,
        ring_s=offer.ring_s,
        why=offer.why,
    )


def _attempt(attempt: Attempt) -> None:
    _say(
        "attempt ended",
        contact=attempt.contact,
        attempt=attempt.id,
        trunk=attempt.trunk,
        outcome=attempt.outcome,
        sip_status=attempt.sip_status,
        cause=attempt.cause,
        ring_s=attempt.ring_s,
        why=attempt.why,
    )


def _survey(survey: Survey, ended_at: float) -> None:
    _say(
        "survey ended",
        contact=survey.contact,
        flow=survey.flow,
        queue=survey.queue,
        agent=survey.agent,
        scores=" ".join(f"{question}={score}" for question, score in survey.scores.items()),
        lasted_s=ended_at - survey.begun_at,
    )
