"""Callbacks over the API: a customer asks by a form or a program, a supervisor sees, moves and calls off.

A page of another site may ask without a token if the configuration names that site: browsers are told so (CORS), and whoever is
no browser is held by the quotas, which count by number, by address and in all.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web
from msgspec import Struct

from ccserver.api.auth import Auth
from ccserver.api.deciding import REFUSED, decided
from ccserver.api.errors import BadInput, Foreign, NotNow
from ccserver.api.messages import (
    CallbackReply,
    CallbacksReply,
    CallbackTakenReply,
    CallbackTime,
    CallbackWish,
    ErrorReply,
    NoQuery,
    instant,
)
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.quotas import Quota
from ccserver.core.events import CallbackSource, CancelCallback, RequestCallback, RescheduleCallback
from ccserver.core.ids import ContactId, LineNumber, QueueName
from ccserver.core.numbers import Region, canonical
from ccserver.core.status import CallbackStatus
from ccserver.ports import Desk

HOUR_S = 3600.0


class FormRules(Struct, frozen=True):
    """`[api]`: who may ask for callbacks, and how often within an hour."""

    origins: tuple[str, ...] = ()
    per_hour: int = 200
    per_number_per_hour: int = 3
    per_address_per_hour: int = 20


TOKEN_ONLY = FormRules()


class CallbackRoutes:
    """The core decides about each; here only how often is too often."""

    def __init__(
        self,
        desk: Desk,
        auth: Auth,
        region: Region,
        rules: FormRules,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._auth = auth
        self._region = region
        self._rules = rules
        self._in_all = Quota(rules.per_hour, HOUR_S, clock)
        self._by_number = Quota(rules.per_number_per_hour, HOUR_S, clock)
        self._by_address = Quota(rules.per_address_per_hour, HOUR_S, clock)

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        wrong = "Something is wrong; `field` names it: no number, abroad, premium rate, a line of ours"
        refused = {**REFUSED, 400: Answer(wrong, ErrorReply)}
        gone = {404: Answer("No such callback is owed", ErrorReply)}
        named = {"id": "The contact's id, as `GET /api/callbacks` has it"}
        return (
            Operation(
                method="POST",
                path="/api/callbacks",
                serve=self.ask,
                summary="Ask for a callback; with the token, or from a site that `api.callback_origins` names",
                body=CallbackWish,
                answers={
                    201: Answer("It is owed, and on the disk", CallbackTakenReply),
                    200: Answer("One was owed already to this number, and is changed", CallbackTakenReply),
                    401: Answer("Neither the token nor such a site", ErrorReply),
                    403: Answer("Another site", ErrorReply),
                    429: Answer("Too often within the hour: for this number, from this address, or in all", ErrorReply),
                    **refused,
                },
                open_to_all=True,
            ),
            Operation(
                method="OPTIONS",
                path="/api/callbacks",
                serve=self.allow,
                summary="What a browser asks before it lets another site's page ask for a callback",
                answers={204: Answer("It may", None, "")},
                open_to_all=True,
            ),
            Operation(
                method="GET",
                path="/api/callbacks",
                serve=self.show,
                summary="All callbacks that are owed or under way, the next first",
                answers={200: Answer("Those of this moment", CallbacksReply)},
            ),
            Operation(
                method="DELETE",
                path="/api/callbacks/{id}",
                serve=self.cancel,
                summary="Call a callback off",
                parameters=named,
                answers={204: Answer("He is not called any more", None, ""), **refused, **gone},
            ),
            Operation(
                method="POST",
                path="/api/callbacks/{id}/reschedule",
                serve=self.reschedule,
                summary="Another time, not before",
                parameters=named,
                body=CallbackTime,
                answers={200: Answer("The callback as it is now", CallbackReply), **refused, **gone},
            ),
        )

    async def ask(self, request: web.Request) -> web.Response:
        """201 only when the journal has it on the disk."""
        query_of(request, NoQuery)
        allowed = self._admitted(request)
        wish = await body_of(request, CallbackWish)
        number = canonical(wish.number.strip(), self._region)
        # Before the core is asked: what is refused there counts, too, or a flood of wrong numbers would be free.
        self._by_address.take(address_of(request), "from this address")
        self._by_number.take(number, "for this number")
        self._in_all.take("", "in all")
        at_wall, at = _wanted(wish.wanted_at) if isinstance(wish.wanted_at, str) else ("", None)
        status = self._desk.status()
        if not status.nodes:
            raise NotNow("no Asterisk has been connected yet")
        node = status.nodes[0].node
        wanted = RequestCallback(
            ContactId(f"{node}-form{secrets.token_hex(8)}"),
            node,
            CallbackSource.FORM,
            number,
            LineNumber(wish.line) if isinstance(wish.line, str) else None,
            QueueName(wish.queue) if isinstance(wish.queue, str) else None,
            at,
            at_wall,
            wish.name,
            wish.comment,
            at=status.at,
        )
        answer = await decided(self._desk, wanted)
        assert answer.contact is not None
        reply = CallbackTakenReply(id=answer.contact, changed=answer.changed)
        response = json_reply(reply, 200 if answer.changed else 201)
        _allow(response, allowed)
        return response

    async def allow(self, request: web.Request) -> web.Response:
        """A browser's preflight."""
        origin = request.headers.get("Origin", "")
        response = web.Response(status=204)
        if origin in self._rules.origins:
            _allow(response, origin)
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Max-Age"] = "3600"
        return response

    async def show(self, request: web.Request) -> web.Response:
        """As the core has them."""
        query_of(request, NoQuery)
        owed = sorted(self._desk.status().callbacks, key=lambda each: (each.due_at, each.id))
        return json_reply(CallbacksReply(tuple(_reply(each) for each in owed)))

    async def cancel(self, request: web.Request) -> web.Response:
        """He is not called any more."""
        query_of(request, NoQuery)
        contact = ContactId(request.match_info["id"])
        await decided(self._desk, CancelCallback(contact, at=self._desk.status().at))
        return web.Response(status=204)

    async def reschedule(self, request: web.Request) -> web.Response:
        """Another time."""
        query_of(request, NoQuery)
        contact = ContactId(request.match_info["id"])
        wish = await body_of(request, CallbackTime)
        at_wall, at = _wanted(wish.wanted_at)
        await decided(self._desk, RescheduleCallback(contact, at, at_wall, at=self._desk.status().at))
        (owed,) = (each for each in self._desk.status().callbacks if each.id == contact)
        return json_reply(_reply(owed))

    def _admitted(self, request: web.Request) -> str:
        """The site that may read the answer; empty: a program with the token, or our own page."""
        origin = request.headers.get("Origin", "")
        if origin and origin in self._rules.origins:
            return origin
        if origin and "Authorization" not in request.headers and not self._auth.has_session(request):
            raise Foreign(f"callbacks may not be asked for from {origin[:100]} (api.callback_origins)")
        self._auth.require(request)
        return ""


def address_of(request: web.Request) -> str:
    """Who asks: behind a proxy on this machine, as that says."""
    peer = request.remote or ""
    told = request.headers.get("X-Forwarded-For", "")
    return told.rpartition(",")[2].strip()[:64] if told and peer in {"127.0.0.1", "::1"} else peer


def _allow(response: web.Response, origin: str) -> None:
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Vary"] = "Origin"


def _wanted(text: str) -> tuple[str, float | None]:
    """The time by the customer's clock, or (with a zone) the moment; raises `BadInput`."""
    try:
        at = datetime.fromisoformat(text)
        return (at.isoformat(), None) if at.tzinfo is None else ("", at.timestamp())
    except (ValueError, OverflowError):
        raise BadInput("wanted_at: expected a time like 2026-12-31T15:00", "wanted_at") from None


def _reply(owed: CallbackStatus) -> CallbackReply:
    return CallbackReply(
        id=owed.id,
        number=owed.number,
        line=owed.line,
        queue=owed.queue,
        source=owed.source,
        first=owed.first,
        state=owed.state,
        agent=owed.agent,
        asked_at=instant(owed.asked_at),
        due_at=instant(owed.due_at),
        expires_at=instant(owed.expires_at),
        tries=owed.tries,
        last=owed.last,
        name=owed.name,
        comment=owed.comment,
    )
