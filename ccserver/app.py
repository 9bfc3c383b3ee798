"""The composition root: from a checked `Config` to a running daemon and back. Knows everyone, is known by no one.

Starting: lock -> restore -> connect -> list -> serve; whatever can refuse a start is asked before anything is written. Taking
over, the order is another, so that no event is lost: connect and let Asterisk's events wait -> the old daemon sees that it was
replaced, writes what it has and lets the lock go -> restore. Stopping is leaving the `with` blocks: each part ends in the
reverse order of its beginning, and calls go on without us.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import get_args

import structlog

from ccserver.alarms import Alarming, Alarms, Unbuilt, callbacks_waiting, events_unread
from ccserver.api.callbacks import FormRules
from ccserver.api.server import build, listening
from ccserver.api.sources import RecordingUnavailable
from ccserver.asterisk import certificates, trunks
from ccserver.asterisk.access import write_access
from ccserver.asterisk.files import make_dir
from ccserver.asterisk.history import leg_histories
from ccserver.asterisk.secrets import Secrets, ensure_secrets, load_secrets
from ccserver.asterisk.settings import AMI_USER, ARI_USER, CALLER_USER, Instance, instance_of
from ccserver.asterisk.trunk_causes import TrunkCause
from ccserver.audio.archive import Archive
from ccserver.audio.errors import AudioError
from ccserver.audio.prompts import PromptBook, PromptResolver
from ccserver.audio.purge import Purge
from ccserver.audio.speech import Speech
from ccserver.audio.wording import book_of
from ccserver.callback_spool import CallbackSpool
from ccserver.config.load import Config
from ccserver.config.lookupsecret import secret_of
from ccserver.config.schema import Api, Trunk
from ccserver.connectors.functions import Functions
from ccserver.connectors.lookups import Lookups
from ccserver.connectors.voice import (
    AriLink,
    PhoneRules,
    SipPort,
    TrunkSettings,
    TrunkSigns,
    VoiceConnector,
    VoiceSettings,
)
from ccserver.contact_log import ContactLog
from ccserver.core import recording
from ccserver.core.commands import AskLookup, Command, KeepRecording, RunFunction
from ccserver.core.events import ConfigReplaced
from ccserver.core.ids import AgentId, TrunkName
from ccserver.core.router import Router
from ccserver.core.status import announcing, closures, flow_alarm, toll_alarm
from ccserver.engine import Engine, Limits
from ccserver.metrics import Metrics
from ccserver.notify import Herald
from ccserver.ports import Connector
from ccserver.reload import Reloader
from ccserver.replay import router_state
from ccserver.store.database import Database
from ccserver.store.errors import DiskFull
from ccserver.store.feed import LiveFeed
from ccserver.store.forgetting import Forgetting
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from ccserver.store.live import Restored
from ccserver.store.lock import JournalLock
from ccserver.store.projector import Projector
from ccserver.store.sql import SqlStore
from ccserver.store.upkeep import Upkeep

TAKEOVER_S = 30.0
"""How long the old daemon may take to write what it has."""

TRUNK_SIGNS = TrunkSigns(
    context=trunks.CONTEXT,
    version_field=trunks.VERSION_FIELD,
    full_variable=trunks.FULL_VARIABLE,
    mend=trunks.RELOAD,
)

log = structlog.get_logger("ccserver.app")


class SystemClock:
    """The machine's time, which never goes back for us even when somebody sets it back."""

    def __init__(self) -> None:
        self._last = 0.0

    def now(self) -> float:
        """UTC epoch seconds."""
        self._last = max(self._last, time.time())
        return self._last


class Daemon:
    """`await Daemon(config).run()` serves until SIGTERM, SIGINT, or until another daemon takes over."""

    def __init__(self, config: Config, *, takeover: bool = False) -> None:
        self._config = config
        self._takeover = takeover
        self._clock = SystemClock()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Raises the errors of the parts: `__main__` makes a line and an exit code of them."""
        config = self._config
        load_secrets(config.state_dir)  # Asterisk was told some: inventing others now would lock us out
        secrets = ensure_secrets(config.state_dir, config.plan.operators)
        make_dir(config.state_dir, config.recordings_dir)
        book = book_of(config)
        lock = JournalLock(config.state_dir / "journal.sqlite")
        metrics = Metrics()
        link = AriLink(instance_of(config).ari_url, ARI_USER, secrets.ari_password, metrics.ari_answered)
        with ExitStack() as stack:
            stack.callback(lock.release)
            if not self._takeover:
                lock.acquire()
            async with asyncio.TaskGroup() as tasks:
                linked = tasks.create_task(link.run(), name="ari events")
                if self._takeover:
                    await lock.acquire_within(TAKEOVER_S)
                await self._serve(link, secrets, book, metrics)
                linked.cancel()

    async def _serve(self, link: AriLink, secrets: Secrets, book: PromptBook, metrics: Metrics) -> None:
        """Build the parts, run them, and leave them in the reverse order."""
        config, clock = self._config, self._clock
        async with AsyncExitStack() as stack:
            store = SqlStore(Database(config.store_url))
            stack.push_async_callback(store.close)
            journal = stack.enter_context(SqliteJournal(config.state_dir / "journal.sqlite"))
            reader = stack.enter_context(JournalReader(journal.path))
            herald = Herald()
            herald.restoring()
            restored = journal.restore()
            router = Router()
            router.restore(router_state(restored), max(restored.now, clock.now()))
            log.info("restored", seq=restored.seq, contacts=len(restored.contacts), agents=len(restored.agents))
            projector = Projector(reader, store, config.plan.node, clock)
            upkeep = Upkeep(journal, lambda: projector.projected, clock)
            forgetting = Forgetting(store, clock, decisions_kept_days=config.limits.decisions_kept_days)
            feed = LiveFeed()
            contact_log = ContactLog(contact.id for contact in restored.contacts)
            limits = Limits(inbox_events=config.limits.inbox_events)
            prompts_dir = instance_of(config).prompts_dir
            unbuilt = Unbuilt(PromptResolver(book, prompts_dir).unbuilt(), prompts_dir)
            reloader = Reloader(config, book, prompts_dir, router.floor, clock, unbuilt.expect)
            engine = Engine(router, journal, feed, clock, limits, (projector, contact_log, metrics, herald, reloader))
            voice = VoiceConnector(self._voice_settings(secrets, reloader.speech), link, engine)
            archive = Archive(config.recordings_dir, instance_of(config).raw_recordings_dir, engine.put)
            lookups = Lookups(engine.put, partial(secret_of, directory=config.dialplans_dir))
            functions = Functions(
                engine.put, lambda plan, name: router.floor.plans[plan].functions[name], config.dialplans_dir
            )
            apart: dict[type[Command], Connector] = {
                KeepRecording: archive,
                AskLookup: lookups,
                RunFunction: functions,
            }
            engine.connect({kind: apart.get(kind, voice) for kind in get_args(Command)})
            if restored.plan is None or restored.plan.hash != config.plan.hash:
                engine.put(ConfigReplaced(plan=config.plan, at=clock.now()))
            for contact in restored.pending_recordings:
                assert contact.recording is not None
                archive.perform(recording.keep(contact, contact.recording))
            archive.sweep(recordings_of(restored))
            purge = Purge(
                config.recordings_dir,
                store,
                lambda: router.floor.plan,
                lambda: projector.caught_up(journal.next_seq - 1),
                engine,
            )
            alarms = self._alarms(
                {"journal": journal, "store": projector, "upkeep": upkeep, "configuration": reloader},
                voice,
                archive,
                purge,
                link,
                unbuilt,
                {
                    "tolls": lambda: toll_alarm(router.floor, clock.now()),
                    "flows": lambda: flow_alarm(router.floor, clock.now()),
                    "lookups": lookups.alarm,
                    "closed lines": lambda: closures(router.floor),
                    "announcement": lambda: announcing(router.floor),
                },
            )
            herald.watch(engine, alarms)
            metrics.watch(engine, journal, projector, link.client.counters, alarms, voice.liveness)
            region = config.plan.rules.region
            recordings = _Recordings(archive)
            api = build(
                engine,
                store,
                feed,
                recordings,
                secrets.api_token,
                alarms,
                metrics.render,
                reloader,
                region,
                form_rules(config.api),
            )
            spool = CallbackSpool(instance_of(config).callbacks_dir, engine, config.plan.node, clock)
            port = await stack.enter_async_context(listening(api, config.api.address, config.api.port))
            log.info("api listens", address=config.api.address, port=port)
            tell_access(config, secrets, port)
            reloader.connect(engine, voice, phone_rules, partial(tell_access, port=port))
            _snapshot(journal, clock.now())
            await self._run(
                engine,
                voice,
                herald,
                reloader,
                archive,
                projector,
                upkeep,
                purge,
                forgetting,
                spool,
                lookups,
                functions,
            )
        log.info("stopped")

    async def _run(
        self,
        engine: Engine,
        voice: VoiceConnector,
        herald: Herald,
        reloader: Reloader,
        *others: Archive | Projector | Upkeep | Purge | Forgetting | CallbackSpool | Lookups | Functions,
    ) -> None:
        """Everything that runs; when one part dies, all end, loudly (systemd starts us again)."""
        async with asyncio.TaskGroup() as tasks:
            turning = tasks.create_task(engine.run(), name="engine")
            serving = tasks.create_task(voice.run(), name="voice")
            serving.add_done_callback(lambda _: self._stopped.set())
            parts = (herald, reloader, *others)
            helping = [tasks.create_task(part.run(), name=type(part).__name__.lower()) for part in parts]
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopped.set)
            loop.add_signal_handler(signal.SIGHUP, reloader.ask)
            await self._stopped.wait()
            herald.stopping()
            log.info("stopping", replaced=voice.replaced.is_set())
            serving.cancel()
            engine.stop()
            await turning
            for task in helping:
                task.cancel()

    def _alarms(
        self,
        stored: Mapping[str, Alarming],
        voice: VoiceConnector,
        archive: Archive,
        purge: Purge,
        link: AriLink,
        unbuilt: Unbuilt,
        of_the_core: Mapping[str, Callable[[], str]],
    ) -> Alarms:
        config, instance = self._config, instance_of(self._config)
        if unbuilt():
            log.warning("prompts missing", reason=unbuilt())
        spoken: dict[str, Callable[[], str]] = {
            "asterisk": voice.liveness.alarm,
            "recording": lambda: voice.monitor.alarm,
            "archive": lambda: archive.alarm,
            "retention": lambda: purge.alarm,
            "disk": archive.space_alarm,
            "prompts": unbuilt,
            "callbacks": partial(callbacks_waiting, instance.callbacks_dir),
            **of_the_core,
            "events": partial(events_unread, link.client.counters),
            "certificate": certificates.watch(instance, self._clock.now),
            "trunk configuration": lambda: voice.trunks.difference,
        }
        spoken |= {f"trunk {trunk.name}": partial(voice.trunks.alarm, TrunkName(trunk.name)) for trunk in config.trunks}
        return Alarms(self._clock, stored, spoken)

    def _voice_settings(self, secrets: Secrets, speech: Speech) -> VoiceSettings:
        config = self._config
        instance = instance_of(config)
        return VoiceSettings(
            node=config.plan.node,
            ami_port=instance.ami_port,
            ami_user=AMI_USER,
            ami_password=secrets.ami_password,
            phone_passwords={agent: secrets.operators[agent] for agent in config.plan.operators},
            phone_rules=phone_rules(config),
            spool_dir=instance.spool_dir,
            raw_dir=instance.raw_recordings_dir,
            recordings_dir=config.recordings_dir,
            media=speech.said,
            histories=partial(leg_histories, instance.cel_path),
            trunks={TrunkName(trunk.name): trunk_settings(trunk, instance) for trunk in config.trunks},
            trunk_signs=TRUNK_SIGNS,
            sip=SipPort(instance.sip_host, instance.sip_port, CALLER_USER),
        )


class _Recordings:
    """The archive, as the API wants it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def write_wav(self, path: str, wav: Path) -> None:
        """As `api.sources.RecordingFiles`."""
        try:
            await self._archive.write_wav(path, wav)
        except AudioError as error:
            raise RecordingUnavailable(str(error)) from error


def form_rules(api: Api) -> FormRules:
    """Who may ask for callbacks, and how often."""
    return FormRules(
        origins=api.callback_origins,
        per_hour=api.callbacks_per_hour,
        per_number_per_hour=api.callbacks_per_number_per_hour,
        per_address_per_hour=api.callbacks_per_address_per_hour,
    )


def trunk_settings(trunk: Trunk, instance: Instance) -> TrunkSettings:
    """What the voice connector must know of the trunk."""
    return TrunkSettings(
        title=trunk.title,
        registers=trunk.register,
        version=trunks.version_of(trunk),
        cause=TrunkCause(trunk, instance.message_log_path, instance.etc_dir / trunks.CA_FILE),
    )


def phone_rules(config: Config) -> PhoneRules:
    """What the configuration says of the operators' phones."""
    address = config.asterisk.sip_address
    return PhoneRules(
        encryption={AgentId(extension): encryption for extension, encryption in config.encryption.items()},
        udp_only=not (config.sip.tls_port or config.sip.tcp),
        media_address="" if ip_address(address).is_unspecified else address,
        domain=config.sip.external_address,
        qualify_s=config.asterisk.qualify_s,
        registration_s=config.sip.registration_s,
        rtp_timeout_s=config.sip.rtp_timeout_s,
    )


def tell_access(config: Config, secrets: Secrets, port: int) -> None:
    """What a person or a program needs to connect, in the state directory."""
    address = config.api.address
    host = "127.0.0.1" if ip_address(address).is_unspecified else address
    write_access(
        instance_of(config),
        secrets,
        lines=list(config.plan.lines),
        operators=list(config.plan.operators),
        http_url=f"http://{host}:{port}",
        encryption=config.encryption,
    )


def recordings_of(restored: Restored) -> frozenset[str]:
    """Those whose raw files are still needed."""
    contacts = (*restored.contacts, *restored.pending_recordings)
    recordings = (each for contact in contacts for each in (contact.recording, *contact.recorded))
    return frozenset(each.name for each in recordings if each is not None)


def _snapshot(journal: SqliteJournal, now: float) -> None:
    """Where a replay can begin; on a full disk there is none, and calls are taken all the same."""
    try:
        journal.snapshot("start", now)
    except DiskFull as error:
        log.error("no snapshot", reason=str(error))
