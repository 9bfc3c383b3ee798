"""`ccserver reload`: ask the running daemon to take up the configuration."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ccserver.api.messages import ConfigProblemReply, ReloadRefusedReply, ReloadReply
from ccserver.asterisk.access import HttpAccess, access_path, read_access
from ccserver.config.errors import Problem, Severity
from ccserver.config.places import state_dir

MISCONFIGURED = 78
RELOAD_WITHIN_S = 60.0
STORY = """
Let the running daemon take up the configuration as the files say it now: all of it, or nothing. Calls go on; whoever
is on the line keeps what he began with. When it is refused, every reason is told and nothing has changed.

  ccserver check
  ccserver check --diff
  ccserver reload
"""


class DaemonAway(Exception):
    """Nobody answers who could reload; one line."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_args: argparse.Namespace) -> int:
    """Ask the daemon; says what has changed, or on stderr why nothing has, with 78."""
    status, body = _post(_way_in(state_dir()), "/api/reload")
    if status == 409:
        for problem in _problems(msgspec.json.decode(body, type=ReloadRefusedReply).problems):
            print(problem, file=sys.stderr)
        print("nothing has changed", file=sys.stderr)
        return MISCONFIGURED
    if status != 200:
        raise DaemonAway(f"the daemon answered {status}: {_message(body)}")
    done = msgspec.json.decode(body, type=ReloadReply)
    for problem in _problems(done.warnings, Severity.WARNING):
        print(problem, file=sys.stderr)
    for change in done.changes:
        print(f"{change.field}: {change.what}")
    print(
        f"{done.configuration} is in force"
        if done.changes
        else f"{done.configuration} is in force already: nothing to do"
    )
    return 0


def _way_in(state: Path) -> HttpAccess:
    try:
        return read_access(state).http
    except FileNotFoundError:
        raise DaemonAway(f"no daemon has run with the state directory {state}: nothing to reload") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise DaemonAway(f"{access_path(state)}: cannot be read: {error}") from None


def _problems(told: tuple[ConfigProblemReply, ...], severity: Severity = Severity.ERROR) -> tuple[Problem, ...]:
    return tuple(
        Problem(file=each.file, line=each.line, field=each.field, message=each.message, severity=severity)
        for each in told
    )


def _post(http: HttpAccess, path: str) -> tuple[int, bytes]:
    request = urllib.request.Request(http.url + path, method="POST", headers={"Authorization": f"Bearer {http.token}"})
    try:
        with urllib.request.urlopen(request, timeout=RELOAD_WITHIN_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError as error:
        raise DaemonAway(f"no daemon answers at {http.url}: {getattr(error, 'reason', error)}") from None


def _message(body: bytes) -> str:
    try:
        told: Mapping[str, Any] = json.loads(body)
        return str(told["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return "something that is not ours"
