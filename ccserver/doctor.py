"""`ccserver doctor`: looks at everything that must be right for calls to be served, and says how to mend what is not."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from ccserver.app import instance_of
from ccserver.ari import AriAuthFailed, AriClient, AriError
from ccserver.asterisk.errors import AsteriskError
from ccserver.asterisk.root import find_root
from ccserver.asterisk.secrets import Secrets, load_secrets
from ccserver.asterisk.settings import ARI_USER
from ccserver.audio import prompts
from ccserver.audio.errors import AudioError
from ccserver.audio.prompts import PromptResolver
from ccserver.config.errors import ConfigErrors
from ccserver.config.load import Config, load
from ccserver.store.errors import JournalLocked, StoreError
from ccserver.store.lock import JournalLock
from ccserver.store.sql import SqlStore

FREE_BYTES_MIN = 1 << 30


class Finding(Struct, frozen=True):
    """One thing looked at."""

    subject: str
    good: bool
    text: str
    mend: str = ""


def run(path: Path | None) -> int:
    """Print one line for each thing; 0 when all are right, else 1."""
    findings = list(_findings(path))
    for finding in findings:
        print(f"{'ok ' if finding.good else '!! '} {finding.subject:14} {finding.text}")
        if finding.mend and not finding.good:
            print(f"   {'':14} -> {finding.mend}")
    return 0 if all(finding.good for finding in findings) else 1


def _findings(path: Path | None) -> Iterator[Finding]:
    try:
        config = load(path)
    except ConfigErrors as errors:
        for problem in errors.problems:
            yield Finding("configuration", False, str(problem), "correct the line; `ccserver check` looks again")
        return
    yield Finding("configuration", True, str(config.file))
    yield _state_dir(config)
    try:
        root = find_root()
        yield Finding("asterisk", True, f"{root.version} in {root.path}")
    except AsteriskError as error:
        yield Finding("asterisk", False, str(error), "script/setup")
    try:
        secrets = load_secrets(config.state_dir)
    except AsteriskError as error:
        yield Finding("secrets", False, str(error), "ccserver asterisk render")
        return
    yield Finding("secrets", True, "generated")
    for look in (_ari, _store):
        yield asyncio.run(look(config, secrets))
    yield _ami(config)
    yield _daemon(config)
    yield _prompts(config)
    yield from _programs()


def _state_dir(config: Config) -> Finding:
    try:
        free = shutil.disk_usage(config.state_dir).free
    except OSError as error:
        return Finding("state", False, f"{config.state_dir}: {error.strerror}", "script/setup, or set CCSERVER_STATE")
    text = f"{config.state_dir}, {free >> 20} MiB free"
    return Finding("state", free >= FREE_BYTES_MIN, text, "make room: recordings and the journal need it")


async def _ari(config: Config, secrets: Secrets) -> Finding:
    url = instance_of(config).ari_url
    try:
        async with AriClient(url, ARI_USER, secrets.ari_password, deadline_s=3.0) as ari:
            info = await ari.info()
    except AriAuthFailed as error:
        return Finding("ari", False, str(error), "ccserver asterisk render, then restart Asterisk")
    except AriError as error:
        return Finding("ari", False, str(error), "ccserver asterisk start")
    return Finding("ari", True, f"{url} answers, Asterisk {info.system.version}")


async def _store(config: Config, _secrets: Secrets) -> Finding:
    try:
        store = await SqlStore.opened(config.store_url)
    except StoreError as error:
        return Finding("store", False, str(error), "ccserver migrate, or start the database")
    await store.close()
    return Finding("store", True, "answers, its tables are up to date")


def _ami(config: Config) -> Finding:
    port = config.asterisk.ami_port
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0):
            return Finding("ami", True, f"127.0.0.1:{port} answers")
    except OSError as error:
        return Finding("ami", False, f"127.0.0.1:{port}: {error}", "ccserver asterisk start")


def _daemon(config: Config) -> Finding:
    lock = JournalLock(config.state_dir / "journal.sqlite")
    try:
        with lock:
            return Finding("daemon", False, "does not run", "script/server, or systemctl start ccserver")
    except JournalLocked as error:
        return Finding("daemon", True, f"runs, process {error.pid}")
    except OSError as error:
        return Finding("daemon", False, f"{lock.path}: {error.strerror}", "script/setup")


def _prompts(config: Config) -> Finding:
    try:
        book = prompts.load(config.prompts.file)
    except AudioError as error:
        return Finding("prompts", False, str(error), "correct the line")
    unbuilt = PromptResolver(book, config.state_dir / "prompts").unbuilt()
    text = f"{len(unbuilt)} not built, the first is {unbuilt[0]}" if unbuilt else f"{len(book.prompts)}, all built"
    return Finding("prompts", not unbuilt, text, "ccserver prompts build")


def _programs() -> Iterator[Finding]:
    for program, needed_for in (("ffmpeg", "recordings"), ("ffprobe", "recordings"), ("espeak-ng", "prompts")):
        found = shutil.which(program)
        yield Finding(program, found is not None, found or f"missing, needed for {needed_for}", "script/setup")
