"""`ccserver backup`: everything in one file, while calls go on."""

import argparse
from pathlib import Path

from ccserver.backup.made import backup
from ccserver.backup.manifest import PARTS
from ccserver.backup.places import places_of
from ccserver.config.load import load

SOME = f"some of: {', '.join(PARTS)}"
STORY = """
Everything that makes this contact centre this one, in one file, made while calls go on: configuration (dialplans,
prompts with human recordings), secrets, store, journal, and the list of recordings (their sound only with
--with-recordings). Whoever has the file has the passwords: it is for its owner alone.

  ccserver backup /var/backups/ccserver              a directory: the file gets a name of its own
  ccserver backup /var/backups/ccserver --keep 14    ... and all but the newest 14 go
  ccserver backup move.tar.gz --only store           some parts, into this file
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where to, which parts, how many are kept."""
    parser.add_argument("place", type=Path, metavar="PLACE", help="a directory, or the file to make")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=SOME)
    parser.add_argument("--with-recordings", action="store_true", help="the sound, too: as large as the recordings are")
    parser.add_argument(
        "--keep", type=_positive, metavar="N", help="leave so many of the directory's backups, the newest"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, got {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Make it."""
    config = load(args.config)
    parts = args.only or PARTS
    made = backup(
        places_of(config), config.plan.node, args.place, parts=parts, with_sound=args.with_recordings, keep=args.keep
    )
    print(made)
    return 0
