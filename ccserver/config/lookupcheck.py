"""What must be right about lookups: their addresses, secrets and fields, and what flows do with the answers. Asked by `load`."""

import os
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from ccserver.config import schema
from ccserver.config.errors import listed, shown
from ccserver.config.findings import Findings
from ccserver.config.journeys import BUILT_IN, spoken
from ccserver.config.lookupsecret import secret_in
from ccserver.config.source import Document, KeyPath
from ccserver.core.ids import FlowName
from ccserver.core.lookup import REFERENCE, FieldKind, value_of
from ccserver.core.plan import Plan
from ccserver.core.steps import Flow, LookUp, related

SILENCE_MAX_S = 6.0
"""Who hears nothing for longer believes that he was cut off."""
SAID_AS: Mapping[str, tuple[FieldKind, ...]] = {
    "digits": ("digits", "number", "phone"),
    "number": ("number",),
    "money": ("money", "number"),
    "date": ("date",),
    "time": ("time",),
    "phone": ("phone", "digits"),
}
"""As what an item can say a field, whatever the answer brings."""


def check_lookups(main: schema.Main, document: Document, found: Findings) -> None:
    """Each by itself; tells `found`."""
    for position, lookup in enumerate(main.lookups):
        path: KeyPath = ("lookups", position)
        if flaw := _address_flaw(lookup.url):
            found.error(document, (*path, "url"), flaw)
        _check_secret(lookup, path, document, found)
        for name, field in lookup.fields.items():
            inner: KeyPath = (*path, "fields", name)
            if name in BUILT_IN:
                found.error(document, inner, f"{name} is the server's own: choose another name")
            if field.default is not None and field.kind != "text" and not _is(field.kind, field.default):
                message = f"expected a {field.kind} as its kind says, got {shown(field.default)}"
                found.error(document, (*inner, "default"), message)


def check_asking(plan: Plan, document: Document, flow_documents: Mapping[str, Document], found: Findings) -> None:
    """What flows ask, and how they say what they were told; only for lookups that are right by themselves."""
    asked = {step.lookup for _, _, step in _asking(plan)}
    for position, lookup in enumerate(plan.lookups.values()):
        if lookup.name not in asked:
            found.warn(document, ("lookups", position), f"no flow asks the lookup {lookup.name}")
    for flow_name, name, step in _asking(plan):
        known = plan.lookups.get(step.lookup)
        if known is not None and known.timeout_s > SILENCE_MAX_S and not step.music:
            message = f"a caller may hear nothing for {known.timeout_s:g} s: expected music with it"
            found.warn(flow_documents[flow_name], ("steps", name), message)
    for flow in plan.flows.values():
        kinds = dict(_kinds(plan, flow.name))
        for path, item in _items(flow) if kinds else ():
            for variable in REFERENCE.findall(item):
                kind, said = kinds.get(variable), item.partition(":")[0]
                if kind is not None and kind not in SAID_AS[said]:
                    message = f"{variable} is a {kind} for its lookup: as {said} only {listed(SAID_AS[said])} is said"
                    found.error(flow_documents[flow.name], path, message)


def _asking(plan: Plan) -> Iterator[tuple[str, str, LookUp]]:
    for flow in plan.flows.values():
        yield from ((flow.name, name, step) for name, step in flow.steps.items() if isinstance(step, LookUp))


def _items(flow: Flow) -> Iterator[tuple[KeyPath, str]]:
    for name, step in flow.steps.items():
        yield from ((("steps", name, *inner), item) for inner, item in spoken(step))


def _kinds(plan: Plan, flow_name: FlowName) -> Iterator[tuple[str, FieldKind]]:
    """Of the variables that lookups bring into this flow, or into one that shares its variables."""
    for flow in related(plan.flows, flow_name):
        for step in flow.steps.values():
            if isinstance(step, LookUp) and step.lookup in plan.lookups:
                yield from ((name, field.kind) for name, field in plan.lookups[step.lookup].fields.items())


def _is(kind: FieldKind, text: str) -> bool:
    return text in ("yes", "no") if kind == "flag" else value_of(kind, text) is not None


def _address_flaw(url: str) -> str:
    """Why nobody could be asked there; the address itself is in the file, where it may hold anything."""
    if rest := re.search(r"[{}][^{}]*[{}]?", REFERENCE.sub("", url)):
        return f"expected variables like {{order}}, got {shown(rest[0])}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"is no address: {error}"
    if not parts.hostname:
        return "is no address: it has no host"
    if "@" in parts.netloc:
        return "a name and a password do not belong into an address: see secret_file"
    if "{" in parts.netloc:
        return "no variable may say which computer is asked: callers type what they like"
    return ""


def _check_secret(lookup: schema.Lookup, path: KeyPath, document: Document, found: Findings) -> None:
    if lookup.secret_file and lookup.secret_variable:
        found.error(document, (*path, "secret_variable"), "there is a secret_file already: one of the two must go")
    if any(name.lower() == lookup.secret_header.lower() for name in lookup.headers) and _has_secret(lookup):
        found.error(document, (*path, "headers"), f"{lookup.secret_header} is what the secret stands in")
    if lookup.secret_variable and not os.environ.get(lookup.secret_variable):
        message = f"{lookup.secret_variable} is not set here: it must be where the daemon runs"
        found.warn(document, (*path, "secret_variable"), message)
    if lookup.secret_file:
        try:
            secret_in(document.file.parent / lookup.secret_file)
        except (OSError, ValueError) as error:
            reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)
            found.error(document, (*path, "secret_file"), f"{document.file.parent / lookup.secret_file}: {reason}")
    if _has_secret(lookup) and urlsplit(lookup.url).scheme == "http" and not _is_here(lookup.url):
        found.warn(document, (*path, "url"), "the secret travels in clear: expected https")


def _has_secret(lookup: schema.Lookup) -> bool:
    return bool(lookup.secret_file or lookup.secret_variable)


def _is_here(url: str) -> bool:
    """On this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
