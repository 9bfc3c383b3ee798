"""What a program or a supervisor asks about a contact that goes on, or about an agent; one way in and out for all of it.

Each request is a line in `OF_CONTACTS` or `OF_AGENTS`: under which name, with which body, what the core is asked. The core
decides; the answer is the contact, or the agent, as the decision left him.
"""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from ccserver.api.deciding import REFUSED, decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import (
    AgentReply,
    AgentStateWish,
    ConsultSteer,
    ConsultWish,
    ErrorReply,
    HoldWish,
    LiveContactReply,
    MoveWish,
    NoQuery,
    PriorityWish,
    RecordingWish,
    SupervisionWish,
    TransferWish,
    WrapUpWish,
)
from ccserver.api.operations import Answer, Operation, Serve, body_of, json_reply, query_of
from ccserver.api.views import agent_reply, live_contact_reply
from ccserver.core.events import (
    BeginConsult,
    ExtendWrapUp,
    HoldCustomer,
    MoveContact,
    Request,
    SetAgentState,
    SetPriority,
    SteerConsult,
    SteerRecording,
    SuperviseContact,
    TransferContact,
)
from ccserver.core.ids import AgentId, ContactId, QueueName
from ccserver.core.status import Status
from ccserver.ports import Desk


class Asked(Struct, frozen=True):
    """One kind of request; `request` makes it of whom it is about, the body, and the time."""

    name: str
    body: type[Struct]
    request: Callable[[str, Any, float], Request]
    summary: str


class Subject(Struct, frozen=True):
    """Whom requests are about."""

    path: str
    """Where requests about him stand, with his name in braces,"""
    named: str
    """which is called so,"""
    meaning: str
    """and is that."""
    reply: type[Struct]
    found: Callable[[Status, str], Struct]
    """As he is in this picture; raises `NotFound`."""
    absent: str
    """What a 404 means."""


class AskedRoutes:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        of_contacts = [self._operation(CONTACT, asked) for asked in OF_CONTACTS]
        return (*of_contacts, *(self._operation(AGENT, asked) for asked in OF_AGENTS))

    def _operation(self, subject: Subject, asked: Asked) -> Operation:
        return Operation(
            method="POST",
            path=f"{subject.path}/{asked.name}",
            serve=self._serve(subject, asked),
            summary=asked.summary,
            parameters={subject.named: subject.meaning},
            body=asked.body,
            answers={
                200: Answer("Carried out, and in the journal: as it is now", subject.reply),
                404: Answer(subject.absent, ErrorReply),
                **REFUSED,
            },
        )

    def _serve(self, subject: Subject, asked: Asked) -> Serve:
        async def serve(request: web.Request) -> web.Response:
            query_of(request, NoQuery)
            name = request.match_info[subject.named]
            subject.found(self._desk.status(), name)
            wish = await body_of(request, asked.body)
            await decided(self._desk, asked.request(name, wish, self._desk.status().at))
            return json_reply(subject.found(self._desk.status(), name))

        return serve


# --- of contacts that go on -------------------------------------------------------------------------------------------


def _contact(status: Status, name: str) -> LiveContactReply:
    for contact in status.contacts:
        if contact.id == name:
            return live_contact_reply(contact)
    raise NotFound(f"no contact {name} goes on")


def _transfer(contact: str, wish: TransferWish, at: float) -> Request:
    return TransferContact(ContactId(contact), wish.to, _by(wish.by), at=at)


def _hold(contact: str, wish: HoldWish, at: float) -> Request:
    return HoldCustomer(ContactId(contact), wish.hold, _by(wish.by), at=at)


def _consult(contact: str, wish: ConsultWish, at: float) -> Request:
    return BeginConsult(ContactId(contact), wish.to, _by(wish.by), at=at)


def _steer(contact: str, wish: ConsultSteer, at: float) -> Request:
    return SteerConsult(ContactId(contact), wish.action, _by(wish.by), at=at)


def _supervise(contact: str, wish: SupervisionWish, at: float) -> Request:
    return SuperviseContact(ContactId(contact), AgentId(wish.supervisor), wish.mode, at=at)


def _record(contact: str, wish: RecordingWish, at: float) -> Request:
    return SteerRecording(ContactId(contact), wish.action, at=at)


def _move(contact: str, wish: MoveWish, at: float) -> Request:
    return MoveContact(ContactId(contact), QueueName(wish.queue), wish.by, at=at)


def _raise(contact: str, wish: PriorityWish, at: float) -> Request:
    return SetPriority(ContactId(contact), wish.priority_s, wish.by, at=at)


def _by(extension: str | UnsetType) -> AgentId | None:
    return None if extension is UNSET else AgentId(extension)


CONTACT = Subject("/api/contacts/{id}", "id", "The contact's id", LiveContactReply, _contact, "No such contact goes on")
OF_CONTACTS = (
    Asked(
        "transfer",
        TransferWish,
        _transfer,
        "Hand the customer of a talk over to an agent, a queue, a line or a number outside, without a word",
    ),
    Asked("hold", HoldWish, _hold, "Let the customer of a talk hear music, or the agent again"),
    Asked("consult", ConsultWish, _consult, "Call a third party aside, while the customer of a talk hears music"),
    Asked(
        "consult/steer",
        ConsultSteer,
        _steer,
        "Give the customer to the third party, let him go, join all three, or part them",
    ),
    Asked(
        "supervise",
        SupervisionWish,
        _supervise,
        "Ring a supervisor's phone and let him hear the talk; or, when he is in it, change to another mode",
    ),
    Asked(
        "recording",
        RecordingWish,
        _record,
        "Pause or resume the recording of a talk under way; begin or end it where that is left to the operator",
    ),
    Asked(
        "move",
        MoveWish,
        _move,
        "Let a contact that waits wait in another queue; the time that it has waited goes with it",
    ),
    Asked("priority", PriorityWish, _raise, "Serve a contact that waits as if it had waited so much longer"),
)


# --- of agents --------------------------------------------------------------------------------------------------------


def _agent(status: Status, extension: str) -> AgentReply:
    for agent in status.agents:
        if agent.extension == extension:
            return agent_reply(agent)
    raise NotFound(f"there is no agent {extension}")


def _set_state(agent: str, wish: AgentStateWish, at: float) -> Request:
    """At work he keeps his state, and gets the new one afterwards."""
    return SetAgentState(AgentId(agent), wish.state, wish.reason, wish.by, at=at)


def _extend_wrap_up(agent: str, wish: WrapUpWish, at: float) -> Request:
    return ExtendWrapUp(AgentId(agent), wish.seconds, at=at)


AGENT = Subject("/api/agents/{extension}", "extension", "The agent's extension", AgentReply, _agent, "No such agent")
OF_AGENTS = (
    Asked("state", AgentStateWish, _set_state, "Make an agent ready, not ready with a reason, or log him out"),
    Asked("wrap-up", WrapUpWish, _extend_wrap_up, "Let an agent's wrap-up last longer"),
)
