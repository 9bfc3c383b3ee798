"""How long an Ogg/Opus file lasts, read from its own first and last page.

Starting ffprobe to be told the same costs 80 ms of a core, which for a short talk is as much as encoding it. Only files that
`recordings` itself has had made are read here: one Opus stream, whole. RFC 3533 (pages), RFC 7845 (Opus in them).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from ccserver.audio.errors import RecordingBroken, RecordingMissing

_PAGE = struct.Struct("<4sBBqIIIB")
"""Magic, version, flags, granule position, stream, number, checksum, number of segments."""
_LAST = 0x04
_PAGE_MAX = _PAGE.size + 255 + 255 * 255
_GRANULES_PER_S = 48_000
"""Whatever the sound was sampled with."""
_HEAD_BYTES = 19


def duration_s(path: Path) -> float:
    """Seconds of sound; raises `RecordingMissing`, or `RecordingBroken` when it is no Opus or its end was never written."""
    try:
        with path.open("rb") as file:
            head = file.read(_PAGE_MAX)
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _PAGE_MAX))
            tail = file.read()
    except FileNotFoundError:
        raise RecordingMissing(path) from None
    except OSError as error:
        raise RecordingBroken(path, f"cannot be read: {error.strerror}") from None
    stream, pre_skip = _begin(path, head)
    return max(0, _end(path, tail, stream) - pre_skip) / _GRANULES_PER_S


def _begin(path: Path, head: bytes) -> tuple[int, int]:
    """The stream's number, and how many granules of its beginning are not to be played."""
    if len(head) >= _PAGE.size and head.startswith(b"OggS"):
        *_, stream, _number, _checksum, segments = _PAGE.unpack_from(head)
        opus = head[_PAGE.size + segments :]
        if len(opus) >= _HEAD_BYTES and opus.startswith(b"OpusHead"):
            return stream, struct.unpack_from("<H", opus, 10)[0]
    raise RecordingBroken(path, "is no Ogg/Opus file")


def _end(path: Path, tail: bytes, stream: int) -> int:
    """The granule position of the last page, which must end with the file."""
    at = len(tail)
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        # The magic may stand in the sound by chance: a page is one that fits to the last byte.
        if at + _PAGE.size > len(tail):
            continue
        _magic, _version, flags, granule, found, _number, _checksum, segments = _PAGE.unpack_from(tail, at)
        lengths = tail[at + _PAGE.size : at + _PAGE.size + segments]
        ends = at + _PAGE.size + segments + sum(lengths) == len(tail) and len(lengths) == segments
        if found == stream and ends and flags & _LAST and granule >= 0:
            return int(granule)
    raise RecordingBroken(path, "ends in the middle")
