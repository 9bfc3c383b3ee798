"""The TOML types made into the core's: `schema` -> `core.plan`. Only shapes change here; nothing is judged.

The hash of a plan is the SHA-256 of its canonical JSON, so that two processes with the same configuration agree on it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import asdict, replace

from ccserver.config import flowfile, schema
from ccserver.config.calendars import frozen_calendar
from ccserver.core import plan, steps
from ccserver.core.ids import (
    AgentId,
    CalendarName,
    FlowName,
    Language,
    LineNumber,
    LookupName,
    NodeName,
    PlanHash,
    QueueName,
    Skill,
    StepName,
    TrunkName,
)
from ccserver.core.lookup import Field, Lookup, variables_in
from ccserver.core.numbers import Region, canonical

NO_FUNCTIONS: Mapping[str, str] = MappingProxyType({})


def frozen_plan(
    main: schema.Main,
    flows: Mapping[str, flowfile.FlowFile],
    functions: Mapping[str, str] = NO_FUNCTIONS,
    customers: Iterable[schema.Customer] = (),
) -> plan.Plan:
    """The plan with its hash; `flows` by name, the texts of the files of functions, and customers besides those of `main`."""
    known = (*main.customers, *customers)
    lookups = {LookupName(each.name): _lookup(each) for each in main.lookups}
    whole = plan.Plan(
        node=NodeName(main.node.name),
        lines={LineNumber(line.number): _line(line, main.rules.region) for line in main.lines},
        queues={QueueName(queue.name): _queue(queue) for queue in main.queues},
        operators={AgentId(operator.extension): _operator(operator) for operator in main.operators},
        flows={FlowName(name): _flow(name, flow, main, lookups) for name, flow in flows.items()},
        customers=dict(_customers(known, main.rules.region)),
        customer_prefixes=dict(_prefixes(known)),
        calendars={CalendarName(each.name): frozen_calendar(each) for each in main.calendars},
        rules=plan.Rules(**asdict(main.rules)),
        trunks={TrunkName(trunk.name): _trunk(trunk) for trunk in main.trunks},
        tolls=plan.Tolls(**asdict(main.tolls)),
        outbound=_outbound(main.outbound),
        recordings=_recordings(main.recordings),
        callbacks=plan.Callbacks(**asdict(main.callbacks)),
        lookups=lookups,
        functions=functions,
        blocked=tuple(plan.Blocked(**asdict(rule)) for rule in main.blocked),
    )
    return replace(whole, hash=plan_hash(whole))


def plan_hash(whole: plan.Plan) -> PlanHash:
    """Of everything in the plan but its hash."""
    canonical = msgspec.json.encode(replace(whole, hash=PlanHash("")), order="sorted")
    return PlanHash(hashlib.sha256(canonical).hexdigest())


def _line(line: schema.Line, region: Region) -> plan.Line:
    caller_id, record = canonical(line.caller_id, region), _rule(line.record)
    return plan.Line(**(asdict(line) | {"caller_id": caller_id, "record": record}))


def _customers(known: Iterable[schema.Customer], region: Region) -> Iterator[tuple[str, plan.Customer]]:
    for customer in known:
        yield from ((canonical(number, region), _customer(customer)) for number in customer.numbers)


def _prefixes(known: Iterable[schema.Customer]) -> Iterator[tuple[str, plan.Customer]]:
    for customer in known:
        yield from ((prefix, _customer(customer)) for prefix in customer.prefixes)


def _customer(customer: schema.Customer) -> plan.Customer:
    return plan.Customer(
        name=customer.name,
        priority_s=customer.priority_s,
        language=Language(customer.language) if customer.language is not None else None,
        agent=AgentId(customer.agent) if customer.agent is not None else None,
    )


def _rule(record: schema.RecordRule) -> plan.RecordPolicy | None:
    """True and false are short for two of the words."""
    if isinstance(record, bool):
        return "always" if record else "never"
    return record


def _trunk(trunk: schema.Trunk) -> plan.Trunk:
    """What decides about calls: addresses and passwords are Asterisk's matter and never in the journal."""
    return plan.Trunk(**{field: getattr(trunk, field) for field in plan.Trunk.__struct_fields__})


def _recordings(recordings: schema.Recordings) -> plan.Recordings:
    """Where they are kept is the archive's business."""
    return plan.Recordings(**{field: getattr(recordings, field) for field in plan.Recordings.__struct_fields__})


def _queue(queue: schema.Queue) -> plan.Queue:
    more = {
        "skills": _needs(queue.skills),
        "relax": _stages(queue.relax),
        "record": _rule(queue.record),
        "dispositions": _dispositions(queue.dispositions),
    }
    return plan.Queue(**(asdict(queue) | more))


def _outbound(outbound: schema.Outbound) -> plan.Outbound:
    more = {"record": _rule(outbound.record), "dispositions": _dispositions(outbound.dispositions)}
    return plan.Outbound(**(asdict(outbound) | more))


def _dispositions(asked: schema.Dispositions) -> plan.Dispositions:
    return plan.Dispositions(**asdict(asked))


def _operator(operator: schema.Operator) -> plan.Operator:
    fields = asdict(operator) | {"record": _rule(operator.record)}
    del fields["encryption"]  # his phone's business alone
    return plan.Operator(**fields)


def _lookup(lookup: schema.Lookup) -> Lookup:
    return Lookup(
        **(asdict(lookup) | {"fields": {name: Field(**asdict(each)) for name, each in lookup.fields.items()}})
    )


def _flow(name: str, flow: flowfile.FlowFile, main: schema.Main, lookups: Mapping[LookupName, Lookup]) -> steps.Flow:
    named = {StepName(step_name): _step(step, main, lookups) for step_name, step in flow.steps.items()}
    return steps.Flow(name=FlowName(name), start=StepName(flow.start), steps=named)


_STEPS: dict[type[flowfile.Step], type[steps.Step]] = {
    flowfile.Say: steps.Say,
    flowfile.Menu: steps.Menu,
    flowfile.Rate: steps.Rate,
    flowfile.Collect: steps.Collect,
    flowfile.Answer: steps.Answer,
    flowfile.Set: steps.Set,
    flowfile.Branch: steps.Branch,
    flowfile.Voicemail: steps.Voicemail,
    flowfile.AskCallback: steps.AskCallback,
    flowfile.Dialplan: steps.Dialplan,
    flowfile.Python: steps.Python,
    flowfile.HangUp: steps.HangUp,
    flowfile.Call: steps.Call,
    flowfile.GoTo: steps.GoTo,
    flowfile.Return: steps.Return,
}


def _step(step: flowfile.Step, main: schema.Main, lookups: Mapping[LookupName, Lookup]) -> steps.Step:
    if isinstance(step, flowfile.Transfer):
        return _transfer(step, main)
    if isinstance(step, flowfile.LookUp):
        lookup = lookups.get(LookupName(step.lookup))
        asks, brings = (tuple(variables_in(lookup.url)), tuple(lookup.fields)) if lookup else ((), ())
        return steps.LookUp(**asdict(step), asks=asks, brings=brings)
    if isinstance(step, flowfile.Enqueue):
        return steps.Enqueue(**(asdict(step) | {"skills": _needs(step.skills), "relax": _stages(step.relax)}))
    if isinstance(step, flowfile.AskCallback):
        return steps.AskCallback(**(asdict(step) | {"skills": _needs(step.skills)}))
    if isinstance(step, flowfile.Listen):
        choices = {name: steps.Choice(**asdict(choice)) for name, choice in step.choices.items()}
        return steps.Listen(**(asdict(step) | {"choices": choices}))
    return _STEPS[type(step)](**asdict(step))


def _transfer(step: flowfile.Transfer, main: schema.Main) -> steps.Step:
    """What it means in the order of `core.destinations`; what means nothing is a number that is none, which a check tells."""
    otherwise, region = StepName(step.otherwise), main.rules.region
    for operator in main.operators:
        if operator.extension == step.to and operator.queues:
            return _waiting(operator.queues[0], step, agent=AgentId(operator.extension))
    if any(queue.name == step.to for queue in main.queues):
        return _waiting(step.to, step)
    number = canonical(step.to, region)
    for line in main.lines:
        if number == canonical(line.number, region):
            return steps.GoTo(flow=FlowName(line.flow), line=LineNumber(line.number))
    return steps.Forward(number=number, otherwise=otherwise, ring_s=step.wait_s)


def _waiting(queue: str, step: flowfile.Transfer, agent: AgentId | None = None) -> steps.Enqueue:
    """Handed to an operator, he waits for him alone, in the first of his queues."""
    otherwise = StepName(step.otherwise)
    return steps.Enqueue(
        queue=QueueName(queue),
        max_wait_s=step.wait_s,
        otherwise=otherwise,
        agent=agent,
        nobody=otherwise,
        nobody_after_s=0.0,
    )


def _stages(stages: Iterable[schema.Stage]) -> tuple[steps.Stage, ...]:
    return tuple(steps.Stage(**(asdict(stage) | {"skills": _needs(stage.skills)})) for stage in stages)


def _needs(skills: Mapping[str, int]) -> tuple[steps.SkillNeed, ...]:
    return tuple(steps.SkillNeed(skill=Skill(skill), level=level) for skill, level in sorted(skills.items()))
