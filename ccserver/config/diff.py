"""What a reload would change, in the words of the files: pure, from what runs and what is configured now.

    queues.orders.ring_timeout_s: 20 -> 25
    operators.1011: new (Светлана Ким)
    flows.nordlis.steps.menu.keys.4: new (goes to sale)
    asterisk.sip_port: 5060 -> 5070 (needs a restart: …)

Things that have a name are told by it and not by their position in the file, so that one put in between moves nothing.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from ccserver.config.calendars import WEEKDAYS
from ccserver.config.errors import listed, shown
from ccserver.config.running import Running
from ccserver.core.plan import Plan

RESTART = "restart the daemon, calls go on meanwhile: systemctl restart ccserver"
RENDER = (
    "run `ccserver asterisk render`, then restart Asterisk when nobody talks, and the daemon: "
    "systemctl restart ccserver-asterisk ccserver"
)
TRUNKS = (
    "run `ccserver asterisk render && ccserver asterisk console core reload`, then restart the daemon, calls go on meanwhile: "
    "systemctl restart ccserver"
)
NEW_JOURNAL = "it begins the id of every contact: change it only with a new journal, when no contact lives"
_REMEDIES = {"asterisk": RENDER, "sip": RENDER, "trunks": TRUNKS, "node": NEW_JOURNAL}
"""By the table of the setting; of all others a restart of the daemon is enough."""
_NOT_RELOADED = {"rules.region": RESTART}
"""Fields of the plan that others than the core have been told at the start."""
_ORDER = (
    "node",
    "lines",
    "calendars",
    "queues",
    "operators",
    "customers",
    "trunks",
    "tolls",
    "callbacks",
    "lookups",
    "functions",
    "rules",
    "flows",
)
_SECRETS = "sha256:"
_WAYS = ("next", "found", "not_found", "failed", "refused", "otherwise", "closed")
"""Fields of a step that lead to another."""


class Change(Struct, frozen=True):
    """One difference; `str()` is its line."""

    field: str
    """As the admin would look for it, objects by their name: `operators.1011.skills.english`."""
    what: str
    remedy: str = ""
    """What has to be done instead of a reload; empty: a reload is enough."""

    def __str__(self) -> str:
        needs = f" (needs a restart: {self.remedy})" if self.remedy else ""
        return f"{self.field}: {self.what}{needs}"


def differences(plan: Plan | None, running: Running | None, new_plan: Plan, new: Running) -> tuple[Change, ...]:
    """What changes when the new configuration takes the place of what runs; of what is None nothing is said."""
    changes: list[Change] = []
    if running is not None:
        changes += _settings(running.settings, new.settings)
        changes += _compared("prompts", _nested(running.prompts), _nested(new.prompts))
        for agent in running.encryption.keys() & new.encryption.keys():
            changes += _compared(f"operators.{agent}.encryption", running.encryption[agent], new.encryption[agent])
    if plan is not None:
        before, after = _plain(plan), _plain(new_plan)
        known = [name for name in _ORDER if name in before | after]
        for table in [*known, *sorted((before | after).keys() - set(known))]:
            remedy = _REMEDIES.get(table, "")
            changes += (
                Change(change.field, change.what, _NOT_RELOADED.get(change.field, remedy))
                for change in _compared(_written(table), before.get(table), after.get(table))
            )
    # A trunk is told of in the plan and among the settings.
    return tuple({change.field: change for change in reversed(changes)}.values())[::-1]


def _settings(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for field in dict.fromkeys((*before, *after)):
        old, new = before.get(field), after.get(field)
        if old != new:
            hidden = any(value is not None and value.startswith(_SECRETS) for value in (old, new))
            what = "another value" if hidden else f"{_value(old)} -> {_value(new)}"
            yield Change(field, what, _REMEDIES.get(field.partition(".")[0], RESTART))


def _compared(field: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        if before.get("do") != after.get("do"):
            yield Change(field, f"{before['do']} -> {_described(field, after)}")
            return
        for name in dict.fromkeys((*before, *after)):
            inner = f"{field}.{name}" if _is_bare(name) else f"{field}.{shown(name)}"
            if name not in before:
                yield Change(inner, f"new{_in_brackets(_described(inner, after[name]))}")
            elif name not in after:
                yield Change(inner, f"removed{_in_brackets(_described(inner, before[name]))}")
            else:
                yield from _compared(inner, before[name], after[name])
    else:
        yield Change(field, f"{_value(before)} -> {_value(after)}")


def _described(field: str, value: Any) -> str:
    """What a thing is that was not there before, or is no more."""
    if not isinstance(value, Mapping):
        leads = field.rpartition(".")[0].endswith((".keys", ".cases"))
        return f"goes to {value}" if leads else _value(value)
    if "do" in value:
        ways = [value[name] for name in _WAYS if value.get(name)]
        ways = [*value.get("keys", {}).values(), *value.get("cases", {}).values(), *ways]
        return str(value["do"]) + (f", goes to {listed(dict.fromkeys(ways))}" if ways else "")
    if "steps" in value:
        return f"{len(value['steps'])} steps"
    return str(value.get("name") if field.startswith(("lines.", "operators.")) else value.get("title", ""))


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _value(value: Any) -> str:
    """As short as an admin would say it."""
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return listed(map(_value, value)) or "none"
    if isinstance(value, Mapping):
        return listed(f"{name} = {_value(inner)}" for name, inner in value.items()) or "none"
    return value if _is_bare(value) else shown(value)


def _is_bare(text: str) -> bool:
    return text.replace("-", "").replace("_", "").replace(".", "").replace(":", "").replace("/", "").isalnum()


def _written(table: str) -> str:
    return "node.name" if table == "node" else table


def _nested(prompts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    nested: dict[str, dict[str, str]] = {}
    for field, text in prompts.items():
        name, _, language = field.rpartition(".")
        nested.setdefault(name, {})[language] = text
    return nested


def _plain(plan: Plan) -> dict[str, Any]:
    """The plan as it is written: names for positions, hours for minutes."""
    plain: dict[str, Any] = msgspec.to_builtins(plan)
    del plain["hash"]
    for calendar in plain["calendars"].values():
        calendar["week"] = {name: _hours(spans) for name, spans in zip(WEEKDAYS, calendar["week"], strict=True)}
        calendar["days"] = {day: _hours(spans) for day, spans in calendar["days"].items()}
    plain["blocked"] = {",".join(rule.pop("numbers")): rule for rule in plain["blocked"]}
    steps = [step for flow in plain["flows"].values() for step in flow["steps"].values()]
    for step in steps:  # told where the lookup is
        step.pop("asks", None)
        step.pop("brings", None)
    texts = plain["functions"].items()
    plain["functions"] = {name: {"text": _SECRETS + sha256(text.encode()).hexdigest()[:16]} for name, text in texts}
    for asking in (*plain["queues"].values(), *steps):
        if "skills" in asking:
            asking["skills"] = {need["skill"]: need["level"] for need in asking["skills"]}
            asking["relax"] = {f"after {stage['after_s']:g} s": _stage(stage) for stage in asking["relax"]}
    for named in (
        *plain["flows"].values(),
        *plain["calendars"].values(),
        *plain["queues"].values(),
        *plain["lookups"].values(),
    ):
        del named["name"]
    for table, key in (("lines", "number"), ("operators", "extension")):
        for named in plain[table].values():
            del named[key]
    return plain


def _stage(stage: dict[str, Any]) -> dict[str, Any]:
    return {"skills": {need["skill"]: need["level"] for need in stage["skills"]}, "queues": stage["queues"]}


def _hours(spans: list[dict[str, int]]) -> str:
    return ", ".join(f"{_clock(span['start'])}-{_clock(span['end'])}" for span in spans) or "closed"


def _clock(minutes: int) -> str:
    hours, minutes = divmod(minutes if minutes <= 24 * 60 else minutes - 24 * 60, 60)
    return f"{hours:02}:{minutes:02}"
