"""An installation to back up and places to restore it to: real files, a real journal, a store of either kind."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from ccserver.backup.made import backup
from ccserver.backup.manifest import PARTS
from ccserver.backup.places import Places, places_told_by
from ccserver.backup.restored import Restore, chosen, restore
from ccserver.backup.verified import verified
from ccserver.store.journal import SqliteJournal
from tests.config_site import Site
from tests.store_projecting import commit, projecting
from tests.store_turns import NODE, Script

MAIN = "dialplans/ccserver.toml"


def files(root: Path) -> dict[str, bytes]:
    """Everything below, but locks and SQLite's own side files, which come and go."""
    passing = (".lock", "-wal", "-shm")
    found = (path for path in root.rglob("*") if path.is_file() and not path.name.endswith(passing))
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def places(root: Path, url: str) -> Places:
    """Of an installation below `root` that has nothing yet, laid out as the demo is."""
    return replace(places_told_by(b"", root / "dialplans", root / "var"), store_url=url)


def installed(root: Path, url: str, *, calls: int = 3, unprojected: int = 2) -> Places:
    """With everything a backup takes; the store lacks the journal's last calls."""
    root.mkdir(exist_ok=True)
    Site(root)
    mine = places(root, url)
    for name, content in {
        "ivr-prompts/ru/nordlis-greeting.wav": b"RIFF human",
        "var/secrets.toml": b'api_token = "t"\n',
        "var/certificates/ca.key": b"key",
        "var/callbacks/1.json": b"{}",
        "var/recordings/2026/05/28/a1-1.opus": b"opus one",
        "var/recordings/2026/05/28/a1-2.opus": b"opus two",
        "var/recordings/raw/a1-9-in.wav": b"still talking",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    script = Script()
    with SqliteJournal(mine.journal) as journal:
        commit(journal, [script.adopted(), *(turn for n in range(1, calls + 1) for turn in script.call(n=n))])
        asyncio.run(_projected(mine, script.seq))
        commit(journal, [turn for n in range(calls + 1, calls + unprojected + 1) for turn in script.call(n=n)])
    return mine


async def _projected(mine: Places, seq: int) -> None:
    async with projecting(mine.journal, mine.store_url) as projector:
        await projector.caught_up(seq)


def made(mine: Places, target: Path, parts: tuple[str, ...] = PARTS, *, with_sound: bool = False) -> Path:
    """A backup, as a file."""
    backup(mine, NODE, target, parts=parts, with_sound=with_sound)
    return target


def put_back(file: Path, there: Places, parts: tuple[str, ...] = (), *, replaced: bool = False) -> str:
    """Restored, as the command line does it."""
    contents = verified(file)
    chosen_parts = chosen(file, contents, parts)
    return restore(Restore(file=file, contents=contents, places=there, parts=chosen_parts, replace=replaced))
