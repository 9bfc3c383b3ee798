"""The figures of bench/load.py, printed: one column a phase, and the ratio of the last to the first."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from bench.load_phones import Phones
from bench.load_probe import Second
from bench.load_site import Site, Usage
from bench.load_truth import Contact, Truth

SHOWN = 40
"""Lines of what is wrong."""


class Phase:
    """From one moment of rest to the next."""

    def __init__(self, name: str, began_at: float, first: int, usage: Usage, journal_bytes: int) -> None:
        self.name = name
        self.began_at = began_at
        self._first = first
        self._before = usage
        self._journal_before = journal_bytes
        self.ended_at = began_at
        self.calls = 0
        self.slowest = ""
        self.cpu = usage
        self.journal_bytes = 0

    def end(self, at: float, dialled: int, usage: Usage, journal_bytes: int) -> None:
        """At rest again."""
        before = self._before
        self.ended_at = at
        self.calls = dialled - self._first
        self.journal_bytes = journal_bytes - self._journal_before
        self.cpu = Usage(
            daemon_s=usage.daemon_s - before.daemon_s,
            waited_s=usage.waited_s - before.waited_s,
            encoders_s=usage.encoders_s - before.encoders_s,
            asterisk_s=usage.asterisk_s - before.asterisk_s,
            daemon_mb=usage.daemon_mb - before.daemon_mb,
            asterisk_mb=usage.asterisk_mb - before.asterisk_mb,
        )
        self.after = usage

    def figures(self, contacts: list[Contact], seconds: list[Second]) -> dict[str, float]:
        """By name, in the order they are shown."""
        mine = [contact for contact in contacts if self.began_at <= contact.arrived_at < self.ended_at]
        within = [second for second in seconds if self.began_at <= second.at <= self.ended_at + 1]
        lasted_s = self.ended_at - self.began_at
        calls = max(1, self.calls)
        outcomes = Counter(contact.outcome for contact in mine)
        answered = [c for c in mine if c.outcome == "answered" and c.offers == 1 and c.entered_at is not None]
        made = [((c.made_at or 0) - (c.entered_at or 0)) * 1e3 for c in answered]
        rang = [(c.ringing_at - c.made_at) * 1e3 for c in answered if c.ringing_at and c.made_at]
        slowest = max(answered, key=lambda c: (c.answered_at or 0) - (c.entered_at or 0), default=None)
        self.slowest = slowest.id if slowest else ""
        picked = [((c.answered_at or 0) - (c.entered_at or 0)) * 1e3 for c in answered]
        recorded = [(c.recorded_s, c.talk_s) for c in mine if c.recorded_s is not None]
        lags = [lag for second in within for lag in second.lags_ms]
        turns = [turn for second in within for turn in second.turns_ms]
        return {
            "calls": self.calls,
            "answered": outcomes["answered"],
            "left before": outcomes["abandoned"] + outcomes["flow_abandoned"],
            "offers made again": sum(max(0, contact.offers - 1) for contact in mine),
            "seconds": lasted_s,
            **_spread("entry to offer, ms", made),
            **_spread("offer to ringing, ms", rang),
            **_spread("entry to answered, ms", picked),
            "recorded, % of the talk": 100 * sum(r for r, _ in recorded) / max(0.001, sum(t for _, t in recorded)),
            "daemon, % of a core": 100 * self.cpu.daemon_s / lasted_s,
            "daemon kept from a CPU, %": 100 * self.cpu.waited_s / lasted_s,
            "daemon, ms a call": 1e3 * self.cpu.daemon_s / calls,
            "encoders, ms a call": 1e3 * self.cpu.encoders_s / calls,
            "Asterisk, % of a core": 100 * self.cpu.asterisk_s / lasted_s,
            "Asterisk, ms a call": 1e3 * self.cpu.asterisk_s / calls,
            "daemon grew, MB": self.cpu.daemon_mb,
            "Asterisk grew, MB": self.cpu.asterisk_mb,
            "turns a call": len(turns) / calls,
            **_spread("turn, ms", turns),
            "facts in the inbox, max": max((second.inbox_max for second in within), default=0),
            **_spread("loop late, ms", lags),
            "garbage collection, ms max": max((ms for second in within for ms in second.collections_ms), default=0),
            **_spread("ARI answer, ms", (ms for second in within for ms in second.answers_ms)),
            "ARI requests a call": sum(sum(second.requests.values()) for second in within) / calls,
            "journal, kB a call": self.journal_bytes / 1e3 / calls,
        }

    def requests(self, seconds: list[Second]) -> dict[str, float]:
        """A call, by kind."""
        total: Counter[str] = Counter()
        for second in seconds:
            if self.began_at <= second.at <= self.ended_at + 1:
                total.update(second.requests)
        return {kind: count / max(1, self.calls) for kind, count in total.most_common()}


class Report:
    """Phases and remarks of one scenario."""

    def __init__(self, talk_s: float) -> None:
        self.phases: list[Phase] = []
        self.talk_s = talk_s
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Told before the figures."""
        self._notes.append(text)

    def show(self, truth: Truth, site: Site, phones: Phones) -> None:
        """Print it all."""
        seconds = _seconds(site.probe_path)
        for note in self._notes:
            print(note)
        columns = [phase.figures(truth.contacts, seconds) for phase in self.phases]
        if columns:
            ratio = ["ratio"] if len(columns) > 1 else []
            _row("", [phase.name for phase in self.phases] + ratio)
            for name in columns[0]:
                values = [column[name] for column in columns]
                last = [f"{values[-1] / values[0]:.2f}" if values[0] else "-"] if ratio else []
                _row(name, [f"{value:.4g}" for value in values] + last)
            last_phase = self.phases[-1]
            kinds = last_phase.requests(seconds)
            print("ARI requests a call: " + ", ".join(f"{kind} {n:.2f}" for kind, n in kinds.items() if n >= 0.01))
            memory = f"daemon {last_phase.after.daemon_mb:.0f} MB, Asterisk {last_phase.after.asterisk_mb:.0f} MB"
            print(f"memory at the end: {memory}; the slowest: {last_phase.slowest}")
        outcomes = ", ".join(f"{n} {outcome}" for outcome, n in sorted(truth.outcomes.items()))
        print(f"outcomes: {outcomes}; LOST {len(truth.lost)}")
        for kind, count in _logged(site.log_path).most_common(12):
            print(f"  logged {count:4d} x {kind}")
        for line in phones.errors()[:5]:
            print(f"  sipp: {line[:160]}")
        print(f"WRONG: {len(truth.wrong)}" if truth.wrong else "all as it must be", flush=True)
        for line in truth.wrong[:SHOWN]:
            print(f"  {line}")


def _seconds(path: Path) -> list[Second]:
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [msgspec.json.decode(line, type=Second) for line in lines]


def _spread(name: str, samples: Iterable[float]) -> dict[str, float]:
    ordered = sorted(samples) or [0.0]
    return {
        f"{name} p50": ordered[len(ordered) // 2],
        f"{name} p99": ordered[int(len(ordered) * 0.99)],
        f"{name} max": ordered[-1],
    }


def _logged(path: Path) -> Counter[str]:
    """Warnings and errors, without what tells one from the other."""
    found: Counter[str] = Counter()
    for line in path.read_text(errors="replace").splitlines():
        if "level=warning" in line or "level=error" in line:
            reason = line.partition("reason=")[2]
            found[re.sub(r"[0-9]+", "#", f"{line.partition('event=')[2][:40]} {reason}")[:160]] += 1
        elif line and not line.startswith("timestamp="):
            found[line[:120]] += 1
    return found


def _row(name: str, cells: list[str]) -> None:
    print(f"{name:<28}" + "".join(f"{cell:>26}" for cell in cells))
