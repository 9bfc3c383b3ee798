"""`ccserver purge --dry-run`: which recordings the daemon will remove next, and by which rule."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator

from ccserver.config.load import load
from ccserver.core.retention import Rule, rules
from ccserver.store.database import Database
from ccserver.store.retention import DueRecording, due_recordings

PIECE = 1000
STORY = """
The daemon removes recordings every hour, by `keep_days` of queues and lines and `talk_days` and `voicemail_days` of
[recordings]. This tells what would go now by the files as they are, and removes nothing.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--dry-run`, which must be there: nobody should expect it to do anything."""
    parser.add_argument("--dry-run", action="store_true", required=True, help="only tell; the daemon does it by itself")


def run(_args: argparse.Namespace) -> int:
    """One line a recording, and how many in all."""
    return asyncio.run(_tell())


async def _tell() -> int:
    config = load()
    database, now, count = Database(config.store_url), time.time(), 0
    try:
        for rule in rules(config.plan):
            async for recording in _all_due(database, rule, now):
                arrived = time.strftime("%Y-%m-%d", time.gmtime(recording.arrived_at))
                print(f"{recording.path}  {recording.kind} of {arrived}  by {rule.name} = {rule.days}")
                count += 1
    finally:
        await database.close()
    print(f"{count} recordings would go")
    return 0


async def _all_due(database: Database, rule: Rule, now: float) -> AsyncIterator[DueRecording]:
    after: DueRecording | None = None
    while due := await due_recordings(database, rule, now, PIECE, after):
        for recording in due:
            yield recording
        after = due[-1]
