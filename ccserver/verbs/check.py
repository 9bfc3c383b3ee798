"""`ccserver check`: what is wrong in the configuration, what would happen to a call, what a reload would change."""

import argparse
import sys
from datetime import UTC, datetime

from ccserver.asterisk import certificates
from ccserver.asterisk.settings import instance_of
from ccserver.audio import prompts
from ccserver.config.check import check
from ccserver.config.diff import Change, differences
from ccserver.config.errors import QuestionError, Severity
from ccserver.config.explain import explain_call
from ccserver.config.load import Config, load
from ccserver.config.running import read_running, running_of
from ccserver.config.walk import walk_call
from ccserver.store.journal_file import JournalReader

MISCONFIGURED = 78
STORY = """
Read the whole configuration and say every mistake with its file, line and field; nothing is started. With --call,
tell every step that a caller of this line can come to: what he hears, which key leads where, who could answer; with
--from, of this caller: he may be known, or blocked. With --keys, walk the one journey of a caller who presses these:
what stands between two commas at each question; `talk` where he waits: somebody answers, and a survey may follow. With
--diff, tell what `ccserver reload` would change.

  ccserver check
  ccserver check --diff
  ccserver check --call 88007707999
  ccserver check --call 88007707999 --at 2026-12-31T23:50
  ccserver check --call 88007707999 --at 2026-12-31T23:50 --keys 3,1
  ccserver check --call 88007707999 --from +79161234567 --keys 1,talk,5
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What besides the mistakes is to be told."""
    parser.add_argument("--call", metavar="NUMBER", help="say what would happen to a call to this line")
    parser.add_argument("--at", metavar="TIME", help="at this time, such as 2026-12-31T23:50 (default: now)")
    parser.add_argument(
        "--from", dest="caller", metavar="NUMBER", help="from this number, or anonymous (default: nobody known)"
    )
    parser.add_argument(
        "--keys", metavar="KEYS", help="walk the journey of a caller who presses these, such as 1,12345#"
    )
    parser.add_argument("--diff", action="store_true", help="say what a reload would change")


def run(args: argparse.Namespace) -> int:
    """Problems on stderr, what was asked on stdout; 78 when the configuration cannot be used."""
    if args.at is not None and args.call is None:
        raise QuestionError("--at says when a call comes: say to which line, too, with --call NUMBER")
    if args.caller is not None and args.call is None:
        raise QuestionError("--from says who calls: say to which line, too, with --call NUMBER")
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
        asked = config, args.call, args.at
        by_keys = args.keys is not None
        print(walk_call(*asked, args.keys, args.caller) if by_keys else explain_call(*asked, args.caller))
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
