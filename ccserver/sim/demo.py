"""The whole world at once: phones of callers and operators around one centre, until told to stop."""

import asyncio
import signal
from pathlib import Path

import structlog

from ccserver.sim import conversations
from ccserver.sim.callers import Callers
from ccserver.sim.centre import Access, Account, Wall
from ccserver.sim.errors import NotAsked
from ccserver.sim.operators import OperatorAtWork
from ccserver.sim.phones import PhoneLibrary
from ccserver.sim.voices import Voices
from ccserver.sim.world import Load, Operator, callers

LEFT_TO_VISITORS = 2
CALLS_MAX = 200
"""At once: who comes beyond that does not get through; the phones' library holds 512 calls, half of them operators'."""
TELLS_EVERY_S = 300.0
ENDS_WITHIN_S = 15

log = structlog.get_logger("ccserver.sim")


async def run(access: Access, load: Load, voices_dir: Path) -> None:
    """Until SIGTERM or SIGINT; every call is hung up and every operator logged out then."""
    chosen = _operators(access, load)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    with PhoneLibrary() as library, Voices(voices_dir) as voices:
        world = _World(access, load, library, voices)
        log.info("demo: begins", operators=len(chosen), calls_per_minute=load.rate, seed=load.seed)
        async with asyncio.TaskGroup() as tasks:
            living = tasks.create_task(world.live(chosen), name="world")
            await stopped.wait()
            signal.alarm(ENDS_WITHIN_S)  # whatever hangs then, the kernel ends
            living.cancel()
        await world.wall.send_home(tuple(account.user for account in chosen))
        log.info("demo: ends", **_fields(world.callers))


class _World:
    """Everybody, and the wall they look at."""

    def __init__(self, access: Access, load: Load, library: PhoneLibrary, voices: Voices) -> None:
        self._access = access
        self._load = load
        self._library = library
        self._voices = voices
        self._conversations = conversations.load()
        self.wall = Wall(access)
        self.callers = Callers(access, library, self.wall, voices, self._conversations)
        self.operators: list[OperatorAtWork] = []

    async def live(self, accounts: list[Account]) -> None:
        """Until cancelled."""
        self.operators = [
            OperatorAtWork(
                self._access,
                account,
                Operator.of(self._load, account.user),
                self._library,
                self.wall,
                self.callers,
                self._voices,
                self._conversations,
                self._colleague,
            )
            for account in accounts
        ]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.wall.run(), name="wall")
            tasks.create_task(self._tell(), name="teller")
            for operator in self.operators:
                tasks.create_task(operator.run(), name=f"operator {operator.extension}")
            await self._arrivals(tasks)

    async def _arrivals(self, tasks: asyncio.TaskGroup) -> None:
        begun_at = asyncio.get_running_loop().time()
        for caller in callers(self._load, self._access.lines):
            await asyncio.sleep(max(0.0, begun_at + caller.at_s - asyncio.get_running_loop().time()))
            if len(self.callers.now) < CALLS_MAX and caller.number not in self.callers.now:
                tasks.create_task(self.callers.call(caller), name=f"caller {caller.number}")

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELLS_EVERY_S)
            log.info("demo: goes on", calling=len(self.callers.now), **_fields(self.callers))

    def _colleague(self, asking: OperatorAtWork) -> str | None:
        free = [operator.extension for operator in self.operators if operator is not asking and operator.is_free]
        return free[0] if free else None


def _operators(access: Access, load: Load) -> list[Account]:
    """The last ones; the first are left to visitors. Raises `NotAsked`."""
    most = len(access.operators) - LEFT_TO_VISITORS
    if load.operators > most:
        raise NotAsked(
            f"--operators {load.operators}: the configuration has {len(access.operators)} operators, the first "
            f"{LEFT_TO_VISITORS} are left to you, so there are {max(0, most)} to play"
        )
    return list(access.operators[len(access.operators) - load.operators :])


def _fields(callers: Callers) -> dict[str, int]:
    return {how.replace(" ", "_"): count for how, count in sorted(callers.ended.items())}
