"""The page at `/` and the way in: static files from `web/`, a login form, and the headers that keep strangers' code out.

The page is plain HTML, CSS and ES modules, served as they lie; it gets its data from `/api/live` with the cookie that the
form, or a link with `?token=`, gave the browser.
"""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from ccserver.api.auth import Auth
from ccserver.api.errors import BadInput, NotFound, Unauthorized
from ccserver.api.operations import Answer, Operation, Serve

WEB = Path(__file__).parent / "web"

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HTML = Answer("The page", media="text/html")
_WRONG = '<p class="problem" id="problem" role="alert" hidden>'


class PageRoutes:
    """What a browser opens."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    def operations(self) -> Sequence[Operation]:
        """For the router; the document leaves them out, programs have no use for them."""
        return (
            _page("GET", "/", self.live),
            _page("GET", "/flows", self.flows),
            _page("GET", "/login", self.form),
            _page("POST", "/login", self.login),
            _page("POST", "/logout", self.logout),
            _page("GET", "/web/{name}", self.asset),
        )

    async def live(self, request: web.Request) -> web.StreamResponse:
        """The live page; with `?token=` the browser is admitted and the token leaves the address at once."""
        if (offered := request.query.get("token")) is not None:
            return self._admitted(request, offered)
        if not self._auth.has_session(request):
            return _elsewhere("/login")
        return _file("live.html")

    async def flows(self, request: web.Request) -> web.StreamResponse:
        """The drawings of the flows."""
        return _file("flows.html") if self._auth.has_session(request) else _elsewhere("/login")

    async def form(self, request: web.Request) -> web.StreamResponse:
        """Where the token is asked for."""
        return _file("login.html")

    async def login(self, request: web.Request) -> web.StreamResponse:
        """What the form sends."""
        offered = (await request.post()).get("token")
        if not isinstance(offered, str):
            raise BadInput("the form must have the field token", "token")
        return self._admitted(request, offered)

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """The browser forgets."""
        self._auth.require(request)
        response = _elsewhere("/login")
        self._auth.dismiss(response)
        return response

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """One file of `web/`; there are no folders in it."""
        return _file(request.match_info["name"])

    def _admitted(self, request: web.Request, offered: str) -> web.StreamResponse:
        if not self._auth.is_token(offered.strip()):
            form = (WEB / "login.html").read_text(encoding="utf-8").replace(_WRONG, _WRONG.replace(" hidden", ""))
            return web.Response(
                status=Unauthorized.status, text=form, content_type="text/html", headers={"Cache-Control": "no-store"}
            )
        response = _elsewhere("/")
        self._auth.admit(response, secure=request.secure or request.headers.get("X-Forwarded-Proto") == "https")
        return response


async def guard(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: nothing is loaded from elsewhere, nothing inline runs, nobody frames or sniffs us."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Not no-referrer: with that, browsers send "Origin: null" with our own forms too.
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )


def _page(method: str, path: str, serve: Serve) -> Operation:
    return Operation(
        method=method,
        path=path,
        serve=serve,
        summary="",
        answers={200: _HTML},
        open_to_all=True,
    )


def _elsewhere(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _file(name: str) -> web.StreamResponse:
    path = WEB / name
    kind = CONTENT_TYPES.get(path.suffix)
    if path.parent != WEB or kind is None or not path.is_file():
        raise NotFound("there is no such page")
    # Asked about at each load, answered by 304: a new version of the daemon is a new page at once.
    return web.FileResponse(path, headers={"Content-Type": f"{kind}; charset=utf-8", "Cache-Control": "no-cache"})
