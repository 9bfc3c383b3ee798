"""The command line: `ccserver VERB`. Each verb is a file in `ccserver.verbs`, loaded when asked for; errors become one line.

Exit codes: see EPILOG; a bug shows its traceback and ends with 1.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ccserver import __version__
from ccserver.logs import configure

VERBS = {
    "run": "serve calls until stopped",
    "check": "find what is wrong in the configuration, without starting anything",
    "graph": "draw a flow",
    "reload": "let the running daemon take up the configuration",
    "explain": "why a contact waited; why an operator got none",
    "migrate": "make the store's tables, or bring them up to date",
    "prompts": "what callers hear: build it, list it, check it",
    "purge": "which recordings have been kept long enough",
    "backup": "everything in one file, while calls go on",
    "restore": "put a backup into its place",
    "replay": "decide again what was decided, and compare",
    "doctor": "say what is not as it must be, and how to mend it",
    "certificates": "what phones are shown by TLS: make it, show it, check it",
    "demo": "simulated callers and operators around the running centre",
    "asterisk": "set up, start, stop and ask our Asterisk",
}

FAILED, MISUSED, UNAVAILABLE, LOCKED, MISCONFIGURED = 1, 2, 69, 75, 78
EXIT_CODES = {
    "ccserver.config.errors.ConfigErrors": MISCONFIGURED,
    "ccserver.config.errors.QuestionError": FAILED,
    "ccserver.audio.errors.AudioError": MISCONFIGURED,
    "ccserver.asterisk.errors.SecretsError": MISCONFIGURED,
    "ccserver.asterisk.errors.AsteriskError": UNAVAILABLE,
    "ccserver.ari.errors.AriAuthFailed": MISCONFIGURED,
    "ccserver.ari.errors.AriError": UNAVAILABLE,
    "ccserver.store.errors.JournalLocked": LOCKED,
    "ccserver.store.errors.StoreError": UNAVAILABLE,
    "ccserver.backup.errors.RestoreUnfinished": MISCONFIGURED,
    "ccserver.backup.errors.BackupError": UNAVAILABLE,
    "ccserver.connectors.voice.connector.NodeTooOld": UNAVAILABLE,
    "ccserver.api.errors.CannotListen": UNAVAILABLE,
    "ccserver.verbs.asking.DaemonAway": UNAVAILABLE,
    "ccserver.sim.errors.NotAsked": MISUSED,
    "ccserver.sim.errors.AlreadyPlayed": LOCKED,
    "ccserver.sim.errors.SimError": UNAVAILABLE,
}
"""By the name of the error's class, or of the nearest one that it descends from: naming one loads nothing. Whatever is not here
is a bug and shows its traceback."""
TELLS_ALL = {
    "ccserver.backup.errors.BackupError",
    "ccserver.config.errors.ConfigErrors",
    "ccserver.config.errors.QuestionError",
    "ccserver.store.errors.JournalLocked",
    "ccserver.sim.errors.SimError",
}
"""Whose message needs no second word."""
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, do, and return the exit code."""
    args = parser().parse_args(arguments)
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
        return next((known for inner in error.exceptions if (known := _known(inner)) is not None), None)
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    code = next((EXIT_CODES[name] for name in names if name in EXIT_CODES), None)
    if code is None:
        return None
    hint = f" ({HINT})" if TELLS_ALL.isdisjoint(names) else ""
    return f"{error}{hint}", code


class _Verb(argparse.ArgumentParser):
    """Loads its file when it is this verb that was asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self._loaded = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, which asks it of the chosen verb alone."""
        if not self._loaded:
            self._loaded = True
            verb = import_module(f"ccserver.verbs.{self.prog.split()[-1]}")
            self.description = verb.STORY.strip()
            verb.add_options(self)
            self.set_defaults(run=verb.run)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """Of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="ccserver",
        description="Contact-centre server on Asterisk 22: it answers the lines, queues the callers and finds them an operator.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"ccserver {__version__}")
    whole.add_argument("--config", type=Path, metavar="DIR", help="configuration directory, instead of CCSERVER_CONFIG")
    whole.add_argument("--debug", action="store_true", help="log everything")
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs", parser_class=_Verb)
    for name, summary in VERBS.items():
        verbs.add_parser(name, help=summary)
    return whole


if __name__ == "__main__":
    sys.exit(main())
