"""What can go wrong when talking to Asterisk, as a small tree; who may try again is decided here and nowhere else.

    AriError
    ├── AriRejected         4xx: Asterisk understood and refused; `status` and its `message` say why
    │   ├── NotFound        404, a normal outcome: the channel hung up, the bridge is gone
    │   └── Conflict        409, a normal outcome: not (yet, or no longer) in the Stasis application
    │       └── AlreadyExists   409 on a create, verified: an object with the id we chose is really there
    ├── AllocationFailed    500 "Allocation failed", or a 409 that lies: the endpoint is unknown or cannot be reached
    ├── AriUnavailable      nobody answered (refused, deadline, dropped, another 5xx): try again later
    └── AriAuthFailed       401 or 403: user, password or rights are wrong, which no repetition mends

Any other exception that leaves this package is a bug.
"""

from __future__ import annotations


class AriError(Exception):
    """Something went wrong with one request; `str()` of it is one line naming the request."""

    def __init__(self, method: str, path: str, message: str) -> None:
        super().__init__(f"{method} {path}: {message}")
        self.method = method
        self.path = path
        self.message = message


class AriRejected(AriError):
    """Asterisk understood the request and refused it; repeating it unchanged is pointless."""

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        super().__init__(method, path, f"{status} {message}")
        self.status = status
        self.message = message


class NotFound(AriRejected):
    """404: the object does not exist any more; for a channel this means that it hung up."""


class Conflict(AriRejected):
    """409: the object is in a state that forbids this, mostly "Channel not in Stasis application"."""


class AlreadyExists(Conflict):
    """An object with the id the caller chose was there before; a repeated command may take this for success."""


class AllocationFailed(AriError):
    """Asterisk could not make the channel: endpoint unknown, not registered or unavailable (it does not say which)."""


class AriUnavailable(AriError):
    """Asterisk did not answer, or answered 5xx; trying again later can help.

    `ambiguous` is True when the request may have been carried out although no answer came. Creates look for the object
    by its id before they raise, so there it means: even the look-up got no answer.
    """

    def __init__(self, method: str, path: str, message: str, *, ambiguous: bool) -> None:
        super().__init__(method, path, message)
        self.ambiguous = ambiguous


class AriAuthFailed(AriError):
    """401 or 403. Asterisk also says 401 when its user may not read ari.conf, without a word in its log."""


def from_status(method: str, path: str, status: int, message: str) -> AriError:
    """Return the error that an HTTP status means."""
    if status in (401, 403):
        hint = "check user, password and read_only in ari.conf, and that Asterisk's user may read the file"
        return AriAuthFailed(method, path, f"{status} {message}: {hint}")
    if status == 404:
        return NotFound(method, path, status, message)
    if status == 409:
        return Conflict(method, path, status, message)
    if 400 <= status < 500:
        return AriRejected(method, path, status, message)
    if status == 500 and message == "Allocation failed":
        return AllocationFailed(method, path, f"{message}: endpoint unknown or unavailable")
    return AriUnavailable(method, path, f"{status} {message}", ambiguous=False)


def is_retryable(error: AriError) -> bool:
    """Tell whether a failed connect may succeed later.

    A starting Asterisk refuses, then answers 404, then 503, for about half a second; a vanished application answers
    404. Wrong credentials and malformed requests (400, 413, 422 …) stay wrong: they are fatal.
    """
    match error:
        case AriAuthFailed():
            return False
        case NotFound() | Conflict():
            return True
        case AriRejected():
            return False
        case _:
            return True
