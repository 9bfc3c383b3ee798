"""`ccserver backup` and `ccserver restore`, as the command line has them."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import MsgspecError
from msgspec.structs import replace

from ccserver.backup.errors import BackupUnreadable
from ccserver.backup.manifest import MAIN_FILE, PARTS
from ccserver.backup.places import Places, places_of, places_told_by
from ccserver.config import places
from ccserver.config.crosscheck import store_flaw
from ccserver.config.errors import QuestionError
from ccserver.config.load import load, store_url

Verb = Callable[[str, str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]
"""Adds one: its name, a summary, its story, what it does."""

BACKUP = """
Everything that makes this contact centre this one, in one file, made while calls go on: configuration (dialplans,
prompts with human recordings), secrets, store, journal, and the list of recordings (their sound only with
--with-recordings). Whoever has the file has the passwords: it is for its owner alone.

  ccserver backup /var/backups/ccserver              a directory: the file gets a name of its own
  ccserver backup /var/backups/ccserver --keep 14    ... and all but the newest 14 go
  ccserver backup move.tar.gz --only store           some parts, into this file
"""
RESTORE = """
Put a backup into its place, all of it or nothing. It is read whole before anything is written. Without --replace
it refuses where something is already; with it, what was there is moved aside and kept. No daemon may run there.

  ccserver restore FILE --check                      what is in it, and whether it is whole
  ccserver restore FILE
  ccserver restore FILE --only store --store postgresql://ccserver:password@db/ccserver
                                                     the rows into another database (from SQLite to PostgreSQL, say)
"""


def add_verbs(verb: Verb) -> None:
    """`backup`, `restore`."""
    some = f"some of: {', '.join(PARTS)}"
    made = verb("backup", "everything in one file, while calls go on", BACKUP, _backup)
    made.add_argument("place", type=Path, metavar="PLACE", help="a directory, or the file to make")
    made.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=some)
    made.add_argument("--with-recordings", action="store_true", help="the sound, too: as large as the recordings are")
    made.add_argument(
        "--keep", type=_positive, metavar="N", help="leave so many of the directory's backups, the newest"
    )

    back = verb("restore", "put a backup into its place", RESTORE, _restore)
    back.add_argument("file", type=Path, metavar="FILE", help="made by `ccserver backup`")
    back.add_argument("--check", action="store_true", help="only say what is in it, and whether it is whole")
    back.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=some)
    back.add_argument("--store", metavar="URL", help="the rows go here, in place of where [store] url says")
    back.add_argument("--replace", action="store_true", help="put aside what is there already")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, got {text!r}")
    return int(text)


def _backup(args: argparse.Namespace) -> int:
    from ccserver.backup.made import backup  # here: tar, compression and SQL are no other verb's business

    config = load(args.config)
    parts = args.only or PARTS
    made = backup(
        places_of(config), config.plan.node, args.place, parts=parts, with_sound=args.with_recordings, keep=args.keep
    )
    print(made)
    return 0


def _restore(args: argparse.Namespace) -> int:
    from ccserver.backup.made import told  # here: no other verb needs them
    from ccserver.backup.restored import Restore, chosen, restore
    from ccserver.backup.verified import verified

    contents = verified(args.file)
    head = contents.head
    made_at = datetime.fromtimestamp(head.made_at, UTC).isoformat(timespec="seconds")
    print(f"{args.file}: made {made_at} by ccserver {head.ccserver} on node {head.node}; it is whole")
    if args.check:
        print(told(head.parts, contents.manifest))
        return 0
    parts = chosen(args.file, contents, args.only or ())
    try:
        there = _places(args.config, contents.main_file if "configuration" in parts else None)
    except MsgspecError as error:
        raise BackupUnreadable(args.file, f"{MAIN_FILE} in it: {error}") from error
    if args.store is not None and (flaw := store_flaw(args.store)):
        raise QuestionError(f"--store: {flaw}")
    url = store_url(args.store, there.state_dir) if args.store is not None else there.store_url
    asked = Restore(
        file=args.file,
        contents=contents,
        places=replace(there, store_url=url),
        parts=parts,
        elsewhere=url != there.store_url,
        replace=args.replace,
    )
    print(restore(asked))
    if asked.elsewhere and "store" in parts:
        print(f"now say so in {there.config_dir / places.MAIN_FILE}: [store] url, and start the daemon anew")
    else:
        print("now: ccserver doctor")
    return 0


def _places(path: Path | None, main_file: bytes | None) -> Places:
    """As the configuration in the backup tells them, or the one that is here, or where nobody has said anything."""
    here = places.main_file(path) if path is not None else places.config_file()
    if main_file is None and here.exists():
        return places_of(load(path))
    directory = here.parent if here.is_file() or here.name == places.MAIN_FILE else here
    return places_told_by(main_file or b"", directory.absolute(), places.state_dir())
