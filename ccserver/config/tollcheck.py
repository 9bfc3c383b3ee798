"""What must fit together about calls that leave: numbers shown, prefixes, who may dial them. Called by `crosscheck`."""

from collections.abc import Iterator

from ccserver.config import schema
from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath
from ccserver.core.numbers import e164, is_emergency


def check_tolls(main: schema.Main, document: Document, found: Findings) -> None:
    """What needs only `ccserver.toml`."""
    region = main.rules.region
    for position, line in enumerate(main.lines):
        if line.caller_id and e164(line.caller_id, region) is None:
            message = f"expected a public number of {region}, or one that begins with +, got {shown(line.caller_id)}"
            found.error(document, ("lines", position, "caller_id"), message)
    for name in ("allow", "deny"):
        _check_twice(getattr(main.tolls, name), ("tolls", name), document, found)
    for prefix in sorted(set(main.tolls.allow) & set(main.tolls.deny)):
        message = f"{shown(prefix)} is denied too, and deny wins"
        found.warn(document, ("tolls", "allow", main.tolls.allow.index(prefix)), message)
    for position, operator in enumerate(main.operators):
        path: KeyPath = ("operators", position)
        for field, flaw in _flaws(main, operator):
            found.error(document, (*path, field), flaw)
        _check_twice(operator.may_dial, (*path, "may_dial"), document, found)
        for number, prefix in enumerate(operator.may_dial):
            if not _some_allowed(main.tolls, prefix):
                message = f"{operator.extension} can dial nothing that begins with {prefix}: tolls.allow has none of it"
                found.warn(document, (*path, "may_dial", number), message)
        if is_emergency(operator.extension, region):
            message = f"{shown(operator.extension)} is an emergency number: who dials it shall not reach a colleague"
            found.error(document, (*path, "extension"), message)


def _flaws(main: schema.Main, operator: schema.Operator) -> Iterator[tuple[str, str]]:
    lines = [line.number for line in main.lines]
    if operator.line is not None and operator.line not in lines:
        near = did_you_mean(operator.line, lines) or f"; there are {listed(lines) or 'none'}"
        yield "line", f"there is no line {shown(operator.line)}{near}"


def _some_allowed(tolls: schema.Tolls, prefix: str) -> bool:
    """A number with this beginning may be dialled, or one that goes on in a way that may."""
    return any(allowed.startswith(prefix) or prefix.startswith(allowed) for allowed in tolls.allow)


def _check_twice(prefixes: tuple[str, ...], path: KeyPath, document: Document, found: Findings) -> None:
    for position, prefix in enumerate(prefixes):
        if prefix in prefixes[:position]:
            found.error(document, (*path, position), f"{shown(prefix)} is named twice")
