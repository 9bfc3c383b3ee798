"""The operators' phones: their endpoints in Asterisk, and what is known of each.

Endpoints are pushed over ARI into astdb, where they survive a restart of Asterisk: an operator is added without a file or
a reload. Whether a phone is registered and whether it is in a call of its own is asked of Asterisk whenever anything about
it changed, one question at a time per phone, and reported when the answer is new.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

import structlog

from ccserver import ari
from ccserver.connectors.voice.calls import Calls
from ccserver.connectors.voice.endpoints import KINDS, PhoneRules, objects, same, why_no_sound
from ccserver.connectors.voice.lanes import Lanes
from ccserver.core.events import Fact, ListedPhone, PhoneChanged
from ccserver.core.ids import AgentId, LegId, NodeName, is_chosen, is_supervision

log = structlog.get_logger("ccserver.voice")


Objects = Mapping[str, Mapping[str, str]]
"""What Asterisk is told of a phone, by kind."""


class Phones:
    """See the module."""

    def __init__(
        self,
        node: NodeName,
        client: ari.AriClient,
        calls: Calls,
        lanes: Lanes,
        report: Callable[[Fact], None],
        passwords: Mapping[AgentId, str],
        rules: PhoneRules,
    ) -> None:
        self._node = node
        self._ari = client
        self._calls = calls
        self._lanes = lanes
        self._report = report
        self._passwords = dict(passwords)
        self._endpoints = asyncio.Lock()
        """One change of Asterisk's endpoints at a time."""
        self._rules = rules
        self._known: dict[AgentId, ListedPhone] = {}
        self._asked: set[AgentId] = set()
        self._changed: set[AgentId] = set()
        """Since the last `look` began."""
        self._registered: set[AgentId] = set()
        """Anew, which has not been reported yet."""

    @property
    def agents(self) -> Collection[AgentId]:
        """Whose phones these are."""
        return self._passwords.keys()

    def sources(self) -> list[str]:
        """What to subscribe to: each by its name, for a subscription to all device states deadlocks Asterisk."""
        return [
            source for agent in self._passwords for source in (f"endpoint:PJSIP/{agent}", f"deviceState:PJSIP/{agent}")
        ]

    async def push(self) -> None:
        """Bring astdb in step: every operator's endpoint as configured, none of anybody who left."""
        async with self._endpoints:
            there = {endpoint.resource for endpoint in await self._ari.list_endpoints()}
            wanted = self._wanted(self._passwords, self._rules)
            differs = await asyncio.gather(*(self._differs(agent, wanted[agent]) for agent in wanted))
            new = [agent for agent, other in zip(wanted, differs, strict=True) if other or agent not in there]
            await self._make({agent: wanted[agent] for agent in new})
            for name in there - set(self._passwords):
                await self._remove_stale(name)

    async def hire(self, passwords: Mapping[AgentId, str], rules: PhoneRules) -> None:
        """Bring the endpoints of these operators in step, of new ones above all; raises AriError, and then all is as it was."""
        before, wanted = self._wanted(self._passwords, self._rules), self._wanted(passwords, rules)
        new = {agent: told for agent, told in wanted.items() if before.get(agent) != told}
        async with self._endpoints:
            try:
                await self._make(new)
            except ari.AriError:
                with suppress(ari.AriError):
                    await self._make({agent: before[agent] for agent in new.keys() & before.keys()})
                    for agent in new.keys() - before.keys():
                        await self._remove_stale(agent)
                raise
            for agent in new:
                self._known.setdefault(agent, ListedPhone(agent, reachable=False, in_use=False))
            self._passwords.update(passwords)
            self._rules = rules

    def dismiss(self, agent: AgentId) -> None:
        """He left and his phone is free: it can register no more."""
        if self._passwords.pop(agent, None) is not None:
            self._known.pop(agent, None)
            self._lanes.put(f"phone:{agent}", lambda: self._remove(agent))

    async def _remove(self, agent: AgentId) -> None:
        async with self._endpoints:
            if agent in self._passwords:
                return  # he was taken back meanwhile
            try:
                await self._remove_stale(agent)
            except ari.AriError as error:
                log.warning("endpoint not removed", agent=agent, reason=str(error))

    def _wanted(self, passwords: Mapping[AgentId, str], rules: PhoneRules) -> dict[AgentId, Objects]:
        return {agent: objects(agent, password, rules) for agent, password in passwords.items()}

    async def _make(self, new: Mapping[AgentId, Objects]) -> None:
        # All of one kind before the next: Asterisk goes through every endpoint at each change of an AOR.
        for kind in KINDS:
            for agent in new:
                await self._ari.put_dynamic_config(kind, agent, new[agent][kind])
        if new:
            log.info("endpoints pushed", agents=",".join(new))

    async def _differs(self, agent: AgentId, wanted: Mapping[str, Mapping[str, str]]) -> bool:
        try:
            told = {kind: await self._ari.get_dynamic_config(kind, agent) for kind in KINDS}
        except ari.AriRejected:
            return True
        return not all(same(wanted[kind], told[kind]) for kind in KINDS)

    async def _remove_stale(self, name: str) -> None:
        """An endpoint that was pushed once and has no operator any more; those of pjsip.conf refuse to go."""
        try:
            await self._ari.delete_dynamic_config("endpoint", name)
            await self._ari.delete_dynamic_config("aor", name)
            await self._ari.delete_dynamic_config("auth", name)
        except (ari.AriRejected, ari.AriAuthFailed):  # 403 "Could not delete": it stands in a file
            return
        log.info("endpoint removed", agent=name)

    async def look(self) -> None:
        """Learn of all phones at once; of one that changes meanwhile its own question tells."""
        self._changed.clear()
        found = {AgentId(endpoint.resource): self._phone(endpoint) for endpoint in await self._ari.list_endpoints()}
        for agent in self._passwords:
            if agent not in self._changed or agent not in self._known:
                self._known[agent] = found.get(agent) or ListedPhone(agent, reachable=False, in_use=False)

    def known(self) -> tuple[ListedPhone, ...]:
        """All phones, as we know them at this moment."""
        return tuple(self._known[agent] for agent in self._passwords)

    def used(self, agent: AgentId) -> None:
        """The phone rings, talks or rests: not asked about while a leg of ours is the reason, for its end asks."""
        if not self._calls.rings_or_talks(agent):
            self.changed(agent)

    def registered(self, agent: AgentId) -> None:
        """The phone has registered, which is news even of one that never took its registration back."""
        if agent in self._passwords:
            self._registered.add(agent)
            self.changed(agent)

    def why_no_sound(self, agent: AgentId) -> str:
        """What a person has to look at when the phone answers 488."""
        return why_no_sound(self._rules.encryption.get(agent, "off"))

    def changed(self, agent: AgentId) -> None:
        """Something about the phone changed: ask what is so now."""
        if agent not in self._passwords:
            return
        self._changed.add(agent)
        if agent not in self._asked:
            self._asked.add(agent)
            self._lanes.put(f"phone:{agent}", lambda: self._ask(agent))

    async def _ask(self, agent: AgentId) -> None:
        self._asked.discard(agent)
        try:
            endpoint = await self._ari.get_endpoint("PJSIP", agent)
        except ari.NotFound:
            endpoint = ari.Endpoint("PJSIP", agent, "offline")
        except ari.AriError as error:
            log.warning("phone not asked", agent=agent, reason=str(error))
            return
        phone = self._phone(endpoint)
        anew = agent in self._registered
        if anew or self._known.get(agent) != phone:
            self._known[agent] = phone
            self._registered.discard(agent)
            self._report(PhoneChanged(agent, phone.reachable, phone.in_use, anew, at=time.time()))

    def _phone(self, endpoint: ari.Endpoint) -> ListedPhone:
        # By the id, not by what we know of: a leg of ours that ended while the answer came is still in it.
        legs = [LegId(name) for name in endpoint.channel_ids]
        others = [leg for leg in legs if not is_chosen(self._node, leg) or is_supervision(leg)]
        return ListedPhone(AgentId(endpoint.resource), endpoint.state == "online", bool(others))
