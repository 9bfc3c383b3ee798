"""`POST /api/contacts/{id}/supervise`: a supervisor listens to a talk, whispers, barges in, or goes on with it himself."""

from collections.abc import Sequence

from aiohttp import web

from ccserver.api.deciding import decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import LiveContactReply, NoQuery, SupervisionWish
from ccserver.api.operations import Operation, body_of, json_reply, query_of
from ccserver.api.transfers import ANSWERS
from ccserver.api.views import live_contact_reply
from ccserver.core.events import SuperviseContact
from ccserver.core.ids import AgentId, ContactId
from ccserver.ports import Desk


class SupervisionRoutes:
    """The core says who may; here it is only carried in and out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="POST",
                path="/api/contacts/{id}/supervise",
                serve=self.supervise,
                summary="Ring a supervisor's phone and let him hear the talk; or, when he is in it, change to another mode",
                parameters={"id": "The contact's id"},
                body=SupervisionWish,
                answers=ANSWERS,
            ),
        )

    async def supervise(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal; his phone rings then."""
        query_of(request, NoQuery)
        contact = ContactId(request.match_info["id"])
        self._live(contact)
        wish = await body_of(request, SupervisionWish)
        at = self._desk.status().at
        await decided(self._desk, SuperviseContact(contact, AgentId(wish.supervisor), wish.mode, at=at))
        return json_reply(self._live(contact))

    def _live(self, contact: ContactId) -> LiveContactReply:
        for status in self._desk.status().contacts:
            if status.id == contact:
                return live_contact_reply(status)
        raise NotFound(f"no contact {contact} goes on")
