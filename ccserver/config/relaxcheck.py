"""What waiting contacts ask less of operators as time goes on: whether each stage does something, and whether it is enough.

Called by `load` for names that are unique and known.
"""

from collections.abc import Iterator
from itertools import pairwise

from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.serving import able, nobody
from ccserver.config.source import Document, KeyPath
from ccserver.core.matching import Need
from ccserver.core.needing import eased, highest, speaking
from ccserver.core.plan import Plan, Queue
from ccserver.core.steps import Enqueue, SkillNeed, Stage


def check_stages(
    stages: tuple[Stage, ...],
    queue: Queue,
    asked: tuple[SkillNeed, ...],
    path: KeyPath,
    document: Document,
    found: Findings,
) -> None:
    """Of a queue, or of a step that leads to it; `asked`: all that a contact may ask with these stages before it."""
    need = Need(queue.name, highest(asked))
    for position, (before, stage) in enumerate(pairwise((None, *stages))):
        assert stage is not None
        if before is not None and stage.after_s <= before.after_s:
            message = f"expected more than {before.after_s:g}, the time of the stage before it, got {stage.after_s:g}"
            found.error(document, (*path, position, "after_s"), message)
        relaxed = eased(need, stage)
        if relaxed == need:
            found.warn(document, (*path, position), "lowers nothing: whoever may take the contact then could before")
        need = relaxed


def check_relaxing(plan: Plan, document: Document, found: Findings) -> None:
    """The queues' own stages and languages; tells `found`."""
    for position, queue in enumerate(plan.queues.values()):
        path: KeyPath = ("queues", position)
        check_queues(queue.relax, plan, (*path, "relax"), document, found)
        check_stages(queue.relax, queue, tuple(_may_ask(plan, queue)), (*path, "relax"), document, found)
        if queue.language != "any" and not plan.rules.language_skills:
            message = 'no language is a skill: rules.language_skills says which, like { en = "english" }'
            found.error(document, (*path, "language"), message)

        if queue.relax and not able(plan, queue):
            message = f"nobody may take its contacts before the first stage: they wait {queue.relax[0].after_s:g} s for nothing"
            found.warn(document, (*path, "relax", 0), message)
        if queue.language == "required":
            _check_languages(plan, queue, (*path, "language"), document, found)


def _check_languages(plan: Plan, queue: Queue, path: KeyPath, document: Document, found: Findings) -> None:
    for language in plan.rules.language_skills:
        spoken = speaking(plan, queue, language)
        if spoken is not None and (flaw := nobody(plan, queue, (spoken,))):
            found.warn(document, path, f"who speaks {language} would wait in vain: {flaw}")


def check_queues(stages: tuple[Stage, ...], plan: Plan, path: KeyPath, document: Document, found: Findings) -> None:
    """Names of other queues; tells `found`."""
    for position, stage in enumerate(stages):
        for inner, name in enumerate(stage.queues):
            if name not in plan.queues:
                near = did_you_mean(name, plan.queues) or f"; there are {listed(plan.queues) or 'none'}"
                found.error(document, (*path, position, "queues", inner), f"there is no queue {shown(name)}{near}")


def _may_ask(plan: Plan, queue: Queue) -> Iterator[SkillNeed]:
    """Whatever a contact in the queue may ask: the queue's, its steps', the languages'."""
    yield from queue.skills
    for flow in plan.flows.values():
        for step in flow.steps.values():
            if isinstance(step, Enqueue) and step.queue == queue.name:
                yield from step.skills
    yield from languages_asked(plan, queue)


def languages_asked(plan: Plan, queue: Queue) -> Iterator[SkillNeed]:
    """The skills that it is to speak with its contacts."""
    for language in plan.rules.language_skills:
        if (spoken := speaking(plan, queue, language)) is not None:
            yield spoken
