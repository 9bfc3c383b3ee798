"""Each *.txt here is a script of the core's routing rules (`script` says how it reads), and what it decides stands in it."""

import os
from pathlib import Path

import pytest

from tests.golden.script import ScriptError, decisions, play

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_core_decides_as_the_script_says(path: Path) -> None:
    script = path.read_text("utf-8")
    played = play(script)
    if os.environ.get("CCSERVER_GOLDEN") == "rewrite":
        path.write_text(played, "utf-8")
    else:
        assert played == script
    assert decisions(played), "a script in which nothing is decided"


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 11


def test_a_line_that_means_nothing_is_named() -> None:
    with pytest.raises(ScriptError, match="line 2: c1 dances"):
        play("flow wait = {do = 'hangup'}\nc1 dances\n")
