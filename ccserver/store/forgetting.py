"""What the store keeps only for a while: the decision log. Contacts, segments and offers stay."""

import asyncio

import structlog

from ccserver.ports import Clock
from ccserver.store.errors import StoreError
from ccserver.store.sql import SqlStore

DAY_S = 24 * 3600.0
_log = structlog.get_logger()


class Forgetting:
    """`await forgetting.run()` in a task."""

    def __init__(self, store: SqlStore, clock: Clock, *, decisions_kept_days: int, every_s: float = 3600.0) -> None:
        self._store = store
        self._clock = clock
        self._kept_s = decisions_kept_days * DAY_S
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled; a database that is away is the projector's alarm, and what is due is done an hour later."""
        while True:
            await self.round()
            await asyncio.sleep(self._every_s)

    async def round(self) -> None:
        """Forget what is old enough."""
        try:
            gone = await self._store.forget_decisions(self._clock.now() - self._kept_s)
        except StoreError as error:
            _log.info("decisions_not_forgotten", reason=str(error))
            return
        if gone:
            _log.info("decisions_forgotten", rows=gone)
