"""From the operator's 200 OK to sound both ways: ccserver against app_queue, in one run, on one Asterisk, turn about.

    python -m bench.latency                          # about ten minutes: 2, 10 and 20 calls/s, figures for docs/benchmarks.md
    python -m bench.latency --rates 5 --rounds 1     # or any rate
    python -m bench.latency --short                  # a few seconds: does it still run?

Both answer, say the same greeting, ask for a key, record both sides with MixMonitor, queue under the same music, and write
the call into SQLite. Phones are played at the packet level by this process: a customer speaks from his answer on, an
operator from his 200 OK on, each with a tone of his own, and what is told is when the kernel received the first packet with
the other's tone. A direct call (Answer, Dial under music) measured in the same way is what Asterisk and the measurement
themselves take: phones send every 20 ms, so up to that much of each figure is theirs.

Needs root (a private Asterisk). Exit code 1 when a call was not as it must be; whether the goal is met is told, and no exit
code.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.blocks import Block, block, quantiles, summary
from bench.page import Page, arguments, run, table
from bench.parties import SHORT, Parties, Script
from bench.sound import Sound
from bench.stand import NAMES, System, stand

SYSTEMS: tuple[System, ...] = ("ccserver", "app_queue", "dial")
GOAL_MS = 20.0
"""ccserver's p99 may be so much above app_queue's."""
BUSY_S = 4.0
"""An operator is not free again sooner than this, all in all: so many times the rate are enough that nobody waits."""


async def measure(rates: list[float], rounds: int, seconds: float, script: Script) -> tuple[list[Block], str]:
    """Every system at every rate, in rounds; and what the measurement says of itself."""
    blocks = []
    operators = max(4, round(max(rates) * BUSY_S * 1.5))
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Sound() as sound:
        async with stand(Path(name) / "site", operators) as site:
            secrets = site.asterisk.secrets
            async with Parties(site.asterisk.instance.sip_port, secrets.caller_password, sound) as parties:
                await parties.register({**site.ours, **site.peers})
                await site.all_ready()
                for per_s in rates:
                    count = max(3, round(per_s * seconds))
                    for n in range(rounds):
                        # Whoever is first in one round is last in the next.
                        for system in SYSTEMS if n % 2 == 0 else SYSTEMS[::-1]:
                            made = await block(site, parties, system, count, per_s, script)
                            blocks.append(made)
                            p50, p99 = quantiles((call.both_ms for call in made.calls), 0.5, 0.99)
                            told = f"p50 {p50:.1f} p99 {p99:.1f} ms, wrong: {summary(made.wrong)}"
                            print(
                                f"{per_s:g} calls/s, round {n + 1}, {NAMES[system]}: {told}",
                                file=sys.stderr,
                                flush=True,
                            )
                errors = [call.picked_up_error_ns / 1e6 for made in blocks for call in made.calls if call.picked_up_ns]
                late = np.percentile(np.array(sound.behind_ns or [0]) / 1e6, [50, 99])
                note = (
                    f"the 200 OK took {np.percentile(errors, 99):.2f} ms at p99 to be sent; the phones' packets left "
                    f"{late[0]:.2f} ms late at p50, {late[1]:.2f} ms at p99; packets not read in time {sound.overflowed}; "
                    f"SIP messages sent again {parties.resent}"
                )
    return blocks, note


def report(blocks: list[Block]) -> str:
    """The table, and what became of the goal."""
    rows, verdicts = [], []
    for per_s in dict.fromkeys(made.per_s for made in blocks):
        p99s = {}
        for system in SYSTEMS:
            mine = [made for made in blocks if made.per_s == per_s and made.system == system]
            calls = [call for made in mine for call in made.calls]
            both = quantiles((call.both_ms for call in calls), 0.5, 0.9, 0.99)
            customer = quantiles((call.customer_heard_ms for call in calls), 0.5, 0.99)
            operator = quantiles((call.operator_heard_ms for call in calls), 0.5, 0.99)
            p99s[system] = both[2]
            wrong = sum(len(made.wrong) for made in mine)
            figures = [f"{figure:.1f}" for figure in (*both, *customer, *operator)]
            rows.append([f"{per_s:g}", NAMES[system], len(calls), wrong, *figures])
        above = p99s["ccserver"] - p99s["app_queue"]
        verdict = "met" if above <= GOAL_MS else "MISSED"
        verdicts.append(
            f"{per_s:g} calls/s: p99 {above:+.1f} ms against app_queue, goal at most +{GOAL_MS:g}: {verdict}"
        )
    head = ["calls/s", "system", "calls", "wrong", "both p50", "p90", "p99", "customer hears p50", "p99"]
    head += ["operator hears p50", "p99"]
    return table(head, rows) + "\n\n" + "\n".join(f"- {verdict}" for verdict in verdicts)


def main() -> int:
    """Measure and print."""
    told = arguments(__doc__)
    told.add_argument("--rates", type=float, nargs="+", default=[2.0, 10.0, 20.0], help="calls a second")
    told.add_argument("--rounds", type=int, default=3, help="blocks of each system at each rate, turn about")
    told.add_argument("--seconds", type=float, default=12.0, help="how long customers keep dialling in a block")
    told.add_argument("--talk", type=float, default=2.0, metavar="S", help="how long a talk is")
    given = told.parse_args()
    page = Page("latency", given.into)
    if given.short:
        work = measure([8.0], 1, 0.4, SHORT)
    else:
        work = measure(given.rates, given.rounds, given.seconds, Script(talk_s=given.talk))
    blocks, note = run(work)
    page.write(f"Milliseconds after the operator's 200 OK:\n\n{report(blocks)}\n\nThe measurement itself: {note}.")
    wrong = [f"{NAMES[made.system]} {line}" for made in blocks for line in made.wrong]
    for line in wrong[:20]:
        print(f"wrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
