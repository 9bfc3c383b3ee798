"""What the agent's own program, or a supervisor, asks about the customer of a talk: hold, transfer, and a third party."""

from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from ccserver.api.deciding import decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import (
    ConsultSteer,
    ConsultWish,
    ErrorReply,
    HoldWish,
    LiveContactReply,
    NoQuery,
    TransferWish,
)
from ccserver.api.operations import Answer, Operation, Serve, body_of, json_reply, query_of
from ccserver.api.views import live_contact_reply
from ccserver.core.events import BeginConsult, HoldCustomer, SteerConsult, TransferContact
from ccserver.core.ids import AgentId, ContactId
from ccserver.core.status import ContactStatus
from ccserver.ports import Desk

T = TypeVar("T", bound=Struct)
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
            _operation(
                "transfer",
                self.transfer,
                TransferWish,
                "Hand the customer of a talk over to an agent, a queue, a line or a number outside, without a word",
            ),
            _operation("hold", self.hold, HoldWish, "Let the customer of a talk hear music, or the agent again"),
            _operation(
                "consult",
                self.consult,
                ConsultWish,
                "Call a third party aside, while the customer of a talk hears music",
            ),
            _operation(
                "consult/steer",
                self.steer,
                ConsultSteer,
                "Give the customer to the third party, let him go, join all three, or part them",
            ),
        )

    async def transfer(self, request: web.Request) -> web.Response:
        """To be handed over without a word."""
        wish, contact = await self._wish(request, TransferWish)
        return await self._decided(TransferContact(contact, wish.to, _by(wish.by), at=self._now()))

    async def hold(self, request: web.Request) -> web.Response:
        """To hear music."""
        wish, contact = await self._wish(request, HoldWish)
        return await self._decided(HoldCustomer(contact, wish.hold, _by(wish.by), at=self._now()))

    async def consult(self, request: web.Request) -> web.Response:
        """A third party to be called."""
        wish, contact = await self._wish(request, ConsultWish)
        return await self._decided(BeginConsult(contact, wish.to, _by(wish.by), at=self._now()))

    async def steer(self, request: web.Request) -> web.Response:
        """What is to become of the three."""
        wish, contact = await self._wish(request, ConsultSteer)
        return await self._decided(SteerConsult(contact, wish.action, _by(wish.by), at=self._now()))

    async def _wish(self, request: web.Request, shape: type[T]) -> tuple[T, ContactId]:
        query_of(request, NoQuery)
        contact = ContactId(request.match_info["id"])
        self._live(contact)
        return await body_of(request, shape), contact

    async def _decided(self, request: TransferContact | HoldCustomer | BeginConsult | SteerConsult) -> web.Response:
        """Answers when the decision is in the journal."""
        await decided(self._desk, request)
        return json_reply(live_contact_reply(self._live(request.contact)))

    def _now(self) -> float:
        return self._desk.status().at

    def _live(self, contact: ContactId) -> ContactStatus:
        for status in self._desk.status().contacts:
            if status.id == contact:
                return status
        raise NotFound(f"no contact {contact} goes on")


def _operation(name: str, serve: Serve, body: type[Struct], summary: str) -> Operation:
    return Operation(
        method="POST",
        path=f"/api/contacts/{{id}}/{name}",
        serve=serve,
        summary=summary,
        parameters={"id": "The contact's id"},
        body=body,
        answers=ANSWERS,
    )


def _by(extension: str | UnsetType) -> AgentId | None:
    return None if extension is UNSET else AgentId(extension)
