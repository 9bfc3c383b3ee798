"""What an ARI client did so far, for the metrics page; plain numbers that only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Read them at any time; client and event stream of one Asterisk share one instance."""

    requests: int = 0
    rejected: int = 0
    """Answers 4xx and "Allocation failed"; 404 and 409 among them are everyday."""
    unavailable: int = 0
    """Requests without a usable answer: refused, deadline, dropped, 5xx."""
    looked_up: int = 0
    """GETs after an ambiguous create or a doubtful 409."""
    events: int = 0
    unknown_events: int = 0
    malformed_events: int = 0
    overflowed_events: int = 0
    """Events dropped because the consumer was too slow; each gap is reported to it as `Overflowed`."""
    connects: int = 0
    disconnects: int = 0
    failed_connects: int = 0
