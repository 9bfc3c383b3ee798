"""What Asterisk wrote about each channel (channel event logging): the truth about calls while nobody listened.

Asterisk appends one line per event to `asterisk/log/cel-custom/ccserver.csv` as asterisk-conf/cel_custom.conf tells
it to, whether or not the daemon is there. Reconciling asks for what happened since the last thing it knows; the
fallback's calls are found here too.
"""

import csv
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

COLUMNS = (
    "event",
    "at",
    "unique_id",
    "linked_id",
    "channel",
    "caller_number",
    "exten",
    "context",
    "app",
    "app_data",
    "peer",
    "user_field",
    "extra",
)
"""The fields of a line, in the order that asterisk-conf/cel_custom.conf writes them: change both together."""

_BLOCK = 64 * 1024
# Lines are written in the order events were published, which for two channels is not quite the order they happened.
_DISORDER_S = 5.0


@dataclass(frozen=True, slots=True)
class CelEvent:
    """One line. `at` is UTC epoch seconds with microseconds; `channel` is Asterisk's name, e.g. PJSIP/1001-0000002a.

    `event` is one of CHAN_START, ANSWER, BRIDGE_ENTER, BRIDGE_EXIT, HANGUP, CHAN_END. `app` and `app_data` are what the
    dialplan executed just then, e.g. Stasis and `ccserver,line,88007707999`; both are empty on CHAN_START and often on
    HANGUP. On BRIDGE_ENTER and BRIDGE_EXIT `extra` names the bridge, `peer` is
    the other channel in it; on HANGUP `extra` has the cause.
    """

    event: str
    at: float
    unique_id: str
    linked_id: str
    channel: str
    caller_number: str
    exten: str
    context: str
    app: str
    app_data: str
    peer: str
    user_field: str
    extra: str

    def hangup_cause(self) -> int | None:
        """The Q.850 cause of a HANGUP, None for every other event."""
        return self._extra().hangupcause

    def bridge_id(self) -> str | None:
        """The bridge entered or left, None for every other event."""
        return self._extra().bridge_id

    def _extra(self) -> "_Extra":
        try:
            return msgspec.json.decode(self.extra, type=_Extra) if self.extra else _Extra()
        except msgspec.DecodeError:
            return _Extra()


class _Extra(msgspec.Struct, frozen=True):
    hangupcause: int | None = None
    bridge_id: str | None = None


@dataclass(frozen=True, slots=True)
class CelReading:
    """Events in the order they happened, and how many lines made no sense."""

    events: tuple[CelEvent, ...]
    malformed: int


def parse_line(line: str) -> CelEvent | None:
    """One line of the file, or None if it is not one of ours.

    Asterisk quotes every field. A caller's number may hold a line break (From: <sip:8%0d%0a…>), and what stands behind it
    would look like a line: it has no quotes, or has them doubled.
    """
    if not line.startswith('"') or not line.rstrip("\r").endswith('"'):
        return None
    try:
        (fields,) = csv.reader([line], strict=True)
        event, at, *rest = fields
        moment = float(at)
    except (ValueError, csv.Error):
        return None
    if len(fields) != len(COLUMNS) or not event or not math.isfinite(moment):
        return None
    return CelEvent(event, moment, *rest)


def read_since(path: Path, since_epoch: float) -> CelReading:
    """Everything that happened at `since_epoch` (UTC seconds) or later; a file that is not there holds nothing.

    Read from the end, so the cost is that of the answer and not of the file. A last line that Asterisk is still
    writing is left for the next time.
    """
    events: list[CelEvent] = []
    malformed = 0
    try:
        with path.open("rb") as file:
            for line in _lines_from_end(file):
                event = parse_line(line)
                if event is None:
                    malformed += 1
                elif event.at >= since_epoch:
                    events.append(event)
                elif event.at < since_epoch - _DISORDER_S:
                    break
    except FileNotFoundError:
        return CelReading((), 0)
    events.reverse()
    events.sort(key=lambda event: event.at)
    return CelReading(tuple(events), malformed)


def _lines_from_end(file: BinaryIO) -> Iterator[str]:
    """Complete lines, the last one first, read a block at a time."""
    position = file.seek(0, os.SEEK_END)
    tail = b""  # the beginning of what was read so far: its line may start in the block before
    last = True
    while position:
        start = max(0, position - _BLOCK)
        file.seek(start)
        lines = (file.read(position - start) + tail).split(b"\n")
        position = start
        if last and len(lines) > 1:
            lines.pop()  # after the last line break: empty, or half a line
            last = False
        tail = lines[0]
        if last:
            continue
        for line in reversed(lines[1:]):
            if line:
                yield line.decode(errors="replace")
    if tail and not last:
        yield tail.decode(errors="replace")
