"""`ccserver replay`: what was decided, decided once more."""

import argparse

from ccserver.config.load import load
from ccserver.replay import replay

FAILED = 1
STORY = """
Take every event since the daemon's last start from the journal, decide once more, and compare with what was decided
then. Says the first difference, if there is one. It may be run beside the daemon.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """1 when something would be decided otherwise."""
    report = replay(load(args.config).state_dir / "journal.sqlite")
    print(report.text)
    return 0 if report.same else FAILED
