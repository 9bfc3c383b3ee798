"""What became of legs that a node does not list any more, from CEL: the truth about a gap."""

from collections.abc import Iterable
from pathlib import Path

from ccserver.asterisk.cel import read_since
from ccserver.core.events import LegHistory
from ccserver.core.ids import LegId


def leg_histories(path: Path, legs: Iterable[LegId], since: float) -> tuple[LegHistory, ...]:
    """The history of each leg that CEL knows anything about since `since` (UTC epoch seconds)."""
    wanted = set(legs)
    answered: dict[str, float] = {}
    ended: dict[str, float] = {}
    causes: dict[str, int] = {}
    for event in read_since(path, since).events:
        if event.unique_id not in wanted:
            continue
        match event.event:
            case "ANSWER":
                answered.setdefault(event.unique_id, event.at)
            case "HANGUP":
                ended[event.unique_id] = event.at
                causes[event.unique_id] = event.hangup_cause() or 16
            case "CHAN_END":
                ended.setdefault(event.unique_id, event.at)
            case _:
                pass
    return tuple(
        LegHistory(leg, answered.get(leg), ended.get(leg), causes.get(leg, 16))
        for leg in sorted(wanted & (answered.keys() | ended.keys()))
    )
