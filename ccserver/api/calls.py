"""`POST /api/calls`: click-to-call. The operator's own phone rings first; when he answers, the customer is called."""

import uuid
from collections.abc import Sequence

import msgspec
from aiohttp import web
from msgspec import UNSET

from ccserver.api.deciding import decided
from ccserver.api.errors import BadInput
from ccserver.api.messages import CallReply, CallWish, ErrorReply, NoQuery
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.sources import ContactQueries
from ccserver.core.events import CallCustomer
from ccserver.core.ids import AgentId, ContactId, LineNumber
from ccserver.ports import Desk

IDEMPOTENCY_KEY = "Idempotency-Key"


class CallRoutes:
    """Calls that a program asks for; whether one may be made the core decides."""

    def __init__(self, desk: Desk, store: ContactQueries) -> None:
        self._desk = desk
        self._store = store

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="POST",
                path="/api/calls",
                serve=self.call,
                summary="Let an agent call a customer: his own phone rings, then the customer's",
                body=CallWish,
                answers={
                    200: Answer("It had been asked for before: the contact that it is, or was", CallReply),
                    201: Answer("His phone is being called; the decision is on disk", CallReply),
                    400: Answer("The body is wrong; `field` names the field", ErrorReply),
                    409: Answer("Refused, nobody is called; the message is the reason", ErrorReply),
                    413: Answer("The body is too large", ErrorReply),
                    503: Answer("The engine did not answer in time, or the store is away", ErrorReply),
                },
            ),
        )

    async def call(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal."""
        query_of(request, NoQuery)
        wish = await body_of(request, CallWish)
        name = _name(request, wish)
        node = next(iter(self._desk.status().nodes)).node
        contact = ContactId(f"{node}-call-{name or uuid.uuid4().hex}")
        if name and await self._known(contact):
            return json_reply(CallReply(contact=contact))
        line = LineNumber(wish.line) if wish.line is not UNSET else None
        asked = CallCustomer(contact, AgentId(wish.agent), wish.number, line, at=self._desk.status().at)
        await decided(self._desk, asked)
        return json_reply(CallReply(contact=contact), 201)

    async def _known(self, contact: ContactId) -> bool:
        live = any(each.id == contact for each in self._desk.status().contacts)
        return live or await self._store.contact(contact) is not None


def _name(request: web.Request, wish: CallWish) -> str:
    """What its caller calls it; empty: he does not care."""
    header = request.headers.get(IDEMPOTENCY_KEY)
    if header is None:
        return "" if wish.id is UNSET else wish.id
    try:
        told = msgspec.convert({"agent": "-", "number": "-", "id": header}, CallWish)
    except msgspec.ValidationError:
        raise BadInput(f"{IDEMPOTENCY_KEY}: expected 1 to 64 letters, digits, - or _", IDEMPOTENCY_KEY) from None
    if wish.id is not UNSET and wish.id != told.id:
        raise BadInput(f"id: it is not what {IDEMPOTENCY_KEY} says", "id")
    return header
