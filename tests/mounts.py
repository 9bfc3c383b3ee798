"""File systems of a test's own: small ones that can be filled, and places that cannot be moved."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest


class Mounted:
    """Mounts that are gone after the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def small(self, place: Path, size: str) -> Path:
        """An empty file system of that size (`4m`)."""
        place.mkdir()
        self._mount(place, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
        return place

    def bind(self, place: Path) -> None:
        """A mount point: what is in it can be written, but it cannot be renamed."""
        self._mount(place, "--bind", str(place))

    def _mount(self, place: Path, *how: str) -> None:
        done = subprocess.run(["mount", *how, str(place)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        self._stack.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def mounted() -> Iterator[Mounted]:
    """For tests of full disks; a skipped test where mounting is not allowed."""
    with ExitStack() as stack:
        yield Mounted(stack)
