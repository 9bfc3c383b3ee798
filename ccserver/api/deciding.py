"""A request is put to the core, and its answer becomes the API's: carried out, refused, or not decided in time."""

import asyncio

from ccserver.api.errors import NotNow, Silent
from ccserver.core.events import Refused, Request
from ccserver.ports import Desk

ANSWER_WITHIN_S = 5.0


async def decided(desk: Desk, request: Request) -> None:
    """Returns when it was carried out and is in the journal; raises `NotNow` with the reason, or `Silent`."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await desk.request(request)
    except TimeoutError:
        raise Silent(f"no decision within {ANSWER_WITHIN_S:.0f} s; the request may still be carried out") from None
    if isinstance(answer, Refused):
        raise NotNow(answer.reason)
