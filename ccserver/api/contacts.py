"""`/api/contacts`: what was, row by row, one contact with all that happened to it, and what its talks were about."""

from collections.abc import Collection, Sequence

from aiohttp import web
from msgspec import UNSET, UnsetType

from ccserver.api.deciding import REFUSED, decided
from ccserver.api.errors import BadInput, NotFound
from ccserver.api.messages import (
    ContactDetailReply,
    ContactsQuery,
    ContactsReply,
    DispositionWish,
    ErrorReply,
    NoQuery,
)
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.sources import ContactQueries
from ccserver.api.views import contact_detail_reply, contact_reply
from ccserver.core.events import GiveDisposition
from ccserver.core.ids import AgentId, ContactId
from ccserver.core.numbers import Region, canonical
from ccserver.ports import Desk
from ccserver.store.errors import NoSuchContact
from ccserver.store.rows import ContactDetail

CENT_ERROR = 1e-4
"""A hundredth of a hundredth: what is farther from a whole one was written with more decimals."""


class ContactRoutes:
    """The CDR: read, and added to by who talked."""

    def __init__(self, store: ContactQueries, desk: Desk, region: Region) -> None:
        self._store = store
        self._desk = desk
        self._region = region

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/contacts",
                serve=self.newest,
                summary="Contacts, the newest arrival first, live ones among them",
                query=ContactsQuery,
                answers={
                    200: Answer("At most `limit` contacts", ContactsReply),
                    503: Answer("The store is away", ErrorReply),
                },
            ),
            Operation(
                method="GET",
                path="/api/contacts/{id}",
                serve=self.one,
                summary="One contact with its segments, offers, attempts and recordings",
                parameters={"id": "The contact's id"},
                answers={
                    200: Answer("The contact", ContactDetailReply),
                    404: Answer("No such contact", ErrorReply),
                    503: Answer("The store is away", ErrorReply),
                },
            ),
            Operation(
                method="POST",
                path="/api/contacts/{id}/disposition",
                serve=self.dispose,
                summary="Say what a talk was about, and what was ordered",
                parameters={"id": "The contact's id"},
                body=DispositionWish,
                answers={
                    204: Answer("Noted"),
                    **REFUSED,
                },
            ),
        )

    async def dispose(self, request: web.Request) -> web.Response:
        """Answers when it is in the journal; the store follows a moment later."""
        query_of(request, NoQuery)
        wish = await body_of(request, DispositionWish)
        given = GiveDisposition(
            contact=ContactId(request.match_info["id"]),
            agent=None if wish.agent is UNSET else AgentId(wish.agent),
            segment=None if wish.segment is UNSET else wish.segment,
            codes=None if wish.codes is UNSET else wish.codes,
            order_value_cents=None if wish.order_value is UNSET else _cents(wish.order_value),
            note=None if wish.note is UNSET else wish.note,
            at=self._desk.status().at,
        )
        await decided(self._desk, given)
        return web.Response(status=204)

    async def newest(self, request: web.Request) -> web.Response:
        """The list."""
        query = query_of(request, ContactsQuery)
        before = ContactId(query.before) if query.before is not UNSET else None
        try:
            rows = await self._store.contacts(
                query.limit,
                before,
                lines=self._lines(query.line),
                anis=self._anis(query.ani),
                brands=() if query.brand is UNSET else {query.brand},
                sources=() if query.source is UNSET else {query.source},
            )
        except NoSuchContact as error:
            raise BadInput(f"before: {error}", "before") from None
        return json_reply(ContactsReply(contacts=tuple(contact_reply(row) for row in rows)))

    def _lines(self, asked: str | UnsetType) -> Collection[str]:
        """As the configuration writes the number that was asked for, and as it may have written it before."""
        if asked is UNSET:
            return ()
        number = canonical(asked, self._region)
        lines = [line.number for line in self._desk.status().lines]
        return {asked, number, *(line for line in lines if canonical(line, self._region) == number)}

    def _anis(self, asked: str | UnsetType) -> Collection[str]:
        """The store has callers in E.164, or as they came."""
        return () if asked is UNSET else {asked, canonical(asked, self._region)}

    async def one(self, request: web.Request) -> web.Response:
        """A contact that began within the last second may not be in the store yet."""
        query_of(request, NoQuery)
        return json_reply(contact_detail_reply(await known(self._store, request.match_info["id"])))


def _cents(value: float) -> int:
    cents = round(value * 100)
    if abs(cents - value * 100) > CENT_ERROR:
        raise BadInput("order_value: expected at most two decimals", "order_value")
    return cents


async def known(store: ContactQueries, contact: str) -> ContactDetail:
    """The contact; raises `NotFound`."""
    detail = await store.contact(ContactId(contact))
    if detail is None:
        raise NotFound(f"there is no contact {contact}")
    return detail
