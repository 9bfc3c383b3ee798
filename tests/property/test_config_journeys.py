"""What the checks say of a flow against what the core's interpreter does with it, for flows that nobody would write."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ccserver.config.errors import ConfigErrors
from ccserver.config.load import load
from ccserver.core.contact import FlowPosition
from ccserver.core.flow import (
    Finish,
    FlowTurn,
    JoinQueue,
    Scene,
    begin,
    go,
    key_pressed,
    play_finished,
    recorded,
    time_up,
)
from ccserver.core.ids import FlowName, Language, PlayId, RecordingName
from ccserver.core.steps import Flow
from tests.config_site import Site

STEPS = ("a", "b", "c", "d", "e")
NEXT = st.sampled_from(STEPS)
VALUE = st.sampled_from(["", "1", "2"])
KEYS = st.lists(st.sampled_from("12*#"), max_size=12)


def step(do: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """A step as TOML would say it."""
    return st.fixed_dictionaries({"do": st.just(do), **fields})


SPOKEN = {"prompts": st.just(["goodbye"])}
ANY_STEP = st.one_of(
    step("say", next=NEXT, barge_in=st.booleans(), **SPOKEN),
    step(
        "menu",
        keys=st.dictionaries(st.sampled_from("12*"), NEXT, min_size=1),
        otherwise=NEXT,
        retries=st.integers(0, 1),
        **SPOKEN,
    ),
    step("collect", variable=st.just("x"), next=NEXT, otherwise=NEXT, max_digits=st.integers(1, 2), **SPOKEN),
    step("set", next=NEXT, variables=st.dictionaries(st.sampled_from("xy"), VALUE)),
    step("set", next=NEXT, language=st.sampled_from(["ru", "en"])),
    step("branch", variable=st.sampled_from("xy"), cases=st.dictionaries(VALUE, NEXT, min_size=1), otherwise=NEXT),
    step("branch", variable=st.just("language"), cases=st.fixed_dictionaries({"en": NEXT}), otherwise=NEXT),
    step("branch", variable=st.just("ani"), cases=st.fixed_dictionaries({"+79161234567": NEXT}), otherwise=NEXT),
    step("queue", queue=st.just("orders"), max_wait_s=st.just(60), otherwise=NEXT),
    step("queue", queue=st.just("orders")),
    step("voicemail", next=NEXT),
    step("hangup"),
)
FLOWS = st.fixed_dictionaries(dict.fromkeys(STEPS, ANY_STEP))


def toml(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


class Caller:
    """Goes through a flow by the core's interpreter."""

    def __init__(self, flow: Flow) -> None:
        self.seen: set[str] = set()
        self.scene = Scene(
            flows={flow.name: flow},
            position=FlowPosition(flow=flow.name, step=flow.start),
            variables={"line": "88007707999", "ani": "+79161234567"},
            language=Language("ru"),
            calendars={},
            now=0.0,
            next_play=PlayId("p"),
            next_recording=RecordingName("r"),
        )
        self.turn = begin(self.scene)
        self.arrived()

    def arrived(self) -> None:
        turn = self.turn
        self.seen.add(turn.position.step)
        self.scene = replace(self.scene, position=turn.position, variables=turn.variables, language=turn.language)

    @property
    def queued(self) -> JoinQueue | None:
        return next((effect for effect in self.turn.effects if isinstance(effect, JoinQueue)), None)

    @property
    def finished(self) -> Finish | None:
        return next((effect for effect in self.turn.effects if isinstance(effect, Finish)), None)

    def moved(self, turn: FlowTurn) -> None:
        self.turn = turn
        self.arrived()

    def press(self, key: str) -> None:
        """A key; in a queue he waits in vain instead."""
        joined = self.queued
        if joined is None:
            self.moved(key_pressed(self.scene, key))  # type: ignore[arg-type]
        elif joined.step.otherwise is not None:
            self.moved(go(self.scene, joined.step.otherwise))

    def wait(self) -> None:
        """Does nothing until something happens."""
        if self.scene.position.play is not None:
            self.moved(play_finished(self.scene))
        elif self.scene.position.recording is not None:
            self.moved(recorded(self.scene))
        else:
            self.moved(time_up(self.scene))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with TemporaryDirectory() as directory:
        yield Site(Path(directory))


@settings(max_examples=80, deadline=None)
@given(steps=FLOWS, keys=KEYS)
def test_wherever_a_caller_stops_pressing_keys_a_flow_without_complaint_serves_him(
    site: Site, steps: dict[str, dict[str, object]], keys: list[str]
) -> None:
    lines = ['start = "a"']
    for name, fields in steps.items():
        lines += [f"[steps.{name}]", *(f"{field} = {toml(value)}" for field, value in fields.items())]
    site.file("nordlis.toml").write_text("\n".join(lines))
    try:
        config = load(site.dialplans, state_dir=site.root)
    except ConfigErrors:
        event("refused")
        return
    event("accepted")
    warnings = [str(problem) for problem in config.warnings]
    unreachable = {name for name in STEPS if any(f"steps.{name}: warning: no caller" in line for line in warnings)}
    caller = Caller(config.plan.flows[FlowName("nordlis")])
    for key in keys:
        if caller.finished is None:
            caller.press(key)
    for _ in range(300):
        if caller.queued is not None or caller.finished is not None:
            break
        caller.wait()
    assert caller.queued is not None or (caller.finished is not None and not caller.finished.flaw)
    assert not unreachable & caller.seen
