"""Files of functions of the admin's own: read, run once in a process apart, and looked through. Used by `load`."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from ccserver.config import flowfile
from ccserver.config.errors import Problem, did_you_mean, listed, shown_path
from ccserver.config.findings import Findings
from ccserver.config.source import Document
from ccserver.functions.asking import COMMAND, SOURCE_MAX, Told, question, told

LOOK_S = 10.0
"""For a file to be run once: it should define functions, and do nothing."""


def read_functions(
    flows: Mapping[str, flowfile.FlowFile], documents: Mapping[str, Document], found: Findings
) -> Mapping[str, str]:
    """The texts of the files that flows name, by module; what is wrong with one goes to `found` with its own line."""
    texts: dict[str, str] = {}
    looked: dict[str, Told] = {}
    for flow, step_name, step in _asking(flows):
        module, _, name = step.function.rpartition(".")
        document = documents[flow]
        file = document.file.parent / f"{module}.py"
        if module not in looked:
            text, flaw = _text(file)
            texts[module] = text
            looked[module] = _looked(file, text) if not flaw else Told(flaw=flaw)
            if not flaw and looked[module].flaw:
                told_of = looked[module]
                more = f": {told_of.detail}" if told_of.detail else ""
                message = f"{told_of.flaw}{more}"
                found.problems.append(Problem(file=shown_path(file), line=told_of.line, message=message))
        flaw = looked[module].flaw
        if flaw and not texts[module]:
            found.error(document, ("steps", step_name, "function"), f"{shown_path(file)}: {flaw}")
        elif not flaw and name not in looked[module].functions:
            functions = looked[module].functions
            near = did_you_mean(name, functions) or f"; it has {listed(functions) or 'none'}"
            message = f"{shown_path(file)} has no function {name}{near}"
            found.error(document, ("steps", step_name, "function"), message)
    return texts


def _asking(flows: Mapping[str, flowfile.FlowFile]) -> Iterator[tuple[str, str, flowfile.Python]]:
    for flow, file in flows.items():
        yield from ((flow, name, step) for name, step in file.steps.items() if isinstance(step, flowfile.Python))


def _text(file: Path) -> tuple[str, str]:
    """The text of the file, and why there is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        return "", error.strerror or "cannot be read"
    except ValueError:
        return "", "is no text"
    if len(text) > SOURCE_MAX:
        return "", f"is longer than {SOURCE_MAX} characters"
    return (text, "") if text.strip() else ("", "is empty")


def _looked(file: Path, text: str) -> Told:
    try:
        done = subprocess.run(
            COMMAND, input=question(file, text, LOOK_S), stdout=subprocess.PIPE, timeout=LOOK_S, check=False, cwd="/"
        )
        return told(done.stdout) if done.stdout else Told(flaw=f"ended its process (exit code {done.returncode})")
    except subprocess.TimeoutExpired:
        return Told(flaw=f"does not come to its end within {LOOK_S:g} s: it should define functions, and do nothing")
    except (OSError, ValueError) as error:
        return Told(flaw=f"cannot be looked at: {error}")
