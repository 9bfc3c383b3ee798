"""`/api/flows`: the flows in force as drawings, each step with the callers who are in it, or wait by it, at this moment."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence

from aiohttp import web

from ccserver.api.errors import NotFound
from ccserver.api.messages import ErrorReply, FlowReply, FlowsReply, NoQuery
from ccserver.api.operations import Answer, Operation, json_reply, query_of
from ccserver.api.sources import Configuration
from ccserver.config.errors import QuestionError
from ccserver.config.graph import dot_text, flow_named, svg
from ccserver.core.ids import FlowName, StepName
from ccserver.ports import Desk

KEPT_MAX = 32
"""Drawings that need not be made again: most of the time nobody is anywhere but where he was."""
_NAME = {"name": "The flow's name: its file's without .toml"}
_UNKNOWN = Answer("No such flow, or it cannot be drawn here; the message says which", ErrorReply)


class FlowRoutes:
    """What callers go through."""

    def __init__(self, desk: Desk, configuration: Configuration) -> None:
        self._desk = desk
        self._configuration = configuration
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._drawing = asyncio.Lock()

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/flows",
                serve=self.flows,
                summary="The flows in force",
                answers={200: Answer("In the order of their names", FlowsReply)},
            ),
            Operation(
                method="GET",
                path="/api/flows/{name}.svg",
                serve=self.drawing,
                summary="A flow as a drawing: steps, keys, prompts, callers now",
                parameters=_NAME,
                answers={200: Answer("SVG", media="image/svg+xml"), 404: _UNKNOWN},
            ),
            Operation(
                method="GET",
                path="/api/flows/{name}.dot",
                serve=self.text,
                summary="The same as Graphviz's DOT text",
                parameters=_NAME,
                answers={200: Answer("DOT", media="text/vnd.graphviz"), 404: _UNKNOWN},
            ),
        )

    async def flows(self, request: web.Request) -> web.Response:
        """With the lines that run them."""
        query_of(request, NoQuery)
        plan, callers = self._configuration.in_force.plan, self._callers()
        replies = (
            FlowReply(
                name=name,
                steps=len(flow.steps),
                lines=tuple(line.number for line in plan.lines.values() if name in line.flows),
                callers=sum(callers.get(name, {}).values()),
            )
            for name, flow in sorted(plan.flows.items())
        )
        return json_reply(FlowsReply(tuple(replies)))

    async def drawing(self, request: web.Request) -> web.Response:
        """One at a time: Graphviz takes its tenths of a second in a process of its own."""
        dot = self._dot(request)
        async with self._drawing:
            if dot not in self._drawn:
                try:
                    self._drawn[dot] = await asyncio.to_thread(svg, dot)
                except QuestionError as error:
                    raise NotFound(str(error)) from None
            self._drawn.move_to_end(dot)
            while len(self._drawn) > KEPT_MAX:
                self._drawn.popitem(last=False)
            return web.Response(body=self._drawn[dot], content_type="image/svg+xml")

    async def text(self, request: web.Request) -> web.Response:
        """Needs no Graphviz here."""
        return web.Response(text=self._dot(request), content_type="text/vnd.graphviz")

    def _dot(self, request: web.Request) -> str:
        query_of(request, NoQuery)
        config = self._configuration.in_force
        try:
            flow = flow_named(config.plan, request.match_info["name"])
        except QuestionError as error:
            raise NotFound(str(error)) from None
        return dot_text(flow, config.plan, config.prompts, self._callers().get(flow.name, {}))

    def _callers(self) -> Mapping[FlowName, Mapping[StepName, int]]:
        """By flow and step; who came before a reload may be in a flow that is no more, and then in none."""
        found: dict[FlowName, Counter[StepName]] = {}
        for contact in self._desk.status().contacts:
            if contact.flow is not None:
                found.setdefault(contact.flow, Counter())[StepName(contact.step)] += 1
        return found
