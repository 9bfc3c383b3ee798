"""A fault: changes of the demo's files, and a piece of the line that `ccserver check` must say of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.config_site import Site

Plant = Callable[[Site], object]


class Fault(NamedTuple):
    """`name` ends the sentence "check finds …"; `said` is in one of the lines that check prints."""

    name: str
    said: str
    plants: tuple[Plant, ...]
    overrides: Mapping[str, object] = {}


def fault(name: str, said: str, *plants: Plant, **overrides: object) -> Fault:
    """Plants are done in their order; overrides by field with __ for the dot, as of `Site.load`."""
    return Fault(name, said, plants, {field.replace("__", "."): value for field, value in overrides.items()})


def main(old: str, new: str) -> Plant:
    """Another text in `ccserver.toml`."""
    return lambda site: site.change("ccserver.toml", old, new)


def flow(old: str, new: str) -> Plant:
    """Another text in the flow of Nordlis."""
    return lambda site: site.change("nordlis.toml", old, new)


def dialplan(old: str, new: str) -> Plant:
    """Another text in `lines.conf`."""
    return lambda site: site.change("lines.conf", old, new)


def prompt(old: str, new: str) -> Plant:
    """Another text in `prompts.toml`."""
    return lambda site: site.change("prompts.toml", old, new)


def added(text: str, file: str = "ccserver.toml") -> Plant:
    """More at the end of a file."""
    return lambda site: site.append(file, "\n" + text)


def step(text: str, name: str = "a") -> Plant:
    """A step between the greeting and the menu of Nordlis; it may bring others with it."""

    def plant(site: Site) -> None:
        site.change("nordlis.toml", 'next = "menu"', f'next = "{name}"')
        site.append("nordlis.toml", f"\n[steps.{name}]\n{text}")

    return plant


def written(file: str, content: bytes | str) -> Plant:
    """A file beside `ccserver.toml`, or another content of one."""
    return lambda site: site.file(file).write_bytes(content if isinstance(content, bytes) else content.encode())


def gone(file: str) -> Plant:
    """A file that is not there."""
    return lambda site: site.file(file).unlink()


def directory(file: str) -> Plant:
    """A directory where a file is expected."""
    return lambda site: (Path(site.file(file)).unlink(missing_ok=True), site.file(file).mkdir())


CALENDAR: Plant = Site.with_calendar
"""The demo's example of a calendar, which nobody goes by."""
HOURS: Plant = Site.with_hours
"""Both lines go by it."""
