"""Numbers that are not let in: each told once, on lines that exist, with a treatment that can be. Asked by `crosscheck`."""

from ccserver.config import schema
from ccserver.config.closingcheck import treatment_flaw
from ccserver.config.errors import did_you_mean, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document
from ccserver.core.numbers import canonical
from ccserver.core.plan import Plan


def check_blocked(main: schema.Main, plan: Plan, document: Document, found: Findings) -> None:
    """`[[blocked]]`; a number of a narrower entry may be treated otherwise, the same twice is a mistake."""
    told: dict[tuple[str, str], tuple[int, str]] = {}
    own = {canonical(line.number, main.rules.region): line for line in main.lines}
    for position, rule in enumerate(main.blocked):
        if flaw := treatment_flaw(rule.treatment, plan):
            found.error(document, ("blocked", position, "treatment"), flaw)
        for inner, line in enumerate(rule.lines):
            if line not in plan.lines:
                near = did_you_mean(line, plan.lines)
                found.error(document, ("blocked", position, "lines", inner), f"there is no line {shown(line)}{near}")
        for inner, number in enumerate(rule.numbers):
            path = ("blocked", position, "numbers", inner)
            if number in own:
                found.warn(document, path, f"{number} is our own line {own[number].name}")
            for line in rule.lines or ("",):
                earlier = _earlier(told, number, line)
                if earlier == number:
                    found.error(document, path, f"{number} is blocked already by blocked[{told[number, line][0]}]")
                elif earlier is not None and told[earlier, line][1] == rule.treatment:
                    found.warn(document, path, f"{earlier} of blocked[{told[earlier, line][0]}] blocks it already")
                told.setdefault((number, line), (position, rule.treatment))


def _earlier(told: dict[tuple[str, str], tuple[int, str]], number: str, line: str) -> str | None:
    """The longest beginning of the number that is blocked on the line already."""
    known = [each for each, on in told if on == line and number.startswith(each)]
    return max(known, key=len, default=None)
