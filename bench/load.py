"""The whole server under load: a private Asterisk, the daemon, N operators' phones, customers at a rate; then the truth.

    nice python -m bench.load --agents 60 --rate 2 --calls 120                 # half the rate, then the rate: ratios
    nice python -m bench.load --scenario burst hall crash takeover crowd       # or any of them

    steady     customers at half the rate, then at the rate
    burst      30 customers within a second
    hall       200 customers wait for 20 operators (their phones are silent, for the sake of the machine)
    crash      kill -9 of the daemon in mid-load; every second time it stays away for three seconds
    takeover   another daemon takes over in mid-load
    crowd      150 registered operators: registration, push, status page
    centre     150 operators who talk 75 s; 300 customers wait when they log in, then 2 calls a second for ten minutes; kill -9
               in the middle. One call in ten has sound, from its first moment, and its talk is recorded. Every contact is held
               against CEL (--short: a minute)

Needs root (a private Asterisk) and SIPp: apt-get install --no-install-recommends sip-tester. Every tenth customer hangs up
just as he is being answered.
Exit code 1 when anything is not as it must be: see bench/load_truth.py. Times belong to the machine, ratios travel.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.load_files import DIRECT_LINE, HEARD_EVERY, HEARD_LINE, MENU_LINE, is_heard
from bench.load_phones import Patience, Phones, PhonesFailed
from bench.load_report import Phase, Report
from bench.load_site import Site, at_rest, load_site
from bench.load_truth import against_cel, audit

LINES = (MENU_LINE, DIRECT_LINE)
ANSWER_MS = 200
WRAP_UP_S = 1.0
IMPATIENT = Patience(leaves_s=0.2, every=10)
"""They hang up just as the operator picks up."""
SETTLES_S = 60.0
AWAY_S = 3.0


class Sample(NamedTuple):
    """% of a core since the sample before, of the daemon and of Asterisk, and MB of the daemon then."""

    busy: float
    asterisk_busy: float
    mb: float


class Stage:
    """One scenario under way: the site, its phones, and the phases measured so far."""

    def __init__(self, site: Site, phones: Phones, talk_s: float) -> None:
        self.site = site
        self.phones = phones
        self.talk_s = talk_s
        self.report = Report(talk_s)
        self.samples: list[Sample] = []
        self.wrong: list[str] = []
        """What a scenario itself has found."""

    async def all_ready(self) -> None:
        """Every operator wishes contacts."""
        began = time.monotonic()
        await self.site.all_ready()
        took_s = time.monotonic() - began
        self.report.note(f"{len(self.site.extensions)} operators ready over the API in {took_s:.1f} s")

    async def meter(self, every_s: float) -> None:
        """What the daemon and Asterisk cost, sampled until cancelled."""
        before, at = self.site.usage(), time.monotonic()
        while True:
            await asyncio.sleep(every_s)
            try:
                usage, now = self.site.usage(), time.monotonic()
            except OSError:
                continue  # it has been killed, and is not there yet
            shares = (usage.daemon_s - before.daemon_s, usage.asterisk_s - before.asterisk_s)
            self.samples.append(Sample(*(100 * share / (now - at) for share in shares), usage.daemon_mb))
            before, at = usage, now

    async def measure(self, name: str, work: Awaitable[None]) -> None:
        """A phase: until the work is done and nobody calls any more."""
        site, phones = self.site, self.phones
        phase = Phase(name, time.time(), phones.dialled, site.usage(), site.journal_bytes())
        await work
        await site.until(at_rest, SETTLES_S)
        phase.end(time.time(), phones.dialled, site.usage(), site.journal_bytes())
        self.report.phases.append(phase)


@asynccontextmanager
async def stage(
    agents: int,
    talk_s: float,
    *,
    recorded: Collection[str],
    keep: Path | None,
    store_url: str = "",
) -> AsyncIterator[Stage]:
    """Operators' phones registered; `keep`: an empty directory that is left as it is at the end.

    With `HEARD_LINE` among the `recorded` lines only its operators speak, and nobody is ready yet.
    """
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        directory = keep or Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        async with load_site(directory, agents, wrap_up_s=WRAP_UP_S, recorded=recorded, store_url=store_url) as site:
            secrets = site.asterisk.secrets
            async with Phones(directory, site.asterisk.instance.sip_port, secrets.caller_password) as phones:
                made = Stage(site, phones, talk_s)
                began = time.monotonic()
                some = HEARD_LINE in recorded
                for speaking in (True, False) if some else (True,):
                    mine = {
                        who: word for who, word in secrets.operators.items() if not some or is_heard(who) == speaking
                    }
                    await phones.register(mine, answer_ms=ANSWER_MS, talk_ms=round(talk_s * 1000), speaking=speaking)
                made.report.note(f"{agents} phones registered in {time.monotonic() - began:.1f} s")
                if not some:
                    await made.all_ready()
                yield made


async def steady(given: argparse.Namespace, made: Stage) -> None:
    """Half the rate, then the rate."""
    for rate, calls in ((given.rate / 2, given.calls // 2), (given.rate, given.calls)):
        work = made.phones.call(calls, rate, LINES, patience=IMPATIENT)
        await made.measure(f"{rate:g} calls/s", work)


async def burst(given: argparse.Namespace, made: Stage) -> None:
    """All at once."""
    await made.measure("one call", made.phones.call(1, 1, LINES))
    await made.measure("burst of 30", made.phones.call(30, 300, LINES))


async def hall(given: argparse.Namespace, made: Stage) -> None:
    """Many wait."""
    await made.measure("20 customers", made.phones.call(20, 10, LINES, speaking=False))
    await made.measure("hall of 200", made.phones.call(200, 20, LINES, stays_s=180.0, speaking=False))

    async def disturbed() -> None:
        async with asyncio.TaskGroup() as tasks:
            crowd = made.phones.call(200, 20, LINES, stays_s=180.0, speaking=False)
            tasks.create_task(crowd, name="customers")
            await asyncio.sleep(10)
            await kill(made, 0.0)
            await asyncio.sleep(5)
            await take_over(made)

    await made.measure("killed, taken over", disturbed())


async def crash(given: argparse.Namespace, made: Stage) -> None:
    """kill -9, and started again at once; the next time, and away for three seconds."""

    async def killed() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(made.phones.call(given.calls, given.rate, LINES, patience=IMPATIENT), name="customers")
            for n in range(given.times):
                away_s = n % 2 * AWAY_S
                await asyncio.sleep(max(0.0, given.calls / given.rate / (given.times + 1) - away_s))
                await kill(made, away_s)

    await made.measure(f"{given.rate:g} calls/s, killed", killed())


async def takeover(given: argparse.Namespace, made: Stage) -> None:
    """Another daemon, while calls go on."""

    async def taken_over() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(made.phones.call(given.calls, given.rate, LINES, patience=IMPATIENT), name="customers")
            for _ in range(given.times):
                await asyncio.sleep(given.calls / given.rate / (given.times + 1))
                await take_over(made)

    await made.measure(f"{given.rate:g} calls/s, taken over", taken_over())


async def kill(made: Stage, away_s: float) -> None:
    """kill -9; started again after that long."""
    await made.site.kill()
    await asyncio.sleep(away_s)
    began = time.monotonic()
    await made.site.start()
    made.report.note(f"killed, away {away_s:g} s, serving {time.monotonic() - began:.1f} s after its start")


async def take_over(made: Stage) -> None:
    """Another daemon in the place of the one that runs."""
    began = time.monotonic()
    code = await made.site.take_over()
    made.report.note(f"taken over in {time.monotonic() - began:.1f} s, the old daemon ended with {code}")


async def crowd(given: argparse.Namespace, made: Stage) -> None:
    """Nobody calls: what many operators cost by being there."""
    site = made.site
    took = []
    for _ in range(50):
        began = time.perf_counter()
        await site.get("/api/status")
        took.append(time.perf_counter() - began)
    made.report.note(f"/api/status: {sorted(took)[25] * 1e3:.1f} ms at p50")
    await made.measure("nobody calls", asyncio.sleep(20))

    async def watched() -> None:
        async with asyncio.TaskGroup() as tasks:
            pages = [tasks.create_task(_watch(site), name="page") for _ in range(10)]
            await made.phones.call(given.calls // 2, given.rate, LINES)
            for page in pages:
                page.cancel()

    await made.measure("calls", made.phones.call(given.calls // 2, given.rate, LINES))
    await made.measure("calls, 10 pages watch", watched())
    await take_over(made)


async def _watch(site: Site) -> None:
    async with site.http.ws_connect(f"{site.url}/api/live", max_msg_size=0) as socket:
        async for _ in socket:
            pass


class Size(NamedTuple):
    """Of the centre."""

    agents: int
    talk_s: float
    waiting: int
    rate: float
    calls_s: float

    def scaled(self, part: float) -> "Size":
        """As many times smaller, in as many minutes."""
        return self._replace(
            agents=round(self.agents * part), waiting=round(self.waiting * part), rate=self.rate * part
        )


CENTRE, CENTRE_SHORT = Size(150, 75.0, 300, 2.0, 600.0), Size(20, 12.0, 40, 1.0, 60.0)
"""Both so much that some wait all the time that customers call."""
STAYS_S = 1800.0
"""Nobody gives up."""
RUSH_S = 10.0
"""Less than a talk: until then all who log in at once may be talking at once."""
SAMPLES = 10
GROWS, GROWS_MB = 1.25, 8.0
"""What a daemon that keeps nothing for ever may have more at the end than soon after its start."""


def waiting(status: Any) -> int:
    """Contacts in queues."""
    return sum(int(queue["waiting"]) for queue in status["queues"])


def size_of(given: argparse.Namespace) -> Size:
    """Of the centre that is asked for."""
    return CENTRE_SHORT if given.short else CENTRE.scaled(given.scale)._replace(calls_s=60 * given.minutes)


async def centre(given: argparse.Namespace, made: Stage) -> None:
    """A whole busy hour in ten minutes."""
    size, site = size_of(given), made.site

    async def customers(count: int, per_s: float) -> None:
        heard = count // HEARD_EVERY
        async with asyncio.TaskGroup() as tasks:
            for part, lines in ((count - heard, LINES), (heard, (HEARD_LINE,))):
                crowd = made.phones.call(
                    part, per_s * part / count, lines, stays_s=STAYS_S, speaking=lines == (HEARD_LINE,)
                )
                tasks.create_task(crowd, name="customers")

    async def rush() -> None:
        began = time.monotonic()
        await site.log_in()
        try:
            await site.until(lambda status: all(agent["state"] == "talking" for agent in status["agents"]), RUSH_S)
        except TimeoutError:
            made.report.note(f"{size.agents} operators logged in at once, and did not all talk within {RUSH_S:g} s")
        else:
            took_s = time.monotonic() - began
            made.report.note(f"{size.agents} operators logged in at once, and all of them talked {took_s:.1f} s later")

    async def hour() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(customers(size.waiting, 20.0), name="who waits from the start")
            await site.until(lambda status: waiting(status) == size.waiting, 2 * SETTLES_S)
            tasks.create_task(rush(), name="operators")
            meters = tasks.create_task(made.meter(size.calls_s / SAMPLES), name="meters")
            calling = tasks.create_task(customers(round(size.rate * size.calls_s), size.rate), name="customers")
            await asyncio.sleep(size.calls_s / 2)
            await kill(made, 0.0)
            await calling
            meters.cancel()

    await made.measure(f"{size.waiting} waiting, {size.rate:g} calls/s, killed", hour())
    made.report.note("daemon, % of a core: " + " ".join(f"{sample.busy:.0f}" for sample in made.samples))
    made.report.note("Asterisk, % of a core: " + " ".join(f"{sample.asterisk_busy:.0f}" for sample in made.samples))
    made.report.note("daemon, MB: " + " ".join(f"{sample.mb:.0f}" for sample in made.samples))
    after = [sample.mb for sample in made.samples[SAMPLES // 2 + 1 :]]
    if not given.short and after[-1] > after[0] * GROWS + GROWS_MB:
        made.wrong.append(
            f"the daemon's memory is not flat: {after[0]:.0f} MB after its restart, {after[-1]:.0f} MB at the end"
        )


Scenario = Callable[[argparse.Namespace, Stage], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {
    "steady": steady,
    "burst": burst,
    "hall": hall,
    "crash": crash,
    "takeover": takeover,
    "crowd": crowd,
    "centre": centre,
}


async def run(name: str, given: argparse.Namespace) -> bool:
    """One scenario on a site of its own; whether all was as it must be."""
    # By default SIGTERM would leave Asterisk and the phones behind.
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    size = size_of(given)
    agents = {"hall": 20, "crowd": 150, "centre": size.agents}.get(name, given.agents)
    talk_s = max(2.0, min(15.0, 0.5 * agents / given.rate - WRAP_UP_S))
    talk_s = {"hall": 3.0, "centre": size.talk_s}.get(name, talk_s)
    recorded: Collection[str] = {"hall": (), "centre": (HEARD_LINE,)}.get(name, LINES)
    keep = given.keep / name if given.keep else None
    async with stage(agents, talk_s, recorded=recorded, keep=keep) as made:
        print(f"\n== {name}: {agents} operators who talk {talk_s:g} s ==", flush=True)
        try:
            await SCENARIOS[name](given, made)
        except TimeoutError:
            made.report.note("NOT AT REST in time")
        truth = await audit(made.site, made.phones, recorded=recorded, by_length=not given.short)
        truth.wrong.extend(made.wrong)
        if name == "centre":
            different = await against_cel(made.site)
            made.report.note(f"journal, store and CEL: {len(different)} differences in {len(truth.contacts)} contacts")
            truth.wrong.extend(different)
        made.report.show(truth, made.site, made.phones)
        return not truth.wrong


def main() -> int:
    """Run what is asked for; 1 when something was wrong."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--agents", type=int, default=60, help="operators (hall has 20, crowd 150)")
    arguments.add_argument("--rate", type=float, default=2.0, help="calls a second")
    arguments.add_argument("--calls", type=int, default=120, help="calls at that rate")
    arguments.add_argument("--times", type=int, default=2, help="how often the daemon is killed, or taken over from")
    arguments.add_argument("--scenario", nargs="+", choices=(*SCENARIOS, "all"), default=["steady"])
    arguments.add_argument("--short", action="store_true", help="centre: a minute of it, judged by counts alone")
    arguments.add_argument("--scale", type=float, default=1.0, help="centre: so many operators, customers and calls")
    arguments.add_argument("--minutes", type=float, default=CENTRE.calls_s / 60, help="centre: so long calls come")
    arguments.add_argument("--keep", type=Path, metavar="DIR", help="leave state, logs and journals in DIR/SCENARIO")
    given = arguments.parse_args()
    names = list(SCENARIOS) if "all" in given.scenario else given.scenario
    try:
        right = [asyncio.run(run(name, given)) for name in names]
    except PhonesFailed as error:
        print(f"bench.load: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
