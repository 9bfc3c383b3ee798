"""`ccserver restore`: a backup into its place, all of it or nothing."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from msgspec import MsgspecError
from msgspec.structs import replace

from ccserver.backup.errors import BackupUnreadable
from ccserver.backup.made import told
from ccserver.backup.manifest import MAIN_FILE, PARTS
from ccserver.backup.places import Places, places_of, places_told_by
from ccserver.backup.restored import Restore, chosen, restore
from ccserver.backup.verified import verified
from ccserver.config import places
from ccserver.config.crosscheck import store_flaw
from ccserver.config.errors import QuestionError
from ccserver.config.load import load, store_url

SOME = f"some of: {', '.join(PARTS)}"
STORY = """
Put a backup into its place, all of it or nothing. It is read whole before anything is written. Without --replace
it refuses where something is already; with it, what was there is moved aside and kept. No daemon may run there.

  ccserver restore FILE --check                      what is in it, and whether it is whole
  ccserver restore FILE
  ccserver restore FILE --only store --store postgresql://ccserver:password@db/ccserver
                                                     the rows into another database (from SQLite to PostgreSQL, say)
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which file, which parts, where to."""
    parser.add_argument("file", type=Path, metavar="FILE", help="made by `ccserver backup`")
    parser.add_argument("--check", action="store_true", help="only say what is in it, and whether it is whole")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=SOME)
    parser.add_argument("--store", metavar="URL", help="the rows go here, in place of where [store] url says")
    parser.add_argument("--replace", action="store_true", help="put aside what is there already")


def run(args: argparse.Namespace) -> int:
    """Put it into its place, or say what is in it."""
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
