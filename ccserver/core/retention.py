"""How long recordings are kept: by whose rule, and what becomes of them then.

A recording goes by one rule: its queue's, else its line's, else that of its kind. Nothing is kept shorter because a rule was
found that fits it better than another: the first that says anything counts. What is preserved outlives them all.
"""

from msgspec import Struct

from ccserver.core.events import Accepted, Answer, PreserveContact, RecordingPurged
from ccserver.core.floor import Floor
from ccserver.core.ids import LineNumber, QueueName
from ccserver.core.plan import Plan
from ccserver.core.records import PreservationSaved, RecordingSaved

DAY_S = 86400.0


class Rule(Struct, frozen=True, kw_only=True):
    """Which recordings go after so many days; `name` is the setting, as the admin would look for it."""

    name: str
    days: int
    kind: str | None = None
    queue: QueueName | None = None
    line: LineNumber | None = None
    but_queues: tuple[QueueName, ...] = ()
    """Those have rules of their own."""
    but_lines: tuple[LineNumber, ...] = ()

    def before(self, now: float) -> float:
        """Contacts that arrived before that time have been kept long enough."""
        return now - self.days * DAY_S


def rules(plan: Plan) -> tuple[Rule, ...]:
    """Those by which anything ever goes: every recording falls under one of them, or is kept for ever."""
    queues = {queue.name: queue.keep_days for queue in plan.queues.values() if queue.keep_days is not None}
    lines = {line.number: line.keep_days for line in plan.lines.values() if line.keep_days is not None}
    apart = tuple(queues)
    found = [Rule(name=f"queues.{name}.keep_days", days=days, queue=name) for name, days in queues.items()]
    found += [
        Rule(name=f"lines.{number}.keep_days", days=days, line=number, but_queues=apart)
        for number, days in lines.items()
    ]
    kept = plan.recordings
    kinds = (
        ("talk", "talk_days", kept.talk_days),
        ("voicemail", "voicemail_days", kept.voicemail_days),
        ("comment", "voicemail_days", kept.voicemail_days),
    )
    found += [
        Rule(name=f"recordings.{field}", days=days, kind=kind, but_queues=apart, but_lines=tuple(lines))
        for kind, field, days in kinds
    ]
    return tuple(rule for rule in found if rule.days > 0)


def preserve(floor: Floor, request: PreserveContact) -> Answer:
    """Nobody may remove what was recorded of it, or that is over; who asks has seen that there is such a contact."""
    floor.record(PreservationSaved(request.contact, request.preserved, request.reason, request.at))
    return Accepted()


def purged(floor: Floor, event: RecordingPurged) -> None:
    """The file is gone; its row stays, and says by which rule."""
    floor.record(
        RecordingSaved(
            contact=event.contact,
            recording=event.recording,
            kind=event.kind,
            path=None,
            duration_s=event.duration_s,
            gaps=event.gaps,
            purged_at=event.at,
            purged_by=event.rule,
        )
    )
