"""The command line: `ccserver VERB`. Each verb is a function here or in the package it is about; errors become one line.

Exit codes: 0 done · 1 a check found something, or a bug · 2 wrong usage · 69 something needed is not there (Asterisk, a port,
the store) · 75 another daemon holds the journal · 78 the configuration is wrong.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from ccserver import __version__, doctor
from ccserver.api.errors import CannotListen
from ccserver.app import Daemon, instance_of
from ccserver.ari import AriAuthFailed, AriError
from ccserver.asterisk import cli as asterisk_cli
from ccserver.asterisk.errors import AsteriskError, SecretsError
from ccserver.audio import prompts, synthesis
from ccserver.audio.errors import AudioError
from ccserver.config.check import check
from ccserver.config.errors import ConfigErrors, QuestionError, Severity
from ccserver.config.explain import explain_call
from ccserver.config.load import Config, load
from ccserver.connectors.voice import NodeTooOld
from ccserver.logs import configure
from ccserver.replay import replay
from ccserver.store.errors import JournalLocked, StoreError
from ccserver.store.schema import migrate

FAILED, UNAVAILABLE, LOCKED, MISCONFIGURED = 1, 69, 75, 78
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigErrors, MISCONFIGURED),
    (QuestionError, FAILED),
    (AudioError, MISCONFIGURED),
    (SecretsError, MISCONFIGURED),
    (AriAuthFailed, MISCONFIGURED),
    (JournalLocked, LOCKED),
    (AsteriskError, UNAVAILABLE),
    (NodeTooOld, UNAVAILABLE),
    (AriError, UNAVAILABLE),
    (CannotListen, UNAVAILABLE),
    (StoreError, UNAVAILABLE),
)
"""The first that fits; whatever is not here is a bug and shows its traceback."""
HINT = "`ccserver doctor` says what else is wrong and how to mend it"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, do, and return the exit code."""
    args = _parser().parse_args(arguments)
    configure(debug=args.debug)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        known = _known(error)
        if known is None:
            raise
        message, code = known
        print(f"ccserver: {message}", file=sys.stderr)
        if code != MISCONFIGURED and args.verb == "run":
            print(f"ccserver: {HINT}", file=sys.stderr)
        return code


def _known(error: BaseException) -> tuple[str, int] | None:
    """The line and the exit code of an error that a person can do something about, also inside a group."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if (known := _known(inner)) is not None:
                return known
        return None
    for kind, code in EXIT_CODES:
        if isinstance(error, kind):
            return str(error), code
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ccserver",
        description="Contact-centre server on Asterisk 22.",
        epilog="The configuration is the directory in CCSERVER_CONFIG, the state lies in CCSERVER_STATE; in a checkout "
        "they are dialplans/ and var/.",
    )
    parser.add_argument("--version", action="version", version=f"ccserver {__version__}")
    parser.add_argument("--config", type=Path, metavar="DIR", help="configuration directory (default: see below)")
    parser.add_argument("--debug", action="store_true", help="log everything")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    run = verbs.add_parser("run", help="serve calls until stopped", description="Serve calls until stopped.")
    run.add_argument("--takeover", action="store_true", help="take the place of the daemon that runs; no event is lost")
    run.set_defaults(run=_run)

    checks = verbs.add_parser("check", help="find what is wrong in the configuration, without starting anything")
    checks.add_argument("--call", metavar="NUMBER", help="say what would happen to a call to this line")
    checks.add_argument("--at", metavar="YYYY-MM-DDTHH:MM", help="... at this time (default: now)")
    checks.set_defaults(run=_check)

    migrates = verbs.add_parser("migrate", help="bring the store's tables up to date")
    migrates.set_defaults(run=_migrate)

    prompt = verbs.add_parser("prompts", help="what callers hear: build it, list it, check it")
    prompt.add_argument("action", choices=("build", "list", "check"))
    prompt.set_defaults(run=_prompts)

    replays = verbs.add_parser(
        "replay", help="decide the journal's events again and compare with what was decided then"
    )
    replays.set_defaults(run=_replay)

    doctors = verbs.add_parser("doctor", help="look at everything that must be right, and say how to mend what is not")
    doctors.set_defaults(run=lambda args: doctor.run(args.config))

    asterisk = verbs.add_parser("asterisk", help="set up, start, stop and ask our Asterisk")

    def setup() -> asterisk_cli.Setup:
        config = load(parser.parse_args().config)
        return asterisk_cli.Setup(instance_of(config), list(config.plan.operators))

    asterisk_cli.add_verbs(asterisk, setup)
    return parser


def _config(args: argparse.Namespace) -> Config:
    config = load(args.config)
    for warning in config.warnings:
        print(warning, file=sys.stderr)
    return config


def _run(args: argparse.Namespace) -> int:
    asyncio.run(Daemon(_config(args), takeover=args.takeover).run())
    return 0


def _check(args: argparse.Namespace) -> int:
    problems = check(args.config)
    for problem in problems:
        print(problem, file=sys.stderr)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return MISCONFIGURED
    if args.call or args.at:
        print(explain_call(load(args.config), args.call or "", args.at))
    elif not problems:
        print("the configuration is right")
    return 0


def _migrate(args: argparse.Namespace) -> int:
    before, after = asyncio.run(migrate(load(args.config).store_url))
    print(f"schema {after}" + (f", was {before}" if after != before else ", nothing to do"))
    return 0


def _prompts(args: argparse.Namespace) -> int:
    config = load(args.config)
    book = prompts.load(config.prompts.file)
    directory = config.state_dir / "prompts"
    if args.action == "build":
        report = synthesis.build(book, config.prompts.file.parent, directory)
        print(
            f"{report.synthesised} synthesised, {report.recorded} from recordings, {report.unchanged} unchanged, "
            f"{report.removed} removed, {report.asterisk} are Asterisk's own"
        )
        return 0
    resolver = prompts.PromptResolver(book, directory)
    if args.action == "list":
        for name in sorted(book.prompts):
            for language in book.languages:
                print(f"{language}  {name:32} {book.text(name, language)}")
        return 0
    missing = resolver.unbuilt()
    for key in missing:
        print(f"not built: {key}", file=sys.stderr)
    return FAILED if missing else 0


def _replay(args: argparse.Namespace) -> int:
    report = replay(load(args.config).state_dir / "journal.sqlite")
    print(report.text)
    return 0 if report.same else FAILED


if __name__ == "__main__":
    sys.exit(main())
