"""What the fallback dialplan promised to callers while there was no daemon: read at the start and then again and again.

`ccserver/asterisk/callback_agi.py` writes one file per request. It is removed only after the journal has what it asks for; a
crash between the two lets it be read twice, and the contact's id, made of the file's name, lets the core know it again. What
cannot be owed (no number, premium rate) or makes no sense is set aside under another name, and an alarm tells.
"""

import asyncio
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from ccserver.core.events import CallbackSource, Refused, RequestCallback
from ccserver.core.ids import ContactId, LineNumber, NodeName
from ccserver.ports import Clock, Desk

READ_EVERY_S = 5.0
SIZE_MAX = 64 * 1024
SET_ASIDE = ".refused"

log = structlog.get_logger("ccserver.callbacks")


class Spooled(Struct, frozen=True):
    """One file."""

    number: str
    """As dialled, or as it came with the call."""
    dnis: str
    at: float


class CallbackSpool:
    """`run()` serves until cancelled."""

    def __init__(self, directory: Path, desk: Desk, node: NodeName, clock: Clock) -> None:
        self._directory = directory
        self._desk = desk
        self._node = node
        self._clock = clock

    async def run(self) -> None:
        """Read what is there, and look again."""
        while True:
            await self.read()
            await asyncio.sleep(READ_EVERY_S)

    async def read(self) -> None:
        """All files, the oldest first."""
        for file in await asyncio.to_thread(lambda: sorted(self._directory.glob("*.json"))):
            await self._take(file)

    async def _take(self, file: Path) -> None:
        try:
            spooled = await asyncio.to_thread(_read, file)
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            await self._set_aside(file, f"cannot be read: {error}")
            return
        wanted = RequestCallback(
            ContactId(f"{self._node}-spool{file.stem}"),
            self._node,
            CallbackSource.FALLBACK,
            spooled.number,
            LineNumber(spooled.dnis) if spooled.dnis else None,
            at=min(spooled.at, self._clock.now()),
        )
        answer = await self._desk.request(wanted)
        if isinstance(answer, Refused):
            await self._set_aside(file, answer.reason)
            return
        await asyncio.to_thread(file.unlink, missing_ok=True)
        log.info("spooled callback taken", contact=answer.contact, changed=answer.changed)

    async def _set_aside(self, file: Path, reason: str) -> None:
        log.warning("spooled callback refused", file=str(file), reason=reason)
        try:
            await asyncio.to_thread(file.rename, file.with_suffix(SET_ASIDE))
        except OSError as error:
            log.error("spooled callback stays", file=str(file), reason=str(error))


def _read(file: Path) -> Spooled:
    with file.open("rb") as content:
        spooled = msgspec.json.decode(content.read(SIZE_MAX), type=Spooled)
    if not 0 < spooled.at < 1e11:
        raise ValueError(f"{spooled.at} is no time")
    return spooled
