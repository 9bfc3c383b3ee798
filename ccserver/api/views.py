"""From the core's values to the bodies that the API sends: nothing is decided here."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from ccserver.api.messages import (
    AgentReply,
    AlarmReply,
    AsteriskReply,
    AttemptReply,
    ConsultReply,
    ContactDetailReply,
    ContactReply,
    DispositionReply,
    GapReply,
    Instant,
    LiveContactReply,
    MeasureReply,
    ModeReply,
    NodeReply,
    OfferReply,
    PreservationReply,
    RecordingReply,
    SatisfactionOf,
    SegmentReply,
    StatusReply,
    SupervisionReply,
    SurveyReply,
    TrunkReply,
    instant,
    seconds,
)
from ccserver.api.sources import Alarm
from ccserver.core.consult import Consult
from ccserver.core.ids import ContactId, RecordingName
from ccserver.core.measure import Announcement, Block, Closure, Measure
from ccserver.core.status import AgentStatus, ContactStatus, Status, TrunkStatus
from ccserver.core.supervision import SupervisionMode
from ccserver.store.rows import (
    AttemptRow,
    ContactDetail,
    ContactRow,
    DispositionRow,
    OfferRow,
    PreservationRow,
    RecordingRow,
    SatisfactionRow,
    ScoreRow,
    SegmentRow,
    SupervisionRow,
    SurveyRow,
)


def status_reply(status: Status, alarms: Sequence[Alarm]) -> StatusReply:
    """The whole picture; about a millisecond for 150 agents and 300 contacts."""
    nodes = tuple(
        NodeReply(node=node.node, connected=node.connected, since=instant(node.since)) for node in status.nodes
    )
    return StatusReply(
        at=instant(status.at),
        asterisk=AsteriskReply(connected=bool(nodes) and all(node.connected for node in nodes), nodes=nodes),
        alarms=tuple(
            AlarmReply(name=alarm.name, message=alarm.message, since=instant(alarm.since), critical=alarm.critical)
            for alarm in alarms
        ),
        lines=status.lines,
        queues=status.queues,
        agents=tuple(agent_reply(agent) for agent in status.agents),
        trunks=tuple(trunk_reply(trunk) for trunk in status.trunks),
        contacts=tuple(live_contact_reply(contact) for contact in status.contacts),
        measures=tuple(measure_reply(measure) for measure in status.measures),
        not_ready_reasons=status.not_ready_reasons,
        ignored=status.ignored,
    )


def agent_reply(agent: AgentStatus) -> AgentReply:
    """An operator now."""
    return AgentReply(
        extension=agent.extension,
        name=agent.name,
        state=agent.state,
        reason=agent.reason,
        since=instant(agent.since),
        contact=agent.contact,
        queues=agent.queues,
        phone_registered=agent.phone_registered,
        supervises=agent.supervises,
        then=agent.then,
        then_reason=agent.then_reason,
        on_hold=agent.on_hold,
        by=agent.by,
    )


def trunk_reply(trunk: TrunkStatus) -> TrunkReply:
    """A trunk now."""
    return TrunkReply(
        name=trunk.name,
        title=trunk.title,
        usable=trunk.usable,
        reason=trunk.reason,
        since=instant(trunk.since),
        inbound=trunk.inbound,
        outbound=trunk.outbound,
        channels=trunk.channels,
        refused=trunk.refused,
        misdialled=trunk.misdialled,
    )


def measure_reply(measure: Measure) -> MeasureReply:
    """What is in force."""
    block = measure if isinstance(measure, Block) else None
    closure = measure if isinstance(measure, Closure) else None
    return MeasureReply(
        id=measure.id,
        kind="block" if block else "closure" if closure else "announcement",
        line=measure.line,
        by=measure.by,
        since=instant(measure.since),
        until=_when(measure.until),
        prompts=measure.prompts if isinstance(measure, Announcement) else (),
        queued=closure.queued if closure else None,
        treatment=closure.treatment if closure else block.treatment if block else None,
        number=block.number if block else None,
        reason=block.reason if block else "",
    )


def live_contact_reply(contact: ContactStatus) -> LiveContactReply:
    """A contact that goes on."""
    return LiveContactReply(
        id=contact.id,
        line=contact.line,
        ani=contact.ani,
        customer=contact.customer,
        credit_s=seconds(contact.credit_s),
        raised_s=seconds(contact.raised_s),
        direction=contact.direction,
        trunk=contact.trunk,
        state=contact.state,
        flow=contact.flow,
        step=contact.step,
        queue=contact.queue,
        position=contact.position,
        agent=contact.agent,
        language=contact.language,
        recording=contact.recording,
        supervisor=contact.supervisor,
        supervision=contact.supervision,
        arrived_at=instant(contact.arrived_at),
        since=instant(contact.since),
        on_hold=contact.on_hold,
        consult=_consult_reply(contact.consult) if contact.consult else None,
        absent=contact.absent,
    )


def _consult_reply(consult: Consult) -> ConsultReply:
    return ConsultReply(to=consult.to, state=consult.state, since=instant(consult.begun_at))


def contact_reply(row: ContactRow) -> ContactReply:
    """A CDR row; while the contact goes on its durations are not known and null."""
    return ContactReply(**_columns(row))


def contact_detail_reply(detail: ContactDetail) -> ContactDetailReply:
    """One contact with its segments, offers, attempts and recordings."""
    return ContactDetailReply(
        **_columns(detail),
        language=detail.language,
        segments=tuple(_segment_reply(row) for row in detail.segments),
        offers=tuple(_offer_reply(row) for row in detail.offers),
        attempts=tuple(_attempt_reply(row) for row in detail.attempts),
        dispositions=tuple(_disposition_reply(row) for row in detail.dispositions),
        recordings=tuple(_recording_reply(detail.id, row) for row in detail.recordings),
        supervisions=tuple(_supervision_reply(row) for row in detail.supervisions),
        preservation=_preservation_reply(detail.preservation),
        survey=_survey_reply(detail.survey, detail.scores) if detail.survey else None,
    )


def recording_url(contact: ContactId, recording: RecordingName | None = None) -> str:
    """Where it can be heard; without a name the contact's own, its talk rather than its voicemail."""
    url = f"/api/contacts/{quote(contact, safe='')}/recording"
    return f"{url}?name={quote(recording, safe='')}" if recording is not None else url


def _columns(row: ContactRow) -> dict[str, Any]:
    over = row.outcome is not None
    return {
        "id": row.id,
        "line": row.line,
        "ani": row.ani,
        "direction": row.direction,
        "trunk": row.trunk,
        "queue": row.queue,
        "outcome": row.outcome,
        "agent": row.agent,
        "arrived_at": instant(row.arrived_at),
        "ended_at": _when(row.ended_at),
        "ivr_s": seconds(row.ivr_s) if over else None,
        "wait_s": seconds(row.wait_s) if over else None,
        "ring_s": seconds(row.ring_s) if over else None,
        "talk_s": seconds(row.talk_s) if over else None,
        "hold_s": seconds(row.hold_s) if over else None,
        "holds": row.holds,
        "dial_s": seconds(row.dial_s) if over else None,
        "reason": row.reason,
        "callback": row.callback,
        "callback_number": row.callback_number,
        "callback_tries": row.callback_tries,
        "callback_answered_at": _when(row.callback_answered_at),
        "callback_s": seconds(row.callback_s) if over else None,
        "brand": row.brand,
        "source": row.source,
        "answered_at": _when(row.answered_at),
        "recording": recording_url(row.id) if row.recording is not None else None,
    }


def _survey_reply(row: SurveyRow, scores: Iterable[ScoreRow]) -> SurveyReply:
    return SurveyReply(
        flow=row.flow,
        queue=row.queue,
        agent=row.agent,
        talk=row.talk,
        begun_at=instant(row.begun_at),
        ended_at=_when(row.ended_at),
        scores={each.question: each.score for each in scores},
    )


def satisfaction_of(row: SatisfactionRow) -> SatisfactionOf:
    """The sums divided."""
    return SatisfactionOf(
        of=row.of,
        asked=row.asked,
        answered=row.answered,
        response_rate=round(row.answered / row.asked, 4) if row.asked else 0.0,
        mean=round(row.total / row.answered, 4) if row.answered else None,
        good_share=round(row.good / row.answered, 4) if row.answered else None,
    )


def _segment_reply(row: SegmentRow) -> SegmentReply:
    return SegmentReply(
        n=row.n,
        kind=row.kind,
        started_at=instant(row.started_at),
        ended_at=_when(row.ended_at),
        duration_s=seconds(row.ended_at - row.started_at) if row.ended_at is not None else None,
        outcome=row.outcome,
        reason=row.reason,
        flow=row.flow,
        queue=row.queue,
        agent=row.agent,
        offer=row.offer,
        hold_s=seconds(row.hold_s),
        holds=row.holds,
        transfer=row.transfer,
    )


def _offer_reply(row: OfferRow) -> OfferReply:
    return OfferReply(
        id=row.id,
        agent=row.agent,
        queue=row.queue,
        why=row.why,
        made_at=instant(row.made_at),
        ringing_at=_when(row.ringing_at),
        answered_at=_when(row.answered_at),
        ended_at=_when(row.ended_at),
        ring_s=seconds(row.ring_s),
        outcome=row.outcome,
        consult=row.consult,
    )


def _attempt_reply(row: AttemptRow) -> AttemptReply:
    return AttemptReply(
        id=row.id,
        trunk=row.trunk,
        number=row.number,
        why=row.why,
        made_at=instant(row.made_at),
        ringing_at=_when(row.ringing_at),
        answered_at=_when(row.answered_at),
        ended_at=_when(row.ended_at),
        ring_s=seconds(row.ring_s),
        outcome=row.outcome,
        cause=row.cause,
        sip_status=row.sip_status,
    )


def _disposition_reply(row: DispositionRow) -> DispositionReply:
    return DispositionReply(
        segment=row.segment,
        n=row.n,
        agent=row.agent,
        queue=row.queue,
        codes=tuple(row.codes.split(",")) if row.codes else (),
        topics=tuple(row.topics.split("\n")) if row.topics else (),
        order_value=row.order_value_cents / 100 if row.order_value_cents is not None else None,
        currency=row.currency,
        note=row.note,
        by=row.by,
        given_at=_when(row.given_at),
    )


def _recording_reply(contact: ContactId, row: RecordingRow) -> RecordingReply:
    return RecordingReply(
        name=row.recording,
        kind=row.kind,
        duration_s=seconds(row.duration_s),
        url=recording_url(contact, row.recording) if row.path is not None else None,
        lost=row.lost,
        gaps=tuple(
            GapReply(from_s=seconds(first), to_s=seconds(last))
            for first, last in msgspec.json.decode(row.gaps, type=tuple[tuple[float, float], ...])
        ),
        purged_at=_when(row.purged_at),
        purged_by=row.purged_by,
    )


def _supervision_reply(row: SupervisionRow) -> SupervisionReply:
    modes = msgspec.json.decode(row.modes, type=tuple[tuple[float, SupervisionMode], ...])
    return SupervisionReply(
        supervisor=row.supervisor,
        agent=row.agent,
        made_at=instant(row.made_at),
        answered_at=_when(row.answered_at),
        ended_at=_when(row.ended_at),
        modes=tuple(ModeReply(at=instant(at), mode=mode) for at, mode in modes),
    )


def _preservation_reply(row: PreservationRow | None) -> PreservationReply | None:
    return PreservationReply(reason=row.reason, at=instant(row.at)) if row is not None else None


def _when(at: float | None) -> Instant | None:
    return instant(at) if at is not None else None
