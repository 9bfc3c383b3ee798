"""`build()` makes the aiohttp application of the daemon's parts; `listening()` puts it on a port. Called by `ccserver.app`."""

import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from ccserver.api.asked import AskedRoutes
from ccserver.api.auth import Auth
from ccserver.api.callbacks import TOKEN_ONLY, CallbackRoutes, FormRules
from ccserver.api.calls import CallRoutes
from ccserver.api.contacts import ContactRoutes
from ccserver.api.errors import ApiError, CannotListen
from ccserver.api.explain import ExplainRoutes
from ccserver.api.flows import FlowRoutes
from ccserver.api.live import LiveRoutes
from ccserver.api.measures import MeasureRoutes
from ccserver.api.messages import ErrorReply, Problem
from ccserver.api.metrics import MetricsRoutes
from ccserver.api.openapi import DocumentRoutes
from ccserver.api.operations import Serve, json_reply
from ccserver.api.page import PageRoutes, guard
from ccserver.api.recordings import RecordingRoutes
from ccserver.api.reload import ReloadRoutes
from ccserver.api.reports import ReportRoutes
from ccserver.api.satisfaction import SatisfactionRoutes
from ccserver.api.sources import Configuration, ContactQueries, Health, LiveFeed, RecordingFiles
from ccserver.api.status import StatusRoutes
from ccserver.core.numbers import Region
from ccserver.ports import Desk
from ccserver.store.errors import StoreError

BODY_MAX = 16 * 1024
CLOSE_WITHIN_S = 2.0

log = structlog.get_logger("ccserver.api")


def build(
    desk: Desk,
    store: ContactQueries,
    feed: LiveFeed,
    recordings: RecordingFiles,
    token: str,
    health: Health,
    metrics: Callable[[], bytes],
    configuration: Configuration,
    region: Region = "RU",
    form: FormRules = TOKEN_ONLY,
) -> web.Application:
    """The whole API and the page; `metrics` makes the text of `/metrics`, `region` is that of numbers without a country,
    `form` says who may ask for callbacks.

    Raises ValueError when the token is empty."""
    auth = Auth(token)
    live = LiveRoutes(desk, store, feed, health)
    sound = RecordingRoutes(desk, store, recordings)
    described = [
        *StatusRoutes(desk, health).operations(),
        *ContactRoutes(store, desk, region).operations(),
        *CallRoutes(desk, store).operations(),
        *ReportRoutes(store.reports).operations(),
        *SatisfactionRoutes(store).operations(),
        *sound.operations(),
        *AskedRoutes(desk).operations(),
        *MeasureRoutes(desk, configuration).operations(),
        *live.operations(),
        *CallbackRoutes(desk, auth, region, form).operations(),
        *MetricsRoutes(metrics).operations(),
        *ReloadRoutes(configuration).operations(),
        *FlowRoutes(desk, configuration).operations(),
        *ExplainRoutes(desk, store, configuration).operations(),
    ]
    document = DocumentRoutes(described)
    operations = [*described, *document.operations(), *PageRoutes(auth).operations()]

    open_to_all = frozenset((operation.method, operation.path) for operation in operations if operation.open_to_all)
    app = web.Application(client_max_size=BODY_MAX, middlewares=[_errors_as_json, _only_known(auth, open_to_all)])
    for operation in operations:
        app.router.add_route(operation.method, operation.path, operation.serve)
        if operation.method == "GET" and operation.path != "/api/live":  # a socket has no head
            app.router.add_route("HEAD", operation.path, operation.serve)
    app.on_response_prepare.append(guard)
    app.on_shutdown.append(live.close)
    app.cleanup_ctx.append(live.running)
    app.cleanup_ctx.append(sound.running)
    return app


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block lasts; gives the port (asked for with 0: a free one). Raises `CannotListen`."""
    # No access log: it would carry `?token=`, and what is done here the journal knows.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_WITHIN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "the port is taken" if taken else (error.strerror or str(error))
            raise CannotListen(host, port, reason) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@web.middleware
async def _errors_as_json(request: web.Request, handler: Serve) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return _problem(error.status, str(error), error.field, error.headers)
    except StoreError as error:
        return _problem(503, f"the store is away: {error}", None, {})
    except web.HTTPException as error:
        kept = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _problem(error.status, _MEANINGS.get(error.status, error.reason.lower()), None, kept)
    except Exception:
        log.exception("a request failed by our own fault", method=request.method, route=_route(request))
        return _problem(500, "this is a fault of the server; its log says more", None, {})


_MEANINGS = {
    404: "there is nothing at this path",
    405: "this method is not served at this path",
    413: f"the body is larger than {BODY_MAX} bytes",
}


def _problem(status: int, message: str, field: str | None, headers: dict[str, str]) -> web.Response:
    problem = Problem(message) if field is None else Problem(message, field)
    response = json_reply(ErrorReply(problem), status)
    response.headers.update(headers)
    return response


def _only_known(auth: Auth, open_to_all: frozenset[tuple[str, str]]) -> Middleware:
    """Everything needs the token but what is open to all; whether a path exists under `/api` is no stranger's business."""

    @web.middleware
    async def only_known(request: web.Request, handler: Serve) -> web.StreamResponse:
        route = _route(request)
        method = "GET" if request.method == "HEAD" else request.method
        if (method, route) not in open_to_all and (route is not None or request.path.startswith("/api")):
            auth.require(request)
        return await handler(request)

    return only_known


def _route(request: web.Request) -> str | None:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else None
