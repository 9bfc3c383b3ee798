"""The voice connector of one node: events in, commands out, and the order of things around a gap.

    Connected -> endpoints pushed -> NodeConnected -> the core commands ListNode -> NodeListed -> events flow again

Between `Connected` and the listing the events wait in the stream's buffer, so that nothing overtakes the listing.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from ccserver import ari
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.calling import APP
from ccserver.connectors.voice.calls import Calls
from ccserver.connectors.voice.endpoints import PhoneRules
from ccserver.connectors.voice.facts import Translator
from ccserver.connectors.voice.lanes import Lanes
from ccserver.connectors.voice.listing import Histories, Lister
from ccserver.connectors.voice.liveness import Liveness
from ccserver.connectors.voice.monitor import Monitor
from ccserver.connectors.voice.performer import Performer, VoiceCommand
from ccserver.connectors.voice.phones import Phones
from ccserver.connectors.voice.playing import Media
from ccserver.connectors.voice.probes import SipPort, probes
from ccserver.connectors.voice.transfers import Transfers
from ccserver.connectors.voice.trunks import Trunks, TrunkSettings, TrunkSigns
from ccserver.connectors.voice.voicemails import Voicemails
from ccserver.connectors.voice.watch import Watch
from ccserver.core.commands import CallSupervisor, Command, DialCustomer, FinishTransfer, ListNode, OfferContact
from ccserver.core.events import CommandFailed, NodeConnected, NodeLost
from ccserver.core.ids import AgentId, NodeName, TrunkName
from ccserver.ports import Inbox

DEVICES_APP = "ccserver-devices"
"""Endpoint and device subscriptions live under a name of their own, or every event of an agent's leg would come twice."""
DEVICE_EVENTS = ("DeviceStateChanged", "ContactStatusChange", "PeerStatusChange", "EndpointStateChange")

VERSION_MIN = (22, 10)
"""Variables reported with every event, and more: see docs/reference/asterisk.md."""

log = structlog.get_logger("ccserver.voice")


class NodeTooOld(Exception):
    """The Asterisk that answers lacks what we rely on."""

    def __init__(self, node: NodeName, version: str) -> None:
        wanted = ".".join(map(str, VERSION_MIN))
        super().__init__(f"node {node}: Asterisk {version} is too old, {wanted} or newer is needed: run script/setup")


class EndpointsRefused(Exception):
    """Asterisk is away or does not take the endpoints of new operators; nothing has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """Where the node is and what it is told."""

    node: NodeName
    ami_port: int
    ami_user: str
    ami_password: str = field(repr=False)
    phone_passwords: Mapping[AgentId, str] = field(repr=False)
    phone_rules: PhoneRules
    spool_dir: Path
    raw_dir: Path
    """Where MixMonitor writes: Asterisk must see it at the same path."""
    recordings_dir: Path
    media: Media
    histories: Histories
    trunks: Mapping[TrunkName, TrunkSettings]
    trunk_signs: TrunkSigns
    sip: SipPort


class AriLink:
    """The way to one Asterisk. It buffers events from the moment it connects, before there is anybody to consume them."""

    def __init__(
        self, url: str, user: str, password: str, answered: Callable[[float], None] = lambda seconds: None
    ) -> None:
        """`answered`: as `ari.AriClient`."""
        self.client = ari.AriClient(url, user, password, answered=answered)
        apps = [ari.StasisApp(APP), ari.StasisApp(DEVICES_APP, allowed=DEVICE_EVENTS, disallowed=())]
        self.stream = ari.EventStream(self.client, apps)

    async def run(self) -> None:
        """Until cancelled or replaced; raises `ari.AriAuthFailed`, all else is tried again."""
        async with self.client:
            await self.stream.run()


class VoiceConnector:
    """See the package; `run()` serves until cancelled or replaced by another daemon."""

    def __init__(self, settings: VoiceSettings, link: AriLink, inbox: Inbox) -> None:
        self._settings = settings
        self._inbox = inbox
        self._stream = link.stream
        self._client = client = link.client
        self._ami = Ami(settings.ami_port, settings.ami_user, settings.ami_password)
        self.monitor = Monitor(self._ami, settings.raw_dir)
        self._calls = Calls()
        self._lanes = Lanes()
        self._phones = Phones(
            settings.node,
            client,
            self._calls,
            self._lanes,
            inbox.put,
            settings.phone_passwords,
            settings.phone_rules,
        )
        others = frozenset(settings.phone_passwords)
        self.trunks = Trunks(
            client, self._ami, self._lanes, inbox.put, settings.node, settings.trunks, settings.trunk_signs, others
        )
        self.liveness = Liveness(probes(client, self._ami, settings.sip))
        self._performer = Performer(client, self._calls, self.monitor, settings.media, inbox.put)
        watch = Watch(client, self._lanes, inbox.put)
        self._transfers = transfers = Transfers(settings.node, client, self._calls, self._lanes, watch, inbox.put)
        self._lister = Lister(
            settings.node, client, self._calls, self._phones, self.trunks, watch, transfers, settings.histories
        )
        voicemails = Voicemails(settings.spool_dir, settings.recordings_dir)
        self._translator = Translator(
            settings.node, self._calls, inbox.put, watch, self._phones, self.trunks, voicemails, transfers
        )
        self._started_at = 0.0
        self._listed = asyncio.Event()
        self.replaced = asyncio.Event()
        """Another daemon took our place: finish and leave."""

    def perform(self, command: Command) -> None:
        """Take the command; the rest happens on its lane."""
        if isinstance(command, ListNode):
            self._lanes.put(command.lane, lambda: self._list(command))
        elif isinstance(command, FinishTransfer):
            self._transfers.finish(command)
        elif isinstance(command, VoiceCommand):
            if isinstance(command, CallSupervisor | OfferContact | DialCustomer):
                self._performer.expect(command)
            self._lanes.put(command.lane, lambda: self._performer.perform(command))

    async def hire(self, passwords: Mapping[AgentId, str], rules: PhoneRules) -> None:
        """Let the phones of these operators register, before the core knows of the new ones; raises `EndpointsRefused`."""
        new = passwords.keys() - set(self._phones.agents)
        try:
            await self._phones.hire(passwords, rules)
            await self._stream.subscribe(DEVICES_APP, self._phones.sources())
        except ari.AriError as error:
            for agent in new:
                self._phones.dismiss(agent)
            raise EndpointsRefused(str(error)) from None

    def look_at(self, agent: AgentId) -> None:
        """Tell the core of a phone that it did not know until now."""
        self._phones.registered(agent)

    def dismiss(self, agent: AgentId) -> None:
        """The operator left the plan and is free: his endpoint goes."""
        self._phones.dismiss(agent)

    async def run(self) -> None:
        """Consume events and perform commands until cancelled or replaced."""
        async with asyncio.TaskGroup() as tasks:
            lanes = tasks.create_task(self._lanes.run(), name="voice lanes")
            ami = tasks.create_task(self._ami.run(), name="ami")
            liveness = tasks.create_task(self.liveness.run(), name="liveness")
            await self._consume()
            liveness.cancel()
            ami.cancel()
            lanes.cancel()

    async def _consume(self) -> None:
        async for notice in self._stream:
            await self._inbox.room()
            match notice:
                case ari.Connected():
                    await self._connected(float(notice.startup_time))
                case ari.Overflowed():
                    log.error("events dropped", dropped=notice.dropped)
                    await self._list_first(self._started_at)
                case ari.Disconnected():
                    self._inbox.put(NodeLost(self._settings.node, at=time.time()))
                case ari.Replaced():
                    self.replaced.set()
                    return
                case _:
                    self._translator.take(notice)

    async def _connected(self, started_at: float) -> None:
        self._started_at = started_at
        try:
            await self._check_version()
            await self._phones.push()
            await self._stream.subscribe(DEVICES_APP, self._phones.sources())
            await self._stream.subscribe(DEVICES_APP, await self.trunks.sources())
        except ari.AriError as error:
            # Asterisk died again, or refuses a field: phones already known go on working.
            log.error("endpoints not pushed", reason=str(error))
        await self._list_first(started_at)

    async def _check_version(self) -> None:
        version = (await self._client.info()).system.version
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        if numbers < VERSION_MIN:
            raise NodeTooOld(self._settings.node, version)

    async def _list_first(self, started_at: float) -> None:
        """Tell the core of the gap, and let no event pass before the listing that closes it."""
        self._listed.clear()
        self._inbox.put(NodeConnected(self._settings.node, started_at, at=time.time()))
        await self._listed.wait()

    async def _list(self, command: ListNode) -> None:
        try:
            listing = await self._lister.list(command)
        except ari.AriError as error:
            log.warning("node not listed", reason=str(error))
            self._inbox.put(CommandFailed(command, str(error), at=time.time()))
            return
        self._inbox.put(listing)
        if command.gap:
            self._listed.set()
