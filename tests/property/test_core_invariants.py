"""The core against a node that does as it pleases: whatever happens in whatever order, the invariants of the house hold.

Callers, phones, sockets, Asterisk and the daemon itself are let loose (`simulated_world`), every step is checked
(`core_ledger`), and in the end nothing and nobody may be left over. CCSERVER_PROPERTY=long tells many more stories, and
other ones each time.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ccserver.core.attempt import AttemptOutcome
from ccserver.core.contact import Transfer
from tests.property.simulated_world import HAPPENINGS, Happening, World, play, shortened, story

LONG = os.environ.get("CCSERVER_PROPERTY") == "long"
STORIES, LENGTH = (200_000, 150) if LONG else (1_000, 100)
LONGER_STORIES, LONGER = 2_000, 250
STORIES_A_TEST = STORIES // 10
BEGIN = secrets.randbits(48) if LONG else 0

common = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
wanted = settings(common, max_examples=5_000, stateful_step_count=100, derandomize=False, print_blob=True)


class ContactCentre(RuleBasedStateMachine):
    """Hypothesis chooses what happens."""

    @initialize()
    def opens(self) -> None:
        self.world = World()

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        possible = [each for each in HAPPENINGS.values() if each.possible(self.world) for _ in range(each.weight)]
        happening = data.draw(st.sampled_from(possible).map(_Named), label="happens").happening
        how = {key: data.draw(st.sampled_from(values), label=key) for key, values in happening.choices.items()}
        self.world.happen(happening.name, **how)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.end()


class _Named:
    """Shown by its name alone."""

    def __init__(self, happening: Happening) -> None:
        self.happening = happening

    def __repr__(self) -> str:
        return self.happening.name


TestContactCentre = ContactCentre.TestCase
TestContactCentre.settings = wanted if LONG else common


told_of: set[str] = set()
"""The outcomes in the stories that have been told in this process."""


@pytest.mark.parametrize("part", range(10))
def test_in_every_story_that_chance_tells_the_invariants_hold(part: int) -> None:
    for seed in range(BEGIN + part * STORIES_A_TEST, BEGIN + (part + 1) * STORIES_A_TEST):
        told = story(seed, LENGTH)
        try:
            told_of.update(outcomes(play(told)))
        except Exception:  # whatever it is, it is what we are looking for
            short = shortened(told)
            print(f"story({seed}, {LENGTH}), in short:")
            for name, how in short:
                print(f"  {name} {_shown(how)}")
            play(short)
            raise


def test_chance_tells_of_every_outcome() -> None:
    """Else the stories above would prove little. Longer ones: a few of them come to what many short ones seldom do."""
    for seed in range(LONGER_STORIES):
        if told_of >= EVERY_OUTCOME:
            return
        told_of.update(outcomes(play(story(seed, LONGER))))
    raise AssertionError(f"no story tells of {EVERY_OUTCOME - told_of}")


def outcomes(world: World) -> Iterator[str]:
    """How everything in it came out."""
    ledger = world.daemon.ledger
    segments = [segment for of_contact in ledger.segments.values() for segment in of_contact]
    yield from (f"contact {contact.outcome}" for contact in ledger.final.values())
    yield from (f"offer {offer.outcome}" for offer in ledger.offers.values())
    yield from (f"asked for: {why}" for why in ASKED_FOR for offer in ledger.offers.values() if why in offer.why)
    yield from (f"attempt {attempt.outcome}" for attempt in ledger.attempts.values())
    yield from (f"{segment.kind} {segment.outcome}" for segment in segments)
    yield from (f"transfer {segment.transfer}" for segment in segments)
    yield from ("survey marked" for survey in ledger.surveys.values() if survey.scores)


ASKED_FOR = ("talked with the customer last", "the customer's own", "the flow asks for him")
EVERY_OUTCOME = {
    *(f"asked for: {why}" for why in ASKED_FOR),
    *(f"transfer {how}" for how in Transfer),
    *(f"contact {outcome}" for outcome in ("answered", "abandoned", "overflowed", "voicemail", "failed")),
    *(f"contact {outcome}" for outcome in ("flow_completed", "flow_abandoned")),
    *(f"offer {outcome}" for outcome in ("accepted", "refused", "busy", "unreachable", "rona", "withdrawn", "failed")),
    *(f"queue {outcome}" for outcome in ("answered", "abandoned", "short_abandoned", "overflowed", "left_by_key")),
    "queue failed",
    "queue callback_taken",
    "queue closed_out",
    *(f"flow {outcome}" for outcome in ("queued", "completed", "voicemail", "caller_left", "failed")),
    *(
        f"talk {outcome}"
        for outcome in ("caller_left", "agent_left", "customer_left", "outside_left", "transferred", "failed")
    ),
    *(f"contact {outcome}" for outcome in ("busy", "no_answer", "declined", "no_such_number", "no_trunk")),
    *(f"contact {outcome}" for outcome in ("blocked", "cancelled", "merged", "expired")),
    *(f"callback {outcome}" for outcome in ("dialled", "merged", "expired", "unanswered", "cancelled")),
    *(f"survey {outcome}" for outcome in ("completed", "caller_left", "failed", "marked")),
    *(f"attempt {outcome}" for outcome in AttemptOutcome),
    *(f"dial {outcome}" for outcome in ("answered", "unanswered", "cancelled", "failed")),
}


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_replay_in_another_process_decides_the_same(tmp_path: Path, hash_seed: str) -> None:
    """Nothing hangs on the order in which this process happens to keep sets of names."""
    lives = [life for seed in range(40) for life in play(story(seed, LENGTH)).daemon.lives]
    told = tmp_path / "lives.json"
    told.write_bytes(msgspec.json.encode(lives))
    code = (
        "import pathlib, sys, msgspec\n"
        "from tests.property.simulated_daemon import Turn\n"
        "from tests.property.simulated_world import check_replay\n"
        "kind = list[tuple[bytes, float, list[Turn]]]\n"
        "lives = msgspec.json.decode(pathlib.Path(sys.argv[1]).read_bytes(), type=kind)\n"
        "assert lives\n"
        "for life in lives:\n"
        "    check_replay(*life)\n"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code, told], env=environment, cwd=root, check=True, timeout=60)


def _shown(how: dict[str, Any]) -> str:
    return " ".join(f"{key}={getattr(value, 'hash', value)!r}" for key, value in how.items())
