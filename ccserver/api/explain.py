"""`/api/contacts/{id}/explain` and `/api/agents/{extension}/explain`: why, in words, from the decision log."""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from msgspec import UNSET

from ccserver.api.agent_stories import agent_story
from ccserver.api.contacts import known
from ccserver.api.errors import BadInput, NotFound
from ccserver.api.messages import (
    AgentExplainedReply,
    ContactExplainedReply,
    ErrorReply,
    ExplainQuery,
    MomentReply,
    NoQuery,
    instant,
)
from ccserver.api.operations import Answer, Operation, json_reply, query_of
from ccserver.api.sources import Configuration, ContactQueries
from ccserver.api.stories import Story, contact_story
from ccserver.core.ids import AgentId
from ccserver.ports import Desk

SINCE_S = 3600.0
"""When nobody says since when."""


class ExplainRoutes:
    """Only what was recorded is told; the log keeps it for `limits.decisions_kept_days`."""

    def __init__(self, desk: Desk, store: ContactQueries, configuration: Configuration) -> None:
        self._desk = desk
        self._store = store
        self._configuration = configuration

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/contacts/{id}/explain",
                serve=self.contact,
                summary="Why a contact waited, who could have taken it at each moment, and why they did not",
                parameters={"id": "The contact's id"},
                answers={
                    200: Answer("The reasons", ContactExplainedReply),
                    404: Answer("No such contact", ErrorReply),
                    503: Answer("The store is away", ErrorReply),
                },
            ),
            Operation(
                method="GET",
                path="/api/agents/{extension}/explain",
                serve=self.agent,
                summary="Why an agent got the contacts that he got since some moment, or none",
                parameters={"extension": "The agent's extension"},
                query=ExplainQuery,
                answers={
                    200: Answer("The reasons", AgentExplainedReply),
                    404: Answer("No such agent", ErrorReply),
                    503: Answer("The store is away", ErrorReply),
                },
            ),
        )

    async def contact(self, request: web.Request) -> web.Response:
        """A contact that began within the last second may not be in the store yet."""
        query_of(request, NoQuery)
        detail = await known(self._store, request.match_info["id"])
        story = contact_story(detail, await self._store.why(detail.id))
        return json_reply(ContactExplainedReply(contact=detail.id, summary=story.summary, timeline=_timeline(story)))

    async def agent(self, request: web.Request) -> web.Response:
        """Since an hour ago unless told otherwise."""
        query = query_of(request, ExplainQuery)
        extension, status = AgentId(request.match_info["extension"]), self._desk.status()
        agent = next((each for each in status.agents if each.extension == extension), None)
        operator = self._configuration.in_force.plan.operators.get(extension)
        if agent is None or operator is None:
            raise NotFound(f"there is no agent {extension}")
        since = status.at - SINCE_S if query.since is UNSET else _moment(query.since)
        if since > status.at:
            raise BadInput("since: expected a time that is past", "since")
        story = agent_story(operator, agent, await self._store.why_agent(extension, since), since, status.at)
        reply = AgentExplainedReply(
            agent=extension, since=instant(since), summary=story.summary, timeline=_timeline(story)
        )
        return json_reply(reply)


def _moment(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"since: expected a time like 2026-01-31T09:15:00Z, got {text[:40]!r}", "since") from None
    if at.tzinfo is None:
        raise BadInput("since: expected a time with its zone, like 2026-01-31T09:15:00Z", "since")
    try:
        return at.timestamp()
    except (OverflowError, ValueError):
        raise BadInput("since: expected a time of this era", "since") from None


def _timeline(story: Story) -> tuple[MomentReply, ...]:
    return tuple(MomentReply(at=instant(moment.at), text=moment.text) for moment in story.moments)
