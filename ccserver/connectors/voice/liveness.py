"""Is Asterisk alive? Asked three ways every few seconds, so that what hangs can be named: ARI, AMI, SIP on its own port.

An open connection tells nothing: a stopped or deadlocked process keeps its sockets open. So each probe asks something that only
the part itself can answer. One answer that does not come may be a busy machine; two in a row are an alarm.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from msgspec import Struct

Ask = Callable[[], Awaitable[None]]
"""Returns when it was answered; raises `Silent`."""
WITHIN_S = 2.0
AGAIN_S = 1.0
IN_VAIN = 2
"""So many questions without an answer, one soon after the other, are no chance."""
MEANING: Mapping[str, str] = {
    "ari": "calls cannot be steered",
    "ami": "talks are not recorded",
    "sip": "phones can neither call nor register",
}
"""What people will notice."""
NAMES: Mapping[str, str] = {"ari": "ARI", "ami": "AMI", "sip": "SIP (PJSIP)"}

log = structlog.get_logger("ccserver.voice")


class Silent(Exception):
    """There was no answer; the text says what came instead."""


class Pulse(Struct, frozen=True):
    """What the last questions of one kind gave."""

    alive: bool = True
    """Before the first answer, too: an alarm needs a reason."""
    latency_s: float = 0.0
    """Of the last answer."""
    in_vain: int = 0
    reason: str = ""
    since: float = 0.0
    """Since when there has been none, monotonic."""


class Probe(Struct, frozen=True):
    """One way to ask, and how often."""

    ask: Ask
    every_s: float


class Liveness:
    """`run()` asks until cancelled."""

    def __init__(self, probes: Mapping[str, Probe], within_s: float = WITHIN_S) -> None:
        self._probes = probes
        self._within_s = within_s
        self.pulses = dict.fromkeys(probes, Pulse())
        self.heard = asyncio.Event()
        """Set at each new pulse; whoever waits for one clears it."""

    async def run(self) -> None:
        """Each probe in a task of its own: one that hangs keeps no other from asking."""
        async with asyncio.TaskGroup() as tasks:
            for name, probe in self._probes.items():
                tasks.create_task(self._watch(name, probe), name=f"liveness {name}")

    def alarm(self) -> str:
        """What hangs, in one line, and what does not; empty when everything answers."""
        dead = [name for name, pulse in self.pulses.items() if not pulse.alive]
        if not dead:
            return ""
        if len(dead) == len(self.pulses):
            reasons = ", ".join(f"{NAMES[name]}: {self.pulses[name].reason}" for name in dead)
            return f"Asterisk is dead or hangs: nothing of it answers ({reasons})"
        living = " and ".join(NAMES[name] for name in self.pulses if name not in dead)
        parts = "; ".join(f"{NAMES[name]} hangs ({self.pulses[name].reason}): {MEANING[name]}" for name in dead)
        return f"{parts}; {living} of the same Asterisk answer{'' if ' and ' in living else 's'}"

    async def _watch(self, name: str, probe: Probe) -> None:
        while True:
            began = time.monotonic()
            pulse = await self._asked(name, probe.ask)
            self._tell(name, self.pulses[name], pulse)
            self.pulses[name] = pulse
            self.heard.set()
            # The question that decides is asked soon, but not of a connection that is just being made.
            every_s = AGAIN_S if pulse.alive and pulse.in_vain else probe.every_s
            await asyncio.sleep(max(0.0, began + every_s - time.monotonic()))

    async def _asked(self, name: str, ask: Ask) -> Pulse:
        before, began = self.pulses[name], time.monotonic()
        try:
            async with asyncio.timeout(self._within_s):
                await ask()
        except (Silent, TimeoutError) as error:
            in_vain = before.in_vain + 1
            return Pulse(
                alive=in_vain < IN_VAIN,
                latency_s=before.latency_s,
                in_vain=in_vain,
                reason=str(error) or f"no answer within {self._within_s:g} s",
                since=before.since or began,
            )
        return Pulse(latency_s=time.monotonic() - began)

    def _tell(self, name: str, before: Pulse, now: Pulse) -> None:
        if before.alive and not now.alive:
            log.error("asterisk does not answer", probe=name, reason=now.reason)
        elif now.alive and not before.alive:
            log.info("asterisk answers again", probe=name, after_s=round(time.monotonic() - before.since, 1))
