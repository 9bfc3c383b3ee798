"""Whether flows hand callers to somebody who can be reached. Asked by `load`."""

from collections.abc import Mapping

from ccserver.config.errors import did_you_mean, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document
from ccserver.core.numbers import is_emergency
from ccserver.core.plan import Plan
from ccserver.core.steps import Forward
from ccserver.core.tolls import number_refusal


def check_transfers(plan: Plan, documents: Mapping[str, Document], found: Findings) -> None:
    """`transfer` steps to somebody outside, which is what names that mean nothing are taken for; tells `found`."""
    outbound = any(trunk.outbound for trunk in plan.trunks.values())
    for flow in plan.flows.values():
        for name, step in flow.steps.items():
            if not isinstance(step, Forward):
                continue
            path = ("steps", name, "to")
            if flaw := _flaw(plan, step.number):
                found.error(documents[flow.name], path, flaw)
            elif not outbound:
                found.warn(documents[flow.name], path, "there is no trunk by which a call can leave")


def _flaw(plan: Plan, number: str) -> str:
    if is_emergency(number, plan.rules.region):
        return ""
    if number in plan.operators:
        return f"{number} is in no queue, and callers wait for an operator in a queue of his"
    if not number.startswith("+"):
        near = did_you_mean(number, [*plan.operators, *plan.queues, *plan.lines])
        return f"{shown(number)} is no operator, queue, line or public number{near}"
    refusal = number_refusal(plan, number)
    return refusal.why if refusal is not None else ""
