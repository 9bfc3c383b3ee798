"""`ccserver doctor`: looks at everything that must be right for calls to be served, and says how to mend what is not.

Looks only: it makes no file, because it is often root who asks and another user who serves.
"""

import argparse
import asyncio
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from msgspec import Struct

from ccserver.app import TRUNK_SIGNS, trunk_settings
from ccserver.ari import AriAuthFailed, AriClient, AriError
from ccserver.asterisk import certificates, process
from ccserver.asterisk.errors import AsteriskError, NotPermitted
from ccserver.asterisk.root import WANTED, find_root
from ccserver.asterisk.secrets import Secrets, load_secrets, secrets_path
from ccserver.asterisk.settings import AMI_USER, ARI_USER, CALLER_USER, Instance, instance_of
from ccserver.asterisk.trunks import RELOAD
from ccserver.audio.errors import AudioError
from ccserver.audio.prompts import PromptBook, PromptResolver
from ccserver.audio.wording import book_of
from ccserver.config.errors import ConfigErrors
from ccserver.config.load import Config, load
from ccserver.connectors.voice import sip_options
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.lanes import Lanes
from ccserver.connectors.voice.trunks import Trunks
from ccserver.core.ids import TrunkName
from ccserver.store.database import Database
from ccserver.store.errors import JournalLocked, JournalUnreadable, StoreError
from ccserver.store.journal_file import JournalReader
from ccserver.store.lock import JournalLock
from ccserver.store.sql import SqlStore

FREE_BYTES_MIN = 1 << 30
TIMEOUT_S = 2.0
RENDER = "ccserver asterisk render"
START = "ccserver asterisk start"
NEWER = "install the newer ccserver again"
STORY = """
Look at everything that must be right before calls are served: configuration, state directory, Asterisk, passwords,
store, journal, prompts, programs. Whatever is not right comes with the command that mends it. Changes nothing.
"""


class Finding(Struct, frozen=True):
    """One thing looked at."""

    subject: str
    good: bool
    text: str
    mend: str = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """Print one line for each thing; 0 when all are right, else 1."""
    good = True
    for finding in findings(args.config):
        print(f"{'ok ' if finding.good else '!! '} {finding.subject:14} {finding.text}")
        if finding.mend and not finding.good:
            print(f"   {'':14} -> {finding.mend}")
        good = good and finding.good
    return 0 if good else 1


def findings(path: Path | None) -> Iterator[Finding]:
    """In an order in which one can mend them; what rests on something that is wrong is not looked at."""
    try:
        config = load(path)
    except ConfigErrors as errors:
        for problem in errors.problems:
            yield Finding("configuration", False, str(problem), "correct the line; `ccserver check` looks again")
        return
    yield Finding("configuration", True, str(config.file))
    yield _state_dir(config)
    yield _root()
    if config.state_dir.is_dir():
        yield from _asterisk(config)
        yield from _network(config)
        yield asyncio.run(_store(config))
        yield _journal(config)
        yield _daemon(config)
    yield from _prompts(config)


def _state_dir(config: Config) -> Finding:
    directory = config.state_dir
    try:
        free, owner = shutil.disk_usage(f"{directory}/").free, directory.stat().st_uid
    except OSError as error:
        absent = isinstance(error, FileNotFoundError)
        return Finding("state", False, f"{directory}: {error.strerror}", RENDER if absent else "set CCSERVER_STATE")
    if not os.access(directory, os.W_OK | os.X_OK):
        text = f"{directory} cannot be written: it is user {owner}'s, you are user {os.geteuid()}"
        return Finding("state", False, text, "run ccserver as its owner, on a file system that can be written")
    text = f"{directory}, {free >> 20} MiB free"
    return Finding("state", free >= FREE_BYTES_MIN, text, "make room: recordings and the journal need it")


def _root() -> Finding:
    try:
        root = find_root()
    except NotPermitted as error:
        return Finding("asterisk", False, str(error), "sudo ccserver doctor")
    except AsteriskError as error:
        return Finding("asterisk", False, str(error), "script/setup")
    return Finding("asterisk", True, f"{root.version} in {root.path}")


def _asterisk(config: Config) -> Iterator[Finding]:
    path = secrets_path(config.state_dir)
    try:
        secrets = load_secrets(config.state_dir)
    except AsteriskError as error:
        # Missing ones are made; a file that makes no sense is put aside, and with it what phones were told.
        mend = RENDER if RENDER in str(error) else f"mv {path} {path}.broken && {RENDER}"
        yield Finding("secrets", False, str(error), mend)
        return
    yield Finding("secrets", True, str(path))
    instance = instance_of(config)
    ari = asyncio.run(_ari(instance.ari_url, secrets))
    if ari.mend == START and process.running_pid(instance) is None:
        try:
            process.check_ports(instance)
        except AsteriskError as error:
            yield Finding("ports", False, str(error), f"stop it, or edit {config.file}; then {START}")
            return
    yield ari
    yield _ami(instance.ami_port, secrets)
    yield asyncio.run(_sip_port(instance))
    if ari.good and config.trunks:
        yield from asyncio.run(_trunks(config, instance, secrets))


async def _trunks(config: Config, instance: Instance, secrets: Secrets) -> list[Finding]:
    """Each as Asterisk sees it, and why it is of no use."""
    settings = {TrunkName(trunk.name): trunk_settings(trunk, instance) for trunk in config.trunks}
    phones = frozenset(config.plan.operators)
    async with AriClient(instance.ari_url, ARI_USER, secrets.ari_password) as ari, asyncio.TaskGroup() as tasks:
        ami = Ami(instance.ami_port, AMI_USER, secrets.ami_password)
        looked = Trunks(ari, ami, Lanes(), lambda fact: None, config.plan.node, settings, TRUNK_SIGNS, phones)
        connection = tasks.create_task(ami.run(), name="ami")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(TIMEOUT_S):
                    await ami.logged_in.wait()
            await looked.look()
            await looked.explain()
        except AriError as error:
            return [Finding("trunks", False, str(error), START)]
        finally:
            connection.cancel()
    mend = f"look at [[trunks]] in {config.file}; docs/how-to/add-a-trunk.md says what each reason means"
    findings = [
        Finding(f"trunk {trunk.trunk}", trunk.usable, trunk.reason or settings[trunk.trunk].title, mend)
        for trunk in looked.known()
    ]
    return [*findings, Finding("trunks", False, looked.difference, RELOAD)] if looked.difference else findings


def _network(config: Config) -> Iterator[Finding]:
    """What phones elsewhere meet: the address they are told, the certificate they are shown."""
    instance, now = instance_of(config), datetime.now(UTC)
    external, address = config.sip.external_address, ip_address(config.asterisk.sip_address)
    if external:
        try:
            found = socket.getaddrinfo(external, None, type=socket.SOCK_DGRAM)[0][4][0]
        except OSError as error:
            text = f"sip.external_address {external}: {error.strerror}: phones elsewhere hear nothing"
            yield Finding("sip", False, text, "mend the name in DNS; Asterisk asks again every minute")
        else:
            yield Finding("sip", True, f"phones elsewhere are told {external} ({found})")
    elif address.is_loopback:
        yield Finding("sip", True, f"{address}: phones on this machine only")
    elif address.is_global:
        yield Finding("sip", True, f"{address} is reached from everywhere")
    else:
        yield Finding("sip", True, f"{address}: for operators beyond a NAT of ours set sip.external_address")
    if not config.sip.tls_port:
        return
    text = certificates.problem(instance, now)
    given = bool(config.sip.certificate)
    mend = certificates.TELL_ASTERISK if given else f"{certificates.MAKE} && {certificates.TELL_ASTERISK}"
    yield Finding("certificate", not text, text or "well; `ccserver certificates show` tells more", mend)
    if process.running_pid(instance) is not None:
        yield _tls_port("127.0.0.1" if address.is_unspecified else str(address), config.sip.tls_port)


def _tls_port(address: str, port: int) -> Finding:
    try:
        socket.create_connection((address, port), timeout=TIMEOUT_S).close()
    except OSError as error:
        text = f"{address}:{port}: {error.strerror or error}"
        return Finding(
            "tls", False, text, f"mend the certificate, if it is complained of; then {certificates.TELL_ASTERISK}"
        )
    return Finding("tls", True, f"{address}:{port} answers")


async def _ari(url: str, secrets: Secrets) -> Finding:
    try:
        async with AriClient(url, ARI_USER, secrets.ari_password, deadline_s=TIMEOUT_S) as ari:
            version = (await ari.info()).system.version
    except AriAuthFailed as error:
        return Finding("ari", False, str(error), RELOAD)
    except AriError as error:
        return Finding("ari", False, str(error), START)
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < WANTED:
        wanted = ".".join(map(str, WANTED))
        return Finding("ari", False, f"{url}: Asterisk {version} is too old, {wanted} is needed", "script/setup")
    return Finding("ari", True, f"{url} answers, Asterisk {version}")


def _ami(port: int, secrets: Secrets) -> Finding:
    login = f"Action: Login\r\nUsername: {AMI_USER}\r\nSecret: {secrets.ami_password}\r\nEvents: off\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as ami:
            ami.sendall(login.encode())
            answer = b""
            while b"Response:" not in answer and (more := ami.recv(4096)):
                answer += more
    except OSError as error:
        return Finding("ami", False, f"127.0.0.1:{port}: {error.strerror or error}", START)
    if b"Response: Success" not in answer:
        return Finding("ami", False, f"127.0.0.1:{port}: password refused", RELOAD)
    return Finding("ami", True, f"127.0.0.1:{port} answers")


async def _sip_port(instance: Instance) -> Finding:
    place = f"{instance.sip_host}:{instance.sip_port}"
    try:
        await sip_options.ask(instance.sip_host, instance.sip_port, CALLER_USER, TIMEOUT_S)
    except sip_options.NoAnswer as error:
        return Finding("sip port", False, f"{place}: {error}: phones can neither call nor register", START)
    return Finding("sip port", True, f"{place} answers")


async def _store(config: Config) -> Finding:
    store = SqlStore(Database(config.store_url))
    try:
        await store.try_out()
    except StoreError as error:
        mend = error.mend or _mend_store(store.database.file, error)
        return Finding("store", False, str(error).removesuffix(f"; {mend}"), mend)
    finally:
        await store.close()
    return Finding("store", True, "takes what is written, its tables are up to date")


def _mend_store(file: Path | None, error: StoreError) -> str:
    if file is None:
        return "look into the log of PostgreSQL"
    if "not a database" in str(error) or "malformed" in str(error):
        return f"mv {file} {file}.broken && ccserver migrate    # and look for a backup"
    return f"see that {file} can be written"


def _journal(config: Config) -> Finding:
    path = config.state_dir / "journal.sqlite"
    if not path.exists():
        return Finding("journal", True, f"{path} will be made by the first start")
    try:
        with JournalReader(path) as journal:
            restored = journal.restore()
    except JournalUnreadable as error:
        files = [end for end in ("", "-wal", "-shm") if Path(f"{path}{end}").exists()]
        aside = " && ".join(f"mv {path}{end} {path}.broken{end}" for end in files)
        return Finding("journal", False, str(error), f"{aside}    # callers begin anew, operators log in again")
    except StoreError as error:
        return Finding("journal", False, str(error), NEWER)
    return Finding("journal", True, f"{restored.seq} turns, {len(restored.contacts)} live contacts")


def _daemon(config: Config) -> Finding:
    lock = JournalLock(config.state_dir / "journal.sqlite")
    start = "script/server, or systemctl start ccserver"
    try:
        if lock.path.exists():
            with lock:
                pass
    except JournalLocked as error:
        return Finding("daemon", True, f"runs, process {error.pid}")
    except StoreError as error:
        return Finding("daemon", False, str(error), "run ccserver as the owner of the state directory")
    address, port = config.api.address, config.api.port
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            text = f"cannot listen on {address}:{port}: {error.strerror}"
            return Finding(
                "daemon", False, text, f"stop the other program, or edit [api] in {config.file}; then {start}"
            )
    return Finding("daemon", False, "does not run", start)


def _prompts(config: Config) -> Iterator[Finding]:
    try:
        book = book_of(config)
    except AudioError as error:
        yield Finding("prompts", False, str(error), "correct the line; `ccserver check` looks again")
        return
    unbuilt = PromptResolver(book, config.state_dir / "prompts").unbuilt()
    text = f"{len(unbuilt)} not built, the first is {unbuilt[0]}" if unbuilt else f"{len(book.prompts)}, all built"
    yield from _programs(book)
    yield Finding("prompts", not unbuilt, text, "ccserver prompts build")


def _programs(book: PromptBook) -> Iterator[Finding]:
    needed = {"ffmpeg": "recordings"}
    needed |= {voice.command[0]: f"prompts in {language}" for language, voice in book.voices.items()}
    for program, purpose in needed.items():
        found = shutil.which(program)
        yield Finding(program, found is not None, found or f"missing, needed for {purpose}", "script/setup")
