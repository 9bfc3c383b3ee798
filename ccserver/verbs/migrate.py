"""`ccserver migrate`: the store's tables."""

import argparse
import asyncio

from ccserver.asterisk.files import make_dir
from ccserver.config.load import load
from ccserver.store.schema import migrate

STORY = """
Make the tables of the store, or bring those of an older version up to date; a second time does nothing. The daemon
does not do this by itself.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """Make them, or bring them up to date."""
    config = load(args.config)
    make_dir(config.state_dir, config.state_dir)
    before, after = asyncio.run(migrate(config.store_url))
    print(f"schema {after}" + (f", was {before}" if after != before else ", nothing to do"))
    return 0
