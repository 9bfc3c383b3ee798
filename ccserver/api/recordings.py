"""`/api/contacts/{id}/recording`: a kept recording as WAV, in ranges, so that a browser can jump about in it; its preservation.

The archive holds Opus; a browser asks for one recording many times, a piece at a time. So the WAV is made once and
stands on a shelf of bounded size while the application lives.
"""

import asyncio
import os
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiohttp import web
from msgspec import UNSET, UnsetType

from ccserver.api.contacts import known
from ccserver.api.deciding import decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import ErrorReply, NoQuery, PreservationWish, RecordingQuery
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.sources import ContactQueries, RecordingFiles, RecordingUnavailable
from ccserver.core.events import PreserveContact
from ccserver.core.ids import ContactId
from ccserver.ports import Desk
from ccserver.store.rows import ContactDetail, RecordingRow

SHELF_BYTES_MAX = 256 * 1024 * 1024
"""About two hours of stereo."""
SHELF_FILES_MIN = 4
"""However large: those who listen now."""
CONVERSIONS_MAX = 2


class Shelf:
    """WAV files made of the archive's, the longest unheard thrown out first."""

    def __init__(self, recordings: RecordingFiles, folder: Path) -> None:
        self._recordings = recordings
        self._folder = folder
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}
        self._converting = asyncio.Semaphore(CONVERSIONS_MAX)
        self._made = 0
        self._files: dict[str, Path] = {}

    async def wav(self, path: str, ended_at: float) -> Path:
        """The WAV of an archived recording; raises `RecordingUnavailable`.

        Its mtime is the contact's end, so that a browser's ETag still holds when the file had to be made anew.
        """
        async with self._locks.setdefault(path, asyncio.Lock()):
            try:
                if path not in self._files:
                    await self._make(path, ended_at)
                self._sizes.move_to_end(path)
                wav = self._files[path]
            finally:
                if path not in self._files:
                    self._locks.pop(path, None)
        self._clear()
        return wav

    async def _make(self, path: str, ended_at: float) -> None:
        async with self._converting:
            self._made += 1
            wav = self._folder / f"{self._made}.wav"
            await self._recordings.write_wav(path, wav)
        os.utime(wav, (ended_at, ended_at))
        self._sizes[path] = wav.stat().st_size
        self._files[path] = wav

    def _clear(self) -> None:
        while len(self._sizes) > SHELF_FILES_MIN and sum(self._sizes.values()) > SHELF_BYTES_MAX:
            path, _ = self._sizes.popitem(last=False)
            self._locks.pop(path, None)
            self._files.pop(path).unlink(missing_ok=True)


class RecordingRoutes:
    """Recordings, heard."""

    def __init__(self, desk: Desk, store: ContactQueries, recordings: RecordingFiles) -> None:
        self._desk = desk
        self._store = store
        self._recordings = recordings
        self._shelf: Shelf | None = None

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/contacts/{id}/recording",
                serve=self.hear,
                summary="The recording as WAV: left the caller, right the agent; ranges are served",
                parameters={"id": "The contact's id"},
                query=RecordingQuery,
                answers={
                    200: Answer("The whole file", media="audio/wav"),
                    206: Answer("The range that was asked for", media="audio/wav"),
                    404: Answer("No such contact, or no recording of it; the message says why", ErrorReply),
                    416: Answer("The range lies outside the file"),
                    503: Answer("The store is away", ErrorReply),
                },
            ),
            Operation(
                method="POST",
                path="/api/contacts/{id}/preservation",
                serve=self.preserve,
                summary="Keep the contact's recordings beyond every rule, or let them go by their rule again",
                parameters={"id": "The contact's id"},
                body=PreservationWish,
                answers={
                    200: Answer("Carried out", PreservationWish),
                    400: Answer("The body is wrong; `field` names the field", ErrorReply),
                    404: Answer("No such contact", ErrorReply),
                    413: Answer("The body is too large", ErrorReply),
                    503: Answer("The engine did not answer in time, or the store is away", ErrorReply),
                },
            ),
        )

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`: the shelf is a folder that goes with the application."""
        with tempfile.TemporaryDirectory(prefix="ccserver-wav-") as folder:
            self._shelf = Shelf(self._recordings, Path(folder))
            yield

    async def hear(self, request: web.Request) -> web.StreamResponse:
        """Without `name` the talk, or else the voicemail."""
        query = query_of(request, RecordingQuery)
        detail = await known(self._store, request.match_info["id"])
        path = _chosen(detail, query.name).path
        assert path is not None, "only kept recordings are chosen"
        assert self._shelf is not None, "the application is set up"
        try:
            wav = await self._shelf.wav(path, detail.ended_at or detail.arrived_at)
        except RecordingUnavailable as error:
            raise NotFound(f"the recording of {detail.id} cannot be heard: {error}") from None
        return web.FileResponse(wav, headers={"Content-Type": "audio/wav", "Cache-Control": "private, no-cache"})

    async def preserve(self, request: web.Request) -> web.Response:
        """Of a contact that goes on or is over; the store follows a moment later."""
        query_of(request, NoQuery)
        contact = ContactId(request.match_info["id"])
        wish = await body_of(request, PreservationWish)
        if contact not in {status.id for status in self._desk.status().contacts}:
            await known(self._store, contact)
        at = self._desk.status().at
        await decided(self._desk, PreserveContact(contact, wish.preserved, wish.reason, at=at))
        return json_reply(wish)


def _chosen(detail: ContactDetail, name: str | UnsetType) -> RecordingRow:
    found = [row for row in detail.recordings if name is UNSET or row.recording == name]
    if name is not UNSET and not found:
        raise NotFound(f"contact {detail.id} has no recording {name}", "name")
    kept = sorted((row for row in found if row.path is not None), key=lambda row: row.kind != "talk")
    if kept:
        return kept[0]
    raise NotFound(_why_none(detail, found))


def _why_none(detail: ContactDetail, found: Sequence[RecordingRow]) -> str:
    if found and found[0].purged_at is not None:
        return f"the recording of {detail.id} was kept as long as {found[0].purged_by} says, and has been removed"
    if found:
        return f"the recording of {detail.id} is lost: {found[0].lost}"
    if detail.outcome is None:
        return f"contact {detail.id} is still going on; it can be heard when it has ended"
    if detail.talk_s > 0:
        return f"the talk of {detail.id} was not recorded, or its recording is not finished yet"
    return f"nobody talked in contact {detail.id}, so nothing was recorded"
