"""A shop's computer on this machine, which tells of orders: as it should, or as such computers do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Shop:
    """`orders` by number; what is in none of them is unknown."""

    def __init__(self) -> None:
        self.orders: dict[str, Any] = {}
        self.status = 200
        self.url = ""
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        """The numbers that it was asked for."""
        self.open = asyncio.Event()
        """While it is not, it hangs."""
        self.open.set()

    async def serve(self, request: web.Request) -> web.Response:
        """One question."""
        order = request.match_info["order"]
        self.asked.put_nowait(order)
        await self.open.wait()
        if order not in self.orders:
            raise web.HTTPNotFound
        return web.json_response(self.orders[order], status=self.status)


@asynccontextmanager
async def shop_open() -> AsyncIterator[Shop]:
    """Open while the block runs."""
    shop = Shop()
    app = web.Application()
    app.router.add_get("/orders/{order}", shop.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}/orders/"
        yield shop
    finally:
        shop.open.set()
        await runner.cleanup()
