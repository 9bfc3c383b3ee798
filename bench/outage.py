"""PostgreSQL goes away under load for as long as you like, comes back, and then journal, store and CEL are compared.

    nice python -m bench.outage --away-s 600 --rate 2              # stopped: connections are refused
    nice python -m bench.outage --away-s 60 --silent               # SIGSTOP: connections stay open, nobody answers

Customers keep calling at the rate: before, while it is away, and while the journal is written after it is back. At the end all
that bench/load.py looks at must be right, and beside that every contact, segment, offer, agent's interval, recording and plan
of the journal must be a row of the store, each equal and once, and every caller and every operator's leg that CEL knows must be
one of them (tests/store_truth.py). Exit code 1 when anything is lost, doubled or otherwise.

Needs what bench/load.py needs, and PostgreSQL's programs (apt-get install postgresql).
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from bench.load import LINES, Stage, stage
from bench.load_files import NODE
from bench.load_phones import PhonesFailed
from bench.load_truth import against_cel, audit
from tests.store_databases import NoPostgres, PostgresServer, postgres_server
from tests.store_truth import caught_up, projected, stored

ROUND_S = 30.0
"""Customers call for this long before, and after."""
TELLS_WITHIN_S = 60.0


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    """Nobody listens."""
    server.stop()
    yield
    server.start()


class Outage:
    """One run: the stage, and what is told of it."""

    def __init__(self, made: Stage, url: str, rate: float) -> None:
        self._made = made
        self._url = url
        self._rate = rate
        self._journal = made.site.state_dir / "journal.sqlite"

    async def calls(self, for_s: float) -> None:
        """Customers, evenly."""
        await self._made.phones.call(round(for_s * self._rate), self._rate, LINES)

    async def away(self, for_s: float, gone: AbstractContextManager[None]) -> None:
        """The phase without a database; its alarm is raised meanwhile, and the health check stays green."""
        made, began = self._made, time.time()
        bytes_before = made.site.journal_bytes()

        async def told() -> None:
            await made.site.until(lambda status: _store_alarm(status) is not None, TELLS_WITHIN_S)
            made.report.note(f"alarm {time.time() - began:.1f} s after it went: {_store_alarm(await self._status())}")
            async with made.site.http.get(f"{made.site.url}/healthz") as response:
                made.report.note(f"/healthz meanwhile: {response.status}")

        async def without() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(told(), name="alarm")
                await self.calls(for_s)

        with gone:
            await made.measure("away", without())
        grown = made.site.journal_bytes() - bytes_before
        made.report.note(f"away {time.time() - began:.0f} s; the journal grew by {grown / 1e6:.1f} MB")

    async def back(self) -> None:
        """It serves again: how long until the journal is written, customers calling meanwhile."""
        began, before = time.monotonic(), 0

        async def catching_up() -> None:
            nonlocal before
            before = await projected(self._url, NODE)
            while await projected(self._url, NODE) == before:  # noqa: ASYNC110 - another process's business
                await asyncio.sleep(0.05)
            first = time.monotonic()
            seq = await caught_up(self._journal, self._url, NODE)
            took_s = time.monotonic() - first
            self._made.report.note(
                f"the projector tried again after {first - began:.1f} s and wrote {seq - before} turns in {took_s:.1f} s "
                f"({(seq - before) / took_s:.0f} a second)"
            )

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(catching_up(), name="catching up")
                await self.calls(ROUND_S)

        await self._made.measure("back", work())
        await self._made.site.until(lambda status: _store_alarm(status) is None)

    async def _status(self) -> Any:
        return await self._made.site.get("/api/status")


def _store_alarm(status: Any) -> str | None:
    return next((alarm["message"] for alarm in status["alarms"] if alarm["name"] == "store"), None)


async def run(given: argparse.Namespace, server: PostgresServer) -> bool:
    """Whether nothing was lost, doubled or otherwise."""
    # By default SIGTERM would leave Asterisk and the phones behind.
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    url = server.new_database(role=server.new_role())
    async with stage(given.agents, given.talk_s, recorded=LINES, keep=given.keep, store_url=url) as made:
        print(f"\n== PostgreSQL away for {given.away_s:g} s at {given.rate:g} calls/s ==", flush=True)
        outage = Outage(made, url, given.rate)
        await made.measure("there", outage.calls(ROUND_S))
        await outage.away(given.away_s, server.silent() if given.silent else stopped(server))
        await outage.back()
        truth = await audit(made.site, made.phones, recorded=LINES)
        wrong = await against_cel(made.site)
        kept = ", ".join(f"{len(rows)} {table}s" for table, rows in (await stored(url)).items())
        made.report.note(f"journal, store and CEL: {len(wrong)} differences in {kept}")
        truth.wrong.extend(wrong)
        made.report.show(truth, made.site, made.phones)
        return not truth.wrong


def main() -> int:
    """Run it; 1 when something was wrong."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--away-s", type=float, default=600.0, help="how long PostgreSQL is away")
    arguments.add_argument("--rate", type=float, default=2.0, help="calls a second")
    arguments.add_argument("--agents", type=int, default=24, help="operators")
    arguments.add_argument("--talk-s", type=float, default=3.0, help="how long a talk takes")
    arguments.add_argument("--silent", action="store_true", help="PostgreSQL does not answer, in place of refusing")
    arguments.add_argument("--keep", type=Path, metavar="DIR", help="leave state, logs and the journal there")
    given = arguments.parse_args()
    try:
        with postgres_server() as server:
            return 0 if asyncio.run(run(given, server)) else 1
    except (PhonesFailed, NoPostgres) as error:
        print(f"bench.outage: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


if __name__ == "__main__":
    sys.exit(main())
