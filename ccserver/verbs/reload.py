"""`ccserver reload`: ask the running daemon to take up the configuration."""

import argparse
import sys

import msgspec

from ccserver.api.messages import ConfigProblemReply, ReloadRefusedReply, ReloadReply
from ccserver.config.errors import Problem, Severity
from ccserver.config.places import state_dir
from ccserver.verbs.asking import DaemonAway, ask, told, way_in

MISCONFIGURED = 78
STORY = """
Let the running daemon take up the configuration as the files say it now: all of it, or nothing. Calls go on; whoever
is on the line keeps what he began with. When it is refused, every reason is told and nothing has changed.

  ccserver check
  ccserver check --diff
  ccserver reload
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_args: argparse.Namespace) -> int:
    """Ask the daemon; says what has changed, or on stderr why nothing has, with 78."""
    status, body = ask(way_in(state_dir()), "POST", "/api/reload")
    if status == 409:
        for problem in _problems(msgspec.json.decode(body, type=ReloadRefusedReply).problems):
            print(problem, file=sys.stderr)
        print("nothing has changed", file=sys.stderr)
        return MISCONFIGURED
    if status != 200:
        raise DaemonAway(f"the daemon answered {status}: {told(body)}")
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


def _problems(replies: tuple[ConfigProblemReply, ...], severity: Severity = Severity.ERROR) -> tuple[Problem, ...]:
    return tuple(
        Problem(file=each.file, line=each.line, field=each.field, message=each.message, severity=severity)
        for each in replies
    )
