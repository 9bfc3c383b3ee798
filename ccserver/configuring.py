"""The verbs of an admin who changes a configuration and keeps his calls: `check`, `graph`, `reload`. Parsed by `__main__`."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ccserver.api.messages import ConfigProblemReply, ReloadRefusedReply, ReloadReply
from ccserver.app import instance_of
from ccserver.asterisk import certificates
from ccserver.asterisk.access import HttpAccess, access_path, read_access
from ccserver.audio import prompts
from ccserver.config.check import check
from ccserver.config.diff import Change, differences
from ccserver.config.errors import Problem, QuestionError, Severity
from ccserver.config.explain import explain_call
from ccserver.config.graph import dot_text, flow_named, svg
from ccserver.config.load import Config, load
from ccserver.config.places import state_dir
from ccserver.config.running import read_running, running_of
from ccserver.config.walk import walk_call
from ccserver.store.journal_file import JournalReader

MISCONFIGURED = 78
RELOAD_WITHIN_S = 60.0

CHECK = """
Read the whole configuration and say every mistake with its file, line and field; nothing is started. With --call,
tell every step that a caller of this line can come to: what he hears, which key leads where, who could answer. With
--keys, walk the one journey of a caller who presses these: what stands between two commas at each question. With
--diff, tell what `ccserver reload` would change.

  ccserver check
  ccserver check --diff
  ccserver check --call 88007707999
  ccserver check --call 88007707999 --at 2026-12-31T23:50
  ccserver check --call 88007707999 --at 2026-12-31T23:50 --keys 3,1
"""
RELOAD = """
Let the running daemon take up the configuration as the files say it now: all of it, or nothing. Calls go on; whoever
is on the line keeps what he began with. When it is refused, every reason is told and nothing has changed.

  ccserver check
  ccserver check --diff
  ccserver reload
"""


GRAPH = """
Draw a flow: its steps, what is said, which key leads where. Without --svg it prints Graphviz's DOT text, which needs no
Graphviz; the page shows the same with the callers of this moment.

  ccserver graph nordlis
  ccserver graph nordlis --svg nordlis.svg
"""


class DaemonAway(Exception):
    """Nobody answers who could reload; one line."""


def add_check_options(parser: argparse.ArgumentParser) -> None:
    """Of `ccserver check`."""
    parser.add_argument("--call", metavar="NUMBER", help="say what would happen to a call to this line")
    parser.add_argument("--at", metavar="TIME", help="at this time, such as 2026-12-31T23:50 (default: now)")
    parser.add_argument(
        "--keys", metavar="KEYS", help="walk the journey of a caller who presses these, such as 1,12345#"
    )
    parser.add_argument("--diff", action="store_true", help="say what a reload would change")


def add_graph_options(parser: argparse.ArgumentParser) -> None:
    """Of `ccserver graph`."""
    parser.add_argument("flow", metavar="FLOW", help="its name: the file's without .toml")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into this file, with Graphviz")


def run_check(args: argparse.Namespace) -> int:
    """Problems on stderr, what was asked on stdout; 78 when the configuration cannot be used."""
    if args.at is not None and args.call is None:
        raise QuestionError("--at says when a call comes: say to which line, too, with --call NUMBER")
    if args.keys is not None and args.call is None:
        raise QuestionError("--keys says what a caller presses: say to which line he calls, too, with --call NUMBER")
    problems = check(args.config)
    for problem in problems:
        print(problem, file=sys.stderr)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return MISCONFIGURED
    config = load(args.config)
    prompts.load(config.prompts.file)
    if certificate := certificates.worry(instance_of(config), datetime.now(UTC)):
        print(f"ccserver: warning: {certificate}", file=sys.stderr)
    if args.call is not None:
        by_keys = args.keys is not None
        print(walk_call(config, args.call, args.at, args.keys) if by_keys else explain_call(config, args.call, args.at))
    if args.diff:
        print("\n".join(map(str, _differences(config))) or "nothing differs from what runs")
    if args.call is None and not args.diff and not problems and not certificate:
        print("the configuration is right")
    return 0


def _differences(config: Config) -> tuple[Change, ...]:
    """Between the files and what the daemon runs with, or ran with when it ended."""
    journal = config.state_dir / "journal.sqlite"
    plan = None
    if journal.exists():
        with JournalReader(journal) as reader:
            plan = reader.restore().plan
    if plan is None:
        raise QuestionError(f"{journal}: no daemon has run on it yet, there is nothing to compare with")
    return differences(plan, read_running(config.state_dir), config.plan, running_of(config))


def run_graph(args: argparse.Namespace) -> int:
    """DOT text on stdout, or a file with the drawing."""
    config = load(args.config)
    dot = dot_text(flow_named(config.plan, args.flow), config.plan, config.prompts, {})
    if args.svg is None:
        print(dot, end="")
        return 0
    try:
        args.svg.write_bytes(svg(dot))
    except OSError as error:
        raise QuestionError(f"{args.svg}: cannot be written: {error.strerror}") from None
    print(args.svg)
    return 0


def run_reload(_args: argparse.Namespace) -> int:
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
