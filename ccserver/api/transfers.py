"""`POST /api/contacts/{id}/transfer`: the customer who talks is handed over, by the agent's own program or a supervisor."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import UNSET

from ccserver.api.deciding import decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import ErrorReply, LiveContactReply, NoQuery, TransferWish
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.views import live_contact_reply
from ccserver.core.events import TransferContact
from ccserver.core.ids import AgentId, ContactId
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


class TransferRoutes:
    """Requests about the customer of a talk; the core decides, here they are only carried in and out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="POST",
                path="/api/contacts/{id}/transfer",
                serve=self.transfer,
                summary="Hand the customer of a talk over to an agent, a queue, a line or a number outside, without a word",
                parameters={"id": "The contact's id"},
                body=TransferWish,
                answers=ANSWERS,
            ),
        )

    async def transfer(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal."""
        query_of(request, NoQuery)
        contact = ContactId(request.match_info["id"])
        self._live(contact)
        wish = await body_of(request, TransferWish)
        by = AgentId(wish.by) if wish.by is not UNSET else None
        await decided(self._desk, TransferContact(at=self._desk.status().at, contact=contact, to=wish.to, by=by))
        return json_reply(live_contact_reply(self._live(contact)))

    def _live(self, contact: ContactId) -> ContactStatus:
        for status in self._desk.status().contacts:
            if status.id == contact:
                return status
        raise NotFound(f"no contact {contact} goes on")
