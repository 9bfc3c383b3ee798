"""`ccserver asterisk`: where the calls live. The verbs of its own are in `ccserver.asterisk.cli`."""

import argparse

from ccserver.asterisk import cli
from ccserver.asterisk.settings import instance_of
from ccserver.config.load import load

STORY = """
Asterisk is where the calls live; it runs beside the daemon and outlives it.

  ccserver asterisk start
  ccserver asterisk console core show channels
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Verbs of its own, which say themselves what they do."""
    cli.add_verbs(parser, setup)


def setup(args: argparse.Namespace) -> cli.Setup:
    """What the configuration says of it."""
    config = load(args.config)
    return cli.Setup(instance_of(config), list(config.plan.operators), config.trunks)


def run(args: argparse.Namespace) -> int:
    """As the verb of its own that was asked for."""
    return int(args.act(args))
