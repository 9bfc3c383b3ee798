"""The trunks of a node: whether calls can go by each, and why not.

Whether the other side answers is told by ARI (Asterisk asks it by OPTIONS), whether we are registered by AMI; both are asked
for at every listing, and in between as soon as Asterisk says that something about a trunk has changed. Why a trunk is of no
use only its log and the network know: that is asked of `TrunkSettings.cause`, and told as soon as it is known.
"""

import time
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from ccserver import ari
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.lanes import Lanes
from ccserver.core.events import Fact, ListedTrunk, TrunkChanged
from ccserver.core.ids import NodeName, TrunkName

UNKNOWN = "Asterisk does not know this trunk"
UNREGISTERED = "is not registered: no answer yet"
REFUSED = "is not registered: refused"
UNANSWERED = "does not answer"

log = structlog.get_logger("ccserver.voice")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkSettings:
    """What must be known of a trunk to watch it."""

    title: str
    registers: bool
    version: str
    """Of its configuration, as Asterisk tells it when it has read it."""
    cause: Callable[[bool], Awaitable[str]]
    """Why it is of no use, in words, or nothing; told whether its registration was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkSigns:
    """How Asterisk's configuration marks trunks, see `ccserver.asterisk.trunks`."""

    context: str
    """Of every trunk's endpoint, and of no other."""
    version_field: str
    """Of the endpoint, with `TrunkSettings.version`."""
    full_variable: str
    """Global variable of the dialplan, before the trunk's name: how many calls were refused because it was full."""
    mend: str
    """The command by which Asterisk takes the trunks as they are configured."""


class Trunks:
    """See the module."""

    def __init__(
        self,
        client: ari.AriClient,
        ami: Ami,
        lanes: Lanes,
        report: Callable[[Fact], None],
        node: NodeName,
        trunks: Mapping[TrunkName, TrunkSettings],
        signs: TrunkSigns,
        phones: Container[str],
    ) -> None:
        self._ari = client
        self._ami = ami
        self._lanes = lanes
        self._report = report
        self._node = node
        self._trunks = trunks
        self._signs = signs
        self._phones = phones
        """Endpoints that are no trunks for sure."""
        self._known: dict[TrunkName, ListedTrunk] = {}
        self._causes: dict[TrunkName, tuple[str, str]] = {}
        """What is wrong, as seen from here, and why, as far as somebody could tell."""
        self._asked = self._asked_why = False
        self.difference = ""
        """How the trunks that Asterisk has read differ from those configured, for people; empty when they do not."""
        if trunks:
            ami.listen("Registry", self.changed)
            ami.listen("FullyBooted", self.changed)  # comes with every login: only now can registrations be asked for

    def has(self, endpoint: str) -> bool:
        """Whether the endpoint is a trunk."""
        return endpoint in self._trunks

    def known(self) -> tuple[ListedTrunk, ...]:
        """All trunks of which something is known at this moment."""
        return tuple(self._known.values())

    def alarm(self, trunk: TrunkName) -> str:
        """What is wrong with it; empty while it is of use, or nothing is known yet."""
        known = self._known.get(trunk)
        return "" if known is None or known.usable else f"{self._trunks[trunk].title}: {known.reason}"

    async def sources(self) -> list[str]:
        """What to subscribe to: those that Asterisk knows."""
        return [
            f"endpoint:PJSIP/{each.resource}" for each in await self._ari.list_endpoints() if self.has(each.resource)
        ]

    def changed(self) -> None:
        """Something about some trunk changed: ask what is so now."""
        if not self._asked:
            self._asked = True
            self._lanes.put("trunks", self._ask)

    async def look(self) -> None:
        """Learn of all trunks at once; raises AriError."""
        endpoints = {endpoint.resource: endpoint for endpoint in await self._ari.list_endpoints()}
        registrations = await self._registrations()
        versions = await self._versions(endpoints)
        self.difference = self._compared(versions)
        for name, trunk in self._trunks.items():
            # One that was taken away stays among the endpoints, with nothing behind it.
            endpoint = endpoints.get(name) if name in versions else None
            wrong = _wrong(trunk, endpoint, registrations, name)
            if wrong is None:
                continue
            what, why = self._causes.get(name, ("", ""))
            full = await self._ari.get_global_variable(f"{self._signs.full_variable}{name}")
            refused = int(full) if full.isdecimal() else 0
            self._learn(ListedTrunk(name, not wrong, why if why and what == wrong else wrong, refused))
            self._causes[name] = (wrong, why if what == wrong else "")
        if any(not trunk.usable for trunk in self._known.values()) and not self._asked_why:
            self._asked_why = True
            self._lanes.put("trunks: why", self._explain)

    def _learn(self, trunk: ListedTrunk) -> None:
        before = self._known.get(trunk.trunk)
        self._known[trunk.trunk] = trunk
        if not trunk.usable and (before is None or before.reason != trunk.reason):
            log.warning("trunk is of no use", trunk=trunk.trunk, reason=trunk.reason)
        elif trunk.usable and before is not None and not before.usable:
            log.info("trunk is of use again", trunk=trunk.trunk)

    async def _ask(self) -> None:
        self._asked = False
        before = dict(self._known)
        try:
            await self.look()
        except ari.AriError as error:
            log.warning("trunks not asked", reason=str(error))
            return
        self._tell_news(before)

    async def _explain(self) -> None:
        self._asked_why = False
        before = dict(self._known)
        await self.explain()
        self._tell_news(before)

    async def explain(self) -> None:
        """Find out why those are of no use that are not; apart from looking, for the network takes its time to say no."""
        for name, trunk in tuple(self._known.items()):
            what, _ = self._causes[name]
            if trunk.usable or what == UNKNOWN:
                continue
            why = await self._trunks[name].cause(what == REFUSED)
            if why and self._causes[name][0] == what:
                self._causes[name] = (what, why)
                self._learn(replace(self._known[name], reason=why))

    def _tell_news(self, before: Mapping[TrunkName, ListedTrunk]) -> None:
        for name, trunk in self._known.items():
            if before.get(name) != trunk:
                news = TrunkChanged(self._node, name, trunk.usable, trunk.reason, trunk.refused, at=time.time())
                self._report(news)

    async def _registrations(self) -> Mapping[str, str] | None:
        """Status by trunk; None: AMI does not tell."""
        if not any(trunk.registers for trunk in self._trunks.values()):
            return {}
        answer = await self._ami.send({"Action": "PJSIPShowRegistrationsOutbound"})
        if answer is None:
            return None
        # With the details of each come those of its account, password and all: nothing else is read here.
        events = answer if isinstance(answer, list) else []
        return {each["ObjectName"]: each["Status"] for each in events if each.event == "OutboundRegistrationDetail"}

    async def _versions(self, endpoints: Iterable[str]) -> Mapping[str, str]:
        """Which configuration Asterisk has read of each trunk that it knows."""
        there: dict[str, str] = {}
        for name in endpoints:
            if name not in self._phones and (fields := await self._fields(name)).get("context") == self._signs.context:
                there[name] = fields.get(self._signs.version_field, "")
        return there

    def _compared(self, there: Mapping[str, str]) -> str:
        missing = [name for name in self._trunks if name not in there]
        changed = [name for name, trunk in self._trunks.items() if there.get(name, trunk.version) != trunk.version]
        gone = [name for name in there if not self.has(name)]
        told = [
            f"{what} {', '.join(names)}"
            for what, names in (("does not know", missing), ("has an older", changed), ("still has", gone))
            if names
        ]
        return f"trunks: Asterisk {'; '.join(told)}; run `{self._signs.mend}`" if told else ""

    async def _fields(self, endpoint: str) -> dict[str, str]:
        try:
            fields = await self._ari.get_dynamic_config("endpoint", endpoint)
        except ari.AriRejected:  # it has gone meanwhile
            return {}
        return {field.attribute: field.value for field in fields}


def _wrong(
    trunk: TrunkSettings, endpoint: ari.Endpoint | None, registrations: Mapping[str, str] | None, name: TrunkName
) -> str | None:
    """What keeps calls from it, as Asterisk sees it; empty: nothing; None: that cannot be told now."""
    if endpoint is None:
        return UNKNOWN
    if trunk.registers:
        if registrations is None:
            return None
        status = registrations.get(name, "Unregistered")
        if status != "Registered":
            return UNREGISTERED if status == "Unregistered" else REFUSED
    return UNANSWERED if endpoint.state == "offline" else ""
