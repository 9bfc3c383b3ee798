"""Between the daemon and Asterisk: passes every request and event on, and tells the daemon what Asterisk never said.

async with meddler(port, asterisk_ari_url) as proxy:
    await proxy.say(b"not json at all")
    proxy.heard      # every event that Asterisk really sent, as text
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}


class Meddler:
    """See the module."""

    def __init__(self, ari_url: str, http: aiohttp.ClientSession) -> None:
        self._origin = ari_url.removesuffix("/ari")
        self._http = http
        self._daemon: web.WebSocketResponse | None = None
        self.connected = asyncio.Event()
        self.heard: list[str] = []

    async def say(self, frame: bytes, *, binary: bool = False) -> None:
        """One more frame; text need not be UTF-8."""
        await self.connected.wait()
        assert self._daemon is not None and self._daemon._writer is not None
        kind = aiohttp.WSMsgType.BINARY if binary else aiohttp.WSMsgType.TEXT
        await self._daemon._writer.send_frame(frame, kind)

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        """The web socket."""
        daemon = web.WebSocketResponse(autoping=True)
        await daemon.prepare(request)
        headers = {"Authorization": request.headers["Authorization"]}
        async with self._http.ws_connect(self._origin + request.path_qs, headers=headers, max_msg_size=0) as asterisk:
            self._daemon = daemon
            self.connected.set()
            back = asyncio.ensure_future(self._back(daemon))  # noqa: TID251 - ends with the socket
            async for message in asterisk:
                self.heard.append(message.data)
                await daemon.send_str(message.data)
            self.connected.clear()
            back.cancel()
        return daemon

    async def _back(self, daemon: web.WebSocketResponse) -> None:
        """The daemon only pings, and closes."""
        async for _ in daemon:
            pass

    async def request(self, request: web.Request) -> web.Response:
        """Everything else."""
        async with self._http.request(
            request.method,
            self._origin + request.path_qs,
            headers={
                name: value for name, value in request.headers.items() if name.lower() not in {"host", *HOP_BY_HOP}
            },
            data=await request.read(),
        ) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            return web.Response(status=answer.status, headers=headers, body=await answer.read())


@asynccontextmanager
async def meddler(port: int, ari_url: str) -> AsyncIterator[Meddler]:
    """Listens on the port as if it were Asterisk."""
    async with aiohttp.ClientSession() as http:
        proxy = Meddler(ari_url, http)
        app = web.Application(client_max_size=1 << 20)
        app.router.add_get("/ari/events", proxy.events)
        app.router.add_route("*", "/{path:.*}", proxy.request)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield proxy
        finally:
            await runner.cleanup()
