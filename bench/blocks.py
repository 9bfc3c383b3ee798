"""Blocks of calls to one system, turn about with blocks to another, each held against its records."""

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from bench.parties import Call, Parties, Script
from bench.stand import Spent, Stand, System


class Block(Struct):
    """Some calls to one system at one rate, from rest to rest."""

    system: System
    per_s: float
    calls: list[Call]
    spent: Spent
    wrong: list[str]
    """What was not as it must be, one line a call."""

    @property
    def good(self) -> int:
        """Calls that were as they must be."""
        return len(self.calls) - len(self.wrong)

    @property
    def ms_a_call(self) -> tuple[float, float, float]:
        """CPU of Asterisk, of the daemon, of the encoders, for each call that had its talk."""
        talks = max(1, sum(1 for call in self.calls if call.talks))
        return tuple(1e3 * used / talks for used in (self.spent.asterisk_s, self.spent.daemon_s, self.spent.encoders_s))


async def block(site: Stand, parties: Parties, system: System, count: int, per_s: float, script: Script) -> Block:
    """Run one. A good call reached one operator, they heard each other, and the records in SQL and the recording tell so."""
    await site.turn_to(system)
    before, kept = site.usage(), site.recordings(system)
    script = script if system != "dial" else Script(press="", talk_s=script.talk_s, answer_s=script.answer_s)
    calls = await parties.crowd([site.line(system, n) for n in range(count)], per_s, script)
    await site.rests()
    spent = Spent.between(before, site.usage())
    told = site.recorded(system)
    wrong = [f"{call.number} {call.wrong}" for call in calls if call.wrong]
    wrong += [
        f"{call.number} talked with {call.operator}, the records say {told.get(call.number)}"
        for call in calls
        if not call.wrong and told.get(call.number) != call.operator
    ]
    talked = sum(1 for call in calls if call.talks)
    if system != "dial" and (new := site.recordings(system) - kept) != talked:
        wrong.append(f"{talked} talks and {new} recordings")
    return Block(system, per_s, calls, spent, wrong)


def quantiles(values: Iterable[float | None], *shares: float) -> list[float]:
    """Of those that are there; not-a-number when none is."""
    there = [value for value in values if value is not None]
    return [float(np.percentile(there, 100 * share)) if there else float("nan") for share in shares]


def summary(wrong: Iterable[str]) -> str:
    """What went wrong how often, without the numbers of who."""
    kinds = Counter(re.sub(r"\b\d{4}\b", "NNNN", line.partition(" ")[2]) for line in wrong)
    return "; ".join(f"{count} × {kind}" for kind, count in kinds.most_common(4)) or "none"
