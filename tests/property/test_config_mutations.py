"""Whatever an admin does to the demo's files: a configuration, or complaints with their places, never anything else."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ccserver.config.check import check
from ccserver.config.errors import ConfigErrors, Severity
from ccserver.config.explain import explain_call
from ccserver.config.load import Config, load
from ccserver.config.source import KeyPath, field_text
from ccserver.core.contact import FlowPosition
from ccserver.core.flow import Finish, JoinQueue, Record, Scene, Speak, begin, play_finished, recorded, time_up
from ccserver.core.ids import LineNumber, PlayId, RecordingName
from tests.config_site import CHECKOUT, Site

FILES = ("ccserver.toml", "nordlis.toml")
WORDS = (
    """ " ' [ ] { } = , # . -1 0 999999 1e400 nan true "" x ж "ru" "menu" "english" "orders" [] {} 2026-12-31 \"\"\" """
)
JUNK = st.sampled_from([*WORDS.split(), "\n", "\x00", "[[lines]]\n", "[steps.menu]\n", "[node]\n"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | JUNK,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5) | JUNK, inner, max_size=2),
    max_leaves=4,
)
TOKEN = re.compile(r'"[^"\n]*"|(?<![\w"])\d+(?![\w"])')
"""A value, or a key in quotes."""
PLACE = re.compile(r"^(override|\S+\.toml(:\d+){0,2}): .")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with TemporaryDirectory() as directory:
        yield Site(Path(directory))


def outcome(site: Site, overrides: dict[str, Any] | None = None) -> Config | None:
    """Load it: every complaint must name its place; what loads must be usable."""
    try:
        config = load(site.dialplans, state_dir=site.root, overrides=overrides or {})
    except ConfigErrors as errors:
        assert errors.problems
        for line in str(errors).splitlines():
            assert PLACE.match(site.short(line)), line
        return None
    problems = check(site.dialplans, state_dir=site.root, overrides=overrides or {})
    assert problems == config.warnings
    assert all(problem.severity is Severity.WARNING for problem in problems)
    for number in config.plan.lines:
        explain_call(config, number, "2026-12-31T23:50")
        a_silent_caller_is_served(config, number)
    return config


def a_silent_caller_is_served(config: Config, number: LineNumber) -> None:
    """Who presses nothing comes to a queue or is hung up, by the core's own interpreter."""
    line = config.plan.lines[number]
    scene = Scene(
        flows=config.plan.flows,
        position=FlowPosition(flow=line.flow, step=config.plan.flows[line.flow].start),
        variables={"line": number, "ani": "+79161234567"},
        language=line.language,
        calendars={},
        now=0.0,
        next_play=PlayId("p"),
        next_recording=RecordingName("r"),
    )
    turn = begin(scene)
    for _ in range(2000):
        assert not any(isinstance(effect, Finish) and effect.flaw for effect in turn.effects)
        kinds = {type(effect) for effect in turn.effects}
        if kinds & {JoinQueue, Finish}:
            return
        scene = replace(scene, position=turn.position, variables=turn.variables, language=turn.language)
        turn = recorded(scene) if Record in kinds else play_finished(scene) if Speak in kinds else time_up(scene)
    raise AssertionError(f"a silent caller of {number} is nowhere after 2000 turns")


def altered(draw: st.DataObject, text: str) -> str:
    """The text after one slip: of the hand, of copy and paste, or of the mind."""
    lines = text.split("\n")
    at = draw.draw(st.integers(0, len(lines) - 1), label="line")
    match draw.draw(
        st.sampled_from(["delete", "repeat", "move", "junk", "value", "value", "value", "cut"]), label="slip"
    ):
        case "delete":
            del lines[at]
        case "repeat":
            lines.insert(draw.draw(st.integers(0, len(lines))), lines[at])
        case "move":
            line = lines.pop(at)
            lines.insert(draw.draw(st.integers(0, len(lines))), line)
        case "junk":
            column = draw.draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:column] + draw.draw(JUNK) + lines[at][column:]
        case "cut":
            column = draw.draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:column]
        case _:
            tokens = list(TOKEN.finditer(text))
            token = draw.draw(st.sampled_from(tokens), label="token")
            other = draw.draw(st.sampled_from([other[0] for other in tokens]) | JUNK, label="instead")
            return text[: token.start()] + other + text[token.end() :]
    return "\n".join(lines)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=80, deadline=None)
@given(draw=st.data())
def test_a_slip_in_a_file_is_complained_about_or_does_no_harm(site: Site, name: str, draw: st.DataObject) -> None:
    file = site.file(name)
    whole = file.read_text()
    text = whole
    for _ in range(draw.draw(st.integers(1, 3))):
        text = altered(draw, text)
    try:
        file.write_text(text)
        outcome(site)
    finally:
        file.write_text(whole)


def fields_in(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every path of parsed TOML but the root."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in inside:
        yield (*path, part)
        yield from fields_in(inner, (*path, part))


FIELDS = sorted(
    field_text(path) for path in fields_in(tomllib.loads((CHECKOUT / "dialplans/ccserver.toml").read_text()))
)


@settings(max_examples=60, deadline=None)
@given(overrides=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), VALUES, min_size=1, max_size=3))
def test_any_value_anywhere_is_complained_about_or_does_no_harm(site: Site, overrides: dict[str, Any]) -> None:
    outcome(site, overrides)


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=60))
def test_any_bytes_in_place_of_a_file_are_complained_about(site: Site, raw: bytes) -> None:
    file = site.file("velmira.toml")
    whole = file.read_bytes()
    try:
        file.write_bytes(raw)
        assert outcome(site) is None
    finally:
        file.write_bytes(whole)
