"""How a verb asks the running daemon: over its API, with what access.json in the state directory says."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ccserver.asterisk.access import HttpAccess, access_path, read_access

WITHIN_S = 60.0


class DaemonAway(Exception):
    """Nobody answers who could; one line."""


def way_in(state: Path) -> HttpAccess:
    """Where the daemon of that state directory listens, and the token."""
    try:
        return read_access(state).http
    except FileNotFoundError:
        raise DaemonAway(f"no daemon has run with the state directory {state}: nobody to ask") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise DaemonAway(f"{access_path(state)}: cannot be read: {error}") from None


def ask(http: HttpAccess, method: str, path: str) -> tuple[int, bytes]:
    """The answer's status and body."""
    request = urllib.request.Request(http.url + path, method=method, headers={"Authorization": f"Bearer {http.token}"})
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError as error:
        raise DaemonAway(f"no daemon answers at {http.url}: {getattr(error, 'reason', error)}") from None


def told(body: bytes) -> str:
    """What an answer that is an error says."""
    try:
        answer: Mapping[str, Any] = json.loads(body)
        return str(answer["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return "something that is not ours"
