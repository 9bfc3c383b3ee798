"""The decision log in words: why a contact waited and who got it; why an agent got nothing. For `explain`.

Only what was recorded is told: the log (`store.decisions`), the CDR, and for an agent his intervals. Moments are (when, text) in
the order of time; texts name spans of time, never times of day, so that no reader needs to know whose clock is meant.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ccserver.core.agent import AgentState
from ccserver.core.contact import SegmentKind, SegmentOutcome
from ccserver.core.decision import Candidate, Decision, Lack, Shortage
from ccserver.core.ids import AgentId
from ccserver.core.inquiry import Inquiry
from ccserver.store.decisions import ContactLog
from ccserver.store.rows import AttemptRow, ContactDetail, OfferRow, SegmentRow

DOING: Mapping[AgentState, str] = {
    AgentState.READY: "ready",
    AgentState.RESERVED: "about to be rung",
    AgentState.RINGING: "being rung",
    AgentState.DIALLING: "calling a customer",
    AgentState.TALKING: "talking",
    AgentState.WRAP_UP: "in wrap-up",
    AgentState.NOT_READY: "not ready",
    AgentState.BUSY: "in a call of their own",
    AgentState.UNREACHABLE: "without a phone",
    AgentState.LOGGED_OUT: "logged out",
}
LACKS: Mapping[Lack, str] = {
    Lack.NOBODY_ABLE: "no operator is able to take it",
    Lack.NOBODY_LOGGED_IN: "nobody who is able to take it is logged in",
    Lack.PHONES_AWAY: "the phones of those who are able to take it cannot be reached",
    Lack.BREAKS: "everybody who is able to take it and logged in is not ready",
    Lack.AT_WORK: "everybody who is able to take it is at work",
    Lack.NODE_BUSY: "somebody is free, and Asterisk is making as many offers as it may at once",
}
OFFERED: Mapping[str, str] = {
    "accepted": "answered",
    "refused": "refused the call",
    "busy": "was busy: his phone said so",
    "unreachable": "could not be reached: his phone did not ring",
    "rona": "did not pick up",
    "withdrawn": "was not needed any more: the caller left, or Asterisk lost him",
    "failed": "could not be rung by our own fault",
}


_WAITS = {SegmentKind.QUEUE, SegmentKind.CALLBACK}
"""A callback waits in its queue's line, too."""


class Moment(NamedTuple):
    """Something that happened, or was decided; of two at the same time the one of the lower `rank` led to the other."""

    at: float
    text: str
    rank: int = 0


class Story(NamedTuple):
    """The answer in one sentence, and what it rests on."""

    summary: str
    moments: tuple[Moment, ...]


def contact_story(contact: ContactDetail, log: ContactLog) -> Story:
    """Why the contact was served so."""
    moments = [Moment(contact.arrived_at, f"arrived on line {contact.line}")]
    moments += [Moment(each.at, _decided(each), rank=3) for each in log.decisions]
    moments += [Moment(each.at, _short(each), rank=4) for each in log.shortages if _waiting(contact.segments, each.at)]
    decided: set[tuple[AgentId | None, float]] = {(each.agent, each.at) for each in log.decisions}
    moments += [moment for offer in contact.offers for moment in _offer(offer, decided)]
    moments += [
        Moment(each.asked_at if each.ended_at is None else each.ended_at, _inquired(each)) for each in log.inquiries
    ]
    moments += [moment for attempt in contact.attempts for moment in _attempt(attempt)]
    moments += [
        Moment(each.ended_at, _ended(each), rank=1 if each.kind is SegmentKind.FLOW else 6)
        for each in contact.segments
        if each.ended_at is not None
    ]
    if contact.ended_at is not None:
        moments.append(Moment(contact.ended_at, f"ended: {contact.outcome}", rank=7))
    return Story(_summary(contact, log), in_order(moments))


def in_order(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """Of time, and of cause."""
    return tuple(sorted(moments, key=lambda moment: (moment.at, moment.rank)))


def span(seconds: float) -> str:
    """`45 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(max(0.0, seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or (
        f"{seconds:.1f} s" if seconds > 0.05 else "0 s"
    )


def doing(able: Mapping[AgentState, int]) -> str:
    """`7 talking, 2 not ready`."""
    return ", ".join(f"{able[state]} {words}" for state, words in DOING.items() if able.get(state)) or "nobody"


def _decided(decision: Decision) -> str:
    ahead = f"; {decision.ahead} before it" if decision.ahead else ""
    if decision.agent is None:
        assert decision.lack is not None
        if decision.asked is not None:
            most = "" if decision.only_until is None else f", for {span(decision.only_until - decision.at)} at most"
            return (
                f"waits for {decision.asked} in queue {decision.queue}{most}{ahead}: he is {doing(decision.able)[2:]}"
            )
        return f"waits in queue {decision.queue}{ahead}: {LACKS[decision.lack]} ({doing(decision.able)})"
    idle_since = decision.idle_since if decision.idle_since is not None else decision.at
    idle = f"idle for {span(decision.at - idle_since)}"
    rest: dict[AgentState, int] = {**decision.able, AgentState.READY: 0}
    others = "".join(f"; {_other(other, decision.at)}" for other in decision.others)
    more = decision.idle - 1 - len(decision.others)
    many = f"; {more} more {'was' if more == 1 else 'were'} idle" if more > 0 else ""
    busy = f"; of the others who are able: {doing(rest)}" if any(rest.values()) else ""
    eased = f"; by then it asked less: {decision.eased}" if decision.eased else ""
    return f"offered to {decision.agent}: {decision.why}, {idle}{eased}{others}{many}{busy}"


def _other(other: Candidate, at: float) -> str:
    reason = f"and could not take it: {other.lacks}" if other.lacks else "and comes after him"
    return f"{other.agent} was idle for {span(at - other.idle_since)} {reason}"


def _short(shortage: Shortage) -> str:
    return f"from now on {LACKS[shortage.lack]} ({doing(shortage.able)})"


def _waiting(segments: Iterable[SegmentRow], at: float) -> bool:
    """Whether the contact was in a queue then."""
    return any(
        each.kind in _WAITS and each.started_at <= at and (each.ended_at is None or at <= each.ended_at)
        for each in segments
    )


def _offer(offer: OfferRow, decided: set[tuple[AgentId | None, float]]) -> Iterator[Moment]:
    if (offer.agent, offer.made_at) not in decided:  # forgotten by now
        yield Moment(offer.made_at, f"offered to {offer.agent}: {offer.why}")
    ended_at = offer.answered_at if offer.answered_at is not None else offer.ended_at
    if offer.outcome is not None and ended_at is not None:
        rang = f" after {span(offer.ring_s)} of ringing" if offer.ring_s else ""
        rank = (
            2 if ended_at > offer.made_at else 5
        )  # an offer ends before the next is made, and after it was made itself
        yield Moment(ended_at, f"{offer.agent} {OFFERED[offer.outcome]}{rang}", rank)


def _attempt(attempt: AttemptRow) -> Iterator[Moment]:
    yield Moment(attempt.made_at, f"called {attempt.number} by trunk {attempt.trunk}: {attempt.why}")
    ended_at = attempt.answered_at if attempt.answered_at is not None else attempt.ended_at
    if attempt.outcome is not None and ended_at is not None:
        yield Moment(ended_at, f"trunk {attempt.trunk}: {attempt.outcome}")


def _inquired(inquiry: Inquiry) -> str:
    asked = f"{inquiry.kind} {inquiry.about}" + (f" asked {inquiry.address}" if inquiry.address else "")
    if inquiry.ended_at is None:
        return f"{asked}: nobody waited for its answer"
    took = "from an earlier answer" if inquiry.cached else f"after {span(inquiry.ended_at - inquiry.asked_at)}"
    why = f" ({inquiry.reason})" if inquiry.reason else ""
    return f"{asked}: {inquiry.verdict} {took}{why}"


def _ended(segment: SegmentRow) -> str:
    assert segment.ended_at is not None
    where = {
        SegmentKind.FLOW: f"flow {segment.flow}",
        SegmentKind.QUEUE: f"queue {segment.queue}",
        SegmentKind.CALLBACK: f"callback of queue {segment.queue}",
        SegmentKind.TALK: f"talk with {segment.agent}",
    }.get(segment.kind, f"{segment.kind}")
    return f"{where} ended after {span(segment.ended_at - segment.started_at)}: {segment.outcome}"


def _summary(contact: ContactDetail, log: ContactLog) -> str:
    queued = [each for each in contact.segments if each.kind is SegmentKind.QUEUE]
    if not queued:
        return f"it came to no queue: {contact.outcome or 'it goes on'}"
    waits = [each for each in log.decisions if each.agent is None and each.lack is not None]
    missed = Counter(offer.outcome for offer in contact.offers if offer.outcome not in (None, "accepted"))
    reasons = []
    if waits:
        ahead = waits[0].ahead
        before = f" ({ahead} {'contact' if ahead == 1 else 'contacts'} before it)" if ahead else ""
        reasons.append(f"{LACKS[waits[0].lack]}{before}" if waits[0].lack else "")
    reasons += [LACKS[each.lack] for each in log.shortages if _waiting(contact.segments, each.at)][-1:]
    reasons += [f"{count} × offered in vain ({outcome})" for outcome, count in missed.items()]
    if not reasons:
        reasons = ["an operator was free when it came"] if log.decisions else ["nothing more is kept of it"]
    answered = any(each.outcome is SegmentOutcome.ANSWERED for each in queued)
    waited_s = sum((each.ended_at or each.started_at) - each.started_at for each in queued)
    how = f"waited {span(waited_s)}" if all(each.ended_at is not None for each in queued) else "still waits"
    rang = f", {span(contact.ring_s)} of it ringing" if answered and contact.ring_s else ""
    return f"{how}{rang}: {', then '.join(dict.fromkeys(reasons))}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
