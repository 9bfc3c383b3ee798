"""What a person has to look at: gathered from the parts of the daemon whenever the API is asked. Made by `ccserver.app`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ccserver.api.sources import Alarm
from ccserver.ari import Counters
from ccserver.callback_spool import SET_ASIDE
from ccserver.ports import Clock
from ccserver.store.alarm import Alarm as StoreAlarm

CRITICAL = "journal"
"""Without it nothing may be promised: `/healthz` fails."""


class Alarming(Protocol):
    """A part that keeps its own alarm."""

    alarm: StoreAlarm | None


class Alarms:
    """As `api.sources.Health`."""

    def __init__(self, clock: Clock, stored: Mapping[str, Alarming], spoken: Mapping[str, Callable[[], str]]) -> None:
        """By name, who knows; of `spoken` each says what is wrong in one line, or nothing."""
        self._clock = clock
        self._stored = stored
        self._spoken = spoken
        self._since: dict[str, float] = {}

    def __call__(self) -> Sequence[Alarm]:
        """All that is wrong at this moment."""
        alarms = [
            Alarm(name=name, message=part.alarm.text, since=part.alarm.since, critical=name == CRITICAL)
            for name, part in self._stored.items()
            if part.alarm
        ]
        spoken = {name: say() for name, say in self._spoken.items()}
        self._since = {name: self._since.get(name, self._clock.now()) for name, text in spoken.items() if text}
        return [*alarms, *(Alarm(name=name, message=spoken[name], since=at) for name, at in self._since.items())]


class Unbuilt:
    """Prompts that have no sound. Asterisk passes over them in silence: callers go on, and a person must be told."""

    def __init__(self, missing: Sequence[str], prompts_dir: Path) -> None:
        """`missing`: as `PromptResolver.unbuilt`, which looks once."""
        self._prompts_dir = prompts_dir
        self.expect(missing)

    def expect(self, missing: Sequence[str]) -> None:
        """Other prompts are needed now, and these of them have no sound yet."""
        self._missing = missing

    def __call__(self) -> str:
        """Empty as soon as all have been built."""
        self._missing = [key for key in self._missing if not (self._prompts_dir / f"{key}.wav").is_file()]
        if not self._missing:
            return ""
        return f"{len(self._missing)} prompts are not built, callers hear silence instead: run `ccserver prompts build`"


def callbacks_waiting(directory: Path) -> str:
    """What the fallback dialplan promised to callers while there was no daemon, and is not owed to them yet, or cannot be."""
    count = sum(1 for _ in directory.glob("*.json"))
    aside = sum(1 for _ in directory.glob(f"*{SET_ASIDE}"))
    told = f"{count} callback request{' waits' if count == 1 else 's wait'} in {directory}" if count else ""
    if not aside:
        return told
    refused = f"{aside} callback request{'' if aside == 1 else 's'} could not be taken: see *{SET_ASIDE} in {directory}"
    return f"{told}; {refused}" if told else refused


def events_unread(counters: Counters) -> str:
    """What Asterisk told and nobody could take for a fact."""
    malformed, unknown = counters.malformed_events, counters.unknown_events
    if not malformed + unknown:
        return ""
    return f"events of Asterisk: {malformed} malformed, {unknown} of unknown kinds; the log names each kind once"
