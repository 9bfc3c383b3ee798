"""A request is put to the core, and its answer becomes the API's: carried out, refused, or not decided in time."""

import asyncio

from ccserver.api.errors import BadInput, NotFound, NotNow, Silent
from ccserver.api.messages import ErrorReply
from ccserver.api.operations import Answer
from ccserver.core.events import Accepted, Request
from ccserver.ports import Desk

ANSWER_WITHIN_S = 5.0
REFUSED = {
    400: Answer("The body is wrong; `field` names the field", ErrorReply),
    409: Answer("Refused, nothing has changed; the message is the reason", ErrorReply),
    413: Answer("The body is too large", ErrorReply),
    503: Answer("The engine did not answer in time", ErrorReply),
}
"""What becomes of a request with a body that is not carried out."""


async def decided(desk: Desk, request: Request) -> Accepted:
    """Returns when it was carried out and is in the journal; raises `NotNow` with the reason, or `Silent`.

    What the core refuses because of one field is the client's mistake: `BadInput`; what it does not know: `NotFound`.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await desk.request(request)
    except TimeoutError:
        raise Silent(f"no decision within {ANSWER_WITHIN_S:.0f} s; the request may still be carried out") from None
    if isinstance(answer, Accepted):
        return answer
    if answer.unknown:
        raise NotFound(answer.reason)
    if answer.field:
        raise BadInput(f"{answer.field}: {answer.reason}", answer.field)
    raise NotNow(answer.reason)
