"""What the API answers when it cannot do what was asked: each error knows its HTTP status and is written as JSON.

ApiError
├── BadInput        400  the request is wrong; names the field
├── Unauthorized    401  no token, or not the right one
├── Foreign         403  a page of another site used the browser's cookie
├── NotFound        404  no such contact, agent, recording, path
├── NotNow          409  understood and refused: nothing has changed
├── TooOften        429  more than a quota lets through; says when to come again
├── Overloaded      503  too many live pages
└── Silent          503  the engine or the store did not answer in time
CannotListen        at start: the port is taken, or the address is not ours
"""

from typing import ClassVar


class ApiError(Exception):
    """Root of what is answered to a client; `str()` is the message."""

    status: ClassVar[int] = 500
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class BadInput(ApiError):
    """The client's mistake; `field` is the query parameter, the path of the body's field, or None for the whole."""

    status = 400


class Unauthorized(ApiError):
    """Who asks is not known."""

    status = 401
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Bearer realm="ccserver"'}


class Foreign(ApiError):
    """The cookie came with a request that another site's page made."""

    status = 403


class NotFound(ApiError):
    """There is nothing under that name."""

    status = 404


class NotNow(ApiError):
    """The core refused; the message is its reason."""

    status = 409


class TooOften(ApiError):
    """More than a quota lets through."""

    status = 429

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(max(1, round(wait_s)))}  # type: ignore[misc]


class Overloaded(ApiError):
    """A bound is reached; what is running goes on."""

    status = 503


class Silent(ApiError):
    """Somebody inside did not answer in time; the request may still be carried out."""

    status = 503


class CannotListen(Exception):
    """The port cannot be opened; one line for the operator."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {reason}")
        self.host = host
        self.port = port
