"""How much sound this machine holds: recorded conversations, waiting callers with music, and both; ccserver's and app_queue's.

    python -m bench.media                            # about fifteen minutes, figures for docs/benchmarks.md
    python -m bench.media --kinds talks --step 10    # or part of it
    python -m bench.media --short                    # a few seconds: does it still run?

Calls are added, and stay, until sound suffers: every phone sends a packet each 20 ms and notes each that comes, by the
kernel's clock. Too much is reached when more than --loss percent of the packets are missing, or when one in a hundred comes
more than --late milliseconds behind the soonest of its stream, which is more than a phone's jitter buffer usually forgives.
Conversations are recorded by MixMonitor, both sides apart, in both systems. The phones run on the same machine, before all
others, and their CPU is told.

Needs root (a private Asterisk). Exit code 1 when not even the first step was held.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import Struct

from bench.page import Page, arguments, run, table
from bench.parties import SHORT, Call, Parties, Script
from bench.sound import Sound
from bench.stand import NAMES, Spent, Stand, System, stand

SYSTEMS: tuple[System, ...] = ("ccserver", "app_queue")
KINDS = {
    "talks": "recorded conversations",
    "waiting": "waiting callers",
    "both": "as many of each",
}
FOREVER_S = 3600.0
DIAL_PER_S = 8.0
SETTLES_S = 1.5
CONNECTS_S = 20.0
"""A customer who has no operator, or a caller who hears no music, so long after the last has dialled is a failure."""


class Held(Struct):
    """One step: so many calls at once, and how they sounded."""

    system: System
    kind: str
    count: int
    """Of each kind."""
    connected: bool
    lost_percent: float
    late_ms: float
    """At p99."""
    asterisk_percent: float
    """Of a core, like the following."""
    daemon_percent: float
    phones_percent: float
    unread: int

    def fine(self, loss_percent: float, late_ms: float) -> bool:
        """Nobody would complain."""
        return self.connected and self.lost_percent <= loss_percent and self.late_ms <= late_ms


class Bounds(Struct, frozen=True):
    """How far it goes."""

    step: int
    most: int
    listen_s: float
    loss_percent: float
    late_ms: float


async def grow(site: Stand, parties: Parties, system: System, kind: str, bounds: Bounds, script: Script) -> list[Held]:
    """Add calls until it is too much; all are over when this returns."""
    await site.turn_to(system)
    script = replace(script, talk_s=FOREVER_S, waits_s=FOREVER_S)
    waits = Script(press="", talk_s=FOREVER_S, waits_s=FOREVER_S)
    talks: list[Call] = []
    waiting: list[Call] = []
    steps: list[Held] = []
    try:
        for count in range(bounds.step, bounds.most + 1, bounds.step):
            if kind != "waiting":
                talks += await parties.begin([site.line(system, n) for n in range(bounds.step)], DIAL_PER_S, script)
            if kind != "talks":
                waiting += await parties.begin([site.hall(system)] * bounds.step, DIAL_PER_S, waits)
            made = await _listen(site, parties, system, kind, count, talks, waiting, bounds.listen_s)
            steps.append(made)
            told = f"{made.lost_percent:.2f} % lost, p99 {made.late_ms:.0f} ms late, Asterisk {made.asterisk_percent:.0f} %"
            print(f"{NAMES[system]}, {KINDS[kind]}: {count}: {told}", file=sys.stderr, flush=True)
            if not made.fine(bounds.loss_percent, bounds.late_ms):
                break
    finally:
        parties.hang_up(talks + waiting)
        await parties.end(talks + waiting)
    return steps


async def _listen(
    site: Stand,
    parties: Parties,
    system: System,
    kind: str,
    count: int,
    talks: list[Call],
    waiting: list[Call],
    listen_s: float,
) -> Held:
    until = time.monotonic() + CONNECTS_S
    while time.monotonic() < until and not _connected(talks, waiting):  # noqa: ASYNC110 - the sound's thread tells nobody
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLES_S)
    sound = parties.sound
    before, own, unread = site.usage(), time.process_time(), sound.overflowed
    sound.log()
    await asyncio.sleep(listen_s)
    spent, own = Spent.between(before, site.usage()), time.process_time() - own
    legs = [leg for call in talks for leg in (call.customer, call.agent) if leg is not None]
    legs += [call.customer for call in waiting if call.customer is not None]
    flows = sound.flows(legs)
    packets, lost = sum(flow.packets for flow in flows), sum(flow.lost for flow in flows)
    expected = len(legs) * listen_s * 50
    late = np.concatenate([flow.late_ms for flow in flows]) if flows else np.zeros(0)
    # Whole streams that are missing have no gaps: what should have come and did not counts, too.
    missing = max(lost / max(1, packets + lost), 1 - packets / expected - 0.02)
    return Held(
        system,
        kind,
        count,
        _connected(talks, waiting),
        100 * max(0.0, missing),
        float(np.percentile(late, 99)) if len(late) else float("inf"),
        100 * spent.asterisk_s / listen_s,
        100 * spent.daemon_s / listen_s,
        100 * own / listen_s,
        sound.overflowed - unread,
    )


def _connected(talks: list[Call], waiting: list[Call]) -> bool:
    return all(call.both_ms is not None for call in talks) and all(
        call.up_ns and call.customer is not None and call.customer.packets for call in waiting
    )


async def measure(kinds: list[str], bounds: Bounds, script: Script) -> list[Held]:
    """Every kind of both systems, turn about, each on a fresh Asterisk."""
    steps = []
    for kind in kinds:
        for system in SYSTEMS:
            # A fresh Asterisk each time: hundreds of recordings to be encoded would disturb whoever comes next.
            with tempfile.TemporaryDirectory(prefix="bench-") as name, Sound() as sound:
                async with stand(Path(name) / "site", bounds.most) as site:
                    secrets = site.asterisk.secrets
                    async with Parties(site.asterisk.instance.sip_port, secrets.caller_password, sound) as parties:
                        await parties.register(site.ours if system == "ccserver" else site.peers)
                        if system == "ccserver":
                            await site.all_ready()
                        steps += await grow(site, parties, system, kind, bounds, script)
    return steps


def report(steps: list[Held], bounds: Bounds) -> str:
    """The most that was held, and what came after it."""
    rows = []
    for system, kind in dict.fromkeys((each.system, each.kind) for each in steps):
        mine = [each for each in steps if (each.system, each.kind) == (system, kind)]
        held = [each for each in mine if each.fine(bounds.loss_percent, bounds.late_ms)]
        beyond = [each for each in mine if not each.fine(bounds.loss_percent, bounds.late_ms)]
        if held:
            best = held[-1]
            cpu = [f"{used:.0f}" for used in (best.asterisk_percent, best.daemon_percent, best.phones_percent)]
            figures = [best.count, f"{best.lost_percent:.2f}", f"{best.late_ms:.0f}", *cpu]
        else:
            figures = [0, "-", "-", "-", "-", "-"]
        gave_way = "no more was tried"
        if beyond:
            gave_way = f"{beyond[0].count}: {beyond[0].lost_percent:.2f} % lost, p99 {beyond[0].late_ms:.0f} ms late"
            gave_way += "" if beyond[0].connected else ", not all connected"
        rows.append([KINDS[kind], NAMES[system], *figures, gave_way])
    head = [
        "what",
        "system",
        "held",
        "lost %",
        "late p99 ms",
        "Asterisk % of a core",
        "daemon %",
        "phones %",
        "too much",
    ]
    return table(head, rows)


def main() -> int:
    """Measure and print."""
    told = arguments(__doc__)
    told.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    told.add_argument("--step", type=int, default=40, help="calls added at a time")
    told.add_argument("--most", type=int, default=400, help="no more than this")
    told.add_argument("--listen", type=float, default=6.0, metavar="S", help="how long each step is listened to")
    told.add_argument("--loss", type=float, default=0.5, metavar="PERCENT", help="packets that may be missing")
    told.add_argument("--late", type=float, default=60.0, metavar="MS", help="how late one in a hundred may be")
    given = told.parse_args()
    page = Page("media", given.into)
    bounds = Bounds(given.step, given.most, given.listen, given.loss, given.late)
    kinds = given.kinds
    if given.short:
        bounds, kinds = Bounds(2, 2, 1.0, 100.0, 10_000.0), ["both"]
    steps = run(measure(kinds, bounds, SHORT if given.short else Script()))
    unread = sum(each.unread for each in steps)
    page.write(
        f"Too much: more than {bounds.loss_percent:g} % lost, or p99 later than {bounds.late_ms:g} ms.\n\n"
        f"{report(steps, bounds)}\n\nPackets that the phones did not read in time: {unread}."
    )
    first = {(each.system, each.kind): each for each in reversed(steps)}.values()
    return 0 if all(each.fine(bounds.loss_percent, bounds.late_ms) for each in first) else 1


if __name__ == "__main__":
    sys.exit(main())
