"""What runs, besides the plan: the settings that a daemon began with and the texts of its prompts, flat, by field.

The daemon keeps them in `running.json` of its state directory, where `ccserver check --diff` finds them; the plan itself is in
the journal. Whatever a `Config` holds is taken here unless it is known that a reload can change it: a setting that somebody
adds one day needs a restart until he says otherwise.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ccserver.config.load import Config

FILE_NAME = "running.json"
_RELOADED = {"file", "state_dir", "plan", "prompts", "warnings", "encryption"}
"""Fields of a `Config` that are no settings, or that a reload takes up."""
_WRITTEN_AS = {"store_url": "store.url", "recordings_dir": "recordings.directory"}
_SECRET = ("store.url", "password")
"""Fields that end so are kept as a fingerprint: whether it changed is all that anybody needs."""


class Running(Struct, frozen=True):
    """By field, as the admin writes it."""

    settings: Mapping[str, str]
    """`asterisk.sip_port`: `5060`; a reload cannot change any of them."""
    prompts: Mapping[str, str]
    """`nordlis-menu.ru`: the text."""
    encryption: Mapping[str, str] = {}
    """Of each operator's sound, by extension."""


def running_of(config: Config) -> Running:
    """What a daemon with this configuration runs with."""
    settings: dict[str, str] = {}
    for name in config.__struct_fields__:
        if name not in _RELOADED:
            value = msgspec.to_builtins(getattr(config, name), enc_hook=str)
            settings.update(_flat(_WRITTEN_AS.get(name, name), value))
    texts = config.prompts.texts.items()
    prompts = {f"{name}.{language}": text for name, by in texts for language, text in by.items()}
    return Running(settings, prompts, dict(config.encryption))


def running_path(state_dir: Path) -> Path:
    """Where the daemon keeps it."""
    return state_dir / FILE_NAME


def encoded(running: Running) -> bytes:
    """The content of the file."""
    return msgspec.json.format(msgspec.json.encode(running), indent=2) + b"\n"


def read_running(state_dir: Path) -> Running | None:
    """What the daemon wrote; None: none has run here, or an older one, or the file is damaged."""
    try:
        return msgspec.json.decode(running_path(state_dir).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def _flat(field: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{field}.{name}", inner)
    elif isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        for position, each in enumerate(value):
            name = each.get("name", position) if isinstance(each, Mapping) else position
            yield from _flat(f"{field}.{name}", each)
    elif isinstance(value, list | tuple):
        yield field, ", ".join(map(str, value))
    elif field.endswith(_SECRET):
        yield field, "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()[:16]
    else:
        yield field, str(value)
