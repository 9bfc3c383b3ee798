"""`/healthz` for whoever starts and watches the daemon, `/api/status` for whoever wants the whole picture once."""

from collections.abc import Sequence

from aiohttp import web

from ccserver import __version__
from ccserver.api.messages import HealthReply, NoQuery, StatusReply
from ccserver.api.operations import Answer, Operation, json_reply, query_of
from ccserver.api.sources import Health
from ccserver.api.views import status_reply
from ccserver.ports import Desk


class StatusRoutes:
    """The two pictures: fine or not, and everything."""

    def __init__(self, desk: Desk, health: Health) -> None:
        self._desk = desk
        self._health = health

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/healthz",
                serve=self.healthz,
                summary="Whether the daemon does its work",
                answers={
                    200: Answer("Every Asterisk is connected and nothing is broken", HealthReply),
                    503: Answer("It does not; `reasons` says why", HealthReply),
                },
                open_to_all=True,
            ),
            Operation(
                method="GET",
                path="/api/status",
                serve=self.status,
                summary="Lines, queues, agents, live contacts, links and alarms now",
                answers={200: Answer("The picture of this moment", StatusReply)},
            ),
        )

    def reasons(self) -> tuple[str, ...]:
        """Why the daemon does not do its work; empty when it does."""
        nodes = self._desk.status().nodes
        links = [f"Asterisk {node.node} is not connected" for node in nodes if not node.connected]
        if not nodes:
            links = ["no Asterisk has been connected yet"]
        return (*links, *(f"{alarm.name}: {alarm.message}" for alarm in self._health() if alarm.critical))

    async def healthz(self, request: web.Request) -> web.Response:
        """200 or 503. Parameters are ignored here: load balancers like to add their own."""
        reasons = self.reasons()
        reply = HealthReply(status="failing" if reasons else "ok", version=__version__, reasons=reasons)
        return json_reply(reply, 503 if reasons else 200)

    async def status(self, request: web.Request) -> web.Response:
        """Everything at once."""
        query_of(request, NoQuery)
        return json_reply(status_reply(self._desk.status(), self._health()))
