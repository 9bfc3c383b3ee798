"""Who may ask: the bearer token for programs, a cookie made from it for the page.

The cookie is a keyed digest of the token, so it survives a restart of the daemon, dies with the token and does not
give it away. Since a browser sends cookies by itself, a request that comes by cookie and changes something, or opens the
web socket, must also name our own page as its origin: SameSite=Strict alone does not tell two ports of a host apart.
"""

import hashlib
import hmac
from urllib.parse import urlsplit

from aiohttp import web

from ccserver.api.errors import Foreign, Unauthorized

COOKIE_MAX_AGE_S = 30 * 24 * 3600
_SAFE_METHODS = {"GET", "HEAD"}


class Auth:
    """Knows the one admin token; every comparison takes the same time whatever is compared."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("the API token is empty: everybody would be admitted")
        self._token = token.encode()
        self._session = hmac.new(self._token, b"ccserver page session", hashlib.sha256).hexdigest()
        # Browsers keep cookies by host without the port: instances side by side need names of their own.
        self.cookie = f"ccserver-{hashlib.sha256(self._session.encode()).hexdigest()[:8]}"

    def is_token(self, offered: str) -> bool:
        """Whether this is the admin token."""
        return hmac.compare_digest(offered.encode(errors="surrogateescape"), self._token)

    def has_session(self, request: web.Request) -> bool:
        """Whether the browser carries our cookie."""
        offered = request.cookies.get(self.cookie, "").encode(errors="surrogateescape")
        return hmac.compare_digest(offered, self._session.encode())

    def require(self, request: web.Request) -> None:
        """Raises `Unauthorized`, or `Foreign` when another site's page lent itself our cookie."""
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, offered = header.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorized("the Authorization header must be 'Bearer <token>'")
            if not self.is_token(offered.strip()):
                raise Unauthorized("this token is not known")
        elif self.has_session(request):
            if (request.method not in _SAFE_METHODS or _opens_socket(request)) and not _from_our_page(request):
                raise Foreign("this request comes from a page of another site")
        else:
            raise Unauthorized("send the API token in the header 'Authorization: Bearer <token>'")

    def admit(self, response: web.StreamResponse, *, secure: bool) -> None:
        """Give the browser the cookie."""
        response.set_cookie(
            self.cookie, self._session, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="Strict", secure=secure
        )

    def dismiss(self, response: web.StreamResponse) -> None:
        """Take the cookie back."""
        response.del_cookie(self.cookie, httponly=True, samesite="Strict")


def _opens_socket(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _from_our_page(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.host
