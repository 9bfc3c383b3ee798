"""The most calls a second without a failure, and what a call costs: ccserver against app_queue, in one run, on one Asterisk.

    python -m bench.capacity                         # about ten minutes, figures for docs/benchmarks.md
    python -m bench.capacity --from 4 --factor 1.5   # or any ladder of rates
    python -m bench.capacity --short                 # a few seconds: does it still run?

The rate grows step by step, both systems in turn at each, until a system fails: a customer who is not connected to exactly
one operator, two who do not hear each other, a record in SQL that does not tell of the talk, or a recording that is
missing. A rate that failed is tried once more, and counts as failed when it fails again. What fails stays out of the
following steps. CPU is that of /proc/PID/stat, from rest to rest, for each call that had its talk: ccserver's includes the
work after the calls, and its encoders are told apart.

Needs root (a private Asterisk). Exit code 1 only when not even the first step went well.
"""

import sys
import tempfile
from pathlib import Path

from bench.blocks import Block, block, summary
from bench.latency import BUSY_S
from bench.page import Page, arguments, run, table
from bench.parties import SHORT, Parties, Script
from bench.sound import Sound
from bench.stand import NAMES, System, stand

SYSTEMS: tuple[System, ...] = ("ccserver", "app_queue")
GOAL = 0.8
"""ccserver's calls a second, as a part of app_queue's."""


async def climb(rates: list[float], seconds: float, script: Script) -> list[Block]:
    """Up the ladder, until both have failed or it ends."""
    blocks: list[Block] = []
    operators = max(8, round(max(rates) * BUSY_S * 1.5))
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Sound() as sound:
        async with stand(Path(name) / "site", operators) as site:
            secrets = site.asterisk.secrets
            async with Parties(site.asterisk.instance.sip_port, secrets.caller_password, sound) as parties:
                await parties.register({**site.ours, **site.peers})
                await site.all_ready()
                climbing = list(SYSTEMS)
                for n, per_s in enumerate(rates):
                    # Whoever is first at one rate is second at the next.
                    for system in [each for each in SYSTEMS[:: -1 if n % 2 else 1] if each in climbing]:
                        for _ in range(2):
                            made = await block(site, parties, system, round(per_s * seconds), per_s, script)
                            blocks.append(made)
                            print(
                                f"{per_s:g} calls/s, {NAMES[system]}: {summary(made.wrong)} wrong",
                                file=sys.stderr,
                                flush=True,
                            )
                            if not made.wrong:
                                break
                        else:
                            climbing.remove(system)
                    if not climbing:
                        break
    return blocks


def most(blocks: list[Block], system: System) -> float:
    """The highest rate at which a block of that system had no failure."""
    return max((made.per_s for made in blocks if made.system == system and not made.wrong), default=0.0)


def report(blocks: list[Block]) -> str:
    """The table, and what became of the goals."""
    rows = []
    for made in blocks:
        asterisk, daemon, encoders = (f"{used:.1f}" for used in made.ms_a_call)
        told = [summary(made.wrong)] if made.wrong else ["none"]
        rows.append(
            [f"{made.per_s:g}", NAMES[made.system], len(made.calls), made.good, asterisk, daemon, encoders, *told]
        )
    head = [
        "calls/s",
        "system",
        "calls",
        "good",
        "Asterisk ms a call",
        "daemon ms a call",
        "encoders ms a call",
        "failures",
    ]
    ours, theirs = most(blocks, "ccserver"), most(blocks, "app_queue")
    share = ours / theirs if theirs else 0.0
    lines = [
        f"- most calls/s with no failure: ccserver {ours:g}, app_queue {theirs:g}: {share:.2f} of it, "
        f"goal at least {GOAL:g}: {'met' if share >= GOAL else 'MISSED'}"
    ]
    clean = [made for made in blocks if made.system == "ccserver" and not made.wrong]
    if clean:
        asterisk, daemon, _ = (sum(each) / len(clean) for each in zip(*(made.ms_a_call for made in clean), strict=True))
        verdict = "met" if daemon < asterisk else "MISSED"
        lines.append(
            f"- CPU a call: daemon {daemon:.1f} ms, Asterisk {asterisk:.1f} ms, goal daemon below Asterisk: {verdict}"
        )
    return table(head, rows) + "\n\n" + "\n".join(lines)


def main() -> int:
    """Measure and print."""
    told = arguments(__doc__)
    told.add_argument("--from", dest="first", type=float, default=5.0, help="calls a second at first")
    told.add_argument("--factor", type=float, default=1.25, help="from step to step")
    told.add_argument("--most", type=float, default=60.0, help="no step beyond this")
    told.add_argument("--seconds", type=float, default=15.0, help="how long customers keep dialling in a step")
    told.add_argument("--talk", type=float, default=2.0, metavar="S", help="how long a talk is")
    given = told.parse_args()
    rates = [given.first]
    while (following := round(rates[-1] * given.factor, 1)) <= given.most:
        rates.append(following)
    page, script = Page("capacity", given.into), SHORT if given.short else Script(talk_s=given.talk)
    blocks = run(climb([8.0], 0.4, script) if given.short else climb(rates, given.seconds, script))
    page.write(f"Talks of {script.talk_s:g} s:\n\n{report(blocks)}")
    return 0 if most(blocks, "ccserver") and most(blocks, "app_queue") else 1


if __name__ == "__main__":
    sys.exit(main())
