"""`ccserver replay`: the journal's events decided once more by this version of the core, and compared with what was decided.

From the daemon's last start, where the router is known to have begun with nothing but the live state.
"""

from pathlib import Path

from msgspec import Struct

from ccserver.core.router import Router, State
from ccserver.ports import Turn
from ccserver.store.journal_file import JournalReader
from ccserver.store.live import Restored

AT_ONCE = 500


class Report(Struct, frozen=True):
    """What a replay found."""

    turns: int
    events: int
    differs_at: int | None
    """The first turn that would be decided otherwise now."""
    text: str

    @property
    def same(self) -> bool:
        """Nothing would be decided otherwise."""
        return self.differs_at is None


def router_state(restored: Restored) -> State:
    """What the journal kept, as the router takes it."""
    plan = restored.plan
    return State(
        plan=plan.hash if plan else None,
        plans=restored.plans,
        contacts=restored.contacts,
        agents=restored.agents,
        learnt=restored.learnt,
        last_talks=restored.last_talks,
        flow_calls=restored.flow_calls,
        dispositions=restored.dispositions,
        measures=restored.measures,
    )


def replay(journal: Path) -> Report:
    """Decide everything since the daemon's last start again; raises the errors of the store for an unreadable journal."""
    nothing = Report(0, 0, None, f"{journal}: no daemon has started on it yet, there is nothing to replay")
    if not journal.exists():
        return nothing
    with JournalReader(journal) as reader:
        snapshot = reader.latest_snapshot("start")
        if snapshot is None:
            return nothing
        router = Router()
        router.restore(router_state(snapshot.state), snapshot.at)
        seq, turns, events = snapshot.state.seq, 0, 0
        while some := reader.turns_after(seq, AT_ONCE):
            for turn in some:
                outcome = router.step(turn.events, turn.now)
                seq, turns, events = turn.seq, turns + 1, events + len(turn.events)
                if (outcome.records, outcome.commands) != (turn.records, turn.commands):
                    return Report(turns, events, turn.seq, _difference(turn, outcome.records, outcome.commands))
    return Report(turns, events, None, f"{turns} turns with {events} events: every decision the same")


def _difference(turn: Turn, records: tuple[object, ...], commands: tuple[object, ...]) -> str:
    lines = [f"turn {turn.seq} would be decided otherwise:"]
    for name, then, now in (("record", turn.records, records), ("command", turn.commands, commands)):
        lines += [f"  {name} then, not now: {item}" for item in then if item not in now]
        lines += [f"  {name} now, not then: {item}" for item in now if item not in then]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  the same, in another order"])
