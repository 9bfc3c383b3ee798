"""What must fit together among flows: calls and gotos name what there is, and no flow calls itself. Asked by `load`."""

from collections.abc import Iterator, Mapping

from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document
from ccserver.core.flow import DEPTH_MAX
from ccserver.core.ids import FlowName, StepName
from ccserver.core.steps import Call, Flow, GoTo, reached


def check_calls(flows: Mapping[FlowName, Flow], documents: Mapping[str, Document], found: Findings) -> None:
    """Tells `found`. A flow whose own file is wrong is in `documents` alone."""
    for flow in flows.values():
        document = documents[flow.name]
        for name, step in _leaving(flow):
            if step.flow not in documents:
                near = did_you_mean(step.flow, documents) or f"; there are {listed(sorted(documents))}"
                found.error(document, ("steps", name, "flow"), f"there is no flow {shown(step.flow)}{near}")
            elif step.flow in flows and isinstance(step, GoTo) and step.step is not None:
                steps = flows[step.flow].steps
                if step.step not in steps:
                    near = did_you_mean(step.step, steps) or f"; it has {listed(steps)}"
                    message = f"the flow {step.flow} has no step {shown(step.step)}{near}"
                    found.error(document, ("steps", name, "step"), message)
    if not all(leads.flow in flows for flow in flows.values() for _, leads in _leaving(flow)):
        return
    circular = False
    for flow in flows.values():
        for name, step in _leaving(flow):
            if isinstance(step, Call) and flow.name in reached(flows, [step.flow]):
                message = f"the flow {flow.name} calls itself: a call must come back, so none may lead here again"
                found.error(documents[flow.name], ("steps", name, "flow"), message)
                circular = True
    if not circular:
        for flow in flows.values():
            if (depth := _depth(flows, flow.name)) > DEPTH_MAX:
                message = f"flows call one another {depth} deep from here, {DEPTH_MAX} are allowed"
                found.error(documents[flow.name], ("start",), message)


def _leaving(flow: Flow) -> Iterator[tuple[StepName, Call | GoTo]]:
    return ((name, step) for name, step in flow.steps.items() if isinstance(step, Call | GoTo))


def _depth(flows: Mapping[FlowName, Flow], name: FlowName) -> int:
    """How deep calls can nest in a flow; none calls itself."""
    deepest: dict[FlowName, int] = {}

    def depth(begun: FlowName) -> int:
        if begun not in deepest:
            calls = {
                step.flow for each in _by_goto(flows, begun) for _, step in _leaving(each) if isinstance(step, Call)
            }
            deepest[begun] = max((1 + depth(called) for called in calls), default=0)
        return deepest[begun]

    return depth(name)


def _by_goto(flows: Mapping[FlowName, Flow], begun: FlowName) -> list[Flow]:
    """The flow and those it goes on in without a call."""
    found = [begun]
    for name in found:
        found += {step.flow for _, step in _leaving(flows[name]) if isinstance(step, GoTo)} - set(found)
    return [flows[name] for name in found]
