"""The command line: `ccserver VERB`. Each verb is a function here or in the package it is about; errors become one line.

Exit codes: see EPILOG; a bug shows its traceback and ends with 1.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ccserver import __version__, demo, doctor
from ccserver.api.errors import CannotListen
from ccserver.app import Daemon, instance_of
from ccserver.ari import AriAuthFailed, AriError
from ccserver.asterisk import certificates
from ccserver.asterisk import cli as asterisk_cli
from ccserver.asterisk.errors import AsteriskError, SecretsError
from ccserver.asterisk.files import make_dir
from ccserver.audio import prompts, synthesis
from ccserver.audio.errors import AudioError
from ccserver.backup import cli as backup_cli
from ccserver.backup.errors import BackupError, RestoreUnfinished
from ccserver.backup.places import refuse_unfinished
from ccserver.config.errors import ConfigErrors, QuestionError
from ccserver.config.load import Config, load
from ccserver.config.running import read_running
from ccserver.configuring import (
    CHECK,
    GRAPH,
    MISCONFIGURED,
    RELOAD,
    DaemonAway,
    add_check_options,
    add_graph_options,
    run_check,
    run_graph,
    run_reload,
)
from ccserver.connectors.voice import NodeTooOld
from ccserver.logs import configure
from ccserver.replay import replay
from ccserver.sim.errors import AlreadyPlayed, NotAsked, SimError
from ccserver.sim.world import Load
from ccserver.store.errors import JournalLocked, StoreError
from ccserver.store.schema import migrate

FAILED, MISUSED, UNAVAILABLE, LOCKED = 1, 2, 69, 75
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigErrors, MISCONFIGURED),
    (QuestionError, FAILED),
    (AudioError, MISCONFIGURED),
    (SecretsError, MISCONFIGURED),
    (AriAuthFailed, MISCONFIGURED),
    (JournalLocked, LOCKED),
    (RestoreUnfinished, MISCONFIGURED),
    (BackupError, UNAVAILABLE),
    (AsteriskError, UNAVAILABLE),
    (NodeTooOld, UNAVAILABLE),
    (AriError, UNAVAILABLE),
    (CannotListen, UNAVAILABLE),
    (DaemonAway, UNAVAILABLE),
    (StoreError, UNAVAILABLE),
    (NotAsked, MISUSED),
    (AlreadyPlayed, LOCKED),
    (SimError, UNAVAILABLE),
)
"""The first that fits; whatever is not here is a bug and shows its traceback."""
TELLS_ALL = (BackupError, ConfigErrors, QuestionError, JournalLocked, SimError)
"""Whose message needs no second word."""
CALLS_PER_MINUTE_MAX = 600.0
HINT = "`ccserver doctor` tells more"

EPILOG = """\
On a fresh machine begin with script/server, which does all of this in the right order.

The configuration is the directory named by CCSERVER_CONFIG (in a checkout dialplans/), the state lies in CCSERVER_STATE
(in a checkout var/).

exit codes:
  0   done
  1   a check found something
  2   the command line is wrong
  3   `asterisk status`: Asterisk does not run
  69  something needed is not there: Asterisk, a port, the store, the journal
  75  another daemon runs on this journal
  78  the configuration, the prompts or a password is wrong
"""
RUN = """
Serve calls until stopped (Ctrl-C, SIGTERM). While Asterisk is away it waits for it. Stopping it drops no call: talks
go on, and whoever waits keeps his place until the next start.

  ccserver run
  ccserver run --takeover       a new version takes over from the one that runs
"""
MIGRATE = """
Make the tables of the store, or bring those of an older version up to date; a second time does nothing. The daemon
does not do this by itself.
"""
PROMPTS = """
What callers and operators hear. The texts are in prompts.toml; a human recording is <language>/<prompt>.wav beside it,
everything else is spoken by a synthetic voice.

  ccserver prompts build        make what is new or has changed
  ccserver prompts list         every prompt with its text
  ccserver prompts check        what is not built, and recordings that no prompt asks for
"""
REPLAY = """
Take every event since the daemon's last start from the journal, decide once more, and compare with what was decided
then. Says the first difference, if there is one. It may be run beside the daemon.
"""
DOCTOR = """
Look at everything that must be right before calls are served: configuration, state directory, Asterisk, passwords,
store, journal, prompts, programs. Whatever is not right comes with the command that mends it. Changes nothing.
"""
CERTIFICATES = """
What phones are shown when they connect by TLS (sip.tls_port). Without sip.certificate it is signed by an authority of
our own, which phones must be told to trust; it is made and renewed by itself whenever Asterisk is rendered or started.

  ccserver certificates make    make it, or renew one that runs out or is for other names
  ccserver certificates show    whom it is for, until when, and what phones must trust
  ccserver certificates check   say what is wrong with it
"""
DEMO = """
Play the world around the contact centre that runs on this machine, so that there is something to see: customers call
in, press keys, wait or give up; operators log in, talk, take breaks, and miss a call now and then. Real SIP phones,
real sound. The first two operators are left to you. Ctrl-C ends it: calls are hung up, operators logged out.

  ccserver demo
  ccserver demo --operators 3 --calls-per-minute 2

Needs what `script/setup --demo` installs; `script/server --demo` does all of it.
"""
ASTERISK = """
Asterisk is where the calls live; it runs beside the daemon and outlives it.

  ccserver asterisk start
  ccserver asterisk console core show channels
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, do, and return the exit code."""
    args = _parser(arguments).parse_args(arguments)
    configure(debug=args.debug)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `ccserver prompts list | head`: who reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:
        known = _known(error)
        if known is None:
            raise
        message, code = known
        print(f"ccserver: {message}", file=sys.stderr)
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
            hint = "" if isinstance(error, TELLS_ALL) else f" ({HINT})"
            return f"{error}{hint}", code
    return None


def _parser(arguments: Sequence[str] | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ccserver",
        description="Contact-centre server on Asterisk 22: it answers the lines, queues the callers and finds them an operator.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ccserver {__version__}")
    parser.add_argument(
        "--config", type=Path, metavar="DIR", help="configuration directory, instead of CCSERVER_CONFIG"
    )
    parser.add_argument("--debug", action="store_true", help="log everything")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")

    def verb(
        name: str, summary: str, story: str, run: Callable[[argparse.Namespace], int] | None
    ) -> argparse.ArgumentParser:
        formatter = argparse.RawDescriptionHelpFormatter
        added = verbs.add_parser(name, help=summary, description=story.strip(), formatter_class=formatter)
        added.set_defaults(run=run)
        return added

    run = verb("run", "serve calls until stopped", RUN, _run)
    run.add_argument("--takeover", action="store_true", help="take the place of the daemon that runs; no event is lost")

    add_check_options(
        verb("check", "find what is wrong in the configuration, without starting anything", CHECK, run_check)
    )
    add_graph_options(verb("graph", "draw a flow", GRAPH, run_graph))
    verb("reload", "let the running daemon take up the configuration", RELOAD, run_reload)

    verb("migrate", "make the store's tables, or bring them up to date", MIGRATE, _migrate)

    prompt = verb("prompts", "what callers hear: build it, list it, check it", PROMPTS, _prompts)
    prompt.add_argument("action", choices=("build", "list", "check"))

    backup_cli.add_verbs(verb)
    verb("replay", "decide again what was decided, and compare", REPLAY, _replay)
    verb("doctor", "say what is not as it must be, and how to mend it", DOCTOR, lambda args: doctor.run(args.config))

    certificate = verb(
        "certificates", "what phones are shown by TLS: make it, show it, check it", CERTIFICATES, _certificates
    )
    certificate.add_argument("action", choices=("make", "show", "check"))

    plays = verb("demo", "simulated callers and operators around the running centre", DEMO, _demo)
    plays.add_argument(
        "--operators", type=_count, default=Load.operators, metavar="N", help="how many (default %(default)s)"
    )
    plays.add_argument(
        "--calls-per-minute",
        type=_rate,
        metavar="X",
        help="on average (default: what so many operators can just serve)",
    )
    plays.add_argument("--seed", type=int, default=Load.seed, metavar="N", help="another number, other people")
    plays.add_argument("--access", type=Path, metavar="FILE", help="instead of access.json in the state directory")

    def setup() -> asterisk_cli.Setup:
        config = load(parser.parse_args(arguments).config)
        return asterisk_cli.Setup(instance_of(config), list(config.plan.operators), config.trunks)

    asterisk_cli.add_verbs(verb("asterisk", "set up, start, stop and ask our Asterisk", ASTERISK, None), setup)
    return parser


def _config(args: argparse.Namespace) -> Config:
    config = load(args.config)
    for warning in config.warnings:
        print(warning, file=sys.stderr)
    return config


def _run(args: argparse.Namespace) -> int:
    config = _config(args)
    refuse_unfinished(config.state_dir)
    asyncio.run(Daemon(config, takeover=args.takeover).run())
    return 0


def _demo(args: argparse.Namespace) -> int:
    return demo.run(args.access, Load(args.operators, args.calls_per_minute, args.seed))


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number from 1, not {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate <= CALLS_PER_MINUTE_MAX:
        raise argparse.ArgumentTypeError(f"expected a number above 0, at most {CALLS_PER_MINUTE_MAX:g}, not {text!r}")
    return rate


def _migrate(args: argparse.Namespace) -> int:
    config = load(args.config)
    make_dir(config.state_dir, config.state_dir)
    before, after = asyncio.run(migrate(config.store_url))
    print(f"schema {after}" + (f", was {before}" if after != before else ", nothing to do"))
    return 0


def _prompts(args: argparse.Namespace) -> int:
    config = load(args.config)
    book = prompts.load(config.prompts.file)
    directory = config.state_dir / "prompts"
    if args.action == "build":
        running = read_running(config.state_dir)
        keep = ("/".join(reversed(field.rpartition(".")[::2])) for field in running.prompts) if running else ()
        report = synthesis.build(book, config.prompts.file.parent, directory, frozenset(keep))
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
    strays = prompts.stray_recordings(book, config.prompts.file.parent)
    for key in missing:
        print(f"not built: {key}", file=sys.stderr)
    for stray in strays:
        print(f"no prompt of this name: {stray}", file=sys.stderr)
    if not missing and not strays:
        print(f"{len(book.prompts)} prompts, all built")
    return FAILED if missing or strays else 0


def _certificates(args: argparse.Namespace) -> int:
    return certificates.perform(args.action, instance_of(load(args.config)), datetime.now(UTC))


def _replay(args: argparse.Namespace) -> int:
    report = replay(load(args.config).state_dir / "journal.sqlite")
    print(report.text)
    return 0 if report.same else FAILED


if __name__ == "__main__":
    sys.exit(main())
