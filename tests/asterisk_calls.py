"""Calls at a real Asterisk without a phone and without the daemon: ARI by hand, and callers written as dialplan.

For tests of what Asterisk does by itself, see `asterisk_instance`; people on real phones are in `phones`.
"""

import asyncio
import contextlib
import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import aiohttp
import asyncinotify
from asterisk_instance import DIALPLANS_DIR, AsteriskInstance, asterisk_instance

from ccserver.asterisk.cel import CelEvent, read_since

LINE = "88007707999"
T = TypeVar("T")

# The other end of a call to a line, as dialplan: what a caller does after he has been answered.
CALLERS = """
[caller-listens]
exten => s,1,Wait(30)

[operator-answers]
exten => s,1,Answer()
 same => n,Wait(30)

[caller-confirms]
exten => s,1,Wait(2)
 same => n,SendDTMF(1)
 same => n,Wait(30)

[caller-dials-another-number]
exten => s,1,Wait(2)
 same => n,SendDTMF(79161234567#)
 same => n,Wait(30)

[recorded-sounds]
exten => _[a-z][a-z],1,Answer()
 same => n,Set(CHANNEL(language)=${EXTEN})
 same => n,Playback(beep)
 same => n,Set(BEEP=${PLAYBACKSTATUS})
 same => n,Playback(digits/1)
 same => n,Stasis(test,${EXTEN},${BEEP},${PLAYBACKSTATUS})
"""


def dialplan_with_callers(directory: Path) -> Path:
    """The dialplan of the checkout with callers beside it, in a new directory."""
    directory.mkdir()
    for path in DIALPLANS_DIR.glob("*.conf"):
        (directory / path.name).write_text(path.read_text())
    (directory / "callers.conf").write_text(CALLERS)
    return directory


class Ari:
    """ARI over aiohttp, and the events of one application as they come."""

    def __init__(self, asterisk: AsteriskInstance, session: aiohttp.ClientSession) -> None:
        self._asterisk = asterisk
        self.session = session
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._numbers = itertools.count(1)

    async def __call__(self, method: str, path: str, **fields: object) -> object:
        url = f"{self._asterisk.instance.ari_url}/{path}"
        async with self.session.request(
            method, url, headers=self._asterisk.ari_headers, json=fields or None
        ) as response:
            text = await response.text()
            assert response.status < 300, f"{method} {path}: {response.status} {text}"
            return json.loads(text) if text else None

    async def connect(self, app: str) -> None:
        url = f"{self._asterisk.instance.ari_url}/events?app={app}"
        self._socket = await self.session.ws_connect(url, headers=self._asterisk.ari_headers)

    async def disconnect(self) -> None:
        assert self._socket is not None
        await self._socket.close()

    async def event(self, wanted: str) -> dict[str, object]:
        """The next event of this type."""
        assert self._socket is not None
        async with asyncio.timeout(20):
            while True:
                event: dict[str, object] = await self._socket.receive_json()
                if event["type"] == wanted:
                    return event

    async def call(self, context: str, caller_id: str = "+78123334455") -> str:
        """Someone dials a line; `context` is what he does once he is answered. The id of the line's channel."""
        channel = f"line-{next(self._numbers)}"
        await self(
            "POST",
            "channels",
            endpoint=f"Local/{LINE}@lines",
            channelId=f"caller-of-{channel}",
            otherChannelId=channel,
            context=context,
            extension="s",
            priority=1,
            callerId=caller_id,
            timeout=120,
        )
        return channel

    async def enter_line(self) -> str:
        """A caller in the application, answered; his channel id."""
        channel = await self.call("caller-listens")
        await self.event("StasisStart")
        await self("POST", f"channels/{channel}/answer")
        await self("POST", f"channels/{channel}/variable", variable="TIMEOUT(absolute)", value="0")
        return channel

    async def in_fallback(self, channel: str) -> None:
        """Return when a channel executes the fallback dialplan; the application connected must be `watch`."""
        await self("POST", f"applications/watch/subscription?eventSource=channel:{channel}")
        while True:
            shown = (await self.event("ChannelDialplan"))["channel"]
            assert isinstance(shown, dict)
            if shown["dialplan"]["context"] == "fallback":
                return


@contextlib.asynccontextmanager
async def booted(tmp_path: Path, **settings: object) -> AsyncIterator[tuple[AsteriskInstance, Ari]]:
    async with asterisk_instance(tmp_path, **settings) as asterisk, aiohttp.ClientSession() as session:  # type: ignore[arg-type]
        yield asterisk, Ari(asterisk, session)


async def until(directory: Path, look: Callable[[], T]) -> T:
    """What `look` finds, looking again whenever a file in the directory changes until it finds something."""
    with asyncinotify.Inotify() as changes:
        kinds = asyncinotify.Mask
        changes.add_watch(directory, kinds.MODIFY | kinds.CREATE | kinds.MOVED_TO | kinds.DELETE)
        async with asyncio.timeout(60):
            while not (found := look()):
                await changes.get()
    return found


async def ended(asterisk: AsteriskInstance, channel: str) -> list[CelEvent]:
    """Everything that happened to a channel, once it has ended."""
    cel_path = asterisk.instance.cel_path

    def look() -> list[CelEvent]:
        reading = read_since(cel_path, 0.0)
        assert reading.malformed == 0
        story = [event for event in reading.events if event.unique_id == channel]
        return story if story and story[-1].event == "CHAN_END" else []

    return await until(cel_path.parent, look)


def committed_keys(database: Path) -> set[str]:
    """The keys of Asterisk's database as every other process sees them."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM astdb")}
