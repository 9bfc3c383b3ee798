"""What must fit together in `ccserver.toml`: its lines, queues, operators, ports and addresses. Called by `load`."""

import ipaddress
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from ccserver.config import schema
from ccserver.config.blockcheck import check_blocked
from ccserver.config.calendars import check_calendar
from ccserver.config.closingcheck import check_closing
from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.network import check_sip
from ccserver.config.prompts import Catalogue, check_language, check_told
from ccserver.config.relaxcheck import languages_asked
from ccserver.config.serving import all_needs, gap, nobody
from ccserver.config.source import Document, KeyPath
from ccserver.config.tollcheck import check_tolls
from ccserver.config.whispercheck import check_whispers
from ccserver.core.calendar import zone
from ccserver.core.ids import QueueName
from ccserver.core.numbers import canonical
from ccserver.core.plan import Plan, Queue
from ccserver.core.queueing import prompts_told
from ccserver.core.steps import AskCallback, Enqueue

RESERVED_REASONS = ("rona", "refused", "phone_busy")
"""Not-ready reasons that the server itself gives (`core.agent.Agent.reason`)."""

STORES = ("sqlite", "postgresql")


def check_main(main: schema.Main, plan: Plan, document: Document, catalogue: Catalogue, found: Findings) -> None:
    """Everything in `ccserver.toml` that refers to something else; tells `found`."""
    region = main.rules.region
    numbers = (line.number for line in main.lines)
    _check_unique(document, "lines", numbers, "number", found, same=lambda number: canonical(number, region))
    _check_unique(document, "calendars", (calendar.name for calendar in main.calendars), "name", found)
    _check_unique(document, "queues", (queue.name for queue in main.queues), "name", found)
    _check_unique(document, "trunks", (trunk.name for trunk in main.trunks), "name", found)
    _check_unique(document, "operators", (operator.extension for operator in main.operators), "extension", found)
    _check_unique(document, "lookups", (lookup.name for lookup in main.lookups), "name", found)
    if not main.lines:
        found.warn(document, ("lines",), "there is no line: nobody can call")
    for position, calendar in enumerate(main.calendars):
        check_calendar(calendar, ("calendars", position), document, found)
        _check_zone(calendar.timezone, ("calendars", position), document, found)
    for position, line in enumerate(main.lines):
        _check_line(line, ("lines", position), plan, document, catalogue, found)
    used = {step.queue for step in _queueing(plan)}
    _check_callbacks(main, plan, document, found)
    if (notice := main.recordings.announcement) is not None:
        for flaw in [flaw for language in catalogue.languages if (flaw := catalogue.flaw(notice, language))][:1]:
            found.error(document, ("recordings", "announcement"), f"{flaw}; who may be recorded is told it")
    check_blocked(main, plan, document, found)
    check_whispers(plan, document, catalogue, found)
    for position, queue in enumerate(main.queues):
        if queue.name not in used:
            found.warn(document, ("queues", position), f"no flow leads to queue {queue.name}")
        told = prompts_told(plan.queues[QueueName(queue.name)])
        check_told(catalogue, document, told, ("queues", position, "tell_every_s"), found)
    for position, operator in enumerate(main.operators):
        _check_operator(operator, ("operators", position), plan, document, found)
        if flaw := check_language(catalogue, operator.language):
            found.error(document, ("operators", position, "language"), flaw)


def check_settings(main: schema.Main, document: Document, found: Findings) -> None:
    """What needs no other file: ports, addresses, the store, the reasons, the queues' times."""
    _check_ports(main, document, found)
    check_sip(main, document, found)
    _check_address(main.asterisk.sip_address, ("asterisk", "sip_address"), document, found)
    api_is_local = _check_address(main.api.address, ("api", "address"), document, found)
    if api_is_local is False:
        message = "anyone who reaches this address may try tokens, and they travel in clear: put TLS in front of it"
        found.warn(document, ("api", "address"), message)
    if flaw := store_flaw(main.store.url):
        found.error(document, ("store", "url"), flaw)
    _check_reasons(main.rules, document, found)
    if main.rules.not_ready_reason_required and not main.rules.not_ready_reasons:
        path = ("rules", "not_ready_reason_required")
        found.error(
            document, path, "expected reasons to choose from ([rules.not_ready_reasons]): nobody could name one"
        )
    check_tolls(main, document, found)
    _check_topics(main.outbound.dispositions, ("outbound", "dispositions"), document, found)
    for position, queue in enumerate(main.queues):
        _check_topics(queue.dispositions, ("queues", position, "dispositions"), document, found)
        if queue.ring_timeout_s < queue.reach_timeout_s:
            message = f"expected at least reach_timeout_s ({queue.reach_timeout_s:g}), got {queue.ring_timeout_s:g}"
            found.error(document, ("queues", position, "ring_timeout_s"), message)


def check_served(main: schema.Main, plan: Plan, document: Document, found: Findings) -> None:
    """Somebody must be able to serve each queue; only for names that are unique."""
    for position, queue in enumerate(main.queues):
        if flaw := nobody(plan, plan.queues[queue.name]):  # type: ignore[index]
            found.error(document, ("queues", position), flaw)


def store_flaw(url: str) -> str | None:
    """Why the store cannot be named so; the url itself is not repeated, it may hold a password."""
    expected = "expected sqlite:///<path> or postgresql://<user>:<password>@<host>/<database>"
    if not url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"{expected}, got one that is no url: {error}"
    if parts.scheme not in STORES or "://" not in url:
        return f"{expected}, got one that begins with {shown(parts.scheme)}"
    if "\0" in url:
        return f"{expected}, got one with a zero byte"
    if parts.scheme == "sqlite" and (parts.netloc or len(parts.path) < 2):
        return (
            f"{expected}, got one without a path" if not parts.netloc else f"{expected}: three slashes before the path"
        )
    if parts.scheme == "postgresql" and len(parts.path) < 2:
        return f"{expected}, got one without a database"
    return None


def _check_unique(
    document: Document,
    table: str,
    names: Iterable[str],
    field: str,
    found: Findings,
    *,
    same: Callable[[str], str] = str,
) -> None:
    """`same` makes equal texts of names that mean the same."""
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if same(name) in first:
            path: KeyPath = (table, first[same(name)], field)
            where = "" if document.is_overridden(path) else f" on line {document.line_of(path)}"
            found.error(
                document, (table, position, field), f"{shown(name)} is taken already by {table}[{path[1]}]{where}"
            )
        first.setdefault(same(name), position)


def _check_line(
    line: schema.Line, path: KeyPath, plan: Plan, document: Document, catalogue: Catalogue, found: Findings
) -> None:
    if line.flow not in plan.flows:
        near = did_you_mean(line.flow, plan.flows) or f"; the directory has {listed(sorted(plan.flows)) or 'none'}"
        found.error(document, (*path, "flow"), f"there is no flow {shown(line.flow)}{near}")
    check_closing(line, path, plan, document, found)
    if flaw := check_language(catalogue, line.language):
        found.error(document, (*path, "language"), flaw)
    _check_zone(line.timezone, path, document, found)
    if line.number in plan.operators:
        found.error(document, (*path, "number"), f"{shown(line.number)} is the extension of an operator too")


def _check_operator(operator: schema.Operator, path: KeyPath, plan: Plan, document: Document, found: Findings) -> None:
    for position, name in enumerate(operator.queues):
        if name not in plan.queues:
            near = did_you_mean(name, plan.queues) or f"; there are {listed(plan.queues) or 'none'}"
            found.error(document, (*path, "queues", position), f"there is no queue {shown(name)}{near}")
        elif name in operator.queues[:position]:
            found.error(document, (*path, "queues", position), f"{shown(name)} is named twice")
        elif lack := gap(plan.operators[operator.extension], all_needs(plan.queues[name])):  # type: ignore[index]
            message = f"{operator.extension} can get no contact of queue {name}: {lack}"
            found.warn(document, (*path, "queues", position), message)
    for name in operator.ranks:
        if name not in operator.queues:
            near = did_you_mean(name, operator.queues)
            found.error(document, (*path, "ranks", name), f"{operator.extension} is not in queue {shown(name)}{near}")
    _check_zone(operator.timezone, path, document, found)
    for position, name in enumerate(operator.supervises):
        if name not in plan.queues:
            near = did_you_mean(name, plan.queues) or f"; there are {listed(plan.queues) or 'none'}"
            found.error(document, (*path, "supervises", position), f"there is no queue {shown(name)}{near}")
    if not operator.queues and operator.role == "operator" and not operator.supervises:
        found.warn(document, path, f"{operator.extension} is in no queue: will get no contact")
    needed = _needed_skills(plan)
    for skill in operator.skills:
        if skill not in needed:
            near = did_you_mean(skill, needed)
            found.warn(document, (*path, "skills", skill), f"no queue and no flow asks for this skill{near}")


def _needed_skills(plan: Plan) -> set[str]:
    asking: tuple[Queue | Enqueue | AskCallback, ...] = (*plan.queues.values(), *_queueing(plan))
    spoken = {need.skill for queue in plan.queues.values() for need in languages_asked(plan, queue)}
    return spoken | {need.skill for each in asking for need in each.skills}


def _queueing(plan: Plan) -> list[Enqueue | AskCallback]:
    """The steps that give a contact a place in a queue."""
    steps = (step for flow in plan.flows.values() for step in flow.steps.values())
    return [step for step in steps if isinstance(step, Enqueue | AskCallback)]


def _check_callbacks(main: schema.Main, plan: Plan, document: Document, found: Findings) -> None:
    for field in ("calendar", "customer_calendar"):
        name = getattr(main.callbacks, field)
        if name is not None and name not in plan.calendars:
            near = did_you_mean(name, plan.calendars) or f"; there are {listed(plan.calendars) or 'none'}"
            found.error(document, ("callbacks", field), f"there is no calendar {shown(name)}{near}")
    asked = any(isinstance(step, AskCallback) for step in _queueing(plan))
    missed = [queue.name for queue in main.queues if queue.callback_missed]
    if (asked or missed) and not any(trunk.outbound for trunk in main.trunks):
        message = "customers are to be called back, and there is no trunk by which a call can leave"
        found.warn(document, ("callbacks",), message)


def _check_ports(main: schema.Main, document: Document, found: Findings) -> None:
    asterisk = main.asterisk
    if asterisk.rtp_end < asterisk.rtp_start + 3:
        # Two ports a leg, and a conversation has two legs.
        message = f"expected at least rtp_start + 3 ({asterisk.rtp_start + 3}), got {asterisk.rtp_end}"
        found.error(document, ("asterisk", "rtp_end"), message)
    ports: tuple[tuple[KeyPath, int], ...] = (
        (("asterisk", "http_port"), asterisk.http_port),
        (("asterisk", "ami_port"), asterisk.ami_port),
        (("asterisk", "sip_port"), asterisk.sip_port),
        *(((("sip", "tls_port"), main.sip.tls_port),) if main.sip.tls_port else ()),
        (("api", "port"), main.api.port),
    )
    for position, (path, port) in enumerate(ports):
        for other, taken in ports[:position]:
            if port == taken:
                found.error(document, path, f"port {port} is taken already by {other[0]}.{other[1]}")
    if asterisk.rtp_start <= asterisk.sip_port <= asterisk.rtp_end:
        message = (
            f"port {asterisk.sip_port} lies among the ports for sound ({asterisk.rtp_start} to {asterisk.rtp_end})"
        )
        found.error(document, ("asterisk", "sip_port"), message)


def _check_address(address: str, path: KeyPath, document: Document, found: Findings) -> bool | None:
    """Whether the address is reachable from this machine alone; None when it is no address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        found.error(document, path, f'expected an IP address in quotes, like "127.0.0.1", got {shown(address)}')
        return None


def _check_reasons(rules: schema.Rules, document: Document, found: Findings) -> None:
    taken: dict[str, str] = {}
    for digit, reason in rules.not_ready_reasons.items():
        path: KeyPath = ("rules", "not_ready_reasons", digit)
        if reason in RESERVED_REASONS:
            found.error(
                document, path, f"{shown(reason)} is a reason that the server itself gives: choose another name"
            )
        elif reason in taken:
            found.error(document, path, f"{shown(reason)} stands on {taken[reason]} already")
        taken.setdefault(reason, digit)


def _check_topics(asked: schema.Dispositions, path: KeyPath, document: Document, found: Findings) -> None:
    if asked.required and not asked.codes:
        found.error(document, (*path, "required"), "expected codes to choose from: nobody could give what is required")
    for code in asked.codes:
        if len(code) > 1 and code[:-1] not in asked.codes:
            message = f"{code} stands below {code[:-1]}, and there is no topic {code[:-1]}"
            found.error(document, (*path, "codes", code), message)


def _check_zone(name: str, path: KeyPath, document: Document, found: Findings) -> None:
    try:
        zone(name)
    except KeyError:
        near = did_you_mean(name, available_timezones())
        message = f'expected a time zone like "Europe/Moscow", got {shown(name)}{near}'
        found.error(document, (*path, "timezone"), message)
