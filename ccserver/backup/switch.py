"""Many places changed as one: what is new lies beside its place, and is moved there when all of it is ready.

Moving is renaming, so it takes no time and no room; what was there before is moved aside and kept. If one of them fails all are
moved back. A process killed between two of them leaves a marker, by which the daemon refuses to start on a mixture.
"""

import os
import shutil
from pathlib import Path

from ccserver.backup.errors import RestoreFailed
from ccserver.backup.places import marker_in


class Switch:
    """`beside` for each place, write there, then `apply`; `undo` after an error, `tidy` always."""

    def __init__(self, state_dir: Path, stamp: str) -> None:
        self._marker = marker_in(state_dir)
        self._stamp = stamp
        self._staged: dict[Path, Path | None] = {}
        """By the place; None: nothing shall be there."""
        self._moved: list[tuple[Path, Path]] = []
        self.aside: list[Path] = []
        """Where what was there before is now."""

    def beside(self, target: Path) -> Path:
        """Where to write what shall be at `target`; nothing is there yet."""
        staged = target.with_name(f".{target.name}.restoring")
        if target not in self._staged:
            _remove(staged)  # of a restore that was killed
            staged.parent.mkdir(parents=True, exist_ok=True)
            self._staged[target] = staged
        return staged

    def empty(self, target: Path) -> None:
        """Nothing shall be at `target`."""
        self._staged[target] = None

    def apply(self) -> None:
        """All of it; raises `RestoreFailed` when nothing has changed after all."""
        try:
            os.sync()  # what is moved into its place is on the disk
            if self._staged and self._marker.parent.is_dir():
                self._marker.touch()
            for target, staged in self._staged.items():
                if target.exists():
                    self._move(target, target.with_name(f"{target.name}.before-{self._stamp}"))
                    self.aside.append(self._moved[-1][1])
                if staged is not None:
                    self._move(staged, target)
        except OSError as error:
            self.undo()
            raise RestoreFailed.at(self._marker, error) from error

    def _move(self, source: Path, target: Path) -> None:
        source.rename(target)
        self._moved.append((source, target))

    def undo(self) -> None:
        """As it was."""
        while self._moved:
            source, target = self._moved.pop()
            target.rename(source)
        self._marker.unlink(missing_ok=True)

    def done(self) -> None:
        """From now on there is no way back."""
        self._moved.clear()
        self._marker.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what was written and not used."""
        for staged in self._staged.values():
            if staged is not None:
                _remove(staged)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
