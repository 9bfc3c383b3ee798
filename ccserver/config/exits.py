"""The ways out of a queue besides an operator: whether each is whole, and how it is told in checks, drawings and journeys."""

from collections.abc import Iterator, Mapping

from ccserver.config.errors import listed
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath
from ccserver.core.ids import StepName
from ccserver.core.plan import Plan
from ccserver.core.steps import Enqueue, Step

_PARTNERS: tuple[tuple[str, str, str, str], ...] = (
    ("otherwise", "max_wait_s", "the wait after which `otherwise` follows", "the step to go to after max_wait_s"),
    ("closed", "calendar", "the calendar", "the step to go to when the hours are over; both or neither"),
    ("full", "max_waiting", "how many may wait", "the step to go to when max_waiting wait already"),
    ("too_long", "max_expected_s", "the longest wait that may be expected", "the step to go to when it is longer"),
)
"""(exit, its condition, what the condition is, what the exit is): both or neither."""


def check_exits(step: Enqueue, path: KeyPath, document: Document, found: Findings) -> None:
    """Each exit with what it depends on; tells `found`."""
    for exit_, condition, when, where in _PARTNERS:
        if getattr(step, exit_) is None and getattr(step, condition) is not None:
            found.error(document, (*path, exit_), f"is missing: expected {where}")
        elif getattr(step, condition) is None and getattr(step, exit_) is not None:
            found.error(document, (*path, condition), f"is missing: expected {when}")


def check_keys(name: StepName, step: Enqueue, plan: Plan, document: Document, found: Findings) -> None:
    """What the keys of a queue lead to, and whether anybody can know of them; tells `found`."""
    for key, target in step.keys.items():
        if target == name:
            message = "leads back to where he waits: whoever presses it loses his place for nothing"
            found.warn(document, ("steps", name, "keys", key), message)
    queue = plan.queues.get(step.queue)
    told = step.announce or (queue is not None and queue.tell_every_s > 0 and queue.messages)
    if step.keys and not told:
        message = (
            f"nobody tells callers of {listed(step.keys)}: neither `announce` nor the queue's `messages` say anything"
        )
        found.warn(document, ("steps", name, "keys"), message)


def waits_for_ever(steps: Mapping[StepName, Step]) -> Mapping[StepName, tuple[StepName, ...]]:
    """From queue to queue, the ways of a caller who waits in vain and presses nothing: a circle of them has no end."""
    return {
        name: (step.otherwise,) if isinstance(step, Enqueue) and step.otherwise is not None else ()
        for name, step in steps.items()
    }


def exit_reason(step: Enqueue, field: str) -> str:
    """In a drawing, on the arrow."""
    return {
        "otherwise": f"nobody in {step.max_wait_s or 0:g} s",
        "full": f"{step.max_waiting} wait already",
        "too_long": f"over {step.max_expected_s or 0:g} s expected",
        "nobody": "nobody logged in",
    }.get(field, field)


def exit_sentences(step: Enqueue) -> Iterator[str]:
    """In a journey: each way out of the queue."""
    if step.nobody is not None:
        later = f"when the last of them has been gone for {step.nobody_after_s:g} s, too"
        yield f"Nobody logged in who could take it: {step.nobody}; {later}."
    if step.full is not None:
        yield f"Must wait, and {step.max_waiting} wait already: {step.full}."
    if step.too_long is not None:
        yield f"A wait of more than {step.max_expected_s:g} s expected, then or later: {step.too_long}."
    yield from (f"Whoever waits and presses {key}: {to}." for key, to in step.keys.items())
    if step.max_wait_s is not None:
        yield f"Nobody within {step.max_wait_s:g} s: {step.otherwise}."
    if step.closed is not None:
        yield f"When the calendar {step.calendar} is closed, or closes meanwhile: {step.closed}."
