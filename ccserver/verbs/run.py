"""`ccserver run`: serve calls until stopped."""

import argparse
import asyncio
import sys

from ccserver.app import Daemon
from ccserver.backup.places import refuse_unfinished
from ccserver.config.load import load

STORY = """
Serve calls until stopped (Ctrl-C, SIGTERM). While Asterisk is away it waits for it. Stopping it drops no call: talks
go on, and whoever waits keeps his place until the next start.

  ccserver run
  ccserver run --takeover       a new version takes over from the one that runs
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--takeover`."""
    parser.add_argument(
        "--takeover", action="store_true", help="take the place of the daemon that runs; no event is lost"
    )


def run(args: argparse.Namespace) -> int:
    """Until it is stopped, or another daemon takes over."""
    config = load(args.config)
    for warning in config.warnings:
        print(warning, file=sys.stderr)
    refuse_unfinished(config.state_dir)
    asyncio.run(Daemon(config, takeover=args.takeover).run())
    return 0
