"""Which calls may leave: the rules that keep a stolen password or a wrong finger from costing a fortune. Pure, and explained.

In this order: an emergency number always goes; a number must be a public one and none of our own lines (the call would come
back and be paid twice); `[tolls]` must allow it, where the longest prefix that fits counts and `deny` wins a tie; the
operator's `may_dial` must too; and neither he nor all together may have called too often within the hour.
"""

from collections.abc import Iterable

from msgspec import Struct

from ccserver.core.ids import AgentId, PromptName
from ccserver.core.numbers import canonical, is_emergency
from ccserver.core.plan import Operator, Plan, Tolls

HOUR_S = 3600.0


class Refusal(Struct, frozen=True):
    """Why a call may not leave: what the operator hears, and what the CDR and the log say."""

    prompt: PromptName
    why: str
    limit: bool = False
    """Too many calls, which somebody must look at."""


def refusal(plan: Plan, operator: Operator | None, number: str, *, by_him: int, by_all: int) -> Refusal | None:
    """None: it may leave. `operator` None: a flow wants it. `number` in E.164, or as dialled; `by_him` and `by_all` are the calls
    of the last hour."""
    tolls = plan.tolls
    if is_emergency(number, plan.rules.region):
        return None
    if forbidden := number_refusal(plan, number):
        return forbidden
    if operator is not None and operator.may_dial and _longest(operator.may_dial, number) is None:
        why = f"{number} begins with none of what {operator.extension} may dial"
        return Refusal(PromptName("outbound-not-allowed"), why)
    if operator is not None and by_him >= tolls.operator_calls_per_hour:
        why = f"{operator.extension} has called {by_him} times within the hour (tolls.operator_calls_per_hour)"
        return Refusal(PromptName("outbound-limit"), why, limit=True)
    if by_all >= tolls.calls_per_hour:
        why = f"all operators and flows together have called {by_all} times within the hour (tolls.calls_per_hour)"
        return Refusal(PromptName("outbound-limit"), why, limit=True)
    return None


def number_refusal(plan: Plan, number: str) -> Refusal | None:
    """Whether anybody at all may call the number; None: he may. What is no emergency call is asked of here."""
    if not number.startswith("+"):
        return Refusal(PromptName("outbound-not-a-number"), f"{number} is no public number")
    if any(number == canonical(line.number, plan.rules.region) for line in plan.lines.values()):
        return Refusal(PromptName("outbound-own-line"), f"{number} is a line of our own")
    if flaw := _not_allowed(plan.tolls, number):
        return Refusal(PromptName("outbound-not-allowed"), flaw)
    return None


def recent(dialled: Iterable[float], now: float) -> tuple[float, ...]:
    """Of the times at which calls left, those that still count."""
    return tuple(at for at in dialled if at > now - HOUR_S)


def limits_reached(plan: Plan, calls: Iterable[tuple[AgentId, int]], by_flows: int = 0) -> str:
    """For people: who may not call any more for now, by the calls of the last hour; empty when everybody may."""
    counted = tuple(calls)
    in_all = sum(count for _, count in counted) + by_flows
    if 0 < plan.tolls.calls_per_hour <= in_all:
        return f"{in_all} calls have left within the hour, and no more are let out (tolls.calls_per_hour)"
    over = [agent for agent, count in counted if 0 < plan.tolls.operator_calls_per_hour <= count]
    if not over:
        return ""
    limit = plan.tolls.operator_calls_per_hour
    return f"{', '.join(over)} called {limit} times within the hour or more, and may not now (tolls.operator_calls_per_hour)"


def _not_allowed(tolls: Tolls, number: str) -> str:
    allowed, denied = _longest(tolls.allow, number), _longest(tolls.deny, number)
    if denied is not None and (allowed is None or len(denied) >= len(allowed)):
        return f"{number} begins with {denied}, which tolls.deny names"
    return f"{number} begins with nothing that tolls.allow names" if allowed is None else ""


def _longest(prefixes: Iterable[str], number: str) -> str | None:
    return max((prefix for prefix in prefixes if number.startswith(prefix)), key=len, default=None)
