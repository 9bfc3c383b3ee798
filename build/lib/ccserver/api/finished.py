"""The last contacts that ended, for the live page: kept here while somebody watches, filled from the store.

The store gives lists in the order of arrivals, which is not the order of ends: so it is also asked for each contact that
is seen to leave the picture. It lags a moment behind the picture, and a recording lags
behind its contact, so both are asked for again until they are there.
"""

from collections.abc import Iterable

from ccserver.api.messages import ContactReply
from ccserver.api.sources import ContactQueries
from ccserver.api.views import contact_reply
from ccserver.core.contact import ContactOutcome
from ccserver.core.ids import ContactId
from ccserver.store.rows import ContactRow

SHOWN = 30
SEED = 200
"""Arrivals looked at when watching begins."""
AWAITED_S = 60.0
"""How long after an end the store, or the recording, may lag."""
ASKED_AT_ONCE = 20


class Finished:
    """A list that follows the picture."""

    def __init__(self, store: ContactQueries) -> None:
        self._store = store
        self._rows: dict[ContactId, ContactRow] = {}
        self._live: frozenset[ContactId] = frozenset()
        self._awaited: dict[ContactId, float] = {}
        self._seeded = False

    def forget(self) -> None:
        """Nobody watches: what ends now goes unseen, so the next watcher begins with what the store has."""
        self._seeded = False
        self._live = frozenset()
        self._awaited.clear()

    def see(self, live: Iterable[ContactId], at: float) -> None:
        """The contacts of a new picture, cut at `at`."""
        now = frozenset(live)
        for contact in self._live - now:
            self._awaited[contact] = at
        self._live = now
        for contact in [contact for contact, since in self._awaited.items() if at - since > AWAITED_S]:
            del self._awaited[contact]

    async def newest(self) -> tuple[ContactReply, ...]:
        """The newest end first; raises `StoreUnavailable`."""
        # Also the newest arrivals, each time: a contact may come and go between two pictures.
        rows = await self._store.contacts(SHOWN if self._seeded else SEED)
        self._seeded = True
        self._rows |= {row.id: row for row in rows if row.outcome is not None}
        for contact in tuple(self._awaited)[:ASKED_AT_ONCE]:
            await self._ask(contact)
        ordered = sorted(self._rows.values(), key=lambda row: row.ended_at or row.arrived_at, reverse=True)
        self._rows = {row.id: row for row in ordered[:SHOWN]}
        return tuple(contact_reply(row) for row in self._rows.values())

    async def _ask(self, contact: ContactId) -> None:
        row = await self._store.contact(contact)
        if row is not None and row.outcome is not None:
            self._rows[contact] = row
        since = self._awaited.pop(contact, None)
        if since is not None and not _settled(row):
            self._awaited[contact] = since  # at the end: nobody waits because another one lags


def _settled(row: ContactRow | None) -> bool:
    if row is None or row.outcome is None:
        return False
    return row.recording is not None or not (row.talk_s > 0 or row.outcome is ContactOutcome.VOICEMAIL)
