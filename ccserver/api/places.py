"""`POST /api/contacts/{id}/move`, `/priority`: a supervisor changes the place of a contact that waits."""

from collections.abc import Sequence

from aiohttp import web

from ccserver.api.deciding import decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import ErrorReply, LiveContactReply, MoveWish, NoQuery, PriorityWish
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.views import live_contact_reply
from ccserver.core.events import MoveContact, Request, SetPriority
from ccserver.core.ids import ContactId, QueueName
from ccserver.core.status import ContactStatus
from ccserver.ports import Desk

ANSWERS = {
    200: Answer("Carried out: the contact as it is now", LiveContactReply),
    400: Answer("The body is wrong; `field` names the field", ErrorReply),
    404: Answer("No such contact goes on", ErrorReply),
    409: Answer("Refused, nothing has changed; the message is the reason", ErrorReply),
    413: Answer("The body is too large", ErrorReply),
    503: Answer("The engine did not answer in time", ErrorReply),
}


class PlaceRoutes:
    """Requests about who waits; the core decides, here they are only carried in and out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="POST",
                path="/api/contacts/{id}/move",
                serve=self.move,
                summary="Let a contact that waits wait in another queue; the time that it has waited goes with it",
                parameters={"id": "The contact's id"},
                body=MoveWish,
                answers=ANSWERS,
            ),
            Operation(
                method="POST",
                path="/api/contacts/{id}/priority",
                serve=self.priority,
                summary="Serve a contact that waits as if it had waited so much longer",
                parameters={"id": "The contact's id"},
                body=PriorityWish,
                answers=ANSWERS,
            ),
        )

    async def move(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal."""
        query_of(request, NoQuery)
        contact = self._live(request).id
        wish = await body_of(request, MoveWish)
        at = self._desk.status().at
        return await self._carried_out(request, MoveContact(contact, QueueName(wish.queue), wish.by, at=at))

    async def priority(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal."""
        query_of(request, NoQuery)
        contact = self._live(request).id
        wish = await body_of(request, PriorityWish)
        at = self._desk.status().at
        return await self._carried_out(request, SetPriority(contact, wish.priority_s, wish.by, at=at))

    async def _carried_out(self, request: web.Request, wish: Request) -> web.Response:
        await decided(self._desk, wish)
        return json_reply(live_contact_reply(self._live(request)))

    def _live(self, request: web.Request) -> ContactStatus:
        contact = ContactId(request.match_info["id"])
        for status in self._desk.status().contacts:
            if status.id == contact:
                return status
        raise NotFound(f"no contact {contact} goes on")
