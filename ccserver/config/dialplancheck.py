"""Where flows and the dialplan meet: contexts that flows hand callers to, and flows that the dialplan sends them to.

As in `dialplan`, only what stands plainly in dialplans/*.conf is seen, so what is found is a warning. Asked by `load`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ccserver.config.dialplan import as_regex, contexts_in
from ccserver.config.errors import Problem, Severity, did_you_mean, listed, shown, shown_path
from ccserver.config.findings import Findings
from ccserver.config.source import Document
from ccserver.core.ids import FlowName
from ccserver.core.plan import Plan
from ccserver.core.steps import Dialplan

_SENT = re.compile(r"\bGosub\(\s*to-flow\s*,\s*s\s*,\s*1\s*\(\s*([^)\s]*)\s*\)", re.IGNORECASE)
_EXTENSION = re.compile(r"\s*exten\s*=>?\s*([^,;\s]+)\s*,", re.IGNORECASE)
_LEADS_ELSEWHERE = re.compile(
    r"^\s*(?:include|switch)\b|\b(?:Goto|GotoIf|GotoIfTime|Gosub|GosubIf|Macro|ExecIf)\(", re.I | re.M
)
_INCLUDES = re.compile(r"^\s*(?:include|switch|lswitch|eswitch)\b", re.I | re.M)
_RETURNS = re.compile(r"\bReturn\(", re.IGNORECASE)


def sent_to(directory: Path, plan: Plan, found: Findings) -> tuple[FlowName, ...]:
    """The flows to which the dialplan sends callers; warns of those that there are not."""
    names: dict[FlowName, None] = {}
    for file, text in _files(directory):
        for number, line in enumerate(text.splitlines(), 1):
            for name in _SENT.findall(line.partition(";")[0]):
                if name in plan.flows:
                    names[FlowName(name)] = None
                elif "$" not in name:
                    near = did_you_mean(name, plan.flows) or f"; there are {listed(sorted(plan.flows)) or 'none'}"
                    message = f"there is no flow {shown(name)}{near}"
                    found.problems.append(
                        Problem(file=shown_path(file), line=number, message=message, severity=Severity.WARNING)
                    )
    return tuple(names)


def check_dialplan_steps(plan: Plan, directory: Path, documents: Mapping[str, Document], found: Findings) -> None:
    """Warn of places that the dialplan beside `ccserver.toml` has not, and of contexts that never return."""
    contexts: dict[str, list[str]] = {}
    for _, text in _files(directory):
        for name, lines in contexts_in(text):
            contexts.setdefault(name, []).extend(lines)
    if not contexts:
        return
    for flow in plan.flows.values():
        for name, step in flow.steps.items():
            if isinstance(step, Dialplan):
                for field, message in _flaws(step, contexts):
                    found.warn(documents[flow.name], ("steps", name, field), message)


def _flaws(step: Dialplan, contexts: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    lines = contexts.get(step.context)
    if lines is None:
        yield (
            "context",
            f"no file *.conf beside ccserver.toml has the context {step.context}{did_you_mean(step.context, contexts)}",
        )
        return
    text = "\n".join(lines)
    extensions = [match[1] for line in lines if (match := _EXTENSION.match(line))]
    fits = any(re.fullmatch(as_regex(extension), step.extension, re.IGNORECASE) for extension in extensions)
    if not fits and not _INCLUDES.search(text):
        yield (
            "extension",
            f"the context {step.context} has no extension {step.extension}; it has {listed(extensions) or 'none'}",
        )
    if not _RETURNS.search(text) and not _LEADS_ELSEWHERE.search(text):
        yield (
            "context",
            f"the context {step.context} has no Return(): nobody comes back from it, and its end is a hangup",
        )


def _files(directory: Path) -> Iterator[tuple[Path, str]]:
    for file in sorted(directory.glob("[!.]*.conf")):
        try:
            yield file, file.read_text(errors="replace")
        except OSError:  # Asterisk, who has to read it, will say so
            continue
