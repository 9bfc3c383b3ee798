"""`POST /api/agents/{extension}/…`: a supervisor, or his own program, wants him in another state, or to have longer."""

from collections.abc import Sequence

from aiohttp import web

from ccserver.api.deciding import decided
from ccserver.api.errors import NotFound
from ccserver.api.messages import AgentReply, AgentStateWish, ErrorReply, NoQuery, WrapUpWish
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.views import agent_reply
from ccserver.core.events import ExtendWrapUp, SetAgentState
from ccserver.core.ids import AgentId
from ccserver.core.status import AgentStatus
from ccserver.ports import Desk

_ANSWERS = {
    200: Answer("Carried out: the agent as he is now", AgentReply),
    400: Answer("The body is wrong; `field` names the field", ErrorReply),
    404: Answer("No such agent", ErrorReply),
    409: Answer("Refused, nothing has changed; the message is the reason", ErrorReply),
    413: Answer("The body is too large", ErrorReply),
    503: Answer("The engine did not answer in time", ErrorReply),
}


class AgentRoutes:
    """Requests about agents; the core decides, here they are only carried in and out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="POST",
                path="/api/agents/{extension}/state",
                serve=self.set_state,
                summary="Make an agent ready, not ready with a reason, or log him out",
                parameters={"extension": "The agent's extension"},
                body=AgentStateWish,
                answers=_ANSWERS,
            ),
            Operation(
                method="POST",
                path="/api/agents/{extension}/wrap-up",
                serve=self.extend_wrap_up,
                summary="Let an agent's wrap-up last longer",
                parameters={"extension": "The agent's extension"},
                body=WrapUpWish,
                answers=_ANSWERS,
            ),
        )

    async def set_state(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal. An agent at work keeps his state and gets the new one afterwards."""
        query_of(request, NoQuery)
        extension = AgentId(request.match_info["extension"])
        self._agent(extension)
        wish = await body_of(request, AgentStateWish)
        wanted = SetAgentState(extension, wish.state, wish.reason, wish.by, at=self._desk.status().at)
        await decided(self._desk, wanted)
        return json_reply(agent_reply(self._agent(extension)))

    async def extend_wrap_up(self, request: web.Request) -> web.Response:
        """He needs longer for his notes."""
        query_of(request, NoQuery)
        extension = AgentId(request.match_info["extension"])
        self._agent(extension)
        wish = await body_of(request, WrapUpWish)
        await decided(self._desk, ExtendWrapUp(extension, wish.seconds, at=self._desk.status().at))
        return json_reply(agent_reply(self._agent(extension)))

    def _agent(self, extension: AgentId) -> AgentStatus:
        for agent in self._desk.status().agents:
            if agent.extension == extension:
                return agent
        raise NotFound(f"there is no agent {extension}")
