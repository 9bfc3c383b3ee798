"""`ccserver asterisk …`: set up, start, stop and ask one Asterisk.

The command line gives `add_verbs` a function that reads the configuration; only `render`, `start` and `unit` call it. The
others go by what was rendered last, so that they work when the configuration is broken:

    ccserver asterisk render    write the configuration files, make missing secrets
    ccserver asterisk start     render, start detached, return when it answers
    ccserver asterisk exec      become Asterisk, for a service manager
    ccserver asterisk unit      what systemd must know to start it in its own root: a drop-in
    ccserver asterisk stop | status | rescue | console 'core show channels'

Without a configuration at hand, `python -m ccserver.asterisk.cli start` does the same on the default ports.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ccserver.asterisk import certificates, process
from ccserver.asterisk.errors import AsteriskError
from ccserver.asterisk.render import prepare
from ccserver.asterisk.rescue import report, rescue
from ccserver.asterisk.root import AsteriskRoot, find_root
from ccserver.asterisk.secrets import Secrets, load_secrets
from ccserver.asterisk.settings import (
    Instance,
    default_shown_dirs,
    load_instance,
)
from ccserver.asterisk.unit import drop_in
from ccserver.config.places import CHECKOUT, state_dir
from ccserver.config.schema import Trunk

EXIT_FAILED = 1
EXIT_NOT_RUNNING = 3
"""As systemctl's: `status` of a service that is down."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the configuration says about Asterisk."""

    instance: Instance
    operators: Sequence[str]
    """Extensions."""
    trunks: Sequence[Trunk] = ()


def default_setup(_: argparse.Namespace) -> Setup:
    """The checkout's dialplan on the default ports, with the demo's operators."""
    instance = Instance(state_dir=state_dir(), dialplans_dir=CHECKOUT / "dialplans", shown_dirs=default_shown_dirs())
    return Setup(instance, [str(extension) for extension in range(1001, 1011)])


def add_verbs(parser: argparse.ArgumentParser, setup: Callable[[argparse.Namespace], Setup]) -> None:
    """Give `parser` the verbs above; after parsing, `args.act(args)` does it and returns the exit code.

    `AsteriskError` comes out as it is: one line, for the caller to print.
    """
    kind = argparse.ArgumentParser
    verbs = parser.add_subparsers(metavar="VERB", required=True, title="verbs", parser_class=kind)

    def verb(name: str, what: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        added.set_defaults(act=run)
        return added

    verb(
        "render",
        "write Asterisk's configuration files, and make the passwords that are missing",
        lambda args: _render(setup(args)),
    )
    verb("start", "start Asterisk and return when it answers", lambda args: _start(setup(args)))
    verb("exec", "become Asterisk as it was rendered last, in the foreground", lambda _: exec_saved(state_dir()))
    verb(
        "unit", "print the drop-in with which systemd starts Asterisk in its own root", lambda args: _unit(setup(args))
    )
    verb("stop", "end Asterisk and every call in it", lambda _: _stop())
    verb("status", "say whether Asterisk runs and answers", lambda _: _status())
    verb("rescue", "send callers who are not talking to the fallback dialplan", lambda _: _rescue())
    console = verb(
        "console", "give Asterisk's console one command and print the answer", lambda args: _console(args.words)
    )
    console.add_argument("words", nargs="+", metavar="WORD", help="the command, for example: core show channels")


def exec_saved(state_dir: Path | str) -> int:
    """Become the Asterisk last rendered into this state directory."""
    process.exec_foreground(load_instance(Path(state_dir)), find_root())
    return EXIT_FAILED


def _prepare(setup: Setup, root: AsteriskRoot) -> Secrets:
    """As `render.prepare`, and say what keeps TLS off: plain SIP starts all the same."""
    secrets = prepare(setup.instance, root, setup.operators, trunks=setup.trunks)
    if text := certificates.problem(setup.instance, datetime.now(UTC)):
        print(f"ccserver: warning: {text}", file=sys.stderr)
    return secrets


def _render(setup: Setup) -> int:
    _prepare(setup, find_root())
    print(setup.instance.etc_dir)
    return 0


def _start(setup: Setup) -> int:
    root = find_root()
    secrets = _prepare(setup, root)
    pid = process.start(setup.instance, root, secrets)
    print(f"Asterisk {root.version} runs, pid {pid}, SIP on {setup.instance.sip_address}:{setup.instance.sip_port}")
    return 0


def _unit(setup: Setup) -> int:
    print(drop_in(setup.instance, find_root(), setup.instance.state_dir.owner()), end="")
    return 0


def _stop() -> int:
    process.stop(load_instance(state_dir()))
    return 0


def _status() -> int:
    state = state_dir()
    now = process.status(load_instance(state), load_secrets(state))
    if now.pid is None:
        print("Asterisk is not running")
        return EXIT_NOT_RUNNING
    print(f"Asterisk runs, pid {now.pid}, and {'answers' if now.answering else 'does not answer'}")
    return 0 if now.answering else EXIT_FAILED


def _rescue() -> int:
    state = state_dir()
    print(report(rescue(load_instance(state), load_secrets(state))))
    return 0


def _console(words: Sequence[str]) -> int:
    print(process.ask(load_instance(state_dir()), find_root(), " ".join(words)), end="")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The verbs alone, for use before there is a configuration."""
    parser = argparse.ArgumentParser(prog="ccserver asterisk")
    add_verbs(parser, default_setup)
    args = parser.parse_args(arguments)
    try:
        return int(args.act(args))
    except AsteriskError as error:
        print(f"ccserver: {error}", file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
