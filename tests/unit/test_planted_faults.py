"""`ccserver check` finds every kind of fault, and each place in `ccserver/config` that complains has been made to."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccserver.config import customercheck, dialplancheck, functioncheck, load, source
from ccserver.config.check import check
from ccserver.config.conform import _Conformity
from ccserver.config.findings import Findings
from tests.config_site import CHECKOUT, Site
from tests.unit.planted import FAULTS
from tests.unit.planted.fault import Fault

CONFIG = CHECKOUT / "ccserver" / "config"
COMPLAINTS = {"error", "warn", "_deviation", "_whole", "Problem"}
"""What a call must be of to be a complaint; `error` and `warn` only of a `found`."""
GENERAL = {("findings.py", "_add"), ("conform.py", "_deviation"), ("source.py", "_whole")}
"""Functions that pass on the complaints of others."""
UNPLANTED = {
    ("load.py", "cannot be read: {error.strerror}"): "a directory that root, too, may not list",
    ("source.py", "cannot be read: {reason}"): "a file that root, too, may not read",
}
"""What no file can be made to bring about."""

Place = tuple[str, int]
"""A file of `ccserver/config`, and the line."""


class Told:
    """What `check` says of each planted fault, and which places said it."""

    def __init__(self, tmp: Path, patch: pytest.MonkeyPatch) -> None:
        self.places: set[Place] = set()
        self._tmp = tmp
        for owner, name in (
            (Findings, "error"),
            (Findings, "warn"),
            (_Conformity, "_deviation"),
            (source, "_whole"),
            (source, "Problem"),
            (load, "Problem"),
            (dialplancheck, "Problem"),
            (functioncheck, "Problem"),
            (customercheck, "Problem"),
        ):
            patch.setattr(owner, name, self._noting(getattr(owner, name)))

    def of(self, fault: Fault, number: int) -> list[str]:
        """The lines."""
        root = self._tmp / str(number)
        root.mkdir()
        site = Site(root)
        for plant in fault.plants:
            plant(site)
        problems = check(site.dialplans, state_dir=root / "var", overrides=fault.overrides)
        return [site.short(str(problem)) for problem in problems]

    def _noting(self, complain: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **more: Any) -> Any:
            caller = sys._getframe(1)
            self.places.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
            return complain(*args, **more)

        return noted


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, list[str]], set[Place]]]:
    with pytest.MonkeyPatch.context() as patch:
        all_told = Told(tmp_path_factory.mktemp("planted"), patch)
        lines = {fault.name: all_told.of(fault, number) for number, fault in enumerate(FAULTS)}
    yield lines, all_told.places


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_check_finds(told: tuple[dict[str, list[str]], set[Place]], fault: Fault) -> None:
    lines, _ = told
    assert any(fault.said in line for line in lines[fault.name]), "\n".join(
        [f"wanted: {fault.said}", *lines[fault.name]]
    )


def test_every_place_that_complains_has_a_planted_fault(told: tuple[dict[str, list[str]], set[Place]]) -> None:
    _, places = told
    missing = [
        f"ccserver/config/{file}:{line}: nothing makes `ccserver check` say {what}"
        for file, line, what in complaints()
        if (file, line) not in places and not any(file == each and words in what for each, words in UNPLANTED)
    ]
    assert not missing, "\n".join([*missing, "plant a fault for each in tests/unit/planted (one line of a table)"])


def test_nothing_is_planted_twice_and_nothing_is_found_on_the_demo(tmp_path: Path) -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
    assert check(Site(tmp_path).dialplans, state_dir=tmp_path / "var") == ()


def complaints() -> Iterator[tuple[str, int, str]]:
    """Each place with its file, its line, and what it says as it is written."""
    for file in sorted(CONFIG.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and (file.name, node.name) not in GENERAL:
                for call in calls(node):
                    yield file.name, call.lineno, ast.unparse(call)


def calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """The complaints of a function, those of functions inside it left out: they are met by themselves."""
    inner = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and node is not function]
    theirs = {id(node) for each in inner for node in ast.walk(each)}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and id(node) not in theirs and is_complaint(node.func):
            yield node


def is_complaint(called: ast.expr) -> bool:
    """`found.error`, `self.found.warn`, `self._deviation`, `_whole`, `Problem`."""
    if isinstance(called, ast.Name):
        return called.id in COMPLAINTS
    if not isinstance(called, ast.Attribute) or called.attr not in COMPLAINTS:
        return False
    return called.attr == "_deviation" or ast.unparse(called.value).split(".")[-1] == "found"
