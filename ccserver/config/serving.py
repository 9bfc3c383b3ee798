"""Who could take a contact: the operators of a queue whose skills are enough. Asked by the checks and by `explain`."""

from collections.abc import Iterable, Mapping
from functools import reduce

from msgspec import Struct

from ccserver.core.matching import Ability, Need
from ccserver.core.matching import able as may_serve
from ccserver.core.needing import eased, highest
from ccserver.core.plan import Operator, Plan, Queue
from ccserver.core.steps import SkillNeed, Stage


class Gap(Struct, frozen=True):
    """Why an operator of the queue cannot take the contact."""

    need: SkillNeed
    level: int
    """What he has; 0: not the skill at all."""

    def __str__(self) -> str:
        has = f"level {self.level}" if self.level else "not the skill"
        return f"needs {self.need.skill} at {self.need.level}, has {has}"


def all_needs(queue: Queue, extra: Iterable[SkillNeed] = ()) -> tuple[SkillNeed, ...]:
    """The queue's needs and the step's; of a skill named by both, the higher level."""
    return highest((*queue.skills, *extra))


def gap(operator: Operator, needs: Iterable[SkillNeed]) -> Gap | None:
    """The first need that the operator does not meet."""
    for need in needs:
        level = operator.skills.get(need.skill, 0)
        if level < need.level:
            return Gap(need=need, level=level)
    return None


def able(plan: Plan, queue: Queue, extra: Iterable[SkillNeed] = ()) -> tuple[Operator, ...]:
    """The operators who could take a contact of the queue, by extension."""
    needs = all_needs(queue, extra)
    operators = sorted(members(plan, queue).values(), key=lambda operator: operator.extension)
    return tuple(operator for operator in operators if gap(operator, needs) is None)


def members(plan: Plan, queue: Queue) -> Mapping[str, Operator]:
    """Everybody in the queue, able or not."""
    return {name: operator for name, operator in plan.operators.items() if queue.name in operator.queues}


def nobody(plan: Plan, queue: Queue, extra: Iterable[SkillNeed] = (), relax: tuple[Stage, ...] = ()) -> str | None:
    """Why no operator at all can take a contact of the queue, however long it waits; None when somebody can.

    `extra`, `relax`: of the step that leads to the queue.
    """
    extra = tuple(extra)
    least = reduce(eased, relax or queue.relax, Need(queue.name, all_needs(queue, extra)))
    if any(may_serve(least, Ability.of(operator)) for operator in plan.operators.values()):
        return None
    those = members(plan, queue)
    if not those:
        return f"no operator is in queue {queue.name}: its callers would wait in vain"
    needs = all_needs(queue, extra)
    # The nearest miss is the most likely slip of the pen.
    nearest = min(those.values(), key=lambda o: (sum(o.skills.get(n.skill, 0) < n.level for n in needs), o.extension))
    wanted = ", ".join(f"{need.skill} at {need.level}" for need in needs)
    return (
        f"no operator of queue {queue.name} has the skills it takes ({wanted}): "
        f"nearest is {nearest.extension}, who {gap(nearest, needs)}"
    )
