"""Why an agent got no contact since some moment, in words: what he did, what he was offered, and what became of the others.

Every contact that was offered to somebody else meanwhile is put under the one reason that kept it from him.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ccserver.api.stories import DOING, OFFERED, Moment, Story, in_order, listed, span
from ccserver.core.agent import AgentState
from ccserver.core.decision import Decision
from ccserver.core.explain import lacking
from ccserver.core.ids import ContactId
from ccserver.core.matching import Ability, Need
from ccserver.core.plan import Operator
from ccserver.core.status import AgentStatus
from ccserver.store.decisions import AgentLog
from ccserver.store.rows import IntervalRow

EXAMPLES = 3
"""Of contacts that went to others for one reason, so many are named, the newest."""
MOMENTS_MAX = 200
MOMENTARY_S = 0.05
"""A state that he only passed through tells nothing."""


def agent_story(operator: Operator, agent: AgentStatus, log: AgentLog, since: float, now: float) -> Story:
    """`agent`: as he is now."""
    intervals = [*log.intervals, _present(agent, now)]
    kept = _kept_from(operator, agent, log.decisions, intervals)
    accepted = sum(1 for offer in log.offers if offer.outcome == "accepted")
    got = f"got {accepted} contact{'' if accepted == 1 else 's'}" if accepted else "got no contact"
    reasons = [_time(intervals, since)]
    if missed := [offer for offer in log.offers if offer.outcome not in (None, "accepted")]:
        reasons.append(f"{len(missed)} offered to him in vain")
    reasons += [f"{len(decisions)} went to others: {reason}" for reason, decisions in kept.items()]
    if not kept and not log.offers:
        reasons.append("no contact came that could have been his")
    moments = [*_states(intervals, since), *_offers(log), *_examples(kept)]
    return Story(f"{agent.extension} {got}: {'; '.join(reasons)}", in_order(moments)[-MOMENTS_MAX:])


def _present(agent: AgentStatus, now: float) -> IntervalRow:
    return IntervalRow(
        agent=agent.extension,
        state=agent.state,
        reason=agent.reason,
        started_at=agent.since,
        ended_at=max(now, agent.since),
        contact=agent.contact,
        by="",
    )


def _kept_from(
    operator: Operator, agent: AgentStatus, decisions: Iterable[Decision], intervals: Sequence[IntervalRow]
) -> Mapping[str, Sequence[Decision]]:
    """The offers to others, by the reason why they were not his; the most frequent reason first."""
    ability = Ability.of(operator)
    found: dict[str, list[Decision]] = {}
    for each in decisions:
        if each.agent is not None and each.agent != agent.extension:
            reason = _reason(each, ability, agent, intervals)
            found.setdefault(reason, []).append(each)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _reason(decision: Decision, ability: Ability, agent: AgentStatus, intervals: Sequence[IntervalRow]) -> str:
    if lacks := lacking(Need(decision.queue, decision.needs, decision.also), ability):
        return f"queue {decision.queue}: he {lacks}" if lacks.startswith("needs") else f"he is {lacks}"
    begun = [each for each in intervals if each.started_at <= decision.at]
    idle = any(other.agent == agent.extension for other in decision.others)
    if begun and begun[-1].state is not AgentState.READY and not idle:
        return f"he was {_doing(begun[-1])}"
    return f"others came before him ({decision.why.partition(' of ')[0]})"


def _doing(interval: IntervalRow) -> str:
    words = DOING[interval.state].replace("their own", "his own")
    return f"{words} ({interval.reason})" if interval.reason else words


def _time(intervals: Iterable[IntervalRow], since: float) -> str:
    spent: dict[str, float] = {}
    for each in intervals:
        spent[_doing(each)] = spent.get(_doing(each), 0.0) + each.ended_at - max(each.started_at, since)
    parts = [f"{words} {span(seconds)}" for words, seconds in spent.items() if seconds > 0]
    return f"he was {listed(parts)}" if parts else "nothing is known of his time"


def _states(intervals: Iterable[IntervalRow], since: float) -> Iterator[Moment]:
    for each in intervals:
        served = f" for {each.contact}" if each.contact else ""
        began = max(each.started_at, since)
        if each.ended_at - began < MOMENTARY_S:
            continue
        yield Moment(began, f"{_doing(each)}{served}, {span(each.ended_at - began)}")


def _offers(log: AgentLog) -> Iterator[Moment]:
    for offer in log.offers:
        contact = ContactId(offer.id.rpartition(".")[0])
        yield Moment(offer.made_at, f"was offered {contact} of queue {offer.queue}: {offer.why}")
        ended_at = offer.answered_at if offer.answered_at is not None else offer.ended_at
        if offer.outcome is not None and ended_at is not None:
            yield Moment(ended_at, f"{contact}: {OFFERED[offer.outcome]}")


def _examples(kept: Mapping[str, Sequence[Decision]]) -> Iterator[Moment]:
    for reason, decisions in kept.items():
        for each in decisions[-EXAMPLES:]:
            idle = f", idle for {span(each.at - each.idle_since)}" if each.idle_since is not None else ""
            yield Moment(each.at, f"{each.contact} of queue {each.queue} went to {each.agent}{idle}: {reason}")
