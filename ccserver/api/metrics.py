"""`/metrics` for Prometheus. Needs the token like all else: how busy a centre is, is nobody's business."""

from collections.abc import Callable, Sequence

from aiohttp import web

from ccserver.api.messages import NoQuery
from ccserver.api.operations import Answer, Operation, query_of

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class MetricsRoutes:
    """One route."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        """`render` makes the Prometheus text format."""
        self._render = render

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/metrics",
                serve=self.metrics,
                summary="Counters, histograms and gauges for Prometheus",
                answers={200: Answer("Prometheus text format 0.0.4", None, "text/plain")},
            ),
        )

    async def metrics(self, request: web.Request) -> web.Response:
        """As they are now."""
        query_of(request, NoQuery)
        return web.Response(body=self._render(), headers={"Content-Type": TEXT_FORMAT})
