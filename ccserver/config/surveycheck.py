"""What must be right about surveys: their flows exist, ask for a mark, and lead nobody back into a queue. Asked by `load`."""

from collections.abc import Iterator, Mapping

from ccserver.config import schema
from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath
from ccserver.core.ids import FlowName
from ccserver.core.plan import Plan
from ccserver.core.steps import Enqueue, Forward, Rate, reached


def surveys(plan: Plan) -> tuple[FlowName, ...]:
    """The flows in which callers are asked after a talk."""
    named = [queue.survey for queue in plan.queues.values()] + [line.survey for line in plan.lines.values()]
    return tuple(dict.fromkeys(name for name in named if name is not None and name in plan.flows))


def check_surveys(
    main: schema.Main, plan: Plan, document: Document, flow_documents: Mapping[str, Document], found: Findings
) -> None:
    """Tells `found`."""
    for path, name in _named(main):
        if name not in plan.flows:
            near = did_you_mean(name, plan.flows) or f"; the directory has {listed(sorted(plan.flows)) or 'none'}"
            found.error(document, path, f"there is no flow {shown(name)}{near}")
    asked_after = surveys(plan)
    after = set(reached(plan.flows, asked_after))
    for name in asked_after:
        steps = [step for flow in reached(plan.flows, [name]) for step in plan.flows[flow].steps.values()]
        if not any(isinstance(step, Rate) for step in steps):
            found.warn(flow_documents[name], (), "is a survey and has no `rate` step: it asks for no mark")
    for flow in plan.flows.values():
        for at, step in flow.steps.items():
            if isinstance(step, Enqueue | Forward) and flow.name in after:
                message = "a survey comes after the talk: it must lead neither into a queue nor to anybody outside"
                found.error(flow_documents[flow.name], ("steps", at), message)
            elif isinstance(step, Rate) and flow.name not in after:
                message = (
                    f"no queue and no line has `survey = {shown(flow.name)}`: the mark is a variable, and is not kept"
                )
                found.warn(flow_documents[flow.name], ("steps", at), message)


def _named(main: schema.Main) -> Iterator[tuple[KeyPath, str]]:
    for position, queue in enumerate(main.queues):
        if queue.survey is not None:
            yield ("queues", position, "survey"), queue.survey
    for position, line in enumerate(main.lines):
        if line.survey is not None:
            yield ("lines", position, "survey"), line.survey
